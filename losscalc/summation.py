"""Sums that keep every digit, however many blocks they are added up from."""

import math
from dataclasses import dataclass

import numpy as np

from losscalc.double import FloatArray

# Every finite float64 is a whole number of 2^-1074, the smallest of them.
_UNIT_BITS = 1074


@dataclass(frozen=True, slots=True)
class Sum:
    """An exact sum of float64 numbers: a whole number of 2^-1074, and what was not finite.

    Python's integers neither round nor overflow, so `+` is associative: partial sums give the
    same bits in whatever order they are merged.

    >>> float(Sum.of(1e308) + Sum.of(1e308) + Sum.of(-1e308))
    1e+308
    """

    units: int = 0
    special: float = 0.0

    @classmethod
    def of(cls, value: float) -> "Sum":
        """The sum of one number."""
        if not math.isfinite(value):
            return cls(0, value)
        numerator, denominator = value.as_integer_ratio()
        return cls(numerator << (_UNIT_BITS - denominator.bit_length() + 1))

    def __add__(self, other: "Sum") -> "Sum":
        return Sum(self.units + other.units, self.special + other.special)

    def __float__(self) -> float:
        return quotient(self, Sum(1 << _UNIT_BITS))


EMPTY = Sum()
"""The sum of no numbers."""


def quotient(numerator: Sum, denominator: Sum) -> float:
    """numerator / denominator, rounded once; division by zero as IEEE defines it.

    >>> quotient(Sum.of(1.0), Sum.of(3.0)), quotient(Sum(), Sum())
    (0.3333333333333333, nan)
    """
    if numerator.special != 0 or denominator.special != 0:
        above, below = (s.special or (-1.0 if s.units < 0 else 1.0) for s in (numerator, denominator))
        return above / below
    if denominator.units == 0:
        return math.nan if numerator.units == 0 else math.inf if numerator.units > 0 else -math.inf
    try:
        return numerator.units / denominator.units
    except OverflowError:
        return math.inf if (numerator.units > 0) == (denominator.units > 0) else -math.inf


def total(values: FloatArray) -> Sum:
    """The sum of an array, to about 70 bits.

    Adding and subtracting a power of two that dwarfs the whole sum cuts each number at one
    common bit. The high parts then add up without any rounding, and what rounding does to the
    sum of the low parts is 2^-35 of what it would do to the numbers themselves (Rump, Ogita and
    Oishi, "Accurate floating-point summation", 2008).
    """
    flat = values.reshape(-1)
    if flat.size == 0:
        return Sum()
    peak = float(np.abs(flat).max())
    if not math.isfinite(peak):
        finite = np.isfinite(flat)
        return total(flat[finite]) + Sum(special=sum(flat[~finite].tolist()))
    exponent = math.frexp(peak)[1] + flat.size.bit_length() + 1
    if exponent > 1023:
        return Sum(total(flat * 2.0**-64).units << 64)
    cut = 2.0**exponent
    high = (flat + cut) - cut
    return Sum.of(float(high.sum())) + Sum.of(float((flat - high).sum()))
