"""NPY files. The header is checked before any memory is allocated for what it promises."""

import ast
import math
import re
import struct
import warnings
from typing import Any, cast

import numpy as np

from losscalc.core.array import Shape
from losscalc.engine.sources import Source
from losscalc.errors import DTypeError, FormatError, Location
from losscalc.inputs import FORMATS
from losscalc.inputs.columns import Columns
from losscalc.inputs.options import Reading
from losscalc.inputs.parts import as_typed, choose_array, listed
from losscalc.inputs.stream import Stream
from losscalc.inputs.strided import Layout, StridedSource, is_shape, packed

# NumPy's own limit: `ast.parse` may crash on longer literals.
_LONGEST_HEADER = 10_000
_KEYS = {"descr", "fortran_order", "shape"}
_OTHER_FORMAT = "name its format, as in --from csv"
_KINDS = {
    "O": "Python objects", "U": "text", "S": "bytes of text", "c": "complex numbers", "M": "dates",
    "m": "durations", "V": "raw bytes",
}  # fmt: skip
_AS_NUMBERS = "save it as numbers: numpy.save(FILE, array.astype(float))"
_AS_TEXT = f"{_AS_NUMBERS}; names of classes as CSV: numpy.savetxt(FILE, array.astype(str), '%s')"
_SAVE = {"O": _AS_NUMBERS, "U": _AS_TEXT, "S": _AS_TEXT, "f": _AS_NUMBERS}
# Python 2 wrote whole numbers with an L behind them.
_LONG = re.compile(r"\b(\d+)L\b", re.ASCII)
_BAD_DTYPES = (TypeError, ValueError, SyntaxError, KeyError, IndexError, OverflowError, RecursionError)


def open_npy(stream: Stream, part: str | None, reading: Reading) -> Source:
    """The array of an NPY file, some of its columns, or a field of its records."""
    source = open_array(stream, "", part, reading)
    source.table = ""
    return source


def open_array(stream: Stream, place: str, part: str | None, reading: Reading) -> Source:
    """The array in a stream of NPY; `place` is what messages add to the name of the file."""
    layout = _Header(stream, place).layout()
    body = range(layout.start, layout.start + math.prod(layout.shape) * layout.dtype.itemsize)
    location = Location(stream.name, part=place)
    if layout.dtype.names is not None and not layout.dtype.hasobject:
        names = [name for name in layout.dtype.names if layout.dtype[name].itemsize]
        if part is None and len(names) != 1:
            raise FormatError(
                f"the array holds records of {len(names)} fields",
                location=location,
                hint=f"name one: {as_typed(names[0])} ({listed(names)})" if names else None,
            )
        field = choose_array(names, part, stream.name)
        place = f"{place}#{field}"
        layout = _checked(_field(layout, field), location._replace(part=place), reading)
        source = StridedSource(stream, layout, place, reading, body=body)
        source.beside = names
        return source
    if part is None:
        return StridedSource(stream, _checked(layout, location, reading), place, reading, body=body)
    if len(layout.shape) != 2:
        problem = f"columns are taken of an array with two axes, and this has {len(layout.shape)}"
        raise FormatError(problem, found=part, location=location)
    try:
        columns = Columns(stream.name, layout.shape[1]).select(part)
    except FormatError as error:
        error.hint = f"columns are counted from 1 to {layout.shape[1]}"
        raise
    layout = _checked(layout, location, reading, is_column=len(columns) == 1)
    return StridedSource(stream, layout, place, reading, body=body, columns=columns)


def are_cells(stream: Stream, shape: Shape) -> bool:
    """Whether an array has a number or text for each row of another."""
    layout = _Header(stream, "").layout()
    return layout.shape == shape and layout.dtype.kind in "fiubUS"


def _field(layout: Layout, name: str) -> Layout:
    """One field of an array of records: numbers that are as far apart as the records."""
    fields = layout.dtype.fields
    assert fields is not None, "an array of records has fields"
    dtype, offset = fields[name][:2]
    inner = packed(0, dtype.base, dtype.shape)
    return Layout(
        layout.start + offset, dtype.base, layout.shape + inner.shape, layout.strides + inner.strides
    )


def _checked(layout: Layout, location: Location, reading: Reading, *, is_column: bool = False) -> Layout:
    """The layout, if what it holds are numbers, or cells where cells are wanted.

    bfloat16, which NumPy lacks, is saved as pairs of bytes.
    """
    dtype = layout.dtype
    if dtype.kind in "US" and dtype.itemsize and reading.is_beside and (is_column or len(layout.shape) == 1):
        return layout
    if dtype.kind == "V" and dtype.itemsize == 2 and dtype.names is None and not dtype.shape:
        return layout._replace(dtype=np.dtype("<u2"), bfloat16=True)
    if dtype.kind in "fiub" and 0 < dtype.itemsize <= 8:
        return layout
    kind = "Python objects" if dtype.hasobject else _KINDS.get(dtype.kind, "numbers of more than 64 bits")
    raise DTypeError(
        f"the array holds {kind}, not real numbers of up to 64 bits",
        found=f"dtype {dtype}",
        location=location,
        hint=_SAVE.get(dtype.kind),
    )


class _Header:
    """What stands before the numbers."""

    def __init__(self, stream: Stream, place: str) -> None:
        self._stream = stream
        self._location = Location(stream.name, part=place)
        self._is_alone = not place

    def layout(self) -> Layout:
        """Where the numbers are, of which dtype and shape."""
        start, text = self._text()
        descr, fortran, shape = self._entries(text)
        dtype = self._dtype(descr)
        return packed(start, dtype, shape, fortran=fortran)

    def _bad(self, problem: str, found: object = None, *, hint: str | None = None) -> FormatError:
        return FormatError(problem, found=found, location=self._location, hint=hint)

    def _text(self) -> tuple[int, str]:
        """Where the header ends, and what it says."""
        start = self._stream.read(8)
        if not start:
            raise self._bad("no data")
        if not start.startswith(FORMATS["npy"].starts):
            raise self._bad("not an NPY file", hint=_OTHER_FORMAT if self._is_alone else None)
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
        return 8 + size + length, raw.decode("utf-8" if start[6] == 3 else "latin-1", "replace")

    def _entries(self, text: str) -> tuple[object, bool, tuple[int, ...]]:
        keys = []
        try:
            tree = _expression(text)
            if isinstance(tree, ast.Dict):
                keys = [key.value for key in tree.keys if isinstance(key, ast.Constant)]
            entries = ast.literal_eval(tree)
            str(entries)  # raises ValueError for integers of thousands of digits, which no message could show
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError) as error:
            raise self._bad("the NPY header is not a Python dictionary") from error
        if len(keys) != len(_KEYS) or set(keys) != _KEYS:
            raise self._bad("the NPY header must hold descr, fortran_order and shape, once each")
        shape = entries["shape"]
        if not isinstance(shape, tuple) or not is_shape(shape):
            raise self._bad("the NPY header holds a bad shape", found=str(shape))
        if not isinstance(entries["fortran_order"], bool):
            raise self._bad("the NPY header holds a bad fortran_order", found=str(entries["fortran_order"]))
        return entries["descr"], entries["fortran_order"], tuple(shape)

    def _dtype(self, descr: object) -> np.dtype:
        try:
            if not isinstance(descr, str | list) or not descr:
                raise TypeError(descr)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                dtype: np.dtype = np.lib.format.descr_to_dtype(cast(Any, descr))
            if dtype.subdtype is not None:
                raise TypeError(descr)
        except _BAD_DTYPES as error:
            raise self._bad("the NPY header holds a bad descr", found=str(descr)) from error
        return dtype


def _expression(text: str) -> ast.expr:
    """The Python expression in a header, which may be one of Python 2."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text.lstrip(" \t"), mode="eval").body
        except SyntaxError:
            return ast.parse(_LONG.sub(r"\1", text).lstrip(" \t"), mode="eval").body
