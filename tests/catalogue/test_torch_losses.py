"""Parity with PyTorch where it is installed, of the losses that `test_torch` leaves out.

Values and gradients of the losses of distributions, margins, embeddings, sequences, boxes and linear layers.
What stands for those that torch.nn.functional does not have is in `parity`.
"""

import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import losscalc
from losscalc.core.declaration import array_arguments

# Before the module that imports it.
pytest.importorskip(
    "torch", reason="parity is checked against PyTorch, which is not installed: pip install torch==2.13.0"
)

from tests.catalogue import test_torch
from tests.support.examples import example
from tests.support.parity import (
    DISTANCES,
    DTYPES,
    REDUCTIONS,
    SEEDS,
    SHAPES,
    SIZES,
    Array,
    Shape,
    broadcastable,
    check,
    class_indices,
    class_probabilities,
    class_weight,
    compared,
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

ROWS = st.lists(SIZES, max_size=2).map(tuple)
WIDTHS = st.integers(1, 5)


def broadcast_pair(draw: st.DrawFn, shape: Shape, seed: int, dtype: str) -> tuple[list[Array], bool]:
    """Two arrays of a shape, or of shapes that broadcast to it."""
    is_broadcast = draw(st.booleans())
    shapes = [draw(broadcastable(shape)) if is_broadcast else shape for _ in range(2)]
    return [normal(seed + 7 * n, one, dtype, scale=1.0) for n, one in enumerate(shapes)], is_broadcast


@compares("kl-div")
@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")
@given(
    data=st.data(),
    shape=SHAPES,
    dtype=DTYPES,
    reduction=st.sampled_from(["none", "mean", "sum", "batchmean"]),
    seed=SEEDS,
    log_target=st.booleans(),
)
@examples(100)
def test_kl_div(
    name: str,
    data: st.DataObject,
    shape: Shape,
    dtype: str,
    reduction: str,
    seed: int,
    log_target: bool,
) -> None:
    """Targets that are probabilities, 0 among them, or their logarithms; batchmean divides by axis 0."""
    (x, y), is_broadcast = broadcast_pair(data.draw, shape, seed, dtype)
    y = y if log_target else unit(seed, y.shape, dtype)
    share = np.exp(y) if log_target else y
    logarithm = y if log_target else np.log(np.where(y, y, 1))
    check(
        name,
        [x, y],
        broadcast=is_broadcast,
        lost=np.asarray(share * (np.abs(logarithm) + np.abs(x))),
        reduction=reduction,
        log_target=log_target,
    )


@compares("poisson-nll")
@given(
    data=st.data(),
    shape=SHAPES,
    dtype=DTYPES,
    reduction=REDUCTIONS,
    seed=SEEDS,
    log_input=st.booleans(),
    full=st.booleans(),
    eps=st.sampled_from([1e-8, 0.1]),
)
@examples(120)
def test_poisson_nll(
    name: str,
    data: st.DataObject,
    shape: Shape,
    dtype: str,
    reduction: str,
    seed: int,
    log_input: bool,
    full: bool,
    eps: float,
) -> None:
    """Both kinds of input, with and without Stirling's formula, which is for counts above 1."""
    (x, y), is_broadcast = broadcast_pair(data.draw, shape, seed, dtype)
    x = x if log_input else np.abs(x)
    y = 4 * np.abs(y)
    if log_input:
        lost, slope_lost = np.exp(x) + y * np.abs(x), np.exp(x) + y
    else:
        lost, slope_lost = x + y * np.abs(np.log(x + eps)), 1 + y / (x + eps)
    if full:
        lost = lost + np.where(y > 1, y * np.abs(np.log(np.maximum(y, 1))) + y + 2, 0)
    check(
        name,
        [x, y],
        broadcast=is_broadcast,
        lost=np.asarray(lost),
        slope_lost=np.asarray(slope_lost),
        reduction=reduction,
        log_input=log_input,
        full=full,
        eps=eps,
    )


@st.composite
def variance_shapes(draw: st.DrawFn, shape: Shape) -> Shape:
    """The shapes that PyTorch takes a variance in."""
    kinds = [shape, shape[:-1]]
    kinds += [(*shape[:n], 1, *shape[n + 1 :]) for n, size in enumerate(shape) if size != 1]
    return draw(st.sampled_from(kinds))


@compares("gaussian-nll")
@given(
    data=st.data(),
    shape=SHAPES,
    dtype=DTYPES,
    reduction=REDUCTIONS,
    seed=SEEDS,
    full=st.booleans(),
    eps=st.sampled_from([1e-6, 0.5]),
)
@examples(120)
def test_gaussian_nll(
    name: str,
    data: st.DataObject,
    shape: Shape,
    dtype: str,
    reduction: str,
    seed: int,
    full: bool,
    eps: float,
) -> None:
    """Variances for each element, each row or along an axis, and below eps; targets that broadcast."""
    is_broadcast = data.draw(st.booleans())
    x = normal(seed, shape, dtype)
    y = normal(seed + 7, data.draw(broadcastable(shape)) if is_broadcast else shape, dtype)
    var = factors(seed, data.draw(variance_shapes(shape)), dtype)
    beside = var[..., np.newaxis] if var.ndim < x.ndim else var
    v, d2 = np.maximum(beside, eps), np.square(x - y)
    check(
        name,
        [x, y, var],
        broadcast=is_broadcast,
        lost=np.abs(np.log(v)) + d2 / v + 1,
        slope_lost={
            "input": np.asarray(np.abs(x - y) / v),
            "var": rows_folded(1 / v + d2 / v / v, beside.shape).reshape(var.shape),
        },
        reduction=reduction,
        full=full,
        eps=eps,
    )


def rows_folded(size: Array, shape: Shape) -> Array:
    """The sums over the axes along which a shape of equally many axes has length 1."""
    return np.sum(size, axis=tuple(n for n, length in enumerate(shape) if length == 1), keepdims=True)


@compares("multilabel-soft-margin")
@given(data=st.data(), rows=ROWS, width=WIDTHS, dtype=DTYPES, reduction=REDUCTIONS, seed=SEEDS)
@examples(80)
def test_multilabel_soft_margin(
    name: str, data: st.DataObject, rows: Shape, width: int, dtype: str, reduction: str, seed: int
) -> None:
    """Each row is a mean over its classes, weights or not; labels and weights broadcast to the scores."""
    shape = (*rows, width)
    is_broadcast = data.draw(st.booleans())
    x = normal(seed, shape, dtype)
    y = unit(seed, data.draw(broadcastable(shape)) if is_broadcast else shape, dtype)
    weight = {"weight": factors(seed, data.draw(broadcastable(shape)), dtype)} if seed % 2 else {}
    check(
        name,
        [x, y],
        broadcast=is_broadcast,
        slope_lost=weight.get("weight", 1.0) * np.ones(shape) / width,
        reduction=reduction,
        **weight,
    )


@compares("sigmoid-focal")
@given(
    shape=SHAPES,
    dtype=DTYPES,
    reduction=REDUCTIONS,
    seed=SEEDS,
    alpha=st.sampled_from([0.25, 0.0, 1.0, -1.0]),
    gamma=st.sampled_from([2.0, 0.0, 0.5, 1.0, 3.5]),
)
@examples(100)
def test_sigmoid_focal(
    name: str, shape: Shape, dtype: str, reduction: str, seed: int, alpha: float, gamma: float
) -> None:
    """With and without a factor of positives and of hard answers, for labels between 0 and 1 too."""
    x = normal(seed, shape, dtype)
    if 0 < gamma < 1:
        # Autograd divides by the probability of the wrong answer, which rounds to 0 for confident logits.
        x = np.clip(x, -3, 3)
    check(
        name,
        [x, unit(seed, shape, dtype)],
        # The cross-entropy of a right answer is a difference of numbers as large as the logits.
        lost=np.abs(x) + 1,
        slope_lost=(np.abs(x) + 1) * (gamma + 1),
        reduction=reduction,
        alpha=alpha,
        gamma=gamma,
    )


@st.composite
def row_shapes(draw: st.DrawFn, reduction: str) -> Shape:
    """(C,) or (N, C); without rows there is only `none`, because PyTorch returns memory as it finds it."""
    rows = draw(st.integers(0 if reduction == "none" else 1, 5))
    return (*draw(st.sampled_from([(), (rows,)])), draw(st.integers(1, 7)))


@compares("multi-margin")
@given(
    data=st.data(),
    dtype=DTYPES,
    reduction=REDUCTIONS,
    seed=SEEDS,
    p=st.sampled_from([1, 2]),
    margin=st.sampled_from([1.0, 0.5, 0.0, -1.0]),
    weighted=st.booleans(),
)
@examples(120)
def test_multi_margin(
    name: str,
    data: st.DataObject,
    dtype: str,
    reduction: str,
    seed: int,
    p: int,
    margin: float,
    weighted: bool,
) -> None:
    """Both powers, margins of each sign, and scores that are exactly at the margin."""
    shape = data.draw(row_shapes(reduction))
    x = (normal if seed % 2 else eighths)(seed, shape, dtype)
    weight = {"weight": class_weight(seed, shape, dtype)} if weighted else {}
    most = weight.get("weight", np.ones(1)).max()
    excess = 2 * np.abs(x).max(initial=0) + abs(margin)
    check(
        name,
        [x, class_indices(seed, shape, 0)],
        whole=("target",),
        # x[i] - x[y] + m is a difference of numbers up to `excess`, which the power multiplies.
        lost=most * excess**p * p,
        slope_lost=most * excess ** (p - 1) * p,
        reduction=reduction,
        p=p,
        margin=margin,
        **weight,
        **sample_weights(data, seed, shape, dtype),
    )


@compares("multilabel-margin")
@given(data=st.data(), dtype=DTYPES, reduction=REDUCTIONS, seed=SEEDS)
@examples(100)
def test_multilabel_margin(name: str, data: st.DataObject, dtype: str, reduction: str, seed: int) -> None:
    """Lists of classes of any length, with classes twice and anything behind the first -1."""
    shape = data.draw(row_shapes(reduction))
    x = (normal if seed % 2 else eighths)(seed, shape, dtype)
    target = np.random.default_rng(seed).integers(-1, shape[-1], shape)
    most = shape[-1] * (2 * np.abs(x).max(initial=0) + 1)
    check(name, [x, target], lost=most, slope_lost=shape[-1], reduction=reduction)


def vectors(seed: int, shape: Shape, dtype: str) -> Array:
    """Vectors along the last axis, a quarter of them zeros, and half of the others orthogonal to many."""
    rng = np.random.default_rng(seed)
    values = np.where(rng.random((*shape[:-1], 1)) < 0.5, rng.normal(size=shape), rng.integers(-1, 2, shape))
    return np.where(rng.random((*shape[:-1], 1)) < 0.25, 0.0, values).astype(dtype)


@compares("cosine-embedding")
@given(
    data=st.data(),
    width=st.integers(0, 5),
    dtype=DTYPES,
    reduction=REDUCTIONS,
    seed=SEEDS,
    margin=st.sampled_from([0.0, 0.5, -0.25]),
)
@examples(100)
def test_cosine_embedding(
    name: str, data: st.DataObject, width: int, dtype: str, reduction: str, seed: int, margin: float
) -> None:
    """Pairs of any length, of vectors of no length too, and vectors and labels that broadcast."""
    rows = data.draw(st.sampled_from([(), (0,), (1,), (2,), (4,)]))
    is_broadcast = data.draw(st.booleans())
    equal = {"equal_axes": True}
    shapes = [
        (*data.draw(broadcastable(rows, **equal)), width) if is_broadcast else (*rows, width)
        for _ in range(2)
    ]
    pair = [vectors(seed + 7 * n, shape, dtype) for n, shape in enumerate(shapes)]
    # Labels broadcast to the pairs; that pairs broadcast to labels is refused.
    paired = np.broadcast_shapes(*shapes)[:-1]
    target = signs(seed, data.draw(broadcastable(paired, **equal)) if is_broadcast else rows, dtype)
    lengths = [np.sqrt(np.square(x).sum(axis=-1, keepdims=True) + 1e-12) for x in pair]
    full = np.ones(np.broadcast_shapes(*shapes))
    check(
        name,
        [*pair, target],
        broadcast=is_broadcast,
        # The cosine is a sum of at most `width` products, relative to the lengths, each up to 1.
        lost=width + 1 + abs(margin),
        slope_lost={f"input{n}": full * (width + 1) / length for n, length in enumerate(lengths, start=1)},
        reduction=reduction,
        margin=margin,
    )


@compares("margin-ranking")
@given(
    data=st.data(),
    shape=SHAPES,
    dtype=DTYPES,
    reduction=REDUCTIONS,
    seed=SEEDS,
    margin=st.sampled_from([0.0, 0.5, -0.25]),
)
@examples(100)
def test_margin_ranking(
    name: str, data: st.DataObject, shape: Shape, dtype: str, reduction: str, seed: int, margin: float
) -> None:
    """Scores that are often equal or apart by the margin, where there is still a gradient."""
    is_broadcast = data.draw(st.booleans())
    shapes = [data.draw(broadcastable(shape, equal_axes=True)) if is_broadcast else shape for _ in range(3)]
    draw = normal if seed % 2 else eighths
    one, two = (draw(seed + 7 * n, shape, dtype) for n, shape in enumerate(shapes[:2]))
    check(
        name,
        [one, two, signs(seed, shapes[2], dtype)],
        broadcast=is_broadcast,
        lost=np.abs(one).max(initial=0) + np.abs(two).max(initial=0) + abs(margin),
        slope_lost=np.ones(np.broadcast_shapes(*shapes)),
        reduction=reduction,
        margin=margin,
    )


@st.composite
def triplets(draw: st.DrawFn, dtype: str, seed: int) -> tuple[list[Array], bool]:
    """Three arrays of vectors that are often equal or equally far apart, or that broadcast."""
    shape = (*draw(ROWS), draw(WIDTHS))
    is_broadcast = draw(st.booleans())
    shapes = [
        draw(broadcastable(shape[:-1], equal_axes=True)) + shape[-1:] if is_broadcast else shape
        for _ in range(3)
    ]
    values = normal if seed % 2 else eighths
    return [values(seed + 7 * n, one, dtype) for n, one in enumerate(shapes)], is_broadcast


@compares("triplet-margin")
@given(
    data=st.data(),
    dtype=DTYPES,
    reduction=REDUCTIONS,
    seed=SEEDS,
    swap=st.booleans(),
    margin=st.sampled_from([1.0, 0.5, 9.0]),
    p=st.sampled_from([2.0, 1.0, np.inf, 3.0, 1.5, 0.0, 0.5, -1.0, -np.inf]),
    eps=st.sampled_from([1e-6, 0.0, 0.125]),
)
@examples(110)
def test_triplet_margin(
    name: str,
    data: st.DataObject,
    dtype: str,
    reduction: str,
    seed: int,
    swap: bool,
    margin: float,
    p: float,
    eps: float,
) -> None:
    """Norms of many degrees, with and without eps and the exchange of anchor and positive."""
    arrays, is_broadcast = data.draw(triplets(dtype, seed))
    lost, slope_lost = losses_of_norms(arrays, p, eps)
    check(
        name,
        arrays,
        broadcast=is_broadcast,
        lost=lost + margin,
        slope_lost=slope_lost,
        reduction=reduction,
        swap=swap,
        margin=margin,
        p=p,
        eps=eps,
    )


def losses_of_norms(arrays: list[Array], p: float, eps: float) -> tuple[float, Array]:
    """How large the distances are that PyTorch subtracts, and the gradients: (|d| / ‖d‖)^(p-1) or less."""
    a, p_, n = (array.astype(np.float64) for array in arrays)
    full = np.ones(np.broadcast_shapes(*(array.shape for array in arrays)))
    lost, slopes = 0.0, 2 * full
    for u, v in ((a, p_), (a, n), (p_, n)):
        size = np.abs(u - v + eps)
        if 0 < p < np.inf:
            length = (size**p).sum(axis=-1, keepdims=True) ** (1 / p)
        else:
            length = size.max(axis=-1, keepdims=True, initial=size.shape[-1])
        lost += p * length.max(initial=0) if 0 < p < np.inf else length.max(initial=0)
        if 0 < p < 1:
            ratio = np.where(size > 0, size, 1) / np.where(length > 0, length, 1)
            slopes = slopes + full * ratio ** (p - 1)
    return float(lost), slopes


@compares("triplet-margin-with-distance")
@given(
    data=st.data(),
    dtype=DTYPES,
    reduction=REDUCTIONS,
    seed=SEEDS,
    swap=st.booleans(),
    margin=st.sampled_from([1.0, 0.5, 9.0]),
    distance=st.sampled_from(list(DISTANCES)),
)
@examples(110)
def test_triplet_margin_with_distance(
    name: str,
    data: st.DataObject,
    dtype: str,
    reduction: str,
    seed: int,
    swap: bool,
    margin: float,
    distance: str,
) -> None:
    """Each distance that has a name against the function of tensors that it stands for."""
    arrays, is_broadcast = data.draw(triplets(dtype, seed))
    most = sum(np.abs(array).max(initial=0) for array in arrays)
    slopes = 2 * np.ones(np.broadcast_shapes(*(array.shape for array in arrays)))
    if distance == "squared-euclidean":
        lost, slopes = 3 * most**2 * slopes.shape[-1], slopes * most
    elif distance == "cosine":
        # Of a vector whose length is below eps, 1e-8, the gradient is another over it.
        lengths = [np.sqrt(np.square(x).sum(axis=-1)).min(initial=np.inf) for x in arrays]
        shortest = min([length for length in lengths if length > 0] or [1.0])
        lost, slopes = slopes.shape[-1] + 1.0, slopes * slopes.shape[-1] / min(shortest, 1.0)
    else:
        lost = 2 * most * slopes.shape[-1]

    check(
        name,
        arrays,
        broadcast=is_broadcast,
        lost=lost + margin,
        slope_lost=slopes,
        reduction=reduction,
        swap=swap,
        margin=margin,
        distance_function=distance,
    )


@st.composite
def sequences(draw: st.DrawFn, seed: int, blank: int, symbols: int) -> tuple[list[Array], int]:
    """Targets and lengths of a batch or of one sequence, padded or all in a row, and the time there is."""
    rng = np.random.default_rng(seed)
    batch = draw(st.sampled_from([(), (1,), (2,), (4,)]))
    time, places = draw(st.integers(1, 7)), draw(st.integers(1, 4))
    shape = batch or (1,)
    target_lengths = rng.integers(0, places + 1, shape)
    input_lengths = rng.integers(0, time + 1, shape)
    labels = rng.choice([symbol for symbol in range(symbols) if symbol != blank], (*shape, places))
    counts = np.arange(places) < target_lengths[:, np.newaxis]
    if draw(st.booleans()):
        labels = labels[counts]
    else:
        labels = np.where(counts, labels, blank)
        labels = labels if batch else labels[0, : target_lengths[0]]
    return [labels, input_lengths.reshape(batch), target_lengths.reshape(batch)], time


@compares("ctc")
@given(
    data=st.data(),
    dtype=DTYPES,
    reduction=REDUCTIONS,
    seed=SEEDS,
    blank=st.integers(0, 3),
    zero_infinity=st.booleans(),
)
@examples(90)
def test_ctc(
    name: str,
    data: st.DataObject,
    dtype: str,
    reduction: str,
    seed: int,
    blank: int,
    zero_infinity: bool,
) -> None:
    """Batches and single sequences, of targets that fit into the time that there is and that do not."""
    (targets, inputs, lengths), time = data.draw(sequences(seed, blank, symbols=4))
    scores = normal(seed, (time, *inputs.shape, 4), dtype, scale=1.0)
    log_probs = torch.log_softmax(tensor(scores), -1).numpy()
    # Each step adds to a logarithm that is at most their sum so far, and the errors of all steps add up.
    lost = time * np.abs(log_probs).max(axis=-1).sum(axis=0).max(initial=0)
    check(
        name,
        [log_probs, targets, inputs, lengths],
        lost=lost,
        slope_lost=lost,
        reduction=reduction,
        blank=blank,
        zero_infinity=zero_infinity,
    )


@compares("giou", "diou", "ciou")
@given(
    data=st.data(),
    batch=st.sampled_from([(), (0,), (1,), (3,), (5,)]),
    dtype=DTYPES,
    reduction=REDUCTIONS,
    seed=SEEDS,
    eps=st.sampled_from([1e-7, 0.125]),
)
@examples(60)
def test_boxes(
    name: str,
    data: st.DataObject,
    batch: Shape,
    dtype: str,
    reduction: str,
    seed: int,
    eps: float,
) -> None:
    """Boxes apart, touching, one within the other, with common sides, and equal ones."""
    is_broadcast = bool(batch) and data.draw(st.booleans())
    shapes = [data.draw(broadcastable(batch, equal_axes=True)) if is_broadcast else batch for _ in range(2)]
    is_even = data.draw(st.booleans())
    one, two = (boxes(seed + 7 * n, shape, dtype, is_even) for n, shape in enumerate(shapes))
    check(
        name,
        [one, two],
        broadcast=is_broadcast,
        # Sides are from 1/2 to 4: the quotients are below 16, their derivatives four times that.
        lost=16.0,
        slope_lost=64.0 * max(len(batch) and batch[0], 1),
        reduction=reduction,
        eps=eps,
    )


def boxes(seed: int, batch: Shape, dtype: str, is_even: bool) -> Array:
    """Boxes whose corners are multiples of 1/2, so that many have sides in common, or any numbers."""
    rng = np.random.default_rng(seed)
    corner, size = rng.integers(0, 5, (*batch, 2)) / 2, rng.integers(1, 6, (*batch, 2)) / 2
    if not is_even:
        corner, size = corner + rng.random((*batch, 2)), size + rng.random((*batch, 2))
    return np.concatenate([corner, corner + size], axis=-1).astype(dtype)


@compares("linear-cross-entropy")
@given(
    data=st.data(),
    dtype=DTYPES,
    reduction=REDUCTIONS,
    seed=SEEDS,
    classes=st.integers(1, 5),
    features=st.integers(1, 6),
    smoothing=st.sampled_from([0.0, 0.0, 0.1, 1.0]),
)
@examples(80)
def test_linear_cross_entropy(
    name: str,
    data: st.DataObject,
    dtype: str,
    reduction: str,
    seed: int,
    classes: int,
    features: int,
    smoothing: float,
) -> None:
    """Matrices with and without further axes, bias and weights; class indices and probabilities."""
    batch = data.draw(st.sampled_from([(), (0,), (1,), (3,), (5,)]))
    further = data.draw(st.sampled_from([(), (2,), (3, 2)])) if batch else ()
    x = normal(seed, (*batch, features), dtype, scale=1.0)
    matrix = normal(seed + 1, (classes, *further, features), dtype, scale=1.0)
    scores = (*batch, classes, *further)
    arguments: dict[str, Any] = {"label_smoothing": smoothing}
    if data.draw(st.booleans()):
        arguments["linear_bias"] = normal(seed + 2, (classes, *further), dtype)
    if data.draw(st.booleans()):
        arguments["weight"] = class_weight(seed, scores, dtype)
    if data.draw(st.booleans()):
        target = class_probabilities(seed, scores, dtype, hard=seed % 2 == 0)
    else:
        arguments["ignore_index"] = data.draw(st.sampled_from([None, -1, 0]))
        ignored = arguments["ignore_index"]
        target = class_indices(seed, scores, -100 if ignored is None else ignored)
    check(
        name,
        [x, matrix, target],
        **linear_losses(x, matrix, arguments),
        reduction=reduction,
        **arguments,
        **sample_weights(data, seed, scores, dtype),
    )


def linear_losses(x: Array, matrix: Array, arguments: dict[str, Any]) -> dict[str, Any]:
    """What is lost in the logits is lost in the cross-entropy; the gradients multiply it by what adds up."""
    bias = np.abs(arguments.get("linear_bias", np.zeros(1))).max()
    weight = arguments.get("weight", np.ones(1)).max()
    rows, columns = np.atleast_2d(np.abs(x)), np.abs(matrix).reshape(-1, matrix.shape[-1])
    logit = (rows @ columns.T).max(initial=0) * x.shape[-1] + bias
    # A gradient is softmax less target, at most 1, which is off by as much as the logits are.
    slope = weight * (1 + logit)
    return {
        "lost": 2 * weight * logit + weight,
        "slope_lost": {
            "input": slope * columns.sum(axis=0) * np.ones(x.shape),
            "linear_weight": slope * rows.sum(axis=0) * np.ones(matrix.shape),
            "linear_bias": slope * len(rows),
        },
    }


@compares("adaptive-log-softmax")
@given(
    batch=st.sampled_from([(), (1,), (2,), (5,), (9,)]),
    dtype=DTYPES,
    reduction=REDUCTIONS,
    seed=SEEDS,
    cutoffs=st.sampled_from([[1], [3], [2, 5], [4, 6, 7]]),
    bias=st.booleans(),
)
@examples(50)
def test_adaptive_log_softmax(
    name: str, batch: Shape, dtype: str, reduction: str, seed: int, cutoffs: list[int], bias: bool
) -> None:
    """The module, and its state given to losscalc; it has the mean, and what leads to the other two."""
    torch.manual_seed(seed % 2**31)
    module = torch.nn.AdaptiveLogSoftmaxWithLoss(
        8, 9, cutoffs, div_value=2.0, head_bias=bias, dtype=getattr(torch, dtype)
    )
    state = {key: value.numpy() for key, value in module.state_dict().items()}

    x = normal(seed, (*batch, 8), dtype)
    target = np.random.default_rng(seed).integers(0, 9, batch)
    check(
        name,
        [x, target],
        # PyTorch draws weights below 1/√8 for the head and the inner matrices, below 1 for the outer ones:
        # logits are sums of eight products of at most 39, with the bias, and in a cluster of four such sums.
        lost=5 * 8 * np.abs(x).max(initial=0) + 1,
        slope_lost=5 * 8 * np.abs(x).max(initial=0) + 8,
        reduction=reduction,
        state=state,
        cutoffs=cutoffs,
    )


ALL = [name for name, cls in losscalc.losses().items() if cls.torch]


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")
def test_every_loss(name: str, reduction: str) -> None:
    """The example of every loss, with all its arrays, gives PyTorch's value and gradients."""
    cls = losscalc.losses()[name]
    arrays = example(cls, 6)
    required = [a.name for a in array_arguments(cls) if a.required and not a.role.many]
    # Numbers that PyTorch subtracts are below 100 in the examples, gradients with an exponential in them too.
    check(
        name,
        [arrays.pop(key) for key in required],
        lost=100.0,
        slope_lost=100.0,
        reduction=reduction,
        **arrays,
    )


def test_every_loss_is_drawn() -> None:
    """Beyond its one example, hypothesis draws shapes, values and parameters for every loss."""
    missing = set(ALL) - compared(test_torch, sys.modules[__name__])
    assert not missing, f"add a test that @compares {sorted(missing)} to tests/catalogue/test_torch_losses.py"
