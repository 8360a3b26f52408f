"""Losses of boxes x1, y1, x2, y2: how little two of them overlap."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

import numpy as np

from losscalc.catalogue.base import Loss, Quantities, loss
from losscalc.catalogue.sides import Pair, Plain, row
from losscalc.core.array import FloatArray, Shape, show_shape
from losscalc.core.declaration import Doc
from losscalc.core.domains import FINITE_NOT_NEGATIVE, Interval
from losscalc.core.double import Double, where
from losscalc.core.precision import is_narrow, refined
from losscalc.core.reductions import Slope, Terms
from losscalc.core.roles import Boxes
from losscalc.core.shapes import Layout, rowwise_layout
from losscalc.errors import ShapeError


class Detection(Loss):
    """What the losses of this family share: boxes in pairs, and 1 less the overlap of each."""

    divisor = "the number of pairs"
    library = "torchvision.ops"
    broadcasts = True
    legacy = False

    eps: Annotated[float, FINITE_NOT_NEGATIVE, Doc("Added to each divisor.")] = 1e-7

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        """Two arrays of boxes, of one shape unless broadcasting was asked for."""
        for name in ("input", "target"):
            if shapes[name][-1:] != (4,):
                raise ShapeError(
                    f"`{name}` has shape {show_shape(shapes[name])}; boxes are rows of 4 numbers, "
                    "(N, 4), or (4,) for one",
                    argument=name,
                )
        return rowwise_layout(shapes, broadcast=broadcast)

    def terms(self, input: Boxes, target: Boxes) -> Terms:
        """The losses of one block."""
        if not is_narrow():
            return Terms(self._exact(input, target))
        plain = Plain.of(input, target)
        # No part is larger than 1; boxes turned inside out are left to pairs.
        size = np.where(plain.is_regular, 3.0, np.inf)
        return Terms(refined(self._plain(plain), size, self._exact, input, target))

    def _exact(self, input: FloatArray, target: FloatArray) -> FloatArray:
        """The losses with all digits."""
        return self._value(Pair.of(input, target, self.eps)).value

    def _plain(self, plain: "Plain") -> FloatArray:
        """1 - I / (U + ε) in plain float64."""
        overlap = plain.overlap
        union = plain.areas - overlap + self.eps
        return np.asarray((union - overlap) / union)

    def quantities(self, input: Boxes, target: Boxes) -> Quantities:
        """The areas and lengths."""
        pair = Pair.of(input, target, self.eps, scaled=False)
        values = {
            "I": pair.overlap.area, "U": pair.union, "C": pair.hull.area,
            "ρ": pair.offset.sqrt(), "c": pair.hull.diagonal.sqrt(),
            "w₁": pair.own.width, "h₁": pair.own.height, "w₂": pair.other.width, "h₂": pair.other.height,
        }  # fmt: skip
        return {"π": np.asarray(np.pi), **{name: row(value.value) for name, value in values.items()}}

    def gradient(self, input: Boxes, target: Boxes) -> Slope:
        """By the quotient rule, from the derivatives of the areas and lengths."""
        pair = Pair.of(input, target, self.eps)
        return Slope(np.ldexp(self._slope(pair, input, target), -pair.exponent))

    def _value(self, pair: "Pair") -> Double:
        """1 - I / (U + ε), which does not cancel as (U - I + ε) / (U + ε)."""
        union = pair.union + pair.eps
        return (union - pair.overlap.area) / union

    def _slope(self, pair: "Pair", input: FloatArray, target: FloatArray) -> FloatArray:
        """-(I / (U + ε))', with U' = A' - I'."""
        overlap = pair.overlap_slope(input, target)
        union = row((pair.union + pair.eps).value)
        ratio = row((pair.overlap.area / (pair.union + pair.eps)).value)
        return (ratio * (pair.own.area_slope() - overlap) - overlap) / union


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

    unlike = (
        "reduces to the mean unless told otherwise, gives NaN for the mean of no boxes, and keeps the "
        "digits of boxes that are nearly equal"
    )
    range = Interval(0.0, 2.0)
    close = ("diou", "ciou")
    example = {"input": [[0.0, 0.0, 2.0, 2.0]], "target": [[1.0, 1.0, 3.0, 3.0]]}

    formula = "1 - I/(U + ε) + (C - U)/(C + ε); I overlap, U union, C enclosing area"

    def _plain(self, plain: "Plain") -> FloatArray:
        width, height = plain.hull
        hull, union = width * height, plain.areas - plain.overlap
        return np.asarray(super()._plain(plain) + (hull - union) / (hull + self.eps))

    def _value(self, pair: "Pair") -> Double:
        hull = pair.hull.area
        return super()._value(pair) + (hull - pair.union) / (hull + pair.eps)

    def _slope(self, pair: "Pair", input: FloatArray, target: FloatArray) -> FloatArray:
        # ((C - U) / (C + ε))' = (C'·(1 - (C - U)/(C + ε)) - U') / (C + ε)
        hull = pair.hull.area + pair.eps
        kept = row(((pair.union + pair.eps) / hull).value)
        union = pair.own.area_slope() - pair.overlap_slope(input, target)
        more = (pair.hull_slope(input, target) * kept - union) / row(hull.value)
        return super()._slope(pair, input, target) + more


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

    unlike = (
        "reduces to the mean unless told otherwise, gives NaN for the mean of no boxes, and keeps the "
        "digits of boxes that are nearly equal"
    )
    range = Interval(0.0, 2.0)
    close = ("giou", "ciou")
    example = {"input": [[0.0, 0.0, 2.0, 2.0]], "target": [[1.0, 1.0, 3.0, 3.0]]}

    formula = "1 - I/(U + ε) + ρ²/(c² + ε); ρ distance of the centres, c diagonal of the enclosing box"

    def _plain(self, plain: "Plain") -> FloatArray:
        width, height = plain.hull
        diagonal = width * width + height * height
        return np.asarray(super()._plain(plain) + plain.offset / (diagonal + self.eps))

    def _value(self, pair: "Pair") -> Double:
        return super()._value(pair) + pair.offset / (pair.hull.diagonal + pair.eps)

    def _slope(self, pair: "Pair", input: FloatArray, target: FloatArray) -> FloatArray:
        diagonal = pair.hull.diagonal + pair.eps
        ratio = row((pair.offset / diagonal).value)
        more = (pair.offset_slope() - ratio * pair.diagonal_slope(input, target)) / row(diagonal.value)
        return super()._slope(pair, input, target) + more


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
        "honours `eps` everywhere, where torchvision takes 1e-7 for the distance, reduces to the mean "
        "unless told otherwise, gives NaN for the mean of no boxes, and keeps the digits of boxes that are "
        "nearly equal"
    )
    range = Interval(0.0, 2.5)
    close = ("giou", "diou")
    example = {"input": [[0.0, 0.0, 1.0, 4.0]], "target": [[0.0, 0.0, 2.0, 2.0]]}

    formula = (
        "1 - I/(U + ε) + ρ²/(c² + ε) + α·v, α = v / (1 - I/(U + ε) + v + ε), "
        "v = 4/π²·(atan(w₂/h₂) - atan(w₁/h₁))²; w, h sides of the boxes"
    )

    _FACTOR: ClassVar[Double] = Double(np.array(0.4052847345693511), -1.5865159517757766e-17)

    def _plain(self, plain: "Plain") -> FloatArray:
        proportions = self._FACTOR.value * np.square(plain.angle)
        divisor = Detection._plain(self, plain) + proportions + self.eps
        alpha = proportions / np.where(proportions == 0, 1.0, divisor)
        return np.asarray(super()._plain(plain) + alpha * proportions)

    def _value(self, pair: "Pair") -> Double:
        proportions = self._proportions(pair)
        return super()._value(pair) + self._alpha(pair, proportions) * proportions

    def _slope(self, pair: "Pair", input: FloatArray, target: FloatArray) -> FloatArray:
        width, height = pair.own.width.value, pair.own.height.value
        size = np.square(width) + np.square(height)
        # atan(w/h)' = (h·w' - w·h') / (w² + h²)
        turn = np.stack([-height, width, height, -width], axis=-1) / row(size)
        factor = (
            self._alpha(pair, self._proportions(pair)).value * -2.0 * self._FACTOR.value * pair.angle().value
        )
        return super()._slope(pair, input, target) + row(factor) * turn

    def _proportions(self, pair: "Pair") -> Double:
        angle = pair.angle()
        return angle * angle * self._FACTOR

    def _alpha(self, pair: "Pair", proportions: Double) -> Double:
        # Equal boxes have proportions of 0 and, without eps, nothing to divide them by.
        same = proportions.value == 0
        divisor = Detection._value(self, pair) + proportions + self.eps
        return proportions / where(same, Double(np.ones(same.shape)), divisor)
