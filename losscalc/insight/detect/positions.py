"""Hypotheses on sequences: which of their positions count, and labels of the next position."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from losscalc.catalogue.base import Loss
from losscalc.core.array import Array
from losscalc.insight.call import Call
from losscalc.insight.detect.changes import array, changed, exchanged, first, target_name
from losscalc.insight.detect.hypothesis import Hypothesis, require
from losscalc.insight.detect.kinds import has_arrays, has_classes
from losscalc.insight.detect.losses import Losses

_MASKS = ("mask", "chosen_mask", "rejected_mask")


def _has_masks(loss: Loss) -> bool:
    return any(name in loss.roles for name in _MASKS)


def _later(counts: Array) -> Array:
    """Masks moved on by one position, the first of which does not count."""
    moved = np.roll(counts, 1, axis=-1)
    moved[..., 0] = 0
    return moved


def _earlier(counts: Array) -> Array:
    moved = np.roll(counts, -1, axis=-1)
    moved[..., -1] = 0
    return moved


def _masked(call: Call, change: Callable[[Array], Array]) -> Call:
    """The call with all of its masks changed."""
    names = [name for name in _MASKS if name in call.arrays]
    require(names)
    for name in names:
        require(array(call, name).ndim > 1)
        call = changed(call, name, change)
    return call


def _ignored(call: Call, change: Callable[[Array], Array]) -> Call:
    """The call with other positions ignored; labels that were ignored, and are not, are of class 0."""
    ignored: Any = call.operation.settings.get("ignore_index")
    name = target_name(call)
    labels = array(call, name)
    counts = (labels != ignored).astype(np.int64)
    require(ignored is not None and labels.ndim > 1 and counts.any() and not counts.all())
    known = np.where(counts == 1, labels, 0)
    return call.changed(name, lambda _: np.where(change(counts) == 1, known, ignored))


def _of_positions(losses: Losses, picked: Callable[[Array], Array]) -> float:
    """The mean of some positions of each sequence of those that count."""
    require(losses.is_single and losses.value.ndim > 1)
    kept = losses.counts & (picked(losses.counts.astype(np.int64)) == 1)
    require(kept.any())
    return float(losses.linked(np.array([losses.mean_of(kept)]))[0])


def _without_first(counts: Array) -> Array:
    found = counts.copy()
    found[..., 0] = 0
    return found


def _is_last(counts: Array) -> Array:
    """The last position of each sequence that counts."""
    after = np.cumsum(counts[..., ::-1], axis=-1)[..., ::-1]
    return np.asarray((counts == 1) & (after == 1), np.int64)


def _shifted_flat(call: Call) -> Call:
    """The call of sequences one behind the other, each position beside the label of the next."""
    name, own = target_name(call), next(iter(call.arrays))
    x, y = array(call, own), array(call, name)
    require(x.ndim == y.ndim + 1 >= 3 and call.arrays.keys() == {own, name})
    rows, labels = np.moveaxis(x, 1, -1).reshape(-1, x.shape[1]), y.ravel()
    require(len(rows) == len(labels) > 1)
    return call._replace(arrays={**call.arrays, own: rows[:-1], name: labels[1:]})


def _without_masks(call: Call) -> Call:
    for name in _pair(call):
        call = changed(call, name, np.ones_like)
    return call


def _pair(call: Call) -> tuple[str, str]:
    require(call.arrays.keys() >= {*_MASKS[1:]})
    return _MASKS[1], _MASKS[2]


def _averaged(call: Call) -> Call:
    """The call with log-likelihoods of tokens divided by the number of tokens of their answer."""
    for mask in _pair(call):
        lengths = array(call, mask).sum(axis=-1, keepdims=True)
        require(first(call).ndim > 1 and (lengths > 0).all())
        side = mask.removesuffix("_mask")
        for name in [name for name in call.arrays if side in name and name != mask]:
            call = changed(call, name, partial(np.multiply, 1 / lengths))
    return call


_CHANGES: tuple[tuple[str, str, float, Callable[[Array], Array]], ...] = (
    ("inverted", "upside down: what it leaves out counted alone", 2.5, lambda m: 1 - m),
    ("shifted", "one position too late", 3.0, _later),
    ("early", "one position too early", 3.5, _earlier),
    ("reversed", "in reversed order, as of padding on the other side", 3.5, lambda m: np.flip(m, -1)),
)

POSITIONS = [
    *(
        Hypothesis(
            "arrays",
            f"mask-{name}",
            f"the mask was {what}",
            bits,
            lambda call, change=change: _masked(call, change),
            concerns=_has_masks,
            as_given=True,
        )
        for name, what, bits, change in _CHANGES
    ),
    *(
        Hypothesis(
            "target",
            f"ignored-{name}",
            f"the mask of what is ignored was {what}; labels without a class are 0",
            bits + 1.0,
            lambda call, change=change: _ignored(call, change),
            concerns=has_classes,
        )
        for name, what, bits, change in _CHANGES[1:]
    ),
    Hypothesis(
        "aggregation",
        "without-first-position",
        "the first position of each sequence was left out",
        3.5,
        lambda losses: _of_positions(losses, _without_first),
        concerns=has_classes,
    ),
    Hypothesis(
        "aggregation",
        "without-last-token",
        "the last position that counts was left out of each sequence, as where padding is the end token",
        3.5,
        lambda losses: _of_positions(losses, lambda counts: counts - _is_last(counts)),
        concerns=has_classes,
    ),
    Hypothesis(
        "aggregation",
        "last-token",
        "only the last position that counts of each sequence was averaged",
        4.0,
        lambda losses: _of_positions(losses, _is_last),
        concerns=has_classes,
    ),
    Hypothesis(
        "rows",
        "shifted-flat",
        "sequences were flattened before targets were shifted by 1, so that the last position of each stood "
        "beside the first label of the next",
        3.5,
        _shifted_flat,
        concerns=has_classes,
    ),
    Hypothesis(
        "arrays",
        "no-masks",
        "both masks were left out",
        2.5,
        _without_masks,
        concerns=has_arrays(*_MASKS[1:]),
    ),
    Hypothesis(
        "arrays",
        "masks-exchanged",
        "the masks of chosen and rejected were exchanged",
        3.0,
        lambda call: exchanged(call, *_pair(call)),
        concerns=has_arrays(*_MASKS[1:]),
    ),
    Hypothesis(
        "arrays",
        "length-averaged",
        "log-likelihoods were averaged over the tokens of each answer, not added up",
        3.0,
        _averaged,
        concerns=has_arrays(*_MASKS[1:]),
    ),
]
