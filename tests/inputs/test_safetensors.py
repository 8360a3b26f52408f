"""safetensors: read as its own library reads it, and refused where the header lies."""

# ruff: noqa: E501 - a row of a table is a line

import gzip
import io
import json
import pickle
from types import SimpleNamespace

import numpy as np
import pytest

from losscalc import cli
from tests.support.hostile import Refusal, accept, refuse, refuse_file
from tests.support.memory import little_memory
from tests.support.reading import read_address
from tests.support.tensors import SIX, entry, safetensors

PASS = "if that is intended, raise the limit, as in --max-size 8G"
OBJECT = "not safetensors: the header is not a JSON object, or has a key twice"
CLAIM = "not safetensors: the header claims {} bytes, but {} are left"
PROMISE = "the header promises {} bytes of numbers, but {} are there"
HOLE, OVERLAP = "the tensor leaves a hole before it", "the tensor overlaps another one"
OFFSETS, SHAPE = "the header holds bad data_offsets", "the header holds a bad shape"
READ = "save it as one of F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL"
TWO = {"b": entry(offsets=(24, 48)), "a": entry()}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty current directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


ARRAYS = {
    "F64": np.array([[0.1, -1e300], [np.inf, 5e-324]]),
    "F32": np.arange(24, dtype="f4").reshape(2, 3, 4),
    "F16": np.array([0.1, 6e-8, 65504], "f2"),
    "I64": np.array([2**62, -(2**62)]),
    "I32": np.array([[2**31 - 1], [-(2**31)]], "i4"),
    "I16": np.array([-32768, 32767], "i2"),
    "I8": np.array([-128, 127], "i1"),
    "U8": np.array([0, 255], "u1"),
    "BOOL": np.array([True, False, True]),
    "number": np.array(2.5),
    "nothing": np.empty((0, 3)),
}


def by_hand() -> bytes:
    """All of the arrays in one file, written as the format is described."""
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    data = b""
    for key, array in ARRAYS.items():
        raw = array.astype(array.dtype.newbyteorder("<")).tobytes()
        dtype = key if key.isupper() else "F64"
        header[key] = entry(dtype, array.shape, (len(data), len(data) + len(raw)))
        data += raw
    return safetensors(header, data)


@pytest.mark.parametrize("key", ARRAYS)
@pytest.mark.parametrize("way", ["library", "hand", "gz"])
def test_dtypes(folder, way, key):
    """Every dtype is read as it was written, from wherever it comes and however many rows at a time."""
    if way == "library":
        library = pytest.importorskip("safetensors.numpy")
        library.save_file(ARRAYS, folder / "f.safetensors", metadata={"format": "np"})
    elif way == "hand":
        (folder / "f.safetensors").write_bytes(by_hand())
    else:
        (folder / "f.safetensors.gz").write_bytes(gzip.compress(by_hand()))
    address = f"f.safetensors{'.gz' if way == 'gz' else ''}#{key}"
    expected = ARRAYS[key]
    for rows in (None, 1, 2) if expected.size and expected.ndim else (None,):
        found = read_address(address, rows)
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)


def test_bfloat16(folder):
    """bfloat16 is read as the float32 of which it is the upper half."""
    (folder / "f.safetensors").write_bytes(
        safetensors({"a": entry("BF16", [3], [0, 6])}, np.array([0x3FC0, 0xC000, 0x7F80], "<u2").tobytes())
    )
    found = read_address("f.safetensors")
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, np.float32([1.5, -2, np.inf]))


@pytest.mark.parity
def test_bfloat16_of_torch(folder):
    """The same of random numbers, as PyTorch writes them."""
    torch = pytest.importorskip("torch")
    library = pytest.importorskip("safetensors.torch")
    tensor = torch.randn(100, generator=torch.Generator().manual_seed(1)).bfloat16()
    library.save_file({"a": tensor}, folder / "f.bin")
    np.testing.assert_array_equal(read_address("f.bin"), tensor.float().numpy())


@pytest.mark.parametrize("suffix", ["safetensors", "bin", "csv", "dat"])
def test_known_by_its_first_bytes(capsys, folder, suffix):
    """Its name does not matter; nor does a name of the tensor, where there is one."""
    (folder / f"f.{suffix}").write_bytes(safetensors())
    assert accept(capsys, ["l1", "-i", f"f.{suffix}", "-t", "[[0,0,0],[0,0,0]]", "-r", "sum"]) == "15.0\n"


def test_streamed(capsys, folder):
    """A tensor of a hundred megabytes is read in little memory."""
    header = {
        "a": entry("F64", [3_000_000, 4], [0, 96_000_000]),
        "b": entry("U8", [8], [96_000_000, 96_000_008]),
    }
    (folder / "f.safetensors").write_bytes(safetensors(header, bytes(96_000_008)))
    with little_memory(40_000_000):
        assert accept(capsys, ["l1", "-i", "f.safetensors#a", "-t", "f.safetensors#a"]) == "0.0\n"


def test_places(capsys, folder):
    """A value that does not fit is named with the tensor it is in."""
    (folder / "f.safetensors").write_bytes(
        safetensors({"p q": entry("F32", [2], [0, 8])}, np.float32([0.5, 1.5]).tobytes())
    )
    says = "f.safetensors#p q[1]: --input must be in [0, 1], found 1.5"
    assert cli.run(["bce", "-i", "f.safetensors", "-t", "0,1"]) == 4
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=label)
        for label, case in {
            "empty": Refusal(b"", "", "no data"),
            "short": Refusal(b"\1\0\0", "", CLAIM.format(1, 0)),
            "length alone": Refusal(safetensors()[:8], "", CLAIM.format(65, 0)),
            "text": Refusal(b"1,2\n3,4\n5,6\n", "", CLAIM.format(int.from_bytes(b'1,2\n3,4\n', 'little'), 4)),
            "cut header": Refusal(safetensors()[:30], "", CLAIM.format(65, 22)),
            "length of 2^63": Refusal(safetensors(length=1 << 63), "", CLAIM.format(1 << 63, 89)),
            "length too small": Refusal(safetensors(length=5), "", OBJECT),
            "length too large": Refusal(safetensors(length=70), "", OBJECT),
            "length 0": Refusal(safetensors(length=0), "", "not safetensors: the header is not a JSON object"),
            "a list": Refusal(safetensors(b"[1,2]"), "", "not safetensors: the header is not a JSON object"),
            "a blank before": Refusal(safetensors(b" {}", b""), "", "not safetensors: the header is not a JSON object"),
            "not UTF-8": Refusal(safetensors(b'{"\xff": 1}'), "", OBJECT),
            "no JSON": Refusal(safetensors(b'{"a": }'), "", OBJECT),
            "a pickle": Refusal(safetensors(pickle.dumps({"a": 1})), "", "not safetensors: the header is not a JSON object"),
            "lists in lists": Refusal(safetensors(b'{"a":' + b"[" * 100_000), "", OBJECT),
            "a number of 5,000 digits": Refusal(safetensors(b'{"a":' + b"9" * 5000 + b"}"), "", OBJECT),
            "twice a tensor": Refusal(safetensors(b'{"a":1,"a":2}'), "", OBJECT),
            "twice a key": Refusal(safetensors(b'{"a":{"dtype":"F32","dtype":"F64","shape":[],"data_offsets":[0,4]}}'), "", OBJECT),
            "more entries than allowed": Refusal(safetensors(b'{"a":[' + b"0," * 1_000_001 + b"0]}"), "", "the entries of the header are more than 1,000,000", PASS),
            "no tensor": Refusal(safetensors({"__metadata__": {}}, b""), "", "the file holds no array"),
            "two tensors": Refusal(safetensors(TWO, SIX * 2), "", "the file holds 2 arrays", "name one: #b (there are b, a)"),
            "a name to quote": Refusal(safetensors({"x y": entry(), "z": entry(offsets=(24, 48))}, SIX * 2), "", "the file holds 2 arrays", "name one: '#x y' (there are x y, z)"),
            "another name": Refusal(safetensors(), "", "there is no such array, found 'logits'", "there are a", part="#logits"),
            "a name misspelt": Refusal(safetensors({"logits": entry()}), "", "there is no such array, found 'logit'", "did you mean #logits?", part="#logit"),
            "escapes": Refusal(safetensors({"\x1b[31m": entry(), "b": entry(offsets=(24, 48))}, SIX * 2), "", "the file holds 2 arrays", r"name one: $'#\x1b[31m' (there are \x1b[31m, b)"),
            # an entry
            "a number for an entry": Refusal(safetensors({"a": 1}), "#a", "the header must give a tensor dtype, shape and data_offsets"),
            "one key less": Refusal(safetensors({"a": {"dtype": "F32", "shape": []}}), "#a", "the header must give a tensor dtype, shape and data_offsets"),
            "one key more": Refusal(safetensors({"a": {**entry(), "x": 1}}), "#a", "the header must give a tensor dtype, shape and data_offsets"),
            "a number for a dtype": Refusal(safetensors({"a": entry(dtype=1)}), "#a", "the header holds a bad dtype"),
            "complex": Refusal(safetensors({"a": entry(dtype="C64")}), "#a", "losscalc does not read this dtype, found 'C64'", READ, code=4),
            "float8": Refusal(safetensors({"a": entry(dtype="F8_E4M3")}), "#a", "losscalc does not read this dtype, found 'F8_E4M3'", READ, code=4),
            "lower case": Refusal(safetensors({"a": entry(dtype="f32")}), "#a", "losscalc does not read this dtype, found 'f32'", READ, code=4),
            **{
                f"shape {shape}": Refusal(safetensors({"a": entry(shape=shape)}), "#a", SHAPE)
                for shape in ([-2, -3], [2.0, 3], [True, 6], "6", None, [10**20], [2**40, 2**40], [0, 2**61], [1] * 65)
            },
            **{
                f"offsets {offsets}": Refusal(safetensors({"a": entry(offsets=offsets)}), "#a", OFFSETS)
                for offsets in ([24, 0], [-24, 0], [0], [0, 24, 24], [0.0, 24.0], [False, 24], None, [0, 10**30])
            },
            "too few bytes": Refusal(safetensors({"a": entry(shape=(7,))}), "#a", "the header gives 24 bytes to F32 of shape [7]"),
            "too many bytes": Refusal(safetensors({"a": entry(dtype="U8")}), "#a", "the header gives 24 bytes to U8 of shape [2, 3]"),
            # the numbers
            "a hole at the start": Refusal(safetensors({"a": entry(offsets=(4, 28))}, bytes(28)), "#a", HOLE),
            "a hole between": Refusal(safetensors({"a": entry(), "b": entry(offsets=(25, 49))}, bytes(49)), "#b", HOLE, part="#a"),
            "an overlap": Refusal(safetensors({"a": entry(), "b": entry(offsets=(12, 36))}, bytes(36)), "#b", OVERLAP, part="#a"),
            "twice the same bytes": Refusal(safetensors({"a": entry(), "b": entry()}), "#b", OVERLAP, part="#a"),
            "cut short": Refusal(safetensors()[:-1], "#a", PROMISE.format(24, 23)),
            "one byte more": Refusal(safetensors() + b"x", "#a", PROMISE.format(24, 25)),
            "8 TB": Refusal(safetensors({"a": entry("F64", [10**12], [0, 8 * 10**12])}), "#a", PROMISE.format(8 * 10**12, 24)),
            "beyond the end": Refusal(safetensors({"a": entry(), "b": entry(offsets=(24, 48))}), "#a", PROMISE.format(48, 24), part="#a"),
        }.items()
    ],
)  # fmt: skip
def test_hostile(capsys, case):
    """A file that lies is refused before anything is read or allocated for it."""
    with little_memory():
        refuse_file(capsys, "f.safetensors", case)


def test_truth_values(capsys):
    """A byte that is neither true nor false is refused."""
    case = Refusal(
        safetensors({"a": entry("BOOL", [2], [0, 2])}, b"\1\2"),
        "#a",
        "a byte is neither true nor false, found 2",
    )
    refuse_file(capsys, "f.safetensors", case, ("bce-logits", "-i", "1,1", "-t"))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (safetensors()[:-1], f"#a: {PROMISE.format(24, 23)}"),
        (safetensors() + b"x", "#a: more bytes follow than the header promises"),
        (
            safetensors({"a": entry("F64", [1, 10**12], [0, 8 * 10**12])}),
            f"#a: {PROMISE.format(8 * 10**12, 24)}",
        ),
        (
            safetensors({"a": entry("F64", [10**12], [0, 8 * 10**12])}),
            f"#a: {PROMISE.format(8 * 10**12, 24)}",
        ),
        (safetensors(length=1 << 62), ": the header claims more than 16.8 MB"),
        (safetensors(length=1 << 23), f": {CLAIM.format(1 << 23, 89)}"),
    ],
)
@pytest.mark.parametrize("way", ["stdin", "gz"])
def test_hostile_of_unknown_size(capsys, monkeypatch, folder, way, data, says):
    """Where the size is not known beforehand, the end tells, and a promise costs no memory."""
    hint = PASS if "16.8" in says else None
    if way == "stdin":
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(data), isatty=lambda: False))
        with little_memory():
            refuse(capsys, ["sigmoid", "-i", "-", "--from", "safetensors"], f"stdin{says}", hint)
        return
    (folder / "f.safetensors.gz").write_bytes(gzip.compress(data))
    with little_memory():
        refuse(
            capsys,
            ["sigmoid", "-i", "f.safetensors.gz", "--from", "safetensors"],
            f"f.safetensors.gz{says}",
            hint,
        )


def test_many_tensors(capsys, folder):
    """A file of ten thousand tensors is looked through in no time, and the first of them are named."""
    header = {f"layer.{i}.weight": entry("F32", [1], [4 * i, 4 * i + 4]) for i in range(10_000)}
    data = np.arange(10_000, dtype="<f4").tobytes()
    (folder / "f.safetensors").write_bytes(safetensors(json.loads(json.dumps(header)), data))
    assert accept(capsys, ["l1", "-i", "f.safetensors#layer.9999.weight", "-t", "0"]) == "9999.0\n"
    listed = ", ".join(f"layer.{i}.weight" for i in range(20))
    refuse(
        capsys,
        ["sigmoid", "-i", "f.safetensors"],
        "f.safetensors: the file holds 10000 arrays",
        f"name one: #layer.0.weight (there are {listed}, ...)",
    )
