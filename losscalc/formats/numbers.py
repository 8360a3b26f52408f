"""Numbers as text: the shortest that read back, or so many decimals without losing the number."""

from collections.abc import Iterator
from itertools import islice

import numpy as np

from losscalc.arrays import Array


def fixed(number: float, decimals: int) -> str:
    """So many decimals, or scientific where those would show nothing but zeros.

    >>> fixed(0.59499, 4), fixed(4.25e-18, 4), fixed(-0.0, 1), fixed(1e300, 2)
    ('0.5950', '4.2500e-18', '0.0', '1.00e+300')
    """
    number = float(number)
    text = f"{number + 0.0:.{decimals}f}"
    if np.isfinite(number) and (abs(number) >= 1e15 or (number != 0 and float(text) == 0)):
        return f"{number:.{decimals}e}"
    return text


def texts(values: Array, precision: int | None) -> Iterator[str]:
    """The numbers of an array, in order."""
    if precision is not None:
        return (fixed(number, precision) for number in values.ravel().tolist())
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
