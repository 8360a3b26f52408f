"""Hypotheses on precision: arrays, single losses and sums of fewer digits."""

import math
from collections.abc import Callable

import numpy as np

from losscalc.core.array import Array
from losscalc.core.reductions import MEAN
from losscalc.insight.call import Call
from losscalc.insight.detect.changes import classes, narrowed, real
from losscalc.insight.detect.hypothesis import Hypothesis, require
from losscalc.insight.detect.kinds import has_softmax
from losscalc.insight.detect.losses import Losses
from losscalc.insight.formulas import parsed
from losscalc.insight.single import numbers, terms_of
from losscalc.insight.symbols import symbol_values, target_of

# Losses up to so many are added up one by one.
_MOST_RUNNING = 5000
# The bits of a number, the exponent of the smallest normal one, as frexp has it, and the largest number.
_SHORT = {"bfloat16": (8, -125, 3.3895313892515355e38), "float16": (11, -13, 65504.0)}
# How PyTorch adds up the losses of rows.
_LEVELS = 8


def _rounded(call: Call, name: str) -> Losses:
    """Arrays, single losses and the result rounded to a dtype, with arithmetic of more digits between."""
    narrow = narrowed(name)
    for key in call.arrays:
        if np.asarray(call.arrays[key]).dtype.kind == "f":
            call = call.changed(key, narrow)
    losses = Losses.of(call)
    rounded = losses.with_values(narrow(losses.value)) if losses.is_single else losses
    return rounded._replace(rounds=narrow, whole=narrow(rounded.whole))


def _shortening(name: str) -> Callable[[float], float]:
    """Rounding of one number to a dtype, of which arrays would take their time."""
    bits, least, largest = _SHORT[name]

    def short(number: float) -> float:
        if not abs(number) < 2 * largest:
            return number if math.isnan(number) else math.copysign(math.inf, number)
        places = bits - max(math.frexp(number)[1], least)
        rounded = math.ldexp(round(math.ldexp(number, places)), -places)
        return rounded if abs(rounded) <= largest else math.copysign(math.inf, number)

    return short


def _as_pytorch(call: Call, name: str) -> Losses:
    """The cross-entropy of rows as PyTorch computes it in a dtype on a CPU.

    The sum of exponentials and its logarithm are rounded, and so are the single losses and their sums.
    """
    narrow, loss = narrowed(name), call.operation
    require(
        loss.settings.get("label_smoothing") == 0 and not {"weight", "sample_weight"} & call.arrays.keys()
    )
    x, y = narrow(real(call, "input")), classes(call)
    require(x.ndim == 2 and y.shape == x.shape[:1] and x.shape[1] and np.isfinite(x).all())
    losses = Losses.of(call)
    own = np.where(losses.counts, y, 0)
    top = x.max(axis=1)
    logarithm = narrow(np.log(narrow(np.exp(x - top[:, np.newaxis]).sum(axis=1))))
    single = narrow(logarithm - (np.take_along_axis(x, own[:, np.newaxis], axis=1)[:, 0] - top))
    changed = losses.with_values(single)
    require(changed.value.size <= _MOST_RUNNING and losses.counted)
    total = _cascaded(single, losses.counts, _shortening(name))
    whole = _reduced(changed, narrow(np.asarray(total / losses.counted)), np.asarray(total))
    return changed._replace(rounds=narrow, whole=whole)


def _cascaded(values: Array, counts: np.ndarray, short: Callable[[float], float]) -> float:
    """The sum of those that count by PyTorch's levels: every 16 numbers of one go to the next."""
    parts, numbers = [0.0] * _LEVELS, values.tolist()
    for row in np.flatnonzero(counts).tolist():
        parts[0] = short(parts[0] + numbers[row])
        for level in range(_LEVELS - 1):
            if (row >> 4 * level) % 16:
                break
            parts[level + 1] = short(parts[level + 1] + parts[level])
            parts[level] = 0.0
    total = 0.0
    for part in parts:
        total = short(total + part)
    return total


def _running(call: Call, name: str) -> Losses:
    """Arrays, single losses, their running sum and its quotient in few digits."""
    rounded = _rounded(call, name)
    require(rounded.is_single and rounded.value.size <= _MOST_RUNNING)
    narrow, total = narrowed(name), 0.0
    short = _shortening(name)
    for share in rounded.share.ravel().tolist():
        total = short(total + share)
    divisor = float(rounded.divisor.sum())
    require(divisor)
    return rounded._replace(whole=_reduced(rounded, narrow(np.array(total / divisor)), np.array(total)))


def _naive(call: Call, name: str) -> Losses:
    """The formula in plain NumPy of a dtype, reduced in that dtype."""
    require(call.operation.like is None)
    dtype, arrays, terms = np.dtype(name), numbers(call), terms_of(call)
    shape = terms.value.shape
    # With a share, the mean is not the sum of the losses over a denominator.
    require(terms.value.size and not (terms.share is not None and call.reduction.name == MEAN.name))
    with np.errstate(all="ignore"):
        values = symbol_values(call.operation, arrays, shape)
        narrow = {key: None if number is None else number.astype(dtype) for key, number in values.items()}
        single = parsed(call.operation.explained(target_of(call.operation, arrays))).evaluate(narrow)
        single = np.broadcast_to(single, (*shape, 1))[..., 0].astype(dtype)
        losses = Losses.of(call)
        single = np.where(losses.counts, single, dtype.type(0))
        divisor = losses.divisor.sum().astype(dtype)
        mean = single.sum() / divisor
    if "sample_weight" in call.arrays:
        return losses.having(single.astype(np.float64))
    changed = losses.with_values(single.astype(np.float64))
    whole = _reduced(changed, mean, single.sum()).astype(dtype)
    return changed._replace(whole=np.asarray(whole, np.float64))


def _reduced(losses: Losses, mean: Array, total: Array) -> Array:
    """The mean or sum that was computed in fewer digits, in the place of that of the rounded losses."""
    call = losses.call
    if call.reduction.keeps or call.reduction.name not in (MEAN.name, "sum"):
        return losses.whole
    is_mean = call.reduction.name == MEAN.name
    return np.asarray(call.operation.linked(call.reduction, float(mean if is_mean else total)), np.float64)


PRECISION = [
    *(
        Hypothesis(
            "loss",
            f"dtype-{name}",
            f"the arrays are {name}",
            4.0,
            lambda call, name=name: call._replace(dtype=np.dtype(name)),
            f"--dtype {name}",
            is_rounded=name == "float16",
        )
        for name in ("float32", "float16")
    ),
    *(
        Hypothesis(
            "losses",
            f"all-{name}",
            f"everything is in {name}: the arrays, single losses and the result were rounded to it",
            bits,
            lambda call, name=name: _rounded(call, name),
            is_rounded=True,
        )
        for name, bits in (("bfloat16", 3.5), ("float16", 4.0))
    ),
    *(
        Hypothesis(
            "losses",
            f"torch-{name}",
            f"everything is in {name}, and rounded on the way as PyTorch does on a CPU",
            3.5,
            lambda call, name=name: _as_pytorch(call, name),
            concerns=has_softmax,
            is_rounded=True,
        )
        for name in ("bfloat16", "float16")
    ),
    *(
        Hypothesis(
            "losses",
            f"running-{name}",
            f"everything is in {name}, the running sum of the losses too",
            5.0,
            lambda call, name=name: _running(call, name),
            is_rounded=True,
        )
        for name in ("bfloat16", "float16")
    ),
    *(
        Hypothesis(
            "losses",
            f"naive-{name}",
            f"it was computed in {name} by the textbook formula",
            5.0,
            lambda call, name=name: _naive(call, name),
            is_rounded=name == "float16",
        )
        for name in ("float64", "float32", "float16")
    ),
]
