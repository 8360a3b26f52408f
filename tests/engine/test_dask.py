"""A cluster that computes: the bits and messages of one machine, whatever becomes of its workers."""

import os
import pickle
import re
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

from losscalc import cli, errors, losses
from losscalc.core.reductions import REDUCTIONS
from losscalc.core.registry import lookup
from losscalc.core.shapes import Layout
from losscalc.engine import block
from losscalc.engine import compute as engine
from losscalc.engine import dask as cluster
from losscalc.engine.call import Call
from losscalc.engine.dask import _outcomes, plan
from losscalc.errors import LosscalcError, LosscalcWarning
from losscalc.inputs.address import open_array, parse_address
from losscalc.inputs.options import Reading
from tests.inputs.test_shards import BORDERS, save
from tests.support.calls import computed
from tests.support.examples import example
from tests.support.hostile import accept, refuse
from tests.support.pages import read

pytestmark = pytest.mark.slow

ROWS = int(BORDERS[-1])
LOGITS = [
    "x.npy", "xf.npy", "x-*.npy", "x-*.csv", "x.csv", "xy-*.npz#x", "x-*.csv.gz", "x-*.jsonl"
]  # fmt: skip


@pytest.fixture(autouse=True)
def arrays(tmp_path, monkeypatch):
    """Logits and labels, in one file and in several, and small blocks."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(block, "BLOCK", 64)
    monkeypatch.setattr(cluster, "_PIECES", 2)
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(ROWS, 4)), rng.integers(0, 4, ROWS)
    np.save("x.npy", x)
    np.save("xf.npy", np.asfortranarray(x))
    np.save("y.npy", y)
    np.savetxt("x.csv", x, delimiter=",", fmt="%.17g")
    for number in range(len(BORDERS) - 1):
        rows = slice(BORDERS[number], BORDERS[number + 1])
        save(number, x[rows], y[rows])
    return x, y


def through_tasks(call, layout):
    """What a cluster does, without one: every task is pickled, and so is what it comes to."""
    for task in plan(call, layout):
        found = pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(task))()))
        if isinstance(found, LosscalcError):
            raise found
        yield found


@pytest.fixture
def pretended(monkeypatch):
    """The option that names a cluster leads to tasks in this process."""
    from contextlib import contextmanager

    @contextmanager
    def connected(address):
        yield through_tasks

    monkeypatch.setattr(cluster, "connected", connected)


DASK = ["--dask", "tcp://127.0.0.1:8786"]


@pytest.mark.parametrize("cls", losses().values())
def test_tasks_give_the_bits_of_one_machine(cls):
    """Of every loss and reduction, and of the derivative of the mean."""
    arrays, loss = example(cls, 300, dtype=np.float32), cls()
    first = next(iter(arrays))
    for reduction, wrt in (*((name, None) for name in cls.reductions), ("mean", first)):
        results = [computed(loss, arrays, reduction, wrt=wrt, run=run) for run in (None, through_tasks)]
        np.testing.assert_array_equal(results[0].value, results[1].value)
        assert results[0].partial == results[1].partial


@pytest.mark.parametrize("labels", ["y.npy", "y-*.npy", "y-*.csv"])
@pytest.mark.parametrize("scores", LOGITS)
def test_files(pretended, capsys, scores, labels):
    """Whatever they are, and whether their rows or their number lead to tasks, or there is one only."""
    for options in ([], ["-r", "none"], ["--gradient"]):
        command = ["cross-entropy", "-i", scores, "-t", labels, "--weight", "1,2,3,4", *options]
        assert accept(capsys, [*command, *DASK]) == accept(capsys, command)


def test_how_work_is_divided():
    """By rows where those can be found, else by files, else not at all."""
    reading = Reading()

    def tasks(scores, labels):
        sources = {
            n: open_array(parse_address(a), n, reading) for n, a in (("input", scores), ("target", labels))
        }
        loss = lookup("cross-entropy")()
        call = Call(loss, sources, REDUCTIONS["mean"])
        found = list(plan(call, call.layout))
        for source in sources.values():
            source.close()
        assert [task.keywords.get("is_first", True) for task in found] == [True] + [False] * (len(found) - 1)
        return len(found)

    by_rows = -(-ROWS // (engine._BLOCKS * 64 // 2))
    assert tasks("x.npy", "y.npy") == tasks("x-*.npy", "y.npy") == tasks("x-*.npy", "y-*.npy") == by_rows
    assert tasks("x-*.npy", "y-*.csv") == tasks("xy-*.npz#x", "y-*.csv") == len(BORDERS) - 1
    assert tasks("x.csv", "y.npy") == tasks("x-*.csv", "y.npy") == 1


@pytest.mark.parametrize(("reduction", "outcomes"), [("mean", 1), ("none", 8)])
def test_what_comes_back_from_a_task(arrays, reduction, outcomes):
    """Of sums some hundred bytes, however many blocks there were; where values are wanted all of them."""
    x = arrays[0].ravel()
    call = Call(lookup("mse")(), {"input": x, "target": x + 1.0}, REDUCTIONS[reduction])
    found = next(plan(call, call.layout))()
    assert len(found) == outcomes
    assert (len(pickle.dumps(found)) < 1000) == (outcomes == 1)


@pytest.mark.parametrize("kind", ["npy", "csv"])
def test_errors_and_their_places(pretended, arrays, capsys, kind):
    """A value out of range, text that is no number, a file that is gone and files that do not fit."""
    command = ["cross-entropy", "-i", "x-*.npy", "-t", f"y-*.{kind}"]
    y = arrays[1][BORDERS[2] : BORDERS[3]].copy()
    y[100] = 9
    save(2, arrays[0][BORDERS[2] : BORDERS[3]], y)
    refused(capsys, command)
    if kind == "csv":
        Path("y-2.csv").write_text("label\n1\nx\n")
        refused(capsys, command)
    save(2, arrays[0][BORDERS[2] : BORDERS[3]], y[:-1])
    refused(capsys, command)
    for wrong in (np.zeros((9, 3)), np.zeros((9, 4), np.float32)):
        np.save("x-1.npy", wrong)
        refused(capsys, command)


def refused(capsys, command):
    """The message that one machine gives too."""
    assert cli.run(command) in (3, 4)
    expected = capsys.readouterr()
    assert "losscalc: error: " in expected.err
    assert cli.run([*command, *DASK]) in (3, 4)
    assert capsys.readouterr() == expected


@pytest.mark.parametrize("name", ["x.npy", "x-*.npy", "x-*.csv"])
def test_warnings_and_their_places(pretended, arrays, capsys, name):
    """What is not finite is told of the same row of the same file."""
    x = arrays[0].copy()
    x[250, 1] = np.nan
    np.save("x.npy", x)
    save(3, x[BORDERS[3] : BORDERS[4]], arrays[1][BORDERS[3] : BORDERS[4]])
    save(2, x[BORDERS[2] : BORDERS[3]], arrays[1][BORDERS[2] : BORDERS[3]])
    save(4, x[BORDERS[4] :], arrays[1][BORDERS[4] :])
    command = ["softmax", "-i", name, "-o", "o.npy", "--na", "nan"]
    assert cli.run(command) == 0
    expected = capsys.readouterr().err
    assert "a result is not finite" in expected
    assert cli.run([*command, *DASK]) == 0
    assert capsys.readouterr().err == expected


def test_literals(pretended, capsys):
    """They travel with their task; their errors name the option and the index."""
    for target, code in (("0,1,1", 0), ("0,1,7", 4), ("[0,1,1]", 0), ("[0,1,7]", 4), ("0", 4)):
        command = ["cross-entropy", "-i", "[[1,2],[0,3],[1,1]]", "-t", target]
        assert cli.run(command) == code
        expected = capsys.readouterr()
        assert cli.run([*command, *DASK]) == code
        assert capsys.readouterr() == expected


def test_a_state_and_missing_numbers(pretended, capsys):
    """The arrays of a state are read by every worker, and rows are left out of all arrays alike."""
    arrays = example(losses()["adaptive-log-softmax"], 100)
    np.save("a.npy", arrays["input"])
    np.save("b.npy", arrays["target"])
    np.savez("state.npz", **arrays["state"])
    command = ["adaptive-log-softmax", "-i", "a.npy", "-t", "b.npy", "--state", "state.npz"]
    assert accept(capsys, [*command, *DASK]) == accept(capsys, command)
    Path("n-1.csv").write_text("\n".join(["1", "NA"] * 50) + "\n")
    Path("n-2.csv").write_text("\n".join(["1", "2"] * 50) + "\n")
    command = ["mse", "-i", "n-?.csv", "-t", "n-?.csv", "--na", "drop", "-r", "none"]
    assert cli.run(command) == 0
    expected = capsys.readouterr()
    assert expected.err == "losscalc: warning: left out 50 rows with a missing number\n"
    assert cli.run([*command, *DASK]) == 0
    assert capsys.readouterr() == expected


def test_what_a_cluster_does_not_do(capsys):
    """Standard input, what looks at whole arrays, and addresses of nothing."""
    hint = "put the array in a file that all workers can read"
    message = "a cluster cannot read the standard input of --target"
    refuse(capsys, ["mse", "-i", "x.npy", "-t", "-", *DASK], message, hint, code=2)
    for option in (["--stats"], ["--explain"], ["--expect", "1"]):
        assert cli.run(["mse", "-i", "1", "-t", "1", *option, *DASK]) == 2
        assert f"{option[0]} and --dask do not go together" in capsys.readouterr().err
    assert cli.run(["diagnose", "mse", "-i", "1", "-t", "1", *DASK]) == 2


def test_without_the_extra(capsys, monkeypatch):
    """The hint says what to install."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    hint = "pip install 'losscalc[dask]'"
    refuse(capsys, ["mse", "-i", "1", "-t", "1", *DASK], "--dask needs distributed", hint, code=2)


def test_another_version():
    """Workers that compute something else are refused."""
    found = _outcomes(Call(lookup("mse")()), Layout(frozenset(), 1), "0.0.1", {})
    assert isinstance(found, errors.UsageError)
    assert "the workers of the cluster must have losscalc 0.0.1" in str(found)


def classes(cls):
    """A class and all below it."""
    return [cls, *(below for child in cls.__subclasses__() for below in classes(child))]


@pytest.mark.parametrize("cls", [*classes(LosscalcError), LosscalcWarning])
def test_errors_pickle(cls):
    """With all their facts."""
    error = cls(
        "`target` is bad",
        found="x",
        hint="look at `target`",
        argument="target",
        index=(1, 2),
        location=errors.Location("a.csv", 3, 4, "#x"),
    )
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is cls
    assert vars(again) == vars(error)
    assert (again.describe(), again.advise(), str(again)) == (error.describe(), error.advise(), str(error))


@pytest.fixture(scope="module")
def dask():
    """A small cluster on this machine, with two workers in processes of their own."""
    distributed = pytest.importorskip("distributed", reason="distributed is not installed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None
        ) as local,
        distributed.Client(local, set_as_default=False) as client,
    ):
        yield client, local.scheduler_address


@pytest.mark.parametrize("scores", ["x.npy", "x-*.csv"])
def test_a_cluster(dask, capsys, scores):
    """The same bits, in files too; errors and warnings come back with their places."""
    _, address = dask
    command = ["cross-entropy", "-i", scores, "-t", "y-*.npy"]
    assert accept(capsys, [*command, "--dask", address]) == accept(capsys, command)
    assert cli.run([*command, "-r", "none", "-o", "a.npy"]) == 0
    assert cli.run([*command, "-r", "none", "-o", "b.npy", "--dask", address]) == 0
    assert Path("a.npy").read_bytes() == Path("b.npy").read_bytes()
    Path("y-3.npy").unlink()
    np.save("y-3.npy", np.full(99, 9))
    assert cli.run(command) == 4
    expected = capsys.readouterr()
    assert cli.run([*command, "--dask", address]) == 4
    assert capsys.readouterr() == expected


def test_the_command_of_the_guide(dask, capsys, monkeypatch):
    """It does what it says, with the address of a scheduler that there is."""
    root = Path(__file__).resolve().parents[2]
    text = read("large-data")
    command = re.findall("^`losscalc (.*) --dask tcp://scheduler:8786`$", text, re.MULTILINE)
    monkeypatch.chdir(root)
    words = command[0].split()
    assert accept(capsys, [*words, "--dask", dask[1]]) == accept(capsys, words)


def test_a_worker_that_dies(dask, monkeypatch, capsys, tmp_path):
    """In the middle of a run: what it had to do is done by the others, to the same bits."""
    client, address = dask
    monkeypatch.undo()
    monkeypatch.setattr(cluster, "_PIECES", 4)
    path = str(tmp_path / "big.npy")
    x = np.lib.format.open_memmap(path, "w+", np.float64, (12_000_000,))
    x[::1000] = np.linspace(-1, 1, 12_000)
    x.flush()
    del x
    command = ["bce-logits", "-i", path, "-t", path, "-q"]
    expected = accept(capsys, command)
    victims = [min(client.run(os.getpid).values())]
    original = cluster._result

    def result(future, address):
        found = original(future, address)
        while victims:
            os.kill(victims.pop(), signal.SIGKILL)
        return found

    monkeypatch.setattr(cluster, "_result", result)
    before = set(client.run(os.getpid).values())
    assert accept(capsys, [*command, "--dask", address]) == expected
    assert not victims
    client.wait_for_workers(2, timeout=30)
    assert set(client.run(os.getpid).values()) != before


@pytest.mark.parametrize(
    ("address", "code", "message"),
    [
        ("tcp://127.0.0.1:9", 3, "tcp://127.0.0.1:9: no Dask scheduler answers"),
        (
            "no.such.host.invalid:8786",
            3,
            "no.such.host.invalid:8786: no Dask scheduler answers",
        ),
        ("", 2, "--dask is not the address of a scheduler, found ''"),
        ("foo://x", 2, "--dask is not the address of a scheduler, found 'foo://x'"),
    ],
)
def test_addresses_of_nothing(capsys, monkeypatch, address, code, message):
    """They are refused within the time that is given to a scheduler."""
    pytest.importorskip("distributed", reason="distributed is not installed")
    monkeypatch.setattr(cluster, "_PATIENCE", 1)
    assert cli.run(["mse", "-i", "1", "-t", "1", "--dask", address]) == code
    assert f"losscalc: error: {message}\n" in capsys.readouterr().err
