"""Arrays on their way into a loss: what part each plays, which shapes fit, how blocks become numbers."""

from collections.abc import Collection, Mapping
from typing import Annotated, NamedTuple

import numpy as np

from losscalc.domains import NOT_NEGATIVE, SIGNS, UNIT, Domain
from losscalc.double import FloatArray, IndexArray
from losscalc.errors import ClassIndexError, DomainError, DTypeError, ShapeError

Array = np.ndarray
Shape = tuple[int | None, ...]
"""A shape; None stands for a number of rows that is not known before the end of a file."""


class Role(NamedTuple):
    """What an array argument of a loss is: one line of help, and what its values may be."""

    doc: str
    domain: Domain | None = None
    advised: Domain | None = None
    """Where values should lie; outside, the loss is computed with a warning."""
    hint: str | None = None


Values = Annotated[FloatArray, Role("Real values, of any shape.")]
Logits = Annotated[FloatArray, Role("Logits: any real numbers, of any shape.")]
Probabilities = Annotated[
    FloatArray,
    Role("Probabilities in [0, 1], of any shape.", UNIT, hint="for logits use bce-logits"),
]
Labels = Annotated[FloatArray, Role("Labels in [0, 1], of the shape of the input.", UNIT)]
LogitLabels = Annotated[
    FloatArray,
    Role("Labels, of the shape of the input; outside [0, 1] they get a warning.", advised=UNIT),
]
SignLabels = Annotated[
    FloatArray,
    Role(
        "Labels of the shape of the input, 1 or -1.",
        SIGNS,
        hint="labels of 0 and 1 become -1 and 1 as 2·label - 1",
    ),
]
Weight = Annotated[FloatArray, Role("Factor of each element; broadcasts to the shape of the target.")]
FullWeight = Annotated[FloatArray, Role("Factor of each element, of the shape of the input.")]
PosWeight = Annotated[
    FloatArray,
    Role("Factor of the positive part; broadcasts to the shape of the target.", NOT_NEGATIVE),
]
ClassScores = Annotated[FloatArray, Role("Logits (N, C, ...); classes on axis 1, or (C,) for one sample.")]
ClassLogProbabilities = Annotated[
    FloatArray, Role("Log-probabilities (N, C, ...); classes on axis 1, or (C,) for one sample.")
]
ClassTarget = Annotated[
    FloatArray | IndexArray,
    Role("Class indices (N, ...), or class probabilities of the shape of the input.", advised=UNIT),
]
ClassIndices = Annotated[IndexArray, Role("Class indices (N, ...), whole numbers in [0, C).")]
ClassWeight = Annotated[FloatArray, Role("Factor of each class, of shape (C,).", NOT_NEGATIVE)]


class Layout(NamedTuple):
    """How the arrays of one call fit together.

    `cut` names the arrays that share axis 0 and are cut into blocks along it (none: the call is one
    block), `indices` those that hold class indices, and `width` is the size of one row.
    """

    cut: frozenset[str]
    width: int
    indices: frozenset[str] = frozenset()


def show_shape(shape: Shape) -> str:
    """A shape as messages write it: (3,) or (N, 2).

    >>> show_shape((3,)), show_shape((None, 2)), show_shape(())
    ('(3,)', '(N, 2)', '()')
    """
    sizes = ["N" if size is None else str(size) for size in shape]
    return f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(sizes)})"


def row_size(shape: Shape) -> int:
    """How many elements one row along axis 0 has."""
    size = 1
    for length in shape[1:]:
        size *= length or 1
    return size


def elementwise_layout(
    shapes: Mapping[str, Shape],
    *,
    weights: Collection[str] = (),
    full: Collection[str] = (),
    broadcast: bool,
    may_broadcast: bool = False,
) -> Layout:
    """`input` and `target` of equal shape, and weights that broadcast to it (or have it in full)."""
    whole = shapes["input"]
    if not fits(shapes["target"], whole):
        if not broadcast:
            error = _unequal(shapes, "target", "input")
            if may_broadcast and error.hint is None:
                error.hint = "`broadcast` lets shapes broadcast, as NumPy does it"
            raise error
        whole = _broadcast_shape(shapes)
    for name in full:
        if name in shapes and not fits(shapes[name], shapes["input"]):
            raise _unequal(shapes, name, "input")
        if name in shapes and not fits(shapes["input"], whole):
            raise ShapeError(
                f"`{name}` has the shape of `input`, which broadcasting enlarges to {show_shape(whole)}",
                argument=name,
                hint="broadcast `input` and the weights yourself, so that what they sum to is plain",
            )
    for name in weights:
        if name in shapes and not broadcasts_to(shapes[name], whole):
            raise ShapeError(
                f"`{name}` of shape {show_shape(shapes[name])} does not broadcast to the "
                f"{show_shape(whole)} of `target`",
                argument=name,
                hint="it is aligned from the last axis: (C,) is one number a column, (N, 1) one a row",
            )
    rows = whole[:1]
    cut = [
        name
        for name, shape in shapes.items()
        if len(shape) == len(whole) > 0 and (shape[:1] != (1,) or rows == (1,))
    ]
    return Layout(frozenset(cut), row_size(whole))


def classwise_layout(
    shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], probabilities: bool
) -> Layout:
    """Scores (N, C, ...) or (C,), a target without the class axis, and a weight (C,).

    With `probabilities`, a target of the very shape of the scores holds class probabilities.
    """
    scores, target = shapes["input"], shapes["target"]
    if not scores:
        raise ShapeError(
            "`input` is a single number; it needs a class axis",
            argument="input",
            hint="give (C,) for one sample or (N, C, ...) for a batch",
        )
    axis = 0 if len(scores) == 1 else 1
    classes = scores[axis]
    # Only a batch can be of unknown length; a lone row of unknown length is read to its end first.
    if classes is None:
        raise ShapeError(
            "`input` is one long column; classes stand side by side, one sample a row", argument="input"
        )
    if "weight" in shapes and shapes["weight"] != (classes,):
        raise ShapeError(
            f"`weight` has shape {show_shape(shapes['weight'])}, but `input` has {classes} classes",
            argument="weight",
            hint="give one weight a class",
        )
    cut = frozenset() if axis == 0 else frozenset({"input", "target"})
    width = row_size(scores)
    if probabilities and fits(target, scores):
        if dtypes["target"].kind != "f":
            raise DTypeError(
                "`target` of the shape of `input` holds class probabilities and must be floating",
                found=dtypes["target"],
                argument="target",
                hint="give class indices without the class axis, or convert one-hot rows to floating point",
            )
        return Layout(cut, width)
    expected = scores[:axis] + scores[axis + 1 :]
    if not fits(target, expected) and not (axis == 0 and target == (1,)):
        raise _bad_class_target(scores, target, expected, probabilities)
    return Layout(cut, width, frozenset({"target"}))


def fits(shape: Shape, other: Shape) -> bool:
    """Whether two shapes are equal as far as they are known."""
    return len(shape) == len(other) and all(
        a == b or a is None or b is None for a, b in zip(shape, other, strict=True)
    )


def check_dtype(name: str, dtype: np.dtype, *, scores: bool, indices: bool) -> None:
    """Refuse what is not a real number, and truth values where a score or a class is due."""
    if dtype.kind in "iu" or (dtype.kind == "f" and dtype.itemsize <= 8):
        return
    if dtype.kind == "b" and not scores and not indices:
        return
    what = "whole numbers, which class indices are" if indices else "real numbers"
    raise DTypeError(f"`{name}` must hold {what}", found=f"dtype {dtype}", argument=name)


def as_real(values: Array) -> FloatArray:
    """A block as native float64; float32, float16 and whole numbers up to 2^53 exactly so."""
    return np.asarray(values, dtype=np.float64)


def as_indices(name: str, values: Array) -> IndexArray:
    """A block of class indices as int64; integral floating numbers are accepted, 1.5 is not."""
    if values.dtype.kind == "f":
        wrong = np.argwhere((values != np.floor(values)) | np.isinf(values))
        if len(wrong):
            raise DomainError(
                f"`{name}` holds class indices, which are whole numbers",
                found=values[tuple(wrong[0])],
                argument=name,
                index=tuple(int(i) for i in wrong[0]),
            )
    wrong = np.argwhere((values >= 2**63) | (values < -(2**63)))
    if len(wrong):
        raise ClassIndexError(
            f"`{name}` holds class indices, which never are that large",
            found=int(values[tuple(wrong[0])]),
            argument=name,
            index=tuple(int(i) for i in wrong[0]),
        )
    return values.astype(np.int64)


def class_positions(
    name: str, target: IndexArray, classes: int, ignore_index: int
) -> tuple[IndexArray, np.ndarray]:
    """Where to look in the class axis, with 0 for an ignored row, and which rows are ignored."""
    ignored = target == ignore_index
    wrong = np.argwhere(((target < 0) | (target >= classes)) & ~ignored)
    if len(wrong):
        found = int(target[tuple(wrong[0])])
        hint = None
        if found == classes and not (target == 0).any():
            hint = f"classes count from 0 to {classes - 1}; for labels that count from 1, subtract 1"
        raise ClassIndexError(
            f"`{name}` must be a class index from 0 to {classes - 1} ({ignore_index} leaves the row out)",
            found=found,
            argument=name,
            index=tuple(int(i) for i in wrong[0]),
            hint=hint,
        )
    return np.where(ignored, 0, target), ignored


def classes_last(scores: FloatArray) -> FloatArray:
    """The class axis (1, or 0 for a single sample) moved to the end."""
    return scores if scores.ndim <= 2 else np.ascontiguousarray(np.moveaxis(scores, 1, -1))


def broadcasts_to(shape: Shape, whole: Shape) -> bool:
    """Whether a shape broadcasts to `whole` without enlarging it."""
    return len(shape) <= len(whole) and all(
        a == b or a == 1 or a is None or b is None for a, b in zip(shape[::-1], whole[::-1], strict=False)
    )


def _broadcast_shape(shapes: Mapping[str, Shape]) -> Shape:
    """The common shape of `input` and `target` under NumPy's broadcasting."""
    one, other = shapes["input"], shapes["target"]
    ndim = max(len(one), len(other))
    one, other = (1,) * (ndim - len(one)) + one, (1,) * (ndim - len(other)) + other
    common = []
    for a, b in zip(one, other, strict=True):
        if a != b and 1 not in (a, b) and a is not None and b is not None:
            raise _unequal(shapes, "target", "input", "do not broadcast to a common shape")
        common.append(b if a == 1 else a)
    return tuple(common)


def _unequal(
    shapes: Mapping[str, Shape], name: str, other: str, problem: str = "must be equal"
) -> ShapeError:
    """The error for two shapes that differ, with a hint when one is the other plus an axis of length 1."""
    mine, theirs = shapes[name], shapes[other]
    hint = None
    if mine != theirs and _without_ones(mine) == _without_ones(theirs):
        hint = f"reshape `{name}` to {show_shape(theirs)}, or `{other}` to {show_shape(mine)}"
    elif mine == theirs[::-1]:
        hint = f"`{name}` looks transposed"
    elif mine[:1] == theirs[:1] and {len(mine), len(theirs)} == {1, 2}:
        many = name if len(mine) == 2 else other
        hint = f"`{many}` has several columns; take one of a file as FILE#NAME or FILE#2"
    return ShapeError(
        f"`{name}` has shape {show_shape(mine)} and `{other}` {show_shape(theirs)}; they {problem}",
        argument=name,
        hint=hint,
    )


def _without_ones(shape: Shape) -> Shape:
    return tuple(size for size in shape if size != 1)


def _bad_class_target(scores: Shape, target: Shape, expected: Shape, probabilities: bool) -> ShapeError:
    hint = None
    if len(target) > len(scores) and target[: len(scores)] == scores:
        hint = "`input` and `target` look swapped"
    elif len(scores) > 2 and target == scores[:-1]:
        hint = "the class axis is axis 1, not the last: move it there"
    elif len(target) == len(expected) + 1 and target[-1] == 1:
        hint = f"drop the last axis of `target`: one class index a row, {show_shape(expected)}"
    also = f", or {show_shape(scores)} of class probabilities" if probabilities else ""
    return ShapeError(
        f"`target` has shape {show_shape(target)}; for `input` of shape {show_shape(scores)} it must have "
        f"{show_shape(expected)} of class indices{also}",
        argument="target",
        hint=hint,
    )
