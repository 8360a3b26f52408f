"""Arrays of nested lists as JSON has them: numbers or texts, gaps, and the place of whatever is wrong."""

import json
from collections.abc import Callable
from itertools import chain
from typing import Any

import numpy as np

from losscalc.core.array import Array, show_shape
from losscalc.engine.outsiders import identifies
from losscalc.engine.sources import Rows
from losscalc.errors import FormatError, Index, Location, counted
from losscalc.inputs.cells import MISSING, Cell, as_cells, is_missing, number
from losscalc.inputs.document import DEEPEST, GapError, Written, too_deep
from losscalc.inputs.parts import as_typed

Place = Callable[[Index], Location]
"""Where the value of an index stands."""

_NUMBER_WORDS = {"NaN": np.nan, "Infinity": np.inf, "-Infinity": -np.inf}


def to_array(
    document: Any, place: Place, na: str, *, is_lenient: bool = False, row: Index | None = None
) -> Rows:
    """Nested lists as an array; gaps are NaN and, if rows with gaps are to be dropped, marked as missing.

    With `is_lenient`, rows that cannot be read come with what is wrong. `row` is the shape of each row.

    >>> to_array([[1.0, 2.0], None], lambda index: Location("a.json").inside(index), "drop").missing
    array([False,  True])
    """
    faults: list[tuple[int, FormatError]] = []
    try:
        values = _numbers(document, place, na)
        if row not in (None, values.shape[1:]):
            raise _other_shape(values.shape[1:], row or (), place((0,)))
    except FormatError:
        if not isinstance(document, list) or (na == "error" and not is_lenient):
            raise
        values = _by_rows(document, place, na, faults if is_lenient else None, row)
    if na != "drop" or not np.isnan(values).any():
        return Rows(values, None, tuple(faults))
    if not values.ndim:
        raise FormatError("a lone number is missing, and no row to leave out", location=place(()))
    return Rows(values, np.isnan(values).reshape(len(values), -1).any(axis=1), tuple(faults))


def to_cells(document: Any, place: Place, *, is_lenient: bool = False, row: Index | None = None) -> Rows:
    """Nested lists as an array of texts and numbers, or of float64 if all of them are numbers.

    >>> to_cells(["cat", None], lambda index: Location("a.json").inside(index)).values
    array(['cat', ''], dtype=object)
    """
    faults: list[tuple[int, FormatError]] = []
    try:
        found, shape = leaves(document, place)
        if row not in (None, shape[1:]):
            raise _other_shape(shape[1:], row or (), place((0,)))
        cells = [_cell(leaf, i, shape, place) for i, leaf in enumerate(found)]
    except FormatError:
        if not isinstance(document, list) or not is_lenient:
            raise
        cells, shape = [], (len(document),)
        for position, row in enumerate(document):
            try:
                cells.append(_cell(row, position, shape, place))
            except FormatError as fault:
                cells.append("")
                faults.append((position, fault))
    return Rows(as_cells(cells).reshape(shape), None, tuple(faults))


def _by_rows(
    rows: list[Any],
    place: Place,
    na: str,
    faults: list[tuple[int, FormatError]] | None,
    shape: Index | None,
) -> Array:
    """The numbers of rows of which some are gaps, or cannot be read."""
    found: list[tuple[int, Array]] = []
    for position, row in enumerate(rows):
        try:
            if na != "error" and _is_gap(row):
                continue
            values = _numbers(row, lambda index, first=position: place((first, *index)), na)  # type: ignore[misc]
            if shape not in (None, values.shape):
                raise _other_shape(values.shape, shape or (), place((position,)))
        except FormatError as fault:
            if faults is None:
                raise
            faults.append((position, fault))
        else:
            shape = values.shape
            found.append((position, values))
    array = np.full((len(rows), *(shape or ())), np.nan)
    for position, values in found:
        array[position] = values
    return array


def _numbers(document: Any, place: Place, na: str) -> Array:
    """The numbers in nested lists, NaN for gaps that may be there."""
    found, shape = leaves(document, place)
    if set(map(type, found)) == {float}:
        values = np.array(found, np.float64)
        if np.isfinite(values).all():
            return values.reshape(shape)
    numbers = [_number(leaf, i, shape, na, place) for i, leaf in enumerate(found)]
    return np.array(numbers, np.float64).reshape(shape)


def leaves(document: Any, place: Place) -> tuple[list[Any], Index]:
    """What nested lists hold in the end, and the shape of the array that they are."""
    shape: Index = ()
    level = [document]
    while level and isinstance(level[0], list):
        size = len(level[0])
        for position, node in enumerate(level):
            if not isinstance(node, list) or len(node) != size:
                raise _ragged(level, position, shape, place)
        shape += (size,)
        if len(shape) > DEEPEST:
            raise too_deep(place(()))
        level = list(chain.from_iterable(level))
    if not level:
        raise FormatError("no data", location=place(()))
    return level, shape


def _number(leaf: Any, position: int, shape: Index, na: str, place: Place) -> float:
    """The number of one leaf, NaN for a gap that is allowed to be there."""
    value = None
    if isinstance(leaf, Written | bool) or (isinstance(leaf, float) and np.isfinite(leaf)):
        value = float(leaf)
    elif isinstance(leaf, str):
        # Numbers in quotes are those of tables: many programs quote what they read from one.
        value = _NUMBER_WORDS.get(leaf, number(leaf))
    if value is not None:
        return value
    if na != "error" and _is_gap(leaf):
        return np.nan
    raise _not_a_number(leaf, place(_unravel(position, shape)))


def _cell(leaf: Any, position: int, shape: Index, place: Place) -> Cell:
    """The text or number of one leaf, '' for a gap."""
    if isinstance(leaf, str):
        return leaf
    if isinstance(leaf, bool):
        return "true" if leaf else "false"
    if leaf is None or isinstance(leaf, GapError):
        return ""
    if isinstance(leaf, Written) or (isinstance(leaf, float) and np.isfinite(leaf)):
        return leaf
    raise _not_a_number(leaf, place(_unravel(position, shape)))


def _is_gap(leaf: Any) -> bool:
    return leaf is None or isinstance(leaf, GapError) or (isinstance(leaf, str) and is_missing(leaf))


def _not_a_number(leaf: Any, location: Location) -> FormatError:
    if isinstance(leaf, FormatError):
        return leaf
    if isinstance(leaf, float):
        return FormatError("a number outside the range of float64", location=location)
    if isinstance(leaf, list):
        return FormatError("a list where a number should be", location=location)
    if isinstance(leaf, dict):
        # The ids of records are no numbers to compute with, and neither are words.
        data = [key for key in leaf if not identifies(key)]
        name = next((key for key in data if isinstance(leaf[key], float)), next(iter(data or leaf), None))
        hint = None if name is None else f"name a member: {as_typed(name)}"
        return FormatError("an object where a number should be", location=location, hint=hint)
    hint = MISSING if _is_gap(leaf) else None
    return FormatError("not a number", found=json.dumps(leaf), location=location, hint=hint)


def _ragged(level: list[Any], position: int, shape: Index, place: Place) -> FormatError:
    node, first = level[position], place(_unravel(0, shape))
    here = place(_unravel(position, shape))
    if isinstance(node, FormatError) or _is_gap(node):
        return _not_a_number(node, here)
    what = f"has {counted(len(node), 'item')}" if isinstance(node, list) else "is not a list"
    where = first.part if first.line is None else f"line {first.line}{first.part}"
    return FormatError(f"the row {what}, but {where} has {len(level[0])}", location=here)


def _other_shape(shape: Index, before: Index, location: Location) -> FormatError:
    said = f"the row has shape {show_shape(shape)}, those before {show_shape(before)}"
    return FormatError(said, location=location)


def _unravel(position: int, shape: Index) -> Index:
    return tuple(int(i) for i in np.unravel_index(position, shape)) if shape else ()
