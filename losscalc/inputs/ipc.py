"""Arrow IPC, as a file (which Feather is, too) or as a stream, record batch by record batch."""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from losscalc.errors import FormatError, Location
from losscalc.inputs.batches import (
    CELLS,
    ROWS,
    Field,
    Handle,
    columns_of,
    fields_of,
    guarded,
    metadata_of,
    named_damage,
)
from losscalc.inputs.limits import CONTENTS, UNPACKED_ARRAY, is_bomb, too_large
from losscalc.inputs.messages import MessageError, in_file, in_stream
from losscalc.inputs.stream import Stream

_FILE = b"ARROW1"


class IpcBatches:
    """A file or stream of Arrow, of which the messages were looked at."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._is_file = stream.read_at(0, len(_FILE)) == _FILE
        self._check_messages()
        with named_damage(stream.name):
            schema = self._opened(Handle(stream), []).schema
            self.fields = fields_of(schema)
        self._names = schema.names
        self.metadata = metadata_of(schema)

    def read(self, fields: Sequence[Field]) -> Iterator[list[Any]]:
        """The arrays of some columns, a few rows at a time."""
        wanted = {field.path[0] for field in fields}
        handle = Handle(self._stream)
        with named_damage(self._stream.name):
            reader = self._opened(handle, [i for i, name in enumerate(self._names) if name in wanted])
        batches = map(reader.get_batch, range(reader.num_record_batches)) if self._is_file else reader
        for batch in guarded(batches, self._stream.name):
            self._stream.advance(handle.tell() / max(1, self._stream.size or 0))
            yield from cut(columns_of(batch, fields))

    def _opened(self, handle: Handle, included: list[int]) -> Any:
        options = pa.ipc.IpcReadOptions(use_threads=False, included_fields=included)
        return (pa.ipc.open_file if self._is_file else pa.ipc.open_stream)(handle, options=options)

    def _check_messages(self) -> None:
        """Refuse messages that are damaged, or that say that they unpack to too much."""
        stream, where = self._stream, Location(self._stream.name)
        size, most = stream.size or 0, stream.most(UNPACKED_ARRAY)
        try:
            messages = (in_file if self._is_file else in_stream)(stream.read_at, size, stream.most(CONTENTS))
            for message in messages:
                if is_bomb(message.unpacked, min(len(message.body), size), most):
                    raise too_large("a little file unpacks to", most, where)
        except MessageError as error:
            raise FormatError(f"damaged file ({error})", location=where) from error


def cut(columns: list[Any]) -> Iterator[list[Any]]:
    """Arrays of many rows as arrays of a few."""
    from losscalc.inputs.arrays import size_of_row

    step = max(1, min(ROWS, CELLS // max(1, sum(map(size_of_row, columns)))))
    for start in range(0, len(columns[0]), step):
        yield [column.slice(start, step) for column in columns]
