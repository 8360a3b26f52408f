"""The value of every loss and activation to 50 digits, held against mpmath; and what `digits` refuses."""

import inspect
import math
import sys
import warnings
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest

import losscalc
from losscalc import losses
from losscalc.catalogue.base import Loss
from losscalc.core.operation import Operation
from losscalc.core.registry import operations
from losscalc.core.shapes import beside
from losscalc.engine.reals import as_reals, reals
from losscalc.insight.symbols import formula_of, symbol_values
from tests.support import exact
from tests.support.examples import Arrays, example, losses_of, prepared, variants
from tests.support.layouts import laid_out
from tests.support.points import POINTS
from tests.support.wholes import Dice, RootMeanSquare

# The formula of masks begins with probabilities, which have the digits of float64 if an activation makes
# them: tests/catalogue/test_overlap.py has these.
VARIANTS = [
    loss
    for cls in losses().values()
    for loss in variants(cls)
    if loss.settings.get("activation", "none") == "none"
]
ACTIVATIONS = [cls for cls in operations().values() if not issubclass(cls, Loss)]
DIGITS = 50
IGNORED = -100
"""The class that examples and defaults leave out."""


def true_values(operation: Operation, arrays: Arrays) -> list[exact.Exact]:
    """What each sample comes to, from formulas of mpmath's own; 0 where a row is ignored.

    A loss that has none in tests/support/exact.py is held against its declared formula; so are roots of
    columns, which are of more than one sample.
    """
    if operation.name not in exact.VALUES or operation.settings.get("per_column"):
        return declared_values(operation, arrays)
    if "sample_weight" in arrays:
        rest = {name: array for name, array in arrays.items() if name != "sample_weight"}
        factors = exact.exactly(arrays["sample_weight"])
        with mpmath.workdps(4 * DIGITS):
            return [v * f for v, f in zip(true_values(operation, rest), factors, strict=True)]
    settings = known_settings(operation)
    values: list[exact.Exact] = []
    for sample in exact.samples(operation.name, arrays):
        if isinstance(sample.get("target"), int) and sample["target"] == IGNORED:
            values.append(mpmath.mpf(0))
        else:
            given = {**sample, **{name: exact.exactly(value) for name, value in settings.items()}}
            values += [part.value for part in exact.settled(exact.VALUES[operation.name], given)]
    return values


def known_settings(operation: Operation) -> dict[str, Any]:
    """The parameters that a single loss depends on, as its exact formula knows them."""
    known = inspect.signature(exact.VALUES[operation.name]).parameters
    return {name: value for name, value in operation.settings.items() if name in known}


def declared_values(loss: Any, arrays: Arrays) -> list[exact.Exact]:
    """What the declared formula comes to, in numbers of 300 digits."""
    number = reals(1000)
    shape = losses_of(loss, arrays).shape
    values = {
        name: value if value is None else as_reals(value, number)
        for name, value in symbol_values(loss, arrays, shape).items()
    }
    formula = formula_of(loss, arrays)
    return list(np.broadcast_to(formula.evaluate(values), (*shape, 1)).flat)


def is_right(found: Decimal, true: exact.Exact, digits: int) -> bool:
    """Whether a decimal number differs from the true one by no more than half a unit of its last digit."""
    with mpmath.workprec(8 * digits + 200):
        if not true:
            return found == 0
        unit = mpmath.mpf(10) ** (found.adjusted() - digits + 1)
        return bool(abs(mpmath.mpf(str(found)) - true) <= unit * mpmath.mpf("0.5000001"))


def flat(arrays: Arrays) -> Arrays:
    """Arrays whose samples are elements, as vectors."""
    return {n: a.reshape(-1) if isinstance(a, np.ndarray) and a.ndim else a for n, a in arrays.items()}


@pytest.mark.parametrize("loss", VARIANTS, ids=repr)
def test_fifty_digits_of_every_loss(loss: Loss) -> None:
    """Each single loss has the digits of the number that float64 arrays and parameters come to."""
    arrays = prepared(loss, example(type(loss), 3, seed=5))
    values = np.asarray(loss(**arrays, reduction="none", digits=DIGITS), dtype=object)
    if values.ndim == 2:
        arrays = flat({n: np.broadcast_to(beside(a, 2), values.shape) for n, a in arrays.items()})
    true = true_values(loss, arrays)

    assert values.size == len(true)
    for found, expected in zip(values.flat, true, strict=True):
        assert isinstance(found, Decimal)
        assert is_right(found, expected, DIGITS), (
            f"{found} is not {mpmath.nstr(expected, DIGITS)}: in losscalc/catalogue a constant has the "
            "digits of float64; take pi(x), and number(c, x) below exp and log"
        )


@pytest.mark.parametrize("name", ["mse", "huber", "bce-logits", "soft-margin", "kl-div", "cosine-embedding"])
def test_declared_formulas_have_all_digits_too(name):
    """What stands in for exact formulas where there are none agrees with them where there are."""
    loss = losses()[name]()
    arrays = prepared(loss, example(type(loss), 3, seed=6))
    shape = loss.terms(**arrays).value.shape
    declared = declared_values(loss, arrays)
    if len(shape) == 2:
        arrays = flat({n: np.broadcast_to(a, shape) for n, a in arrays.items()})
    true = true_values(loss, arrays)
    with mpmath.workdps(100):
        for one, other in zip(declared, true, strict=True):
            assert abs(mpmath.mpf(one) - other) <= mpmath.mpf("1e-60") * abs(other)


@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1.0, 30.0, 1e3])
@pytest.mark.parametrize("cls", [cls for cls in losses().values() if cls.name not in exact.VALUES])
def test_float64_is_as_near_as_promised(cls: type[Loss], scale: float) -> None:
    """Of losses that tests/catalogue/test_accuracy.py does not measure: 6 ULP from what all digits come to.

    One whose parts cancel needs an exact formula in tests/support/exact.py, which says how large they are.
    """
    loss = cls()
    arrays = {
        name: array if array.dtype.kind != "f" or loss.roles[name].domain else array * scale
        for name, array in prepared(loss, example(cls, 40, seed=7)).items()
    }
    found = np.asarray(loss(**arrays, reduction="none"))
    exactly = np.asarray(loss(**arrays, reduction="none", digits=DIGITS), dtype=object)

    for value, true in zip(found.flat, exactly.flat, strict=True):
        unit = Fraction(math.ulp(float(true)))
        assert abs(Fraction(float(value)) - Fraction(true)) <= exact.LIMIT * unit, (value, true)


MEASURED_HERE = [loss for loss in VARIANTS if loss.name in exact.VALUES.keys() - POINTS]


@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1.0, 30.0])
@pytest.mark.parametrize("loss", MEASURED_HERE, ids=repr)
def test_float64_is_as_near_as_promised_of_its_parts(loss: Loss, scale: float) -> None:
    """The same of those that have an exact formula, which says how large the parts of a sum are."""
    arrays = prepared(loss, example(type(loss), 15, seed=7))
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not loss.roles[name].domain:
            arrays[name] = array * scale
    found = loss(**arrays, reduction="none")
    if found.ndim == 2:
        arrays = flat({n: np.broadcast_to(beside(a, 2), found.shape) for n, a in arrays.items()})
    calls = exact.samples(loss.name, {**arrays, **known_settings(loss)})
    true = [one for sample in calls for one in exact.settled(exact.VALUES[loss.name], sample)]
    errors = [exact.Error.of(*pair, found.dtype) for pair in zip(found.flat, true, strict=True)]
    assert [one for one in errors if one.exceeds(loss.name, "float64")] == []


@pytest.mark.parametrize("cls", ACTIVATIONS)
def test_fifty_digits_of_every_activation(cls: type[Operation]) -> None:
    """The same of activations, along rows."""
    arrays = {"input": np.random.default_rng(1).random(size=(3, 4)) * 9}
    values = cls()(**arrays, digits=DIGITS)
    if cls.name not in ("softmax", "log-softmax"):
        arrays = flat(arrays)
    for found, expected in zip(values.flat, true_values(cls(), arrays), strict=True):
        assert is_right(found, expected, DIGITS)


@pytest.mark.parametrize("cls", losses().values())
def test_every_reduction(cls: type[Loss]) -> None:
    """Sums and means are those of the single losses, and near what float64 has."""
    arrays = prepared(cls(), example(cls, 4, seed=2))
    single = np.asarray(cls()(**arrays, reduction="none", digits=DIGITS), dtype=object)
    for reduction in cls.reductions[1:]:
        value = cls()(**arrays, reduction=reduction, digits=DIGITS)
        assert isinstance(value, Decimal)
        np.testing.assert_allclose(float(value), cls()(**arrays, reduction=reduction), rtol=1e-13)
        if reduction == "sum":
            with localcontext(prec=2 * DIGITS):
                assert abs(value - sum(single.flat)) <= Decimal("1e-48") * sum(map(abs, single.flat))


@pytest.mark.parametrize("digits", [1, 2, 15, 17, 400, 1000])
def test_so_many_digits_as_are_wanted(digits: int) -> None:
    """ln 2, from one digit to a thousand."""
    value = losscalc.compute("log-sigmoid", 0.0, digits=digits)
    with mpmath.workdps(digits + 20):
        assert is_right(value, -mpmath.log(2), digits)
    assert len(value.as_tuple().digits) == digits


def test_numbers_are_those_of_float64():
    """0.1 is what float64 has for it, whether it is in an array or a parameter."""
    tenth = Decimal(0.1)  # noqa: RUF032 - what is meant is the binary number
    assert losscalc.compute("l1", [0.1], [0.0], digits=60) == tenth
    assert losscalc.compute("hinge-embedding", [0.0], [-1.0], margin=0.1, digits=60) == tenth
    assert losscalc.compute("l1", np.float32([0.1]), [0.0], digits=60) == Decimal(float(np.float32(0.1)))
    assert losscalc.compute("l1", [0.1], [0.0], dtype="float32", digits=60) == Decimal(float(np.float32(0.1)))
    assert losscalc.compute("l1", [1.0], [0.75], digits=60) == Decimal("0.25")


def test_digits_that_float64_has_no_room_for():
    """What overflows there, vanishes there, and cancels there."""
    with mpmath.workdps(60):
        large = losscalc.compute("poisson-nll", [1000.0], [1.0], digits=DIGITS)
        assert is_right(large, mpmath.exp(1000) - 1000, DIGITS)
        assert is_right(losscalc.compute("log-sigmoid", 900.0, digits=DIGITS), -mpmath.exp(-900), DIGITS)
    numbers = [1e300, 0.5, -1e300, 5.0]
    total = losscalc.compute("nll", [[x] for x in numbers], [0] * 4, reduction="sum", digits=20)
    assert total == Decimal("-5.5")
    close = losscalc.compute("cosine-embedding", [1.0, 0.0], [1.0, 1e-20], 1.0, digits=5)
    assert close == Decimal("1.0000E-12")


@pytest.mark.filterwarnings("ignore::losscalc.LosscalcWarning")
@pytest.mark.parametrize("cls", losses().values())
def test_nan_propagates(cls: type[Loss]) -> None:
    """Where float64 has NaN or a limit, so have more digits."""
    arrays = prepared(cls(), example(cls, 3, seed=4))
    first = next(iter(arrays))
    for value in (np.nan, np.inf, -np.inf):
        spoilt = {**arrays, first: np.where(np.arange(arrays[first].size) == 0, value, arrays[first].ravel())}
        spoilt[first] = spoilt[first].reshape(arrays[first].shape)
        try:
            floats = cls()(**spoilt, reduction="none")
        except losscalc.DomainError:
            continue
        exact_values = cls()(**spoilt, reduction="none", digits=20)
        np.testing.assert_allclose(exact_values.astype(float), floats, rtol=1e-13)


def test_single_samples_of_all_losses():
    """A lone vector is as good as a row, and so is the class of one sample with its weight."""
    one, other, third = (row[0] for row in example(losses()["triplet-margin"], 1).values())
    arrays = {"anchor": one, "positive": other, "negative": third}
    for distance in ("cosine", "pairwise", "euclidean"):
        words = {"distance_function": distance, "digits": 20, "margin": 10.0}
        lone = losscalc.compute("triplet-margin-with-distance", **arrays, **words)
        rows = {name: array[np.newaxis] for name, array in arrays.items()}
        assert lone == losscalc.compute("triplet-margin-with-distance", **rows, **words)
    weighted = losscalc.compute("multi-margin", [0.5, 1.0], 0, weight=[0.5, 1.0], digits=20)
    assert weighted == Decimal("0.375")  # ½·0.5·(1 - 0.5 + 1.0)


@pytest.mark.parametrize("cls", losses().values())
def test_a_lone_sample_of_every_loss(cls):
    """Where a loss takes one sample without an axis of rows, its digits are those that float64 begins."""
    arrays = laid_out(cls, example(cls, 1), "lone").arrays
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            expected = losscalc.compute(cls.name, **arrays)
        except losscalc.DataError:
            return
        found = losscalc.compute(cls.name, **arrays, digits=20)
    assert float(found) == pytest.approx(float(expected), rel=1e-12, nan_ok=True)


def test_single_samples_keep_their_shape():
    """Numbers without axes, and rows that are a sample alone."""
    row = losscalc.compute("cross-entropy", [1.0, 2.0, 3.0], 0, reduction="none", digits=20)
    assert isinstance(row, Decimal)
    assert losscalc.compute("cross-entropy", [[1.0, 2.0, 3.0]], [0], reduction="none", digits=20).shape == (
        1,
    )
    boxes = {"input": [0.0, 0.0, 1.0, 4.0], "target": [0.0, 0.0, 2.0, 2.0]}
    assert float(losscalc.compute("ciou", **boxes, digits=20)) == pytest.approx(
        losscalc.compute("ciou", **boxes)
    )
    assert losscalc.compute("l1", 1.0, 0.25, digits=9) == Decimal("0.75")


@pytest.mark.parametrize("loss", [RootMeanSquare(), Dice()])
def test_functions_of_the_mean_and_of_sums(loss):
    """A root of the mean, and a quotient of sums, have all digits too."""
    x, y = [0.5, 0.25, 1.0], [1.0, 0.0, 0.75]
    with mpmath.workdps(60):
        squares = sum((mpmath.mpf(a) - b) ** 2 for a, b in zip(x, y, strict=True))
        both = sum(mpmath.mpf(a) * b for a, b in zip(x, y, strict=True))
        true = mpmath.sqrt(squares / 3) if loss.link else 1 - 2 * both / (sum(x) + sum(y))
        assert is_right(loss(x, y, digits=DIGITS), true, DIGITS)


def test_an_empty_mean():
    """NaN, with the warning that float64 has."""
    with pytest.warns(losscalc.LosscalcWarning, match="there are no values"):
        assert losscalc.compute("l1", [], [], digits=20).is_nan()
    assert losscalc.compute("l1", [], [], reduction="sum", digits=20) == 0


@pytest.mark.parametrize("cls", losses().values())
def test_no_rows(cls):
    """The sum of no losses is 0, whatever the loss."""
    assert losscalc.compute(cls.name, **example(cls, 0), reduction="sum", digits=20) == 0


def test_rows_without_numbers():
    """They are refused: where there are no numbers, there are none with more digits."""
    rows = np.empty((2, 0))
    for name in ("triplet-margin", "triplet-margin-with-distance"):
        with pytest.raises(losscalc.ParameterError, match="for arrays of numbers, and anchor has none"):
            losscalc.compute(name, rows, rows, rows, digits=20)
    with pytest.raises(losscalc.ParameterError, match="for arrays of numbers, and input has none"):
        losscalc.compute("multilabel-soft-margin", rows, rows, digits=20)


@pytest.mark.parametrize("digits", [0, 1001, -3, 2.0, True, "50"])
def test_what_is_no_number_of_digits(digits):
    """From 1 to 1,000, whole."""
    with pytest.raises(losscalc.ParameterError, match="whole number from 1 to 1,000"):
        losscalc.compute("l1", [1.0], [2.0], digits=digits)


@pytest.mark.slow
def test_arrays_that_are_too_large():
    """10,000 elements of any array are the most."""
    most = np.ones(10_000)
    assert losscalc.compute("l1", most, most * 0.5, digits=5) == Decimal("0.5")
    for arrays in (
        (np.ones(10_001), np.ones(10_001)),
        (np.ones((200, 100)), np.ones((200, 100))),
        (np.ones(300_000), np.ones(300_000)),
    ):
        with pytest.raises(losscalc.ParameterError, match="10,000 elements, and input has more"):
            losscalc.compute("l1", *arrays, digits=5)
    with pytest.raises(losscalc.ParameterError, match="and linear_weight has more"):
        losscalc.compute("linear-cross-entropy", np.ones((1, 2)), np.ones((6000, 2)), [0], digits=5)


def test_what_has_no_more_digits():
    """A gradient, and a distance that is a function of the caller's."""
    with pytest.raises(losscalc.ParameterError, match="not for gradients"):
        losscalc.gradient("l1", [1.0], [2.0], digits=5)
    vectors = [[1.0, 2.0]]
    with pytest.raises(losscalc.ParameterError, match="function of your own"):
        losscalc.compute(
            "triplet-margin-with-distance",
            vectors,
            vectors,
            vectors,
            distance_function=lambda u, v: np.abs(u - v).sum(axis=-1),
            digits=5,
        )


def test_beyond_all_decimal_numbers():
    """Exponents of more than 18 digits are refused, rather than made 0."""
    with pytest.raises(losscalc.DomainError, match="outside the range of decimal numbers"):
        losscalc.compute("sigmoid", -1e300, digits=5)
    assert losscalc.compute("sigmoid", -1e15, digits=5).adjusted() == -434294481903252


def test_without_mpmath(monkeypatch):
    """The line to type, and exit 2."""
    monkeypatch.setitem(sys.modules, "mpmath", None)
    with pytest.raises(losscalc.UsageError, match="needs mpmath") as caught:
        losscalc.compute("l1", [1.0], [2.0], digits=5)
    assert caught.value.hint == "pip install 'losscalc[digits]'"
