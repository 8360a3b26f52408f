"""The system fails in the middle: the k-th read, write, open, rename or close, or memory; or a signal comes.

Exit code 0 means that the result is complete. Otherwise the old one stands, nothing is left beside
it, and there is one message and no traceback.
"""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.support.hostile import archive, saved

pytestmark = pytest.mark.slow

STRACE = shutil.which("strace")
COMMAND = (sys.executable, "-m", "losscalc", "l1", "-i", "v.csv", "-t", "w.npz#a", "-r", "none")
SAMPLE = int(os.environ.get("LOSSCALC_TEST_FAULTS", "2"))
"""How many places of each call are tried, and as many at the end; 99 are all."""
RIGHT = b"1.0\n2.0\n3.0\n"
FAULTS = [
    ("write", "ENOSPC"),
    ("write", "EIO"),
    ("read", "EIO"),
    ("openat", "EMFILE"),
    ("close", "EIO"),
    ("fsync", "EIO"),
    ("rename", "EXDEV"),
    ("lseek", "EIO"),
    ("mmap", "ENOMEM"),
    ("chmod", "EPERM"),
]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A current directory with two inputs and an old result."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "v.csv").write_bytes(b"1\n2\n3\n")
    (tmp_path / "w.npz").write_bytes(archive(("a.npy", saved(np.zeros(3)))))
    (tmp_path / "keep.csv").write_bytes(b"old")
    return tmp_path


def hold(code: int, output: bytes, error: bytes, expected: bytes, what: object) -> None:
    """Hold a run to what every run promises, whatever fails."""
    said = (what, code, output, error)
    assert b"Traceback" not in error, said
    assert code >= 0, said
    assert {path.name for path in Path().iterdir()} == {"v.csv", "w.npz", "keep.csv"}, said
    kept = Path("keep.csv").read_bytes()
    if code == 0:
        assert (kept if expected == b"" else output) == RIGHT, said
    else:
        assert kept == b"old", said
        assert RIGHT.startswith(output), said
        assert error.count(b"losscalc: error: ") <= 1, said
    Path("keep.csv").write_bytes(b"old")


def calls(arguments: tuple[str, ...]) -> tuple[Counter[str], Counter[str]]:
    """How often each system call is made before the first input is looked for, and in all."""
    names = ",".join(sorted({name for name, _ in FAULTS}))
    trace = subprocess.run(
        [STRACE, "-qq", "-e", f"trace={names},newfstatat,lstat", *COMMAND, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        text=True,
    ).stderr.splitlines()
    Path("keep.csv").write_bytes(b"old")
    first = next(i for i, line in enumerate(trace) if '"v.csv"' in line)
    made = [match[1] if (match := re.match(r"(\w+)\(", line)) else "" for line in trace]
    return Counter(made[:first]), Counter(made)


def places(start: int, end: int) -> list[int]:
    """A few of many places, the last ones among them: there the result is written."""
    sample = random.Random(end).sample(range(start, end), min(SAMPLE, end - start))
    return sorted({*sample, *range(max(start, end - SAMPLE), end)})


@pytest.mark.skipif(STRACE is None, reason="strace is not installed")
@pytest.mark.parametrize("arguments", [("-o", "keep.csv"), ()], ids=["file", "stdout"])
def test_failing_calls(arguments):
    """Each call of the system fails once, at every place after the imports."""
    probe = [STRACE, "-qq", "-o", "/dev/null", "-e", "trace=read", sys.executable, "-c", ""]
    if subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("strace may not trace here")
    before, after = calls(arguments)
    chosen = FAULTS if arguments else [fault for fault in FAULTS if fault[0] in ("write", "close")]
    for name, error in chosen:
        for place in places(before[name] + 1, after[name] + 1):
            inject = f"inject={name}:error={error}:when={place}"
            tracer = [STRACE, "-qq", "-o", "/dev/null", "-e", f"trace={name}", "-e", inject]
            done = subprocess.run(
                [*tracer, *COMMAND, *arguments], stdin=subprocess.DEVNULL, capture_output=True, check=False
            )
            hold(done.returncode, done.stdout, done.stderr, b"" if arguments else RIGHT, (inject, arguments))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_at_any_time(number):
    """Whenever a signal comes after the first line of losscalc, there is a code and no traceback."""
    choose = random.Random(int(number))
    codes = Counter()
    for _ in range(8):
        with subprocess.Popen([*COMMAND, "-o", "keep.csv"], stdout=-1, stderr=-1, stdin=-3) as running:
            _wait_for_start(running.pid)
            time.sleep(choose.uniform(0, 0.25))
            running.send_signal(number)
            output, error = running.communicate(timeout=20)
        code = running.returncode
        # A signal that comes when Python has put its handlers away ends the process as it always does.
        assert code in (0, 128 + number, -number), error
        if code < 0:
            code = 128 + number
        kept = Path("keep.csv").read_bytes()
        assert kept in (b"old", RIGHT)
        Path("keep.csv").write_bytes(b"old" if code else kept)
        hold(code, output, error, b"", (number, code))
        codes[code] += 1
    assert codes


def _wait_for_start(pid: int) -> None:
    """Wait until a process catches signals by a handler of its own."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        status = Path(f"/proc/{pid}/status").read_text()
        caught = int(re.search(r"SigCgt:\s*(\w+)", status)[1], 16)
        if caught >> (signal.SIGTERM - 1) & 1:
            return
        time.sleep(0.002)


MEMORY = """
import os, sys
import _testcapi
from losscalc import cli

right, old = "1.0\\n2.0\\n3.0\\n", "old"
arguments = ["l1", "-i", "v.csv", "-t", "w.npz#a", "-r", "none", "-o", "keep.csv"]
assert cli.run(arguments) == 0
sys.unraisablehook = lambda _: None  # as in the command
# The first few are those of the call itself, before it can catch anything.
for start in range(20, 8000, 67):
    with open("keep.csv", "w") as file:
        file.write(old)
    _testcapi.set_nomemory(start, start + 1)
    try:
        code = cli.run(arguments)
    finally:
        _testcapi.remove_mem_hooks()
    with open("keep.csv") as file:
        kept = file.read()
    assert kept == right or (kept == old and code != 0), (start, code, kept)
    # 70: parts of Python itself forget to say what is wrong.
    assert code in (0, 3, 70), (start, code)
    assert len(os.listdir()) == 3, (start, os.listdir())
print("done")
"""


def test_failing_allocations():
    """Where the k-th allocation fails there is a code and no traceback, and the old result stands."""
    pytest.importorskip("_testcapi", reason="this Python comes without its own test modules")
    done = subprocess.run(
        [sys.executable, "-c", MEMORY],
        capture_output=True,
        check=False,
        env=os.environ | {"PYTHONMALLOC": "malloc"},
    )
    assert (done.returncode, done.stdout) == (0, b"done\n"), done
    assert b"Traceback" not in done.stderr


@pytest.mark.skipif(STRACE is None, reason="strace is not installed")
def test_what_a_run_touches():
    """No connection, no program, and nothing opened for writing but a file beside the result."""
    names = "connect,socket,execve,open,openat,creat,rename,unlink,mkdir"
    done = subprocess.run(
        [STRACE, "-f", "-qq", "-e", f"trace={names}", *COMMAND, "-o", "keep.csv"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
    )
    if done.returncode:
        pytest.skip("strace may not trace here")
    made = re.findall(r"^(?:\[pid +\d+\] )?(\w+)\((.*)$", done.stderr, re.MULTILINE)
    writing = [words for name, words in made if re.search("O_(WRONLY|RDWR|CREAT)", words)]

    assert Path("keep.csv").read_bytes() == RIGHT
    assert [name for name, _ in made].count("execve") == 1
    assert not {"connect", "socket", "creat", "mkdir"} & {name for name, _ in made}
    assert all("/.losscalc-" in words or "/dev/null" in words or ".pyc" in words for words in writing), (
        writing
    )
    assert [name for name, words in made if "keep.csv" in words and name == "rename"] == ["rename"]
