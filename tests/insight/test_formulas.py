"""A law: the declared formula of every loss, evaluated as it stands, is what the loss computes.

Where it fails, either the formula (with `quantities`, which gives its symbols their values) or `terms` is
wrong: both stand in the class of the loss, in losscalc/catalogue.
"""

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import losscalc
from losscalc import losses
from losscalc.catalogue.base import Loss
from losscalc.core.operation import Operation
from losscalc.core.registry import operations
from losscalc.insight.formulas import Formula
from losscalc.insight.symbols import formula_of, symbol_values
from tests.support.examples import Arrays, example, losses_of, prepared, variants

VARIANTS = [loss for cls in losses().values() for loss in variants(cls)]
ACTIVATIONS = [cls for cls in operations().values() if not issubclass(cls, Loss)]
BY_HAND = losscalc.TripletMarginWithDistance(distance_function=lambda u, v: np.abs(u - v).sum(axis=-1))
INFINITE = float("inf")


def value_of(loss: Loss, arrays: Arrays) -> np.ndarray:
    """What the formula comes to for each loss."""
    shape = losses_of(loss, arrays).shape
    value = formula_of(loss, arrays).evaluate(symbol_values(loss, arrays, shape))
    return np.broadcast_to(value, (*shape, 1))[..., 0]


def check(loss: Loss, arrays: Arrays) -> None:
    """The formula and `terms` agree wherever a loss counts."""
    with np.errstate(all="ignore"):
        terms = loss.terms(**arrays)
    values = losses_of(loss, arrays)
    counts = np.ones(values.shape, bool) if terms.ignored is None else ~terms.ignored
    file = Path(inspect.getfile(type(loss))).name
    np.testing.assert_allclose(
        value_of(loss, arrays)[counts],
        values[counts],
        rtol=1e-9,
        err_msg=f"the formula of {loss.name}, in losscalc/catalogue/{file}, is not its `terms`",
    )


@pytest.mark.parametrize("loss", VARIANTS, ids=repr)
def test_the_formula_is_the_loss(loss: Loss) -> None:
    """Of every loss and every variant, on random data."""
    for seed in range(3):
        check(loss, prepared(loss, example(type(loss), 6, seed=seed)))


VECTORS = {"anchor": [[1.0, 0.0, 3.0]], "positive": [[1.0, 1.0, 3.0]], "negative": [[1.0, 2.0, 5.0]]}
POINTS: list[tuple[Loss, dict[str, Any]]] = [
    (losscalc.KLDiv(), {"input": [-1.0, -np.inf], "target": [0.0, 0.0]}),
    (losscalc.KLDiv(log_target=True), {"input": [-1.0, -np.inf], "target": [-np.inf, -2.0]}),
    (losscalc.PoissonNLL(full=True), {"input": [1.0, 2.0, 3.0], "target": [0.0, 1.0, 1.5]}),
    (losscalc.SmoothL1(beta=0.0), {"input": [1.0, 2.0], "target": [1.0, 5.0]}),
    (losscalc.TripletMargin(p=0.0, eps=0.0), VECTORS),
    (losscalc.TripletMargin(p=-INFINITE, margin=9.0), VECTORS),
    (losscalc.CIoU(eps=0.0), {"input": [[0.0, 0.0, 2.0, 3.0]], "target": [[0.0, 0.0, 2.0, 3.0]]}),
    (losscalc.GIoU(), {"input": [[0.0, 0.0, 1.0, 1.0]], "target": [[5.0, 5.0, 6.0, 7.0]]}),
]  # fmt: skip


@pytest.mark.parametrize(("loss", "arrays"), POINTS, ids=lambda part: repr(part)[:40])
def test_limits_and_special_cases(loss: Loss, arrays: dict[str, Any]) -> None:
    """A formula says what holds where its general form has no value."""
    check(loss, {name: np.asarray(array) for name, array in arrays.items()})


@pytest.mark.parametrize("axis", [1, -1])
@pytest.mark.parametrize("factor", [(3,), (3, 3)])
def test_factors_of_rows_and_of_positions(axis: int, factor: tuple[int, ...]) -> None:
    """Of as many rows as positions: one per row is for all positions of it."""
    rng = np.random.default_rng(0)
    arrays = {
        "input": np.moveaxis(rng.normal(size=(3, 4, 3)), 1, axis),
        "target": rng.integers(0, 4, (3, 3)),
        "sample_weight": rng.random(factor),
    }
    loss = losscalc.CrossEntropy(class_axis=axis)
    check(loss, arrays)
    shape = loss.terms(**arrays).value.shape
    value = symbol_values(loss, arrays, shape)["v"]
    assert value is not None
    assert value.shape == (*shape, 1)


def test_an_alignment_that_there_is_not():
    """Too few steps for the target: infinite, or 0 where that was asked for."""
    arrays = {
        "log_probs": np.log(np.full((2, 1, 3), 1 / 3)),
        "targets": np.array([[1, 1]]),
        "input_lengths": np.array([2]),
        "target_lengths": np.array([2]),
    }
    assert value_of(losscalc.CTC(), arrays) == np.inf
    assert value_of(losscalc.CTC(zero_infinity=True), arrays) == 0


def test_long_alignments_are_shown_though_their_probability_is_none():
    """Of 3,000 steps no float64 holds the probability; its logarithm comes from the scaled recursion."""
    arrays = {
        "log_probs": np.log(np.full((3000, 1, 4), 0.25)),
        "targets": np.array([[1, 2, 3]]),
        "input_lengths": np.array([3000]),
        "target_lengths": np.array([3]),
    }
    ends = losscalc.CTC().quantities(**arrays)["s"]
    assert ends is not None
    np.testing.assert_allclose(
        -np.logaddexp.reduce(ends[0]), losscalc.CTC().terms(**arrays).value[0], rtol=1e-9
    )


@pytest.mark.parametrize("name", ["ctc", "adaptive-log-softmax"])
def test_no_loss_explains_itself_by_itself(name, monkeypatch):
    """The quantities of a formula come from the arrays: without `terms`, and without what it is made of."""
    cls = losses()[name]
    arrays = example(cls, 4, seed=1)
    expected = cls().terms(**arrays).value
    values = symbol_values(cls(), arrays, expected.shape)
    monkeypatch.setattr(cls, "terms", None)
    again = symbol_values(cls(), arrays, expected.shape)
    for symbol, value in values.items():
        np.testing.assert_array_equal(value, again[symbol])


@pytest.mark.parametrize("cls", ACTIVATIONS)
def test_the_formula_is_the_activation(cls: type[Operation]) -> None:
    """The same for activations, whose formula may begin with their name."""
    x = np.random.default_rng(0).random(size=(5, 4)) * 3
    value = Formula(cls.formula.rpartition(" = ")[2]).evaluate(
        {"x": x if "Σ" in cls.formula else x[..., None]}
    )
    np.testing.assert_allclose(value.reshape(x.shape), cls().terms(x).value, rtol=1e-9)


def test_a_function_of_ones_own_has_no_formula():
    """Its distances are given as they are."""
    check(BY_HAND, example(type(BY_HAND), 5))


def test_numbers_leave_the_dtype_alone():
    """Evaluated in float32, a formula is float32 throughout: constants and alternatives widen nothing."""
    narrow = {"x": np.float32([0.1, 3.0]), "y": np.float32([0.3, 1.0])}
    for text in ("½(x - y)²", "2π·x", "x if x > 1, else y", "1 - 1/(1 + exp(-x))"):
        assert Formula(text).evaluate(narrow).dtype == np.float32


def test_what_does_not_hold_is_left_out():
    """An alternative without an `else` adds nothing, and does not show."""
    formula = Formula("x + s, s = 2·y if full and y > 1")

    def shown(x: float, y: float, full: float) -> tuple[float, str]:
        values = {"x": np.array([x]), "y": np.array([y]), "full": np.asarray(full)}
        return float(formula.evaluate(values)[0]), formula.substituted(values, lambda number: f"{number:g}")

    assert shown(1, 3, 1) == (7, "1 + 6")
    assert shown(1, 3, 0) == (1, "1")
    assert shown(1, 0.5, 1) == (1, "1")
    several = {"x": np.array([[1.0], [1.0]]), "y": np.array([[3.0], [0.5]]), "full": np.asarray(1.0)}
    assert formula.evaluate(several).tolist() == [[7.0], [1.0]]


def test_functions_of_two_arrays():
    """d(u, v) defines d(a, n) of the arrays that begin with a and n, and how it comes about can be shown."""
    formula = Formula("1 + d(a, n), d(u, v) = √(Σ (u - v)²)")
    values = {"anchor": np.array([[1.0, 2.0]]), "negative": np.array([[4.0, 6.0]])}

    assert formula.evaluate(values) == 6
    assert formula.initials == {"a", "n"}
    one = {name: value[0] for name, value in values.items()}
    text, latex, _ = formula.worked("d(a, n)", one, lambda number: f"{number:g}")
    assert text == "√((1 - 4)² + (2 - 6)²)"
    assert latex == r"\sqrt{(1 - 4)^{2} + (2 - 6)^{2}}"
    assert formula.latex().endswith(r"d(u, v) = \sqrt{\sum (u - v)^{2}}")


def test_the_largest_along_an_axis():
    """Max of one part is that of all along the axis; of two, the larger."""
    values = {"x": np.array([1.0, -5.0, 3.0])}
    formula = Formula("max |x| - max(0, min x)")
    assert formula.evaluate(values) == 5
    assert (
        formula.substituted(values, lambda number: f"{number:g}")
        == "max(|1|, |-5|, |3|) - max(0, min(1, -5, 3))"
    )
