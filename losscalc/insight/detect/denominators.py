"""Hypotheses on what the sum of the losses was divided by, and on their weights in it."""

from collections.abc import Callable

import numpy as np

from losscalc.catalogue.base import Loss
from losscalc.core.array import Array
from losscalc.core.reductions import MEAN
from losscalc.core.roles import CLASS_KINDS
from losscalc.core.shapes import beside
from losscalc.insight.detect.changes import array, first
from losscalc.insight.detect.hypothesis import Row, always, require, rows
from losscalc.insight.detect.kinds import has_arrays, has_classes, has_sequences, is_square
from losscalc.insight.detect.losses import Losses


def _averages_classes(loss: Loss) -> bool:
    return loss.averages_classes


def _is_mean(losses: Losses) -> bool:
    return losses.call.reduction.name == MEAN.name


def over(amount: float, count: float) -> float:
    """An amount divided by a count that must not be 0."""
    require(count)
    return float(amount) / float(count)


def _total(losses: Losses) -> float:
    require(losses.is_single)
    return float(losses.value.sum())


def _over_all(losses: Losses) -> float:
    """Of the ignored ones, too."""
    require(not losses.counts.all())
    return over(_total(losses), losses.value.size)


def _over_columns(losses: Losses) -> float:
    """The sum of the means along the last axis."""
    require(losses.is_single and losses.value.ndim >= 2)
    return over(_total(losses), losses.value.shape[-1])


def _over_positives(losses: Losses) -> float:
    """The sum divided by the number of positive labels, if the target can be labels."""
    y = array(losses.call, "target")
    require(y.shape == first(losses.call).shape and ((y >= 0) & (y <= 1)).all())
    return over(_total(losses), float((y > 0).sum()))


def _over_target(losses: Losses, count: Callable[[Array], float]) -> float:
    y = array(losses.call, "target").astype(np.float64)
    require(y.size and losses.call.operation.labels not in CLASS_KINDS)
    return over(_total(losses), count(y))


def _whole_over(losses: Losses, size: Callable[[Array], float]) -> float:
    """The mean divided by something of the targets."""
    y = array(losses.call, "target").astype(np.float64)
    require(y.size > 1)
    return over(float(losses.whole), size(y))


def _by_both(losses: Losses) -> float:
    """The mean of the losses, weighted by the sizes of input and target together."""
    x, y = (array(losses.call, name).astype(np.float64) for name in ("input", "target"))
    require(losses.is_single and x.shape == y.shape == losses.value.shape)
    weights = np.abs(x) + np.abs(y)
    return over(float((losses.value * weights).sum()), float(weights.sum()))


def _by_targets(losses: Losses) -> float:
    """The mean of the losses, weighted by the size of the targets."""
    y = np.abs(array(losses.call, "target").astype(np.float64))
    require(losses.is_single and y.shape == losses.value.shape)
    return over(float((losses.value * y).sum()), float(y.sum()))


def _over_rows_again(losses: Losses) -> float:
    """The mean, divided by the number of rows once more."""
    require(_is_mean(losses) and losses.whole.ndim == 0)
    return over(float(losses.whole), losses.partial.rows)


def _over_sample_weights(losses: Losses) -> float:
    factor = array(losses.call, "sample_weight")
    require(losses.is_single)
    return over(_total(losses), float((beside(factor, losses.counts.ndim) * losses.counts).sum()))


def _over_lengths(losses: Losses, name: str) -> float:
    """The sum divided by the sum of all lengths."""
    return over(_total(losses), float(array(losses.call, name).sum()))


def _pos_weights(losses: Losses) -> float:
    """The sum of the weights of all labels, those of the negatives being 1."""
    y = array(losses.call, "target").astype(np.float64)
    weight = 1 + (array(losses.call, "pos_weight") - 1) * y
    return float(np.broadcast_to(weight, y.shape).sum())


def _class_weights(losses: Losses) -> Array:
    """The weight of each single loss in the mean."""
    require("weight" in losses.call.arrays and losses.is_single)
    require(not np.array_equal(losses.divisor, losses.counts))
    return losses.divisor


def _weighted_again(losses: Losses) -> float:
    """The sum of the weighted losses times their weights once more."""
    return float((losses.value * _class_weights(losses)).sum())


def _without_weight(losses: Losses) -> float:
    """The sum of the losses without their weights."""
    weights = _class_weights(losses)
    return float(np.divide(losses.value, weights, out=np.zeros_like(losses.value), where=weights > 0).sum())


def _normalized(losses: Losses, size: Callable[[Array], float]) -> float:
    """The mean of the losses, of which the weights are normalised first."""
    weight = array(losses.call, "weight").astype(np.float64)
    require(losses.is_single and weight.size > 0)
    return over(over(_total(losses), size(weight)), losses.counted)


_ROWS: tuple[Row, ...] = (
    ("over-terms", "the sum was divided by the number of losses that count (none, then averaged)", 2.0,
     lambda s: over(_total(s), s.counted), always),
    ("over-rows", "the sum was divided by the number of rows", 2.5,
     lambda s: over(_total(s), len(s.of_rows[0])), always),
    ("over-columns", "the row means were added up, as Keras does for a sum", 3.5, _over_columns, always),
    ("over-elements", "the sum was divided by the number of elements of the input", 2.5,
     lambda s: over(_total(s), first(s.call).size), always),
    ("over-all", "the sum was divided by the number of all losses, the ignored (padded) ones included", 2.5,
     _over_all, always),
    ("over-weights", "the sum was divided by the sum of all weights", 3.5,
     lambda s: over(_total(s), float(array(s.call, "weight").sum())), has_arrays("weight")),
    ("over-pos-weights",
     "the sum was divided by the sum of the weights, those of the positive labels being --pos-weight", 3.5,
     lambda s: over(_total(s), _pos_weights(s)), has_arrays("pos_weight")),
    ("over-sample-weights", "the sum was divided by the sum of --sample-weight, without --weight", 3.5,
     _over_sample_weights, has_arrays("sample_weight")),
    ("over-positives", "the sum was divided by the number of positive labels", 3.5, _over_positives, always),
    ("over-target", "the sum was divided by the sum of the targets, as a relative or weighted error", 5.5,
     lambda s: _over_target(s, lambda y: float(np.abs(y).sum())), always),
    ("weighted-by-targets",
     "relative errors were weighted by the targets: the sum of errors over that of the targets", 4.5,
     _by_targets, lambda loss: loss.labels in ("values", "amounts")),
    ("weighted-by-both",
     "losses were weighted by input and target: of the symmetric relative error, the sum of errors over that "
     "of the sizes", 5.0, _by_both, lambda loss: loss.labels == "values" and not loss.error_power),
    ("over-mean", "it was divided by the mean of the targets", 5.0,
     lambda s: _whole_over(s, lambda y: float(y.mean())), lambda loss: loss.error_power),
    ("over-deviation", "it was divided by the standard deviation of the targets", 5.5,
     lambda s: _whole_over(s, lambda y: float(y.std())), lambda loss: loss.error_power),
    ("over-naive", "it was divided by the mean difference of neighbouring targets, as MASE is", 5.0,
     lambda s: _whole_over(s, lambda y: float(np.abs(np.diff(y)).mean())),
     lambda loss: loss.error_power == 1),
    ("over-variance",
     "the sum was divided by that of the squared distances of the targets from their mean: 1 - R², if it"
     " is of squared errors", 5.5,
     lambda s: _over_target(s, lambda y: float(((y - np.atleast_1d(y).mean(axis=0)) ** 2).sum())), is_square),
    ("over-squares", "the sum was divided by that of the squared targets", 6.0,
     lambda s: _over_target(s, lambda y: float((y**2).sum())), is_square),
    ("over-range", "the mean was divided by the range of the targets", 6.0,
     lambda s: _whole_over(s, np.ptp), lambda loss: loss.error_power),
    ("over-n-1", "the sum was divided by one less than the number of losses", 4.5,
     lambda s: over(_total(s), s.counted - 1), always),
    ("over-n+1", "the sum was divided by one more than the number of losses", 6.0,
     lambda s: over(_total(s), s.counted + 1), always),
    ("over-rows-1", "the sum was divided by one less than the number of rows", 5.5,
     lambda s: over(_total(s), len(s.of_rows[0]) - 1), always),
    ("mean-over-rows", "the mean was divided by the number of rows again", 4.0, _over_rows_again, always),
    ("over-symbols", "the sum was divided by the length of all targets together", 3.0,
     lambda s: _over_lengths(s, "target_lengths"), has_sequences),
    ("over-frames", "the sum was divided by the length of all inputs together", 3.0,
     lambda s: _over_lengths(s, "input_lengths"), has_sequences),
    ("weight-on-losses",
     "losses already weighted by --weight were multiplied by it again, and divided by the sum of weights",
     4.0, lambda s: over(_weighted_again(s), float(_class_weights(s).sum())), always),
    ("weight-on-losses-over-terms",
     "losses already weighted by --weight were multiplied by it again, and averaged", 4.0,
     lambda s: over(_weighted_again(s), s.counted), always),
    ("weight-sum-1-over-terms", "--weight was normalised to sum to 1, and the losses averaged", 4.5,
     lambda s: _normalized(s, np.sum), always),
    ("weight-mean-1-over-terms", "--weight was normalised to a mean of 1, and the losses averaged", 4.5,
     lambda s: _normalized(s, np.mean), always),
    ("weight-max-1-over-terms", "--weight was normalised to a maximum of 1, and the losses averaged", 5.0,
     lambda s: _normalized(s, np.max), always),
    ("no-weight-over-weights",
     "--weight was not applied to the losses, but their sum was divided by the sum of weights", 4.5,
     lambda s: over(_without_weight(s), float(_class_weights(s).sum())), always),
    ("over-wrong-classes", "the losses of the classes were divided by the number of the wrong ones, C - 1",
     3.5, lambda s: over(float(s.whole) * first(s.call).shape[-1], first(s.call).shape[-1] - 1),
     _averages_classes),
    ("sum-over-classes", "the losses of the classes were added up, not divided by their number", 3.0,
     lambda s: float(s.whole) * first(s.call).shape[-1], _averages_classes),
    ("over-classes", "the mean was also divided by the number of classes", 4.0,
     lambda s: over(float(s.whole), first(s.call).shape[1] if first(s.call).ndim > 1 else 0), has_classes),
)  # fmt: skip

DENOMINATORS = rows("aggregation", _ROWS)
