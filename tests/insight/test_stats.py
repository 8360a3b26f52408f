"""A closer look at losses: spread, worst, picture, comparison, diagnosis, and weights out of labels."""

import io
import json
import os
import re
import sys
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import losscalc
from losscalc import cli, losses
from losscalc.catalogue.base import Loss
from losscalc.core.reductions import MEAN, Partial
from losscalc.engine import block
from tests.support.examples import converted, example, has_single_losses

ALL = [cls for cls in losses().values() if has_single_losses(cls)]
WHOLE = [cls for cls in losses().values() if not has_single_losses(cls)]
ROWS = 12
SPREAD = ["losses", "min", "quartile1", "median", "quartile3", "max", "mean", "std"]
LABELS = [{"quartile1": "Q1", "quartile3": "Q3"}.get(name, name) for name in SPREAD]
IGNORED = -100


class Outcome(NamedTuple):
    """What a command came to."""

    code: int
    out: str
    err: str

    def sheet(self, title: str) -> list[dict[str, Any]]:
        """The rows of one table of the JSON that was printed."""
        assert self.code == 0, self.err
        return json.loads(self.out)[title]

    def facts(self, title: str = "stats") -> dict[str, Any]:
        """The names and values of a table of a loss."""
        facts = json.loads(self.out)[title]
        assert self.code == 0, self.err
        assert facts.pop("loss") in losses()
        return facts


Run = Callable[..., Outcome]


@pytest.fixture
def run(capsysbinary, tmp_path, monkeypatch) -> Run:
    """Run a command in an empty directory."""
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str) -> Outcome:
        code = cli.run(arguments)
        captured = capsysbinary.readouterr()
        return Outcome(code, captured.out.decode(), captured.err.decode())

    return command


def text(values: Any) -> str:
    """An array as it is typed."""
    return json.dumps(np.asarray(values).tolist())


def saved(cls: type[Loss], arrays: dict[str, Any]) -> list[str]:
    """The command of a loss on these arrays, put into files of the current directory."""
    words = [cls.name]
    for name, array in arrays.items():
        file = f"{name}.{'npz' if isinstance(array, dict) else 'npy'}"
        if isinstance(array, dict):
            np.savez(file, **array)
        else:
            np.save(file, array)
        words += [f"--{name.replace('_', '-')}", file]
    return words


def softplus(x: np.ndarray) -> np.ndarray:
    """ln(1 + exp x), in plain NumPy."""
    return np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0)


def nats(scores: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The cross-entropy of each row, in plain NumPy."""
    return np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(len(scores)), target]


def numbers(facts: dict[str, float]) -> list[float]:
    """The spread as numbers, in its order."""
    assert list(facts) == SPREAD
    return list(facts.values())


def spread_of(values: np.ndarray, mean: float | None = None) -> list[float]:
    """The same from NumPy."""
    quartiles = np.percentile(values, [0, 25, 50, 75, 100])
    return [len(values), *quartiles, values.mean() if mean is None else mean, np.std(values)]


# Every loss there is.


def counted(cls: type[Loss], arrays: dict[str, Any]) -> np.ndarray:
    """Which of the losses count: in the examples, class targets are ignored, and what is not under a mask."""
    for name in {"mask", "event"} & arrays.keys():
        return np.asarray(arrays[name]) == 1
    terms = cls().terms(**converted(arrays, np.float64))
    if terms.rows is not None:
        return np.ones(len(terms.value), dtype=bool)
    name = next((name for name in ("target", "targets") if name in arrays), None)
    if name is None or arrays[name].ndim != 1 or arrays[name].dtype.kind != "i":
        return np.ones(ROWS, dtype=bool)
    return arrays[name] != IGNORED


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("cls", ALL)
def test_stats_of_every_loss(cls, dtype, run):
    """Quartiles and deviation are NumPy's of the losses that count; the mean is that of the loss."""
    arrays = example(cls, ROWS, seed=5, dtype=dtype)
    single = losscalc.compute(cls.name, **arrays, reduction="none").astype(np.float64)
    kept = single[counted(cls, arrays)].reshape(-1)
    mean = losscalc.compute(cls.name, **example(cls, ROWS, seed=5, dtype=dtype), dtype="float64")
    if cls.link is not None:
        # The spread is that of the losses, before a function is applied to their mean.
        wide = example(cls, ROWS, seed=5, dtype=dtype)
        mean = MEAN.finish(Partial.of(cls(), cls().terms(**converted(wide, np.float64))))

    for reduction in cls.reductions:
        facts = run(*saved(cls, arrays), "--stats", "-q", "-r", reduction, "-f", "json").facts()
        # A mean in the dtype of the losses is rounded to it; the spread keeps all digits.
        rtol = 1e-12 if dtype is np.float64 else 1e-6
        np.testing.assert_allclose(numbers(facts), spread_of(kept, float(mean)), rtol=rtol)


@pytest.mark.parametrize("cls", ALL)
def test_worst_of_every_loss(cls, run):
    """All losses that count, the largest first, each as it stands at its index, and shares that make 1."""
    arrays = example(cls, ROWS, seed=6)
    single = losscalc.compute(cls.name, **arrays, reduction="none")
    kept = single[counted(cls, arrays)]
    words = [*saved(cls, arrays), "-q", "-f", "json", "--worst"]

    rows = run(*words, "1000").sheet("worst")
    found = [row["loss"] for row in rows]
    places = [tuple(row["index"]) for row in rows]
    assert found == sorted(kept.reshape(-1).tolist(), reverse=True)
    assert found == [single[place] for place in places]
    assert len(set(places)) == kept.size
    shares = [row["share"] for row in rows]
    np.testing.assert_allclose(shares, np.abs(found) / np.abs(found).sum(), rtol=1e-12)
    assert run(*words, "2").sheet("worst") == rows[:2]


@pytest.mark.parametrize("cls", ALL)
def test_diagnosis_of_every_loss(cls, run):
    """Each has context, spread, five worst and a histogram whose counts add up."""
    arrays = example(cls, ROWS, seed=7)
    outcome = run("diagnose", *saved(cls, arrays), "-q", "-f", "json")
    count = outcome.facts("stats")["losses"]

    assert count == losscalc.compute(cls.name, **arrays, reduction="none")[counted(cls, arrays)].size
    assert len(outcome.sheet("worst")) == min(5, count)
    assert sum(row["count"] for row in outcome.sheet("histogram")) == count
    assert outcome.facts("context")["mean"] == losscalc.compute(cls.name, **arrays)


@pytest.mark.parametrize("cls", WHOLE)
def test_losses_of_the_whole_batch_have_no_statistics(cls, run):
    """Which is said; a plot needs matplotlib first of all, and a diagnosis does without them."""
    words = saved(cls, example(cls, ROWS, seed=7))
    plots = [["--plot", "picture.svg"]] if find_spec("matplotlib") else []
    for command in (["--stats"], ["--worst", "3"], *plots):
        code, out, err = run(*words, *command)
        assert (code, out) == (2, "")
        assert err == f"losscalc: error: {cls.name} has no single losses: it is a function of sums\n"
    outcome = run("diagnose", *words, "-f", "json")
    assert outcome.code == 0
    assert f"losscalc: note: {cls.name} has no single losses: it is a function of sums\n" in outcome.err
    assert [*json.loads(outcome.out)] == ["context"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bce", "cross-entropy", "ctc", "triplet-margin", "adaptive-log-softmax"])
def test_plot_of_losses(name, run):
    """A picture, whatever the losses are made of."""
    cls = losses()[name]
    words = [*saved(cls, example(cls, ROWS, seed=8)), "-q"]
    outcome = run(*words, "--plot", "picture.svg")
    assert (outcome.code, outcome.out) == (0, run(*words).out)
    assert b"<svg" in Path("picture.svg").read_bytes()


# --stats


def test_stats_by_hand(run):
    """Squares of 1 to 4: quartiles between them, as NumPy takes them by default."""
    facts = run("mse", "-i", "4,1,3,2", "-t", "0,0,0,0", "--stats", "-f", "json").facts()
    # sorted 1 4 9 16; q1 at 0.75: 1 + 0.75·3; median (4 + 9)/2; q3 at 2.25: 9 + 0.25·7;
    # variance (1 + 16 + 81 + 256)/4 - 7.5² = 32.25
    expected = [4, 1, 3.25, 6.5, 10.75, 16, 7.5, 32.25**0.5]
    np.testing.assert_allclose(numbers(facts), expected, rtol=1e-15)


@pytest.mark.parametrize(
    ("scores", "target"),
    [
        ([0.5, -1.0, 2.0], [1, 0, 0]),
        ([[0.5, -1.0], [2.0, 0.25]], [[1, 0], [0, 1]]),
        ([[[0.5], [1.5]], [[-2.0], [0.0]]], [[[1], [1]], [[0], [0]]]),
    ],
    ids=["1-D", "2-D", "3-D"],
)
def test_stats_of_shapes(scores, target, run):
    """Losses of all elements count, whatever their shape."""
    words = ["bce-logits", "-i", text(scores), "-t", text(target), "--stats", "-f", "json"]
    x, y = np.array(scores), np.array(target)
    expected = spread_of((softplus(x) - x * y).reshape(-1))
    np.testing.assert_allclose(numbers(run(*words).facts()), expected, rtol=1e-14)


def test_stats_of_rows(run):
    """A loss of rows has one number per row."""
    # max(0, |a - p| - |a - n| + 1) of the rows: 5 - 1 + 1, and 1 - 5 + 1.
    words = ["triplet-margin", "--anchor", "[[3,4],[0,0]]", "--positive", "[[0,0],[0,1]]"]
    words += ["--negative", "[[3,3],[3,4]]", "--eps", "0"]
    facts = run(*words, "--stats", "-f", "json").facts()
    np.testing.assert_allclose(numbers(facts), [2, 0, 1.25, 2.5, 3.75, 5, 2.5, 2.5], rtol=1e-15)


@pytest.mark.parametrize("option", ["--stats", "--worst"])
def test_no_warnings_of_numpy(option, run):
    """A distance of 0 is no more an error, or a line on standard error, than without the option."""
    words = ["triplet-margin", "--anchor", "[[3,4]]", "--positive", "[[3,4]]", "--negative", "[[0,0]]"]
    assert run(*words, "--eps", "0") == (0, "0.0\n", "")
    outcome = run(*words, "--eps", "0", option, *(["1"] if option == "--worst" else []))
    assert (outcome.code, outcome.err) == (0, "")


def test_stats_of_losses_whose_squares_overflow(run):
    """Quartiles lie between the numbers, and the deviation is half their distance."""
    facts = run("nll", "-i", "[[1e308,0],[-1.7e308,0]]", "-t", "0,0", "-q", "--stats", "-f", "json").facts()
    expected = [2, -1e308, -3.25e307, 3.5e307, 1.025e308, 1.7e308, 3.5e307, 1.35e308]
    np.testing.assert_allclose(numbers(facts), expected, rtol=1e-14)


def test_stats_of_a_lone_number(run):
    """One loss without any axis is its own minimum, median and maximum."""
    facts = run("mse", "-i", "3", "-t", "1", "--stats", "-f", "json").facts()
    assert numbers(facts) == [1, 4, 4, 4, 4, 4, 4, 0]


def test_stats_leave_out_ignored_rows(run):
    """Rows with the ignored class take no part, and the mean is divided by the weights of the others."""
    scores = np.array([[2.0, 1.0, 0.0], [0.0, 1.0, 3.0], [1.0, 1.0, 1.0], [9.0, 0.0, 0.0]])
    weight = np.array([1.0, 2.0, 5.0])
    words = ["cross-entropy", "-i", text(scores), "-t", "0,2,1,-100", "--weight", "1,2,5"]
    target = np.array([0, 2, 1])
    single = weight[target] * nats(scores[:3], target)

    facts = run(*words, "--stats", "-f", "json").facts()
    expected = spread_of(single, single.sum() / weight.sum())
    np.testing.assert_allclose(numbers(facts), expected, rtol=1e-14)
    rows = run(*words, "--worst", "9", "-f", "json").sheet("worst")
    assert [row["index"] for row in rows] == [[i] for i in np.argsort(-single)]


def test_stats_of_ignored_pixels(run):
    """Ignored places inside of rows are left out as well."""
    np.save("x.npy", np.log([[[0.5, 0.25], [0.5, 0.75]]]))
    words = ["nll", "-i", "x.npy", "-t", "[[0,-100]]", "-f", "json"]
    assert numbers(run(*words, "--stats").facts())[0] == 1
    (row,) = run(*words, "--worst", "3").sheet("worst")
    assert (row["index"], row["loss"], row["share"]) == ([0, 0], pytest.approx(np.log(2)), 1.0)


def test_stats_when_every_row_is_ignored(run):
    """There are no losses, so nothing is known of them; and nobody is the worst."""
    words = ["cross-entropy", "-i", "[[1,2],[3,4]]", "-t", "-100,-100", "-q", "-f", "json"]
    facts = run(*words, "--stats").facts()
    assert facts.pop("losses") == 0
    assert set(facts.values()) == {None}
    assert run(*words, "--worst", "3").sheet("worst") == []
    assert run("diagnose", *words).facts("stats")["losses"] == 0


@pytest.mark.parametrize("loss", ["mse", "l1", "bce-logits", "cross-entropy"])
@pytest.mark.parametrize(
    "option",
    [["--stats"], ["--worst", "2"], ["--plot", "empty.png"], []],
    ids=["stats", "worst", "plot", "diagnose"],
)
def test_no_rows(loss, option, run, request):
    """Of arrays without rows there is nothing to see, and that is no error."""
    if option[:1] == ["--plot"]:
        pytest.importorskip("matplotlib")
    shape = (0, 3) if loss == "cross-entropy" else (0,)
    np.save("x.npy", np.zeros(shape))
    np.save("y.npy", np.zeros(0, int))
    words = [*([] if option else ["diagnose"]), loss, "-i", "x.npy", "-t", "y.npy", *option]
    outcome = run(*words, "-q", "-f", "json")
    assert (outcome.code, outcome.err) == (0, "")
    if option == ["--stats"]:
        assert outcome.facts()["losses"] == 0


def test_stats_of_no_data(run):
    """An empty literal is no array: exit code 3."""
    assert run("mse", "-i", "[]", "-t", "[]", "--stats").code == 3


def test_stats_with_nan(run):
    """With a NaN among the losses all of them are unknown, and a warning says where it is."""
    outcome = run("mse", "-i", "1,nan,2", "-t", "0,0,0", "--stats", "-f", "json")
    facts = outcome.facts()
    assert facts.pop("losses") == 3
    assert set(facts.values()) == {None}
    assert "--input[1]: a result is not finite, found nan" in outcome.err
    assert run("mse", "-i", "1,nan,2", "-t", "0,0,0", "--stats", "-W", "error").code == 4


def test_worst_with_nan(run):
    """A NaN counts as largest, infinity comes next, and of no share a number is made up."""
    outcome = run("l1", "-i", "1,inf,nan,3", "-t", "0,0,0,0", "--worst", "3", "-f", "json", "-q")
    rows = outcome.sheet("worst")
    # NaN and infinity stand above all numbers; which of the two is first is not promised.
    assert sorted(row["index"] for row in rows[:2]) == [[1], [2]]
    assert [row["loss"] for row in rows] == [None, None, 3.0]
    assert rows[2] == {"index": [3], "input": 3, "target": 0, "loss": 3.0, "share": None}


def test_minus_infinity_is_least(run):
    """A loss of minus infinity stands behind every number."""
    outcome = run(
        "nll", "-i", "[[Infinity,0],[2,0],[-1,0]]", "-t", "0,0,0", "--worst", "3", "-q", "-f", "json"
    )
    assert [row["index"] for row in outcome.sheet("worst")] == [[2], [1], [0]]


def test_worst_of_zeros(run):
    """Where all losses are 0 none has a share, and the order is that of the rows."""
    rows = run("mse", "-i", "1,2,3", "-t", "1,2,3", "--worst", "2", "-f", "json").sheet("worst")
    assert [(row["index"], row["share"]) for row in rows] == [([0], 0.0), ([1], 0.0)]


def test_worst_of_equals(run):
    """Of equal losses the first comes first."""
    rows = run("mse", "-i", "1,3,-1,3", "-t", "0,0,0,0", "--worst", "4", "-f", "json").sheet("worst")
    assert [row["index"] for row in rows] == [[1], [3], [0], [2]]


def test_worst_beside(run):
    """Of a row of scores the first six are shown, and what else there is of the row; JSON has all."""
    scores = np.array([[*range(8)], [*range(8, 0, -1)]], float)
    words = ["cross-entropy", "-i", text(scores), "-t", "7,7", "--worst", "1", "-f"]
    assert "\t8, 7, 6, 5, 4, 3, …\t7\t" in run(*words, "plain").out
    (row,) = run(*words, "json").sheet("worst")
    assert (row["input"], row["target"]) == ([8, 7, 6, 5, 4, 3, 2, 1], 7)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        pytest.param(
            ["cross-entropy", "-i", "[[1,2],[3,9]]", "-t", "0,1", "--weight", "1,2"],
            "weight",
        ),
        pytest.param(
            ["bce-logits", "-i", "[[1,2],[3,4]]", "-t", "[[0,1],[1,1]]", "--pos-weight", "2,5"],
            "pos_weight",
        ),
    ],
    ids=["classes", "columns"],
)
def test_worst_beside_what_belongs_elsewhere(words, name, run):
    """An array whose axis 0 is not that of the losses has nothing that belongs to one of them.

    With as many classes, or columns, as rows, the row's number would pick a weight of another class.
    """
    rows = run(*words, "--worst", "9", "-q", "-f", "json").sheet("worst")
    assert all(name not in row for row in rows)


PLANES = "[[[1,2],[3,4],[5,9]],[[1,2],[3,4],[0,1]]]"


def test_worst_of_a_file(run):
    """Where a loss stands, and what was predicted: softmax(3, 1)[0] is 1/(1 + e^-2), and 1 less the other."""
    Path("x.csv").write_text("cat,dog\n1,2\n3,1\n,\n0,0\n", "utf-8")
    Path("y.csv").write_text("1\n1\n0\n0\n", "utf-8")
    words = ["cross-entropy", "-i", "x.csv", "-t", "y.csv", "--na", "input=drop", "-q", "--worst", "1"]
    (row,) = run(*words, "-f", "json").sheet("worst")
    assert (row["index"], row["line"], row["predicted"], row["target"]) == ([1], 3, 0, 1)
    assert row["p"] == pytest.approx(1 / (1 + np.exp(-2)))
    assert row["p_true"] == pytest.approx(1 - row["p"])
    assert row["loss"] == pytest.approx(-np.log(row["p_true"]))
    heading, *cells = run(*words, "-f", "csv").out.splitlines()
    assert heading == "index,line,input,target,predicted,p,p true,loss,share"
    assert cells == ['1,3,"3, 1",1,0,0.8808,0.1192,2.1269280110429727,67.9%']


def test_worst_of_several_files(run):
    """Beside the line there is the file, if there are several."""
    Path("x1.csv").write_text("p\n0.5\n0.9\n", "utf-8")
    Path("x2.csv").write_text("p\n0.4\n0.3\n", "utf-8")
    rows = run("bce", "-i", "x*.csv", "-t", "1,0,1,0", "--worst", "2", "-f", "json").sheet("worst")
    assert [(row["file"], row["line"], row["index"]) for row in rows] == [
        ("x1.csv", 3, [1]),
        ("x2.csv", 2, [2]),
    ]
    # 0.9 of a label 0, and 0.4 of a label 1, whose other label is taken for more probable.
    found = [(row["predicted"], row["p"], row["p_true"]) for row in rows]
    assert found == [(1, 0.9, pytest.approx(0.1)), (0, 0.6, 0.4)]


def test_worst_of_tokens(run):
    """For scores (N, C, L) it is the token that counts, with its class, and not the slab."""
    rows = run("cross-entropy", "-i", PLANES, "-t", "[[0,1],[2,2]]", "--worst", "4", "-f", "json").sheet(
        "worst"
    )
    planes = np.array(json.loads(PLANES), float)
    for row in rows:
        n, place = row["index"]
        token = planes[n, :, place]
        chances = np.exp(token) / np.exp(token).sum()
        assert row["input"] == token.tolist()
        assert (row["predicted"], row["p"]) == (chances.argmax(), pytest.approx(chances.max()))
        assert row["p_true"] == pytest.approx(chances[row["target"]])


def test_predictions_of_classes_on_the_last_axis(run):
    """Of a student in distillation, one row of three positions, by hand."""
    rng = np.random.default_rng(3)
    scores, labels = rng.normal(size=(1, 3, 5)), np.array([[4, 0, 2]])
    for name, array in (("input", scores), ("teacher", scores), ("target", labels)):
        np.save(f"{name}.npy", array)
    words = ["distillation", "--input", "input.npy", "--teacher", "teacher.npy", "--target", "target.npy"]
    rows = run(*words, "--worst", "3", "-q", "-f", "json").sheet("worst")
    for row in rows:
        own = scores[tuple(row["index"])]
        chances = np.exp(own) / np.exp(own).sum()
        assert row["predicted"] == own.argmax()
        assert row["p_true"] == pytest.approx(chances[row["target"]])
    assert run("diagnose", *words, "-q").code == 0


@pytest.mark.parametrize(
    ("words", "predicted", "chances"),
    [
        (["soft-margin", "-i", "[-2,1]", "-t", "1,1"], -1, None),
        (["nll", "-i", "[[-0.2231435513,-1.6094379124],[0,-9]]", "-t", "1,0"], 0, (0.8, 0.2)),
        (["multi-margin", "-i", "[[1,2],[3,1]]", "-t", "1,1"], 0, None),
        (["mse", "-i", "1,2", "-t", "1,4"], None, None),
    ],
)
def test_worst_of_what_predicts(words, predicted, chances, run):
    """Signs and classes are predicted by scores of any kind, probabilities by some, and numbers by none."""
    (row,) = run(*words, "--worst", "1", "-f", "json").sheet("worst")
    assert row.get("predicted") == predicted
    assert ("p" in row, "line" in row) == (chances is not None, False)
    if chances is not None:
        assert (row["p"], row["p_true"]) == pytest.approx(chances)


def test_worst_beside_a_place(run):
    """Of scores (N, C, L), the classes of the place; of a weight (N, 1), the one of the row."""
    words = ["cross-entropy", "-i", PLANES, "-t", "[[0,1],[2,2]]", "--worst", "1", "-f", "json"]
    (row,) = run(*words).sheet("worst")
    assert (row["index"], row["input"], row["target"]) == ([0, 1], [2, 4, 9], 1)
    words = [
        "bce-logits",
        "-i",
        "[[1,2],[3,4]]",
        "-t",
        "[[0,1],[1,0]]",
        "--weight",
        "[[2],[5]]",
        "--worst",
        "1",
    ]
    (row,) = run(*words, "-f", "json").sheet("worst")
    assert (row["index"], row["input"], row["target"], row["weight"]) == ([1, 1], 4, 0, 5)


@pytest.mark.parametrize(
    ("targets", "lengths", "beside"),
    [
        ("1,2,1", "2,1", [[1, 2], [1]]),
        ("1,2", "2,0", [[1, 2], []]),  # as many as sequences
        ("[1]", "0,1", [[], [1]]),  # fewer
        ("[[1,2],[2,0]]", "2,1", [[1, 2], [2]]),
    ],
)
def test_worst_beside_sequences(targets, lengths, beside, run):
    """The symbols of the sequence, whether they are padded or all stand in one row; the diagnosis as well."""
    np.save("x.npy", np.log(np.full((4, 2, 3), 1 / 3)))
    words = ["ctc", "-i", "x.npy", "-t", targets, "--input-lengths", "4,4", "--target-lengths", lengths]
    rows = run(*words, "--worst", "9", "-f", "json").sheet("worst")
    assert [row["targets"] for row in sorted(rows, key=lambda row: row["index"])] == beside
    assert run("diagnose", *words, "-f", "json").sheet("worst") == rows


def test_worst_beside_time(run):
    """With as many steps as samples, the scores of a step are not those of a sample."""
    np.save("x.npy", np.log(np.full((2, 2, 3), 1 / 3)))
    words = ["ctc", "-i", "x.npy", "-t", "[[1],[2]]", "--input-lengths", "2,2", "--target-lengths", "1,1"]
    rows = run(*words, "--worst", "1", "-f", "json").sheet("worst")
    assert rows[0]["target_lengths"] == 1
    assert "log_probs" not in rows[0]


def test_adaptive_state(run):
    """The arrays of a state are no rows, so none of them stands beside a loss."""
    arrays = example(losses()["adaptive-log-softmax"], 5, seed=1)
    rows = run(
        *saved(losses()["adaptive-log-softmax"], arrays), "--worst", "2", "--stats", "-f", "json"
    ).sheet("worst")
    assert all(list(row) == ["index", "input", "target", "loss", "share"] for row in rows)


def test_context_of_what_broadcasts(run):
    """The best constant input is weighted by all weights there are for each target."""
    words = ["mse", "-i", "[[1,2],[3,4]]", "-t", "[[0,1]]", "--broadcast", "--weight", "[[1,2],[3,0]]"]
    facts = run("diagnose", *words, "-q", "-f", "json").facts("context")
    # Σ w·y / Σ w = (1·0 + 2·1 + 3·0 + 0·1) / 6 = 1/3; Σ w·(1/3 - y)² = 4·1/9 + 2·4/9, over Σ w.
    assert facts["best constant input"] == pytest.approx((4 / 9 + 8 / 9) / 6, rel=1e-14)


@pytest.mark.parametrize("loss", ["mse", "l1"])
def test_context_of_nothing(loss, run):
    """Where broadcasting leaves no losses there is no baseline, and no warning of NumPy's."""
    np.save("x.npy", np.empty((0, 3)))
    outcome = run("diagnose", loss, "-i", "x.npy", "-t", "[[0,1,2]]", "--broadcast", "-q", "-f", "json")
    assert (outcome.facts("context"), outcome.err) == ({"mean": None}, "")


# Rows that are left out.

MISSING = "x,y\n1,1\n,0\n3,0\n-4,1\n"
"""The second row lacks a number; the last has the largest loss, in line 5 and at index 3."""
FROM_MISSING = ["bce-logits", "-i", "m.csv#x", "-t", "m.csv#y", "--na", "drop"]


def test_places_behind_a_piece_with_a_gap(run, monkeypatch):
    """The rows of a later piece, in which nothing is missing, keep their places in the file."""
    monkeypatch.setattr(block, "BLOCK", 1)  # eight rows a piece
    values = ["x,y", ",1", *(f"{k}.5,0" for k in range(1, 20))]
    Path("m.csv").write_text("\n".join(values) + "\n")
    rows = run(*FROM_MISSING, "-q", "--worst", "3", "-f", "json").sheet("worst")
    assert [row["index"] for row in rows] == [[19], [18], [17]]


def test_stats_without_missing_numbers(run):
    """Rows without a number are left out of the spread."""
    Path("m.csv").write_text(MISSING)
    facts = run(*FROM_MISSING, "--stats", "-f", "json").facts()
    x, y = np.array([1.0, 3.0, -4.0]), np.array([1, 0, 1])
    np.testing.assert_allclose(numbers(facts), spread_of(softplus(x) - x * y), rtol=1e-14)


@pytest.mark.parametrize("option", [["--stats"], ["--worst", "1"]])
def test_missing_numbers_are_mentioned(option, run):
    """As without --stats, standard error says how many rows were left out."""
    Path("m.csv").write_text(MISSING)
    assert "left out 1 row" in run(*FROM_MISSING).err
    assert "left out 1 row" in run(*FROM_MISSING, *option).err


def test_worst_is_found_again(run):
    """The index is that of the row in the file, also behind a row that was left out."""
    Path("m.csv").write_text(MISSING)
    assert run(*FROM_MISSING, "--worst", "1", "-f", "json").sheet("worst")[0]["index"] == [3]


# Formats.


STATS = ["mse", "-i", "4,1,3,2", "-t", "0,0,0,0", "--stats"]
SHOWN = ["4", "1.0", "3.25", "6.5", "10.75", "16.0", "7.5"]
CELLS = [["", "mse"], *map(list, zip(LABELS, SHOWN, strict=False))]
CELLS.append(["std", repr(32.25**0.5)])


@pytest.mark.parametrize(("form", "delimiter"), [("plain", "\t"), ("csv", ","), ("tsv", "\t")])
def test_separated(form, delimiter, run):
    """A line a row; plain by default in a pipe."""
    lines = [delimiter.join(row) for row in CELLS]
    assert run(*STATS, "-f", form).out.splitlines() == lines
    assert form != "plain" or run(*STATS).out.splitlines() == lines


def test_markdown(run):
    """A heading, a rule, and a line a row, all of as many cells, with the decimals of a table."""
    first, rule, *rest = run(*STATS, "-f", "markdown").out.splitlines()
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in (first, *rest)]
    expected = [[name, f"{float(cell):.4f}" if "." in cell else cell] for name, cell in CELLS]
    assert cells == expected
    assert rule == "| --- | ---: |"


def test_table(run):
    """With four decimals, or as many as were asked for."""
    out = run(*STATS, "-f", "table").out
    assert "│ Q3     │ 10.7500 │" in out
    assert f"{32.25**0.5:.4f}" in out
    assert f"{32.25**0.5:.2f} │" in run(*STATS, "-f", "table", "--precision", "2").out


@pytest.mark.parametrize("form", ["plain", "csv", "markdown"])
def test_precision(form, run):
    """--precision holds for spreads as for results."""
    assert run("mse", "-i", "1,2.5", "-t", "0,0", "-f", form, "--precision", "2").out.count("3.62") == 1
    assert repr(32.25**0.5) not in run(*STATS, "-f", form, "--precision", "2").out


def test_csv_of_the_worst_can_be_read(run):
    """Cells with commas are quoted, so that every line has as many cells."""
    import csv

    words = ["cross-entropy", "-i", "[[1,2,0],[3,4,1]]", "-t", "0,2", "--worst", "2", "-f", "csv"]
    heading, *rows = csv.reader(io.StringIO(run(*words).out))
    assert heading == ["index", "input", "target", "predicted", "p", "p true", "loss", "share"]
    assert [row[:3] for row in rows] == [["1", "3, 4, 1", "2"], ["0", "1, 2, 0", "0"]]


def test_both_sheets(run):
    """--stats and --worst go together, the spread first."""
    outcome = run(*STATS, "--worst", "1", "-f", "json")
    assert list(json.loads(outcome.out)) == ["stats", "worst"]
    plain = run(*STATS, "--worst", "1", "-f", "plain").out
    assert plain.split("\n\n")[1] == "index\tinput\ttarget\tloss\tshare\n0\t4\t0\t16.0\t53.3%\n"


@pytest.mark.parametrize("suffix", [".csv", ".json", ".md", ".tsv", ".txt"])
def test_into_a_file(suffix, run):
    """-o writes what would have been printed in the format of its suffix."""
    outcome = run(*STATS, "-o", f"out{suffix}")
    if outcome.code == 2:
        assert "suffix" in outcome.err
        return
    form = {".md": "markdown", ".txt": "plain"}.get(suffix, suffix[1:])
    assert (outcome.code, outcome.out) == (0, "")
    assert Path(f"out{suffix}").read_text("utf-8") == run(*STATS, "-f", form).out


# What does not go together.


@pytest.mark.parametrize(
    "options",
    [
        ["--stats", "--gradient"],
        ["--worst", "1", "--gradient"],
        ["--stats", "--expect", "1"],
        ["--worst", "1", "--suppose", "x"],
        ["--stats", "-f", "npy"],
        ["--stats", "-o", "a.npy"],
        ["--worst", "0"],
        ["--worst", "-1"],
        ["--worst", "1.5"],
        ["--worst", "1", "--worst", "2"],
        ["--plot", "a.png", "--plot", "b.png"],
        pytest.param(["--plot", "a.png.gz"]),
    ],
    ids=" ".join,
)
def test_what_does_not_go_together(options, run):
    """Exit code 2, one message with a remedy, and nothing is written."""
    outcome = run("mse", "-i", "1,2", "-t", "0,0", *options)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("losscalc: error: ")
    assert "hint:" in outcome.err
    assert not list(Path().iterdir())


@pytest.mark.parametrize("option", ["--worst", "--plot"])
def test_without_its_value(option, run):
    """Exit code 2."""
    outcome = run("mse", "-i", "1,2", "-t", "0,0", option)
    assert outcome.code == 2
    assert f"{option}' requires an argument" in outcome.err


@pytest.mark.parametrize("options", [["--stats"], ["--worst", "2"], ["--plot", "a.png"]])
def test_activations_have_no_losses(options, run):
    """An activation does not know these options."""
    assert run("sigmoid", "-i", "1,2", *options).code == 2


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(["--plot", "a.png"]),
        pytest.param(["--gradient"]),
        pytest.param(["--expect", "3"]),
        pytest.param(["--explain"]),
        pytest.param(["--suppose", "x"]),
    ],
    ids=lambda options: options[0],
)
def test_diagnosis_takes_no_other_look(options, run):
    """What a diagnosis cannot do is refused, rather than passed over."""
    assert run("diagnose", "mse", "-i", "1,2", "-t", "0,0", *options).code == 2


# Pictures.

PLOT = ["mse", "-i", "1,2,3", "-t", "0,0,0", "--plot"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("suffix", "start"),
    [(".png", b"\x89PNG\r\n\x1a\n"), (".svg", b"<svg xmlns"), (".pdf", b"%PDF-")],
)
def test_plot(suffix, start, run):
    """A picture of the kind that its name says, and the value on standard output."""
    if suffix != ".svg":
        pytest.importorskip("matplotlib")
    outcome = run(*PLOT, f"a{suffix}")
    assert (outcome.code, outcome.out, outcome.err) == (0, run(*PLOT[:-1]).out, "")
    data = Path(f"a{suffix}").read_bytes()
    assert data.startswith(start)
    assert suffix != ".svg" or b"mse" in data or b"</svg>" in data


@pytest.mark.parametrize(
    "options",
    [
        ["--stats"], ["--worst", "2"], ["--gradient"], ["--explain"], ["--suppose", "half"],
        ["--digits", "20"],
        ["--by", "0,0,1"], ["-r", "none"], ["-f", "json"], ["--fail-above", "9"],
        ["--stats", "--worst", "1", "--explain"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_plot_beside_all_else(options, run):
    """What is printed is the same without it, and the picture is of the losses 1, 4 and 9."""
    outcome = run(*PLOT, "a.svg", *options)
    assert (outcome.code, outcome.out) == (0, run(*PLOT[:-1], *options).out)
    drawn = Path("a.svg").read_text("utf-8")
    assert "mse: 3 losses</text>" in drawn
    assert "mean 4.667</text>" in drawn
    assert "median 4</text>" in drawn


def test_a_plot_of_a_pipe(run, monkeypatch):
    """It is read once, for the plot and for what is printed; groups would read it twice: exit code 2."""
    pipe = partial(io.BytesIO, b"1\n2\n3\n")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(pipe()))
    words = ["mse", "-i", "-", "-t", "0,0,0", "--plot", "a.svg"]
    assert run(*words, "--expect", "4.667").out.endswith("agrees to 4 digits (within 0.0005)\n")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(pipe()))
    outcome = run(*words, "--by", "0,0,1")
    assert (outcome.code, outcome.out) == (2, "")
    assert "put the array in a file" in outcome.err


@pytest.mark.slow
def test_plot_without_matplotlib(run, monkeypatch):
    """Exit code 2, and how to install it; the command to do so is all that helps."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    outcome = run(*PLOT, "a.png")
    assert outcome.code == 2
    assert outcome.err == (
        "losscalc: error: --plot needs matplotlib for this format\n"
        "  hint: pip install 'losscalc[plot]', or name a file .svg\n"
    )
    assert run(*PLOT, "a.svg").code == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.gif", "a", "png", "a.png.txt", ""])
def test_plot_of_unknown_suffix(name, run):
    """Exit code 2 with the suffixes that there are, with or without matplotlib."""
    outcome = run(*PLOT, name)
    assert outcome.code == 2
    assert "hint: use one of .png .svg .pdf" in outcome.err


@pytest.mark.slow
@pytest.mark.parametrize("name", ["none/a.png", "folder.png"])
def test_plot_to_nowhere(name, run):
    """A directory that does not exist, or a directory instead of a file: exit code 5."""
    pytest.importorskip("matplotlib")
    Path("folder.png").mkdir()
    outcome = run(*PLOT, name)
    assert (outcome.code, outcome.out) == (5, "")


@pytest.mark.slow
@pytest.mark.parametrize(
    "values",
    [
        [np.nan, 1.0, 2.0],
        [np.inf, 1.0],
        [np.nan, np.nan],
        [1.0, 1.0],
        pytest.param([1.0, 1.0 + 2**-52]),
    ],
    ids=str,
)
def test_plot_of_odd_losses(values, run):
    """Losses that are not finite are left out, and ones that hardly differ are no error."""
    pytest.importorskip("matplotlib")
    zeros = text(np.zeros(len(values)))
    outcome = run("l1", "-i", text(values), "-t", zeros, "--plot", "a.png", "-q")
    assert (outcome.code, outcome.err) == (0, "")


# losscalc compare


PAIR = ["-i", "[[0.5,2],[0.25,-1]]", "-t", "[[1,0],[0,1]]"]


def test_compare(run):
    """Min, median, max, mean and sum of each, from formulas in NumPy."""
    x, y = np.array([[0.5, 2], [0.25, -1]]), np.array([[1, 0], [0, 1]])
    single = {"mse": (x - y) ** 2, "l1": np.abs(x - y), "bce-logits": softplus(x) - x * y}
    rows = run("compare", *PAIR, "mse", "L1Loss", "bce-logits", "-f", "json").sheet("losses")

    assert [row.pop("loss") for row in rows] == list(single)
    assert all(list(row) == ["min", "median", "max", "mean", "sum"] for row in rows)
    for row, values in zip(rows, single.values(), strict=True):
        expected = [values.min(), np.median(values), values.max(), values.mean(), values.sum()]
        np.testing.assert_allclose([float(cell) for cell in row.values()], expected, rtol=1e-14)


@pytest.mark.parametrize("form", ["plain", "table", "csv", "markdown", "latex", "json"])
def test_compare_formats(form, run):
    """The mean of each is in every format."""
    # mse: (0.25 + 4 + 0.0625 + 4) / 4 = 2.078125; l1: (0.5 + 2 + 0.25 + 2) / 4 = 1.1875
    out = run("compare", *PAIR, "mse", "l1", "-f", form).out
    assert ("2.0781" if form in ("table", "markdown", "latex") else "2.078125") in out
    assert "1.1875" in out


def test_compare_rows_with_elements(run):
    """Losses of rows and of elements stand side by side, each with its own numbers."""
    rows = run(
        "compare", "-i", "[[2,0],[0,1]]", "-t", "[[1,0],[0,1]]", "cross-entropy", "mse", "-f", "json"
    ).sheet("losses")
    single = nats(np.array([[2.0, 0], [0, 1]]), np.array([0, 1]))
    assert rows[0]["sum"] == pytest.approx(single.sum(), rel=1e-14)
    assert (rows[1]["sum"], rows[1]["mean"]) == (1.0, 0.25)


def test_compare_what_is_refused(run):
    """A loss that does not take the data is a row that says why, and the others are computed."""
    outcome = run("compare", *PAIR, "bce", "mse", "-f", "json")
    refused, mse = outcome.sheet("losses")
    assert refused["loss"] == "bce"
    assert "[0, 1]" in refused["refused"]
    assert {refused[name] for name in ("min", "median", "max", "mean", "sum")} == {None}
    assert (mse["mean"], mse["refused"]) == (2.078125, None)
    assert list(mse) == list(refused)


def test_compare_alone(run):
    """A loss that is refused alone is an error, with its own exit code."""
    outcome = run("compare", *PAIR, "bce")
    assert (outcome.code, outcome.out) == (4, "")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["-i", "nowhere.csv", "-t", "1"], 3, "nowhere.csv: no such file or directory"),
        (["-i", "1,2", "-t", "1,2,3"], 4, "--target has shape (3,) and --input (2,); they must be equal"),
    ],
)
def test_compare_what_all_refuse(run, words, code, said):
    """Where no loss was computed, the reason is an error, as it is for one loss."""
    outcome = run("compare", *words, "mse", "l1")
    assert (outcome.code, outcome.out) == (code, "")
    assert said in outcome.err


NEEDY = (
    "gaussian-nll", "triplet-margin", "triplet-margin-with-distance", "linear-cross-entropy",
    "cosine-embedding", "margin-ranking", "ctc",
)  # fmt: skip
"""Losses that cannot do without a third array, or whose arrays have other names."""


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize(
    "name",
    [pytest.param(name) if name in NEEDY else name for name in losses()],
)
def test_compare_every_loss(name, count, run):
    """Each is computed or refused in words; one that needs more arrays than there are is no bug."""
    outcome = run("compare", *PAIR, *["mse", name][-count:], "-q", "-f", "json")
    assert outcome.code in (0, 2, 4)[: 3 if count == 1 else 1]
    assert "bug" not in outcome.err


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["compare", *PAIR, "mse", "l2s"], "hint: "),
        (["compare", *PAIR, "mes"], "did you mean mse?"),
        (["compare", *PAIR, "mse", "bce-logit"], "did you mean bce-logits?"),
        (["diagnose", "cros-entropy", *PAIR], "did you mean cross-entropy?"),
        (["diagnose", "CrossEntropyLos", *PAIR], "did you mean cross-entropy?"),
    ],
)
def test_misspelt(words, hint, run):
    """Exit code 2 with the name that comes closest."""
    outcome = run(*words)
    assert (outcome.code, outcome.out) == (2, "")
    assert "unknown loss" in outcome.err
    assert hint in outcome.err


@pytest.mark.parametrize("words", [["compare", *PAIR, "sigmoid"], ["diagnose", "sigmoid", "-i", "1"]])
def test_an_activation_is_no_loss(words, run):
    """Exit code 2."""
    outcome = run(*words)
    assert outcome.code == 2
    assert "sigmoid is an activation, not a loss" in outcome.err


@pytest.mark.parametrize("words", [["compare", *PAIR], ["compare", "mse", "-i", "1"], ["diagnose"]])
def test_what_is_missing(words, run):
    """Exit code 2."""
    assert run(*words).code == 2


def test_compare_a_pipe(run, monkeypatch):
    """Standard input can be read once, and several losses are to be computed: exit code 2."""
    stdin = io.TextIOWrapper(io.BytesIO(b"1\n2\n"))
    monkeypatch.setattr(sys, "stdin", stdin)
    outcome = run("compare", "-i", "-", "-t", "0,0", "mse", "l1", "-f", "json")
    assert (outcome.code, outcome.out) == (2, "")


@pytest.mark.parametrize("option", ["-i", "-t"])
def test_compare_a_named_pipe(run, tmp_path, option):
    """It can be read once, too, and is not opened: the second loss would wait for another writer."""
    os.mkfifo(tmp_path / "pipe")
    other = "-t" if option == "-i" else "-i"
    outcome = run("compare", option, str(tmp_path / "pipe"), other, "0,0", "mse", "l1")
    assert (outcome.code, outcome.out) == (2, "")
    assert "several losses cannot read one pipe" in outcome.err


def test_compare_with_an_option_given_twice(run):
    """Exit code 2, as for a loss."""
    assert run("compare", *PAIR, "-i", "[[1,2],[3,4]]", "mse").code == 2


# losscalc diagnose


def test_context_of_classes(run):
    """What a guess, the priors and the data come to, by hand."""
    scores = np.array([[2.0, 1.0, 0.0], [0.0, 1.0, 3.0], [1.0, 1.5, 1.0], [5.0, 0.0, 0.0], [0.0, 1.0, 2.0]])
    target = np.array([0, 2, 0, 0, IGNORED])
    words = ["diagnose", "cross-entropy", "-i", text(scores), "-t", "0,2,0,0,-100", "-f", "json"]
    facts = run(*words).facts("context")
    mean = nats(scores[:4], target[:4]).mean()

    assert facts.pop("mean") == pytest.approx(mean, rel=1e-14)
    assert facts.pop("class priors") == [0.75, 0, 0.25]
    assert facts == pytest.approx(
        {
            "uniform guess, ln C": np.log(3),
            "class priors as a guess": 0.75 * np.log(4 / 3) + 0.25 * np.log(4),
            "perplexity": np.exp(mean),
            # Row 2 takes class 1 for class 0.
            "accuracy": 0.75,
        },
        rel=1e-14,
    )


def test_context_of_pixels(run):
    """Classes are on axis 1, and ignored places do not count."""
    logs = np.log([[[0.5, 0.2, 0.9], [0.5, 0.8, 0.1]], [[0.4, 0.7, 0.3], [0.6, 0.3, 0.7]]])
    np.save("x.npy", logs)
    facts = run("diagnose", "nll", "-i", "x.npy", "-t", "[[0,1,1],[1,-100,1]]", "-f", "json").facts("context")
    mean = -np.log(0.5 * 0.8 * 0.1 * 0.6 * 0.7) / 5
    assert facts["mean"] == pytest.approx(mean, rel=1e-14)
    assert facts["class priors"] == [0.2, 0.8]
    # argmax: 0 (the first of equals), 1, 0; 1, -, 1: four of five.
    assert facts["accuracy"] == 0.8
    assert facts["perplexity"] == pytest.approx(np.exp(mean), rel=1e-14)


@pytest.mark.parametrize(
    ("loss", "half"), [("bce", 0.5), ("bce-logits", 0.0), ("multilabel-soft-margin", 0.0)]
)
def test_context_of_labels(loss, half, run):
    """The guess of a half, that of the share of positives, and the accuracy."""
    scores = half + np.array([[0.2, -0.1], [0.3, 0.4]])
    facts = run("diagnose", loss, "-i", text(scores), "-t", "[[1,0],[0,0]]", "-f", "json").facts("context")
    assert facts["guess of ½, ln 2"] == pytest.approx(np.log(2), rel=1e-15)
    assert facts["share of positives"] == 0.25
    guess = -0.25 * np.log(0.25) - 0.75 * np.log(0.75)
    assert facts["share of positives as a guess"] == pytest.approx(guess, rel=1e-14)
    assert facts["accuracy"] == 0.5


@pytest.mark.parametrize("label", [0, 1])
def test_context_of_one_label(label, run):
    """Where all labels are the same, who knows that has no loss."""
    words = ["diagnose", "bce-logits", "-i", "1,2", "-t", f"{label},{label}", "-q", "-f", "json"]
    assert run(*words).facts("context")["share of positives as a guess"] == 0.0


@pytest.mark.parametrize(
    ("loss", "expected"),
    # Around the mean 3: (9 + 4 + 1 + 36) / 4; around the median 1.5: (1.5 + 0.5 + 0.5 + 7.5) / 4.
    [("mse", 12.5), ("l1", 2.5)],
)
def test_context_of_numbers(loss, expected, run):
    """The best that a constant can do: the variance, or the mean distance to the median."""
    facts = run("diagnose", loss, "-i", "1,1,1,1", "-t", "0,1,2,9", "-f", "json").facts("context")
    assert facts["best constant input"] == expected


def test_context_of_weighted_numbers(run):
    """With weights 1 and 3 of 0 and 4 the best constant is 3, and its loss (1·9 + 3·1) / 4."""
    words = ["diagnose", "mse", "-i", "3,3", "-t", "0,4", "--weight", "1,3", "-f", "json"]
    facts = run(*words).facts("context")
    assert facts["mean"] == 3.0
    assert facts["best constant input"] == 3.0


def test_context_of_weighted_classes(run):
    """Scores that are the logarithms of the weighted priors have the loss of those priors as a guess."""
    # Of classes 0, 0, 0, 1 with weights 1 and 3 the priors are equal: the loss is ln 2.
    words = ["diagnose", "cross-entropy", "-i", text(np.zeros((4, 2))), "-t", "0,0,0,1", "--weight", "1,3"]
    facts = run(*words, "-f", "json").facts("context")
    assert facts["mean"] == pytest.approx(np.log(2))
    assert facts["class priors as a guess"] == pytest.approx(np.log(2), rel=1e-14)


def test_context_of_focal(run):
    """The guess of a half does not come to ln 2: it is what scores of 0 come to."""
    words = ["diagnose", "sigmoid-focal", "-i", "0,0", "-t", "1,0", "-r", "mean", "-f", "json"]
    facts = run(*words).facts("context")
    # (0.25 + 0.75) / 2 · 0.5² · ln 2
    assert facts["mean"] == pytest.approx(np.log(2) / 8)
    assert "guess of ½, ln 2" not in facts


def test_perplexity_without_bounds(run):
    """A mean of 1000 has no perplexity that fits into a number."""
    words = ["diagnose", "cross-entropy", "-i", "[[1000,0],[0,1000]]", "-t", "1,0", "-f"]
    assert run(*words, "json").facts("context")["perplexity"] is None
    assert "perplexity\tinf\n" in run(*words, "plain").out


def test_the_histogram(run):
    """Twelve bars of equal width from the least to the largest, the fullest of thirty blocks; JSON counts."""
    words = ["diagnose", "l1", "-i", text([*range(13), 12.5]), "-t", text([0] * 14)]
    rows = run(*words, "-f", "json").sheet("histogram")
    counts, edges = np.histogram([*range(13), 12.5], bins=12)
    assert [row["count"] for row in rows] == counts.tolist()
    assert [row["loss"] for row in rows] == list(map(list, pairwise(edges)))
    assert {*rows[0]} == {"loss", "count"}
    bars = [line.count("█") for line in run(*words).out.splitlines()[-12:]]
    assert bars == [round(30 * n / counts.max()) for n in counts]


def test_the_histogram_has_a_least_mark(run):
    """One loss among a thousand is seen, an interval without any is empty, and bars begin at the left."""
    np.save("x.npy", [*[0.0] * 1000, 12.0])
    np.save("y.npy", np.zeros(1001))
    words = ["diagnose", "l1", "-i", "x.npy", "-t", "y.npy", "-q"]
    bars = [line.split("\t")[-1] for line in run(*words).out.splitlines()[-12:]]
    assert bars == ["█" * 30, *[""] * 10, "▏"]
    lines = [line for line in run(*words, "-f", "table").out.splitlines() if "█" in line or "▏" in line]
    assert [re.search("│ ([█▏])", line)[1] for line in lines] == ["█", "▏"]


def test_the_histogram_leaves_out_what_is_not_finite(run):
    """NaN and infinity have no place in it."""
    outcome = run("diagnose", "l1", "-i", "nan,inf,1,2", "-t", "0,0,0,0", "-q", "-f", "json")
    assert sum(row["count"] for row in outcome.sheet("histogram")) == 2
    assert outcome.facts("stats")["losses"] == 4


def test_the_histogram_of_losses_that_hardly_differ(run):
    """Losses that differ in their last bit are no error."""
    outcome = run("diagnose", "l1", "-i", "1,1.0000000000000002", "-t", "0,0", "-f", "json")
    assert sum(row["count"] for row in outcome.sheet("histogram")) == 2


@pytest.mark.parametrize(
    ("losses", "ends"),
    [
        ("[[1e308,0],[-1.7e308,0]]", [-1e308, 1.7e308]),
        ("[[1.7976931348623157e308,0],[1.7976931348623157e308,0]]", [-1.7976931348623157e308, -1.79769e308]),
        ("[[5e-324,0],[0,0]]", [-1e-309, 1e-309]),
    ],
)
def test_the_histogram_at_the_ends_of_float64(losses, ends, run):
    """Losses of which the range, or their sum, overflows have bars and shares as well."""
    outcome = run("diagnose", "nll", "-i", losses, "-t", "0,0", "-q", "-f", "json")
    rows = outcome.sheet("histogram")
    assert (sum(row["count"] for row in rows), outcome.err) == (2, "")
    assert [rows[0]["loss"][0], rows[-1]["loss"][1]] == pytest.approx(ends, rel=1e-5)
    assert sum(row["share"] for row in outcome.sheet("worst")) == pytest.approx(1)


@pytest.mark.parametrize("options", [[], ["--worst", "1"], ["--worst", "3"]])
def test_how_many_of_the_worst(options, run):
    """Five, or as many as were asked for."""
    data = ["-i", text(range(9)), "-t", text([0] * 9)]
    rows = run("diagnose", "l1", *data, *options, "-f", "json").sheet("worst")
    assert [row["index"] for row in rows] == [[8], [7], [6], [5], [4], [3]][
        : int(options[1]) if options else 5
    ]


@pytest.mark.parametrize("form", ["plain", "table", "csv", "markdown"])
def test_diagnosis_formats(form, run):
    """All four tables, in every format."""
    out = run("diagnose", "mse", "-i", "1,2,4", "-t", "0,0,0", "-f", form).out
    assert all(part in out for part in ("best constant input", "Q3", "76.2%", "1 – 2.25"))


@pytest.mark.parametrize("words", [["diagnose"], []], ids=["diagnose", "--stats"])
def test_diagnosis_runs_all_checks(words, run):
    """A sign of a mistake that the loss itself warns of is not hidden by a closer look."""
    np.save("x.npy", [[0.2, 0.5, 0.3], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]])
    data = ["cross-entropy", "-i", "x.npy", "-t", "0,1,2"]
    assert "looks like probabilities" in run(*data).err
    assert "looks like probabilities" in run(*words, *data, *([] if words else ["--stats"])).err


# Weights out of labels.


def balanced(labels: Sequence[int], classes: Sequence[int]) -> list[float]:
    """n / (C·n_c), C being the number of classes that occur, as scikit-learn's compute_class_weight."""
    present = set(labels)
    return [
        float(Fraction(len(labels), len(present) * labels.count(c))) if c in present else 0.0 for c in classes
    ]


@pytest.mark.parametrize(
    ("labels", "classes"),
    [([0, 0, 0, 1], 2), ([2, 0, 1, 1, 2, 2, 2], 3), ([0, 3], 4), ([1, 1], 2), ([0, 0, 0, 1], 4)],
    ids=str,
)
def test_class_weight(labels, classes, run):
    """One a class; a class that does not occur weighs nothing and does not count in C."""
    options = ["--classes", str(classes)] if classes > max(labels) + 1 else []
    found = run("class-weight", "-t", text(labels), *options)
    assert [float(line) for line in found.out.split()] == balanced(labels, range(classes))


def test_class_weight_of_a_picture(run):
    """Labels of any shape count alike, and ignored ones not at all."""
    out = run("class-weight", "-t", "[[0,1,-100],[1,1,-100]]").out
    assert out.split() == [repr(4 / 2), repr(4 / 6)]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [([0, 1, 0, 0], [3.0]), ([[1, 0], [0, 1], [0, 1]], [2.0, 0.5]), ([1, 1], [0.0]), ([0.5, 0.25], [5 / 3])],
)
def test_pos_weight(labels, expected, run):
    """Negatives over positives, of each column."""
    assert [float(line) for line in run("pos-weight", "-t", text(labels)).out.split()] == expected


@pytest.mark.parametrize(
    ("labels", "where"),
    [
        ("[[1,0],[1,0]]", " in column 2"),
        pytest.param("0,0", ""),
    ],
)
def test_pos_weight_without_positives(labels, where, run):
    """No weight makes up for labels that do not occur: exit code 4, with the column."""
    outcome = run("pos-weight", "-t", labels)
    assert outcome.code == 4
    assert f"no positive label{where}" in outcome.err


@pytest.mark.parametrize("form", ["plain", "table", "csv", "markdown", "json"])
@pytest.mark.parametrize("tool", ["pos-weight", "class-weight"])
def test_weight_formats(tool, form, run):
    """The numbers are in every format."""
    outcome = run(tool, "-t", "[[1,0],[0,1],[0,1]]", "-f", form)
    first, second = ("2.0", "0.5") if tool == "pos-weight" else ("1.0", "1.0")
    assert outcome.code == 0
    assert first in outcome.out
    assert second in outcome.out
    if form == "json":
        assert json.loads(outcome.out)["value"] == [float(first), float(second)]


@pytest.mark.parametrize("suffix", [".npy", ".csv", ".json"])
def test_weights_through_a_file(suffix, run):
    """What the tool writes is what the option takes, and `balanced` is the same."""
    data = ["-i", "[[1,2,0],[3,4,0],[0,1,0],[1,1,2]]"]
    assert run("class-weight", "-t", "0,1,1,2", "-o", f"w{suffix}").code == 0
    address = "w.json#/value" if suffix == ".json" else f"w{suffix}"
    words = ["cross-entropy", *data, "-t", "0,1,1,2", "--weight"]
    given = run(*words, address)
    assert (given.code, given.err) == (0, "")
    assert run(*words, "balanced").out == given.out


SCORES = "[[1,2,0],[3,4,0],[0,1,0],[1,1,2]]"
LOGS = text(np.log([[0.2, 0.5, 0.3], [0.25, 0.5, 0.25], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]]))
LABELS = "[[1,0,1],[0,1,1],[0,1,0],[0,0,1]]"


@pytest.mark.parametrize(
    ("words", "option", "weights"),
    [
        (["cross-entropy", "-i", SCORES, "-t", "0,1,1,2"], "--weight", "4/3,2/3,4/3"),
        (["cross-entropy", "-i", SCORES, "-t", "0,1,1,1"], "--weight", "2,2/3,0"),
        (["cross-entropy", "-i", SCORES, "-t", "0,1,-100,1"], "--weight", "3/2,3/4,0"),
        (["nll", "-i", LOGS, "-t", "0,1,1,2"], "--weight", "4/3,2/3,4/3"),
        (["multi-margin", "-i", SCORES, "-t", "0,1,1,2"], "--weight", "4/3,2/3,4/3"),
        (["bce-logits", "-i", SCORES, "-t", LABELS], "--pos-weight", "3,1,1/3"),
        (["bce-logits", "-i", "1,2,3,4", "-t", "0,1,0,0"], "--pos-weight", "3"),
        pytest.param(
            ["linear-cross-entropy", "-i", SCORES, "--linear-weight", "[[1,2,0],[3,4,0]]", "-t", "0,1,1,0"],
            "--weight",
            "1,1",
        ),
    ],
)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_balanced(words, option, weights, reduction, run):
    """`balanced` is the same as giving the weights that were worked out by hand."""
    exact = text([float(Fraction(w)) for w in weights.split(",")])
    exact = exact if "," in exact else exact.strip("[]")
    given = run(*words, option, exact, "-r", reduction, "-q")
    found = run(*words, option, "balanced", "-r", reduction, "-q")
    assert (given.code, found.code) == (0, 0)
    assert float(found.out) == pytest.approx(float(given.out), rel=1e-15)


def test_balanced_without_the_ignored_class(run):
    """Weights follow from the rows that take part: of classes 0, 1, 1 they are 3/2 and 3/4.

    A mean divides by the weights, and does not show a common factor; a sum does.
    """
    words = ["cross-entropy", "-i", SCORES, "-t", "0,1,1,2", "--ignore-index", "2", "-r", "sum", "--weight"]
    given, found = run(*words, "1.5,0.75,0"), run(*words, "balanced")
    assert float(found.out) == pytest.approx(float(given.out), rel=1e-15)


def test_balanced_in_a_closer_look(run):
    """The weights are those of the spread as well."""
    words = ["cross-entropy", "-i", SCORES, "-t", "0,1,1,1", "--stats", "-f", "json", "--weight"]
    assert run(*words, "balanced").facts() == run(*words, f"2,{2 / 3!r},0").facts()


def test_a_file_called_balanced(run):
    """Where there is such a file, it is read."""
    Path("balanced").write_text("1\n5\n1\n")
    words = ["cross-entropy", "-i", SCORES, "-t", "0,1,1,2", "--from", "csv", "--weight"]
    outcome = run(*words, "balanced")
    assert outcome.code == 0
    assert outcome.out == run(*words, "1,5,1").out


def test_balanced_by_standard_input(run, monkeypatch):
    """A target that cannot be read twice does not tell its weights: exit code 2."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"0\n1\n")))
    outcome = run("cross-entropy", "-i", "[[1,2],[3,4]]", "-t", "-", "--weight", "balanced")
    assert (outcome.code, outcome.out) == (2, "")


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(
            ["bce-logits", "-i", "[[1,2],[3,4]]", "-t", "[[1,0],[0,1]]", "--weight", "balanced"],
        ),
        ["mse", "-i", "[[1,2],[3,4]]", "-t", "[[1,0],[0,1]]", "--weight", "balanced"],
        pytest.param(
            ["cross-entropy", "-i", "[[1,2],[3,4]]", "-t", "[[0.9,0.1],[0.2,0.8]]", "--weight", "balanced"],
        ),
        pytest.param(["class-weight", "-t", "0.5,0.2,1.7"]),
        pytest.param(["class-weight", "-t", "nan,1"]),
        pytest.param(["class-weight", "-t", "0,0,3", "--classes", "2"]),
        pytest.param(["class-weight", "-t", "0,1000000000000"]),
        pytest.param(["pos-weight", "-t", "0,2,5"]),
        pytest.param(["pos-weight", "-t", "nan,1"]),
    ],
    ids=lambda words: " ".join(words[:1] + words[-2:]),
)
def test_labels_that_have_no_balance(words, run):
    """Refused, rather than weights that mean something else."""
    assert run(*words, *(["--na", "nan"] if "nan" in words[-1] else [])).code in (2, 4)


def test_balanced_without_missing_numbers(run):
    """Rows that are left out would count among the labels: exit code 2."""
    Path("m.csv").write_text(MISSING)
    outcome = run(*FROM_MISSING, "--pos-weight", "balanced")
    assert (outcome.code, outcome.out) == (2, "")


@pytest.mark.parametrize("tool", ["pos-weight", "class-weight"])
def test_a_weight_is_no_activation(tool, run):
    """JSON says what the numbers are."""
    assert "activation" not in json.loads(run(tool, "-t", "0,1", "-f", "json").out)
