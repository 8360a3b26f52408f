"""Distances of the rows of two arrays, with their derivatives."""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

import numpy as np

from losscalc.core.array import FloatArray
from losscalc.core.stable import dot, length, number
from losscalc.errors import DTypeError, ParameterError, ShapeError


class Distance(Protocol):
    """A distance of two vectors, which lie along the last axis."""

    @property
    def formula(self) -> str:
        """The distance of u and v as a formula, with ε for `eps`; empty if there is none."""

    @property
    def eps(self) -> float:
        """The number that is added to a difference, or the least length of a vector."""

    @property
    def is_rowwise(self) -> bool:
        """Whether the distance of two rows depends on these rows alone."""

    def between(self, u: FloatArray, v: FloatArray) -> FloatArray:
        """The distances."""

    def gradients(self, u: FloatArray, v: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The derivatives of the distances with respect to u and to v."""


class Norm(NamedTuple):
    """‖u - v + eps‖_p, where p = 0 counts what is not 0, ∞ takes the largest and -∞ the smallest.

    With `once`, `eps` is added to the sum of the powers, as if the difference had one more component.
    """

    p: float
    eps: float = 0.0
    once: bool = False

    @property
    def formula(self) -> str:
        if self.once:
            return "√(Σ (u - v)² + ε)" if self.p == 2 else "(Σ |u - v|^p + ε)^(1/p)"
        difference = "u - v + ε" if self.eps else "u - v"
        special = {
            0: f"Σ (1 if {difference} ≠ 0, else 0)",
            1: f"Σ |{difference}|",
            2: f"√(Σ ({difference})²)",
            math.inf: f"max |{difference}|",
            -math.inf: f"min |{difference}|",
        }
        return special.get(self.p, f"(Σ |{difference}|^p)^(1/p)")

    @property
    def is_rowwise(self) -> bool:
        return True

    def between(self, u: FloatArray, v: FloatArray) -> FloatArray:
        difference = self._difference(u, v)
        if self.p == 2:
            return length(difference)
        size = np.abs(np.ascontiguousarray(difference))
        if self.p == 0:
            return np.asarray(np.sign(size).sum(axis=-1))
        if self.p == 1:
            return np.asarray(size.sum(axis=-1))
        extreme = _largest(size) if self.p > 0 else _smallest(size)
        if math.isinf(self.p):
            return extreme
        # Divided by the largest (for p < 0, the smallest), no power overflows.
        unit = np.where((extreme > 0) & (extreme < np.inf), extreme, 1.0)
        powers = (size / unit[..., np.newaxis]) ** self.p
        return np.asarray(powers.sum(axis=-1) ** (number(1.0, size) / self.p) * unit)

    def gradients(self, u: FloatArray, v: FloatArray) -> tuple[FloatArray, FloatArray]:
        """sign(d)·(|d| / ‖d‖)^(p-1), and 0 where d is 0; equal extremes share the slope evenly."""
        slope = self._difference(u, v)
        if self.p == 2:
            whole = length(slope)[..., np.newaxis]
            slope /= whole
            slope[whole[..., 0] == 0] = 0.0
        else:
            slope = self._slope(slope, self.between(u, v)[..., np.newaxis])
        slope = slope[..., :-1] if self.once else slope
        return slope, -slope

    def _slope(self, difference: FloatArray, whole: FloatArray) -> FloatArray:
        """That of any degree, from the distances, (..., 1)."""
        if self.p == 0:
            return np.zeros_like(difference)
        size, sign = np.abs(difference), np.sign(difference)
        if math.isinf(self.p):
            first = size == whole
            return np.asarray(sign * first / np.maximum(first.sum(axis=-1, keepdims=True), 1))
        return np.where(size == 0, 0.0, sign * (size / whole) ** (self.p - 1.0))

    def _difference(self, u: FloatArray, v: FloatArray) -> FloatArray:
        difference = u - v
        if self.once:
            root = np.asarray(self.eps) ** (1.0 / self.p)
            more = np.broadcast_to(root, (*difference.shape[:-1], 1))
            return np.concatenate([difference, more], axis=-1)
        if self.eps:
            difference += self.eps
        return difference


class SquaredEuclidean(NamedTuple):
    """Σ (u - v)²."""

    eps: float = 0.0
    formula: str = "Σ (u - v)²"

    @property
    def is_rowwise(self) -> bool:
        return True

    def between(self, u: FloatArray, v: FloatArray) -> FloatArray:
        difference = u - v
        return dot(difference, difference)

    def gradients(self, u: FloatArray, v: FloatArray) -> tuple[FloatArray, FloatArray]:
        return 2.0 * (u - v), 2.0 * (v - u)


class Cosine(NamedTuple):
    """1 - u·v / (max(‖u‖, eps)·max(‖v‖, eps)), with the eps of PyTorch's cosine_similarity."""

    eps: float = 1e-8
    formula: str = "1 - (Σ u·v) / (max(√(Σ u²), ε)·max(√(Σ v²), ε))"

    @property
    def is_rowwise(self) -> bool:
        return True

    def between(self, u: FloatArray, v: FloatArray) -> FloatArray:
        one, other = self._lengths(u, v)
        unit, partner = u / one[..., np.newaxis], v / other[..., np.newaxis]
        gap = unit - partner
        # 1 - û·v̂ = ½·‖û - v̂‖² stays accurate for small distances. It holds for unit vectors only, which
        # vectors shorter than eps do not become.
        short = (one <= self.eps) | (other <= self.eps)
        return np.where(short, 1.0 - dot(unit, partner), 0.5 * dot(gap, gap))

    def gradients(self, u: FloatArray, v: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(similarity·u/‖u‖ - v/‖v‖) / ‖u‖, and the same of v."""
        one, other = (size[..., np.newaxis] for size in self._lengths(u, v))
        unit, partner = u / one, v / other
        similarity = dot(unit, partner)[..., np.newaxis]
        return (similarity * _direction(u) - partner) / one, (similarity * _direction(v) - unit) / other

    def _lengths(self, u: FloatArray, v: FloatArray) -> tuple[FloatArray, FloatArray]:
        # Of one vector of objects, NumPy gives an object, and no array.
        return np.asarray(np.maximum(length(u), self.eps)), np.asarray(np.maximum(length(v), self.eps))


class Custom(NamedTuple):
    """A function of the user's, of two arrays of vectors; its derivative is not known."""

    function: Callable[[FloatArray, FloatArray], Any]
    eps: float = 0.0
    formula: str = ""

    @property
    def is_rowwise(self) -> bool:
        return False

    def between(self, u: FloatArray, v: FloatArray) -> FloatArray:
        rows = np.broadcast_shapes(u.shape, v.shape)[:-1]
        try:
            given = np.asarray(self.function(_read_only(u), _read_only(v)))
        except (AttributeError, RuntimeError, TypeError, ValueError) as error:
            raise DTypeError(
                f"the distance function failed: {str(error).strip().partition(chr(10))[0]}",
                argument="distance_function",
                hint="it gets two arrays of NumPy, of float64",
            ) from error
        if given.dtype.kind not in "fiu" or isinstance(given, np.ma.MaskedArray) or given.shape != rows:
            raise ShapeError(
                "the distance function must give one real number per row",
                found=f"shape {given.shape} of {given.dtype}",
                argument="distance_function",
                hint="vectors lie along the last axis, as in numpy.linalg.norm(u - v, axis=-1)",
            )
        return given.astype(np.float64)

    def gradients(self, u: FloatArray, v: FloatArray) -> tuple[FloatArray, FloatArray]:
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
"""The distances by name; pairwise is PyTorch's default, euclidean with 1e-6 added to each difference."""


def _read_only(values: FloatArray) -> FloatArray:
    view = values.view()
    view.flags.writeable = False
    return view


def _direction(x: FloatArray) -> FloatArray:
    """The unit vectors, even of those shorter than eps: PyTorch does not differentiate that bound."""
    whole = length(x)[..., np.newaxis]
    return np.where(whole == 0, 0.0, x / whole)


def _largest(size: FloatArray) -> FloatArray:
    return np.asarray(size.max(axis=-1, initial=0.0))


def _smallest(size: FloatArray) -> FloatArray:
    """The smallest of each row; 0 for rows without numbers."""
    return np.asarray(size.min(axis=-1)) if size.shape[-1] else np.zeros(size.shape[:-1])
