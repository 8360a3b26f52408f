"""NPY files. The header is checked before any memory is allocated for what it promises."""

import ast
import math
import struct
import warnings

import numpy as np

from losscalc.core.array import Array
from losscalc.engine.sources import Rows, Source
from losscalc.errors import DTypeError, FormatError, Index, Location
from losscalc.inputs import FORMATS
from losscalc.inputs.limits import HELD, too_large
from losscalc.inputs.options import Reading
from losscalc.inputs.stream import Stream

# NumPy's own limit: `ast.parse` may crash on longer literals.
_LONGEST_HEADER = 10_000
_KEYS = {"descr", "fortran_order", "shape"}
_MOST_AXES = 64
_MOST_EMPTY = 1 << 24


class NpySource(Source):
    """The array of an NPY file, read row by row."""

    has_header = True

    def __init__(self, stream: Stream, part: str = "") -> None:
        self._stream = stream
        self._part = part
        self._next = 0
        self._present = 0
        """The bytes of numbers that were read."""
        self._offset, self.dtype, fortran, shape = self._header()
        self.shape: tuple[int, ...] = shape
        self._check_size()
        in_order = shape[1:] if not fortran else shape
        self._piece_size = math.prod(in_order) * self.dtype.itemsize
        """The bytes of the smallest piece that can be read: a row, or in Fortran order the whole array."""
        self._fortran = fortran and len(shape) > 1
        self._transposed: Array | None = None
        if self._fortran and not stream.is_plain_file:
            self._transposed = self._values(math.prod(shape)).reshape(shape, order="F")
            self._check_end()

    def take(self, rows: int) -> Rows:
        if not self.shape:
            return Rows(np.empty(0, self.dtype))
        start, self._next = self._next, min(self._next + rows, self.shape[0])
        shape = (self._next - start, *self.shape[1:])
        if self._transposed is not None:
            return Rows(self._transposed[start : self._next])
        if self._fortran:
            return Rows(self._gather(start, shape))
        rows_read = self._values(math.prod(shape)).reshape(shape)
        if self._next == self.shape[0]:
            self._check_end()
        return Rows(rows_read)

    def whole(self) -> Array:
        if self.shape:
            return super().whole()
        number = self._values(1).reshape(())
        self._check_end()
        return number

    def locate(self, index: Index) -> Location:
        return self._location(f"[{', '.join(map(str, index))}]" if index else "")

    @property
    def can_skip(self) -> bool:
        return self._stream.is_plain_file and bool(self.shape)

    def skip(self, rows: int) -> None:
        if not self.can_skip:
            super().skip(rows)
            return
        self._next = min(self._next + rows, self.shape[0])
        self._stream.seek(self._offset + self._next * math.prod(self.shape[1:]) * self.dtype.itemsize)

    def progress(self) -> tuple[int, int]:
        # Counted by rows, because Fortran order is not read from the first byte to the last.
        row = math.prod(self.shape[1:]) * self.dtype.itemsize
        return self._next * row, math.prod(self.shape) * self.dtype.itemsize

    def close(self) -> None:
        self._stream.close()

    def _location(self, part: str = "") -> Location:
        return Location(self._stream.name, part=self._part + part)

    def _bad(self, problem: str, found: object = None, hint: str | None = None) -> FormatError:
        return FormatError(problem, found=found, location=self._location(), hint=hint)

    def _header(self) -> tuple[int, np.dtype, bool, tuple[int, ...]]:
        """Where the numbers begin, their dtype, whether they are in Fortran order, and the shape."""
        start = self._stream.read(8)
        if not start:
            raise self._bad("no data")
        if not start.startswith(FORMATS["npy"].starts):
            raise self._bad("not an NPY file", hint="name the format it has: --from csv, json ...")
        if len(start) < 8 or start[6] not in (1, 2, 3) or start[7]:
            raise self._bad("the NPY header is cut short or of an unknown version")
        size = 2 if start[6] == 1 else 4
        length_bytes = self._stream.read(size)
        if len(length_bytes) < size:
            raise self._bad("the NPY header is cut short")
        (length,) = struct.unpack("<H" if size == 2 else "<I", length_bytes)
        if length > _LONGEST_HEADER:
            raise self._bad(
                f"the NPY header claims {length} bytes; {_LONGEST_HEADER} are the most it may have"
            )
        raw = self._stream.read(length)
        if len(raw) < length:
            raise self._bad(f"the NPY header claims {length} bytes, but {len(raw)} are left")
        descr, fortran, shape = self._entries(raw.decode("utf-8" if start[6] == 3 else "latin-1", "replace"))
        return 8 + size + length, self._dtype(descr), fortran, shape

    def _entries(self, text: str) -> tuple[object, bool, tuple[int, ...]]:
        keys = []
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = ast.parse(text.strip(" \t\r\n\f"), mode="eval").body
            if isinstance(tree, ast.Dict):
                keys = [key.value for key in tree.keys if isinstance(key, ast.Constant)]
            entries = ast.literal_eval(tree)
            str(entries)  # raises ValueError for integers of thousands of digits, which no message could show
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError) as error:
            raise self._bad("the NPY header is not a Python dictionary") from error
        if len(keys) != len(_KEYS) or set(keys) != _KEYS:
            raise self._bad("the NPY header must hold descr, fortran_order and shape, once each")
        shape = entries["shape"]
        if not _is_shape(shape):
            raise self._bad("the NPY header holds a bad shape", found=str(shape))
        if not isinstance(entries["fortran_order"], bool):
            raise self._bad("the NPY header holds a bad fortran_order", found=str(entries["fortran_order"]))
        return entries["descr"], entries["fortran_order"], shape

    def _dtype(self, descr: object) -> np.dtype:
        if isinstance(descr, list):
            raise DTypeError(
                "the array holds records, not numbers", found=str(descr), location=self._location()
            )
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                dtype = np.dtype(descr if isinstance(descr, str) else "")
        except (TypeError, ValueError, SyntaxError) as error:
            raise self._bad("the NPY header holds a bad descr", found=str(descr)) from error
        if dtype.kind not in "fiub" or dtype.itemsize > 8:
            hint = (
                "save it as numbers: numpy.save(FILE, array.astype(float))" if dtype.kind in "OSU" else None
            )
            raise DTypeError(
                "the array does not hold real numbers of up to 64 bits",
                found=f"dtype {dtype}",
                location=self._location(),
                hint=hint,
            )
        return dtype

    def _check_size(self) -> None:
        """Compare the size that follows from the header with that of the file, if it is known."""
        needed = math.prod(self.shape) * self.dtype.itemsize
        if self._stream.size is not None:
            present = self._stream.size - self._offset
            if present != needed:
                raise self._bad(f"the header promises {needed} bytes of numbers, but {present} are there")

    def _values(self, count: int) -> Array:
        needed = count * self.dtype.itemsize
        most = self._stream.most(HELD)
        # A pipe may promise a row that never ends.
        endless = self._stream.size is None and needed > most and self._piece_size > most
        raw = self._stream.read(most + 1 if endless else needed)
        if len(raw) > most and endless:
            raise too_large("what has to be read at once has", most, self._location())
        self._present += len(raw)
        if len(raw) < needed:
            promised = math.prod(self.shape) * self.dtype.itemsize
            raise self._bad(f"the header promises {promised} bytes of numbers, but {self._present} are there")
        return self._checked(np.frombuffer(raw, self.dtype))

    def _gather(self, start: int, shape: tuple[int, ...]) -> Array:
        """Rows of an array in Fortran order: a slice of every column."""
        size = self.dtype.itemsize
        columns = math.prod(shape[1:])
        raw = [
            self._stream.read_at(self._offset + (column * self.shape[0] + start) * size, shape[0] * size)
            for column in range(columns)
        ]
        joined = b"".join(raw)
        if len(joined) < columns * shape[0] * size:
            raise self._bad("the numbers end too early")
        return self._checked(np.frombuffer(joined, self.dtype)).reshape(shape, order="F")

    def _checked(self, values: Array) -> Array:
        if self.dtype.kind == "b" and (wrong := values.view(np.uint8) > 1).any():
            raise self._bad("a byte is neither true nor false", found=int(values.view(np.uint8)[wrong][0]))
        return values

    def _check_end(self) -> None:
        if self._stream.size is None and self._stream.read(1):
            raise self._bad("more bytes follow than the header promises")


def open_npy(stream: Stream, part: str | None, reading: Reading) -> Source:
    """The array of an NPY file."""
    if part is not None:
        location = Location(stream.name)
        raise FormatError("an NPY file is a single array without parts", found=part, location=location)
    return NpySource(stream)


def _is_shape(shape: object) -> bool:
    """Whether this is the shape of an array that NumPy can hold."""
    if not isinstance(shape, tuple) or len(shape) > _MOST_AXES:
        return False
    if not all(type(n) is int and n >= 0 for n in shape):
        return False
    # Without the limit, an array of no columns could claim 2^63 rows in a file of 100 bytes.
    return math.prod(n or 1 for n in shape) < (_MOST_EMPTY if 0 in shape else 1 << 48)
