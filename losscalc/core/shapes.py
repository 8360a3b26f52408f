"""How the arrays of one call fit together: which shapes are allowed, and which arrays are cut into blocks."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from losscalc.core.array import Shape, row_size, show_shape
from losscalc.errors import DTypeError, ShapeError, counted


class Layout(NamedTuple):
    """How the arrays of one call fit together.

    `cut` names the arrays that have a row for each sample, along axis 0, and are cut into blocks; if there
    are none, the call is one block. It is one of all rows, too, if it is `whole`, because rows depend on one
    another. `indices` names the arrays of class indices, `width` is the number of elements of one row, and
    `dtype` the dtype of the result.
    """

    cut: frozenset[str]
    width: int
    indices: frozenset[str] = frozenset()
    dtype: np.dtype = np.dtype(np.float64)
    whole: bool = False


def elementwise_layout(
    shapes: Mapping[str, Shape],
    *,
    same: Sequence[str] = ("input", "target"),
    weights: Collection[str] = (),
    full: Collection[str] = (),
    broadcast: bool,
) -> Layout:
    """Arrays of the `same` shape, `weights` that broadcast to it, and `full` weights that have it, too."""
    first, *others = same
    whole = shapes[first]
    unequal = [name for name in others if not fits(shapes[name], whole)]
    if unequal:
        if not broadcast:
            raise unequal_shapes(shapes, unequal[0], first)
        whole = common_shape(shapes, same)
    for name in full:
        if name in shapes and not fits(shapes[name], shapes[first]):
            raise unequal_shapes(shapes, name, first)
        if name in shapes and not fits(shapes[first], whole):
            raise ShapeError(
                f"`{name}` has the shape of `{first}`, which broadcasting enlarges to {show_shape(whole)}",
                argument=name,
                hint=f"broadcast `{first}` and the weights yourself, so that it is clear what they sum to",
            )
    for name in weights:
        if name in shapes and not broadcasts_to(shapes[name], whole):
            raise ShapeError(
                f"`{name}` of shape {show_shape(shapes[name])} does not broadcast to the "
                f"{show_shape(whole)} of `{others[-1]}`",
                argument=name,
                hint="it is aligned from the last axis: (C,) is one number per column, (N, 1) one per row",
            )
    # Where nothing broadcasts, a single row beside rows that are not counted yet is a row too few.
    of_rows = {*full, *(() if broadcast else same)}
    return Layout(_along_rows(shapes, whole, of_rows), row_size(whole))


def rowwise_layout(
    shapes: Mapping[str, Shape],
    *,
    same: Sequence[str] = ("input", "target"),
    weights: Collection[str] = (),
    broadcast: bool,
) -> Layout:
    """Arrays of the `same` shape (N, ..., D), or (D,) for one row, with one loss for each row of D numbers.

    A lone row is never cut, because its only axis is D.
    """
    own = {name: shapes[name] for name in (*same, *weights) if name in shapes}
    layout = elementwise_layout(own, same=same, weights=weights, broadcast=broadcast)
    if not any(shapes[name] for name in same):
        raise ShapeError(
            f"`{same[0]}` is a single number; it needs an axis to sum over",
            argument=same[0],
            hint="give (D,) for one row or (N, D) for a batch",
        )
    return layout if any(len(shapes[name]) > 1 for name in same) else layout._replace(cut=frozenset())


def check_equal_axes(shapes: Mapping[str, Shape], same: Sequence[str]) -> None:
    """Refuse arrays that differ in their number of axes, as PyTorch does where it broadcasts three arrays."""
    for name in same[1:]:
        if len(shapes[name]) != len(shapes[same[0]]):
            raise unequal_shapes(shapes, name, same[0], "must have the same number of axes")


def _along_rows(shapes: Mapping[str, Shape], whole: Shape, of_rows: Collection[str]) -> frozenset[str]:
    """The arrays to cut: those with as many axes as the whole, and not broadcast along axis 0."""
    return frozenset(
        name
        for name, shape in shapes.items()
        if len(shape) == len(whole) > 0 and (name in of_rows or shape[:1] != (1,) or whole[:1] == (1,))
    )


def classwise_layout(
    shapes: Mapping[str, Shape],
    dtypes: Mapping[str, np.dtype],
    probabilities: bool,
    scores_name: str = "`input`",
    class_axis: int = 1,
) -> Layout:
    """Scores (N, C, ...) or (C,), a target without the class axis, a weight (C,), and a sample weight.

    With `probabilities`, a target of the shape of the scores holds class probabilities. `scores_name` is
    the name of the scores in messages, for scores that are computed from the input.
    """
    scores, target = shapes["input"], shapes["target"]
    axis, classes = _class_axis(scores, class_axis)
    expected = scores[:axis] + scores[axis + 1 :]
    _check_weights(shapes, classes, expected, scores_name)
    _check_mask(shapes, expected)
    rows = frozenset({"input", "target", "sample_weight", "mask"} & shapes.keys())
    cut = frozenset() if axis == 0 else rows
    width = row_size(scores)
    if probabilities and fits(target, scores):
        if dtypes["target"].kind != "f":
            raise DTypeError(
                f"`target` of the shape of {scores_name} holds class probabilities and must be floating",
                found=dtypes["target"],
                argument="target",
                hint="give class indices without the class axis, or convert one-hot rows with .astype(float)",
            )
        return Layout(cut, width)
    if not fits(target, expected) and not (axis == 0 and target == (1,)):
        raise _bad_class_target(scores, target, expected, probabilities, scores_name)
    return Layout(cut, width, frozenset({"target"}))


def _check_weights(shapes: Mapping[str, Shape], classes: int, losses: Shape, scores_name: str) -> None:
    """Refuse a weight that is not one per class, and a sample weight that is not one per row or loss."""
    weight, factor = shapes.get("weight", (classes,)), shapes.get("sample_weight", losses)
    if weight != (classes,):
        is_of_rows = "sample_weight" not in shapes and losses and fits(weight, losses[:1])
        raise ShapeError(
            f"`weight` has shape {show_shape(weight)}, but {scores_name} has {classes} classes",
            argument="weight",
            hint="for one factor per row use `sample_weight`" if is_of_rows else "give one weight per class",
        )
    # One sample may come with a factor of shape (1,), as it may with such a target.
    if not (fits(factor, losses) or fits(factor, losses[:1]) or (not losses and factor == (1,))):
        rows = show_shape(losses[:1])
        also = f", or {show_shape(losses)}" if len(losses) > 1 else ""
        raise ShapeError(
            f"`sample_weight` has shape {show_shape(factor)}; for {scores_name} of shape "
            f"{show_shape(shapes['input'])} it must be {rows}{also}",
            argument="sample_weight",
            hint="for one factor per class use `weight`"
            if factor == (classes,) and "weight" not in shapes
            else None,
        )


def _check_mask(shapes: Mapping[str, Shape], losses: Shape) -> None:
    """Refuse a mask that does not have the shape of the losses; that of one sample may be (1,)."""
    mask = shapes.get("mask", losses)
    if not fits(mask, losses) and not (not losses and mask == (1,)):
        raise ShapeError(
            f"`mask` has shape {show_shape(mask)}; for `input` of shape {show_shape(shapes['input'])} "
            f"it must be {show_shape(losses)}",
            argument="mask",
        )


def _class_axis(scores: Shape, axis: int) -> tuple[int, int]:
    """The axis of the classes, and how many there are."""
    if not scores:
        raise ShapeError(
            "`input` is a single number; it needs a class axis",
            argument="input",
            hint="give (C,) for one sample or (N, C, ...) for a batch",
        )
    axis = 0 if len(scores) == 1 else axis % len(scores)
    classes = scores[axis]
    # Only the length of axis 0 may be unknown, and a lone row (C,) is read to its end before it gets here.
    if classes is None:
        raise ShapeError(
            "`input` is one long column; classes stand side by side, one sample per row", argument="input"
        )
    return axis, classes


def fits(shape: Shape, other: Shape) -> bool:
    """Whether two shapes are equal, where a length that is not known yet equals any other."""
    return shape == other or (
        len(shape) == len(other)
        and all(a == b or a is None or b is None for a, b in zip(shape, other, strict=True))
    )


def broadcasts_to(shape: Shape, whole: Shape) -> bool:
    """Whether a shape broadcasts to `whole` without enlarging it."""
    return len(shape) <= len(whole) and all(
        a == b or a == 1 or a is None or b is None for a, b in zip(shape[::-1], whole[::-1], strict=False)
    )


def common_shape(shapes: Mapping[str, Shape], same: Sequence[str]) -> Shape:
    """The shape to which arrays broadcast, by NumPy's rules."""
    first, *others = same
    whole = shapes[first]
    for name in others:
        whole = _broadcast_shape(shapes, whole, first, name)
    return whole


def check_not_enlarged(shapes: Mapping[str, Shape]) -> None:
    """Refuse a target that would enlarge the input by broadcasting."""
    if not broadcasts_to(shapes["target"], shapes["input"]):
        target, scores = show_shape(shapes["target"]), show_shape(shapes["input"])
        raise ShapeError(f"`target` of shape {target} would enlarge `input` of {scores}", argument="target")


def _broadcast_shape(shapes: Mapping[str, Shape], one: Shape, first: str, name: str) -> Shape:
    """The shape to which the shape so far and one more array broadcast."""
    other = shapes[name]
    ndim = max(len(one), len(other))
    one, other = (1,) * (ndim - len(one)) + one, (1,) * (ndim - len(other)) + other
    common = []
    for a, b in zip(one, other, strict=True):
        if a != b and 1 not in (a, b) and a is not None and b is not None:
            raise unequal_shapes(shapes, name, first, "do not broadcast to a common shape")
        common.append(b if a == 1 else a)
    return tuple(common)


def unequal_shapes(
    shapes: Mapping[str, Shape], name: str, other: str, problem: str = "must be equal"
) -> ShapeError:
    """The error for two shapes that differ, with a hint at the likely mistake."""
    mine, theirs = shapes[name], shapes[other]
    hint = None
    if mine != theirs and _without_ones(mine) == _without_ones(theirs):
        hint = f"reshape `{name}` to {show_shape(theirs)}, or `{other}` to {show_shape(mine)}"
    elif mine == theirs[::-1]:
        hint = f"`{name}` looks transposed"
    elif mine[:1] == theirs[:1] and {len(mine), len(theirs)} == {1, 2}:
        many = name if len(mine) == 2 else other
        hint = f"`{many}` has several columns; take one of a file as FILE#NAME or FILE#2"
    elif mine[1:] == theirs[1:] and (excess := _excess(mine, theirs)):
        more, fewer = (name, other) if excess > 0 else (other, name)
        hint = f"leave out {counted(abs(excess), 'row')} of `{more}`: what `{fewer}` lacks"
    return ShapeError(
        f"`{name}` has shape {show_shape(mine)} and `{other}` {show_shape(theirs)}; they {problem}",
        argument=name,
        hint=hint,
    )


def _excess(mine: Shape, theirs: Shape) -> int:
    """How many rows one has more than the other, which both have several of."""
    one, other = (shape[0] if shape else None for shape in (mine, theirs))
    return one - other if one is not None and other is not None and min(one, other) > 1 else 0


def _without_ones(shape: Shape) -> Shape:
    return tuple(size for size in shape if size != 1)


def _bad_class_target(
    scores: Shape, target: Shape, expected: Shape, probabilities: bool, scores_name: str
) -> ShapeError:
    hint = None
    if len(target) > len(scores) and target[: len(scores)] == scores:
        hint = "`input` and `target` look swapped"
    elif scores_name == "`input`" and len(scores) > 2 and target == scores[:-1]:
        hint = "`class_axis` -1 takes the classes from the last axis"
    elif target and _without_ones(target) == _without_ones(expected):
        hint = f"reshape `target` to {show_shape(expected)}: one class index per row"
    elif _lacks_one(target, expected) or _lacks_one(target, scores[:-1]):
        hint = "one label is missing: if each is that of the next step, leave out the last logits"
    also = f", or {show_shape(scores)} of class probabilities" if probabilities else ""
    return ShapeError(
        f"`target` has shape {show_shape(target)}; for {scores_name} of shape {show_shape(scores)} "
        f"it must have {show_shape(expected)} of class indices{also}",
        argument="target",
        hint=hint,
    )


def _lacks_one(shape: Shape, whole: Shape) -> bool:
    """Whether a shape is shorter by 1 than another along its last axis, and equal along the others."""
    last = shape[-1] if shape else None
    return last is not None and whole[-1:] == (last + 1,) and fits(shape[:-1], whole[:-1])


def beside(factor: np.ndarray, axes: int) -> np.ndarray:
    """Factors of rows, in a shape that broadcasts to arrays that have so many axes, those of the rows first.

    >>> beside(np.array([1.0, 2.0]), 3).shape, beside(np.array([1.0]), 0).shape
    ((2, 1, 1), ())
    """
    return factor.reshape(factor.shape + (1,) * (axes - factor.ndim) if axes else ())


def unbroadcast(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Sum over the axes along which an array of this shape was broadcast: the derivative of broadcasting.

    >>> unbroadcast(np.ones((2, 3)), (3,)), unbroadcast(np.ones((2, 3)), (2, 1)).tolist()
    (array([2., 2., 2.]), [[3.0], [3.0]])
    """
    if values.shape == shape:
        return values
    values = values.sum(axis=tuple(range(values.ndim - len(shape))))
    ones = tuple(axis for axis, size in enumerate(shape) if size == 1 and values.shape[axis] != 1)
    return np.asarray(values.sum(axis=ones, keepdims=True))
