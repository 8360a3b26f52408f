"""What is a header: a first line of names, or of numbers that count the columns."""

import re
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from losscalc.core.array import Array
from losscalc.core.domains import parse_number
from losscalc.errors import FormatError, Location
from losscalc.inputs.cells import is_name, names_something
from losscalc.inputs.options import Reading

# The first cells tell what a row is; to look at millions of them would take too long.
_HEADER_CELLS = 1 << 18
_YEAR = r"(?a)(?:19|20)\d\d|2100"
_LAST_YEAR = 2100


def heading(cells: list[str], header: Literal["auto", "yes", "no"], location: Location) -> list[str] | None:
    """The names in the first row of a table, or None if it holds data.

    Unless the user says what it is, it is a header if it has names and nothing but names.
    """
    names = [cell.strip() for cell in cells]
    if header != "auto":
        return names if header == "yes" else None
    shown = cells[:_HEADER_CELLS]
    has_names = any(map(names_something, shown))
    has_numbers = any(parse_number(cell) is not None for cell in shown)
    if has_numbers and (has_names or _is_pandas_index(cells)):
        raise FormatError(
            "the line is half names and half numbers",
            found=",".join(cells),
            location=location,
            hint="give --header yes if it names the columns, --header no if it holds data"
            if has_names
            else "give --header yes if it names the columns, as pandas writes it",
        )
    return names if has_names and all(map(is_name, shown)) else None


def are_numbered(cells: list[str]) -> bool:
    """Whether the cells of a line are 0, 1, 2 ... or consecutive years, as columns are numbered.

    >>> are_numbered(["0", "1", "2"]), are_numbered(["1999", "2000"]), are_numbered(["1"])
    (True, True, False)
    """
    words = [cell.strip() for cell in cells]
    first = 0
    if len(words) > 1 and re.fullmatch(_YEAR, words[0]) and int(words[0]) + len(words) - 1 <= _LAST_YEAR:
        first = int(words[0])
    return all(word == str(first + i) for i, word in enumerate(words))


def why_header(cells: list[str], reading: Reading, has_fractions: Callable[[], bool]) -> str | None:
    """Why a first line that holds no names is a header all the same; None if it is none.

    In a file of a pattern, the first file tells: the numbers of another may happen to be whole.
    """
    if reading.header != "auto":
        return None
    if reading.titles:
        return "it is that of the first file of the pattern" if _are_titles(cells, reading.titles) else None
    is_counting = are_numbered(cells) and has_fractions()
    return "it counts up, and the numbers below have fractions" if is_counting else None


def _are_titles(cells: Sequence[str], titles: Sequence[str]) -> bool:
    """Whether the cells of a line are those of a header, but for empty ones behind the last."""
    lines = [[cell.strip() for cell in line] for line in (cells, titles)]
    for line in lines:
        while line and not line[-1]:
            del line[-1]
    return lines[0] == lines[1]


def have_fractions(values: Array) -> bool:
    """Whether every column has a number that is no integer."""
    return bool((np.isfinite(values) & (values != np.trunc(values))).any(axis=0).all())


def _is_pandas_index(cells: list[str]) -> bool:
    """Whether pandas wrote this above columns without names: a blank, then 0, 1, 2 ..."""
    return not cells[0].strip() and cells[1:] == [str(i) for i in range(len(cells) - 1)]
