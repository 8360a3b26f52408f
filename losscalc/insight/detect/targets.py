"""Hypotheses on the targets: they were counted, rounded, smoothed or encoded otherwise."""

from collections.abc import Callable

import numpy as np

from losscalc.catalogue.base import Loss
from losscalc.core import scores, stable
from losscalc.core.array import Array
from losscalc.core.roles import CLASS_KINDS
from losscalc.insight.call import Call
from losscalc.insight.detect.changes import (
    along_classes,
    array,
    changed,
    first,
    having,
    target_name,
)
from losscalc.insight.detect.hypothesis import Hypothesis, Span, always, require
from losscalc.insight.detect.kinds import has_distributions, has_labels

_SHARES = Span(0.001, 0.999)


def _has_classes(loss: Loss) -> bool:
    return loss.labels == "classes"


def _has_indices(loss: Loss) -> bool:
    return loss.labels in CLASS_KINDS or loss.labels == "sequences"


def _has_whole_numbers(loss: Loss) -> bool:
    return _has_indices(loss) or loss.labels == "counts"


def _one_hot(call: Call, smoothing: float = 0.0) -> Call:
    """One-hot rows, of which the mean divides by the number of rows whatever their weights.

    Smoothing gives its share to the wrong classes only, not to all.
    """
    settings = call.operation.settings
    if settings.get("label_smoothing") and smoothing:
        call = having(call, label_smoothing=0.0)
    if settings.get("ignore_index", -100) != -100:
        call = having(call, ignore_index=-100)
    require(array(call, "target").ndim == 1 and array(call, "input").ndim > 1)
    classes = np.arange(array(call, "input").shape[1])

    def spread(target: Array) -> Array:
        hot = target[:, np.newaxis] == classes
        rows = np.where(hot, 1.0 - smoothing, smoothing / max(len(classes) - 1, 1))
        return np.asarray(rows * hot.any(axis=1, keepdims=True))

    return changed(call, "target", spread)


def _relabelled(call: Call, change: Callable[[Array], Array]) -> Call:
    """The call with every target changed but the ignored class index."""
    ignored = call.operation.settings.get("ignore_index")
    return changed(
        call,
        target_name(call),
        lambda y: change(y) if ignored is None else np.where(y == ignored, y, change(y)),
    )


def _wrapped(call: Call, step: int) -> Call:
    """The call with a step added to every class index, so that one end becomes the other."""
    require("target" in call.arrays and first(call).ndim > 1 and first(call).shape[1])
    return _relabelled(call, lambda y: (y + step) % first(call).shape[1])


def _largest(y: Array) -> Array:
    """The index of the largest number along axis 1."""
    require(y.ndim > 1 and y.shape[1])
    return np.asarray(y.argmax(axis=1))


def _of_input(call: Call) -> Call:
    """The call with the largest class of each row as its target."""
    x, y = first(call), array(call, target_name(call))
    require(x.ndim == y.ndim + 1 and x.ndim > 1 and x.shape[1])
    return _relabelled(call, lambda _: x.argmax(axis=1))


def _ignored_as_first(call: Call) -> Call:
    """The call with class 0 in the place of ignored ones."""
    ignored = call.operation.settings.get("ignore_index")
    require(ignored is not None and ignored != 0 and (array(call, target_name(call)) == ignored).any())
    return changed(call, target_name(call), lambda y: np.where(y == ignored, 0, y))


def _flattened(call: Call, share: float, towards: float = 0.5) -> Call:
    """The call with labels moved towards a number; losses of classes have a parameter for that."""
    require("label_smoothing" not in call.operation.settings)
    return changed(call, target_name(call), lambda y: y * (1 - share) + share * towards)


def _is_fraction(y: Array) -> Array:
    require((y != np.rint(y)).any())
    return y


def _threshold(y: Array) -> Array:
    return (_is_fraction(y) >= 0.5).astype(np.float64)


def _exchanged(y: Array) -> Array:
    """0 for 1, and 1 for 0; of grades, ranks and classes beyond 1 it would be a change of the sign."""
    require(((y >= 0) & (y <= 1)).all())
    return 1 - y


def _negated(y: Array) -> Array:
    require((np.abs(y) <= 1).all())
    return -y


def _has_numbers(loss: Loss) -> bool:
    return loss.labels in ("values", "counts", "amounts")


def _by_sample(y: Array) -> Array:
    require(y.ndim and len(y) > 1)
    return np.asarray((y - y.mean(axis=0)) / y.std(axis=0, ddof=1))


_Change = tuple[str, str, float, Callable[[Array], Array], Callable[[Loss], object]]

_CHANGES: tuple[_Change, ...] = (
    ("target-rounded", "the targets were rounded to whole numbers", 4.0, lambda y: np.rint(_is_fraction(y)),
     always),
    ("target-floored", "the targets were rounded down to whole numbers, as a conversion to integers does",
     4.0, lambda y: np.floor(_is_fraction(y)), always),
    ("target-ceiled", "the targets were rounded up to whole numbers", 6.0,
     lambda y: np.ceil(_is_fraction(y)), always),
    ("target-threshold", "the targets were turned into labels (1 from 0.5 on)", 4.0, _threshold, has_labels),
    ("target-above-0", "the targets were turned into labels (1 above 0)", 4.5,
     lambda y: (y > 0).astype(float), has_labels),
    ("target-flipped", "the labels 0 and 1 were exchanged", 3.5, _exchanged, has_labels),
    ("target-negated", "the labels 1 and -1 were exchanged", 3.5, _negated, has_labels),
    ("target-argmax", "the targets were taken as the index of their largest class", 4.0, _largest,
     _has_classes),
    ("target-log", "the logarithm of the targets was taken first", 5.0, np.log, _has_numbers),
    ("target-log1p", "ln(1 + y) of the targets was taken first", 5.5, np.log1p, _has_numbers),
    ("target-exp", "the exponential of the targets was taken first", 5.0, np.exp, _has_numbers),
    ("target-sigmoid", "a sigmoid was applied to the targets first", 5.0, stable.sigmoid, has_labels),
    ("target-softmax", "a softmax was applied to the target first", 4.0, along_classes(scores.softmax),
     has_distributions),
    ("target-standardized", "the targets were standardised: mean 0, standard deviation 1", 6.0,
     lambda y: (y - y.mean(axis=0)) / y.std(axis=0), _has_numbers),
    ("target-standardized-sample", "the targets were standardised, with the standard deviation of a sample "
     "(n - 1), as pandas and PyTorch do it", 6.0, _by_sample,
     _has_numbers),
    ("target-scaled", "the targets were scaled to [0, 1], from the least to the largest", 6.0,
     lambda y: (y - y.min(axis=0)) / np.ptp(y, axis=0), _has_numbers),
    ("target-squared", "the targets were squared", 7.0, np.square, always),
    ("target-abs", "the absolute value of the targets was taken", 7.0, np.abs, always),
    ("target-percent", "the targets were divided by 100, as percentages", 6.0, lambda y: y / 100, always),
    ("target-signs", "the labels were -1 and 1 where 0 and 1 are meant", 3.0, lambda y: 2 * y - 1,
     has_labels),
    ("target-zeros", "the targets were all 0", 6.0, np.zeros_like, always),
    ("target-ones", "the targets were all 1", 6.0, np.ones_like, always),
)  # fmt: skip

TARGETS = [
    *(
        Hypothesis(
            "target",
            name,
            sentence,
            bits,
            lambda call, factor=factor: changed(call, target_name(call), lambda y: y * factor),
            concerns=lambda loss: loss.labels == "labels",
        )
        for name, sentence, bits, factor in (
            ("target-255", "the labels were 0 and 255 where 0 and 1 are meant", 3.5, 255.0),
            ("target-over-255", "the labels were divided by 255, as pixels are", 4.0, 1 / 255),
        )
    ),
    Hypothesis(
        "target",
        "target-minus-1",
        "1 was subtracted from the targets",
        3.0,
        lambda call: _relabelled(call, lambda y: y - 1),
        suits=_has_whole_numbers,
    ),
    Hypothesis(
        "target",
        "target-plus-1",
        "1 was added to the targets",
        3.0,
        lambda call: _relabelled(call, lambda y: y + 1),
        suits=_has_whole_numbers,
    ),
    Hypothesis(
        "target",
        "target-minus-1-wrapped",
        "1 was subtracted from the targets, and class 0 became the last one, as index -1 does in NumPy",
        4.0,
        lambda call: _wrapped(call, -1),
        concerns=_has_indices,
    ),
    Hypothesis(
        "target",
        "target-plus-1-wrapped",
        "1 was added to the targets, and the last class became class 0",
        5.0,
        lambda call: _wrapped(call, 1),
        concerns=_has_indices,
    ),
    Hypothesis(
        "target",
        "ignore-0",
        "class 0 was ignored, as padding",
        3.5,
        lambda call: having(call, ignore_index=0),
        "--ignore-index 0",
        concerns=lambda loss: "ignore_index" in loss.settings,
    ),
    Hypothesis(
        "target",
        "ignored-as-0",
        "rows to be ignored were counted as class 0, as padding without a mask is",
        3.5,
        _ignored_as_first,
    ),
    Hypothesis(
        "target",
        "target-of-input",
        "the largest class of the predictions was taken as the target",
        5.0,
        _of_input,
        concerns=_has_indices,
    ),
    Hypothesis(
        "target",
        "target-one-hot",
        "the targets were one-hot rows, and the mean divides by the number of rows",
        3.5,
        _one_hot,
        concerns=_has_classes,
    ),
    Hypothesis(
        "target",
        "others-smoothing",
        "labels were smoothed by {number}, towards the other classes alone",
        4.5,
        _one_hot,
        concerns=_has_classes,
        span=_SHARES,
    ),
    Hypothesis(
        "target",
        "binary-smoothing",
        "labels were smoothed by {number}, towards ½",
        4.0,
        _flattened,
        concerns=lambda loss: loss.labels == "labels",
        span=_SHARES,
    ),
    Hypothesis(
        "target",
        "one-sided-smoothing",
        "the labels 1 were smoothed by {number}, and 0 left alone",
        4.5,
        lambda call, share: _flattened(call, share, towards=0.0),
        concerns=lambda loss: loss.labels == "labels",
        span=_SHARES,
    ),
    Hypothesis(
        "target",
        "target-scale",
        "the targets were multiplied by {number}",
        6.5,
        lambda call, number: changed(call, target_name(call), lambda y: y * number),
        concerns=lambda loss: loss.labels in ("values", "counts"),
        span=Span(1e-3, 1e3, is_scale=True),
    ),
    *(
        Hypothesis(
            "target",
            name,
            sentence,
            bits,
            lambda call, change=change: changed(call, target_name(call), lambda y: change(y * 1.0)),
            suits=suits,
        )
        for name, sentence, bits, change, suits in _CHANGES
    ),
]
