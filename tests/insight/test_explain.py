"""The working of a loss: the declared formula is the loss, and shows how it comes about."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import losscalc
from losscalc import Loss, cli, losses
from losscalc.cli.commands import build_command
from losscalc.core.operation import differentiable
from losscalc.core.reductions import MEAN
from losscalc.engine.compute import compute
from losscalc.insight.call import Call
from losscalc.insight.describe import describe, example_command
from losscalc.insight.detect.catalogue import hypotheses
from losscalc.insight.detect.hypothesis import Supposed
from losscalc.insight.detect.suppose import combination, outcome
from losscalc.insight.explain import Explanation
from losscalc.insight.formulas import Formula, parsed
from losscalc.insight.stats import spread
from losscalc.insight.symbols import derivative_of, symbol_values
from losscalc.outputs.canvas import Canvas
from losscalc.outputs.tables import draw_sheets
from tests.support.examples import example, prepared, variants
from tests.support.wholes import Dice, RootMeanSquare

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
ALL = list(losses().values())


@pytest.fixture
def call(capsysbinary):
    """What a command prints, which has to succeed."""

    def run(*arguments: str) -> str:
        assert cli.run(arguments) == 0, capsysbinary.readouterr().err.decode()
        return capsysbinary.readouterr().out.decode()

    return run


@pytest.mark.parametrize("cls", ALL)
def test_every_loss_is_explained(call, cls, tmp_path):
    """With its own example as data, in every format that has a place for the working."""
    words = re.findall(r"'[^']*'|\S+", example_command(cls))[1:]
    np.savez(
        tmp_path / "state.npz",
        **{
            "head.weight": [[1.0, 0.0], [0.0, 1.0]],
            "tail.0.0.weight": [[1.0, 1.0]],
            "tail.0.1.weight": [[0.5], [-0.5]],
        },
    )
    words = [word.strip("'").replace("state.npz", str(tmp_path / "state.npz")) for word in words]
    value = call(*words).split()[0].split(",")[0]
    for form in ("plain", "table", "markdown", "latex", "json"):
        text = call(*words, "--explain", "-f", form)
        if form == "latex":
            assert text.count("{") == text.count("}")
            assert text.count(r"\left") == text.count(r"\right")
            assert not re.search("[σΣΠαβγδερπ½²≤·]", text)
        elif form != "json":
            formula = cls.formula.partition(";")[0].strip()
            assert formula[:20] in text or cls.explained is not Loss.explained
            assert f"{float(value):.4f}"[:6] in text or f"{float(value):.0f}" in text
        else:
            assert json.loads(text)["explanation"]


def test_the_tutorial_by_hand(call):
    """The element, the row and the mean of the 3x3 example, as its tutorial works them out."""
    lines = call(
        "bce-logits", "-i", str(SAMPLES / "logits.csv"), "-t", str(SAMPLES / "labels.csv"), "--explain"
    ).splitlines()

    # σ(.2070) = 1 / (1 + e^-.2070), by hand.
    assert lines[1] == (
        "[0, 0] -[1·ln σ(0.2070) + (1-1)·ln(1-σ(0.2070))] = 0.5950   (σ(x) = 0.5516, ln σ(x) = -0.5950)"
    )
    assert lines[4] == "row 0 mean (0.5950 + 1.2011 + 0.8256) / 3 = 0.8739"
    assert lines[-1] == "mean 8.3300 / 9 = 0.9256"


def test_the_tutorial_of_probabilities(call):
    """BCE of nine probabilities, worked out element by element, with the row means that the tutorial has."""
    p = "[[0.3992, 0.2232, 0.6435], [0.3800, 0.3044, 0.3241], [0.6281, 0.4689, 0.3834]]"
    lines = call("bce", "-i", p, "-t", "[[0,1,1],[0,0,1],[1,0,1]]", "--explain").splitlines()

    # -ln(1 - .3992), -ln .2232 and -ln .6435, by hand.
    assert lines[1] == (
        "[0, 0] -[0·max(ln 0.3992, -100) + (1-0)·max(ln(1-0.3992), -100)] = 0.5095   "
        "(1-x = 0.6008, ln(1-x) = -0.5095)"
    )
    assert lines[2].endswith("= 1.4997   (ln x = -1.4997)")
    assert lines[3].endswith("= 0.4408   (ln x = -0.4408)")
    rows = [line.rpartition(" = ")[2] for line in lines if line.startswith("row ")]
    assert rows == ["0.8167", "0.6559", "0.6855"]
    assert lines[-1] == "mean 6.4743 / 9 = 0.7194"


def test_the_tutorial_of_classes(call):
    """Log-softmax and cross-entropy of the scores 1, 2, 3, and the negative log-likelihood of each."""
    lines = call("cross-entropy", "-i", "[[1,2,3]]", "-t", "2", "--explain").splitlines()
    assert lines[1] == (
        # e + e² + e³ = 2.7183 + 7.3891 + 20.0855, of which each is its share.
        "[0] -ln(exp(3) / (exp(1) + exp(2) + exp(3))) = 0.4076   (Σ exp(x) = 30.1929, "
        "softmax = 0.0900, 0.2447, 0.6652, exp(x[y]) = 20.0855, p[y] = 0.6652, ln p[y] = -0.4076)"
    )
    assert lines[2:4] == ["numerator 0.4076", "denominator 1"]
    assert lines[-1] == "mean 0.4076 / 1 = 0.4076"

    for target, score in ((0, 1), (1, 2), (2, 3)):
        lines = call("nll", "-i", "[[1,2,3]]", "-t", str(target), "--explain").splitlines()
        assert lines[1].startswith(f"[0] -{score} = -{score}.0000")


def test_weights_and_ignored_rows(call):
    """The denominator is the sum of the weights that were applied, and ignored rows are listed."""
    text = call(
        "cross-entropy", "-i", "[[2,1,0],[0,1,3],[1,1,1]]", "-t", "0,2,-100", "--weight", "1,1,3", "--explain"
    )

    assert text.splitlines()[1:] == [
        "[0] -1·ln(exp(2) / (exp(2) + exp(1) + exp(0))) = 0.4076   (Σ exp(x) = 11.1073, "
        "softmax = 0.6652, 0.2447, 0.0900, exp(x[y]) = 7.3891, p[y] = 0.6652, ln p[y] = -0.4076)",
        "[1] -3·ln(exp(3) / (exp(0) + exp(1) + exp(3))) = 0.5095   (Σ exp(x) = 23.8038, "
        "softmax = 0.0420, 0.1142, 0.8438, exp(x[y]) = 20.0855, p[y] = 0.8438, ln p[y] = -0.1698)",
        "[2] ignored",
        "ignored 1 (row 2)",
        "numerator 0.4076 + 0.5095 = 0.9171",
        "denominator 1 + 3 = 4",
        "mean 0.9171 / 4 = 0.2293",
    ]


def test_long_data_are_cut(call):
    """--max-rows losses are shown, and how many are left."""
    data = ",".join(map(str, range(100)))
    lines = call("mse", "-i", data, "-t", data, "--explain", "--max-rows", "3").splitlines()

    assert lines[1:5] == [
        "[0] (0 - 0)² = 0.0000   (x - y = 0)",
        "[1] (1 - 1)² = 0.0000   (x - y = 0)",
        "[2] (2 - 2)² = 0.0000   (x - y = 0)",
        "… 97 more",
    ]
    assert lines[-1] == "mean 0.0000 / 100 = 0.0000"


def test_alternatives_and_signs(call):
    """Only the alternative that holds is shown, and a minus never meets another sign."""
    lines = call("huber", "-i", "-0.5,3", "-t", "-1,-1", "--explain").splitlines()

    assert lines[1] == "[0] (½·(-0.5000 - (-1))²) = 0.1250   (x - y = 0.5000)"
    assert lines[2] == "[1] (1·(|3 - (-1)| - ½·1)) = 3.5000"


@pytest.mark.parametrize("swap", ["--swap", "--no-swap"])
def test_a_choice_inside_a_distance(call, swap):
    """The distance to the power of 0 counts where the vectors differ."""
    arrays = ["-i", "1,2,3", "--positive", "1,3,3", "--negative", "2,2,0"]
    explained = call("triplet-margin", *arrays, "--p", "0", "--eps", "0", swap, "--explain")
    assert "d(a, p) = ((0) + (1) + (0)) = 1, d(a, n) = ((1) + (0) + (1)) = 2" in explained


def test_formats_without_a_place_for_it(capsysbinary):
    """csv and npy refuse."""
    for words in (["-f", "csv"], ["-f", "npy"]):
        assert cli.run(["mse", "-i", "1", "-t", "2", "--explain", *words]) == 2
        assert b"hint:" in capsysbinary.readouterr().err


@pytest.mark.parametrize("text", ["x +", "ln", "(x", "x if", "x, y", "?", "x = 1 if y"])
def test_formulas_that_are_none(text):
    """A formula that cannot be parsed is an error of the declaration."""
    with pytest.raises(ValueError, match=r"expected|nothing known"):
        Formula(text)


@pytest.mark.parametrize("cls", ALL)
def test_show(call, cls):
    """Formula, every parameter with its range, the divisor, the gradient and an example, in every format."""
    text = call("show", cls.name)
    for part in (cls.formula, cls.divisor, example_command(cls), *(["in PyTorch"] if cls.torch else [])):
        assert part in text
    for section in describe(cls).sections:
        assert all(row[1] and row[1] in text for row in section.rows)
    assert json.loads(call("show", cls.torch or cls.name, "-f", "json"))["formula"] == cls.formula
    assert call("show", cls.name, "-f", "markdown").startswith(f"## {cls.name}")
    assert call("show", cls.name, "-f", "latex").count("{") == call("show", cls.name, "-f", "latex").count(
        "}"
    )
    assert "╭" in call("show", cls.name, "-f", "table")


@pytest.mark.parametrize("cls", ALL)
def test_show_names_what_there_is(call, cls):
    """A law: every option in it is one of the command, as it is typed, and so is every derivative."""
    options = {option for p in build_command(cls).params for option in (*p.opts, *p.secondary_opts)}
    assert {*re.findall(r"(?<!\S)--[a-z][a-z0-9_-]*", call("show", cls.name))} <= options
    told = {section.heading: section.rows for section in describe(cls).sections}
    assert all(f"--{name}" in options for name, _ in told.get("gradient", []))


def test_arrays_are_told_as_they_are(call):
    """One score a sample where no more is taken, and a lead that is no score."""
    assert "--input  Scores of the risk, (N,): any real numbers." in call("show", "cox")
    assert "--margin  By how much the chosen should lead" in call("show", "bradley-terry")
    assert "  i any class but y\n" in call("show", "multiclass-hinge")


@pytest.mark.parametrize("form", ["plain", "table", "markdown", "latex", "json"])
@pytest.mark.parametrize("cls", ALL)
def test_there_may_be_no_rows(call, cls, form, tmp_path):
    """The formula is there, and nothing to put into it."""
    words = [cls.name, "-q", "--explain", "-f", form]
    for name, array in example(cls, 0).items():
        path = str(tmp_path / f"{name}.np{'z' if isinstance(array, dict) else 'y'}")
        np.savez(path, **array) if isinstance(array, dict) else np.save(path, array)
        words += [f"--{name.replace('_', '-')}", path]
    assert (r"\ell &=" if form == "latex" else cls.name) in call(*words)


def test_what_is_broadcast(call):
    """Each loss has the numbers that broadcasting gives it."""
    lines = call("hinge", "-i", "[[0.5],[2],[-1]]", "-t", "[[1]]", "--broadcast", "--explain").splitlines()
    assert [line.rpartition(" = ")[2] for line in lines if line.startswith("[")] == [
        "0.5000",
        "0.0000",
        "2.0000",
    ]


def test_the_mean_of_a_row_that_is_cut(call, tmp_path):
    """The mean, the sum and the numbers of all losses are those of all, however few of them are shown."""
    x, y = np.arange(140.0).reshape(20, 7) / 8, np.zeros((20, 7))
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", y)
    words = ["l1", "-i", str(tmp_path / "x.npy"), "-t", str(tmp_path / "y.npy"), "--explain"]
    # By hand: row 5 is 35/8 to 41/8, the mean 38/8; all are 0/8 to 139/8, with the sum 139·140/2/8.
    assert call(*words).splitlines()[-5:] == [
        "row 5 mean (4.3750 + 4.5000 + 4.6250 + 4.7500 + 4.8750 + 5 + 5.1250) / 7 = 4.7500",
        "… 100 more",
        "numerator 0 + 0.1250 + 0.2500 + 0.3750 + … = 1216.2500",
        "denominator number of losses = 140",
        "mean 1216.2500 / 140 = 8.6875",
    ]
    short = call(*words, "--max-rows", "2").splitlines()
    assert short[-5] == ("row 0 mean (0 + 0.1250 + 0.2500 + 0.3750 + 0.5000 + 0.6250 + 0.7500) / 7 = 0.3750")
    for form in ("table", "markdown", "latex", "json"):
        text = call(*words, "-f", form)
        assert all(number in text for number in ("5.1250", "4.7500", "1216.2500", "8.6875"))
    assert call(*words, "-r", "sum").splitlines()[-1] == "sum of 140 losses = 1216.2500"


def test_the_mean_of_a_row_with_ignored_places(call):
    """It is that of the places that count; a row without any has none."""
    scores = "[[[1,0,3],[2,0,0]],[[1,1,1],[1,1,1]],[[1,1,1],[1,1,1]]]"
    words = ["cross-entropy", "-i", scores, "-t", "[[0,-100,1],[-100,-100,-100],[0,0,-100]]", "--explain"]
    lines = call(*words).splitlines()
    # ln(1 + e) = 1.3133 and ln(1 + e³) = 3.0486
    assert "row 0 mean (1.3133 + 3.0486) / 2 = 2.1809" in lines
    assert "row 2 mean (0.6931 + 0.6931) / 2 = 0.6931" in lines
    assert not any(line.startswith("row 1") for line in lines)
    assert "ignored 5 (row 0, 1, 2)" in lines
    assert "ignored 5 (row 0, …)" in call(*words, "--max-rows", "2").splitlines()


@pytest.mark.parametrize("cls", [cls for cls in ALL if cls is not losscalc.AdaptiveLogSoftmax])
def test_the_example_of_show_runs(call, cls):
    """As it stands, in a shell."""
    assert call(*(word.strip("'") for word in re.findall(r"'[^']*'|\S+", example_command(cls))[1:]))


MATRICES = {"input": np.array([[0.5, 1.0], [0.5, 0.0]]), "target": np.array([[1.0, 0.0], [1.0, 0.0]])}


@pytest.mark.parametrize(
    ("loss", "lines"),
    [
        # √(1.5 / 4), and 1 - 2·1 / (2 + 2).
        (RootMeanSquare(), ["mean 1.5000 / 4 = 0.3750", "root of 0.3750 = 0.6124"]),
        (Dice(), ["sum both = 1.0000", "sum either = 4.0000", "loss of both, either = 0.5000"]),
    ],
)
def test_functions_of_the_mean_and_of_sums(loss, lines):
    """The working ends in the value, and not in a quotient on the way."""
    call = Call(loss, MATRICES, MEAN, samples=40)
    done = compute(call)
    working = Explanation(call, done, 4).working

    assert [line.sentence for line in working.lines][-len(lines) :] == lines
    assert len(working.losses) == (0 if done.partial.sums else 6)


def test_a_function_of_sums_has_no_single_losses():
    """There is no spread of one number, and what the engine refuses is no hypothesis."""
    call = Call(Dice(), MATRICES, MEAN)

    with pytest.raises(losscalc.UsageError, match="no single losses"):
        spread(call)
    rows = [row for row in hypotheses(call) if not row.has_number]
    assert {row.name for row in rows if outcome(call, (Supposed(row),)) is not None} >= {"half", "swapped"}


def test_a_hypothesis_on_a_root_has_a_root():
    """What is computed in float16, by the formula as it stands, is reduced as the loss is."""
    call = Call(RootMeanSquare(), MATRICES, MEAN)

    assert outcome(call, combination(call, "naive-float16")) == np.sqrt(np.float16(0.375))


# What else a working is of.

ROWS = ["cross-entropy", "-i", "[[2,1,0],[0,3,1],[1,0,2]]", "-t", "0,1,0"]


@pytest.mark.parametrize("loss", [loss for cls in ALL for loss in variants(cls)], ids=repr)
def test_the_derivative_is_that_of_the_loss(loss):
    """A law: the formula of a derivative, where one is declared, is what `gradient` computes."""
    arrays = prepared(loss, example(type(loss), 6, seed=3))
    formula = derivative_of(loss, arrays)
    if formula is None:
        return
    terms, slope = loss.terms(**arrays), loss.gradient(**arrays).value
    shape = terms.value.shape
    values = symbol_values(loss, arrays, shape)
    if not values.keys() >= {*formula.symbols}:
        # It is shown, but what it is made of is only explained.
        assert formula.legend
        return
    value = formula.evaluate(values)
    if slope.shape == shape:
        slope = slope[..., np.newaxis]
    elif loss.settings.get("class_axis") in (None, 1):
        slope = np.moveaxis(slope, 1, -1)
    counts = np.ones(shape, bool) if terms.ignored is None else ~terms.ignored
    np.testing.assert_allclose(np.broadcast_to(value, slope.shape)[counts], slope[counts], 1e-9, 1e-12)


@pytest.mark.parametrize(
    ("loss", "wrt"),
    [(loss, wrt) for cls in ALL for loss in variants(cls) for wrt in differentiable(cls)],
    ids=lambda x: repr(x) if isinstance(x, losscalc.Loss) else x,
)
@pytest.mark.parametrize("rows", [1, 4])
def test_the_rows_of_a_derivative_are_those_of_gradient(loss, wrt, rows):
    """A law: all that `gradient` gives is shown, each number once and under its index."""
    arrays = prepared(loss, example(type(loss), rows, seed=5))
    if wrt not in arrays:
        return
    expected = losscalc.gradient(loss, **arrays, wrt=wrt)
    if loss.name == "ctc":
        expected = np.moveaxis(expected, 1, 0)
    lines = losscalc.explain(loss, **arrays, wrt=wrt, max_rows=999).to_dict()["working"]["reduction"]
    shown = {line["label"]: line["value"] for line in lines if line["label"].startswith(f"∂/∂{wrt}")}
    assert np.concatenate([np.ravel(row) for row in shown.values()]).shape == (expected.size,)
    for label, row in shown.items():
        index = tuple(map(int, re.findall(r"\d+", label.partition("[")[2])))
        np.testing.assert_allclose(row, np.ravel(expected[index]).squeeze(), rtol=1e-12, atol=1e-15)


def test_the_derivative_of_sequences():
    """Samples are on axis 1: each has a line of its own with all times, as `gradient` has them."""
    scores = np.log([[[0.3, 0.5, 0.2], [0.1, 0.2, 0.7]], [[0.2, 0.4, 0.4], [0.6, 0.3, 0.1]]])
    arrays = {"log_probs": scores, "targets": [[1], [2]], "input_lengths": [2, 2], "target_lengths": [1, 1]}
    shown = losscalc.explain("ctc", wrt="log_probs", **arrays).to_dict()
    rows = [line["value"] for line in shown["working"]["reduction"] if line["label"].startswith("∂")]
    expected = losscalc.gradient("ctc", **arrays)
    np.testing.assert_allclose(np.reshape(rows, (2, 2, 3)), np.moveaxis(expected, 1, 0), rtol=1e-14)


def test_most_losses_of_single_numbers_have_one():
    """Losses that people differentiate by hand."""
    declared = {cls.name for cls in ALL if cls.derivative}
    assert declared >= {"mse", "l1", "huber", "smooth-l1", "bce", "bce-logits", "cross-entropy", "hinge"}


def test_a_gradient(call):
    """The softmax less the one-hot target, over the number of rows: e²/(e² + e + 1) = 0.6652."""
    lines = call(*ROWS, "--gradient", "--explain").splitlines()
    of_rows = [
        "(exp([2, 1, 0]) / (exp(2) + exp(1) + exp(0)) - [1, 0, 0]) / 3 = -0.1116, 0.0816, 0.0300",
        "(exp([0, 3, 1]) / (exp(0) + exp(3) + exp(1)) - [0, 1, 0]) / 3 = 0.0140, -0.0521, 0.0381",
        "(exp([1, 0, 2]) / (exp(1) + exp(0) + exp(2)) - [1, 0, 0]) / 3 = -0.2518, 0.0300, 0.2217",
    ]
    assert lines[-3:] == [f"∂/∂input [{row}] {text}" for row, text in enumerate(of_rows)]
    facts = json.loads(call(*ROWS, "--gradient", "--explain", "-f", "json"))
    rows = [line["value"] for line in facts["working"]["reduction"] if line["label"].startswith("∂")]
    assert rows == facts["value"]


@pytest.mark.parametrize(
    ("words", "last"),
    [
        # d/dx of (x - y)² is 2·(x - y): 2·(2 - 4) / 2.
        (["mse", "-i", "1,2", "-t", "0,4"], "∂/∂input [1] (2·(2 - 4)) / 2 = -2"),
        (["mse", "-i", "1,2", "-t", "0,4", "-r", "sum"], "∂/∂input [1] 2·(2 - 4) = -4"),
        # Of the root of a mean of 2.5 half its inverse, 0.5/√2.5 = 0.3162.
        (["rmse", "-i", "1,2", "-t", "0,4"], "∂/∂input [1] 0.3162·(2·(2 - 4)) / 2 = -0.6325"),
        (["log-cosh", "-i", "1,1", "-t", "1,1"], "∂/∂input [1] "
         "((exp(1 - 1) - exp(1 - 1)) / (exp(1 - 1) + exp(1 - 1))) / 2 = 0"),
        (["giou", "-i", "[[0,0,2,3]]", "-t", "[[1,0,2,3]]"],
         "∂/∂input [0] 3·[-3, -1.5000, 1.5000, 1.5000]/6.0000² - [0, -0.5000, 1.5000, 0.5000]/6.0000 + "
         "6.0000·[-3, -1, 1.5000, 1]/6.0000² - [-3, -1.5000, 1.5000, 1.5000]/6.0000 = "
         "-0.2500, 0.0417, -0.1250, -0.0417"),
        # Apart by less than the margin of 1: minus what is lacking, along the difference.
        (["contrastive", "--input1", "[[0,3]]", "--input2", "[[0,2.5]]", "-t", "0"],
         "∂/∂input1 [0] -(1 - 0.5000)·([0, 3] - [0, 2.5000]) / 0.5000 = 0, -0.5000"),
    ],
)  # fmt: skip
def test_gradients_by_hand(call, words, last):
    """By a formula where one is declared, else by the number."""
    assert call(*words, "--gradient", "--explain").splitlines()[-1] == last


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        # (1/v - (x - y)²/v²)/2 of two losses without a difference, over 2.
        (["gaussian-nll", "-i", "1,2", "-t", "1,2", "--var", "0.25", "--gradient", "var"],
         ["∂/∂var 4 / 2 = 2"]),
        # A third of each class less 1 for the right one, times the features; of three rows two are asked for.
        (["linear-cross-entropy", "-i", "[[1,0],[0,1]]", "-t", "0,2", "--linear-weight",
          "[[0,0],[0,0],[0,0]]", "--gradient", "linear_weight", "--max-rows", "2"],
         ["∂/∂linear_weight [0] (-0.6667, 0.3333) / 2 = -0.3333, 0.1667",
          "∂/∂linear_weight [1] (0.3333, 0.3333) / 2 = 0.1667, 0.1667",
          "∂/∂linear_weight … 1 more"]),
        # Censored, and at risk at the time of the first: exp(0)/(exp(0) + exp(0)).
        (["cox", "-i", "0,0", "--time", "1,2", "--event", "1,0", "--gradient"],
         ["∂/∂input [0] = -0.5000", "∂/∂input [1] = 0.5000"]),
        # Pairs of two documents: minus σ(0) for the more relevant.
        (["ranknet", "-i", "[[0,0]]", "-t", "[[1,0]]", "--gradient"], ["∂/∂input [0] = -0.5000, 0.5000"]),
        # Of 1 - 2·p·y/(p + y) at p = y = 1, where nothing is smooth: -2·y²/(p + y)².
        (["dice", "-i", "1", "-t", "1", "--smooth-nr", "0", "--smooth-dr", "0", "--gradient"],
         ["∂/∂input = -0.5000"]),
    ],
    ids=["var", "linear", "cox", "ranknet", "dice"],
)  # fmt: skip
def test_rows_of_a_derivative_that_are_not_those_of_losses(call, words, expected):
    """Derivatives of weights, of lists and of what the whole batch depends on, by hand."""
    lines = call(*words, "--explain").splitlines()
    assert [line for line in lines if line.startswith("∂")] == expected


def test_the_worst_rows(call):
    """The working of these alone, the worst first, and the mean of all."""
    lines = call(*ROWS, "--worst", "1", "--explain").splitlines()
    start = lines.index("cross-entropy: -w[y]·ln(exp(x[y]) / Σ exp(x))")
    assert lines[start + 1].startswith("[2] -ln(exp(1) / (exp(1) + exp(0) + exp(2))) = 1.4076   (")
    # 0.4076 + 0.1698 + 1.4076, by hand.
    assert lines[start + 2 :] == [
        "numerator sum of 3 losses = 1.9851",
        "denominator number of losses = 3",
        "mean 1.9851 / 3 = 0.6617",
    ]
    facts = json.loads(call(*ROWS, "--worst", "2", "--explain", "-f", "json"))
    assert [row["index"] for row in facts["worst"]] == [[2], [0]]
    assert [line["label"] for line in facts["working"]["losses"]] == ["[2]", "[0]"]


@pytest.mark.parametrize("name", ["softmax-first", "times=2", "half", "own-logit", "reversed"])
def test_a_supposition(call, name):
    """The working of the mistake ends in what it comes to."""
    words = [*ROWS, "--suppose", name]
    value = float(call(*words))
    lines = call(*words, "--explain").splitlines()
    assert lines[-1].endswith(f"= {value:.4f}")
    assert any(line.startswith("supposed ") for line in lines)


def test_a_supposed_softmax(call):
    """The losses are those of the probabilities: e^0.6652 / (e^0.6652 + e^0.2447 + e^0.0900) = 0.4506."""
    lines = call(*ROWS, "--suppose", "softmax-first", "--explain").splitlines()
    assert lines[1] == "supposed a softmax was applied to the input first"
    assert lines[2].startswith("[0] -ln(exp(0.6652) / (exp(0.6652) + exp(0.2447) + exp(0.0900))) = 0.7972")
    assert "p[y] = 0.4506" in lines[2]


def test_a_check_and_a_plot_beside(call, tmp_path, monkeypatch):
    """The working stands above the outcome, and a picture is drawn beside both."""
    monkeypatch.chdir(tmp_path)
    lines = call(*ROWS, "--expect", "0.66", "--explain", "--plot", "a.svg").splitlines()
    assert "mean 1.9851 / 3 = 0.6617" in lines
    assert lines[-1].startswith("agrees")
    assert "mean 0.6617" in Path("a.svg").read_text("utf-8")
    facts = json.loads(call(*ROWS, "--expect", "0.66", "--explain", "-f", "json"))
    assert facts["agrees"]
    assert facts["working"]["reduction"][-1]["value"] == facts["value"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["sigmoid", "-i", "1,-3"], [
            "[0] 1 / (1 + exp(-1)) = 0.7311   (exp(-x) = 0.3679)",
            "[1] 1 / (1 + exp(-(-3))) = 0.0474   (exp(-x) = 20.0855)",
        ]),
        (["softmax", "-i", "[[2,1,0]]"], [
            "[0] exp([2, 1, 0]) / (exp(2) + exp(1) + exp(0)) = 0.6652, 0.2447, 0.0900   (Σ exp(x) = 11.1073)",
        ]),
        (["log", "-i", "2,4,8", "--max-rows", "2"], ["[0] ln 2 = 0.6931", "[1] ln 4 = 1.3863", "… 1 more"]),
        (["log-softmax", "-i", "[[0,0],[0,0]]", "--dim", "0"], [
            "[0] [0, 0] - ln (exp(0) + exp(0)) = -0.6931, -0.6931   (Σ exp(x) = 2, ln Σ exp(x) = 0.6931)",
            "[1] [0, 0] - ln (exp(0) + exp(0)) = -0.6931, -0.6931   (Σ exp(x) = 2, ln Σ exp(x) = 0.6931)",
        ]),
    ],
    ids=["sigmoid", "softmax", "log", "log-softmax"],
)  # fmt: skip
def test_activations(call, words, expected):
    """1/(1 + 1/e) = 0.7311, 1/(1 + e³) = 0.0474, and e²/(e² + e + 1) = 0.6652, by hand."""
    assert call(*words, "--explain").splitlines()[1:] == expected


def test_digits_that_the_textbook_loses(call):
    """1 - σ(80) is 0 in float64 and its logarithm infinite: the loss is 80, and no step says otherwise."""
    lines = call("bce-logits", "-i", "80", "-t", "0", "--explain").splitlines()
    assert lines[1].startswith(
        "-[0·ln σ(80) + (1-0)·ln(1-σ(80))] = 80.0000   (the steps of the textbook lose too many digits"
    )
    facts = json.loads(call("bce-logits", "-i", "80", "-t", "0", "--explain", "-f", "json"))
    assert "steps" not in facts["working"]["losses"][0]


def test_one_line_where_there_is_room():
    """All nine summands of a 3x3 example on a wide terminal, and an ellipsis on a narrow one."""
    x = np.arange(9.0).reshape(3, 3) / 8
    done = Call(losscalc.MSE(), {"input": x, "target": np.zeros((3, 3))}, MEAN, samples=40)
    working = Explanation(done, compute(done), 4).working
    wide, narrow = (draw_sheets([working], Canvas(width=width)) for width in (120, 66))
    # The squares of 0/8 to 8/8.
    whole = "0 + 0.0156 + 0.0625 + 0.1406 + 0.2500 + 0.3906 + 0.5625 + 0.7656 + 1"
    assert whole in wide
    assert "0 + 0.0156 + 0.0625 + 0.1406 + … + 1" in re.sub(r"[│\s]+", " ", narrow)
    assert all(len(line) <= 66 for line in narrow.splitlines())


@pytest.mark.parametrize("cls", ALL)
def test_every_symbol_is_told(cls):
    """Whoever reads a formula finds each of its letters below it, or among the arrays and parameters."""
    description = describe(cls)
    told = " ".join(f"{name} {text}" for section in description.sections for name, text in section.rows)
    for symbol in parsed(cls.formula).symbols:
        letter = re.match(r"d\(\w, \w\)|\w[\w']*", symbol)
        assert letter
        # Of a distance its own letter may be told, and those of what it is between.
        names = {
            symbol,
            symbol[0] if "(" in symbol else letter[0],
            letter[0].rstrip("₁₂12"),
            letter[0].replace("_", "-"),
        }
        assert any(re.search(rf"(?<!\w){re.escape(name)}(?![\w'])", told) for name in names), symbol


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("triplet-margin", [("d(a, p)", "distance of anchor and positive"), ("m", "margin")]),
        ("ciou", [("α", ""), ("I", "I overlap, U union, ρ distance of the centres")]),
    ],
)
def test_symbols_that_were_not(name, rows):
    """The vectors of a triplet, and the areas of boxes; α is a definition of the formula itself."""
    description = describe(losses()[name])
    (symbols,) = (section for section in description.sections if section.heading == "symbols")
    told = "; ".join(f"{symbol} {text}" for symbol, text in symbols.rows)
    for symbol, text in rows:
        assert (text or symbol) in (told if text else description.formula)


def test_the_worst_of_many_blocks(call, tmp_path):
    """Each is explained with its own numbers, wherever it stands: e⁻¹¹ = 1.6702e-05."""
    x, y = np.zeros(300_000), np.zeros(300_000)
    x[5], x[290_000], y[290_000] = 9.0, -11.0, 1.0
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", y)
    words = ["bce-logits", "-i", str(tmp_path / "x.npy"), "-t", str(tmp_path / "y.npy")]
    lines = call(*words, "--worst", "2", "--explain", "-q").splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith("bce-logits:"))
    assert lines[start + 1].startswith("[290000] -[1·ln σ(-11) + (1-1)·ln(1-σ(-11))] = 11.0000   (")
    assert lines[start + 2].startswith("[5] -[0·ln σ(9) + (1-0)·ln(1-σ(9))] = 9.0001   (")


def test_a_page_beside_a_gradient(call, tmp_path):
    """What it tells of the spread is that of the losses; a negative argument has no brackets."""
    words = ["bce-logits", "-i", "0.2,-0.8", "-t", "1,0", "--explain", "-f", "html"]
    spreads = [text[text.index("<caption>stats") :] for text in (call(*words), call(*words, "--gradient"))]
    assert spreads[0] == spreads[1]
    assert r"\sigma(-0.8000)" in call(*words[:-1], "latex")
