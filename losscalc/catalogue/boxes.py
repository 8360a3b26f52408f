"""Losses of pairs of boxes x1, y1, x2, y2, which are the larger the less the boxes overlap."""

from collections.abc import Mapping
from typing import Annotated, NamedTuple

import numpy as np

from losscalc.catalogue.base import Loss, Quantities, loss
from losscalc.core.array import FloatArray, Shape, show_shape
from losscalc.core.declaration import Doc
from losscalc.core.domains import FINITE_NOT_NEGATIVE, Interval
from losscalc.core.reductions import Slope, Terms
from losscalc.core.roles import Boxes
from losscalc.core.shapes import Layout, rowwise_layout
from losscalc.core.stable import pi, power_of_two
from losscalc.errors import ShapeError

# Products of lengths between these bounds lose nothing to underflow or overflow.
_SHORT, _LONG = 2.0**-450, 2.0**450
# A divisor that makes 0/0 a 0.
_LEAST = 2.0**-1000


class Detection(Loss):
    """The base of this family: pairs of boxes, and 1 - IoU for each."""

    divisor = "the number of pairs"
    library = "torchvision.ops"
    broadcasts = True
    legacy = False
    unlike = (
        "reduces to the mean unless told otherwise, gives NaN for the mean of no boxes, and keeps the "
        "digits of boxes that are nearly equal"
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
        return {name: value[..., np.newaxis] for name, value in zip(names, values, strict=True)}

    def gradient(self, input: Boxes, target: Boxes) -> Slope:
        pair = Pair.of(input, target, self.eps)
        return Slope(np.moveaxis(self._slope(pair) * pair.scale, 0, -1))

    def _value(self, pair: "Pair") -> FloatArray:
        """1 - I / (U + ε) = (U - I + ε) / (U + ε), where U - I is a sum of areas and nothing cancels."""
        alone = pair.alone + pair.eps
        return alone / (area(pair.shared) + alone)

    def _slope(self, pair: "Pair") -> FloatArray:
        """-(I / (U + ε))', with U' = A' - I', as one row for each side of the box."""
        overlap, union = area(pair.shared), area(pair.shared) + pair.alone + pair.eps
        shared = pair.overlap_slope()
        return (overlap / union * (area_slope(pair.own) - shared) - shared) / union


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

    close = ("diou", "ciou")

    formula = "1 - I/(U + ε) + (C - U)/(C + ε); I overlap, U union, C enclosing area"

    def _value(self, pair: "Pair") -> FloatArray:
        return super()._value(pair) + pair.bare / (area(pair.hull) + pair.eps)

    def _slope(self, pair: "Pair") -> FloatArray:
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

    close = ("giou", "ciou")

    formula = "1 - I/(U + ε) + ρ²/(c² + ε); ρ distance of the centres, c diagonal of the enclosing box"

    def _value(self, pair: "Pair") -> FloatArray:
        return super()._value(pair) + square(pair.centres) / (square(pair.hull) + pair.eps)

    def _slope(self, pair: "Pair") -> FloatArray:
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
        "honours `eps` everywhere, where torchvision takes 1e-7 for the distance, gives 0 for equal boxes "
        f"with an `eps` of 0, for which torchvision gives NaN, {Detection.unlike}"
    )
    range = Interval(0.0, 2.5)
    close = ("giou", "diou")
    example = {"input": [[0.0, 0.0, 1.0, 4.0]], "target": [[0.0, 0.0, 2.0, 2.0]]}

    formula = (
        "1 - I/(U + ε) + ρ²/(c² + ε) + α·v, α = 0 if v = 0, else v / (1 - I/(U + ε) + v + ε), "
        "v = 4/π²·(atan(w₂/h₂) - atan(w₁/h₁))²; w, h sides of the boxes"
    )

    def _value(self, pair: "Pair") -> FloatArray:
        proportions = self._proportions(pair)
        return super()._value(pair) + self._alpha(pair, proportions) * proportions

    def _slope(self, pair: "Pair") -> FloatArray:
        # atan(w/h)' = (h·w' - w·h') / (w² + h²)
        width, height = pair.own
        turn = np.stack([-height, width, height, -width]) / square(pair.own)
        factor = self._alpha(pair, self._proportions(pair)) * (-8.0 / np.pi**2) * pair.angle
        return super()._slope(pair) + factor * turn

    def _proportions(self, pair: "Pair") -> FloatArray:
        """(2/π·(atan(w₂/h₂) - atan(w₁/h₁)))²."""
        share = 2.0 * pair.angle / pi(pair.own)
        return share * share

    def _alpha(self, pair: "Pair", proportions: FloatArray) -> FloatArray:
        # For equal boxes v is 0, and so is the divisor if eps is.
        divisor = Detection._value(self, pair) + proportions + self.eps
        return proportions / np.maximum(divisor, _LEAST)


class Pair(NamedTuple):
    """Two boxes, the own one and the target, split into what they share and what each has beyond that.

    In each direction a side is the shared length and a length beyond: W = w + p, H = h + q. The area of the
    box without the shared one is W·H - w·h = p·H + w·q, which keeps its digits where boxes nearly coincide.
    All lengths come in pairs, across and down.
    """

    input: FloatArray
    """The own box, with a row each for left, top, right and bottom."""
    target: FloatArray
    own: FloatArray
    """Width and height of the own box."""
    other: FloatArray
    between: FloatArray
    """The length from the later beginning to the earlier end; negative if the boxes do not touch."""
    shared: FloatArray
    """Width and height of the overlap: `between`, or 0 where that is negative."""
    own_beyond: FloatArray
    """How much longer the own box is than the overlap."""
    other_beyond: FloatArray
    hull: FloatArray
    """Width and height of the smallest box around both."""
    eps: FloatArray | float
    """The number that is added to divisors, scaled like an area."""
    scale: FloatArray | float = 1.0
    """The factor by which lengths were multiplied."""

    @classmethod
    def of(cls, input: FloatArray, target: FloatArray, eps: float) -> "Pair":
        """The pairs of boxes of two arrays, scaled where areas would leave the range of float64."""
        pair = cls.plain(input, target, eps)
        if not pair.hull.size or (pair.hull.min() > _SHORT and pair.hull.max() < _LONG):
            return pair
        longest = pair.hull.max(axis=0)
        size = np.maximum(np.abs(input), np.abs(target))
        scale = np.where((longest > _SHORT) & (longest < _LONG), 1.0, power_of_two(size))
        # A scaled area is too small to make a difference to an eps of 1e300, and the sum stays finite.
        own_eps = np.minimum(eps * scale * scale, 1e300)
        pair = cls.plain(input * scale[..., np.newaxis], target * scale[..., np.newaxis], own_eps)
        return pair._replace(scale=scale)

    @classmethod
    def plain(cls, input: FloatArray, target: FloatArray, eps: FloatArray | float) -> "Pair":
        """The pairs of boxes of two arrays, without scaling."""
        both = np.broadcast_arrays(input, target)
        one, two = (np.ascontiguousarray(np.moveaxis(boxes, -1, 0)) for boxes in both)
        own, other = one[2:] - one[:2], two[2:] - two[:2]
        first, last = np.maximum(one[:2], two[:2]), np.minimum(one[2:], two[2:])
        between = last - first
        # Beyond both ends, but never more than the whole side: for a box that lies beside the other, or is
        # turned inside out, the sum would be longer.
        p, q = (
            np.minimum((first - box[:2]) + (box[2:] - last), sides)
            for box, sides in ((one, own), (two, other))
        )
        hull = np.maximum(one[2:], two[2:]) - np.minimum(one[:2], two[:2])
        return cls(one, two, own, other, between, np.maximum(between, 0.0), p, q, hull, eps)

    @property
    def alone(self) -> FloatArray:
        """The area that exactly one of the boxes covers, U - I."""
        (p, q), (r, s) = self.own_beyond, self.other_beyond
        return np.asarray(p * self.own[1] + r * self.other[1] + self.shared[0] * (q + s))

    @property
    def bare(self) -> FloatArray:
        """The area of the hull that neither box covers, C - U.

        It consists of corners, where one box reaches farther across and the other farther down, and of the
        gap between boxes that do not touch.
        """
        (p, q), (r, s) = self.own_beyond, self.other_beyond
        across, down = self.shared - self.between
        return np.asarray(p * s + r * q + across * self.hull[1] + down * (self.hull[0] - across))

    @property
    def centres(self) -> FloatArray:
        """The distance of the centres, across and down."""
        moved = self.input - self.target
        return 0.5 * (moved[:2] + moved[2:])

    @property
    def angle(self) -> FloatArray:
        """atan(w₂/h₂) - atan(w₁/h₁) as a single arctangent, so that two large angles do not cancel."""
        (w1, h1), (w2, h2) = self.own, self.other
        sine, cosine = w2 * h1 - w1 * h2, h1 * h2 + w1 * w2
        # A box turned inside out has negative sides. atan only sees the sign of w/h, so the angle turns by π.
        sign = 1.0 - 2.0 * ((h1 < 0) != (h2 < 0))
        angle = np.arctan2(sine * sign, cosine * sign)
        # For a point, w/h is 0/0.
        points = (sine == 0) & (cosine == 0)
        return np.where(points, np.nan, angle) if points.any() else angle

    def overlap_slope(self) -> FloatArray:
        """The derivative of the overlap with respect to left, top, right and bottom of the own box."""
        is_shared = (self.shared > 0).all(axis=0)
        return np.asarray(area_slope(self.shared) * (1.0 - self._reach()) * is_shared)

    def hull_slope(self) -> FloatArray:
        """The derivative of the area of the hull."""
        return np.asarray(area_slope(self.hull) * self._reach())

    def diagonal_slope(self) -> FloatArray:
        """The derivative of the square of the diagonal of the hull."""
        return np.asarray(np.concatenate([-2.0 * self.hull, 2.0 * self.hull]) * self._reach())

    def offset_slope(self) -> FloatArray:
        """The derivative of the squared distance of the centres: each side moves a centre by half."""
        return np.concatenate([self.centres, self.centres])

    def _reach(self) -> FloatArray:
        """1 where a side of the hull is one of the own box, ½ where it is one of both, as in PyTorch."""
        moved = self.input - self.target
        return np.asarray(np.heaviside(np.concatenate([-moved[:2], moved[2:]]), 0.5))


def area(sides: FloatArray) -> FloatArray:
    """Width times height."""
    return np.asarray(sides[0] * sides[1])


def square(sides: FloatArray) -> FloatArray:
    """The square of a diagonal."""
    return np.asarray(sides[0] * sides[0] + sides[1] * sides[1])


def area_slope(sides: FloatArray) -> FloatArray:
    """The derivative of an area with respect to left, top, right and bottom."""
    return np.concatenate([-sides[::-1], sides[::-1]])
