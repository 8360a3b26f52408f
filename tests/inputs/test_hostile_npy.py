"""Hostile binary files: NPY, NPZ and compressed ones that are refused without harm, or read right."""

# ruff: noqa: E501 - a row of a table is a line

import bz2
import gzip
import io
import json
import lzma
import pickle
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from losscalc import cli
from tests.support.hostile import (
    NUMBERS,
    Refusal,
    accept,
    archive,
    changed,
    in_directory,
    npy,
    refuse,
    refuse_file,
    saved,
)
from tests.support.memory import little_memory

FORMATS = "name its format, as in --from csv"
# The header ends on a second line of blanks; NumPy refuses it, too.
TWO_LINES = npy().replace(b"\n", b" ").replace(b"}  ", b"}\r ")
DICTIONARY = "the NPY header is not a Python dictionary"
KEYS = "the NPY header must hold descr, fortran_order and shape, once each"
REAL = "the array holds {}, not real numbers of up to 64 bits"
RECORDS, FIELDS = "the array holds records of 2 fields", "name one: #f0 (there are f0, f1)"
CAST = "save it as numbers: numpy.save(FILE, array.astype(float))"
NAMES = f"{CAST}; names of classes as CSV: numpy.savetxt(FILE, array.astype(str), '%s')"
CUT = "the NPY header is cut short or of an unknown version"
PACKERS = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty current directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Touch:
    """A pickle that leaves a file behind when it is loaded."""

    def __reduce__(self):
        """What unpickling would run."""
        return open, ("PWNED", "w")


def table(*cases: tuple[str, Refusal]):
    """Named cases as parameters of a test."""
    return pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in cases])


def bad_shape(shape: str) -> str:
    """What is said of a shape, as messages show it."""
    cut = shape if len(shape) <= 40 else shape[:39] + "…"
    return f"the NPY header holds a bad shape, found '{cut}'"


SHAPES = [
    *("(-4,)", "(True, 4)", "(4.0,)", "[4]", "4", "None", "('4',)"),
    *(f"({10**30},)", f"({2**62},)", f"({2**40}, {2**40})", f"(0, {2**61}, {2**61})"),
    f"({', '.join(['1'] * 65)})",
    f"({10**4000}, {10**4000})",
]


@table(
    # the beginning
    ("empty", Refusal(b"", "", "no data")),
    ("one byte", Refusal(b"\x93", "", "not an NPY file", FORMATS)),
    ("text", Refusal(b"1,2\n", "", "not an NPY file", FORMATS)),
    ("magic alone", Refusal(b"\x93NUMPY", "", CUT)),
    ("version 0", Refusal(npy(version=0), "", CUT)),
    ("version 4", Refusal(npy(version=4), "", CUT)),
    ("no length", Refusal(b"\x93NUMPY\x01\x00v", "", "the NPY header is cut short")),
    ("cut header", Refusal(npy()[:60], "", "the NPY header claims 118 bytes, but 50 are left")),
    ("header of 9,999 bytes", Refusal(npy(claimed=9999), "", "the NPY header claims 9999 bytes, but 150 are left")),
    ("header of 4 GiB", Refusal(npy(version=2, claimed=2**32 - 1), "", "the NPY header claims 4294967295 bytes; 10000 are the most it may have")),
    ("20 kB of header", Refusal(npy(header=" " * 20000), "", "the NPY header claims 20022 bytes; 10000 are the most it may have")),
    # the header
    ("blank header", Refusal(npy(header=" "), "", DICTIONARY)),
    ("blanks on a second line", Refusal(TWO_LINES, "", DICTIONARY)),
    ("a call", Refusal(npy(descr="open('PWNED', 'w')"), "", DICTIONARY)),
    ("an expression", Refusal(npy(shape="(1,)*4"), "", DICTIONARY)),
    ("NUL", Refusal(npy(header="{\0}"), "", DICTIONARY)),
    ("not UTF-8", Refusal(npy(header="{\xff}", version=3), "", DICTIONARY)),
    ("open brackets", Refusal(npy(header="(" * 5000), "", DICTIONARY)),
    ("minus signs", Refusal(npy(header="-" * 5000 + "1"), "", DICTIONARY)),
    ("spread", Refusal(npy(header="{**{}}"), "", DICTIONARY)),
    ("unhashable key", Refusal(npy(header="{[]: 1}"), "", DICTIONARY)),
    ("whole number of 9,000 digits", Refusal(npy(shape=f"({'9' * 9000},)"), "", DICTIONARY)),
    ("hexadecimal number of 9,000 digits", Refusal(npy(shape=f"(0x{'f' * 9000},)"), "", DICTIONARY)),
    ("a list", Refusal(npy(header="[1, 2]"), "", KEYS)),
    ("twice a key", Refusal(npy(header="{'descr':'<f8','fortran_order':False,'shape':(4,),'shape':(2,)}"), "", KEYS)),
    ("one key more", Refusal(npy(header="{'descr':'<f8','fortran_order':False,'shape':(4,),'x':1}"), "", KEYS)),
    ("one key less", Refusal(npy(header="{'descr':'<f8','shape':(4,)}"), "", KEYS)),
    ("order 1", Refusal(npy(fortran="1"), "", "the NPY header holds a bad fortran_order, found '1'")),
    ("order None", Refusal(npy(fortran="None"), "", "the NPY header holds a bad fortran_order, found 'None'")),
    *((f"shape {shape[:20]}", Refusal(npy(shape=shape), "", bad_shape(shape))) for shape in SHAPES),
    ("no columns", Refusal(npy(shape=f"(0, {10**18})", data=b""), "", "the NPY header holds a bad shape, found '(0, 1000000000000000000)'")),
    # the size
    ("cut short", Refusal(npy()[:-3], "", "the header promises 32 bytes of numbers, but 29 are there")),
    ("one byte more", Refusal(npy() + b"x", "", "the header promises 32 bytes of numbers, but 33 are there")),
    ("two arrays", Refusal(npy() * 2, "", "the header promises 32 bytes of numbers, but 192 are there")),
    ("8 TB", Refusal(npy(shape=f"({10**12},)"), "", "the header promises 8000000000000 bytes of numbers, but 32 are there")),
    # the dtype
    ("object", Refusal(saved([1, None]), "", f"{REAL.format('Python objects')}, found 'dtype object'", CAST, code=4)),
    ("object with a pickle", Refusal(npy(descr="'|O'", data=pickle.dumps(Touch())), "", f"{REAL.format('Python objects')}, found 'dtype object'", CAST, code=4)),
    ("complex", Refusal(saved([1 + 2j]), "", f"{REAL.format('complex numbers')}, found 'dtype complex128'", code=4)),
    ("text", Refusal(saved(["a"]), "", f"{REAL.format('text')}, found 'dtype <U1'", NAMES, code=4)),
    ("bytes", Refusal(saved([b"a"]), "", f"{REAL.format('bytes of text')}, found 'dtype |S1'", NAMES, code=4)),
    ("dates", Refusal(saved(np.array(["2020"], "M8[s]")), "", f"{REAL.format('dates')}, found 'dtype datetime64[s]'", code=4)),
    ("V0", Refusal(npy(descr="'|V0'", shape=f"({10**12},)"), "", f"{REAL.format('raw bytes')}, found 'dtype |V0'", code=4)),
    ("S0", Refusal(npy(descr="'|S0'", shape=f"({10**12},)"), "", f"{REAL.format('bytes of text')}, found 'dtype |S0'", NAMES, code=4)),
    ("records", Refusal(saved(np.zeros(2, "f8,f8")), "", RECORDS, FIELDS)),
    ("records in a string", Refusal(npy(descr="'f8,f8'"), "", RECORDS, FIELDS)),
    ("arrays in an array", Refusal(npy(descr="'(2,)f8'"), "", "the NPY header holds a bad descr, found '(2,)f8'")),
    ("no such dtype", Refusal(npy(descr="'<q9'"), "", "the NPY header holds a bad descr, found '<q9'")),
    ("huge dtype", Refusal(npy(descr="'f99999999999999999999'"), "", "the NPY header holds a bad descr, found 'f99999999999999999999'")),
    ("empty dtype", Refusal(npy(descr="''"), "", "the NPY header holds a bad descr, found ''")),
    ("no dtype", Refusal(npy(descr="None"), "", "the NPY header holds a bad descr, found 'None'")),
    ("escapes for a dtype", Refusal(npy(descr=r"'\x1b[31m\n'"), "", r"the NPY header holds a bad descr, found '\x1b[31m\n'")),
    ("no truth value", Refusal(npy(descr="'|b1'", data=b"\0\1\xff\1"), "", "a byte is neither true nor false, found 255", options=("-t", "1,1,1,1"))),
    ("a part", Refusal(npy(), "", "columns are taken of an array with two axes, and this has 1, found 'a'", part="#a")),
)  # fmt: skip
def test_hostile_npy(capsys, case):
    """A hostile NPY file is refused before anything is allocated, run or unpickled for it."""
    command = ("l1", "-t", "1,2,3,4", "-i") if not case.options else ("bce-logits", "-i", "1,1,1,1", "-t")
    with little_memory():
        refuse_file(capsys, "f.npy", case._replace(options=()), command)


@pytest.mark.skipif(np.dtype(np.longdouble).itemsize <= 8, reason="no wider floats on this machine")
def test_wider_floats(capsys):
    """Floats of more than 64 bits mean something else on another machine."""
    wide = np.ones(2, np.longdouble)
    refuse_file(
        capsys,
        "f.npy",
        Refusal(
            saved(wide),
            "",
            f"{REAL.format('numbers of more than 64 bits')}, found 'dtype {wide.dtype}'",
            CAST,
            code=4,
        ),
    )


PROMISED = "the header promises {} bytes of numbers, but {} are there"

SEQUENTIAL = [
    ("empty", b"", "no data", None),
    ("cut short", npy()[:-3], PROMISED.format(32, 29), None),
    ("nothing", npy(data=b""), PROMISED.format(32, 0), None),
    ("one byte more", npy() + b"x", "more bytes follow than the header promises", None),
    ("two arrays", npy() * 2, "more bytes follow than the header promises", None),
    ("8 TB", npy(shape=f"({10**12},)"), PROMISED.format(8 * 10**12, 32), None),
    ("8 TB in a row", npy(shape=f"(1, {10**12})"), PROMISED.format(8 * 10**12, 32), None),
    ("8 TB of columns", npy(shape=f"({10**12}, 1)", fortran="True"), PROMISED.format(8 * 10**12, 32), None),
    ("a bad shape", npy(shape=f"({10**30},)"), bad_shape(f"({10**30},)"), None),
    ("columns cut short", npy(shape="(2, 2)", fortran="True")[:-1], PROMISED.format(32, 31), None),
    ("a number and more", npy(shape="()"), "more bytes follow than the header promises", None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "data", "says", "hint"), SEQUENTIAL, ids=[row[0] for row in SEQUENTIAL])
@pytest.mark.parametrize("way", ["stdin", *PACKERS])
def test_hostile_npy_of_unknown_size(capsys, monkeypatch, folder, way, name, data, says, hint):
    """Where the size is not known beforehand, the end tells, and a promise costs no memory."""
    if way == "stdin":
        stdin = SimpleNamespace(buffer=io.BytesIO(data), isatty=lambda: False)
        monkeypatch.setattr("sys.stdin", stdin)
        with little_memory():
            refuse(capsys, ["sigmoid", "-i", "-", "--from", "npy"], f"stdin: {says}", hint)
        return
    case = Refusal(PACKERS[way](data), "", says, hint)
    with little_memory():
        refuse_file(capsys, f"f.npy.{way}", case)


@pytest.mark.slow
@pytest.mark.parametrize(
    "array",
    [
        np.array(2.5),
        np.array([[1.0, 2.0], [3.0, 4.0]]).astype(">f8"),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.asfortranarray(np.arange(24.0).reshape(2, 3, 4)),
        np.asfortranarray(np.arange(200_000.0).reshape(50_000, 4)),
        np.array([1, 2], "u1"),
        np.array([2**62, -(2**62)]),
        np.array([2**64 - 1], "u8"),
        np.array([0.1, 6e-8], "f2"),
        np.array([0.1, 3e38], "f4"),
        np.arange(2.0).reshape((1,) * 63 + (2,)),
    ],
    ids=lambda array: f"{array.dtype.str}{array.shape if array.ndim < 5 else 64}",
)
@pytest.mark.parametrize("way", ["npy", "npz", "npy.gz", "npz.xz", "stdin"])
def test_odd_but_right_npy(capsys, monkeypatch, folder, way, array):
    """Every real dtype, byte order, memory order and number of axes is read, from wherever it comes."""
    data = archive(("a.npy", saved(array))) if "npz" in way else saved(array)
    name = "-" if way == "stdin" else f"f.{way}"
    if name == "-":
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(data), isatty=lambda: False))
    else:
        (folder / name).write_bytes(PACKERS.get(way.rpartition(".")[2], bytes)(data))
    np.save(folder / "zero.npy", np.zeros(array.shape))
    options = ["-r", "none", "--dtype", "float64", "-o", "out.npy"]
    accept(capsys, ["l1", "-i", name, "-t", "zero.npy", *options])
    np.testing.assert_array_equal(np.load(folder / "out.npy"), np.abs(array.astype(float)))


@pytest.mark.parametrize("version", [1, 2, 3])
def test_versions(capsys, folder, version):
    """All three versions of the header are read."""
    (folder / "f.npy").write_bytes(npy(version=version))
    assert accept(capsys, ["l1", "-i", "f.npy", "-t", "0,0,0,0", "-r", "sum"]) == "6.0\n"


ONE = archive(("a.npy", npy()), compression=zipfile.ZIP_STORED)
TWO = archive(("a.npy", npy()), ("b.npy", npy()))
PACKED = archive(("a.npy", npy(shape="(4000,)", data=NUMBERS * 1000)))


@table(
    ("empty", Refusal(b"", "", "no data")),
    ("text", Refusal(b"1,2\n", "", "damaged archive (File is not a zip file)")),
    ("cut short", Refusal(ONE[:-10], "", "damaged archive (File is not a zip file)")),
    ("beginning alone", Refusal(ONE[:60], "", "damaged archive (File is not a zip file)")),
    ("no members", Refusal(archive(), "", "the archive holds 0 arrays")),
    ("many members", Refusal(archive(*((f"{i}.npy", b"") for i in range(1001))), "", "the archive holds 1001 arrays; 1000 are the most that are looked through")),
    ("two members", Refusal(TWO, "", "the archive holds 2 arrays", "name one: #a (there are a, b)")),
    ("names with escapes", Refusal(archive(("\x1b[31m\n.npy", npy()), ("b.npy", npy())), "", "the archive holds 2 arrays", r"name one: $'#\x1b[31m\n' (there are \x1b[31m\n, b)")),
    ("no such member", Refusal(TWO, "", "there is no such array, found 'c'", "there are a, b", part="#c")),
    ("empty part", Refusal(TWO, "", "there is no such array, found ''", "there are a, b", part="#")),
    ("twice a member", Refusal(archive(("a.npy", npy()), ("a.npy", npy())), "", "a member is there twice, found 'a'", part="#a")),
    ("twice a name", Refusal(archive(("a.npy", npy()), ("a", npy())), "", "a member is there twice, found 'a'")),
    ("a picture", Refusal(archive(("a.png", b"hello")), "", "the member is not an array, found 'a.png'")),
    ("a text by name", Refusal(archive(("a.npy", npy()), ("b.txt", b"")), "", "the member is not an array, found 'b.txt'", part="#b.txt")),
    ("a folder", Refusal(archive(("a/", b"")), "", "the member is not an array, found 'a/'")),
    ("an archive", Refusal(archive(("a.npz", ONE)), "", "the member is not an array, found 'a.npz'")),
    ("text for an array", Refusal(archive(("a.npy", b"1,2\n")), "#a", "not an NPY file")),
    ("nothing for an array", Refusal(archive(("a.npy", b"")), "#a", "no data")),
    ("a path for a name", Refusal(archive(("../a.npy", npy()[:-3])), "#../a", "the header promises 32 bytes of numbers, but 29 are there")),
    ("an object array", Refusal(archive(("a.npy", saved([Touch()]))), "#a", f"{REAL.format('Python objects')}, found 'dtype object'", CAST, code=4)),
    ("array cut short", Refusal(archive(("a.npy", npy()[:-3])), "#a", "the header promises 32 bytes of numbers, but 29 are there")),
    ("two arrays in one", Refusal(archive(("a.npy", npy() * 2)), "#a", "the header promises 32 bytes of numbers, but 192 are there")),
    ("checksum", Refusal(changed(ONE, ONE.index(NUMBERS) + 9), "", "damaged archive (Bad CRC-32 for file 'a.npy')")),
    ("encrypted", Refusal(in_directory(ONE, 6, 1), "", "the member is encrypted")),
    ("unknown compression", Refusal(in_directory(ONE, 8, 99), "", "damaged archive (That compression method is not supported)")),
)  # fmt: skip
def test_hostile_npz(capsys, case):
    """A hostile archive is refused, and its members are named without raw control characters."""
    refuse_file(capsys, "f.npz", case)


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damaged_members(capsys, folder, compression):
    """Wherever a packed member is damaged, the file is refused, or it is read right all the same."""
    array = np.random.default_rng(1).random(300)
    data = archive(("a.npy", saved(array)), compression=compression)
    np.save(folder / "right.npy", array)
    for position in range(0, len(data), 23):
        (folder / "f.npz").write_bytes(changed(data, position))
        code = cli.run(["l1", "-i", "f.npz", "-t", "right.npy", "-r", "sum"])
        output, error = capsys.readouterr()
        assert code == 3 or (code, output) == (0, "0.0\n"), (position, error)
        assert code == 0 or error.startswith("losscalc: error: f.npz"), position


@pytest.mark.slow
def test_archive_larger_than_memory_allowed(capsys, folder):
    """An archive that unpacks to a hundred megabytes is read in little memory."""
    (folder / "f.npz").write_bytes(archive(("a.npy", npy(shape="(12500000,)", data=bytes(10**8)))))
    with little_memory():
        assert accept(capsys, ["l1", "-i", "f.npz", "-t", "f.npz", "-r", "sum", "--threads", "1"]) == "0.0\n"


TEXT = b"1\n2\n3\n" * 1000
ENDED = "Compressed file ended before the end-of-stream marker was reached"


@pytest.mark.parametrize("suffix", PACKERS)
def test_hostile_packed(capsys, folder, suffix):
    """Compressed data that is cut, damaged or not compressed at all is refused."""
    data = PACKERS[suffix](TEXT)
    name = f"f.csv.{suffix}"
    for cut in (3, 20, len(data) // 2, len(data) - 1):
        refuse_file(capsys, name, Refusal(data[:cut], "", f"damaged compressed data ({ENDED})"))
    for damaged in (TEXT, changed(data, len(data) // 2), changed(data, 0), changed(data, len(data) - 9)):
        (folder / name).write_bytes(damaged)
        assert cli.run(["sigmoid", "-i", name]) == 3
        output, error = capsys.readouterr()
        assert output == ""
        assert error.startswith(f"losscalc: error: {name}: damaged ")
        assert error.replace("\n", "").isprintable()


@pytest.mark.parametrize("suffix", PACKERS)
def test_packed_in_parts(capsys, folder, suffix):
    """Compressed files that were joined are one text; nothing compressed is no data or damaged."""
    pack = PACKERS[suffix]
    (folder / f"f.csv.{suffix}").write_bytes(pack(b"1\n2\n") + pack(b"3\n"))
    assert accept(capsys, ["l1", "-i", f"f.csv.{suffix}", "-t", "0,0,0", "-r", "sum"]) == "6.0\n"
    refuse_file(capsys, f"e.csv.{suffix}", Refusal(pack(b""), "", "no data"))
    refuse_file(
        capsys,
        f"g.csv.{suffix}",
        Refusal(b"", "", "no data" if suffix == "gz" else f"damaged compressed data ({ENDED})"),
    )


@pytest.mark.parametrize("suffix", PACKERS)
@pytest.mark.parametrize(
    "behind", [b"x", b"\xff" * 70_000, b"not a stream"], ids=["a byte", "many bytes", "words"]
)
def test_bytes_behind_a_stream(capsys, folder, suffix, behind):
    """What follows a compressed stream is another one, or the file is damaged."""
    pack = PACKERS[suffix]
    damaged = pack(b"3\n4\n")
    for data in (pack(b"1\n2\n") + behind, pack(b"1\n2\n") + behind + damaged):
        (folder / f"f.csv.{suffix}").write_bytes(data)
        assert cli.run(["sigmoid", "-i", f"f.csv.{suffix}"]) == 3
        output, error = capsys.readouterr()
        assert output == ""
        assert error.startswith(f"losscalc: error: f.csv.{suffix}: damaged ")


@pytest.mark.parametrize(("name", "data"), [("f.gz", gzip.compress(npy(), mtime=0)), ("f.bz2", bz2.compress(ONE)), ("f.xz", lzma.compress(json.dumps([0.0, 1.0, 2.0, 3.0]).encode()))])  # fmt: skip
def test_packed_without_a_suffix_of_its_own(capsys, folder, name, data):
    """A file that names only its compression is known by its first bytes."""
    (folder / name).write_bytes(data)
    assert accept(capsys, ["l1", "-i", name, "-t", "0,0,0,0", "-r", "sum"]) == "6.0\n"


def test_a_pickle_for_an_array(capsys):
    """A pickle is recognised, and not loaded."""
    Path("f.npy").write_bytes(pickle.dumps(Touch()))
    for options, says in (
        ((), "is a pickle, which losscalc does not read"),
        (("--from", "npy"), "not an NPY file"),
    ):
        assert cli.run(["sigmoid", "-i", "f.npy", *options]) == 3
        assert f"f.npy: {says}" in capsys.readouterr().err
    assert not Path("PWNED").exists()


def test_an_array_called_an_archive(capsys, folder):
    """What a file begins with tells more than its name."""
    (folder / "f.npz").write_bytes(npy())
    (folder / "g.npy").write_bytes(ONE)
    (folder / "h.csv").write_bytes(npy())
    for name in ("f.npz", "g.npy", "h.csv"):
        assert accept(capsys, ["l1", "-i", name, "-t", "0,0,0,0", "-r", "sum"]) == "6.0\n"


def test_two_arrays_of_one_archive(capsys, folder):
    """Two arrays may come from one archive."""
    (folder / "f.npz").write_bytes(TWO)
    assert accept(capsys, ["l1", "-i", "f.npz#a", "-t", "f.npz#b.npy"]) == "0.0\n"
