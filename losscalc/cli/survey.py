"""The tables of --stats and --worst, and of the tools diagnose and compare."""

from collections.abc import Sequence

import numpy as np

from losscalc.core.array import Array
from losscalc.core.reductions import MEAN
from losscalc.engine.compute import compute
from losscalc.insight.call import Call
from losscalc.insight.stats import context, histogram, spread, worst
from losscalc.outputs.sheets import Cell, Column, Figure, Numbers, Sheet

_BAR = 30
_MOST_CLASSES = 10
_COMPARED = ("min", "median", "max", "mean", "sum")


def stats_sheet(call: Call) -> Sheet:
    """Statistics of the single losses."""
    return _facts("stats", call, list(spread(call)._asdict().items()))


def worst_sheet(call: Call, count: int) -> Sheet:
    """The largest losses, the numbers they were computed from, and their share of the total."""
    found = worst(call, count)
    names = list(dict.fromkeys(name for row in found for name in row.arrays))
    rows = [
        (
            Numbers(row.place, "d", most=len(row.place)),
            *(_beside(row.arrays.get(name)) for name in names),
            row.loss,
            Figure(row.share, ".1%"),
        )
        for row in found
    ]
    columns = (Column("index", "text"), *map(Column, (*names, "loss", "share")))
    return Sheet("worst", columns, rows)


def context_sheet(call: Call) -> Sheet:
    """Baselines for the mean."""
    mean = float(compute(call._replace(reduction=MEAN)).value)
    rows: list[tuple[str, Cell]] = [("mean", mean)]
    rows += [(name, _baseline(fact)) for name, fact in context(call)]
    return _facts("context", call, rows)


def histogram_sheet(call: Call) -> Sheet:
    """A histogram of the single losses, with bars."""
    bars = histogram(call)
    most = max((bar.losses for bar in bars), default=1)
    rows = [
        (
            Numbers((bar.low, bar.high), ".4g", between=" – "),
            bar.losses,
            "█" * round(_BAR * bar.losses / most),
        )
        for bar in bars
    ]
    return Sheet("histogram", (Column("loss", "text"), Column("count"), Column("", "bar", "bar")), rows)


def comparison_sheet(rows: Sequence[tuple[Cell, ...]]) -> Sheet:
    """Several losses of the same data; if one is refused, with a column of reasons."""
    columns = (Column("loss", "text"), *map(Column, _COMPARED), Column("refused", "text"))
    if all(row[-1] is None for row in rows):
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    return Sheet("losses", columns, rows)


def comparison_row(call: Call) -> tuple[Cell, ...]:
    """The row of a loss."""
    found, partial = spread(call), compute(call).partial
    mean = float(call.operation.reduced(MEAN, partial))
    return (call.operation.name, found.min, found.median, found.max, mean, float(partial.total), None)


def refused_row(name: str, reason: str) -> tuple[Cell, ...]:
    """The row of a loss that the data do not fit, with the reason behind empty cells."""
    return (name, *[None] * len(_COMPARED), reason)


def _facts(title: str, call: Call, rows: list[tuple[str, Cell]]) -> Sheet:
    columns = (Column("", "text"), Column(call.operation.name, key="loss"))
    return Sheet(title, columns, rows, has_names=True)


def _baseline(fact: float | Array) -> Cell:
    """A number, or one for each class."""
    if isinstance(fact, float):
        return Figure(fact, ".4f")
    return Numbers(fact.tolist(), ".3f", most=_MOST_CLASSES)


def _beside(values: Array | None) -> Cell:
    """The number beside a loss, or the numbers of its row."""
    if values is None:
        return None
    if values.ndim == 0:
        return _figure(float(values))
    return Numbers((values if values.dtype.kind == "f" else values.astype(np.int64)).tolist())


def _figure(number: float) -> Cell:
    """Whole numbers, which may be labels, keep all their digits; other numbers get six."""
    whole = number.is_integer() and abs(number) < 1e15
    return int(number) if whole else Figure(number, ".6g")
