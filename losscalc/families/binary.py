"""Losses of one yes-or-no question an element."""

from collections.abc import Mapping
from typing import Annotated

import numpy as np

from losscalc.arrays import (
    Labels,
    Layout,
    LogitLabels,
    Logits,
    PosWeight,
    Probabilities,
    Shape,
    SignLabels,
    Values,
    Weight,
    broadcasts_to,
    elementwise_layout,
    show_shape,
)
from losscalc.domains import FINITE
from losscalc.double import Double, product, where
from losscalc.errors import ShapeError
from losscalc.loss import Loss, loss
from losscalc.operation import Doc
from losscalc.reductions import Terms
from losscalc.stable import softplus_tail, softplus_tail_times


class Binary(Loss):
    """What the losses of this family share: equal shapes, and weights that broadcast to them."""

    divisor = "the number of elements; weights never enter it"

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        """`input` and `target` of one shape, to which the weights broadcast."""
        return elementwise_layout(shapes, weights=("weight", "pos_weight"), broadcast=broadcast)


@loss("bce", torch="BCELoss", functional="binary_cross_entropy")
class BCE(Binary):
    """Binary cross-entropy of probabilities.

    `input` (probabilities) and `target` (labels) have any shape, the same for both, and values in
    [0, 1]; `weight` broadcasts to it from the last axis. Each logarithm is clamped at -100 before it is
    multiplied. The mean divides by the number of elements; weights do not enter the divisor.

    Raises ShapeError for shapes that do not fit and DomainError for a value outside [0, 1] or NaN.

    Unlike PyTorch it takes labels of any dtype.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.BCELoss.html

    >>> BCE()([0.9, 0.2, 0.5], [1, 0, 1])
    np.float64(0.340550416)
    """

    formula = "-w·[y·max(ln x, -100) + (1-y)·max(ln(1-x), -100)]"

    def terms(self, input: Probabilities, target: Labels, weight: Weight | None = None) -> Terms:
        """The losses of one block."""
        # ln(1-x) as log1p(-x): 1-x has lost the digits of a small x before the logarithm sees it.
        yes = np.maximum(np.log(input), -100.0)
        no = np.maximum(np.log1p(-input), -100.0)
        if weight is None:
            return Terms(-(target * yes + (1.0 - target) * no))
        rest = Double(np.ones_like(target)) + -target
        return Terms(-((Double(yes) * target + Double(no) * rest) * weight).value)


@loss("bce-logits", torch="BCEWithLogitsLoss", functional="binary_cross_entropy_with_logits")
class BCEWithLogits(Binary):
    """Binary cross-entropy of logits.

    `input` (logits) and `target` (labels) have any shape, the same for both; `weight` and `pos_weight`
    broadcast to it from the last axis, so that (C,) holds one number a column and (N, 1) one a row. A
    `pos_weight` of negatives/positives counts each positive as often as there are negatives for it. The
    mean divides by the number of elements; weights do not enter the divisor.

    Raises ShapeError for shapes that do not fit and DomainError for a negative `pos_weight`; labels
    outside [0, 1] are computed with a warning.

    Unlike PyTorch it keeps its digits for confident right answers of either sign, takes the limit at
    infinite logits where PyTorch gives NaN, takes labels of any dtype and refuses a negative `pos_weight`.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html

    >>> BCEWithLogits()([2.0, -1.0, 0.0], [1, 0, 1], pos_weight=3.0, reduction="none")
    array([0.38078403, 0.31326169, 2.07944154])
    """

    formula = "-w·[p·y·ln σ(x) + (1-y)·ln(1-σ(x))]"

    def terms(
        self,
        input: Logits,
        target: LogitLabels,
        weight: Weight | None = None,
        pos_weight: PosWeight | None = None,
    ) -> Terms:
        """The losses of one block."""
        # -ln σ(x) = tail + max(-x, 0) and -ln(1-σ(x)) = tail + max(x, 0), with tail = log1p(exp(-|x|)):
        # (p·y + 1-y)·tail + |x|·(p·y where x < 0, else 1-y). For y in [0, 1] nothing cancels.
        size = np.abs(input)
        if weight is None and pos_weight is None:
            return Terms(softplus_tail(input) + product(np.where(input < 0, target, 1.0 - target), size))
        one = Double(np.ones_like(target))
        factor = one if weight is None else one * weight
        positive = factor * target * (1.0 if pos_weight is None else pos_weight)
        negative = factor * (one + -target)
        value = Double(size).shared(where(input < 0, positive, negative))
        return Terms((value + softplus_tail_times(input, positive + negative)).value)


class Signed(Loss):
    """What the losses of labels 1 and -1 share: equal shapes, unless broadcasting was asked for."""

    divisor = "the number of elements"
    broadcasts = True

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        """`input` and `target` of one shape, unless broadcasting was asked for."""
        return elementwise_layout(shapes, broadcast=broadcast, may_broadcast=True)


@loss("soft-margin", torch="SoftMarginLoss", functional="soft_margin_loss")
class SoftMargin(Signed):
    """Logistic loss of scores against labels 1 and -1.

    `input` and `target` have any shape, the same for both; labels are 1 or -1. The mean divides by the
    number of elements.

    Raises ShapeError for shapes that differ and DomainError for any other label.

    Unlike PyTorch it does not overflow for scores that are very wrong, and refuses labels other than 1
    and -1.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.SoftMarginLoss.html

    >>> SoftMargin()([2.0, -1.0, -1000.0], [1, -1, 1], reduction="none")
    array([1.26928011e-01, 3.13261688e-01, 1.00000000e+03])
    """

    formula = "ln(1 + exp(-y·x))"

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        """As its family's, but what broadcasts must not enlarge `input`."""
        layout = super().layout(shapes, dtypes, broadcast)
        if not broadcasts_to(shapes["target"], shapes["input"]):
            target, scores = show_shape(shapes["target"]), show_shape(shapes["input"])
            raise ShapeError(
                f"`target` of shape {target} would enlarge `input` of {scores}", argument="target"
            )
        return layout

    def terms(self, input: Values, target: SignLabels) -> Terms:
        """The losses of one block."""
        wrong = -target * input
        # ln(1 + exp(z)) = max(z, 0) + log1p(exp(-|z|)), which never exponentiates a large number.
        return Terms(np.maximum(wrong, 0.0) + softplus_tail(wrong))


@loss("hinge-embedding", torch="HingeEmbeddingLoss", functional="hinge_embedding_loss")
class HingeEmbedding(Signed):
    """Distance of similar pairs, and how far dissimilar ones fall short of a margin.

    `input` holds distances and `target` labels of the same shape: 1 for similar, where the loss is the
    distance itself, and -1 for dissimilar. The mean divides by the number of elements.

    Raises ShapeError for shapes that differ, DomainError for any other label and ParameterError for a
    `margin` that is not finite.

    Unlike PyTorch it refuses labels other than 1 and -1.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.HingeEmbeddingLoss.html

    >>> HingeEmbedding()([0.5, 0.5, 2.0], [1, -1, -1], reduction="none")
    array([0.5, 0.5, 0. ])
    """

    formula = "x if y = 1, max(0, m - x) if y = -1"

    margin: Annotated[float, FINITE, Doc("The distance from which dissimilar pairs cost nothing.")] = 1.0

    def terms(self, input: Values, target: SignLabels) -> Terms:
        """The losses of one block."""
        return Terms(np.where(target == 1, input, np.maximum(self.margin - input, 0.0)))
