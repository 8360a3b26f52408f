"""Laws of the engine, over every loss of the registry: however the blocks are cut, the bits are the same."""

import pickle
from fractions import Fraction

import numpy as np
import pytest

from losscalc import engine, losses
from losscalc.domains import SIGNS
from losscalc.errors import LosscalcError, ShapeError
from losscalc.loss import Loss
from losscalc.operation import array_arguments, parameters
from losscalc.reductions import REDUCTIONS, Partial
from losscalc.sources import MemorySource
from losscalc.summation import Sum, quotient, total

ALL = list(losses().values())


def example(cls: type[Loss], rows: int, seed: int = 0, dtype: type = np.float64) -> dict[str, np.ndarray]:
    """Random arrays that suit a loss: scores, targets and all weights there are."""
    rng = np.random.default_rng(seed)
    names = {array.name for array in array_arguments(cls)}
    shape = (rows, 7)
    arrays = {"input": rng.normal(size=shape) * 3, "target": rng.random(shape)}
    if cls.name == "bce":
        arrays["input"] = rng.random(shape)
    if array_arguments(cls)[1].role.domain is SIGNS:
        arrays["target"] = np.where(arrays["target"] < 0.5, -1.0, 1.0)
    if cls.name in ("cross-entropy", "nll"):
        arrays["target"] = rng.integers(0, 7, rows)
        arrays["target"][::5] = -100
        arrays["weight"] = rng.random(7)
    elif "weight" in names:
        arrays["weight"] = rng.random(shape)
    if "pos_weight" in names:
        arrays["pos_weight"] = rng.random((rows, 1)) * 4
    return {name: a.astype(dtype) if a.dtype.kind == "f" else a for name, a in arrays.items()}


def run(loss: Loss, arrays: dict[str, np.ndarray], reduction: str, **options: object) -> engine.Computation:
    """The engine on arrays in memory."""
    sources = {name: MemorySource(array) for name, array in arrays.items()}
    return engine.compute(loss, sources, REDUCTIONS[reduction], **options)


@pytest.mark.parametrize("cls", ALL)
@pytest.mark.parametrize("rows", [1, 2, 2340, 2341, 9000])
def test_none_adds_up_to_sum(cls, rows):
    """The exact sum of the single losses, rounded once, is the sum."""
    arrays = example(cls, rows)
    single = run(cls(), arrays, "none").value

    exact = sum((Fraction(value) for value in single.ravel().tolist()), Fraction(0))
    assert float(run(cls(), arrays, "sum").value) == float(exact)


@pytest.mark.parametrize("cls", ALL)
@pytest.mark.parametrize("block", [64, 1000, 100_000])
def test_the_size_of_blocks_does_not_matter(cls, block, monkeypatch):
    """Single losses do not depend on their neighbours, and sums are exact."""
    arrays = example(cls, 3000)
    expected = [run(cls(), arrays, reduction).value for reduction in ("none", "mean", "sum")]
    monkeypatch.setattr(engine, "BLOCK", block)
    actual = [run(cls(), arrays, reduction).value for reduction in ("none", "mean", "sum")]

    for one, other in zip(expected, actual, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("cls", ALL)
def test_partial_results_merge_in_any_order(cls):
    """Adding the partial results of three parts gives the whole, whatever comes first; they pickle."""
    arrays = example(cls, 300)
    parts = [
        run(cls(), {name: a[s] if len(a) == 300 else a for name, a in arrays.items()}, "sum").partial
        for s in (slice(0, 100), slice(100, 130), slice(130, 300))
    ]
    one, two, three = (pickle.loads(pickle.dumps(part)) for part in parts)

    assert (one + two) + three == three + (two + one)
    assert (one + two + three).mean == pytest.approx(float(run(cls(), arrays, "mean").value), rel=1e-15)


def test_partial_results_of_different_losses_do_not_merge():
    """Adding them would be a silent wrong number."""
    with pytest.raises(LosscalcError, match="merge"):
        Partial(losses()["mse"]()) + Partial(losses()["l1"]())


@pytest.mark.parametrize("cls", ALL)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_result_has_the_dtype_of_the_input(cls, dtype):
    """And is the float64 result of the same numbers, rounded once."""
    arrays = example(cls, 20, dtype=dtype)
    wide = {name: a.astype(np.float64) if a.dtype.kind == "f" else a for name, a in arrays.items()}
    narrow, exact = run(cls(), arrays, "none").value, run(cls(), wide, "none").value

    assert narrow.dtype == dtype
    np.testing.assert_array_equal(narrow, exact.astype(dtype))


@pytest.mark.parametrize("cls", ALL)
def test_asking_for_a_dtype_rounds_the_arrays_first(cls):
    """As converting them in PyTorch would."""
    arrays = example(cls, 20)
    rounded = {name: a.astype(np.float32) if a.dtype.kind == "f" else a for name, a in arrays.items()}

    actual = run(cls(), arrays, "none", dtype=np.dtype(np.float32)).value
    np.testing.assert_array_equal(actual, run(cls(), rounded, "none").value)


@pytest.mark.parametrize("cls", ALL)
def test_an_empty_batch(cls):
    """none is empty, sum is 0, and mean is NaN with a warning that says why."""
    arrays = example(cls, 0)

    assert run(cls(), arrays, "none").value.size == 0
    assert run(cls(), arrays, "sum").value == 0
    mean = run(cls(), arrays, "mean")
    assert np.isnan(mean.value)
    assert "there are no values" in str(mean.warnings[0])


@pytest.mark.parametrize("cls", ALL)
def test_nan_propagates_or_is_refused(cls):
    """A NaN in a score that takes part never vanishes; where the domain has none, it is an error."""
    arrays = example(cls, 4)
    arrays["input"][1] = np.nan
    if array_arguments(cls)[0].role.domain is None:
        assert np.isnan(run(cls(), arrays, "sum").value)
        return
    with pytest.raises(LosscalcError) as caught:
        run(cls(), arrays, "sum")
    assert caught.value.index == (1, 0)


@pytest.mark.parametrize("cls", ALL)
def test_wrong_shapes_are_refused(cls):
    """A target with an axis too many or a row too few."""
    arrays = example(cls, 4)
    for wrong in (arrays["target"][..., np.newaxis], arrays["target"][:-1]):
        with pytest.raises(ShapeError):
            run(cls(), {**arrays, "target": wrong}, "mean")


@pytest.mark.parametrize("cls", ALL)
def test_memory_layout_does_not_matter(cls):
    """Fortran order, negative strides, foreign byte order and read-only memory give the same bits."""
    arrays = example(cls, 50)
    expected = run(cls(), arrays, "none").value
    for change in (
        np.asfortranarray,
        lambda a: a[::-1].copy()[::-1],
        lambda a: a.astype(a.dtype.newbyteorder()),
    ):
        changed = {name: change(a) for name, a in arrays.items()}
        for array in changed.values():
            array.flags.writeable = False
        np.testing.assert_array_equal(run(cls(), changed, "none").value, expected)


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
    for value in parameter.domain.inside():
        assert getattr(cls(**{parameter.name: value}), parameter.name) == value
    for value in parameter.domain.outside():
        with pytest.raises(LosscalcError, match=parameter.name):
            cls(**{parameter.name: value})


def test_sums_are_exact():
    """Numbers from the whole range of float64, cancelling: the sum that fractions give."""
    rng = np.random.default_rng(1)
    for _ in range(20):
        values = rng.normal(size=5000) * 10.0 ** rng.integers(-12, 13, 5000)
        exact = sum((Fraction(v) for v in values.tolist()), Fraction(0))
        assert float(total(values)) == pytest.approx(float(exact), rel=1e-15)


def test_sums_survive_what_float64_does_not():
    """Intermediate overflow, and a mean of huge numbers."""
    huge = np.full(4, 1.7e308)

    assert quotient(total(huge), Sum.of(4.0)) == 1.7e308
    assert float(total(huge)) == np.inf
    assert float(total(np.array([1e308, 1e308, -1e308]))) == 1e308
    assert float(total(np.tile([1e16, 1.0, -1e16], 1000))) == 1000
    assert np.isnan(float(total(np.array([np.inf, -np.inf]))))
    assert float(total(np.array([5e-324, 5e-324]))) == 1e-323
