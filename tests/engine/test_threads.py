"""Laws of threads, over every loss of the registry: any number of them gives the same bits and errors."""

import gc
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from contextlib import suppress

import numpy as np
import pytest

from losscalc import cli, compute, explain, gradient, losses
from losscalc.core.operation import differentiable
from losscalc.core.registry import lookup
from losscalc.engine import block, work
from losscalc.engine.call import Call
from losscalc.engine.threads import on_threads
from losscalc.engine.work import Work
from losscalc.errors import DomainError, LosscalcError, LosscalcWarning
from tests.support.calls import computed
from tests.support.examples import example
from tests.support.signals import heeding

ALL = list(losses().values())
COUNTS = [1, 2, 5]


@pytest.mark.parametrize("cls", ALL)
def test_any_number_of_threads_gives_the_same_bits(cls, monkeypatch):
    """Of every reduction, and of the gradient of the mean; 120 rows in many small pieces."""
    arrays = example(cls, 120)
    loss = cls()

    def run(reduction, **options):
        return computed(loss, arrays, reduction, **options)

    first = next(iter(arrays))
    calls = [*(({"reduction": r}) for r in cls.reductions), {"reduction": "mean", "wrt": first}]
    monkeypatch.setattr(block, "BLOCK", 64)
    expected = [run(**call) for call in calls]
    for count in COUNTS:
        for call, whole in zip(calls, expected, strict=True):
            threaded = run(**call, threads=count)
            np.testing.assert_array_equal(threaded.value, whole.value)
            assert threaded.partial == whole.partial


@pytest.mark.parametrize("cls", ALL)
def test_several_blocks_at_once_give_the_same_bits(cls, monkeypatch):
    """Of every reduction, and of the gradients with respect to all arrays, also those that broadcast."""
    arrays = example(cls, 120)
    loss = cls()
    calls = [*({"reduction": r} for r in cls.reductions), *({"wrt": name} for name in differentiable(cls))]
    monkeypatch.setattr(block, "BLOCK", 4)
    for call in calls:
        reduction = call.pop("reduction", "mean" if "mean" in cls.reductions else cls.reductions[-1])
        one, two, four = (computed(loss, arrays, reduction, **call, threads=count) for count in (1, 2, 4))
        np.testing.assert_array_equal(two.value, one.value)
        np.testing.assert_array_equal(four.value, one.value)
        assert one.partial == two.partial == four.partial


@pytest.mark.parametrize(
    "name",
    ["cosine-embedding", "cosine-distance", "triplet-margin", "triplet-margin-with-distance", "contrastive"],
)
def test_several_long_rows_at_once_give_the_same_bits(name, monkeypatch):
    """NumPy may add up the products of a lone row in another way than those of several."""
    loss = lookup(name)()
    arrays = example(type(loss), 16)
    shape = next(iter(arrays.values())).shape
    draw = np.random.default_rng(0)
    arrays = {
        key: draw.normal(size=(16, 9_000)) if values.shape == shape else values
        for key, values in arrays.items()
    }
    monkeypatch.setattr(block, "BLOCK", 9_000)
    for call in ({}, {"wrt": next(iter(arrays))}):
        one, two = (computed(loss, arrays, "sum", **call, threads=count) for count in (1, 2))
        np.testing.assert_array_equal(two.value, one.value)


@pytest.mark.parametrize(
    ("threads", "width", "rows"),
    [(1, 1, 1), (2, 1, 4), (4, 1, 2), (9, 1, 1), (2, 1 << 18, 2), (2, 1 << 20, 1)],
)
def test_how_many_blocks_are_computed_at_once(monkeypatch, threads, width, rows):
    """Fewer for more threads, and one where a single row is a large block already."""
    cuts = []
    original = block.Block.cut
    monkeypatch.setattr(block.Block, "cut", lambda self, *to: cuts.append(to[1]) or original(self, *to))
    call = Call(lookup("mse")(), {"input": np.ones((2, 1)), "target": np.ones((2, 1))})
    layout = call.layout._replace(width=width)
    Work(call, layout, threads)(block.Block(dict(call.arrays)))
    assert cuts[0] == rows * block.block_rows(layout)


@pytest.mark.parametrize("is_locked", [True, False])
def test_blocks_are_computed_singly_where_threads_need_not_take_turns(monkeypatch, is_locked):
    """As in free-threaded Python; the sum is that of the whole numbers below."""
    sizes = []
    original = work.evaluate
    monkeypatch.setattr(sys, "_is_gil_enabled", lambda: is_locked, raising=False)
    monkeypatch.setattr(
        work, "evaluate", lambda *of: sizes.append(len(of[3].arrays["input"])) or original(*of)
    )
    monkeypatch.setattr(block, "BLOCK", 64)
    found = compute("l1", np.arange(6400.0), np.zeros(6400), reduction="sum", threads=2)
    assert (float(found), max(sizes)) == (6399 * 6400 / 2, 256 if is_locked else 64)


@pytest.mark.parametrize(("wrt", "width"), [(None, 1), ("input", 1000)])
def test_how_wide_a_row_is(wrt, width):
    """Of 1,000 log-probabilities one is read; their derivatives are all written."""
    arrays = {"input": np.zeros((2, 1000)), "target": np.zeros(2, int)}
    assert Call(lookup("nll")(), arrays, wrt=wrt).layout.width == width


def test_the_derivative_with_respect_to_a_row_that_broadcasts(monkeypatch):
    """It adds up over blocks, whose sums are rounded."""
    draw = np.random.default_rng(0)
    one, many = draw.normal(size=2), draw.normal(size=(400, 2))
    monkeypatch.setattr(block, "BLOCK", 8)
    found = [
        gradient("mse", one, many, broadcast=True, wrt="input", threads=count).tolist() for count in COUNTS
    ]
    assert found[0] == found[1] == found[2]


def test_the_places_of_pairs_in_several_blocks(monkeypatch):
    """The losses of pairs have no rows of their own, and are counted through."""
    draw = np.random.default_rng(0)
    scores, relevances = draw.normal(size=(60, 3)), np.tile([1.0, 0.0, -1.0], (60, 1))
    monkeypatch.setattr(block, "BLOCK", 3)
    for count in COUNTS:
        working = str(explain("ranknet", scores, relevances, padding=-1.0, threads=count))
        assert [line.partition(" ")[0] for line in working.splitlines()[1:4]] == ["[0]", "[1]", "[2]"]


def test_a_derivative_that_broadcasts_is_not_finite():
    """Its places are not those of rows."""
    target = np.ones((3, 7))
    target[1, 5] = np.inf
    with pytest.warns(LosscalcWarning, match=r"found -inf at \[5\]; hint: target is infinite there"):
        assert gradient("mse", np.zeros(7), target, broadcast=True)[5] == -np.inf


def test_what_is_told_of_several_blocks_at_once(monkeypatch):
    """The error of the earliest block, and the warnings in the order of the blocks, as on one thread."""
    scores, labels = np.full(4_000, 0.5), np.full(4_000, 1.0)
    scores[300], labels[5] = 2.0, 3.0
    monkeypatch.setattr(block, "BLOCK", 64)
    for count in COUNTS:
        with pytest.raises(DomainError) as caught:
            compute("bce", scores, labels, threads=count)
        assert (caught.value.argument, caught.value.index) == ("target", (5,))

    told = []
    for count in COUNTS:
        with pytest.warns(LosscalcWarning) as warnings:
            compute("bce-logits", np.where(scores > 1, np.nan, 3.0), labels, threads=count)
        told.append([str(each.message) for each in warnings])
    assert told[0] == told[1] == told[2]
    assert len(told[0]) == 2


@pytest.mark.parametrize("count", COUNTS)
def test_an_error_holds_no_arrays(monkeypatch, count):
    """Once it is caught, on whichever thread it was raised."""
    monkeypatch.setattr(block, "BLOCK", 64)
    gc.collect()
    gc.disable()
    try:
        scores = np.full(4_000, 0.5)
        scores[[100, 700, 3_000]] = 2.0
        held = weakref.ref(scores)
        with suppress(DomainError):
            compute("bce", scores, np.ones(4_000), threads=count)
        del scores
        # Another thread may be at work on a piece.
        deadline = time.monotonic() + 10
        while held() is not None and time.monotonic() < deadline:
            time.sleep(0.001)
        assert held() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("at", [0, 1, 5])
def test_the_first_error_by_order_wins(count, at):
    """Over errors of later items and of reading ahead, whichever of them comes first by the clock."""

    def items():
        yield from range(at + 1)
        raise LosscalcError("reading")

    def function(item):
        if item == at:
            time.sleep(0.02)
        if item >= at:
            raise LosscalcError(f"item {item}")
        return item

    results = on_threads(count)(function, items())
    assert [next(results) for _ in range(at)] == list(range(at))
    with pytest.raises(LosscalcError, match=f"item {at}"):
        next(results)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("length", [0, 1, 2, 20])
def test_errors_of_reading_come_behind_all_results(count, length):
    """What was read before is computed before."""

    def items():
        yield from range(length)
        raise LosscalcError("reading")

    results = on_threads(count)(lambda item: item, items())
    assert [next(results) for _ in range(length)] == list(range(length))
    with pytest.raises(LosscalcError, match="reading"):
        next(results)


def test_a_single_item_needs_no_thread():
    """The caller's own thread computes it."""
    idents = list(on_threads(4)(lambda item: threading.get_ident(), iter([0])))
    assert idents == [threading.get_ident()]


def test_a_call_leaves_no_cycle():
    """Its arrays are freed when it is over, not when the garbage collector comes."""
    numbers = np.ones(3)
    compute("mse", numbers, numbers)
    gc.collect()
    gc.disable()
    try:
        compute("mse", numbers, numbers)
        assert gc.collect() == 0
    finally:
        gc.enable()


@pytest.mark.slow
@pytest.mark.parametrize("count", ["1", "2", "5"])
def test_an_early_row_is_told_before_a_later_line(tmp_path, monkeypatch, capsys, count):
    """A class index outside in a first piece, and text that is no number in the last one."""
    monkeypatch.chdir(tmp_path)
    rows = 1_100_000
    np.save("x.npy", np.zeros((rows, 3), np.float16))
    lines = ["0"] * rows
    lines[7], lines[-1] = "3", "x"
    (tmp_path / "y.csv").write_text("\n".join(lines) + "\n")
    monkeypatch.setattr(block, "BLOCK", 16_384)

    assert cli.run(["cross-entropy", "-i", "x.npy", "-t", "y.csv", "--threads", count]) == 4
    assert "y.csv:8:1: --target must be a class index from 0 to 2" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [("--threads", "2"), ("--threads", "2", "--stats")])
def test_the_option(capsys, arguments):
    """On losses; so is the variable of the environment."""
    assert cli.run(["mse", "-i", "1,2", "-t", "1,4", *arguments]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("count", ["0", "1025", "2.5", "x"])
def test_numbers_of_threads_that_there_are_not(monkeypatch, capsys, count):
    """They are refused wherever they come from."""
    assert cli.run(["mse", "-i", "1", "-t", "1", "--threads", count]) == 2
    assert "'--threads'" in capsys.readouterr().err
    monkeypatch.setenv("LOSSCALC_THREADS", count)
    assert cli.run(["sigmoid", "-i", "1"]) == 2
    assert "'--threads'" in capsys.readouterr().err


def test_other_commands_have_it(capsys):
    """Those that compute losses; it does not change what they say."""
    for command in (["diagnose", "mse"], ["compare", "mse", "l1"], ["softmax"]):
        arrays = ["-i", "1,2,3", *(["-t", "1,2,4"] if command != ["softmax"] else [])]
        assert cli.run([*command, *arrays]) == 0
        plain = capsys.readouterr()
        assert cli.run([*command, *arrays, "--threads", "3"]) == 0
        assert capsys.readouterr() == plain


@pytest.mark.slow
def test_an_interrupt_ends_at_once(tmp_path):
    """In the middle of a run of minutes on several threads, with exit code 130 and one line."""
    shape = (20_000_000_000,)
    with open(tmp_path / "x.npy", "wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": shape})
        file.truncate(file.tell() + shape[0] * 8)
    command = [sys.executable, "-m", "losscalc", "bce-logits", "-i", "x.npy", "-t", "x.npy", "--threads", "3"]
    alone = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    heed = heeding(signal.SIGINT)
    with subprocess.Popen(command, cwd=tmp_path, env=alone, stdout=-1, stderr=-1, preexec_fn=heed) as running:
        while running.poll() is None and len(os.listdir(f"/proc/{running.pid}/task")) < 3:
            time.sleep(0.01)
        running.send_signal(signal.SIGINT)
        output, error = running.communicate(timeout=20)
    assert (running.returncode, output, error) == (130, b"", b"losscalc: error: interrupted\n")
