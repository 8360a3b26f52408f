"""Inputs and targets that were taken for something else."""

import numpy as np

from losscalc import stable
from losscalc.arrays import Array
from losscalc.calls import Call, along_classes
from losscalc.suppositions.supposition import Supposition

# Every one of so many against every other is as much as is looked at.
_MOST_OUTER = 3000


def _logit(p: Array) -> Array:
    return np.asarray(np.log(p) - np.log1p(-p))


def _one_hot(call: Call) -> Array:
    """Cross-entropy of one-hot rows, whose mean divides by the rows whatever their weights."""
    if np.asarray(call.arrays["target"]).ndim != 1:
        raise ValueError("only class indices can be spread")
    classes = np.arange(np.asarray(call.arrays["input"]).shape[1])
    hot = call.changed("target", lambda t: (t[:, np.newaxis] == classes).astype(np.float64))
    return hot.having(ignore_index=-100).value


def _outer(call: Call) -> Array:
    """Every input against every target, which (N, 1) against (N,) broadcasts to."""
    x, y = (np.asarray(call.arrays[name], dtype=np.float64) for name in ("input", "target"))
    if x.ndim != 1 or x.shape != y.shape or x.size > _MOST_OUTER:
        raise ValueError("only vectors are broadcast by mistake")
    whole = {"input": x[:, np.newaxis] + 0 * y, "target": y + 0 * x[:, np.newaxis]}
    return call._replace(arrays={**call.arrays, **whole}).value


INPUTS = [
    Supposition(f"{name}-first", sentence, lambda call, change=change: call.changed("input", change).value)
    for name, sentence, change in (
        ("sigmoid", "a sigmoid was applied to the input first", stable.sigmoid),
        ("softmax", "a softmax was applied to the input first", along_classes(stable.softmax)),
        ("log-softmax", "a log-softmax was applied to the input first", along_classes(stable.log_softmax)),
        ("log", "the logarithm of the input was taken first", np.log),
        ("exp", "the exponential of the input was taken first", np.exp),
        ("logit", "the input was taken as probabilities, and turned into logits", _logit),
        ("negated", "the input has the opposite sign", np.negative),
    )
]

TARGETS = [
    Supposition("target-minus-1", "1 was subtracted from the targets", lambda call: call.relabelled(-1)),
    Supposition("target-plus-1", "1 was added to the targets", lambda call: call.relabelled(1)),
    Supposition(
        "target-flipped",
        "the labels 0 and 1 were exchanged",
        lambda call: call.changed("target", lambda y: 1 - y).value,
    ),
    Supposition(
        "target-negated",
        "the labels 1 and -1 were exchanged",
        lambda call: call.changed("target", np.negative).value,
    ),
    Supposition(
        "target-argmax",
        "the targets were taken as the index of their largest class",
        lambda call: call.changed("target", lambda y: y.argmax(axis=1)).value,
    ),
    Supposition(
        "target-one-hot",
        "the targets were given as one-hot rows, of which the mean divides by the number of rows",
        _one_hot,
    ),
    Supposition("swapped", "input and target were exchanged", lambda call: call.exchanged().value),
    Supposition(
        "input-target-log",
        "input and target were exchanged, with the logarithm taken of the other one",
        lambda call: call.changed("input", np.exp).exchanged().changed("input", np.log).value,
    ),
]

SHAPES = [
    Supposition("outer", "(N, 1) was broadcast against (N,), so that every input met every target", _outer),
    Supposition(
        "transposed",
        "the class axis of the input was exchanged with the other one",
        lambda call: call.changed("input", lambda x: x.T if x.ndim == 2 else np.swapaxes(x, 1, -1)).value,
    ),
    Supposition(
        "reshaped",
        "the input was reshaped where its axes had to be exchanged",
        lambda call: call.changed("input", lambda x: np.swapaxes(x, 1, -1).reshape(x.shape)).value,
    ),
]

SMOOTHING = [
    row
    for share in (0.1, 0.05, 0.2)
    for row in (
        Supposition(
            f"smoothing-{share}",
            f"labels were smoothed by {share}",
            lambda call, share=share: call.having(label_smoothing=share).value,
            f"--label-smoothing {share}",
        ),
        Supposition(
            f"binary-smoothing-{share}",
            f"labels were smoothed by {share}, towards ½",
            lambda call, share=share: call.smoothed(share),
        ),
    )
]
