"""Hypotheses: another reduction, another denominator, other weights."""

import numpy as np

from losscalc.core import reductions
from losscalc.core.array import Array
from losscalc.core.shapes import beside
from losscalc.insight.call import Call
from losscalc.insight.detect.hypothesis import Hypothesis, require
from losscalc.insight.detect.outcome import (
    array,
    changed,
    first,
    is_mean,
    over,
    partial,
    rows,
    single,
    total,
    value,
    without,
)
from losscalc.insight.single import terms_of


def _other(call: Call, reduction: str) -> Array:
    """The value with another reduction."""
    require(reduction != call.reduction.name and not call.reduction.keeps)
    require(reduction in call.operation.reductions)
    return value(call._replace(reduction=reductions.REDUCTIONS[reduction]))


def _over(call: Call, count: float) -> float:
    """The sum of the losses, divided by another count than the mean is."""
    require(is_mean(call))
    return over(total(call), count)


def _losses(call: Call) -> int:
    """The number of losses along axis 0."""
    found = single(call)
    require(found.ndim)
    return len(found)


def _over_positives(call: Call) -> float:
    """The sum divided by the number of positive labels, if the target can be labels."""
    y = array(call, "target")
    require(y.shape == first(call).shape and ((y >= 0) & (y <= 1)).all())
    return _over(call, float((y > 0).sum()))


def _over_columns(call: Call) -> float:
    """The sum of the means along the last axis."""
    require(not call.reduction.keeps)
    shape = single(call).shape
    require(len(shape) >= 2)
    return over(total(call), float(shape[-1]))


def _over_rows_again(call: Call) -> float:
    """The mean, divided by the number of rows once more."""
    require(is_mean(call))
    return over(float(value(call)), rows(call))


def _mean_of_rows(call: Call) -> Array:
    """The mean of the means of the rows, without rows in which nothing counts."""
    terms = terms_of(call)
    require(is_mean(call) and terms.share is None and terms.value.ndim >= 2)
    counts = np.ones(terms.value.shape) if terms.divisor is None else terms.divisor
    axes = tuple(range(1, terms.value.ndim))
    sums, divisors = terms.value.sum(axis=axes), counts.sum(axis=axes)
    counted = divisors > 0
    require(counted.any())
    return np.asarray((sums[counted] / divisors[counted]).mean())


def _class_weights(call: Call) -> Array:
    """The weight of each single loss in the mean."""
    require("weight" in call.arrays and is_mean(call))
    divisor = terms_of(call).divisor
    require(divisor is not None)
    return np.asarray(divisor)


def _sample_weights(call: Call) -> float:
    """The sum of the sample weights of the losses that count."""
    factor, terms = array(call, "sample_weight"), terms_of(call)
    counts = np.ones(terms.value.shape) if terms.ignored is None else ~terms.ignored
    return float((beside(factor, counts.ndim) * counts).sum())


def _pos_weight_for_all(call: Call) -> Array:
    """The loss with `pos_weight` as the weight of all labels, times `weight` if there is one."""
    rest = without(call, "pos_weight")
    weight = array(call, "pos_weight") * np.asarray(call.arrays.get("weight", 1.0))
    return value(rest._replace(arrays={**rest.arrays, "weight": weight}))


def _pos_weight_on_negatives(call: Call) -> Array:
    """The loss with `pos_weight` on the negative labels, which is that of negated logits and labels 1 - y."""
    require("pos_weight" in call.arrays)
    return value(changed(changed(call, "input", np.negative), "target", lambda y: 1 - y))


def _weighted_again(call: Call) -> float:
    """The sum of the weighted losses times their weights once more."""
    return float((single(call) * _class_weights(call)).sum())


REDUCTIONS = [
    Hypothesis(
        f"reduction-{name}",
        f"it is the {name}",
        lambda call, name=name: _other(call, name),
        f"--reduction {name}",
    )
    for name in ("mean", "sum", "batchmean")
]

DENOMINATORS = [
    Hypothesis(
        "over-terms",
        "the sum was divided by the number of losses that count (none, averaged)",
        lambda call: _over(call, partial(call).count),
    ),
    Hypothesis(
        "over-rows", "the sum was divided by the number of rows", lambda call: _over(call, _losses(call))
    ),
    Hypothesis(
        "over-columns",
        "the means of the rows were added up, as the sum of Keras",
        _over_columns,
    ),
    Hypothesis(
        "over-elements",
        "the sum was divided by the number of elements of the input",
        lambda call: _over(call, first(call).size),
    ),
    Hypothesis(
        "over-all",
        "the sum was divided by the number of all losses, the ignored ones included",
        lambda call: _over(call, partial(call).count + partial(call).ignored),
    ),
    Hypothesis(
        "over-weights",
        "the sum was divided by the sum of all weights",
        lambda call: _over(call, float(array(call, "weight").sum())),
    ),
    Hypothesis(
        "over-sample-weights",
        "the sum was divided by the sum of --sample-weight, without --weight",
        lambda call: _over(call, _sample_weights(call)),
    ),
    Hypothesis(
        "over-positives",
        "the sum was divided by the number of positive labels",
        _over_positives,
    ),
    Hypothesis(
        "mean-over-rows",
        "the mean was divided by the number of rows once more",
        _over_rows_again,
    ),
    Hypothesis(
        "mean-of-rows",
        "every row was averaged on its own, and then their means",
        _mean_of_rows,
    ),
]

WEIGHTS = [
    row
    for name, option in (
        ("weight", "--weight"),
        ("pos_weight", "--pos-weight"),
        ("sample_weight", "--sample-weight"),
    )
    for row in (
        Hypothesis(
            f"no{option[1:]}",
            f"{option} was not applied",
            lambda call, name=name: value(without(call, name)),
        ),
        Hypothesis(
            f"{option[2:]}-twice",
            f"{option} was applied twice",
            lambda call, name=name: value(changed(call, name, np.square)),
        ),
        Hypothesis(
            f"{option[2:]}-sum-1",
            f"{option} was normalised to sum to 1",
            lambda call, name=name: value(changed(call, name, lambda w: w / w.sum())),
        ),
        Hypothesis(
            f"{option[2:]}-mean-1",
            f"{option} was normalised to a mean of 1",
            lambda call, name=name: value(changed(call, name, lambda w: w / w.mean())),
        ),
        Hypothesis(
            f"{option[2:]}-inverse",
            f"{option} was applied upside down, as 1 over it",
            lambda call, name=name: value(changed(call, name, lambda w: 1.0 / w)),
        ),
    )
] + [
    Hypothesis("no-mask", "--mask was not applied", lambda call: value(without(call, "mask")), as_given=True),
    Hypothesis(
        "weight-on-losses",
        "losses that have --weight already were multiplied by it again, and divided by the sum of weights",
        lambda call: over(_weighted_again(call), float(_class_weights(call).sum())),
    ),
    Hypothesis(
        "weight-on-losses-over-terms",
        "losses that have --weight already were multiplied by it again, and averaged",
        lambda call: over(_weighted_again(call), partial(call).count),
    ),
    Hypothesis(
        "weight-sum-1-over-terms",
        "--weight was normalised to sum to 1, and the losses averaged",
        lambda call: _over(changed(call, "weight", lambda w: w / w.sum()), partial(call).count),
    ),
    Hypothesis(
        "weight-mean-1-over-terms",
        "--weight was normalised to a mean of 1, and the losses averaged",
        lambda call: _over(changed(call, "weight", lambda w: w / w.mean()), partial(call).count),
    ),
    Hypothesis(
        "no-weight-over-weights",
        "--weight was not applied to the losses, but their sum was divided by the sum of weights",
        lambda call: over(total(without(call, "weight")), float(_class_weights(call).sum())),
    ),
    Hypothesis(
        "pos-weight-on-negatives",
        "--pos-weight was applied to the negative labels",
        _pos_weight_on_negatives,
    ),
    Hypothesis(
        "pos-weight-as-weight",
        "--pos-weight was applied to all labels, as --weight",
        _pos_weight_for_all,
    ),
]
