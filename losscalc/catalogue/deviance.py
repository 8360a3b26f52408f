"""Unit deviances: twice how much likelier the target would have been as its own expectation."""

import math
from collections.abc import Mapping
from typing import Annotated

import numpy as np

from losscalc.catalogue.base import Quantities, loss
from losscalc.catalogue.regression import Regression
from losscalc.core.array import FloatArray
from losscalc.core.conventions import Convention, agreeing
from losscalc.core.declaration import Doc
from losscalc.core.domains import FINITE_NOT_NEGATIVE, FINITE_POSITIVE, Either, Interval
from losscalc.core.reductions import Slope, Terms
from losscalc.core.roles import Role
from losscalc.core.stable import number, where

# Below this bound a series of so many terms is exact to the last digit.
_NEAR, _TERMS = 1.5, 28
_SMALLEST = 2.0**-1022

_WITH_POWER_0 = "has a default power of 0, which is the squared error"
_LOG_HINT = "of the logarithm of an expectation take the exponential first"

Expectation = Annotated[
    FloatArray,
    Role(
        "Expected values, of any shape; not their logarithms.",
        "amounts",
        FINITE_POSITIVE,
        hint=_LOG_HINT,
        nan=True,
    ),
]
Observed = Annotated[
    FloatArray, Role("Observed amounts, of the shape of the input.", "amounts", FINITE_NOT_NEGATIVE, nan=True)
]
ObservedPositive = Annotated[
    FloatArray, Role("Observed amounts, of the shape of the input.", "amounts", FINITE_POSITIVE, nan=True)
]


class Deviance(Regression):
    """The base of this family: equal shapes, without weights."""

    divisor = "the number of elements"
    legacy = False


@loss("tweedie-deviance")
class TweedieDeviance(Deviance):
    """Deviance of a Tweedie distribution, for amounts of which many are 0, such as claims.

    `input` holds expected values (not their logarithms) and `target` what was observed, of any shape, the
    same for both. The variance grows as the expectation to the `power`: 0 is the squared error, 1 the Poisson
    and 2 the gamma deviance. The input is greater than 0, unless `power` is 0; the target is at least 0 for
    powers in [1, 2), greater than 0 from 2 on, and any number for powers up to 0. The mean divides by the
    number of elements. XGBoost and LightGBM have half of it, without what depends on the target alone.

    Raises ShapeError for shapes that differ, DomainError for values that the power does not allow and
    ParameterError for a `power` between 0 and 1.

    Source: https://scikit-learn.org/stable/modules/generated/sklearn.metrics.mean_tweedie_deviance.html

    >>> TweedieDeviance()([0.5, 0.5, 2.0, 2.0], [2.0, 0.0, 1.0, 4.0])
    np.float64(1.77817459)
    """

    aliases = ("tweedie", "mean_tweedie_deviance", "tweedie_deviance_score")
    uses = ("regression", "counts", "insurance", "zero-inflated")
    close = ("poisson-deviance", "gamma-deviance", "mse")
    conventions = (
        Convention("sklearn", _WITH_POWER_0, "sklearn.metrics.mean_tweedie_deviance, 1.9.1", {"power": 0.0}),
        Convention(
            "torchmetrics",
            _WITH_POWER_0,
            "torchmetrics.functional.tweedie_deviance_score, 1.9.0",
            {"power": 0.0},
        ),
    )
    example = {"input": [0.5, 0.5, 2.0, 2.0], "target": [2.0, 0.0, 1.0, 4.0]}

    formula = (
        "(x - y)² if p = 0, 2·x if p = 1 and y = 0, 2·(y·ln(y/x) - y + x) if p = 1, "
        "2·(ln(x/y) + y/x - 1) if p = 2, else "
        "2·(max(y, 0)^(2 - p)/((1 - p)·(2 - p)) - y·x^(1 - p)/(1 - p) + x^(2 - p)/(2 - p)); p power"
    )

    power: Annotated[
        float,
        Either((Interval(high=0.0, low_open=True), Interval(1.0, high_open=True))),
        Doc("How the variance grows with the expectation; scikit-learn's default is 0."),
    ] = 1.5

    @property
    def roles(self) -> Mapping[str, Role]:
        """The domains depend on the power."""
        roles = dict(super().roles)
        if self.power == 0:
            roles["input"] = roles["input"]._replace(domain=None)
        domain = None if self.power <= 0 else FINITE_NOT_NEGATIVE if self.power < 2 else FINITE_POSITIVE
        return {**roles, "target": roles["target"]._replace(domain=domain)}

    def terms(self, input: Expectation, target: Observed) -> Terms:
        return Terms(_deviance(input, target, self.power))

    def quantities(self, input: Expectation, target: Observed) -> Quantities:
        """The power, which has the letter of positive weights."""
        return {"p": np.asarray(self.power)}

    def gradient(self, input: Expectation, target: Observed) -> Slope:
        """2·(x - y) / x^p."""
        return Slope(_slope(input, target, self.power))


@loss("poisson-deviance")
class PoissonDeviance(Deviance):
    """Deviance of a Poisson distribution, for counts.

    `input` holds expected counts (not their logarithms), greater than 0, and `target` counts of at least 0,
    of any shape, the same for both. It is `tweedie-deviance` with the power 1, and, but for what depends on
    the target alone, twice `poisson-nll`. The mean divides by the number of elements.

    Raises ShapeError for shapes that differ and DomainError for values that are too small.

    Source: https://scikit-learn.org/stable/modules/generated/sklearn.metrics.mean_poisson_deviance.html

    >>> PoissonDeviance()([0.5, 0.5, 2.0, 2.0], [2.0, 0.0, 1.0, 4.0])
    np.float64(1.42601513)
    """

    aliases = ("mean_poisson_deviance",)
    uses = ("regression", "counts")
    close = ("poisson-nll", "mse")
    conventions = agreeing(sklearn="sklearn.metrics.mean_poisson_deviance, 1.9.1")
    example = {"input": [0.5, 0.5, 2.0, 2.0], "target": [2.0, 0.0, 1.0, 4.0]}

    formula = "2·x if y = 0, else 2·(y·ln(y/x) - y + x)"
    derivative = "2·(1 - y/x)"

    def terms(self, input: Expectation, target: Observed) -> Terms:
        return Terms(_deviance(input, target, number(1.0, input)))

    def gradient(self, input: Expectation, target: Observed) -> Slope:
        """2·(1 - y/x)."""
        return Slope(_slope(input, target, 1.0))


@loss("gamma-deviance")
class GammaDeviance(Deviance):
    """Deviance of a gamma distribution, for positive amounts whose error grows with their size.

    `input` holds expected values (not their logarithms) and `target` what was observed, both greater than 0,
    of any shape, the same for both. It is `tweedie-deviance` with the power 2. The mean divides by the number
    of elements.

    Raises ShapeError for shapes that differ and DomainError for values that are not greater than 0.

    Source: https://scikit-learn.org/stable/modules/generated/sklearn.metrics.mean_gamma_deviance.html

    >>> GammaDeviance()([0.5, 0.5, 2.0, 2.0], [2.0, 0.5, 1.0, 4.0], reduction="none")
    array([3.22741128, 0.        , 0.38629436, 0.61370564])
    """

    aliases = ("mean_gamma_deviance", "gamma_nll")
    uses = ("regression", "insurance")
    close = ("tweedie-deviance", "msle")
    conventions = agreeing(sklearn="sklearn.metrics.mean_gamma_deviance, 1.9.1")
    example = {
        "input": [0.5, 0.5, 2.0, 2.0], "target": [2.0, 0.5, 1.0, 4.0], "reduction": "none",
    }  # fmt: skip

    formula = "2·(ln(x/y) + y/x - 1)"
    derivative = "2·(x - y) / x²"

    def terms(self, input: Expectation, target: ObservedPositive) -> Terms:
        return Terms(_deviance(input, target, number(2.0, input)))

    def gradient(self, input: Expectation, target: ObservedPositive) -> Slope:
        """2·(x - y) / x²."""
        return Slope(_slope(input, target, 2.0))


def _deviance(x: FloatArray, y: FloatArray, p: float) -> FloatArray:
    """2·∫ (y - t) / t^p dt from x to y; for a power below 0 the target may be negative."""
    if p == 0:
        return (x - y) * (x - y)
    a, b = 1.0 - p, 2.0 - p
    half = _between(x, np.where(y > 0, y, x), a, b) + 0.0 * y
    if np.any(y <= 0):
        # The term of max(y, 0) vanishes, and no two others cancel.
        rest = np.where(y == 0, 0.0, -y * x**a / a if a != 0 else 0.0) + (x**b / b if b != 0 else 0.0)
        half = np.where(y <= 0, rest, half)
    return 2.0 * half


def _between(x: FloatArray, y: FloatArray, a: float, b: float) -> FloatArray:
    """The same half for y > 0, with l = ln(y/x), t = y/x - 1, a = 1-p and b = 2-p.

    It is ((y^b - x^b·y/x)/a - x^b·t) / b, and also ((y^b - x^b)/b - x^b·t) / a. For a power near 1 or 2 one
    of a and b is almost 0: divided by it is only the inner difference, which is then expm1(a·l), or
    expm1(b·l), times a power of x. Of values that lie close together a series is left.
    """
    t, ratio, power = (y - x) / x, y / x, x**b
    logarithm = where(abs(t) < 0.5, np.log1p(t), np.log(ratio))
    times_ratio, difference = power * ratio, power * t
    # A subnormal quotient has lost digits, if not all of them.
    is_far = (ratio < _SMALLEST) | (ratio == np.inf)
    if is_far.any():
        logarithm = np.where(is_far, np.log(y) - np.log(x), logarithm)
        times_ratio = np.where(is_far, y * x**a, times_ratio)
        difference = np.where(is_far, times_ratio - power, difference)
    inner, outer, base = (a, b, times_ratio) if abs(a) < abs(b) else (b, a, power)
    part = base * (np.expm1(inner * logarithm) / inner if inner != 0 else logarithm)
    if inner != 0:
        part = where(abs(inner * logarithm) < 1.0, part, (y**b - base) / inner)
    value = (part - difference) / outer
    if x.dtype == object:
        return value
    is_near = abs(logarithm) * max(1.0, abs(b)) < _NEAR
    root = x ** (0.5 * b) * logarithm
    value = where(is_near, root * root * _series(logarithm, b), value)
    # The difference of two infinite terms, of which the larger is the power with the larger base.
    if np.any(value != value):
        value = np.where((value != value) & np.isfinite(x) & np.isfinite(y), np.inf, value)
    return value


def _series(x: FloatArray, b: float) -> FloatArray:
    """(expm1(b·x)/b - expm1(x)) / (b-1) / x² = Σ (1 + b + ... + b^(k-1))·x^(k-1) / (k+1)!, k = 1, 2 ..."""
    whole, coefficients = 0.0, []
    for k in range(1, _TERMS):
        whole = 1.0 + b * whole
        coefficients.append(whole / math.factorial(k + 1))
    value = np.zeros_like(x)
    for coefficient in reversed(coefficients):
        value *= x
        value += coefficient
    return value


def _slope(x: FloatArray, y: FloatArray, p: float) -> FloatArray:
    """2·(x - y) / x^p, as 2·(x - y)/x·x^(1-p): x^p may leave the range where the quotient does not."""
    return 2.0 * (x - y) if p == 0 else 2.0 * ((x - y) / x) * x ** (1.0 - p)
