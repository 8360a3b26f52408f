"""The formats of files, in the order in which they are tried."""

import os
from collections.abc import Callable
from importlib import import_module
from types import MappingProxyType
from typing import NamedTuple

from losscalc.engine.sources import Source
from losscalc.inputs.options import Reading
from losscalc.inputs.signatures import START, foreign_file, known_format, refusal
from losscalc.inputs.stream import COMPRESSIONS, Stream

Opener = Callable[[Stream, str | None, Reading], Source]


class Format(NamedTuple):
    """A format that an array may be read from."""

    name: str
    suffixes: tuple[str, ...]
    open: Opener
    starts: tuple[bytes, ...] = ()
    """First bytes that tell the format if the suffix does not."""


def _opener(module: str, name: str) -> Opener:
    """The opener of a format; its module is imported only when a file of that format is opened."""

    def open_source(stream: Stream, part: str | None, reading: Reading) -> Source:
        source: Source = getattr(import_module(f"losscalc.inputs.{module}"), name)(stream, part, reading)
        return source

    return open_source


FORMATS = MappingProxyType(
    {
        record.name: record
        for record in (
            Format("csv", (".csv",), _opener("csv", "open_csv")),
            Format("tsv", (".tsv", ".tab"), _opener("csv", "open_tsv")),
            Format("text", (".txt", ".dat"), _opener("csv", "open_text")),
            Format("json", (".json",), _opener("json", "open_json"), (b"[", b"{")),
            Format("jsonl", (".jsonl", ".ndjson"), _opener("json", "open_json_lines")),
            Format("npy", (".npy",), _opener("npy", "open_npy"), (b"\x93NUMPY",)),
            Format("npz", (".npz",), _opener("npz", "open_npz"), (b"PK\x03\x04", b"PK\x05\x06")),
            Format("safetensors", (".safetensors",), _opener("safetensors", "open_safetensors")),
            Format("torch", (".pt", ".pth", ".bin", ".ckpt"), _opener("torchfile", "open_torch")),
            Format("parquet", (".parquet", ".pq"), _opener("arrow", "open_parquet")),
            Format("arrow", (".arrow", ".feather", ".ipc", ".arrows"), _opener("arrow", "open_ipc")),
            Format("excel", (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"), _opener("excel", "open_excel")),
        )
    }
)
_ZIP = FORMATS["npz"]._replace(open=_opener("zip", "open_zip"))


def split_suffix(path: str) -> tuple[str, str]:
    """The suffix of the format, and the one of the compression after it.

    >>> split_suffix("a.csv.gz"), split_suffix("b.NPY"), split_suffix("c")
    (('.csv', '.gz'), ('.npy', ''), ('', ''))
    """
    stem, suffix = os.path.splitext(path.lower())
    if suffix in COMPRESSIONS:
        return os.path.splitext(stem)[1], suffix
    return suffix, ""


def choose_format(stream: Stream, suffix: str, reading: Reading) -> Format:
    """The format of an input: the one asked for, else by its signature, suffix, first bytes, else CSV."""
    if reading.format is not None:
        return FORMATS[reading.format]
    start = stream.peek(START)
    kind = foreign_file(start)
    if kind is not None:
        raise refusal(kind, stream.name)
    known = known_format(start)
    if known is not None:
        return FORMATS[known]
    for record in (_ZIP, FORMATS["npy"]):
        if start.startswith(record.starts):
            return record
    for record in FORMATS.values():
        # losscalc writes arrays of more than two axes as JSON, also into a .txt.
        if suffix in record.suffixes and not (record.name == "text" and start.lstrip().startswith(b"[[[")):
            return record
    start = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    for record in FORMATS.values():
        if start.startswith(record.starts):
            return record
    return FORMATS["csv"]
