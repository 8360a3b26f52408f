"""Makers of hostile files, and what holds for every input that is refused."""

import io
import struct
import subprocess
import sys
import time
import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from losscalc import cli

NUMBERS = np.arange(4.0).tobytes()
"""The numbers of the array that `npy` makes."""
QUICK = 10.0
"""Seconds of computing within which the worst input is refused, on a slow machine; most take milliseconds."""


class Refusal(NamedTuple):
    """An input, and what is to be said about it: `says` follows the place, which follows the file."""

    data: bytes
    place: str
    says: str
    hint: str | None = None
    options: tuple[str, ...] = ()
    part: str = ""
    code: int = 3


def npy(
    descr: str = "'<f8'",
    shape: str = "(4,)",
    data: bytes = NUMBERS,
    *,
    fortran: str = "False",
    version: int = 1,
    claimed: int | None = None,
    header: str | None = None,
) -> bytes:
    """An NPY file of which every part can be wrong."""
    text = header or f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}"
    raw = text.encode("latin-1")
    raw += b" " * (-(len(raw) + (11 if version == 1 else 13)) % 64) + b"\n"
    length = struct.pack("<H" if version == 1 else "<I", len(raw) if claimed is None else claimed)
    return b"\x93NUMPY" + bytes([version, 0]) + length + raw + data


def saved(array: object) -> bytes:
    """An NPY file as NumPy writes it, pickles and all."""
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(array), allow_pickle=True)
    return buffer.getvalue()


def archive(*members: tuple[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP archive of named members; the same name may come twice."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", compression) as file:
        warnings.simplefilter("ignore")
        for name, data in members:
            file.writestr(zipfile.ZipInfo(name), data, compress_type=compression)
    return buffer.getvalue()


def changed(data: bytes, position: int, mask: int = 0xFF) -> bytes:
    """The bytes with some bits of one of them turned round."""
    copy = bytearray(data)
    copy[position] ^= mask
    return bytes(copy)


def in_directory(data: bytes, offset: int, value: int) -> bytes:
    """An archive of one member with a byte of its local header replaced, in the directory too."""
    copy = bytearray(data)
    copy[offset] = copy[data.index(b"PK\x01\x02") + offset + 2] = value
    return bytes(copy)


def snapshot(folder: Path) -> dict[str, bytes | None]:
    """Everything in a folder, with what it holds."""
    return {
        str(path): path.read_bytes() if path.is_file() and not path.is_symlink() else None
        for path in folder.rglob("*")
    }


def check_message(error: str, message: str, hint: str | None = None) -> None:
    """One message and at most one hint, without a traceback and without raw control characters."""
    expected = [f"losscalc: error: {message}"] + ([f"  hint: {hint}"] if hint else [])
    assert error.splitlines() == expected
    assert error.endswith("\n")
    assert "Traceback" not in error
    assert error.replace("\n", "").isprintable()


def refuse(capture, arguments: Sequence[str], message: str, hint: str | None = None, code: int = 3) -> None:
    """Run a command in this process, in the current folder, and hold it to what every refusal promises."""
    before = snapshot(Path())
    capture.readouterr()
    start = time.process_time()
    assert cli.run(arguments) == code, capture.readouterr()
    elapsed = time.process_time() - start
    output, error = capture.readouterr()
    assert output in ("", b"")
    check_message(error if isinstance(error, str) else error.decode(), message, hint)
    assert snapshot(Path()) == before
    assert elapsed < QUICK


def refuse_file(capture, name: str, case: Refusal, command: Sequence[str] = ("sigmoid", "-i")) -> None:
    """Write the file of a case, and hold the command to the refusal."""
    Path(name).write_bytes(case.data)
    arguments = [*command, name + case.part, *case.options]
    refuse(capture, arguments, f"{name}{case.place}: {case.says}", case.hint, case.code)


def accept(capture, arguments: Sequence[str]) -> str:
    """What a command in this process prints, when it succeeds without a word on standard error."""
    capture.readouterr()
    assert cli.run(arguments) == 0, capture.readouterr()
    output, error = capture.readouterr()
    assert error in ("", b"")
    return output if isinstance(output, str) else output.decode()


def process(
    *arguments: str | bytes, python: Sequence[str] = (), **settings: object
) -> subprocess.CompletedProcess[bytes]:
    """The command line in a process of its own."""
    settings = {"stdin": subprocess.DEVNULL, "capture_output": True, "timeout": 60} | settings
    if "input" in settings:
        del settings["stdin"]
    if "stdout" in settings or "stderr" in settings:
        del settings["capture_output"]
    return subprocess.run([sys.executable, *python, "-m", "losscalc", *arguments], check=False, **settings)
