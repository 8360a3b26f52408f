"""What to do about a cell that is no number; apart from `cells`, as only errors need it."""

import re

from losscalc.core.domains import is_overflow
from losscalc.errors import FormatError, Location
from losscalc.inputs.cells import MISSING, is_date, is_missing, is_name, number
from losscalc.inputs.dialect import COMMENT
from losscalc.inputs.parts import quoted

_PERCENT = re.compile(r"[+-]?[\d.,]+ ?%", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:[,.' \u00a0\u202f]\d{3})+(?:[.,]\d+)?", re.ASCII)
_UNIT = re.compile(r"[$€£] ?[+-]?[\d.]+|[+-]?[\d.]+ ?(?:[a-df-zA-DF-Zµ°€$]|[a-zA-Zµ°]{2,4}|px)", re.ASCII)


def not_a_number(
    cell: str,
    delimiter: str | None,
    location: Location,
    *,
    is_first: bool = False,
    others: str = "",
    may_list: bool = False,
) -> FormatError:
    """The error about a cell that is no number.

    `delimiter` is that of the table, or None if it is certain, and `is_first` is for the first row. `others`
    is the part that means the columns with numbers, and `may_list` is for labels, of which a cell may hold
    several.
    """
    problem = "not a number"
    if "\ufeff" in cell:
        problem = "not a number but a byte-order mark in the middle of the text"
    elif "\0" in cell:
        problem = "not a number but a NUL byte"
    elif is_overflow(cell):
        problem = "a number outside the range of float64"
    hint = _advise(cell, delimiter, is_first=is_first, others=others, may_list=may_list)
    return FormatError(problem, found=cell, location=location, hint=hint)


def of_another_width(cells: list[str], width: int, delimiter: str, title: int | None, na: str) -> str | None:
    """What to do about a line that has more or fewer cells than the first.

    `title` is the line of the first if that is a cell of several words, and `na` what is done with cells
    that lack a number.
    """
    if title is not None:
        return f"if line {title} is a title: --skip-rows {title}"
    if width == 1 and _DECIMAL_COMMA.fullmatch(",".join(cells)):
        return "for decimal commas give --decimal ,"
    if not all(cell.isprintable() for cell in cells):
        return None
    if len(cells) < width:
        return "write a missing cell as NaN" + ("" if na == "drop" else "; --na drop leaves such rows out")
    return f"put a cell that holds {delimiter!r} in quotes"


def _advise(cell: str, delimiter: str | None, *, is_first: bool, others: str, may_list: bool) -> str | None:
    """What to type if a cell is not a number."""
    word = cell.strip()
    if is_missing(cell):
        return MISSING
    remedies = [] if (remedy := _rewritten(word, others)) is None else [remedy]
    if "," in word and delimiter not in (None, ","):
        remedies.append("if commas separate cells: --delimiter ,")
    if may_list and (mark := next((mark for mark in " |;,/" if _lists(word, mark)), None)) is not None:
        remedies.append(f"for several labels in a cell: --multi-hot {quoted(mark)}")
    if remedies:
        return " ; ".join(remedies)
    if is_first and word.startswith(("[", "{")):
        return "for JSON give --from json"
    if (other := _other_delimiter(word, delimiter, is_first=is_first)) is not None:
        return f"give --delimiter {other} to separate cells there"
    # Behind a quote, a # begins no comment.
    if is_first and (is_name(cell) or re.match(COMMENT, word)):
        return "give --header yes if the line names the columns"
    return f"take the columns of numbers: {others}" if others and is_name(cell) else None


def _lists(word: str, mark: str) -> bool:
    """Whether a mark separates nothing but labels: names and whole numbers."""
    pieces = [piece.strip() for piece in word.split(mark) if piece.strip()]
    return len(pieces) > 1 and all(piece.isdecimal() or is_name(piece) for piece in pieces)


def _other_delimiter(word: str, delimiter: str | None, *, is_first: bool) -> str | None:
    """What separates several cells that were read as one, as it has to be typed."""
    for other, typed in ((";", "';'"), ("\t", "tab"), ("|", "'|'"), (" ", "space")):
        pieces = [piece for piece in word.split(other) if piece or other != " "]
        if delimiter in (None, other) or len(pieces) < 2:
            continue
        if all(number(piece) is not None or (is_first and is_name(piece)) for piece in pieces):
            return typed
    return None


def _rewritten(word: str, others: str) -> str | None:
    """How a number is to be written that is there as a date, or with a sign or mark too many."""
    if is_date(word) and others:
        return f"a date is not a number: take the columns of numbers: {others}"
    if is_date(word):
        return "a date is not a number: write it as one, such as days since some date"
    if _PERCENT.fullmatch(word):
        return (
            "write percentages without the sign, divided by 100 where a probability is expected: 0.5 for 50%"
        )
    if _THOUSANDS.fullmatch(word):
        more = "; if it is a decimal comma: --decimal ," if _DECIMAL_COMMA.fullmatch(word) else ""
        return f"write thousands without a mark between them, as in 1000{more}"
    if _DECIMAL_COMMA.fullmatch(word):
        return "for decimal commas give --decimal ,"
    return "write the number without its unit" if _UNIT.fullmatch(word) else None
