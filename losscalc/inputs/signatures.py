"""What files are by their first bytes; of those that are not read, the one line that converts them."""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from losscalc.errors import FormatError, Location
from losscalc.inputs.stream import STDIN

START = 1024
"""The bytes by which a file is recognised."""


_IF_TRUSTED = "convert it, if you trust it, as loading it can run any code"


class Kind(NamedTuple):
    """A kind of file, and how it becomes one that is read."""

    name: str
    convert: str
    """Python, or after a `$` a command; OLD and NEW are the names of the files."""
    suffix: str = ""
    """What the name of the new file has more than that of the old one."""
    advice: str = "convert it"


def _table(name: str, read: str) -> Kind:
    return Kind(name, f"import pandas; pandas.{read}(OLD).to_csv(NEW, index=False)", ".csv")


def _pickled(name: str, module: str, load: str) -> Kind:
    arrays = "d if isinstance(d, dict) else {'array': d}"
    line = f"import numpy, {module}; d = {load}; numpy.savez(NEW, **({arrays}))"
    return Kind(name, line, ".npz", _IF_TRUSTED)


def _pickled_table(name: str, module: str, load: str) -> Kind:
    """As an array it would lose the names of its columns, and labels and ids would be numbers like others."""
    return Kind(name, f"import {module}; {load}.to_csv(NEW, index=False)", ".csv", _IF_TRUSTED)


def _hdf5(name: str, value: str) -> Kind:
    visit = f"lambda k, v: d.update({{k: {value}}}) if hasattr(v, 'shape') else None"
    line = f"import h5py, numpy; d = {{}}; h5py.File(OLD).visititems({visit}); numpy.savez(NEW, **d)"
    return Kind(name, line, ".npz")


_LOADMAT = "{k: v for k, v in scipy.io.loadmat(OLD, squeeze_me=True).items() if not k.startswith('_')}"
_LOAD = "torch.load(OLD, map_location='cpu', weights_only=True)"
PICKLED = "/data.pkl"
"""How the member of an archive of torch.save ends that says what there is."""
_PICKLE = _pickled("a pickle", "pickle", "pickle.load(open(OLD, 'rb'))")
_JOBLIB = _pickled("a file of joblib", "joblib", "joblib.load(OLD)")
_PANDAS_PICKLE = _pickled_table("a pickle of pandas", "pandas", "pandas.read_pickle(OLD)")
_PANDAS_JOBLIB = _pickled_table("a pandas table in a joblib file", "joblib", "joblib.load(OLD)")
_HDF5 = _hdf5("an HDF5 file", "v[()]")
# MATLAB keeps columns together, so that h5py sees all axes in reverse.
_MAT73 = _hdf5("a MATLAB file of version 7.3", "v[()].T")
_MAT = Kind("a MATLAB file", f"import numpy, scipy.io; numpy.savez(NEW, **{_LOADMAT})", ".npz")
# What pyarrow reads of them without looking where it leads: damaged ones end the process.
_FEATHER = Kind(
    "a Feather file of version 1",
    "import pyarrow.feather; pyarrow.feather.write_feather(pyarrow.feather.read_table(OLD), NEW)",
    ".feather",
)
_UNZIP = Kind("a ZIP archive of tables", "$ python -m zipfile -e OLD .", advice="unpack it")
_LEGACY = Kind("a torch.save file from before PyTorch 1.6", f"import torch; torch.save({_LOAD}, NEW)", ".pt")
TORCHSCRIPT = Kind(
    "a TorchScript program",
    "import torch; torch.save(torch.jit.load(OLD, map_location='cpu').state_dict(), NEW)",
    ".pt",
)
_ZSTD = Kind("compressed by zstd", "$ zstd -d OLD", advice="unpack it")
_LFS = Kind("what Git LFS leaves in place of a file", "$ git lfs pull --include OLD", advice="fetch the file")

# The number that torch.save wrote first before PyTorch 1.6, as a pickle.
_LEGACY_MAGIC = b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."


def _is_pickle(start: bytes) -> bool:
    return start[:1] == b"\x80" and start[1:2] in (b"\2", b"\3", b"\4", b"\5")


# A DataFrame or a Series, and nothing around it.
_PICKLED_TABLE = rb"[\2-\5](?:\x95.{8})?(?:c|\x8c.)pandas[.a-z]*(?:\n|\x94\x8c.)(?:DataFrame|Series)"


def _is_packed_pickle(start: bytes) -> bool:
    """Whether it is the zlib of joblib.dump(..., compress=True), whose first bytes are text to some."""
    if start[:1] != b"x":
        return False
    import zlib

    try:
        return _is_pickle(zlib.decompressobj().decompress(start, 2))
    except zlib.error:
        return False


def _begins(*starts: bytes) -> Callable[[bytes], bool]:
    return lambda start: start.startswith(starts)


def _matches(first: bytes, pattern: bytes) -> Callable[[bytes], bool]:
    """A test for a pattern behind the first bytes; it is compiled only for files that begin with these."""
    return lambda start: (
        start.startswith(first) and re.match(pattern, start[len(first) :], re.DOTALL) is not None
    )


_HDF5_START = b"\x89HDF\r\n\x1a\n"
_SIGNATURES: tuple[tuple[Callable[[bytes], bool], Kind], ...] = (
    (_begins(_HDF5_START), _HDF5),
    (_begins(b"MATLAB 7.3 MAT-file"), _MAT73),
    (_begins(b"MATLAB 5.0 MAT-file"), _MAT),
    # A file of somebody else's may stand before that of HDF5.
    (lambda start: start[512:].startswith(_HDF5_START), _HDF5),
    (_begins(b"FEA1\0"), _FEATHER),
    (lambda start: _is_pickle(start) and _LEGACY_MAGIC in start[:40], _LEGACY),
    (_matches(b"\x80", _PICKLED_TABLE + b".*joblib"), _PANDAS_JOBLIB),
    (_matches(b"\x80", _PICKLED_TABLE), _PANDAS_PICKLE),
    (lambda start: _is_pickle(start) and b"joblib" in start[:256], _JOBLIB),
    (_is_pickle, _PICKLE),
    (_begins(b"ccopy_reg\n", b"cnumpy.core.", b"(dp0\n", b"(lp0\n"), _PICKLE),
    (_is_packed_pickle, _JOBLIB),
    (_begins(b"\x28\xb5\x2f\xfd"), _ZSTD),
    (_begins(b"version https://git-lfs.github.com/spec/"), _LFS),
)

_TABLES = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".xlsx")

_MEMBERS: tuple[tuple[Callable[[str], bool], Kind], ...] = (
    (lambda name: name.lower().endswith(_TABLES), _UNZIP),
)


_FORMATS: tuple[tuple[Callable[[bytes], bool], str], ...] = (
    # A number follows that has a control character in it, which no name of a column has.
    (_matches(b"PAR", rb"[1E][\x00-\x08\x0e-\x1f]"), "parquet"),
    (_begins(b"ARROW1\0\0"), "arrow"),
    (_matches(b"\xff\xff\xff\xff", rb"..\0\0\x10\0\0\0"), "arrow"),
    (_begins(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "excel"),
    (lambda start: _is_safetensors(start), "safetensors"),
)


def known_format(start: bytes) -> str | None:
    """The format that is read and in which files begin with these bytes, if they tell.

    >>> known_format(b"ARROW1\\0\\0"), known_format(b"1,2\\n")
    ('arrow', None)
    """
    return next((name for test, name in _FORMATS if test(start)), None)


def is_torch(names: Sequence[str]) -> bool:
    """Whether a ZIP archive with members of these names comes from torch.save, or from TorchScript."""
    return any(name.endswith(PICKLED) and name.count("/") == 1 for name in names)


def is_workbook(names: Sequence[str]) -> bool:
    """Whether a ZIP archive with members of these names is a workbook of Excel, or an OpenDocument."""
    return any(name == "content.xml" or name.startswith("xl/") for name in names)


def foreign_file(start: bytes) -> Kind | None:
    """What a file is that begins with these bytes, if it is none of those that are read.

    >>> foreign_file(b"\\x89HDF\\r\\n\\x1a\\n").name, foreign_file(b"1,2\\n")
    ('an HDF5 file', None)
    """
    return next((kind for test, kind in _SIGNATURES if test(start)), None)


def foreign_archive(names: Sequence[str]) -> Kind | None:
    """What a ZIP archive is that has members of these names, if none of those that are read."""
    if any(name.endswith(".npy") for name in names):
        return None
    return next((kind for test, kind in _MEMBERS if any(map(test, names))), None)


def refusal(kind: Kind, path: str) -> FormatError:
    """The error that names the kind of a file, and says how to convert it."""
    hint = f"{kind.advice}: {_line(kind, path)}"
    if path == STDIN:
        # It has no name that a command could have.
        hint = "put it into a file: how to go on is told of that"
    return FormatError(f"is {kind.name}, which losscalc does not read", location=Location(path), hint=hint)


def _line(kind: Kind, path: str) -> str:
    """The command that converts a file, ready to be pasted into a shell."""
    names = {"OLD": path, "NEW": path + kind.suffix}
    if kind.convert.startswith("$ "):
        return _filled(kind.convert.removeprefix("$ "), {"OLD": _quoted(path)})
    code = _filled(kind.convert, {key: repr(name) for key, name in names.items()})
    # Python's strings are in single quotes: as long as nothing asks for more, double ones keep it readable.
    return f"python -c {_quoted(code)}" if re.search(r'[$`!"\\]', code) else f'python -c "{code}"'


def _filled(line: str, names: dict[str, str]) -> str:
    return re.sub("OLD|NEW", lambda match: names[match.group()], line)


def _quoted(text: str) -> str:
    import shlex

    return shlex.quote(text)


def _is_safetensors(start: bytes) -> bool:
    """Whether a file begins with the length of a header, and the header as safetensors writes it."""
    return start[8:10] in (b'{"', b"{}") and 2 <= int.from_bytes(start[:8], "little") <= 100_000_000
