"""What a block comes to: its sums, its losses or derivatives, and what is to be told of them."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from losscalc.core.array import Array
from losscalc.core.reductions import Partial, Terms
from losscalc.engine.findings import Findings
from losscalc.errors import LosscalcWarning

if TYPE_CHECKING:
    from losscalc.core.groupsums import GroupSums


class Sample(NamedTuple):
    """The arrays of a block as the loss gets them, and their losses, from which explanations are made."""

    arguments: dict[str, Any]
    terms: Terms
    rows: Array | None
    """Which rows of the arrays these are; None if no array is cut into rows."""
    dtype: np.dtype = np.dtype(np.float64)
    """That of the input."""
    cut: frozenset[str] = frozenset()
    """The arrays that have a row for each sample."""


class Outcome(NamedTuple):
    """The results of one block."""

    partial: Partial
    value: Array | None
    """The losses, or the derivative if one is wanted; None where sums are enough, or it was taken away."""
    warnings: tuple[LosscalcWarning, ...] = ()
    dropped: int = 0
    sample: Sample | None = None
    findings: Findings | None = None
    groups: "GroupSums | None" = None
    """The sums of each group of rows, if groups are wanted."""
