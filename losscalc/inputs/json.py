"""JSON, a document at a time, and JSON lines, a row at a time."""

from collections.abc import Iterator

from losscalc.core.array import Array, show_shape
from losscalc.engine.sources import MemorySource, Rows, Source
from losscalc.errors import FormatError, Index, Location
from losscalc.inputs.decimals import parse_table
from losscalc.inputs.document import find, parse, to_array
from losscalc.inputs.limits import HELD, too_large
from losscalc.inputs.options import Reading
from losscalc.inputs.stream import Stream
from losscalc.inputs.text import Lines, Piece, TextSource

# For texts up to this length, json is faster than `parse_table`.
_SHORT = 1 << 12


class JsonSource(MemorySource):
    """An array of a JSON document, which was read as a whole."""

    def __init__(self, values: Array, missing: Array | None, location: Location) -> None:
        super().__init__(values)
        self._missing = missing
        self._location = location

    def take(self, rows: int) -> Rows:
        start = self._next
        values = super().take(rows).values
        return Rows(values, None if self._missing is None else self._missing[start : start + rows])

    @property
    def can_skip(self) -> bool:
        # Skipping is meant to save reading, but a document can only be read as a whole.
        return False

    def whole(self) -> Array:
        return super().whole() if self._missing is None else Source.whole(self)

    def locate(self, index: Index) -> Location:
        return self._location.inside(index)


class JsonLines(TextSource):
    """An array of which every line is a row: a list, a number, or an object that holds it."""

    def __init__(self, stream: Stream, part: str | None, reading: Reading) -> None:
        super().__init__(stream, _line_pieces(stream, part, reading))

    def locate(self, index: Index) -> Location:
        return super().locate(index).inside(index[1:])


def _line_pieces(stream: Stream, part: str | None, reading: Reading) -> Iterator[Piece]:
    """The rows of JSON lines, a piece of text at a time; blank lines are skipped."""
    lines = Lines(stream, reading.encoding, is_table=False)
    shape: Index | None = None
    line = lines.next_line
    while text := lines.piece():
        piece: Piece | None = None
        plain = None if part is not None else _plain_rows(text)
        if plain is not None and shape in (None, plain.shape[1:]):
            piece = Piece(plain, None, range(line, line + len(plain)))
        elif rows := [(line + i, row) for i, row in enumerate(text.split("\n")) if row.strip(" \t")]:
            piece = _parsed(rows, stream.name, part, reading.na)
        line = lines.next_line
        if piece is None:
            continue
        if shape is not None and piece.values.shape[1:] != shape:
            found, before = show_shape(piece.values.shape[1:]), show_shape(shape)
            raise FormatError(
                f"the row has shape {found}, those before {before}",
                location=Location(stream.name, piece.lines[0]),
            )
        shape = piece.values.shape[1:]
        yield piece


def _parsed(rows: list[tuple[int, str]], name: str, part: str | None, na: str) -> Piece:
    """The rows of lines with their numbers, each of them a document."""
    lines = [line for line, _ in rows]
    documents = [find(parse(text, name, line), part, Location(name, line)) for line, text in rows]

    def place(index: Index) -> Location:
        return Location(name, lines[index[0]] if index else None).inside(index[1:])

    return Piece(*to_array(documents, na, place), lines)


def _plain_rows(text: str) -> Array | None:
    """The rows of lines that all are numbers or flat lists of numbers; None if they are anything else.

    Where the only [ of each line is its first character, and the only ] its last, the rest is a table.
    """
    if "[" not in text:
        values = parse_table(text, ",", 1, [0], json=True)
        return None if values is None else values[:, 0]
    rows = text.count("[")
    if not text.startswith("[") or not text.endswith("]\n") or text.count("]") != rows:
        return None
    table = text[1:-2].replace("]\n[", "\n") + "\n"
    # Any other bracket ends up in a cell, which is then not a number; any other line end adds a row.
    width = table.count(",", 0, table.index("\n")) + 1
    values = parse_table(table, ",", width, list(range(width)), json=True)
    return values if values is not None and len(values) == rows else None


def _plain_document(text: str) -> Array | None:
    """The array of a list of numbers, or of flat lists of numbers; None if the document is anything else."""
    text = text.strip(" \t\r\n").replace("\n", " ")
    if text.startswith("[[") and text.endswith("]]"):
        # Any other bracket ends up in a cell, which is then not a number.
        table = text[2:-2].replace("], [", "\n").replace("],[", "\n") + "\n"
        width = table.count(",", 0, table.index("\n")) + 1
        return parse_table(table, ",", width, list(range(width)), json=True)
    if text.startswith("[") and text.endswith("]"):
        values = parse_table(text[1:-1].replace(",", "\n") + "\n", ",", 1, [0], json=True)
        return None if values is None else values[:, 0]
    return None


def open_json(stream: Stream, part: str | None, reading: Reading) -> Source:
    """The array of a JSON document or of a part of it."""
    text = _whole_text(stream, reading)
    stream.close()
    location = Location(stream.name, part="" if part is None else f"#{part}")
    return read_document(text, stream.name, part, reading.na, location)


def _whole_text(stream: Stream, reading: Reading) -> str:
    """The text of a document, within the limit of what is held in memory."""
    most = stream.most(HELD)
    excess = too_large("the JSON document has", most, Location(stream.name))
    if (stream.size or 0) > most:
        raise excess
    lines = Lines(stream, reading.encoding, longest=HELD, is_table=False)
    # As bytes: one character beyond Latin-1 would make a str take two or four bytes for each.
    text = bytearray()
    for piece in iter(lines.piece, ""):
        text += piece.encode()
        if len(text) > most:
            raise excess
    return text.decode()


def read_document(text: str, path: str, part: str | None, na: str, location: Location) -> JsonSource:
    """The array of the JSON in a text."""
    if not text.strip():
        raise FormatError("no data", location=location)
    plain = _plain_document(text) if part is None and len(text) > _SHORT else None
    if plain is not None:
        return JsonSource(plain, None, location)
    document = find(parse(text.rstrip(" \t\r\n"), path), part, location)
    values, missing = to_array(document, na, location.inside)
    return JsonSource(values, missing, location)
