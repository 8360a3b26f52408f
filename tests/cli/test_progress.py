"""The line that shows how far a long run has come: only to a person, and gone before anything else."""

import gzip
import io
import os
import pty
import re
import struct
import subprocess
import sys
import time
from fcntl import ioctl
from termios import TIOCSWINSZ

import numpy as np
import pytest

from losscalc.cli.progress import Progress
from losscalc.engine.sources import MemorySource
from losscalc.inputs.address import open_array, parse_address
from losscalc.inputs.options import Reading

pytestmark = pytest.mark.slow


@pytest.fixture
def large(tmp_path):
    """An array that takes some seconds."""
    shape = (80_000_000,)
    with open(tmp_path / "x.npy", "wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": shape})
        file.truncate(file.tell() + shape[0] * 8)
    return tmp_path / "x.npy"


def arguments(large):
    """The options that take some seconds."""
    return ["-i", str(large), "-t", str(large), "--threads", "1"]


def on_terminal(arguments, *, columns=80, **environment):
    """What a command prints to standard output, and to a standard error that is a terminal."""
    leader, follower = pty.openpty()
    ioctl(follower, TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    command = [sys.executable, "-m", "losscalc", *arguments]
    env = {**os.environ, **environment}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=follower, env=env) as running:
        os.close(follower)
        shown = b""
        try:
            while piece := os.read(leader, 65536):
                shown += piece
        except OSError:  # the other end of a terminal is closed
            pass
        output = running.stdout.read()
    os.close(leader)
    return running.returncode, output, shown.decode("ascii")


def screen(shown):
    """The lines that are left on the screen."""
    lines = []
    for line in shown.split("\n"):
        cells = []
        for text in line.split("\r"):
            cells[: len(text)] = text
        lines.append("".join(cells).rstrip())
    return "\n".join(lines)


def test_a_long_run_shows_how_far_it_is(large):
    """After a second, a few times a second, and in the end nothing of it is left."""
    start = time.monotonic()
    code, output, shown = on_terminal(["bce-logits", *arguments(large)], LC_ALL="C")
    seconds = time.monotonic() - start
    assert (code, output) == (0, b"0.6931471805599453\n")
    lines = [line.rstrip() for line in shown.split("\r") if line.strip()]
    assert 1 <= len(lines) <= 5 * (seconds - 1) + 1
    assert all(re.fullmatch(r"\d+%, \d+:\d\d left, [\d,]+ rows, [\d,]+ MB/s", line) for line in lines)
    assert screen(shown) == ""


def test_an_error_takes_the_place_of_the_line(large):
    """Nothing of the line stands before or behind a message."""
    with open(large, "r+b") as file:
        file.seek(-8, os.SEEK_END)
        file.write(np.float64(2).tobytes())
    code, output, shown = on_terminal(["bce", *arguments(large)])
    assert (code, output) == (4, b"")
    assert "left" in shown
    assert screen(shown).startswith("losscalc: \x1b[1;31merror:\x1b[0m ")
    assert "left" not in screen(shown)


def test_short_runs_and_quiet_ones_show_nothing(tmp_path):
    """Nor does a pipe, which has no place for a line that changes."""
    assert on_terminal(["l1", "-i", "1,2", "-t", "1,2"]) == (0, b"0.0\n", "")


class Terminal(io.StringIO):
    """What is shown, and a clock that a test sets."""

    now = 0.0

    def clock(self):
        return self.now


def test_quiet_or_not_a_terminal(monkeypatch):
    """There is no line at all."""
    from losscalc.cli.request import Voice, _running
    from losscalc.engine.compute import here

    for quiet, is_terminal in ((True, True), (False, False)):
        stream = Terminal()
        stream.isatty = lambda answer=is_terminal: answer
        monkeypatch.setattr(sys, "stderr", stream)
        with _running({}, Voice(quiet), None) as run:
            assert run is here


@pytest.mark.parametrize("columns", [1, 2, 5, 15, 30, 80])
def test_narrow_terminals(monkeypatch, columns):
    """The line never wraps; what matters least is left out first."""
    stream = Terminal()
    source = MemorySource(np.zeros(1))
    monkeypatch.setattr(source, "progress", lambda: (30_000_000, 100_000_000))
    progress = Progress(stream, [source], stream.clock)
    monkeypatch.setattr(progress, "_columns", lambda: columns)
    stream.now = 3.0
    progress.show(1_234_567)
    line = stream.getvalue()
    assert len(line.rstrip("\r")) < columns
    if columns >= 5:
        assert line.startswith("30%")
    if columns == 80:
        assert line == "30%, 0:07 left, 1,234,567 rows, 10 MB/s\r"


def test_the_rate_of_what_has_no_end():
    """Of a pipe, the number of rows is all there is to tell."""
    stream = Terminal()
    with Progress(stream, [], stream.clock) as progress:
        for stream.now in (0.5, 0.99, 1.0, 1.1, 1.15, 1.25):
            progress.show(1000)
    assert stream.getvalue().split("\r") == [
        "1,000 rows, 1,000 rows/s",
        "1,000 rows, 800 rows/s  ",
        " " * 22,
        "",
    ]


@pytest.mark.parametrize(
    "name", ["x.csv", "x.csv.gz", "x.jsonl", "x.npy", "xf.npy", "x.npz", "x-*.csv", "x-*.npy"]
)
def test_the_share_that_was_read(tmp_path, monkeypatch, name):
    """It grows to the whole, of every format that is read piece by piece."""
    monkeypatch.chdir(tmp_path)
    x = np.random.default_rng(1).normal(size=(90_000, 5))
    np.save("x.npy", x)
    np.save("xf.npy", np.asfortranarray(x))
    np.savez("x.npz", x)
    text = "".join(",".join(map(repr, row)) + "\n" for row in x.tolist())
    for csv in ("x.csv", "x-1.csv", "x-2.csv"):
        with open(csv, "w") as file:
            file.write(text)
    with open("x.csv.gz", "wb") as file:
        file.write(gzip.compress(text.encode(), 1))
    with open("x.jsonl", "w") as file:
        file.write("".join(f"[{line}]\n" for line in text.splitlines()))
    for npy in ("x-1.npy", "x-2.npy"):
        np.save(npy, x)
    source = open_array(parse_address(name), "--input", Reading())
    shares = []
    while len(source.take(10_000).values):
        done, total = source.progress()
        shares.append(done / total)
    source.close()
    assert shares == sorted(shares)
    assert 0 < shares[0] < 1
    assert shares[-1] == pytest.approx(1, abs=0.02)
