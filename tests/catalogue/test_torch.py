"""Parity with PyTorch where it is installed: the same calls, on shapes and values that hypothesis draws.

Values and gradients of the regression, binary and class losses; `test_torch_losses` has the others.
"""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import losscalc

# Before the module that imports it.
pytest.importorskip(
    "torch", reason="parity is checked against PyTorch, which is not installed: pip install torch==2.13.0"
)

from tests.support.examples import example
from tests.support.parity import (
    DTYPES,
    REDUCTIONS,
    SEEDS,
    SHAPES,
    SIZES,
    Shape,
    broadcastable,
    check,
    class_indices,
    class_probabilities,
    class_weight,
    compare,
    compares,
    eighths,
    examples,
    factors,
    normal,
    sample_weights,
    signs,
    tensor,
    torch,
    unit,
)

pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore::losscalc.LosscalcWarning")]

LOGIT = 40.0
"""What the logits that are drawn stay below: to PyTorch the loss of a right answer is the difference of two
numbers of that size (x - logsigmoid(x); m + log Σ exp(x - m) - x)."""


def test_what_is_unlike_pytorch():
    """As the losses and the guide say: gradients at NaN and at -inf, and smoothing over weights of 0."""
    nan, functional = np.array([np.nan, 1.0]), torch.nn.functional
    labels, zeros = np.array([1.0, 1.0]), np.zeros(2)
    for name, function, arrays in (
        ("l1", functional.l1_loss, (nan, zeros)),
        ("hinge-embedding", functional.hinge_embedding_loss, (nan, -labels)),
        ("margin-ranking", functional.margin_ranking_loss, (nan, zeros, labels)),
    ):
        x, *others = (torch.tensor(array, requires_grad=array is nan) for array in arrays)
        function(x, *others).backward()
        assert x.grad[0] == 0
        assert np.isnan(losscalc.gradient(name, *arrays)[0])
    logs = np.log(np.full((2, 1, 3), 1 / 3))
    logs[0, 0, 1] = -np.inf
    x = torch.tensor(logs, requires_grad=True)
    functional.ctc_loss(x, torch.tensor([[1]]), torch.tensor([2]), torch.tensor([1])).backward()
    assert x.grad[0, 0, 1].isnan()
    assert losscalc.gradient("ctc", logs, [[1]], [2], [1])[0, 0, 1] == 0
    x, weight = torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([1.0, 1.0, 0.0])
    options = {"weight": weight, "label_smoothing": 0.1}
    assert functional.cross_entropy(x, torch.tensor([2]), **options).isnan()
    with pytest.warns(losscalc.LosscalcWarning, match="not finite|sum to 0"):
        assert np.isinf(losscalc.compute("cross-entropy", x, [2], weight=weight, label_smoothing=0.1))


@compares("l1", "mse", "huber")
@given(shape=SHAPES, dtype=DTYPES, reduction=REDUCTIONS, seed=SEEDS, weighted=st.booleans())
@examples(80)
def test_regression(name: str, shape: Shape, dtype: str, reduction: str, seed: int, weighted: bool) -> None:
    """With and without weight, by the sum of which the mean divides, but for Huber's."""
    arrays = [normal(seed, shape, dtype), normal(seed + 7, shape, dtype)]
    weight = {"weight": factors(seed, shape, dtype)} if weighted else {}
    check(name, arrays, reduction=reduction, **weight)


@compares("l1", "mse", "smooth-l1", "huber")
@pytest.mark.filterwarnings("ignore:Using a target size")
@given(data=st.data(), shape=SHAPES, dtype=DTYPES, reduction=REDUCTIONS, seed=SEEDS)
@examples(80)
def test_broadcast(
    name: str, data: st.DataObject, shape: Shape, dtype: str, reduction: str, seed: int
) -> None:
    """An input and a target that broadcast to a common shape; what was broadcast adds up its gradients."""
    shapes = [data.draw(broadcastable(shape)) for _ in range(2)]
    arrays = [normal(seed + i, one, dtype) for i, one in enumerate(shapes)]
    slopes = 2 * np.abs(arrays[0] - arrays[1])
    check(name, arrays, broadcast=True, slope_lost=slopes, reduction=reduction)


@compares("smooth-l1", "huber")
@given(
    shape=SHAPES, dtype=DTYPES, reduction=REDUCTIONS, seed=SEEDS, bend=st.sampled_from([0.0, 0.25, 1.0, 7.5])
)
@examples(80)
def test_bends(name: str, shape: Shape, dtype: str, reduction: str, seed: int, bend: float) -> None:
    """Both sides of the bend, and often the bend itself; without one, smooth L1 is L1."""
    draw = normal if seed % 2 else eighths
    arrays = [draw(seed, shape, dtype), draw(seed + 7, shape, dtype)]
    bends = {"beta": bend} if name == "smooth-l1" else {"delta": bend or 2.0}
    check(name, arrays, reduction=reduction, **bends)


@compares("soft-margin", "hinge-embedding")
@given(shape=SHAPES, dtype=DTYPES, reduction=REDUCTIONS, seed=SEEDS, margin=st.sampled_from([-1.0, 0.5, 2.0]))
@examples(80)
def test_labels_of_sign(
    name: str, shape: Shape, dtype: str, reduction: str, seed: int, margin: float
) -> None:
    """Scores of any sign, and distances that are often at the margin, where there is still a gradient."""
    if name == "soft-margin":
        check(name, [normal(seed, shape, dtype), signs(seed, shape, dtype)], reduction=reduction)
    else:
        distances = np.abs(eighths(seed, shape, dtype)) if seed % 2 else normal(seed, shape, dtype)
        # Of either sign, they cancel in the sums.
        check(
            name,
            [distances, signs(seed, shape, dtype)],
            lost=np.abs(distances) + abs(margin),
            reduction=reduction,
            margin=margin,
        )


@compares("soft-margin", "hinge-embedding")
@given(data=st.data(), shape=SHAPES, dtype=DTYPES, reduction=REDUCTIONS, seed=SEEDS)
@examples(60)
def test_labels_of_sign_broadcast(
    name: str, data: st.DataObject, shape: Shape, dtype: str, reduction: str, seed: int
) -> None:
    """Labels that broadcast to the scores; distances and labels that broadcast to a common shape."""
    whole = shape if name == "soft-margin" else data.draw(broadcastable(shape))
    target = signs(seed, data.draw(broadcastable(shape)), dtype)
    arrays = [np.abs(normal(seed, whole, dtype)), target]
    slopes = np.ones(np.broadcast_shapes(whole, target.shape))
    check(name, arrays, broadcast=True, slope_lost=slopes, reduction=reduction)


@compares("bce")
@given(data=st.data(), shape=SHAPES, dtype=DTYPES, reduction=REDUCTIONS, seed=SEEDS, weighted=st.booleans())
@examples(80)
def test_bce(
    name: str, data: st.DataObject, shape: Shape, dtype: str, reduction: str, seed: int, weighted: bool
) -> None:
    """BCE of probabilities, both ends included, with every weight that broadcasts."""
    weight = {"weight": factors(seed, data.draw(broadcastable(shape)), dtype)} if weighted else {}
    check(name, [unit(seed, shape, dtype), unit(seed + 9, shape, dtype)], reduction=reduction, **weight)


@compares("bce-logits")
@given(data=st.data(), shape=SHAPES, dtype=DTYPES, reduction=REDUCTIONS, seed=SEEDS)
@examples(120)
def test_bce_logits(
    name: str, data: st.DataObject, shape: Shape, dtype: str, reduction: str, seed: int
) -> None:
    """BCE of logits, with every weight and pos_weight that broadcasts."""
    weights = {
        weight: factors(seed + i, data.draw(broadcastable(shape)), dtype)
        for i, weight in enumerate(("weight", "pos_weight"))
        if data.draw(st.booleans())
    }
    arrays = [normal(seed, shape, dtype), unit(seed, shape, dtype)]
    # The gradient is (1 + (p - 1)·y)·σ(x) - p·y, times the weight.
    slope = weights.get("weight", 1.0) * (1.0 + weights.get("pos_weight", 1.0)) * np.ones(shape)
    check(name, arrays, lost=LOGIT * slope, slope_lost=slope, reduction=reduction, **weights)


@st.composite
def scores_shapes(draw: st.DrawFn) -> Shape:
    """(C,), (N, C) or (N, C, d1, ...), with at least one class."""
    classes = draw(st.integers(1, 7))
    if draw(st.integers(0, 4)) == 0:
        return (classes,)
    return (draw(SIZES), classes, *draw(st.lists(SIZES, max_size=2)))


@compares("cross-entropy", "nll")
@given(data=st.data(), shape=scores_shapes(), dtype=DTYPES, reduction=REDUCTIONS, seed=SEEDS)
@examples(100)
def test_class_indices(
    name: str, data: st.DataObject, shape: Shape, dtype: str, reduction: str, seed: int
) -> None:
    """Cross-entropy and NLL of class indices: both weights, ignored rows and, of cross-entropy, smoothing."""
    arguments: dict[str, Any] = {"ignore_index": data.draw(st.sampled_from([-100, -1, 0, 2, 99]))}
    if data.draw(st.booleans()):
        arguments["weight"] = class_weight(seed, shape, dtype)
    if name == "cross-entropy":
        arguments["label_smoothing"] = data.draw(st.sampled_from([0.0, 0.0, 0.1, 0.5, 1.0]))
    integral = data.draw(st.sampled_from(["int64", "int32", "int8", "float64"]))
    target = class_indices(seed, shape, arguments["ignore_index"], integral)
    scores = normal(seed, shape, dtype)
    weight = arguments.get("weight", np.ones(1)).max()
    # NLL only picks; to keep sums of what it picks from cancelling, log-probabilities are not positive.
    scores, lost, slope_lost = (
        (scores, LOGIT * weight, weight) if name == "cross-entropy" else (-np.abs(scores), 0.0, 0.0)
    )
    check(
        name,
        [scores, target],
        whole=("target",),
        lost=lost,
        slope_lost=slope_lost,
        reduction=reduction,
        **arguments,
        **sample_weights(data, seed, shape, dtype),
    )


@compares("cross-entropy")
@given(
    data=st.data(),
    shape=scores_shapes(),
    dtype=DTYPES,
    reduction=REDUCTIONS,
    seed=SEEDS,
    weighted=st.booleans(),
    smoothing=st.sampled_from([0.0, 0.0, 0.1, 0.5, 1.0]),
    hard=st.booleans(),
)
@examples(80)
def test_class_probabilities(
    name: str,
    data: st.DataObject,
    shape: Shape,
    dtype: str,
    reduction: str,
    seed: int,
    weighted: bool,
    smoothing: float,
    hard: bool,
) -> None:
    """Cross-entropy of class probabilities, one-hot ones among them, whose mean divides by the rows."""
    target = class_probabilities(seed, shape, dtype, hard)
    weight = {"weight": class_weight(seed, shape, dtype)} if weighted else {}
    most = weight.get("weight", np.ones(1)).max()
    check(
        name,
        [normal(seed, shape, dtype), target],
        lost=LOGIT * most,
        slope_lost=most,
        reduction=reduction,
        label_smoothing=smoothing,
        **weight,
        **sample_weights(data, seed, shape, dtype),
    )


@pytest.mark.parametrize("name", [name for name, cls in losscalc.losses().items() if cls.legacy])
@pytest.mark.filterwarnings("ignore:size_average and reduce args")
@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")
@given(size_average=st.sampled_from([None, True, False]), reduce=st.sampled_from([None, True, False]))
@examples(9)
def test_legacy(name: str, size_average: bool | None, reduce: bool | None) -> None:
    """The flags that came before `reduction` decide it as they do in PyTorch, where it has them."""
    arrays = example(losscalc.losses()[name], 3)
    arrays.pop("sample_weight", None)
    function = getattr(torch.nn.functional, losscalc.losses()[name].functional)
    flags = {"reduction": "sum", "size_average": size_average, "reduce": reduce}
    expected = function(**{key: tensor(array) for key, array in arrays.items()}, **flags)
    compare(losscalc.compute(name, **arrays, **flags), expected.numpy(), lost=LOGIT)


@pytest.mark.parametrize("name", ["sigmoid", "log-sigmoid"])
@given(shape=SHAPES, dtype=DTYPES, seed=SEEDS)
@examples(60)
def test_elementwise_activation(name: str, shape: Shape, dtype: str, seed: int) -> None:
    """Sigmoid and log-sigmoid."""
    x = normal(seed, shape, dtype)
    function = {"sigmoid": torch.sigmoid, "log-sigmoid": torch.nn.functional.logsigmoid}[name]
    compare(losscalc.compute(name, x), function(tensor(x)).numpy())


@given(shape=SHAPES, dtype=DTYPES, seed=SEEDS)
@examples(30)
def test_log(shape: Shape, dtype: str, seed: int) -> None:
    """The logarithm of what is not negative, 0 among it."""
    x = np.maximum(normal(seed, shape, dtype), 0)
    compare(losscalc.compute("log", x), torch.log(tensor(x)).numpy())


@pytest.mark.parametrize("name", ["softmax", "log-softmax"])
@given(data=st.data(), shape=st.lists(SIZES, min_size=1, max_size=4).map(tuple), dtype=DTYPES, seed=SEEDS)
@examples(80)
def test_normalizing_activation(name: str, data: st.DataObject, shape: Shape, dtype: str, seed: int) -> None:
    """Softmax and log-softmax along every axis, counted from either end."""
    dim = data.draw(st.integers(-len(shape), len(shape) - 1))
    x = normal(seed, shape, dtype)
    expected = getattr(torch, name.replace("-", "_"))(tensor(x), dim).numpy()
    # The logarithm of a probability near 1 is what PyTorch cancels; a softmax it only rounds.
    compare(losscalc.compute(name, x, dim=dim), expected, LOGIT if name == "log-softmax" else 0.0)
