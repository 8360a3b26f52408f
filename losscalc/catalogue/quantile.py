"""Losses of which the best forecast is a quantile."""

from collections.abc import Mapping
from typing import Annotated

import numpy as np

from losscalc.catalogue.base import Quantities, loss
from losscalc.catalogue.regression import Regression
from losscalc.core.array import FloatArray, Shape, show_shape
from losscalc.core.conventions import agreeing
from losscalc.core.declaration import Doc
from losscalc.core.domains import Interval
from losscalc.core.reductions import Slope, Terms
from losscalc.core.roles import Role, Values
from losscalc.core.sequences import Several
from losscalc.core.shapes import Layout, elementwise_layout, fits
from losscalc.core.stable import where, xmul
from losscalc.errors import ShapeError

Forecasts = Annotated[
    FloatArray,
    Role("Real values, of any shape; for several quantiles with one more axis, the last.", "values"),
]


@loss("pinball")
class Pinball(Regression):
    """Absolute error with one price for too little and another for too much: regression of quantiles.

    `input` and `target` have any shape, the same for both. Too small a forecast costs `quantile` times the
    difference, too large a one 1 - `quantile` times. With several quantiles `input` has one column for each,
    (..., Q), and `target` has none, (...). The mean divides by the number of elements of the input. There is
    no factor 2: with the quantile 0.5 it is half of the absolute error.

    Raises ShapeError for shapes that do not fit, DTypeError for values that are not real numbers and
    ParameterError for a `quantile` outside [0, 1].

    Source: https://scikit-learn.org/stable/modules/generated/sklearn.metrics.mean_pinball_loss.html

    >>> Pinball(quantile=0.9)([1.5, 1.0, 3.0], [1.0, 2.0, 3.0], reduction="none")
    array([0.05, 0.9 , 0.  ])
    """

    aliases = ("quantile", "mean_pinball", "quantile_regression", "MQLoss", "check_loss", "tilted_loss")
    uses = ("regression", "quantile", "forecast")
    close = ("l1", "mse")
    conventions = agreeing(sklearn="sklearn.metrics.mean_pinball_loss, 1.9.1")
    example = {"input": [1.5, 1.0, 3.0], "target": [1.0, 2.0, 3.0], "quantile": 0.9, "reduction": "none"}

    formula = "q·(y - x) if y ≥ x, else (1-q)·(x - y); q quantile"
    derivative = "-q if y > x, 1-q if y < x, else 0; q quantile"
    divisor = "the number of elements of the input"
    legacy = False

    quantile: Annotated[
        tuple[float, ...],
        Several(Interval(0.0, 1.0)),
        Doc("The quantile that is forecast, or one for each column; alpha, q or tau elsewhere."),
    ] = (0.5,)

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        """Equal shapes, or as many columns as quantiles beside a target without them."""
        forecasts, count = shapes["input"], len(self.quantile)
        if count == 1:
            if not broadcast and len(forecasts) > 1 and fits(forecasts[:-1], shapes["target"]):
                raise ShapeError(
                    f"`input` has {forecasts[-1]} columns for each target, and there is one quantile",
                    argument="input",
                    hint="give `quantile` one number for each column, or take one column as FILE#NAME",
                )
            return elementwise_layout(shapes, broadcast=broadcast)
        if forecasts[-1:] != (count,):
            raise ShapeError(
                f"`input` has shape {show_shape(forecasts)}, and there are {count} quantiles",
                argument="input",
                hint=f"give (N, {count}), one column for each quantile",
            )
        layout = elementwise_layout({**shapes, "input": forecasts[:-1]}, broadcast=False)
        return layout._replace(width=layout.width * count)

    def terms(self, input: Forecasts, target: Values) -> Terms:
        y, q = self._beside(target), self._quantiles(input)
        price = where(y >= input, q, 1.0 - q)
        value = xmul(price, abs(input - y))
        if np.any(value == np.inf):
            # Where the difference is too large for float64, its half is not.
            value = np.where(value == np.inf, 2.0 * price * np.abs(0.5 * input - 0.5 * y), value)
        return Terms(value)

    def quantities(self, input: Forecasts, target: Values) -> Quantities:
        """The quantile and the target of each forecast."""
        _, y, q = np.broadcast_arrays(input, self._beside(target), self._quantiles(input))
        return {"q": q[..., np.newaxis], "y": y[..., np.newaxis]}

    def gradient(self, input: Forecasts, target: Values) -> Slope:
        """-q where the forecast is too small, 1 - q where it is too large, 0 where it is right."""
        y, q = self._beside(target), self._quantiles(input)
        return Slope(np.sign(input - y) * where(y >= input, q, 1.0 - q))

    def _quantiles(self, like: FloatArray) -> FloatArray:
        """The quantiles, as numbers of the kind that an array holds: (Q,), or () if there is one."""
        quantiles = np.array(self.quantile, dtype=object if like.dtype == object else np.float64)
        return quantiles if len(self.quantile) > 1 else quantiles.reshape(())

    def _beside(self, target: FloatArray) -> FloatArray:
        """The target, with an axis for the quantiles if there are several."""
        return target[..., np.newaxis] if len(self.quantile) > 1 else target
