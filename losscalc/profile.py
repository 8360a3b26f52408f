"""What the losses of a data set look like: their spread, the worst of them, and what they compare with."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from losscalc.arrays import Array
from losscalc.calls import Call
from losscalc.errors import DataError, Index
from losscalc.reductions import MEAN

_BARS = 12
_MOST_CLASSES = 10
_LOGIT_LOSSES = ("bce-logits", "multilabel-soft-margin", "sigmoid-focal")


class Spread(NamedTuple):
    """How the single losses are spread; NaN where there are none."""

    losses: int
    min: float
    quartile1: float
    median: float
    quartile3: float
    max: float
    mean: float
    std: float


class Worst(NamedTuple):
    """One of the largest losses: where it stands, what it was computed from, and its share of the total."""

    place: Index
    loss: float
    share: float
    arrays: dict[str, str]


def counted(call: Call) -> tuple[Array, Array]:
    """The single losses, and which of them count."""
    terms = call.loss.terms(**call.numbers) if not _has_state(call) else None
    single = call.single
    ignored = None if terms is None else terms.ignored
    return single, np.ones(single.shape, dtype=bool) if ignored is None else ~ignored


def spread(call: Call) -> Spread:
    """The spread of the losses that are not ignored."""
    single, counts = counted(call)
    values = single[counts]
    if not values.size:
        nan = float("nan")
        return Spread(0, nan, nan, nan, nan, nan, nan, nan)
    with np.errstate(all="ignore"):
        low, first, middle, third, high = (float(q) for q in np.percentile(values, [0, 25, 50, 75, 100]))
        mean, std = float(MEAN.finish(call.partial)), float(values.std())
    return Spread(values.size, low, first, middle, third, high, mean, std)


def worst(call: Call, count: int) -> list[Worst]:
    """The largest losses, the largest first; NaN counts as largest."""
    single, counts = counted(call)
    values = np.where(counts, np.nan_to_num(single, nan=np.inf), -np.inf).reshape(-1)
    order = np.argsort(-values, kind="stable")[: min(count, int(counts.sum()))]
    total = float(np.abs(single[counts]).sum())
    rows = []
    for place in order:
        index = tuple(int(i) for i in np.unravel_index(int(place), single.shape))
        value = float(single[index])
        share = abs(value) / total if total else 0.0
        rows.append(Worst(index, value, share, dict(_beside(call, single.shape, index))))
    return rows


def context(call: Call) -> list[tuple[str, str]]:
    """What the mean compares with: the loss of knowing nothing, and that of knowing the priors alone."""
    return [(name, text) for name, text in _context(call)]


def histogram(call: Call) -> list[tuple[str, int]]:
    """How many losses lie in each of some intervals."""
    single, counts = counted(call)
    values = single[counts & np.isfinite(single)]
    if not values.size:
        return []
    numbers, edges = np.histogram(values, bins=_BARS)
    return [(f"{a:.4g} – {b:.4g}", int(n)) for n, a, b in zip(numbers, edges, edges[1:], strict=False)]


def balanced_classes(target: Array, classes: int | None = None) -> Array:
    """The weight of each class that makes all classes count alike: n / (C·n_c), as in scikit-learn."""
    indices = target.reshape(-1).astype(np.int64)
    indices = indices[indices >= 0]
    numbers = np.bincount(indices, minlength=classes or 0).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(numbers > 0, numbers.sum() / (np.count_nonzero(numbers) * numbers), 0.0)


def balanced_positives(target: Array) -> Array:
    """Negatives over positives: of a vector one number, of a matrix one a column."""
    axis = 0 if target.ndim > 1 else None
    positives = np.asarray(target, dtype=np.float64).sum(axis=axis)
    negatives = np.asarray(1.0 - target, dtype=np.float64).sum(axis=axis)
    if (missing := np.argwhere(positives == 0)).size:
        where = f" in column {int(missing[0][0]) + 1}" if positives.ndim else ""
        raise DataError(f"`target` has no positive label{where}, so no weight balances it", argument="target")
    return np.asarray(negatives / positives)


def _has_state(call: Call) -> bool:
    return any("." in name for name in call.arrays)


def _beside(call: Call, shape: tuple[int, ...], index: Index) -> Iterator[tuple[str, str]]:
    """What stands in the arrays where a loss stands."""
    for name, array in call.arrays.items():
        values = np.asarray(array)
        if values.shape == shape:
            yield name, f"{values[index]:.6g}"
        elif values.ndim and index and values.shape[:1] == shape[:1] and "." not in name:
            row = values[index[0]].reshape(-1)
            more = ", …" if row.size > 6 else ""
            yield name, ", ".join(f"{number:.6g}" for number in row[:6]) + more


def _context(call: Call) -> Iterator[tuple[str, str]]:
    name = call.loss.name
    mean = float(MEAN.finish(call.partial))
    if name in ("cross-entropy", "nll"):
        yield from _of_classes(call, mean)
    elif name in ("bce", *_LOGIT_LOSSES):
        yield from _of_labels(call)
    elif name in ("mse", "l1"):
        target = np.asarray(call.arrays["target"], dtype=np.float64)
        constant = target.var() if name == "mse" else np.abs(target - np.median(target)).mean()
        yield "best constant input", f"{constant:.4f}"


def _of_classes(call: Call, mean: float) -> Iterator[tuple[str, str]]:
    scores, target = (np.asarray(call.arrays[name]) for name in ("input", "target"))
    if scores.ndim < 2 or target.shape == scores.shape:
        return
    classes = scores.shape[1]
    counts = target != getattr(call.loss, "ignore_index")  # noqa: B009 - both have it
    priors = np.bincount(target[counts].astype(np.int64), minlength=classes) / max(1, counts.sum())
    with np.errstate(all="ignore"):
        entropy = -np.sum(np.where(priors > 0, priors * np.log(priors), 0.0))
    yield "uniform guess, ln C", f"{np.log(classes):.4f}"
    yield "class priors as a guess", f"{entropy:.4f}"
    shown = ", ".join(f"{p:.3f}" for p in priors[:_MOST_CLASSES]) + (", …" if classes > _MOST_CLASSES else "")
    yield "class priors", shown
    yield "perplexity", f"{np.exp(mean):.4f}"
    right = scores.argmax(axis=1)[counts] == target[counts]
    yield "accuracy", f"{right.mean() if right.size else np.nan:.4f}"


def _of_labels(call: Call) -> Iterator[tuple[str, str]]:
    scores, target = (np.asarray(call.arrays[name], dtype=np.float64) for name in ("input", "target"))
    positive = float(target.mean()) if target.size else np.nan
    with np.errstate(all="ignore"):
        entropy = -(positive * np.log(positive) + (1 - positive) * np.log1p(-positive))
    yield "guess of ½, ln 2", f"{np.log(2):.4f}"
    yield "share of positives", f"{positive:.4f}"
    yield "share of positives as a guess", f"{np.nan_to_num(entropy):.4f}"
    right = (scores > (0.5 if call.loss.name == "bce" else 0.0)) == (target > 0.5)
    yield "accuracy", f"{right.mean() if right.size else np.nan:.4f}"
