"""Wrong numbers that come from how tables were read, made with NumPy of what the tables hold."""

import io
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from losscalc import cli

Run = Callable[..., tuple[int, dict[str, Any]]]
"""Runs a command: its exit code, and its result as JSON."""

P, Y = np.array([0.11, 0.42, 0.73, 0.25]), np.array([0.5, 0.9, 0.3, 0.85])
"""Predictions and targets, of which the first are of the ids 892, 893, 894 and 895."""
IDS = np.arange(892.0, 896.0)
X = np.array([[0.3, 1.7, -0.4], [2.1, 0.2, 0.9], [-1.3, 0.4, 0.8], [0.6, -0.7, 1.1], [1.2, 0.1, -2.0]])
"""Scores of the classes fox, cat and dog."""
CLASSES = np.array([1, 0, 2, 2, 0])


def mse(x: Any, y: Any) -> float:
    """The mean of squared differences."""
    return float(np.mean((np.asarray(x) - np.asarray(y)) ** 2))


def cross_entropy(x: np.ndarray, y: np.ndarray) -> float:
    """The mean of -ln softmax of the class."""
    return float(np.mean(np.log(np.exp(x).sum(axis=1)) - x[np.arange(len(y)), y]))


def written(name: str, header: str, *columns: Sequence[object]) -> None:
    """A table with a header, or without one if that is empty."""
    rows = [",".join(map(str, row)) for row in zip(*columns, strict=True)]
    Path(name).write_text("\n".join([header, *rows] if header else rows) + "\n")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Run a command beside some tables."""
    monkeypatch.chdir(tmp_path)
    ids = [892, 893, 894, 895]
    written("p.csv", "id,p,weak", ids, P, [0.1, np.nan, 0.2, 0.3])
    written("y.csv", "id,y", ids, Y)
    written("shuffled.csv", "id,y", [ids[row] for row in (2, 0, 3, 1)], Y[[2, 0, 3, 1]])
    written("split.csv", "p,y,split", P, Y, ["a", "b", "a", "a"])
    written("gaps.csv", "p,y", [0.11, "", 0.73, 0.25], Y)
    written("zero-p.csv", "0", P)
    written("zero-y.csv", "0", Y)
    written("scores.csv", "id,fox,cat,dog,label", range(5), *X.T, CLASSES)
    written("named.csv", "fox,cat,dog,label", *X.T, [["fox", "cat", "dog"][k] for k in CLASSES])

    def call(*words: str) -> tuple[int, dict[str, Any]]:
        code = cli.run([*words, "-q", "-f", "json"])
        return code, json.loads(capsysbinary.readouterr().out or "{}")

    return call


PAIR = ("mse", "-i", "p.csv#p", "-t", "y.csv#y")
SCORES = ("cross-entropy", "-i", "scores.csv#fox-dog", "-t", "scores.csv#label")
NAMED = ("cross-entropy", "-i", "named.csv#fox-dog", "-t", "named.csv#label")
WITH_IDS = np.column_stack([np.arange(5), X])
HEADED = ("mse", "-i", "zero-p.csv", "-t", "zero-y.csv")

WRONG = [
    ("id-column", PAIR, mse(np.column_stack([IDS, P]), np.column_stack([IDS, Y]))),
    ("id-column", SCORES, cross_entropy(WITH_IDS, CLASSES)),
    ("with-column=1", SCORES, cross_entropy(WITH_IDS, CLASSES)),
    ("label-column", SCORES, cross_entropy(np.column_stack([X, CLASSES]), CLASSES)),
    ("target-column=1", PAIR, mse(P, IDS)),
    ("input-column=1", PAIR, mse(IDS, Y)),
    ("input-column=2", ("mse", "-i", "split.csv#y", "-t", "y.csv#y"), None),
    ("header-row", HEADED, mse([0, *P], [0, *Y])),
    ("not-joined", ("mse", "-i", "p.csv#p", "-t", "shuffled.csv#y", "--key", "id"), mse(P, Y[[2, 0, 3, 1]])),
    ("joined", ("mse", "-i", "p.csv#p", "-t", "shuffled.csv#y", "--no-key"), mse(P, Y)),
    ("not-picked", ("mse", "-i", "split.csv#p", "-t", "split.csv#y", "--where", "split=a"), mse(P, Y)),
    ("missing-as-0", ("mse", "-i", "gaps.csv#p", "-t", "gaps.csv#y", "--na", "drop"),
     mse([0.11, 0, 0.73, 0.25], Y)),
    ("classes-by-name", SCORES, cross_entropy(X, np.array([2, 0, 1])[CLASSES])),
    ("columns-by-name", SCORES, cross_entropy(X[:, [1, 2, 0]], CLASSES)),
    ("classes-by-name", NAMED, cross_entropy(X, np.array([2, 0, 1])[CLASSES])),
]  # fmt: skip
"""What is supposed, of which call, and what comes out; None if it does not apply."""


@pytest.mark.parametrize(("name", "words", "number"), WRONG, ids=lambda value: str(value)[:40])
def test_a_table_is_read_as_supposed(
    run: Run, name: str, words: tuple[str, ...], number: float | None
) -> None:
    """And the number is that of NumPy."""
    code, facts = run(*words, "--suppose", name)
    if number is None:
        assert code == 2
    else:
        assert code == 0
        assert facts["value"] == pytest.approx(number, rel=1e-12)


@pytest.mark.slow
def test_ids_as_data_are_named(run: Run) -> None:
    """First, though the half of a number may have other causes."""
    name, words, number = WRONG[0]
    assert number is not None
    code, facts = run(*words, f"--expect={number:.7g}")
    first = facts["explanations"][0]
    assert (code, first["name"]) == (1, name)
    assert first["command"].endswith(f"--suppose {name}")
    assert first["value"] == pytest.approx(number, rel=1e-12)


@pytest.mark.parametrize(
    "name", ["id-column", "header-row", "not-joined", "joined", "not-picked", "missing-as-0"]
)
def test_what_tables_do_not_have_is_not_supposed(run: Run, name: str) -> None:
    """Numbers on the command line have no columns, and options that were not given no effect."""
    assert run("mse", "-i", "1,2", "-t", "3,5", "--suppose", name)[0] == 2
    if name != "id-column":
        assert run(*PAIR, "--suppose", name)[0] == 2


def test_pipes_are_not_read_again(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What came through one is gone."""
    text = Path("p.csv").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    assert run("mse", "-i", "-#p", "-t", "y.csv#y", "--suppose", "id-column")[0] == 2


# -- groups ---------------------------------------------------------------------------------------------

GROUPS = ("mse", "-i", "split.csv#p", "-t", "split.csv#y", "--by", "split")
SQUARES = (P - Y) ** 2
OF_A, OF_B = float(SQUARES[[0, 2, 3]].mean()), float(SQUARES[1])


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("mean-of-groups", (OF_A + OF_B) / 2),
        ("sum-of-groups", OF_A + OF_B),
        ("group=1", OF_A),
        ("without-group=1", OF_B),
    ],
)
def test_groups_are_reduced_as_supposed(run: Run, name: str, number: float) -> None:
    """And the number is that of NumPy."""
    code, facts = run(*GROUPS, "--suppose", name)
    assert (code, facts["value"]) == (0, pytest.approx(number, rel=1e-12))


@pytest.mark.slow
def test_groups_weighted_equally_are_named(run: Run) -> None:
    """With --by, the expected number is that of all rows."""
    code, facts = run(*GROUPS, f"--expect={(OF_A + OF_B) / 2:.7g}")
    assert (code, facts["value"]) == (1, pytest.approx(mse(P, Y), rel=1e-12))
    assert facts["explanations"][0]["name"] == "mean-of-groups"
    assert facts["explanations"][0]["value"] == pytest.approx((OF_A + OF_B) / 2, rel=1e-12)
