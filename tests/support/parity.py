"""Comparison with PyTorch: one call there and here, its value and the gradients that backward() leaves."""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import settings
from hypothesis import strategies as st

import losscalc
from losscalc.core.declaration import array_arguments
from losscalc.core.operation import differentiable

F = torch.nn.functional

Array = np.ndarray
Shape = tuple[int, ...]
Lost = float | Array
"""What PyTorch loses to cancellation, as the size of the numbers that it subtracts; see `check`."""

RTOL = {"float64": 1e-10, "float32": 2e-6}
# Half an ULP of 1. A difference of numbers of size s, each the result of an operation or two, is off by up
# to about four times that and s, however small it is; losscalc keeps those digits.
ROUNDING = {"float64": 4 * 2.0**-53, "float32": 4 * 2.0**-24}

SIZES = st.sampled_from([0, 1, 1, 2, 3, 4, 5])
SHAPES = st.lists(SIZES, max_size=4).map(tuple)
DTYPES = st.sampled_from(["float64", "float32"])
REDUCTIONS = st.sampled_from(["none", "mean", "sum"])
SEEDS = st.integers(0, 2**32 - 1)


def examples(count: int) -> Callable[[Any], Any]:
    """Settings of a test: so many examples, the same in each run, however slow the machine."""
    return settings(max_examples=count, deadline=None, derandomize=True, database=None)


def compares(*names: str) -> Callable[[Any], Any]:
    """The losses that a test compares on what hypothesis draws: it gets each of them as `name`."""

    def decorate(test: Any) -> Any:
        test.compared = names
        return pytest.mark.parametrize("name", names)(test)

    return decorate


def compared(*modules: Any) -> set[str]:
    """The losses that the tests of some modules compare."""
    tests = [test for module in modules for test in vars(module).values()]
    return {name for test in tests if inspect.isfunction(test) for name in vars(test).get("compared", ())}


def tensor(array: Any, whole: bool = False) -> Any:
    """A tensor of a copy of an array; PyTorch takes class indices of some shapes as int64 only."""
    array = np.array(array)
    return torch.from_numpy(array.astype(np.int64) if whole else array)


def normal(seed: int, shape: Shape, dtype: str, scale: float = 3.0) -> Array:
    """Logits and other real values: bell-shaped, with a few large ones and zeros, all below 40."""
    draw = np.random.default_rng(seed)
    values = draw.normal(0, scale, shape) * draw.choice([1.0, 1.0, 1.0, 3.0, 0.0], shape)
    return np.asarray(np.clip(values, -39, 39), dtype=dtype)


def eighths(seed: int, shape: Shape, dtype: str) -> Array:
    """Multiples of 1/8 up to 2, so that sums of them are exact and ties frequent."""
    return np.asarray(np.random.default_rng(seed + 11).integers(-16, 17, shape) / 8.0, dtype=dtype)


def unit(seed: int, shape: Shape, dtype: str) -> Array:
    """Probabilities and labels: anything in [0, 1], both ends among them."""
    draw = np.random.default_rng(seed + 1)
    hard = draw.integers(0, 2, shape)
    return np.asarray(np.where(draw.random(shape) < 0.4, hard, draw.random(shape)), dtype=dtype)


def signs(seed: int, shape: Shape, dtype: str) -> Array:
    """Labels 1 and -1."""
    return np.where(unit(seed, shape, dtype) < 0.5, -1, 1).astype(dtype)


def factors(seed: int, shape: Shape, dtype: str) -> Array:
    """Weights in [0, 4], some of them 0."""
    draw = np.random.default_rng(seed + 2)
    return np.asarray(draw.integers(0, 9, shape) / 2.0 * draw.choice([1.0, 0.7], shape), dtype=dtype)


def class_indices(seed: int, shape: Shape, ignore_index: int, integral: str = "int64") -> Array:
    """Class indices for scores of a shape, about a quarter of them ignored."""
    axis = min(len(shape) - 1, 1)
    rest = shape[:axis] + shape[axis + 1 :]
    draw = np.random.default_rng(seed + 3)
    index = draw.integers(0, shape[axis], rest)
    return np.asarray(np.where(draw.random(rest) < 0.25, ignore_index, index)).astype(integral)


def class_probabilities(seed: int, shape: Shape, dtype: str, hard: bool) -> Array:
    """Class probabilities of the shape of scores, on request one-hot."""
    axis = min(len(shape) - 1, 1)
    target = np.random.default_rng(seed + 5).random(shape)
    if hard:
        target = (target == target.max(axis=axis, keepdims=True)).astype(float)
    return (target / target.sum(axis=axis, keepdims=True)).astype(dtype)


def class_weight(seed: int, shape: Shape, dtype: str) -> Array:
    """One weight per class, none of them 0."""
    return np.random.default_rng(seed + 4).uniform(0.1, 4, shape[min(len(shape) - 1, 1)]).astype(dtype)


def sample_weights(data: st.DataObject, seed: int, shape: Shape, dtype: str) -> dict[str, Array]:
    """For scores of a shape no factors, one per row, or one per loss: up to 1, and some of them 0."""
    axis = min(len(shape) - 1, 1)
    losses = shape[:axis] + shape[axis + 1 :]
    chosen = data.draw(st.sampled_from([None, losses[:1], losses]))
    if chosen is None:
        return {}
    return {"sample_weight": np.asarray(factors(seed + 8, chosen, dtype) / 4, dtype)}


@st.composite
def broadcastable(draw: st.DrawFn, shape: Shape, *, equal_axes: bool = False) -> Shape:
    """A shape that broadcasts to another: leading axes left out, others of length 1."""
    kept = shape if equal_axes else shape[draw(st.integers(0, len(shape))) :]
    return tuple(1 if draw(st.booleans()) else size for size in kept)


def triplets(*tensors: Any, distance_function: str = "pairwise", **named: Any) -> Any:
    """triplet_margin_with_distance_loss, with the function of tensors that a name stands for."""
    chosen = DISTANCES[distance_function]
    return F.triplet_margin_with_distance_loss(*tensors, distance_function=chosen, **named)


DISTANCES: dict[str, Callable[[Any, Any], Any] | None] = {
    "pairwise": None,
    "euclidean": lambda u, v: torch.linalg.vector_norm(u - v, dim=-1),
    "squared-euclidean": lambda u, v: ((u - v) ** 2).sum(dim=-1),
    "manhattan": lambda u, v: (u - v).abs().sum(dim=-1),
    "chebyshev": lambda u, v: (u - v).abs().amax(dim=-1),
    "cosine": lambda u, v: 1 - F.cosine_similarity(u, v, dim=-1),
}
"""PyTorch's functions for the distances that have a name."""


def focal(input: Any, target: Any, alpha: float = 0.25, gamma: float = 2.0, reduction: str = "mean") -> Any:
    """sigmoid_focal_loss of torchvision.ops."""
    likely = torch.sigmoid(input)
    right = target * likely + (1 - target) * (1 - likely)
    value = F.binary_cross_entropy_with_logits(input, target, reduction="none") * (1 - right) ** gamma
    if alpha >= 0:
        value = value * (alpha * target + (1 - alpha) * (1 - target))
    return reduced(value, reduction)


def reduced(value: Any, reduction: str) -> Any:
    """The end of a loss of torchvision.ops."""
    return {"none": lambda: value, "mean": value.mean, "sum": value.sum}[reduction]()


def overlap(one: Any, two: Any) -> tuple[Any, Any, Any]:
    """The area that two boxes have in common, the one that they cover, and the sides of the box around."""
    inner = torch.minimum(one[..., 2:], two[..., 2:]) - torch.maximum(one[..., :2], two[..., :2])
    common = torch.where((inner > 0).all(dim=-1), inner.prod(dim=-1), inner.new_zeros(()))
    areas = [(box[..., 2:] - box[..., :2]).prod(dim=-1) for box in (one, two)]
    around = torch.maximum(one[..., 2:], two[..., 2:]) - torch.minimum(one[..., :2], two[..., :2])
    return common, areas[0] + areas[1] - common, around


def giou(one: Any, two: Any, eps: float = 1e-7, reduction: str = "mean") -> Any:
    """generalized_box_iou_loss of torchvision.ops."""
    common, union, around = overlap(one, two)
    hull = around.prod(dim=-1)
    return reduced(1 - common / (union + eps) + (hull - union) / (hull + eps), reduction)


def diou(one: Any, two: Any, eps: float = 1e-7, reduction: str = "mean") -> Any:
    """distance_box_iou_loss of torchvision.ops."""
    common, union, around = overlap(one, two)
    between = ((one[..., :2] + one[..., 2:]) - (two[..., :2] + two[..., 2:])) / 2
    offset = (between**2).sum(dim=-1) / ((around**2).sum(dim=-1) + eps)
    return reduced(1 - common / (union + eps) + offset, reduction)


def ciou(one: Any, two: Any, eps: float = 1e-7, reduction: str = "mean") -> Any:
    """complete_box_iou_loss of torchvision.ops, but that `eps` counts everywhere."""
    common, union, _ = overlap(one, two)
    sides = [box[..., 2:] - box[..., :2] for box in (one, two)]
    angles = [torch.atan(side[..., 0] / side[..., 1]) for side in sides]
    proportions = 4 / torch.pi**2 * (angles[1] - angles[0]) ** 2
    with torch.no_grad():
        alpha = proportions / (1 - common / (union + eps) + proportions + eps)
    return reduced(diou(one, two, eps, "none") + alpha * proportions, reduction)


def adaptive(
    input: Any,
    target: Any,
    state: dict[str, Array],
    cutoffs: list[int] | None = None,
    reduction: str = "mean",
) -> Any:
    """What AdaptiveLogSoftmaxWithLoss gives with a state, whose inner matrices halve from one to the next.

    It returns log-probabilities and their negative mean, from which the other reductions follow.
    """
    sizes = [len(state[f"tail.{n}.1.weight"]) for n in range(sum(key.endswith(".1.weight") for key in state))]
    first = len(state["head.weight"]) - len(sizes)
    starts = [first + sum(sizes[:n]) for n in range(len(sizes) + 1)]
    module = torch.nn.AdaptiveLogSoftmaxWithLoss(
        state["head.weight"].shape[1],
        starts[-1],
        starts[:-1] if cutoffs is None else cutoffs,
        div_value=2.0,
        head_bias="head.bias" in state,
        dtype=input.dtype,
    )
    module.load_state_dict({key: tensor(value) for key, value in state.items()})
    output, loss = module(input, target)
    return {"mean": loss, "sum": -output.sum(), "none": -output}[reduction]


REFERENCES = {
    "triplet-margin-with-distance": triplets,
    "adaptive-log-softmax": adaptive,
    "sigmoid-focal": focal,
    "giou": giou,
    "diou": diou,
    "ciou": ciou,
}
"""What stands for the losses that are no function of torch.nn.functional, or take more than tensors."""


def reference(name: str) -> Callable[..., Any]:
    """PyTorch's function for a loss; of rows with factors, which it does not have, weighted by hand."""
    function = REFERENCES.get(name) or getattr(F, losscalc.losses()[name].functional)
    return partial(weighted, function, name)


def weighted(
    function: Callable[..., Any], name: str, *tensors: Any, sample_weight: Any = None, **named: Any
) -> Any:
    """A function whose single losses are multiplied by the factors of their rows, and then reduced.

    The mean divides by the sum of the factors, where that of the loss divides by the weights of its targets
    times these, and without the ignored ones.
    """
    if sample_weight is None:
        return function(*tensors, **named)
    single = function(*tensors, **{**named, "reduction": "none"})
    factor = sample_weight.reshape(sample_weight.shape + (1,) * (single.ndim - sample_weight.ndim))
    value, target = single * factor, tensors[-1]
    if named["reduction"] != "mean":
        return reduced(value, named["reduction"])
    divisor = factor.expand_as(single)
    if not target.is_floating_point() and name != "multi-margin":
        ignored, weight = named.get("ignore_index"), named.get("weight")
        counts = target != (-100 if ignored is None else ignored)
        divisor = divisor * counts * (1 if weight is None else weight[torch.where(counts, target, 0)])
    return value.sum() / divisor.sum()


class Outcome(NamedTuple):
    """What a call came to: the loss, and its gradients by array."""

    value: Array
    slopes: dict[str, Array]


def in_torch(
    function: Callable[..., Any], arrays: dict[str, Any], required: int, wrt: list[str], named: dict[str, Any]
) -> Outcome:
    """The outcome of a function of tensors, of which so many are given by position."""
    for name in wrt:
        arrays[name].requires_grad_()
    value = function(*list(arrays.values())[:required], **dict(list(arrays.items())[required:]), **named)
    value.sum().backward()
    # PyTorch leaves none of an array on which the loss does not depend, and zeros here.
    slopes = {name: arrays[name].grad for name in wrt}
    return Outcome(
        value.detach().numpy(),
        {
            name: np.zeros_like(arrays[name].detach().numpy()) if slope is None else slope.numpy()
            for name, slope in slopes.items()
        },
    )


def check(
    name: str,
    arrays: list[Array],
    *,
    whole: tuple[str, ...] = (),
    lost: Lost = 0.0,
    slope_lost: Lost | dict[str, Lost] = 0.0,
    broadcast: bool = False,
    **arguments: Any,
) -> None:
    """Compare a call with PyTorch's: shapes, dtypes and values of the loss, and of each gradient.

    Arguments that are arrays are those that PyTorch takes by name; `whole` names those that PyTorch takes as
    int64 only. `lost` is how large the numbers are that PyTorch subtracts to get a loss, 0 where nothing
    cancels, and `slope_lost` the same of a gradient: one for all, or one for each element or array. A
    gradient of the mean, which is smaller, is held to what is lost in that of the sum.
    """
    cls = losscalc.losses()[name]
    by_position = dict(zip((a.name for a in array_arguments(cls)), arrays, strict=False))
    by_name = {key: value for key, value in arguments.items() if isinstance(value, np.ndarray)}
    all_arrays = by_position | by_name
    settings = {key: value for key, value in arguments.items() if key not in by_name}
    wrt = [one for one in differentiable(cls) if one in all_arrays]
    tensors = {key: tensor(value, whole=key in whole) for key, value in all_arrays.items()}
    expected = in_torch(reference(name), tensors, len(by_position), wrt, settings)
    if broadcast:
        settings["broadcast"] = True
    each = np.broadcast_to(lost, np.shape(lost) or (max(np.size(a) for a in arrays),))
    total = {"none": lost, "mean": each.max(initial=0.0)}.get(settings["reduction"], each.sum())
    compare(losscalc.compute(name, **all_arrays, **settings), expected.value, total)
    for one in wrt:
        size = slope_lost[one] if isinstance(slope_lost, dict) else slope_lost
        slope = losscalc.gradient(name, **all_arrays, **settings, wrt=one)
        compare(slope, expected.slopes[one], folded(size, all_arrays[one].shape))


def folded(size: Lost, shape: Shape) -> Lost:
    """What is lost in a gradient of a shape that was broadcast: the sum over the axes that were added."""
    if np.ndim(size) == 0 or np.shape(size) == shape:
        return size
    size = np.sum(size, axis=tuple(range(np.ndim(size) - len(shape))))
    return np.sum(size, axis=tuple(n for n, length in enumerate(shape) if length == 1), keepdims=True)


def compare(value: Any, expected: Array, lost: Lost = 0.0) -> None:
    """Compare with an array of PyTorch's: shape, dtype and values; NaN is equal to NaN."""
    assert value.shape == expected.shape
    assert value.dtype == expected.dtype
    dtype = str(expected.dtype)
    close = np.isclose(value, expected, RTOL[dtype], ROUNDING[dtype] * np.asarray(lost), equal_nan=True)
    assert close.all(), f"{value} differs from PyTorch's {expected}, which may have lost {lost}"
