"""Plots of the single losses, drawn with matplotlib if that is installed."""

import io

import numpy as np

from losscalc.cli.files import check_writable, write_file
from losscalc.errors import UsageError
from losscalc.inputs import split_suffix
from losscalc.insight.call import Call
from losscalc.insight.stats import counted, histogram

_FORMATS = (".png", ".svg", ".pdf")


def check_plot(path: str) -> None:
    """Raise an error before the work is done, if the plot could not be made after it."""
    if split_suffix(path)[0] not in _FORMATS or split_suffix(path)[1]:
        known = " ".join(_FORMATS)
        raise UsageError("`plot` names a file of no known format", found=path, hint=f"use one of {known}")
    try:
        import matplotlib  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise UsageError("`plot` needs matplotlib", hint="pip install 'losscalc[plot]'") from error
    check_writable(path)


def plot(call: Call, path: str) -> None:
    """Draw a histogram of the single losses, and beside it the losses in sorted order."""
    from matplotlib.figure import Figure

    single, counts = counted(call)
    values = np.sort(single[counts & np.isfinite(single)])
    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    bars = histogram(call, 30)
    left.bar(range(len(bars)), [bar.losses for bar in bars], width=1.0)
    ends = [f"{bar.low:.4g} – {bar.high:.4g}" for bar in (bars[0], bars[-1])] if bars else []
    left.set_xticks([0, len(bars) - 1] if bars else [], ends)
    left.set(xlabel=call.operation.name, ylabel="count")
    right.plot(np.arange(1, len(values) + 1), values)
    right.set(xlabel="losses, sorted", ylabel=call.operation.name)
    buffer = io.BytesIO()
    figure.savefig(buffer, format=split_suffix(path)[0][1:])
    write_file(path, [buffer.getvalue()])
