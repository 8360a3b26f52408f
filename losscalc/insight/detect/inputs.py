"""Hypotheses on the predictions: they were taken for something else, rounded, or lay otherwise in memory."""

from collections.abc import Callable

import numpy as np

from losscalc.catalogue.base import Loss
from losscalc.core import scores, stable
from losscalc.core.array import Array
from losscalc.insight.call import Call
from losscalc.insight.detect.changes import along_classes, changed, first, narrowed
from losscalc.insight.detect.hypothesis import Hypothesis, Span, always, require
from losscalc.insight.detect.kinds import has_rows_of_classes


def _softmax(x: Array) -> Array:
    """Of log-probabilities it is their exponential, and not what was done."""
    found = along_classes(scores.softmax)(x)
    require(not np.allclose(found, np.exp(x)))
    return found


def _softmax_twice(x: Array) -> Array:
    softmax = along_classes(scores.softmax)
    return softmax(softmax(x))


def _logit(p: Array) -> Array:
    return np.asarray(np.log(p) - np.log1p(-p))


def _flattened(call: Call) -> Call:
    """The call with logits (N, C, L) reshaped to (N·L, C) without exchanging the axes first."""
    require(first(call).ndim > 2 and first(call).shape[1])
    flat = changed(call, "input", lambda x: x.reshape(-1, x.shape[1]))
    return changed(flat, "target", np.ravel)


def _transposed(x: Array) -> Array:
    require(x.ndim > 1)
    return x.T if x.ndim == 2 else np.swapaxes(x, 1, -1)


def _channels_last(x: Array) -> Array:
    """Memory whose classes come last, viewed as if they were on axis 1."""
    require(x.ndim > 1)
    return np.asarray(np.moveaxis(x, 1, -1).reshape(x.shape))


def _channels_first(x: Array) -> Array:
    """Memory whose classes are on axis 1, viewed as if they came last."""
    require(x.ndim > 2)
    return np.moveaxis(x.reshape(x.shape[0], *x.shape[2:], x.shape[1]), -1, 1)


def _exchanged(x: Array) -> Array:
    require(x.ndim > 3)
    return np.swapaxes(x, 1, -1).reshape(x.shape)


def _hard(x: Array) -> Array:
    """1 at the largest of each row, and 0 elsewhere."""
    require(x.ndim > 1)
    return np.asarray(x == x.max(axis=1, keepdims=True), np.float64)


def _is_probable(x: Array) -> Array:
    require(((x >= 0) & (x <= 1)).all())
    return np.asarray(x >= 0.5, np.float64)


def _unit(x: Array) -> Array:
    """Rows with a length of 1."""
    require(x.ndim > 1)
    return np.asarray(x / np.sqrt((x * x).sum(axis=-1, keepdims=True)))


def _standard(x: Array) -> Array:
    """Columns with a mean of 0 and a standard deviation of 1."""
    return np.asarray((x - x.mean(axis=0)) / x.std(axis=0))


def _within_unit(x: Array) -> Array:
    require(((x < 0) | (x > 1)).any())
    return np.asarray(np.clip(x, 0.0, 1.0))


def _other_column(x: Array) -> Array:
    """The other one of two columns, or what is left to 1."""
    require(x.ndim > 1 and x.shape[-1] == 2)
    return np.asarray(x[..., ::-1])


def _roll(x: Array) -> Array:
    require(x.ndim > 1)
    return np.roll(x, 1, axis=1)


def _has_logits(loss: Loss) -> bool:
    return loss.scores == "logits"


def _has_signs(loss: Loss) -> bool:
    """Whether scores lie around 0, or are compared: those of classes, and ranks."""
    return loss.scores == "logits" or loss.labels == "relevance"


def _has_probabilities(loss: Loss) -> bool:
    return loss.scores in ("logits", "probabilities", "shares", "amounts")


def _has_logarithms(loss: Loss) -> bool:
    return loss.scores in ("log-probabilities", "log-likelihoods", "logits") or loss.labels == "counts"


def _has_binary(loss: Loss) -> bool:
    return loss.labels in ("labels", "signs", "class-lists")


def _has_values(loss: Loss) -> bool:
    return loss.scores in ("values", "counts")


def _cut(x: Array, top: float) -> Array:
    require((np.abs(x) > top).any())
    return np.asarray(np.clip(x, -top, top))


def _capped(x: Array, top: float) -> Array:
    return np.asarray(top * np.tanh(x / top))


# The usual bounds of logits.
_TOPS = (5.0, 10.0, 20.0, 30.0, 50.0)

_Change = tuple[str, str, float, Callable[[Array], Array], Callable[[Loss], object]]

_CHANGES: tuple[_Change, ...] = (
    ("sigmoid-first", "a sigmoid was applied to the input first", 2.5, stable.sigmoid, _has_logits),
    # Before the softmax, which does the same to log-probabilities but is not as simple.
    ("exp-first", "the exponential of the input was taken first", 4.0, np.exp, _has_logarithms),
    ("softmax-first", "a softmax was applied to the input first", 2.5, _softmax,
     has_rows_of_classes),
    ("two-softmaxes", "a softmax was applied to the input first, twice", 5.5, _softmax_twice,
     has_rows_of_classes),
    ("log-softmax-first", "a log-softmax was applied to the input first", 4.0,
     along_classes(scores.log_softmax), has_rows_of_classes),
    ("log-sigmoid-first", "a log-sigmoid was applied to the input first", 5.0, stable.log_sigmoid,
     _has_binary),
    ("log-first", "the logarithm of the input was taken first", 4.0, np.log, _has_probabilities),
    ("log1p-first", "ln(1 + x) of the input was taken first", 5.0, np.log1p, _has_values),
    ("expm1-first", "exp(x) - 1 of the input was taken first", 5.5, np.expm1, _has_values),
    ("logit-first", "the input was taken as probabilities, and turned into logits", 4.5, _logit,
     _has_probabilities),
    ("negated", "the input has the opposite sign", 4.0, np.negative, _has_signs),
    ("complement-first", "the input was subtracted from 1, the probability of the other class", 4.0,
     lambda x: 1 - x, _has_probabilities),
    ("softmax-axis-0-first", "a softmax over axis 0, down each column, was applied to the input first", 5.0,
     along_classes(scores.softmax, 0), has_rows_of_classes),
    ("log-softmax-axis-0-first", "a log-softmax over axis 0, down each column, was applied to the input", 5.5,
     along_classes(scores.log_softmax, 0), has_rows_of_classes),
    ("tanh-first", "a tanh was applied to the input first", 6.0, np.tanh, always),
    ("relu-first", "a ReLU was applied to the input first: negative numbers became 0", 6.0,
     lambda x: np.maximum(x, 0), always),
    ("abs-first", "the absolute value of the input was taken first", 6.5, np.abs, always),
    ("square-first", "the input was squared first", 7.0, np.square, always),
    ("root-first", "the square root of the input was taken first", 7.0, np.sqrt, always),
    ("rounded-first", "the input was rounded to whole numbers", 5.0, np.rint, always),
    ("floored-first", "the input was rounded down to whole numbers", 6.0, np.floor, always),
    ("clipped-to-unit", "the input was clipped to [0, 1]", 5.0, _within_unit, always),
    ("threshold-first", "the input was turned into hard decisions first (1 from 0.5 on)", 4.5, _is_probable,
     _has_binary),
    ("sign-first", "the input was turned into hard decisions first (1 above 0)", 5.0,
     lambda x: (x > 0).astype(float), _has_binary),
    ("argmax-first", "the input was turned into hard decisions first (1 for the largest of a row)", 5.0,
     _hard, has_rows_of_classes),
    ("normalized-first", "the rows of the input were normalised to length 1 first", 5.5, _unit, always),
    ("standardized-first", "the columns of the input were standardised first", 7.0, _standard, always),
    ("degrees-first", "the input was turned from radians to degrees", 6.0, np.degrees, _has_values),
    ("radians-first", "the input was turned from degrees to radians", 6.0, np.radians, _has_values),
    ("percent-first", "the input was divided by 100, as percentages", 5.5, lambda x: x / 100, always),
    ("times-100-first", "the input was multiplied by 100, to percentages", 6.5, lambda x: x * 100, always),
    ("columns-exchanged", "the two columns of the input were exchanged", 4.5, _other_column, always),
    ("columns-rolled", "the columns of the input were off by one", 6.5, _roll, always),
    ("transposed", "the class axis of the input was exchanged with the other one", 5.0, _transposed, always),
    ("reshaped",
     "the input has its classes last in memory (NHWC), and was viewed as if they were on axis 1 (NCHW)",
     4.0, _channels_last, has_rows_of_classes),
    ("viewed-channels-last",
     "the input has its classes on axis 1 in memory (NCHW), and was viewed as if they came last (NHWC)",
     4.5, _channels_first, has_rows_of_classes),
    ("axes-exchanged",
     "the class axis of the input was exchanged with the last one, and the result reshaped", 5.5,
     _exchanged, has_rows_of_classes),
    ("input-bfloat16", "the input is bfloat16 and the loss float32 or more, as autocast does", 2.5,
     narrowed("bfloat16"), always),
    ("input-float16", "the input is float16 and the loss float32 or more, as autocast does", 2.5,
     narrowed("float16"), always),
)  # fmt: skip

INPUTS = [
    *(
        Hypothesis(
            "input",
            name,
            sentence,
            bits,
            lambda call, change=change: changed(call, _first(call), lambda x: change(x * 1.0)),
            suits=suits,
        )
        for name, sentence, bits, change, suits in _CHANGES
    ),
    Hypothesis(
        "input",
        "decimals",
        "the input was rounded to {number} decimals",
        3.5,
        lambda call, number: changed(call, _first(call), lambda x: np.round(x, int(number))),
        tried=lambda call: range(1, 5),
    ),
    *(
        Hypothesis(
            "input",
            name,
            sentence,
            bits,
            lambda call, top, bound=bound: changed(call, _first(call), lambda x: bound(x, top)),
            concerns=_has_logits,
            tried=lambda call: _TOPS,
        )
        for name, sentence, bits, bound in (
            ("logits-clipped", "logits were clipped to ±{number}", 3.5, _cut),
            ("soft-cap", "logits were capped softly at {number}, as c·tanh(x/c)", 4.0, _capped),
        )
    ),
    Hypothesis(
        "input",
        "flattened",
        "the input was reshaped to rows of classes, without its axes being exchanged",
        4.5,
        _flattened,
    ),
    Hypothesis(
        "input",
        "temperature",
        "the input was divided by {number}, a temperature",
        4.0,
        lambda call, number: changed(call, _first(call), lambda x: x / number),
        concerns=lambda loss: loss.scores == "logits" and "temperature" not in loss.settings,
        span=Span(1e-3, 1e3, is_scale=True),
    ),
    Hypothesis(
        "input",
        "input-scale",
        "the input was multiplied by {number}",
        6.0,
        lambda call, number: changed(call, _first(call), lambda x: x * number),
        concerns=lambda loss: loss.scores != "logits",
        span=Span(1e-3, 1e3, is_scale=True),
    ),
    Hypothesis(
        "input",
        "offset",
        "{number} was added to the input, a bias or base score",
        5.0,
        lambda call, number: changed(call, _first(call), lambda x: x + number),
        span=Span(-20.0, 20.0),
    ),
]


def _first(call: Call) -> str:
    """The name of the predictions."""
    return next(iter(call.arrays))
