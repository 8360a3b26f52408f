"""The float64 nearest to w · 10^q, for arrays of whole numbers w below 10^19, in a single rounding.

* q = 0: the conversion of w is rounded correctly.
* w < 2^53 and -22 ≤ q < 0: w and 10^-q are float64 themselves, and their quotient is rounded correctly
  (Clinger).
* Else w = h + l exactly, and 10^q = p + r up to 2^-106. The product h · p is exact as m + e (Dekker), so
  that w · 10^q = m + c with c = e + h·r + l·p, up to an error below 2^-103 · m. Rounding is monotonic: where
  m + (c - b) and m + (c + b) with b = 2^-100 · m are the same float64, it is the nearest one.

Ties and extreme exponents are left undecided, and said to be.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from losscalc.core.array import Array

Places = NDArray[np.intp]
Flags = NDArray[np.bool_]
Whole = NDArray[np.uint64]

# Beyond, the small parts of a product would lose bits below the smallest float64.
_LARGEST_POWER = 250
_EXACT_POWER = 22
_EXACT_WHOLE = 1 << 53
_EXACT = np.array([10.0**n for n in range(_EXACT_POWER + 1)])
_VELTKAMP = 134217729.0  # 2^27 + 1 cuts a float64 in two halves of 26 bits.


def nearest(whole: Whole, power: Places | None, sure: Flags) -> tuple[Array, Flags]:
    """The float64 nearest to each w · 10^q, and which of those that were sure before still are."""
    if power is None:
        return whole.astype(np.float64), sure
    smallest, largest = power.min(initial=0), power.max(initial=0)
    if smallest >= -_EXACT_POWER and largest <= 0 and (whole < _EXACT_WHOLE).all():
        return whole.astype(np.float64) / _EXACT[-power], sure
    within = np.abs(power) <= _LARGEST_POWER
    if not within.all():
        sure = sure & within
        power = np.where(within, power, 0)
    values, is_nearest = _product(whole, power)
    return values, sure & is_nearest


def _product(whole: Whole, power: Places) -> tuple[Array, Flags]:
    """w · 10^q rounded once, and whether that is certain."""
    high = whole.astype(np.float64)
    low = (whole - high.astype(np.uint64)).view(np.int64).astype(np.float64)
    factor, upper, lower, rest = _powers()[:, power + _LARGEST_POWER]
    main = high * factor
    split = high * _VELTKAMP
    left = split - (split - high)
    right = high - left
    error = ((left * upper - main) + left * lower + right * upper) + right * lower
    error += high * rest + low * factor
    bound = main * 2.0**-100
    values = main + (error - bound)
    return values, values == main + (error + bound)


@cache
def _powers() -> Array:
    """Powers of ten as p + r, with p cut in two halves whose products are exact: p, its halves, r."""
    rows = []
    for power in range(-_LARGEST_POWER, _LARGEST_POWER + 1):
        over, under = 10 ** max(power, 0), 10 ** max(-power, 0)
        factor = over / under
        top, bottom = factor.as_integer_ratio()
        split = factor * _VELTKAMP
        upper = split - (split - factor)
        rows.append((factor, upper, factor - upper, (over * bottom - top * under) / (bottom * under)))
    return np.array(rows).T.copy()
