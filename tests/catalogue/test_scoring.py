"""Log loss beyond its golden rows: labels and classes, the ends of probabilities, weights, and refusals."""

import mpmath
import numpy as np
import pytest

import losscalc
from losscalc import cli

CLASSES = [[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]]


@pytest.fixture
def rng():
    """Numbers that are the same in every run."""
    return np.random.default_rng(0)


def test_labels_between_and_of_any_shape(rng):
    """Soft labels, held against binary cross-entropy, which differs only where probabilities are 0 or 1."""
    x, y = rng.uniform(0.01, 0.99, (3, 4, 2)), rng.random((3, 4, 2))
    for reduction in ("none", "sum", "mean"):
        np.testing.assert_allclose(
            losscalc.compute("log-loss", x, y, reduction=reduction),
            losscalc.compute("bce", x, y, reduction=reduction),
            rtol=1e-13,
        )


def test_the_distance_from_the_ends(rng):
    """With eps of 1e-7 it is that of mpmath 1.3.0, ln of min(max(x, eps), 1 - eps), to the last digits."""
    x = np.array([0.0, 1.0, 1e-9, 1 - 1e-9, 0.3, 0.3])
    y = np.array([0.0, 1.0, 1.0, 0.0, 0.0, 1.0])
    found = losscalc.compute("log-loss", x, y, eps=1e-7, reduction="none")
    with mpmath.workdps(50):
        eps = mpmath.mpf(1e-7)
        p = [min(max(mpmath.mpf(v), eps), 1 - eps) for v in x]
        expected = [float(-mpmath.log(q if label else 1 - q)) for q, label in zip(p, y, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-15)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_the_gradient_of_labels(rng, weighted, reduction):
    """That of labels is the central difference too; the laws over all losses look at classes."""
    arrays = {"input": rng.uniform(0.1, 0.9, (3, 2)), "target": rng.random((3, 2))}
    if weighted:
        arrays["weight"] = rng.uniform(0.5, 2, (3, 2))
    step = 1e-6
    slope = losscalc.gradient("log-loss", **arrays, reduction=reduction)
    for place in np.ndindex(3, 2):
        ends = []
        for sign in (1, -1):
            moved = arrays["input"].copy()
            moved[place] += sign * step
            ends.append(losscalc.compute("log-loss", **{**arrays, "input": moved}, reduction=reduction))
        assert slope[place] == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-7)


def test_the_gradient_is_0_where_a_probability_is_kept_from_the_end():
    """By hand: of what does not change with x."""
    slope = losscalc.gradient("log-loss", [0.0, 1.0, 0.5], [1, 0, 1], reduction="sum")
    assert slope.tolist() == [0.0, 0.0, -2.0]
    assert losscalc.gradient("log-loss", [[0.0, 1.0]], [0], reduction="sum").tolist() == [[0.0, 0.0]]


def test_digits_of_labels():
    """-ln 0.5, and -ln(1 - 0.25), by mpmath 1.3.0."""
    found = losscalc.compute("log-loss", [0.5, 0.25], [1.0, 0.0], reduction="none", digits=30)
    with mpmath.workdps(40):
        half, quarter = (mpmath.mpf(str(value)) for value in found)
        assert abs(half - mpmath.log(2)) < mpmath.mpf("1e-29")
        assert abs(quarter + mpmath.log(mpmath.mpf("0.75"))) < mpmath.mpf("1e-29")


@pytest.mark.parametrize(
    ("arrays", "error", "argument"),
    [
        (([0.5, 1.5], [0, 1]), losscalc.DomainError, "input"),
        (([0.5, np.nan], [0, 1]), losscalc.DomainError, "input"),
        (([0.5, 0.5], [0, 2]), losscalc.DomainError, "target"),
        ((CLASSES, [0, 3]), losscalc.ClassIndexError, "target"),
        ((CLASSES, [0, 1.5]), losscalc.DomainError, "target"),
        ((CLASSES, [0, 1, 2]), losscalc.ShapeError, "target"),
        ((CLASSES, [0, 1], [1, 2, 3]), losscalc.ShapeError, "weight"),
        (([0.5, 0.5], [0, 1], [1.0]), losscalc.ShapeError, "weight"),
        (([[]], [0]), losscalc.ShapeError, "target"),
    ],
)
def test_what_does_not_fit_is_refused(arrays, error, argument):
    """With the array that is at fault."""
    with pytest.raises(error) as caught:
        losscalc.compute("log-loss", *arrays)
    assert caught.value.argument == argument


def test_nothing_and_no_weight():
    """The mean of nothing is NaN, its sum 0; weights of 0 leave nothing to divide by."""
    with pytest.warns(losscalc.LosscalcWarning):
        assert np.isnan(losscalc.compute("log-loss", np.empty((0, 3)), np.empty(0, int)))
    assert losscalc.compute("log-loss", np.empty((0, 3)), np.empty(0, int), reduction="sum") == 0
    with pytest.warns(losscalc.LosscalcWarning, match="sum to 0"):
        assert np.isnan(losscalc.compute("log-loss", CLASSES, [0, 1], weight=[0, 0]))


def test_files_give_the_same(tmp_path, monkeypatch, capsys):
    """Classes and weights in columns, which are read as floating numbers."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.csv").write_text("a,b,c\n0.7,0.2,0.1\n0.1,0.2,0.7\n0.3,0.4,0.3\n")
    (tmp_path / "y.csv").write_text("y,w\n0,1\n2,2\n1,3\n")
    words = ["log-loss", "-i", "p.csv", "-t", "y.csv#y", "--weight", "y.csv#w"]
    assert cli.run(words) == 0
    # sklearn.metrics.log_loss([0, 2, 1], p, sample_weight=[1, 2, 3])
    assert float(capsys.readouterr().out) == pytest.approx(0.6364828379064437, rel=1e-14)
