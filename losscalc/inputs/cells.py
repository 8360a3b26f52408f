"""The cells of a table of text: which of them name a column, and what to do about one without a number."""

import re

from losscalc.core.domains import parse_number
from losscalc.inputs.options import BLANKS

NA_WORDS = frozenset({"", "na", "n/a", "#n/a", "null", "none", "."})
TRUTH_WORDS = frozenset({"true", "false"})
NO_NAMES = NA_WORDS | TRUTH_WORDS
"""Words that stand where a number is due, and name no column."""


def is_blank(cells: list[str]) -> bool:
    """Whether a row is a line without anything in it."""
    return not cells or (len(cells) == 1 and cells[0] != "" and not cells[0].strip(" \t"))


def is_missing(cell: str) -> bool:
    """Whether a cell says that there is no number."""
    return cell.strip().lower() in NA_WORDS


def is_name(cell: str) -> bool:
    """Whether a cell can name a column: blank, or a word that no number could have been meant by.

    >>> [cell for cell in ("logit", "log(p)", "", "0.5", "1_000", "0x10", "nan", "[1") if is_name(cell)]
    ['logit', 'log(p)', '']
    """
    word = cell.strip()
    if not word:
        return True
    printable = word.replace("\n", " ").isprintable()
    if parse_number(word) is not None or not printable or word.lower().startswith("nan("):
        return False
    return word[0].isalpha() or word[0] in "_%("


def is_pandas_index(cells: list[str]) -> bool:
    """Whether a row is what pandas writes above columns without names: a blank, then 0, 1, 2 ..."""
    return not cells[0].strip() and cells[1:] == [str(i) for i in range(len(cells) - 1)]


def advise(cell: str, delimiter: str, *, is_first: bool) -> str | None:
    """What a user most likely has to type when a cell is not a number."""
    if is_missing(cell):
        return "--na drop leaves the row out, --na nan reads NaN"
    if cell.lstrip().startswith(("[", "{")):
        return "for JSON give --from json"
    if cell.startswith("#"):
        return "--skip-rows N passes over lines at the top"
    if "\0" in cell:
        return "for text in UTF-16 give --encoding utf-16-le or utf-16-be"
    if cell.strip().lower() in TRUTH_WORDS:
        return "write 1 for true and 0 for false"
    if delimiter not in (",", "\t", BLANKS) and re.fullmatch(r"\s*[+-]?\d+,\d+\s*", cell):
        return "write decimals with a point"
    for other in (";", "\t", "|", ","):
        if other in cell and other != delimiter:
            name = "tab" if other == "\t" else f"'{other}'"
            return f"give --delimiter {name} to separate cells there"
    if is_first and is_name(cell):
        return "give --header yes if the line names the columns, or take columns by number: FILE#2"
    if " " in cell.strip():
        return "for columns separated by blanks give --delimiter space"
    return "take the columns with numbers by name or number: FILE#NAME or FILE#2" if is_name(cell) else None
