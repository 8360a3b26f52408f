"""What `--expect` and `--suppose` print: two numbers, whether they agree, and what would have led there."""

import json
import math
import shlex
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import losscalc
from losscalc import cli
from losscalc.errors import ShapeError
from losscalc.insight.compare import Tolerance, compare
from losscalc.insight.detect.evidence import Expected

pytestmark = pytest.mark.filterwarnings("ignore::losscalc.LosscalcWarning")

Run = Callable[..., tuple[int, str, str]]
"""Runs a command: its exit code, and what it printed on standard output and on standard error."""


@pytest.fixture
def run(capsysbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Run a command in this process, and give its exit code and what it printed."""

    def call(*words: str) -> tuple[int, str, str]:
        code = cli.run(words)
        out, err = capsysbinary.readouterr()
        return code, out.decode(), err.decode()

    return call


@pytest.fixture(autouse=True)
def _folder(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are written where nothing else is, and no variable of the environment is in the way."""
    monkeypatch.chdir(tmp_path)


MSE = ("mse", "-i", "1,2", "-t", "3,5")
"""4 and 9: the mean is 6.5, and the sum 13."""

RIGHT = "agrees (rtol 1e-05, atol 1e-08)\n"
WRONG = "differs (rtol 1e-05, atol 1e-08)\n"

TEXTS = [
    (
        "a right scalar",
        (*MSE, "--expect", "6.5"),
        0,
        "value       6.5\nexpected    6.5\ndifference  0.0   relative 0\nagrees to 2 digits (within 0.05)\n",
    ),
    (
        "a right scalar with noise of float32",
        (*MSE, "--expect", "6.500001"),
        0,
        "value       6.5\nexpected    6.500001\ndifference  -1.000000000139778e-06   relative 1.5e-07\n"
        "agrees to 6 digits (within 6.5e-06)\n",
    ),
    (
        "as right as it was asked for",
        (*MSE, "--expect", "6.4", "--rtol", "0", "--atol", ".2"),
        0,
        "value       6.5\nexpected    6.4\ndifference  0.09999999999999964   relative 0.016\n"
        "agrees (rtol 0, atol 0.2)\n",
    ),
    (
        "nothing to divide by",
        ("mse", "-i", "1,2", "-t", "3,4", "--expect", "0.0"),
        1,
        "value       4.0\nexpected    0.0\ndifference  4.0   relative inf\n"
        "differs (by more than 0.05)\nno common mistake explains 0.0\n",
    ),
    (
        "0, near which nothing is",
        (*MSE, "--expect", "0"),
        1,
        "value       6.5\nexpected    0.0\ndifference  6.5   relative inf\n"
        "differs (by more than 0)\nno common mistake explains 0\n",
    ),
    (
        "a scalar that nothing leads to",
        ("cross-entropy", "-i", "[[1,2]]", "-t", "-100", "-q", "--expect", "5.4321"),
        1,
        "value       nan\nexpected    5.4321\ndifference  nan   relative nan\n"
        "differs (by more than 5e-05)\nno common mistake explains 5.4321\n",
    ),
    (
        "a scalar that something comes near",
        (*MSE, "--expect", "7.123"),
        1,
        "value       6.5\nexpected    7.123\ndifference  -0.6230000000000002   relative 0.087\n"
        "differs (by more than 0.0005)\nno common mistake explains 7.123\n"
        "near: 7.125, which agrees to 3 digits, if relative errors were weighted by the targets: the sum "
        "of errors over that of the targets (weighted-by-targets)\n"
        "near: 7.193147, if ln 2 was not taken off (plus-ln-2)\n",
    ),
    (
        "a scalar that one thing leads to",
        (*MSE, "--expect", "2.5495097567963922"),
        1,
        "value       6.5\nexpected    2.5495097567963922\ndifference  3.9504902432036078   relative 1.5\n"
        "differs (by more than 2.5e-06)\n"
        "you get 2.54951 if it is the square root of the loss:\n"
        "  losscalc mse -i 1,2 -t 3,5 --suppose root\n"
        "  also: the loss is rmse (as-rmse)\n",
    ),
    (
        "a whole number that several things lead to",
        (*MSE, "--expect=13"),
        1,
        "value       6.5\nexpected    13.0\ndifference  -6.5   relative 0.5\n"
        "differs (by more than 1.3e-05)\n"
        "you get 13 if it is the sum:\n"
        "  losscalc mse -i 1,2 -t 3,5 --reduction sum\n"
        "  also: a factor 2 was applied (double)\n"
        "  also: the loss was multiplied by the number of rows (times-rows)\n"
        "  also: the sum was divided by one less than the number of losses (over-n-1)\n"
        "  also: the loss was multiplied by 2 (a number of batches, or a weight) (times=2)\n",
    ),
    (
        "the value, rounded to 4 decimals",
        ("bce-logits", "-i", "0.5,-1", "-t", "1,0", "--expect", "0.3937"),
        0,
        "value       0.39366933584916475\nexpected    0.3937\n"
        "difference  -3.066415083524676e-05   relative 7.8e-05\n"
        "agrees to 4 digits (within 5e-05)\n",
    ),
    (
        "an array with wrong numbers",
        ("l1", "-i", "[[1,2],[3,4]]", "-t", "[[0,0],[0,0]]", "-r", "none", "--expect", "[[1,2.5],[7,4]]"),
        1,
        "2 of 4 numbers differ, most at [1, 0]\n"
        "value       3.0\nexpected    7.0\ndifference  -4.0   relative 0.57\n"
        + WRONG
        + "only 2 of 4 numbers differ; all others agree\n",
    ),
    (
        "an array with a mistake throughout",
        (*MSE, "-r", "none", "--expect", "2,4.5"),
        1,
        "2 of 2 numbers differ, most at [1]\n"
        "value       9.0\nexpected    4.5\ndifference  4.5   relative 1\n"
        + WRONG
        + "you get these numbers if a factor ½ was applied:\n"
        "  losscalc mse -i 1,2 -t 3,5 -r none --suppose half\n"
        "  also: the loss was divided by the number of rows (divided-by-rows)\n"
        "  also: the loss was divided by the number of elements (divided-by-elements)\n"
        "  also: input and target were both divided by the standard deviation of the target as a sample "
        "(n - 1), as pandas and PyTorch compute it (standardized-both-sample)\n",
    ),
]


@pytest.mark.parametrize(("words", "code", "text"), [row[1:] for row in TEXTS], ids=[row[0] for row in TEXTS])
def test_what_a_check_prints(run: Run, words: tuple[str, ...], code: int, text: str) -> None:
    """Both numbers, their difference, the verdict, and what would have led there; exit code 0 or 1."""
    assert run(*words) == (code, text, "")


def test_a_right_array_agrees(run: Run) -> None:
    """Whether it is typed or in a file."""
    np.save("expected.npy", np.array([4.0, 9.0]))
    for expected in ("4,9", "expected.npy"):
        code, out, err = run(*MSE, "-r", "none", "--expect", expected)
        assert (code, err) == (0, "")
        assert out.endswith(RIGHT)


REFUSALS = [
    (
        (*MSE, "-r", "none", "--expect", "4,9,1"),
        4,
        "--expect has shape (3,), and the result (2,)",
        None,
    ),
    (
        (*MSE, "--expect", "4,9"),
        4,
        "--expect has shape (2,), and the result ()",
        "--reduction none gives the single losses; if it is a decimal comma: --expect 4.9",
    ),
    ((*MSE, "--expect", "none.csv"), 3, "none.csv: no such file or directory", "an array is a file, "),
    (
        (*MSE, "--expect", "13", "--gradient"),
        4,
        "--expect has shape (), and the result (2,)",
        "--reduction mean or sum gives one number",
    ),
    ((*MSE, "--expect", "13", "--suppose", "half"), 2, "--expect and --suppose do not go together", None),
    ((*MSE, "--worst", "1", "--expect", "13"), 2, "--worst and --expect do not go together", None),
    ((*MSE, "--worst", "1", "--suppose", "half"), 2, "--worst and --suppose do not go together", None),
    ((*MSE, "--worst", "1", "--gradient"), 2, "--gradient and --worst do not go together", None),
    ((*MSE, "--rtol", "1"), 2, "--rtol is a tolerance of --expect", "give the number: --expect 0.25"),
    ((*MSE, "--suppose", "half", "--atol", "1"), 2, "--atol is a tolerance of --expect", None),
    ((*MSE, "--expect", "13", "--rtol", "-1"), 2, "invalid value for '--rtol'", None),
    (
        (*MSE, "--expect", "13", "-f", "csv"),
        2,
        "a check cannot be written as csv",
        "take plain, table, json, markdown or html",
    ),
    (
        (*MSE, "--suppose", "hafl"),
        2,
        "nothing of that name can be supposed, found 'hafl'",
        "did you mean half?",
    ),
    (
        (*MSE, "--suppose", "nonsense"),
        2,
        "nothing of that name can be supposed, found 'nonsense'",
        "there are rolled, shifted, ",
    ),
    (
        (*MSE, "--suppose", "no-weight"),
        2,
        "no-weight does not apply to these arrays",
        "it means: --weight was not applied",
    ),
    (
        (*MSE, "--suppose", "pos-weight=2"),
        2,
        "pos-weight cannot be supposed of mse",
        "it is for bce-logits; losscalc suppose mse lists what there is",
    ),
    *(
        ((*MSE, "--expect", copied), 3, "", f"if it is one number: --expect {number}")
        for copied, number in (
            ("12%", "0.12"),
            ("-1.5 %", "-0.015"),
            ("loss=0.65", "0.65"),
            ("val/loss: 6.5e-1", "6.5e-1"),
            ("tensor(0.65, device='cuda:0')", "0.65"),
            ("np.float64(0.65)", "0.65"),
            ("≈.65", ".65"),
            ("0.65,", "0.65"),
        )
    ),
    ((*MSE, "--expect", "run2.csv"), 3, "run2.csv: no such file or directory", "an array is a file, "),
    ((*MSE, "--suppose", "half=2"), 2, "half takes no number, found 'half=2'", "half alone does it"),
    ((*MSE, "--suppose", "times"), 2, "times needs a number, found 'times'", "times=2, for instance"),
    (
        (*MSE, "--suppose", "batch-means=1.5"),
        2,
        "batch-means needs a whole number, found '1.5'",
        "batch-means=2, for instance",
    ),
    ((*MSE, "--suppose", "times=x"), 2, "times needs a number, found 'x'", "times=2, for instance"),
    (
        (*MSE, "--suppose", "median,max"),
        2,
        "median and max are both ways to reduce losses",
        "leave one of them out",
    ),
]


@pytest.mark.parametrize(("words", "code", "problem", "hint"), REFUSALS, ids=lambda value: str(value)[:60])
def test_what_is_refused(run: Run, words: tuple[str, ...], code: int, problem: str, hint: str | None) -> None:
    """With the exit code of its kind, one message, and nothing on standard output."""
    got, out, err = run(*words)
    first, *rest = err.splitlines()
    assert (got, out) == (code, "")
    assert first.startswith(f"losscalc: error: {problem}")
    assert hint is None or rest[0].startswith(f"  hint: {hint}")


def test_a_supposition_that_is_not_finite(run: Run) -> None:
    """Is warned of as any result is, and not again where the loss itself is NaN."""
    words = ("cross-entropy", "-i", "[[1,2],[3,4]]", "-t", "0,1", "--suppose", "temperature=0")
    assert run(*words) == (0, "nan\n", "losscalc: warning: a result is not finite, found nan\n")
    assert run(*words, "-W", "error")[0] == 4
    assert run("mse", "-i", "1,nan", "-t", "1,2", "--suppose", "half")[2].count("not finite") == 1
    with pytest.warns(losscalc.LosscalcWarning, match="not finite"):
        losscalc.suppose("cross-entropy", [[1.0, 2.0]], [0], mistake="temperature=0")


def test_no_single_losses_are_promised_of_a_loss_of_the_whole(run: Run) -> None:
    """All elements make one Dice loss, also with the reduction none, which was asked for."""
    words = ("dice", "-i", "0.9,0.2", "-t", "1,0", "-r", "none", "--expect", "[1,2]")
    assert run(*words) == (4, "", "losscalc: error: --expect has shape (2,), and the result ()\n")


@pytest.mark.parametrize("words", [("-r", "none", "--expect", "4,9,1"), ("--expect", "[1,2,3]")])
def test_nothing_is_advised_where_nothing_helps(run: Run, words: tuple[str, ...]) -> None:
    """Three numbers are neither the mean of two losses nor these, and no number with a decimal comma."""
    code, _, err = run(*MSE, *words)
    assert code == 4
    assert "hint:" not in err


def test_a_check_in_json(run: Run) -> None:
    """Strict JSON with all that the text says."""
    code, out, err = run(*MSE, "--expect", "13", "--format", "json")
    assert (code, err) == (1, "")
    facts = json.loads(out)
    (found,) = facts.pop("explanations")
    assert facts == {
        "loss": "mse",
        "reduction": "mean",
        "agrees": False,
        "value": 6.5,
        "expected": 13.0,
        "difference": -6.5,
        "worst": [],
        "differing": 1,
        "rtol": 0.0,
        "atol": 13e-6,
        "undecided": [],
        "nearest": [],
    }
    sums = {
        "name": "sum",
        "sentence": "it is the sum",
        "command": "losscalc mse -i 1,2 -t 3,5 --format json --reduction sum",
        "value": 13.0,
    }
    double = {
        "name": "double",
        "sentence": "a factor 2 was applied",
        "command": "losscalc mse -i 1,2 -t 3,5 --format json --suppose double",
        "value": 13.0,
    }
    also = found.pop("also")
    for told, stated in ((found, sums), (also[0], double)):
        assert {key: told[key] for key in stated} == stated
        assert told.keys() - stated.keys() == {"cost", "chance"}
    assert found["cost"] < also[0]["cost"]
    # Two digits of a whole number, which is exact: hardly by chance.
    assert 0 < found["chance"] < 1 / 200


def test_an_array_in_json(run: Run) -> None:
    """With null for what JSON has no number for."""
    code, out, _ = run(*MSE, "-r", "none", "--expect", "[4,NaN]", "-f", "json", "-q")
    facts = json.loads(out)
    assert (code, facts["value"], facts["expected"]) == (1, [4.0, 9.0], [4.0, None])
    assert (facts["difference"], facts["worst"], facts["differing"]) == (None, [1], 1)
    code, out, _ = run(*MSE, "--expect", "6.5", "-f", "json")
    facts = json.loads(out)
    assert (code, facts["agrees"], facts["explanations"]) == (0, True, [])


def test_a_check_goes_into_a_file(run: Run) -> None:
    """As any result; the exit code is the same."""
    assert run(*MSE, "--expect", "7.123", "-o", "check.json") == (1, "", "")
    with open("check.json", encoding="utf-8") as file:
        assert json.load(file)["agrees"] is False


@pytest.mark.parametrize("value", ["inf", "-inf"])
def test_an_infinity_does_not_agree_with_a_number(run: Run, value: str) -> None:
    """The tolerance relative to it would be infinite."""
    code, out, _ = run(*MSE, "--expect", value)
    assert code == 1
    assert "differs" in out


@pytest.mark.parametrize(
    "words",
    [
        ("bce-logits", "-i", "1,2", "-t", "0,0"),
        ("cross-entropy", "-i", "[[1,2]]", "-t", "-100"),
        ("sigmoid-focal", "-i", "1,2", "-t", "0,0"),
        ("bce", "-i", ".2,.7", "-t", "0,1", "--weight", "0,0"),
    ],
)
def test_counts_of_zero_are_no_explanation(run: Run, words: tuple[str, ...]) -> None:
    """No positive label, no row that counts, no weight: the search goes on without."""
    code, out, _ = run(*words, "--expect", "5.4321", "-q")
    assert code == 1
    assert "no common mistake explains 5.4321" in out.splitlines()


@pytest.mark.parametrize(
    "words",
    [
        ("-r", "sum"),
        ("-rsum",),
        ("--reduction", "sum"),
        ("--reduction=sum",),
        ("--no-size-average",),
        ("--no-size-average", "--reduce"),
    ],
)
def test_the_reduction_is_put_in_the_place_of_another(run: Run, words: tuple[str, ...]) -> None:
    """However it was given."""
    code, out, _ = run(*MSE, *words, "-q", "--expect", "6.5", "-f", "json")
    command = json.loads(out)["explanations"][0]["command"]
    assert code == 1
    code, out, _ = run(*shlex.split(command)[1:])
    assert (code, json.loads(out)["value"]) == (0, 6.5)


def test_options_are_put_in_the_place_of_others(run: Run) -> None:
    """And those of the check are left out."""
    words = ["huber", "-i", "1,2", "-t", "3,5", "--delta", "3"]
    code, out, _ = run(*words, "--rtol=1e-6", "--atol", "0", "--expect", "2")
    assert code == 1
    assert out.splitlines()[5] == "  losscalc huber -i 1,2 -t 3,5 --delta 1.0"
    words = ["poisson-nll", "-i", "1,2", "-t", "3,5", "--no-log-input"]
    code, out, _ = run(*words, "--expect", repr(float(losscalc.compute("poisson-nll", [1, 2.0], [3.0, 5]))))
    assert code == 1
    assert "\n  losscalc poisson-nll -i 1,2 -t 3,5 --no-log-input --log-input\n" in out


def test_what_is_supposed_is_said(run: Run) -> None:
    """The number alone in a pipe, and its name with it in JSON."""
    assert run(*MSE, "--suppose", "half") == (0, "3.25\n", "")
    _, out, _ = run(*MSE, "--suppose", "half", "-f", "json")
    facts = json.loads(out)
    assert (facts["value"], facts["supposed"]) == (3.25, "half")


def test_combinations_are_supposed(run: Run) -> None:
    """With numbers, in any order: the root of three times the sum of 4 and 9."""
    for names in ("sum,times=3,root", "root,sum,times=3"):
        code, out, _ = run(*MSE, "--suppose", names)
        assert code == 0
        assert float(out) in (pytest.approx(39**0.5), pytest.approx(3 * 13**0.5))
    assert run(*MSE, "--suppose", "sum,half") == (0, "6.5\n", "")


def test_few_digits_decide_nothing(run: Run) -> None:
    """Of two digits many things may be true; they are not told as explanations."""
    code, out, _ = run(*MSE, "--expect", "3.3", "-f", "json")
    facts = json.loads(out)
    assert code == 1
    assert facts["explanations"] == []
    assert len(facts["undecided"]) <= 2


@pytest.mark.parametrize(
    ("text", "digits", "tolerance"),
    [
        ("0.9256", 4, 5e-5),
        ("-12.34", 4, 5e-3),
        ("9.256e-01", 4, 5e-5),
        ("9.256e+05", 4, 50.0),
        ("925600", 6, 0.9256),
        ("0.0", 0, 0.05),
        ("1.2345678901234", 14, 1.2345678901234e-6),
        ("12", 2, 1.2e-5),
        ("inf", 0, math.inf),
    ],
)
def test_half_a_unit_of_the_last_digit_is_allowed(text: str, digits: int, tolerance: float) -> None:
    """Or a millionth, the noise of float32, where that is more; of a whole number that alone."""
    expected = Expected.typed(text)
    assert expected.digits == digits
    assert expected.tolerance == pytest.approx(tolerance)


def test_tolerances_take_the_place_of_digits() -> None:
    """Both of them; one that is not given is 0."""
    assert Expected.typed("0.9", rtol=0.1).tolerance == pytest.approx(0.09)
    assert Expected.typed("0.9", atol=0.2).tolerance == 0.2
    assert Expected.typed("0.9", 0.1, 0.2).tolerance == pytest.approx(0.29)


@pytest.mark.parametrize(("digits", "allowed"), [(2, 200), (4, 200), (5.5, 1000), (7, 5000), (12, 5000)])
def test_how_likely_a_coincidence_may_be(digits: float, allowed: float) -> None:
    """1 in 200 of up to four digits, 1 in 5,000 from seven, and the geometric mean halfway."""
    expected = Expected(1.0, digits, 0.5, 0.5)  # type: ignore[arg-type]
    assert 1 / expected.allowed == pytest.approx(allowed)


def test_what_agrees() -> None:
    """An infinity with itself alone, NaN with NaN, and of numbers those within the tolerance."""
    inf, nan = np.inf, np.nan
    values = np.array([1.0, 1.0, inf, inf, 1.0, nan, nan, -inf, 0.0])
    expected = np.array([1.000009, 1.00002, inf, -inf, inf, nan, 1.0, 1.0, 1e-9])
    agrees = [True, False, True, False, False, True, False, False, True]
    assert Tolerance().agree(values, expected).tolist() == agrees


def test_the_worst_of_an_array_is_found() -> None:
    """By its index; NaN is worse than any number."""
    value = np.array([[1.0, 2.0], [3.0, 4.0]])
    comparison = compare(value, np.array([[1.0, 2.5], [4.0, 4.0]]), Tolerance())
    assert (comparison.agrees, comparison.differing, comparison.worst) == (False, 2, (1, 0))
    assert comparison.difference == -1.0
    assert compare(value, np.array([[np.nan, 2.5], [4.0, 4.0]]), Tolerance()).worst == (0, 0)
    assert compare(np.asarray(2.0), np.array([[2.0]]), Tolerance()).agrees
    with pytest.raises(ShapeError, match=r"expect has shape \(2,\), and the result \(2, 2\)"):
        compare(value, np.ones(2), Tolerance())


def test_a_check_as_a_page(capsys) -> None:
    """For a summary of a build, or a browser: (0 + 9) / 2 is 4.5, and half of that 2.25."""
    words = ["mse", "-i", "1,2", "-t", "1,5", "--expect", "2.25"]
    assert cli.run([*words, "-f", "markdown"]) == 1
    text = capsys.readouterr().out
    assert "| value | 4.5 |" in text
    assert "**differs" in text
    assert "`losscalc mse -i 1,2 -t 1,5 -f markdown --suppose half`" in text
    assert cli.run([*words, "-f", "html", "--explain"]) == 1
    page = capsys.readouterr().out
    assert "<td>4.5</td>" in page
    assert "<pre><code>losscalc mse " in page
    assert "<math>" in page
