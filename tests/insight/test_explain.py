"""The working of a loss: the declared formula is the loss, and shows how it comes about."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import losscalc
from losscalc import Loss, cli, losses
from losscalc.core.reductions import MEAN
from losscalc.engine.compute import compute
from losscalc.insight.call import Call
from losscalc.insight.describe import describe, example_command
from losscalc.insight.detect.catalogue import hypotheses
from losscalc.insight.detect.hypothesis import Supposed
from losscalc.insight.detect.suppose import combination, outcome
from losscalc.insight.explain import Explanation
from losscalc.insight.formulas import Formula
from losscalc.insight.stats import spread
from tests.support.examples import example
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
