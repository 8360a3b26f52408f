"""What a hypothesis is: something that may have been done otherwise where a number differs."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from losscalc.catalogue.base import Loss
from losscalc.core.array import Array
from losscalc.insight.call import Call


class NotApplicable(Exception):  # noqa: N818 - it says that there is nothing to say
    """A hypothesis has nothing to say of a call: there is no such array, parameter or axis."""


def require(condition: object) -> None:
    """Give up a hypothesis that has nothing to say of a call."""
    if not condition:
        raise NotApplicable


class Hypothesis(NamedTuple):
    """A name, under which the command line computes it, a sentence, and the value it leads to."""

    name: str
    sentence: str
    """May name a relative of the loss by its relation in braces."""
    compute: Callable[..., Any]
    options: str = ""
    """The options that do the same, where there are any."""
    concerns: Callable[[Loss], object] = lambda loss: True
    """Whether it can be true of calls of a loss."""

    def of(self, loss: Loss) -> "Hypothesis":
        """The hypothesis in the words for one loss."""
        return self._replace(sentence=self.sentence.format(**loss.relatives))

    def value(self, call: Call) -> Array | None:
        """The value, or None where the hypothesis has nothing to say; a bug in one is not silenced."""
        try:
            with np.errstate(all="ignore"):
                return np.asarray(self.compute(call), dtype=np.float64)
        except NotApplicable:
            return None
