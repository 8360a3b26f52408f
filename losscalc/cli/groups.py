"""The table of --by: the loss of each group of rows, and that of all."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from losscalc.core.operation import Operation
from losscalc.core.reductions import MEAN, SUM, Partial
from losscalc.engine.compute import Computation
from losscalc.engine.sources import Group
from losscalc.outputs.numbers import json_bytes
from losscalc.outputs.sheets import Cell, Column, Figure, Label, Sheet


@dataclass(frozen=True)
class Summary:
    """The loss of some rows; `share` is their part of the total."""

    count: int
    mean: float
    sum: float
    share: float

    @classmethod
    def of(cls, operation: Operation, partial: Partial, total: float) -> "Summary":
        """The summary of sums."""
        with np.errstate(all="ignore"):
            mean, own = (float(operation.reduced(reduction, partial)) for reduction in (MEAN, SUM))
            return cls(partial.count, mean, own, float(np.divide(own, total)))


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
        each = {name: Summary.of(operation, done.groups[name], total) for name in names}
        return cls(column, each, Summary.of(operation, done.partial, total))

    @property
    def mean_of_means(self) -> float:
        """The mean of the means of the groups, in which each group that has losses counts alike."""
        means = [each.mean for each in self.of_each.values() if each.count]
        return float(np.mean(means)) if means else np.nan

    def sheet(self, *, for_people: bool) -> Sheet:
        """A row for each group, one for all, and one for the mean of the means."""
        summaries = [*((_cell(name), each) for name, each in self.of_each.items()), ("(all)", self.of_all)]
        rows: list[tuple[Cell, ...]] = [
            (name, each.count, each.mean, each.sum, Figure(each.share, ".1%") if for_people else each.share)
            for name, each in summaries
        ]
        rows.append(("(mean of the means)", None, self.mean_of_means, None, None))
        columns = (Column(self.column, "text", "group"), *map(Column, ("count", "mean", "sum", "share")))
        return Sheet("groups", columns, rows)

    def json(self, decimals: int | None) -> bytes:
        """The same as JSON, in which groups that are numbers stay numbers."""

        def facts(**values: float) -> dict[str, object]:
            if decimals is None:
                return dict(values)
            # Arrays are what gets so many decimals.
            return {name: v if isinstance(v, int) else np.asarray(v) for name, v in values.items()}

        groups = [{"group": _number(name), **facts(**vars(each))} for name, each in self.of_each.items()]
        whole = {"by": self.column, "groups": groups, "whole": facts(**vars(self.of_all))}
        return json_bytes({**whole, **facts(mean_of_means=self.mean_of_means)}, decimals)


def _number(name: Group) -> Group:
    """A group for JSON: whole numbers have no point."""
    return int(name) if isinstance(name, float) and name.is_integer() else name


def _cell(name: Group) -> Cell:
    """A group in a table: a whole number stays one, and others have all their digits."""
    number = _number(name)
    if isinstance(number, float):
        return Label(str(number), number)
    return "(empty)" if number == "" else number
