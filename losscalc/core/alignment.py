"""Arrays that are vectors but for an axis of length 1: columns (N, 1), and lines (1, N)."""

from collections.abc import Mapping

from losscalc.core.array import Shape, show_shape
from losscalc.core.roles import NOT_OF_ROWS, Role
from losscalc.core.shapes import fits
from losscalc.errors import LosscalcNote


def columns_beside_vectors(shapes: Mapping[str, Shape], roles: Mapping[str, Role]) -> dict[str, str]:
    """The arrays (N, 1), each with an array (N,) that is no weight."""
    columns = [name for name, shape in shapes.items() if shape[1:] == (1,) and _is_of_rows(name, roles)]
    vectors = _vectors(shapes, roles) if columns else []
    return {
        name: vector
        for name in columns
        for vector in vectors
        if "weights" not in roles[vector].kind and fits(shapes[name][:1], shapes[vector])
    }


def lines_beside_vectors(shapes: Mapping[str, Shape], roles: Mapping[str, Role]) -> list[str]:
    """The arrays (1, N), as a line of text holds them, each with an array (N,) that is no weight."""
    lines = [
        name
        for name, shape in shapes.items()
        if len(shape) == 2 and shape[0] in (1, None) and _is_of_rows(name, roles)
    ]
    vectors = [shapes[name] for name in _vectors(shapes, roles)] if lines else []
    return [name for name in lines if shapes[name][1:] in vectors]


def _vectors(shapes: Mapping[str, Shape], roles: Mapping[str, Role]) -> list[str]:
    """The arrays (N,)."""
    return [name for name, shape in shapes.items() if len(shape) == 1 and _is_of_rows(name, roles)]


def _is_of_rows(name: str, roles: Mapping[str, Role]) -> bool:
    """Whether the first axis of an array is that of the rows."""
    return name in roles and roles[name].kind not in NOT_OF_ROWS


def column_note(shapes: Mapping[str, Shape], column: str, vector: str, *, hint: str | None) -> LosscalcNote:
    """The note that an array (N, 1) is taken as (N,)."""
    taken = f"{show_shape(shapes[column])} is taken as {show_shape(shapes[column][:1])}"
    return LosscalcNote(f"`{column}` of shape {taken}, as `{vector}` is", hint=hint, argument=column)
