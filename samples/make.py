"""Make the sample files: tutorial matrices, and real predictions with the losses that scikit-learn gives.

Needs NumPy and scikit-learn, which losscalc itself does not need:

    pip install scikit-learn && python samples/make.py

Everything is written beside this script. Another version of scikit-learn may train a model that differs
in its last digits; `expected.json` is written along with the predictions and always fits them.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Bunch

HERE = Path(__file__).resolve().parent
SEED = 0

# The first example: three samples, three labels each, some of them several at once or none.
FIRST_LOGITS = [[0.2070, 0.8432, 0.2494], [0.5782, 0.4587, 0.1135], [0.9794, 0.8516, 0.4418]]
FIRST_LABELS = [[1, 0, 0], [0, 1, 0], [0, 0, 0]]

# Normally distributed logits: the way through sigmoid and bce is that of bce-logits.
NORMAL_LOGITS = [[1.9072, 1.1079, 1.4906], [-0.6584, -0.0512, 0.7608], [-0.0614, 0.6583, 0.1095]]
NORMAL_LABELS = [[0, 1, 1], [1, 1, 1], [0, 0, 0]]

# Probabilities, for bce.
PROBABILITIES = [[0.3992, 0.2232, 0.6435], [0.3800, 0.3044, 0.3241], [0.6281, 0.4689, 0.3834]]
PROBABILITY_LABELS = [[0, 1, 1], [0, 0, 1], [1, 0, 1]]


def tutorial() -> None:
    """Write the matrices that tutorials on these losses use."""
    folder = HERE / "tutorial"
    write(HERE / "logits", FIRST_LOGITS)
    write(HERE / "labels", FIRST_LABELS)
    write(folder / "batch-logits", [FIRST_LOGITS])
    write(folder / "batch-labels", [FIRST_LABELS])
    write(folder / "normal-logits", NORMAL_LOGITS)
    write(folder / "normal-labels", NORMAL_LABELS)
    write(folder / "probabilities", PROBABILITIES)
    write(folder / "probability-labels", PROBABILITY_LABELS)
    write(folder / "scores", [1.0, 2.0, 3.0])
    write(folder / "score-row", [[1.0, 2.0, 3.0]])
    write(folder / "score-class", [2])
    write(folder / "constant-logits", np.full((10, 64), 1.5))
    write(folder / "constant-labels", np.ones((10, 64), int))
    write(folder / "constant-pos-weight", np.ones(64))
    write(folder / "imbalanced-labels", [1] * 100 + [0] * 300)
    write(folder / "imbalanced-logits", imbalanced_logits())
    write_text(folder / "missing.csv", "logit,label\n2.1,1\n-0.4,0\nNA,1\n0.3,1\n")
    dump = {"step": 1200, "batch": {"logits": FIRST_LOGITS, "labels": FIRST_LABELS}}
    write_text(folder / "dump.json", json.dumps(dump) + "\n")


def imbalanced_logits() -> np.ndarray:
    """Logits of 100 positives around 1 and of 300 negatives around -1."""
    generator = np.random.default_rng(SEED)
    centres = np.repeat([1.0, -1.0], [100, 300])
    return np.round(generator.normal(centres, 1.5), 4)


def breast_cancer() -> dict[str, Any]:
    """Write what a binary classifier says of a fifth of the breast-cancer data, and give its losses."""
    model, kept = trained(load_breast_cancer())
    folder = HERE / "breast-cancer"
    logits = model.decision_function(kept["data"])
    probabilities = model.predict_proba(kept["data"])[:, 1]
    write_predictions(folder, logits, probabilities, kept["label"])
    columns = ("id", "logit", "probability", "label")
    lists = [values.tolist() for values in (kept["id"], logits, probabilities, kept["label"])]
    rows = list(zip(*lists, strict=True))
    lines = [",".join(columns), *(",".join(map(repr, row)) for row in rows)]
    write_text(folder / "predictions.csv", "\n".join(lines) + "\n")
    records = (json.dumps(dict(zip(columns, row, strict=True))) for row in rows)
    write_text(folder / "predictions.jsonl", "\n".join(records) + "\n")
    return losses(kept["label"], probabilities)


def digits() -> dict[str, Any]:
    """Write what a classifier says of a tenth of the handwritten digits, and give its losses."""
    model, kept = trained(load_digits(), share=0.1)
    logits = model.decision_function(kept["data"])
    probabilities = model.predict_proba(kept["data"])
    write_predictions(HERE / "digits", logits, probabilities, kept["label"])
    return losses(kept["label"], probabilities)


def trained(source: Bunch, share: float = 0.2) -> tuple[Any, dict[str, np.ndarray]]:
    """A logistic regression, and the rows (with their numbers in the data) that it has not seen."""
    rows = np.arange(len(source.target))
    seen, kept = train_test_split(rows, test_size=share, random_state=SEED, stratify=source.target)
    # A stronger penalty than the usual one: no probability comes near 0 or 1, where log_loss would clip it.
    classifier = LogisticRegression(C=0.1, max_iter=10_000, random_state=SEED)
    model = make_pipeline(StandardScaler(), classifier)
    model.fit(source.data[seen], source.target[seen])
    kept = np.sort(kept)
    return model, {"id": kept, "data": source.data[kept], "label": source.target[kept]}


def losses(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, Any]:
    """What scikit-learn's log_loss makes of predictions."""
    if np.min(probabilities) < 1e-12 or (probabilities.ndim == 1 and np.max(probabilities) > 1 - 1e-12):
        raise ValueError("these probabilities are so extreme that log_loss may clip them")
    return {
        "count": len(labels),
        "mean": float(log_loss(labels, probabilities)),
        "sum": float(log_loss(labels, probabilities, normalize=False)),
    }


def write_predictions(
    folder: Path, logits: np.ndarray, probabilities: np.ndarray, labels: np.ndarray
) -> None:
    """Write three arrays as CSV and NPY, and logits and labels as one NPZ."""
    for name, values in (("logits", logits), ("probabilities", probabilities), ("labels", labels)):
        write_csv(folder / f"{name}.csv", values)
        write_npy(folder / f"{name}.npy", values)
    np.savez(folder / "batch.npz", logits=logits, labels=labels)


def write(path: Path, values: Any) -> None:
    """Write an array as JSON and NPY and, unless it has too many axes, as CSV."""
    array = np.asarray(values)
    write_text(path.with_suffix(".json"), json.dumps(array.tolist()) + "\n")
    write_npy(path.with_suffix(".npy"), array)
    if array.ndim <= 2:
        write_csv(path.with_suffix(".csv"), array)


def write_npy(path: Path, array: np.ndarray) -> None:
    """Write an array as NPY."""
    path.parent.mkdir(exist_ok=True)
    np.save(path, array, allow_pickle=False)


def write_csv(path: Path, array: np.ndarray) -> None:
    """Write a vector or a matrix as CSV, with the shortest decimals that give the same numbers back."""
    rows = np.atleast_2d(array.T).T.tolist()
    write_text(path, "".join(",".join(map(repr, row)) + "\n" for row in rows))


def write_text(path: Path, text: str) -> None:
    """Write a text, with the same line ends everywhere."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    tutorial()
    expected = {
        "scikit-learn": sklearn.__version__,
        "breast-cancer": breast_cancer(),
        "digits": digits(),
    }
    write_text(HERE / "expected.json", json.dumps(expected, indent=2) + "\n")
