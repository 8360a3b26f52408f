"""Losses of one choice among C classes."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, cast

import numpy as np

from losscalc.arrays import (
    ClassIndices,
    ClassLogProbabilities,
    ClassScores,
    ClassTarget,
    ClassWeight,
    Layout,
    Shape,
    class_positions,
    classes_last,
    classwise_layout,
)
from losscalc.domains import UNIT
from losscalc.double import Double, FloatArray, IndexArray
from losscalc.errors import ParameterError, ShapeError
from losscalc.loss import Loss, loss
from losscalc.operation import Doc
from losscalc.reductions import Terms
from losscalc.stable import Partition, distance, partition

IgnoreIndex = Annotated[int, Doc("Rows with this target are left out; any whole number.")]


class Multiclass(Loss):
    """What the losses of this family share: a class axis, and rows that may be ignored."""

    divisor = "the sum of the weights of the targets that are not ignored; their number without weight"
    probabilities: ClassVar[bool] = False
    """Whether a target of the shape of the scores holds class probabilities."""

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        """Scores with a class axis, and a target that fits them."""
        if shapes["input"][:2][-1:] == (0,):
            raise ShapeError("`input` has no classes: its class axis has length 0", argument="input")
        return classwise_layout(shapes, dtypes, probabilities=self.probabilities)


@loss("cross-entropy", torch="CrossEntropyLoss", functional="cross_entropy")
class CrossEntropy(Multiclass):
    """Cross-entropy of logits over C classes.

    `input` holds logits (N, C) or (N, C, d1, ...), with the classes on axis 1, or (C,) for one sample.
    `target` holds class indices of that shape without the class axis, or, of the very same shape and
    floating, class probabilities. `weight` has shape (C,). With class indices the mean divides by the
    sum of the weights of the targets that are not ignored; with class probabilities by the number of
    rows, whatever the weights.

    Raises ShapeError for shapes that do not fit, ClassIndexError for a class outside [0, C), DomainError
    for a negative weight, and ParameterError for a non-negative `ignore_index` with class probabilities.

    Unlike PyTorch it keeps the digits of confident right answers, takes the limit at infinite logits, takes
    class indices of any dtype as long as they are whole, and refuses a `label_smoothing` below 0 and
    negative weights.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html

    >>> CrossEntropy(label_smoothing=0.1)([[2.0, 1.0, 0.0], [0.0, 1.0, 3.0]], [0, 2])
    np.float64(0.422059325)
    """

    formula = "-w[y]·ln(exp(x[y]) / Σ exp(x))"
    divisor = (
        "the sum of the weights of the targets that are not ignored (their number without weight); "
        "with class probabilities, the number of rows"
    )

    probabilities = True
    ignore_index: IgnoreIndex = -100
    label_smoothing: Annotated[
        float, UNIT, Doc("Share of the target that is spread evenly over all classes.")
    ] = 0.0

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        """Logits with a class axis, and a target of class indices or class probabilities."""
        layout = super().layout(shapes, dtypes, broadcast)
        if not layout.indices and self.ignore_index >= 0:
            raise ParameterError(
                "`ignore_index` leaves out class indices, but `target` holds class probabilities",
                found=self.ignore_index,
                argument="ignore_index",
            )
        return layout

    def terms(self, input: ClassScores, target: ClassTarget, weight: ClassWeight | None = None) -> Terms:
        """The losses of one block."""
        scores = classes_last(input)
        parts = partition(scores)
        if target.dtype.kind == "i":
            return self._of_indices(parts, cast(IndexArray, target), weight)
        return Terms(self._spread(parts, classes_last(cast(FloatArray, target)), weight))

    def _of_indices(self, parts: Partition, target: IndexArray, weight: ClassWeight | None) -> Terms:
        classes = parts.gap.shape[-1]
        position, ignored = class_positions("target", target, classes, self.ignore_index)
        factor = np.where(ignored, 0.0, 1.0 if weight is None else weight[position])
        value = distance(pick(parts.gap, position), parts.tail)
        value = value if weight is None else value * factor
        if self.label_smoothing:
            evenly = distance_sum(parts, Double(np.ones(classes) if weight is None else weight))
            value = value.shared(self._kept) + evenly * (Double(np.asarray(self.label_smoothing)) / classes)
        # A row that is left out may hold anything, NaN included.
        return Terms(np.where(ignored, 0.0, value.value), factor, ignored)

    def _spread(self, parts: Partition, target: FloatArray, weight: ClassWeight | None) -> FloatArray:
        """The loss of rows whose target is spread over the classes."""
        share = Double(target)
        if self.label_smoothing:
            evenly = Double(np.asarray(self.label_smoothing)) / target.shape[-1]
            share = share * self._kept + evenly
        return distance_sum(parts, share if weight is None else share * weight).value

    @property
    def _kept(self) -> Double:
        """The share of the target that is not spread."""
        return Double(np.asarray(1.0)) + -self.label_smoothing


@loss("nll", torch="NLLLoss", functional="nll_loss")
class NLL(Multiclass):
    """Negative log-likelihood of log-probabilities over C classes.

    `input` holds log-probabilities (N, C) or (N, C, d1, ...), with the classes on axis 1, or (C,) for
    one sample; that they are log-probabilities is not checked. `target` holds class indices of that
    shape without the class axis, `weight` has shape (C,). The mean divides by the sum of the weights of
    the targets that are not ignored.

    Raises ShapeError for shapes that do not fit, ClassIndexError for a class outside [0, C) and
    DomainError for a negative weight.

    Unlike PyTorch it takes class indices of any dtype as long as they are whole, and refuses negative
    weights.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.NLLLoss.html

    >>> NLL()([[-0.4, -1.4, -2.4], [-3.2, -2.2, -0.2]], [0, 2], reduction="none")
    array([0.4, 0.2])
    """

    formula = "-w[y]·x[y]"

    ignore_index: IgnoreIndex = -100

    def terms(
        self, input: ClassLogProbabilities, target: ClassIndices, weight: ClassWeight | None = None
    ) -> Terms:
        """The losses of one block."""
        scores = classes_last(input)
        position, ignored = class_positions("target", target, scores.shape[-1], self.ignore_index)
        factor = np.where(ignored, 0.0, 1.0 if weight is None else weight[position])
        return Terms(np.where(ignored, 0.0, -factor * pick(scores, position)), factor, ignored)


def pick(scores: FloatArray, position: IndexArray) -> FloatArray:
    """The score of one class from each row; a row is the last axis."""
    rows = scores.reshape(-1, scores.shape[-1])
    return rows[np.arange(len(rows)), position.reshape(-1)].reshape(position.shape)


def distance_sum(parts: Partition, share: Double) -> Double:
    """Σ share_c · (log Σ exp(x) - x_c); a class without a share does not count, however improbable."""
    return Double(parts.gap).shared(share).sum() + share.sum() * Double(parts.tail)
