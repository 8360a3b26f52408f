"""The types of arrays and of their shapes."""

import math
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    import numpy.typing

    ArrayLike = numpy.typing.ArrayLike
    DTypeLike = numpy.typing.DTypeLike
else:
    # numpy.typing adds to its documentation while it is imported, for which every command would wait.
    ArrayLike = DTypeLike = Any

Scalar = TypeVar("Scalar", bound=np.generic)
Array = np.ndarray
ArrayOf = np.ndarray[Any, np.dtype[Scalar]]
FloatArray = ArrayOf[np.float64]
IndexArray = ArrayOf[np.int64]
Shape = tuple[int | None, ...]
"""A shape. None stands for a number of rows that is only known at the end of the file."""


def show_shape(shape: Shape) -> str:
    """A shape as messages write it: (3,) or (N, 2).

    >>> show_shape((3,)), show_shape((None, 2)), show_shape(())
    ('(3,)', '(N, 2)', '()')
    """
    sizes = ["N" if size is None else str(size) for size in shape]
    return f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(sizes)})"


# From about here on, `min` is at least as fast as `argmin`.
_MANY = 1 << 16


def row_size(shape: Shape) -> int:
    """The number of elements in one row, a slice along axis 0."""
    size = 1
    for length in shape[1:]:
        size *= length or 1
    return size


def are_finite(values: Array) -> bool:
    """Whether no number is NaN or infinite; of a few, `all` of the flags takes twice as long as to count."""
    if not values.ndim:
        return math.isfinite(values)
    return int(np.count_nonzero(np.isfinite(values))) == values.size


def extremes(values: Array) -> tuple[float, float]:
    """The least and the largest number of an array that is not empty; both are NaN if any number is.

    Of a few numbers `min` takes three times as long as `argmin`, of those in main memory half as long.
    """
    if values.size > _MANY:
        return float(values.min()), float(values.max())
    return float(values.item(values.argmin())), float(values.item(values.argmax()))
