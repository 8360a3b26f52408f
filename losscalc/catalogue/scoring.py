"""Scores of probabilities against what came about."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, cast

import numpy as np

from losscalc.catalogue.base import Loss, Quantities, loss
from losscalc.core.array import FloatArray, IndexArray, Shape, row_size
from losscalc.core.conventions import NORMALIZED, Convention, agreeing, kept_inside
from losscalc.core.declaration import Doc
from losscalc.core.domains import UNIT, Interval
from losscalc.core.reductions import Slope, Terms
from losscalc.core.roles import Role, class_positions
from losscalc.core.shapes import Layout, elementwise_layout, fits, unequal_shapes
from losscalc.core.stable import number, pick, total

Forecast = Annotated[
    FloatArray,
    Role(
        "Probabilities of any shape, or (N, C) with rows that sum to 1.",
        "probabilities",
        UNIT,
        hint="for logits use bce-logits, or cross-entropy where the target is one class a row",
    ),
]
Outcome = Annotated[
    FloatArray | IndexArray,
    Role("Labels in [0, 1] of the shape of the input, or class indices (N,).", "classes", UNIT),
]
OutcomeWeight = Annotated[
    FloatArray, Role("Factor of each loss: of the shape of the target.", "full-weights")
]


class Scoring(Loss):
    """What the losses of this family share: questions of yes or no, or a choice among classes a row."""

    divisor = "the number of elements, or of rows with class indices; with weight, the sum of the weights"
    legacy = False
    weighted_mean = True
    choice: ClassVar[str]
    """The formula for a choice among classes."""

    def explained(self, target: FloatArray | IndexArray) -> str:
        """A choice among classes has a formula of its own."""
        return self.choice if target.dtype.kind == "i" else self.formula

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        """Arrays of one shape, or probabilities (N, C) with a class a row."""
        scores, target = shapes["input"], shapes["target"]
        is_choice = len(scores) == 2 and scores[1] not in (0, 1) and fits(target, scores[:1])
        if not is_choice:
            return elementwise_layout(shapes, full=("weight",), broadcast=broadcast)
        if "weight" in shapes and not fits(shapes["weight"], target):
            raise unequal_shapes(shapes, "weight", "target")
        return Layout(frozenset(shapes), row_size(scores), frozenset({"target"}))


@loss("log-loss")
class LogLoss(Scoring):
    """Cross-entropy of probabilities: of labels, or of one class per row.

    `input` (probabilities) and `target` (labels in [0, 1]) have any shape, the same for both, and each
    element is a question of its own; or `input` is (N, C), with rows that sum to 1, and `target` holds class
    indices (N,). `weight` has the shape of `target`. Probabilities are kept `eps` away from 0 and 1. The mean
    divides by the number of losses, with `weight` by the sum of the weights; none and sum are those of the
    weighted losses.

    Raises ShapeError for shapes that do not fit, DomainError for a value outside [0, 1] or NaN, and
    ClassIndexError for a class outside [0, C).

    Source: https://scikit-learn.org/stable/modules/generated/sklearn.metrics.log_loss.html

    >>> LogLoss()([[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]], [0, 2])
    np.float64(0.356674944)
    """

    is_likelihood = True
    aliases = ("logarithmic",)
    ambiguous: ClassVar[Mapping[str, str]] = {
        "log_loss": "bce-logits",
        "categorical_crossentropy": "cross-entropy",
        "sparse_categorical_crossentropy": "cross-entropy",
    }
    uses = ("probabilities", "binary", "one class of several")
    relatives = {"logits": "cross-entropy", "log-probabilities": "nll"}
    close = ("bce", "brier")
    conventions = (
        Convention(
            "keras",
            "keeps probabilities 1e-7 away from 0 and 1, divides rows of classes by their sum before that, "
            "and the sum of weighted losses by their number",
            "keras.losses.BinaryCrossentropy, SparseCategoricalCrossentropy, CategoricalCrossentropy, 3.15.1",
            {"eps": 1e-7},
            {"input": NORMALIZED},
            when=lambda arrays: arrays["target"].dtype.kind == "i",
            mean="plain",
        ),
        Convention(
            "sklearn",
            "keeps probabilities of float32 1.2e-7 away from 0 and 1",
            "sklearn.metrics.log_loss, 1.9.1",
            changes={"input": kept_inside},
        ),
    )
    contrast = {"input": [[0.5, 0.89, 0.6], [0.0, 0.0, 1.0]], "target": [1, 0], "dtype": "float32"}
    example = {"input": [[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]], "target": [0, 2]}

    formula = "-w·[y·ln p + (1-y)·ln(1-p)], p = min(max(x, ε), 1-ε)"
    choice = "-w·ln min(max(x[y], ε), 1-ε)"

    eps: Annotated[
        float,
        Interval(0.0, 0.5, low_open=True, high_open=True),
        Doc("Distance that probabilities keep from 0 and 1; 1e-7 in Keras."),
    ] = 2.0**-52

    def terms(self, input: Forecast, target: Outcome, weight: OutcomeWeight | None = None) -> Terms:
        if target.dtype.kind == "i":
            picked = self._picked(input, cast(IndexArray, target))
            value = -self._kept(np.log(picked))
        else:
            # ln(1-x) as log1p(-x): 1-x has lost the digits of a small x before the logarithm sees it.
            value = -(target * self._kept(np.log(input)) + (1.0 - target) * self._kept(np.log1p(-input)))
        return Terms(value) if weight is None else Terms(weight * value, weight)

    def gradient(self, input: Forecast, target: Outcome, weight: OutcomeWeight | None = None) -> Slope:
        """(x - y) / (x·(1 - x)), or -1/x[y] at the class; 0 where `eps` holds."""
        if target.dtype.kind == "i":
            position = cast(IndexArray, target)[:, np.newaxis]
            slope = np.zeros(input.shape)
            np.put_along_axis(slope, position, -1.0 / self._picked(input, position[:, 0])[:, np.newaxis], -1)
            factor = None if weight is None else weight[:, np.newaxis]
        else:
            slope, factor = (input - target) / (input * (1.0 - input)), weight
        slope = np.where((input < self.eps) | (1.0 - input < self.eps), 0.0, slope)
        return Slope(slope if factor is None else factor * slope)

    def quantities(self, input: Forecast, target: Outcome, weight: OutcomeWeight | None = None) -> Quantities:
        """The probability of the class."""
        if target.dtype.kind != "i":
            return {}
        return {"x[y]": self._picked(input, cast(IndexArray, target))[:, np.newaxis]}

    def _picked(self, input: FloatArray, target: IndexArray) -> FloatArray:
        """The probability of the class of each row."""
        return pick(input, class_positions("target", target, input.shape[-1]))

    def _kept(self, logarithm: FloatArray) -> FloatArray:
        """The logarithm of a probability that keeps its distance from 0 and 1.

        Bounding the logarithm instead of the probability spares the rounding of 1 - eps.
        """
        eps = number(self.eps, logarithm)
        return np.minimum(np.maximum(logarithm, np.log(eps)), np.log1p(-eps))


@loss("brier")
class Brier(Scoring):
    """Brier score: squared error of probabilities, of labels, or of one class per row.

    `input` (probabilities) and `target` (labels in [0, 1]) have any shape, the same for both, and each
    element is a question of its own, with a score from 0 to 1; or `input` is (N, C), with rows that sum to 1,
    and `target` holds class indices (N,): a row has the sum over its classes, from 0 to 2, of which
    `scale_by_half` takes half. `weight` has the shape of `target`. The mean divides by the number of losses,
    with `weight` by the sum of the weights; none and sum are those of the weighted losses.

    Raises ShapeError for shapes that do not fit, DomainError for a value outside [0, 1] or NaN, and
    ClassIndexError for a class outside [0, C).

    Source: https://scikit-learn.org/stable/modules/generated/sklearn.metrics.brier_score_loss.html

    >>> Brier()([[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]], [0, 2], reduction="none")
    array([0.14, 0.14])
    """

    aliases = ("brier_score", "quadratic_score")
    conventions = agreeing(sklearn="sklearn.metrics.brier_score_loss, 1.9.1")
    uses = ("probabilities", "binary", "one class of several", "calibration")
    close = ("log-loss", "mse")
    range = Interval(0.0, 2.0)
    example = {"input": [[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]], "target": [0, 2], "reduction": "none"}

    formula = "w·(x - y)²"
    choice = "w·h·Σ (x - t)², h = ½ if scale_by_half, else 1; t 1 for the class, else 0"

    scale_by_half: Annotated[
        bool, Doc("Whether to halve the sum over classes; the score of a label is from 0 to 1 anyway.")
    ] = False

    def terms(self, input: Forecast, target: Outcome, weight: OutcomeWeight | None = None) -> Terms:
        gap = self._gap(input, target)
        value = gap * gap
        if target.dtype.kind == "i":
            value = total(value) * self._factor
        return Terms(value) if weight is None else Terms(weight * value, weight)

    def gradient(self, input: Forecast, target: Outcome, weight: OutcomeWeight | None = None) -> Slope:
        """Twice the difference, of a class from 1 and of all others from 0."""
        slope, is_choice = 2.0 * self._gap(input, target), target.dtype.kind == "i"
        if is_choice:
            slope = slope * self._factor
        if weight is not None:
            slope = slope * (weight[:, np.newaxis] if is_choice else weight)
        return Slope(slope)

    def quantities(self, input: Forecast, target: Outcome, weight: OutcomeWeight | None = None) -> Quantities:
        """What the probabilities should have been."""
        return {"t": input - self._gap(input, target)} if target.dtype.kind == "i" else {}

    @property
    def _factor(self) -> float:
        return 0.5 if self.scale_by_half else 1.0

    def _gap(self, input: FloatArray, target: FloatArray | IndexArray) -> FloatArray:
        """The difference of each probability from what came about."""
        if target.dtype.kind != "i":
            return input - target
        gap = input.copy()
        rows = np.arange(len(gap))
        gap[rows, class_positions("target", cast(IndexArray, target), input.shape[-1])] -= 1.0
        return gap
