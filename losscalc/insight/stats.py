"""Statistics of the losses of a data set: their spread, the largest, and baselines for the mean."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from losscalc.core.array import Array
from losscalc.core.reductions import MEAN
from losscalc.core.roles import CLASS_KINDS
from losscalc.core.shapes import beside, broadcasts_to
from losscalc.engine.compute import compute
from losscalc.errors import Index
from losscalc.insight.call import Call
from losscalc.insight.diagnosis import sequences, takes_classes
from losscalc.insight.single import single_losses, terms_of
from losscalc.outputs.charts import Bar, Chart

_BARS, _FINE_BARS = 12, 30
_POINTS = 240
_LARGE, _LARGEST = 1e300, float(np.finfo(np.float64).max)


class Spread(NamedTuple):
    """Statistics of the single losses; NaN if there are none."""

    losses: int
    min: float
    quartile1: float
    median: float
    quartile3: float
    max: float
    mean: float
    std: float


class Worst(NamedTuple):
    """One of the largest losses: its index, the numbers it was computed from, and its share of the total."""

    place: Index
    """Its index among the losses of all rows, also of those that were left out."""
    row: Index
    """Its row in the first array, which is another where a loss is not one of a row."""
    held: Index
    """Its index among the losses of the arrays in memory."""
    loss: float
    share: float
    arrays: dict[str, Array]


def counted(call: Call) -> tuple[Array, Array]:
    """The single losses, and a mask that is false for ignored ones."""
    single, ignored = single_losses(call), terms_of(call).ignored
    return single, np.ones(single.shape, dtype=bool) if ignored is None else ~ignored


def spread(call: Call) -> Spread:
    """The spread of the losses that are not ignored."""
    single, counts = counted(call)
    values = single[counts]
    if not values.size:
        nan = float("nan")
        return Spread(0, nan, nan, nan, nan, nan, nan, nan)
    quantiles = _within_range(lambda x: np.percentile(x, [0, 25, 50, 75, 100]), values)
    low, first, middle, third, high = quantiles.tolist()
    mean, std = MEAN.finish(compute(call).partial), float(_within_range(np.std, values))
    return Spread(values.size, low, first, middle, third, high, mean, std)


def _within_range(statistic: Callable[[Array], Array], values: Array) -> Array:
    """A statistic that grows as the values do, also where it overflows on the way."""
    with np.errstate(all="ignore"):
        found = np.asarray(statistic(values))
        if np.isfinite(values).all() and not np.isfinite(found).all():
            found = np.asarray(statistic(values * 2.0**-600)) * 2.0**600
    return found


def worst(call: Call, count: int) -> list[Worst]:
    """The largest losses, the largest first; NaN counts as the largest."""
    single, counts = counted(call)
    whose = terms_of(call).rows
    values = np.where(counts, np.nan_to_num(single, nan=np.inf), -np.inf).reshape(-1)
    order = np.argsort(-values, kind="stable")[: min(count, int(counts.sum()))]
    sizes = np.abs(single)
    # Divided by the largest first, so that the sum does not overflow.
    largest = float(sizes[counts].max(initial=0.0))
    with np.errstate(all="ignore"):
        shares = sizes / largest / (sizes[counts] / largest).sum() if largest else np.zeros(sizes.shape)
    rows = []
    for place in order:
        index = tuple(int(i) for i in np.unravel_index(int(place), single.shape))
        value, share = float(single[index]), float(shares[index])
        row = index if whose is None else (int(whose[index[0]]),)
        beside = dict(_beside(call, single.shape, row))
        origin = row if call.kept is None or not row else (int(call.kept[row[0]]), *row[1:])
        own = origin if whose is None else index
        rows.append(Worst(own, origin, index, value, share, beside))
    return rows


def context(call: Call) -> list[tuple[str, float | Array]]:
    """Baselines for the mean, such as the loss of a uniform guess, and of the class priors as a guess."""
    with np.errstate(all="ignore"):
        return list(_context(call))


def mean(call: Call) -> float:
    """The mean of the losses, whatever reduction the call has."""
    return float(call.operation.reduced(MEAN, compute(call).partial))


def histogram(call: Call, bars: int = _BARS) -> list[Bar]:
    """The number of losses in each of some intervals."""
    single, counts = counted(call)
    values = single[counts & np.isfinite(single)]
    if not values.size:
        return []
    low, high = float(values.min()), float(values.max())
    # Losses that differ in their last digits only need a wider interval than they span.
    margin = max(abs(low), abs(high), 1e-300) * 1e-9
    # The width of the whole is beyond float64 where losses are near its ends.
    scale = 2.0**-8 if max(abs(low), abs(high)) > _LARGE else 1.0
    low, high, margin = low * scale, high * scale, margin * scale
    bounds = (low, high) if high - low > margin else (low - margin, high + margin)
    numbers, edges = np.histogram(values * scale, bins=bars, range=bounds)
    bounds = (edges.clip(-_LARGEST * scale, _LARGEST * scale) / scale).tolist()
    return [Bar(*bar) for bar in zip(bounds, bounds[1:], numbers.tolist(), strict=False)]


def chart(call: Call) -> Chart:
    """What is drawn of the losses: a histogram, and so many of them in order that the curve is smooth."""
    single, counts = counted(call)
    values = np.sort(single[counts & np.isfinite(single)])
    last = max(0, len(values) - 1)
    places = np.unique(np.linspace(0, last, _POINTS).round().astype(int))[: len(values)]
    curve = [(int(place) + 1, float(values[place])) for place in places]
    found = spread(call)
    return Chart(call.operation.name, histogram(call, _FINE_BARS), curve, found.mean, found.median)


def _beside(call: Call, shape: tuple[int, ...], index: Index) -> Iterator[tuple[str, Array]]:
    """The numbers in the arrays that belong to a single loss: one, or those of its row."""
    # In CTC axis 0 of the log-probabilities is time; the other arrays have a row for each loss.
    layout = call.layout
    cut = layout.cut or layout.indices
    for name, values in call.held.items():
        if name not in cut:
            continue
        if call.operation.roles[name].kind == "sequences" and index:
            yield name, sequences(values, call.held["target_lengths"])[index[0]]
        elif broadcasts_to(values.shape, shape) and values.ndim == len(shape):
            yield name, np.asarray(np.broadcast_to(values, shape)[index])
        elif values.ndim and index:
            # Beside the axes of the losses there are the classes of each, or what else makes a row.
            rows = np.moveaxis(values, 1, -1) if takes_classes(type(call.operation)) else values
            yield name, rows[index if rows.shape[:-1] == shape else index[0]].reshape(-1)


def _context(call: Call) -> Iterator[tuple[str, float | Array]]:
    loss = call.operation
    if loss.is_likelihood and loss.scores in ("logits", "log-probabilities") and loss.labels in CLASS_KINDS:
        yield from _of_classes(call)
    elif loss.is_likelihood and loss.labels == "labels" and not {"weight", "pos_weight"} & call.arrays.keys():
        yield from _of_labels(call)
    elif loss.error_power and call.held["input"].size and call.held["target"].size:
        yield from _of_errors(call)


def _of_errors(call: Call) -> Iterator[tuple[str, float]]:
    """The best constant for squares is the weighted mean, and for absolute differences the median."""
    if call.operation.error_power == 1 and "weight" in call.arrays:
        return
    arrays = (np.asarray(call.arrays.get(name, 1.0), np.float64) for name in ("input", "target", "weight"))
    _, target, weight = np.broadcast_arrays(*arrays)
    is_absolute = call.operation.error_power == 1
    with np.errstate(all="ignore"):
        best = np.median(target) if is_absolute else np.sum(weight * target) / np.sum(weight)
    yield "best constant input", mean(call.changed("input", lambda x: np.full(x.shape, best)))


def _of_classes(call: Call) -> Iterator[tuple[str, float | Array]]:
    scores, target = (np.asarray(call.arrays[name]) for name in ("input", "target"))
    if scores.ndim < 2 or target.shape == scores.shape:
        return
    classes = scores.shape[1]
    counts = target != call.operation.settings["ignore_index"]
    labels = target[counts].astype(np.int64)
    priors = np.bincount(labels, minlength=classes) / max(1, counts.sum())
    # The share of each class in the weighted mean.
    factor = beside(call.held.get("sample_weight", np.ones(len(target))), target.ndim)
    shares = np.bincount(labels, np.broadcast_to(factor, target.shape)[counts], classes)
    shares = shares * np.asarray(call.arrays.get("weight", 1.0))
    with np.errstate(all="ignore"):
        shares = shares / shares.sum()
        entropy = -np.sum(np.where(shares > 0, shares * np.log(shares), 0.0))
        perplexity = np.exp(MEAN.finish(compute(call).partial))
    yield "uniform guess, ln C", float(np.log(classes))
    yield "class priors as a guess", float(entropy)
    yield "class priors", priors
    yield "perplexity", float(perplexity)
    right = scores.argmax(axis=1)[counts] == target[counts]
    yield "accuracy", float(right.mean()) if right.size else np.nan


def _of_labels(call: Call) -> Iterator[tuple[str, float]]:
    scores, target = (np.asarray(call.arrays[name], dtype=np.float64) for name in ("input", "target"))
    positive = float(target.mean()) if target.size else np.nan
    parts = [share * np.log(share) if share > 0 else share * 0.0 for share in (positive, 1 - positive)]
    entropy = 0.0 - sum(parts)
    yield "guess of ½, ln 2", float(np.log(2))
    yield "share of positives", positive
    yield "share of positives as a guess", float(entropy)
    right = (scores > (0.5 if call.operation.scores == "probabilities" else 0.0)) == (target > 0.5)
    yield "accuracy", float(right.mean()) if right.size else np.nan
