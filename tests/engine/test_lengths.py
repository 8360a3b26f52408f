"""Weights, biases, lengths and lone samples in text are read whole before their shapes are judged."""

import json
from pathlib import Path

import numpy as np
import pytest

import losscalc
from losscalc import cli
from losscalc.inputs import text
from tests.support.hostile import accept

RNG = np.random.default_rng(0)
CLASSES, ROWS = 50, 3
SCORES, MATRIX = RNG.normal(size=(ROWS, CLASSES)), RNG.normal(size=(CLASSES, 4))
FACTORS, LONE, TIMES = RNG.random(CLASSES), RNG.normal(size=CLASSES), np.full(ROWS, 2)
LOGS = np.log(np.full((2, ROWS, 3), 1 / 3))
CALLS = {
    "class weights": ("cross-entropy", {"input": SCORES, "target": np.arange(ROWS), "weight": FACTORS}),
    "a sample": ("cross-entropy", {"input": LONE, "target": np.array(7)}),
    "a sample and its probabilities": ("cross-entropy", {"input": LONE, "target": FACTORS / FACTORS.sum()}),
    "a sample and weights": ("multi-margin", {"input": LONE, "target": np.array(7), "weight": FACTORS}),
    "positive weights": ("bce-logits", {"input": SCORES, "target": SCORES > 0, "pos_weight": FACTORS}),
    "a matrix and a bias": (
        "linear-cross-entropy",
        {"input": MATRIX[:3], "target": np.arange(3), "linear_weight": MATRIX, "linear_bias": FACTORS},
    ),
    "lengths": (
        "ctc",
        {
            "log_probs": LOGS,
            "targets": np.ones(ROWS, int),
            "input_lengths": TIMES,
            "target_lengths": TIMES // 2,
        },
    ),
    "vectors": ("triplet-margin", {"anchor": LONE, "positive": FACTORS, "negative": LONE + FACTORS}),
}


@pytest.fixture(autouse=True)
def small_pieces(tmp_path, monkeypatch):
    """An empty current directory; of a text so little is read at once that its length is not known then."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(text, "_BYTES", 64)


def save(path: str, array: np.ndarray) -> str:
    """An array in the format of a suffix; text only up to two axes."""
    if array.ndim > 2 or not array.ndim:
        path = f"{path.partition('.')[0]}.npy"
        np.save(path, array)
    elif path.endswith(".jsonl"):
        Path(path).write_text("".join(f"{json.dumps(row)}\n" for row in array.tolist()))
    else:
        np.savetxt(path, array, delimiter=",", fmt="%d" if array.dtype.kind in "ib" else "%.18e")
    return path


@pytest.mark.parametrize("suffix", ["csv", "txt", "jsonl"])
@pytest.mark.parametrize("case", CALLS)
def test_lengths_that_are_not_known(capsys, case, suffix):
    """Text gives what arrays in memory do, whichever arrays it holds."""
    name, arrays = CALLS[case]
    words = [
        word
        for key, array in arrays.items()
        for word in (f"--{key.replace('_', '-')}", save(f"{key}.{suffix}", array))
    ]
    expected = losscalc.compute(name, **arrays)
    assert float(accept(capsys, [name, *words, "-q"])) == pytest.approx(float(expected), rel=1e-15)
    stats = json.loads(accept(capsys, [name, *words, "-q", "--stats", "-f", "json"]))["stats"]
    assert stats["mean"] == pytest.approx(float(expected), rel=1e-15)


def test_patterns(capsys):
    """Several files are as good as one."""
    np.savetxt("w-0.csv", FACTORS[:20])
    np.savetxt("w-1.csv", FACTORS[20:])
    np.save("x.npy", SCORES)
    words = ["cross-entropy", "-i", "x.npy", "-t", "0,1,2", "--weight", "w-*.csv"]
    expected = losscalc.compute("cross-entropy", SCORES, [0, 1, 2], weight=FACTORS)
    assert accept(capsys, words) == f"{float(expected)!r}\n"


@pytest.mark.parametrize(
    ("loss", "option", "says"),
    [
        ("cross-entropy", "--weight", "--weight has shape (49,), but --input has 50 classes"),
        (
            "bce-logits",
            "--pos-weight",
            "--pos-weight of shape (49,) does not broadcast to the (3, 50) of --target",
        ),
    ],
)
def test_lengths_that_do_not_fit(capsys, loss, option, says):
    """Whatever is too short is told with its length."""
    np.save("x.npy", SCORES)
    np.savetxt("w.csv", FACTORS[:-1])
    target = "0,1,2" if loss == "cross-entropy" else "x.npy"
    assert cli.run([loss, "-i", "x.npy", "-t", target, option, "w.csv", "-q"]) == 4
    assert capsys.readouterr().err.startswith(f"losscalc: error: w.csv: {says}\n")
