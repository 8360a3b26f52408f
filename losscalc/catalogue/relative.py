"""Regression losses of relative errors: percentages, and differences of logarithms."""

from typing import Annotated

import numpy as np

from losscalc.catalogue.base import loss
from losscalc.catalogue.regression import Regression
from losscalc.core.array import FloatArray
from losscalc.core.conventions import Convention, agreeing, clipped
from losscalc.core.declaration import Doc
from losscalc.core.domains import FINITE_NOT_NEGATIVE, Except, Interval
from losscalc.core.reductions import Slope, Terms
from losscalc.core.roles import Role, Values
from losscalc.core.stable import number, where

Measured = Annotated[
    FloatArray,
    Role(
        "Real values, of the shape of the input; their size is what the error is measured by.",
        "values",
        advised=Except(0),
        beyond="there the error is divided by `eps`",
    ),
]
AboveMinusOne = Annotated[
    FloatArray,
    Role(
        "Values greater than -1, of any shape.",
        "amounts",
        Interval(-1.0, low_open=True),
        hint="the loss compares ln(1 + value); if these are logarithms already, use mse",
        nan=True,
    ),
]

_LIFTED = clipped(1e-7)
"""What Keras does to values before it takes the logarithm of 1 + value."""


class Relative(Regression):
    """The base of this family: no weights, and nothing of PyTorch's."""

    divisor = "the number of elements"
    legacy = False
    uses = ("regression", "forecast")


@loss("mape")
class MAPE(Relative):
    """Mean absolute percentage error, as a fraction: 0.05 for 5 percent.

    `input` and `target` have any shape, the same for both. The difference is divided by the size of the
    target, or by `eps` where that is smaller: a target of 0 gives a huge number, and a warning. The mean
    divides by the number of elements.

    Raises ShapeError for shapes that differ, DTypeError for values that are not real numbers and
    ParameterError for an `eps` that is negative or not finite.

    Source: https://scikit-learn.org/stable/modules/generated/sklearn.metrics.mean_absolute_percentage_error.html

    >>> MAPE()([2.5, 0.0, 2.0, 8.0], [3.0, -0.5, 2.0, 7.0])
    np.float64(0.327380952)
    """

    aliases = ("mean_absolute_percentage_error",)
    close = ("smape", "l1")
    conventions = (
        Convention(
            "keras",
            "gives per cent, and divides by at least 1e-7",
            "keras.losses.mean_absolute_percentage_error, 3.15.1",
            {"eps": 1e-7},
            factor=100.0,
        ),
        Convention(
            "torchmetrics",
            "divides by at least 1.17e-6",
            "torchmetrics.functional.mean_absolute_percentage_error, 1.9.0",
            {"eps": 1.17e-6},
        ),
        *agreeing(sklearn="sklearn.metrics.mean_absolute_percentage_error, 1.9.1"),
    )
    contrast = {"input": [1.0, 2e-7], "target": [2.0, 5e-8]}
    example = {"input": [2.5, 0.0, 2.0, 8.0], "target": [3.0, -0.5, 2.0, 7.0]}

    formula = "|x - y| / max(|y|, ε)"
    derivative = "0 if x = y, else (x - y) / (|x - y|·max(|y|, ε))"

    eps: Annotated[float, FINITE_NOT_NEGATIVE, Doc("The least divisor of a difference; 1e-7 in Keras.")] = (
        2.0**-52
    )

    def terms(self, input: Values, target: Measured) -> Terms:
        size = np.maximum(np.abs(target), number(self.eps, target))
        scale = _scale(input, target)
        return Terms(np.abs(scale * input - scale * target) / size / scale)

    def gradient(self, input: Values, target: Measured) -> Slope:
        """The sign of the difference, over the size of the target."""
        return Slope(np.sign(input - target) / np.maximum(np.abs(target), self.eps))


@loss("smape")
class SMAPE(Relative):
    """Symmetric mean absolute percentage error, as a fraction from 0 to 2.

    `input` and `target` have any shape, the same for both. The difference is divided by the mean size of the
    two, which counts as at least half of `eps`; two zeros have no error. Other definitions leave out the
    factor 2, or give per cent. The mean divides by the number of elements.

    Raises ShapeError for shapes that differ, DTypeError for values that are not real numbers and
    ParameterError for an `eps` that is negative or not finite.

    Source: https://lightning.ai/docs/torchmetrics/stable/regression/symmetric_mean_absolute_percentage_error.html

    >>> SMAPE()([1.0, 2.0, 3.5], [1.5, 1.0, 3.0])
    np.float64(0.406837607)
    """

    aliases = ("symmetric_mean_absolute_percentage_error",)
    close = ("mape", "l1")
    conventions = agreeing(
        torchmetrics="torchmetrics.functional.symmetric_mean_absolute_percentage_error, 1.9.0"
    )
    range = Interval(0.0, 2.0)
    example = {"input": [1.0, 2.0, 3.5], "target": [1.5, 1.0, 3.0]}

    formula = "0 if x = y, else 2·|x - y| / max(|x| + |y|, ε)"
    derivative = (
        "0 if x = y, 2·(x - y) / (|x - y|·max(s, ε)) if x = 0, 2·(x - y) / (|x - y|·ε) if s < ε, "
        "else 2·((x - y)·s / |x - y| - |x - y|·x / |x|) / s², s = |x| + |y|"
    )

    eps: Annotated[float, FINITE_NOT_NEGATIVE, Doc("The least divisor of twice a difference.")] = 1.17e-6

    def terms(self, input: Values, target: Values) -> Terms:
        scale = _scale(input, target)
        x, y = scale * input, scale * target
        distance, size = np.abs(x - y), np.maximum(np.abs(x) + np.abs(y), scale * self.eps)
        return Terms(np.where(distance == 0, 0.0, 2.0 * distance / size))

    def gradient(self, input: Values, target: Values) -> Slope:
        """2·(sign(x-y)·s - |x-y|·sign(x)) / s², with s = |x| + |y|; 2·sign(x-y) / ε where s is smaller."""
        size = np.abs(input) + np.abs(target)
        # Of numbers with the same sign, s - |x-y| is twice the smaller and s + |x-y| twice the larger: what
        # is left is 2·|y|. Of numbers with opposite signs it is 0, as the loss is 2 throughout.
        alike = np.sign(input) * np.sign(target)
        share = np.where(alike > 0, 2.0 * (np.abs(target) / size), np.where(input == 0, 1.0, 0.0))
        share = np.where(size < self.eps, 1.0, share)
        slope = np.sign(input - target) * (2.0 * (share / np.maximum(size, self.eps)))
        return Slope(np.where(input == target, 0.0, slope))


class SquaredLogarithmic(Relative):
    """The base of the losses of squared differences of logarithms."""

    formula = "(ln(1 + x) - ln(1 + y))²"
    derivative = "2·(ln(1 + x) - ln(1 + y)) / (1 + x)"

    def terms(self, input: AboveMinusOne, target: AboveMinusOne) -> Terms:
        gap = _log_gap(input, target)
        return Terms(gap * gap)

    def gradient(self, input: AboveMinusOne, target: AboveMinusOne) -> Slope:
        """Twice the difference of the logarithms, over 1 + x."""
        return Slope(2.0 * np.sign(input - target) * _log_gap(input, target) / (1.0 + input))


@loss("msle")
class MSLE(SquaredLogarithmic):
    """Squared difference of the logarithms of 1 + value.

    `input` and `target` have any shape, the same for both, and values greater than -1, usually amounts of at
    least 0. The relative error counts, and too little costs more than too much. The mean divides
    by the number of elements.

    Raises ShapeError for shapes that differ, DTypeError for values that are not real numbers and DomainError
    for a value of -1 or less.

    Source: https://scikit-learn.org/stable/modules/generated/sklearn.metrics.mean_squared_log_error.html

    >>> MSLE()([2.5, 5.0, 4.0, 8.0], [3.0, 5.0, 2.5, 7.0], reduction="none")
    array([0.01783063, 0.        , 0.12721702, 0.01387284])
    """

    aliases = ("mean_squared_log_error", "mean_squared_logarithmic_error")
    close = ("mse", "rmsle")
    conventions = (
        Convention(
            "keras",
            "raises values below 1e-7, negative ones too, to 1e-7",
            "keras.losses.mean_squared_logarithmic_error, 3.15.1",
            changes={"input": _LIFTED, "target": _LIFTED},
            takes=("input", "target"),
        ),
        *agreeing(
            sklearn="sklearn.metrics.mean_squared_log_error, 1.9.1",
            torchmetrics="torchmetrics.functional.mean_squared_log_error, 1.9.0",
        ),
    )
    contrast = {"input": [2.5, -0.5], "target": [3.0, 1.0]}
    example = {"input": [2.5, 5.0, 4.0, 8.0], "target": [3.0, 5.0, 2.5, 7.0], "reduction": "none"}


def _scale(x: FloatArray, y: FloatArray) -> FloatArray:
    """A power of two for each pair, times which neither their sum nor their difference overflows."""
    return np.where(np.maximum(np.abs(x), np.abs(y)) > 1.0, 0.25, 1.0)


def _log_gap(x: FloatArray, y: FloatArray) -> FloatArray:
    """|ln(1 + x) - ln(1 + y)| as log1p((b - a) / (1 + a)), a the smaller: close values keep their digits.

    With a the larger, the argument would come close to -1, where a logarithm has lost them.
    """
    low, high = np.minimum(x, y), np.maximum(x, y)
    ratio = (high - low) / (1.0 + low)
    if np.any(ratio == np.inf):
        return where(ratio == np.inf, np.log1p(high) - np.log1p(low), np.log1p(ratio))
    return np.log1p(ratio)
