"""Losses of rows of scores that are zero once the right classes lead by a margin."""

from collections.abc import Iterator, Mapping
from typing import Annotated

import numpy as np

from losscalc.catalogue.base import Loss, Quantities, loss
from losscalc.catalogue.weighting import BY_SAMPLES, sample_weighted
from losscalc.core.array import FloatArray, IndexArray, Shape, show_shape
from losscalc.core.declaration import Doc
from losscalc.core.domains import FINITE, Choice
from losscalc.core.reductions import Slope, Terms
from losscalc.core.roles import (
    ClassWeight,
    IndexSets,
    RowIndices,
    Rows,
    class_positions,
)
from losscalc.core.shapes import (
    Layout,
    classwise_layout,
    fits,
    unequal_shapes,
)
from losscalc.core.stable import mean, pick, put, where, xmul
from losscalc.errors import ClassIndexError, ShapeError


class Rowwise(Loss):
    """The base of losses of rows of scores (N, C), or (C,) for one row."""

    divisor = "the number of rows; weights are left out"

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        scores = shapes["input"]
        if len(scores) not in (1, 2) or scores[-1] == 0:
            raise ShapeError(
                f"`input` has shape {show_shape(scores)}; it must be (N, C), or (C,) for one row",
                argument="input",
            )
        return classwise_layout(shapes, dtypes, probabilities=False)


@loss("multi-margin", torch="MultiMarginLoss", functional="multi_margin_loss")
class MultiMargin(Rowwise):
    """How far each wrong class comes within a margin of the right one, averaged over the classes.

    `input` holds scores (N, C), or (C,) for one row, and `target` class indices (N,). `weight` has shape
    (C,); a row counts with the weight of its target. The sum over the wrong classes is divided by C, the
    right one included. The mean divides by the number of rows; weights do not enter the divisor.
    `sample_weight` (N,) multiplies each loss and what it adds to the divisor; Keras still divides by the
    number of rows.

    Raises ShapeError for shapes that do not fit, ClassIndexError for a class outside [0, C), DomainError for
    a negative weight and ParameterError for a `p` other than 1 and 2 or a `margin` that is not finite.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiMarginLoss.html

    >>> MultiMargin()([[0.1, 0.2, 0.4, 0.8], [1.0, -1.0, 0.5, 0.0]], [3, 1], reduction="none")
    array([0.325, 1.875])
    """

    unlike = (
        "gives NaN for a row with a NaN score, accepts class indices of any dtype if they are whole numbers, "
        "and refuses negative weights"
    )
    averages_classes = True
    uses = ("one class of several", "support vector machine")
    example = {"input": [[0.1, 0.2, 0.4, 0.8], [1.0, -1.0, 0.5, 0.0]], "target": [3, 1], "reduction": "none"}

    formula = "1/C·Σ w[y]·max(0, m - x[y] + x[i])^p; C classes, i ≠ y"
    divisor = f"the number of rows; class weights are left out; {BY_SAMPLES}"

    p: Annotated[int, Choice((1, 2)), Doc("The power of each violation.")] = 1
    margin: Annotated[float, FINITE, Doc("By how much the right class has to lead.")] = 1.0

    @sample_weighted
    def terms(self, input: Rows, target: RowIndices, weight: ClassWeight | None = None) -> Terms:
        position = self._position(input, target)
        excess = self._excess(input, position)
        # (w·z)·z, because z² may overflow where w·z² does not.
        weighted = excess if weight is None else xmul(excess, np.asarray(weight[position])[..., np.newaxis])
        value = mean(weighted if self.p == 1 else weighted * excess)
        # As in PyTorch, a target of shape (1,) for one sample gives a loss of shape (1,).
        return Terms(value.reshape(target.shape))

    def quantities(self, input: Rows, target: RowIndices, weight: ClassWeight | None = None) -> Quantities:
        position = self._position(input, target)[..., np.newaxis]
        wrong = np.arange(input.shape[-1]) != position
        return {
            "x[y]": np.take_along_axis(input, position, axis=-1),
            "x[i]": input[wrong].reshape(*input.shape[:-1], input.shape[-1] - 1),
            "w[y]": None if weight is None else weight[position],
            "C": np.asarray(float(input.shape[-1])),
        }

    @sample_weighted
    def gradient(self, input: Rows, target: RowIndices, weight: ClassWeight | None = None) -> Slope:
        """p·z^(p-1) / C for each violation z > 0, and for the right class minus their sum."""
        position = self._position(input, target)
        excess = self._excess(input, position)
        slope = (np.sign(excess) if self.p == 1 else 2.0 * excess) / float(input.shape[-1])
        if weight is not None:
            slope = xmul(slope, weight[position][..., np.newaxis])
        put(slope, position, -slope.sum(axis=-1))
        return Slope(slope)

    def _position(self, input: FloatArray, target: IndexArray) -> IndexArray:
        return class_positions("target", target, input.shape[-1]).reshape(input.shape[:-1])

    def _excess(self, input: FloatArray, position: IndexArray) -> FloatArray:
        """The violation of the margin by each class, 0 for the right one."""
        scores = np.ascontiguousarray(input)
        right = pick(scores, position)
        excess = _violation(scores, right[..., np.newaxis], self.margin)
        put(excess, position, np.where(right == right, 0.0, right))
        return excess


@loss("multilabel-margin", torch="MultiLabelMarginLoss", functional="multilabel_margin_loss")
class MultiLabelMargin(Rowwise):
    """How far each class of a row that is wrong comes within 1 of each that is right.

    `input` holds scores (N, C), or (C,) for one row; `target` has the same shape and lists the right
    classes of each row, up to the first -1. Each row has one loss, divided by C. A class that is listed
    twice counts twice. The mean divides by the number of rows.

    Raises ShapeError for shapes that differ and ClassIndexError for a class outside [-1, C).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiLabelMarginLoss.html

    >>> MultiLabelMargin()([[0.1, 0.2, 0.4, 0.8]], [[3, 0, -1, 1]])
    np.float64(0.85)
    """

    unlike = (
        "gives NaN for a row with a NaN score, and accepts class indices of any dtype if they are whole "
        "numbers"
    )
    averages_classes = True
    uses = ("several labels", "multi-label", "support vector machine")
    example = {"input": [[0.1, 0.2, 0.4, 0.8]], "target": [[3, 0, -1, 1]]}

    formula = "1/C·Σ max(0, 1 - x[y] + x[i]); C classes, y listed and i not"
    divisor = "the number of rows"

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        scores = shapes["input"]
        if not fits(shapes["target"], scores):
            raise unequal_shapes(shapes, "target", "input")
        layout = super().layout({"input": scores, "target": scores[:-1]}, dtypes, broadcast)
        return layout._replace(indices=frozenset({"target"}))

    def terms(self, input: Rows, target: IndexSets) -> Terms:
        places = self._places(input, target)
        total = np.zeros(input.shape, input.dtype)
        for _, excess in _violations(input, places):
            total += excess
        _leave_out(total, places)
        value = mean(total)
        if np.any(input != input):
            value = np.where((input != input).any(axis=-1), np.nan, value)
        return Terms(value)

    def quantities(self, input: Rows, target: IndexSets) -> Quantities:
        """The scores of every pair of a right and a wrong class; -inf where there is no violation."""
        listed = np.logical_and.accumulate(target >= 0, axis=-1)
        most = int(listed.sum(axis=-1).max(initial=0))
        listed, classes = listed[..., :most, np.newaxis], np.where(listed, target, 0)[..., :most]
        is_right = (listed & (classes[..., np.newaxis] == np.arange(input.shape[-1]))).any(axis=-2)
        right = np.take_along_axis(input, classes, axis=-1)[..., np.newaxis]
        score = np.where(is_right, -np.inf, input)[..., np.newaxis, :]
        counts = listed & (1.0 - right + score > 0)
        pairs = (*input.shape[:-1], most * input.shape[-1])
        return {
            "x[y]": np.broadcast_to(right, counts.shape).reshape(pairs),
            "x[i]": np.where(counts, score, -np.inf).reshape(pairs),
            "C": np.asarray(float(input.shape[-1])),
        }

    def gradient(self, input: Rows, target: IndexSets) -> Slope:
        """For each violated pair 1/C for the wrong class and -1/C for the right one."""
        slope = np.where(np.isnan(input).any(axis=-1, keepdims=True), np.nan, np.zeros(input.shape))
        places = self._places(input, target)
        for column, excess in _violations(input, places):
            _leave_out(excess, places)
            active = np.sign(excess)
            slope += active
            put(slope, column, pick(slope, column) - active.sum(axis=-1))
        return Slope(slope / float(input.shape[-1]))

    def _places(self, input: FloatArray, target: IndexArray) -> "list[_Place]":
        """The lists of right classes, place by place: a class for each row, and whether its list is so long.

        Rows whose list has ended have their first class there, or 0 if the list is empty.
        """
        if target.size and (target.min() < -1 or target.max() >= input.shape[-1]):
            wrong = np.argwhere((target < -1) | (target >= input.shape[-1]))[0]
            raise ClassIndexError(
                f"`target` must be a class index from 0 to {input.shape[-1] - 1}, or -1 after the last",
                found=int(target[tuple(wrong)]),
                argument="target",
                index=tuple(int(i) for i in wrong),
            )
        first = np.maximum(target[..., 0], 0)
        is_there = np.ones(first.shape, dtype=bool)
        places = []
        for place in range(target.shape[-1]):
            column = target[..., place]
            is_there = is_there & (column >= 0)
            if not is_there.any():
                break
            places.append((np.where(is_there, column, first), is_there))
        return places


_Place = tuple[IndexArray, np.ndarray]


def _violations(input: FloatArray, places: list[_Place]) -> Iterator[tuple[IndexArray, FloatArray]]:
    """For each place of the lists the class in it, and by how much each class violates its margin.

    Right classes are not left out. Every array that it yields may be the same memory.
    """
    scores = np.ascontiguousarray(input)
    memory = np.empty_like(scores)
    for column, is_there in places:
        excess = _violation(scores, pick(scores, column)[..., np.newaxis], 1.0, memory)
        yield column, excess if is_there.all() else where(is_there[..., np.newaxis], excess, 0.0)


def _leave_out(values: FloatArray, places: list[_Place]) -> None:
    """Set the values of right classes to 0."""
    for column, _ in places:
        put(values, column, 0.0)


def _violation(
    score: FloatArray, right: FloatArray, margin: float, out: FloatArray | None = None
) -> FloatArray:
    """max(0, (x - x[y]) + m): the difference of close scores is exact, so that only the sum is rounded."""
    excess = np.subtract(score, right, out=out)
    excess += margin
    return np.maximum(excess, 0.0, out=excess)
