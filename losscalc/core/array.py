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

# Of a few numbers, `argmin` takes a third of the time of `min`; of so many in main memory, twice as long.
_MANY = 1 << 16


def show_shape(shape: Shape) -> str:
    """A shape as messages write it: (3,) or (N, 2).

    >>> show_shape((3,)), show_shape((None, 2)), show_shape(())
    ('(3,)', '(N, 2)', '()')
    """
    sizes = ["N" if size is None else str(size) for size in shape]
    return f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(sizes)})"


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
    """The least and the largest number of an array that is not empty; both are NaN if any number is."""
    least = values.min() if values.size > _MANY else values.item(values.argmin())
    return float(least), highest(values)


def highest(values: Array) -> float:
    """The largest number of an array that is not empty; NaN if any number is."""
    return float(values.max() if values.size > _MANY else values.item(values.argmax()))
