"""Other constants, bounds and numbers of digits, and losses that are close to another."""

import math
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from losscalc.catalogue.base import losses
from losscalc.core import stable
from losscalc.core.array import Array
from losscalc.core.declaration import array_arguments, parameters
from losscalc.insight.call import Call, along_classes
from losscalc.insight.detect.hypothesis import Supposition
from losscalc.insight.explain import symbol_values
from losscalc.insight.formulas import parsed

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
_COMMON_BOUNDS = ("1e-7", "1e-15", "1e-8", "1e-12", "1e-5", "1e-6", "1e-9", "1e-10")
_BOUNDS = {name: float(name) for name in _COMMON_BOUNDS} | {"eps": 2.0**-52, "eps32": 2.0**-23}

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
    *(
        Supposition(
            f"clip-{name}",
            f"probabilities were clipped at {bound:.4g}, as scikit-learn or Keras do",
            lambda call, bound=bound: call.reduced(_likelihood(call, partial(_clipped, bound=bound))),
        )
        for name, bound in _BOUNDS.items()
    ),
    Supposition(
        "clip-1e-7-float32",
        "probabilities in float32 were clipped at 1e-07, as Keras does",
        lambda call: call.reduced(_likelihood(call, partial(_clipped, bound=1e-7), "float32")),
    ),
    *(
        Supposition(
            f"added-{name}",
            f"{name} was added to the probabilities before the logarithm",
            lambda call, name=name: call.reduced(_likelihood(call, partial(_added, eps=float(name)))),
        )
        for name in ("1e-8", "1e-7")
    ),
    *(
        Supposition(
            f"sigmoid-{name}",
            f"a sigmoid was taken in {name}, and bce of it, which bounds logarithms at -100",
            lambda call, name=name: _of_sigmoid(call, name),
        )
        for name in ("float64", "float32")
    ),
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


def _clipped(p: Array, bound: float) -> tuple[Array, Array]:
    """Probabilities that are kept away from 0 and 1, and those of the opposite."""
    p = np.clip(p, bound, p.dtype.type(1) - p.dtype.type(bound))
    return p, 1 - p


def _added(p: Array, eps: float) -> tuple[Array, Array]:
    """Probabilities and those of the opposite, a little of which is added to either."""
    return p + eps, 1 - p + eps


def _likelihood(call: Call, bounded: Callable[[Array], tuple[Array, Array]], dtype: str = "float64") -> Array:
    """Negative log-likelihoods of probabilities that are bounded in some way."""
    if "pos_weight" in call.arrays or call.loss.settings.get("label_smoothing"):
        raise ValueError("more than the bound would differ")
    x, y = np.asarray(call.arrays["input"], dtype=np.float64), np.asarray(call.arrays["target"])
    weight = np.asarray(call.arrays.get("weight", 1.0))
    if call.loss.name in ("bce", "bce-logits"):
        p, q = bounded((stable.sigmoid(x) if call.loss.name == "bce-logits" else x).astype(dtype))
        return np.asarray(-weight * (y * np.log(p) + (1 - y) * np.log(q)))
    p = np.exp(x) if call.loss.name == "nll" else along_classes(stable.softmax)(x)
    if call.loss.name not in ("nll", "cross-entropy"):
        raise ValueError("there are no probabilities to be bounded")
    p, _ = bounded(p.astype(dtype))
    if y.shape == x.shape:
        return np.asarray(-(weight * y * np.log(p)).sum(axis=1))
    counts = y != getattr(call.loss, "ignore_index")  # noqa: B009 - both have it
    classes = np.where(counts, y, 0).astype(np.int64)
    picked = np.take_along_axis(p, np.expand_dims(classes, 1), axis=1).squeeze(1)
    return np.where(counts, -np.log(picked) * (weight[classes] if weight.ndim else 1.0), 0.0)


def _of_sigmoid(call: Call, name: str) -> Array:
    """Binary cross-entropy of probabilities that were rounded to a dtype, perhaps to 0 or 1."""
    if call.loss.name != "bce-logits" or "pos_weight" in call.arrays:
        raise ValueError("only logits without weights of the positive labels become probabilities")
    p = (1 / (1 + np.exp(-np.asarray(call.arrays["input"]).astype(name)))).astype(np.float64)
    return call.changed("input", lambda _: p)._replace(loss=losses()["bce"]()).value


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
