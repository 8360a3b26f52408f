"""Losses of masks: which axes are summed, how batches are cut, and what is left of almost nothing."""

import itertools
import json
from typing import Any

import mpmath
import numpy as np
import pytest

import losscalc
from losscalc import cli
from losscalc.engine import block

NAMES = ("dice", "jaccard", "tversky")
ACTIVATIONS = ("none", "sigmoid", "softmax")
AXES: tuple[tuple[int, ...] | None, ...] = (None, (0,), (1,), (2, 3), (0, 2, 3), (-1,), (0, 1, 2, 3), (3, 0))
CASES = [(*case, {}) for case in itertools.product(NAMES, ACTIVATIONS, AXES)]
CASES += [("dice", each, dim, {"squared": True}) for each in ACTIVATIONS for dim in AXES]
CASES += [("tversky", each, dim, {"alpha": 0.2, "gamma": 0.75}) for each in ACTIVATIONS for dim in AXES]


def masks(activation: str, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Pictures of three classes: (N, C, H, W)."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(5, 3, 2, 4)) * 3
    hot = np.moveaxis(np.eye(3)[rng.integers(0, 3, (5, 2, 4))], -1, 1)
    return (scores if activation != "none" else 1 / (1 + np.exp(-scores))), hot


def by_hand(name: str, x: Any, y: Any, activation: str, dim: Any, **settings: Any) -> np.ndarray:
    """The losses in plain NumPy, from the definitions."""
    s = {"smooth_nr": 1e-5, "smooth_dr": 1e-5, "alpha": 0.5, "beta": 0.5, "gamma": 1.0, **settings}
    if activation == "sigmoid":
        x = 1 / (1 + np.exp(-x))
    if activation == "softmax":
        x = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    power = 2 if settings.get("squared") else 1
    i, p, t = (np.sum(each, axis=dim) for each in (x * y, x**power, y**power))
    if name == "dice":
        return 1 - (2 * i + s["smooth_nr"]) / (p + t + s["smooth_dr"])
    if name == "jaccard":
        return 1 - (i + s["smooth_nr"]) / (p + t - i + s["smooth_dr"])
    below = i + s["alpha"] * (p - i) + s["beta"] * (t - i) + s["smooth_dr"]
    return (1 - (i + s["smooth_nr"]) / below) ** s["gamma"]


@pytest.mark.parametrize("size", [1, 30, 100_000])
@pytest.mark.parametrize(("name", "activation", "dim", "settings"), CASES)
def test_losses_of_every_choice_of_axes(name, activation, dim, settings, size, monkeypatch):
    """In one block or many: none has what the axes leave, mean and sum are of these."""
    monkeypatch.setattr(block, "BLOCK", size)
    x, y = masks(activation)
    options = {"activation": activation, "dim": dim, **settings}
    expected = by_hand(name, x, y, **options)
    for reduction, value in (("none", expected), ("mean", expected.mean()), ("sum", expected.sum())):
        found = losscalc.compute(name, x, y, reduction=reduction, **options)
        assert np.shape(found) == np.shape(value)
        # The definition is a difference of numbers near 1.
        np.testing.assert_allclose(found, value, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("size", [30, 100_000])
@pytest.mark.parametrize(("name", "activation", "dim", "settings"), CASES)
def test_gradients_of_every_choice_of_axes(name, activation, dim, settings, size, reduction, monkeypatch):
    """The central difference, in one block or many."""
    monkeypatch.setattr(block, "BLOCK", size)
    x, y = masks(activation, seed=1)
    options = {"activation": activation, "dim": dim, **settings}
    found = losscalc.gradient(name, x, y, reduction=reduction, **options)
    rng = np.random.default_rng(2)
    for place in (tuple(rng.integers(0, x.shape)) for _ in range(6)):
        ends = []
        for step in (1e-6, -1e-6):
            moved = x.copy()
            moved[place] += step
            ends.append(getattr(by_hand(name, moved, y, **options), reduction)())
        np.testing.assert_allclose(found[place], (ends[0] - ends[1]) / 2e-6, rtol=1e-6, atol=1e-8)


def test_what_is_almost_right_keeps_its_digits():
    """Scores that lead by 40 are wrong by 4e-18, beside which 1 has no digits; by mpmath, σ(-40) of 1."""
    with mpmath.workdps(50):
        wrong = 1 / (1 + mpmath.exp(40))
        expected = float(2 * wrong / (2 + mpmath.mpf(1e-5)))
    found = losscalc.compute("dice", [40.0, -40.0], [1, 0], activation="sigmoid")
    np.testing.assert_allclose(found, expected, rtol=4e-16)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("dim", [None, (0,), (1,)])
def test_fifty_digits(name, activation, dim):
    """Of arrays and parameters as the binary numbers that they are, by the definition in mpmath."""
    x, y = (each[:3, :, 0, 0] for each in masks(activation))
    found = losscalc.compute(name, x, y, activation=activation, dim=dim, reduction="none", digits=50)
    with mpmath.workdps(80):
        p = np.array([[mpmath.mpf(float(v)) for v in row] for row in x], dtype=object)
        if activation == "sigmoid":
            p = np.frompyfunc(lambda v: 1 / (1 + mpmath.exp(-v)), 1, 1)(p)
        elif activation == "softmax":
            p = np.frompyfunc(mpmath.exp, 1, 1)(p)
            p = p / p.sum(axis=1, keepdims=True)
        smooth = mpmath.mpf(1e-5)
        expected = by_hand(name, p, y, "none", dim, smooth_nr=smooth, smooth_dr=smooth, alpha=mpmath.mpf(0.5))
        for one, other in zip(np.ravel(found), np.ravel(expected), strict=True):
            assert abs(mpmath.mpf(str(one)) - other) <= mpmath.mpf("1e-49") * other


def test_parts_of_a_batch_merge(tmp_path, capfd):
    """The sums of each class add up; the mean of the losses of two parts is another number."""
    x, y = masks("none")
    files = []
    for number, rows in enumerate((slice(2), slice(2, 5))):
        np.save(tmp_path / "x.npy", x[rows])
        np.save(tmp_path / "y.npy", y[rows])
        files.append(str(tmp_path / f"{number}.json"))
        words = ["-i", str(tmp_path / "x.npy"), "-t", str(tmp_path / "y.npy"), "--dim", "0,2,3"]
        assert cli.run(["dice", *words, "-f", "json", "-o", files[-1]]) == 0
    capfd.readouterr()
    assert cli.run(["merge", *files, "-f", "json"]) == 0
    facts = json.loads(capfd.readouterr().out)
    assert facts["value"] == losscalc.compute("dice", x, y, dim=(0, 2, 3))
    assert list(facts["sums"]["named"])[:2] == ["overlap[:, 0, :, :]", "overlap[:, 1, :, :]"]


def test_groups_have_losses_of_their_own(tmp_path, capfd):
    """The loss of a group is that of its rows; it is no share of the whole."""
    (tmp_path / "t.csv").write_text("p,y,who\n0.9,1,a\n0.2,0,b\n0.5,1,a\n0.1,1,b\n")
    words = ["-i", f"{tmp_path}/t.csv#p", "-t", f"{tmp_path}/t.csv#y", "--by", "who", "-f", "json"]
    assert cli.run(["dice", *words]) == 0
    facts = json.loads(capfd.readouterr().out)
    for group, rows in zip(facts["groups"], ([0, 2], [1, 3]), strict=True):
        own = np.array([0.9, 0.2, 0.5, 0.1])[rows], np.array([1, 0, 1, 1])[rows]
        assert group["mean"] == group["sum"] == losscalc.compute("dice", *own)
        assert group["share"] is None


@pytest.mark.parametrize(
    "view",
    [
        ["--explain"],
        ["-f", "table"],
        ["-f", "json"],
        ["-r", "none", "-f", "csv"],
        ["-r", "none", "-f", "table"],
        ["--gradient"],
    ],
)
@pytest.mark.parametrize("dim", [[], ["--dim", "0"], ["--dim", "1"]])
def test_views(view, dim, capfd):
    """Whatever the losses are of, they can be shown."""
    words = ["dice", "-i", "[[0.9,0.2],[0.5,0.1]]", "-t", "[[1,0],[1,1]]"]
    assert cli.run([*words, *dim, *view]) == 0
    out, err = capfd.readouterr()
    assert out
    assert err == ""


@pytest.mark.parametrize(
    ("x", "settings", "problem"),
    [
        ([0.5], {"dim": (1,)}, "`dim` must name different axes of `input`, which has shape"),
        ([[0.5]], {"dim": (1, -1)}, "`dim` must name different axes of `input`"),
        ([0.5], {"activation": "softmax"}, "no axis 1 for the softmax"),
        ([1.5], {}, "must be in"),
    ],
)  # fmt: skip
def test_refusals(x, settings, problem):
    """Axes that there are not, and logits that are taken for probabilities."""
    with pytest.raises(losscalc.LosscalcError, match=problem.replace("`", ".?")):
        losscalc.compute("dice", x, np.ones_like(x), **settings)


def test_masks_without_elements():
    """A batch without rows has no loss; a place without elements has that of two empty masks."""
    with pytest.warns(losscalc.LosscalcWarning, match="there are no values"):
        assert np.isnan(losscalc.compute("dice", np.empty((0, 3)), np.empty((0, 3))))
    assert losscalc.compute("dice", np.empty((0, 3)), np.empty((0, 3)), reduction="sum") == 0
    found = losscalc.compute("dice", np.empty((2, 0)), np.empty((2, 0)), dim=1, reduction="none")
    np.testing.assert_array_equal(found, [0.0, 0.0])
    assert losscalc.compute("dice", 0.5, 1.0) == pytest.approx(1 - 1 / 1.5, rel=1e-5)


@pytest.mark.parametrize("name", ["dice", "jaccard", "tversky"])
def test_no_losses_along_an_axis(name):
    """Where axes of no length are left, and rows are summed, there is no loss to be made of the sums."""
    empty = np.empty((2, 3, 0))
    for reduction in ("none", "mean"):
        with pytest.raises(losscalc.ShapeError, match="no losses along an axis that dim leaves"):
            losscalc.compute(name, empty, empty, dim=(0,), reduction=reduction)
    assert losscalc.compute(name, empty, empty, dim=(1,), reduction="none").shape == (2, 0)
    with pytest.warns(losscalc.LosscalcWarning, match="no values"):
        assert losscalc.compute(name, np.empty((0, 3)), np.empty((0, 3)), dim=(0,), digits=20).is_nan()
