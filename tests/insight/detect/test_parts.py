"""Mistakes of processes that share rows, of units, and of distillation; the wrong numbers are of NumPy."""

import numpy as np
import pytest

from losscalc import check

DRAW = np.random.default_rng(5)
TARGET = DRAW.gamma(2.0, 3.0, 203)
INPUT = TARGET + DRAW.normal(size=203)
SQUARES = (INPUT - TARGET) ** 2
LOGITS, OTHERS = DRAW.normal(size=(2, 40, 6))


def log_softmax(x):
    """By its definition."""
    return x - np.log(np.exp(x).sum(axis=1, keepdims=True))


def distilled(temperature):
    """KL(q, p) per row of softened distributions, from its definition."""
    p, q = (log_softmax(logits / temperature) for logits in (LOGITS, OTHERS))
    return (np.exp(q) * (q - p)).sum(axis=1).mean()


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        # torch.utils.data.DistributedSampler repeats the first samples until each rank has as many.
        ("padded-rows=8", np.append(SQUARES, SQUARES[:5]).mean()),
        ("rank-means=4", np.mean([SQUARES[rank::4].mean() for rank in range(4)])),
        ("first-rank=4", SQUARES[::4].mean()),
        ("standardized-both-sample", SQUARES.mean() / TARGET.var(ddof=1)),
        ("scaled-both", SQUARES.mean() / (TARGET.max() - TARGET.min()) ** 2),
        ("target-standardized-sample", ((INPUT - (TARGET - TARGET.mean()) / TARGET.std(ddof=1)) ** 2).mean()),
        ("target-scaled", ((INPUT - (TARGET - TARGET.min()) / (TARGET.max() - TARGET.min())) ** 2).mean()),
    ],
)
def test_shared_rows_and_units(name, wrong):
    """Each is the first explanation of its number."""
    assert named("mse", INPUT, TARGET, expected=wrong) == name


def test_distillation():
    """Both distributions are softened; often the loss is multiplied by the square of the temperature."""
    arrays = log_softmax(LOGITS), np.exp(log_softmax(OTHERS))
    for temperature in (1.5, 3):
        wrong = distilled(temperature)
        name = f"both-temperature={temperature:g}"
        assert named("kl-div", *arrays, reduction="batchmean", expected=wrong) == name
    assert (
        named("kl-div", *arrays, reduction="batchmean", expected=4 * distilled(2))
        == "both-temperature=2,times=4"
    )


def named(*call, **options):
    """The name of the first explanation, be there enough digits for it or not."""
    found = check(*call, **options).to_dict()
    return [*found["explanations"], *found["undecided"]][0]["name"]
