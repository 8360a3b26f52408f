"""safetensors: a JSON header that says where each tensor is, then the numbers."""

import json
import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from losscalc.engine.sources import Source
from losscalc.errors import DTypeError, FormatError, Location
from losscalc.inputs.limits import CONTENTS, ENTRIES, too_large, too_many
from losscalc.inputs.options import Reading
from losscalc.inputs.parts import choose_array
from losscalc.inputs.stream import Stream
from losscalc.inputs.strided import StridedSource, is_shape, packed

_DTYPES: Mapping[str, str] = MappingProxyType(
    {
        "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4", "I16": "<i2",
        "I8": "i1", "U8": "u1", "BOOL": "?",
    }
)  # fmt: skip
_KEYS = {"dtype", "shape", "data_offsets"}
_LENGTH = 8
_LONGEST = 1 << 62


class _Entry(NamedTuple):
    """What the header says of a tensor."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


def open_safetensors(stream: Stream, part: str | None, reading: Reading) -> Source:
    """One tensor of a file of safetensors: the one that is named, or the only one there is."""
    header = _Header(stream)
    name = choose_array(list(header.entries), part, stream.name)
    entry, where = header.entries[name], f"#{name}"
    if entry.dtype not in _DTYPES:
        raise DTypeError(
            "losscalc does not read this dtype",
            found=entry.dtype,
            location=Location(stream.name, part=where),
            hint=f"save it as one of {', '.join(_DTYPES)}",
        )
    dtype = np.dtype(_DTYPES[entry.dtype])
    if entry.end - entry.begin != math.prod(entry.shape) * dtype.itemsize:
        shape = f"{entry.dtype} of shape {list(entry.shape)}"
        raise header.bad(f"the header gives {entry.end - entry.begin} bytes to {shape}", name)
    start = header.body.start + entry.begin
    layout = packed(start, dtype, entry.shape, bfloat16=entry.dtype == "BF16")
    return StridedSource(stream, layout, where, reading, body=header.body)


class _Header:
    """The header, checked before any number is read."""

    def __init__(self, stream: Stream) -> None:
        self._name = stream.name
        data = self._data(stream)
        self.entries = self._entries(data)
        end = 0
        for name, entry in sorted(self.entries.items(), key=lambda item: item[1][2:]):
            if entry.begin != end:
                what = "overlaps another one" if entry.begin < end else "leaves a hole before it"
                raise self.bad(f"the tensor {what}", name)
            end = entry.end
        start = _LENGTH + len(data)
        self.body = range(start, start + end)

    def bad(self, problem: str, tensor: str | None = None) -> FormatError:
        """An error about a tensor, or the header as a whole."""
        return FormatError(
            problem, location=Location(self._name, part="" if tensor is None else f"#{tensor}")
        )

    def _data(self, stream: Stream) -> bytes:
        start = stream.read(_LENGTH)
        if not start:
            raise self.bad("no data")
        length = int.from_bytes(start, "little")
        left = None if stream.size is None else stream.size - _LENGTH
        if len(start) < _LENGTH or (left is not None and length > left):
            raise self.bad(
                f"not safetensors: the header claims {length} bytes, but {max(left or 0, 0)} are left"
            )
        most = stream.most(CONTENTS)
        if length > most:
            raise too_large("the header claims", most, Location(self._name))
        data = stream.read(length)
        if len(data) < length:
            raise self.bad(f"not safetensors: the header claims {length} bytes, but {len(data)} are left")
        entries = data.count(b",") + data.count(b"[") + data.count(b"{")
        if entries > stream.most(ENTRIES):
            raise too_many("the entries of the header are", stream.most(ENTRIES), Location(self._name))
        return data

    def _entries(self, data: bytes) -> dict[str, _Entry]:
        try:
            header = json.loads(data.decode("utf-8"), object_pairs_hook=_unique) if data[:1] == b"{" else None
            # Whole numbers of thousands of digits, and lists in lists in lists, are refused as well.
        except (ValueError, RecursionError) as error:
            raise self.bad("not safetensors: the header is not a JSON object, or has a key twice") from error
        if not isinstance(header, dict):
            raise self.bad("not safetensors: the header is not a JSON object")
        header.pop("__metadata__", None)
        return {name: self._entry(name, value) for name, value in header.items()}

    def _entry(self, name: str, value: object) -> _Entry:
        if not isinstance(value, dict) or set(value) != _KEYS:
            raise self.bad("the header must give a tensor dtype, shape and data_offsets", name)
        dtype, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
        if not isinstance(dtype, str):
            raise self.bad("the header holds a bad dtype", name)
        if not is_shape(shape):
            raise self.bad("the header holds a bad shape", name)
        match offsets:
            case [int(begin), int(end)] if (
                not {type(begin), type(end)} - {int} and 0 <= begin <= end < _LONGEST
            ):
                return _Entry(dtype, tuple(shape), begin, end)
        raise self.bad("the header holds bad data_offsets", name)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        raise ValueError("a key is there twice")
    return entries
