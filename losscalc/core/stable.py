"""Numerically stable building blocks, each with the identity that it rests on."""

import math
from typing import NamedTuple

import numpy as np

from losscalc.core.array import Array, FloatArray, IndexArray


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
    """A constant that exp takes as it takes the numbers of an array: where these are objects, one of them."""
    return value if like.dtype.kind == "f" or not like.size else type(like.flat[0])(value)


def pi(like: Array) -> float:
    """π, with the digits of the numbers of an array: objects that have more bring their own."""
    return math.pi if like.dtype.kind == "f" or not like.size else like.flat[0].pi


def total(x: FloatArray) -> FloatArray:
    """Σ x over the last axis, in the same order however the array lies in memory.

    NumPy's own sum adds pairwise from 128 numbers on, but takes long to begin with each row. Both add in the
    order of memory: for the same bits, rows lie in one piece.
    """
    x = np.ascontiguousarray(x)
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


# Sums of exponentials, and of squares, between these bounds have lost nothing to underflow or overflow.
_SMALL, _LARGE = 2.0**-900, 2.0**900
# exp(512) lifts exponentials out of the subnormal range: those of gaps beyond 600.
_FAINT, _LIFT = 600.0, 512.0


class Exponentials(NamedTuple):
    """Rows of scores x as exp(x - c), with a c for each row that keeps them in range: 0 if it can be.

    The largest score of a row stands apart from the others, because a confident right answer is
    log1p(others / largest): with the largest in the sum it would be 0 beyond 37.
    """

    top: IndexArray
    """Where the largest score of each row stands."""
    peak: FloatArray
    """Its exponential, (..., 1)."""
    others: FloatArray
    """The exponentials of the others, and 0 where the largest stands."""
    rest: FloatArray
    """Their sum, (..., 1)."""


class Partition(NamedTuple):
    """A row of scores x taken apart: ln Σ exp(x) - x_k = gap_k + tail, and neither part is negative."""

    gap: FloatArray
    tail: FloatArray


def exponentials(x: FloatArray) -> Exponentials:
    """The exponentials of the last axis; exp(x_j) / exp(m) has no rounding of x_j - m to suffer from."""
    x = np.ascontiguousarray(x)
    top = np.asarray(x.argmax(axis=-1))
    others = np.exp(x)
    peak = pick(others, top)[..., np.newaxis]
    put(others, top, 0.0)
    rest = total(others)[..., np.newaxis]
    safe = (peak > _SMALL) & (peak < _LARGE) & (rest > _SMALL) & (rest < _LARGE)
    if not safe.all():
        rows = ~safe[..., 0]
        peak[rows], others[rows], rest[rows] = _shifted(x[rows], top[rows])
    return Exponentials(top, peak, others, rest)


def _shifted(x: FloatArray, top: IndexArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Peak, others and total of rows (N, C) beyond the range of exp: of their gaps m - x."""
    m = pick(x, top)[:, np.newaxis]
    gap = m - x
    # What rounding added to m - x (TwoDiff): exp(-(gap - e)) = exp(-gap)·(1 + e).
    back = gap - m
    lost = (x + back) - (m - (gap - back))
    # Without it exp has a relative error of |gap|/2 ULP; an infinite gap has none.
    lost = np.where(lost == lost, lost, 0.0)
    nearest = gap.copy()
    put(nearest, top, np.inf)
    lift = numbers_like(x, np.where(nearest.min(axis=-1, keepdims=True) > _FAINT, _LIFT, 0.0))
    others = np.exp(lift - gap) * (1.0 + lost)
    put(others, top, 0.0)
    return np.where(m == m, np.exp(lift), m), others, total(others)[:, np.newaxis]


def surprisal(x: FloatArray, position: IndexArray) -> FloatArray:
    """-ln softmax of the last axis, at one position of each row.

    It is (m - x_k) + log1p(Σ' exp(x_j - m)), Σ' without the largest score m: of two parts that are not
    negative nothing cancels, and a confident right answer, m = x_k, keeps the digits of log1p.
    """
    top, peak, _, rest = exponentials(x)
    m = pick(x, top)
    # Between the largest score and itself there is no gap, not even where it is infinite.
    gap = np.where((position == top) & (m == m), 0.0, m - pick(x, position))
    return joined(gap, np.log1p(rest / peak)[..., 0])


def partition(x: FloatArray) -> Partition:
    """-ln softmax of every position of the last axis, in its two parts."""
    x = np.ascontiguousarray(x)
    top, peak, _, rest = exponentials(x)
    m = pick(x, top)
    gap = m[..., np.newaxis] - x
    put(gap, top, np.where(m == m, 0.0, m))
    return Partition(gap, np.log1p(rest / peak)[..., 0])


def joined(gap: FloatArray, tail: FloatArray) -> FloatArray:
    """Gap + tail, where an infinite gap wins: no other score can bring it back."""
    return np.where(gap == np.inf, np.inf, gap + tail)


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
    put(others, top, peak[..., 0])
    return others / (rest + peak)


def softmax_and_rest(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Softmax of the last axis, and what it lacks of 1.

    1 - softmax is the share of all other scores, which keeps its digits where softmax is close to 1.
    """
    top, peak, others, rest = exponentials(x)
    lacking = rest - others + peak
    put(lacking, top, rest[..., 0])
    put(others, top, peak[..., 0])
    return others / (rest + peak), lacking / (rest + peak)


def softmax_less_one(x: FloatArray, position: IndexArray) -> FloatArray:
    """Softmax of the last axis, less 1 at one position of each row: there it is the share of all others."""
    top, peak, others, rest = exponentials(x)
    largest, sum_of_rest = peak[..., 0], rest[..., 0]
    lacking = np.where(position == top, sum_of_rest, sum_of_rest - pick(others, position) + largest)
    put(others, top, largest)
    put(others, position, -lacking)
    others /= rest + peak
    return others


def pick(rows: FloatArray, position: IndexArray) -> FloatArray:
    """The number at one position of each row; a row is the last axis."""
    if rows.flags.c_contiguous:
        return rows.reshape(-1)[_places(rows, position).reshape(-1)].reshape(position.shape)
    return np.take_along_axis(rows, position[..., np.newaxis], axis=-1)[..., 0]


def put(rows: FloatArray, position: IndexArray, values: FloatArray | float) -> None:
    """Write to one position of each row, in contiguous memory."""
    rows.reshape(-1)[_places(rows, position)] = values


def _places(rows: FloatArray, position: IndexArray) -> IndexArray:
    """Where in memory the position of each row is."""
    starts = np.arange(0, rows.size, max(1, rows.shape[-1]))
    return starts.reshape(position.shape) + position


def dot(one: FloatArray, other: FloatArray) -> FloatArray:
    """Σ x·y of the last axis, which is added up in the same order however arrays lie in memory."""
    return np.asarray(np.einsum("...i,...i->...", np.ascontiguousarray(one), np.ascontiguousarray(other)))


def length(x: FloatArray) -> FloatArray:
    """√(Σ x²) of the last axis, also where the squares would be beyond the range of float64."""
    squares = dot(x, x)
    strange = ~((squares > _SMALL) & (squares < _LARGE))
    if not strange.any():
        return np.sqrt(squares)
    scale = np.where(strange, power_of_two(x), 1.0)
    x = x * scale[..., np.newaxis]
    return np.asarray(np.sqrt(dot(x, x)) / scale)


def power_of_two(x: FloatArray) -> FloatArray:
    """What brings the largest number of the last axis near 1 without rounding.

    Numbers of objects, which have exponents enough, stay as they are.
    """
    if x.dtype == object:
        return np.ones(x.shape[:-1])
    exponent = np.frexp(np.abs(x).max(axis=-1, initial=0.0))[1]
    return np.asarray(np.ldexp(1.0, np.clip(-exponent, -1022, 1000)))


def numbers_like(array: FloatArray, values: FloatArray) -> FloatArray:
    """Values as numbers of the kind that an array holds: float64, or objects of more digits."""
    if array.dtype != object:
        return values
    return np.asarray(np.frompyfunc(type(array.flat[0]), 1, 1)(values))
