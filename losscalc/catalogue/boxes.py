"""Losses of pairs of boxes x1, y1, x2, y2, which are the larger the less the boxes overlap."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

import numpy as np

from losscalc.catalogue.base import Loss, Quantities, loss
from losscalc.catalogue.geometry import Pair, area, area_slope, square
from losscalc.core.array import FloatArray, IndexArray, Shape, show_shape
from losscalc.core.conventions import agreeing
from losscalc.core.declaration import Doc
from losscalc.core.domains import FINITE_NOT_NEGATIVE, NOT_NEGATIVE, Interval, Names
from losscalc.core.reductions import Slope, Terms
from losscalc.core.roles import Boxes
from losscalc.core.shapes import Layout, rowwise_layout
from losscalc.core.stable import number, pi
from losscalc.errors import ShapeError

# A divisor that makes 0/0 a 0.
_LEAST = 2.0**-1000


class Detection(Loss):
    """The base of this family: pairs of boxes, and 1 - IoU for each."""

    divisor = "the number of pairs"
    library = "torchvision.ops"
    uses = ("boxes", "object detection")
    broadcasts = True
    legacy = False
    unlike = (
        "averages by default, gives NaN for the mean of no boxes, and stays accurate for boxes that are "
        "nearly equal"
    )
    range = Interval(0.0, 2.0)
    example = {"input": [[0.0, 0.0, 2.0, 2.0]], "target": [[1.0, 1.0, 3.0, 3.0]]}

    eps: Annotated[float, FINITE_NOT_NEGATIVE, Doc("Added to each divisor.")] = 1e-7

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        for name in ("input", "target"):
            if shapes[name][-1:] != (4,):
                raise ShapeError(
                    f"`{name}` has shape {show_shape(shapes[name])}; boxes are rows of 4 numbers, "
                    "(N, 4), or (4,) for one",
                    argument=name,
                )
        return rowwise_layout(shapes, broadcast=broadcast)

    def terms(self, input: Boxes, target: Boxes) -> Terms:
        return Terms(self._value(Pair.of(input, target, self.eps)))

    def quantities(self, input: Boxes, target: Boxes) -> Quantities:
        one, two = (np.moveaxis(boxes, -1, 0) for boxes in np.broadcast_arrays(input, target))
        own, other = one[2:] - one[:2], two[2:] - two[:2]
        overlap = area(np.maximum(np.minimum(one[2:], two[2:]) - np.maximum(one[:2], two[:2]), 0.0))
        hull = np.maximum(one[2:], two[2:]) - np.minimum(one[:2], two[:2])
        offset = 0.5 * (one[:2] + one[2:] - two[:2] - two[2:])
        areas = overlap, area(own) + area(other) - overlap, area(hull)
        values = (*areas, np.sqrt(square(offset)), np.sqrt(square(hull)), *own, *other)
        names = ("I", "U", "C", "ρ", "c", "w₁", "h₁", "w₂", "h₂")
        known = {name: value[..., np.newaxis] for name, value in zip(names, values, strict=True)}
        return {**known, **self._derivatives(Pair.plain(input, target, self.eps))}

    def _derivatives(self, pair: Pair) -> Quantities:
        """The derivatives of what the formula is made of with respect to each side of the box."""
        overlap, proportions = pair.overlap_slope(), -8.0 / np.pi**2 * pair.angle * pair.turn
        slopes = {
            "I'": overlap,
            "U'": area_slope(pair.own) - overlap,
            "C'": pair.hull_slope(),
            "r'": pair.offset_slope(),
            "s'": pair.diagonal_slope(),
            "v'": proportions,
        }
        return {name: np.moveaxis(slope, 0, -1) for name, slope in slopes.items()}

    def gradient(self, input: Boxes, target: Boxes) -> Slope:
        """By the quotient rule: each corner moves the areas that it bounds."""
        pair = Pair.of(input, target, self.eps)
        return Slope(np.moveaxis(self._slope(pair) * pair.scale, 0, -1))

    def _value(self, pair: Pair) -> FloatArray:
        """1 - I / (U + ε) = (U - I + ε) / (U + ε), where U - I is a sum of areas and nothing cancels."""
        alone = pair.alone + pair.eps
        return alone / (area(pair.shared) + alone)

    def _slope(self, pair: Pair) -> FloatArray:
        """-(I / (U + ε))', with U' = A' - I', as one row for each side of the box."""
        overlap, union = area(pair.shared), area(pair.shared) + pair.alone + pair.eps
        shared = pair.overlap_slope()
        return (overlap / union * (area_slope(pair.own) - shared) - shared) / union


_SIDES = "I', U' ... those of the overlap, the union and so on with respect to each side of the box"
_OF_IOU = "I·U'/V² - I'/V"
_OF_DIOU = f"{_OF_IOU} + r'/D - ρ²·s'/D²"
_LEGEND = "I overlap, U union, ρ distance of the centres, c diagonal of the enclosing box"


@loss("giou", torch="generalized_box_iou_loss")
class GIoU(Detection):
    """1 - IoU, and the share of the enclosing box that neither box covers.

    `input` and `target` hold boxes (N, 4) as x1, y1, x2, y2 with x1 < x2 and y1 < y2, or (4,) for one pair.
    `eps` is added to each divisor. The mean divides by the number of pairs. The values lie in [0, 2].

    Raises ShapeError for shapes that are not those of boxes or that differ, and ParameterError for an `eps`
    that is negative or not finite.

    Source: https://docs.pytorch.org/vision/stable/generated/torchvision.ops.generalized_box_iou_loss.html

    >>> GIoU()([[0.0, 0.0, 2.0, 2.0]], [[1.0, 1.0, 3.0, 3.0]])
    np.float64(1.079365078)
    """

    aliases = ("generalized-iou", "generalized-box-iou")
    close = ("diou", "ciou")
    conventions = agreeing(
        torchvision="torchvision.ops.generalized_box_iou_loss, 0.28.0, which reduces nothing by default"
    )

    formula = "1 - I/(U + ε) + (C - U)/(C + ε); I overlap, U union, C enclosing area"
    derivative = f"{_OF_IOU} + V·C'/D² - U'/D, V = U + ε, D = C + ε; {_SIDES}"

    def _value(self, pair: Pair) -> FloatArray:
        return super()._value(pair) + pair.bare / (area(pair.hull) + pair.eps)

    def _slope(self, pair: Pair) -> FloatArray:
        # ((C - U) / (C + ε))' = (C'·(1 - (C - U)/(C + ε)) - U') / (C + ε)
        hull = area(pair.hull) + pair.eps
        kept = (area(pair.shared) + pair.alone + pair.eps) / hull
        union = area_slope(pair.own) - pair.overlap_slope()
        more = (pair.hull_slope() * kept - union) / hull
        return super()._slope(pair) + more


@loss("diou", torch="distance_box_iou_loss")
class DIoU(Detection):
    """1 - IoU, and the squared distance of the centres over that of the corners of the enclosing box.

    `input` and `target` hold boxes (N, 4) as x1, y1, x2, y2 with x1 < x2 and y1 < y2, or (4,) for one pair.
    `eps` is added to each divisor. The mean divides by the number of pairs.

    Raises ShapeError for shapes that are not those of boxes or that differ, and ParameterError for an `eps`
    that is negative or not finite.

    Source: https://docs.pytorch.org/vision/stable/generated/torchvision.ops.distance_box_iou_loss.html

    >>> DIoU()([[0.0, 0.0, 2.0, 2.0]], [[1.0, 1.0, 3.0, 3.0]])
    np.float64(0.968253969)
    """

    aliases = ("distance-iou", "distance-box-iou")
    close = ("giou", "ciou")
    conventions = agreeing(
        torchvision="torchvision.ops.distance_box_iou_loss, 0.28.0, which reduces nothing by default"
    )

    formula = f"1 - I/(U + ε) + ρ²/(c² + ε); {_LEGEND}"
    derivative = f"{_OF_DIOU}, V = U + ε, D = c² + ε; {_SIDES}, r' that of ρ², s' of c²"

    def _value(self, pair: Pair) -> FloatArray:
        return super()._value(pair) + square(pair.centres) / (square(pair.hull) + pair.eps)

    def _slope(self, pair: Pair) -> FloatArray:
        diagonal = square(pair.hull) + pair.eps
        ratio = square(pair.centres) / diagonal
        more = (pair.offset_slope() - ratio * pair.diagonal_slope()) / diagonal
        return super()._slope(pair) + more


@loss("ciou", torch="complete_box_iou_loss")
class CIoU(DIoU):
    """DIoU, and how much the proportions of the boxes differ.

    `input` and `target` hold boxes (N, 4) as x1, y1, x2, y2 with x1 < x2 and y1 < y2, or (4,) for one pair.
    `eps` is added to each divisor. The mean divides by the number of pairs. The gradient takes the factor α
    of the proportions as constant, as in PyTorch.

    Raises ShapeError for shapes that are not those of boxes or that differ, and ParameterError for an `eps`
    that is negative or not finite.

    Source: https://docs.pytorch.org/vision/stable/generated/torchvision.ops.complete_box_iou_loss.html

    >>> CIoU()([[0.0, 0.0, 1.0, 4.0]], [[0.0, 0.0, 2.0, 2.0]])
    np.float64(0.747013352)
    """

    unlike = (
        "uses `eps` everywhere, where torchvision has 1e-7 for the distance, gives 0, not NaN, for equal "
        f"boxes with an `eps` of 0, {Detection.unlike}"
    )
    range = Interval(0.0, 2.5)
    aliases = ("complete-iou", "complete-box-iou")
    close = ("giou", "diou")
    conventions = agreeing(
        torchvision="torchvision.ops.complete_box_iou_loss, 0.28.0, which reduces nothing by default"
    )
    example = {"input": [[0.0, 0.0, 1.0, 4.0]], "target": [[0.0, 0.0, 2.0, 2.0]]}

    formula = (
        "1 - I/(U + ε) + ρ²/(c² + ε) + α·v, α = 0 if v = 0, else v / (1 - I/(U + ε) + v + ε), "
        f"v = 4/π²·(atan(w₂/h₂) - atan(w₁/h₁))²; {_LEGEND}, w and h sides of the boxes, 1 input and 2 target"
    )
    derivative = (
        f"{_OF_DIOU} + α·v', α = 0 if v = 0, else v / (1 - I/(U + ε) + v + ε), "
        f"v = 4/π²·(atan(w₂/h₂) - atan(w₁/h₁))², V = U + ε, D = c² + ε; "
        f"{_SIDES}, r' that of ρ², s' of c², α taken as constant"
    )

    def _value(self, pair: Pair) -> FloatArray:
        proportions = self._proportions(pair)
        return super()._value(pair) + self._alpha(pair, proportions) * proportions

    def _slope(self, pair: Pair) -> FloatArray:
        factor = self._alpha(pair, self._proportions(pair)) * (-8.0 / np.pi**2) * pair.angle
        return super()._slope(pair) + factor * pair.turn

    def _proportions(self, pair: Pair) -> FloatArray:
        """(2/π·(atan(w₂/h₂) - atan(w₁/h₁)))²."""
        share = 2.0 * pair.angle / pi(pair.own)
        return share * share

    def _alpha(self, pair: Pair, proportions: FloatArray) -> FloatArray:
        # For equal boxes v is 0, and so is the divisor if eps is.
        divisor = Detection._value(self, pair) + proportions + self.eps
        return proportions / np.maximum(divisor, _LEAST)


_FORMULAS = {
    "linear": "1 - I/(U + ε)",
    "square": "1 - (I/(U + ε))²",
    "log": "-ln(max(I/(U + ε), ε))",
}
_DERIVATIVES = {
    "linear": _OF_IOU,
    "square": f"2·I/V·({_OF_IOU})",
    "log": "0 if I/V ≤ ε, else U'/V - I'/I",
}


@loss("iou")
class IoU(Detection):
    """1 - IoU of two boxes, 1 minus its square, or minus its logarithm.

    `input` and `target` hold boxes (N, 4) as x1, y1, x2, y2 with x1 < x2 and y1 < y2, or (4,) for one pair.
    `eps` is added to the divisor, and is the least that the logarithm is taken of. The mean divides by the
    number of pairs. Boxes that share nothing have no gradient.

    Raises ShapeError for shapes that are not those of boxes or that differ, and ParameterError for an `eps`
    that is negative or not finite.

    Source: https://github.com/open-mmlab/mmdetection, whose default is the logarithm

    >>> IoU(mode="log")([[0.0, 0.0, 2.0, 2.0]], [[1.0, 1.0, 3.0, 3.0]])
    np.float64(1.945910163)
    """

    aliases = ("box-iou", "UnitBox", "intersection over union of boxes")
    ambiguous = MappingProxyType({"IoULoss": "jaccard, of masks"})
    library = ""
    unlike = ""
    range = NOT_NEGATIVE
    close = ("giou", "diou")
    example = {"input": [[0.0, 0.0, 2.0, 2.0]], "target": [[1.0, 1.0, 3.0, 3.0]], "mode": "log"}

    formula = f"{_FORMULAS['linear']}; I overlap, U union"

    mode: Annotated[str, Names(tuple(_FORMULAS)), Doc("The loss of a quotient; log is that of UnitBox.")] = (
        "linear"
    )

    def explained(self, target: FloatArray | IndexArray) -> str:
        """Each mode has a formula of its own."""
        return f"{_FORMULAS[self.mode]}; I overlap, U union"

    def derived(self, target: FloatArray | IndexArray) -> str:
        """So has its derivative."""
        return f"{_DERIVATIVES[self.mode]}, V = U + ε; {_SIDES}"

    def quantities(self, input: Boxes, target: Boxes) -> Quantities:
        """The areas."""
        known = super().quantities(input, target)
        return {name: known[name] for name in ("I", "U", "I'", "U'")}

    def _value(self, pair: Pair) -> FloatArray:
        lack = super()._value(pair)
        if self.mode == "linear":
            return lack
        if self.mode == "square":
            # 1 - r² = (1 - r)·(1 + r)
            return lack * (2.0 - lack)
        quotient = self._quotient(pair)
        # Near 1 the quotient has lost digits that 1 minus it has.
        return -np.where(
            lack < 0.5, np.log1p(-np.minimum(lack, number(0.5, lack))), np.log(np.maximum(quotient, self.eps))
        )

    def _slope(self, pair: Pair) -> FloatArray:
        slope, quotient = super()._slope(pair), self._quotient(pair)
        if self.mode == "linear":
            return slope
        if self.mode == "square":
            return 2.0 * quotient * slope
        return np.where(quotient > self.eps, slope / quotient, 0.0)

    def _quotient(self, pair: Pair) -> FloatArray:
        shared = area(pair.shared)
        return np.asarray(shared / (shared + pair.alone + pair.eps))
