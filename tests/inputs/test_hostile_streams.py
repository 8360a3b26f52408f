"""Hostile surroundings: streams, paths, signals and environments, mostly in processes of their own."""

import errno
import fcntl
import gzip
import io
import os
import pty
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from losscalc import cli
from losscalc.errors import printable
from tests.support.hostile import accept, archive, check_message, npy, process, refuse, saved, snapshot
from tests.support.signals import heeding

pytestmark = pytest.mark.slow

ARRAY = "an array is a file, - for standard input, numbers as in 1,0,1, or a JSON list"
READ_STDIN = ("l1", "-i", "-", "-t", "0,0,0", "-r", "none")
COLUMN = b"1\n2\n3\n"
PRINTED = b"1.0\n2.0\n3.0\n"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A current directory with a column of numbers and a matrix."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "v.csv").write_bytes(COLUMN)
    (tmp_path / "m.csv").write_text("1,2\n3,4\n")
    return tmp_path


def refused(done: subprocess.CompletedProcess, code: int, message: str, hint: str | None = None) -> None:
    """Hold a process to what every refusal promises."""
    assert done.returncode == code, done
    assert done.stdout in (None, b"")
    check_message(done.stderr.decode(), message, hint)


# Paths


@pytest.mark.parametrize(
    ("path", "message", "hint"),
    [
        ("nope.csv", "nope.csv: no such file or directory", ARRAY),
        ("no/pe.csv", "no/pe.csv: no such file or directory", ARRAY),
        ("nope.csv#2", "nope.csv: no such file or directory", ARRAY),
        ("v.csv/x", "v.csv/x: not a directory", ARRAY),
        (".", ".: is a directory, not a file", "all files in it, one after the other: './*.csv'"),
        ("./", "./: is a directory, not a file", "all files in it, one after the other: './*.csv'"),
        ("", "--input: the name of a file is empty", ARRAY),
        ("#2", "--input: the name of a file is empty", ARRAY),
        ("dangling", "dangling: no such file or directory", None),
        ("loop", "loop: too many levels of symbolic links", None),
        ("a" * 300 + ".csv", "a" * 300 + ".csv: file name too long", ARRAY),
        ("[/x].csv", "[/x].csv: no such file or directory", None),
        ("[red]nope[/red].csv", "[red]nope[/red].csv: no such file or directory", None),
        ("a\n\x1b[31mb.csv", r"a\n\x1b[31mb.csv: no such file or directory", ARRAY),
        ("\udcff\u202e.csv", r"\xff\u202e.csv: no such file or directory", ARRAY),
        ("no\0pe.csv", r"no\x00pe.csv: the name of a file holds a NUL byte", ARRAY),
        (":smile:.csv", ":smile:.csv: no such file or directory", ARRAY),
        ("{}%s\\.csv", "{}%s\\.csv: no such file or directory", ARRAY),
    ],
)
def test_paths_that_cannot_be_opened(capsys, folder, path, message, hint):
    """What cannot be opened is named as it was typed, with the reason."""
    (folder / "dangling").symlink_to("nowhere")
    (folder / "loop").symlink_to("loop")
    if path.startswith("["):
        # A missing file whose name begins like a JSON list is a list that went wrong.
        (folder / path.partition("/")[0]).mkdir(exist_ok=True)
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).symlink_to("nowhere")
    refuse(capsys, ["sigmoid", "-i", path], message, hint)


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("runs/logit.csv", "runs/logits.csv"),
        ("runs/logits.cvs", "runs/logits.csv"),
        ("runs/logits", "runs/logits.csv"),
        ("run/lgits.csv#p", "runs/logits.csv#p"),
        ("./runs//logits.txt#log p", "'./runs//logits.csv#log p'"),
        # A folder, another number, a hidden file, and what a suffix alone makes alike.
        ("run", None),
        ("runs/epoch_3.npy", None),
        ("runs/hiden.csv", None),
        ("runs/w.csv", None),
        ("runs/logits.csv/x", None),
        ("runs/logits.csv#q", None),
    ],
)
def test_the_file_that_was_meant(capsys, folder, path, near):
    """A slip in any part of a path names the nearest file there is."""
    (folder / "runs").mkdir()
    for name in ("logits.csv", "logits.npy", "epoch_2.npy", ".hidden.csv", "v.csv"):
        (folder / "runs" / name).write_bytes(COLUMN)
    assert cli.run(["sigmoid", "-i", path]) == 3
    hint = capsys.readouterr().err.partition("  hint: ")[2]

    if near is None:
        assert not hint.startswith("did you mean")
    else:
        assert hint == f"did you mean {near}?\n"


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (PermissionError(errno.EACCES, "Permission denied"), "permission denied"),
        (OSError(errno.EMFILE, "Too many open files"), "too many open files"),
        (OSError(errno.EIO, "Input/output error"), "input/output error"),
        (OSError(errno.ENXIO, "No such device or address"), "no such device or address"),
    ],
)
@pytest.mark.parametrize("when", ["open", "read"])
@pytest.mark.parametrize("name", ["v.csv", "v.npy", "v.npz", "v.json", "v.jsonl", "v.csv.gz"])
def test_failures_of_the_system(capsys, monkeypatch, folder, name, when, error, says):
    """A file that the system refuses to open or to read on is named, with the system's reason."""

    class Failing(io.FileIO):
        """A file that opens, and then cannot be read."""

        def readinto(self, buffer):
            """Fail."""
            raise error

    def fail(path, mode):
        if when == "open":
            raise error
        return io.BufferedReader(Failing(path))

    (folder / name).write_bytes(COLUMN)
    monkeypatch.setattr("losscalc.inputs.address.open", fail, raising=False)
    refuse(capsys, ["sigmoid", "-i", name], f"{name}: {says}")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unreadable for root")
def test_unreadable_file(capsys, folder):
    """A file without permission to read is refused."""
    (folder / "v.csv").chmod(0)
    assert cli.run(["sigmoid", "-i", "v.csv"]) == 3
    check_message(capsys.readouterr().err, "v.csv: permission denied")


@pytest.mark.parametrize(
    "name",
    [
        b"[/x].csv",
        b"[red]a[/red].csv".replace(b"/", b"|"),
        b"[1,2].csv",
        b":smile:.csv",
        b"-x.csv",
        b" .csv",
        b"a\nb.csv",
        b"a#b.csv",
        b"1,2,3",
        b"5",
        "\u202egood\u00e9.csv".encode(),
        b"caf\xe9\xff.csv",
        b"\x1b[31m.csv",
    ],
)
def test_odd_names_that_exist(capsys, folder, name):
    """An existing file wins over every other reading of its name, and its name is never markup."""
    path = os.fsdecode(name.replace(b"/", b"_"))
    Path(path).write_bytes(COLUMN)
    arguments = ["l1", "-i", path, "-t", "0,0,0", "-r", "none"]
    assert accept(capsys, arguments).encode() == PRINTED
    assert accept(capsys, [*arguments, "-f", "table", "--color", "always"])
    Path(path).write_bytes(COLUMN + b"x\n")
    assert cli.run(arguments) == 3
    output, error = capsys.readouterr()
    assert output == ""
    assert error.startswith(f"losscalc: error: {printable(path)}:4:1: not a number, found 'x'\n")
    assert error.replace("\n", "").isprintable()
    Path(path).write_bytes(COLUMN)
    assert cli.run([*arguments[:3], "-t", "0,0"]) == 4
    error = capsys.readouterr().err
    assert error.endswith(f"\n  hint: the first line of {printable(path)} may be a header: --header yes\n")


# Standard input


@pytest.mark.parametrize(
    ("data", "options"),
    [
        (COLUMN, ()),
        (b"[1,2,3]", ()),
        (b"\xef\xbb\xbf \n[1,2,3]", ()),
        (saved(np.array([1.0, 2.0, 3.0])), ()),
        (archive(("a.npy", saved(np.array([1.0, 2.0, 3.0])))), ()),
        (b"1\n2\n3\n", ("--from", "jsonl")),
        (b"a\tb\n1\t0\n2\t0\n3\t0\n", ("--from", "tsv", "-i", "-#a")),
    ],
    ids=["csv", "json", "json with mark", "npy", "npz", "jsonl", "part"],
)
def test_standard_input(data, options):
    """Every format is read from a pipe."""
    arguments = ["l1", "-t", "0,0,0", "-r", "none", *options, *([] if "-i" in options else ["-i", "-"])]
    done = process(*arguments, input=data)
    assert (done.returncode, done.stdout, done.stderr) == (0, PRINTED, b"")


@pytest.mark.parametrize(
    "data",
    [COLUMN, saved(np.array([1.0, 2.0, 3.0])), archive(("a.npy", saved(np.array([1.0, 2.0, 3.0]))))],
    ids=["csv", "npy", "npz"],
)
@pytest.mark.parametrize("way", ["file", "fifo"])
def test_standard_input_from_elsewhere(folder, data, way):
    """A redirected file and a FIFO are read like a pipe."""
    arguments = ("-t", "0,0,0", "-r", "none")
    if way == "file":
        (folder / "in").write_bytes(data)
        with open("in", "rb") as file:
            done = process("l1", "-i", "-", *arguments, stdin=file)
    else:
        os.mkfifo("fifo")
        writer = threading.Thread(target=Path("fifo").write_bytes, args=(data,))
        writer.start()
        done = process("l1", "-i", "fifo", *arguments)
        writer.join()
    assert (done.returncode, done.stdout, done.stderr) == (0, PRINTED, b"")


@pytest.mark.parametrize("data", [COLUMN, saved(np.asfortranarray([[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]))])
def test_standard_input_that_was_begun(folder, data):
    """What another program has read of a file is left out, and the rest is read from there."""
    (folder / "in").write_bytes(b"0\n0\n" + data)
    shape = "[[0,0],[0,0],[0,0]]" if data != COLUMN else "0,0,0"
    with open("in", "rb", buffering=0) as file:
        file.seek(4)
        done = process("l1", "-i", "-", "-t", shape, "-r", "none", stdin=file)
    assert done.returncode == 0, done
    direct = process("l1", "-i", "-", "-t", shape, "-r", "none", input=data)
    assert done.stdout == direct.stdout != b""


def test_standard_input_that_does_not_wait():
    """A pipe in non-blocking mode, with a slow writer, is read to its end all the same."""
    reader, writer = os.pipe()
    fcntl.fcntl(reader, fcntl.F_SETFL, fcntl.fcntl(reader, fcntl.F_GETFL) | os.O_NONBLOCK)
    command = [sys.executable, "-m", "losscalc", *READ_STDIN]
    with subprocess.Popen(command, stdin=reader, stdout=subprocess.PIPE) as running:
        os.close(reader)
        for byte in (b"1\n", b"2\n", b"3"):
            time.sleep(0.4)
            os.write(writer, byte)
        os.close(writer)
        assert running.communicate(timeout=20)[0] == PRINTED


def test_standard_input_from_a_terminal():
    """At a terminal there is a note, and one Ctrl-D ends the input."""
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "losscalc", *READ_STDIN]
    with subprocess.Popen(command, stdin=slave, stdout=-1, stderr=-1) as running:
        os.close(slave)
        time.sleep(0.5)
        os.write(master, b"1\n2\n3\n\x04")
        output, error = running.communicate(timeout=10)
    os.close(master)
    assert (running.returncode, output) == (0, PRINTED)
    assert error == b"losscalc: note: reading standard input; end with Ctrl-D\n"


@pytest.mark.parametrize(
    ("redirect", "code", "message"),
    [
        ("-i - <&-", 3, "stdin: standard input is closed"),
        ("-i - </dev/null", 3, "stdin: no data"),
        ("-i - 0>/dev/null", 3, "stdin: bad file descriptor"),
        ("-i /dev/null", 3, "/dev/null: no data"),
        ("-i v.csv >/dev/full", 5, "cannot write to standard output: no space left on device"),
        ("-i v.csv >&-", 5, "standard output is closed"),
        ("-i v.csv -o /dev/full", 5, "/dev/full: cannot write: no space left on device"),
        ("-i v.csv -o .", 5, ".: is a directory, not a file"),
        ("-i v.csv -o no/o.csv", 5, "no: there is no such directory"),
    ],
)
def test_streams_of_the_shell(redirect, code, message):
    """Closed, empty, full and wrong streams are told apart."""
    line = f'exec "$0" -m losscalc sigmoid {redirect}'
    done = subprocess.run(["bash", "-c", line, sys.executable], capture_output=True, timeout=60, check=False)
    refused(done, code, message, "mkdir -p no makes it" if message.startswith("no:") else None)


def test_random_bytes():
    """An endless source of random bytes is refused at its first piece."""
    done = process("sigmoid", "-i", "/dev/urandom")
    assert (done.returncode, done.stdout) == (3, b"")
    assert done.stderr.startswith(b"losscalc: error: /dev/urandom:")


@pytest.mark.parametrize("redirect", ["2>&-", "2>/dev/full"])
def test_without_a_standard_error(redirect):
    """Without a place for messages the exit code says it all, and results are not held up."""
    for arguments, code, printed in (("-i nope.csv", 3, b""), ("-i v.csv -t 0,0,0 -r none", 0, PRINTED)):
        line = f'exec "$0" -m losscalc l1 {arguments} {"-t 0" if code else ""} {redirect}'
        # What Python has not written by then is lost at exit, and must not change the exit code.
        for unbuffered in ("", "1"):
            settings = {"stdout": -1, "timeout": 60, "env": {**os.environ, "PYTHONUNBUFFERED": unbuffered}}
            done = subprocess.run(["bash", "-c", line, sys.executable], check=False, **settings)
            assert (done.returncode, done.stdout) == (code, printed)


@pytest.mark.parametrize("other", ["-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"])
def test_one_pipe_for_two_arrays(other):
    """A pipe cannot be read twice, whatever it is called."""
    done = process("l1", "-i", "-", "-t", other, input=COLUMN)
    name = "standard input" if other == "-" else other
    hint = f"name a part of it for each, as in {other}#p and {other}#y"
    refused(done, 2, f"--input and --target cannot both read {name}", hint)


def test_one_file_for_two_arrays(capsys, folder):
    """A file may be read twice, through links and parts too."""
    (folder / "link.csv").symlink_to("v.csv")
    assert accept(capsys, ["l1", "-i", "v.csv", "-t", "link.csv#1"]) == "0.0\n"


# Standard output


@pytest.mark.parametrize("format", ["plain", "npy", "table"])
def test_reader_that_goes_away(folder, format):
    """A reader that has had enough is no error."""
    np.save("x.npy", np.arange(300_000.0))
    command = [sys.executable, "-m", "losscalc", "sigmoid", "-i", "x.npy", "-f", format, "--max-rows", "3000"]
    with subprocess.Popen(command, stdout=-1, stderr=-1) as running:
        running.stdout.read(10)
        running.stdout.close()
        error = running.stderr.read()
        assert (running.wait(timeout=60), error) == (0, b"")


# Files that are written


@pytest.mark.parametrize("name", ["keep.csv", "keep.npy", "keep.json.gz"])
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["bce", "-i", "2", "-t", "1"], 4),
        (["bce", "-i", "nope.csv", "-t", "1"], 3),
        (["sigmoid", "-i", "v.csv", "-f", "parquet"], 2),
        (["l1", "-i", "v.csv", "-t", "1,2"], 4),
    ],
)
def test_failure_leaves_the_old_file(capsys, folder, name, arguments, code):
    """A run that fails neither changes the output that was there nor leaves anything beside it."""
    (folder / name).write_bytes(b"old")
    before = snapshot(folder)
    assert cli.run([*arguments, "-o", name]) == code
    assert capsys.readouterr().out == ""
    assert snapshot(folder) == before


def limit_file_size() -> None:
    """Let no file grow beyond 4 KiB, in the process that is about to start."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))


def test_file_that_cannot_grow(folder):
    """When the file system refuses the bytes, the old file stands and no temporary file is left."""
    np.save("x.npy", np.arange(10_000.0))
    (folder / "keep.csv").write_bytes(b"old")
    before = snapshot(folder)
    done = process("sigmoid", "-i", "x.npy", "-o", "keep.csv", preexec_fn=limit_file_size)
    refused(done, 5, "keep.csv: cannot write: file too large")
    assert snapshot(folder) == before


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGTERM,
        signal.SIGHUP,
        signal.SIGINT,
        signal.SIGQUIT,
        signal.SIGALRM,
        signal.SIGXCPU,
        signal.SIGUSR1,
        signal.SIGVTALRM,
    ],
)
def test_signal_during_writing(folder, number):
    """A signal in the middle of writing leaves the old file, no temporary one, and the usual exit code."""
    (folder / "keep.csv").write_bytes(b"old")
    before = snapshot(folder)
    program = (
        "import os, sys, time\n"
        "def stall(handle):\n"
        "    print('writing', flush=True)\n"
        "    time.sleep(30)\n"
        "os.fsync = stall\n"
        "from losscalc.cli import run\n"
        "sys.exit(run(['sigmoid', '-i', 'v.csv', '-o', 'keep.csv']))\n"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=-1, stderr=-1, preexec_fn=heeding(number)) as running:
        assert running.stdout.readline() == b"writing\n"
        assert len(snapshot(folder)) == len(before) + 1
        running.send_signal(number)
        _, error = running.communicate(timeout=20)
    assert running.returncode == 128 + number
    assert b"Traceback" not in error
    assert snapshot(folder) == before


def test_two_runs_write_one_file(folder):
    """Of two runs that write one file at once, one wins as a whole."""
    np.save("a.npy", np.zeros(20_000))
    np.save("b.npy", np.full(20_000, np.inf))
    command = [sys.executable, "-m", "losscalc", "sigmoid", "-o", "out.csv", "-i"]
    running = [subprocess.Popen([*command, name]) for name in ("a.npy", "b.npy") * 2]
    assert [one.wait(timeout=60) for one in running] == [0] * 4
    assert set((folder / "out.csv").read_text().split()) in ({"0.5"}, {"1.0"})
    assert {path.name for path in folder.iterdir()} == {"a.npy", "b.npy", "m.csv", "out.csv", "v.csv"}


# Environments


@pytest.mark.parametrize(
    ("environment", "python"),
    [
        ({"PYTHONWARNINGS": "error"}, ()),
        ({"PYTHONDEVMODE": "1"}, ()),
        ({"PYTHONOPTIMIZE": "2"}, ()),
        ({"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, ()),
        ({"LC_ALL": "POSIX", "PYTHONIOENCODING": "ascii"}, ()),
        ({"PYTHONIOENCODING": "utf-16"}, ()),
        (
            {
                "COLUMNS": "abc",
                "LINES": "-1",
                "LC_ALL": "nope",
                "HOME": "/nope",
                "TMPDIR": "/nope",
                "TERM": "nope",
            },
            (),
        ),
        ({}, ("-I",)),
        ({}, ("-bb", "-W", "error", "-X", "dev")),
    ],
)
def test_environments_change_nothing(folder, environment, python):
    """Results, checks and messages are the same in every environment."""
    (folder / "f.npz").write_bytes(archive(("a.npy", npy())))
    (folder / "f.csv.gz").write_bytes(gzip.compress(b"1\n2\n3\nx\n"))
    settings = {"env": os.environ | environment, "python": python}
    done = process("l1", "-i", "f.npz#a", "-t", "0,0,0,0", "-f", "table", "-o", "out.txt", **settings)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert "1.5000 = 6.0000 / 4" in (folder / "out.txt").read_text("utf-8")
    done = process("sigmoid", "-i", "f.csv.gz", **settings)
    assert (done.returncode, done.stdout) == (3, b"")
    error = done.stderr.decode(environment.get("PYTHONIOENCODING", "utf-8"))
    assert error.startswith("losscalc: error: f.csv.gz:4:1: not a number, found 'x'\n")
    assert "Traceback" not in error


@pytest.mark.parametrize("name", ["é€.csv", "\U0001f642.csv", "caf\udce9.csv"])
def test_ascii_locale(folder, name):
    """Where the terminal knows ASCII alone, names are escaped and tables have ASCII borders."""
    environment = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    path = os.fsencode(name)
    done = process("sigmoid", "-i", path, env=environment)
    assert (done.returncode, done.stdout) == (3, b"")
    assert done.stderr.isascii()
    assert done.stderr.startswith(b"losscalc: error: ")
    done = process("l1", "-i", "v.csv", "-t", "0,0,0", "-r", "none", "-f", "table", env=environment)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.isascii()


@pytest.mark.parametrize("columns", ["abc", "-5", "0", "", "99999999", "1", "20", "1e3", "\u0663"])
def test_widths(capsys, monkeypatch, folder, columns):
    """Whatever the width is said to be, every number of a table is whole and no line is padded."""
    monkeypatch.setenv("COLUMNS", columns)
    np.save("x.npy", np.arange(1000.0, 1040.0).reshape(2, 20))
    table = accept(capsys, ["l1", "-i", "x.npy", "-t", "x.npy", "-r", "none", "-f", "table"])
    assert table.count("0.0000") == 2 * 20 + 2 + 2
    table = accept(capsys, ["softmax", "-i", "m.csv", "-f", "table", "-q"])
    assert table.count("0.2689") == table.count("0.7311") == 2
    assert max(map(len, table.splitlines())) < 80


@pytest.mark.parametrize(
    ("environment", "option", "colored"),
    [
        ({}, "auto", False),
        ({"FORCE_COLOR": "1"}, "auto", False),
        ({"CLICOLOR_FORCE": "1", "TTY_COMPATIBLE": "1"}, "auto", False),
        ({"NO_COLOR": "1"}, "auto", False),
        ({"NO_COLOR": "1"}, "always", True),
        ({"TERM": "dumb"}, "always", True),
        ({"FORCE_COLOR": "1"}, "never", False),
    ],
)
def test_colors(capsys, monkeypatch, environment, option, colored):
    """No escape codes but on a terminal, unless they are asked for by the option."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    table = accept(capsys, ["l1", "-i", "v.csv", "-t", "0,0,0", "-f", "table", "--color", option])
    assert ("\x1b" in table) == colored


def test_folder_that_is_gone(folder):
    """In a folder that was deleted, absolute paths still work."""
    gone = folder / "gone"
    gone.mkdir()
    line = f'cd "{gone}" && rmdir "{gone}" && exec "$0" -m losscalc "$@"'
    arguments = ["l1", "-i", str(folder / "v.csv"), "-t", "0,0,0", "-r", "none"]
    command = ["bash", "-c", line, sys.executable, *arguments]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, PRINTED)
