"""Hypotheses: something that may have been done otherwise, so that a number differs."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from losscalc.catalogue.base import Loss
from losscalc.core.array import Array
from losscalc.insight.call import Call, simplified


class NotApplicable(Exception):  # noqa: N818 - not an error
    """A hypothesis does not apply to a call, for lack of an array, a parameter or an axis."""


def require(condition: object) -> None:
    """Raise NotApplicable unless a condition holds."""
    if not condition:
        raise NotApplicable


class Hypothesis(NamedTuple):
    """A hypothesis: its name on the command line, a sentence, and a function for the value it leads to."""

    name: str
    sentence: str
    """What was done otherwise. A relation in braces stands for the name of that relative of the loss."""
    compute: Callable[..., Any]
    options: str = ""
    """The options that do the same, if there are any."""
    concerns: Callable[[Loss], object] = lambda loss: True
    """Whether it makes sense for a loss."""
    as_given: bool = False
    """Whether it is about how the arrays are taken, which all others find done."""

    def of(self, loss: Loss) -> "Hypothesis":
        """The hypothesis worded for one loss."""
        return self._replace(sentence=self.sentence.format(**loss.relatives))

    def value(self, call: Call) -> Array | None:
        """The value, or None if the hypothesis does not apply. Other errors are bugs, and are not caught."""
        try:
            with np.errstate(all="ignore"):
                found = self.compute(call if self.as_given else simplified(call))
                return np.asarray(found, dtype=np.float64)
        except NotApplicable:
            return None
