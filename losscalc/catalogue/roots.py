"""Roots of means: of the mean of all elements, or of that of each column."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import numpy as np

from losscalc.catalogue.base import Loss, Quantities, loss
from losscalc.catalogue.places import Places, gathered
from losscalc.catalogue.regression import Squared
from losscalc.catalogue.relative import AboveMinusOne, SquaredLogarithmic
from losscalc.core.array import FloatArray, IndexArray, Shape, show_shape
from losscalc.core.conventions import Convention, agreeing
from losscalc.core.declaration import Doc
from losscalc.core.reductions import ROOT, Slope, Terms
from losscalc.core.roles import FullWeight, Values
from losscalc.core.shapes import Layout, beside, elementwise_layout, fits
from losscalc.errors import ParameterError, ShapeError

# The names of the sums of a column.
_SQUARES, _DIVISOR = "squares", "divisor"


def by_columns(source: str) -> Convention:
    """How scikit-learn averages over columns, by its default `multioutput`."""
    sentence = "takes the root of the mean of each column, and averages these roots"
    return Convention("sklearn", sentence, f"sklearn.metrics.{source}, 1.9.1", {"per_column": True})


class Rooted(Loss):
    """The root of the mean of losses; with columns, the mean of the roots of each, if that is wanted."""

    link = ROOT
    legacy = False
    of_column: ClassVar[str]
    """The formula of the root of a column."""

    per_column: Annotated[
        bool,
        Doc("Whether each column has a root of its own, and the loss is their mean, as in scikit-learn."),
    ] = False

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        """With a root for each column, a weight may be one per row."""
        if self.per_column and broadcast:
            raise ParameterError("there is no broadcasting with `per_column`", argument="broadcast")
        rows, columns = shapes["input"][:1], shapes["input"][1:]
        if self.per_column and 0 in columns:
            problem = f"`input` has shape {show_shape(shapes['input'])}, and no columns to take roots of"
            raise ShapeError(problem, argument="input")
        weight = shapes.get("weight", ())
        if not self.per_column or not weight or not fits(weight, rows):
            return elementwise_layout(shapes, full=("weight",), broadcast=broadcast)
        layout = elementwise_layout({name: shapes[name] for name in ("input", "target")}, broadcast=False)
        return layout._replace(cut=layout.cut | {"weight"})

    def explained(self, target: FloatArray | IndexArray) -> str:
        """Of columns the losses are roots."""
        return self.of_column if self._has_columns(target) else self.formula

    def quantities(
        self, input: FloatArray, target: FloatArray, weight: FloatArray | None = None
    ) -> Quantities:
        """The numbers of each column along the last axis; a weight that is not given is 1."""
        if not self._has_columns(input):
            return {}
        weight = (
            np.ones(input.shape)
            if weight is None
            else np.broadcast_to(beside(weight, input.ndim), input.shape)
        )
        arrays = {"x": input, "y": target, "w": weight}
        return {name: _columns(values).flat(values) for name, values in arrays.items()}

    def of_columns(self, terms: Terms) -> Terms:
        """The sums of each column, if there are any and each has a root."""
        if not self._has_columns(terms.value):
            return terms
        shape = terms.value.shape
        columns = _columns(terms.value)
        divisor = np.broadcast_to(1.0 if terms.divisor is None else terms.divisor, shape)
        return Terms.of_sums(**columns.named(_SQUARES, terms.value), **columns.named(_DIVISOR, divisor))

    def slope_of_columns(self, slope: Slope) -> Slope:
        """The derivative of the sums of squares, if each column has a root."""
        return Slope.of_sums(squares=slope.value) if self._has_columns(slope.value) else slope

    def derived(self, target: FloatArray | IndexArray) -> str:
        """Where each column has a root there is none of a single difference."""
        return "" if self.per_column else super().derived(target)

    def finish(self, sums: Mapping[str, Any]) -> Any:
        return np.sqrt(self._means(sums))

    def finish_slopes(self, sums: Mapping[str, float]) -> Mapping[str, Any]:
        mean, divisor = self._means(sums), gathered(_DIVISOR, sums)[0]
        # Where the root of a mean of 0 has an infinite slope, 0 is one of its subgradients.
        steep = np.where(mean == 0, 0.0, 0.5 / np.sqrt(mean) / divisor)
        return {_SQUARES: gathered(_SQUARES, sums)[1].spread(steep)}

    def _means(self, sums: Mapping[str, Any]) -> FloatArray:
        """The mean of each column."""
        squares, divisor = (gathered(name, sums)[0] for name in (_SQUARES, _DIVISOR))
        return np.asarray(squares / divisor)

    def _has_columns(self, values: FloatArray | IndexArray) -> bool:
        return self.per_column and values.ndim > 1


def _columns(values: FloatArray) -> Places:
    """The places of sums over the rows."""
    return Places((None, *values.shape[1:]))


@loss("rmse")
class RMSE(Rooted, Squared):
    """Root of the mean squared difference.

    `input` and `target` have any shape, the same for both; so has `weight`. The root is that of the mean of
    all elements, whatever their columns; none and sum are those of the squared differences. The mean divides
    by the number of elements, with `weight` by the sum of the weights, before the root is taken. With
    `per_column` each column has a root, none gives all of them, and `weight` may be one per row. Differences
    below 1e-154 or above 1e154 have squares beyond float64: of such alone the root is 0 or infinite.

    Raises ShapeError for shapes that differ and DTypeError for values that are not real numbers.

    Source: https://scikit-learn.org/stable/modules/generated/sklearn.metrics.root_mean_squared_error.html

    >>> RMSE()([2.5, 0.0, 2.0, 8.0], [3.0, -0.5, 2.0, 7.0])
    np.float64(0.612372436)
    """

    aliases = ("root_mean_squared_error", "RootMeanSquaredError")
    uses = ("regression",)
    close = ("mse", "l1")
    conventions = (
        by_columns("root_mean_squared_error"),
        *agreeing(
            keras="keras.metrics.RootMeanSquaredError, 3.15.1",
            torchmetrics="torchmetrics.functional.mean_squared_error(..., squared=False), 1.9.0",
        ),
    )
    contrast = {"input": [[2.5, 0.0], [2.0, 8.0]], "target": [[3.0, -0.5], [2.0, 7.0]]}
    example = {"input": [2.5, 0.0, 2.0, 8.0], "target": [3.0, -0.5, 2.0, 7.0]}

    divisor = "the number of elements; with weight, the sum of the weights; the root is of that mean"
    of_column = "√((Σ w·(x - y)²) / (Σ w))"

    def terms(self, input: Values, target: Values, weight: FullWeight | None = None) -> Terms:
        weight = None if weight is None else beside(weight, input.ndim)
        return self.of_columns(super().terms(input, target, weight))

    def gradient(self, input: Values, target: Values, weight: FullWeight | None = None) -> Slope:
        """The difference over the root, and over the divisor of the mean."""
        weight = None if weight is None else beside(weight, input.ndim)
        return self.slope_of_columns(super().gradient(input, target, weight))


@loss("rmsle")
class RMSLE(Rooted, SquaredLogarithmic):
    """Root of the mean squared difference of the logarithms of 1 + value.

    `input` and `target` have any shape, the same for both, and values greater than -1, usually amounts of at
    least 0. The root is that of the mean of all elements, whatever their columns; none and sum are those of
    `msle`. The mean divides by the number of elements, before the root is taken. With `per_column` each
    column has a root, and none gives all of them.

    Raises ShapeError for shapes that differ, DTypeError for values that are not real numbers and DomainError
    for a value of -1 or less.

    Source: https://scikit-learn.org/stable/modules/generated/sklearn.metrics.root_mean_squared_log_error.html

    >>> RMSLE()([2.5, 5.0, 4.0, 8.0], [3.0, 5.0, 2.5, 7.0])
    np.float64(0.199324166)
    """

    aliases = ("root_mean_squared_log_error", "root_mean_squared_logarithmic_error")
    close = ("rmse", "msle")
    conventions = (by_columns("root_mean_squared_log_error"),)
    contrast = {"input": [[2.5, 5.0], [4.0, 8.0]], "target": [[3.0, 5.0], [2.5, 7.0]]}
    example = {"input": [2.5, 5.0, 4.0, 8.0], "target": [3.0, 5.0, 2.5, 7.0]}

    divisor = "the number of elements; the root is of that mean"
    of_column = "√((Σ w·(ln(1 + x) - ln(1 + y))²) / (Σ w)); w 1 for each row"

    def terms(self, input: AboveMinusOne, target: AboveMinusOne) -> Terms:
        return self.of_columns(super().terms(input, target))

    def gradient(self, input: AboveMinusOne, target: AboveMinusOne) -> Slope:
        """The difference of the logarithms, over 1 + x, the root, and the divisor of the mean."""
        return self.slope_of_columns(super().gradient(input, target))
