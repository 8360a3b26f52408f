"""Labels of losses with a margin: 1 and -1, or 1 and 0."""

import warnings

import numpy as np
import pytest

import losscalc


@pytest.mark.parametrize("name", ["hinge", "squared-hinge"])
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_labels_of_0_count_as_minus_1(name, reduction):
    """As in Keras, and it is said, with the place of the first."""
    x, signs = np.array([0.5, -2.0, -0.3, 0.2]), np.array([1, -1, 1, -1])
    labels = (signs + 1) // 2
    with pytest.warns(losscalc.LosscalcWarning, match="counts as -1, as in Keras") as caught:
        found = losscalc.compute(name, x, labels, reduction=reduction)
    np.testing.assert_array_equal(found, losscalc.compute(name, x, signs, reduction=reduction))
    assert caught[0].message.index == (1,)
    with pytest.warns(losscalc.LosscalcWarning):
        slope = losscalc.gradient(name, x, labels, reduction="sum")
    np.testing.assert_array_equal(slope, losscalc.gradient(name, x, signs, reduction="sum"))


@pytest.mark.parametrize("label", [2, 0.5, np.nan])
def test_other_labels_are_refused(label):
    """Which of two they are, nobody knows."""
    with pytest.raises(losscalc.DomainError):
        losscalc.compute("hinge", [0.5], [label])


def test_names():
    """Of the libraries, and of daily use."""
    names = ("HingeLoss", "binary_hinge_loss", "svm", "Hinge")
    with warnings.catch_warnings():
        # What else a name may mean is told.
        warnings.simplefilter("ignore", losscalc.LosscalcNote)
        assert {losscalc.compute(name, [0.25], [1]) for name in names} == {0.75}
    assert losscalc.compute("HingeEmbeddingLoss", [0.25], [1]) == 0.25
