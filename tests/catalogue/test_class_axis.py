"""Classes on the last axis: what PyTorch gives when they are moved to axis 1 first."""

import numpy as np
import pytest

import losscalc
from losscalc import cli

RNG = np.random.default_rng(0)
SCORES = RNG.normal(size=(3, 4, 2, 5))
LAST = np.ascontiguousarray(np.moveaxis(SCORES, 1, -1))
INDICES = RNG.integers(0, 4, (3, 2, 5))
SHARES = np.exp(SCORES) / np.exp(SCORES).sum(axis=1, keepdims=True)
WEIGHT = np.array([0.5, 1.0, 2.0, 3.0])
REDUCTIONS = ["none", "mean", "sum"]


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", ["cross-entropy", "nll"])
@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_class_indices(name, reduction, weight) -> None:
    """The same losses, and the gradient with its axes where those of the scores are."""
    options = {"weight": weight, "reduction": reduction}
    np.testing.assert_array_equal(
        losscalc.compute(name, LAST, INDICES, class_axis=-1, **options),
        losscalc.compute(name, SCORES, INDICES, **options),
    )
    slope = losscalc.gradient(name, LAST, INDICES, class_axis=-1, **options)
    expected = losscalc.gradient(name, SCORES, INDICES, **options)
    np.testing.assert_array_equal(np.moveaxis(slope, -1, 1), expected)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_class_probabilities(reduction, smoothing) -> None:
    """A target of the shape of the scores has its classes where they have theirs."""
    options = {"label_smoothing": smoothing, "reduction": reduction, "weight": WEIGHT}
    target = np.moveaxis(SHARES, 1, -1)
    np.testing.assert_allclose(
        losscalc.compute("cross-entropy", LAST, target, class_axis=-1, **options),
        losscalc.compute("cross-entropy", SCORES, SHARES, **options),
        rtol=1e-14,
    )


@pytest.mark.parametrize("shape", [(4,), (3, 4)])
def test_of_up_to_two_axes_it_is_the_same(shape) -> None:
    """Axis 1 is the last one, and of one sample the classes are all there is."""
    scores, target = RNG.normal(size=shape), np.zeros(shape[:-1], int)
    assert losscalc.compute("cross-entropy", scores, target, class_axis=-1) == losscalc.compute(
        "cross-entropy", scores, target
    )


def test_what_does_not_fit() -> None:
    """The shape that the target must have, and the hint where it would fit the last axis."""
    with pytest.raises(losscalc.ShapeError, match=r"must have \(3, 2, 5\)"):
        losscalc.compute("nll", LAST, INDICES[:, :1], class_axis=-1)
    with pytest.raises(losscalc.ShapeError) as caught:
        losscalc.compute("nll", LAST, INDICES)
    assert caught.value.advise() == "class_axis=-1 takes the classes from the last axis"
    with pytest.raises(losscalc.ShapeError, match="no classes"):
        losscalc.compute("nll", np.empty((2, 3, 0)), np.zeros((2, 3), int), class_axis=-1)
    with pytest.raises(losscalc.ParameterError, match="one of 1 and -1"):
        losscalc.compute("nll", LAST, INDICES, class_axis=2)


@pytest.mark.parametrize(
    "view",
    [
        [],
        ["--stats"],
        ["--worst", "2"],
        ["--explain"],
        ["--gradient"],
        ["--digits", "20"],
        ["--weight", "balanced"],
    ],
    ids=str,
)
def test_views(view, tmp_path, monkeypatch, capsys) -> None:
    """Every view shows the same numbers as with the classes on axis 1."""
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", SCORES)
    np.save("l.npy", LAST)
    np.save("y.npy", INDICES)
    form = "npy" if view == ["--gradient"] else "plain"
    shown = []
    for words in (["-i", "x.npy"], ["-i", "l.npy", "--class-axis", "-1"]):
        assert cli.run(["cross-entropy", *words, "-t", "y.npy", *view, "-f", form, "-o", "o"]) == 0
        shown.append(np.load("o") if form == "npy" else (tmp_path / "o").read_text())
    assert capsys.readouterr() == ("", "")
    if form == "npy":
        np.testing.assert_array_equal(shown[0], np.moveaxis(shown[1], -1, 1))
    else:
        assert shown[0] == shown[1]


def test_mistakes_are_found_as_well(tmp_path, monkeypatch, capsys) -> None:
    """A softmax before it, with the command that gives the number."""
    monkeypatch.chdir(tmp_path)
    np.save("l.npy", LAST)
    np.save("y.npy", INDICES)
    words = ["cross-entropy", "-i", "l.npy", "-t", "y.npy", "--class-axis", "-1"]
    wrong = losscalc.compute("cross-entropy", SHARES, INDICES)
    assert cli.run([*words, "--expect", repr(float(wrong))]) == 1
    assert "a softmax was applied to the input first" in capsys.readouterr().out
    assert cli.run([*words, "--suppose", "softmax-first"]) == 0
    assert float(capsys.readouterr().out) == pytest.approx(float(wrong), rel=1e-14)
