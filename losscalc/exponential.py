"""Exponential and logarithm to about 68 bits, for differences in which a float64 would cancel."""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from losscalc.double import Double, FloatArray, where

if TYPE_CHECKING:
    from decimal import Decimal

# Tables are kept for multiples of 1/64: what is left is below 2^-7, of which short series are enough.
_STEPS = 64
# Beyond it multiples of ln 2 would not leave the digits that the rest needs.
_HUGE = 2.0**40
LN2 = Double(np.array(0.6931471805599453), 2.3190468138462996e-17)


def exp(x: Double | FloatArray) -> tuple[Double, FloatArray]:
    """exp(x) as a number near 1 and a power of two, which may lie beyond the range of float64.

    x = k·ln 2 + j/64 + s, so that exp(x) = 2^k · exp(j/64) · exp(s), with |s| ≤ 1/128. Of an x beyond 2^40
    the fraction of k has no digits left to be told from 0.
    """
    x = x if isinstance(x, Double) else Double(x)
    regular = np.abs(x.high) < _HUGE
    inside = np.where(regular, x.high, 0.0)
    k = np.rint(inside / 0.6931471805599453)
    rest = Double(inside) - LN2 * k + np.where(regular, x.low, 0.0)
    j = np.rint(rest.high * _STEPS).astype(np.int64)
    value = _table(-_STEPS, _STEPS, _exp_of)[j + _STEPS] * _exp_small(rest - j / _STEPS)
    if not regular.all():
        # Infinite and NaN arguments are their own answer; others beyond are powers of two alone.
        finite = np.isfinite(x.high)
        value = where(regular, value, Double(np.where(finite, 1.0, np.exp(x.high))))
        k = np.where(regular, k, np.where(finite, np.rint(x.high / 0.6931471805599453), 0.0))
    return value, k


def log(x: Double | FloatArray) -> Double:
    """ln x. With x = 2^k·m and c the multiple of 1/64 next to m, it is k·ln 2 + ln c + ln(1 + (m - c)/c)."""
    x = x if isinstance(x, Double) else Double(x)
    mantissa, k = np.frexp(x.high)
    low_half = mantissa < 0.7071067811865476
    k = k - low_half
    m = x.scaled(-k)
    j = np.rint(np.where(np.isfinite(m.high), m.high, 1.0) * _STEPS).astype(np.int64)
    j = np.clip(j, _STEPS // 2, 2 * _STEPS)
    small = (m - j / _STEPS) / Double(j / _STEPS)
    value = LN2 * k.astype(np.float64) + _table(1, 2 * _STEPS, _log_of)[j - 1] + _log_small(small)
    return _where_regular(x.high, value, np.log(x.high))


def log1p(x: Double) -> Double:
    """ln(1 + x) for x ≥ 0; a small x has the series of its own, where 1 + x would lose its digits."""
    small = x.high < 1.0 / (2 * _STEPS)
    return where(small, _log_small(x), log(x + 1.0))


def power(base: Double, exponent: Double | float) -> Double:
    """base^exponent for base ≥ 0, by way of its logarithm."""
    value, k = exp(log(base) * exponent)
    regular = (base.high > 0) & (base.high < np.inf)
    plain = exponent.value if isinstance(exponent, Double) else exponent
    return where(regular, value.scaled(k), Double(np.power(base.high, plain)))


def _exp_small(s: Double) -> Double:
    """exp(s) of a small s: 1 + s + s²/2, and the rest of the series, which matters in its high part alone."""
    h = s.high
    tail = h * h * h / 6 * (1 + h / 4 * (1 + h / 5 * (1 + h / 6 * (1 + h / 7 * (1 + h / 8 * (1 + h / 9))))))
    return Double(np.ones_like(h)) + (s + (s * s * 0.5 + tail))


def _log_small(s: Double) -> Double:
    """ln(1 + s) of a small s: s - s²/2, and the rest of the series, which matters in its high part alone."""
    h = s.high
    tail = np.zeros_like(h)
    for n in range(14, 2, -1):
        tail = tail * h + (1.0 / n if n % 2 else -1.0 / n)
    return s + (s * s * -0.5 + h * h * h * tail)


def _where_regular(x: FloatArray, value: Double, special: FloatArray) -> Double:
    """The value, but at zero, infinity, negative numbers and NaN what float64 has to say."""
    regular = (x > 0) & (x < np.inf)
    return value if regular.all() else where(regular, value, Double(special))


@cache
def _table(first: int, last: int, function: Callable[[int], tuple[float, float]]) -> Double:
    """A function of the multiples of 1/64 from first to last."""
    pairs = np.array([function(j) for j in range(first, last + 1)])
    return Double(pairs[:, 0], pairs[:, 1])


def _exp_of(j: int) -> tuple[float, float]:
    """exp(j/64) as a sum of two numbers."""
    from decimal import Context, Decimal

    return _pair(Context(prec=40).exp(Decimal(j) / _STEPS))


def _log_of(j: int) -> tuple[float, float]:
    """ln(j/64) as a sum of two numbers."""
    from decimal import Context, Decimal

    return _pair(Context(prec=40).ln(Decimal(j) / _STEPS))


def _pair(exact: "Decimal") -> tuple[float, float]:
    high = float(exact)
    return high, float(exact - type(exact)(high))
