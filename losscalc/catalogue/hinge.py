"""Losses of scores against labels 1 and -1."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

import numpy as np

from losscalc.catalogue.base import Loss, Quantities, loss
from losscalc.core.array import FloatArray, Shape
from losscalc.core.conventions import SQUASHED, Convention, agreeing, beyond_unit
from losscalc.core.declaration import Doc
from losscalc.core.domains import FINITE, SIGNS, Choice
from losscalc.core.reductions import Slope, Terms
from losscalc.core.roles import Distances, Role, SignLabels, Values
from losscalc.core.shapes import Layout, check_not_enlarged, elementwise_layout
from losscalc.core.stable import sigmoid, softplus, step, where

EitherLabels = Annotated[
    FloatArray,
    Role(
        "Labels 1 and -1, or 1 and 0, of the shape of the input.",
        "signs",
        Choice((-1, 0, 1)),
        advised=SIGNS,
        beyond="a label of 0 counts as -1, as in Keras",
    ),
]


def _squashed(source: str) -> Convention:
    """The convention of torchmetrics."""
    return Convention(
        "torchmetrics",
        "applies a sigmoid to the scores if any of them is outside [0, 1]",
        f"torchmetrics.functional.classification.binary_hinge_loss{source}, 1.9.0",
        changes={"input": SQUASHED},
        when=beyond_unit,
        whole=True,
    )


class Signed(Loss):
    """The base of losses of labels 1 and -1: equal shapes, unless broadcasting is asked for."""

    divisor = "the number of elements"
    broadcasts = True

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        return elementwise_layout(shapes, broadcast=broadcast)


@loss("soft-margin", torch="SoftMarginLoss", functional="soft_margin_loss")
class SoftMargin(Signed):
    """Logistic loss of scores against labels 1 and -1.

    `input` and `target` have any shape, the same for both; labels are 1 or -1. The mean divides by the
    number of elements.

    Raises ShapeError for shapes that differ and DomainError for any other label.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.SoftMarginLoss.html

    >>> SoftMargin()([2.0, -1.0, -1000.0], [1, -1, 1], reduction="none")
    array([1.26928011e-01, 3.13261688e-01, 1.00000000e+03])
    """

    unlike = "does not overflow for scores that are very wrong, and refuses labels other than 1 and -1"
    ambiguous: ClassVar[Mapping[str, str]] = {"logistic": "bce-logits"}
    uses = ("binary",)
    close = ("hinge-embedding", "bce-logits")
    example = {"input": [2.0, -1.0, -1000.0], "target": [1, -1, 1], "reduction": "none"}

    formula = "ln(1 + exp(-y·x))"
    derivative = "-y·σ(-y·x)"

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        """PyTorch lets `target` broadcast here, but not `input`."""
        layout = super().layout(shapes, dtypes, broadcast)
        check_not_enlarged(shapes)
        return layout

    def terms(self, input: Values, target: SignLabels) -> Terms:
        return Terms(softplus(-target * input))

    def gradient(self, input: Values, target: SignLabels) -> Slope:
        """-y·σ(-y·x)."""
        return Slope(-target * sigmoid(-target * input))


@loss("hinge-embedding", torch="HingeEmbeddingLoss", functional="hinge_embedding_loss")
class HingeEmbedding(Signed):
    """Distance of similar pairs, and how far dissimilar ones fall short of a margin.

    `input` holds distances and `target` labels of the same shape: 1 for similar, where the loss is the
    distance itself, and -1 for dissimilar. The mean divides by the number of elements.

    Raises ShapeError for shapes that differ, DomainError for any other label and ParameterError for a
    `margin` that is not finite.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.HingeEmbeddingLoss.html

    >>> HingeEmbedding()([0.5, 0.5, 2.0], [1, -1, -1], reduction="none")
    array([0.5, 0.5, 0. ])
    """

    unlike = "refuses labels other than 1 and -1, and has a gradient of NaN, not 0, where the input is NaN"
    uses = ("metric learning", "similarity")
    close = ("soft-margin",)
    example = {"input": [0.5, 0.5, 2.0], "target": [1, -1, -1], "reduction": "none"}

    formula = "x if y = 1, max(0, m - x) if y = -1"
    derivative = "1 if y = 1, -1 if x ≤ m, else 0"

    margin: Annotated[float, FINITE, Doc("The distance from which dissimilar pairs cost nothing.")] = 1.0

    def terms(self, input: Distances, target: SignLabels) -> Terms:
        return Terms(where(target == 1, input, np.maximum(self.margin - input, 0.0)))

    def unchecked(self, input: FloatArray, target: FloatArray) -> FloatArray:
        """PyTorch adds the term of similar pairs unless y is -1, and the other one unless y is 1."""
        short = np.maximum(self.margin - input, 0.0)
        return np.where(target == -1, 0.0, input) + np.where(target == 1, 0.0, short)

    def gradient(self, input: Distances, target: SignLabels) -> Slope:
        """1 for similar pairs, -1 for dissimilar ones up to the margin itself."""
        return Slope(where(target == 1, 1.0, -step(self.margin - input, 1.0)))


class Hinged(Signed):
    """The base of the losses of max(0, margin - y·x)."""

    legacy = False

    margin: Annotated[float, FINITE, Doc("How far on its side of 0 a score has to be to cost nothing.")] = 1.0

    def quantities(self, input: Values, target: EitherLabels) -> Quantities:
        """The labels 1 and -1."""
        return {"y": _signs(target)[..., np.newaxis]}

    def _short(self, input: FloatArray, signs: FloatArray) -> FloatArray:
        """How far scores fall short of the margin."""
        return np.maximum(self.margin - signs * input, 0.0)


@loss("hinge")
class Hinge(Hinged):
    """How far a score falls short of a margin on the right side of 0, as in support vector machines.

    `input` holds scores and `target` labels of the same shape: 1 or -1. A label of 0 counts as -1, as in
    Keras, with a warning. The mean divides by the number of elements. The discriminator of a GAN has the mean
    of real scores with the label 1, plus that of fake ones with -1. Scores are taken as they are, where
    torchmetrics puts a sigmoid before them if any is outside [0, 1].

    Raises ShapeError for shapes that differ, DomainError for any other label and ParameterError for a
    `margin` that is not finite.

    Source: https://scikit-learn.org/stable/modules/generated/sklearn.metrics.hinge_loss.html

    >>> Hinge()([0.5, -2.0, -0.3], [1, -1, 1], reduction="none")
    array([0.5, 0. , 1.3])
    """

    aliases = ("binary_hinge", "svm")
    ambiguous: ClassVar[Mapping[str, str]] = {"HingeLoss": "hinge-embedding"}
    uses = ("binary", "support vector machine", "GAN")
    close = ("squared-hinge", "hinge-embedding", "soft-margin")
    conventions = (
        _squashed(""),
        *agreeing(
            keras="keras.losses.hinge, 3.15.1",
            sklearn="sklearn.metrics.hinge_loss, 1.9.1",
            optax="optax.losses.hinge_loss, 0.2.8",
        ),
    )
    example = {"input": [0.5, -2.0, -0.3], "target": [1, -1, 1], "reduction": "none"}

    formula = "max(0, m - y·x)"
    derivative = "-y if y·x < m, else 0"

    def terms(self, input: Values, target: EitherLabels) -> Terms:
        return Terms(self._short(input, _signs(target)))

    def unchecked(self, input: FloatArray, target: FloatArray) -> FloatArray:
        """Labels as they are: 0 leaves the margin."""
        return self._short(input, target)

    def gradient(self, input: Values, target: EitherLabels) -> Slope:
        """-y where the margin is missed, else 0."""
        signs = _signs(target)
        return Slope(-signs * np.sign(self._short(input, signs)))


@loss("squared-hinge")
class SquaredHinge(Hinged):
    """Square of how far a score falls short of a margin on the right side of 0.

    `input` holds scores and `target` labels of the same shape: 1 or -1. A label of 0 counts as -1, as in
    Keras, with a warning. The mean divides by the number of elements.

    Raises ShapeError for shapes that differ, DomainError for any other label and ParameterError for a
    `margin` that is not finite.

    Source: https://keras.io/api/losses/hinge_losses/#squaredhinge-class

    >>> SquaredHinge()([0.5, -2.0, -0.3], [1, -1, 1], reduction="none")
    array([0.25, 0.  , 1.69])
    """

    aliases = ("l2_svm", "l2_hinge")
    uses = ("binary", "support vector machine")
    close = ("hinge", "mse")
    conventions = (
        _squashed("(..., squared=True)"),
        *agreeing(keras="keras.losses.squared_hinge, 3.15.1"),
    )
    example = {"input": [0.5, -2.0, -0.3], "target": [1, -1, 1], "reduction": "none"}

    formula = "max(0, m - y·x)²"
    derivative = "-2·y·max(0, m - y·x)"

    def terms(self, input: Values, target: EitherLabels) -> Terms:
        return Terms(np.square(self._short(input, _signs(target))))

    def unchecked(self, input: FloatArray, target: FloatArray) -> FloatArray:
        """Labels as they are: 0 leaves the square of the margin."""
        return np.square(self._short(input, target))

    def gradient(self, input: Values, target: EitherLabels) -> Slope:
        """-2·y·max(0, m - y·x)."""
        signs = _signs(target)
        return Slope(-2.0 * signs * self._short(input, signs))


def _signs(target: FloatArray) -> FloatArray:
    """Labels 1 and -1, of which the latter may be written as 0."""
    return np.where(target == 0, -1.0, target)
