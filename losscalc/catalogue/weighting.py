"""Further arrays of losses of classes: the factor of each row, and which positions count."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from losscalc.catalogue.base import Loss
from losscalc.core.array import FloatArray
from losscalc.core.reductions import Slope, Terms
from losscalc.core.roles import Mask, SampleWeight

Result = TypeVar("Result", Terms, Slope)

BY_SAMPLES = "each times its sample weight"
"""What sample weights do to the divisor of 'mean', as the end of a sentence."""


def sample_weighted(method: Callable[..., Result]) -> Callable[..., Result]:
    """Give `terms` or `gradient` one more array, `sample_weight`, and multiply by it what they give.

    The array is (N,), or has the shape of the losses.
    """

    @wraps(method)
    def weighted(self: Loss, *arrays: Any, sample_weight: FloatArray | None = None, **named: Any) -> Result:
        found = method(self, *arrays, **named)
        if sample_weight is None:
            return found
        if isinstance(found, Terms):
            return found.times(sample_weight)
        return found.times(sample_weight, _class_axis(self))

    _declare(weighted, method, "sample_weight", SampleWeight | None)
    return weighted


def masked(method: Callable[..., Result]) -> Callable[..., Result]:
    """Give `terms` or `gradient` one more array, `mask`: no loss counts where it is 0."""

    @wraps(method)
    def partly(self: Loss, *arrays: Any, mask: FloatArray | None = None, **named: Any) -> Result:
        found = method(self, *arrays, **named)
        if mask is None:
            return found
        if isinstance(found, Terms):
            return found.without(mask == 0)
        return found.without(mask == 0, _class_axis(self))

    _declare(partly, method, "mask", Mask | None)
    return partly


def _class_axis(loss: Loss) -> int:
    return -1 if loss.settings.get("class_axis") == -1 else 1


def _declare(extended: Any, method: Callable[..., Any], name: str, role: Any) -> None:
    """Let the declaration of a loss, which is read from its `terms`, have the array as well."""
    own = inspect.signature(method, eval_str=True)
    extra = inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=role)
    extended.__signature__ = own.replace(parameters=[*own.parameters.values(), extra])
