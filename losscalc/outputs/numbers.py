"""Numbers as text: with the fewest digits that read back exactly, or with so many decimals."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from losscalc.core.array import Array
from losscalc.core.exactsum import Sum, quotient, total

if TYPE_CHECKING:
    from decimal import Decimal

# Python's JSON reads these back; strict JSON has none and writes null.
PYTHON_WORDS = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
STRICT_WORDS = dict.fromkeys(PYTHON_WORDS, "null")


def decimal(number: float, decimals: int) -> str:
    """A number with so many decimals, or scientific if they would not show its first digit.

    >>> decimal(0.59499, 4), decimal(0.00005, 4), decimal(-0.0, 1), decimal(0.4, 0)
    ('0.5950', '5.0000e-05', '0.0', '0')
    """
    number = float(number) + 0.0
    if decimals and 0 < abs(number) < 10.0**-decimals:
        return f"{number:.{decimals}e}"
    return f"{number:.{decimals}f}"


def fixed(number: float, decimals: int) -> str:
    """A number as tables show it: the same, but scientific if it would be very long, too.

    >>> fixed(12.5, 2), fixed(1e300, 2), fixed(float("inf"), 2)
    ('12.50', '1.00e+300', 'inf')
    """
    if 1e15 <= abs(number) < np.inf:
        return f"{number:.{decimals}e}"
    return decimal(number, decimals)


def all_digits(number: "Decimal") -> str:
    """A decimal number with all its digits, in the notation of floating numbers.

    >>> from decimal import Decimal
    >>> all_digits(Decimal("0.10")), all_digits(Decimal("1E-30")), all_digits(Decimal("-Infinity"))
    ('0.10', '1e-30', '-inf')
    """
    return str(number).lower().replace("infinity", "inf")


def row_mean(row: Array) -> float:
    """The mean of a row, even if its sum overflows."""
    return quotient(total(row.astype(np.float64)), Sum.whole(row.size))


def texts(values: Array, precision: int | None) -> Iterator[str]:
    """The numbers of an array, in order; decimal.Decimal keeps all its digits."""
    if values.dtype == object:
        return map(all_digits, values.ravel())
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


def json_text(fact: object, precision: int | None = None) -> str:
    """A fact as strict JSON; arrays in it get so many decimals, all other numbers keep their digits.

    >>> json_text({"value": np.array([0.25, np.nan]), "rows": [1, 2.5, None, "σ"]}, 1)
    '{"value": [0.2, null], "rows": [1, 2.5, null, "σ"]}'
    """
    if isinstance(fact, np.ndarray | np.generic):
        return nested(np.asarray(fact), precision, STRICT_WORDS)
    if isinstance(fact, Mapping):
        return "{" + ", ".join(f"{json_text(k)}: {json_text(v, precision)}" for k, v in fact.items()) + "}"
    if isinstance(fact, list | tuple):
        return "[" + ", ".join(json_text(item, precision) for item in fact) + "]"
    if isinstance(fact, float):
        return STRICT_WORDS.get(repr(float(fact)), repr(float(fact)))
    # Imported here, because it costs more than the rest of a small call, and most calls write no JSON.
    import json

    return json.dumps(fact, ensure_ascii=False)


def json_bytes(fact: object, precision: int | None = None) -> bytes:
    """The same as a line of UTF-8; bytes of file names that are not UTF-8 are escaped."""
    return (json_text(fact, precision) + "\n").encode(errors="backslashreplace")
