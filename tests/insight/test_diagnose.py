"""Signs of mistakes in the data: each has arrays that show it, and arrays just beside that do not.

The command line tells of them, and Python warns of them. A diagnosis without a case for each of its losses
fails here.
"""

import json
import os
import re
import shlex
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import losscalc
from losscalc import cli
from losscalc.catalogue.base import Loss
from losscalc.engine.block import BLOCK
from losscalc.insight.contradictions import CONTRADICTIONS, RANGE
from losscalc.insight.diagnose import DIAGNOSES, examine
from losscalc.insight.diagnosis import _some_rows
from tests.support.examples import WIDTH, converted, example, variants

SAMPLES = Path(__file__).resolve().parents[2] / "samples"

Run = Callable[..., tuple[int, str, str]]
Arrays = Mapping[str, Any]


def log_softmax(scores: np.ndarray) -> np.ndarray:
    """Log-probabilities of scores along the last axis, in plain NumPy."""
    return scores - np.logaddexp.reduce(scores, axis=-1, keepdims=True)


class Sign(NamedTuple):
    """Arrays that show a sign, and what has to be different for it not to show."""

    name: str
    losses: tuple[str, ...]
    words: str
    """How the warning starts, without the place."""
    arrays: Arrays
    beside: Arrays
    """The arrays that are different beside it; one that is None is left out there."""
    options: tuple[str, ...] = ()
    beside_options: tuple[str, ...] | None = None
    also: tuple[str, ...] = ()
    """How other warnings start that the same arrays have to lead to."""

    def command(self, loss: str, beside: bool = False) -> list[str]:
        """The words to type, with the arrays as literals."""
        arrays = {**self.arrays, **(self.beside if beside else {})}
        options = self.beside_options if beside and self.beside_options is not None else self.options
        return [loss, *typed(arrays), *options]


SIXTEEN = np.arange(16.0) / 15
LABELS = np.arange(16) % 2
ROWS = np.array([[0.2, 0.8], [0.5, 0.5]])
LOGS = np.log(ROWS)
LAST = np.log([[[0.2, 0.8], [0.1, 0.9], [0.3, 0.7]]])
"""One sample of three places, with its two classes on the last axis."""
SQUARE = np.array([[0.1, 0.9], [0.7, 0.4]])
THREE = [[0.1, 0.9], [0.7, 0.4], [0.3, 0.6]]
EVEN = np.full((3, 2, 3), np.log(1 / 3))
"""Three steps of two sequences, in which all three symbols are equally likely."""
PADDED = np.where(np.arange(18).reshape(3, 2, 3) % 6 < 3, EVEN, 0.0)
"""The same, with nothing behind the first step of the second sequence."""
PADDED[0] = EVEN[0]

POSITIVE = "has a positive value, and log-probabilities are at most 0"
UNNORMALISED = "does not look like log-probabilities: the exponentials of its rows do not sum to 1"
NO_EFFECT = "--weight has no effect: "

LEAKED = np.arange(8) % 3
LEAKING = np.stack([np.arange(8) * 0.5 - 2, LEAKED, 1 - np.arange(8) * 0.25], axis=1)
"""Scores of three classes, of which the second are the labels."""
NEARLY = np.where(np.arange(24).reshape(8, 3) == 22, 0.5, LEAKING)
"""The same, but for the last row."""
WHOLE = "holds whole numbers only, and the others fractions"
PREDICTED = np.insert(np.sin(np.arange(16)).reshape(8, 2), 1, [0, 2, 2, 1, 0, 1, 1, 2], axis=1)
LEAKS = "of --input is the target in all rows: labels are taken as scores"

SIGNS = [
    Sign(
        "logits-are-probabilities",
        ("bce-logits", "multilabel-soft-margin", "sigmoid-focal"),
        "looks like probabilities: all of it is in [0, 1]; as logits, the loss cannot fall below 0.3133",
        {"input": SIXTEEN.reshape(4, 4), "target": LABELS.reshape(4, 4)},
        {"input": SIXTEEN.reshape(4, 4) - 0.01},
    ),
    Sign(
        "scores-are-probabilities",
        ("cross-entropy", "perplexity"),
        "looks like probabilities: its rows sum to 1; softmax was probably applied already: "
        "applied twice, the loss cannot fall below 0.3133",
        {"input": ROWS, "target": [0, 1]},
        {"input": [[0.2, 0.8], [0.5, 0.6]]},
    ),
    Sign(
        "scores-are-probabilities",
        ("focal",),
        "looks like probabilities: its rows sum to 1",
        {"input": ROWS, "target": [0, 1]},
        {"input": [[0.2, 0.8], [0.5, 0.6]]},
    ),
    Sign(
        "scores-are-probabilities",
        ("distillation",),
        "looks like probabilities: its rows sum to 1",
        {"input": ROWS, "teacher": [[1, 2], [0, 3]], "target": [0, 1]},
        {"input": [[0.2, 0.8], [0.5, 0.6]]},
    ),
    Sign(
        "positive-log-probabilities",
        ("nll",),
        f"{POSITIVE}, found 0.1",
        {"input": [[-0.3, -1.5], [0.1, -2.0]], "target": [0, 1]},
        {"input": LOGS},
    ),
    Sign(
        "positive-log-probabilities",
        ("kl-div",),
        f"{POSITIVE}, found 0.1",
        {"input": [[-0.3, -1.5], [0.1, -2.0]], "target": ROWS},
        {"input": LOGS},
        ("-r", "batchmean"),
    ),
    Sign(
        "positive-log-probabilities",
        ("ctc",),
        f"{POSITIVE}, found 0.1",
        # Of the second sequence only one step takes part, and what is behind it is padding.
        {
            "log_probs": np.where(np.arange(18).reshape(3, 2, 3) == 0, 0.1, PADDED),
            "targets": [[1], [2]],
            "input_lengths": [3, 1],
            "target_lengths": [1, 1],
        },
        {"log_probs": PADDED},
    ),
    Sign(
        "not-normalised",
        ("nll",),
        UNNORMALISED,
        {"input": LOGS - 0.1, "target": [0, 1]},
        {"input": LOGS - 0.0001},
    ),
    Sign(
        "not-normalised",
        ("nll",),
        UNNORMALISED,
        {"input": [*LOGS.tolist(), [0, 0]], "target": [0, 1, 0]},
        # Of a row that is ignored nobody knows what it is.
        {"target": [0, 1, -100]},
    ),
    Sign(
        "not-normalised",
        ("kl-div",),
        UNNORMALISED,
        {"input": [[-0.03, -0.09, -0.05]], "target": [[0.2, 0.3, 0.5]]},
        {"input": np.log([[0.33, 0.33, 0.33]])},
        ("-r", "batchmean"),
    ),
    Sign(
        "not-normalised",
        ("ctc",),
        UNNORMALISED,
        {"log_probs": EVEN - 1, "targets": [[1], [2]], "input_lengths": [3, 3], "target_lengths": [1, 1]},
        {"log_probs": PADDED, "input_lengths": [3, 1]},
    ),
    Sign(
        "class-sums",
        ("cross-entropy",),
        "has a row that sums to 2; the probabilities of classes sum to 1",
        {"input": [[1, 2, 3], [3, 2, 1]], "target": [[0, 1, 0], [1.0, 1, 0]]},
        {"target": [[0, 1, 0], [0.6, 0.4, 0]]},
    ),
    Sign(
        "class-sums",
        ("cross-entropy",),
        "has a row that sums to 0; the probabilities of classes sum to 1",
        {"input": [[1, 2, 3], [1, 2, 3]], "target": [[0, 1.0, 0], [0, 0, 0]]},
        # A row that has no weight takes no part.
        {"sample_weight": [1, 0]},
    ),
    Sign(
        "class-sums",
        ("linear-cross-entropy",),
        "has a row that sums to 0.5; the probabilities of classes sum to 1",
        {"input": [[1, 2], [-1, 3]], "linear_weight": [[1, 0], [0, 1]], "target": [[0.5, 0.5], [0.5, 0]]},
        {"target": ROWS},
    ),
    Sign(
        "distribution-sums",
        ("kl-div",),
        "has a row that does not sum to 1; distributions do",
        {"input": LOGS, "target": [[0.2, 0.8], [0.5, 0.4]]},
        # Along axis 1 they do.
        {"input": np.log([[[0.2, 0.5], [0.8, 0.5]]]), "target": [[[0.9, 0.5], [0.1, 0.5]]]},
        ("-r", "batchmean"),
        ("-r", "sum"),
    ),
    Sign(
        "distribution-sums",
        ("kl-div",),
        "has a row whose exponentials do not sum to 1; those of log-probabilities do",
        {"input": LOGS, "target": [[1, 2], [3, 1]]},
        {"target": LOGS},
        ("-r", "batchmean", "--log-target"),
    ),
    Sign(
        "corners",
        ("giou", "diou", "ciou", "iou"),
        "has a box with a corner on the wrong side, found '5, 5, 2, 2'",
        {"input": [[0, 0, 1, 1], [5, 5, 2, 2]], "target": [[0, 0, 1, 2], [2, 2, 5, 6]]},
        {"input": [[0, 0, 1, 1], [2, 2, 5, 5]]},
    ),
    Sign(
        "corners",
        ("giou", "diou", "ciou", "iou"),
        "--target has a box without area, found '0, 0, 1, 0'",
        {"input": [0, 0, 1, 1], "target": [0, 0, 1, 0]},
        {"target": [0, 0, 1, 0.01]},
    ),
    Sign(
        "batchmean",
        ("kl-div",),
        "batchmean divides by the length of axis 0 alone, and --input has distributions along more axes",
        {"input": [LOGS], "target": [ROWS]},
        {"input": LOGS, "target": ROWS},
        ("-r", "batchmean"),
    ),
    Sign(
        "hard",
        ("bce", "log-loss", "brier"),
        "holds nothing but 0 and 1, which are labels, not probabilities",
        {"input": [1, 0, 1, 1], "target": [1, 0, 1, 1]},
        {"input": [1, 0, 1, 0.999]},
    ),
    Sign(
        "class-axis",
        ("cross-entropy", "focal"),
        "--input seems to have its classes on the last axis; they are read from axis 1",
        {"input": LAST, "target": [[0, 1]]},
        {"input": np.moveaxis(LAST, -1, 1), "target": [[0, 1, 1]]},
    ),
    Sign(
        "class-axis",
        ("perplexity",),
        "--input seems to have its classes on the last axis; they are read from axis 1",
        {"input": LAST, "target": [[0, 1]]},
        {"target": [[0, 1, 1]]},
        ("--class-axis", "1"),
        (),
    ),
    Sign(
        "class-axis",
        ("nll",),
        "--input seems to have its classes on the last axis; they are read from axis 1",
        {"input": LAST, "target": [[0, 1]]},
        {"input": np.moveaxis(LAST, -1, 1), "target": [[0, 1, 1]]},
        also=(UNNORMALISED,),
    ),
    Sign(
        "equal-axes",
        ("cross-entropy", "focal"),
        "axis 1 and the last axis of --input both have length 2; the classes are read from axis 1",
        {"input": [[[2, 1], [0, 3]]], "target": [[0, 1]]},
        {},
        beside_options=("--class-axis", "1"),
    ),
    Sign(
        "equal-axes",
        ("nll",),
        "axis 1 and the last axis of --input both have length 2; the classes are read from axis 1",
        {"input": np.log([[[0.2, 0.7], [0.8, 0.3]]]), "target": [[0, 1]]},
        {"input": np.log([[[0.2, 0.8], [0.7, 0.3]]])},
        beside_options=("--class-axis", "-1"),
    ),
    Sign(
        "square",
        ("bce", "bce-logits", "multilabel-soft-margin"),
        "2 weights fit the rows of --input as well as its columns; they are one per column",
        {"input": SQUARE, "target": [[0, 1], [1, 0]], "weight": [1, 3]},
        {"input": THREE, "target": [[0, 1], [1, 0], [1, 1]]},
    ),
    Sign(
        "square",
        ("bce-logits",),
        "2 weights fit the rows of --input as well as its columns; they are one per column",
        {"input": SQUARE, "target": [[0, 1], [1, 0]], "pos_weight": [1, 3]},
        {"pos_weight": [[1], [3]]},
    ),
    Sign(
        "equal-weights",
        ("cross-entropy",),
        NO_EFFECT,
        {"input": [[2, 1, -1], [0, 3, 1]], "target": [0, 1], "weight": [2, 2, 5]},
        {"target": [0, 2]},
    ),
    Sign(
        "equal-weights",
        ("nll",),
        NO_EFFECT,
        {"input": LOGS, "target": [0, 1], "weight": [2, 2]},
        {"weight": [2, 2.1]},
    ),
    Sign(
        "equal-weights",
        ("linear-cross-entropy",),
        NO_EFFECT,
        {
            "input": [[1, 2], [-1, 3]],
            "linear_weight": [[1, 0], [0, 1], [1, 1]],
            "target": [0, 1],
            "weight": [2, 2, 5],
        },
        {"target": [0, 2]},
    ),
    Sign(
        "equal-weights",
        ("l1", "mse", "rmse"),
        NO_EFFECT,
        {"input": [1, 2, 4], "target": [0, 0, 0], "weight": [2, 2, 2]},
        {"weight": [2, 2, 3]},
    ),
    Sign(
        "equal-weights",
        ("log-loss", "brier"),
        NO_EFFECT,
        {"input": [0.1, 0.2, 0.4], "target": [0, 0, 1], "weight": [2, 2, 2]},
        {"weight": [2, 2, 3]},
    ),
    Sign(
        "equal-weights",
        ("mse",),
        NO_EFFECT,
        {"input": [1, 2, 4], "target": [0, 0, 0], "weight": [2, 2, 2]},
        {},
        beside_options=("-r", "sum"),
    ),
    Sign(
        "one-hot",
        ("cross-entropy",),
        "holds one-hot rows",
        {"input": [[2, 1, -1], [0, 3, 1]], "target": [[1.0, 0, 0], [0, 0, 1]], "weight": [1, 2, 5]},
        {"target": [[0.9, 0.1, 0], [0, 0, 1]]},
    ),
    Sign(
        "one-hot",
        ("linear-cross-entropy",),
        "holds one-hot rows",
        {
            "input": [[1, 2], [-1, 3]],
            "linear_weight": [[1, 0], [0, 1], [1, 1]],
            "target": [[1.0, 0, 0], [0, 0, 1]],
            "weight": [1, 2, 5],
        },
        {"weight": None},
    ),
    Sign(
        "rows-of-probabilities",
        ("log-loss", "brier"),
        "the rows of --input do not sum to 1, as the probabilities of classes do",
        {"input": [[0.2, 0.8], [0.5, 0.6]], "target": [0, 1]},
        {"input": [[0.2, 0.8], [0.5, 0.5]]},
    ),
    Sign(
        "rows-of-shares",
        ("kl", "jensen-shannon"),
        "the rows of --input do not sum to 1, as those of distributions do",
        {"input": [[0.2, 0.8], [0.5, 0.6]], "target": ROWS},
        {"input": ROWS[::-1]},
    ),
    Sign(
        "rows-of-shares",
        ("kl", "jensen-shannon"),
        "the rows of --target do not sum to 1, as those of distributions do",
        {"input": ROWS, "target": [[0.2, 0.8], [0.5, 0.4]]},
        {"target": ROWS[::-1]},
    ),
    Sign(
        "one-hot-labels",
        ("log-loss", "brier"),
        "holds one-hot rows, of which each column is taken as a question of its own",
        {"input": ROWS, "target": [[0, 1], [1, 0]]},
        {"target": [[0, 1], [1, 1]]},
    ),
    Sign(
        "kl-mean",
        ("kl-div",),
        "the mean of kl-div divides by the number of classes too, and is not the divergence",
        {"input": LOGS, "target": ROWS},
        {},
        beside_options=("-r", "batchmean"),
    ),
    Sign(
        "probabilities",
        ("kl-div",),
        "looks like probabilities; kl-div takes their logarithms",
        {"input": ROWS, "target": ROWS},
        {"input": LOGS},
        ("-r", "batchmean"),
    ),
    Sign(
        "probabilities",
        ("nll",),
        "looks like probabilities; nll takes their logarithms",
        {"input": ROWS, "target": [0, 1]},
        {"input": LOGS},
    ),
    Sign(
        "too-long",
        ("ctc",),
        "--targets of a sequence is longer than its input allows, so its loss is infinite",
        {"log_probs": EVEN, "targets": [[1, 2], [1, 1]], "input_lengths": [2, 2], "target_lengths": [2, 2]},
        {"targets": [[1, 2], [2, 1]]},
        also=("a result is not finite, found inf",),
    ),
    Sign(
        "too-long",
        ("ctc",),
        "--targets of a sequence is longer than its input allows, so its loss is infinite",
        {"log_probs": EVEN, "targets": [1, 2, 1, 1], "input_lengths": [3, 2], "target_lengths": [2, 2]},
        {"input_lengths": [2, 3]},
        also=("a result is not finite, found inf",),
    ),
    Sign(
        "probabilities",
        ("ctc",),
        "looks like probabilities; ctc takes their logarithms",
        {
            "log_probs": np.full((3, 1, 2), 0.5),
            "targets": [[1]],
            "input_lengths": [3],
            "target_lengths": [1],
        },
        {"log_probs": np.full((3, 1, 2), np.log(0.5))},
    ),
    Sign(
        "leak",
        ("cross-entropy", "perplexity", "focal", "multi-margin", "multiclass-hinge"),
        f"column 2 {LEAKS}",
        {"input": LEAKING, "target": LEAKED},
        {"input": NEARLY},
    ),
    Sign(
        "leak",
        ("distillation",),
        f"column 2 {LEAKS}",
        {"input": LEAKING, "teacher": NEARLY, "target": LEAKED},
        {"input": NEARLY},
    ),
    Sign(
        "leak",
        ("sup-con", "batch-triplet"),
        f"column 2 {LEAKS}",
        {"input": LEAKING, "target": LEAKED},
        {"input": NEARLY},
    ),
    Sign(
        "whole",
        ("cross-entropy", "perplexity", "focal", "multi-margin", "multiclass-hinge"),
        f"column 2 of --input {WHOLE}: it may be no class, and is taken as one",
        {"input": PREDICTED, "target": LEAKED},
        {"input": np.where(PREDICTED == 0, 0.5, PREDICTED)},
    ),
    Sign(
        "whole",
        ("distillation",),
        f"column 2 of --input {WHOLE}: it may be no class, and is taken as one",
        {"input": PREDICTED, "teacher": NEARLY, "target": LEAKED},
        {"input": NEARLY},
    ),
]
CASES = [
    pytest.param(sign, loss, id=f"{sign.name}, {loss}, {i}")
    for i, sign in enumerate(SIGNS)
    for loss in sign.losses
]

# A warning of the command line, with its hint, if there is one.
_WARNING = re.compile(r"^losscalc: warning: (.*)\n(?:  hint: (.*)\n)?", re.MULTILINE)
_PLACE = re.compile(r"^(--[\w-]+(\[\d+\])+: |--[\w-]+ (?=look|hold|does not))")


DECLARED = {
    (diagnosis.name, loss)
    for diagnosis in DIAGNOSES
    for loss, cls in losscalc.losses().items()
    if diagnosis.concerns(cls)
}
"""Each diagnosis, with each of the losses that it concerns."""


def typed(arrays: Arrays) -> list[str]:
    """The options of arrays: files by their names, and others as literals."""
    words = []
    for name, values in arrays.items():
        if values is None:
            continue
        text = values if isinstance(values, str) else json.dumps(np.asarray(values).tolist())
        words += ["--" + name.replace("_", "-"), text]
    return words


def remarks(err: str) -> dict[str, str]:
    """The warnings on standard error without their places, and the hint of each."""
    assert _WARNING.sub("", err) == ""
    return {_PLACE.sub("", text): hint for text, hint in _WARNING.findall(err)}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in an empty folder, with no settings from outside: exit code and what it writes."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("LOSSCALC_")]:
        monkeypatch.delenv(name)

    def run(*words: str) -> tuple[int, str, str]:
        code = cli.run([*words])
        return code, *capsys.readouterr()

    return run


def save(**arrays: Any) -> None:
    """Write arrays as NPY into the current folder."""
    for name, values in arrays.items():
        np.save(f"{name}.npy", np.asarray(values))


def test_every_diagnosis_has_cases() -> None:
    """Each diagnosis is shown, for each of its losses, and no case is of one that is gone."""
    assert {(sign.name, loss) for sign in SIGNS for loss in sign.losses} == DECLARED


@pytest.mark.parametrize(("sign", "loss"), CASES)
def test_shows(sign: Sign, loss: str, run: Run) -> None:
    """The arrays lead to the warning, with a hint, and to no other that is not expected."""
    code, out, err = run(*sign.command(loss))
    assert (code, out != "") == (0, True)
    found = remarks(err)
    wanted = (sign.words, *sign.also)
    assert sorted(text for text in found if not text.startswith(wanted)) == []
    assert [words for words in wanted if not any(text.startswith(words) for text in found)] == []
    assert [hint for text, hint in found.items() if text.startswith(sign.words)] != [""]


@pytest.mark.parametrize(("sign", "loss"), CASES)
def test_does_not_show_beside(sign: Sign, loss: str, run: Run) -> None:
    """The arrays just beside do not lead to the warning."""
    code, out, err = run(*sign.command(loss, beside=True))
    assert (code, out != "") == (0, True)
    stems = tuple(words.partition(", found")[0] for words in sign.also)
    assert [text for text in remarks(err) if not (stems and text.startswith(stems))] == []


@pytest.mark.parametrize(("sign", "loss"), CASES)
def test_quiet(sign: Sign, loss: str, run: Run) -> None:
    """With -q the result is the same, and standard error stays empty."""
    _, told, _ = run(*sign.command(loss))
    assert run(*sign.command(loss), "-q") == (0, told, "")


@pytest.mark.parametrize(("sign", "loss"), CASES)
def test_warnings_as_errors(sign: Sign, loss: str, run: Run) -> None:
    """With -W error the first warning is the error, in the same words, and there is no result."""
    _, _, err = run(*sign.command(loss))
    text, hint = _WARNING.findall(err)[0]
    for output in ((), ("-o", "out.npy")):
        code, out, err = run(*sign.command(loss), "-W", "error", *output)
        assert (code, out) == (4, "")
        assert err.startswith("losscalc: error: " + text.partition(", found")[0])
        assert err.endswith(f"  hint: {hint}\n" if hint else "\n")
        assert len(err.splitlines()) == (2 if hint else 1)
    assert os.listdir() == []


def test_error_says_what_was_found(run: Run) -> None:
    """With -W error the error is the warning word for word, with what was found."""
    sign = next(sign for sign in SIGNS if sign.name == "positive-log-probabilities")
    _, _, err = run(*sign.command("nll"))
    wanted = err.replace("losscalc: warning: ", "losscalc: error: ")
    assert run(*sign.command("nll"), "-W", "error") == (4, "", wanted)


def test_quiet_warnings_as_errors(run: Run) -> None:
    """What -W error makes an error stays one with -q, as it is for all other warnings."""
    assert run("bce-logits", "-i", "0,1", "-t", "0,2", "-q", "-W", "error")[:2] == (4, "")
    sign = next(sign for sign in SIGNS if sign.name == "scores-are-probabilities")
    assert run(*sign.command("cross-entropy"), "-q", "-W", "error")[:2] == (4, "")


def in_python(sign: Sign) -> dict[str, Any]:
    """The arguments of a case for `compute`."""
    words = dict(zip(sign.options[::2], sign.options[1::2], strict=False))
    given: dict[str, Any] = {"reduction": words.get("-r", "mean")}
    if "--class-axis" in words:
        given["class_axis"] = int(words["--class-axis"])
    if "--log-target" in sign.options:
        given["log_target"] = True
    return given | {name: np.asarray(values) for name, values in sign.arrays.items()}


@pytest.mark.parametrize(("sign", "loss"), CASES)
def test_python_warns(sign: Sign, loss: str) -> None:
    """Python tells the same, of a loss as of its derivative, as warnings of one class with their hints."""
    for function in (losscalc.compute, losscalc.gradient):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            function(loss, **in_python(sign))
        told = [w for w in caught if issubclass(w.category, losscalc.DiagnosisWarning)]
        texts = [str(w.message).replace("`", "") for w in told]
        wanted = re.sub(r"--([\w-]+)", lambda match: match[1].replace("-", "_"), sign.words)
        assert any(wanted.replace(" _", " --") in text and "; hint: " in text for text in texts), texts
        assert {w.filename for w in told} == {__file__}


def test_python_can_be_silent() -> None:
    """A filter of the one class silences what Python would tell."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", losscalc.DiagnosisWarning)
        assert losscalc.GIoU()([5, 5, 2, 2], [5, 6, 2, 3]) < 0
        warnings.simplefilter("error", losscalc.DiagnosisWarning)
        with pytest.raises(losscalc.DiagnosisWarning, match="wrong side"):
            losscalc.GIoU()([5, 5, 2, 2], [5, 6, 2, 3])


# Numbers that break the definition of a loss, with what the table of real mistakes wants to hear of each:
# the value that comes out, the sentence, and what the hint says. Values by PyTorch 2.13 and torchvision.
IMPOSSIBLE = [
    ("giou -i 5,5,2,2 -t 5,6,2,3", -0.99999997, "wrong side", "x1 < x2 and y1 < y2"),
    (
        "ctc --log-probs [[[2,1,0]],[[0,3,1]]] --targets [[1]] --input-lengths 2 --target-lengths 1",
        -5.3266,
        "--log-probs[1][0][1]: has a positive value, and log-probabilities are at most 0, found 3.0",
        "log-softmax",
    ),
    ("kl-div -i [[-0.03,-0.09,-0.05]] -t [[0.2,0.3,0.5]] -r batchmean", -0.97165, "sum to 1", "log-softmax"),
    ("cross-entropy -i [[1,2,3]] -t [[1,1,0]]", 3.8152, "sums to 2", "bce-logits"),
    (
        "cross-entropy -i [[1,2,3],[1,2,3]] -t [[0,1,0],[0,0,0]]",
        0.70380,
        "--target[1]: has a row that sums to 0",
        "--ignore-index",
    ),
    (
        "kl-div -r batchmean -i [[[-1.204,-0.35667],[-1.204,-0.35667]]] -t [[[0.2,0.8],[0.5,0.5]]]",
        0.1129214,
        "axis 0 alone",
        "divide the sum",
    ),
    ("bce -i 1,0,1,1 -t 1,0,0,1", 25.0, "nothing but 0 and 1", "give the probabilities"),
    ("bce-logits -i 1.2,-.4,.3 -t 1,255,0", 34.543551, "found 255.0", "a label to ignore"),
    ("bce-logits -i 1.2,-.4,.3 -t 1,-100,0", -12.789782, "found -100.0", "a label to ignore"),
    ("bce-logits -i 1.2,-.4,.3 -t 1,-1,0", 0.4102177, "found -1.0", "a label to ignore"),
    ("bce-logits -i 1.2,-.4,.3 -t 1,-1,1", 0.3102177, "found -1.0", "(label + 1) / 2"),
    ("hinge-embedding -i [-3,1,2,0.5] -t 1,1,-1,1", -0.375, "is at least 0", "losscalc show"),
]


@pytest.mark.parametrize(("command", "value", "sentence", "hint"), IMPOSSIBLE)
def test_impossible_values(command: str, value: float, sentence: str, hint: str, run: Run) -> None:
    """Each is computed as asked, with one warning that says what is wrong and what to type."""
    code, out, err = run(*command.split())
    assert (code, float(out)) == (0, pytest.approx(value, rel=1e-4))
    ((text, advice),) = _WARNING.findall(err)
    assert sentence in text
    assert hint in advice


REFUSED = [
    ("cross-entropy -i [[1,2,3],[1,2,3]] -t 0,255", "--ignore-index 255"),
    ("multi-margin -i [[1,2,3],[1,2,3]] -t 0,-1", "-1 looks like a label to ignore"),
    ("bce -i .2,.4,.3 -t 1,-1,0", "-1 looks like a label to ignore"),
    ("cross-entropy -i [[[[1,2,3]],[[1,2,3]]]] -t [[[[1,0,1]]]]", "reshape --target to (1, 1, 3)"),
    ("gaussian-nll -i 1,2 -t 1,2 --var [-1,-2]", "log-variances"),
    ("sigmoid-focal -i [[1,2,3],[1,2,3]] -t 0,1", "--multi-hot"),
    ("bce -i [[0.1,0.2],[0.3,0.4]] -t [1,0]", "--multi-hot"),
    ("cross-entropy -i [[1,2,3],[1,2,3],[3,2,1]] -t 0,1", "leave out the last logits"),
    ("perplexity -i [[[1,2,3],[1,2,3],[3,2,1]]] -t [[0,1]]", "leave out the last logits"),
    (
        "ctc --log-probs [[[-1,-1],[-1,-1],[-1,-1]]] --targets [[1]] --input-lengths 3 --target-lengths 1",
        "(N, T, C)",
    ),
]


@pytest.mark.parametrize(("command", "hint"), REFUSED)
def test_hints_of_what_is_refused(command: str, hint: str, run: Run) -> None:
    """What does not fit is refused with a hint at the likely reason."""
    code, out, err = run(*command.split())
    assert (code, out) == (4, "")
    assert hint in err.splitlines()[1]


@pytest.mark.parametrize("options", [("-r", "none"), ("--gradient",), ("--explain",)])
def test_shows_in_all_that_a_loss_gives(options: tuple[str, ...], run: Run) -> None:
    """The sign shows as well where the single losses, the derivative or the working are wanted."""
    sign = next(sign for sign in SIGNS if sign.name == "scores-are-probabilities")
    code, _, err = run(*sign.command("cross-entropy"), *options)
    assert (code, [text.startswith(sign.words) for text in remarks(err)]) == (0, [True])


@pytest.mark.parametrize("words", [("--expect", "0.8653175655229155"), ("--stats",), ("--worst", "1")])
def test_shows_beside_a_check(words: tuple[str, ...], run: Run) -> None:
    """The sign shows as well where the losses are held against a number, or looked at."""
    sign = next(sign for sign in SIGNS if sign.name == "scores-are-probabilities")
    code, _, err = run(*sign.command("cross-entropy"), *words)
    assert (code, [text.startswith(sign.words) for text in remarks(err)]) == (0, [True])


def test_diagnose_runs_all(run: Run) -> None:
    """`losscalc diagnose` tells of the signs too: that is what it is for."""
    sign = next(sign for sign in SIGNS if sign.name == "scores-are-probabilities")
    code, _, err = run("diagnose", *sign.command("cross-entropy"))
    first, *others = remarks(err)
    assert (code, first.startswith(sign.words)) == (0, True)
    assert others == ["the mean, 0.865318, is worse than a uniform guess, ln C = 0.693147"]


SCORES = np.random.default_rng(5).normal(size=(60, 4))
TRUE = SCORES.argmax(axis=1)
"""The classes that the scores predict."""
ONE_HOT = np.eye(4)[np.random.default_rng(1).permutation(TRUE)]
SAME = np.vstack([SCORES, SCORES[:2]])


class Doubt(NamedTuple):
    """A call of `diagnose`, what it tells, and arrays beside these of which it does not tell it."""

    loss: str
    told: str
    arrays: Arrays
    beside: Arrays


DOUBTS = [
    Doubt(
        "mse",
        "all numbers of --input are the same",
        {"input": [0.5, 0.5, 0.5], "target": [1, 2, 3]},
        {"input": [0.5, 0.5, 0.6]},
    ),
    Doubt(
        "cross-entropy",
        "all rows of --input are the same",
        {"input": np.tile([1, 2, 0], (4, 1)), "target": [0, 1, 2, 1]},
        {"input": SCORES[:4, :3]},
    ),
    Doubt(
        "cross-entropy",
        "all targets are of one class, 1",
        {"input": SCORES[:4], "target": [1, 1, 1, -100]},
        {"target": [1, 1, 1, 0]},
    ),
    Doubt(
        "bce",
        "all targets are of one class, 0",
        {"input": [0.1, 0.2, 0.3], "target": [0, 0, 0]},
        {"target": [0, 0, 1]},
    ),
    # ln(1 + e^2) of the wrong and ln(1 + e^-1) of the right, over 2; ln 2 in the other case.
    Doubt(
        "bce-logits",
        "the mean, 1.22009, is worse than a guess of ½, ln 2 = 0.693147",
        {"input": [2, 1], "target": [0, 1]},
        {"input": [0, 0]},
    ),
    Doubt(
        "bce-logits",
        "33.3% of --input is beyond ±30, which gives probabilities of 0 and 1",
        {"input": [31, 3, -2], "target": [1, 1, 0]},
        {"input": [30, 3, -2]},
    ),
    Doubt(
        "cross-entropy",
        "2 rows repeat an earlier one, in --input and all other arrays",
        {"input": SAME, "target": SAME.argmax(axis=1)},
        {"target": [*TRUE, *((TRUE[:2] + 1) % 4)]},
    ),
    Doubt(
        "cross-entropy",
        "30.0% of the predictions are right, and 100.0% would be with the label of the next row",
        {"input": SCORES, "target": np.roll(TRUE, 1)},
        {"target": TRUE},
    ),
    Doubt(
        "multi-margin",
        "the label of the previous row",
        {"input": SCORES, "target": np.roll(TRUE, -1)},
        {"target": np.roll(TRUE, 2)},
    ),
    Doubt(
        "nll",
        "the label of the next place along axis 1",
        {"input": log_softmax(5 * SCORES)[None].transpose(0, 2, 1), "target": [np.roll(TRUE, 1)]},
        {"target": [TRUE]},
    ),
    Doubt(
        "bce-logits",
        "about as many as by chance: labels may belong to other rows",
        {"input": 0.2 * SCORES - 1, "target": ONE_HOT},
        {"target": np.eye(4)[TRUE]},
    ),
]


@pytest.mark.parametrize("doubt", DOUBTS, ids=lambda doubt: f"{doubt.loss}: {doubt.told[:40]}")
def test_doubts(doubt: Doubt, run: Run) -> None:
    """`diagnose` tells of a doubt, not of the same in arrays beside these; a run is silent about both."""
    for arrays, is_told in ((doubt.arrays, True), ({**doubt.arrays, **doubt.beside}, False)):
        save(**arrays)
        words = [doubt.loss, *typed({name: f"{name}.npy" for name in arrays})]
        code, _, err = run("diagnose", *words)
        assert (code, doubt.told in err) == (0, is_told), err
        assert run(*words)[::2] == (0, "")
        assert run("diagnose", *words, "-q")[::2] == (0, "")


def test_few_rows_prove_no_chance(run: Run) -> None:
    """Of 12 rows 6 are right, more than by chance; the loss is ln(e + 2) - ½ by hand, and ln 3 is more."""
    scores = np.eye(3)[np.arange(12) % 3]
    target = [*([0, 1, 2] * 2), *([1, 2, 0] * 2)]
    save(input=scores, target=target)
    _, out, err = run("diagnose", "cross-entropy", "-i", "input.npy", "-t", "target.npy", "-f", "json")
    assert json.loads(out)["context"]["mean"] == pytest.approx(np.log(np.e + 2) - 0.5)
    assert "chance" not in err


@pytest.mark.parametrize(
    ("file", "place"), [("x.csv", "x.csv:3:1: "), ("x.npy", "x.npy[2, 0]: "), ("x.json", "x.json[2][0]: ")]
)
def test_names_the_value(file: str, place: str, run: Run) -> None:
    """A sign in one value is told with the file and the place of the value."""
    scores = [[-0.3, -1.5], [-0.4, -1.2], [0.1, -2.0]]
    if file.endswith("csv"):
        np.savetxt(file, scores, delimiter=",")
    elif file.endswith("npy"):
        save(x=scores)
    else:
        Path(file).write_text(json.dumps(scores), "utf-8")
    code, _, err = run("nll", "-i", file, "-t", "0,1,0")
    text, hint = _WARNING.findall(err)[0]
    assert code == 0
    assert text == f"{place}--input {POSITIVE}, found 0.1"
    assert hint == "pipe it through losscalc log-softmax; for logits use cross-entropy"


def test_names_the_file(run: Run) -> None:
    """A sign in a whole array is told with the file that it came from, of whichever array."""
    save(x=ROWS, w=[2.0, 2.0], y=[0, 1])
    _, _, err = run("cross-entropy", "-i", "x.npy", "-t", "y.npy", "--weight", "w.npy")
    places = [text.partition(": ")[0] for text, _ in _WARNING.findall(err)]
    assert places == ["x.npy", "w.npy"]


def test_names_the_row_of_the_file(run: Run) -> None:
    """Where rows are left out, the place is still that in the file."""
    Path("x.csv").write_text("a,b\n-0.3,-1.5\n-0.4,\n0.1,-2\n", "utf-8")
    _, _, err = run("nll", "-i", "x.csv", "-t", "0,1,0", "--na", "drop")
    assert _WARNING.findall(err)[0][0] == f"x.csv:4:1: --input {POSITIVE}, found 0.1"


def test_names_the_sequence(run: Run) -> None:
    """Of sequences, the first that is too long is named."""
    save(x=EVEN, n=[2, 2])
    arrays = {"log_probs": "x.npy", "targets": [[1, 2], [1, 1]], "input_lengths": [2, 2]}
    _, _, err = run("ctc", *typed(arrays), "--target-lengths", "n.npy")
    assert [text for text, _ in _WARNING.findall(err) if text.startswith("n.npy[1]: ")] != []


HALF = BLOCK // 2
LONG: dict[str, tuple[str, Arrays, Arrays, tuple[str, ...]]] = {
    "logits-are-probabilities": (
        "bce-logits",
        {"input": np.resize(SIXTEEN, BLOCK + 100), "target": np.zeros(BLOCK + 100)},
        {"input": 1.5},
        (),
    ),
    "scores-are-probabilities": (
        "cross-entropy",
        {"input": np.resize(ROWS, (HALF + 100, 2)), "target": np.zeros(HALF + 100, dtype=int)},
        {"input": 1.5},
        (),
    ),
    "not-normalised": (
        "nll",
        {"input": np.resize(LOGS - 0.1, (HALF + 100, 2)), "target": np.zeros(HALF + 100, dtype=int)},
        {"input": 0.2},
        (),
    ),
    "class-axis": (
        "nll",
        {
            "input": np.resize(LAST, (BLOCK // 6 + 100, 3, 2)),
            "target": np.zeros((BLOCK // 6 + 100, 2), dtype=int),
        },
        {"input": -1.0},
        (),
    ),
    "probabilities": (
        "kl-div",
        {"input": np.resize(ROWS, (HALF + 100, 2)), "target": np.resize(ROWS, (HALF + 100, 2))},
        {"input": -0.5},
        ("-r", "batchmean"),
    ),
    "hard": (
        "bce",
        {"input": np.resize([0.0, 1.0], BLOCK + 1), "target": np.resize([0, 1], BLOCK + 1)},
        {"input": 0.5},
        (),
    ),
    "equal-weights": (
        "l1",
        {
            "input": np.arange(BLOCK + 100.0),
            "target": np.zeros(BLOCK + 100),
            "weight": np.full(BLOCK + 100, 2.0),
        },
        {"weight": 3.0},
        (),
    ),
}


@pytest.mark.parametrize("name", LONG)
def test_withdrawn_by_a_later_block(name: str, run: Run) -> None:
    """A sign of a whole array holds over blocks, and is withdrawn when its last number contradicts it."""
    loss, arrays, last, options = LONG[name]
    words = next(sign.words for sign in SIGNS if sign.name == name)
    command = [loss, *typed({key: f"{key}.npy" for key in arrays}), *options]
    save(**arrays)
    code, _, err = run(*command)
    assert code == 0
    assert words in err
    for key, value in last.items():
        changed = np.array(arrays[key])
        changed.reshape(-1)[-1] = value
        save(**{key: changed})
    code, _, err = run(*command)
    assert code == 0
    assert words not in err


def test_contradictions_in_a_later_block(run: Run) -> None:
    """One row that breaks a fact is enough, in whichever block, and told with its place in the whole."""
    row = HALF + 50
    boxes = np.tile([0.0, 0.0, 2.0, 2.0], (HALF + 100, 1))
    broken = boxes.copy()
    broken[row] = [1, 1, 0, 2]
    save(input=broken, target=boxes)
    _, _, err = run("iou", "-i", "input.npy", "-t", "target.npy")
    assert f"input.npy[{row}]: --input has a box with a corner on the wrong side, found '1, 1, 0, 2'" in err
    target = np.tile([0.25, 0.75], (HALF + 100, 1))
    target[row] = 0
    save(input=np.ones((HALF + 100, 2)), target=target)
    _, _, err = run("cross-entropy", "-i", "input.npy", "-t", "target.npy")
    assert f"target.npy[{row}]: --target has a row that sums to 0" in err


def test_a_lone_distribution_that_is_cut(run: Run) -> None:
    """The parts of one long distribution do not sum to 1, and nobody says that they should."""
    save(x=np.full(2 * BLOCK, -np.log(2 * BLOCK)), y=np.full(2 * BLOCK, 0.5 / BLOCK))
    assert run("kl-div", "-i", "x.npy", "-t", "y.npy", "-r", "sum")[::2] == (0, "")
    save(x=np.full(BLOCK, -np.log(2 * BLOCK)), y=np.full(BLOCK, 0.5 / BLOCK))
    _, _, err = run("kl-div", "-i", "x.npy", "-t", "y.npy", "-r", "sum")
    assert (UNNORMALISED in err, "--target has a row that does not sum to 1" in err) == (True, True)


def well_formed(loss: Loss, seed: int) -> dict[str, Any]:
    """Random arrays that are all that the loss takes them for, rounded to the dtypes that people have."""
    rng = np.random.default_rng(seed)
    cls, rows = type(loss), int(rng.integers(2, 30))
    arrays = example(cls, rows, seed=seed)
    classes = rng.dirichlet(np.ones(WIDTH), rows)
    if cls.scores == "log-probabilities" and cls.labels != "sequences":
        arrays["input"] = log_softmax(arrays["input"])
    if cls.scores == "probabilities" and cls.labels == "classes":
        arrays["input"] = rng.dirichlet(np.ones(WIDTH), rows)
    if cls.labels == "distributions" or (cls.labels == "classes" and cls.scores == "logits" and seed % 2):
        arrays["target"] = np.log(classes) if loss.settings.get("log_target") else classes
    dtype = (np.float64, np.float32, np.float16)[seed % 3]
    return converted(converted(arrays, dtype), np.float64)


CALLS = int(os.environ.get("CALLS", "10"))
"""How many random calls are made of each variant of each loss."""
FACTS = {diagnosis.name for diagnosis in (*CONTRADICTIONS, RANGE)}


@pytest.mark.slow
@pytest.mark.parametrize("cls", losscalc.losses().values(), ids=lambda cls: cls.name)
def test_well_formed_calls_contradict_nothing(cls: type[Loss]) -> None:
    """None of the contradictions shows where arrays are what they should be, whatever the parameters."""
    for loss in variants(cls):
        for seed in range(CALLS):
            arrays = well_formed(loss, seed)
            with np.errstate(all="ignore"):
                terms = loss.terms(**arrays)
                for reduction in cls.reductions:
                    signs = examine(loss, reduction, arrays, terms).signs
                    shown = {name for name, sign in signs.items() if sign.warning}
                    assert not shown & FACTS, (loss, seed)


@pytest.mark.parametrize(("file", "place"), [("x.npy", "x.npy[{0}, 1]"), ("x.csv", "x.csv:{1}:2")])
def test_kept_from_a_later_block(file: str, place: str, run: Run) -> None:
    """A sign of one value is kept from whichever block, with its index in the whole array."""
    row = HALF + 50
    scores = np.resize(LOGS, (HALF + 100, 2))
    scores[row, 1] = 0.25
    save(x=scores, y=np.zeros(len(scores), dtype=int))
    np.savetxt("x.csv", scores, delimiter=",", fmt="%.17g")
    _, _, err = run("nll", "-i", file, "-t", "y.npy")
    assert [text for text, _ in _WARNING.findall(err)] == [
        f"{place.format(row, row + 1)}: --input {POSITIVE}, found 0.25"
    ]


@pytest.mark.parametrize(
    ("loss", "arrays", "words"),
    [
        ("bce-logits", {"input": np.resize(SIXTEEN, BLOCK + 5), "target": np.zeros(BLOCK + 5)}, "looks like"),
        (
            "cross-entropy",
            {"input": np.resize([3.0, 1.0], (HALF + 1, 2)), "target": np.zeros(HALF + 1), "weight": [2, 2]},
            NO_EFFECT,
        ),
        (
            "bce",
            {"input": np.full((200, 200), 0.3), "target": np.ones((200, 200)), "weight": np.arange(200)},
            "200 weights fit the rows",
        ),
    ],
    ids=["logits-are-probabilities", "equal-weights", "square"],
)
def test_does_not_depend_on_the_cut(loss: str, arrays: Arrays, words: str, run: Run) -> None:
    """What a few left-over numbers, or a block of another shape, cannot show is no reason to withdraw."""
    save(**arrays)
    code, _, err = run(loss, *typed({name: f"{name}.npy" for name in arrays}))
    assert code == 0
    assert words in err


@pytest.mark.parametrize(
    ("loss", "arrays"),
    [
        (
            "cross-entropy",
            {
                "input": np.resize([3.0, 1.0], (BLOCK, 2)),
                "target": np.repeat([0, 1], HALF),
                "weight": [1, 3],
            },
        ),
        (
            "l1",
            {"input": np.ones(2 * BLOCK), "target": np.zeros(2 * BLOCK), "weight": np.repeat([1, 2], BLOCK)},
        ),
        ("bce", {"input": np.full((256, 128), 0.3), "target": np.ones((256, 128)), "weight": np.arange(128)}),
    ],
    ids=["sorted classes", "sorted weights", "square blocks"],
)
def test_is_not_made_by_the_cut(loss: str, arrays: Arrays, run: Run) -> None:
    """What holds in each block and not in the whole is no sign."""
    save(**arrays)
    code, _, err = run(loss, *typed({name: f"{name}.npy" for name in arrays}))
    assert (code, err) == (0, "")


SOFT = {"input": [[1, 2], [3, 1]], "target": [[0.5, 0.5], [0.1, 0.9]], "weight": [3, 3]}
SMOOTH = {"input": [[1, 2, 0], [3, 1, 1]], "target": [0, 1], "weight": [2, 2, 5]}


@pytest.mark.parametrize(
    ("arrays", "options"),
    [(SOFT, {}), (SMOOTH, {"label_smoothing": 0.1})],
    ids=["probabilities as targets", "label smoothing"],
)
def test_weights_that_have_an_effect(arrays: Arrays, options: Mapping[str, float], run: Run) -> None:
    """Where the mean does not divide by the weights alone, equal ones change it, and nobody denies it."""
    without = {**arrays, "weight": None}
    assert losscalc.compute("cross-entropy", **arrays, **options) != pytest.approx(
        losscalc.compute("cross-entropy", **without, **options)
    )
    code, _, err = run("cross-entropy", *typed(arrays), *typed(options))
    assert (code, err) == (0, "")


def test_weights_of_one(run: Run) -> None:
    """Weights that are all 1 have no effect on any reduction, and none that could have been meant."""
    arrays = {"input": [[1, 2, 0], [3, 1, 1]], "target": [0, 1], "weight": [1, 1, 1]}
    code, _, err = run("cross-entropy", *typed(arrays))
    assert (code, err) == (0, "")


@pytest.mark.slow
def test_rows_that_are_left_out(run: Run) -> None:
    """A block of which all rows are left out contradicts nothing."""
    rows = ["0.2,0.8"] * HALF + ["0.2,"] * HALF + ["0.2,0.8"] * 5
    Path("x.csv").write_text("\n".join(rows) + "\n", "utf-8")
    save(y=np.zeros(len(rows), dtype=int))
    code, _, err = run("cross-entropy", "-i", "x.csv", "-t", "y.npy", "--na", "drop")
    assert code == 0
    assert "its rows sum to 1" in err


def test_infinite_losses_that_count_as_zero(run: Run) -> None:
    """Who has set `zero_infinity` is not told that the loss is infinite, nor to set it."""
    sign = next(sign for sign in SIGNS if sign.name == "too-long")
    code, _, err = run(*sign.command("ctc"), "--zero-infinity")
    assert code == 0
    assert "is infinite" not in err
    assert "zero-infinity" not in err


def test_names_the_weight_that_fits_both_ways(run: Run) -> None:
    """Of two weights the one is named that fits the rows as well as the columns."""
    save(w=[[2.0]], p=[1.0, 3.0])
    arrays = {"input": SQUARE, "target": [[0, 1], [1, 0]], "weight": "w.npy", "pos_weight": "p.npy"}
    _, _, err = run("bce-logits", *typed(arrays))
    assert [text.partition(": ")[0] for text, _ in _WARNING.findall(err)] == ["p.npy"]


def test_names_the_positive_and_not_the_nan(run: Run) -> None:
    """Beside a NaN, what is found is the positive value."""
    save(x=[[np.nan, -1.0], [0.5, -2.0]])
    _, _, err = run("nll", "-i", "x.npy", "-t", "1,0")
    assert f"x.npy[1, 0]: --input {POSITIVE}, found 0.5" in [text for text, _ in _WARNING.findall(err)]


@pytest.mark.parametrize("reduction", ["none", "mean", "sum", "batchmean"])
def test_lone_number(reduction: str, run: Run) -> None:
    """A lone number is nothing to diagnose."""
    code, _, err = run("kl-div", "-i", "-1", "-t", "0.5", "-r", reduction)
    assert (code, err) == (0, "")


@pytest.mark.parametrize("loss", sorted({loss for _, loss in DECLARED}))
def test_nothing_to_diagnose(loss: str, run: Run) -> None:
    """Arrays without rows are no sign of anything but an empty mean."""
    arrays = next({**sign.arrays} for sign in SIGNS if loss in sign.losses)
    if loss == "ctc":
        arrays = {"log_probs": np.zeros((3, 0, 3)), **dict.fromkeys(list(arrays)[1:], np.zeros(0, int))}
        arrays["targets"] = np.zeros((0, 2), int)
    else:
        kept = {"linear_weight"} | (
            {"weight"} if loss in ("linear-cross-entropy", "cross-entropy") else set()
        )
        arrays = {name: v if name in kept else np.asarray(v)[:0] for name, v in arrays.items()}
        arrays.pop("pos_weight", None)
        if loss in ("nll", "bce"):
            arrays.pop("weight", None)
    save(**arrays)
    code, _, err = run(loss, *typed({name: f"{name}.npy" for name in arrays}), "-r", "sum")
    assert (code, err) == (0, "")


# Each command as typed in samples/, {} being a suffix, and the suffixes for which there are files.
SAMPLE_COMMANDS = [
    ("bce-logits -i logits{} -t labels{}", ".csv .json .npy"),
    ("bce-logits -i tutorial/batch-logits{} -t tutorial/batch-labels{}", ".json .npy"),
    ("bce-logits -i tutorial/normal-logits{} -t tutorial/normal-labels{}", ".csv .json .npy"),
    ("bce -i tutorial/probabilities{} -t tutorial/probability-labels{}", ".csv .json .npy"),
    ("nll -i tutorial/score-row{} -t tutorial/score-class{}", ".csv .json .npy"),
    ("cross-entropy -i tutorial/score-row{} -t tutorial/score-class{}", ".csv .json .npy"),
    ("cross-entropy -i tutorial/scores{} -t 2", ".csv .json .npy"),
    (
        "bce-logits -i tutorial/constant-logits{} -t tutorial/constant-labels{}"
        " --pos-weight tutorial/constant-pos-weight{}",
        ".csv .json .npy",
    ),
    (
        "bce-logits -i tutorial/imbalanced-logits{} -t tutorial/imbalanced-labels{} --pos-weight 3",
        ".csv .json .npy",
    ),
    ("bce-logits -i tutorial/dump{}#/batch/logits -t tutorial/dump{}#/batch/labels", ".json"),
    ("bce-logits -i breast-cancer/logits{} -t breast-cancer/labels{}", ".csv .npy"),
    ("bce -i breast-cancer/probabilities{} -t breast-cancer/labels{}", ".csv .npy"),
    (
        "bce-logits -i breast-cancer/predictions{}#logit -t breast-cancer/predictions{}#label",
        ".csv .jsonl",
    ),
    ("bce-logits -i breast-cancer/batch{}#logits -t breast-cancer/batch{}#labels", ".npz"),
    ("cross-entropy -i digits/logits{} -t digits/labels{}", ".csv .npy"),
    ("cross-entropy -i digits/batch{}#logits -t digits/batch{}#labels", ".npz"),
]
SAMPLE_CASES = [
    command.replace("{}", suffix) for command, suffixes in SAMPLE_COMMANDS for suffix in suffixes.split()
]


@pytest.mark.parametrize("command", SAMPLE_CASES)
def test_samples_show_nothing(command: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """No sample shows a sign of a mistake, whatever the reduction."""
    monkeypatch.chdir(SAMPLES)
    for reduction in ("none", "mean", "sum"):
        code, _, err = run(*command.split(), "-r", reduction)
        assert (code, err) == (0, "")


def test_samples_with_a_missing_number(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the sample with a missing number nothing is told but the row that was left out."""
    monkeypatch.chdir(SAMPLES / "tutorial")
    columns = Path("missing.csv").read_text("utf-8").partition("\n")[0].split(",")
    score, label = (f"missing.csv#{name}" for name in columns)
    code, _, err = run("bce-logits", "-i", score, "-t", label, "--na", "drop")
    assert (code, list(remarks(err))) == (0, ["left out 1 row with a missing number"])


@pytest.mark.parametrize("suffix", [".csv", ".npy"])
def test_sample_probabilities(suffix: str, run: Run) -> None:
    """Logarithms of the sample probabilities suit nll and kl-div; the probabilities themselves do not."""
    save(logs=np.log(np.load(SAMPLES / "digits" / "probabilities.npy")))
    labels, rows = (str(SAMPLES / "digits" / f"{name}{suffix}") for name in ("labels", "probabilities"))
    assert run("nll", "-i", "logs.npy", "-t", labels)[::2] == (0, "")
    assert run("kl-div", "-i", "logs.npy", "-t", rows, "-r", "batchmean")[::2] == (0, "")
    _, _, err = run("cross-entropy", "-i", rows, "-t", labels)
    assert "looks like probabilities: its rows sum to 1" in err


def test_every_sample_is_looked_at() -> None:
    """Each file of numbers in samples/ is in one of the commands, or has a test of its own."""
    suffixes = (".csv", ".json", ".jsonl", ".npy", ".npz")
    files = {path.relative_to(SAMPLES).as_posix() for path in SAMPLES.rglob("*") if path.suffix in suffixes}
    named = {word.partition("#")[0] for command in SAMPLE_CASES for word in command.split()}
    named |= {"tutorial/missing.csv", "digits/probabilities.csv", "digits/probabilities.npy"}
    assert files - named == {"expected.json"}


@pytest.mark.parametrize("width", [1, 3, 10, 1_000, 50_000, 200_000])
def test_some_rows_are_the_same_of_several_blocks_at_once(width):
    """Four blocks, of which the last is shorter, and each of them."""
    rows = max(1, BLOCK // width)
    length = 4 * rows - rows // 3
    values = np.broadcast_to(np.float64(0.0), (length, width))
    whole = _some_rows(values)
    each = [
        start + np.arange(len(part)) if (some := _some_rows(part)) is None else start + some
        for start in range(0, length, rows)
        for part in [values[start : start + rows]]
    ]
    found = np.arange(length) if whole is None else whole
    assert found.tolist() == np.concatenate(each).tolist()
    assert len(found) * width <= max(8 * (1 << 15), 4 * width)


def test_labels_beside_scores_without_names(run: Run) -> None:
    """The hint names the other columns, and gives the number without the labels; what is named is meant."""
    rows = [",".join(map(repr, row)) for row in LEAKING.tolist()]
    Path("f.csv").write_text("\n".join(rows) + "\n")
    Path("g.csv").write_text("a,b,c\n" + "\n".join(rows) + "\n")
    for half in (0, 1):
        Path(f"part{half}.csv").write_text("\n".join(rows[half * 4 : half * 4 + 4]) + "\n")
    target = json.dumps(LEAKED.tolist())
    expected = losscalc.compute("cross-entropy", LEAKING[:, [0, 2]], LEAKED % 2)
    for name, part in (("f.csv", "#1,3"), ("g.csv", "#^b"), ("part?.csv", "#1,3")):
        code, _, err = run("cross-entropy", "-i", name, "-t", target)
        assert code == 0
        shown = shlex.quote(part) if "^" in part else part
        assert f"column 2 {LEAKS}\n  hint: take the columns of the array: {shown}\n" in err
        assert run("cross-entropy", "-i", f"{name}#1-3", "-t", target)[2] == ""
        code, out, err = run("cross-entropy", "-i", f"{name}{part}", "-t", json.dumps((LEAKED % 2).tolist()))
        assert (code, float(out), err) == (0, pytest.approx(expected), "")


@pytest.mark.parametrize(
    ("more", "shown", "part"),
    [
        # Predicted classes; with folds; folds and the labels themselves, of which there is a warning already
        ([[0, 2, 2, 1, 0, 1, 1, 2]], [f"column 4 of --input {WHOLE}"], "#1-3"),
        ([[0, 2, 2, 1, 0, 1, 1, 2], [1, 1, 2, 2, 3, 3, 4, 4]], [f"column 4 of --input {WHOLE}"], "#1-3"),
        ([[1, 1, 2, 2, 3, 3, 4, 4], LEAKED.tolist()], [f"column 5 {LEAKS}"], "#1-3"),
        # A class that is masked, and one that is reached in no row
        ([[-100.0] * 8], [], None),
        ([[-np.inf] * 8], [], None),
        # Scores of one decimal happen to be whole, and those of a class more often
        ([[1, 2, 3, 4, 5, 6, 7, 8.5]], [], None),
    ],
)
def test_whole_numbers_beside_fractions(
    run: Run, more: list[list[float]], shown: list[str], part: str | None
):
    """Predicted classes and folds without a name that tells are named; the hint leaves out all of them."""
    scores = np.sin(np.arange(24)).reshape(8, 3).round(2)
    rows = zip(*scores.T.tolist(), *more, strict=True)
    Path("f.csv").write_text("".join(",".join(map(repr, row)) + "\n" for row in rows))
    target = json.dumps(LEAKED.tolist())
    code, _, err = run("cross-entropy", "-i", "f.csv", "-t", target)
    assert (code, err.count("warning: ")) == (0, len(shown))
    assert all(problem in err for problem in shown)
    if part is not None:
        assert f"hint: take the columns of the array: {part}\n" in err
        code, out, err = run("cross-entropy", "-i", f"f.csv{part}", "-t", target)
        expected = np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(8), LEAKED]
        assert (code, float(out), err) == (0, pytest.approx(expected.mean()), "")


def test_the_hint_of_labels_in_an_array() -> None:
    """Typed, it leaves the labels out: the number is that of the scores alone."""
    with pytest.warns(losscalc.DiagnosisWarning, match="column 2 of input is the target") as caught:
        losscalc.compute("cross-entropy", LEAKING, LEAKED)
    hint = str(caught[0].message).rpartition("as in ")[2]
    found = eval(hint, {"numpy": np, "array": LEAKING})
    np.testing.assert_array_equal(found, LEAKING[:, [0, 2]])


@pytest.mark.parametrize(
    ("scores", "target"),
    [
        (LEAKING[:7], LEAKED[:7]),
        (np.eye(2)[LABELS], LABELS),
        (np.stack([SIXTEEN - 2, np.ones(16)], axis=1), np.ones(16, int)),
    ],
    ids=["few rows", "hard predictions that are right", "one class"],
)
def test_what_is_equal_to_the_target_by_chance(scores: np.ndarray, target: np.ndarray) -> None:
    """Where labels cannot be told from scores there is no warning of them."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        losscalc.compute("cross-entropy", scores, target)
    assert not [each for each in caught if "labels are taken as scores" in str(each.message)]
