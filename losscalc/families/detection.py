"""Losses of boxes x1, y1, x2, y2: how little two of them overlap."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, NamedTuple

import numpy as np

from losscalc.arrays import Boxes, Shape, show_shape
from losscalc.declaration import Doc
from losscalc.domains import FINITE_NOT_NEGATIVE
from losscalc.double import Double, FloatArray, IndexArray, maximum, minimum, scale_exponent, where
from losscalc.errors import ShapeError
from losscalc.layouts import Layout, rowwise_layout
from losscalc.loss import Loss, Quantities, loss
from losscalc.reductions import Slope, Terms


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
        return Terms(self._value(Pair.of(input, target, self.eps)).value)

    def quantities(self, input: Boxes, target: Boxes) -> Quantities:
        """The areas and lengths."""
        pair = Pair.of(input, target, self.eps, scaled=False)
        values = {
            "I": pair.overlap.area, "U": pair.union, "C": pair.hull.area,
            "ρ": pair.offset.sqrt(), "c": pair.hull.diagonal.sqrt(),
            "w₁": pair.own.width, "h₁": pair.own.height, "w₂": pair.other.width, "h₂": pair.other.height,
        }  # fmt: skip
        return {"π": np.asarray(np.pi), **{name: _row(value.value) for name, value in values.items()}}

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
        union = _row((pair.union + pair.eps).value)
        ratio = _row((pair.overlap.area / (pair.union + pair.eps)).value)
        return (ratio * (pair.own.area_slope() - overlap) - overlap) / union


@loss("giou", torch="generalized_box_iou_loss")
class GIoU(Detection):
    """1 - IoU, and the share of the enclosing box that neither box covers.

    `input` and `target` hold boxes (N, 4) as x1, y1, x2, y2 with x1 < x2 and y1 < y2, or (4,) for one pair.
    `eps` is added to each divisor. The mean divides by the number of pairs. The values lie in [0, 2].

    Raises ShapeError for shapes that are not those of boxes or that differ, and ParameterError for an `eps`
    that is negative or not finite.

    Unlike PyTorch it reduces to the mean unless told otherwise, gives NaN for the mean of no boxes, and keeps
    the digits of boxes that are nearly equal.

    Source: https://docs.pytorch.org/vision/stable/generated/torchvision.ops.generalized_box_iou_loss.html

    >>> GIoU()([[0.0, 0.0, 2.0, 2.0]], [[1.0, 1.0, 3.0, 3.0]])
    np.float64(1.079365078)
    """

    formula = "1 - I/(U + ε) + (C - U)/(C + ε); I overlap, U union, C enclosing area"

    def _value(self, pair: "Pair") -> Double:
        hull = pair.hull.area
        return super()._value(pair) + (hull - pair.union) / (hull + pair.eps)

    def _slope(self, pair: "Pair", input: FloatArray, target: FloatArray) -> FloatArray:
        # ((C - U) / (C + ε))' = (C'·(1 - (C - U)/(C + ε)) - U') / (C + ε)
        hull = pair.hull.area + pair.eps
        kept = _row(((pair.union + pair.eps) / hull).value)
        union = pair.own.area_slope() - pair.overlap_slope(input, target)
        more = (pair.hull_slope(input, target) * kept - union) / _row(hull.value)
        return super()._slope(pair, input, target) + more


@loss("diou", torch="distance_box_iou_loss")
class DIoU(Detection):
    """1 - IoU, and the squared distance of the centres over that of the corners of the enclosing box.

    `input` and `target` hold boxes (N, 4) as x1, y1, x2, y2 with x1 < x2 and y1 < y2, or (4,) for one pair.
    `eps` is added to each divisor. The mean divides by the number of pairs.

    Raises ShapeError for shapes that are not those of boxes or that differ, and ParameterError for an `eps`
    that is negative or not finite.

    Unlike PyTorch it reduces to the mean unless told otherwise, gives NaN for the mean of no boxes, and keeps
    the digits of boxes that are nearly equal.

    Source: https://docs.pytorch.org/vision/stable/generated/torchvision.ops.distance_box_iou_loss.html

    >>> DIoU()([[0.0, 0.0, 2.0, 2.0]], [[1.0, 1.0, 3.0, 3.0]])
    np.float64(0.968253969)
    """

    formula = "1 - I/(U + ε) + ρ²/(c² + ε); ρ distance of the centres, c diagonal of the enclosing box"

    def _value(self, pair: "Pair") -> Double:
        return super()._value(pair) + pair.offset / (pair.hull.diagonal + pair.eps)

    def _slope(self, pair: "Pair", input: FloatArray, target: FloatArray) -> FloatArray:
        diagonal = pair.hull.diagonal + pair.eps
        ratio = _row((pair.offset / diagonal).value)
        more = (pair.offset_slope() - ratio * pair.diagonal_slope(input, target)) / _row(diagonal.value)
        return super()._slope(pair, input, target) + more


@loss("ciou", torch="complete_box_iou_loss")
class CIoU(DIoU):
    """DIoU, and how much the proportions of the boxes differ.

    `input` and `target` hold boxes (N, 4) as x1, y1, x2, y2 with x1 < x2 and y1 < y2, or (4,) for one pair.
    `eps` is added to each divisor. The mean divides by the number of pairs. The gradient takes the factor α
    of the proportions as constant, as in PyTorch.

    Raises ShapeError for shapes that are not those of boxes or that differ, and ParameterError for an `eps`
    that is negative or not finite.

    Unlike PyTorch it honours `eps` everywhere, where torchvision takes 1e-7 for the distance, reduces to the
    mean unless told otherwise, gives NaN for the mean of no boxes, and keeps the digits of boxes that are
    nearly equal.

    Source: https://docs.pytorch.org/vision/stable/generated/torchvision.ops.complete_box_iou_loss.html

    >>> CIoU()([[0.0, 0.0, 1.0, 4.0]], [[0.0, 0.0, 2.0, 2.0]])
    np.float64(0.747013352)
    """

    formula = (
        "1 - I/(U + ε) + ρ²/(c² + ε) + α·v, α = v / (1 - I/(U + ε) + v + ε), "
        "v = 4/π²·(atan(w₂/h₂) - atan(w₁/h₁))²; w, h sides of the boxes"
    )

    _FACTOR: ClassVar[Double] = Double(np.array(0.4052847345693511), -1.5865159517757766e-17)

    def _value(self, pair: "Pair") -> Double:
        proportions = self._proportions(pair)
        return super()._value(pair) + self._alpha(pair, proportions) * proportions

    def _slope(self, pair: "Pair", input: FloatArray, target: FloatArray) -> FloatArray:
        width, height = pair.own.width.value, pair.own.height.value
        size = np.square(width) + np.square(height)
        # atan(w/h)' = (h·w' - w·h') / (w² + h²)
        turn = np.stack([-height, width, height, -width], axis=-1) / _row(size)
        factor = (
            self._alpha(pair, self._proportions(pair)).value * -2.0 * self._FACTOR.value * pair.angle().value
        )
        return super()._slope(pair, input, target) + _row(factor) * turn

    def _proportions(self, pair: "Pair") -> Double:
        angle = pair.angle()
        return angle * angle * self._FACTOR

    def _alpha(self, pair: "Pair", proportions: Double) -> Double:
        # Equal boxes have proportions of 0 and, without eps, nothing to divide them by.
        same = proportions.value == 0
        divisor = Detection._value(self, pair) + proportions + self.eps
        return proportions / where(same, Double(np.ones(same.shape)), divisor)


class Box(NamedTuple):
    """Boxes as their sides: left, top, right, bottom, and what is between."""

    left: Double
    top: Double
    right: Double
    bottom: Double

    @property
    def width(self) -> Double:
        """From left to right."""
        return self.right - self.left

    @property
    def height(self) -> Double:
        """From top to bottom."""
        return self.bottom - self.top

    @property
    def area(self) -> Double:
        """Width times height."""
        return self.width * self.height

    @property
    def diagonal(self) -> Double:
        """The square of the diagonal."""
        return self.width * self.width + self.height * self.height

    def area_slope(self) -> FloatArray:
        """The derivative of the area with respect to the four sides."""
        width, height = self.width.value, self.height.value
        return np.stack([-height, -width, height, width], axis=-1)


class Pair(NamedTuple):
    """Two boxes, what they have in common, and the smallest box around both."""

    own: Box
    other: Box
    overlap: Box
    hull: Box
    eps: FloatArray
    """What is added to divisors, in the units of the boxes."""
    exponent: IndexArray
    """The power of two by which boxes were divided that are so large, or small, that areas would suffer."""

    @classmethod
    def of(cls, input: FloatArray, target: FloatArray, eps: float, *, scaled: bool = True) -> "Pair":
        """The pairs of the rows of two arrays; boxes without common ground overlap in a box without area."""
        both = np.maximum(np.abs(input), np.abs(target))
        exponent = scale_exponent(both) if scaled else np.zeros((*both.shape[:-1], 1), dtype=np.int64)
        one, two = (
            Box(*(Double(np.ldexp(boxes, -exponent)[..., side]) for side in range(4)))
            for boxes in (input, target)
        )
        inner = Box(
            maximum(one.left, two.left),
            maximum(one.top, two.top),
            minimum(one.right, two.right),
            minimum(one.bottom, two.bottom),
        )
        apart = (inner.width.value <= 0) | (inner.height.value <= 0)
        closed = Double(np.where(apart, inner.left.high, inner.right.high))
        overlap = Box(inner.left, inner.top, closed, inner.bottom)
        hull = Box(
            minimum(one.left, two.left),
            minimum(one.top, two.top),
            maximum(one.right, two.right),
            maximum(one.bottom, two.bottom),
        )
        # Beside an eps beyond 1e300 no area shows.
        own_eps = np.minimum(np.ldexp(eps, -2 * exponent[..., 0]), 1e300)
        return cls(one, two, overlap, hull, own_eps, exponent)

    @property
    def union(self) -> Double:
        """The area that either covers."""
        return self.own.area + self.other.area - self.overlap.area

    @property
    def offset(self) -> Double:
        """The squared distance of the centres."""
        across, down = self._offsets()
        return across * across + down * down

    def angle(self) -> Double:
        """atan(w₂/h₂) - atan(w₁/h₁) as one angle, whose sine w₂·h₁ - w₁·h₂ does not cancel."""
        one, two = self.own, self.other
        sine = two.width * one.height - one.width * two.height
        cosine = one.height * two.height + one.width * two.width
        # Boxes turned inside out have negative sides, and atan the sign of their quotient.
        sign = np.where((one.height.value < 0) != (two.height.value < 0), -1.0, 1.0)
        angle = np.arctan2(sine.value * sign, cosine.value * sign)
        point = [((box.width.value == 0) & (box.height.value == 0)) for box in (one, two)]
        return Double(np.where(point[0] | point[1], np.nan, angle))

    def overlap_slope(self, input: FloatArray, target: FloatArray) -> FloatArray:
        """The derivative of the overlap with respect to the sides of the own box."""
        is_overlap = self.overlap.width.value > 0
        inner = 1.0 - self._reach(input, target)
        return self.overlap.area_slope() * inner * _row(is_overlap.astype(np.float64))

    def hull_slope(self, input: FloatArray, target: FloatArray) -> FloatArray:
        """The derivative of the enclosing area with respect to the sides of the own box."""
        return self.hull.area_slope() * self._reach(input, target)

    def diagonal_slope(self, input: FloatArray, target: FloatArray) -> FloatArray:
        """The derivative of the squared enclosing diagonal with respect to the sides of the own box."""
        width, height = 2.0 * self.hull.width.value, 2.0 * self.hull.height.value
        return np.stack([-width, -height, width, height], axis=-1) * self._reach(input, target)

    def offset_slope(self) -> FloatArray:
        """The derivative of the squared distance of the centres: each side moves a centre by half."""
        across, down = (offset.value for offset in self._offsets())
        return np.stack([across, down, across, down], axis=-1)

    def _reach(self, input: FloatArray, target: FloatArray) -> FloatArray:
        """Whether the own box makes the side of the enclosing one; half where both do, as in PyTorch."""
        reach = (input - target) * [-1.0, -1.0, 1.0, 1.0]
        return np.heaviside(reach, 0.5)

    def _offsets(self) -> tuple[Double, Double]:
        one, two = self.own, self.other
        across = (one.left + one.right - two.left - two.right) * 0.5
        return across, (one.top + one.bottom - two.top - two.bottom) * 0.5


def _row(values: FloatArray) -> FloatArray:
    """Numbers beside the axis of the four sides."""
    return values[..., np.newaxis]
