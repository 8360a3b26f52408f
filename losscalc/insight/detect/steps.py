"""Hypotheses on the last step: what was done to the number in the end."""

import math
from collections.abc import Callable

import numpy as np

from losscalc.catalogue.base import Loss
from losscalc.core.array import Array
from losscalc.insight.detect.changes import bfloat16, first, narrowed
from losscalc.insight.detect.hypothesis import Hypothesis, Span, always, require
from losscalc.insight.detect.kinds import is_likelihood
from losscalc.insight.detect.losses import Losses

_Step = tuple[str, str, float, Callable[[Array], Array], Callable[[Loss], object]]


def _is_overlap(loss: Loss) -> bool:
    return loss.scores == "boxes" or "smooth_nr" in loss.settings


def _is_square(loss: Loss) -> bool:
    return loss.error_power == 2 or loss.labels == "amounts"


_STEPS: tuple[_Step, ...] = (
    ("half", "a factor ½ was applied", 2.0, lambda v: v / 2, always),
    ("double", "a factor 2 was applied", 2.0, lambda v: v * 2, always),
    ("negative", "the sign is the opposite", 3.0, lambda v: -v, always),
    ("base-2", "the logarithm is to base 2, the loss in bits", 3.0, lambda v: v / math.log(2), always),
    ("base-10", "the logarithm is to base 10", 4.5, lambda v: v / math.log(10), always),
    ("times-ln-2", "the loss was multiplied by ln 2, as if it were in bits", 5.0, lambda v: v * math.log(2),
     always),
    ("perplexity", "it is the perplexity, the exponential of the loss", 3.0, np.exp, always),
    ("perplexity-base-2", "it is 2 to the power of the loss, which is in nats", 5.0, np.exp2, is_likelihood),
    ("exp-negative", "it is exp(-loss), the geometric mean of the probabilities", 4.5, lambda v: np.exp(-v),
     always),
    ("logarithm", "it is the logarithm of the loss", 5.5, np.log, always),
    ("minus-one", "1 was subtracted: minus the coefficient, where the loss is 1 minus it", 4.0,
     lambda v: v - 1, _is_overlap),
    ("log-of-complement", "it is -ln(1 - loss), minus the logarithm of the coefficient", 4.0,
     lambda v: -np.log1p(-v), _is_overlap),
    ("half-coefficient", "the factor 2 of the coefficient was forgotten: it is (1 + loss)/2", 4.5,
     lambda v: (1 + v) / 2, _is_overlap),
    ("base-10-squared", "logarithms are to base 10, and squared", 5.0, lambda v: v / math.log(10) ** 2,
     _is_square),
    ("plus-ln-2", "ln 2 was not taken off", 6.0, lambda v: v + math.log(2), always),
    ("complement", "it was subtracted from 1", 4.0, lambda v: 1 - v, always),
    ("root", "it is the square root of the loss", 3.5, np.sqrt, always),
    ("square", "it is the square of the loss", 5.5, np.square, always),
    ("psnr", "it is the PSNR for a range of 1, 10·lg(1/loss)", 6.0, lambda v: -10 * np.log10(v), _is_square),
    ("percent-right", "it was subtracted from 1, in per cent: 100 less 100 times the loss", 5.0,
     lambda v: 100 * (1 - v), lambda loss: loss.labels in ("values", "amounts", "labels")),
    ("pixels-squared", "it is of pixels from 0 to 255, not from 0 to 1: 255² times the loss", 4.5,
     lambda v: v * 255**2, _is_square),
    ("pixels", "it is of pixels from 0 to 255, not from 0 to 1: 255 times the loss", 5.0,
     lambda v: v * 255, lambda loss: loss.labels == "values"),
    ("degrees-squared", "it is of degrees, not radians: (180/π)² times the loss", 6.0,
     lambda v: v * math.degrees(1) ** 2, _is_square),
    ("degrees", "it is of degrees, not radians: 180/π times the loss", 6.0,
     lambda v: v * math.degrees(1), lambda loss: loss.labels == "values"),
    ("percent", "it is in per cent, 100 times the loss", 4.5, lambda v: v * 100, always),
    ("result-float16", "the result was rounded to float16", 5.5, narrowed("float16"), always),
    ("result-bfloat16", "the result was rounded to bfloat16", 5.5, bfloat16, always),
)  # fmt: skip


# Of which the number has few digits.
_FEW_DIGITS = ("result-float16", "result-bfloat16")


def _counts(losses: Losses) -> dict[str, float]:
    """Numbers of the call by which people multiply and divide."""
    shape, rows = first(losses.call).shape, losses.partial.rows
    width = shape[1] if len(shape) > 1 else 0
    return {"rows": rows, "columns": width, "elements": math.prod(shape)}


def _of_count(name: str, power: int) -> Callable[[Losses, Array], Array]:
    def values(losses: Losses, values: Array) -> Array:
        count = float(_counts(losses)[name])
        require(count > 1)
        return np.asarray(values * count**power)

    return values


def _focused(values: Array, gamma: float) -> Array:
    return np.asarray((1 - np.exp(-values)) ** gamma * values)


LAST = [
    *(
        Hypothesis(
            "last",
            name,
            text,
            bits,
            lambda losses, v, change=change: change(v),
            concerns=concerns,
            is_rounded=name in _FEW_DIGITS,
        )
        for name, text, bits, change, concerns in _STEPS
    ),
    *(
        Hypothesis(
            "last",
            f"{verb}-{name}",
            f"the loss was {done} by the number of {name}",
            bits,
            _of_count(name, power),
        )
        for name, bits in (("rows", 4.0), ("columns", 4.0), ("elements", 5.5))
        for verb, done, power in (("times", "multiplied", 1), ("divided-by", "divided", -1))
    ),
    Hypothesis(
        "last",
        "focal-of-mean",
        "the focal factor (1 - exp(-L))^γ was that of the mean loss L, with γ {number}",
        5.0,
        lambda losses, values, number: _focused(values, number),
        concerns=is_likelihood,
        span=Span(0.1, 10.0),
    ),
]
"""The steps; factors and divisors that are whole numbers are recognised, not tried."""

TIMES = Hypothesis(
    "last",
    "times",
    "the loss was multiplied by {number} (a number of batches, or a weight)",
    3.0,
    lambda losses, values, number: values * number,
    span=Span(1e-6, 1e6, is_scale=True),
)
DIVIDED = Hypothesis(
    "last",
    "divided-by",
    "the loss was divided by {number} (a number of batches, or of accumulation steps)",
    3.0,
    lambda losses, values, number: values / number,
    span=Span(2, 1e6, is_scale=True),
)
