"""The formats of files: one record each, in the order in which they are looked through."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

from losscalc.formats import csv, json, npy
from losscalc.formats.options import Reading
from losscalc.formats.stream import UNPACKERS, Stream
from losscalc.sources import Source

Opener = Callable[[Stream, str | None, Reading], Source]


@dataclass(frozen=True)
class Format:
    """A way to keep an array in a file."""

    name: str
    suffixes: tuple[str, ...]
    open: Opener
    starts: tuple[bytes, ...] = ()
    """First bytes that no other format has."""


def _table(delimiter: str | None) -> Opener:
    return lambda stream, part, reading: csv.Table(stream, part, reading, delimiter)


FORMATS = MappingProxyType(
    {
        record.name: record
        for record in (
            Format("csv", (".csv",), _table(",")),
            Format("tsv", (".tsv", ".tab"), _table("\t")),
            Format("text", (".txt", ".dat"), _table(None)),
            Format("json", (".json",), json.open_json, (b"[", b"{")),
            Format("jsonl", (".jsonl", ".ndjson"), json.JsonLines),
            Format("npy", (".npy",), npy.open_npy, (npy.MAGIC,)),
            Format("npz", (".npz",), npy.open_npz, (b"PK\x03\x04", b"PK\x05\x06")),
        )
    }
)


def split_suffix(path: str) -> tuple[str, str]:
    """The suffix that names the format, and the one of a compression behind it.

    >>> split_suffix("a.csv.gz"), split_suffix("b.NPY"), split_suffix("c")
    (('.csv', '.gz'), ('.npy', ''), ('', ''))
    """
    stem, suffix = os.path.splitext(path.lower())
    if suffix in UNPACKERS:
        return os.path.splitext(stem)[1], suffix
    return suffix, ""


def choose_format(stream: Stream, suffix: str, reading: Reading) -> Format:
    """The format of an input: as asked for, else by suffix, else by its first bytes, else CSV."""
    if reading.format is not None:
        return FORMATS[reading.format]
    for record in FORMATS.values():
        if suffix in record.suffixes:
            return record
    start = stream.peek(256).removeprefix(b"\xef\xbb\xbf").lstrip()
    for record in FORMATS.values():
        if start.startswith(record.starts or b"\0\0never"):
            return record
    return FORMATS["csv"]
