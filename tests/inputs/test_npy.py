"""NPY: columns, fields of records, bfloat16, the headers of Python 2, and rows in every order."""

import contextlib
import gzip
from pathlib import Path

import numpy as np
import pytest

from losscalc import cli
from losscalc.errors import FormatError
from losscalc.inputs.address import open_array, parse_address
from losscalc.inputs.options import Reading
from tests.support.hostile import accept, archive, npy, refuse, saved
from tests.support.memory import little_memory
from tests.support.reading import read_address
from tests.support.tensors import entry, safetensors, storage, tensor, torch_file

MATRIX = np.arange(12.0).reshape(4, 3)
RECORDS = np.array(
    [(0.5, (1, 2), "a", True), (0.25, (3, 4), "b", False)],
    [("p", "<f4"), ("x y", "<i2", (2,)), ("name", "U3"), ("y", "?")],
)
CAST = "save it as numbers: numpy.save(FILE, array.astype(float))"
WAYS = ["npy", "npy.gz", "npz"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty current directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(array: object, way: str) -> str:
    """Save an array, and say where it is."""
    data = saved(array)
    packed = {"npy": bytes, "npy.gz": gzip.compress, "npz": lambda raw: archive(("a.npy", raw))}[way](data)
    Path(f"f.{way}").write_bytes(packed)
    return f"f.{way}"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("shape", [(0,), (0, 4), (3, 0), (2, 0, 3)])
def test_arrays_without_numbers(way, shape):
    """They have a shape all the same, and their file ends with the header."""
    assert read_address(write(np.zeros(shape), way)).shape == shape


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("way", ["npy", "npy.gz"])
@pytest.mark.parametrize("rows", [None, 1, 3])
@pytest.mark.parametrize(
    ("part", "columns"), [("2", 1), ("1-2", slice(2)), ("2-", slice(1, None)), ("3,1", [2, 0]), ("2-2", 1)]
)
def test_columns(order, way, rows, part, columns):
    """Columns are counted from 1, as in a table; one alone is a vector."""
    name = write(np.asarray(MATRIX, order=order), way)
    np.testing.assert_array_equal(read_address(f"{name}#{part}", rows), MATRIX[:, columns])


@pytest.mark.parametrize(
    ("part", "said"), [("4", "4"), ("0", "0"), ("2-4", "2-4"), ("p", "p"), ("", ""), ("-1", "-1")]
)
def test_no_such_column(capsys, part, said):
    """A column that is not there is refused, with those that are."""
    write(MATRIX, "npy")
    says = f"f.npy: there is no such column, found '{part}'"
    refuse(capsys, ["sigmoid", "-i", f"f.npy#{part}"], says, "columns are counted from 1 to 3")


@pytest.mark.parametrize("axes", [0, 1, 3])
def test_columns_of_no_matrix(capsys, axes):
    """Only a matrix has columns."""
    write(np.zeros((1,) * axes), "npy")
    says = f"f.npy: columns are taken of an array with two axes, and this has {axes}, found '1'"
    refuse(capsys, ["sigmoid", "-i", "f.npy#1"], says)


def test_place_in_a_column(capsys):
    """A value that does not fit is named by its place in the file."""
    from losscalc import cli

    write(np.array([[0.5, 0.5], [0.5, 1.5]]), "npy")
    assert cli.run(["bce", "-i", "f.npy#2", "-t", "0,1"]) == 4
    assert "f.npy[1, 1]: --input must be in [0, 1], found 1.5" in capsys.readouterr().err


@pytest.mark.parametrize("way", ["npy", "npy.gz"])
@pytest.mark.parametrize("rows", [None, 1])
@pytest.mark.parametrize("field", ["p", "x y", "y"])
def test_fields(way, rows, field):
    """A field of records is an array, with the axes that it has of its own."""
    found = read_address(f"{write(RECORDS, way)}#{field}", rows)
    assert found.dtype == RECORDS[field].dtype
    np.testing.assert_array_equal(found, RECORDS[field])


def test_fields_that_are_refused(capsys):
    """Records have to be named a field of, and one that holds numbers."""
    write(RECORDS, "npy")
    fields = "there are p, x y, name, y"
    refuse(
        capsys,
        ["sigmoid", "-i", "f.npy"],
        "f.npy: the array holds records of 4 fields",
        f"name one: #p ({fields})",
    )
    refuse(capsys, ["sigmoid", "-i", "f.npy#z"], "f.npy: there is no such array, found 'z'", fields)
    says = "f.npy#name: the array holds text, not real numbers of up to 64 bits, found 'dtype <U3'"
    refuse(
        capsys,
        ["sigmoid", "-i", "f.npy#name"],
        says,
        f"{CAST}; names of classes as CSV: numpy.savetxt(FILE, array.astype(str), '%s')",
        4,
    )


def test_one_field():
    """The only field need not be named."""
    np.testing.assert_array_equal(
        read_address(write(RECORDS[["p"]].astype([("p", "<f4")]), "npy")), RECORDS["p"]
    )


def test_aligned_records():
    """Bytes between fields are passed over."""
    array = np.zeros(3, np.dtype([("a", "u1"), ("b", "<f8")], align=True))
    array["b"] = [1, 2, 3]
    np.testing.assert_array_equal(read_address(f"{write(array, 'npy')}#b"), [1, 2, 3])


@pytest.mark.parametrize("shape", ["(4L,)", "(4L, )", "(2L, 2L)", "(2, 2L)"])
def test_python_2(capsys, shape):
    """Python 2 wrote whole numbers with an L."""
    Path("f.npy").write_bytes(npy(shape=shape))
    assert accept(capsys, ["l1", "-i", "f.npy", "-t", "f.npy"]) == "0.0\n"
    assert read_address("f.npy").sum() == 6


@pytest.mark.parametrize("way", WAYS)
def test_bfloat16(way):
    """What ml_dtypes saves as pairs of bytes are the upper halves of float32."""
    halves = np.array([0x3FC0, 0xC000, 0x7F80, 1], "<u2").view("V2")
    found = read_address(write(halves, way))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, np.float32([1.5, -2, np.inf, 2.0**-133]))


def test_names_that_end_like_members(capsys):
    """NumPy puts .npy behind every name; a part may have it or not, as long as one array is meant."""
    np.savez("f.npz", **{"x.npy": [1.0, 3.0], "y": [4.0, 4.0]})
    assert accept(capsys, ["l1", "-i", "f.npz#x.npy", "-t", "f.npz#y"]) == "2.0\n"
    assert accept(capsys, ["l1", "-i", "f.npz#y.npy", "-t", "0,0"]) == "4.0\n"
    np.savez("f.npz", **{"x.npy": [1.0], "x": [2.0]})
    assert accept(capsys, ["l1", "-i", "f.npz#x.npy", "-t", "f.npz#x"]) == "1.0\n"
    assert accept(capsys, ["l1", "-i", "f.npz#x.npy.npy", "-t", "0"]) == "1.0\n"


@pytest.mark.parametrize("shape", [(7, 300_000), (300_000, 7), (600, 700, 3)])
@pytest.mark.parametrize("way", ["npy", "npz"])
def test_columns_first(shape, way):
    """Large arrays in Fortran order are put in order, however long their columns are."""
    array = np.asfortranarray(np.random.default_rng(1).random(shape, np.float32))
    name = write(array, way)
    np.testing.assert_array_equal(read_address(name), array)
    np.testing.assert_array_equal(read_address(name, shape[0] // 2 + 1), array)


def test_a_column_in_little_memory(capsys):
    """A column of a large matrix is read in little memory."""
    Path("f.npy").write_bytes(npy("'<f4'", "(50000, 500)", bytes(100_000_000)))
    with little_memory(40_000_000):
        assert accept(capsys, ["l1", "-i", "f.npy#7", "-t", "f.npy#8"]) == "0.0\n"


def test_records_with_objects(capsys):
    """Records that hold pickles are refused."""
    Path("f.npy").write_bytes(npy("[('a', '<f8'), ('b', '|O')]"))
    says = "the array holds Python objects, not real numbers of up to 64 bits"
    found = "found 'dtype [('a', '<f8'), ('b', 'O')]'"
    refuse(capsys, ["sigmoid", "-i", "f.npy"], f"f.npy: {says}, {found}", code=4)


def cells(address: str) -> np.ndarray:
    """The cells at an address, as they are wanted beside an array."""
    reading = Reading(is_beside=True)
    with contextlib.closing(open_array(parse_address(address), "--by", reading)) as source:
        assert source.dtype == object
        return source.take(9).values


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.array(["cat", "", "d\u00e9j\u00e0"]), ["cat", "", "d\u00e9j\u00e0"]),
        (np.array(["cat", "dog"]).astype(">U3"), ["cat", "dog"]),
        (np.array(["cat", "d\u00e9j\u00e0".encode()], "S8"), ["cat", "d\u00e9j\u00e0"]),
        (np.array([0.5, 2], "f4"), [0.5, 2]),
        (np.array([1, 2], "u1"), [1, 2]),
        (np.array([2**53 + 1, 2]), ["9007199254740993", 2]),
        (np.array([-(2**63), 2**63 - 1]), ["-9223372036854775808", "9223372036854775807"]),
        (np.array([True, False]), ["True", "False"]),
    ],
)
def test_cells(way, array, expected):
    """Beside an array, texts are texts, and numbers are themselves to the last digit."""
    found = cells(write(array, way)).tolist()
    assert found == expected
    assert list(map(type, found)) == [str if isinstance(cell, str) else float for cell in expected]


def test_cells_of_columns_and_fields(capsys):
    """So are one column of a matrix of texts, and a field of records; as numbers they stay refused."""
    assert cells(f"{write(np.array([['a', 'b'], ['c', 'd']]), 'npy')}#2").tolist() == ["b", "d"]
    write(RECORDS, "npy")
    assert cells("f.npy#name").tolist() == ["a", "b"]
    assert cells("f.npy#p").tolist() == [0.5, 0.25]
    with contextlib.closing(open_array(parse_address("f.npy#p"), "--by", Reading())) as source:
        assert source.beside == ["p", "x y", "name", "y"]
    says = "f.npy#name: the array holds text, not real numbers of up to 64 bits, found 'dtype <U3'"
    hint = f"{CAST}; names of classes as CSV: numpy.savetxt(FILE, array.astype(str), '%s')"
    refuse(capsys, ["sigmoid", "-i", "f.npy#name"], says, hint, 4)


@pytest.mark.parametrize(
    "data",
    [
        npy("'<U1'", "(2,)", b"\xff\xff\xff\x7fa\0\0\0"),
        npy("'|S2'", "(2,)", b"\xff\xfeab"),
    ],
)
def test_cells_that_are_no_text(data):
    """What no character is, is refused."""
    Path("f.npy").write_bytes(data)
    with pytest.raises(FormatError, match=r"^f\.npy: a text is none, or not in UTF-8$"):
        cells("f.npy")


NUMBERS = np.array([[1.0, 2.0], [np.nan, 2.0], [3.0, 4.0], [5.0, np.nan]])


def as_torch(array: np.ndarray) -> bytes:
    """A file of torch.save."""
    shape, strides = array.shape, tuple(s // array.itemsize for s in array.strides)
    described = tensor(storage(kind="DoubleStorage", count=array.size), shape=shape, strides=strides)
    return torch_file(described, {"data/0": array.tobytes()})


def as_safetensors(array: np.ndarray) -> bytes:
    """A file of safetensors."""
    return safetensors({"a": entry("F64", array.shape, (0, array.nbytes))}, array.tobytes())


@pytest.mark.parametrize(
    "make", [saved, lambda array: archive(("a.npy", saved(array))), as_safetensors, as_torch]
)
@pytest.mark.parametrize("is_packed", [False, True])
def test_nan_is_missing(capsys, make, is_packed):
    """Rows with NaN are left out where that is asked for, and nowhere else: by hand, 1 + 2 + 3 + 4."""
    data = make(NUMBERS)
    Path("f.gz" if is_packed else "f").write_bytes(gzip.compress(data) if is_packed else data)
    name = "f.gz" if is_packed else "f"
    arguments = ["l1", "-i", name, "-t", "[[0,0],[0,0],[0,0],[0,0]]", "-r", "sum"]
    assert cli.run([*arguments, "--na", "drop"]) == 0
    output, error = capsys.readouterr()
    assert (float(output), error) == (10, "losscalc: warning: left out 2 rows with a missing number\n")
    assert cli.run([*arguments, "-q"]) == 0
    assert capsys.readouterr().out == "nan\n"


def test_nan_in_whole_numbers(capsys):
    """Whole numbers and truth values have none."""
    write(np.array([1, 2]), "npy")
    assert accept(capsys, ["l1", "-i", "f.npy", "-t", "f.npy", "--na", "drop"]) == "0.0\n"


def test_nan_where_rows_are_no_samples(capsys):
    """A weight of a class cannot be left out."""
    write(np.array([1.0, np.nan]), "npy")
    arguments = ["cross-entropy", "-i", "[[1,2],[3,4]]", "-t", "0,1", "--weight", "f.npy", "--na", "drop"]
    says = "f.npy[1]: a row cannot be left out here, where rows are not samples"
    refuse(capsys, arguments, says, "fill the empty cell in", 4)
