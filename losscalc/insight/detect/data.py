"""Hypotheses: inputs or targets were taken for something else."""

from collections.abc import Callable

import numpy as np

from losscalc.core import stable
from losscalc.core.array import Array
from losscalc.insight.call import Call
from losscalc.insight.detect.hypothesis import Hypothesis, require
from losscalc.insight.detect.outcome import along_classes, array, changed, exchanged, first, having, value

# More numbers than this are not compared each with each.
_MOST_OUTER = 3000


def _softmax_twice(x: Array) -> Array:
    softmax = along_classes(stable.softmax)
    return softmax(softmax(x))


def _logit(p: Array) -> Array:
    return np.asarray(np.log(p) - np.log1p(-p))


def _one_hot(call: Call, smoothing: float = 0.0) -> Array:
    """Cross-entropy of one-hot rows, whose mean divides by the number of rows whatever their weights.

    Smoothing gives its share to the wrong classes only, not to all.
    """
    plain = having(having(call, label_smoothing=0.0) if smoothing else call, ignore_index=-100)
    require(array(call, "target").ndim == 1 and array(call, "input").ndim > 1)
    classes = np.arange(array(call, "input").shape[1])

    def spread(target: Array) -> Array:
        hot = target[:, np.newaxis] == classes
        rows = np.where(hot, 1.0 - smoothing, smoothing / max(len(classes) - 1, 1))
        return np.asarray(rows * hot.any(axis=1, keepdims=True))

    return value(changed(plain, "target", spread))


def _relabelled(call: Call, change: Callable[[Array], Array]) -> Array:
    """The value with every target changed but the ignored class index."""
    ignored = call.operation.settings.get("ignore_index")
    name = "targets" if "targets" in call.arrays else "target"
    return value(
        changed(call, name, lambda y: change(y) if ignored is None else np.where(y == ignored, y, change(y)))
    )


def _wrapped(call: Call) -> Array:
    """The value with 1 subtracted from every class index, so that class 0 becomes the last."""
    require("target" in call.arrays and first(call).ndim > 1 and first(call).shape[1])
    return _relabelled(call, lambda y: (y - 1) % first(call).shape[1])


def _largest(y: Array) -> Array:
    """The index of the largest number along axis 1."""
    require(y.ndim > 1 and y.shape[1])
    return np.asarray(y.argmax(axis=1))


def _smoothed(call: Call, share: float, towards: float = 0.5) -> Array:
    """The value with labels moved towards a number; losses of classes have a parameter for that."""
    require("label_smoothing" not in call.operation.settings)
    return value(changed(call, "target", lambda y: y * (1 - share) + share * towards))


def _flattened(call: Call) -> Array:
    """The value with logits (N, C, L) reshaped to (N·L, C) without exchanging the axes first."""
    require(first(call).ndim > 2 and first(call).shape[1])
    flat = changed(call, "input", lambda x: x.reshape(-1, x.shape[1]))
    return value(changed(flat, "target", np.ravel))


def _transposed(x: Array) -> Array:
    require(x.ndim > 1)
    return x.T if x.ndim == 2 else np.swapaxes(x, 1, -1)


def _reshaped(x: Array) -> Array:
    require(x.ndim > 1)
    return np.swapaxes(x, 1, -1).reshape(x.shape)


def _outer(call: Call) -> Array:
    """The loss of every input with every target, to which (N, 1) and (N,) broadcast."""
    x, y = (array(call, name).astype(np.float64) for name in ("input", "target"))
    require(x.shape == y.shape and x.size <= _MOST_OUTER and (x.ndim == 1 or x.shape[1:] == (1,)))
    x, y = x.reshape(-1), y.reshape(-1)
    whole = {"input": x[:, np.newaxis] + 0 * y, "target": y + 0 * x[:, np.newaxis]}
    return value(call._replace(arrays={**call.arrays, **whole}))


INPUTS = [
    Hypothesis(f"{name}-first", sentence, lambda call, change=change: value(changed(call, "input", change)))
    for name, sentence, change in (
        ("sigmoid", "a sigmoid was applied to the input first", stable.sigmoid),
        # Before the softmax, which does the same to log-probabilities but is not as simple.
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
    Hypothesis(
        "target-minus-1", "1 was subtracted from the targets", lambda call: _relabelled(call, lambda y: y - 1)
    ),
    Hypothesis(
        "target-plus-1", "1 was added to the targets", lambda call: _relabelled(call, lambda y: y + 1)
    ),
    Hypothesis(
        "target-minus-1-wrapped",
        "1 was subtracted from the targets, and class 0 became the last one, as index -1 does in NumPy",
        _wrapped,
    ),
    Hypothesis(
        "ignore-0",
        "class 0 was ignored, as padding",
        lambda call: value(having(call, ignore_index=0)),
        "--ignore-index 0",
    ),
    Hypothesis(
        "target-flipped",
        "the labels 0 and 1 were exchanged",
        lambda call: value(changed(call, "target", lambda y: 1 - y)),
    ),
    Hypothesis(
        "target-negated",
        "the labels 1 and -1 were exchanged",
        lambda call: value(changed(call, "target", np.negative)),
    ),
    Hypothesis(
        "target-argmax",
        "the targets were taken as the index of their largest class",
        lambda call: value(changed(call, "target", _largest)),
    ),
    Hypothesis(
        "target-one-hot",
        "the targets were given as one-hot rows, of which the mean divides by the number of rows",
        _one_hot,
    ),
    Hypothesis("swapped", "input and target were exchanged", lambda call: value(exchanged(call))),
    Hypothesis(
        "input-target-log",
        "input and target were exchanged, with the logarithm taken of the other one",
        lambda call: value(changed(exchanged(changed(call, "input", np.exp)), "input", np.log)),
    ),
]

SHAPES = [
    Hypothesis("outer", "(N, 1) was broadcast against (N,), so that every input met every target", _outer),
    Hypothesis(
        "flattened",
        "the input was reshaped to rows of classes, without its axes being exchanged",
        _flattened,
    ),
    Hypothesis(
        "transposed",
        "the class axis of the input was exchanged with the other one",
        lambda call: value(changed(call, "input", _transposed)),
    ),
    Hypothesis(
        "reshaped",
        "the input was reshaped where its axes had to be exchanged",
        lambda call: value(changed(call, "input", _reshaped)),
    ),
]

SMOOTHING = [
    Hypothesis(
        "others-smoothing-0.1",
        "labels were smoothed by 0.1, towards the other classes alone",
        lambda call: _one_hot(call, 0.1),
    ),
    Hypothesis(
        "one-sided-smoothing-0.1",
        "the labels 1 were smoothed to 0.9, and 0 left alone",
        lambda call: _smoothed(call, 0.1, towards=0.0),
    ),
] + [
    row
    for share in (0.1, 0.05, 0.2)
    for row in (
        Hypothesis(
            f"smoothing-{share}",
            f"labels were smoothed by {share}",
            lambda call, share=share: value(having(call, label_smoothing=share)),
            f"--label-smoothing {share}",
        ),
        Hypothesis(
            f"binary-smoothing-{share}",
            f"labels were smoothed by {share}, towards ½",
            lambda call, share=share: _smoothed(call, share),
        ),
    )
]
