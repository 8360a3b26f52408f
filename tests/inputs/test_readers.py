"""Readers against writers, against other readers, and against files that were damaged at random."""

import bz2
import contextlib
import csv
import gzip
import importlib
import io
import json
import lzma
import math
import zipfile
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from losscalc import cli
from losscalc.errors import FormatError, LosscalcError
from losscalc.inputs.address import open_array, parse_address
from losscalc.inputs.options import Reading
from losscalc.inputs.stream import COMPRESSIONS
from losscalc.outputs.result import Result
from losscalc.outputs.writers import WRITERS
from tests.support.hostile import archive, npy, saved
from tests.support.reading import read_address

pytestmark = pytest.mark.slow

FEW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
MANY = settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
FINITE = st.floats(allow_nan=False, allow_infinity=False)
DTYPES = st.sampled_from(["<f8", ">f8", "<f4", "<f2", "<i8", ">i4", "|u1", "<u8"])
COMPRESSORS = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


def shapes(most: int, fewest: int = 1):
    """Shapes of arrays that are not empty."""
    return arrays.array_shapes(min_dims=fewest, max_dims=most, max_side=5)


def floats(most: int, fewest: int = 1, elements=FINITE):
    """Arrays of float64."""
    return arrays.arrays(np.float64, shapes(most, fewest), elements=elements)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder for the files of this module."""
    return tmp_path_factory.mktemp("readers")


def read(path, data: bytes, part: str = "", rows: int | None = None, **reading) -> np.ndarray:
    """What the reader makes of the bytes: all at once, or so many rows at a time."""
    path.write_bytes(data)
    source = open_array(parse_address(f"{path}{part}"), "--input", Reading(**reading))
    with contextlib.closing(source):
        if rows is None or not source.shape:
            return source.whole()
        pieces = []
        while len(piece := source.take(rows).values):
            pieces.append(piece)
        return np.concatenate(pieces)


def outcome(call: Callable[[], np.ndarray]) -> np.ndarray | LosscalcError:
    """An array, or the error instead of it, which is fit to be printed."""
    try:
        return call()
    except LosscalcError as error:
        refusal = error
    assert refusal.exit_code in (3, 4)
    assert str(refusal).isprintable()
    assert refusal.hint is None or refusal.hint.isprintable()
    return refusal


def same(found: np.ndarray, expected: np.ndarray) -> bool:
    """Whether two arrays have the same shape and the same numbers, sign of zero included."""
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    if found.shape != expected.shape or not np.array_equal(found, expected, equal_nan=True):
        return False
    return bool((np.isnan(found) | (np.signbit(found) == np.signbit(expected))).all())


@FEW
@given(array=floats(2, elements=st.floats()), name=st.sampled_from(["plain", "csv", "tsv"]))
def test_written_tables_read_back(folder, array, name):
    """What losscalc writes as rows and columns it reads back to the last bit; a lone column is a vector."""
    written = WRITERS[name].write(Result("x", array, {}), None)
    expected = array.ravel() if array.ndim == 1 or array.shape[1] == 1 else array
    suffix = WRITERS[name].suffixes[0]
    assert same(read(folder / f"t{suffix}", written, header="no"), expected)


@FEW
@given(array=floats(4), name=st.sampled_from(["plain", "json", "jsonl", "npy"]))
def test_written_arrays_read_back(folder, array, name):
    """What losscalc writes of more axes it reads back to the last bit."""
    if name == "plain" and array.ndim < 3:
        name = "json"
    written = WRITERS[name].write(Result("x", array, {}), None)
    assert same(read(folder / f"a{WRITERS[name].suffixes[0]}", written), array)


@FEW
@given(array=floats(2, elements=st.floats()), rows=st.integers(1, 4), data=st.data())
def test_tables_of_others(folder, array, rows, data):
    """Tables by Python's csv module are read right: delimiters, quotes, line ends, headers, columns."""
    matrix = array.reshape(len(array), -1)
    width = matrix.shape[1]
    delimiter = data.draw(st.sampled_from(",;\t|:"))
    quoting = data.draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]))
    end = data.draw(st.sampled_from(["\n", "\r\n", "\r"]))
    header = data.draw(st.booleans())
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, quoting=quoting, lineterminator=end)
    if header:
        writer.writerow([f"name {i}, or so" for i in range(width)])
    writer.writerows(matrix.tolist())
    encoding = data.draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"]))
    columns = data.draw(st.lists(st.integers(1, width), min_size=1, max_size=4))
    found = read(
        folder / "o.csv",
        buffer.getvalue().encode(encoding),
        "#" + ",".join(map(str, columns)),
        rows,
        delimiter=delimiter,
        encoding="utf-8-sig" if encoding == "utf-8" else encoding,
    )
    expected = matrix[:, [c - 1 for c in columns]]
    assert same(found, expected[:, 0] if len(columns) == 1 else expected)


@FEW
@given(array=floats(4, elements=st.floats()), indent=st.sampled_from([None, 1]), rows=st.integers(1, 3))
def test_json_of_others(folder, array, indent, rows):
    """Documents by Python's json module are read right, nan and infinities included."""
    text = json.dumps({"a/b": [{"~": array.tolist()}]}, indent=indent)
    assert same(read(folder / "o.json", text.encode(), "#/a~1b/0/~0", rows), array)
    lines = "\r\n".join(json.dumps({"x": row}) for row in array.tolist())
    assert same(read(folder / "o.jsonl", lines.encode(), "#x", rows), array)


@MANY
@given(data=st.data(), dtype=DTYPES, rows=st.integers(1, 4), compression=st.sampled_from(list(COMPRESSORS)))
def test_npy_of_others(folder, data, dtype, rows, compression):
    """Arrays by NumPy are read right: dtypes, byte and memory order, in NPY and NPZ, packed or not."""
    array = data.draw(arrays.arrays(dtype, shapes(4, 0)))
    if data.draw(st.booleans()):
        array = np.asfortranarray(array)
    pack = COMPRESSORS[compression]
    found = read(folder / f"o.npy{compression}", pack(saved(array)), "", rows)
    assert found.dtype.newbyteorder("=") == array.dtype.newbyteorder("=")
    np.testing.assert_array_equal(found, array)
    members = archive(("y.npy", saved(array)), ("x.npy", npy()))
    np.testing.assert_array_equal(read(folder / f"o.npz{compression}", pack(members), "#y", rows), array)


EDITS = [
    b",",
    b"\n",
    b"\r",
    b'"',
    b"\0",
    b"1",
    b"-",
    b"e",
    b" ",
    b"\t",
    b"\xef\xbb\xbf",
    b"\xff",
    b"_",
    b"0x1",
]
EDITS += [b"[", b"]", b"{", b"}", b":", b"null", b"nan", b"1e999", b""]


@st.composite
def damaged(draw, originals: list[bytes]) -> bytes:
    """A valid file after a few random edits: bytes changed, cut, doubled, inserted or moved."""
    data = bytearray(draw(st.sampled_from(originals)))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        stop = min(len(data), start + draw(st.integers(0, 6)))
        doubled = bytes(data[start:stop]) * 2
        piece = draw(st.one_of(st.binary(max_size=4), st.sampled_from(EDITS), st.just(doubled)))
        data[start:stop] = piece
    return bytes(data)


def number(text: str) -> float:
    """A second opinion on what a number is: Python's, without what only Python writes."""
    text = text.strip(" \t")
    if not text.isascii() or "_" in text or text != text.strip():
        raise ValueError
    if text.lower() in ("true", "false"):
        return float(text.lower() == "true")
    value = float(text)
    if math.isinf(value) and text.lstrip("+-").lower() not in ("inf", "infinity"):
        raise ValueError
    return value


def table_again(data: bytes) -> np.ndarray:
    """A second reader of tables, without any of the first one's shortcuts."""
    text = data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows = [row for row in lines if row and (len(row) > 1 or row[0].strip(" \t"))]
    rows = [row for row in rows if not row[0].lstrip(" \t").startswith("#")]
    while len(rows[0]) > 1 and not any(row[-1].strip() for row in rows):
        rows = [row[:-1] for row in rows]
    with contextlib.suppress(ValueError):
        return square([[number(cell) for cell in row] for row in rows])
    return square([[number(cell) for cell in row] for row in rows[1:]])


def square(rows: list[list[float]]) -> np.ndarray:
    """Rows as a matrix, or as a vector when they have one cell each."""
    matrix = np.array(rows, dtype=float)
    return matrix[:, 0] if matrix.shape[1] == 1 else matrix


def values_again(node: object) -> object:
    """Numbers in nested lists, as a second reader of JSON takes them; a lone member stands for its object."""
    if isinstance(node, list):
        return [values_again(item) for item in node]
    if isinstance(node, str):
        return number(node)
    if isinstance(node, dict):
        (node,) = node.values()
        return values_again(node)
    assert isinstance(node, float | bool)
    return float(node)


def json_again(data: bytes) -> np.ndarray:
    """A second reader of JSON."""
    text = data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    return np.array(values_again(json.loads(text, parse_int=float)), dtype=float)


def lines_again(data: bytes) -> np.ndarray:
    """A second reader of JSON lines."""
    text = data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    rows = [json.loads(line, parse_int=float) for line in text.split("\n") if line.strip(" \t")]
    return np.array(values_again(rows), dtype=float)


def npz_again(data: bytes) -> np.ndarray:
    """A second reader of archives."""
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        (name,) = file.namelist()
        return np.load(io.BytesIO(file.read(name)), allow_pickle=False)


SOME = np.array([[0.5, -1.25, 3e10], [1e-5, 2.0, -7.0]])
VALID = {
    ".csv": (
        table_again,
        [
            b"1,2,3\n4,5,6\n",
            b"a,b\r\n1.5,-2e3\r\n.5,6.\r\n",
            b"1\n2\n3\n4\n",
            b'"x","y, z"\n"1","2"\n"3","nan"\n',
            b"\xef\xbb\xbf 1 ,\t2\n-inf, 3 \n\n",
        ],
    ),
    ".json": (json_again, [b"[[1, 2.5], [3, -4e3]]", b"[1,2,\n 3]", b"3", b'[NaN, "Infinity", -Infinity]']),
    ".jsonl": (lines_again, [b"[1, 2]\n[3, 4]\n", b"1\n\n2\r\n3", b"[[1],[2]]\n[[3],[4]]\n"]),
    ".npy": (
        lambda data: np.load(io.BytesIO(data), allow_pickle=False),
        [saved(SOME), saved(np.asfortranarray(SOME)), saved(SOME.astype(">f4")), npy(version=2), npy()],
    ),
    ".npz": (
        npz_again,
        [
            archive(("x.npy", saved(SOME)), compression=compression)
            for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
        ],
    ),
}


@pytest.mark.parametrize("suffix", VALID)
@pytest.mark.filterwarnings("ignore::UserWarning:numpy")
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_damaged_files(folder, suffix, data):
    """A damaged file is refused with its name, or it is read as a second reader reads it."""
    reader, originals = VALID[suffix]
    damage = data.draw(damaged(originals))
    path = folder / f"d{suffix}"
    rows = data.draw(st.sampled_from([None, 1, 2]))
    found = outcome(lambda: read(path, damage, rows=rows, delimiter=","))
    if isinstance(found, LosscalcError):
        assert str(found).startswith(str(path))
    else:
        assert same(found, reader(damage)), damage


@pytest.mark.parametrize("compression", [name for name in COMPRESSORS if name])
@MANY
@given(data=st.data())
def test_damaged_compressed_files(folder, compression, data):
    """Damaged compressed data is refused with its name, or unpacks to what was packed."""
    text = b"1,2\n3,4\n" * 20
    damage = data.draw(damaged([COMPRESSORS[compression](text)]))
    path = folder / f"d.csv{compression}"
    found = outcome(lambda: read(path, damage, delimiter=","))
    if isinstance(found, LosscalcError):
        assert str(found).startswith(str(path))
        return
    unpack = {".gz": gzip.decompress, ".bz2": bz2.decompress, ".xz": lzma.decompress}[compression]
    assert same(found, table_again(unpack(damage)))


@FEW
@given(text=st.text(max_size=12), na=st.sampled_from(["error", "nan", "drop"]))
def test_arrays_from_any_words(folder, text, na):
    """Whatever stands where an array is due, it is an array or refused in words."""
    if text == "-" or text.startswith("-#"):
        return
    outcome(lambda: open_array(parse_address(text), "--input", Reading(na=na)).whole())


@MANY
@given(cell=st.text("0123456789+-.eEnaifty_ xX,\u0661\uff11\u00a0", max_size=8))
def test_numbers_agree(folder, cell):
    """A cell is the number that the second opinion takes it for, or is refused, in both ways of reading."""
    data = f"0,{cell},0\n".encode()
    try:
        expected = number(cell) if "," not in cell else None
    except ValueError:
        expected = None
    found = []
    for row in (data, b'"0"' + data[1:]):
        try:
            found.append(read(folder / "n.csv", row, header="no"))
        except LosscalcError:
            found.append(None)
    if expected is None and "," not in cell:
        assert found == [None, None]
    elif expected is not None:
        assert all(one is not None and same(one, np.array([[0.0, expected, 0.0]])) for one in found)


@pytest.mark.parametrize("name", ["f.csv", "f.txt", "f.jsonl"])
def test_files_that_shrink_while_they_are_read(tmp_path, name):
    """Rows that were cut off after the first were read are missed, even where what is left ends a line.

    The first few megabytes are read at once, for the threads that parse them.
    """
    path = tmp_path / name
    path.write_bytes(b"0.25\n" * 4_000_000)
    with contextlib.closing(open_array(parse_address(str(path)), "--input", Reading())) as source:
        source.take(10)
        with path.open("r+b") as file:
            file.truncate(17_500_000)
        with pytest.raises(FormatError, match="had 20000000 bytes, and became shorter while it was read"):
            source.whole()


@pytest.mark.skipif(".zst" not in COMPRESSIONS, reason="Python has no Zstandard before 3.14")
def test_zstandard(tmp_path, capsys):
    """Files compressed by Zstandard are written and read, whole, damaged, and one behind the other."""
    zstd = importlib.import_module("compression.zstd")
    path = tmp_path / "f.csv.zst"
    assert cli.run(["l1", "-i", "1,2,3", "-t", "0,0,0", "-r", "none", "-o", str(path)]) == 0
    assert zstd.decompress(path.read_bytes()) == b"1.0\n2.0\n3.0\n"
    path.write_bytes(path.read_bytes() + zstd.compress(b"4\n"))
    assert read_address(str(path)).tolist() == [1, 2, 3, 4]
    for data in (path.read_bytes()[:-3], path.read_bytes() + b"x", zstd.compress(b"1\n" * 100_000_000)):
        path.write_bytes(data)
        assert cli.run(["l1", "-i", str(path), "-t", "1", "-q"]) == 3
        assert "Traceback" not in capsys.readouterr().err
