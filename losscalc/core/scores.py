"""Softmax of rows of scores, and -ln of it, without what rounding of exp(x - max) would lose."""

from typing import NamedTuple

import numpy as np

from losscalc.core.array import FloatArray, IndexArray, extremes
from losscalc.core.stable import LARGE, SMALL, lost, number, numbers_like, pick, places, put, total

# Beyond a gap of 600, exponentials are multiplied by exp(512), lest they become subnormal.
_FAINT, _LIFT = 600.0, 512.0


class Exponentials(NamedTuple):
    """Rows of scores x as exp(x - c); c is 0 for a row unless its exponentials would leave the range.

    The largest score of a row is kept apart from the others, because the loss of a confident right answer is
    log1p(others / largest). From ln of the sum of all it would be 0 for scores that lead by 37 or more.
    """

    top: IndexArray
    """The place of the largest score of each row among all numbers, (..., 1)."""
    peak: FloatArray
    """The exponential of the largest score, (..., 1)."""
    others: FloatArray
    """The exponentials of the other scores, and 0 at the position of the largest."""
    rest: FloatArray
    """The sum of the others, (..., 1)."""


class Partition(NamedTuple):
    """-ln softmax of scores x in two parts that are not negative: ln Σ exp(x) - x_k = gap_k + tail."""

    gap: FloatArray
    tail: FloatArray


def exponentials(x: FloatArray) -> Exponentials:
    """The exponentials of the last axis: exp(x_j) / exp(m) does without the rounding of x_j - m."""
    x = np.ascontiguousarray(x)
    leaders = _leaders(x)
    top = places(x, leaders)
    others = np.exp(x)
    flat = others.reshape(-1)
    peak = flat[top]
    flat[top] = 0.0
    rest = total(others)[..., np.newaxis]
    least, most = np.minimum(peak, rest), np.maximum(peak, rest)
    if peak.size and not (extremes(least)[0] > SMALL and extremes(most)[1] < LARGE):
        rows = ~((least > SMALL) & (most < LARGE))[..., 0]
        peak[rows], others[rows], rest[rows] = _shifted(x[rows], leaders[rows])
    return Exponentials(top, peak, others, rest)


def _leaders(x: FloatArray) -> IndexArray:
    """The position of the largest of each row, or of the first NaN.

    Of many short rows column by column, because `argmax` takes as long for ten numbers as for a hundred.
    """
    if x.dtype == object or x.shape[-1] > 16 or x.size < 16_384:
        return np.asarray(x.argmax(axis=-1))
    first, *columns = np.ascontiguousarray(np.moveaxis(x, -1, 0))
    largest, top = first, np.zeros(first.shape, np.int8)
    for place, column in enumerate(columns, start=1):
        leads = (column > largest).view(np.int8)
        top = np.maximum(top, leads * np.int8(place))
        largest = np.maximum(largest, column)
    return np.asarray(x.argmax(axis=-1) if np.isnan(largest).any() else top.astype(np.int64))


def _shifted(x: FloatArray, top: IndexArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Peak, others and rest of rows (N, C) beyond the range of exp, from their gaps m - x."""
    m = pick(x, top)[:, np.newaxis]
    gap = m - x
    # e, by which rounding made the gap m - x too large: exp(-(gap - e)) = exp(-gap)·(1 + e).
    # Without it exp would be wrong by up to |gap|/2 ULP.
    excess = lost(m, x, gap)
    nearest = gap.copy()
    put(nearest, top, np.inf)
    lift = numbers_like(x, np.where(nearest.min(axis=-1, keepdims=True) > _FAINT, _LIFT, 0.0))
    others = np.exp(lift - gap) * (1.0 + excess)
    put(others, top, 0.0)
    return np.where(m == m, np.exp(lift), m), others, total(others)[:, np.newaxis]


def surprisal(x: FloatArray, position: IndexArray) -> FloatArray:
    """-ln softmax of the last axis, at one position of each row.

    It is (m - x_k) + log1p(Σ' exp(x_j - m)), Σ' without the largest score m. Neither part is negative, so
    nothing cancels, and a confident right answer, m = x_k, keeps the digits of log1p.
    """
    x = np.ascontiguousarray(x)
    top, peak, _, rest = exponentials(x)
    own, flat = places(x, position), x.reshape(-1)
    m = flat[top]
    gap = m - flat[own]
    if np.count_nonzero(gap != gap):
        # The gap of the largest score to itself is 0, also if it is infinite.
        gap = np.where((own == top) & (m == m), 0.0, gap)
    return joined(gap, np.log1p(rest / peak))[..., 0]


def partition(x: FloatArray) -> Partition:
    """-ln softmax at every position of the last axis, in its two parts."""
    x = np.ascontiguousarray(x)
    top, peak, _, rest = exponentials(x)
    m = x.reshape(-1)[top]
    gap = m - x
    gap.reshape(-1)[top] = np.where(m == m, 0.0, m)
    return Partition(gap, np.log1p(rest / peak)[..., 0])


def joined(gap: FloatArray, tail: FloatArray) -> FloatArray:
    """The sum of gap and tail, infinite where the gap is, even if the tail is NaN."""
    both = np.asarray(gap + tail)
    return np.where(gap == np.inf, number(np.inf, tail), both) if np.count_nonzero(both != both) else both


def log_softmax(x: FloatArray) -> FloatArray:
    """Log softmax of the last axis: -(gap + tail) of its partition."""
    if not x.size:
        return x
    gap, tail = partition(x)
    return -joined(gap, tail[..., np.newaxis])


def softmax(x: FloatArray) -> FloatArray:
    """Softmax of the last axis, as exp(x - c) / Σ exp(x - c)."""
    if not x.size:
        return x
    top, peak, others, rest = exponentials(x)
    others.reshape(-1)[top] = peak
    return others / (rest + peak)


def softmax_and_rest(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Softmax of the last axis, and 1 - softmax.

    The latter is the share of all other scores, which keeps its digits where softmax is close to 1.
    """
    top, peak, others, rest = exponentials(x)
    lacking = rest - others + peak
    lacking.reshape(-1)[top] = rest
    others.reshape(-1)[top] = peak
    others /= rest + peak
    lacking /= rest + peak
    return others, lacking


def softmax_and_lack(x: FloatArray, position: IndexArray) -> tuple[FloatArray, FloatArray]:
    """Softmax of the last axis, and 1 - softmax at one position of each row."""
    top, peak, others, rest = exponentials(x)
    own, flat, whole = places(x, position), others.reshape(-1), rest + peak
    lacking = np.where(own == top, rest, rest - flat[own] + peak)
    flat[top] = peak
    others /= whole
    return others, (lacking / whole)[..., 0]


def softmax_less_one(x: FloatArray, position: IndexArray) -> FloatArray:
    """Softmax of the last axis, less 1 at one position of each row: minus the share of all others there."""
    likely, lacking = softmax_and_lack(x, position)
    put(likely, position, -lacking)
    return likely
