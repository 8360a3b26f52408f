"""What losses look like: --stats and --worst, and the tools diagnose and compare."""

import numpy as np

from losscalc.insight.call import Call
from losscalc.insight.stats import Spread, context, histogram, spread, worst
from losscalc.outputs.sheets import Sheet

_BAR = 30


def stats_sheet(call: Call) -> Sheet:
    """The spread of the single losses."""
    rows = [(name, _text(value)) for name, value in spread(call)._asdict().items()]
    return Sheet("stats", ("", call.loss.name), rows)


def worst_sheet(call: Call, count: int) -> Sheet:
    """The largest losses, with what they were computed from, and their share of the total."""
    found = worst(call, count)
    names = list(dict.fromkeys(name for row in found for name in row.arrays))
    rows = [
        (
            ", ".join(map(str, row.place)),
            *(row.arrays.get(name, "") for name in names),
            _text(row.loss),
            f"{row.share:.1%}",
        )
        for row in found
    ]
    return Sheet("worst", ("index", *names, "loss", "share"), rows)


def context_sheet(call: Call) -> Sheet:
    """What the mean compares with."""
    mean = float(np.asarray(call._replace(reduction="mean").value))
    return Sheet("context", ("", call.loss.name), [("mean", _text(mean)), *context(call)])


def histogram_sheet(call: Call) -> Sheet:
    """How many losses are how large, as bars."""
    bars = histogram(call)
    most = max((count for _, count in bars), default=1)
    rows = [(text, str(count), "█" * round(_BAR * count / most)) for text, count in bars]
    return Sheet("histogram", ("loss", "count", ""), rows)


def comparison_row(call: Call) -> tuple[str, ...]:
    """Several numbers on one loss, in a row."""
    found: Spread = spread(call)
    numbers = (found.min, found.median, found.max, found.mean, call.total)
    return (call.loss.name, *map(_text, numbers))


def _text(value: float) -> str:
    return str(value) if isinstance(value, int) else repr(float(value)) if np.isfinite(value) else str(value)
