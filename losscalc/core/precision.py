"""How precise a result has to be, and where float64 is not enough to get there."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

from losscalc.core.array import FloatArray
from losscalc.core.double import choose

# Of float32 results, numbers may cancel down to this share of their size and still have 11 bits to spare:
# float64 computes them to 2^-51 of that size.
_SHARE = 2.0**-14
# The same of values that are computed to 67 bits, for results of 53.
_BRIEF_SHARE = 2.0**-12

# The squares of numbers up to it, and of their inverses, are no danger.
_LARGE = 2.0**400

_NARROW: ContextVar[bool] = ContextVar("narrow", default=False)


@contextmanager
def precision_of(dtype: np.dtype) -> Iterator[None]:
    """Within, results are rounded to a dtype in the end."""
    token = _NARROW.set(dtype.itemsize < 8)
    try:
        yield
    finally:
        _NARROW.reset(token)


def is_narrow() -> bool:
    """Whether results have fewer digits than float64, so that its own rounding hardly ever shows."""
    return _NARROW.get()


def brief_size(size: FloatArray) -> FloatArray:
    """For `refined`, the size of what was computed to 67 bits; NaN where squares may be out of range."""
    regular = (size < _LARGE) & (size > 1.0 / _LARGE)
    return np.where(regular, size if is_narrow() else size * _BRIEF_SHARE, np.nan)


def refined(
    plain: FloatArray, size: FloatArray, exact: Callable[..., FloatArray], *arrays: FloatArray
) -> FloatArray:
    """Values in plain float64, but where they are small beside the numbers that they are a sum of.

    `size` is the largest of these, and `exact` what computes the others, from the elements (or rows) of
    arrays. Which of the two an element gets depends on nothing but itself. What is NaN is left to `exact`.
    """
    plain = np.asarray(plain)
    safe = np.abs(plain) >= (size * _SHARE if is_narrow() else size)
    if safe.all():
        return plain
    doubtful = np.flatnonzero(~safe)
    rows = [array.shape[: plain.ndim] == plain.shape for array in arrays]
    if all(rows) and 2 * len(doubtful) < plain.size:
        parts = [array.reshape(plain.size, *array.shape[plain.ndim :])[doubtful] for array in arrays]
        plain = np.asarray(plain, order="C")
        plain.reshape(-1)[doubtful] = exact(*parts)
        return plain
    return choose(safe, plain, exact(*arrays))
