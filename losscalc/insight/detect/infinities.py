"""Hypotheses that lead to infinity or NaN: logarithms of 0, their products with 0, and empty means."""

from collections.abc import Callable

import numpy as np

from losscalc.catalogue.base import Loss
from losscalc.core import scores, stable
from losscalc.core.array import Array
from losscalc.core.roles import CLASS_KINDS
from losscalc.insight.call import Call
from losscalc.insight.detect.batches import sizes
from losscalc.insight.detect.changes import along_classes, array, first, real
from losscalc.insight.detect.hypothesis import Hypothesis, require
from losscalc.insight.detect.kinds import has_classes
from losscalc.insight.detect.losses import Losses


def _has_zeros(loss: Loss) -> bool:
    return loss.is_likelihood or loss.labels in ("distributions", "shares")


def _of_probabilities(loss: Loss) -> bool:
    return loss.is_likelihood and loss.scores == "probabilities" and loss.labels == "labels"


def _unbounded(call: Call) -> Losses:
    """The losses with the logarithm of 0 as it is."""
    p, y = real(call, "input"), real(call, "target")
    require(((p == 0) | (p == 1)).any())
    weight = np.asarray(call.arrays.get("weight", 1.0))
    logarithms = stable.xmul(y, np.log(p)) + stable.xmul(1 - y, np.log1p(-p))
    return Losses.of(call).having(-weight * logarithms)


def _products(call: Call) -> Losses:
    """The losses, of which those with a product of 0 and the logarithm of 0 are NaN."""
    losses = Losses.of(call)
    require(losses.is_single and {"input", "target"} <= call.arrays.keys())
    lost = _zeros(call)
    if lost.ndim > losses.value.ndim:
        lost = np.asarray(lost.any(axis=tuple(range(losses.value.ndim, lost.ndim))))
    require(lost.shape == losses.value.shape)
    lost &= losses.counts
    require(lost.any() and np.isfinite(losses.value).all())
    return losses.with_values(np.where(lost, np.nan, losses.value))


def _zeros(call: Call) -> np.ndarray:
    """Which losses have such a product."""
    loss, x, y = call.operation, real(call, "input"), array(call, "target")
    if loss.labels in CLASS_KINDS:
        require(x.ndim > 1 and loss.scores in ("logits", "probabilities", "log-probabilities"))
        logits = along_classes(scores.softmax)
        p = logits(x) if loss.scores == "logits" else np.exp(x) if loss.scores.startswith("log") else x
        # The product is that of a wrong class, whose probability is 0.
        return np.asarray((p == 0).any(axis=1))
    if loss.labels == "labels":
        p = stable.sigmoid(x) if loss.scores == "logits" else x
        return np.asarray(((y == 0) & (p == 0)) | ((y == 1) & (p == 1)))
    require(not loss.settings.get("log_target"))
    return np.asarray((y == 0) | ((loss.scores == "shares") & (x == 0)))


def _empty(count: int, divisors: Array) -> float:
    """NaN if some of several means is one of nothing."""
    require(count > 1 and len(divisors) and (divisors == 0).any() and (divisors > 0).any())
    return float("nan")


def _empty_row(losses: Losses) -> float:
    divisors = losses.of_rows[1]
    return _empty(len(divisors), divisors)


def _empty_class(losses: Losses) -> float:
    """NaN if there is a class that no label has."""
    x, labels = first(losses.call), losses.labels[losses.counts]
    count = x.shape[1] if x.ndim > 1 else 0
    known = labels[(labels >= 0) & (labels < count)].astype(np.int64)
    return _empty(count, np.bincount(known, minlength=count))


def _sizes_with_empty(losses: Losses) -> Array:
    """The sizes of batches of which one has nothing that counts."""
    require(not losses.of_rows[1].all())
    return np.array([size for size in sizes(losses).tolist() if (_of_batches(losses, size) == 0).any()])


def _of_batches(losses: Losses, size: int) -> Array:
    divisors = losses.of_rows[1]
    return np.add.reduceat(divisors, np.arange(0, len(divisors), size))


def _empty_batch(losses: Losses, keys: Array) -> Array:
    require((np.asarray(keys) >= 1).all())
    found = [_of_batches(losses, int(size)) for size in keys.tolist()]
    return np.array([_empty(len(divisors), divisors) for divisors in found])


_PRODUCTS: tuple[tuple[str, str, float, Callable[[Call], Losses], Callable[[Loss], object]], ...] = (
    ("unbounded-logarithms", "the logarithm of a probability of 0 was not bounded", 2.0,
     _unbounded, _of_probabilities),
    ("zero-times-infinity", "0·ln 0 became NaN, where it counts as 0", 2.0, _products, _has_zeros),
)  # fmt: skip

INFINITIES = [
    *(
        Hypothesis("losses", name, sentence, bits, apply, concerns=concerns)
        for name, sentence, bits, apply, concerns in _PRODUCTS
    ),
    Hypothesis(
        "aggregation",
        "empty-row",
        "a row without anything that counts was averaged as well, which is NaN",
        2.0,
        _empty_row,
    ),
    Hypothesis(
        "aggregation",
        "empty-class",
        "a class without labels was averaged as well, which is NaN",
        2.5,
        _empty_class,
        concerns=has_classes,
    ),
    Hypothesis(
        "aggregation",
        "empty-batch",
        "a batch of {number} without anything that counts was averaged as well, which is NaN",
        1.5,
        _empty_batch,
        tried=_sizes_with_empty,
    ),
]
