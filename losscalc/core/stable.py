"""Numerically stable building blocks, each with the identity behind it."""

import math

import numpy as np

from losscalc.core.array import Array, FloatArray, IndexArray

MOST = float(np.finfo(np.float64).max)
# The products that are added up one after the other.
_PRODUCTS = 1 << 10
# The reciprocals of smaller numbers are beyond float64.
_LEAST = 2.0**-1022


def where(condition: np.ndarray, one: FloatArray | float, other: FloatArray | float) -> FloatArray:
    """`numpy.where` without a branch for each element, which is three times as fast for unpredictable masks.

    With a mask of all ones, b ^ ((a ^ b) & mask) is a; with a mask of zeros it is b.
    """
    if np.result_type(one, other).kind == "O":
        return np.where(condition, one, other)
    mask = -np.asarray(condition).astype(np.int64)
    a, b = (np.asarray(x, dtype=np.float64, order="C").view(np.int64) for x in (one, other))
    return np.asarray(b ^ ((a ^ b) & mask)).view(np.float64)


def number(value: float, like: Array) -> float:
    """A constant of the same kind as the numbers of an array: if they are objects, exp takes objects only."""
    return value if like.dtype.kind == "f" or not like.size else type(like.flat[0])(value)


def gap(x: FloatArray, y: FloatArray) -> FloatArray:
    """|x - y|, in the memory of the difference: the fewer arrays a block takes, the more stay in cache."""
    difference = np.asarray(x - y)
    return np.abs(difference, out=difference)


def divided(x: FloatArray, by: float) -> FloatArray:
    """x / c in place: by a power of two as x · 1/c, the same in a third of the time; nothing to do for 1."""
    if math.frexp(by)[0] != 0.5 or by < _LEAST:
        x /= by
    elif by != 1.0:
        x *= 1.0 / by
    return x


def step(x: FloatArray, at_zero: float) -> FloatArray:
    """0 below 0, 1 above and `at_zero` (0, ½ or 1) there: `numpy.heaviside` without its branches."""
    return np.clip(np.sign(x) + at_zero, 0.0, 1.0)


def pi(like: Array) -> float:
    """π with as many digits as the numbers of an array have: objects bring their own."""
    return math.pi if like.dtype.kind == "f" or not like.size else like.flat[0].pi


def total(x: FloatArray) -> FloatArray:
    """Σ x over the last axis, with the same bits whatever the memory layout of the array.

    einsum and NumPy's sum both add in the order of memory, so rows are made contiguous first. NumPy's sum
    adds pairwise from 128 numbers on, which loses less; shorter rows take it longer than einsum.
    """
    x = np.ascontiguousarray(x)
    if x.shape[-1] < 128 and x.dtype.kind == "f":
        return np.asarray(np.einsum("...i->...", x))
    return np.asarray(x.sum(axis=-1))


def mean(x: FloatArray) -> FloatArray:
    """Σ x / n over the last axis, as Σ (x / n) where the sum overflows."""
    count = float(x.shape[-1])
    value = total(x) / count
    if np.any(np.abs(value) == np.inf):
        value = where(np.abs(value) == np.inf, total(x / count), value)
    return value


def xmul(c: FloatArray | float, x: FloatArray) -> FloatArray:
    """c·x, and 0 where c is 0 and x is infinite: the limit of 0·x as x grows."""
    product = c * x
    if np.count_nonzero(product != product):
        product = where((c == 0) & (x == x), 0.0, product)
    return product


def log_ratio(p: FloatArray, q: FloatArray) -> FloatArray:
    """ln(p/q) of numbers that are not negative; the quotient loses digits near 1, and may overflow.

    Near 1 and above it is log1p((p-q)/q), of which close numbers have an exact difference, and beyond the
    range ln p - ln q.
    """
    ratio = p / q
    value = where(ratio > 0.5, np.log1p((p - q) / q), np.log(ratio))
    if np.any(ratio == np.inf):
        value = np.where((ratio == np.inf) & (p < np.inf), np.log(p) - np.log(q), value)
    return value


def lost(a: FloatArray, b: FloatArray, difference: FloatArray) -> FloatArray:
    """By how much the rounded difference a - b is too large (TwoDiff, Knuth); 0 where it is infinite."""
    back = difference - a
    error = (b + back) - (a - (difference - back))
    return np.where(error == error, error, 0.0)


def sigmoid(x: FloatArray) -> FloatArray:
    """1 / (1 + exp(-x)) = exp(min(x, 0)) / (1 + exp(-|x|)).

    No exponential overflows, and small results keep all their digits.
    """
    return np.exp(np.minimum(x, number(0.0, x))) / (1.0 + np.exp(-np.abs(x)))


def odds(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """exp(min(x, 0)) and exp(-max(x, 0)): in the ratio of σ(x) to σ(-x), and the larger of them is 1."""
    zero = number(0.0, x)
    return np.exp(np.minimum(x, zero)), np.exp(-np.maximum(x, zero))


def exp_beyond(x: FloatArray) -> FloatArray:
    """exp(x) - 1 - x, by its series x²/2! + x³/3! + ... for |x| below ½, where expm1(x) - x cancels."""
    far = np.expm1(x) - x
    if x.dtype == object:
        return np.asarray(far)
    series = np.zeros_like(x)
    for power in range(18, 1, -1):
        series *= x
        series += 1.0 / math.factorial(power)
    return where(abs(x) < 0.5, x * x * series, far)


def softplus_tail(x: FloatArray) -> FloatArray:
    """ln(1 + exp(-|x|)), the part that softplus(x) and softplus(-x) share; exp never overflows."""
    return np.log1p(np.exp(-np.abs(x)))


def softplus(x: FloatArray) -> FloatArray:
    """ln(1 + exp(x)) = max(x, 0) + ln(1 + exp(-|x|)); neither part is negative, so nothing cancels."""
    return np.maximum(x, 0.0) + softplus_tail(x)


def log_sigmoid(x: FloatArray) -> FloatArray:
    """ln σ(x) = -softplus(-x) = min(x, 0) - ln(1 + exp(-|x|))."""
    return np.minimum(x, 0.0) - softplus_tail(x)


def cross_entropy(x: FloatArray, positive: FloatArray, negative: FloatArray | None = None) -> FloatArray:
    """-[a·ln σ(x) + b·ln σ(-x)], with a the share of the positive answer and b = 1 - a unless given.

    As -ln σ(±x) = max(∓x, 0) + t, with t = ln(1 + exp(-|x|)), it is (a+b)·t + c·|x|, with c the share of the
    answer that x speaks against; for b = 1 - a that is t + x·([x ≥ 0] - a). For shares in [0, 1] nothing
    cancels.
    """
    if negative is None:
        return softplus_tail(x) + xmul((x >= 0).astype(x.dtype) - positive, x)
    wrong = where(x >= 0, negative, positive)
    return (positive + negative) * softplus_tail(x) + xmul(wrong, np.abs(x))


# A sum of exponentials or of squares between these bounds has lost nothing to underflow or overflow.
SMALL, LARGE = 2.0**-900, 2.0**900


def pick(rows: FloatArray, position: IndexArray) -> FloatArray:
    """The number at one position of each row; a row is the last axis."""
    if rows.flags.c_contiguous:
        return rows.reshape(-1)[places(rows, position)][..., 0]
    return np.take_along_axis(rows, position[..., np.newaxis], axis=-1)[..., 0]


def put(rows: FloatArray, position: IndexArray, values: FloatArray | float) -> None:
    """Write to one position of each row, in contiguous memory."""
    rows.reshape(-1)[places(rows, position)[..., 0]] = values


def places(rows: FloatArray, position: IndexArray) -> IndexArray:
    """The place of one position of each row among all numbers, with an axis of length 1 at the end."""
    starts = np.arange(0, rows.size, max(1, rows.shape[-1]))
    return (starts.reshape(position.shape) + position)[..., np.newaxis]


def dot(one: FloatArray, other: FloatArray) -> FloatArray:
    """Σ x·y over the last axis, with the same bits whatever the memory layout of the arrays.

    einsum adds the products up one after the other, those of a lone row as many at once as it has. Long rows
    are cut, so that rows beside them do not matter, and the sums of their parts are added pairwise.
    """
    one, other = np.ascontiguousarray(one), np.ascontiguousarray(other)
    parts = [slice(start, start + _PRODUCTS) for start in range(0, one.shape[-1] or 1, _PRODUCTS)]
    sums = [np.einsum("...i,...i->...", one[..., part], other[..., part]) for part in parts]
    return np.asarray(sums[0]) if len(sums) == 1 else total(np.stack(sums, axis=-1))


def length(x: FloatArray) -> FloatArray:
    """√(Σ x²) over the last axis, also where the squares overflow or underflow."""
    squares = dot(x, x)
    strange = ~((squares > SMALL) & (squares < LARGE))
    if not strange.any():
        return np.sqrt(squares)
    scale = np.where(strange, power_of_two(x), 1.0)
    x = x * scale[..., np.newaxis]
    return np.asarray(np.sqrt(dot(x, x)) / scale)


def power_of_two(x: FloatArray) -> FloatArray:
    """The power of two that brings the largest number of the last axis near 1; multiplying by it is exact.

    For objects, whose exponents have no bounds, it is 1.
    """
    if x.dtype == object:
        return np.ones(x.shape[:-1])
    exponent = np.frexp(np.abs(x).max(axis=-1, initial=0.0))[1]
    return np.asarray(np.ldexp(1.0, np.clip(-exponent, -1022, 1000)))


def numbers_like(array: FloatArray, values: FloatArray) -> FloatArray:
    """Values as numbers of the kind that an array holds: float64, or objects with more digits."""
    if array.dtype != object or not array.size:
        return values
    return np.asarray(np.frompyfunc(type(array.flat[0]), 1, 1)(values))
