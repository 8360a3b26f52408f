"""Standard output and what replaces files: all bytes are written, or the exit code is 5."""

import io
import os
import resource
import subprocess
import sys

import numpy as np
import pytest

from losscalc import cli
from tests.support.hostile import check_message, process

SHOWN = [
    ["sigmoid", "-i", "x.npy"],
    ["sigmoid", "-i", "x.npy", "-f", "npy"],
    ["sigmoid", "-i", "x.npy", "-f", "json"],
    ["sigmoid", "-i", "x.npy", "-f", "table", "--max-rows", "2000"],
    ["list"],
    ["list", "--json"],
    ["show", "ctc"],
    ["diagnose", "mse", "-i", "x.npy", "-t", "x.npy", "--worst", "2000"],
    ["mse", "--help"],
    ["--help"],
]
"""Commands that print more than 1 KiB: results, tables, help, and what Click prints itself."""


class Reluctant(io.RawIOBase):
    """A stream without a buffer that takes a few bytes at a time, as a pipe or a full disk may."""

    def __init__(self) -> None:
        self.taken = b""

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:
        self.taken += bytes(data[:1000])
        return min(len(data), 1000)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A current directory with an array of which every output is longer than 1 KiB."""
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", np.linspace(-3, 3, 1000))
    return tmp_path


def limit_file_size() -> None:
    """Let no file grow beyond 1 KiB, in the process that is about to start."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))


@pytest.mark.parametrize("arguments", SHOWN)
def test_short_writes(capsysbinary, monkeypatch, arguments):
    """What is written to a stream that takes a part at a time is what a buffer takes at once."""
    assert cli.run(arguments) == 0
    expected = capsysbinary.readouterr().out
    assert len(expected) > 1024
    raw = Reluctant()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, "utf-8", write_through=True))
    assert cli.run(arguments) == 0
    assert raw.taken == expected
    assert not raw.closed


@pytest.mark.slow
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", SHOWN)
def test_output_that_cannot_grow(arguments, unbuffered):
    """Where the system takes only a part of the bytes, the exit code says so."""
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with open("o", "wb") as file:
        done = process(*arguments, stdout=file, stderr=-1, preexec_fn=limit_file_size, env=environment)
    assert done.returncode == 5
    check_message(done.stderr.decode(), "cannot write to standard output: file too large")


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments", [*SHOWN, ["l1", "-i", "1", "-t", "2"], ["--version"], ["completion", "zsh"]]
)
def test_closed_output(arguments):
    """Closed standard output is an error for all that is printed there; closed standard error is none."""
    line = 'exec "$0" -m losscalc "$@" '
    command = ["bash", "-c", f"{line} >&-", sys.executable, *arguments]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (5, b"")
    check_message(done.stderr.decode(), "standard output is closed")
    command[2] = f"{line} >&- 2>&-"
    assert subprocess.run(command, timeout=60, check=False).returncode == 5
    command[2] = f"{line} 2>&-"
    done = subprocess.run(command, stdout=-1, timeout=60, check=False)
    assert done.returncode == 0
    assert done.stdout


def test_deleted_folder(folder):
    """An output in a folder that is gone is named, before anything is computed."""
    gone = folder / "gone"
    gone.mkdir()
    line = f'cd "{gone}" && rmdir "{gone}" && exec "$0" -m losscalc l1 -i 1 -t 2 -o o.json'
    command = ["bash", "-c", line, sys.executable]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (5, b"")
    check_message(done.stderr.decode(), "o.json: cannot write: no such file or directory")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_owner_stays(folder):
    """A file that is replaced keeps its owner, its group and its permissions."""
    (folder / "o.csv").write_bytes(b"old")
    os.chown("o.csv", 1234, 4321)
    os.chmod("o.csv", 0o640)
    assert cli.run(["sigmoid", "-i", "x.npy", "-o", "o.csv"]) == 0
    found = os.stat("o.csv")
    assert (found.st_uid, found.st_gid, found.st_mode & 0o7777) == (1234, 4321, 0o640)


@pytest.mark.parametrize("name", ["stderr", "fd/2"])
def test_open_file_as_output(folder, name):
    """A file that is open as standard error is written to, and not replaced beneath those who write to it."""
    with open("log", "wb") as file:
        arguments = ["l1", "-i", "1", "-t", "3", "-f", "csv", "-o", f"/dev/{name}"]
        done = process(*arguments, stdout=-1, stderr=file)
        assert os.stat("log").st_ino == os.fstat(file.fileno()).st_ino
    assert (done.returncode, done.stdout) == (0, b"")
    assert (folder / "log").read_bytes() == b"2.0\n"
