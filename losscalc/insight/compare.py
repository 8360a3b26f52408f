"""Compares a value with an expected one."""

from typing import NamedTuple

import numpy as np

from losscalc.core.array import Array, show_shape
from losscalc.errors import Index, ShapeError


class Tolerance(NamedTuple):
    """How far two numbers may be apart."""

    rtol: float = 1e-5
    atol: float = 1e-8

    def agree(self, value: Array, expected: Array) -> np.ndarray:
        """A mask of the numbers that agree; NaN agrees with NaN, and an infinity with itself."""
        with np.errstate(all="ignore"):
            close = np.abs(value - expected) <= self.atol + self.rtol * np.abs(expected)
        same = (value == expected) | (np.isnan(value) & np.isnan(expected))
        return np.asarray((close & np.isfinite(expected)) | same)


class Comparison(NamedTuple):
    """A value and the expected one, with the place where they differ most."""

    value: Array
    expected: Array
    agrees: bool
    differing: int
    worst: Index
    """The index of the number that differs most; () for a scalar."""

    @property
    def difference(self) -> float:
        """The difference of that number."""
        return float(self.value[self.worst]) - float(self.expected[self.worst])


def compare(
    value: Array, expected: Array, tolerance: Tolerance, *, singles: int = 0, name: str = "expect"
) -> Comparison:
    """Compare a value with an expected one of the same shape.

    `singles` is how many losses have been reduced to the value, and `name` the argument that is expected.
    """
    dtype = value.dtype
    value, expected = (np.asarray(a, dtype=np.float64) for a in (value, expected))
    if value.shape != expected.shape and value.size == expected.size == 1:
        expected = expected.reshape(value.shape)
    if value.shape != expected.shape:
        hint = None if expected.shape else "`reduction` mean or sum gives one number"
        # A loss of the whole batch is one number, also with the reduction none.
        if not value.shape:
            hint = "`reduction` none gives the single losses" if expected.size == singles else None
        raise ShapeError(
            f"`{name}` has shape {show_shape(expected.shape)}, and the result {show_shape(value.shape)}",
            argument=name,
            hint=hint,
        )
    with np.errstate(all="ignore"):
        # The digits that are printed of a float16 are so few that only this float16 is nearest to them.
        agrees = tolerance.agree(value, expected) | ((expected.astype(dtype) == value) & np.isfinite(value))
        gap = np.where(agrees, -1.0, np.nan_to_num(np.abs(value - expected), nan=np.inf))
    worst = np.unravel_index(int(np.argmax(gap)), gap.shape) if gap.size else ()
    place = tuple(int(i) for i in worst)
    return Comparison(value, expected, bool(agrees.all()), int((~agrees).sum()), place)
