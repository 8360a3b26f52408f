"""NPY: columns, fields of records, bfloat16, the headers of Python 2, and rows in every order."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from tests.support.hostile import accept, archive, npy, refuse, saved
from tests.support.memory import little_memory
from tests.support.reading import read_address

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
