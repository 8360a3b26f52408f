"""The table of --by: the loss of each group of rows, and that of all."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import NamedTuple

import numpy as np

from losscalc.core.operation import Operation
from losscalc.core.reductions import MEAN, SUM, Partial
from losscalc.engine.block import Group
from losscalc.engine.compute import Computation
from losscalc.outputs.numbers import json_bytes
from losscalc.outputs.sheets import Cell, Column, Figure, Sheet


@dataclass(frozen=True)
class Summary:
    """The loss of some rows; `share` is their part of the total."""

    count: int
    mean: float
    sum: float
    share: float


class Groups(NamedTuple):
    """The loss of each group of rows, and that of all."""

    column: str
    of_each: Mapping[Group, Summary]
    of_all: Summary

    @classmethod
    def of(cls, operation: Operation, column: str, done: Computation) -> "Groups":
        """The groups of a computation, numbers by their size and texts by the alphabet."""
        total = np.nan if done.partial.sums else float(done.partial.total)
        names = sorted(done.groups, key=lambda name: (isinstance(name, str), name))
        each = {name: _summary(operation, done.groups[name], total) for name in names}
        return cls(column, each, _summary(operation, done.partial, total))

    @property
    def mean_of_means(self) -> float:
        """The mean of the means of the groups, in which each group counts alike."""
        return float(np.mean([each.mean for each in self.of_each.values()])) if self.of_each else np.nan

    def sheet(self, *, for_people: bool) -> Sheet:
        """A row for each group, one for all, and one for the mean of the means."""
        summaries = [*((_text(name), each) for name, each in self.of_each.items()), ("(all)", self.of_all)]
        rows: list[tuple[Cell, ...]] = [
            (name, each.count, each.mean, each.sum, Figure(each.share, ".1%") if for_people else each.share)
            for name, each in summaries
        ]
        rows.append(("(mean of the means)", None, self.mean_of_means, None, None))
        columns = (Column(self.column, "text"), *map(Column, ("count", "mean", "sum", "share")))
        return Sheet("groups", columns, rows)

    def json(self) -> bytes:
        """The same as JSON, in which groups that are numbers stay numbers."""
        each = [{"group": name, **_facts(summary)} for name, summary in self.of_each.items()]
        facts = {"by": self.column, "groups": each, "whole": _facts(self.of_all)}
        return json_bytes({**facts, "mean_of_means": np.asarray(self.mean_of_means)})


def _summary(operation: Operation, partial: Partial, total: float) -> Summary:
    with np.errstate(all="ignore"):
        share = float(np.float64(float(partial.total)) / total)
        mean, total = (float(operation.reduced(reduction, partial)) for reduction in (MEAN, SUM))
        return Summary(partial.count, mean, total, share)


def _facts(summary: Summary) -> dict[str, object]:
    facts = asdict(summary).items()
    # As arrays, NaN and infinities become null.
    return {name: np.asarray(fact) if isinstance(fact, float) else fact for name, fact in facts}


def _text(name: Group) -> str:
    """A group as text; whole numbers without a point."""
    return name if isinstance(name, str) else f"{name:.17g}"
