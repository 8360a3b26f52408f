"""What leads to infinity or NaN where the loss is finite; PyTorch gives the same where it is named."""

import math

import numpy as np
import pytest

from losscalc.catalogue.base import losses
from losscalc.core.reductions import MEAN
from losscalc.insight.call import Call
from losscalc.insight.detect.nonfinite import special
from losscalc.insight.detect.suppose import combination, outcome

SURE = [[0.0, 800.0, 1.0], [2.0, 1.0, 0.0], [1.0, 3.0, 0.0]]


def call(name: str, x: object, y: object) -> Call:
    """The mean of a loss."""
    return Call(losses()[name](), {"input": np.array(x), "target": np.array(y)}, MEAN)


CASES = [
    # The logarithm of a softmax that underflowed is -inf: torch.log(torch.softmax(x, 1)).
    ("probabilities-float32", "cross-entropy", SURE, [0, 0, 1], math.inf),
    # 300² is beyond 65504, the largest number of float16.
    ("all-float16", "mse", [300.0, 2.0], [0.0, 1.0], math.inf),
    # PyTorch bounds logarithms at -100, NumPy does not.
    ("unbounded-logarithms", "bce", [0.0, 0.4], [1.0, 1.0], math.inf),
    # y·np.log(p) + (1 - y)·np.log(1 - p) with y = p = 1.
    ("zero-times-infinity", "bce", [1.0, 0.4], [1.0, 1.0], math.nan),
    # One-hot rows times the logarithm of a softmax that underflowed.
    ("zero-times-infinity", "cross-entropy", SURE, [1, 0, 1], math.nan),
    ("zero-times-infinity", "kl-div", [[-1.0, -0.5]], [[0.0, 1.0]], math.nan),
    # np.mean of an empty list.
    ("empty-class", "cross-entropy", SURE, [0, 0, 1], math.nan),
    ("empty-row", "cross-entropy", SURE, [1, -100, 1], math.nan),
    # F.cross_entropy of rows that are all ignored.
    ("empty-batch", "cross-entropy", SURE, [1, 0, -100], math.nan),
]


@pytest.mark.parametrize(("name", "loss", "x", "y", "expected"), CASES)
def test_a_cause_is_told(name: str, loss: str, x: object, y: object, expected: float) -> None:
    """As an explanation, and it gives what it says."""
    given = call(loss, x, y)
    told = {
        each.candidate.name.partition("=")[0]: each.candidate
        for each in special(given, expected).explanations
    }
    assert name in told
    value = outcome(given, told[name].combination)
    np.testing.assert_equal(value, np.float64(expected))


@pytest.mark.parametrize(
    ("name", "loss", "x", "y"),
    [
        ("unbounded-logarithms", "bce", [0.2, 0.4], [1.0, 1.0]),
        ("zero-times-infinity", "bce", [0.0, 0.4], [1.0, 1.0]),
        ("zero-times-infinity", "kl-div", [[-1.0, -0.5]], [[0.5, 0.5]]),
        ("empty-class", "cross-entropy", SURE, [0, 1, 2]),
        ("empty-row", "mse", [[1.0], [2.0]], [[1.0], [3.0]]),
    ],
)
def test_there_may_be_none(name: str, loss: str, x: object, y: object) -> None:
    """No probability of 0, no label 0 beside it, no class or row without losses."""
    given = call(loss, x, y)
    assert outcome(given, combination(given, name)) is None


def test_what_is_not_finite_itself_is_left_open() -> None:
    """An infinite loss becomes NaN in many ways."""
    found = special(call("mse", [math.inf, 1.0], [0.0, 0.0]), math.nan)
    assert not found.explanations
    assert len(found.undecided) <= 2


@pytest.mark.slow
@pytest.mark.parity
def test_products_are_nan_as_in_pytorch() -> None:
    """Where the plain formulas of these cases are computed by it."""
    torch = pytest.importorskip("torch")
    p, y = torch.tensor([1.0, 0.4]), torch.tensor([1.0, 1.0])
    assert (y * p.log() + (1 - y) * (1 - p).log()).mean().isnan()
    assert -torch.softmax(torch.tensor(SURE), 1).log()[0, 0] == math.inf
    ignored = torch.nn.functional.cross_entropy(torch.tensor(SURE[2:]), torch.tensor([-100]))
    assert ignored.isnan()
