"""Numbers as text: the shortest that read back, or so many decimals without losing the number."""

from collections.abc import Iterator
from itertools import islice

import numpy as np

from losscalc.core.array import Array


def decimal(number: float, decimals: int) -> str:
    """So many decimals, or scientific where those would not show the number's first digit.

    >>> decimal(0.59499, 4), decimal(0.00005, 4), decimal(-0.0, 1), decimal(0.4, 0)
    ('0.5950', '5.0000e-05', '0.0', '0')
    """
    number = float(number) + 0.0
    if decimals and 0 < abs(number) < 10.0**-decimals:
        return f"{number:.{decimals}e}"
    return f"{number:.{decimals}f}"


def fixed(number: float, decimals: int) -> str:
    """A number as tables show it: decimal, but scientific too where it would be very long.

    >>> fixed(12.5, 2), fixed(1e300, 2), fixed(float("inf"), 2)
    ('12.50', '1.00e+300', 'inf')
    """
    if 1e15 <= abs(number) < np.inf:
        return f"{number:.{decimals}e}"
    return decimal(number, decimals)


def texts(values: Array, precision: int | None) -> Iterator[str]:
    """The numbers of an array, in order."""
    if precision is not None:
        return (decimal(number, precision) for number in values.ravel().tolist())
    # tolist() would widen float32 to float64, and with it 0.1 to 0.10000000149011612.
    if values.dtype == np.float64:
        return map(repr, values.ravel().tolist())
    return map(str, values.ravel())


def lines(values: Array, precision: int | None, delimiter: str) -> Iterator[str]:
    """The rows of an array of at most two axes."""
    words = texts(values, precision)
    if values.ndim < 2:
        return words
    return (delimiter.join(islice(words, values.shape[1])) for _ in range(values.shape[0]))


def nested(values: Array, precision: int | None, nonfinite: dict[str, str]) -> str:
    """An array as nested lists; `nonfinite` says how nan, inf and -inf are spelled."""
    words = iter([nonfinite.get(word, word) for word in texts(values, precision)])

    def write(shape: tuple[int, ...]) -> str:
        if not shape:
            return next(words)
        return "[" + ", ".join(write(shape[1:]) for _ in range(shape[0])) + "]"

    return write(values.shape)
