"""Sample weights: one factor per row, for every loss that has a weight per class.

The laws over the registry draw them, and tests/catalogue/test_torch.py weights PyTorch's single losses by
hand; here are scikit-learn's numbers, those of a hand calculation, and refusals.
"""

import numpy as np
import pytest

import losscalc
from losscalc.core.declaration import array_arguments
from losscalc.errors import DomainError, ShapeError
from losscalc.insight.call import Call
from losscalc.insight.detect.evidence import Expected
from losscalc.insight.detect.verdict import verdict
from losscalc.insight.stats import context
from tests.support.calls import call

SCORES = np.array([[2.0, 1.0, 0.0], [0.0, 3.0, 1.0], [1.0, 0.0, 2.0], [0.5, 0.5, 1.0]])
TARGET = np.array([0, 1, 0, 2])
FACTOR = np.array([1.0, 0.5, 3.0, 2.0])
WEIGHT = np.array([1.0, 2.0, 4.0])
NAMES = ["cross-entropy", "nll", "linear-cross-entropy", "multi-margin"]


def arrays(name: str) -> dict[str, np.ndarray]:
    """The arrays that a loss takes so that its scores are these logits, or their log-softmax."""
    if name == "nll":
        return {"input": losscalc.compute("log-softmax", SCORES), "target": TARGET}
    extra = {"linear_weight": np.eye(3)} if name == "linear-cross-entropy" else {}
    return {"input": SCORES, **extra, "target": TARGET}


def test_every_loss_with_a_weight_a_class_has_one_a_row():
    """And no other has it: elsewhere `weight` is one per row, or one per element, already."""
    for name, cls in losscalc.losses().items():
        kinds = {array.role.kind: array.name for array in array_arguments(cls)}
        assert ("class-weights" in kinds) == ("sample-weights" in kinds), (
            f"decorate terms and gradient of {name} with sample_weighted, of losscalc/catalogue/weighting.py"
        )
        assert kinds.get("sample-weights", "sample_weight") == "sample_weight"


@pytest.mark.parametrize("name", NAMES[:3])
def test_the_numbers_of_scikit_learn(name):
    """scikit-learn 1.9.1: log_loss(y, p, sample_weight=v), p the softmax; class weights as v·w[y]."""
    given = {**arrays(name), "sample_weight": FACTOR}
    assert losscalc.compute(name, **given) == pytest.approx(0.9698616009832232, rel=1e-14)
    # normalize=False
    assert losscalc.compute(name, **given, reduction="sum") == pytest.approx(6.30410040639095, rel=1e-14)
    weighted = losscalc.compute(name, **given, weight=WEIGHT)
    assert weighted == pytest.approx(0.8580987717442271, rel=1e-14)


def test_multi_margin_divides_by_the_factors_alone():
    """By hand: weights of classes stay out of the divisor, as they do without factors."""
    single = losscalc.compute("multi-margin", SCORES, TARGET, weight=WEIGHT, reduction="none")
    found = losscalc.compute("multi-margin", SCORES, TARGET, weight=WEIGHT, sample_weight=FACTOR)
    # 0 of the first two; (max(0, 1 - 1 + 0) + max(0, 1 - 1 + 2)) / 3; 4·(0.5 + 0.5) / 3
    np.testing.assert_allclose(single, [0.0, 0.0, 2 / 3, 4 / 3], rtol=1e-15)
    assert found == pytest.approx((3 * 2 / 3 + 2 * 4 / 3) / 6.5, rel=1e-15)


@pytest.mark.parametrize("name", NAMES)
def test_whole_factors_are_repeated_rows(name):
    """A factor of 2 is a row that is there twice, one of 0 a row that is not: losses and gradients."""
    counts = np.array([2, 0, 1, 3])
    given = arrays(name)
    rows = {k: v if k == "linear_weight" else np.repeat(v, counts, axis=0) for k, v in given.items()}
    for reduction in ("mean", "sum"):
        options = {"weight": WEIGHT, "reduction": reduction}
        found = losscalc.compute(name, **given, **options, sample_weight=counts)
        assert found == pytest.approx(losscalc.compute(name, **rows, **options), rel=1e-14)
        slope = losscalc.gradient(name, **given, **options, sample_weight=counts)
        repeated = losscalc.gradient(name, **rows, **options)
        ends = np.cumsum(counts)
        summed = [repeated[end - count : end].sum(axis=0) for count, end in zip(counts, ends, strict=True)]
        np.testing.assert_allclose(slope, summed, rtol=1e-13, atol=1e-16)
    if name == "linear-cross-entropy":
        matrix = losscalc.gradient(name, **given, sample_weight=counts, wrt="linear_weight")
        np.testing.assert_allclose(
            matrix, losscalc.gradient(name, **rows, wrt="linear_weight"), rtol=1e-13, atol=1e-16
        )


@pytest.mark.parametrize("axis", [None, -1])
def test_a_row_of_several_positions(axis):
    """(N,) is one factor for all positions of a row, also with as many positions as rows."""
    rng = np.random.default_rng(0)
    scores, target, factor = rng.normal(size=(3, 4, 3)), rng.integers(0, 4, (3, 3)), rng.random(3)
    given = np.moveaxis(scores, 1, -1) if axis else scores
    options = {"class_axis": axis, "weight": rng.random(4)}
    for one in (losscalc.compute, losscalc.gradient):
        np.testing.assert_array_equal(
            one("cross-entropy", given, target, sample_weight=factor, **options),
            one("cross-entropy", given, target, sample_weight=np.repeat(factor, 3).reshape(3, 3), **options),
        )
    single = losscalc.compute("cross-entropy", scores, target, reduction="none")
    found = losscalc.compute("cross-entropy", scores, target, sample_weight=factor, reduction="none")
    np.testing.assert_allclose(found, single * factor[:, np.newaxis], rtol=1e-15)


def test_class_probabilities_divide_by_the_factors():
    """Not by the weights of classes either, as without factors."""
    shares = np.array([[0.5, 0.5, 0.0], [0.0, 1.0, 0.0], [0.2, 0.3, 0.5], [1.0, 0.0, 0.0]])
    single = losscalc.compute("cross-entropy", SCORES, shares, weight=WEIGHT, reduction="none")
    found = losscalc.compute("cross-entropy", SCORES, shares, weight=WEIGHT, sample_weight=FACTOR)
    assert found == pytest.approx((single * FACTOR).sum() / 6.5, rel=1e-15)


@pytest.mark.parametrize("name", ["cross-entropy", "nll", "linear-cross-entropy"])
def test_ignored_rows_take_no_part(name):
    """Whatever their factor is, in the sum, the divisor and the gradient."""
    given = arrays(name)
    given["target"] = np.array([0, -100, 0, 2])
    values, slopes = zip(
        *(
            (
                losscalc.compute(name, **given, sample_weight=[1.0, ignored, 3.0, 2.0]),
                losscalc.gradient(name, **given, sample_weight=[1.0, ignored, 3.0, 2.0]),
            )
            for ignored in (0.0, 7.0, np.inf)
        ),
        strict=True,
    )
    assert values[0] == values[1] == values[2]
    np.testing.assert_array_equal(slopes[0], slopes[1])
    np.testing.assert_array_equal(slopes[0], slopes[2])


def test_factors_of_0_leave_nothing_to_divide_by():
    """As with weights of classes: NaN, and the reason."""
    with pytest.warns(losscalc.LosscalcWarning, match="sum to 0"):
        assert np.isnan(losscalc.compute("cross-entropy", SCORES, TARGET, sample_weight=np.zeros(4)))


@pytest.mark.parametrize("factor", [[2.0], 2.0])
def test_one_sample(factor):
    """(C,) has one loss, and a factor of shape () or (1,)."""
    found = losscalc.compute("cross-entropy", SCORES[0], 0, sample_weight=factor, reduction="none")
    assert found.shape == ()
    assert found == 2 * losscalc.compute("cross-entropy", SCORES[0], 0)


@pytest.mark.parametrize(
    ("given", "error", "argument", "hint"),
    [
        ({"sample_weight": [1, 2, 3]}, ShapeError, "sample_weight", "for one factor per class use weight"),
        ({"sample_weight": [1, 2]}, ShapeError, "sample_weight", None),
        ({"sample_weight": np.ones((4, 3))}, ShapeError, "sample_weight", None),
        ({"sample_weight": [1, 2, -1, 1]}, DomainError, "sample_weight", None),
        ({"sample_weight": [1, 2, np.nan, 1]}, DomainError, "sample_weight", None),
        ({"weight": [1, 2, 3, 4]}, ShapeError, "weight", "for one factor per row use sample_weight"),
        ({"weight": [1, 2]}, ShapeError, "weight", "give one weight per class"),
        ({"weight": FACTOR, "sample_weight": FACTOR}, ShapeError, "weight", "give one weight per class"),
    ],
)
@pytest.mark.parametrize("name", NAMES)
def test_what_does_not_fit_is_refused(name, given, error, argument, hint):
    """With the array that is at fault, and the name of the other kind of weights where it would fit."""
    with pytest.raises(error) as caught:
        losscalc.compute(name, **arrays(name), **given)
    assert caught.value.argument == argument
    assert caught.value.advise() == hint


def test_where_weight_is_one_a_row_already_it_is_named():
    """As of the loss of probabilities, which scikit-learn's users look for under that name."""
    with pytest.raises(losscalc.ParameterError) as caught:
        losscalc.compute("log-loss", [0.5, 0.5], [0, 1], sample_weight=[1, 2])
    assert caught.value.advise() == "did you mean weight?"


def found(given: Call, expected: float) -> set[str]:
    """The names of what would have led to a number."""
    told = verdict(given, Expected.typed(repr(float(expected)))).explanations
    return {one.name for each in told for one in (each.candidate, *each.also)}


def test_mistakes_with_them_are_named():
    """Left out, divided by the number of rows as Keras does, and clipped like the loss itself."""
    given = {"input": SCORES, "target": TARGET, "sample_weight": FACTOR}
    held = call(losscalc.CrossEntropy(), given)._replace(arrays=given)
    single = losscalc.compute("cross-entropy", SCORES, TARGET, reduction="none")

    assert "no-sample-weight" in found(held, single.mean())
    assert "over-terms" in found(held, (single * FACTOR).mean())
    weighted = held._replace(arrays={**given, "weight": WEIGHT})
    assert "over-sample-weights" in found(weighted, (single * FACTOR * WEIGHT[TARGET]).sum() / 6.5)
    wrong = {**given, "input": np.vstack([[-40.0, 0.0, 0.0], SCORES[1:]])}
    clipped = np.array([-np.log(1e-7), *single[1:]])
    assert "clip=1e-07" in found(held._replace(arrays=wrong), (clipped * FACTOR).sum() / 6.5)


def test_class_priors_count_with_them():
    """The entropy of the weighted shares of classes: 4, 0.5 and 2 of 6.5."""
    given = {"input": SCORES, "target": TARGET, "sample_weight": FACTOR}
    held = call(losscalc.CrossEntropy(), given)._replace(arrays=given)
    shares = np.array([4.0, 0.5, 2.0]) / 6.5
    facts = dict(context(held))
    assert facts["class priors as a guess"] == pytest.approx(-(shares * np.log(shares)).sum(), rel=1e-14)
    assert facts["class priors"].tolist() == [0.5, 0.25, 0.25]
