"""Activations: array in, array out."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar

import numpy as np

from losscalc.catalogue.base import announce
from losscalc.core import scores, stable
from losscalc.core.array import ArrayLike, DTypeLike, FloatArray, Shape, row_size
from losscalc.core.declaration import Doc
from losscalc.core.operation import Operation, result_dtype
from losscalc.core.reductions import Terms
from losscalc.core.registry import register
from losscalc.core.roles import Amounts, Logits
from losscalc.core.shapes import Layout
from losscalc.engine import compute as engine
from losscalc.engine.arguments import memory_sources
from losscalc.engine.call import Call
from losscalc.errors import ParameterError, ShapeError


class Activation(Operation):
    """The base of all activations: takes an array and gives an array of the same shape."""

    uses = ("activation",)

    def __call__(
        self,
        *arrays: ArrayLike | None,
        dtype: DTypeLike | None = None,
        threads: int | None = None,
        digits: int | None = None,
        **named: ArrayLike | None,
    ) -> Any:
        """The activation of every element of `input`, as an array or NumPy scalar.

        With `digits` (1 to 1,000; it needs mpmath) the numbers are decimal.Decimal, with so many correct
        digits.
        """
        sources, _ = memory_sources(self, arrays, named)
        done = engine.compute(Call(self, sources, dtype=result_dtype(dtype), threads=threads, digits=digits))
        announce(done.warnings)
        return done.value[()]


AnyActivation = TypeVar("AnyActivation", bound=Activation)


def activation(
    name: str, *, torch: str, functional: str
) -> Callable[[type[AnyActivation]], type[AnyActivation]]:
    """Declare an activation: its command, its class in torch.nn and its function."""
    return lambda cls: register(cls, name, torch, functional)


class Elementwise(Activation):
    """The base of activations that look at one element at a time."""

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        shape = shapes["input"]
        return Layout(frozenset({"input"} if shape else ()), row_size(shape))


class Normalizing(Activation):
    """The base of activations that look at a whole axis."""

    dim: Annotated[
        int | None,
        Doc("The axis that sums to 1; by default the last; required above two axes."),
    ] = None

    def axis(self, ndim: int) -> int:
        """The number of the axis, counted from 0."""
        if self.dim is None and ndim > 2:
            raise ParameterError(
                f"`input` has {ndim} axes, and `dim` does not say which of them sums to 1",
                argument="dim",
                hint="give `dim` -1 for the last axis, or `dim` 1 where cross-entropy has its classes",
            )
        axis = -1 if self.dim is None else self.dim
        if ndim == 0 or not -ndim <= axis < ndim:
            raise ShapeError(f"`input` has {ndim} axes, and `dim` {axis} is none of them", argument="input")
        return axis % ndim

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        """Axis 0 is cut unless it is the axis that sums to 1."""
        shape = shapes["input"]
        return Layout(frozenset({"input"} if self.axis(len(shape)) else ()), row_size(shape))

    def along(self, input: FloatArray, function: Callable[[FloatArray], FloatArray]) -> Terms:
        """Apply a function that works along the last axis along `dim` instead."""
        axis = self.axis(input.ndim)
        return Terms(np.moveaxis(function(np.moveaxis(input, axis, -1)), -1, axis))


@activation("sigmoid", torch="Sigmoid", functional="sigmoid")
class Sigmoid(Elementwise):
    """Logistic function, from logits to probabilities.

    `input` has any shape; the result has the same, with values in [0, 1].

    Raises DTypeError for values that are not real numbers.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Sigmoid.html

    >>> Sigmoid()([0.0, 2.0])
    array([0.5       , 0.88079708])
    """

    formula = "σ(x) = 1 / (1 + exp(-x))"

    def terms(self, input: Logits) -> Terms:
        return Terms(stable.sigmoid(input))


@activation("log-sigmoid", torch="LogSigmoid", functional="logsigmoid")
class LogSigmoid(Elementwise):
    """Logarithm of the logistic function.

    `input` has any shape; the result has the same, with values of at most 0. There is no detour through
    a probability, which would round to 0 or 1.

    Raises DTypeError for values that are not real numbers.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.LogSigmoid.html

    >>> LogSigmoid()([0.0, -1000.0])
    array([-6.93147181e-01, -1.00000000e+03])
    """

    formula = "ln σ(x)"

    def terms(self, input: Logits) -> Terms:
        return Terms(stable.log_sigmoid(input))


@activation("log", torch="log", functional="")
class Log(Elementwise):
    """Natural logarithm, from probabilities to log-probabilities.

    `input` has any shape and values of at least 0; the result has the same shape, and is -inf where
    `input` is 0.

    Raises DomainError for a negative value and DTypeError for values that are not real numbers.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.log.html

    >>> Log()([1.0, 0.5])
    array([ 0.        , -0.69314718])
    """

    unlike = "refuses a negative number, of which PyTorch makes NaN"
    library = "torch"
    formula = "ln x"

    def terms(self, input: Amounts) -> Terms:
        """The values of one block."""
        return Terms(np.log(input))


@activation("softmax", torch="Softmax", functional="softmax")
class Softmax(Normalizing):
    """Softmax of one axis, from logits to probabilities.

    `input` has at least one axis; the result has the same shape, with values in [0, 1] that sum to 1
    along `dim`: the last axis unless given, and above two axes it has to be given.

    Raises ShapeError when `input` has no axis `dim`, and ParameterError where it has to be given.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Softmax.html

    >>> Softmax()([1.0, 2.0, 3.0])
    array([0.09003057, 0.24472847, 0.66524096])
    """

    formula = "exp(x) / Σ exp(x)"

    def terms(self, input: Logits) -> Terms:
        return self.along(input, scores.softmax)


@activation("log-softmax", torch="LogSoftmax", functional="log_softmax")
class LogSoftmax(Normalizing):
    """Logarithm of softmax of one axis, from logits to log-probabilities.

    `input` has at least one axis; the result has the same shape, with values of at most 0 whose
    exponentials sum to 1 along `dim`: the last axis unless given, and above two axes it has to be given.

    Raises ShapeError when `input` has no axis `dim`, and ParameterError where it has to be given.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.LogSoftmax.html

    >>> LogSoftmax()([1.0, 2.0, 3.0])
    array([-2.40760596, -1.40760596, -0.40760596])
    """

    formula = "x - ln Σ exp(x)"

    def terms(self, input: Logits) -> Terms:
        return self.along(input, scores.log_softmax)
