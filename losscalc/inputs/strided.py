"""Arrays that stand in a file as they would in memory, read row by row however far apart the numbers are."""

import math
from collections.abc import Sequence
from typing import NamedTuple, TypeGuard

import numpy as np

from losscalc.core.array import Array
from losscalc.engine.sources import Rows, Source
from losscalc.errors import FormatError, Index, Location
from losscalc.inputs.cells import as_cells
from losscalc.inputs.limits import HELD, too_large
from losscalc.inputs.numbers import exact_cells, has_nan
from losscalc.inputs.options import Reading
from losscalc.inputs.stream import Stream

_USUAL = Reading()
_MOST_AXES = 64
_MOST_EMPTY = 1 << 24
_WINDOW = 1 << 23
"""Bytes that are read at once where only some of them are numbers of the array."""
_SHORT = 1 << 12
"""Bytes of a column below which reading each column on its own would take longer than the numbers."""


class Layout(NamedTuple):
    """Where the numbers of an array stand: from which byte on, and how many bytes apart along each axis."""

    start: int
    dtype: np.dtype
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    bfloat16: bool = False
    """Whether each pair of bytes is the upper half of a float32."""

    @property
    def extent(self) -> int:
        """The bytes from the first number to the last.

        >>> packed(0, np.dtype("f4"), (2, 3)).extent, Layout(0, np.dtype("f4"), (2,), (12,)).extent
        (24, 16)
        """
        if 0 in self.shape:
            return 0
        reach = sum((length - 1) * stride for length, stride in zip(self.shape, self.strides, strict=True))
        return reach + self.dtype.itemsize

    @property
    def is_in_order(self) -> bool:
        """Whether each row ends before the next one begins."""
        return self.shape[0] < 2 or self.rows(0, 1).extent <= self.strides[0]

    @property
    def is_packed(self) -> bool:
        """Whether there is nothing between the numbers, and no two of them are one."""
        return self.strides == packed(0, self.dtype, self.shape).strides

    def rows(self, first: int, last: int) -> "Layout":
        """Some of the rows."""
        shape = (last - first, *self.shape[1:])
        return self._replace(start=self.start + first * self.strides[0], shape=shape)

    def column(self, index: Index) -> "Layout":
        """All rows of one place in them."""
        start = self.start + sum(i * stride for i, stride in zip(index, self.strides[1:], strict=True))
        return self._replace(start=start, shape=self.shape[:1], strides=self.strides[:1])

    def view(self, raw: bytes | Array) -> Array:
        """The numbers in the bytes from the first to the last."""
        if 0 in self.shape:
            return np.empty(self.shape, self.dtype)
        return np.ndarray(self.shape, self.dtype, raw, 0, self.strides)


def packed(
    start: int, dtype: np.dtype, shape: tuple[int, ...], *, fortran: bool = False, bfloat16: bool = False
) -> Layout:
    """The layout of an array without gaps, by rows or by columns."""
    lengths = shape if fortran else shape[::-1]
    strides = tuple(math.prod(lengths[:axis]) * dtype.itemsize for axis in range(len(shape)))
    return Layout(start, dtype, shape, strides if fortran else strides[::-1], bfloat16)


def is_shape(shape: object) -> TypeGuard[Sequence[int]]:
    """Whether this is the shape of an array that NumPy can hold."""
    if not isinstance(shape, list | tuple) or len(shape) > _MOST_AXES:
        return False
    if not all(type(n) is int and n >= 0 for n in shape):
        return False
    # Without the limit, an array of no columns could claim 2^63 rows in a file of 100 bytes.
    return math.prod(n or 1 for n in shape) < (_MOST_EMPTY if 0 in shape else 1 << 48)


class StridedSource(Source):
    """An array of which the layout is known, read row by row."""

    has_header = True

    def __init__(
        self,
        stream: Stream,
        layout: Layout,
        part: str = "",
        reading: Reading = _USUAL,
        *,
        body: range | None = None,
        columns: Sequence[int] | None = None,
    ) -> None:
        self._stream = stream
        self._layout = layout
        self._part = part
        self._body = body
        """The bytes of the file that its header promises, up to the end."""
        self._columns = columns
        """The columns that were asked for; one alone makes a vector."""
        self._next = 0
        self._read = 0 if body is None else body.start
        """Up to where a stream was read that has to be read in order."""
        self._held: Array | None = None
        self._kept = np.dtype(np.float32) if layout.bfloat16 else layout.dtype
        self.shape: tuple[int, ...] = layout.shape
        if columns is not None:
            self.shape = layout.shape[:1] if len(columns) == 1 else (layout.shape[0], len(columns))
        self._drops_nan = reading.na == "drop" and self._kept.kind == "f"
        self._are_cells = reading.is_beside and len(self.shape) == 1
        self.dtype = np.dtype(object) if self._are_cells else self._kept
        if body is not None and stream.size is not None and stream.size != body.stop:
            raise self._broken_promise(stream.size - body.start)

    def take(self, rows: int) -> Rows:
        if not self.shape:
            return Rows(np.empty(0, self.dtype))
        first, self._next = self._next, min(self._next + rows, self.shape[0])
        step = self._rows_at_once(self._next - first)
        pieces = [self._rows(i, min(i + step, self._next)) for i in range(first, self._next, step)]
        if self._next == self.shape[0]:
            self._check_end()
        if not pieces:
            return Rows(np.empty((0, *self.shape[1:]), self.dtype))
        values = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
        if self._are_cells:
            return Rows(self._as_cells(values))
        missing = has_nan(values) if self._drops_nan else None
        return Rows(values, missing if missing is not None and missing.any() else None)

    def whole(self) -> Array:
        if self.shape:
            return super().whole()
        number = self._numbers(self._layout)
        self._check_end()
        return number

    def locate(self, index: Index) -> Location:
        if self._columns is not None and index:
            column = index[1] if len(index) > 1 else 0
            index = (index[0], self._columns[column]) if len(index) == len(self.shape) else index
        return self._location(f"[{', '.join(map(str, index))}]" if index else "")

    @property
    def can_skip(self) -> bool:
        return self._stream.is_plain_file and bool(self.shape)

    def skip(self, rows: int) -> None:
        if self.can_skip:
            self._next = min(self._next + rows, self.shape[0])
        else:
            super().skip(rows)

    def progress(self) -> tuple[int, int]:
        # By rows: not every array is read from its first byte to its last.
        row = math.prod(self.shape[1:]) * self._kept.itemsize
        return self._next * row, math.prod(self.shape) * self._kept.itemsize

    def close(self) -> None:
        self._stream.close()

    def _location(self, part: str = "") -> Location:
        return Location(self._stream.name, part=self._part + part)

    def _bad(self, problem: str, found: object = None) -> FormatError:
        return FormatError(problem, found=found, location=self._location())

    def _rows_at_once(self, rows: int) -> int:
        """How many rows are read in one piece."""
        row = max(1, self._layout.strides[0])
        if self._is_picked:
            return max(1, _WINDOW // row)
        if self._layout.is_in_order and not self._stream.is_plain_file:
            return max(1, self._stream.most(HELD) // row)
        return max(1, rows)

    @property
    def _is_picked(self) -> bool:
        """Whether the numbers stand among others, which are read with them and let go of at once."""
        return self._layout.is_in_order and (self._columns is not None or not self._layout.is_packed)

    def _rows(self, first: int, last: int) -> Array:
        if self._held is None and not self._layout.is_in_order and self._has_to_be_held():
            self._held = self._numbers(self._layout)
        if self._held is not None:
            return self._selected(self._held[first:last])
        rows = self._layout.rows(first, last)
        if not self._layout.is_in_order:
            return self._gathered(rows)
        values = self._selected(self._numbers(rows))
        return values.copy() if self._is_picked else values

    def _selected(self, values: Array) -> Array:
        """The columns that were asked for."""
        if self._columns is None:
            return values
        return values[:, self._columns[0]] if len(self._columns) == 1 else values[:, self._columns]

    def _has_to_be_held(self) -> bool:
        """Whether an array is read as a whole whose rows stand in one another."""
        extent = self._layout.extent
        if extent <= _WINDOW or not self._stream.is_plain_file:
            return True
        column = self._layout.column((0,) * (len(self._layout.shape) - 1))
        return column.extent < _SHORT and extent <= self._stream.most(HELD)

    def _gathered(self, layout: Layout) -> Array:
        """Rows whose numbers are far from one another: a piece out of every column."""
        values = np.empty((layout.shape[0], *self.shape[1:]), self._kept, order="F")
        for index in np.ndindex(self.shape[1:]):
            place = index if self._columns is None else (self._columns[index[0] if index else 0],)
            values[(slice(None), *index)] = self._numbers(layout.column(place))
        return values

    def _numbers(self, layout: Layout) -> Array:
        values = layout.view(self._bytes(layout.start, layout.extent))
        if layout.bfloat16:
            return np.asarray(values.astype(np.uint32) << 16).view(np.float32)
        if self._kept.kind == "b" and (wrong := values.view(np.uint8) > 1).any():
            raise self._bad("a byte is neither true nor false", found=int(values.view(np.uint8)[wrong][0]))
        return values

    def _as_cells(self, values: Array) -> Array:
        """The values as cells: texts, or numbers."""
        if values.dtype.kind not in "US":
            return exact_cells(values, None)
        try:
            return as_cells(each if isinstance(each, str) else each.decode() for each in values.tolist())
        except (ValueError, SystemError) as error:  # what Python raises depends on its version
            raise self._bad("a text is none, or not in UTF-8") from error

    def _bytes(self, start: int, count: int) -> bytes | Array:
        if self._stream.is_plain_file:
            buffer = np.empty(count, np.uint8)
            if self._stream.fill(buffer.data, start) < count:
                raise self._bad("the numbers end too early")
            buffer.flags.writeable = False
            return buffer
        self._pass_over(start)
        most = self._stream.most(HELD)
        # A pipe may promise a row that never ends.
        endless = self._stream.size is None and count > most
        raw = self._stream.read(most + 1 if endless else count)
        self._read += len(raw)
        if endless and len(raw) > most:
            raise too_large("what has to be read at once has", most, self._location())
        if len(raw) < count:
            raise self._broken_promise()
        return raw

    def _pass_over(self, position: int) -> None:
        """Read on to a place in a stream that has to be read in order."""
        while self._read < position:
            step = len(self._stream.read(min(position - self._read, 1 << 20)))
            if not step:
                raise self._broken_promise()
            self._read += step

    def _check_end(self) -> None:
        """Hold the length of what has to be read in order against what the header promises."""
        if self._body is None or self._stream.is_plain_file:
            return
        self._pass_over(self._body.stop)
        if self._stream.size is None and self._stream.read(1):
            raise self._bad("more bytes follow than the header promises")

    def _broken_promise(self, present: int | None = None) -> FormatError:
        body = self._body or range(0)
        present = self._read - body.start if present is None else present
        return self._bad(
            f"the header promises {body.stop - body.start} bytes of numbers, but {present} are there"
        )
