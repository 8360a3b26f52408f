"""Text in pieces of whole lines, and the arrays that are read from it piece by piece."""

import codecs
from array import array
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import count
from typing import NamedTuple

import numpy as np

from losscalc.core.array import Array, Shape
from losscalc.engine.sources import Rows, Source, join_rows
from losscalc.errors import FormatError, Index, Location, LosscalcError
from losscalc.inputs.cache import Passage, decoded, encoded
from losscalc.inputs.encoding import LONGEST, decoder, wide_encoding
from losscalc.inputs.limits import CELLS, LINE, too_large, too_many
from losscalc.inputs.stream import STDIN, Stream

# What NumPy does with the cells of a piece should take long beside a change from thread to thread. The number
# of threads does not matter, so that neither what is guessed from the first piece depends on it, nor which of
# several errors is told.
_BYTES = 5 << 18
# What is made of documents takes more memory for each byte.
_DOCUMENT = 1 << 20
_MARKS = b",;\t| "
# Encodings in which bytes of ASCII are that text, once a character has ended.
_LIKE_ASCII = ("utf-8", "utf-8-sig", "ascii", "iso8859-1", "cp1252")
# As many times 16 bytes.
_MOST_RUNS = 1 << 20

_PACKED = {
    b"\x1f\x8b": ("gzip", ".gz", "gunzip"),
    b"BZh": ("bzip2", ".bz2", "bunzip2"),
    b"\xfd7zXZ": ("xz", ".xz", "unxz"),
}
"""How packed bytes begin, the suffix of their files, and what unpacks them."""
_HINTS = {
    b"\x93NUMPY": "it looks like NPY: give --from npy",
    b"PK\x03\x04": "it looks like an archive of NumPy or PyTorch: leave --from out",
}


class Lines:
    """The lines of a text in pieces of whole lines; every line end becomes `\\n`."""

    def __init__(self, stream: Stream, encoding: str, longest: int = LINE, *, is_table: bool = True) -> None:
        self.name = stream.name
        self._longest = stream.most(longest)
        # A piece that is larger than a line may be would not tell whether a line is.
        self._bytes = min(_BYTES, self._longest, _BYTES if is_table else _DOCUMENT)
        self._most_cells = stream.most(CELLS) if is_table else None
        self.next_line = 1
        """The number of the first line that was not read yet."""
        self._stream = stream
        self._decoder = decoder(encoding)
        self._encoding = encoding
        self._is_like_ascii = codecs.lookup(encoding).name in _LIKE_ASCII
        self._start = stream.peek(LONGEST)
        self._offset = 0
        self._carry = b""
        self._ended = False
        self._origin = stream.origin, encoding, self._longest, is_table

    def __iter__(self) -> Iterator[Passage]:
        for number in count():
            passage = self._passage(number)
            if not passage.raw:
                return
            yield passage

    def _passage(self, number: int) -> Passage:
        """The next lines, which another reader of the same file may have read before."""
        cache, key = self._stream.cache, (self._origin, number)
        if cache is None or not cache.is_used or self._stream.origin is None:
            return self._next_passage()
        if (kept := cache.get(key)) is not None:
            passage, state = kept
            self.next_line, self._offset, self._carry, self._ended, held = state
            self._decoder.setstate(held)
            self._stream.seek(self._offset)
            return passage
        passage = self._next_passage()._replace(cells={})
        state = self.next_line, self._offset, self._carry, self._ended, self._decoder.getstate()
        cache.keep(key, passage, state)
        return passage

    def _next_passage(self) -> Passage:
        line = self.next_line
        raw = self._piece()
        return Passage(raw, line, self.next_line)

    def _piece(self) -> bytes:
        """The next lines, or nothing at the end of the text."""
        begun, size = [self._carry], 0
        while not self._ended:
            fresh, held = self._decode()
            is_long = len(begun) > 1
            has_returns = b"\r" in fresh or begun[-1].endswith(b"\r")
            if has_returns:
                # A \r at the end may be the first half of \r\n.
                begun, fresh = [], b"".join((*begun, fresh))
            cut = max(fresh.rfind(b"\n"), fresh.rfind(b"\r", 0, len(fresh) - 1) if has_returns else -1) + 1
            if cut or self._ended:
                break
            size += held
            if size > self._longest:
                raise too_large("the line has", self._longest, Location(self.name, self.next_line))
            # A long line is joined once, at its end: joining it after every piece would take quadratic time.
            begun.append(fresh)
        else:
            return b""
        if self._ended:
            cut = len(fresh)
        # Bytes are copied once, as no other thread runs Python meanwhile.
        raw = b"".join((*begun, memoryview(fresh)[:cut]))
        self._carry = fresh[cut:]
        if has_returns:
            raw = _with_line_ends(raw)
        if is_long:
            self._check_long(raw)
        if raw and not raw.endswith(b"\n"):
            raw += b"\n"
        self.next_line += _line_ends(raw)
        return raw

    def chunk(self) -> str:
        """The next text as it comes, which may end within a line; '' at the end."""
        raw = b""
        while not (raw or self._ended):
            raw = self._carry + self._decode()[0]
            # A \r at the end may be the first half of \r\n.
            self._carry = b"\r" if raw.endswith(b"\r") and not self._ended else b""
            raw = _with_line_ends(raw[: len(raw) - len(self._carry)])
        self.next_line += _line_ends(raw)
        return decoded(raw)

    def _check_long(self, raw: bytes) -> None:
        """Refuse a line that is too long, or of so many cells that they would fill the memory."""
        place, end = Location(self.name, self.next_line), raw.find(b"\n")
        end = len(raw) if end < 0 else end
        if end > self._longest:
            raise too_large("the line has", self._longest, place)
        # Whatever is between them.
        cells = max(raw.count(mark, 0, end) for mark in _MARKS)
        if self._most_cells is not None and cells > self._most_cells:
            raise too_many("the cells of the line are", self._most_cells, place)

    def _decode(self) -> tuple[bytes, int]:
        """The next bytes in UTF-8, and how many a text of them takes."""
        raw = self._stream.read(self._bytes)
        self._ended = len(raw) < self._bytes
        # The decoder gets the first piece, which may begin with a mark, and what follows half a character.
        if self._is_like_ascii and self._offset and raw.isascii() and not self._decoder.getstate()[0]:
            self._offset += len(raw)
            return raw, len(raw)
        try:
            text = self._decoder.decode(raw, self._ended)
            if not self._offset and "\0" in text[:4] and wide_encoding(self._start):
                # Text of more bytes a character than were read as one.
                raise UnicodeDecodeError(self._encoding, raw, raw.index(0), len(raw), "NUL")
        except UnicodeError as error:
            raise self._not_text(raw, error) from error
        self._offset += len(raw)
        return encoded(text), text.__sizeof__()

    def _not_text(self, raw: bytes, error: UnicodeError) -> FormatError:
        # The error may be in a character whose first bytes came with the piece before.
        data, start = raw, 0
        if isinstance(error, UnicodeDecodeError):
            data, start = error.object, error.start
        before = data[:start].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        line = self.next_line + before.count(b"\n")
        offset = self._offset + len(raw) - len(data) + start
        return FormatError(
            f"not {self._encoding.removesuffix('-sig')} text at byte {offset}",
            location=Location(self.name, line),
            found=f"0x{data[start]:02x}" if start < len(data) else None,
            hint=self._looks_like(),
        )

    def _looks_like(self) -> str | None:
        """What to do about bytes that are no text, by the first of them."""
        wide = wide_encoding(self._start)
        if wide is not None and codecs.lookup(wide).name != codecs.lookup(self._encoding).name:
            return f"it looks like {wide[:6].upper()}: give --encoding {wide}"
        for magic, (name, suffix, command) in _PACKED.items():
            if self._start.startswith(magic) and (self.name == STDIN or not self._stream.is_plain_file):
                # Of a pipe, there is no name to give.
                return f"it looks like {name}: unpack it on the way, {command} -c FILE | losscalc ..."
            if self._start.startswith(magic):
                return f"it looks like {name}: unpack it, or name it {suffix}"
        hint = next((hint for magic, hint in _HINTS.items() if self._start.startswith(magic)), None)
        # Text in any encoding has no such bytes; formats that are no text do.
        if hint is None and not any(byte < 9 or 13 < byte < 32 for byte in self._start):
            hint = "name the encoding: --encoding latin-1, for example"
        return hint


class Piece(NamedTuple):
    """Some rows of a text: their numbers, which rows lack a number, and the line of each row."""

    values: Array
    missing: np.ndarray | None
    lines: Sequence[int]
    faults: tuple[tuple[int, LosscalcError], ...] = ()
    """The rows that could not be read, and why, where rows may be left out and it is not known which."""


class TextSource(Source):
    """An array that comes in pieces of rows, of which only the current one is kept."""

    dtype: np.dtype = np.dtype(np.float64)

    def __init__(self, stream: Stream, pieces: Iterator[Piece]) -> None:
        self.name = stream.name
        self._stream = stream
        self._pieces = pieces
        self._rows_read = 0
        self._runs = array("q"), array("q")
        """The first rows of runs of rows in consecutive lines, and the lines of these."""
        self._known = 1 << 62
        """Up to this row it is known in which line it stands."""
        self._waiting: deque[Rows] = deque()
        self._failure: LosscalcError | None = None
        if not self._read_on():
            raise FormatError("no data", location=Location(self.name))
        first = self._waiting[0].values
        self._none = Rows(first[:0])
        try:
            is_all = not self._read_on()
        except LosscalcError as error:
            # What is wrong in the rows before is told first.
            self._failure, is_all = error, False
        self.shape: Shape = (len(first) if is_all else None, *first.shape[1:])
        # Readers of one file that stay within a few pieces of one another read it once.
        if stream.cache is not None:
            self.rows_at_once = 2 * max(len(rows.values) for rows in self._waiting)

    def take(self, rows: int) -> Rows:
        taken = []
        while rows and (self._waiting or self._read_on()):
            piece = self._waiting.popleft()
            taken.append(piece.cut(0, rows))
            if len(piece.values) > rows:
                self._waiting.appendleft(piece.cut(rows, len(piece.values)))
            rows -= len(taken[-1].values)
        return join_rows(taken) if taken else self._none

    def line(self, row: int) -> int | None:
        """The line in which a row starts; None behind millions of gaps between rows."""
        if row >= self._known:
            return None
        # Imported here, because nobody asks for the lines of rows that are as they should be.
        from bisect import bisect_right

        first_rows, lines = self._runs
        run = bisect_right(first_rows, row) - 1
        return lines[run] + row - first_rows[run]

    def locate(self, index: Index) -> Location:
        line = self.line(index[0]) if index else None
        return Location(self.name, line) if line else Location(self.name).inside(index[:1])

    def count(self) -> int:
        while self._read_on():
            self._waiting.clear()
        return self._rows_read

    def read_ahead(self, most: int) -> None:
        """Read on while the rows take fewer bytes than this: the length of a short array is known then."""
        # A text takes several times the eight bytes of its place in the array.
        factor = 8 if self.dtype == object else 1
        while self.shape[0] is None and sum(rows.values.nbytes for rows in self._waiting) * factor < most:
            if not self._read_on():
                self.shape = (self._rows_read, *self.shape[1:])

    def progress(self) -> tuple[int, int | None]:
        return self._stream.progress()

    def close(self) -> None:
        self._stream.close()

    def _read_on(self) -> bool:
        """Get the next piece, if there is one."""
        if self._failure is not None:
            raise self._failure
        piece = next(self._pieces, None)
        if piece is None:
            return False
        for offset, line in _run_starts(piece.lines):
            self._note(self._rows_read + offset, line)
        self._rows_read += len(piece.values)
        self._waiting.append(Rows(piece.values, piece.missing, piece.faults))
        return True

    def _note(self, row: int, line: int) -> None:
        """Note the line of a row, unless that follows from those before."""
        first_rows, lines = self._runs
        if first_rows and line == lines[-1] + row - first_rows[-1]:
            return
        if len(lines) < _MOST_RUNS:
            first_rows.append(row)
            lines.append(line)
        else:
            self._known = min(self._known, row)


def _line_ends(raw: bytes) -> int:
    # bytes.count is slow where there are many.
    return int(np.count_nonzero(np.frombuffer(raw, np.uint8) == ord("\n")))


def _with_line_ends(raw: bytes) -> bytes:
    """The same with `\\n` for all other line ends."""
    return raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in raw else raw


def _run_starts(lines: Sequence[int]) -> Iterator[tuple[int, int]]:
    if isinstance(lines, range):
        yield 0, lines[0]
        return
    for offset, line in enumerate(lines):
        if offset == 0 or line != lines[offset - 1] + 1:
            yield offset, line
