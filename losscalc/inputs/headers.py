"""What is a header: a first line of names, or of numbers that count the columns."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

import numpy as np

from losscalc.core.array import Array
from losscalc.core.domains import parse_number
from losscalc.errors import FormatError, Location
from losscalc.inputs.cells import is_missing, is_name, is_word, names_something
from losscalc.inputs.decimals import parse_table
from losscalc.inputs.dialect import Dialect
from losscalc.inputs.options import Reading

# The first cells tell what a row is; to look at millions of them would take too long.
_HEADER_CELLS = 1 << 18
_YEAR = r"(?a)(?:19|20)\d\d|2100"
_LAST_YEAR = 2100
_WHOLE = r"(?a)[+-]?\d+"


def heading(
    cells: list[str],
    header: Literal["auto", "yes", "no"],
    location: Location,
    below: Callable[[], Iterable[list[str]]] = list,
) -> list[str] | None:
    """The names in the first row of a table, or None if it holds data.

    Unless the user says what it is, it is a header if it has names and nothing but names. `below` are the
    first rows below.
    """
    names = [cell.strip() for cell in cells]
    if header != "auto":
        return names if header == "yes" else None
    shown = cells[:_HEADER_CELLS]
    has_names = any(map(names_something, shown))
    has_numbers = any(parse_number(cell) is not None for cell in shown)
    is_pandas = _is_pandas_index(cells)
    if has_numbers and (has_names or is_pandas or (_has_gap_first(cells) and _are_labels(below()))):
        raise FormatError(
            "the line is half names and half numbers",
            found=",".join(cells),
            location=location,
            hint="give --header yes if it names the columns, --header no if it holds data"
            if not is_pandas
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
    return trimmed(cells) == trimmed(titles)


def trimmed(cells: Sequence[str]) -> list[str]:
    """The cells of a line without the blanks around them, and without the empty ones behind the last.

    >>> trimmed(["", " 0", "1", ""])
    ['', '0', '1']
    """
    words = [cell.strip() for cell in cells]
    while words and not words[-1]:
        del words[-1]
    return words


def are_quoted(cells: Sequence[str], line: str, below: str) -> bool:
    """Whether the cells of a line are numbers in quotes, and those at the ends of the lines below are bare.

    >>> are_quoted(["1", "2"], '"1","2"', "1.5,2.5\\n"), are_quoted(["1", "2"], '"1","2"', '"3","4"\\n')
    (True, False)
    """
    line = line.strip()
    are_numbers = all(parse_number(cell.strip('"')) is not None for cell in cells)
    is_around = line.startswith('"') and line.endswith('"') and line.count('"') == 2 * len(cells)
    return are_numbers and is_around and bool(below.strip()) and '"\n' not in below


def have_fractions_below(below: str, rows: Iterable[list[str]], width: int, dialect: Dialect) -> bool:
    """Whether the columns in some lines, which the rows are those of, hold no integers."""
    if width > 1:
        values = parse_table(below, dialect.delimiter, width, list(range(width))) if below else None
        if values is not None:
            # Whoever writes 1.0 would have written 0.0 for the first.
            return have_fractions(values) or below.count(".") == values.size
        table = [[dialect.number(cell) for cell in row[:width]] for row in rows]
        return bool(table) and have_fractions(np.array(table, np.float64))
    found = False
    for cell, *_ in rows:
        if is_missing(cell):
            continue
        if dialect.number(cell) is None or not set(".eE,") & set(cell.strip()):
            return False
        found = True
    return found


def have_fractions(values: Array) -> bool:
    """Whether every column has a number that is no integer."""
    return bool((np.isfinite(values) & (values != np.trunc(values))).any(axis=0).all())


def _is_pandas_index(cells: list[str]) -> bool:
    """Whether pandas wrote this above columns without names: a blank, then 0, 1, 2 ..."""
    words = trimmed(cells)
    return _has_gap_first(cells) and words[1:] == [str(i) for i in range(len(words) - 1)]


def _has_gap_first(cells: list[str]) -> bool:
    """Whether a blank cell is before others, all of which are numbers."""
    first, *others = trimmed(cells) or [""]
    return not first and bool(others) and all(parse_number(word) is not None for word in others)


def _are_labels(rows: Iterable[list[str]]) -> bool:
    """Whether each row begins with a word or a whole number, and no two with the same."""
    labels = [row[0].strip() for row in rows if row]
    is_label = all(is_word(label) or re.fullmatch(_WHOLE, label) for label in labels)
    return is_label and 0 < len(labels) == len(set(labels))
