"""Losses of few digits, rounded on the way as PyTorch does."""

import numpy as np
import pytest

from losscalc.catalogue.base import losses
from losscalc.core.reductions import MEAN, REDUCTIONS
from losscalc.insight.call import Call
from losscalc.insight.detect.changes import narrowed
from losscalc.insight.detect.precision import _shortening
from losscalc.insight.detect.suppose import combination, outcome


@pytest.mark.parity
@pytest.mark.slow
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", ["bfloat16", "float16"])
def test_cross_entropy_in_few_digits_is_that_of_pytorch(name: str, reduction: str) -> None:
    """Bit for bit, for more rows than one level of its sums takes, some of which are ignored."""
    torch = pytest.importorskip("torch")
    for seed, rows in enumerate((1, 5, 16, 17, 40, 300)):
        rng = np.random.default_rng(seed)
        x, y = rng.normal(size=(rows, 5)) * 2, rng.integers(0, 5, rows)
        y[rng.random(rows) < 0.2] = -100
        y[0] = 1
        call = Call(losses()["cross-entropy"](), {"input": x, "target": y}, REDUCTIONS[reduction])
        narrow = torch.tensor(x).to(getattr(torch, name))
        expected = torch.nn.functional.cross_entropy(narrow, torch.tensor(y), reduction=reduction)
        found = outcome(call, combination(call, f"torch-{name}"))
        np.testing.assert_array_equal(found, expected.double().numpy())


@pytest.mark.parametrize("name", ["bfloat16", "float16"])
def test_one_number_is_rounded_like_an_array(name: str) -> None:
    """Halves to even, denormal numbers and overflows too; NumPy rounds float16."""
    values = np.array([1.0, 1.00390625, 1.01171875, 1 + 2**-11, 1 + 3 * 2**-11, 3e-8, 6e-8, 65519.0, 65520.0,
                       -1e39, 1.797e308, 3.39e38, 0.0, np.nan, -np.inf])  # fmt: skip
    short = _shortening(name)
    found = np.array([short(value) for value in values.tolist()])
    np.testing.assert_array_equal(found, narrowed(name)(values))


def test_weights_and_smoothing_are_not_rounded_so() -> None:
    """PyTorch computes them in other places."""
    arrays = {"input": np.eye(3), "target": np.array([0, 1, 1])}
    smooth = Call(losses()["cross-entropy"](label_smoothing=0.1), arrays, MEAN)
    weighted = Call(losses()["cross-entropy"](), {**arrays, "weight": np.ones(3)}, MEAN)
    for call in (smooth, weighted):
        assert outcome(call, combination(call, "torch-bfloat16")) is None
