"""Laws of the engine, over every loss of the registry: however the blocks are cut, the bits are the same."""

import math
import pickle
from collections.abc import Callable

import numpy as np
import pytest

from losscalc import losses
from losscalc.catalogue.base import Loss
from losscalc.core.declaration import array_arguments, parameters
from losscalc.core.operation import differentiable
from losscalc.core.reductions import EXPONENTIAL, MEAN, ROOT, Partial
from losscalc.engine import block
from losscalc.engine import compute as engine
from losscalc.errors import LosscalcError, ShapeError
from tests.support.calls import computed
from tests.support.examples import MATRIX_PRODUCTS, Arrays, converted, example, has_single_losses
from tests.support.wholes import Dice, RootMeanSquare

ALL = list(losses().values())


def run(loss: Loss, arrays: Arrays, reduction: str, **options: object) -> engine.Computation:
    """The engine on arrays in memory."""
    return computed(loss, arrays, reduction, **options)


def part(arrays: Arrays, length: int, rows: slice) -> Arrays:
    """Some rows of the arrays that have so many; of CTC's scores, the batch is axis 1."""
    return {
        name: array[:, rows]
        if name == "log_probs"
        else array[rows]
        if isinstance(array, np.ndarray) and len(array) == length
        else array
        for name, array in arrays.items()
    }


def read_only(array: np.ndarray) -> np.ndarray:
    """A copy that cannot be written to."""
    copy = array.copy()
    copy.flags.writeable = False
    return copy


def changed(arrays: Arrays, change: Callable[[np.ndarray], np.ndarray]) -> Arrays:
    """Every array changed."""
    return {
        name: changed(array, change) if isinstance(array, dict) else change(array)
        for name, array in arrays.items()
    }


ROWS = [1, 2, 2340, 2341, 9000]


@pytest.mark.parametrize(
    ("cls", "rows"), [(cls, rows) for cls in ALL for rows in (ROWS[:3] if cls.whole_batch else ROWS)]
)
def test_none_adds_up_to_sum(cls, rows):
    """The exact sum of the single losses, rounded once as `math.fsum` does, is the sum."""
    arrays = example(cls, rows)
    single = run(cls(), arrays, "none").value

    assert float(run(cls(), arrays, "sum").value) == math.fsum(single.ravel().tolist())


@pytest.mark.slow
@pytest.mark.parametrize("cls", ALL)
@pytest.mark.parametrize("size", [64, 1000])
def test_the_size_of_blocks_does_not_matter(cls, size, monkeypatch):
    """Single losses do not depend on their neighbours, and sums are exact."""
    arrays = example(cls, 300 if cls.whole_batch else 3000)
    expected = [run(cls(), arrays, reduction).value for reduction in ("none", "mean", "sum")]
    monkeypatch.setattr(block, "BLOCK", size)
    actual = [run(cls(), arrays, reduction).value for reduction in ("none", "mean", "sum")]

    for one, other in zip(expected, actual, strict=True):
        # Matrix products round by the shapes of their factors.
        rtol = 1e-13 if cls.name in MATRIX_PRODUCTS else 0.0
        np.testing.assert_allclose(one, other, rtol=rtol)


@pytest.mark.parametrize("cls", [cls for cls in ALL if not cls.whole_batch])
def test_partial_results_merge_in_any_order(cls):
    """Adding the partial results of three parts gives the whole, whatever comes first; they pickle."""
    arrays = example(cls, 300)
    parts = [
        run(cls(), part(arrays, 300, rows), "sum").partial
        for rows in (slice(0, 100), slice(100, 130), slice(130, 300))
    ]
    one, two, three = (pickle.loads(pickle.dumps(part)) for part in parts)

    assert (one + two) + three == three + (two + one)
    whole = cls().reduced(MEAN, one + two + three)
    assert whole == pytest.approx(float(run(cls(), arrays, "mean").value), rel=1e-15)


def test_partial_results_of_different_losses_do_not_merge():
    """Adding them would be a silent wrong number."""
    with pytest.raises(LosscalcError, match="merge"):
        Partial(losses()["mse"]()) + Partial(losses()["l1"]())


@pytest.mark.parametrize("cls", ALL)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_result_has_the_dtype_of_the_input(cls, dtype):
    """And is the float64 result of the same numbers, rounded once."""
    arrays = example(cls, 20, dtype=dtype)
    wide = converted(arrays, np.float64)
    narrow, exact = run(cls(), arrays, "none").value, run(cls(), wide, "none").value

    assert narrow.dtype == dtype
    np.testing.assert_array_equal(narrow, exact.astype(dtype))


@pytest.mark.parametrize("cls", ALL)
def test_asking_for_a_dtype_rounds_the_arrays_first(cls):
    """As converting them in PyTorch would."""
    arrays = example(cls, 20)
    rounded = converted(arrays, np.float32)

    actual = run(cls(), arrays, "none", dtype=np.dtype(np.float32)).value
    np.testing.assert_array_equal(actual, run(cls(), rounded, "none").value)


@pytest.mark.parametrize("cls", ALL)
def test_an_empty_batch(cls):
    """none is empty, sum is 0, and mean is NaN with a warning that says why."""
    arrays = example(cls, 0)

    assert run(cls(), arrays, "none").value.size == (0 if has_single_losses(cls) else 1)
    assert run(cls(), arrays, "sum").value == 0
    mean = run(cls(), arrays, "mean")
    assert np.isnan(mean.value)
    assert "there are no values" in str(mean.warnings[0])


@pytest.mark.parametrize("cls", ALL)
def test_nan_propagates_or_is_refused(cls):
    """A NaN in a score that takes part never vanishes; where the domain has none, it is an error."""
    arrays = example(cls, 4)
    first, role, _ = array_arguments(cls)[0]
    arrays[first][1] = np.nan
    if role.domain is None or role.nan:
        assert np.isnan(run(cls(), arrays, "sum").value)
        return
    with pytest.raises(LosscalcError) as caught:
        run(cls(), arrays, "sum")
    assert caught.value.index == (1, 0)


@pytest.mark.parametrize("cls", ALL)
def test_wrong_shapes_are_refused(cls):
    """An axis too many or a row too few, in any array but the first; two more axes in the first."""
    arrays = example(cls, 4)
    first, *others = arrays
    for name in [name for name in others if isinstance(arrays[name], np.ndarray)]:
        for wrong in (arrays[name][..., np.newaxis, np.newaxis], arrays[name][:-1]):
            with pytest.raises(ShapeError):
                run(cls(), {**arrays, name: wrong}, "mean")
    with pytest.raises(ShapeError):
        run(cls(), {**arrays, first: arrays[first][..., np.newaxis, np.newaxis]}, "mean")


@pytest.mark.parametrize("cls", ALL)
def test_memory_layout_does_not_matter(cls):
    """Fortran order, negative strides, foreign byte order and read-only memory give the same bits."""
    arrays = example(cls, 50)
    expected = run(cls(), arrays, "none").value
    for change in (
        read_only,
        np.asfortranarray,
        lambda a: a[::-1].copy()[::-1],
        lambda a: a.astype(a.dtype.newbyteorder()),
    ):
        np.testing.assert_array_equal(run(cls(), changed(arrays, change), "none").value, expected)


@pytest.mark.parametrize("cls", ALL)
def test_memory_layout_does_not_matter_to_gradients(cls):
    """What is written to rows of an array in Fortran order is not lost in a copy."""
    arrays, wrt = example(cls, 20), differentiable(cls)[0]
    found = run(cls(), changed(arrays, np.asfortranarray), "sum", wrt=wrt).value
    np.testing.assert_allclose(found, run(cls(), arrays, "sum", wrt=wrt).value, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("cls", ALL)
def test_losses_are_values(cls):
    """They pickle, compare by their parameters and cannot be changed."""
    loss = cls()

    assert pickle.loads(pickle.dumps(loss)) == loss
    assert hash(loss) == hash(cls())
    with pytest.raises(AttributeError):
        loss.margin = 2.0


@pytest.mark.parametrize(
    ("cls", "parameter"), [(cls, p) for cls in ALL for p in parameters(cls) if p.domain is not None]
)
def test_domains_of_parameters(cls, parameter):
    """The domain's own test values are accepted inside and refused outside."""
    whole = parameter.kind is int
    for value in [int(v) if whole else v for v in parameter.domain.inside() if not whole or v == int(v)]:
        assert getattr(cls(**{parameter.name: value}), parameter.name) == value
    for value in parameter.domain.outside():
        with pytest.raises(LosscalcError, match=parameter.name):
            cls(**{parameter.name: value})


def _slope(loss: Loss, arrays: Arrays) -> np.ndarray:
    """The derivative of the mean by central differences."""
    slope = np.zeros_like(arrays["input"])
    for place in np.ndindex(slope.shape):
        step = np.zeros_like(slope)
        step[place] = 1e-6
        up, down = (run(loss, {**arrays, "input": arrays["input"] + s}, "mean").value for s in (step, -step))
        slope[place] = (up - down) / 2e-6
    return slope


@pytest.mark.parametrize("loss", [RootMeanSquare(), Dice()])
@pytest.mark.parametrize("size", [2, 100_000])
def test_functions_of_the_mean_and_of_sums(loss, size, monkeypatch):
    """In one block or many: the value by hand, and the gradient of the whole function."""
    monkeypatch.setattr(block, "BLOCK", size)
    rng = np.random.default_rng(0)
    arrays = {"input": rng.random((5, 3)), "target": rng.random((5, 3))}
    x, y = arrays.values()
    by_hand = {
        "RootMeanSquare": {"mean": np.sqrt(((x - y) ** 2).mean()), "sum": ((x - y) ** 2).sum()},
        "Dice": dict.fromkeys(("none", "mean", "sum"), 1 - 2 * (x * y).sum() / (x + y).sum()),
    }[type(loss).__name__]

    for reduction, value in by_hand.items():
        assert float(run(loss, arrays, reduction).value) == pytest.approx(value, rel=1e-14)
    slope = run(loss, arrays, "mean", wrt="input").value
    np.testing.assert_allclose(slope, _slope(loss, arrays), rtol=1e-7)


def test_a_function_of_sums_that_are_0():
    """0/0 is NaN, as IEEE has it."""
    assert np.isnan(run(Dice(), {"input": np.zeros(2), "target": np.zeros(2)}, "mean").value)


def test_sums_by_name_merge():
    """The dice loss of two parts together is that of the whole, not the mean of two."""
    rng = np.random.default_rng(1)
    arrays = {"input": rng.random(40), "target": rng.random(40)}
    parts = [run(Dice(), part(arrays, 40, rows), "mean").partial for rows in (slice(7), slice(7, 40))]

    assert parts[0] + parts[1] == run(Dice(), arrays, "mean").partial
    assert (parts[0] + parts[1]).count == 40


@pytest.mark.parametrize(
    ("link", "mean", "value", "slope"),
    [
        (ROOT, 4.0, 2.0, 0.25),
        (ROOT, 0.0, 0.0, np.inf),
        (ROOT, -1.0, np.nan, np.nan),
        (EXPONENTIAL, 0.0, 1.0, 1.0),
        (EXPONENTIAL, 1000.0, np.inf, np.inf),
    ],
)
def test_links(link, mean, value, slope):
    """Also at their ends."""
    np.testing.assert_equal((link.of(mean), link.slope(mean)), (value, slope))
