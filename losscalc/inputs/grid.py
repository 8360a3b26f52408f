"""Where the cells of whole lines of text are, and what letters are in them, thousands of cells at a time."""

import re
from typing import NamedTuple

import numpy as np

from losscalc.core.array import ArrayOf
from losscalc.inputs.options import BLANKS

Letters = ArrayOf[np.uint8]
Places = ArrayOf[np.intp]
Words = ArrayOf[np.uint64]
Flags = ArrayOf[np.bool_]

WORD = 8
"""How many letters a word has."""
MOST = 3
"""How many words can be asked for at once."""
_NEWLINE, _BLANK = b"\n "
# The words before the first place and behind the last one have to be somewhere.
_BEFORE = WORD * MOST
_COMMENT = rb"(?m)^[ \t]*#"
# What a pair of flags is as a number, of which the second is set.
_SECOND = 0x100


class Grid(NamedTuple):
    """The cells of a text, row by row. Its first letter is a line end that was put before the text."""

    raw: bytes
    padded: Letters
    letters: Letters
    bounds: Places
    """Where each cell stops, after the line end before the first of them."""
    width: int
    """How many cells a row has."""

    @classmethod
    def of(cls, raw: bytes, delimiter: str, width: int) -> "Grid | None":
        """The cells of whole lines; None if lines have more or fewer of them, or one may be a line of #."""
        padded = np.empty(_BEFORE + len(raw) + WORD, np.uint8)
        padded[:_BEFORE] = padded[-WORD:] = _NEWLINE
        padded[_BEFORE:-WORD] = np.frombuffer(raw, np.uint8)
        if b"#" in raw and re.search(_COMMENT, raw):
            return None
        letters = padded[_BEFORE - 1 :]
        size = len(raw) + 1
        # Of an even size, for pairs.
        is_end = np.zeros(size + size % 2, np.bool_)
        np.equal(letters[:size], ord(delimiter), out=is_end[:size])
        is_end[:size] |= letters[:size] == _NEWLINE
        bounds = _places(is_end)
        rows, odd = divmod(len(bounds) - 1, width)
        if odd:
            return None
        is_line_end = letters.take(bounds[1:]).reshape(rows, width) == _NEWLINE
        if np.count_nonzero(is_line_end) != rows or not is_line_end[:, -1].all():
            return None
        return cls(raw, padded, letters, bounds, width)

    @property
    def nbytes(self) -> int:
        """The memory of the cells, beside the text."""
        return self.padded.nbytes + self.bounds.nbytes

    def cells(self, columns: list[int]) -> tuple[Places, Places]:
        """Where the cells of some columns start and stop, row by row."""
        first, last = columns[0], columns[-1]
        is_run = columns == list(range(first, last + 1))
        chosen = slice(first, last + 1) if is_run else columns
        before, stops = (
            ends.reshape(-1, self.width)[:, chosen] for ends in (self.bounds[:-1], self.bounds[1:])
        )
        return (before + 1).ravel(), stops.ravel()

    def before(self, places: Places, count: int) -> Words:
        """So many words of the letters before each place."""
        return self._words(places + (_BEFORE - 1 - WORD * count), count)

    def behind(self, places: Places) -> Words:
        """A word of the letters from each place on."""
        return self._words(places + (_BEFORE - 1), 1)

    def _words(self, places: Places, count: int) -> Words:
        size = WORD * count
        # A view that begins at every letter: indexing it copies the words that are wanted, aligned or not.
        windows = np.ndarray(len(self.padded) - size + 1, f"V{size}", self.padded, 0, (1,))
        return windows[places].view("<u8")


def _places(flags: Flags) -> Places:
    """Where flags are set: looked for in pairs, which halves the time, unless a pair has two."""
    pairs = flags.view("<u2")
    places = np.flatnonzero(pairs != 0)
    found = pairs.take(places)
    if found.max(initial=0) > _SECOND:
        return np.flatnonzero(flags)
    places *= 2
    places += found == _SECOND
    return places


def squeezed(raw: bytes, delimiter: str) -> bytes:
    """The text without the blanks around cells; between cells, a run of blanks becomes one."""
    if delimiter != "\t":
        raw = raw.replace(b"\t", b" ")
    if b" " not in raw:
        return raw
    letters = np.frombuffer(b"\n" + raw, np.uint8)
    is_blank = letters == _BLANK
    # Runs of blanks start and end in turn, between letters, as there is a line end on both sides.
    edges = np.flatnonzero(is_blank[1:] != is_blank[:-1])
    before, behind = letters[edges[::2]], letters[edges[1::2] + 1]
    is_outer = (before == _NEWLINE) | (behind == _NEWLINE)
    if delimiter != BLANKS:
        is_outer |= (before == ord(delimiter)) | (behind == ord(delimiter))
    kept = ~is_blank
    kept[edges[::2][~is_outer] + 1] = True
    return bytes(letters[1:][kept[1:]])
