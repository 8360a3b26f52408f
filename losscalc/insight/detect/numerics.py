"""Hypotheses: other constants, bounds and numbers of digits."""

import math
from collections.abc import Callable
from functools import partial

import numpy as np

from losscalc.catalogue.base import Loss, losses
from losscalc.core import stable
from losscalc.core.array import Array
from losscalc.core.roles import CLASS_KINDS
from losscalc.insight.call import Call
from losscalc.insight.detect.hypothesis import Hypothesis, require
from losscalc.insight.detect.outcome import along_classes, array, as_loss, changed, is_mean, reduced, value
from losscalc.insight.explain import symbol_values, target_of
from losscalc.insight.formulas import parsed
from losscalc.insight.single import numbers, terms_of

_COMMON_BOUNDS = ("1e-7", "1e-15", "1e-8", "1e-12", "1e-5", "1e-6", "1e-9", "1e-10")
_BOUNDS = {name: float(name) for name in _COMMON_BOUNDS} | {"eps": 2.0**-52, "eps32": 2.0**-23}

FACTORS = [
    Hypothesis(name, sentence, lambda call, factor=factor: value(call).astype(np.float64) * factor)
    for name, sentence, factor in (
        ("half", "there is a factor ½", 0.5),
        ("double", "there is a factor 2", 2.0),
        ("negative", "the sign is the opposite", -1.0),
        ("base-2", "the logarithm is to base 2, the loss in bits", 1 / math.log(2)),
        ("base-10", "the logarithm is to base 10", 1 / math.log(10)),
    )
] + [
    Hypothesis("perplexity", "it is the perplexity, the exponential of the loss", lambda c: np.exp(value(c))),
    Hypothesis("root", "it is the square root of the loss", lambda call: np.sqrt(value(call))),
]


def _becomes_probabilities(loss: Loss) -> bool:
    return loss.scores == "logits" and loss.labels == "labels" and "probabilities" in loss.relatives


CLIPPING = [
    *(
        Hypothesis(
            f"clip-{name}",
            f"probabilities were clipped at {bound:.4g}, as scikit-learn or Keras do",
            lambda call, bound=bound: reduced(call, _likelihood(call, partial(_clipped, bound=bound))),
        )
        for name, bound in _BOUNDS.items()
    ),
    Hypothesis(
        "clip-1e-7-float32",
        "probabilities in float32 were clipped at 1e-07, as Keras does",
        lambda call: reduced(call, _likelihood(call, partial(_clipped, bound=1e-7), "float32")),
    ),
    *(
        Hypothesis(
            f"added-{name}",
            f"{name} was added to the probabilities before the logarithm",
            lambda call, name=name: reduced(call, _likelihood(call, partial(_added, eps=float(name)))),
        )
        for name in ("1e-8", "1e-7")
    ),
    *(
        Hypothesis(
            f"sigmoid-{name}",
            f"a sigmoid was taken in {name}, and {{probabilities}} of it, which bounds logarithms at -100",
            lambda call, name=name: _of_sigmoid(call, name),
            concerns=_becomes_probabilities,
        )
        for name in ("float64", "float32")
    ),
]

PRECISION = [
    row
    for name in ("float32", "float16")
    for row in (
        Hypothesis(
            f"dtype-{name}",
            f"the arrays are {name}",
            lambda call, name=name: value(call._replace(dtype=np.dtype(name))),
            f"--dtype {name}",
        ),
        Hypothesis(
            f"naive-{name}",
            f"it was computed in {name}, by the formula as it stands",
            lambda call, name=name: _naive(call, name),
        ),
    )
]


def _clipped(p: Array, bound: float) -> tuple[Array, Array]:
    """Probabilities clipped to [bound, 1 - bound], and their complements."""
    p = np.clip(p, bound, p.dtype.type(1) - p.dtype.type(bound))
    return p, 1 - p


def _added(p: Array, eps: float) -> tuple[Array, Array]:
    """Probabilities and their complements, with eps added to both."""
    return p + eps, 1 - p + eps


def _likelihood(call: Call, bounded: Callable[[Array], tuple[Array, Array]], dtype: str = "float64") -> Array:
    """Negative log-likelihoods of probabilities that are bounded in some way, with the call's weights."""
    loss = call.operation
    require(loss.is_likelihood and not loss.averages_classes)
    require("pos_weight" not in call.arrays and not loss.settings.get("label_smoothing"))
    if loss.labels == "labels":
        return _of_labels(call, lambda p: bounded(p.astype(dtype)))
    require(loss.labels in CLASS_KINDS)
    return _of_classes(call, lambda p: bounded(p.astype(dtype))[0])


def _of_labels(call: Call, bounded: Callable[[Array], tuple[Array, Array]]) -> Array:
    x, y = array(call, "input").astype(np.float64), array(call, "target")
    p, q = bounded(stable.sigmoid(x) if call.operation.scores == "logits" else x)
    weight = np.asarray(call.arrays.get("weight", 1.0))
    return np.asarray(-weight * (y * np.log(p) + (1 - y) * np.log(q)))


def _of_classes(call: Call, bounded: Callable[[Array], Array]) -> Array:
    require(call.operation.scores in ("logits", "log-probabilities"))
    x, y = array(call, "input").astype(np.float64), array(call, "target")
    require(x.ndim > 1)
    p = bounded(
        np.exp(x) if call.operation.scores == "log-probabilities" else along_classes(stable.softmax)(x)
    )
    weight = np.asarray(call.arrays.get("weight", 1.0))
    if y.shape == x.shape:
        weight = weight.reshape(-1, *(1,) * (x.ndim - 2))
        return np.asarray(-(weight * y * np.log(p)).sum(axis=1))
    counts = y != call.operation.settings["ignore_index"]
    classes = np.where(counts, y, 0).astype(np.int64)
    picked = np.take_along_axis(p, np.expand_dims(classes, 1), axis=1).squeeze(1)
    return np.where(counts, -np.log(picked) * (weight[classes] if weight.ndim else 1.0), 0.0)


def _of_sigmoid(call: Call, name: str) -> Array:
    """The loss of probabilities that were computed in a dtype, and perhaps rounded to 0 or 1."""
    require("pos_weight" not in call.arrays)
    logits = array(call, "input").astype(name)
    p = (1 / (1 + np.exp(-logits))).astype(np.float64)
    other = as_loss(call, losses()[call.operation.relatives["probabilities"]])
    return value(changed(other, "input", lambda _: p))


def _naive(call: Call, name: str) -> Array:
    """The formula in plain NumPy of a dtype, reduced in that dtype."""
    require(call.operation.like is None)
    dtype = np.dtype(name)
    arrays = numbers(call)
    terms = terms_of(call)
    shape = terms.value.shape
    # With a share, the mean is not the sum of the losses over a denominator.
    require(terms.value.size and not (terms.share is not None and is_mean(call)))
    values = symbol_values(call.operation, arrays, shape)
    narrow = {key: None if number is None else number.astype(dtype) for key, number in values.items()}
    single = parsed(call.operation.explained(target_of(call.operation, arrays))).evaluate(narrow)
    single = np.broadcast_to(single, (*shape, 1))[..., 0].astype(dtype)
    ignored = terms.ignored
    return reduced(call, single if ignored is None else np.where(ignored, dtype.type(0), single))
