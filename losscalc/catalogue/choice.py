"""Further losses of a choice among C classes."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

import numpy as np

from losscalc.catalogue import classwise
from losscalc.catalogue.base import Loss, Quantities, loss
from losscalc.catalogue.classwise import IGNORE_INDEX, Multiclass
from losscalc.catalogue.weighting import BY_SAMPLES, sample_weighted
from losscalc.core.array import FloatArray, IndexArray, Shape
from losscalc.core.conventions import Change, Convention, agreeing, beyond_unit
from losscalc.core.declaration import Doc
from losscalc.core.domains import FINITE, FINITE_NOT_NEGATIVE, Interval
from losscalc.core.reductions import Slope, Terms
from losscalc.core.roles import (
    ClassIndices,
    ClassScores,
    ClassWeight,
    RowIndices,
    Rows,
    class_positions,
    classes_back,
    classes_last,
)
from losscalc.core.scores import softmax, softmax_less_one, surprisal
from losscalc.core.shapes import Layout, classwise_layout
from losscalc.core.stable import number, pick, step, xmul
from losscalc.errors import ShapeError


def _softmax_back(x: FloatArray, slope: FloatArray) -> FloatArray:
    p = softmax(x)
    return np.asarray(p * (slope - (slope * p).sum(axis=-1, keepdims=True)))


_SOFTMAX = Change(softmax, _softmax_back)
"""The softmax of rows."""


@loss("focal")
class Focal(Multiclass):
    """Cross-entropy over C classes that gives easy rows less weight.

    `input` holds logits (N, C) or (N, C, d1, ...), with the classes on axis 1 (or the last, with a
    `class_axis` of -1), or (C,) for one sample. `target` holds class indices of that shape without the class
    axis. `weight` has shape (C,): one factor per class, the alpha of the paper. The mean divides by the
    number of targets that are not ignored; class weights are left out. `sample_weight`, (N,) or of the
    shape of `target`, multiplies each loss and what it adds to the divisor. Probabilities are kept `eps` away
    from 0 and 1.

    Raises ShapeError for shapes that do not fit, ClassIndexError for a class outside [0, C), and DomainError
    for a negative weight.

    Source: https://arxiv.org/abs/1708.02002

    >>> Focal()([[2.0, 1.0, 0.0], [0.0, 1.0, 3.0], [1.0, 1.0, 1.0]], [0, 2, 1], reduction="none")
    array([0.0456778 , 0.00414426, 0.48827213])
    """

    legacy = False
    close = ("cross-entropy",)
    conventions = (
        Convention(
            "keras",
            "multiplies all classes by alpha, 0.25, unless weights take its place, and keeps probabilities "
            "1e-7 away from 0 and 1",
            "keras.losses.CategoricalFocalCrossentropy(from_logits=True), 3.15.1",
            {"eps": 1e-7},
            factor=0.25,
            unless="weight",
            mean="plain",
        ),
        Convention(
            "monai",
            "has a loss for each class, 0 for the wrong ones, so that its mean divides by the number of "
            "classes too",
            "monai.losses.FocalLoss(use_softmax=True, to_onehot_y=True), 1.6.1",
            mean="classes",
        ),
    )
    aliases = ("softmax_focal_loss", "CategoricalFocalCrossentropy", "multiclass_focal")
    ambiguous: ClassVar[Mapping[str, str]] = {"FocalLoss": "sigmoid-focal"}
    uses = ("classification", "one class of several", "imbalanced", "segmentation")
    example = {
        "input": [[2.0, 1.0, 0.0], [0.0, 1.0, 3.0], [1.0, 1.0, 1.0]],
        "target": [0, 2, 1],
        "reduction": "none",
    }

    formula = "-w[y]·(1 - p)^γ·ln p, p = exp(x[y]) / Σ exp(x)"
    steps = classwise.SOFTMAX
    kept: ClassVar[str] = "-w[y]·(1 - p)^γ·ln p, p = min(max(exp(x[y]) / Σ exp(x), ε), 1-ε)"
    divisor = f"the number of targets that are not ignored; class weights are left out; {BY_SAMPLES}"

    gamma: Annotated[float, FINITE_NOT_NEGATIVE, Doc("How strongly easy rows are discounted.")] = 2.0
    ignore_index: Annotated[int, IGNORE_INDEX] = -100
    eps: Annotated[
        float,
        Interval(0.0, 0.5, high_open=True),
        Doc("Distance that probabilities keep from 0 and 1; 1e-7 in Keras."),
    ] = 0.0

    @sample_weighted
    def terms(self, input: ClassScores, target: ClassIndices, weight: ClassWeight | None = None) -> Terms:
        scores = classes_last(input, self._axis)
        target, position = self.places(scores, target)
        surprise = self._kept(surprisal(scores, position))
        # 1 - p as -expm1(ln p), which keeps its digits for a confident right answer.
        value = xmul((-np.expm1(-surprise)) ** self.gamma, surprise)
        value = value if weight is None else xmul(weight[position], value)
        ignored = target == self.ignore_index
        return Terms(np.where(ignored, 0.0, value), None, ignored)

    def quantities(
        self, input: ClassScores, target: ClassIndices, weight: ClassWeight | None = None
    ) -> Quantities:
        """The scores, the score of the class, and its weight."""
        scores = classes_last(input, self._axis)
        _, position = self.places(scores, target)
        return {
            "x": scores,
            "x[y]": pick(scores, position)[..., np.newaxis],
            "w[y]": None if weight is None else weight[position][..., np.newaxis],
        }

    def explained(self, target: FloatArray | IndexArray) -> str:
        """Probabilities that are kept away from 0 and 1 have a formula of their own."""
        return self.kept if self.eps else self.formula

    @sample_weighted
    def gradient(self, input: ClassScores, target: ClassIndices, weight: ClassWeight | None = None) -> Slope:
        """(softmax(x) - y)·((1-p)^γ - γ·p·(1-p)^(γ-1)·ln p), times the weight of the target."""
        scores = classes_last(input, self._axis)
        target, position = self.places(scores, target)
        exact = surprisal(scores, position)
        surprise = self._kept(exact)
        wrong = -np.expm1(-surprise)
        # -ln p / (1-p), which is 1 where p is.
        ratio = np.where(wrong == 0, 1.0, surprise / np.where(wrong == 0, 1.0, wrong))
        factor = wrong**self.gamma * (1.0 + self.gamma * xmul(np.exp(-surprise), ratio))
        factor = factor if weight is None else factor * weight[position]
        slope = xmul(factor[..., np.newaxis], softmax_less_one(scores, position))
        is_flat = (target == self.ignore_index) | (exact < surprise) | (exact > surprise)
        return Slope(classes_back(np.where(is_flat[..., np.newaxis], 0.0, slope), self._axis))

    def _kept(self, surprise: FloatArray) -> FloatArray:
        """-ln p of probabilities that keep their distance from 0 and 1."""
        if not self.eps:
            return surprise
        eps = number(self.eps, surprise)
        kept: FloatArray = np.minimum(np.maximum(surprise, -np.log1p(-eps)), -np.log(eps))
        return kept


@loss("multiclass-hinge")
class MulticlassHinge(Loss):
    """How far the best wrong class comes within a margin of the right one.

    `input` holds scores (N, C), or (C,) for one row, of at least two classes, and `target` class indices
    (N,). With `zero` a score of 0 competes with those of the wrong classes. The mean divides by the number of
    rows.

    Raises ShapeError for shapes that do not fit, ClassIndexError for a class outside [0, C), and
    ParameterError for a `margin` that is not finite.

    Source: https://optax.readthedocs.io/en/latest/api/losses.html#optax.losses.multiclass_hinge_loss

    >>> MulticlassHinge()([[2.0, 1.0, 0.0], [0.0, 1.0, 3.0], [1.0, 1.0, 1.0]], [0, 2, 1], reduction="none")
    array([0., 0., 1.])
    """

    legacy = False
    close = ("multi-margin",)
    conventions = (
        Convention(
            "keras",
            "counts a score of 0 among those of the wrong classes",
            "keras.losses.categorical_hinge, 3.15.1",
            {"zero": True},
        ),
        Convention(
            "torchmetrics",
            "applies a softmax to the scores if any of them is outside [0, 1]",
            "torchmetrics.functional.classification.multiclass_hinge_loss, 1.9.0",
            changes={"input": _SOFTMAX},
            when=beyond_unit,
            whole=True,
        ),
        *agreeing(
            sklearn="sklearn.metrics.hinge_loss, 1.9.1", optax="optax.losses.multiclass_hinge_loss, 0.2.8"
        ),
    )
    contrast = {"input": [[-2.0, 0.5, -3.0], [0.0, 1.0, 3.0]], "target": [1, 2]}
    aliases = ("crammer_singer", "CategoricalHinge")
    uses = ("classification", "one class of several", "support vector machine")
    divisor = "the number of rows"
    example = {
        "input": [[2.0, 1.0, 0.0], [0.0, 1.0, 3.0], [1.0, 1.0, 1.0]],
        "target": [0, 2, 1],
        "reduction": "none",
    }

    formula = "max(0, m + r - x[y]), r = max(0, max x[i]) if zero, else max x[i]; i any class but y"

    margin: Annotated[float, FINITE, Doc("By how much the right class has to lead.")] = 1.0
    zero: Annotated[bool, Doc("Whether a score of 0 competes with those of the wrong classes.")] = False

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        scores = shapes["input"]
        if len(scores) not in (1, 2) or scores[-1] in (0, 1):
            raise ShapeError(
                "`input` must have two classes or more: (N, C), or (C,) for one row",
                found=scores,
                argument="input",
            )
        return classwise_layout(shapes, dtypes, probabilities=False)

    def terms(self, input: Rows, target: RowIndices) -> Terms:
        _, _, lead = self._compared(input, target)
        return Terms(np.maximum(lead + self.margin, 0.0))

    def quantities(self, input: Rows, target: RowIndices) -> Quantities:
        """The score of the right class, and those of the others."""
        position = class_positions("target", target, input.shape[-1]).reshape(input.shape[:-1])
        column = position[..., np.newaxis]
        wrong = np.arange(input.shape[-1]) != column
        return {
            "x[y]": np.take_along_axis(input, column, axis=-1),
            "x[i]": input[wrong].reshape(*input.shape[:-1], input.shape[-1] - 1),
        }

    def gradient(self, input: Rows, target: RowIndices) -> Slope:
        """1 for the best wrong class and -1 for the right one, where the loss is positive."""
        position, best, lead = self._compared(input, target)
        active = step(lead + self.margin, 0.0)[..., np.newaxis]
        classes = np.arange(input.shape[-1])
        is_best = classes == best[..., np.newaxis]
        if self.zero:
            is_best &= input > 0
        signs = is_best * 1.0 - (classes == position[..., np.newaxis])
        return Slope(active * signs)

    def _compared(self, input: FloatArray, target: IndexArray) -> tuple[IndexArray, IndexArray, FloatArray]:
        """The right class, the best wrong one, and by how much that one, or 0, leads."""
        position = class_positions("target", target, input.shape[-1]).reshape(input.shape[:-1])
        is_right = np.arange(input.shape[-1]) == position[..., np.newaxis]
        others = np.where(is_right, number(-np.inf, input), input)
        best = np.asarray(others.argmax(axis=-1))
        rival = pick(others, best)
        if self.zero:
            rival = np.maximum(rival, number(0.0, input))
        return position, best, rival - pick(input, position)
