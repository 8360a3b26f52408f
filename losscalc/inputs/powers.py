"""Whole numbers times powers of ten, w · 10^q, each rounded once to the nearest float64:

* q = 0: the conversion of w is rounded correctly.
* w < 2^53 and -22 ≤ q < 0: w and 10^-q are float64 themselves, and their quotient is rounded correctly
  (Clinger).
* Else w = h + l exactly, and 10^q = p + r up to 2^-106. The product h · p is exact as m + e (Dekker), so
  that w · 10^q = m + c with c = e + h·r + l·p, up to an error below 2^-103 · m. Rounding is monotonic: where
  m + (c - b) and m + (c + b) with b = 2^-100 · m are the same float64, it is the nearest one.
"""

from functools import cache

import numpy as np

from losscalc.core.array import Array
from losscalc.inputs.grid import Flags, Places, Words

# Beyond, the error of a product would be subnormal, and lose bits.
_LARGEST_POWER = 250
_EXACT_POWER = 22
_EXACT_WHOLE = 1 << 53
_EXACT = np.array([10.0**n for n in range(_EXACT_POWER + 1)])
_VELTKAMP = 134217729.0  # 2^27 + 1 cuts a float64 in two halves of 26 bits.


def nearest(whole: Words, power: Places | None, sure: Flags) -> tuple[Array, Flags]:
    """The float64 nearest to each w · 10^q, and where that is certain."""
    if power is None:
        return whole.astype(np.float64), sure
    if not sure.all():
        whole, power = whole * sure, power * sure
    smallest, largest = power.min(initial=0), power.max(initial=0)
    if smallest >= -_EXACT_POWER and largest <= 0 and (whole < _EXACT_WHOLE).all():
        return whole.astype(np.float64) / _EXACT.take(-power), sure
    if max(-smallest, largest) > _LARGEST_POWER:
        within = np.abs(power) <= _LARGEST_POWER
        sure, power = sure & within, power * within
    values, is_nearest = _product(whole, power)
    return values, sure & is_nearest


def _product(whole: Words, power: Places) -> tuple[Array, Flags]:
    """w · 10^q rounded once, and whether that is certain."""
    power = power + _LARGEST_POWER
    factor, upper, lower, rest = (row.take(power) for row in _powers())
    high = whole.astype(np.float64)
    low = (whole - high.astype(np.uint64)).view(np.int64).astype(np.float64)
    main = high * factor
    left, right = _halves(high)
    error = left * upper
    error -= main
    # In this order, the first sums are exact.
    for more in (left * lower, right * upper, right * lower, high * rest, low * factor):
        error += more
    bound = main * 2.0**-100
    values = error - bound
    values += main
    error += bound
    error += main
    return values, values == error


def _halves(numbers: Array) -> tuple[Array, Array]:
    """Two numbers for each, of 26 bits, that add up to it: products of them are exact."""
    split = numbers * _VELTKAMP
    upper = split - (split - numbers)
    return upper, numbers - upper


@cache
def _powers() -> Array:
    """Powers of ten as p + r: rows of p, its two halves, and r."""
    rows = []
    for power in range(-_LARGEST_POWER, _LARGEST_POWER + 1):
        over, under = 10 ** max(power, 0), 10 ** max(-power, 0)
        factor = over / under
        top, bottom = factor.as_integer_ratio()
        rows.append((factor, (over * bottom - top * under) / (bottom * under)))
    factors, rests = np.array(rows).T
    return np.array([factors, *_halves(factors), rests])
