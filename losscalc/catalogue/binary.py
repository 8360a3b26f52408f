"""Losses of independent yes-or-no questions, one for each element."""

import math
from collections.abc import Mapping
from typing import Annotated, ClassVar

import numpy as np

from losscalc.catalogue.base import Loss, Quantities, loss
from losscalc.core.array import FloatArray, Shape
from losscalc.core.conventions import Convention, agreeing, clipped, kept_inside
from losscalc.core.declaration import Doc
from losscalc.core.domains import FINITE_NOT_NEGATIVE, UNIT, Choice, Either, Interval
from losscalc.core.reductions import Slope, Terms
from losscalc.core.roles import Labels, LogitLabels, Logits, PosWeight, Probabilities, Weight
from losscalc.core.shapes import Layout, check_not_enlarged, elementwise_layout, rowwise_layout
from losscalc.core.stable import cross_entropy, mean, odds, where, xmul

# PyTorch's lower bound of x·(1 - x), as a float32.
_LEAST_VARIANCE = float(np.float32(1e-12))

# The logit of 1 - 1e-7, beyond which Keras clips probabilities.
_UTMOST = math.log(1e7 - 1)


class Binary(Loss):
    """The base of this family: equal shapes, and weights that broadcast to them."""

    divisor = "the number of elements; weights are left out"

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        return elementwise_layout(shapes, weights=("weight", "pos_weight"), broadcast=broadcast)


@loss("bce", torch="BCELoss", functional="binary_cross_entropy")
class BCE(Binary):
    """Binary cross-entropy of probabilities.

    `input` (probabilities) and `target` (labels) have any shape, the same for both, and values in
    [0, 1]; `weight` broadcasts to it from the last axis. Each logarithm is clamped at -100 before it is
    multiplied. The mean divides by the number of elements; weights do not enter the divisor.

    Raises ShapeError for shapes that do not fit and DomainError for a value outside [0, 1] or NaN.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.BCELoss.html

    >>> BCE()([0.9, 0.2, 0.5], [1, 0, 1])
    np.float64(0.340550416)
    """

    unlike = "accepts labels of any dtype"
    ambiguous: ClassVar[Mapping[str, str]] = {"binary_crossentropy": "bce-logits"}
    uses = ("binary", "several labels", "multi-label", "probabilities", "GAN", "reconstruction")
    range = Interval(0.0, 100.0)
    is_likelihood = True
    relatives = {"logits": "bce-logits"}
    close = ("log-loss",)
    conventions = (
        Convention(
            "keras",
            "clips probabilities to [1e-7, 1 - 1e-7]",
            "keras.losses.binary_crossentropy, 3.15.1",
            changes={"input": clipped(1e-7, 1 - 1e-7)},
            takes=("input",),
        ),
        Convention(
            "sklearn",
            "clips probabilities to [ε, 1 - ε], ε = 2.2e-16, of float32 1.2e-7, and divides the sum of "
            "weighted losses by that of the weights",
            "sklearn.metrics.log_loss, 1.9.1",
            changes={"input": kept_inside},
            mean="weights",
        ),
    )
    contrast = {"input": [0.0, 0.2, 1.0], "target": [1, 0, 1]}
    example = {"input": [0.9, 0.2, 0.5], "target": [1, 0, 1]}

    formula = "-w·[y·max(ln x, -100) + (1-y)·max(ln(1-x), -100)]"
    derivative = "w·(x - y) / (x·(1-x))"

    def terms(self, input: Probabilities, target: Labels, weight: Weight | None = None) -> Terms:
        # ln(1-x) as log1p(-x): 1-x would lose the digits of a small x before the logarithm is taken.
        yes = np.maximum(np.log(input), -100.0)
        no = np.maximum(np.log1p(-input), -100.0)
        value = -(target * yes + (1.0 - target) * no)
        return Terms(value if weight is None else weight * value)

    def gradient(self, input: Probabilities, target: Labels, weight: Weight | None = None) -> Slope:
        """(x - y) / (x·(1 - x)), of which the divisor is at least 1e-12, as in PyTorch."""
        slope = (input - target) / np.maximum(input * (1.0 - input), _LEAST_VARIANCE)
        return Slope(slope if weight is None else weight * slope)


@loss("bce-logits", torch="BCEWithLogitsLoss", functional="binary_cross_entropy_with_logits")
class BCEWithLogits(Binary):
    """Binary cross-entropy of logits.

    `input` (logits) and `target` (labels) have any shape, the same for both; `weight` and `pos_weight`
    broadcast to it from the last axis, so that (C,) holds one number per column and (N, 1) one per row. A
    `pos_weight` of negatives/positives counts each positive as often as there are negatives for it. The
    mean divides by the number of elements; weights do not enter the divisor.

    Raises ShapeError for shapes that do not fit and DomainError for a negative `pos_weight`; labels
    outside [0, 1] are computed with a warning.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html

    >>> BCEWithLogits()([2.0, -1.0, 0.0], [1, 0, 1], pos_weight=3.0, reduction="none")
    array([0.38078403, 0.31326169, 2.07944154])
    """

    unlike = (
        "stays accurate for confident correct predictions of either sign, takes the limit at infinite "
        "logits where PyTorch gives NaN, accepts labels of any dtype and refuses a negative `pos_weight`"
    )
    aliases = ("sigmoid_cross_entropy", "sigmoid_cross_entropy_with_logits", "sigmoid_binary_cross_entropy")
    uses = ("binary", "several labels", "multi-label", "segmentation", "GAN", "ordinal")
    is_likelihood = True
    relatives = {"probabilities": "bce"}
    close = ("bce", "soft-margin")
    conventions = agreeing(
        keras="keras.losses.BinaryCrossentropy(from_logits=True), 3.15.1",
        optax="optax.losses.sigmoid_binary_cross_entropy, 0.2.8",
        smp="segmentation_models_pytorch.losses.SoftBCEWithLogitsLoss, 0.6.0",
    )
    example = {"input": [2.0, -1.0, 0.0], "target": [1, 0, 1], "pos_weight": 3.0, "reduction": "none"}

    formula = "-w·[p·y·ln σ(x) + (1-y)·ln(1-σ(x))]"
    derivative = "w·[(1-y)·σ(x) - p·y·(1-σ(x))]"

    def terms(
        self,
        input: Logits,
        target: LogitLabels,
        weight: Weight | None = None,
        pos_weight: PosWeight | None = None,
    ) -> Terms:
        return Terms(_weighted_cross_entropy(input, target, weight, pos_weight))

    def gradient(
        self,
        input: Logits,
        target: LogitLabels,
        weight: Weight | None = None,
        pos_weight: PosWeight | None = None,
    ) -> Slope:
        """(1-y)·σ(x) - p·y·σ(-x), which is σ(x) - y without `pos_weight`."""
        slope = _cross_entropy_slope(input, target if pos_weight is None else pos_weight * target, target)
        return Slope(slope if weight is None else weight * slope)


@loss("multilabel-soft-margin", torch="MultiLabelSoftMarginLoss", functional="multilabel_soft_margin_loss")
class MultiLabelSoftMargin(Loss):
    """Binary cross-entropy of logits, averaged over the classes of each row.

    `input` holds logits (N, ..., C), or (C,) for one row, and `target` labels of the same shape; the
    classes are on the last axis. `weight` broadcasts to that shape, so that (C,) is one number per class; it
    is never normalised. Each row has one loss, its mean over the C classes. The mean divides by the number
    of rows.

    Raises ShapeError for shapes that do not fit; labels outside [0, 1] are computed with a warning.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiLabelSoftMarginLoss.html

    >>> MultiLabelSoftMargin()([[2.0, -1.0, 0.5], [0.0, 1.0, -3.0]], [[1, 0, 1], [0, 1, 1]], reduction="none")
    array([0.30475556, 1.35166541])
    """

    unlike = "takes the limit at infinite logits where PyTorch gives NaN"
    is_likelihood = True
    uses = ("several labels", "multi-label")
    averages_classes = True
    example = {
        "input": [[2.0, -1.0, 0.5], [0.0, 1.0, -3.0]],
        "target": [[1, 0, 1], [0, 1, 1]],
        "reduction": "none",
    }

    formula = "-1/C·Σ w·[y·ln σ(x) + (1-y)·ln(1-σ(x))]; C classes"
    derivative = "w·(σ(x) - y) / C; C classes"
    divisor = "the number of rows, each of which is a mean over its classes"
    broadcasts = True

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        layout = rowwise_layout(shapes, weights=("weight",), broadcast=broadcast)
        check_not_enlarged(shapes)
        return layout

    def terms(self, input: Logits, target: LogitLabels, weight: Weight | None = None) -> Terms:
        return Terms(mean(_weighted_cross_entropy(input, target, weight)))

    def quantities(self, input: Logits, target: LogitLabels, weight: Weight | None = None) -> Quantities:
        return {"C": np.asarray(float(np.broadcast_shapes(input.shape, target.shape)[-1]))}

    def gradient(self, input: Logits, target: LogitLabels, weight: Weight | None = None) -> Slope:
        """(σ(x) - y) / C."""
        slope = _cross_entropy_slope(input, target, target)
        slope = slope if weight is None else weight * slope
        return Slope(slope / float(slope.shape[-1]))


@loss("sigmoid-focal", torch="sigmoid_focal_loss")
class SigmoidFocal(Binary):
    """Binary cross-entropy of logits that gives easy answers less weight.

    `input` (logits) and `target` (labels) have any shape, the same for both. With p the probability given
    to the right answer, the cross-entropy is multiplied by (1-p)^gamma, and by `alpha` for positives and
    1-alpha for negatives; an `alpha` of -1 leaves that factor out. The mean divides by the number of
    elements, not of positives.

    Raises ShapeError for shapes that differ and ParameterError for an `alpha` that is neither in [0, 1] nor
    -1, or a negative `gamma`; labels outside [0, 1] are computed with a warning.

    Source: https://docs.pytorch.org/vision/stable/generated/torchvision.ops.sigmoid_focal_loss.html

    >>> SigmoidFocal()([2.0, -1.0, 0.0], [1, 0, 1], reduction="none")
    array([0.00045089, 0.01699354, 0.0433217 ])
    """

    unlike = (
        "takes the limit at infinite logits where torchvision gives NaN, averages by default, and refuses "
        "a negative `gamma`"
    )
    aliases = ("binary_focal", "BinaryFocalCrossentropy", "SigmoidFocalCrossEntropy")
    uses = ("binary", "several labels", "multi-label", "imbalanced", "detection", "segmentation")
    close = ("bce-logits",)
    conventions = (
        Convention(
            "keras",
            "has no factor alpha, and clips probabilities to [1e-7, 1 - 1e-7]",
            "keras.losses.binary_focal_crossentropy(..., from_logits=True), 3.15.1",
            {"alpha": -1.0},
            {"input": clipped(-_UTMOST, _UTMOST)},
        ),
        Convention("optax", "has no factor alpha", "optax.losses.sigmoid_focal_loss, 0.2.8", {"alpha": -1.0}),
        Convention(
            "smp",
            "has no factor alpha",
            'segmentation_models_pytorch.losses.FocalLoss("binary"), 0.6.0',
            {"alpha": -1.0},
            is_of_bits=True,
        ),
        Convention(
            "monai",
            "has no factor alpha",
            "monai.losses.FocalLoss(), 1.6.1",
            {"alpha": -1.0},
            is_of_bits=True,
        ),
        *agreeing(torchvision="torchvision.ops.sigmoid_focal_loss, 0.28.0, which reduces nothing by default"),
    )
    example = {"input": [2.0, -1.0, 0.0], "target": [1, 0, 1], "reduction": "none"}

    formula = (
        "a·(1-q)^γ·c, a = α·y + (1-α)·(1-y) if α ≠ -1, q = y·σ(x) + (1-y)·(1-σ(x)), "
        "c = -[y·ln σ(x) + (1-y)·ln(1-σ(x))]"
    )
    divisor = "the number of elements"
    library = "torchvision.ops"
    legacy = False

    alpha: Annotated[
        float, Either((UNIT, Choice((-1,)))), Doc("Factor of positives; negatives have 1 - alpha.")
    ] = 0.25
    gamma: Annotated[float, FINITE_NOT_NEGATIVE, Doc("How strongly easy answers are discounted.")] = 2.0

    def terms(self, input: Logits, target: LogitLabels) -> Terms:
        # y·σ(-x) + (1-y)·σ(x) = m + (1-2m)·σ(-|x|), with m the share of the answer that x argues against: y
        # for x < 0, else 1-y. It needs only the smaller sigmoid, which has all its digits.
        against = where(input < 0, target, 1.0 - target)
        chance = np.exp(-np.abs(input))
        wrong = against + (1.0 - 2.0 * against) * (chance / (1.0 + chance))
        return Terms(self._balance(target) * (wrong**self.gamma * cross_entropy(input, target)))

    def gradient(self, input: Logits, target: LogitLabels) -> Slope:
        """With q = 1-p the probability of the wrong answer and c the cross-entropy, α·q^γ·(γ·c·q'/q + c')."""
        up, down = odds(input)
        both = up + down
        wrong = ((1.0 - target) * up + target * down) / both
        growth = up * down / (both * both) / wrong
        if np.any(wrong == 0):
            growth = np.where(wrong == 0, 1.0, growth)
        slope = self.gamma * xmul(growth * (1.0 - 2.0 * target), cross_entropy(input, target))
        slope = slope + ((1.0 - target) * up - target * down) / both
        return Slope(self._balance(target) * wrong**self.gamma * slope)

    def _balance(self, target: FloatArray) -> FloatArray | float:
        """The factor α·y + (1-α)·(1-y), or 1 for an α of -1."""
        return 1.0 if self.alpha == -1 else self.alpha * target + (1.0 - self.alpha) * (1.0 - target)


def _weighted_cross_entropy(
    input: FloatArray, target: FloatArray, weight: FloatArray | None, pos_weight: FloatArray | None = None
) -> FloatArray:
    """-w·[p·y·ln σ(x) + (1-y)·ln(1-σ(x))]."""
    if pos_weight is None:
        value = cross_entropy(input, target)
        return value if weight is None else xmul(weight, value)
    # The weights are multiplied first: a small one may bring a product with the other back into range.
    positive, negative = pos_weight * target, 1.0 - target
    if weight is not None:
        positive, negative = weight * positive, weight * negative
    return cross_entropy(input, positive, negative)


def _cross_entropy_slope(input: FloatArray, positive: FloatArray, target: FloatArray) -> FloatArray:
    """The derivative of binary cross-entropy; σ(-x), unlike 1 - σ(x), has all its digits."""
    up, down = odds(input)
    return ((1.0 - target) * up - positive * down) / (up + down)
