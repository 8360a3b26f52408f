"""Numerically stable building blocks, each with the identity that it rests on."""

import math
from typing import NamedTuple

import numpy as np

from losscalc.core.array import Array, FloatArray, IndexArray
from losscalc.core.double import Double, finite
from losscalc.core.double import where as where_double
from losscalc.core.exponential import log1p
from losscalc.core.precision import is_narrow

# Below 2^-1022 numbers are subnormal and have fewer digits.
_FAINT = 2.0**-1000


class Partition(NamedTuple):
    """A row of scores x taken apart: log Σ exp(x) - x_k = gap_k + tail, and neither part is negative."""

    gap: FloatArray
    tail: Double


def where(condition: np.ndarray, one: FloatArray | float, other: FloatArray | float) -> FloatArray:
    """`numpy.where` without a branch for each element, which costs three times as much where none is likely.

    With a mask of all bits or none, b ^ ((a ^ b) & mask) is a or b.
    """
    if np.result_type(one, other).kind == "O":
        return np.where(condition, one, other)
    mask = -np.asarray(condition).astype(np.int64)
    a, b = (np.asarray(x, dtype=np.float64, order="C").view(np.int64) for x in (one, other))
    return np.asarray(b ^ ((a ^ b) & mask)).view(np.float64)


def number(value: float, like: Array) -> float:
    """A constant that exp and log take as they take the numbers of an array: where these are objects, one too."""
    return value if like.dtype.kind == "f" or not like.size else type(like.flat[0])(value)


def pi(like: Array) -> float:
    """π, with the digits of the numbers of an array: objects that have more bring their own."""
    return math.pi if like.dtype.kind == "f" or not like.size else like.flat[0].pi


def total(x: FloatArray) -> FloatArray:
    """Σ x over the last axis.

    NumPy's own sum adds pairwise from 128 numbers on, but takes long to begin with each row.
    """
    if x.shape[-1] < 128 and x.dtype.kind == "f":
        return np.asarray(np.einsum("...i->...", x))
    return np.asarray(x.sum(axis=-1))


def mean(x: FloatArray) -> FloatArray:
    """Σ x / n over the last axis, and Σ (x / n) where the sum overflows."""
    count = float(x.shape[-1])
    value = total(x) / count
    if np.any(np.abs(value) == np.inf):
        value = where(np.abs(value) == np.inf, total(x / count), value)
    return value


def xmul(c: FloatArray | float, x: FloatArray) -> FloatArray:
    """c·x, and 0 where c is 0 and x infinite: the limit of c·x as x grows."""
    product = c * x
    if np.any(product != product):
        product = where((c == 0) & (x == x), 0.0, product)
    return product


def sigmoid(x: FloatArray) -> FloatArray:
    """1 / (1 + exp(-x)) = exp(min(x, 0)) / (1 + exp(-|x|)).

    No exponential overflows, and small results keep all their digits.
    """
    return np.exp(np.minimum(x, number(0.0, x))) / (1.0 + np.exp(-np.abs(x)))


def softplus_tail(x: FloatArray) -> FloatArray:
    """ln(1 + exp(-|x|)), the part that softplus(x) and softplus(-x) share; exp never overflows."""
    return np.log1p(np.exp(-np.abs(x)))


def softplus(x: FloatArray) -> FloatArray:
    """ln(1 + exp(x)) = max(x, 0) + ln(1 + exp(-|x|)), of which neither part is negative."""
    return np.maximum(x, 0.0) + softplus_tail(x)


def log_sigmoid(x: FloatArray) -> FloatArray:
    """ln σ(x) = -softplus(-x) = min(x, 0) - ln(1 + exp(-|x|))."""
    return np.minimum(x, 0.0) - softplus_tail(x)


def cross_entropy(x: FloatArray, positive: FloatArray, negative: FloatArray | None = None) -> FloatArray:
    """-[a·ln σ(x) + b·ln σ(-x)], with the shares a of the positive answer and b, 1 - a unless given.

    As -ln σ(±x) = max(∓x, 0) + t, with t = ln(1 + exp(-|x|)), it is (a+b)·t + a·max(-x, 0) + b·max(x, 0);
    for b = 1 - a that is t + x·([x ≥ 0] - a). For shares in [0, 1] nothing cancels.
    """
    if negative is None:
        return softplus_tail(x) + xmul((x >= 0) - positive, x)
    wrong = xmul(positive, np.maximum(-x, 0.0)) + xmul(negative, np.maximum(x, 0.0))
    return (positive + negative) * softplus_tail(x) + wrong


def partition(x: FloatArray | Double) -> Partition:
    """Take the log-sum-exp of the last axis apart at its largest score m.

    log Σ exp(x_j) - x_k = (m - x_k) + log1p(Σ' exp(x_j - m)), where Σ' leaves the largest term
    out. A confident right answer has m = x_k, and keeps every digit of log1p. Both parts are
    ≥ 0, so their sum cannot cancel.
    """
    if is_narrow() and not (isinstance(x, Double) and x.low.any()):
        gap, others = _plain_shift(x.high if isinstance(x, Double) else x)
        return Partition(gap, Double(np.log1p(others.sum(axis=-1))))
    gap, top, others, error = _shift(x)
    total = Double(others, others * error).sum()
    if (total.high < _FAINT).any():
        # Below 2^-1022 each term would be rounded at 2^-1074, or vanish: Σ' = exp(-512)·Σ' exp(512 - gap).
        others = np.exp(512.0 - gap)
        np.put_along_axis(others, top, 0.0, axis=-1)
        larger = Double(others, others * error).sum() * np.exp(-512.0)
        total = where_double(total.high < _FAINT, larger, total)
    return Partition(gap, log1p(total))


def log_softmax(x: FloatArray) -> FloatArray:
    """log softmax of the last axis: -(gap + tail) of its partition."""
    gap, tail = partition(x)
    return -np.where(gap == np.inf, np.inf, gap + tail.value[..., np.newaxis])


def softmax(x: FloatArray) -> FloatArray:
    """Softmax of the last axis, as exp(x - m) / (1 + Σ' exp(x_j - m))."""
    return softmax_and_rest(x)[0]


def softmax_and_rest(x: FloatArray | Double) -> tuple[FloatArray, FloatArray]:
    """Softmax of the last axis, and what it lacks of 1.

    1 - softmax is the share of all other scores, which keeps its digits where softmax is close to 1.
    """
    gap, top, others, error = _shift(x)
    summands = Double(others, others * error)
    total = summands.sum()
    total = Double(total.high[..., np.newaxis], total.low[..., np.newaxis])
    whole = total + 1.0
    is_top = np.zeros(others.shape)
    np.put_along_axis(is_top, top, 1.0, axis=-1)
    rest = (total - summands + (1.0 - is_top)) / whole
    np.put_along_axis(others, top, np.exp(-np.take_along_axis(gap, top, axis=-1)), axis=-1)
    return (Double(others, others * error) / whole).value, rest.value


def softmax_less_one(x: FloatArray | Double, position: IndexArray) -> FloatArray:
    """Softmax of the last axis, less 1 at one position of each row: there it is the share of all others."""
    gap, top, others, error = _shift(x)
    others += others * error
    total = others.sum(axis=-1, keepdims=True)
    column = position[..., np.newaxis]
    own = np.take_along_axis(others, column, axis=-1)
    rest = np.where(column == top, total, total - own + 1.0)
    np.put_along_axis(others, top, np.exp(-np.take_along_axis(gap, top, axis=-1)), axis=-1)
    others /= total + 1.0
    np.put_along_axis(others, column, -rest / (total + 1.0), axis=-1)
    return others


def distance(gap: FloatArray, tail: Double) -> Double:
    """Gap + tail, where an infinite gap wins: no other score can bring it back."""
    total = tail + gap
    return Double(np.where(gap == np.inf, np.inf, total.high), total.low)


def _plain_shift(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The gaps m - x, and exp(-gap) but 0 where m stands."""
    top = np.argmax(x, axis=-1)[..., np.newaxis] if x.shape[-1] else np.zeros(x.shape, dtype=np.int64)
    m = np.take_along_axis(x, top, axis=-1)
    gap = m - x
    others = np.exp(x - m)
    np.put_along_axis(others, top, 0.0, axis=-1)
    # m - m, but 0 for an infinite m: the limit of the gap between the largest score and itself.
    np.put_along_axis(gap, top, np.where(np.isnan(m), np.nan, 0.0), axis=-1)
    return gap, others


def _shift(x: FloatArray | Double) -> tuple[FloatArray, IndexArray, FloatArray, FloatArray]:
    """The gaps m - x, where m stands, exp(-gap) but 0 there, and the rounding errors of the gaps."""
    x, low = (x.high, x.low) if isinstance(x, Double) else (x, None)
    # A row without scores has no largest one, and comes out as empty as it went in.
    top = np.argmax(x, axis=-1)[..., np.newaxis] if x.shape[-1] else np.zeros(x.shape, dtype=np.int64)
    m = np.take_along_axis(x, top, axis=-1)
    gap = m - x
    # What rounding added to m - x (TwoDiff).
    back = gap - m
    error = finite((x + back) - (m - (gap - back)))
    if low is not None:
        error = error - finite(np.take_along_axis(low, top, axis=-1) - low)
        gap, rounded = gap - error, gap
        error = finite((gap - rounded) + error)
    # exp(-(gap - e)) = exp(-gap)·(1 + e); without e exp has a relative error of |gap|/2 ULP.
    others = np.exp(-gap)
    np.put_along_axis(others, top, 0.0, axis=-1)
    # m - m, but 0 for an infinite m: the limit of the gap between the largest score and itself.
    np.put_along_axis(gap, top, np.where(np.isnan(m), np.nan, 0.0), axis=-1)
    return gap, top, others, error
