"""The functions that compute a loss, or its derivative, by its name."""

from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

from losscalc.catalogue.base import Loss, instance
from losscalc.core.array import ArrayLike, ArrayOf
from losscalc.core.declaration import array_names
from losscalc.errors import ParameterError

if TYPE_CHECKING:
    from losscalc.catalogue.activations import Activation

ActivationName = Literal["sigmoid", "log-sigmoid", "log", "softmax", "log-softmax"]
"""The names of what has no reduction."""
Number = np.floating[Any]
"""What a reduced loss is."""
Numbers = ArrayOf[Number]
"""What single losses are."""


@overload
def compute(
    loss: "ActivationName | type[Activation] | Activation", *arrays: ArrayLike | None, **arguments: Any
) -> Any: ...


@overload
def compute(
    loss: object,
    *arrays: ArrayLike | None,
    reduction: Literal["mean", "sum", "batchmean"] = ...,
    digits: None = ...,
    **arguments: Any,
) -> Number: ...


@overload
def compute(
    loss: object,
    *arrays: ArrayLike | None,
    reduction: Literal["none"],
    digits: None = ...,
    **arguments: Any,
) -> Numbers: ...


@overload
def compute(loss: object, *arrays: ArrayLike | None, **arguments: Any) -> Any: ...


def compute(loss: object, *arrays: ArrayLike | None, **arguments: Any) -> Any:
    """Compute a loss (or an activation), as an array or NumPy scalar.

    The loss is a name, a class or an object of losscalc, or your own criterion: an object of torch.nn, Keras
    or torchmetrics, or a function of theirs, of optax or scikit-learn, whose parameters are read.

    Arrays may be given in PyTorch's order (those of a criterion in its own) or by name, as anything that is
    an array: lists, tensors, DataFrames, Arrow's. `weight` and `pos_weight` may be "balanced". The other
    arguments are the parameters of the loss, `like` (a library, as which it is computed, such as "keras"),
    and `reduction` (none, mean or sum; by default mean), `dtype` (of the result; by default that of the
    input), `broadcast`, PyTorch's old `size_average` and `reduce`, `threads` (by default one per core; the
    result is the same for any number) and `digits` (1 to 1,000; the result is then decimal.Decimal with so
    many correct digits, for which mpmath is needed). The class of the loss tells its shapes, domains and
    divisor.

    Raises UnknownLossError, ParameterError, ShapeError, DTypeError and DomainError.

    >>> compute("bce-logits", input=[[2.0, -1.0]], target=[[1, 0]], pos_weight=3.0, reduction="none")
    array([[0.38078403, 0.31326169]])
    """
    operation, arrays, rest = instance(loss, arrays, arguments)
    return operation(*arrays, **rest)


@overload
def gradient(
    loss: object, *arrays: ArrayLike | None, wrt: str | None = ..., digits: None = ..., **arguments: Any
) -> Numbers: ...


@overload
def gradient(loss: object, *arrays: ArrayLike | None, wrt: str | None = ..., **arguments: Any) -> Any: ...


def gradient(loss: object, *arrays: ArrayLike | None, wrt: str | None = None, **arguments: Any) -> Any:
    """Compute the derivative of a reduced loss with respect to one of its arrays; it has the array's shape.

    It is what `backward()` leaves in `.grad` in PyTorch, for the first array unless `wrt` names another. With
    the reduction 'none' it is the derivative of the sum. The other arguments are those of `compute`.

    Raises UnknownLossError, ParameterError, ShapeError, DTypeError and DomainError.

    >>> gradient("mse", input=[1.0, -2.0], target=[1.5, 1.0])
    array([-0.5, -3. ])
    """
    operation, arrays, rest = instance(loss, arrays, arguments)
    if not isinstance(operation, Loss):
        raise ParameterError(f"{operation.name} is not a loss, and has no gradient")
    first = array_names(type(operation))[0]
    return operation(*arrays, wrt=first if wrt is None else wrt, **rest)
