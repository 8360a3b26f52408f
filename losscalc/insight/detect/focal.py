"""Hypotheses on focal losses: the factor of another probability, or of the mean."""

from typing import Any

import numpy as np

from losscalc.catalogue.base import Loss
from losscalc.core.array import Array
from losscalc.insight.call import Call
from losscalc.insight.detect.changes import having
from losscalc.insight.detect.hypothesis import Row, require, rows
from losscalc.insight.detect.losses import Losses

# The value of alpha that leaves the factor of the labels out.
_NO_ALPHA = -1.0


def _is_focal(loss: Loss) -> bool:
    return "gamma" in loss.settings and "smooth_nr" not in loss.settings


def _gamma(call: Call) -> float:
    gamma: Any = call.operation.settings["gamma"]
    return float(gamma)


def _plain(call: Call) -> Losses:
    """The losses -ln p, without factors."""
    if "alpha" in call.operation.settings:
        call = having(call, alpha=_NO_ALPHA)
    for name in [name for name, role in call.operation.roles.items() if "weights" in role.kind]:
        call = call.without(name) if name in call.arrays else call
    return Losses.of(having(call, gamma=0.0))


def _factored(call: Call, factor: Array) -> Losses:
    """The losses with their weights, but another factor in the place of the focal one."""
    unfocused = Losses.of(having(call, gamma=0.0))
    require(unfocused.value.shape == factor.shape)
    return unfocused.with_values(unfocused.value * factor)


def _of_right(call: Call) -> Losses:
    """The factor is p^gamma."""
    return _factored(call, np.exp(-_gamma(call) * _plain(call).value))


def _of_mean(call: Call) -> Losses:
    """The factor is that of the mean of -ln p, for all losses."""
    plain = _plain(call)
    require(plain.is_single)
    mean = plain.mean_of(plain.counts)
    factor = (-np.expm1(-mean)) ** _gamma(call)
    return _factored(call, np.full(plain.value.shape, factor))


def _of_plain_mean(call: Call) -> Losses:
    """The same, without alpha or weights."""
    plain = _plain(call)
    require(plain.is_single and plain.value.size)
    factor = (-np.expm1(-plain.mean_of(plain.counts))) ** _gamma(call)
    return plain.with_values(plain.value * factor)


_ROWS: tuple[Row, ...] = (
    ("focal-on-right", "the focal factor has the wrong probability: it is p^γ, not (1 - p)^γ", 3.5, _of_right,
     _is_focal),
    ("focal-factor-of-mean", "the focal factor (1 - exp(-L))^γ was that of the mean loss L", 4.0, _of_mean,
     _is_focal),
    ("focal-factor-of-plain-mean",
     "the focal factor (1 - exp(-L))^γ was that of the mean loss L, without alpha and weights", 4.5,
     _of_plain_mean, _is_focal),
)  # fmt: skip

FOCAL = rows("losses", _ROWS)
