"""The factor of each row, which a loss with a weight for each class takes as well."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from losscalc.catalogue.base import Loss
from losscalc.core.array import FloatArray
from losscalc.core.reductions import Slope, Terms
from losscalc.core.roles import SampleWeight

Result = TypeVar("Result", Terms, Slope)

BY_SAMPLES = "each counts as often as its sample weight says"
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
        return found.times(sample_weight, -1 if self.settings.get("class_axis") == -1 else 1)

    _declare(weighted, method)
    return weighted


def _declare(weighted: Any, method: Callable[..., Any]) -> None:
    """Let the declaration of a loss, which is read from its `terms`, have the array as well."""
    own = inspect.signature(method)
    extra = inspect.Parameter("sample_weight", inspect.Parameter.KEYWORD_ONLY, default=None)
    weighted.__signature__ = own.replace(parameters=[*own.parameters.values(), extra])
    weighted.__annotations__ = {**method.__annotations__, "sample_weight": SampleWeight | None}
