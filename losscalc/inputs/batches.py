"""What files of Arrow and Parquet have in common: their columns, and arrays of a few rows at a time."""

import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

import pyarrow as pa

from losscalc.errors import FormatError, Location, LosscalcError, printable
from losscalc.inputs.arrays import kind_of
from losscalc.inputs.stream import Stream

ROWS = 1 << 16
"""The rows that are taken at a time, as long as a row is not wide."""
CELLS = 1 << 20
"""The numbers that are taken at a time, as long as one row has not more of them."""
_DEEPEST = 16
_LONGEST = 200
_FAILURES = (
    pa.ArrowException, OSError, ValueError, LookupError, TypeError, NotImplementedError, ArithmeticError,
    RecursionError,
)  # fmt: skip


class Field(NamedTuple):
    """A column: the names that lead to it through records, which are joined by points, and its type."""

    path: tuple[str, ...]
    twin: int
    """How many columns before it have the same name."""
    type: Any

    @property
    def name(self) -> str:
        """The name of the column."""
        return ".".join(self.path)

    @property
    def kind(self) -> str:
        """What it holds: see `kind_of`."""
        return kind_of(self.type)

    def inside(self, array: Any) -> Any:
        """The array of the column, which the one of a whole record of the batch may hold."""
        for name in self.path[1:]:
            # What is missing in a record is missing in each of its members.
            array = array.flatten()[array.type.get_field_index(name)]
        return array


class Batches(Protocol):
    """A file of which the columns are known, and rows can be read."""

    fields: list[Field]
    metadata: bytes | None
    """What pandas has noted about the columns."""

    def read(self, fields: Sequence[Field]) -> Iterator[list[Any]]:
        """The arrays of some columns, a few rows at a time, from the first row on."""


def columns_of(batch: Any, fields: Sequence[Field]) -> list[Any]:
    """The arrays of some columns in a batch."""
    places: dict[str, list[int]] = {}
    for place, name in enumerate(batch.schema.names):
        places.setdefault(name, []).append(place)
    return [field.inside(batch.column(places[field.path[0]][field.twin])) for field in fields]


def fields_of(schema: Any) -> list[Field]:
    """The columns of a schema; the members of records are columns of their own."""
    seen: dict[str, int] = {}
    found = []
    for entry in schema:
        twin = seen[entry.name] = seen.get(entry.name, -1) + 1
        found += [Field(path, twin, kind) for path, kind in _leaves(entry, ())]
    return found


def _leaves(entry: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    path = (*path, entry.name)
    if not pa.types.is_struct(entry.type) or len(path) > _DEEPEST:
        yield path, entry.type
        return
    for number in range(entry.type.num_fields):
        yield from _leaves(entry.type.field(number), path)


def metadata_of(schema: Any) -> bytes | None:
    """What pandas has noted about the columns."""
    return (schema.metadata or {}).get(b"pandas")


class Handle(io.RawIOBase):
    """The bytes of a stream, in any order, for pyarrow."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._position = 0
        self._size = stream.size or 0

    def read(self, size: int | None = -1) -> bytes:
        count = self._size - self._position if size is None or size < 0 else size
        data = self._stream.read_at(self._position, max(0, min(count, self._size - self._position)))
        self._position += len(data)
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True


def guarded(batches: Iterable[Any], name: str) -> Iterator[Any]:
    """The batches, each of them checked: offsets may lead anywhere. Every error of pyarrow names the file."""
    rest = iter(batches)
    while True:
        with named_damage(name):
            batch = next(rest, None)
            if batch is None:
                return
            batch.validate(full=True)
        yield batch


CONVERSIONS = (pa.ArrowException,)
"""What pyarrow raises where an array cannot be converted."""


@contextmanager
def named_damage(name: str, failures: tuple[type[Exception], ...] = _FAILURES) -> Iterator[None]:
    """Turn the errors of pyarrow into one that names the file."""
    try:
        yield
    except LosscalcError as error:
        # Of an array alone it is not known where it comes from.
        error.location = error.location or Location(name)
        raise
    except MemoryError as error:
        problem = "the file claims more than there is memory for"
        raise FormatError(problem, location=Location(name)) from error
    except failures as error:
        said = printable(next(iter(str(error).splitlines()), "") or type(error).__name__)[:_LONGEST]
        raise FormatError(f"cannot be read ({said})", location=Location(name)) from error
