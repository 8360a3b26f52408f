"""Parity with PyTorch where it is installed: the same calls, on shapes and values that hypothesis draws."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import losscalc

torch = pytest.importorskip(
    "torch", reason="parity is checked against PyTorch, which is not installed: pip install torch==2.13.0"
)

Array = np.ndarray
Shape = tuple[int, ...]

RTOL = {"float64": 1e-10, "float32": 2e-6}
NO_ATOL = {"float64": 0.0, "float32": 0.0}
# What PyTorch loses where it cancels: the loss of a right answer is to it the difference of two numbers as
# large as the logits (x - logsigmoid(x); m + log Σ exp(x - m) - x), with an absolute error of about their
# ULP, which is 7e-15 in float64 and 4e-6 in float32 for the logits below 40 drawn here. A weight below 4
# multiplies it. losscalc keeps those digits, so this measures PyTorch alone.
CANCELLED = {"float64": 4 * 7.2e-15, "float32": 4 * 3.9e-6}

SIZES = st.sampled_from([0, 1, 1, 2, 3, 4, 5])
SHAPES = st.lists(SIZES, max_size=4).map(tuple)
DTYPES = st.sampled_from(["float64", "float32"])
REDUCTIONS = st.sampled_from(["none", "mean", "sum"])
SEEDS = st.integers(0, 2**32 - 1)

pytestmark = pytest.mark.filterwarnings("ignore::losscalc.LosscalcWarning")


def examples(count: int) -> Callable[[Any], Any]:
    """Settings of a test: so many examples, the same in each run, however slow the machine."""
    return settings(max_examples=count, deadline=None, derandomize=True, database=None)


def tensor(array: Any, whole: bool = False) -> Any:
    """A tensor of a copy of an array; PyTorch takes class indices of some shapes as int64 only."""
    array = np.array(array)
    return torch.from_numpy(array.astype(np.int64) if whole else array)


def normal(seed: int, shape: Shape, dtype: str, scale: float = 3.0) -> Array:
    """Logits and other real values: bell-shaped, with a few large ones, all below 40."""
    draw = np.random.default_rng(seed)
    values = draw.normal(0, scale, shape) * draw.choice([1.0, 1.0, 1.0, 3.0, 0.0], shape)
    return np.asarray(np.clip(values, -39, 39), dtype=dtype)


def unit(seed: int, shape: Shape, dtype: str) -> Array:
    """Probabilities and labels: anything in [0, 1], both ends among them."""
    draw = np.random.default_rng(seed + 1)
    hard = draw.integers(0, 2, shape)
    return np.asarray(np.where(draw.random(shape) < 0.4, hard, draw.random(shape)), dtype=dtype)


def factors(seed: int, shape: Shape, dtype: str) -> Array:
    """Weights in [0, 4], some of them 0."""
    draw = np.random.default_rng(seed + 2)
    return np.asarray(draw.integers(0, 9, shape) / 2.0 * draw.choice([1.0, 0.7], shape), dtype=dtype)


@st.composite
def broadcastable(draw: st.DrawFn, shape: Shape) -> Shape:
    """A shape that broadcasts to another: leading axes left out, others of length 1."""
    kept = shape[draw(st.integers(0, len(shape))) :]
    return tuple(1 if draw(st.booleans()) else size for size in kept)


def check(
    name: str,
    arrays: list[Array],
    *,
    atol: dict[str, float] = NO_ATOL,
    broadcast: bool = False,
    **arguments: Any,
) -> None:
    """Compare a call with PyTorch's function: shape, dtype and values."""
    function = getattr(torch.nn.functional, losscalc.losses()[name].functional)
    takes_indices = name == "nll" or (name == "cross-entropy" and arrays[0].shape != arrays[1].shape)
    tensors = [tensor(array, whole=takes_indices and i == 1) for i, array in enumerate(arrays)]
    named = {
        key: tensor(value) if isinstance(value, np.ndarray) else value for key, value in arguments.items()
    }
    expected = function(*tensors, **named).numpy()
    extra = {"broadcast": True} if broadcast else {}
    compare(losscalc.compute(name, *arrays, **arguments, **extra), expected, atol)


def compare(value: Any, expected: Array, atol: dict[str, float] = NO_ATOL) -> None:
    """Compare with an array of PyTorch's: shape, dtype and values."""
    assert value.shape == expected.shape
    assert value.dtype == expected.dtype
    dtype = str(expected.dtype)
    np.testing.assert_allclose(value, expected, rtol=RTOL[dtype], atol=atol[dtype])


@pytest.mark.parametrize("name", ["l1", "mse"])
@given(shape=SHAPES, dtype=DTYPES, reduction=REDUCTIONS, seed=SEEDS, weighted=st.booleans())
@examples(150)
def test_regression(name: str, shape: Shape, dtype: str, reduction: str, seed: int, weighted: bool) -> None:
    """L1 and MSE, with and without weight, whose mean divides by the sum of the weights."""
    arrays = [normal(seed, shape, dtype), normal(seed + 7, shape, dtype)]
    weight = {"weight": factors(seed, shape, dtype)} if weighted else {}
    check(name, arrays, reduction=reduction, **weight)


@pytest.mark.parametrize("name", ["l1", "mse"])
@pytest.mark.filterwarnings("ignore:Using a target size")
@given(data=st.data(), shape=SHAPES, dtype=DTYPES, reduction=REDUCTIONS, seed=SEEDS)
@examples(100)
def test_broadcast(
    name: str, data: st.DataObject, shape: Shape, dtype: str, reduction: str, seed: int
) -> None:
    """L1 and MSE of an input and a target that broadcast to a common shape."""
    shapes = [data.draw(broadcastable(shape)) for _ in range(2)]
    arrays = [normal(seed + i, one, dtype) for i, one in enumerate(shapes)]
    check(name, arrays, broadcast=True, reduction=reduction)


@given(shape=SHAPES, dtype=DTYPES, reduction=REDUCTIONS, seed=SEEDS, bend=st.sampled_from([0.25, 1.0, 7.5]))
@examples(150)
def test_huber_and_smooth_l1(shape: Shape, dtype: str, reduction: str, seed: int, bend: float) -> None:
    """Both sides of the bend; Huber's mean divides by the number of elements, weights or not."""
    arrays = [normal(seed, shape, dtype), normal(seed + 7, shape, dtype)]
    check("smooth-l1", arrays, reduction=reduction, beta=bend)
    check("smooth-l1", arrays, reduction=reduction, beta=0.0)
    check("huber", arrays, reduction=reduction, delta=bend)
    check("huber", arrays, reduction=reduction, delta=bend, weight=factors(seed, shape, dtype))


@given(shape=SHAPES, dtype=DTYPES, reduction=REDUCTIONS, seed=SEEDS, margin=st.sampled_from([-1.0, 0.5, 2.0]))
@examples(150)
def test_labels_of_sign(shape: Shape, dtype: str, reduction: str, seed: int, margin: float) -> None:
    """Soft margin and hinge embedding; distances are not negative, so that nothing cancels in sums."""
    signs = np.where(unit(seed, shape, dtype) < 0.5, -1, 1).astype(dtype)
    check("soft-margin", [normal(seed, shape, dtype), signs], reduction=reduction)
    check("hinge-embedding", [np.abs(normal(seed, shape, dtype)), signs], reduction=reduction, margin=margin)


@given(data=st.data(), shape=SHAPES, dtype=DTYPES, reduction=REDUCTIONS, seed=SEEDS, weighted=st.booleans())
@examples(200)
def test_bce(
    data: st.DataObject, shape: Shape, dtype: str, reduction: str, seed: int, weighted: bool
) -> None:
    """BCE of probabilities, both ends included, with every weight that broadcasts."""
    weight = {"weight": factors(seed, data.draw(broadcastable(shape)), dtype)} if weighted else {}
    check("bce", [unit(seed, shape, dtype), unit(seed + 9, shape, dtype)], reduction=reduction, **weight)


@given(data=st.data(), shape=SHAPES, dtype=DTYPES, reduction=REDUCTIONS, seed=SEEDS)
@examples(300)
def test_bce_logits(data: st.DataObject, shape: Shape, dtype: str, reduction: str, seed: int) -> None:
    """BCE of logits, with every weight and pos_weight that broadcasts."""
    given_weights = {
        name: factors(seed + i, data.draw(broadcastable(shape)), dtype)
        for i, name in enumerate(("weight", "pos_weight"))
        if data.draw(st.booleans())
    }
    arrays = [normal(seed, shape, dtype), unit(seed, shape, dtype)]
    # Here two weights multiply, and the errors of a sum add up.
    atol = {key: 4 * value * max(arrays[0].size, 1) for key, value in CANCELLED.items()}
    check("bce-logits", arrays, atol=atol, reduction=reduction, **given_weights)


@st.composite
def scores_shapes(draw: st.DrawFn) -> Shape:
    """(C,), (N, C) or (N, C, d1, ...), with at least one class."""
    classes = draw(st.integers(1, 7))
    if draw(st.integers(0, 4)) == 0:
        return (classes,)
    return (draw(SIZES), classes, *draw(st.lists(SIZES, max_size=2)))


def class_indices(seed: int, shape: Shape, ignore_index: int, integral: str) -> Array:
    """Class indices for scores of a shape, about a quarter of them ignored."""
    axis = min(len(shape) - 1, 1)
    rest = shape[:axis] + shape[axis + 1 :]
    draw = np.random.default_rng(seed + 3)
    index = draw.integers(0, shape[axis], rest)
    return np.asarray(np.where(draw.random(rest) < 0.25, ignore_index, index)).astype(integral)


def class_weight(seed: int, shape: Shape, dtype: str) -> Array:
    """One weight a class, none of them 0."""
    return np.random.default_rng(seed + 4).uniform(0.1, 4, shape[min(len(shape) - 1, 1)]).astype(dtype)


@pytest.mark.parametrize("name", ["cross-entropy", "nll"])
@given(data=st.data(), shape=scores_shapes(), dtype=DTYPES, reduction=REDUCTIONS, seed=SEEDS)
@examples(250)
def test_class_indices(
    name: str, data: st.DataObject, shape: Shape, dtype: str, reduction: str, seed: int
) -> None:
    """Cross-entropy and NLL of class indices: weights, ignored rows and, of cross-entropy, smoothing."""
    arguments: dict[str, Any] = {"ignore_index": data.draw(st.sampled_from([-100, -1, 0, 2, 99]))}
    if data.draw(st.booleans()):
        arguments["weight"] = class_weight(seed, shape, dtype)
    if name == "cross-entropy":
        arguments["label_smoothing"] = data.draw(st.sampled_from([0.0, 0.0, 0.1, 0.5, 1.0]))
    integral = data.draw(st.sampled_from(["int64", "int32", "int8", "float64"]))
    target = class_indices(seed, shape, arguments["ignore_index"], integral)
    cancelled = CANCELLED if name == "cross-entropy" else NO_ATOL
    atol = {key: value * max(target.size, 1) for key, value in cancelled.items()}
    scores = normal(seed, shape, dtype)
    # Log-probabilities are not positive; were they of either sign, PyTorch's sums of them would cancel.
    scores = scores if name == "cross-entropy" else -np.abs(scores)
    check(name, [scores, target], atol=atol, reduction=reduction, **arguments)


@given(
    shape=scores_shapes(),
    dtype=DTYPES,
    reduction=REDUCTIONS,
    seed=SEEDS,
    weighted=st.booleans(),
    smoothing=st.sampled_from([0.0, 0.0, 0.1, 0.5, 1.0]),
    hard=st.booleans(),
)
@examples(250)
def test_class_probabilities(
    shape: Shape, dtype: str, reduction: str, seed: int, weighted: bool, smoothing: float, hard: bool
) -> None:
    """Cross-entropy of class probabilities, one-hot ones among them, whose mean divides by the rows."""
    axis = min(len(shape) - 1, 1)
    target = np.random.default_rng(seed + 5).random(shape)
    if hard:
        target = (target == target.max(axis=axis, keepdims=True)).astype(float)
    target = (target / target.sum(axis=axis, keepdims=True)).astype(dtype)
    weight = {"weight": class_weight(seed, shape, dtype)} if weighted else {}
    atol = {key: value * max(target.size, 1) for key, value in CANCELLED.items()}
    arrays = [normal(seed, shape, dtype), target]
    check("cross-entropy", arrays, atol=atol, reduction=reduction, label_smoothing=smoothing, **weight)


@pytest.mark.parametrize("name", ["l1", "mse", "bce", "bce-logits", "cross-entropy", "nll"])
@pytest.mark.filterwarnings("ignore:size_average and reduce args")
@given(size_average=st.sampled_from([None, True, False]), reduce=st.sampled_from([None, True, False]))
@examples(9)
def test_legacy(name: str, size_average: bool | None, reduce: bool | None) -> None:
    """The flags that came before `reduction` decide it as they do in PyTorch."""
    scores = np.array([[0.2, 0.7], [0.6, 0.1], [0.5, 0.3]])
    target = np.array([1, 0, 1]) if name in ("cross-entropy", "nll") else np.array([[0.0, 1], [1, 0], [1, 1]])
    check(name, [scores, target], reduction="sum", size_average=size_average, reduce=reduce)


@pytest.mark.parametrize("name", ["sigmoid", "log-sigmoid"])
@given(shape=SHAPES, dtype=DTYPES, seed=SEEDS)
@examples(100)
def test_elementwise_activation(name: str, shape: Shape, dtype: str, seed: int) -> None:
    """Sigmoid and log-sigmoid."""
    x = normal(seed, shape, dtype)
    function = {"sigmoid": torch.sigmoid, "log-sigmoid": torch.nn.functional.logsigmoid}[name]
    compare(losscalc.compute(name, x), function(tensor(x)).numpy())


@pytest.mark.parametrize("name", ["softmax", "log-softmax"])
@given(data=st.data(), shape=st.lists(SIZES, min_size=1, max_size=4).map(tuple), dtype=DTYPES, seed=SEEDS)
@examples(150)
def test_normalizing_activation(name: str, data: st.DataObject, shape: Shape, dtype: str, seed: int) -> None:
    """Softmax and log-softmax along every axis, counted from either end."""
    dim = data.draw(st.integers(-len(shape), len(shape) - 1))
    x = normal(seed, shape, dtype)
    expected = getattr(torch, name.replace("-", "_"))(tensor(x), dim).numpy()
    # The logarithm of a probability near 1 is what PyTorch cancels; a softmax it only rounds.
    compare(losscalc.compute(name, x, dim=dim), expected, CANCELLED if name == "log-softmax" else NO_ATOL)
