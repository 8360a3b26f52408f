"""Numbers of twice the digits, for the few places where one float64 is not enough."""

from typing import Any

import numpy as np

from losscalc.core.array import FloatArray, IndexArray

# In float64, squares of larger powers of two overflow, and those of smaller ones lose digits or vanish.
_LARGE = 400
# The powers of two of which a float64 is made by writing its exponent.
_FACTORS = 1000
# The sign, the exponent and the first 26 bits (one of them is not stored) of a float64.
_FIRST_BITS = np.int64(-1 << 27)


def product(coefficient: FloatArray, value: FloatArray) -> FloatArray:
    """coefficient · value, where a coefficient of zero wins over an infinite value.

    That is the limit of c·v for c = 0 as v grows, where IEEE multiplication gives NaN.
    """
    result = coefficient * value
    if np.isinf(value).any():
        result = np.where((coefficient == 0) & np.isinf(value), 0.0, result)
    return result


class Double:
    """A sum high + low of two float64 that is not carried out: about twice the digits of one.

    Sums and products of such pairs lose nothing that shows in their value, which is rounded once. The
    error of a rounded sum or product is itself a float64, and found by TwoSum (Knuth) and TwoProduct
    (Dekker); where the result is not finite, or the way there overflows, there is none.
    """

    __array_ufunc__ = None
    __slots__ = ("high", "low")

    def __init__(self, high: FloatArray, low: FloatArray | float = 0.0) -> None:
        self.high, self.low = high, np.asarray(low)

    @classmethod
    def difference(cls, one: FloatArray, other: FloatArray) -> "Double":
        """one - other, exactly (TwoDiff)."""
        total = one - other
        part = total - one
        return cls(total, finite((one - (total - part)) - (other + part)))

    @property
    def value(self) -> FloatArray:
        """The nearest float64."""
        total: FloatArray = self.high + self.low
        return total

    def __add__(self, other: "Double | FloatArray | float") -> "Double":
        other = _double(other)
        total = self.high + other.high
        part = total - self.high
        error = (self.high - (total - part)) + (other.high - part)
        return _normal(total, finite(error + (self.low + other.low)))

    def __mul__(self, other: "Double | FloatArray | float") -> "Double":
        other = _double(other)
        result = self.high * other.high
        a, b = _halves(self.high), _halves(other.high)
        error = ((a.high * b.high - result) + a.high * b.low + a.low * b.high) + a.low * b.low
        # Each by itself: where factors are too large to be halved, the rest still counts.
        return Double(result, finite(error) + finite(self.high * other.low + self.low * other.high))

    def shared(self, share: "Double | FloatArray | float") -> "Double":
        """The product with a share, of which zero wins over an infinite value, as in `product`."""
        share = _double(share)
        whole = self * share
        return Double(product(share.high, self.high), whole.low)

    def __truediv__(self, other: "Double | float") -> "Double":
        """The quotient: the rest that the rounded quotient leaves is divided once more."""
        other = _double(other)
        quotient = self.high / other.high
        back = Double(quotient) * other
        return Double(quotient, finite(((self.high - back.high) - back.low + self.low) / other.high))

    def __neg__(self) -> "Double":
        return Double(-self.high, -self.low)

    def __sub__(self, other: "Double | FloatArray | float") -> "Double":
        return self + -_double(other)

    def __getitem__(self, index: Any) -> "Double":
        return Double(self.high[index], np.broadcast_to(self.low, self.high.shape)[index])

    def scaled(self, exponent: FloatArray | IndexArray | int) -> "Double":
        """The product with a power of two, which is exact where it is not subnormal."""
        whole = np.asarray(exponent).astype(np.int64)
        if whole.size and whole.min() >= -_FACTORS and whole.max() <= _FACTORS:
            # 2^k has no mantissa, and the exponent 1023 + k.
            factor = np.asarray((whole + 1023) << 52).view(np.float64)
            return Double(self.high * factor, finite(self.low * factor))
        whole = np.clip(exponent, -5000, 5000).astype(np.int64)
        return Double(np.ldexp(self.high, whole), finite(np.ldexp(self.low, whole)))

    def sqrt(self) -> "Double":
        """The square root: what its square lacks is divided by twice the root."""
        root = np.sqrt(self.high)
        rest = ((Double(root) * -root) + self).value
        return Double(root, finite(rest / (2.0 * root)))

    def abs(self) -> "Double":
        """The absolute value."""
        sign = np.copysign(1.0, self.high)
        return Double(self.high * sign, self.low * sign)

    def sum(self) -> "Double":
        """The sum over the last axis.

        Adding and subtracting a power of two that dwarfs the sum cuts the numbers of a row at one
        common bit. The high parts add up exactly, and the rounding of the low parts hardly matters.
        """
        peak = np.abs(self.high).max(axis=-1, keepdims=True, initial=0.0)
        cut = np.ldexp(1.0, np.frexp(peak)[1] + self.high.shape[-1].bit_length() + 1)
        high = (self.high + cut) - cut
        total = high.sum(axis=-1)
        low = ((self.high - high) + self.low).sum(axis=-1)
        # What is not finite, or too large to be cut, is summed as it is.
        safe = np.isfinite(total) & np.isfinite(low)
        return _normal(total if safe.all() else np.where(safe, total, self.high.sum(axis=-1)), finite(low))

    def mean(self) -> "Double":
        """The mean over the last axis, also where the sum would overflow."""
        exponent = scale_exponent(self.high)
        total = self.scaled(-exponent).sum() if exponent.any() else self.sum()
        return (total / float(self.high.shape[-1])).scaled(exponent[..., 0])


def scale_exponent(values: FloatArray) -> IndexArray:
    """The powers of two that bring rows near 1, 0 where their squares are no danger anyway."""
    exponent = np.frexp(np.abs(values).max(axis=-1, keepdims=True, initial=0.0))[1]
    return np.where(np.abs(exponent) > _LARGE, exponent, 0).astype(np.int64)


def choose(condition: np.ndarray, one: FloatArray | float, other: FloatArray | float) -> FloatArray:
    """`numpy.where` without a branch for each element, which costs three times as much where none is likely.

    With a mask of all bits or none, b ^ ((a ^ b) & mask) is a or b.
    """
    return _chosen(_mask(condition), one, other)


def where(condition: np.ndarray, one: Double, other: Double) -> Double:
    """Elements of one where the condition holds, of the other elsewhere."""
    mask = _mask(condition)
    return Double(_chosen(mask, one.high, other.high), _chosen(mask, one.low, other.low))


def _mask(condition: np.ndarray) -> IndexArray:
    return -np.asarray(condition).astype(np.int64)


def _chosen(mask: IndexArray, one: FloatArray | float, other: FloatArray | float) -> FloatArray:
    a, b = (np.asarray(x, dtype=np.float64, order="C").view(np.int64) for x in (one, other))
    return np.asarray(b ^ ((a ^ b) & mask)).view(np.float64)


def maximum(one: Double, other: Double) -> Double:
    """The larger of two numbers, and NaN beside NaN."""
    larger = (one - other).value
    return where((larger >= 0) | np.isnan(one.high), one, other)


def minimum(one: Double, other: Double) -> Double:
    """The smaller of two numbers, and NaN beside NaN."""
    return -maximum(-one, -other)


def _double(value: "Double | FloatArray | float") -> Double:
    return value if isinstance(value, Double) else Double(np.asarray(value))


def _normal(high: FloatArray, low: FloatArray) -> Double:
    """A pair whose low part is what the rounding of the whole leaves: products rely on that."""
    total = high + low
    return Double(total, finite(low - (total - high)))


def upper(value: FloatArray) -> FloatArray:
    """The first 26 bits of each number, of which products with one another are exact."""
    return (np.asarray(value, order="C").view(np.int64) & _FIRST_BITS).view(np.float64)


def _halves(value: FloatArray) -> Double:
    """A float64 as two numbers of 26 bits, whose products are exact (Veltkamp)."""
    scaled = value * 134217729.0
    high = scaled - (scaled - value)
    return Double(high, value - high)


def finite(error: FloatArray) -> FloatArray:
    """The error of a rounded result, none where that is not finite."""
    known = np.isfinite(error)
    return error if known.all() else np.where(known, error, 0.0)
