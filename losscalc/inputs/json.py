"""JSON, a document or the items of its list at a time, and JSON lines, a row at a time."""

import io
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain, islice

from losscalc.core.array import Array
from losscalc.engine.sources import MemorySource, Rows, Source
from losscalc.engine.threads import on_threads
from losscalc.errors import FormatError, Index, Location
from losscalc.inputs import records
from losscalc.inputs.cache import Passage
from losscalc.inputs.columns import INDEX
from losscalc.inputs.contents import Content, find, of_rows
from losscalc.inputs.decimals import parse_table
from losscalc.inputs.document import (
    COMPANION,
    EVERY,
    Number,
    exact,
    parse,
    pointer,
    steps_of,
    too_heavy,
    weight,
)
from losscalc.inputs.feeds import Labels
from losscalc.inputs.frametable import FrameTable, column_of
from losscalc.inputs.items import BLANKS, Chunks, Scanner, is_inexact, plain_items, plain_table, within
from losscalc.inputs.limits import HELD
from losscalc.inputs.nested import to_array, to_cells
from losscalc.inputs.options import Reading
from losscalc.inputs.records import Frame, Numbered, Place, place_in
from losscalc.inputs.stream import Stream
from losscalc.inputs.table import TableSource, open_table
from losscalc.inputs.text import Lines

# For texts up to this length, json is faster than `parse_table`.
_SHORT = 1 << 12
# A piece of so many characters has a long line, of which all cells are held at once.
_LONG = 1 << 21
# So many documents of lines are held at a time.
_ROWS = 1 << 15
# Bytes of numbers that are read before the first is asked for: of a short array, the length is known then.
_AHEAD = 1 << 26


class JsonSource(MemorySource):
    """An array of a JSON document, which was read as a whole."""

    def __init__(self, rows: Rows, location: Location) -> None:
        super().__init__(rows.values)
        if rows.missing is not None or rows.faults:
            self.array = None
        self._rows = rows
        self._location = location

    def take(self, rows: int) -> Rows:
        start, self._next = self._next, self._next + rows
        return self._rows.cut(start, self._next)

    @property
    def can_skip(self) -> bool:
        # Skipping is meant to save reading, but a document can only be read as a whole.
        return False

    def whole(self) -> Array:
        return Source.whole(self) if self.array is None else self.array

    def locate(self, index: Index) -> Location:
        return self._location.inside(index)


def open_json(stream: Stream, part: str | None, reading: Reading) -> Source:
    """The array of a JSON document or of a part of it."""
    chunks = Chunks(stream, reading.encoding)
    begun = list(islice(chunks, 2))
    text = chain(begun, chunks)
    is_pointer = part is not None and part.startswith("/") and COMPANION not in part
    is_list = begun != [] and begun[0].lstrip(BLANKS).startswith("[")
    are_items = is_list and (not is_pointer or f"{part}/".startswith(f"/{EVERY}/"))
    if len(begun) > 1 and are_items:
        return _open_items(stream, Scanner(stream.name, text, _number(reading), chunks.most), part, reading)
    pieces, is_light = within(text, chunks.most)
    if is_light:
        stream.close()
        return _open_document("".join(pieces), stream, part, reading)
    if not is_pointer:
        excess = too_heavy(chunks.most, Location(stream.name))
        excess.hint = f"a pointer reads one list of it, as in #/NAME; {excess.hint}"
        raise excess
    text = chain(pieces, chunks)
    return _open_items(stream, Scanner(stream.name, text, _number(reading), chunks.most), part, reading)


def read_document(text: str, name: str, reading: Reading) -> Source:
    """The array of the JSON in a text that is no file; messages call it by a name."""
    return _open_document(text, Stream(name, io.BytesIO()), None, reading)


def open_json_lines(stream: Stream, part: str | None, reading: Reading) -> Source:
    """An array of which every line is a row: a list, a number, or an object that holds it."""

    def place(number: int | None, name: str | None) -> Location:
        is_known = name is None or part in (name, f"/{name}")
        return Location(stream.name, number, part="" if is_known else f"#{name}")

    rows = records.Rows(_lines(stream, reading, is_plain=not part), place, "/")
    inner: Sequence[str] = ()
    if part is not None and part.startswith("/"):
        inner = rows.nearest(part) if COMPANION in part else steps_of(part, Location(stream.name))
    elif not part and {"value", "version"} <= set(rows.names):
        inner = ["value"]
    content = of_rows(rows, None if inner else part or None, inner, reading)
    return _open_frame(stream, content, place, reading)


def _open_items(stream: Stream, items: Scanner, part: str | None, reading: Reading) -> Source:
    """The array in the items of a list, as they come: those of the document, or those a pointer leads to."""
    location = Location(stream.name, part="" if part is None else f"#{part}")
    steps = steps_of(part, location) if part and part.startswith("/") else []
    stop = steps.index(EVERY) if EVERY in steps else len(steps)
    path, inner = steps[:stop], steps[stop + 1 :]
    items.enter(path, location)
    if items.peek() != "[":
        value = items.value()
        items.finish()
        return _open_content(
            stream, find(value, pointer(steps[stop:]), location, reading, path), location, reading
        )
    before = f"{pointer(path)}/{EVERY}/"
    place = place_in(location, before if path or inner else "")
    rows = records.Rows(_numbered(items), place, before, is_named=not (path or inner))
    content = of_rows(rows, None if steps else part or None, inner, reading)
    source = _open_frame(stream, content, place, reading)
    source.read_ahead(_AHEAD)
    return source


def _numbered(items: Scanner) -> Iterator[Numbered]:
    """The items of the list where a document is read on, counted from 0; then the rest of it."""
    count = 0
    for batch in items.items():
        yield range(count, count + len(batch)), batch
        count += len(batch)
    items.finish()


def _open_document(text: str, stream: Stream, part: str | None, reading: Reading) -> Source:
    """The array of a part of a document that is in memory."""
    location = Location(stream.name, part="" if part is None else f"#{part}")
    if not text.strip():
        raise FormatError("no data", location=location)
    is_shared = any(other.startswith(f"/{EVERY}/") for _, other in reading.elsewhere)
    plain = plain_items(text) if not part and len(text) > _SHORT and not is_shared else None
    if plain is not None and not (reading.is_beside and is_inexact(plain)):
        return JsonSource(Rows(plain), location)
    document = parse(text.rstrip(BLANKS), stream.name, number=_number(reading))
    return _open_content(stream, find(document, part, location, reading), location, reading)


def _open_content(stream: Stream, content: Content, location: Location, reading: Reading) -> Source:
    """The array that is what a part of a document means."""
    location = content.location or location
    if isinstance(content.value, Frame):
        return _open_frame(stream, content, place_in(location, content.before), reading)
    read = to_cells if reading.is_beside else partial(to_array, na=reading.na)
    rows = read(content.value, location.inside, is_lenient=reading.is_lenient)
    source = JsonSource(rows, location)
    source.beside, source.labels = content.beside, _labels(content, location)
    # What a pointer takes of every item of one list belongs to the same rows.
    head, every, _ = location.part.partition(f"/{EVERY}")
    source.table = head if every else None
    return source


def _open_frame(stream: Stream, content: Content, place: Place, reading: Reading) -> TableSource:
    """The array in the columns of a table."""
    frame = content.value
    elsewhere = ((option, column_of(part, frame.row)) for option, part in reading.elsewhere)
    known = tuple((option, column) for option, column in elsewhere if column is not None)
    table = FrameTable(frame, content.before, place, reading)
    source = open_table(stream, table, content.part, reading._replace(elsewhere=known), table.place)
    source.beside, source.table = content.beside, f"#{content.before}".removesuffix(f"/{EVERY}/")
    source.labels = _labels(content, place(None, None))
    return source


def _labels(content: Content, location: Location) -> dict[str, Source]:
    """The keys of the rows, if there are any."""
    return {INDEX: Labels(content.keys, location)} if content.keys else {}


def _number(reading: Reading) -> Number:
    """What makes a number of a whole one: ids beside an array need all their digits."""
    return exact if reading.is_beside else float


def _lines(stream: Stream, reading: Reading, *, is_plain: bool) -> Iterator[Numbered]:
    """The documents of lines, a piece of text at a time; blank lines are skipped."""
    passages, number = _passages(stream, reading), _number(reading)
    if is_plain:
        passages = on_threads(reading.threads)(_plainly, passages)
    for passage in passages:
        line, plain = passage.line, passage.parsed
        if plain is not None and not (reading.is_beside and is_inexact(plain)):
            yield range(line, line + len(plain)), plain
        else:
            rows = [(line + i, row) for i, row in enumerate(passage.text.split("\n")) if row.strip(" \t")]
            for start in range(0, len(rows), _ROWS):
                some = rows[start : start + _ROWS]
                yield [at for at, _ in some], [parse(row, stream.name, at, number) for at, row in some]


def _passages(stream: Stream, reading: Reading) -> Iterator[Passage]:
    """The text in pieces of which what they hold fits into memory."""
    most = stream.most(HELD)
    for passage in Lines(stream, reading.encoding, is_table=False):
        if len(passage.raw) > _LONG and weight(passage.text) > most:
            raise too_heavy(most, Location(stream.name, passage.line))
        yield passage


def _plainly(passage: Passage) -> Passage:
    return passage._replace(parsed=_plain_rows(passage.text))


def _plain_rows(text: str) -> Array | None:
    """The rows of lines that all are numbers or flat lists of numbers; None if they are anything else.

    Where the only [ of each line is its first character, and the only ] its last, the rest is a table.
    """
    if "[" not in text:
        values = parse_table(text, ",", 1, [0], json=True)
        return None if values is None else values[:, 0]
    rows = text.count("[")
    if not text.startswith("[") or text.count("]") != rows or text.count("]\n") != rows:
        return None
    # Any other bracket ends up in a cell, which is then not a number; any other line end adds a row.
    values = plain_table(text[1:-2].replace("]\n[", "\n") + "\n")
    return values if values is not None and len(values) == rows else None
