"""Results that are larger than memory: the bytes of one in memory, and all of them or none."""

import io
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from losscalc import cli, compute, losses
from losscalc.engine import block
from losscalc.inputs.compression import compress
from losscalc.outputs import spool
from losscalc.outputs.result import Result
from losscalc.outputs.writers import WRITERS
from tests.support.calls import computed
from tests.support.examples import example
from tests.support.hostile import refuse, snapshot
from tests.support.memory import peak_memory

ROWS = 1000


@pytest.fixture(autouse=True)
def arrays(tmp_path, monkeypatch):
    """Two matrices, one of them float32; few results fit into memory."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(ROWS, 3)).astype(np.float32), rng.normal(size=(ROWS, 3))
    np.save("x.npy", x)
    np.save("y.npy", y)
    monkeypatch.setattr(spool, "_MOST_IN_MEMORY", 1000)
    monkeypatch.setattr(spool, "_STEP", 1000)
    monkeypatch.setattr(block, "BLOCK", 256)
    return x, y


@pytest.fixture
def files(monkeypatch):
    """The temporary files that are made."""
    made = []
    original = spool.tempfile.TemporaryFile

    def temporary(**options):
        made.append(options["dir"])
        return original(**options)

    monkeypatch.setattr(spool.tempfile, "TemporaryFile", temporary)
    return made


@pytest.mark.slow
@pytest.mark.parametrize(
    ("compression", "precision"),
    [("", []), (".gz", []), (".bz2", []), (".xz", []), ("", ["--precision", "3"])],
)
@pytest.mark.parametrize("name", WRITERS)
def test_files_hold_the_bytes_of_a_result_in_memory(arrays, files, monkeypatch, name, precision, compression):
    """In every format, compressed or not: the losses, and derivatives, which are rounded at last."""
    monkeypatch.setattr("losscalc.outputs.writers._PART", 500)
    decimals = 3 if precision else None
    suffix = WRITERS[name].suffixes[0] + compression
    for reduction, options in (("none", []), ("mean", ["--gradient"]), ("sum", ["--gradient"])):
        command = ["mse", "-i", "x.npy", "-t", "y.npy", "-r", reduction, "-f", name, *options, *precision]
        assert cli.run([*command, "-o", f"streamed{suffix}"]) == 0
        monkeypatch.setattr(spool, "_MOST_IN_MEMORY", 1 << 30)
        assert cli.run([*command, "-o", f"kept{suffix}"]) == 0
        monkeypatch.setattr(spool, "_MOST_IN_MEMORY", 1000)
        with open(f"streamed{suffix}", "rb") as streamed, open(f"kept{suffix}", "rb") as kept:
            written = streamed.read()
            assert written == kept.read()
    assert files == [os.getcwd()] * 3
    if name == "json":
        return
    value = (2 * (arrays[0].astype(float) - arrays[1])).astype(np.float32)
    again = b"".join(WRITERS[name].pieces(Result("mse", value, {}, reduction="sum"), decimals))
    assert written == (b"".join(compress([again], compression)) if compression else again)


@pytest.mark.parametrize("cls", losses().values())
def test_gradients_that_wait_in_a_file(cls, tmp_path):
    """Of the mean, divided by a number that the last block decides: the bits of memory, for every loss."""
    arrays, loss = example(cls, 300, dtype=np.float32), cls()
    for reduction, wrt in (("mean", next(iter(arrays))), ("none", None)):
        with closing(spool.Spool("out.npy", str(tmp_path))) as waiting:
            results = [
                computed(loss, arrays, reduction, wrt=wrt, collector=collector)
                for collector in (None, waiting)
            ]
        np.testing.assert_array_equal(results[0].value, results[1].value)
        assert results[0].value.dtype == results[1].value.dtype
        assert [str(w) for w in results[0].warnings] == [str(w) for w in results[1].warnings]


def test_warnings(arrays, capsys):
    """Of losses that are not finite, and of derivatives that rounding makes infinite."""
    x = arrays[0].copy()
    x[700, 1] = np.inf
    np.save("x.npy", x)
    assert cli.run(["mse", "-i", "x.npy", "-t", "y.npy", "-r", "none", "-o", "o.npy"]) == 0
    assert "x.npy[700, 1]: a result is not finite, found inf" in capsys.readouterr().err
    np.save("x.npy", np.full((ROWS, 3), 3e4, np.float16))
    np.save("y.npy", np.full((ROWS, 3), -3e4, np.float16))
    assert cli.run(["mse", "-i", "x.npy", "-t", "y.npy", "-r", "sum", "--gradient", "-o", "o.npy"]) == 0
    assert "the sum is outside the range of float16" in capsys.readouterr().err


def test_activations_and_odd_shapes(arrays):
    """Three axes, rows without numbers, and no rows."""
    for shape in ((900, 2, 3), (5, 0), (0, 3), (0,)):
        np.save("z.npy", np.ones(shape))
        for name in ("npy", "jsonl"):
            assert cli.run(["sigmoid", "-i", "z.npy", "-o", f"o.{name}"]) == 0
        np.testing.assert_array_equal(np.load("o.npy"), compute("sigmoid", np.ones(shape)))


def test_errors_leave_what_was_there(arrays, capsys, files):
    """Of the last row, and of a format that cannot show so many axes."""
    with open("o.csv", "w") as file:
        file.write("old")
    target = np.zeros(ROWS)
    target[-1] = 3
    np.save("t.npy", target)
    before = snapshot(Path())
    assert cli.run(["cross-entropy", "-i", "x.npy", "-t", "t.npy", "-r", "none", "-o", "o.csv"]) == 4
    assert "t.npy[999]" in capsys.readouterr().err
    assert len(files) == 1
    assert snapshot(Path()) == before
    np.save("z.npy", np.ones((900, 2, 3)))
    message = "the result has 3 axes, more than rows and columns can show"
    refuse(capsys, ["sigmoid", "-i", "z.npy", "-o", "o.csv"], message, "give --format json or npy", code=2)


@pytest.mark.parametrize("step", [[], ["--gradient"]])
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_no_room_for_what_waits(capsys, monkeypatch, step):
    """A disk that is full while the result waits leaves the old file, and is named by the new one."""
    with open("o.npy", "w") as file:
        file.write("old")
    monkeypatch.setattr(spool.tempfile, "TemporaryFile", lambda **_: io.FileIO("/dev/full", "r+"))
    command = [
        "mse",
        "-i",
        "x.npy",
        "-t",
        "y.npy",
        "-r",
        "none" if not step else "mean",
        *step,
        "-o",
        "o.npy",
    ]
    refuse(capsys, command, "o.npy: cannot write: no space left on device", code=5)


def test_a_pipe_takes_it_too(arrays):
    """A result that waited goes into a pipe, or any device, as well as into a file."""
    command = [sys.executable, "-m", "losscalc", "sigmoid", "-i", "x.npy", "-f", "npy", "-o", "/dev/fd/1"]
    done = subprocess.run(command, capture_output=True, check=True)
    os.mkfifo("pipe")
    with subprocess.Popen(["cat", "pipe"], stdout=subprocess.PIPE) as reader:
        assert cli.run(["sigmoid", "-i", "x.npy", "-f", "npy", "-o", "pipe"]) == 0
        assert reader.communicate()[0] == done.stdout


@pytest.mark.slow
def test_a_large_result_needs_little_memory(tmp_path):
    """400 MB of losses into a file, in less than 150 MB beyond what importing costs."""
    shape = (50_000_000,)
    with open("z.npy", "wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": shape})
        file.truncate(file.tell() + shape[0] * 8)
    base = peak_memory("import losscalc.cli")
    run = "import losscalc.cli; losscalc.cli.run(sys.argv[1:])"
    peak = peak_memory(run, "l1", "-i", "z.npy", "-t", "z.npy", "-r", "none", "-o", "o.npy", "--threads", "2")

    assert os.path.getsize("o.npy") == os.path.getsize("z.npy")
    assert peak - base < 150e6
