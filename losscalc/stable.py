"""Numerically stable building blocks, each with the identity that it rests on."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]


class Partition(NamedTuple):
    """A row of scores x taken apart: log Σ exp(x) - x_k = gap_k + tail, and neither part is negative."""

    gap: FloatArray
    tail: FloatArray


def product(coefficient: FloatArray, value: FloatArray) -> FloatArray:
    """coefficient · value, where a coefficient of zero wins over an infinite value.

    That is the limit of c·v for c = 0 as v grows, where IEEE multiplication gives NaN.
    """
    result = coefficient * value
    if np.isinf(value).any():
        result = np.where((coefficient == 0) & np.isinf(value), 0.0, result)
    return result


def sigmoid(x: FloatArray) -> FloatArray:
    """1 / (1 + exp(-x)).

    With e = exp(-|x|) it is 1/(1+e) for x ≥ 0 and e/(1+e) for x < 0: exp never overflows and
    small results keep all their digits.
    """
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1.0) / (1.0 + e)


def softplus_tail(x: FloatArray) -> FloatArray:
    """log(1 + exp(-|x|)), the part that softplus(x) and softplus(-x) share.

    softplus(x) = max(x, 0) + log1p(exp(-|x|)).
    """
    return np.log1p(np.exp(-np.abs(x)))


def log_sigmoid(x: FloatArray) -> FloatArray:
    """log σ(x) = -softplus(-x) = min(x, 0) - log1p(exp(-|x|))."""
    return np.minimum(x, 0.0) - softplus_tail(x)


def partition(x: FloatArray) -> Partition:
    """Take the log-sum-exp of the last axis apart at its largest score m.

    log Σ exp(x_j) - x_k = (m - x_k) + log1p(Σ' exp(x_j - m)), where Σ' leaves the largest term
    out. A confident right answer has m = x_k, and keeps every digit of log1p. Both parts are
    ≥ 0, so their sum cannot cancel.
    """
    gap, _, others = _shift(x)
    return Partition(gap, np.log1p(others.sum(axis=-1)))


def log_softmax(x: FloatArray) -> FloatArray:
    """log softmax of the last axis: -(gap + tail) of its partition."""
    gap, tail = partition(x)
    return -distance(gap, tail[..., np.newaxis])


def softmax(x: FloatArray) -> FloatArray:
    """Softmax of the last axis, as exp(x - m) / (1 + Σ' exp(x_j - m))."""
    gap, top, others = _shift(x)
    total: FloatArray = 1.0 + others.sum(axis=-1, keepdims=True)
    np.put_along_axis(others, top, np.exp(-np.take_along_axis(gap, top, axis=-1)), axis=-1)
    return others / total


def distance(gap: FloatArray, tail: FloatArray) -> FloatArray:
    """Gap + tail, where an infinite gap wins: no other score can bring it back."""
    return np.where(gap == np.inf, np.inf, gap + tail)


def _shift(x: FloatArray) -> tuple[FloatArray, IndexArray, FloatArray]:
    """The gaps m - x, where m stands, and exp(x - m) with a zero in its place."""
    # A row without scores has no largest one, and comes out as empty as it went in.
    top = np.argmax(x, axis=-1)[..., np.newaxis] if x.shape[-1] else np.zeros(x.shape, dtype=np.int64)
    m = np.take_along_axis(x, top, axis=-1)
    gap = m - x
    others = np.exp(-gap)
    if np.isfinite(gap).all():
        # exp(-(gap + e)) = exp(-gap)·(1 - e), where e is what rounding took from m - x (TwoDiff);
        # without it exp has a relative error of |gap|/2 ULP.
        back = gap - m
        others -= others * ((m - (gap - back)) - (x + back))
    np.put_along_axis(others, top, 0.0, axis=-1)
    # m - m, but 0 for an infinite m: the limit of the gap between the largest score and itself.
    np.put_along_axis(gap, top, np.where(np.isnan(m), np.nan, 0.0), axis=-1)
    return gap, top, others
