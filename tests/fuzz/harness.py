"""One input to one reader: a refusal, or what a second reader makes of it as well. Anything else is a bug."""

import bz2
import csv
import gzip
import io
import json
import lzma
import re
import warnings
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from losscalc.errors import LosscalcError
from losscalc.inputs import FORMATS
from losscalc.inputs.compression import CompressedStream
from losscalc.inputs.options import Reading
from losscalc.inputs.stream import Stream
from tests.fuzz.tensors import as_safetensors, as_torch
from tests.support.columnar import arrow, parquet
from tests.support.hostile import archive, npy, saved
from tests.support.tensors import call, dictionary, put, safetensors, storage, tensor, torch_file

READING = Reading(header="no", delimiter=",")
COMPRESSORS = {".gz": gzip, ".bz2": bz2, ".xz": lzma}
NUMBER = re.compile(
    r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(inf|infinity|nan)", re.ASCII | re.IGNORECASE
)


def read(format: str, data: bytes, compression: str = "", *, size_known: bool = True) -> np.ndarray | None:
    """What losscalc reads, or None where it refuses to."""
    stream = Stream("f", io.BytesIO(data), len(data) if size_known else None)
    source = None
    try:
        if compression:
            stream = CompressedStream(stream, compression)
        source = FORMATS[format].open(stream, None, READING)
        return np.asarray(source.whole())
    except LosscalcError as error:
        if not str(error).isprintable() or error.location is None:
            raise AssertionError(repr(error)) from error
        return None
    finally:
        if source is not None:
            source.close()


def numbers(text: str) -> float:
    """A number in the grammar of losscalc."""
    word = text.strip(" \t")
    if word.lower() in ("true", "false"):
        return float(word.lower() == "true")
    assert NUMBER.fullmatch(word), text
    value = float(word)
    assert np.isfinite(value) or not any(c.isdigit() for c in word), text
    return value


def as_csv(data: bytes) -> np.ndarray:
    """A table, row by row through the csv module."""
    text = data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    rows = [row for row in rows if row and (len(row) > 1 or row[0].strip(" \t"))]
    rows = [row for row in rows if not row[0].lstrip(" \t").startswith("#")]
    if len(rows[0]) > 1 and not any(row[-1].strip() for row in rows):
        rows = [row[:-1] for row in rows]
    table = np.array([[numbers(cell) for cell in row] for row in rows])
    return table[:, 0] if table.shape[1] == 1 else table


def as_numbers(document: object) -> object:
    """A JSON document with nothing but lists and numbers in it."""
    if isinstance(document, list):
        return [as_numbers(item) for item in document]
    if isinstance(document, str):
        return numbers(document)
    if isinstance(document, dict):
        assert {"value", "version"} <= document.keys()
        return as_numbers(document["value"])
    assert type(document) in (int, float, bool), document
    return float(document)


def as_json(data: bytes) -> np.ndarray:
    """A document, as the json module and NumPy have it."""
    return np.array(as_numbers(json.loads(data.decode("utf-8-sig"))), dtype=float)


def as_json_lines(data: bytes) -> np.ndarray:
    """A document a line."""
    text = data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    return np.array([as_numbers(json.loads(line)) for line in text.split("\n") if line.strip(" \t")])


def as_npy(data: bytes) -> np.ndarray:
    """An array, as NumPy reads it."""
    return np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)


def as_npz(data: bytes) -> np.ndarray:
    """The only array of an archive, as NumPy reads it."""
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        (name,) = file.files
        return file[name]


def as_parquet(data: bytes) -> np.ndarray:
    """The only column that is no index, as pyarrow reads it at once."""
    return as_column(pq.read_table(io.BytesIO(data)))


def as_arrow(data: bytes) -> np.ndarray:
    """The same of a file or stream of Arrow."""
    open_reader = pa.ipc.open_file if data.startswith(b"ARROW1") else pa.ipc.open_stream
    table = open_reader(io.BytesIO(data)).read_all()
    table.validate(full=True)
    return as_column(table)


def as_column(table: pa.Table) -> np.ndarray:
    """The numbers of a table, through objects of Python."""
    columns = [[as_nested(cell) for cell in column.to_pylist()] for column in table.columns]
    values = np.array(columns[0] if len(columns) == 1 else list(zip(*columns, strict=True)), float)
    return values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values


def as_nested(cell: object) -> object:
    """A cell as a number, or as lists of them."""
    if isinstance(cell, list):
        return [as_nested(inner) for inner in cell]
    return numbers(cell) if isinstance(cell, str) else float(cell)


Reader = Callable[[bytes], np.ndarray]
READERS: dict[str, Reader] = {
    "csv": as_csv,
    "json": as_json,
    "jsonl": as_json_lines,
    "npy": as_npy,
    "npz": as_npz,
    "safetensors": as_safetensors,
    "torch": as_torch,
    "parquet": as_parquet,
    "arrow": as_arrow,
}
FLOATS, LISTS = pa.table({"p": [0.5, -2.0, 3.0]}), pa.table({"l": [[1.0, 2.0], [3.0, 4.0]]})
TEXTS = pa.table({"t": pa.array(["1", "2", "1"]).dictionary_encode()})
SEEDS: dict[str, list[bytes]] = {
    "csv": [b"1,2\n3,4\n", b"\xef\xbb\xbf0.5\r\n-1e3\r\n", b'"1","2"\n3, 4 \n', b"nan,-inf\n1,2\n\n"],
    "json": [b"[[1,2],[3,4.5e1]]", b' [1, "NaN", -Infinity]\n', b'{"value": [1], "version": "1"}'],
    "jsonl": [b"[1,2]\n[3,4]\n", b"1\r\n\r\n2", b'"NaN"\nInfinity\n'],
    "npy": [npy(), npy(version=2), saved(np.asfortranarray(np.arange(6, dtype="i2").reshape(2, 3)))],
    "npz": [archive(("a.npy", npy())), archive(("a.npy", npy()), compression=0)],
    "safetensors": [
        safetensors(),
        safetensors({"a": {"dtype": "BF16", "shape": [2, 1], "data_offsets": [0, 4]}}, b"\x80\x3f\0\xc0"),
        safetensors(
            {"__metadata__": {"a": "b"}, "x": {"dtype": "BOOL", "shape": [2], "data_offsets": [0, 2]}},
            b"\0\1",
        ),
    ],
    "torch": [
        torch_file(),
        torch_file(
            dictionary(a=tensor(offset=1, shape=(2,), strides=(3,)), n=put([1, 2.5, "x"])),
            {"byteorder": b"big"},
        ),
        torch_file(
            tensor(storage(kind="BFloat16Storage", count=12), shape=(3, 2), strides=(1, 3)), compression=8
        ),
        torch_file(call("collections", "OrderedDict") + b"(" + put("k") + tensor(shape=(0, 3)) + b"u"),
        torch_file(put([1.5, 2, True])),
    ],
    "parquet": [
        parquet(FLOATS, store_schema=False),
        parquet(FLOATS, compression="none", use_dictionary=False, write_statistics=False),
        parquet(LISTS, compression="zstd", data_page_version="2.0"),
        parquet(TEXTS, row_group_size=2),
    ],
    "arrow": [
        arrow(FLOATS),
        arrow(LISTS, compression="lz4"),
        arrow(TEXTS, is_stream=True, rows=2),
        arrow(FLOATS, is_stream=True, compression="zstd"),
    ],
}


def judge(format: str, data: bytes) -> None:
    """Fail unless the input is refused, or read as the second reader reads it, whole or as a stream."""
    array = read(format, data)
    again = read(format, data, size_known=False)
    assert (array is None) == (again is None), (array, again)
    if array is None:
        return
    np.testing.assert_array_equal(array, again)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        second = READERS[format](data)
    assert array.shape == second.shape, (array, second)
    np.testing.assert_array_equal(array, second)


def judge_compressed(compression: str, data: bytes) -> None:
    """The same for a compressed table."""
    array = read("csv", data, compression)
    if array is not None:
        np.testing.assert_array_equal(array, as_csv(COMPRESSORS[compression].decompress(data)))
