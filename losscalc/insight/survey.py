"""The tables of statistics and of the largest losses, of a diagnosis, and of losses side by side."""

from collections.abc import Callable, Sequence

import numpy as np

from losscalc.core.array import Array
from losscalc.core.reductions import MEAN
from losscalc.engine.compute import compute
from losscalc.errors import Index, Location, printable
from losscalc.insight.call import Call
from losscalc.insight.predictions import predictions
from losscalc.insight.single import has_single_losses
from losscalc.insight.stats import Worst, chart, context, histogram, spread, worst
from losscalc.outputs.sheets import Cell, Column, Figure, Label, Numbers, Sheet

Locate = Callable[[Index], Location | None]
"""Where a row, or a number, stands in a file."""

_BAR = 30
_MOST_CLASSES = 10
_LABELS: dict[str, Cell] = {"quartile1": Label("Q1", "quartile1"), "quartile3": Label("Q3", "quartile3")}
_COMPARED = ("min", "median", "max", "mean", "sum")


def stats_sheet(call: Call) -> Sheet:
    """Statistics of the single losses."""
    return _facts("stats", call, [(_LABELS.get(n, n), value) for n, value in spread(call)._asdict().items()])


def worst_sheet(call: Call, count: int, locate: Locate) -> Sheet:
    """The largest losses, where they are, what they were computed from and what was predicted, and shares."""
    found = worst(call, count)
    names = list(dict.fromkeys(name for row in found for name in row.arrays))
    places, lines = _lines(locate, found)
    beliefs, said = _beliefs(call, found)
    rows = [
        (
            Numbers(row.place, "d", most=len(row.place)),
            *line,
            *(_beside(row.arrays.get(name)) for name in names),
            *belief,
            row.loss,
            Figure(row.share, ".1%"),
        )
        for row, line, belief in zip(found, lines, said, strict=True)
    ]
    columns = (*places, *map(Column, names), *beliefs, Column("loss"), Column("share"))
    return Sheet("worst", (Column("index", "text"), *columns), rows)


def _lines(locate: Locate, found: Sequence[Worst]) -> tuple[list[Column], list[list[Cell]]]:
    """The line that each loss stands in, and its file if there are several; nothing where there are none."""
    places = [locate(row.row[:1]) if row.row else None for row in found]
    known = [place for place in places if place is not None and place.line is not None]
    if not known:
        return [], [[] for _ in found]
    lines: list[list[Cell]] = [[place and place.line] for place in places]
    if len({place.path for place in known}) == 1:
        return [Column("line")], lines
    files: list[list[Cell]] = [[place and printable(place.path)] for place in places]
    return [Column("file", "text"), Column("line")], [a + b for a, b in zip(files, lines, strict=True)]


def _beliefs(call: Call, found: Sequence[Worst]) -> tuple[list[Column], list[list[Cell]]]:
    """What was predicted at each loss, how probable that was to be, and the probability of the truth."""
    guess = predictions(call) if found else None
    if guess is None or guess.predicted.ndim != len(found[0].held):
        return [], [[] for _ in found]
    columns = [Column("predicted")]
    kept = [guess.predicted]
    if guess.chances is not None and guess.true_chances is not None:
        columns += [Column("p"), Column("p true", key="p_true")]
        kept += [guess.chances, guess.true_chances]
    said: list[list[Cell]] = []
    for row in found:
        label, *chances = (values[row.held] for values in kept)
        said.append([int(label), *(Figure(float(chance), ".4f") for chance in chances)])
    return columns, said


def diagnosis_sheets(call: Call, count: int, locate: Locate) -> list[Sheet]:
    """Baselines, statistics, the largest losses and a histogram; the first alone without single losses."""
    if not has_single_losses(call):
        return [context_sheet(call)]
    largest = worst_sheet(call, count, locate)
    return [context_sheet(call), stats_sheet(call), largest, histogram_sheet(call)]


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
            # The least mark of all, where there are so few that a block would be too many.
            "█" * round(_BAR * bar.losses / most) or "▏" * (bar.losses > 0),
        )
        for bar in bars
    ]
    columns = (Column("loss", "name"), Column("count"), Column("", "bar"))
    return Sheet("histogram", columns, rows, chart=chart(call))


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


def _facts(title: str, call: Call, rows: Sequence[tuple[Cell, ...]]) -> Sheet:
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
