"""The sample files: what they hold in each format, and the losses that they lead to."""

import json
import os
import re
import runpy
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from losscalc import cli, compute
from tests.support import notebook
from tests.support.pages import NOTEBOOK, blocks, read, same

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
EXPECTED = json.loads((SAMPLES / "expected.json").read_text("utf-8"))

# Each command as typed in samples/, and what it gives, to the decimals of the tutorials.
TUTORIALS = [
    (
        "bce-logits -i logits{} -t labels{} -r none",
        [[0.5950, 1.2011, 0.8256], [1.0235, 0.4899, 0.7515], [1.2982, 1.2070, 0.9382]],
    ),
    ("bce-logits -i logits{} -t labels{}", 0.9256),
    ("bce-logits -i logits{} -t labels{} -r sum", 8.3300),
    ("bce-logits -i tutorial/normal-logits{} -t tutorial/normal-labels{}", 0.8000),
    ("bce -i tutorial/probabilities{} -t tutorial/probability-labels{}", 0.7194),
    ("softmax -i tutorial/scores{}", [0.0900, 0.2447, 0.6652]),
    ("log-softmax -i tutorial/scores{}", [-2.4076, -1.4076, -0.4076]),
    ("nll -i tutorial/score-row{} -t 0", -1.0),
    ("nll -i tutorial/score-row{} -t 1", -2.0),
    ("nll -i tutorial/score-row{} -t tutorial/score-class{}", -3.0),
    ("cross-entropy -i tutorial/score-row{} -t tutorial/score-class{}", 0.4076),
    (
        "bce-logits -i tutorial/constant-logits{} -t tutorial/constant-labels{}"
        " --pos-weight tutorial/constant-pos-weight{}",
        0.2014,
    ),
]


def run(command: str, capfdbinary: pytest.CaptureFixture[bytes]) -> Any:
    """The value that a command gives, after it has succeeded without a remark."""
    code = cli.run([*command.split(), "--format", "json"])
    captured = capfdbinary.readouterr()
    assert (code, captured.err) == (0, b"")
    return json.loads(captured.out)["value"]


def load(name: str) -> np.ndarray:
    """An array of samples/ in NumPy's format."""
    array: np.ndarray = np.load(SAMPLES / f"{name}.npy", allow_pickle=False)
    return array


@pytest.fixture(autouse=True)
def _in_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in samples/, with no settings from outside."""
    monkeypatch.chdir(SAMPLES)
    monkeypatch.setenv("COLUMNS", "80")
    for name in [name for name in os.environ if name.startswith("LOSSCALC_")]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize("suffix", [".csv", ".json", ".npy"])
@pytest.mark.parametrize(("command", "expected"), TUTORIALS)
def test_tutorial(
    command: str, expected: object, suffix: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Each tutorial gives its numbers, to four decimals, from each format."""
    assert np.round(run(command.replace("{}", suffix), capfdbinary), 4).tolist() == expected


@pytest.mark.parametrize("suffix", [".json", ".npy"])
def test_batch_axis(suffix: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """The first example as a batch of one gives the same numbers, one axis deeper."""
    command = f"bce-logits -i tutorial/batch-logits{suffix} -t tutorial/batch-labels{suffix} -r none"
    flat = run("bce-logits -i logits.npy -t labels.npy -r none", capfdbinary)
    assert run(command, capfdbinary) == [flat]


def test_batch_twice() -> None:
    """The same batch twice leaves the mean alone and doubles the sum."""
    logits, labels = (
        np.repeat(load("tutorial/batch-logits"), 2, 0),
        np.repeat(load("tutorial/batch-labels"), 2, 0),
    )
    assert compute("bce-logits", logits, labels) == compute("bce-logits", logits[0], labels[0])
    total = compute("bce-logits", logits, labels, reduction="sum")
    assert total == pytest.approx(16.6601, abs=1e-4)


def test_row_means() -> None:
    """The means of the rows are those of the tutorials, by way of probabilities too."""
    logits, labels = load("tutorial/normal-logits"), load("tutorial/normal-labels")
    rows = compute("bce", compute("sigmoid", logits), labels, reduction="none").mean(axis=1)
    assert rows.round(4).tolist() == [0.8447, 0.7260, 0.8293]
    probabilities, labels = load("tutorial/probabilities"), load("tutorial/probability-labels")
    rows = compute("bce", probabilities, labels, reduction="none").mean(axis=1)
    assert rows.round(4).tolist() == [0.8167, 0.6559, 0.6855]


def test_pos_weight_counts_positives() -> None:
    """With 100 positives and 300 negatives, a pos_weight of 3 acts as 300 positives would."""
    logits, labels = load("tutorial/imbalanced-logits"), load("tutorial/imbalanced-labels")
    assert np.bincount(labels).tolist() == [300, 100]
    weighted = compute("bce-logits", logits, labels, pos_weight=3.0, reduction="sum")
    times = np.where(labels == 1, 3, 1)
    repeated = compute("bce-logits", logits.repeat(times), labels.repeat(times), reduction="sum")
    assert weighted == pytest.approx(repeated, rel=1e-15)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize(
    "arrays",
    [
        "-i predictions.csv#logit -t predictions.csv#label",
        "-i predictions.csv#2 -t predictions.csv#4",
        "-i predictions.jsonl#logit -t predictions.jsonl#label",
        "-i logits.csv -t labels.csv",
        "-i logits.npy -t labels.npy",
        "-i batch.npz#logits -t batch.npz#labels",
    ],
)
def test_breast_cancer(
    arrays: str, reduction: str, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """The loss of a binary classifier is scikit-learn's, from every format."""
    monkeypatch.chdir(SAMPLES / "breast-cancer")
    value = run(f"bce-logits {arrays} -r {reduction}", capfdbinary)
    assert value == pytest.approx(EXPECTED["breast-cancer"][reduction], rel=1e-12, abs=0)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize(
    "arrays",
    [
        "-i logits.csv -t labels.csv",
        "-i logits.npy -t labels.npy",
        "-i batch.npz#logits -t batch.npz#labels",
    ],
)
def test_digits(
    arrays: str, reduction: str, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """The loss of a classifier of ten classes is scikit-learn's, from every format."""
    monkeypatch.chdir(SAMPLES / "digits")
    value = run(f"cross-entropy {arrays} -r {reduction}", capfdbinary)
    assert value == pytest.approx(EXPECTED["digits"][reduction], rel=1e-12, abs=0)


@pytest.mark.parametrize("suffix", [".csv", ".npy"])
def test_probabilities(suffix: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """The probabilities of scikit-learn lead to the same losses as the logits."""
    binary = run(f"bce -i breast-cancer/probabilities{suffix} -t breast-cancer/labels{suffix}", capfdbinary)
    assert binary == pytest.approx(EXPECTED["breast-cancer"]["mean"], rel=1e-12, abs=0)
    probabilities, labels = load("digits/probabilities"), load("digits/labels")
    classes = compute("nll", np.log(probabilities), labels)
    assert classes == pytest.approx(EXPECTED["digits"]["mean"], rel=1e-12, abs=0)


@pytest.mark.parametrize("folder", ["breast-cancer", "digits"])
def test_formats_agree(folder: str) -> None:
    """CSV and NPZ hold the numbers of NPY to the last digit, and as many as were counted."""
    for name in ("logits", "probabilities", "labels"):
        text = np.loadtxt(SAMPLES / folder / f"{name}.csv", delimiter=",")
        assert np.array_equal(text, load(f"{folder}/{name}"))
    assert len(load(f"{folder}/labels")) == EXPECTED[folder]["count"]
    with np.load(SAMPLES / folder / "batch.npz", allow_pickle=False) as batch:
        assert {name: batch[name].tolist() for name in batch} == {
            name: load(f"{folder}/{name}").tolist() for name in ("logits", "labels")
        }


def test_readme_states_the_losses() -> None:
    """The README of the samples states scikit-learn's version and its losses."""
    text = (SAMPLES / "README.md").read_text("utf-8")
    stated = [EXPECTED["scikit-learn"]]
    stated += [
        str(EXPECTED[folder][name]) for folder in ("breast-cancer", "digits") for name in ("mean", "sum")
    ]
    assert [number for number in stated if number not in text] == []


def test_readme_lists_the_files() -> None:
    """The README of the samples names every file, a group of formats as one."""
    text = (SAMPLES / "README.md").read_text("utf-8")
    files = [path for path in SAMPLES.rglob("*") if path.is_file() and path.suffix not in (".md", ".pyc")]
    assert [
        path.name for path in files if f"`{path.name}`" not in text and f"`{path.stem}`" not in text
    ] == []


def test_size() -> None:
    """The samples stay small."""
    assert sum(path.stat().st_size for path in SAMPLES.rglob("*") if path.is_file()) < 1_000_000


DRAWN = runpy.run_path(str(SAMPLES / "picture.py"))


def words(svg: str) -> list[str]:
    """The words of a picture, one after the other."""
    return [str(text.text) for text in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def shown(name: str) -> list[str]:
    """The words that a terminal shows for a picture; of a search, which takes long, those of the README."""
    if not any("--expect" in command for command in DRAWN["PICTURES"][name]):
        return words(DRAWN["picture"](name))
    (session,) = [block for block in blocks(read("README"), "console") if DRAWN["PICTURES"][name][0] in block]
    return session.partition("$ echo")[0].split()


@pytest.mark.slow
@pytest.mark.parametrize("name", DRAWN["PICTURES"])
def test_picture(name: str) -> None:
    """Each picture shows what the tool shows now, and asks the network for nothing."""
    svg = (SAMPLES / f"{name}.svg").read_text("utf-8")
    assert re.findall(r"https?://[^\"' )]+|url\(|@import|href", svg) == ["http://www.w3.org/2000/svg"]
    assert same(" ".join(shown(name)), " ".join(words(svg))), "run `python -m tests.support.pages`"


@pytest.mark.slow
def test_notebook() -> None:
    """The notebook gives what it shows, cell by cell."""
    stored = notebook.load(NOTEBOOK)
    assert [cell["cell_type"] for cell in stored["cells"]].count("code") >= 8
    again, before = notebook.shown(notebook.executed(stored)), notebook.shown(stored)
    assert len(again) == len(before)
    differing = [pair for pair in zip(again, before, strict=True) if not same(*pair)]
    assert differing == [], "run `python -m tests.support.pages`, which runs it anew"
