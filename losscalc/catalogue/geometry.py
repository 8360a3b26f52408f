"""Pairs of boxes: what they share, what each has beyond that, and how these change with their sides."""

from typing import NamedTuple

import numpy as np

from losscalc.core.array import FloatArray
from losscalc.core.stable import power_of_two, step

# Products of lengths between these bounds lose nothing to underflow or overflow.
_SHORT, _LONG = 2.0**-450, 2.0**450


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
    def turn(self) -> FloatArray:
        """The derivative of atan(w/h), (h·w' - w·h') / (w² + h²), with respect to each side."""
        width, height = self.own
        return np.asarray(np.stack([-height, width, height, -width]) / square(self.own))

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
        return step(np.concatenate([-moved[:2], moved[2:]]), 0.5)


def area(sides: FloatArray) -> FloatArray:
    """Width times height."""
    return np.asarray(sides[0] * sides[1])


def square(sides: FloatArray) -> FloatArray:
    """The square of a diagonal."""
    return np.asarray(sides[0] * sides[0] + sides[1] * sides[1])


def area_slope(sides: FloatArray) -> FloatArray:
    """The derivative of an area with respect to left, top, right and bottom."""
    return np.concatenate([-sides[::-1], sides[::-1]])
