"""Boxes x1, y1, x2, y2 in pairs: their sides, areas and angles, and the derivatives of these."""

from functools import cached_property
from typing import NamedTuple

import numpy as np

from losscalc.core.array import FloatArray, IndexArray
from losscalc.core.double import Double, choose, scale_exponent


class Plain(NamedTuple):
    """Pairs of boxes in plain float64, a row a side: left, top, right, bottom."""

    one: FloatArray
    two: FloatArray

    @classmethod
    def of(cls, input: FloatArray, target: FloatArray) -> "Plain":
        """The pairs of the rows of two arrays."""
        return cls(*(np.ascontiguousarray(np.moveaxis(boxes, -1, 0)) for boxes in (input, target)))

    @property
    def sides(self) -> tuple[FloatArray, FloatArray]:
        """Width and height of each box."""
        return self.one[2:] - self.one[:2], self.two[2:] - self.two[:2]

    @property
    def hull(self) -> FloatArray:
        """Width and height of the box around both."""
        return np.maximum(self.one[2:], self.two[2:]) - np.minimum(self.one[:2], self.two[:2])

    @property
    def overlap(self) -> FloatArray:
        """The area that both have in common."""
        width, height = np.minimum(self.one[2:], self.two[2:]) - np.maximum(self.one[:2], self.two[:2])
        return choose((width > 0) & (height > 0), width * height, 0.0)

    @property
    def areas(self) -> FloatArray:
        """The sum of the areas."""
        one, two = self.sides
        return np.asarray(one[0] * one[1] + two[0] * two[1])

    @property
    def offset(self) -> FloatArray:
        """The squared distance of the centres."""
        across = 0.5 * (self.one[:2] + self.one[2:] - self.two[:2] - self.two[2:])
        return np.asarray(across[0] * across[0] + across[1] * across[1])

    @property
    def angle(self) -> FloatArray:
        """The difference of the angles of the diagonals."""
        (w1, h1), (w2, h2) = self.sides
        return np.asarray(np.arctan2(w2 * h1 - w1 * h2, h1 * h2 + w1 * w2))

    @property
    def is_regular(self) -> np.ndarray:
        """Whether neither box is turned inside out, so that no area cancels another."""
        one, two = self.sides
        return np.asarray((one > 0).all(axis=0) & (two > 0).all(axis=0))


class Box:
    """Boxes as their sides, which are what they are, and what is between, to twice the digits."""

    def __init__(self, left: FloatArray, top: FloatArray, right: FloatArray, bottom: FloatArray) -> None:
        self.left, self.top, self.right, self.bottom = left, top, right, bottom

    @cached_property
    def width(self) -> Double:
        """From left to right."""
        return Double.difference(self.right, self.left)

    @cached_property
    def height(self) -> Double:
        """From top to bottom."""
        return Double.difference(self.bottom, self.top)

    @cached_property
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
    union: Double
    """The area that either covers."""
    eps: FloatArray
    """What is added to divisors, in the units of the boxes."""
    exponent: IndexArray
    """The power of two by which boxes were divided that are so large, or small, that areas would suffer."""

    @classmethod
    def of(cls, input: FloatArray, target: FloatArray, eps: float, *, scaled: bool = True) -> "Pair":
        """The pairs of the rows of two arrays; boxes without common ground overlap in a box without area."""
        both = np.maximum(np.abs(input), np.abs(target))
        exponent = scale_exponent(both) if scaled else np.zeros((*both.shape[:-1], 1), dtype=np.int64)
        scaled_boxes = (np.ldexp(x, -exponent) if exponent.any() else x for x in (input, target))
        one, two = (Box(*np.ascontiguousarray(np.moveaxis(boxes, -1, 0))) for boxes in scaled_boxes)
        left, top = np.maximum(one.left, two.left), np.maximum(one.top, two.top)
        right, bottom = np.minimum(one.right, two.right), np.minimum(one.bottom, two.bottom)
        overlap = Box(left, top, choose((right <= left) | (bottom <= top), left, right), bottom)
        hull = Box(
            np.minimum(one.left, two.left),
            np.minimum(one.top, two.top),
            np.maximum(one.right, two.right),
            np.maximum(one.bottom, two.bottom),
        )
        union = one.area + two.area - overlap.area
        # Beside an eps beyond 1e300 no area shows.
        own_eps = np.minimum(np.ldexp(eps, -2 * exponent[..., 0]), 1e300)
        return cls(one, two, overlap, hull, union, own_eps, exponent)

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
        return self.overlap.area_slope() * inner * row(is_overlap.astype(np.float64))

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
        across = (Double(one.left) + one.right - two.left - two.right) * 0.5
        return across, (Double(one.top) + one.bottom - two.top - two.bottom) * 0.5


def row(values: FloatArray) -> FloatArray:
    """Numbers beside the axis of the four sides."""
    return values[..., np.newaxis]
