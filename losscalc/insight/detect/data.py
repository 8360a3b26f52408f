"""Inputs and targets that were taken for something else."""

import numpy as np

from losscalc.core import stable
from losscalc.core.array import Array
from losscalc.insight.call import Call, along_classes
from losscalc.insight.detect.hypothesis import Supposition

# Every one of so many against every other is as much as is looked at.
_MOST_OUTER = 3000


def _softmax_twice(x: Array) -> Array:
    softmax = along_classes(stable.softmax)
    return softmax(softmax(x))


def _logit(p: Array) -> Array:
    return np.asarray(np.log(p) - np.log1p(-p))


def _one_hot(call: Call, smoothing: float = 0.0) -> Array:
    """Cross-entropy of one-hot rows, whose mean divides by the rows whatever their weights.

    What is taken off the right class by smoothing goes to the others alone.
    """
    if np.asarray(call.arrays["target"]).ndim != 1:
        raise ValueError("only class indices can be spread")
    classes = np.arange(np.asarray(call.arrays["input"]).shape[1])

    def spread(target: Array) -> Array:
        hot = target[:, np.newaxis] == classes
        rows = np.where(hot, 1.0 - smoothing, smoothing / max(len(classes) - 1, 1))
        return np.asarray(rows * hot.any(axis=1, keepdims=True))

    plain = call.having(label_smoothing=0.0) if smoothing else call
    return plain.changed("target", spread).having(ignore_index=-100).value


def _wrapped(call: Call) -> Array:
    """The value with 1 subtracted from every class index, class 0 becoming the last one."""
    ignored, count = getattr(call.loss, "ignore_index", None), call.first.shape[1]
    return call.changed("target", lambda y: np.where(y == ignored, y, (y - 1) % count)).value


def _flattened(call: Call) -> Array:
    """Logits (N, C, L) in rows of C, without the axes being exchanged."""
    if call.first.ndim < 3:
        raise ValueError("there is nothing to be flattened")
    return call.changed("input", lambda x: x.reshape(-1, x.shape[1])).changed("target", np.ravel).value


def _outer(call: Call) -> Array:
    """Every input against every target, which (N, 1) against (N,) broadcasts to."""
    x, y = (np.asarray(call.arrays[name], dtype=np.float64) for name in ("input", "target"))
    shape = x.shape
    x, y = (a[:, 0] if a.ndim == 2 and a.shape[1] == 1 else a for a in (x, y))
    if x.ndim != 1 or x.shape != y.shape or call.arrays["target"].shape != shape or x.size > _MOST_OUTER:
        raise ValueError("only vectors are broadcast by mistake")
    whole = {"input": x[:, np.newaxis] + 0 * y, "target": y + 0 * x[:, np.newaxis]}
    return call._replace(arrays={**call.arrays, **whole}).value


INPUTS = [
    Supposition(f"{name}-first", sentence, lambda call, change=change: call.changed("input", change).value)
    for name, sentence, change in (
        ("sigmoid", "a sigmoid was applied to the input first", stable.sigmoid),
        # Before the softmax: of log-probabilities it is the same, and the simpler thing to say.
        ("exp", "the exponential of the input was taken first", np.exp),
        ("softmax", "a softmax was applied to the input first", along_classes(stable.softmax)),
        ("two-softmaxes", "a softmax was applied to the input first, twice", _softmax_twice),
        ("log-softmax", "a log-softmax was applied to the input first", along_classes(stable.log_softmax)),
        ("log", "the logarithm of the input was taken first", np.log),
        ("logit", "the input was taken as probabilities, and turned into logits", _logit),
        ("negated", "the input has the opposite sign", np.negative),
    )
]

TARGETS = [
    Supposition("target-minus-1", "1 was subtracted from the targets", lambda call: call.relabelled(-1)),
    Supposition("target-plus-1", "1 was added to the targets", lambda call: call.relabelled(1)),
    Supposition(
        "target-minus-1-wrapped",
        "1 was subtracted from the targets, and class 0 became the last one, as index -1 does in NumPy",
        _wrapped,
    ),
    Supposition(
        "ignore-0",
        "class 0 was ignored, as padding",
        lambda call: call.having(ignore_index=0).value,
        "--ignore-index 0",
    ),
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
        "flattened",
        "the input was reshaped to rows of classes, without its axes being exchanged",
        _flattened,
    ),
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
    Supposition(
        "others-smoothing-0.1",
        "labels were smoothed by 0.1, towards the other classes alone",
        lambda call: _one_hot(call, 0.1),
    ),
    Supposition(
        "one-sided-smoothing-0.1",
        "the labels 1 were smoothed to 0.9, and 0 left alone",
        lambda call: call.smoothed(0.1, towards=0.0),
    ),
] + [
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
