"""Another reduction, another denominator, other weights."""

import numpy as np

from losscalc.calls import Call
from losscalc.suppositions.supposition import Supposition


def _over(call: Call, count: float) -> float:
    """The sum of the losses over a count that is not that of the mean."""
    if not call.is_mean:
        raise ValueError("only a mean has a denominator")
    return call.total / count


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
        "over-rows", "the sum was divided by the number of rows", lambda call: _over(call, call.rows)
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
        lambda call: _over(call, float((np.asarray(call.arrays["target"]) > 0).sum())),
    ),
    Supposition(
        "mean-over-rows",
        "the mean was divided by the number of rows once more",
        lambda call: call.value / call.rows if call.is_mean else None,
    ),
    Supposition(
        "mean-of-rows",
        "the sums of the rows were averaged, not the single losses",
        lambda call: call.single.sum(axis=tuple(range(1, call.single.ndim))).mean() if call.is_mean else None,
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
]
