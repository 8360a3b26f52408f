"""Hypotheses on how single losses become a number: another reduction, denominator, or part of the losses."""

from collections.abc import Callable

import numpy as np

from losscalc.catalogue.base import Loss
from losscalc.core.array import Array
from losscalc.core.reductions import REDUCTIONS
from losscalc.core.roles import CLASS_KINDS
from losscalc.insight.detect.batches import BATCHES, prefix
from losscalc.insight.detect.changes import array
from losscalc.insight.detect.denominators import DENOMINATORS, over
from losscalc.insight.detect.hypothesis import Family, Hypothesis, Row, always, families, require, rows
from losscalc.insight.detect.kinds import has_classes, has_labels, has_reduction, is_square
from losscalc.insight.detect.losses import Losses

# Classes or columns up to so many are taken one by one.
_MOST_PARTS, _FEW_PARTS = 1000, 20
# The usual percentages of hard examples.
_HARDEST = (10, 20, 25, 30, 50, 70, 75, 80, 90)


def _other(losses: Losses, name: str) -> Array:
    """The value with another reduction."""
    call = losses.call
    require(name != call.reduction.name and not call.reduction.keeps and name in call.operation.reductions)
    other = call._replace(reduction=REDUCTIONS[name])
    return losses._replace(call=other).reduced() if losses.is_single else Losses.of(other).whole


# -- denominators ---------------------------------------------------------------------------------------


# -- parts and means of means --------------------------------------------------------------------------


def _mean_of_axis(losses: Losses, axis: int) -> float:
    """The mean of the means of the rows (or columns ...), without those in which nothing counts."""
    require(losses.is_single and losses.value.ndim >= 2)
    axes = tuple(place for place in range(losses.value.ndim) if place != axis % losses.value.ndim)
    return float(losses.linked(losses.quotient(axes)).mean())


def _numbered(losses: Losses) -> Array:
    """The class of each loss that counts, from 0 on."""
    labels = losses.labels[losses.counts]
    require(labels.size)
    numbers: Array = (labels - labels.min()).astype(np.int64).ravel()
    require(numbers.max() < _MOST_PARTS)
    return numbers


def _class_means(losses: Losses) -> Array:
    """The mean of each class, in their order."""
    numbers = _numbered(losses)
    share = np.bincount(numbers, losses.share[losses.counts])
    divisor = np.bincount(numbers, losses.divisor[losses.counts])
    has_any = divisor > 0
    require(has_any.sum() > 1)
    return np.asarray(share[has_any] / divisor[has_any])


def _of_labels(losses: Losses, is_positive: bool) -> float:
    require(losses.call.operation.labels not in CLASS_KINDS)
    return losses.mean_of((losses.labels > 0) == is_positive)


def _part_of_labels(losses: Losses, is_positive: bool) -> float:
    """The losses with labels of one kind only in their place, averaged over all."""
    call = losses.call
    y = array(call, "target").astype(np.float64)
    require(losses.is_single and y.shape == losses.value.shape)
    base, ones = losses.divisor.sum(), np.full(y.shape, 1.0 if is_positive else 0.0)
    of_label = Losses.of(call.changed("target", lambda _: ones))
    require(of_label.is_single)
    weights = y if is_positive else 1 - y
    return over(float((weights * of_label.value).sum()), float(base))


def _class_keys(losses: Losses) -> Array:
    require(losses.call.operation.labels in CLASS_KINDS)
    classes = np.flatnonzero(np.bincount(_numbered(losses))) + losses.labels[losses.counts].min()
    require(len(classes) > 1 and (losses.is_thorough or len(classes) <= _FEW_PARTS))
    return np.asarray(classes)


def _of_class(losses: Losses, keys: Array) -> Array:
    labels = losses.labels
    return np.array([losses.mean_of((labels == key) & losses.counts) for key in keys])


def _without_class(losses: Losses, keys: Array) -> Array:
    labels = losses.labels
    return np.array([losses.mean_of((labels != key) & losses.counts) for key in keys])


def _column_keys(losses: Losses) -> Array:
    require(losses.is_single and losses.value.ndim >= 2 and 1 < losses.value.shape[1] <= _MOST_PARTS)
    return np.arange(1, losses.value.shape[1] + 1)


def _columns(losses: Losses, keys: Array) -> tuple[Array, Array, Array]:
    """What each column adds to numerator and denominator, and the places of those that are meant."""
    require(losses.is_single and losses.value.ndim >= 2)
    axes = (0, *range(2, losses.value.ndim))
    share, divisor = losses.share.sum(axis=axes), losses.divisor.sum(axis=axes)
    places = np.asarray(keys, np.int64) - 1
    require(((places >= 0) & (places < len(share))).all())
    return share, divisor, places


def _of_column(losses: Losses, keys: Array) -> Array:
    share, divisor, places = _columns(losses, keys)
    return np.asarray(losses.linked(share[places] / divisor[places]))


def _without_column(losses: Losses, keys: Array) -> Array:
    share, divisor, places = _columns(losses, keys)
    require(len(share) > 1)
    return np.asarray(losses.linked((share.sum() - share[places]) / (divisor.sum() - divisor[places])))


def _of_those(losses: Losses, picked: Callable[[Array], np.ndarray]) -> float:
    require(losses.is_single)
    kept = picked(losses.value) & losses.counts
    require(kept.any() and not kept.all())
    return losses.mean_of(kept)


def _picked(losses: Losses, function: Callable[[Array], float]) -> float:
    """A number of the losses that count, in their order."""
    require(losses.is_single)
    values = losses.value[losses.counts]
    require(values.size)
    return float(function(values))


def _errors(losses: Losses) -> Array:
    """The single losses, if they have rows and columns."""
    require(losses.is_single and losses.value.ndim >= 2)
    return losses.value


def _root_mean(losses: Losses, axis: int, reduce: Callable[..., Array]) -> float:
    return float(np.sqrt(reduce(_errors(losses), axis=axis)).mean())


def _empty(losses: Losses) -> float:
    """0, if nothing counts."""
    require(not losses.partial.count and np.isnan(losses.whole).all())
    return 0.0


def _has_roots(loss: Loss) -> bool:
    """Squared errors, and divergences, of which the root is a distance."""
    return is_square(loss) or loss.labels == "shares"


def _hardest(losses: Losses, keys: Array) -> Array:
    """The means of the largest losses, of such percentages of them."""
    require(losses.is_single)
    values = np.sort(losses.value[losses.counts])[::-1]
    counts = (len(values) * np.asarray(keys) / 100).astype(np.int64)
    require(len(values) > 1 and ((counts > 0) & (counts < len(values))).all())
    return np.asarray(np.cumsum(values)[counts - 1] / counts)


def _percentages(losses: Losses) -> Array:
    """Those of hard examples that are usual."""
    require(losses.counted >= 1 / min(_HARDEST) * 100)
    return np.array(_HARDEST, np.float64)


_NUMBERS: tuple[Row, ...] = (
    ("empty-is-0", "an empty mean was counted as 0", 0.5, _empty, always),
    ("mean-of-rows", "every row was averaged on its own, then the row means", 2.5,
     lambda s: _mean_of_axis(s, 0), always),
    ("mean-of-columns", "every column (or position) was averaged on its own, then the column means", 4.0,
     lambda s: _mean_of_axis(s, -1), always),
    ("mean-of-classes", "every class was averaged on its own, then the class means", 3.0,
     lambda s: float(s.linked(_class_means(s)).mean()), always),
    ("sum-of-classes",
     "every class was averaged on its own, and the means added up (of positives and negatives, say)", 4.5,
     lambda s: float(_class_means(s).sum()), always),
    ("positives", "only the positive labels were averaged", 3.5, lambda s: _of_labels(s, True), has_labels),
    ("negatives", "only the negative labels were averaged", 4.5, lambda s: _of_labels(s, False), has_labels),
    ("positive-part", "only the positive part counts, y·ln p: the losses of negative labels are 0", 3.5,
     lambda s: _part_of_labels(s, True), has_labels),
    ("negative-part",
     "only the negative part counts, (1 - y)·ln(1 - p): the losses of positive labels are 0", 4.5,
     lambda s: _part_of_labels(s, False), has_labels),
    ("nonzero", "only losses above 0 were averaged", 3.5, lambda s: _of_those(s, lambda v: v > 0), always),
    ("without-first-row", "the first row was left out, as a header is", 4.0,
     lambda s: float(prefix(s, np.array([-1.0]))[0]), always),
    ("without-last-row", "the last row was left out", 4.5,
     lambda s: float(prefix(s, np.array([len(s.of_rows[0]) - 1.0]))[0]), always),
    ("median", "it is the median", 5.0, lambda s: _picked(s, np.median), always),
    ("max", "it is the largest loss", 5.5, lambda s: _picked(s, np.max), always),
    ("min", "it is the smallest loss", 6.0, lambda s: _picked(s, np.min), always),
    ("first", "it is the first loss alone", 6.0, lambda s: _picked(s, lambda v: v[0]), always),
    ("last", "it is the last loss alone", 6.5, lambda s: _picked(s, lambda v: v[-1]), always),
    ("root-mean-square", "it is the square root of the mean of the squared losses", 6.0,
     lambda s: _picked(s, lambda v: np.sqrt((v * v).mean())), always),
    ("standard-deviation", "it is the standard deviation of the losses", 6.5, lambda s: _picked(s, np.std),
     always),
    ("mean-of-roots", "the square root was taken of each loss, and averaged", 5.5,
     lambda s: _picked(s, lambda v: np.sqrt(v).mean()), _has_roots),
    ("mean-of-distances-in-bits", "the square root was taken of each loss in bits, and averaged", 4.5,
     lambda s: _picked(s, lambda v: np.sqrt(v / np.log(2)).mean()), lambda loss: loss.labels == "shares"),
    ("mean-of-perplexities", "the exponential was taken of each loss, and averaged", 5.0,
     lambda s: _picked(s, lambda v: np.exp(v).mean()), lambda loss: loss.is_likelihood),
    ("perplexity-of-rows", "the exponential was taken of the mean of each row, and averaged", 4.5,
     lambda s: float(np.exp(s.quotient(tuple(range(1, s.value.ndim)))).mean()),
     lambda loss: loss.is_likelihood),
    ("root-of-columns", "the square root was taken of each column, and averaged, as in scikit-learn", 3.0,
     lambda s: _root_mean(s, 0, np.mean), is_square),
    ("root-of-rows", "the square root was taken of each row, and averaged", 3.5,
     lambda s: _root_mean(s, -1, np.mean), is_square),
    ("norm-of-rows", "the lengths of the rows of differences were averaged", 3.5,
     lambda s: _root_mean(s, -1, np.sum), is_square),
)  # fmt: skip


def _has_columns(loss: Loss) -> bool:
    """Where each row has one class, the losses of a row are those of its positions."""
    return not has_classes(loss)


_PARTS: tuple[Family, ...] = (
    ("column", "only column {number} was averaged", 4.0, _of_column, _column_keys, _has_columns),
    ("without-column", "column {number} was left out, as an id is", 4.5, _without_column, _column_keys,
     _has_columns),
    ("position", "only position {number} of each sequence was averaged", 4.0, _of_column, _column_keys,
     has_classes),
    ("without-position", "position {number} of each sequence was left out", 4.0, _without_column,
     _column_keys, has_classes),
    ("hardest", "only the largest {number} % of the losses were averaged, the hardest examples", 2.0,
     _hardest, _percentages, always),
    ("class", "only the rows of class {number} were averaged", 4.5, _of_class, _class_keys, has_classes),
    ("without-class", "the rows of class {number} were left out", 4.5, _without_class, _class_keys,
     has_classes),
)  # fmt: skip

AGGREGATIONS = [
    *(
        Hypothesis(
            "aggregation",
            name,
            f"it is the {name}",
            bits,
            lambda losses, name=name: _other(losses, name),
            f"--reduction {name}",
            concerns=has_reduction(name),
        )
        for name, bits in (("mean", 0.5), ("sum", 0.5), ("batchmean", 1.5))
    ),
    *DENOMINATORS,
    *rows("aggregation", _NUMBERS),
    *families("aggregation", _PARTS),
    *BATCHES,
]
