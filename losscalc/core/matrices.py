"""Products of vectors and matrices with more digits than float64 has."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

from losscalc.core.array import FloatArray
from losscalc.core.double import Double
from losscalc.core.precision import is_narrow

# Products of vectors whose lengths multiply to less are right to 2^-36, and so are their exponentials.
_SAFE = 2.0**14


def inner(one: Double, other: Double) -> Double:
    """Σ x·y over the last axis, to about 67 bits of the largest products: as in `matmul`, row by row.

    Where results have fewer digits than float64, it is computed in plain float64.
    """
    if is_narrow():
        return Double(_inner(one.high, other.high))
    bits = (53 - one.high.shape[-1].bit_length()) // 2
    high, low = _cut(one.high, bits)
    other_high, other_low = (high, low) if other is one else _cut(other.high, bits)
    low, other_low = low + one.low, other_low + other.low
    rest = _inner(high, other_low) + _inner(low, other.high)
    return Double(_inner(high, other_high)) + rest


def _inner(one: FloatArray, other: FloatArray) -> FloatArray:
    return np.asarray(np.einsum("...i,...i->...", one, other))


def matmul(one: "Double | FloatArray", other: FloatArray) -> Double:
    """The products of the rows of two matrices, one · otherᵀ, to about 70 bits.

    Rows are cut at a common bit, so that the products of the high parts add up without any rounding,
    in whatever order; what is left is 2^-20 of that, and the rounding of its sum hardly matters
    (Ozaki, Ogita, Oishi and Rump, "Error-free transformations of matrix multiplication", 2012).
    """
    one = one if isinstance(one, Double) else Double(one)
    if is_narrow() and not one.low.any():
        return _plain_matmul(one.high, other)
    return _exact_matmul(one, other)


def _plain_matmul(one: FloatArray, other: FloatArray) -> Double:
    """The same in plain float64, but for rows whose products are so large that its rounding would show."""
    largest = np.sqrt(np.einsum("ij,ij->i", other, other).max(initial=0.0))
    unsafe = np.flatnonzero(~(np.sqrt(np.einsum("ij,ij->i", one, one)) * largest < _SAFE))
    whole = one @ other.T
    if not len(unsafe):
        return Double(whole, np.broadcast_to(0.0, whole.shape))
    exact = _exact_matmul(Double(one[unsafe]), other)
    low = np.zeros_like(whole)
    whole[unsafe], low[unsafe] = exact.high, exact.low
    return Double(whole, low)


def _exact_matmul(one: Double, other: FloatArray) -> Double:
    bits = (53 - one.high.shape[-1].bit_length()) // 2
    high, low = _cut(one.high, bits)
    other_high, other_low = _cut_once(other, bits)
    whole: FloatArray = high @ other_high.T
    rest: FloatArray = high @ other_low.T + (low + one.low) @ other.T
    known = np.isfinite(whole) & np.isfinite(rest)
    if not known.all():
        whole = np.where(known, whole, one.high @ other.T)
        rest = np.where(known, rest, 0.0)
    return Double(whole) + rest


# The cuts of matrices that all blocks of a call are multiplied by; none outside of calls.
_CUTS: ContextVar[dict[tuple[object, ...], tuple[FloatArray, FloatArray, FloatArray]] | None] = ContextVar(
    "cuts", default=None
)


@contextmanager
def remembering() -> Iterator[None]:
    """Within, no matrix changes, so that one is cut once and not for every block."""
    token = _CUTS.set({})
    try:
        yield
    finally:
        _CUTS.reset(token)


def _cut_once(values: FloatArray, bits: int) -> tuple[FloatArray, FloatArray]:
    known = _CUTS.get()
    if known is None:
        return _cut(values, bits)
    key = (values.__array_interface__["data"][0], values.shape, values.strides, bits)
    if key not in known:
        # With the matrix itself, whose place in memory is not to be given to another one.
        known[key] = (*_cut(values, bits), values)
    return known[key][:2]


def _cut(values: FloatArray, bits: int) -> tuple[FloatArray, FloatArray]:
    """Each row as numbers of so many bits below its largest, and what is left of them."""
    peak = np.abs(values).max(axis=-1, keepdims=True, initial=0.0)
    cut = np.ldexp(1.5, np.minimum(np.frexp(peak)[1] + 52 - bits, 1022))
    high = (values + cut) - cut
    return high, values - high
