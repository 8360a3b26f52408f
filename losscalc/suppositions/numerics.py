"""Other constants, bounds and numbers of digits, and losses that are close to another."""

import math
from collections.abc import Iterator

import numpy as np

from losscalc import stable
from losscalc.arrays import Array
from losscalc.calls import Call, along_classes
from losscalc.declaration import array_arguments, parameters
from losscalc.explanation import symbol_values
from losscalc.formulas import parsed
from losscalc.loss import losses
from losscalc.suppositions.supposition import Supposition

_CLOSE = {
    "mse": ("l1",),
    "l1": ("mse", "smooth-l1"),
    "smooth-l1": ("huber", "l1", "mse"),
    "huber": ("smooth-l1", "l1", "mse"),
    "bce-logits": ("bce", "soft-margin"),
    "cross-entropy": ("nll", "multi-margin"),
    "nll": ("cross-entropy",),
    "giou": ("diou", "ciou"),
    "diou": ("giou", "ciou"),
    "ciou": ("giou", "diou"),
    "hinge-embedding": ("soft-margin",),
    "soft-margin": ("hinge-embedding", "bce-logits"),
    "sigmoid-focal": ("bce-logits",),
}
_BENDS = {"huber": "delta", "smooth-l1": "beta"}
_BOUNDS = {"1e-7": 1e-7, "1e-15": 1e-15, "1e-8": 1e-8, "1e-12": 1e-12, "eps": 2.0**-52, "eps32": 2.0**-23}

FACTORS = [
    Supposition(name, sentence, lambda call, factor=factor: call.value.astype(np.float64) * factor)
    for name, sentence, factor in (
        ("half", "there is a factor ½", 0.5),
        ("double", "there is a factor 2", 2.0),
        ("negative", "the sign is the opposite", -1.0),
        ("base-2", "the logarithm is to base 2, the loss in bits", 1 / math.log(2)),
        ("base-10", "the logarithm is to base 10", 1 / math.log(10)),
    )
] + [
    Supposition("perplexity", "it is the perplexity, the exponential of the loss", lambda c: np.exp(c.value)),
    Supposition("root", "it is the square root of the loss", lambda call: np.sqrt(call.value)),
]

CLIPPING = [
    Supposition(
        f"clip-{name}",
        f"probabilities were clipped at {bound:.4g}, as scikit-learn or Keras do",
        lambda call, bound=bound: call.reduced(_clipped(call, bound)),
    )
    for name, bound in _BOUNDS.items()
]

PRECISION = [
    row
    for name in ("float32", "float16")
    for row in (
        Supposition(
            f"dtype-{name}",
            f"the arrays are {name}",
            lambda call, name=name: call._replace(dtype=np.dtype(name)).value,
            f"--dtype {name}",
        ),
        Supposition(
            f"naive-{name}",
            f"it was computed in {name}, by the formula as it stands",
            lambda call, name=name: _naive(call, name),
        ),
    )
]


def of_loss(call: Call) -> Iterator[Supposition]:
    """What may be supposed of the loss itself: another one, a flag turned over, a parameter left out."""
    for name in _CLOSE.get(call.loss.name, ()):
        yield Supposition(f"as-{name}", f"it is the loss {name}", lambda c, name=name: _as(c, name))
    for parameter in parameters(type(call.loss)):
        now, option = getattr(call.loss, parameter.name), "--" + parameter.name.replace("_", "-")
        if parameter.kind is bool:
            flag = f"--no-{option[2:]}" if now else option
            yield _having(flag[2:], f"{flag} was meant", parameter.name, not now, flag)
        elif parameter.default is not None and now != parameter.default:
            word = f"{option} {parameter.default}"
            sentence = f"{option} was not applied"
            yield _having(f"default-{option[2:]}", sentence, parameter.name, parameter.default, word)
    if call.loss.name == "sigmoid-focal":
        sentence = "there is no factor alpha, as in Keras and optax"
        yield _having("no-alpha", sentence, "alpha", -1.0, "--alpha -1")
    if call.loss.name == "multi-margin":
        sentence = "only the worst class counts, as in Keras, optax and scikit-learn"
        yield Supposition("worst-class", sentence, lambda call: call.reduced(_worst(call)))


def _having(name: str, sentence: str, parameter: str, value: object, options: str) -> Supposition:
    return Supposition(name, sentence, lambda call: call.having(**{parameter: value}).value, options)


def _as(call: Call, name: str) -> Array:
    """The value of another loss, with the arrays that it knows and the same bend."""
    cls = losses()[name]
    kept = {array.name for array in array_arguments(cls)}
    bend = getattr(call.loss, _BENDS.get(call.loss.name, ""), None)
    settings = {_BENDS[name]: bend} if name in _BENDS and bend is not None else {}
    arrays = {key: array for key, array in call.arrays.items() if key in kept}
    return call._replace(loss=cls(**settings), arrays=arrays).value


def _clipped(call: Call, bound: float) -> Array:
    """Negative log-likelihoods of probabilities that are kept away from 0 and 1."""
    if "pos_weight" in call.arrays or call.loss.settings.get("label_smoothing"):
        raise ValueError("more than the bound would differ")
    x, y = np.asarray(call.arrays["input"], dtype=np.float64), np.asarray(call.arrays["target"])
    weight = np.asarray(call.arrays.get("weight", 1.0))
    if call.loss.name in ("bce", "bce-logits"):
        p = np.clip(stable.sigmoid(x) if call.loss.name == "bce-logits" else x, bound, 1 - bound)
        return np.asarray(-weight * (y * np.log(p) + (1 - y) * np.log1p(-p)))
    p = np.exp(x) if call.loss.name == "nll" else along_classes(stable.softmax)(x)
    if call.loss.name not in ("nll", "cross-entropy"):
        raise ValueError("there are no probabilities to be clipped")
    p = np.clip(p, bound, 1 - bound)
    if y.shape == x.shape:
        return np.asarray(-(weight * y * np.log(p)).sum(axis=1))
    counts = y != getattr(call.loss, "ignore_index")  # noqa: B009 - both have it
    classes = np.where(counts, y, 0).astype(np.int64)
    picked = np.take_along_axis(p, np.expand_dims(classes, 1), axis=1).squeeze(1)
    return np.where(counts, -np.log(picked) * (weight[classes] if weight.ndim else 1.0), 0.0)


def _worst(call: Call) -> Array:
    """The hinge loss of Crammer and Singer: the largest violation of each row."""
    x, y = (np.asarray(call.arrays[name]) for name in ("input", "target"))
    right = np.take_along_axis(x, y.astype(np.int64)[:, np.newaxis], axis=1)
    wrong = np.where(np.arange(x.shape[1]) == y[:, np.newaxis], -np.inf, x)
    margin = float(getattr(call.loss, "margin"))  # noqa: B009 - of the losses that have one
    return np.asarray(np.maximum(margin + (wrong - right).max(axis=1), 0.0))


def _naive(call: Call, name: str) -> Array:
    """The formula in plain NumPy of that dtype, reduced in it."""
    dtype = np.dtype(name)
    arrays = call.numbers
    target = arrays.get("target", np.empty(0))
    terms = call.loss.terms(**arrays)
    shape = terms.value.shape
    if terms.share is not None and call.is_mean:
        raise ValueError("the mean is not that of the losses")
    values = symbol_values(call.loss, arrays, shape)
    narrow = {key: None if value is None else value.astype(dtype) for key, value in values.items()}
    single = parsed(call.loss.explained(target)).evaluate(narrow)
    single = np.broadcast_to(single, (*shape, 1))[..., 0].astype(dtype)
    return call.reduced(single if terms.ignored is None else np.where(terms.ignored, dtype.type(0), single))
