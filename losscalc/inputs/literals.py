"""Numbers on the command line: one, several with commas, or lists as in JSON."""

import re

import numpy as np

from losscalc.core.array import Array
from losscalc.core.domains import is_overflow, parse_number
from losscalc.engine.sources import MemorySource, Source
from losscalc.errors import FormatError, Index, Location
from losscalc.inputs.cells import MISSING, is_missing
from losscalc.inputs.options import Reading

# Probably a list of numbers with a mistake: the message should be about the number, not about a file.
_NUMBER_LIKE = r"(?as)[\s\d.,+\-eE]+|\s*[+-]?[\d.]+\s*,.*"
_PRINTED = (
    (r"(?<=[\w.\]])\s+(?=[\w.\[+-])", ", "),
    (r"(?<![\w.])\+?(-?)\.(?=\d)", r"\g<1>0."),
    (r"(\d\.)(?!\d)", r"\g<1>0"),
    (r"\bnan\b", "NaN"),
    (r"\binf\b", "Infinity"),
)
"""How Python and NumPy print numbers that JSON writes otherwise."""
_LONGEST_HINT = 200


class Literal(MemorySource):
    """Numbers on the command line. A single number may also stand for a vector of length 1."""

    def __init__(self, values: Array, option: str) -> None:
        super().__init__(values)
        self._option = option

    def locate(self, index: Index) -> Location:
        return Location(self._option).inside(index)

    def as_vector(self) -> "Literal | None":
        return Literal(self._values.reshape(1), self._option) if self.shape == () else None


def is_literal(text: str) -> bool:
    """Whether a text is numbers, perhaps with a mistake, and no path."""
    first, mark, _ = text.partition(",")
    if text.lstrip().startswith("[") or parse_number(first) is not None or re.fullmatch(_NUMBER_LIKE, text):
        return True
    is_gap = bool(mark) and is_missing(first)
    return is_gap and all(is_missing(cell) or parse_number(cell) is not None for cell in text.split(","))


def open_literal(text: str, option: str, reading: Reading) -> Source:
    """The array of numbers on the command line."""
    cells, is_list = text.split(","), text.lstrip().startswith("[")
    if not is_list and len(cells) > 1 and reading.na != "error" and any(map(_is_gap, cells)):
        words = ("null" if _is_gap(cell) else str(_cell(cell, i, 2, option)) for i, cell in enumerate(cells))
        text, is_list = f"[{','.join(words)}]".replace("inf", "Infinity"), True
    if is_list:
        from losscalc.inputs.json import read_document

        try:
            return read_document(text, option, reading)
        except FormatError as error:
            error.hint = error.hint or _as_json(text)
            raise
    numbers = np.array([_cell(cell, i, len(cells), option) for i, cell in enumerate(cells)])
    return Literal(numbers if len(cells) > 1 else numbers.reshape(()), option)


def _as_json(text: str) -> str | None:
    """The hint to write lists as JSON does, if they are written as Python or NumPy prints them."""
    written = text
    for pattern, replacement in _PRINTED:
        written = re.sub(pattern, replacement, written, flags=re.ASCII)
    if written == text or len(written) > _LONGEST_HINT:
        return None
    import json

    try:
        json.loads(written)
    except (ValueError, RecursionError):
        return None
    return f"in JSON that is '{written}'"


def _is_gap(cell: str) -> bool:
    """Whether a number is missing, or NaN."""
    return is_missing(cell) or cell.strip().lower().endswith("nan")


def _with_commas(cell: str, count: int) -> str | None:
    """The hint to put commas between numbers that have blanks."""
    words = cell.split()
    if count > 1 or len(words) < 2 or any(parse_number(word) is None for word in words):
        return None
    return f"commas separate numbers, as in {','.join(words)}" if len(cell) <= _LONGEST_HINT else None


def _cell(cell: str, position: int, count: int, option: str) -> float:
    number = parse_number(cell)
    if number is None:
        raise FormatError(
            "a number outside the range of float64" if is_overflow(cell) else "not a number",
            found=cell,
            location=Location(option).inside((position,) if count > 1 else ()),
            hint=MISSING if count > 1 and cell.strip() and is_missing(cell) else _with_commas(cell, count),
        )
    return number
