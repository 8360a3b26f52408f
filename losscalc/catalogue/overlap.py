"""Losses of the overlap of two masks, for segmentation."""

from collections.abc import Mapping
from typing import Annotated

import numpy as np

from losscalc.catalogue import smoothing
from losscalc.catalogue.base import loss
from losscalc.catalogue.masks import Chances, Overlap
from losscalc.core.array import FloatArray, Shape
from losscalc.core.declaration import Doc
from losscalc.core.domains import FINITE_NOT_NEGATIVE, FINITE_POSITIVE
from losscalc.core.shapes import Layout
from losscalc.errors import ParameterError


@loss("dice")
class Dice(Overlap):
    """Soft Dice loss, 1 minus the F1 score of probabilities: how far two masks differ.

    `input` holds probabilities, or logits with an `activation`, and `target` labels in [0, 1], one-hot for
    classes, of the same shape. All elements make one loss, unless `dim` says along which axes to sum:
    2,3 gives one for each picture and class of (N, C, H, W), 0,2,3 one for each class of the batch. The mean
    divides by the number of losses. Two empty masks cost nothing, unless `smooth_nr` is less than
    `smooth_dr`. Libraries differ in what they add: Keras 0 and 1e-7, segmentation-models 2·smooth twice.

    Raises ShapeError for shapes or axes that do not fit and DomainError for a value outside [0, 1].

    Source: https://docs.monai.io/en/stable/losses.html#diceloss

    >>> Dice()([0.9, 0.2, 0.5, 0.1], [1, 0, 1, 1])
    np.float64(0.361701358)
    """

    aliases = ("soft_dice", "binary_dice", "f1", "v_net")
    close = ("jaccard", "tversky", "bce")
    conventions = smoothing.DICE
    example = {"input": [0.9, 0.2, 0.5, 0.1], "target": [1, 0, 1, 1]}

    formula = (
        "1 - (2·Σ p·y + smooth_nr) / (P + T + smooth_dr), "
        "P = Σ p² if squared, else Σ p, T = Σ y² if squared, else Σ y; p the probability"
    )

    squared: Annotated[bool, Doc("Whether the sizes of the masks are the sums of their squares.")] = False

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        if self.squared and self.fuzzy:
            raise ParameterError("there is no `fuzzy` overlap with `squared` sizes", argument="fuzzy")
        return super().layout(shapes, dtypes, broadcast)

    @property
    def _share(self) -> float:
        return 2.0

    def _lack(self, chances: Chances, target: FloatArray) -> FloatArray:
        # P + T - 2·I, as the sum of what is not negative.
        if not self.squared:
            return np.add(*self._wrong(chances, target))
        difference = np.where(target == 1, -chances.rest, chances.p - target)
        return difference * difference

    def _lack_slope(self, chances: Chances, target: FloatArray) -> FloatArray:
        if not self.squared:
            return np.add(*self._wrong_slopes(chances, target))
        return 2.0 * np.where(target == 1, -chances.rest, chances.p - target)


@loss("jaccard")
class Jaccard(Overlap):
    """Soft Jaccard loss, 1 minus the intersection over union of two masks.

    `input` holds probabilities, or logits with an `activation`, and `target` labels in [0, 1], one-hot for
    classes, of the same shape. All elements make one loss, unless `dim` says along which axes to sum:
    2,3 gives one for each picture and class of (N, C, H, W), 0,2,3 one for each class of the batch. The mean
    divides by the number of losses. Two empty masks cost nothing, unless `smooth_nr` is less than
    `smooth_dr`. MONAI doubles both sums, so that its constants count half.

    Raises ShapeError for shapes or axes that do not fit and DomainError for a value outside [0, 1].

    Source: https://smp.readthedocs.io/en/latest/losses.html#jaccardloss

    >>> Jaccard(smooth_nr=1.0, smooth_dr=1.0)([0.9, 0.2, 0.5, 0.1], [1, 0, 1, 1])
    np.float64(0.404761905)
    """

    aliases = ("soft_iou", "soft_jaccard")
    close = ("dice", "tversky", "bce")
    conventions = smoothing.JACCARD
    contrast = {"input": [0.09, 0.02, 0.05, 0.01], "target": [0, 0, 1, 0]}
    example = {
        "input": [0.9, 0.2, 0.5, 0.1], "target": [1, 0, 1, 1], "smooth_nr": 1.0, "smooth_dr": 1.0,
    }  # fmt: skip

    formula = "1 - (I + smooth_nr) / (Σ p + Σ y - I + smooth_dr), I = Σ p·y; p the probability"

    def _lack(self, chances: Chances, target: FloatArray) -> FloatArray:
        return np.add(*self._wrong(chances, target))

    def _lack_slope(self, chances: Chances, target: FloatArray) -> FloatArray:
        return np.add(*self._wrong_slopes(chances, target))


@loss("tversky")
class Tversky(Overlap):
    """Overlap of two masks, with one price for false positives and another for false negatives.

    `input` holds probabilities, or logits with an `activation`, and `target` labels in [0, 1], one-hot for
    classes, of the same shape. `alpha` is the price of false positives and `beta` that of false negatives,
    which Keras has the other way round; with 0.5 each it is the Dice loss, with 1 each the Jaccard loss.
    `gamma` is the exponent of focal Tversky, whose paper writes it as 1/gamma. All elements make one loss,
    unless `dim` says along which axes to sum. The mean divides by the number of losses.

    Raises ShapeError for shapes or axes that do not fit and DomainError for a value outside [0, 1].

    Source: https://docs.monai.io/en/stable/losses.html#tverskyloss

    >>> Tversky(alpha=0.3, beta=0.7)([0.9, 0.2, 0.5, 0.1], [1, 0, 1, 1])
    np.float64(0.425285727)
    """

    aliases = ("focal_tversky",)
    close = ("dice", "jaccard", "bce")
    conventions = smoothing.TVERSKY
    example = {"input": [0.9, 0.2, 0.5, 0.1], "target": [1, 0, 1, 1], "alpha": 0.3, "beta": 0.7}

    formula = (
        "(1 - (I + smooth_nr) / (I + α·(Σ p - I) + β·(Σ y - I) + smooth_dr))^γ, I = Σ p·y; p the probability"
    )

    alpha: Annotated[float, FINITE_NOT_NEGATIVE, Doc("The price of false positives.")] = 0.5
    beta: Annotated[float, FINITE_NOT_NEGATIVE, Doc("The price of false negatives.")] = 0.5
    gamma: Annotated[float, FINITE_POSITIVE, Doc("The exponent of the loss.")] = 1.0

    @property
    def _exponent(self) -> float:
        return self.gamma

    def _lack(self, chances: Chances, target: FloatArray) -> FloatArray:
        wrongly_in, wrongly_out = self._wrong(chances, target)
        return self.alpha * wrongly_in + self.beta * wrongly_out

    def _lack_slope(self, chances: Chances, target: FloatArray) -> FloatArray:
        wrongly_in, wrongly_out = self._wrong_slopes(chances, target)
        return self.alpha * wrongly_in + self.beta * wrongly_out
