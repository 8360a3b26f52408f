"""Files of torch.save: read as PyTorch reads them, and nothing in them is ever run."""

# ruff: noqa: E501 - a row of a table is a line

import collections
import copyreg
import gzip
import io
import pickle
import sys
import zipfile
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from losscalc import cli
from losscalc.errors import Location
from losscalc.inputs.pickled import read_pickle
from losscalc.inputs.tensors import MAKERS
from tests.support.hostile import Refusal, accept, changed, in_directory, refuse, refuse_file
from tests.support.memory import little_memory
from tests.support.reading import read_address
from tests.support.tensors import SIX, call, dictionary, name, put, storage, tensor, torch_file

pytestmark = pytest.mark.slow

PASS = "if that is intended, raise the limit, as in --max-size 8G"
PICKLE = "the pickle is damaged, or not one of torch.save"
NEVER = "made by something that is never imported or called, found '{}'"
SAVE = "save tensors, or dicts and lists of them: torch.save(model.state_dict(), FILE)"
IMPOSSIBLE = "the pickle describes a tensor that cannot be"
DTYPES = "save it as one of float64, float32, float16, bfloat16, int64, int32, int16, int8, uint8, bool"
EXPECTED = np.arange(6, dtype="f4").reshape(2, 3)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty current directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def same(found: np.ndarray, tensor) -> None:
    """Hold what was read to a tensor of PyTorch, dtype and all."""
    tensor = tensor.detach()
    expected = (tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor).numpy()
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


def tensors() -> dict[str, object]:
    """A tensor of every kind that is read, made by PyTorch."""
    torch = pytest.importorskip("torch")
    torch.manual_seed(1)
    x, base = torch.randn(6, 5), torch.arange(60.0)
    tagged = torch.nn.Parameter(x)
    tagged.tag = "an attribute"
    dtypes = ("float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8")
    return {
        **{dtype: (10 * x).to(getattr(torch, dtype)) for dtype in dtypes if dtype != "uint8"},
        "uint8": torch.tensor([0, 255], dtype=torch.uint8),
        "bool": x > 0,
        "transposed": x.t(),
        "sliced": x[::2, 1:3],
        "column": x[:, 2],
        "permuted": torch.randn(3, 4, 5).permute(2, 0, 1),
        "channels last": torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last),
        "expanded": torch.tensor([[1.0], [2.0]]).expand(2, 4),
        "expanded rows": torch.tensor([1.0, 2.0]).expand(3, 2),
        "in a storage": base[10:20],
        "in the same storage": base[15:].reshape(9, 5),
        "number": torch.tensor(2.5),
        "one row": x[:1].t().contiguous().t(),
        "nothing": torch.empty(0, 3),
        "no columns": torch.empty(3, 0),
        "parameter": torch.nn.Parameter(x),
        "parameter with attributes": tagged,
        "of a gradient": (torch.nn.Parameter(x) * 2).detach(),
    }


@pytest.mark.parity
@pytest.mark.parametrize("way", ["pt", "protocol 4", "deflated", "gz", "big endian"])
def test_tensors(folder, way):
    """Every kind of tensor is read to the last bit, however the file came about."""
    torch = pytest.importorskip("torch")
    saved = tensors()
    torch.save(saved, folder / "f.pt", pickle_protocol=4 if way == "protocol 4" else 2)
    suffix = ""
    if way == "gz":
        (folder / "f.pt.gz").write_bytes(gzip.compress((folder / "f.pt").read_bytes()))
        suffix = ".gz"
    if way in ("deflated", "big endian"):
        rewrite(folder / "f.pt", saved, swapped=way == "big endian")
    for key, expected in saved.items():
        for rows in (None, 1, 2) if expected.dim() and len(expected) else (None,):
            found = read_address(f"f.pt{suffix}#{key}", rows)
            same(found.astype(found.dtype.newbyteorder("=")), expected)


def rewrite(path: Path, saved: dict[str, object], *, swapped: bool) -> None:
    """Write an archive once more: compressed, or with the bytes of all numbers turned round."""
    with zipfile.ZipFile(path) as file:
        members = {member: file.read(member) for member in file.namelist()}
    if swapped:
        members["f/byteorder"] = b"big"
        sizes = {tensor.untyped_storage()._cdata: tensor.element_size() for tensor in saved.values()}
        for number, size in enumerate(sizes.values()):
            raw = np.frombuffer(members[f"f/data/{number}"], np.uint8)
            members[f"f/data/{number}"] = raw.reshape(-1, size)[:, ::-1].tobytes()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED if swapped else zipfile.ZIP_DEFLATED) as file:
        for member, data in members.items():
            file.writestr(member, data)


@pytest.mark.parity
def test_places_in_a_checkpoint(folder):
    """Keys, indices from 0, keys with slashes and points, state_dicts and numbers of Python."""
    torch = pytest.importorskip("torch")
    x, model = torch.arange(6.0), torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    torch.save(
        {
            "epoch": 3,
            "loss": 0.25,
            "losses": [1.0, 0.5, 0.25],
            "state_dict": model.state_dict(),
            "optimizer": torch.optim.Adam(model.parameters()).state_dict(),
            "a/b": {"0": x, 1: x + 1},
            "a": {"b": {"0": x + 3, "e": x + 4}},
            "outputs": [x, (x + 5, {"y": x + 6})],
            "ordered": collections.OrderedDict(x=x + 7),
            "default": collections.defaultdict(dict, {"k": x + 8}),
            "device": torch.device("cpu"),
            "lone": {"z": {"only": x + 9}},
            "size": x.shape,
        },
        folder / "f.ckpt",
    )
    for part, expected in {
        "epoch": 3.0,
        "loss": 0.25,
        "losses": [1.0, 0.5, 0.25],
        "size": [6.0],
        "state_dict/0.weight": model.state_dict()["0.weight"],
        "/state_dict/1.num_batches_tracked": 0,
        "a/b/0": x,
        "a/b/1": x + 1,
        "a/b/e": x + 4,
        "outputs/0": x,
        "outputs/1/0": x + 5,
        "outputs/1/1/y": x + 6,
        "ordered/x": x + 7,
        "default/k": x + 8,
        "lone": x + 9,
        "lone/z": x + 9,
    }.items():
        np.testing.assert_array_equal(read_address(f"f.ckpt#{part}"), np.asarray(expected))


@pytest.mark.parametrize("suffix", ["pt", "pth", "bin", "ckpt", "npz", "csv", "dat"])
def test_known_by_its_members(capsys, folder, suffix):
    """Its name does not matter; nor does a name of the tensor, where there is one."""
    (folder / f"f.{suffix}").write_bytes(torch_file(dictionary(logits=tensor(), epoch=put(3))))
    assert accept(capsys, ["l1", "-i", f"f.{suffix}", "-t", "[[0,0,0],[0,0,0]]", "-r", "sum"]) == "15.0\n"


def test_from_a_pipe(capsys, monkeypatch):
    """Standard input may hold one, too."""
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(torch_file()), isatty=lambda: False))
    assert accept(capsys, ["l1", "-i", "-", "-t", "[[0,0,0],[0,0,0]]", "-r", "sum"]) == "15.0\n"


def test_streamed(capsys, folder):
    """A tensor of a hundred megabytes is read in little memory, and so is a slice of it."""
    whole = tensor(storage(count=24_000_000), shape=(6_000_000, 4), strides=(4, 1))
    column = tensor(storage(count=24_000_000), offset=1, shape=(6_000_000,), strides=(4,))
    data = torch_file(dictionary(whole=whole, column=column), {"data/0": bytes(96_000_000)})
    (folder / "f.pt").write_bytes(data)
    del data
    with little_memory(60_000_000):
        assert accept(capsys, ["l1", "-i", "f.pt#whole", "-t", "f.pt#whole"]) == "0.0\n"
        assert accept(capsys, ["l1", "-i", "f.pt#column", "-t", "f.pt#column"]) == "0.0\n"


@pytest.mark.parity
def test_without_checksums(folder):
    """PyTorch can be told not to compute checksums, and its archives then hold wrong ones."""
    torch = pytest.importorskip("torch")
    torch.serialization.set_crc32_options(False)
    try:
        torch.save({"a": torch.arange(6.0)}, folder / "f.pt")
    finally:
        torch.serialization.set_crc32_options(True)
    np.testing.assert_array_equal(read_address("f.pt"), np.arange(6.0))


@pytest.mark.parity
def test_what_pytorch_saves_and_is_refused(capsys, folder):
    """Tensors of other kinds are refused by name, and what is no tensor as well."""
    torch = pytest.importorskip("torch")
    read_dtypes = (DTYPES, 4)
    cases = {
        "losscalc does not read this dtype, found 'torch.ComplexFloatStorage'": (
            torch.tensor([1j]),
            *read_dtypes,
        ),
        "losscalc does not read this dtype, found 'torch.uint16'": (
            torch.tensor([1], dtype=torch.uint16),
            *read_dtypes,
        ),
        "losscalc does not read this dtype, found 'torch.float8_e4m3fn'": (
            torch.ones(2).to(torch.float8_e4m3fn),
            *read_dtypes,
        ),
        NEVER.format("torch._utils._rebuild_sparse_tensor"): (torch.eye(2).to_sparse(), SAVE, 3),
        NEVER.format("torch.nn.modules.linear.Linear"): (torch.nn.Linear(2, 1), SAVE, 3),
        NEVER.format("numpy._core.multiarray._reconstruct"): (
            np.ones(3),
            "save it as a tensor: torch.as_tensor(array)",
            3,
        ),
        "the tensor is negated or conjugated only when it is used": (
            torch.tensor([1 + 2j]).conj().imag,
            "save tensor.resolve_neg() in its place",
            3,
        ),
    }
    for says, (value, hint, code) in cases.items():
        torch.save(value, folder / "f.pt")
        refuse(capsys, ["sigmoid", "-i", "f.pt"], f"f.pt: {says}", hint, code)


@pytest.mark.parity
def test_old_formats(capsys, folder):
    """The format before PyTorch 1.6 and programs of TorchScript come with the line that converts them."""
    torch = pytest.importorskip("torch")
    torch.save({"a": torch.ones(2)}, folder / "f.pt", _use_new_zipfile_serialization=False)
    line = "import torch; torch.save(torch.load('f.pt', map_location='cpu', weights_only=True), 'f.pt.pt')"
    says = "f.pt: is a torch.save file from before PyTorch 1.6, which losscalc does not read"
    refuse(capsys, ["sigmoid", "-i", "f.pt"], says, f'convert it: python -c "{line}"')
    exec(line)
    np.testing.assert_array_equal(read_address("f.pt.pt"), np.ones(2))


def script(members: dict[str, bytes]) -> bytes:
    """An archive with the members of TorchScript."""
    return torch_file(members={"constants.pkl": b"\x80\x02).", "code/__torch__.py": b"", **members})


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=label)
        for label, case in {
            # the archive
            "empty": Refusal(b"", "", "no data"),
            "text": Refusal(b"1,2\n", "", "not a torch.save file", "name its format, as in --from csv"),
            "cut short": Refusal(torch_file()[:-10], "", "damaged archive (File is not a zip file)"),
            "TorchScript": Refusal(script({}), "", "is a TorchScript program, which losscalc does not read", "convert it: python -c \"import torch; torch.save(torch.jit.load('f.pt', map_location='cpu').state_dict(), 'f.pt.pt')\""),
            "two pickles": Refusal(torch_file(members={"../b/data.pkl": b""}).replace(b"archive/../b/data.pkl", b"brchive..-b-/data.pkl"), "", "not an archive of torch.save, in which there is one of each member"),
            "no storage": Refusal(torch_file(members={"data/0": None}), "", "the storage of 24 bytes is not there, found '0'"),
            "a path for a storage": Refusal(torch_file(tensor(storage("../../f.pt"))), "", "the storage of 24 bytes is not there, found '../../f.pt'"),
            "short storage": Refusal(torch_file(members={"data/0": SIX[:-1]}), "", "the storage of 24 bytes has 23, found '0'"),
            "no byte order": Refusal(torch_file(members={"byteorder": b"middle"}), "", "the byte order is neither little nor big, found 'middle'"),
            "long byte order": Refusal(torch_file(members={"byteorder": bytes(101)}), "", "archive/byteorder has more than 100 bytes", PASS),
            "checksum of the pickle": Refusal(changed(torch_file(compression=zipfile.ZIP_BZIP2), 60), "", "damaged data (Invalid data stream)"),
            "a bomb for a pickle": Refusal(torch_file(members={"data.pkl": bytes(20_000_000)}, compression=zipfile.ZIP_DEFLATED), "", "archive/data.pkl has more than 16.8 MB", PASS),
            "a bomb for a storage": Refusal(torch_file(tensor(storage(count=40_000_000)), {"data/0": bytes(160_000_000)}, compression=zipfile.ZIP_DEFLATED), "", "a little archive unpacks to more than 134 MB", PASS),
            # the tensor
            "beyond the storage": Refusal(torch_file(tensor(offset=1)), "", "the tensor reaches to byte 28 of a storage of 24 bytes"),
            "large strides": Refusal(torch_file(tensor(strides=(4, 1))), "", "the tensor reaches to byte 28 of a storage of 24 bytes"),
            "huge strides": Refusal(torch_file(tensor(strides=(1 << 61, 1))), "", f"the tensor reaches to byte {4 * ((1 << 61) + 3)} of a storage of 24 bytes"),
            "a claim of terabytes": Refusal(torch_file(tensor(storage(count=10**12), shape=(10**12,), strides=(1,))), "", "the storage of 4000000000000 bytes has 24, found '0'"),
            "expanded to terabytes": Refusal(torch_file(tensor(shape=(10**6, 10**6), strides=(0, 0))), "", "a small storage expands to more than 134 MB", PASS),
            **{
                label: Refusal(torch_file(tensor(**wrong)), "", IMPOSSIBLE)
                for label, wrong in {
                    "negative offset": {"offset": -1},
                    "offset 0.0": {"offset": 0.0},
                    "offset True": {"offset": True},
                    "offset 2^70": {"offset": 1 << 70},
                    "no offset": {"offset": None},
                    "negative strides": {"strides": (-3, 1)},
                    "strides of 2^70": {"strides": (1 << 70, 1)},
                    "one stride": {"strides": (1,)},
                    "a number for strides": {"strides": 3},
                    "negative shape": {"shape": (-2, -3)},
                    "a shape of floats": {"shape": (2.0, 3)},
                    "a huge shape": {"shape": (1 << 40, 1 << 40)},
                    "65 axes": {"shape": (1,) * 65, "strides": (1,) * 65},
                    "no shape": {"shape": None},
                    "endless rows of nothing": {"shape": (10**18, 0)},
                    "a list for a storage": {"numbers": put([1, 2])},
                    "a negative count": {"numbers": storage(count=-6)},
                    "a count of 6.0": {"numbers": storage(count=6.0)},
                    "a short reference": {"numbers": b"(" + put("storage") + b"tQ"},
                    "another reference": {"numbers": put(("module", 1, "0", "cpu", 6)) + b"Q"},
                    "a text for a reference": {"numbers": put("storage") + b"Q"},
                }.items()
            },
            "no arguments": Refusal(torch_file(call("torch._utils", "_rebuild_tensor_v2")), "", IMPOSSIBLE),
            "another storage": Refusal(torch_file(tensor(storage(kind="QInt8Storage"))), "", "losscalc does not read this dtype, found 'torch.QInt8Storage'", DTYPES, code=4),
            "a name for a storage": Refusal(torch_file(tensor(storage(module="os", kind="system"))), "", "losscalc does not read this dtype, found 'os.system'", DTYPES, code=4),
            "metadata": Refusal(torch_file(tensor(more=put({"neg": True}))), "", "the tensor is negated or conjugated only when it is used", "save tensor.resolve_neg() in its place"),
            "a parameter of another make": Refusal(torch_file(call("torch._utils", "_rebuild_parameter", call("os", "getcwd"), b"\x88", b"}")), "", NEVER.format("os.getcwd"), SAVE),
            "a subclass": Refusal(torch_file(call("torch._tensor", "_rebuild_from_type_v2", name("torch._utils", "_rebuild_tensor_v2"), name("os", "PathLike"), b")", b"}")), "", NEVER.format("torch._tensor._rebuild_from_type_v2"), SAVE),
            # the places
            "nothing inside": Refusal(torch_file(b"}"), "", "the file holds no array"),
            "a text": Refusal(torch_file(put("hello")), "", "not an array, found 'str'", SAVE),
            "none": Refusal(torch_file(b"N"), "", "not an array, found 'NoneType'", SAVE),
            "two tensors": Refusal(torch_file(dictionary(a=tensor(), b=tensor())), "", "the file holds 2 arrays", "name one: #a (there are a, b)"),
            "a dict of two": Refusal(torch_file(dictionary(s=dictionary(a=tensor(), b=tensor()))), "", "the file holds 2 arrays", "name one: #s/a (there are s/a, s/b)", part="#s"),
            "another key": Refusal(torch_file(dictionary(logits=tensor())), "", "there is no such array, found 'logit'", "did you mean #logits?", part="#logit"),
            "another index": Refusal(torch_file(b"](" + tensor() * 3 + b"e"), "", "there is no such array, found '3'", "there are 0, 1, 2", part="#3"),
            "negative index": Refusal(torch_file(b"](" + tensor() * 3 + b"e"), "", "there is no such array, found '-1'", "there are 0, 1, 2", part="#-1"),
            "a part of a tensor": Refusal(torch_file(), "", "the file is one tensor without parts, found 'a'", part="#a"),
            "a text by name": Refusal(torch_file(dictionary(a=tensor(), b=put("x"))), "#b", "not an array, found 'str'", SAVE, part="#b"),
            "a number too large": Refusal(torch_file(put([1, 10**400])), "", "a number outside the range of float64"),
            "escapes in a key": Refusal(torch_file(b"}(" + put("\x1b[31m") + tensor() + put("b") + tensor() + b"u"), "", "the file holds 2 arrays", r"name one: $'#\x1b[31m' (there are \x1b[31m, b)"),
        }.items()
    ],
)  # fmt: skip
def test_hostile(capsys, case):
    """A file that lies is refused before anything is read or allocated for it."""
    with little_memory(45_000_000):
        refuse_file(
            capsys,
            "f.pt",
            case,
            ("sigmoid", "--from", "torch", "-i") if case.says.startswith("not a file") else ("sigmoid", "-i"),
        )


class Armed:
    """What leaves a file behind as soon as its state is set."""

    def __setstate__(self, state):
        """What BUILD runs."""
        Path("PWNED").touch()


def fire() -> None:
    """What an extension code stands for."""
    Path("PWNED").touch()


@pytest.fixture
def armed():
    """A module that a pickle can name, and an extension code, in the cache as well."""
    module = ModuleType("armed")
    module.Armed, module.fire = Armed, fire
    sys.modules["armed"] = module
    copyreg.add_extension("armed", "fire", 240)
    copyreg._extension_cache[240] = fire
    yield
    copyreg.remove_extension("armed", "fire", 240)
    copyreg._extension_cache.pop(240, None)
    del sys.modules["armed"]


TOUCH = put("touch PWNED")
EVIL = {
    "REDUCE": call("os", "system", TOUCH),
    "REDUCE of posix": call("posix", "system", TOUCH),
    "STACK_GLOBAL": put("os") + put("system") + b"\x93" + TOUCH + b"\x85R",
    "STACK_GLOBAL, dotted": put("subprocess") + put("os.system") + b"\x93" + TOUCH + b"\x85R",
    "INST": b"(" + TOUCH + b"ios\nsystem\n",
    "OBJ": b"(" + name("os", "system") + TOUCH + b"o",
    "NEWOBJ": name("builtins", "bytes") + call("builtins", "map", name("os", "system"), TOUCH + b"\x85") + b"\x85\x81",
    "NEWOBJ_EX": name("builtins", "bytes") + call("builtins", "map", name("os", "system"), TOUCH + b"\x85") + b"\x85}\x92",
    "BUILD": name("armed", "Armed") + b")\x81}b",
    "EXT1": b"\x82\xf0)R",
    "EXT2": b"\x83\xf0\0)R",
    "EXT4": b"\x84\xf0\0\0\0)R",
    "getattr": call("builtins", "getattr", name("os", "path"), put("os")) + b"0" + call("os", "system", TOUCH),
    "eval": call("builtins", "eval", put("__import__('os').system('touch PWNED')")),
    "in an argument": call("collections", "OrderedDict", b"](]" + put("k") + b"a" + call("os", "system", TOUCH) + b"ae"),
    "the name of a tensor's maker": call("torch._utils", "_rebuild_tensor_v2.__globals__"),
}  # fmt: skip
CONTROLS = [
    label for label in EVIL if label not in ("the name of a tensor's maker", "in an argument", "NEWOBJ_EX")
]


@pytest.mark.parametrize("label", CONTROLS)
@pytest.mark.usefixtures("armed")
def test_evil_is_evil(label):
    """The pickles of the next test run something where they are loaded."""
    pickle.loads(b"\x80\x04" + EVIL[label] + b".")
    assert Path("PWNED").exists()


@pytest.mark.parametrize("label", EVIL)
@pytest.mark.parametrize("place", ["alone", "beside a tensor", "for a tensor", "for a key", "in a storage"])
@pytest.mark.usefixtures("armed")
def test_evil_pickles(capsys, folder, label, place):
    """Nothing runs, whatever a pickle names, and wherever it does."""
    evil = EVIL[label]
    pickled = {
        "alone": evil,
        "beside a tensor": dictionary(a=tensor(), z=evil),
        "for a tensor": dictionary(a=evil),
        "for a key": b"}" + evil + tensor() + b"s",
        "in a storage": tensor(b"(" + put("storage") + evil + put("0") + put("cpu") + put(6) + b"tQ"),
    }[place]
    (folder / "f.pt").write_bytes(torch_file(pickled))
    for part in ("", "#a"):
        code = cli.run(["sigmoid", "-i", f"f.pt{part}"])
        output, error = capsys.readouterr()
        assert [path.name for path in folder.iterdir()] == ["f.pt"]
        assert code in (0, 3, 4)
        assert (code == 0) == (error == "") == (output != "")
        assert code == 0 or error.startswith("losscalc: error: f.pt")
    known = label not in ("INST", "OBJ", "EXT1", "EXT2", "EXT4", "getattr")
    assert (code == 0) == (known and place == "beside a tensor")


def test_names_are_not_imported(capsys, folder):
    """Naming a module does not import it."""
    (folder / "f.pt").write_bytes(torch_file(dictionary(a=tensor(), b=name("antigravity", "geohash"))))
    (folder / "trap.py").write_text("open('PWNED', 'w')")
    assert accept(capsys, ["l1", "-i", "f.pt", "-t", "f.pt#a"]) == "0.0\n"
    (folder / "f.pt").write_bytes(torch_file(call("trap", "Trap")))
    refuse(capsys, ["sigmoid", "-i", "f.pt"], f"f.pt: {NEVER.format('trap.Trap')}", SAVE)
    assert not {"antigravity", "trap"} & set(sys.modules)


@pytest.mark.parity
def test_torch_is_not_imported():
    """Nor PyTorch itself, nor Python's own pickle machine used."""
    import ast

    import losscalc.inputs

    for path in Path(losscalc.inputs.__file__).parent.glob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        named = {
            alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
        }
        named |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not {"torch", "pickle", "marshal", "safetensors"} & named, path


BOMBS = {
    "a key of nested tuples": Refusal(torch_file(b"}" + b")" + b"\x85" * 500_000 + tensor() + b"s"), "", "the file holds no array"),
    "nested lists": Refusal(torch_file(b"]" * 400_000 + b"a" * 399_999), "", "dicts and lists are nested more than 64 deep"),
    "nested tuples": Refusal(torch_file(b")" + b"\x85" * 800_000), "", "dicts and lists are nested more than 64 deep"),
    "nested parameters": Refusal(torch_file(name("torch._utils", "_rebuild_parameter") + b"q\0" + b"h\0" * 200_000 + b"N" + b"\x85R" * 200_001), "", "not an array, found 'NoneType'", SAVE),
    "marks": Refusal(torch_file(b"(" * 900_000), "", PICKLE),
    "a million instructions": Refusal(torch_file(b"]" * 1_000_001), "", "the instructions of the pickle are more than 1,000,000", PASS),
    "a large memo": Refusal(torch_file(b"]r\xff\xff\xff\xff"), "", "the file holds no array"),
    "a memo of nothing": Refusal(torch_file(b"j\xff\xff\xff\xff"), "", PICKLE),
    "a text of 2^60 bytes": Refusal(torch_file(b"\x8d" + (1 << 60).to_bytes(8, "little")), "", PICKLE),
    "bytes of 2^60 bytes": Refusal(torch_file(b"\x8e" + (1 << 60).to_bytes(8, "little")), "", PICKLE),
    "a bytearray of 2^40 bytes": Refusal(torch_file(b"\x96" + (1 << 40).to_bytes(8, "little")), "", PICKLE),
    "a frame of 2^60 bytes": Refusal(torch_file(b"\x95" + (1 << 60).to_bytes(8, "little") + b"}"), "", "the file holds no array"),
    "a number of 2 million bytes": Refusal(torch_file(b"\x8b" + (2_000_000).to_bytes(4, "little") + b"\x7f" * 2_000_000), "", "a number outside the range of float64"),
    "a negative length": Refusal(torch_file(b"\x8b\xff\xff\xff\xff"), "", PICKLE),
    "keys that collide": Refusal(torch_file(b"}(" + b"".join(put(i * (2**61 - 1)) + b"N" for i in range(1, 200_000)) + b"u"), "", "the file holds no array"),
    "a list in itself": Refusal(torch_file(b"]q\0h\0a"), "", "the file holds no array"),
    "a dict in itself": Refusal(torch_file(b"}q\0" + put("k") + b"h\0s"), "", "there is no such array, found 'k/k/k/x'", part="#k/k/k/x"),
    "two buffers": Refusal(torch_file(b"\x97"), "", PICKLE),
    "nothing": Refusal(torch_file(b""), "", PICKLE),
    "no end": Refusal(torch_file(members={"data.pkl": b"\x80\x02}"}), "", PICKLE),
    "no pickle": Refusal(torch_file(members={"data.pkl": b"\xff\xfe"}), "", PICKLE),
    "a call of a number": Refusal(torch_file(put(1) + b")R"), "", PICKLE),
    "items of a number": Refusal(torch_file(put(1) + put(2) + put(3) + b"s"), "", PICKLE),
    "a call of a tensor": Refusal(torch_file(tensor() + b"(" + storage() + put(0) + put((2, 3)) + put((3, 1)) + b"\x89}tR"), "", NEVER.format("torch._utils._rebuild_tensor_v2()"), SAVE),
    "calls of calls": Refusal(torch_file(name("os", "x") + b")R" * 400_000), "", NEVER.format("os.x()"), SAVE),
    "half an item": Refusal(torch_file(b"}(" + put(1) + b"u"), "", PICKLE),
    "items for a number": Refusal(torch_file(put(1) + put(2) + b"a"), "", PICKLE),
    "pairs of one": Refusal(torch_file(call("collections", "OrderedDict", put([[1]]))), "", PICKLE),
    "a state of nothing": Refusal(torch_file(b"}b"), "", PICKLE),
    "a state of a list": Refusal(torch_file(b"]}b"), "", PICKLE),
    "protocol 6": Refusal(torch_file(b"\x80\6}"), "", PICKLE),
    "a name of numbers": Refusal(torch_file(put(1) + put(2) + b"\x93"), "", PICKLE),
}  # fmt: skip


@pytest.mark.parametrize("label", BOMBS)
def test_bombs(capsys, label):
    """Little files that mean a great deal are refused in little time."""
    refuse_file(capsys, "f.pt", BOMBS[label])


@pytest.mark.parametrize("label", [label for label in BOMBS if " of 2" in label or "memo" in label])
def test_claims(capsys, label):
    """What a pickle claims costs no memory before it is there."""
    with little_memory():
        refuse_file(capsys, "f.pt", BOMBS[label])


@pytest.mark.parametrize("instruction", [b"]", b"}", b"\x8f", b"(", b"h\0)R", b"G" + bytes(8), b"ca\nb\n"])
def test_memory_of_contents(instruction):
    """A pickle takes so little memory for each instruction that a million of them are harmless."""
    count = 30_000
    data = b"\x80\x02" + name("collections", "OrderedDict") + b"q\0(" + instruction * count + b"N."
    with little_memory(300 * count + 1_000_000):
        read_pickle(data, MAKERS, Location("f.pt"))


def test_shared_lists(capsys, folder):
    """Lists in lists that hold a tensor 2^60 times are gone through once, and each place can be named."""
    doubled = b"".join(b"q" + bytes([i]) + b"](h" + bytes([i]) + b"h" + bytes([i]) + b"e" for i in range(60))
    (folder / "f.pt").write_bytes(torch_file(tensor() + doubled))
    refuse(
        capsys,
        ["sigmoid", "-i", "f.pt"],
        "f.pt: the file holds 2 arrays",
        f"name one: #{'/'.join('0' * 60)} (there are {'/'.join('0' * 60)}, {'/'.join('0' * 59)}/1)",
    )
    np.testing.assert_array_equal(read_address(f"f.pt#{'/'.join('01' * 30)}"), EXPECTED)


def test_damaged_anywhere(capsys, folder):
    """Wherever a byte is changed, the file is refused, or it is read as the tensor it describes."""
    data = torch_file()
    for position in range(0, len(data), 7):
        (folder / "f.pt").write_bytes(changed(data, position))
        code = cli.run(["sigmoid", "-i", "f.pt"])
        error = capsys.readouterr().err
        assert code in (0, 3, 4), (position, error)
        assert code == 0 or error.startswith("losscalc: error: f.pt"), position


@pytest.mark.parametrize(
    ("offset", "value", "says"),
    [
        (6, 1, "the member is encrypted"),
        (8, 99, "damaged archive (That compression method is not supported)"),
    ],
)
def test_odd_members(capsys, folder, offset, value, says):
    """Members that are encrypted, or packed in a way that nobody knows, are refused."""
    data = torch_file()
    (folder / "f.pt").write_bytes(in_directory(data, offset, value))
    refuse(capsys, ["sigmoid", "-i", "f.pt"], f"f.pt: {says}")
