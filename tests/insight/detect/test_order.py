"""Classes in another order than the columns, with labels made by NumPy and scikit-learn."""

import numpy as np
import pytest

from losscalc.catalogue.base import losses
from losscalc.core.reductions import MEAN
from losscalc.insight.call import Call
from losscalc.insight.detect.suppose import combination, outcome

RNG = np.random.default_rng(3)
X, Y = RNG.normal(size=(9, 12)), np.array([3, 11, 2, 2, -100, 7, 10, 0, 1])
COUNTED = Y >= 0


def cross_entropy(labels: np.ndarray, x: np.ndarray = X) -> float:
    """The mean of -ln softmax over the rows that are not ignored."""
    x, labels = x[COUNTED], labels[COUNTED]
    return float(np.mean(np.log(np.exp(x).sum(axis=1)) - x[np.arange(len(labels)), labels]))


def supposed(name: str, x: np.ndarray = X, y: np.ndarray = Y) -> np.ndarray | None:
    """What a supposition comes to."""
    call = Call(losses()["cross-entropy"](), {"input": x, "target": y}, MEAN)
    return outcome(call, combination(call, name))


def test_labels_are_numbered_as_texts() -> None:
    """As NumPy finds texts in their order: 0, 1, 10, 11, 2."""
    texts = np.unique(np.arange(12).astype(str))
    assert supposed("classes-as-text") == pytest.approx(
        cross_entropy(np.searchsorted(texts, Y.astype(str)) % 12), rel=1e-12
    )
    assert supposed("columns-as-text") == pytest.approx(cross_entropy(Y, X[:, texts.astype(int)]), rel=1e-12)
    # Up to ten classes, texts and numbers have one order.
    assert supposed("classes-as-text", X[:, :10], Y % 10) is None


def test_labels_are_numbered_as_they_come() -> None:
    """By hand: 3, 11, 2, 7, 10, 0 and 1 are the first seven classes."""
    assert supposed("classes-by-appearance") == pytest.approx(
        cross_entropy(np.array([0, 1, 2, 2, 0, 3, 4, 5, 6])), rel=1e-12
    )


def test_labels_are_numbered_by_frequency() -> None:
    """By hand: class 2 is there twice and comes first, the others in their order."""
    assert supposed("classes-by-frequency") == pytest.approx(
        cross_entropy(np.array([3, 6, 0, 0, 0, 4, 5, 1, 2])), rel=1e-12
    )


def test_classes_are_reversed() -> None:
    """The last column is that of class 0."""
    assert supposed("classes-reversed") == pytest.approx(cross_entropy(Y, X[:, ::-1]), rel=1e-12)


def test_arrays_have_no_names() -> None:
    """By which their columns could be sorted."""
    assert supposed("classes-by-name") is None
