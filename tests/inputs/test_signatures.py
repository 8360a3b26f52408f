"""Files that are recognised and not read: each is named, and its line converts it."""

import io
import pickle
import re
import shlex
import subprocess
import sys
import warnings
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

from losscalc import cli
from losscalc.inputs.signatures import foreign_file, known_format
from tests.support.hostile import accept, archive, npy

pytestmark = pytest.mark.slow

HDF5 = b"\x89HDF\r\n\x1a\n" + bytes(100)
STARTS = {
    "an HDF5 file": [HDF5, bytes(512) + HDF5],
    "a MATLAB file of version 7.3": [b"MATLAB 7.3 MAT-file, Platform".ljust(512) + HDF5],
    "a MATLAB file": [b"MATLAB 5.0 MAT-file, Platform".ljust(128) + bytes(100)],
    "a Feather file of version 1": [b"FEA1\0\0\0\0"],
    "a ZIP archive of tables": [
        archive(("a.csv", b"1\n"), ("__MACOSX/._a.csv", b"")),
        archive(("x/A.JSON", b"")),
    ],
    "a pickle": [*(pickle.dumps([0.5, {"a": 1}], protocol) for protocol in (2, 3, 4, 5)), b"(lp0\nF0.5\na."],
    "a pickle of pandas": [
        b"\x80\x02cpandas\nDataFrame\nq\0)\x81q\1}",
        b"\x80\x03cpandas.core.frame\nDataFrame\nq\0)\x81q\1}",
        b"\x80\x04\x95\xbb\x03\0\0\0\0\0\0\x8c\x11pandas.core.frame\x94\x8c\tDataFrame\x94\x93",
        b"\x80\x05\x95.\x02\0\0\0\0\0\0\x8c\x06pandas\x94\x8c\x06Series\x94\x93",
    ],
    "a pandas table in a joblib file": [
        b"\x80\x04\x95V\1\0\0\0\0\0\0\x8c\x06pandas\x94\x8c\tDataFrame\x94\x93".ljust(300)
        + b"\x8c\x13joblib.numpy_pickle\x94\x8c\x11NumpyArrayWrapper\x94",
    ],
    "a file of joblib": [
        b"\x80\x04\x95\xad\0\0\0\0\0\0\0\x8c\x13joblib.numpy_pickle\x94\x8c\x11NumpyArrayWrapper\x94",
        *(zlib.compress(pickle.dumps([0.5]), level) for level in (1, 3, 9)),
    ],
    "a torch.save file from before PyTorch 1.6": [
        pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2),
        pickle.dumps(0x1950A86A20F9469CFC6C, 4) + pickle.dumps(1001, 4),
    ],
    "a TorchScript program": [archive(("m/data.pkl", b""), ("m/constants.pkl", b""), ("m/version", b"3\n"))],
    "compressed by zstd": [b"\x28\xb5\x2f\xfd\x04\x58\x31\x00\x00"],
    "what Git LFS leaves in place of a file": [
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n"
    ],
}  # fmt: skip


OPENED = {
    "parquet": [b"PAR1\x15\x04\x15\x06", b"PARE\x15\x04\x15\x06"],
    "arrow": [b"ARROW1\0\0\xff\xff\xff\xff", b"\xff\xff\xff\xff\x68\1\0\0\x10\0\0\0\0\0\x0a\0"],
    "excel": [
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(20),
        archive(("[Content_Types].xml", b""), ("xl/workbook.xml", b"")),
        archive(("mimetype", b""), ("content.xml", b"")),
    ],
}  # fmt: skip
"""The formats of the extras, which are opened with them, and else lead to the line that installs them."""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty current directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def hint(capsys, path: str) -> str:
    """The line that is said to convert a file."""
    assert cli.run(["sigmoid", "-i", path]) == 3
    (line,) = re.findall(r"^  hint: .*?: (.*)$", capsys.readouterr().err, re.MULTILINE)
    return line


@pytest.mark.parametrize(
    ("kind", "data"), [(kind, data) for kind, starts in STARTS.items() for data in starts]
)
@pytest.mark.parametrize("suffix", ["csv", "npy", "json", "txt", "unheard-of", "csv.gz"])
def test_kinds(capsys, kind, data, suffix):
    """A file is recognised by what is in it, whatever it is called, and compressed as well."""
    import gzip

    Path(f"f.{suffix}").write_bytes(gzip.compress(data) if suffix.endswith("gz") else data)
    assert cli.run(["sigmoid", "-i", f"f.{suffix}"]) == 3
    output, error = capsys.readouterr()
    assert output == ""
    message, line = error.splitlines()
    assert message == f"losscalc: error: f.{suffix}: is {kind}, which losscalc does not read"
    assert f"f.{suffix}" in line or line.endswith(" .")


@pytest.mark.parametrize(
    "text",
    [
        b"PAR1,PAR2\n1,2\n", b"MATLAB,5.0\n1,2\n", b"ORC\n1\n", b"version\n1\n", b"x,y\n1,2\n",
        b"x^,y\n1,2\n", b"x\n1\n", b"ARROW1\n1\n", b"(a)\n1\n", "\u20ac,b\n1,2\n".encode(),
        b"\xef\xbb\xbfa\n1\n", b"collections\n1\n", b"", b"1", b"\x0b\0\0\0\0\0\0\0[", b"12345678{}",
    ],
)  # fmt: skip
def test_texts_are_no_kind(text):
    """Text that begins like a signature is text."""
    assert foreign_file(text) is None
    assert known_format(text) is None


@pytest.mark.parametrize(
    ("kind", "data"), [(kind, data) for kind, starts in OPENED.items() for data in starts]
)
@pytest.mark.parametrize("suffix", ["csv", "npy", "json", "parquet", "xlsx", "unheard-of", "csv.gz"])
@pytest.mark.parametrize("is_installed", [True, False])
def test_formats_of_extras(capsys, monkeypatch, kind, data, suffix, is_installed):
    """They are recognised by what is in them, too, and nothing but the extra is asked for."""
    import gzip

    if not is_installed:
        monkeypatch.setitem(sys.modules, "pyarrow", None)
        monkeypatch.setitem(sys.modules, "python_calamine", None)
    Path(f"f.{suffix}").write_bytes(gzip.compress(data) if suffix.endswith("gz") else data)
    assert cli.run(["sigmoid", "-i", f"f.{suffix}"]) == (3 if is_installed else 2)
    output, error = capsys.readouterr()
    assert output == ""
    message, *hint = error.splitlines()
    assert message.startswith(f"losscalc: error: f.{suffix}: ")
    if not is_installed:
        reader, extra = ("python-calamine", "excel") if kind == "excel" else ("pyarrow", "arrow")
        assert f"read by {reader}, which is not installed" in message
        assert hint == [f"  hint: pip install 'losscalc[{extra}]'"]


def test_tables_that_begin_like_a_kind(capsys):
    """And is read as such."""
    Path("f.csv").write_bytes(b"PAR1,PAR2\n1,2\n")
    assert accept(capsys, ["l1", "-i", "f.csv#PAR2", "-t", "0"]) == "2.0\n"


def test_said_otherwise(capsys):
    """The user has the last word."""
    Path("f.dat").write_bytes(b"version https://git-lfs.github.com/spec/v1\n1\n")
    assert accept(capsys, ["l1", "-i", "f.dat", "-t", "0", "--from", "csv", "--skip-rows", "1"]) == "1.0\n"


def test_from_a_pipe(capsys, monkeypatch):
    """Standard input is recognised, too."""
    from types import SimpleNamespace

    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(HDF5), isatty=lambda: False))
    assert cli.run(["sigmoid", "-i", "-"]) == 3
    assert "stdin: is an HDF5 file" in capsys.readouterr().err


ARRAY = np.array([0.5, 0.25, 0.75])


def as_pickle(path: str) -> None:
    """A pickle of an array."""
    Path(path).write_bytes(pickle.dumps(ARRAY))


def as_pickled_dict(path: str) -> None:
    """A pickle of a dict."""
    Path(path).write_bytes(pickle.dumps({"logits": ARRAY}))


def as_joblib(path: str) -> None:
    """A file of joblib."""
    pytest.importorskip("joblib").dump(ARRAY, path)


def as_packed_joblib(path: str) -> None:
    """A compressed file of joblib."""
    pytest.importorskip("joblib").dump(ARRAY, path, compress=3)


def as_matlab(path: str) -> None:
    """A file of MATLAB."""
    pytest.importorskip("scipy.io").savemat(path, {"logits": ARRAY}, appendmat=False)


def as_hdf5(path: str) -> None:
    """A file of HDF5, with its array in a group."""
    with pytest.importorskip("h5py").File(path, "w") as file:
        file["a/logits"] = ARRAY


def as_old_feather(path: str) -> None:
    """A Feather file of version 1, as far as pyarrow still writes and reads them."""
    feather = pytest.importorskip("pyarrow.feather")
    table = pytest.importorskip("pyarrow").table({"p": ARRAY})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            feather.write_feather(table, path, version=1)
    except ValueError:
        pytest.skip("pyarrow no longer writes them")


def as_old_torch(path: str) -> None:
    """A file of torch.save as it was before PyTorch 1.6."""
    torch = pytest.importorskip("torch")
    torch.save(torch.tensor(ARRAY), path, _use_new_zipfile_serialization=False)


@pytest.mark.parametrize(
    "maker",
    [
        as_pickle, as_pickled_dict, as_joblib, as_packed_joblib, as_matlab, as_hdf5, as_old_feather,
        pytest.param(as_old_torch, marks=pytest.mark.parity),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["f.x", "it's $5.x"])
def test_lines_convert(capsys, folder, maker, name):
    """The line that is said to convert a file does so, whatever the file is called."""
    maker(name)
    line = hint(capsys, name)
    assert shlex.split(line)[0] == "python"
    line = line.replace("python", shlex.quote(sys.executable), 1)
    subprocess.run(["sh", "-c", line], check=True, timeout=120)
    (made,) = (path.name for path in folder.iterdir() if path.name != name)
    assert accept(capsys, ["l1", "-i", made, "-t", "0.5,0.25,0.75"]) == "0.0\n"


@pytest.mark.parametrize("module", ["pickle", "joblib"])
@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_a_table_of_pandas_keeps_its_names(capsys, module, protocol):
    """Or its labels would be one more number of each row."""
    frame = pytest.importorskip("pandas").DataFrame({"p": ARRAY, "label": [1, 0, 1]}, index=[7, 8, 9])
    with open("f.pkl", "wb") as file:
        pytest.importorskip(module).dump(frame, file, protocol=protocol)
    line = hint(capsys, "f.pkl").replace("python", shlex.quote(sys.executable), 1)
    subprocess.run(["sh", "-c", line], check=True, timeout=60)
    assert accept(capsys, ["l1", "-i", "f.pkl.csv#p", "-t", "0.5,0.25,0.75"]) == "0.0\n"
    assert cli.run(["bce", "-i", "f.pkl.csv", "-t", "f.pkl.csv#label"]) == 3
    assert "column 2 (label) is the array of --target" in capsys.readouterr().err


def test_a_table_of_pandas_among_others(capsys):
    """A dict that begins with one is a dict."""
    Path("f.pkl").write_bytes(
        b"\x80\x04\x95\xc2\x03\0\0\0\0\0\0}\x94\x8c\x01a\x94\x8c\x06pandas\x94\x8c\tDataFrame"
    )
    assert "numpy.savez" in hint(capsys, "f.pkl")


def test_archive_of_tables(capsys, folder):
    """So does that for an archive of tables."""
    with zipfile.ZipFile("f.zip", "w") as file:
        file.writestr("f.csv", "p\n0.5\n0.25\n0.75\n")
    line = hint(capsys, "f.zip").replace("python", shlex.quote(sys.executable), 1)
    subprocess.run(["sh", "-c", line], check=True, timeout=60)
    assert accept(capsys, ["l1", "-i", "f.csv", "-t", "0.5,0.25,0.75"]) == "0.0\n"


def test_arrays_know_themselves(capsys):
    """Arrays of NumPy are known whatever they are called."""
    Path("f.csv").write_bytes(npy())
    Path("f.json").write_bytes(archive(("a.npy", npy())))
    assert accept(capsys, ["l1", "-i", "f.csv", "-t", "f.json"]) == "0.0\n"
