"""Doubts about a whole data set: what a loss can well be computed from, and is seldom what was meant."""

from collections.abc import Iterator

import numpy as np

from losscalc.core.array import Array
from losscalc.core.roles import CLASS_KINDS
from losscalc.errors import DiagnosisWarning
from losscalc.insight.call import Call
from losscalc.insight.predictions import Predictions, predictions
from losscalc.insight.stats import context, mean

_SATURATED = 30.0
_SHARE = 0.01
"""From this share on, saturated logits are worth a word."""
_ENOUGH = 8
"""Of fewer rows than this, any may look like anything by chance."""
_LITTLE = 0.25
"""Accuracies that are surely below this part of the way from chance to 1 are as good as chance."""
_WELL_BELOW = 0.9
"""Below this part of the loss of a uniform guess, a loss is of predictions that know something."""
_SURE = 4.0
"""By so many standard deviations accuracies have to differ."""


def doubts(call: Call) -> Iterator[DiagnosisWarning]:
    """What there is to doubt in the arrays of a call, which are in memory."""
    first = next(iter(call.held))
    if not np.size(call.held[first]):
        return
    with np.errstate(all="ignore"):
        yield from _of_scores(call, first, np.asarray(call.held[first]))
        yield from _of_targets(call)
        guess = _guess(call)
        value = mean(call)
        if guess is not None and value > guess[1] * (1 + 1e-6):
            yield DiagnosisWarning(f"the mean, {value:.6g}, is worse than a {guess[0]} = {guess[1]:.6g}")
        is_low = guess is not None and value < _WELL_BELOW * guess[1]
        for found in (predictions(call), _as_classes(call)):
            if found is not None:
                yield from _of_accuracy(found, is_low)


def _of_scores(call: Call, name: str, scores: Array) -> Iterator[DiagnosisWarning]:
    """Scores that are all the same, that are saturated, or whose rows occur more than once."""
    is_of_rows = scores.ndim > 0 and name in call.layout.cut
    if is_of_rows and len(scores) > 2 and bool((scores == scores[0]).all()):
        what = "all rows of" if scores.ndim > 1 else "all numbers of"
        yield DiagnosisWarning(f"{what} `{name}` are the same", argument=name)
    elif is_of_rows and scores.ndim > 1 and scores.shape[1] > 1 and (count := _repeated(call, scores)):
        rows = f"{count} rows repeat" if count > 1 else "1 row repeats"
        yield DiagnosisWarning(f"{rows} an earlier one, in `{name}` and all other arrays", argument=name)
    if call.operation.scores == "logits" and scores.size:
        share = float((np.abs(scores) > _SATURATED).mean())
        if share >= _SHARE:
            yield DiagnosisWarning(
                f"{share:.1%} of `{name}` is beyond ±{_SATURATED:g}, which gives probabilities of 0 and 1",
                argument=name,
            )


def _repeated(call: Call, scores: Array) -> int:
    """How many rows were there before, with all that is beside them."""
    rows = len(scores)
    beside = [np.asarray(array) for key, array in call.held.items() if key in call.layout.cut]
    flat = [np.asarray(a, np.float64).reshape(rows, -1) for a in beside if len(a) == rows]
    joined = np.ascontiguousarray(np.concatenate(flat, axis=1))
    return rows - len(np.unique(joined.view(np.dtype((np.void, joined.strides[0])))))


def _of_targets(call: Call) -> Iterator[DiagnosisWarning]:
    """Targets that are all of one class."""
    target = call.held.get("target")
    if target is None or call.operation.labels not in (*CLASS_KINDS, "labels", "signs"):
        return
    labels = target[target != call.operation.settings.get("ignore_index")]
    is_index = call.operation.labels in CLASS_KINDS and "target" in call.layout.indices
    if labels.size > 2 and bool((labels == labels[0]).all()) and (is_index or labels[0] in (-1, 0, 1)):
        yield DiagnosisWarning(f"all targets are of one class, {labels[0]:g}", argument="target")


def _guess(call: Call) -> tuple[str, float] | None:
    """The loss of a guess that takes all classes for equally likely, and what that is called."""
    return next(
        ((name, fact) for name, fact in context(call) if "guess" in name and isinstance(fact, float)), None
    )


def _as_classes(call: Call) -> Predictions | None:
    """Labels that are one-hot rows, as classes."""
    scores, target = call.held.get("input"), call.held.get("target")
    if scores is None or target is None or target.ndim != 2 or target.shape != scores.shape:
        return None
    if call.operation.labels not in ("labels", "classes") or target.shape[1] < 3:
        return None
    if not (((target == 0) | (target == 1)).all() and (target.sum(axis=1) == 1).all()):
        return None
    true = target.argmax(axis=1)
    return Predictions(scores.argmax(axis=1), true, np.ones(true.shape, bool), None, None, target.shape[1])


def _of_accuracy(found: Predictions, is_low: bool) -> Iterator[DiagnosisWarning]:
    """Predictions that are right by chance only though the loss is low, or that are right one row further."""
    count, own = int(found.counted.sum()), found.accuracy
    if count < _ENOUGH:
        return
    for axis in range(found.true.ndim):
        for step, which in ((-1, "next"), (1, "previous")):
            shifted = _shifted(found, axis, step)
            apart = _SURE * np.sqrt(max(own * (1 - own), 1 / count) / count)
            if shifted.accuracy > own + apart:
                what = "row" if axis == 0 else f"place along axis {axis}"
                yield DiagnosisWarning(
                    f"{own:.1%} of the predictions are right, and {shifted.accuracy:.1%} would be with the "
                    f"label of the {which} {what}",
                    argument="target",
                )
                return
    chance = 1 / found.options
    most = own + 2 * np.sqrt(own * (1 - own) / count)
    if is_low and most < chance + _LITTLE * (1 - chance):
        yield DiagnosisWarning(
            f"the loss is well below that of a uniform guess, though only {own:.1%} of the predictions are "
            "right, about as many as by chance: labels may belong to other rows",
            argument="target",
        )


def _shifted(found: Predictions, axis: int, step: int) -> Predictions:
    """The predictions, each beside the label that is one place further."""
    length = found.true.shape[axis]
    keep, take = (slice(0, length - 1), slice(1, length))[:: 1 if step < 0 else -1]

    def cut(values: Array, part: slice) -> Array:
        return values[(slice(None),) * axis + (part,)]

    return found._replace(
        predicted=cut(found.predicted, keep), true=cut(found.true, take), counted=cut(found.counted, take)
    )
