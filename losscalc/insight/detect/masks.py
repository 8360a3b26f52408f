"""Hypotheses on losses of masks: other axes are summed up within one loss."""

from typing import Any

from losscalc.catalogue.base import Loss
from losscalc.insight.call import Call
from losscalc.insight.detect.changes import first, having
from losscalc.insight.detect.hypothesis import Hypothesis, require

# The axes of (N, ...) and (N, C, ...) for one loss each row, each class, or each row and class.
_AXES: tuple[tuple[tuple[int, ...], str], ...] = (
    ((1,), "each row"),
    ((1, 2), "each row"),
    ((1, 2, 3), "each row"),
    ((0,), "each column"),
    ((0, 2), "each class of the batch"),
    ((0, 2, 3), "each class of the batch"),
    ((2,), "each row and class"),
    ((2, 3), "each row and class"),
)


def _has_axes(loss: Loss) -> bool:
    return "dim" in loss.settings


def _summed(call: Call, axes: tuple[int, ...] | None) -> Call:
    """The call with such axes summed up within one loss, or all, where that is another loss."""
    now: Any = call.operation.settings["dim"]
    count = first(call).ndim
    own = {axis % count for axis in now} if now else {*range(count)}
    wanted = {*range(count)} if axes is None else {*axes}
    require(wanted != own and max(wanted, default=count) < count)
    # Fewer than all but one or two, for rows and classes, are not the axes of such an array.
    require(axes is None or count - len(axes) == (2 if 0 not in axes and 1 not in axes else 1))
    return having(call, dim=axes)


MASKS = [
    *(
        Hypothesis(
            "loss",
            f"dim-{'-'.join(map(str, axes))}",
            f"there was one loss for {what}: --dim {','.join(map(str, axes))}",
            2.0,
            lambda call, axes=axes: _summed(call, axes),
            f"--dim {','.join(map(str, axes))}",
            concerns=_has_axes,
        )
        for axes, what in _AXES
    ),
    Hypothesis(
        "loss",
        "dim-all",
        "there was one loss for the whole batch: --dim was not applied",
        2.0,
        lambda call: _summed(call, None),
        concerns=_has_axes,
    ),
]
