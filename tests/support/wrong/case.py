"""A mistake that people make, and the wrong number that it leads to, made without losscalc."""

import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pytest

from losscalc.catalogue.base import losses
from losscalc.core import reductions
from losscalc.insight.call import Call
from tests.support.wrong.arrays import DATA, Arrays

ORIGINS = {"nn": "torch.nn.functional", "metrics": "sklearn.metrics", "np": "numpy"}
"""What the first argument of a wrong number stands for: whom it was computed with."""


class Case(NamedTuple):
    """A mistake: the hypothesis that names it, the right call, and what makes the wrong number."""

    name: str
    loss: str
    data: str
    wrong: Callable[..., Any]
    """Called with a module of `ORIGINS` and the arrays, which are tensors where that is PyTorch's."""
    settings: Mapping[str, Any] = {}
    reduction: str = "mean"

    @property
    def id(self) -> str:
        """The mistake, and the loss."""
        return f"{self.name}, {self.loss}"

    @property
    def call_name(self) -> str:
        """The right call, which several mistakes may share."""
        return " ".join([self.loss, *self.options, "of", self.data])

    @property
    def origin(self) -> str:
        """The package that makes the wrong number."""
        return ORIGINS[self._first]

    @property
    def _first(self) -> str:
        return next(iter(inspect.signature(self.wrong).parameters))

    @property
    def options(self) -> list[str]:
        """The settings, as the command line takes them."""
        words = [f"--reduction={self.reduction}"]
        for key, value in self.settings.items():
            option = key.replace("_", "-")
            flag = f"--{option}" if value else f"--no-{option}"
            words += [flag] if isinstance(value, bool) else [f"--{option}", str(value)]
        return words

    def arrays(self, seed: int) -> Arrays:
        """The arrays that the mistake was made with, the same for all of them."""
        return DATA[self.data](np.random.default_rng([seed, *self.data.encode()]))

    def call(self, arrays: Arrays) -> Call:
        """The right call."""
        settings = dict(self.settings)
        broadcast = settings.pop("broadcast", False)
        return Call(
            losses()[self.loss](**settings),
            arrays,
            reductions.REDUCTIONS[self.reduction],
            broadcast=broadcast,
        )

    def number(self, arrays: Arrays) -> np.ndarray:
        """The wrong number; skipped where what makes it is not installed."""
        module = pytest.importorskip(self.origin, reason=f"{self.origin} is not installed")
        values = [tensor(array) if self._first == "nn" else array for array in arrays.values()]
        with np.errstate(all="ignore"):
            return np.asarray(self.wrong(module, *values), dtype=np.float64)


def tensor(array: np.ndarray) -> Any:
    """The array as PyTorch has it."""
    return importlib.import_module("torch").tensor(array)
