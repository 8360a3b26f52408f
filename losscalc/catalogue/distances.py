"""Distances of the rows of two arrays, with their derivatives."""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

import numpy as np

from losscalc.core.array import FloatArray
from losscalc.core.double import Double, maximum, scale_exponent, where
from losscalc.core.exponential import power
from losscalc.core.matrices import inner
from losscalc.core.precision import is_narrow
from losscalc.errors import DTypeError, ParameterError, ShapeError


class Distance(Protocol):
    """How far two vectors are apart; vectors lie along the last axis."""

    @property
    def is_rowwise(self) -> bool:
        """Whether the distance of two rows depends on no other rows."""

    def between(self, u: FloatArray, v: FloatArray) -> Double:
        """The distances."""

    def brief(self, u: FloatArray, v: FloatArray) -> Double:
        """The distances to 67 bits, or to those of float64 where results have fewer: what is quicker."""

    def gradients(self, u: FloatArray, v: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The derivatives with respect to u and to v."""


class Norm(NamedTuple):
    """‖u - v + eps‖_p; 0 counts what is not zero, infinity takes the largest, -infinity the smallest."""

    p: float
    eps: float = 0.0

    @property
    def is_rowwise(self) -> bool:
        """Always."""
        return True

    def between(self, u: FloatArray, v: FloatArray) -> Double:
        """The distances."""
        size = (Double(u) - v + self.eps).abs()
        if self.p == 0:
            return Double(np.where(np.isnan(size.value), np.nan, size.value != 0).sum(axis=-1))
        if math.isinf(self.p):
            return _extreme(size, largest=self.p > 0)
        if self.p == 1:
            return size.sum()
        if self.p == 2:
            exponent = scale_exponent(size.high)
            size = size.scaled(-exponent)
            return (size * size).sum().sqrt().scaled(exponent[..., 0])
        # Divided by the largest, no power overflows; an infinite one is infinite by itself.
        peak = size.high.max(axis=-1, keepdims=True, initial=0.0)
        unit = np.where((peak > 0) & np.isfinite(peak), peak, 1.0)
        total = power(size / Double(unit), self.p).sum()
        return power(total, Double(np.asarray(1.0)) / self.p) * unit[..., 0]

    def brief(self, u: FloatArray, v: FloatArray) -> Double:
        """The distances, without regard to squares that overflow or vanish."""
        if self.p != 2:
            return self.between(u, v)
        difference = Double(u - v + self.eps) if is_narrow() else Double.difference(u, v) + self.eps
        return inner(difference, difference).sqrt()

    def gradients(self, u: FloatArray, v: FloatArray) -> tuple[FloatArray, FloatArray]:
        """sign(d)·(|d| / ‖d‖)^(p-1), and 0 where d is 0; of equal extremes each has its share."""
        difference = (Double(u) - v + self.eps).value
        size = np.abs(difference)
        length = self.between(u, v).value[..., np.newaxis]
        sign = np.sign(difference)
        if self.p == 0:
            slope = np.zeros_like(difference)
        elif math.isinf(self.p):
            first = size == length
            slope = sign * first / np.maximum(first.sum(axis=-1, keepdims=True), 1)
        elif self.p == 2:
            slope = np.where(length == 0, 0.0, difference / length)
        else:
            slope = np.where(size == 0, 0.0, sign * (size / length) ** (self.p - 1.0))
        return slope, -slope


class SquaredEuclidean(NamedTuple):
    """Σ (u - v)²."""

    @property
    def is_rowwise(self) -> bool:
        """Always."""
        return True

    def between(self, u: FloatArray, v: FloatArray) -> Double:
        """The distances."""
        difference = Double(u) - v
        return (difference * difference).sum()

    def brief(self, u: FloatArray, v: FloatArray) -> Double:
        """The same."""
        return self.between(u, v)

    def gradients(self, u: FloatArray, v: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Twice the difference."""
        return 2.0 * (u - v), 2.0 * (v - u)


class Cosine(NamedTuple):
    """1 - u·v / (max(‖u‖, eps)·max(‖v‖, eps)), with the eps of PyTorch's cosine_similarity."""

    eps: float = 1e-8

    @property
    def is_rowwise(self) -> bool:
        """Always."""
        return True

    def between(self, u: FloatArray, v: FloatArray) -> Double:
        """The distances."""
        one, other, lengths = self._units(u, v)
        similarity = (one * other).sum()
        gap = one - other
        # 1 - û·v̂ = ½·‖û - v̂‖² keeps the digits of a small distance; too short vectors are no units.
        short = (lengths[0].value <= self.eps) | (lengths[1].value <= self.eps)
        return where(short, Double(np.ones(short.shape)) - similarity, (gap * gap).sum() * 0.5)

    def brief(self, u: FloatArray, v: FloatArray) -> Double:
        """The same."""
        return self.between(u, v)

    def gradients(self, u: FloatArray, v: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(similarity·u/‖u‖ - v/‖v‖) / ‖u‖, and the same of v."""
        one, other, lengths = self._units(u, v)
        similarity = (one * other).sum().value[..., np.newaxis]
        slopes = [
            (similarity * _direction(x) - unit.value) / length.value[..., np.newaxis]
            for x, unit, length in ((u, other, lengths[0]), (v, one, lengths[1]))
        ]
        return slopes[0], slopes[1]

    def _units(self, u: FloatArray, v: FloatArray) -> tuple[Double, Double, tuple[Double, Double]]:
        """The vectors over their lengths, and these."""
        one, other = (
            maximum(Norm(2.0).between(x, np.zeros_like(x)), Double(np.full(x.shape[:-1], self.eps)))
            for x in (u, v)
        )
        return Double(u) / one[..., np.newaxis], Double(v) / other[..., np.newaxis], (one, other)


class Custom(NamedTuple):
    """A function of two arrays of vectors, which says nothing of its derivative."""

    function: Callable[[FloatArray, FloatArray], Any]

    @property
    def is_rowwise(self) -> bool:
        """Nobody knows."""
        return False

    def between(self, u: FloatArray, v: FloatArray) -> Double:
        """What the function gives, one number a row."""
        rows = np.broadcast_shapes(u.shape, v.shape)[:-1]
        try:
            given = np.asarray(self.function(_read_only(u), _read_only(v)))
        except ValueError as error:
            raise DTypeError(
                f"the distance function failed: {error}", argument="distance_function"
            ) from error
        if given.dtype.kind not in "fiu" or isinstance(given, np.ma.MaskedArray) or given.shape != rows:
            raise ShapeError(
                "the distance function must give one real number a row",
                found=f"shape {given.shape} of {given.dtype}",
                argument="distance_function",
                hint="vectors lie along the last axis, as in numpy.linalg.norm(u - v, axis=-1)",
            )
        return Double(given.astype(np.float64))

    def brief(self, u: FloatArray, v: FloatArray) -> Double:
        """The same."""
        return self.between(u, v)

    def gradients(self, u: FloatArray, v: FloatArray) -> tuple[FloatArray, FloatArray]:
        """A function alone has none."""
        raise ParameterError(
            "there is no gradient of a function of your own",
            argument="distance_function",
            hint=f"choose one of {', '.join(DISTANCES)}",
        )


DISTANCES: Mapping[str, Distance] = MappingProxyType(
    {
        "pairwise": Norm(2.0, eps=1e-6),
        "euclidean": Norm(2.0),
        "squared-euclidean": SquaredEuclidean(),
        "manhattan": Norm(1.0),
        "chebyshev": Norm(math.inf),
        "cosine": Cosine(),
    }
)
"""The distances that have a name; pairwise is PyTorch's default, euclidean with 1e-6 added everywhere."""


def _read_only(values: FloatArray) -> FloatArray:
    view = values.view()
    view.flags.writeable = False
    return view


def _direction(x: FloatArray) -> FloatArray:
    """The vectors over their own lengths, however short: PyTorch does not differentiate its bound."""
    length = Norm(2.0).between(x, np.zeros_like(x)).value[..., np.newaxis]
    return np.where(length == 0, 0.0, x / length)


def _extreme(size: Double, *, largest: bool) -> Double:
    """The largest or smallest of each row, in the pairs that they are; NaN where there is one."""
    high = size.high
    if not high.shape[-1]:
        return Double(np.zeros(high.shape[:-1]))
    value = size.value
    index = (np.argmax if largest else np.argmin)(value, axis=-1)[..., np.newaxis]
    low = np.take_along_axis(np.broadcast_to(size.low, high.shape), index, axis=-1)
    return Double(np.take_along_axis(high, index, axis=-1), low)[..., 0]
