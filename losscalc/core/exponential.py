"""Exponential and logarithm to about 67 bits, for differences in which a float64 would cancel."""

from functools import cache
from math import isqrt
from typing import NamedTuple

import numpy as np

from losscalc.core.array import FloatArray
from losscalc.core.double import Double, upper, where

LN2 = Double(np.array(0.6931471805599453), 2.3190468138462996e-17)
# Beyond it multiples of ln 2 would not leave the digits that the rest needs.
_HUGE = 2.0**40
# Up to it the multiples of ln 2 / 128 that are taken away are exact.
_NEAR = 500.0
# Below it 1 + x keeps less than the 67 bits of x.
_SMALL = 2.0**-16
# Tables have 128 steps: what is left is below 2^-7, of which short series are enough.
_STEPS = 128
# 36 bits of ln 2 / 128 and what follows; 42 bits of ln 2 and what follows.
_STEP_HIGH, _STEP_LOW = float.fromhex("0x1.62e42fefap-8"), float.fromhex("0x1.cf79abc9e3b3ap-47")
_LN2_HIGH, _LN2_LOW = float.fromhex("0x1.62e42fefa38p-1"), float.fromhex("0x1.ef35793c7673p-45")
# Below it a float64 is subnormal, and its bits are no mantissa of 53.
_TINY = 2.0**-1022
# The bits of √½, where mantissas begin, and how many of them tell nothing of the step of the table.
_HALF_ROOT = 0x3FE6A09E667F3BCD
_SHIFT = 45
# The fraction bits of the whole numbers that tables are computed with.
_FIXED = 128


def exp(x: Double | FloatArray) -> tuple[Double, FloatArray]:
    """exp(x) as a number near 1 and a power of two, which may lie beyond the range of float64.

    x = (128·k + j)·ln 2/128 + r, so that exp(x) = 2^k · 2^(j/128) · exp(r), with |r| < 2^-8. Of an x beyond
    2^40 the fraction of k has no digits left to be told from 0.
    """
    x = x if isinstance(x, Double) else Double(x)
    near = np.abs(x.high) < _NEAR
    if not near.all():
        return _exp_of_all(x, near)
    n = np.rint(x.high * (_STEPS / 0.6931471805599453))
    steps = n.astype(np.int64)
    # Both exact: the product has 53 bits, and takes all bits from x that are larger than the rest.
    r = x.high - n * _STEP_HIGH
    low = x.low - n * _STEP_LOW
    s = r + low
    low = (r - s) + low
    tail = s * s * (0.5 + s * (1 / 6 + s * (1 / 24 + s * (1 / 120 + s * (1 / 720 + s * (1 / 5040))))))
    table = _powers()
    place = steps & (_STEPS - 1)
    power, rest = table.high.take(place), table.low.take(place)
    first = upper(s)
    # Exact: both have 26 bits.
    part = power * first
    whole = power + part
    error = (power - whole) + part
    error += power * (((s - first) + low) + tail) + (rest + rest * (s + tail))
    value = whole + error
    return Double(value, (whole - value) + error), (steps >> 7).astype(np.float64)


def _exp_of_all(x: Double, near: np.ndarray) -> tuple[Double, FloatArray]:
    """exp of what may be large: whole multiples of ln 2 are taken away first."""
    regular = np.abs(x.high) < _HUGE
    inside = np.where(regular, x.high, 0.0)
    k = np.where(near, 0.0, np.rint(inside / 0.6931471805599453))
    value, more = exp(Double(inside) - LN2 * k + np.where(regular, x.low, 0.0))
    if not regular.all():
        # Infinite and NaN arguments are their own answer; others beyond are powers of two alone.
        finite = np.isfinite(x.high)
        value = where(regular, value, Double(np.where(finite, 1.0, np.exp(x.high))))
        k = np.where(regular, k, np.where(finite, np.rint(x.high / 0.6931471805599453), 0.0))
    return value, k + more


def log(x: Double | FloatArray) -> Double:
    """ln x. With x = 2^k·m and c of 9 bits close to 1/m, it is k·ln 2 - ln c + ln(1 + (m·c - 1))."""
    x = x if isinstance(x, Double) else Double(x)
    regular = (x.high >= _TINY) & (x.high < np.inf)
    if not regular.all():
        return _log_of_all(x, regular)
    bits = np.asarray(x.high, order="C").view(np.int64)
    k = (bits - _HALF_ROOT) >> 52
    mantissa = bits - (k << 52)
    m = mantissa.view(np.float64)
    table = _logarithms()
    place = (mantissa >> _SHIFT) - (_HALF_ROOT >> _SHIFT)
    inverse, base, base_low = (column.take(place) for column in table)
    # 26 bits times 9, less 1: exact, and so is the rest.
    first = upper(m)
    r = first * inverse - 1.0
    low = (m - first) * inverse
    more = np.ldexp(x.low, -k) * inverse if x.low.any() else 0.0
    exponent = k.astype(np.float64)
    return _log_small(r, low, more, base + exponent * _LN2_HIGH, base_low + exponent * _LN2_LOW)


def _log_of_all(x: Double, regular: np.ndarray) -> Double:
    """ln of anything: subnormal numbers are enlarged, and the rest is what float64 has to say."""
    subnormal = (x.high > 0) & (x.high < _TINY)
    scaled = x.scaled(np.where(subnormal, 64, 0))
    known = regular | subnormal
    value = log(where(known, scaled, Double(np.ones(x.high.shape)))) - LN2 * np.where(subnormal, 64.0, 0.0)
    return where(known, value, Double(np.log(x.high)))


def log1p(x: Double | FloatArray) -> Double:
    """ln(1 + x) for x ≥ 0; a small x has a series of its own, where 1 + x would lose its digits."""
    x = x if isinstance(x, Double) else Double(x)
    value = log(x + 1.0)
    small = x.high < _SMALL
    if not small.any():
        return value
    zero = np.zeros(x.high.shape)
    short = where(small, x, Double(zero))
    return where(small, _log_small(short.high, zero, short.low, zero, zero), value)


def _log_small(
    r: FloatArray, low: FloatArray, more: FloatArray | float, start: FloatArray, start_low: FloatArray
) -> Double:
    """start + ln(1 + r + low + more) for |r| ≤ 2^-7: r - r²/2, and a series of which float64 is enough.

    Nothing cancels: `start` is 0 or larger than r.
    """
    s = r + low
    low = ((r - s) + low) + more
    first = upper(s)
    rest = s - first
    half = first * first * 0.5
    series = s * (1 / 7 - s * (1 / 8 - s * (1 / 9 - s * (1 / 10))))
    series = s * s * s * (1 / 3 - s * (1 / 4 - s * (1 / 5 - s * (1 / 6 - series))))
    one = start + s
    error = (start - one) + s
    two = one - half
    error += (one - two) - half
    # The square is finished, and of what low adds to the logarithm, low/(1 + s), a little shows.
    # Without `more`, low is below 2^-60.
    share = 1.0 - s if isinstance(more, float) else 1.0 - s + s * s
    error += (series - rest * (first + rest * 0.5)) + low * share + start_low
    value = two + error
    return Double(value, (two - value) + error)


def power(base: Double, exponent: Double | float) -> Double:
    """base^exponent for base ≥ 0: by multiplication, or by way of its logarithm."""
    if isinstance(exponent, float | int) and exponent in (1, 2):
        return base if exponent == 1 else base * base
    value, k = exp(log(base) * exponent)
    regular = (base.high > 0) & (base.high < np.inf)
    plain = exponent.value if isinstance(exponent, Double) else exponent
    return where(regular, value.scaled(k), Double(np.power(base.high, plain)))


class _Logarithms(NamedTuple):
    """By step of mantissas: an inverse of 9 bits, and minus its logarithm as 42 bits and what follows."""

    inverse: FloatArray
    high: FloatArray
    low: FloatArray


@cache
def _powers() -> Double:
    """2^(j/128) for j from 0 to 127, as 26 bits and what follows."""
    root = 2 << _FIXED
    for _ in range(7):
        root = isqrt(root << _FIXED)
    powers = [1 << _FIXED]
    while len(powers) < _STEPS:
        powers.append(powers[-1] * root >> _FIXED)
    pairs = np.array([_pair(value, 25) for value in powers])
    return Double(pairs[:, 0].copy(), pairs[:, 1].copy())


@cache
def _logarithms() -> _Logarithms:
    """The table of `log`; steps next to 1 have the inverse 1, so that a small logarithm stays what it is."""
    first, last = (bits >> _SHIFT for bits in (_HALF_ROOT, _HALF_ROOT + (1 << 52)))
    middles = (np.arange(first, last + 1) << _SHIFT) + (1 << (_SHIFT - 1))
    inverses = [round(256 / m) if abs(m - 1) > 1 / 200 else 256 for m in middles.view(np.float64).tolist()]
    known = _fixed_logarithms(min(inverses), max(inverses))
    pairs = np.array([_pair(-known[n], 42) for n in inverses])
    return _Logarithms(np.array(inverses) / 256.0, pairs[:, 0].copy(), pairs[:, 1].copy())


def _fixed_logarithms(least: int, most: int) -> dict[int, int]:
    """ln(n/256) as whole numbers of 2^-128, step by step: ln((n+1)/n) = 2·artanh(1/(2n+1))."""
    known = {256: 0}
    for n in range(256, most):
        known[n + 1] = known[n] + _twice_artanh(2 * n + 1)
    for n in range(256, least, -1):
        known[n - 1] = known[n] - _twice_artanh(2 * n - 1)
    return known


def _twice_artanh(n: int) -> int:
    """2·artanh(1/n) = 2·Σ 1/(i·n^i) over odd i, as a whole number of 2^-128."""
    total, power, i = 0, (2 << _FIXED) // n, 1
    while power:
        total += power // i
        power, i = power // (n * n), i + 2
    return total


def _pair(fixed: int, bits: int) -> tuple[float, float]:
    """A whole number of 2^-128 as one with so many fraction bits, and the rest."""
    unit = 1 << (_FIXED - bits)
    high = (fixed + unit // 2) // unit * unit
    return high / (1 << _FIXED), (fixed - high) / (1 << _FIXED)
