"""Cells of text: which number one is, and whether it is missing or a name."""

import re
from collections.abc import Iterable
from functools import cache

import numpy as np

from losscalc.core.array import Array
from losscalc.core.domains import parse_number
from losscalc.errors import shown

Cell = str | bytes | float
"""What stands in a cell beside an array: a text, which is bytes if it is ASCII, or a number."""

EXACT = 2.0**53
"""Below this, every whole number is one of float64."""
MISSING = "--na drop leaves the row out, --na nan reads NaN"
"""The hint at a missing number."""
TRUTH = {"true": 1.0, "false": 0.0}
_NA_WORDS = frozenset({"", "na", "n/a", "#n/a", "null", "none", "."})
# Compiled when they are used, as few cells need that.
_WHOLE = r"(?a)[+-]?\d{1,400}"
_DATE = r"(?as)\d{4}[-/.]\d{1,2}[-/.]\d{1,2}.*|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}.*"


def number(cell: str, decimal: str = ".") -> float | None:
    """The number that a cell holds, or None; true and false are 1 and 0.

    >>> number(" 0.5 "), number("0,5", ","), number("True"), number("0,5"), number("1.000,5", ",")
    (0.5, 0.5, 1.0, None, None)
    """
    if decimal != ".":
        # A point beside decimal commas stands between thousands.
        if "." in cell:
            return None
        cell = cell.replace(decimal, ".")
    value = parse_number(cell)
    return TRUTH.get(cell.strip(" \t").lower()) if value is None else value


def as_cells(cells: Iterable[Cell]) -> Array:
    """Cells as an array, of numbers if all of them are numbers.

    >>> as_cells(["cat", "dog"]).dtype, as_cells([1.0, 2.0]).dtype
    (dtype('O'), dtype('float64'))
    """
    held = list(cells)
    if all(isinstance(cell, float) for cell in held):
        return np.array(held, np.float64)
    array = np.empty(len(held), object)
    array[:] = held
    return array


def number_of(cell: Cell) -> float | None:
    """The number that a cell is or stands for, exactly; None if it is a text.

    >>> number_of("007"), number_of(7.0), number_of(b"9007199254740993"), number_of("a7")
    (7.0, 7.0, 9007199254740993, None)
    """
    if isinstance(cell, float | int):
        return cell
    text = text_of(cell)
    value = parse_number(text)
    if value is None or value != value:
        return None
    # float64 has no longer every whole number from here on.
    is_whole = abs(value) >= EXACT and re.fullmatch(_WHOLE, text.strip())
    return int(text) if is_whole else value


def text_of(cell: Cell) -> str:
    """What stands in a cell as text; whole numbers have no point.

    >>> text_of(b"cat"), text_of(7.0), text_of(0.1), text_of("007")
    ('cat', '7', '0.1', '007')
    """
    if isinstance(cell, bytes):
        return cell.decode()
    return cell if isinstance(cell, str) else repr(cell).removesuffix(".0")


def shown_cell(cell: Cell) -> str:
    """A cell as messages show it: a text in quotes, unless it is a number.

    >>> shown_cell("007"), shown_cell(7.0), shown_cell(b"cat")
    ('007', '7', "'cat'")
    """
    return shown(text_of(cell)) if number_of(cell) is None else text_of(cell)


def listed(cell: str, decimal: str = ".") -> list[float] | None:
    """The numbers of a list that stands in one cell, as Python, NumPy and PyTorch print it.

    >>> listed("[0.9, 0.1]"), listed("[ 1. -2.5]"), listed("(0.9, 0.1)"), listed("[1,,2]")
    ([0.9, 0.1], [1.0, -2.5], [0.9, 0.1], None)
    >>> listed("[np.float64(0.9), np.int64(1)]"), listed("tensor([0.9, 1.])"), listed("(1,000)")
    ([0.9, 1.0], [0.9, 1.0], None)
    """
    word = cell.strip()
    if not word.endswith(("]", ")")):
        return None
    scalar, array, pair = _printed()
    word = array.sub(r"\1", scalar.sub(r"\1", word))
    if pair.fullmatch(word):
        word = f"[{word[1:-1].removesuffix(',')}]"
    if not (word.startswith("[") and word.endswith("]")):
        return None
    words = re.split(r"\s*,\s*|\s+", word[1:-1].strip()) if decimal == "." else word[1:-1].split()
    numbers = [value for each in words if (value := number(each, decimal)) is not None]
    return numbers if len(numbers) == len(words) else None


@cache
def _printed() -> tuple[re.Pattern[str], ...]:
    """How Python, NumPy and PyTorch print a number, an array and a tuple; compiled for the first list."""
    return (
        re.compile(r"np\.(?:float|int|uint)\d+\(([^()]*)\)"),
        re.compile(r"\A(?:tensor|array)\((\[[^\[\]]*\])(?:,\s*\w+=[^()]*)?\)\Z"),
        # In parentheses alone, or around a comma without a blank, a number is a negative one of bookkeeping.
        re.compile(r"\([^(),]+(?:, [^(),]+)*(?:, [^(),]+|,)\)"),
    )


def is_missing(cell: str) -> bool:
    """Whether a cell is empty, or a word that stands for a missing number."""
    return cell.strip().lower() in _NA_WORDS


def is_name(cell: str) -> bool:
    """Whether a cell can name a column: it is blank, or a word that nobody would take for a number.

    >>> [cell for cell in ("logit", "log(p)", "", "0.5", "1_000", "0x10", "nan", "[1") if is_name(cell)]
    ['logit', 'log(p)', '']
    """
    word = cell.strip()
    if not word:
        return True
    is_printable = word.replace("\n", " ").isprintable()
    if parse_number(word) is not None or not is_printable or word.lower().startswith("nan("):
        return False
    return (word[0].isalpha() or word[0] in "_%(") and listed(word) is None


def names_something(cell: str) -> bool:
    """Whether a cell is a name, and stands neither for a number nor for a missing one."""
    return is_name(cell) and not is_missing(cell) and cell.strip().lower() not in TRUTH


def is_date(cell: str) -> bool:
    """Whether a cell holds a date, and perhaps a time.

    >>> [cell for cell in ("2024-01-31", "31.1.2024 12:00", "2024", "1.5") if is_date(cell)]
    ['2024-01-31', '31.1.2024 12:00']
    """
    return parse_number(cell) is None and re.fullmatch(_DATE, cell.strip()) is not None


def is_word(cell: str) -> bool:
    """Whether a cell holds a word or a date."""
    return names_something(cell) or is_date(cell)
