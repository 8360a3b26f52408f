"""The texts in a column of a table, thousands of cells at a time, as NumPy's arrays of bytes."""

import numpy as np

from losscalc.core.array import Array
from losscalc.inputs.grid import squeezed
from losscalc.inputs.options import BLANKS

_TAB, _NEWLINE = b"\t\n"
_FIRST_PRINTED = 32
# Each cell takes as many bytes as the longest: what is longer than the usual names of things waits for csv.
_LONGEST = 128


def parse_words(raw: bytes, delimiter: str, width: int, column: int) -> Array | None:
    """The cells of one column of whole lines; None where only a closer look tells where cells end.

    >>> parse_words(b"7,cat\\n8,dog\\n", ",", 2, 1)
    array([b'cat', b'dog'], dtype='|S3')
    """
    if not raw.isascii() or b'"' in raw or b"#" in raw:
        return None
    if delimiter == BLANKS:
        raw = squeezed(raw, delimiter)
    letters = np.frombuffer(raw, np.uint8)
    ends = np.flatnonzero((letters == ord(delimiter)) | (letters == _NEWLINE))
    if len(ends) % width:
        return None
    kinds = letters[ends].reshape(-1, width)
    if (kinds[:, -1] != _NEWLINE).any() or (kinds[:, :-1] == _NEWLINE).any():
        return None
    tabs = raw.count(_TAB)
    if np.count_nonzero(letters < _FIRST_PRINTED) != tabs + len(kinds):
        return None
    starts = np.append(0, ends[:-1] + 1).reshape(-1, width)[:, column]
    cells = _between(raw, starts, ends.reshape(-1, width)[:, column])
    if cells is not None and delimiter != BLANKS and (b" " in raw or (tabs and delimiter != "\t")):
        cells = np.strings.strip(cells)
    # A line without a letter is no row, unless delimiters show that it has cells.
    return None if cells is None or (width == 1 and (cells == b"").any()) else cells


def _between(raw: bytes, starts: Array, stops: Array) -> Array | None:
    """The bytes between some places, unless there are too many."""
    lengths = stops - starts
    fewest, most = int(lengths.min()), max(1, int(lengths.max()))
    if most > _LONGEST:
        return None
    # A view that begins at every letter: indexing it copies the cells, and what stands behind them.
    windows = np.ndarray(len(raw), f"S{most}", raw + b"\0" * most, 0, (1,))
    cells: Array = windows[starts]
    letters = cells.view(np.uint8).reshape(-1, most)
    for place in range(fewest, most):
        letters[lengths <= place, place] = 0
    return cells
