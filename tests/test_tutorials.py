"""The numbers that tutorials on these losses work out by hand, to the four digits they print."""

import numpy as np
import pytest

import losscalc

LOGITS = np.array([[0.2070, 0.8432, 0.2494], [0.5782, 0.4587, 0.1135], [0.9794, 0.8516, 0.4418]])
LABELS = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 0]])
LOSSES = [[0.5950, 1.2011, 0.8256], [1.0235, 0.4899, 0.7515], [1.2982, 1.2070, 0.9382]]


def close(actual: object, expected: object) -> bool:
    """Equal to the four decimals of a tutorial."""
    return bool(np.allclose(actual, expected, rtol=0, atol=5.1e-5))


@pytest.mark.parametrize("shape", [(3, 3), (1, 3, 3)])
def test_bce_logits_of_a_matrix(shape):
    """The losses of a 3x3 matrix, with and without a leading axis."""
    x, y = LOGITS.reshape(shape), LABELS.reshape(shape)

    assert close(losscalc.compute("bce-logits", x, y, reduction="none"), np.reshape(LOSSES, shape))
    assert close(losscalc.compute("bce-logits", x, y), 0.9256)
    assert close(losscalc.compute("bce-logits", x, y, reduction="sum"), 8.3300)


def test_bce_logits_of_the_batch_twice():
    """Twice the batch has the same mean and twice the sum (8.33005 before the logits were rounded)."""
    x, y = np.stack([LOGITS, LOGITS]), np.stack([LABELS, LABELS])

    assert close(losscalc.compute("bce-logits", x, y), 0.9256)
    assert losscalc.compute("bce-logits", x, y, reduction="sum") == pytest.approx(16.6601, abs=1e-4)


def test_sigmoid_then_bce_is_bce_logits():
    """Row means .8447, .7260, .8293 and the mean .8000, by either way."""
    x = [[1.9072, 1.1079, 1.4906], [-0.6584, -0.0512, 0.7608], [-0.0614, 0.6583, 0.1095]]
    y = [[0, 1, 1], [1, 1, 1], [0, 0, 0]]
    p = losscalc.compute("sigmoid", x)

    assert close(losscalc.compute("bce", p, y, reduction="none").mean(axis=1), [0.8447, 0.7260, 0.8293])
    assert close(losscalc.compute("bce", p, y), 0.8000)
    assert losscalc.compute("bce", p, y) == pytest.approx(losscalc.compute("bce-logits", x, y), rel=1e-15)


def test_bce_of_probabilities():
    """Row means .8167, .6559, .6855 and the mean .7194."""
    p = [[0.3992, 0.2232, 0.6435], [0.3800, 0.3044, 0.3241], [0.6281, 0.4689, 0.3834]]
    y = [[0, 1, 1], [0, 0, 1], [1, 0, 1]]

    assert close(losscalc.compute("bce", p, y, reduction="none").mean(axis=1), [0.8167, 0.6559, 0.6855])
    assert close(losscalc.compute("bce", p, y), 0.7194)


def test_softmax_and_log_softmax():
    """Of [1, 2, 3]."""
    assert close(losscalc.compute("softmax", [1, 2, 3]), [0.0900, 0.2447, 0.6652])
    assert close(losscalc.compute("log-softmax", [1, 2, 3]), [-2.4076, -1.4076, -0.4076])


@pytest.mark.parametrize(("target", "expected"), [(0, -1), (1, -2), (2, -3)])
def test_nll_picks_one_score(target, expected):
    """What is not a log-probability is taken as it is."""
    assert losscalc.compute("nll", [[1, 2, 3]], [target]) == expected


def test_cross_entropy_is_log_softmax_then_nll():
    """Both .4076 for [[1, 2, 3]] and class 2."""
    in_two_steps = losscalc.compute("nll", losscalc.compute("log-softmax", [[1, 2, 3]]), [2])

    assert close(losscalc.compute("cross-entropy", [[1, 2, 3]], [2]), 0.4076)
    assert losscalc.compute("cross-entropy", [[1, 2, 3]], [2]) == pytest.approx(in_two_steps, rel=1e-15)


def test_pos_weight_of_ones():
    """Ten rows of 64 logits of 1.5, targets 1 and pos_weight of ones: PyTorch's own example."""
    x, y = np.full((10, 64), 1.5), np.ones((10, 64))

    assert close(losscalc.compute("bce-logits", x, y, pos_weight=np.ones(64)), 0.2014)


def test_pos_weight_counts_positives_several_times():
    """100 positives of weight 3 and 300 negatives cost what 300 positives and 300 negatives do."""
    scores = np.random.default_rng(0).normal(size=400)
    positives, negatives = scores[:100], scores[100:]
    labels = np.repeat([1.0, 0.0], [100, 300])
    weighted = losscalc.compute("bce-logits", scores, labels, pos_weight=3.0, reduction="sum")

    repeated = np.concatenate([np.tile(positives, 3), negatives])
    labels = np.repeat([1.0, 0.0], [300, 300])
    assert weighted == pytest.approx(
        losscalc.compute("bce-logits", repeated, labels, reduction="sum"), rel=1e-15
    )
