"""Hypotheses on single losses that are -ln p: p bounded, rounded, or used otherwise."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from losscalc.catalogue.base import Loss, losses
from losscalc.core import scores, stable
from losscalc.core.array import Array
from losscalc.core.roles import CLASS_KINDS
from losscalc.insight.call import Call
from losscalc.insight.detect.changes import along_classes, array, as_loss, changed, narrowed, real
from losscalc.insight.detect.hypothesis import Hypothesis, Span, require
from losscalc.insight.detect.kinds import is_likelihood
from losscalc.insight.detect.losses import Losses

_BOUNDS = Span(1e-16, 0.3, is_scale=True)
# What probabilities are bounded to: the probability, and its complement, of which the logarithms are taken.
_Bounded = tuple[Array, Array]


def _becomes_probabilities(loss: Loss) -> bool:
    return loss.scores == "logits" and loss.labels == "labels" and "probabilities" in loss.relatives


def _clipped(p: Array, bound: float) -> _Bounded:
    """Probabilities clipped to [bound, 1 - bound], and their complements."""
    p = np.clip(p, bound, p.dtype.type(1) - p.dtype.type(bound))
    return p, 1 - p


def _each_clipped(p: Array, bound: float) -> _Bounded:
    """Probabilities and their complements clipped, each by itself, as two columns are."""
    return np.clip(p, bound, 1 - bound), np.clip(1 - p, bound, 1 - bound)


def _from_below(p: Array, bound: float) -> _Bounded:
    return np.maximum(p, bound), np.maximum(1 - p, bound)


def _added(p: Array, eps: float) -> _Bounded:
    """Probabilities and their complements, with eps added to both."""
    return p + eps, 1 - p + eps


def _clipped_and_added(p: Array, eps: float) -> _Bounded:
    p, q = _clipped(p, eps)
    return p + eps, q + eps


def _likelihood(call: Call, bounded: Callable[[Array], _Bounded], dtype: str = "float64") -> Losses:
    """The losses of probabilities that are bounded in some way, with the call's weights."""
    loss = call.operation
    require(loss.is_likelihood and not loss.averages_classes)
    require("pos_weight" not in call.arrays and not loss.settings.get("label_smoothing"))
    base = Losses.of(call)
    with np.errstate(all="ignore"):
        if loss.labels == "labels":
            return base.having(_of_labels(call, lambda p: bounded(p.astype(dtype))))
        require(loss.labels in (*CLASS_KINDS, "outcomes"))
        return base.having(_of_classes(call, lambda p: bounded(p.astype(dtype))[0]))


def _of_labels(call: Call, bounded: Callable[[Array], _Bounded]) -> Array:
    x, y = real(call, "input"), array(call, "target")
    p, q = bounded(stable.sigmoid(x) if call.operation.scores == "logits" else x)
    weight = np.asarray(call.arrays.get("weight", 1.0))
    return np.asarray(
        -weight * (stable.xmul(y * 1.0, np.log(p)) + stable.xmul(1.0 - y, np.log(q))), np.float64
    )


def _of_classes(call: Call, bounded: Callable[[Array], Array]) -> Array:
    require(call.operation.scores in ("logits", "log-probabilities"))
    x, y = real(call, "input"), array(call, "target")
    require(x.ndim > 1)
    p = bounded(
        np.exp(x) if call.operation.scores == "log-probabilities" else along_classes(scores.softmax)(x)
    )
    weight = np.asarray(call.arrays.get("weight", 1.0))
    if y.shape == x.shape:
        weight = weight.reshape(-1, *(1,) * (x.ndim - 2))
        return np.asarray(-(weight * y * np.log(p)).sum(axis=1), np.float64)
    counts = y != call.operation.settings.get("ignore_index")
    classes = np.where(counts, y, 0).astype(np.int64)
    require(classes.size and classes.min() >= 0 and classes.max() < x.shape[1])
    picked = np.take_along_axis(p, np.expand_dims(classes, 1), axis=1).squeeze(1)
    return np.where(counts, -np.log(picked) * (weight[classes] if weight.ndim else 1.0), 0.0)


def _of_sigmoid(call: Call, name: str) -> Losses:
    """The loss of probabilities that were computed in a dtype, and perhaps rounded to 0 or 1."""
    require("pos_weight" not in call.arrays)
    with np.errstate(over="ignore"):
        logits = array(call, "input").astype(name)
        p = (1 / (1 + np.exp(-logits))).astype(np.float64)
    other = as_loss(call, losses()[call.operation.relatives["probabilities"]])
    return Losses.of(changed(other, "input", lambda _: p))


def _of_rounded_softmax(call: Call, name: str) -> Losses:
    """Logarithms of probabilities that were rounded to a dtype."""
    return _likelihood(call, lambda p: (narrowed(name)(p), narrowed(name)(1 - p)))


def _family(name: str, sentence: str, bits: float, bounded: Callable[[Array, float], _Bounded]) -> Hypothesis:
    return Hypothesis(
        "losses",
        name,
        sentence,
        bits,
        lambda call, number: _likelihood(call, lambda p: bounded(p, number)),
        concerns=is_likelihood,
        span=_BOUNDS,
    )


def _by_dtype(
    name: str,
    dtypes: Sequence[str],
    sentence: str,
    bits: float,
    losses_of: Callable[[Call, str], Losses],
    concerns: Callable[[Loss], object],
) -> list[Hypothesis]:
    """The same in each of several dtypes."""
    return [
        Hypothesis(
            "losses",
            f"{name}-{dtype}",
            sentence.replace("{dtype}", dtype),
            bits,
            lambda call, dtype=dtype: losses_of(call, dtype),
            concerns=concerns,
        )
        for dtype in dtypes
    ]


def _entropy(call: Call) -> Array:
    """-Σ p·ln p of each row of the predictions."""
    x = real(call, "input")
    require(x.ndim > 1 and call.operation.scores == "logits")
    logarithms = along_classes(scores.log_softmax)(x)
    return np.asarray(-(np.exp(logarithms) * logarithms).sum(axis=1))


def _penalized(call: Call, number: float) -> Losses:
    base = Losses.of(call)
    return base.with_values(base.value - number * _entropy(call))


_FORMS: tuple[tuple[str, str, float, Callable[[Array], Array]], ...] = (
    ("minus-p", "the logarithm was forgotten: it is -p of the right answer", 4.0, lambda v: -np.exp(-v)),
    ("p", "it is p, the probability of the right answer", 4.5, lambda v: np.exp(-v)),
    ("one-minus-p", "it is 1 - p, with p the probability of the right answer", 4.0, lambda v: -np.expm1(-v)),
    ("squared-miss", "it is (1 - p)², with p the probability of the right answer", 5.0,
     lambda v: np.expm1(-v) ** 2),
    ("one-over-p", "it is 1/p, with p the probability of the right answer", 6.5, np.exp),
    ("without-own", "the right class was left out of the softmax's sum", 5.0,
     lambda v: v + np.log(-np.expm1(-v))),
    ("wrong-answer", "it is -ln(1 - p): the wrong answer was scored", 5.0, lambda v: -np.log(-np.expm1(-v))),
)  # fmt: skip

_POWERS: tuple[tuple[str, str, float, Callable[[Array, float], Array], Span], ...] = (
    ("focused", "it is the focal loss without alpha: each loss times (1 - p)^{number}", 4.5,
     lambda v, g: (-np.expm1(-v)) ** g * v, Span(0.1, 10.0)),
    ("focused-on-right", "the focal factor has the wrong probability: each loss was multiplied by p^{number}",
     6.0, lambda v, g: np.exp(-g * v) * v, Span(0.1, 10.0)),
    ("poly", "it is the poly loss, with {number}·(1 - p) added to each loss", 5.0,
     lambda v, e: v - e * np.expm1(-v), Span(-1.0, 10.0)),
    ("generalized", "it is the generalised cross-entropy (1 - p^q)/q, with q {number}", 5.5,
     lambda v, q: -np.expm1(-q * v) / q, Span(0.01, 1.0)),
    ("capped", "single losses were capped at {number}", 5.5, lambda v, top: np.minimum(v, top),
     Span(0.01, 1e3, is_scale=True)),
)  # fmt: skip

LIKELIHOOD = [
    _family("clip", "probabilities were clipped to [{number}, 1 - {number}]", 2.5, _clipped),
    _family(
        "clip-each",
        "p and 1 - p were clipped at {number}, each by itself, as two columns of probabilities are",
        3.5,
        _each_clipped,
    ),
    _family("clip-below", "probabilities were kept above {number}, but not below 1", 4.0, _from_below),
    _family("added", "{number} was added to the probabilities before the logarithm", 3.0, _added),
    _family(
        "clip-and-added",
        "probabilities were clipped at {number}, which was then added to them again, as in Keras 2",
        3.5,
        _clipped_and_added,
    ),
    *(
        Hypothesis(
            "losses",
            f"clip-{name}",
            f"probabilities were clipped at {bound:.4g}, the smallest step of {dtype}, as scikit-learn does",
            4.5,
            lambda call, bound=bound: _likelihood(call, partial(_clipped, bound=bound)),
            concerns=is_likelihood,
        )
        for name, bound, dtype in (("eps", 2.0**-52, "float64"), ("eps32", 2.0**-23, "float32"))
    ),
    Hypothesis(
        "losses",
        "clip-1e-7-float32",
        "probabilities in float32 were clipped at 1e-07, as Keras does",
        4.5,
        lambda call: _likelihood(call, partial(_clipped, bound=1e-7), "float32"),
        concerns=is_likelihood,
    ),
    Hypothesis(
        "losses",
        "clip-and-added-1e-7-float32",
        "probabilities in float32 were clipped at 1e-07, and 1e-07 was added to them again, as in Keras 2",
        5.0,
        lambda call: _likelihood(call, partial(_clipped_and_added, eps=float(np.float32(1e-7))), "float32"),
        concerns=is_likelihood,
    ),
    *_by_dtype(
        "sigmoid",
        ("float64", "float32"),
        "a sigmoid was taken in {dtype}, and {probabilities} of it, which bounds logarithms at -100",
        4.0,
        _of_sigmoid,
        _becomes_probabilities,
    ),
    *_by_dtype(
        "probabilities",
        ("bfloat16", "float16"),
        "probabilities were rounded to {dtype} before the logarithm",
        5.5,
        _of_rounded_softmax,
        is_likelihood,
    ),
    *_by_dtype(
        "probabilities",
        ("float32", "float64"),
        "probabilities were rounded to {dtype} before the logarithm",
        4.0,
        _of_rounded_softmax,
        is_likelihood,
    ),
    *(
        Hypothesis(
            "losses",
            name,
            text,
            bits,
            lambda call, form=form: Losses.of(call).plainly(form),
            concerns=is_likelihood,
        )
        for name, text, bits, form in _FORMS
    ),
    *(
        Hypothesis(
            "losses",
            name,
            text,
            bits,
            lambda call, number, form=form: Losses.of(call).plainly(lambda v: form(v, number)),
            concerns=is_likelihood,
            span=span,
        )
        for name, text, bits, form, span in _POWERS
    ),
    Hypothesis(
        "losses",
        "confidence-penalty",
        "{number} times the entropy of the predictions was subtracted from each loss",
        6.0,
        _penalized,
        concerns=lambda loss: loss.is_likelihood and loss.labels in CLASS_KINDS,
        span=Span(-1.0, 1.0),
    ),
    Hypothesis(
        "losses",
        "entropy",
        "it is the entropy of the predictions, whatever the targets",
        6.0,
        lambda call: Losses.of(call).having(_entropy(call)),
        concerns=lambda loss: loss.is_likelihood and loss.labels in CLASS_KINDS,
    ),
]
