"""Numbers together with what they lost to rounding, where exp would make much of it.

exp(u) is wrong by as many ULP as u is large: an error of half an ULP of 20 makes one of 10 ULP.
"""

from typing import NamedTuple

import numpy as np

from losscalc.core.array import FloatArray


class Rounded(NamedTuple):
    """A number that was rounded, and what was lost: their sum is exact, or nearly so."""

    value: FloatArray
    error: FloatArray

    @classmethod
    def of(cls, value: FloatArray, error: FloatArray) -> "Rounded":
        """Both; beyond the range of float64 nothing is known of the error."""
        return cls(value, np.where(error - error == 0, error, 0.0))


def added(one: FloatArray, other: FloatArray) -> Rounded:
    """a + b and the error of it (TwoSum, Knuth)."""
    value = one + other
    part = value - one
    return Rounded.of(value, (one - (value - part)) + (other - part))


def subtracted(one: FloatArray, other: FloatArray) -> Rounded:
    """a - b and the error of it."""
    return added(one, -other)


def summed(x: FloatArray) -> Rounded:
    """Σ x over the last axis and the error of it, that of all additions."""
    whole = Rounded(np.zeros(x.shape[:-1]), np.zeros(x.shape[:-1]))
    for column in np.moveaxis(x, -1, 0):
        value, error = added(whole.value, column)
        whole = Rounded(value, whole.error + error)
    return whole


def multiplied(factor: float, number: Rounded) -> Rounded:
    """c·x and the error of it: the error of c·x as a product of halves (Dekker), and c times that of x."""
    c, x = np.asarray(factor), number.value
    value = c * x
    (high, low), (upper, lower) = _halves(c), _halves(x)
    error = low * lower - (((value - high * upper) - low * upper) - high * lower)
    return Rounded.of(value, error + c * number.error)


def exp(number: Rounded) -> FloatArray:
    """exp(u + e) = exp(u)·(1 + e); e is below -1 only where exp(u) is 0 or infinite, and stays so."""
    return np.asarray(np.exp(number.value) * (1.0 + np.maximum(number.error, -0.5)))


def _halves(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The upper 26 bits of numbers, and the others (Veltkamp)."""
    spread = 134217729.0 * x
    high = spread - (spread - x)
    return high, x - high
