"""Parquet, Feather and Arrow IPC: values by hand, in files that pyarrow writes."""

# ruff: noqa: E501 - a row of a table is a line

import contextlib
import datetime
import gzip
import io
import json
import math
import time
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from losscalc import cli
from losscalc.inputs.address import open_array, parse_address
from losscalc.inputs.options import Reading
from tests.support.columnar import WAYS, arrow, packed, parquet
from tests.support.hostile import accept
from tests.support.memory import peak_memory

NAN = math.nan
BIG = 2**53 + 1
MAP = pa.map_(pa.string(), pa.int8())
DAY = datetime.datetime(2024, 1, 31)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty current directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def opened(address: str, **reading: object):
    """The source at an address, closed at the end."""
    return contextlib.closing(open_array(parse_address(address), "--input", Reading(**reading)))


def values(address: str, **reading: object) -> list:
    """The array at an address, as nested lists."""
    with opened(address, **reading) as source:
        return source.whole().tolist()


def refused(capsys, *arguments: str, code: int = 3) -> tuple[str, str]:
    """The message and the hint of a command that is refused."""
    assert cli.run(list(arguments)) == code
    message, _, hint = capsys.readouterr().err.partition("\n  hint: ")
    return message.removeprefix("losscalc: error: ").strip(), hint.strip()


def write(way: str, **columns: object) -> str:
    """Write a table, and say where."""
    Path(f"f.{way}").write_bytes(packed(pa.table(columns), way))
    return f"f.{way}"


KINDS = {
    "float64": (pa.array([0.5, -1e300, math.inf]), np.float64, [0.5, -1e300, math.inf]),
    "float32": (pa.array([0.5, 0.25, 1], pa.float32()), np.float32, [0.5, 0.25, 1]),
    "float16": (pa.array([0.5, 0.25, 1], pa.float16()), np.float16, [0.5, 0.25, 1]),
    "int64": (pa.array([1, -2, 3]), np.float64, [1, -2, 3]),
    "uint8": (pa.array([1, 255, 0], pa.uint8()), np.float64, [1, 255, 0]),
    "uint64": (pa.array([1, 2**63, 0], pa.uint64()), np.float64, [1, 2.0**63, 0]),
    "bool": (pa.array([True, False, True]), np.float64, [1, 0, 1]),
    # Of 123456789.123456789, the nearest float64 ends in 79.
    "decimal": (
        pa.array([Decimal("0.1"), Decimal("0.3"), Decimal("123456789.123456789")], pa.decimal128(38, 18)),
        np.float64,
        [0.1, 0.3, 123456789.12345679],
    ),
    "category of numbers": (pa.array([1.5, 2.5, 1.5]).dictionary_encode(), np.float64, [1.5, 2.5, 1.5]),
    "category of texts": (pa.array(["2", "1", "2"]).dictionary_encode(), np.float64, [2, 1, 2]),
    "text": (pa.array(["0.5", " 1e3", "True"]), np.float64, [0.5, 1000, 1]),
    "list in a text": (pa.array(["[1, 2]", "[3 4]", "[5,6]"]), np.float64, [[1, 2], [3, 4], [5, 6]]),
    "list": (pa.array([[1, 2], [3, 4], [5, 6]], pa.list_(pa.float32())), np.float32, [[1, 2], [3, 4], [5, 6]]),
    "large list": (pa.array([[1, 2], [3, 4], [5, 6]], pa.large_list(pa.int8())), np.float64, [[1, 2], [3, 4], [5, 6]]),
    "fixed list": (pa.array([[1, 2], [3, 4], [5, 6]], pa.list_(pa.float64(), 2)), np.float64, [[1, 2], [3, 4], [5, 6]]),
    "list of lists": (pa.array([[[1, 2], [3, 4]]] * 3), np.float64, [[[1, 2], [3, 4]]] * 3),
    "lists of nothing": (pa.array([[], [], []], pa.list_(pa.float64())), np.float64, [[], [], []]),
    "tensor": (
        pa.ExtensionArray.from_storage(
            pa.fixed_shape_tensor(pa.float32(), [1, 2]), pa.array([[1, 2], [3, 4], [5, 6]], pa.list_(pa.float32(), 2))
        ),
        np.float32,
        [[[1, 2]], [[3, 4]], [[5, 6]]],
    ),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", KINDS)
def test_kinds(way, kind):
    """Every kind of column is read as the numbers that it holds, with its floating dtype."""
    array, dtype, expected = KINDS[kind]
    write(way, other=["x"] * 3, p=array)
    with opened(f"f.{way}#p") as source:
        assert source.dtype == dtype
        found = source.whole()
    assert found.dtype == dtype
    assert found.tolist() == expected


@pytest.mark.parametrize(
    ("kinds", "dtype"),
    [
        (("f4", "f4"), "f4"), (("f2", "f2"), "f2"), (("f2", "f4"), "f4"), (("f4", "f8"), "f8"),
        (("f4", "i1"), "f8"), (("i1", "i1"), "f8"), (("f4", "?"), "f8"),
    ],
)  # fmt: skip
def test_dtypes_of_several_columns(kinds, dtype):
    """Floats keep the widest of their dtypes; whole numbers make float64 of all."""
    columns = {f"c{i}": np.array([1, 0, 1], kind) for i, kind in enumerate(kinds)}
    name = write("parquet", **columns)
    with opened(name) as source:
        assert source.dtype == source.whole().dtype == np.dtype(dtype)
    assert values(name) == [[1, 1], [0, 0], [1, 1]]


GAPS = {
    "float": pa.array([0.5, None, NAN, 2], from_pandas=False),
    "float32": pa.array([0.5, None, NAN, 2], pa.float32(), from_pandas=False),
    "float16": pa.array([0.5, None, NAN, 2], pa.float16(), from_pandas=False),
    "category": pa.array([0.5, None, NAN, 2], from_pandas=False).dictionary_encode(),
    "text": pa.array(["0.5", None, "NaN", "2"]),
    "record": pa.array([{"x": 0.5}, None, {"x": NAN}, {"x": 2.0}], from_pandas=False),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", GAPS)
def test_missing_numbers(capsys, way, kind):
    """A null is refused with its place, NaN, or left out; where rows are left out, NaN is missing, too."""
    name = write(way, q=[1, 2, 3, 4], p=GAPS[kind])
    part = f"{name}#{'p.x' if kind == 'record' else 'p'}"
    arguments = ["l1", "-i", part, "-t", "[0,0,0,0]", "-r", "sum"]
    message, hint = refused(capsys, *arguments)
    assert message == f"{name}:2:2: not a number, found ''"
    assert hint == "--na drop leaves the row out, --na nan reads NaN"
    assert [x if x == x else None for x in values(part, na="nan")] == [0.5, None, None, 2]
    assert cli.run([*arguments, "--na", "drop"]) == 0
    output, error = capsys.readouterr()
    assert (float(output), error) == (2.5, "losscalc: warning: left out 2 rows with a missing number\n")


def test_missing_whole_numbers_and_lists(capsys):
    """So are whole numbers, truth values, lists that are missing, and lists in which a number is."""
    name = write(
        "parquet", i=[1, None, 3], b=[None, True, False], l=[[1.0, 2.0], None, [None, 4.0]], n=pa.nulls(3)
    )
    for part, places in {"i": (2, 1), "b": (1, 2), "l": (2, 3), "n": (1, 4)}.items():
        message, _ = refused(capsys, "sigmoid", "-i", f"{name}#{part}")
        assert message.startswith(f"{name}:{places[0]}:{places[1]}: not a number")
    with opened(f"{name}#l", na="drop") as source:
        rows = source.take(9)
    assert rows.missing.tolist() == [False, True, True]
    assert rows.values[0].tolist() == [1, 2]
    assert np.isnan(values(f"{name}#l", na="nan")[2]).tolist() == [True, False]
    assert np.isnan(values(f"{name}#i", na="nan")).tolist() == [False, True, False]


@pytest.mark.parametrize("way", WAYS)
def test_lists_of_other_lengths(capsys, way):
    """They are refused with the row; where rows may be left out, the row is told instead."""
    name = write(way, q=[1, 2, 3], p=[[1.0, 2.0], [1.0, 2.0], [1.0]])
    assert (
        refused(capsys, "sigmoid", "-i", f"{name}#p")[0]
        == f"{name}:3:2: the list has 1 number, those before 2"
    )
    with opened(f"{name}#p", where=("q<3",)) as source:
        source.take(2)
        rows = source.take(9)
    assert [(row, str(fault)) for row, fault in rows.faults] == [
        (0, f"{name}:3:2: the list has 1 number, those before 2")
    ]
    name = write(way, p=[[[1.0], [2.0]], [[1.0], [2.0, 3.0]], [[1.0], None]])
    assert (
        refused(capsys, "sigmoid", "-i", f"{name}#p")[0]
        == f"{name}:2:1: the list has 2 numbers, those before 1"
    )
    write(way, p=[1.0, 2.0], l=[[1.0], [2.0]])
    message, hint = refused(capsys, "sigmoid", "-i", f"{name}")
    assert (message, hint) == (
        f"{name}: column 2 (l) holds lists, and is an array of its own",
        "take the columns of the array: #p",
    )


@pytest.mark.parametrize(
    ("column", "why"),
    [
        ({"name": ["cat", "dog"]}, "column 1 (name) holds words"),
        ({"name": ["cat", None]}, "column 1 (name) holds words"),
        ({"name": pa.array(["cat", "dog"]).dictionary_encode()}, "column 1 (name) holds words"),
        ({"day": [DAY, DAY]}, "column 1 (day) holds words"),
        ({"day": [DAY.date(), None]}, "column 1 (day) holds words"),
        ({"image_id": [7, 9]}, "column 1 (image_id) identifies rows, and is not data"),
        ({"Unnamed: 0": [7, 9]}, "column 1 (Unnamed: 0) has no name: it is the index of the rows, not data"),
        ({"m": pa.array([[("a", 1)], []], MAP)}, "column 1 (m) holds maps, which are no numbers"),
        ({"s": [["a"], ["b"]]}, "column 1 (s) holds lists of texts, which are no numbers"),
        ({"wait": [datetime.timedelta(1)] * 2}, "column 1 (wait) holds durations, which are no numbers"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("way", WAYS)
def test_columns_that_are_no_data(capsys, way, column, why):
    """The rules are those of every table, and the part that the hint names is the rest of it."""
    name = write(way, **column, p=[0.1, 0.2], q=[0.2, 0.4])
    message, hint = refused(capsys, "l1", "-i", name, "-t", "[[0,0],[0,0]]")
    assert message == f"{name}: {why}"
    assert hint == "take the columns of the array: #2-"
    assert (
        accept(capsys, ["l1", "-i", f"{name}#2-", "-t", "[[0,0],[0,0]]", "-r", "none"])
        == "0.1,0.2\n0.2,0.4\n"
    )


@pytest.mark.parametrize(
    ("column", "held"),
    [
        (pa.array([["1", "2"]]), "lists of texts"),
        (pa.array([[["1", "2"]]]), "lists of lists of texts"),
        (pa.array([[DAY]]), "lists of dates or times"),
        (pa.array([[datetime.timedelta(1)]]), "lists of durations"),
        (pa.array([[{"x": 1}]]), "lists of records"),
        (pa.array([[]]), "lists of nothing"),
        # Its text would be the number of microseconds.
        (pa.array([datetime.timedelta(1)]), "durations"),
        (pa.array([[("a", 1)]], MAP), "maps"),
        (pa.array([b"abcd"], pa.binary(4)), "bytes"),
        (pa.array([bytes(16)], pa.uuid()), "values of the type uuid"),
    ],
)
def test_columns_without_numbers(capsys, column, held):
    """They are told of by what they hold, and the hint is not to name what was named, nor another of them."""
    name = write("parquet", p=column, s=[["a"]])
    for part in (f"{name}#p", name, f"{name}#1-2"):
        assert refused(capsys, "l1", "-i", part, "-t", "0") == (
            f"{name}: column 1 (p) holds {held}, which are no numbers",
            "save the column as numbers, or as lists of them",
        )
    write("parquet", p=column, l=[[1.0]])
    assert refused(capsys, "l1", "-i", name, "-t", "0")[1].endswith("name it, as in #l")


def test_a_hint_leads_past_lists(capsys):
    """Lists are no columns of a matrix, whichever column is no data first."""
    name = write("parquet", name=["cat", "dog"], p=[0.1, 0.2], l=[[1.0], [2.0]], q=[0.2, 0.4], m=[["a"], []])
    message, hint = refused(capsys, "l1", "-i", name, "-t", "[[0,0],[0,0]]")
    assert (message, hint) == (f"{name}: column 1 (name) holds words", "take the columns of the array: #p,q")
    assert values(f"{name}#p,q") == [[0.1, 0.2], [0.2, 0.4]]


def test_a_first_column_that_counts(capsys):
    """Five rows that are counted are an index, and a target inside the input is no input."""
    name = write("parquet", x=[0, 1, 2, 3, 4], p=[0.5] * 5, q=[0.25] * 5)
    message, hint = refused(capsys, "sigmoid", "-i", name)
    assert (message, hint) == (
        f"{name}: column 1 (x) counts the rows, and is not data",
        "take the columns of the array: #2-",
    )
    message, hint = refused(capsys, "cross-entropy", "-i", name, "-t", f"{name}#p")
    assert hint == "take the columns of the array: #q", "the column that counts is none of them either"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("entries", [["__index_level_0__"], ["__index_level_0__", {"kind": "range"}]])
def test_the_index_of_pandas(way, entries):
    """It is no column, unless it is named; its name is known beside the array."""
    table = pa.table({"p": [0.5, 0.25], "q": [1.0, 2.0], "__index_level_0__": ["a", "b"]})
    table = table.replace_schema_metadata({"pandas": json.dumps({"index_columns": entries})})
    Path(f"f.{way}").write_bytes(packed(table, way))
    assert values(f"f.{way}") == values(f"f.{way}#1-") == [[0.5, 1], [0.25, 2]]
    assert values(f"f.{way}#^q") == [0.5, 0.25]
    with opened(f"f.{way}") as source:
        assert source.names == ["p", "q"]
        assert source.beside == ["p", "q", "__index_level_0__"]
    assert values(f"f.{way}#__index_level_0__", is_beside=True) == ["a", "b"]


@pytest.mark.parametrize(
    "note", [b"", b"{", b"[" * 100_000, b"1", b'{"index_columns": 3}', b'{"index_columns": [[1]]}']
)
def test_odd_notes_of_pandas(note):
    """What cannot be understood is passed over."""
    table = pa.table({"p": [0.5, 0.25]}).replace_schema_metadata({"pandas": note})
    Path("f.parquet").write_bytes(parquet(table))
    assert values("f.parquet") == [0.5, 0.25]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("array", "cells"),
    [
        (pa.array(["cat", None, "7"]), ["cat", "", "7"]),
        (pa.array(["cat", None, "cat"]).dictionary_encode(), ["cat", "", "cat"]),
        (pa.array([b"cat", None, b"dog"]), ["cat", "", "dog"]),
        (pa.array([1.5, None, 2]), [1.5, "", 2]),
        (pa.array([1, 2, 3], pa.int8()), [1, 2, 3]),
        (pa.array([BIG, 2, -BIG]), [str(BIG), 2, str(-BIG)]),
        (pa.array([2**64 - 1, 2, 3], pa.uint64()), [str(2**64 - 1), 2, 3]),
        (pa.array([True, None, False]), ["True", "", "False"]),
        (pa.array([DAY, None, DAY.replace(hour=5)]), ["2024-01-31", "", "2024-01-31 05:00:00"]),
        (pa.array([DAY.date(), None, DAY.date()]), ["2024-01-31", "", "2024-01-31"]),
        (
            pa.array([DAY.date().replace(day=day) for day in (9, 10, 20)]),
            [f"2024-01-{d}" for d in ("09", 10, 20)],
        ),
        (pa.array([DAY, DAY.replace(hour=10)], pa.timestamp("s")), ["2024-01-31", "2024-01-31 10:00:00"]),
        (
            pa.array([DAY, DAY.replace(hour=10, microsecond=500)], pa.timestamp("us", "UTC")),
            ["2024-01-31 00:00:00+00:00", "2024-01-31 10:00:00.0005+00:00"],
        ),
        (pa.array([DAY.replace(hour=9)], pa.timestamp("s", "Asia/Kolkata")), ["2024-01-31 14:30:00+05:30"]),
        (pa.array([DAY.time().replace(hour=10)], pa.time32("s")), ["10:00:00"]),
        (pa.array([1.5, 2.5, 1.5]).dictionary_encode(), [1.5, 2.5, 1.5]),
    ],
)
def test_cells(way, array, cells):
    """Beside an array, texts are texts, and numbers are themselves to the last digit."""
    name = write(way, p=[1.0] * len(array), c=array)
    with opened(f"{name}#c", is_beside=True) as source:
        assert source.dtype == object
        found = source.take(9).values.tolist()
    assert found == cells
    assert list(map(type, found)) == [str if isinstance(cell, str) else float for cell in cells]


@pytest.mark.parametrize("array", [pa.array(["long enough for a view of it", None, "b"], pa.string_view())])
def test_views(array):
    """Polars writes texts as views."""
    Path("f.arrow").write_bytes(arrow(pa.table({"s": array})))
    assert values("f.arrow#s", is_beside=True) == ["long enough for a view of it", "", "b"]


def test_runs():
    """Numbers that are kept as runs are numbers."""
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([2, 3], pa.int32()), pa.array([0.5, 2]))
    Path("f.arrow").write_bytes(arrow(pa.table({"p": runs})))
    assert values("f.arrow") == [0.5, 0.5, 2]


def test_a_tensor_in_another_order(capsys):
    """A tensor whose axes are exchanged is not read as if they were not."""
    kind = pa.fixed_shape_tensor(pa.float32(), [2, 3], permutation=[1, 0])
    storage = pa.array([list(range(6))], pa.list_(pa.float32(), 6))
    Path("f.arrow").write_bytes(arrow(pa.table({"t": pa.ExtensionArray.from_storage(kind, storage)})))
    assert (
        refused(capsys, "sigmoid", "-i", "f.arrow")[0]
        == "f.arrow: column 1 (t) holds values of the type fixed_shape_tensor, which are no numbers"
    )


@pytest.mark.parametrize("way", WAYS)
def test_records(way):
    """The members of records are columns of their own."""
    name = write(way, r=[{"x": 1.5, "y": {"z": [1.0, 2.0]}}, {"x": 2.5, "y": {"z": [3.0, 4.0]}}])
    assert values(f"{name}#r.x") == [1.5, 2.5]
    assert values(f"{name}#r.y.z") == [[1, 2], [3, 4]]


@pytest.mark.parametrize("way", WAYS)
def test_odd_names(capsys, way):
    """A name may hold a point, be the beginning of another, or be there twice."""
    name = write(way, **{"a": [1.0], "a.b": [2.0], "2": [3.0], "log p": [4.0], "": [5.0]})
    assert [values(f"{name}#{part}") for part in ("a", "a.b", "2", "log p", "5")] == [[1], [2], [3], [4], [5]]
    twice = pa.Table.from_arrays([pa.array([1.0]), pa.array([2.0])], names=["p", "p"])
    Path(name).write_bytes(packed(twice, way))
    assert (values(f"{name}#1"), values(f"{name}#2"), values(name)) == ([1], [2], [[1, 2]])
    message, hint = refused(capsys, "sigmoid", "-i", f"{name}#p")
    assert (message, hint) == (f"{name}: 2 columns have this name, found 'p'", "take one by its number: #1")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("suffix", ["csv", "gz", "stdin"])
def test_wherever_it_comes_from(capsys, monkeypatch, way, suffix):
    """Its first bytes tell what it is; what comes through a pipe or is compressed is held in memory."""
    data = packed(pa.table({"p": [0.5, 0.25], "y": [1.0, 0.0]}), way)
    name = f"f.{suffix}" if suffix != "gz" else "f.x.gz"
    Path(name).write_bytes(gzip.compress(data) if suffix == "gz" else data)
    if suffix == "stdin":
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(data), isatty=lambda: False))
        assert accept(capsys, ["l1", "-i", "-#p", "-t", "0,0", "-r", "sum"]) == "0.75\n"
    else:
        assert accept(capsys, ["l1", "-i", f"{name}#p", "-t", f"{name}#y", "-r", "sum"]) == "0.75\n"


@pytest.mark.parametrize("rows", [1, 3, 7])
@pytest.mark.parametrize(
    "options",
    [
        {"row_group_size": 4},
        {"compression": "zstd", "data_page_version": "2.0", "data_page_size": 16},
        {"compression": "gzip", "use_dictionary": False, "column_encoding": {"s": "DELTA_BYTE_ARRAY"}},
        {"compression": "none", "use_dictionary": False, "column_encoding": {"s": "DELTA_LENGTH_BYTE_ARRAY"}},
        {"compression": "brotli", "row_group_size": 3, "store_schema": False},
        {"compression": "lz4", "use_byte_stream_split": ["p"], "use_dictionary": ["s"]},
    ],
)
def test_ways_of_parquet(rows, options):
    """However it is written, and however many rows are taken at a time."""
    numbers = [i / 8 for i in range(10)]
    table = pa.table(
        {
            "p": numbers,
            "s": [f"a long beginning {i // 2}" for i in range(10)],
            "l": [[i, i + 1] for i in range(10)],
        }
    )
    Path("f.parquet").write_bytes(parquet(table, **options))
    for part, reading, expected in (
        ("p", {}, numbers),
        ("l", {}, [[i, i + 1] for i in range(10)]),
        ("s", {"is_beside": True}, [f"a long beginning {i // 2}" for i in range(10)]),
    ):
        with opened(f"f.parquet#{part}", **reading) as source:
            found = []
            while len(piece := source.take(rows).values):
                found += piece.tolist()
        assert found == expected


@pytest.mark.parametrize(
    "options", [{}, {"compression": "lz4"}, {"compression": "zstd", "use_legacy_format": False}]
)
@pytest.mark.parametrize("is_stream", [False, True])
def test_ways_of_arrow(options, is_stream):
    """Batches of any length, compressed or not; the old way of writing lengths is one as well."""
    table = pa.table({"p": [i / 8 for i in range(100)], "s": ["x"] * 100})
    Path("f.arrow").write_bytes(arrow(table, is_stream=is_stream, rows=7, **options))
    assert values("f.arrow#p") == [i / 8 for i in range(100)]
    Path("f.arrow").write_bytes(arrow(table, is_stream=is_stream, use_legacy_format=True))
    assert values("f.arrow#p") == [i / 8 for i in range(100)]


@pytest.mark.parametrize("way", WAYS)
def test_files_without_rows(capsys, way):
    """As in every table, that is no data."""
    name = write(way, p=pa.array([], pa.float64()))
    assert refused(capsys, "sigmoid", "-i", name)[0] == f"{name}: no data"


def test_places(capsys):
    """A value that does not fit is named by its row and column, across row groups and batches."""
    table = pa.table({"n": ["x"] * 5, "p": [0.5, 0.5, 0.5, 0.5, 1.5]})
    Path("f.parquet").write_bytes(parquet(table, row_group_size=2))
    assert cli.run(["bce", "-i", "f.parquet#p", "-t", "0,0,0,0,1"]) == 4
    assert "f.parquet:5:2: --input must be in [0, 1], found 1.5" in capsys.readouterr().err


def test_patterns(capsys):
    """Several files are one array."""
    for number in range(3):
        Path(f"part-{number}.parquet").write_bytes(parquet(pa.table({"p": [float(number), 1.0]})))
    assert accept(capsys, ["l1", "-i", "part-*.parquet#p", "-t", "[0,0,0,0,0,0]", "-r", "sum"]) == "6.0\n"


@pytest.mark.parametrize("way", WAYS)
def test_a_column_that_is_not_asked_for(way):
    """Nothing of it is unpacked: there may be anything in its place."""
    table = pa.table({"p": np.arange(1000.0), "q": np.arange(1000.0) + 0.125})
    data = (
        parquet(table, compression="none", use_dictionary=False)
        if way == "parquet"
        else arrow(table, is_stream=way == "arrows")
    )
    wanted = (np.arange(1000.0) + 0.125).tobytes()
    assert wanted in data
    Path("f.x").write_bytes(data.replace(wanted, b"\xff" * len(wanted)))
    assert values("f.x#p") == list(range(1000))


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_larger_than_memory(tmp_path, way):
    """A file of many rows takes no more memory than one of few, as long as its batches are short."""
    rng = np.random.default_rng(1)
    table = pa.table({name: rng.random(6_000_000) for name in "pq"})
    data = (
        parquet(table, row_group_size=6_000_000)
        if way == "parquet"
        else arrow(table, is_stream=way == "arrows", rows=100_000)
    )
    (tmp_path / "f.x").write_bytes(data)
    (tmp_path / "few.x").write_bytes(packed(pa.table({"p": [0.5], "q": [0.25]}), way))
    run = "from losscalc import cli; cli.run(sys.argv[1:])"
    peaks = [
        peak_memory(
            run, "l1", "-i", f"{tmp_path / name}#p", "-t", f"{tmp_path / name}#q", "--threads", "1", "-q"
        )
        for name in ("f.x", "few.x")
    ]
    assert peaks[0] - peaks[1] < 60_000_000


@pytest.mark.parametrize("way", WAYS)
def test_many_columns(way):
    """Each of 10,000 columns is found at once: 4 s, where to look at all for each took 30 s."""
    start = time.process_time()
    path = write(way, **{f"w{number}": [float(number)] for number in range(10_000)})
    assert values(path)[0][-1] == 9999.0
    assert time.process_time() - start < 15
