"""Another reduction, another denominator, other weights."""

import numpy as np

from losscalc.core.array import Array
from losscalc.insight.call import Call
from losscalc.insight.detect.hypothesis import Supposition


def _over(call: Call, count: float) -> float:
    """The sum of the losses over a count that is not that of the mean."""
    if not call.is_mean:
        raise ValueError("only a mean has a denominator")
    return call.total / count


def _over_positives(call: Call) -> float:
    """The sum over the number of positive labels, of numbers that can be labels."""
    y = np.asarray(call.arrays["target"])
    if y.shape != call.first.shape or not ((y >= 0) & (y <= 1)).all():
        raise ValueError("the targets are not labels from 0 to 1")
    return _over(call, float((y > 0).sum()))


def _over_columns(call: Call) -> float:
    """The sum of the means along the last axis."""
    shape = call.single.shape
    if call.reduction == "none" or len(shape) < 2:
        raise ValueError("there are no rows to be averaged")
    return call.total / float(shape[-1])


def _mean_of_rows(call: Call) -> Array:
    """The mean of what each row has as its own mean, but for rows of which nothing counts."""
    terms = call.loss.terms(**call.numbers)
    if not call.is_mean or terms.share is not None or terms.value.ndim < 2:
        raise ValueError("there are no rows to be averaged")
    counts = np.ones(terms.value.shape) if terms.divisor is None else terms.divisor
    axes = tuple(range(1, terms.value.ndim))
    sums, divisors = terms.value.sum(axis=axes), counts.sum(axis=axes)
    return np.asarray((sums[divisors > 0] / divisors[divisors > 0]).mean())


def _class_weights(call: Call) -> Array:
    """The weight that each loss of a class index has."""
    divisor = call.loss.terms(**call.numbers).divisor
    if "weight" not in call.arrays or divisor is None or not call.is_mean:
        raise ValueError("weights do not enter the mean")
    return divisor


def _pos_weight_for_all(call: Call) -> Array:
    """The loss with the weights of positive labels as those of all, times others there may be."""
    weight = np.asarray(call.arrays["pos_weight"]) * np.asarray(call.arrays.get("weight", 1.0))
    rest = call.without("pos_weight")
    return rest._replace(arrays={**rest.arrays, "weight": weight}).value


def _pos_weight_on_negatives(call: Call) -> Array:
    """The loss of everything turned round: what was positive is negative, and has no weight."""
    if "pos_weight" not in call.arrays:
        raise KeyError("pos_weight")
    return call.changed("input", np.negative).changed("target", lambda y: 1 - y).value


def _weighted_again(call: Call) -> float:
    """The sum of losses that have their weights, times the weights again."""
    return float((call.single * _class_weights(call)).sum())


REDUCTIONS = [
    Supposition(
        f"reduction-{name}",
        f"it is the {name}",
        lambda call, name=name: call.to_scalar(name),
        f"--reduction {name}",
    )
    for name in ("mean", "sum", "batchmean")
]

DENOMINATORS = [
    Supposition(
        "over-terms",
        "the sum was divided by the number of losses that count (none, averaged)",
        lambda call: _over(call, call.partial.count),
    ),
    Supposition(
        "over-rows", "the sum was divided by the number of rows", lambda call: _over(call, len(call.single))
    ),
    Supposition(
        "over-columns",
        "the means of the rows were added up, as the sum of Keras",
        _over_columns,
    ),
    Supposition(
        "over-elements",
        "the sum was divided by the number of elements of the input",
        lambda call: _over(call, call.first.size),
    ),
    Supposition(
        "over-all",
        "the sum was divided by the number of all losses, the ignored ones included",
        lambda call: _over(call, call.partial.count + call.partial.ignored),
    ),
    Supposition(
        "over-weights",
        "the sum was divided by the sum of all weights",
        lambda call: _over(call, float(np.sum(call.arrays["weight"]))),
    ),
    Supposition(
        "over-positives",
        "the sum was divided by the number of positive labels",
        _over_positives,
    ),
    Supposition(
        "mean-over-rows",
        "the mean was divided by the number of rows once more",
        lambda call: call.value / call.rows if call.is_mean else None,
    ),
    Supposition(
        "mean-of-rows",
        "every row was averaged on its own, and then their means",
        _mean_of_rows,
    ),
]

WEIGHTS = [
    row
    for name, option in (("weight", "--weight"), ("pos_weight", "--pos-weight"))
    for row in (
        Supposition(
            f"no{option[1:]}",
            f"{option} was not applied",
            lambda call, name=name: call.without(name).value,
        ),
        Supposition(
            f"{option[2:]}-twice",
            f"{option} was applied twice",
            lambda call, name=name: call.changed(name, np.square).value,
        ),
        Supposition(
            f"{option[2:]}-sum-1",
            f"{option} was normalised to sum to 1",
            lambda call, name=name: call.changed(name, lambda w: w / w.sum()).value,
        ),
        Supposition(
            f"{option[2:]}-mean-1",
            f"{option} was normalised to a mean of 1",
            lambda call, name=name: call.changed(name, lambda w: w / w.mean()).value,
        ),
        Supposition(
            f"{option[2:]}-inverse",
            f"{option} was applied upside down, as 1 over it",
            lambda call, name=name: call.changed(name, lambda w: 1.0 / w).value,
        ),
    )
] + [
    Supposition(
        "weight-on-losses",
        "losses that have --weight already were multiplied by it again, and divided by the sum of weights",
        lambda call: _weighted_again(call) / _class_weights(call).sum(),
    ),
    Supposition(
        "weight-on-losses-over-terms",
        "losses that have --weight already were multiplied by it again, and averaged",
        lambda call: _weighted_again(call) / call.partial.count,
    ),
    Supposition(
        "weight-sum-1-over-terms",
        "--weight was normalised to sum to 1, and the losses averaged",
        lambda call: _over(call.changed("weight", lambda w: w / w.sum()), call.partial.count),
    ),
    Supposition(
        "weight-mean-1-over-terms",
        "--weight was normalised to a mean of 1, and the losses averaged",
        lambda call: _over(call.changed("weight", lambda w: w / w.mean()), call.partial.count),
    ),
    Supposition(
        "no-weight-over-weights",
        "--weight was not applied to the losses, but their sum was divided by the sum of weights",
        lambda call: call.without("weight").total / _class_weights(call).sum(),
    ),
    Supposition(
        "pos-weight-on-negatives",
        "--pos-weight was applied to the negative labels",
        _pos_weight_on_negatives,
    ),
    Supposition(
        "pos-weight-as-weight",
        "--pos-weight was applied to all labels, as --weight",
        _pos_weight_for_all,
    ),
]
