"""Numbers with exponents of their own, for products of many probabilities, which no float64 can hold."""

from typing import NamedTuple

import numpy as np

from losscalc.core.array import FloatArray, IndexArray
from losscalc.core.double import Double, where
from losscalc.core.exponential import LN2, exp, log

# The exponent of zero: below that of any product.
_NOTHING = -float(np.finfo(np.float64).max)
# Beyond this distance of exponents the smaller summand does not show.
_FAR = -1000


class Wide(NamedTuple):
    """mantissa · 2^exponent, with mantissas from ½ to 1."""

    mantissa: Double
    exponent: FloatArray
    """Whole numbers; beyond 2^53 they are rounded like any other."""

    @classmethod
    def of(cls, values: FloatArray) -> "Wide":
        """Numbers as they are."""
        return cls(Double(values), np.zeros(values.shape))._normal()

    @classmethod
    def exp(cls, values: FloatArray) -> "Wide":
        """exp(x), however large or small that is."""
        return cls(*exp(values))._normal()

    def log(self) -> Double:
        """The logarithm, exact where the number is close to 1."""
        near = np.where(np.abs(self.exponent) < 1000, self.exponent, 0.0)
        nothing = self.mantissa.high == 0
        far = np.where(nothing, 0.0, self.exponent - near)
        return log(self.mantissa.scaled(near)) + LN2 * far

    def over(self, other: "Wide") -> FloatArray:
        """The quotient as a float64."""
        return (self.mantissa / other.mantissa).scaled(self.exponent - other.exponent).value

    def chosen(self, condition: np.ndarray, other: "Wide") -> "Wide":
        """These numbers where the condition holds, the others elsewhere."""
        return Wide(
            where(condition, self.mantissa, other.mantissa),
            np.where(condition, self.exponent, other.exponent),
        )

    def shifted(self, places: int) -> "Wide":
        """The row moved to the right, or, by a negative number of places, to the left; zeros come in."""
        length = self.exponent.shape[-1]
        nothing = Wide.of(np.zeros((*self.exponent.shape[:-1], min(abs(places), length))))
        kept = slice(0, max(length - places, 0)) if places > 0 else slice(min(-places, length), length)
        parts = [nothing, self._columns(kept)] if places > 0 else [self._columns(kept), nothing]
        return Wide(
            Double(
                np.concatenate([p.mantissa.high for p in parts], axis=-1),
                np.concatenate([p.mantissa.low for p in parts], axis=-1),
            ),
            np.concatenate([p.exponent for p in parts], axis=-1),
        )

    def at(self, place: int) -> "Wide":
        """The numbers at a place of axis 0."""
        return Wide(self.mantissa[place], self.exponent[place])

    def picked(self, column: IndexArray) -> "Wide":
        """One number of each row."""
        index = (np.arange(len(column)), column)
        return Wide(self.mantissa[index], self.exponent[index])

    def plus(self, other: "Wide") -> "Wide":
        """The sum."""
        exponent = np.maximum(self.exponent, other.exponent)
        one = self.mantissa.scaled(np.maximum(self.exponent - exponent, _FAR))
        two = other.mantissa.scaled(np.maximum(other.exponent - exponent, _FAR))
        return Wide(one + two, exponent)._normal()

    def times(self, other: "Wide") -> "Wide":
        """The product; what is impossible stays so, whatever follows, even NaN."""
        product = self.mantissa * other.mantissa
        nothing = (self.mantissa.high == 0) | (other.mantissa.high == 0)
        product = where(nothing, Double(np.zeros(nothing.shape)), product)
        # Of nothing and nothing the exponents overflow, and do not count.
        with np.errstate(over="ignore"):
            exponent = self.exponent + other.exponent
        return Wide(product, exponent)._normal()

    def _columns(self, kept: slice) -> "Wide":
        return Wide(self.mantissa[..., kept], self.exponent[..., kept])

    def _normal(self) -> "Wide":
        shift = np.frexp(self.mantissa.high)[1]
        exponent = np.where(self.mantissa.high == 0, _NOTHING, self.exponent + shift)
        mantissa = self.mantissa.scaled(-shift)
        return Wide(Double(mantissa.high, np.broadcast_to(mantissa.low, mantissa.high.shape)), exponent)
