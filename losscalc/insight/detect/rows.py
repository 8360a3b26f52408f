"""Hypotheses on rows: predictions stood beside the labels of other rows."""

from collections.abc import Iterator

import numpy as np

from losscalc.catalogue.base import Loss
from losscalc.core.array import Array
from losscalc.core.roles import CLASS_KINDS
from losscalc.insight.call import Call
from losscalc.insight.detect.changes import array, first, of_rows, target_name
from losscalc.insight.detect.hypothesis import Hypothesis, require

_STEPS = (1, -1, 2, -2)
_LABELS = ("target", "targets")
_OF_PREDICTIONS = ("values", "vectors", "logits", "log-likelihoods")
_REFERENCE = "ref_"
# What is given with the labels.
_OF_LABELS = ("weights", "full-weights", "sample-weights", "masks", "groups", "relevance", "events")


def _steps(call: Call) -> tuple[int, ...]:
    return _STEPS


def _sides(call: Call) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The arrays of the predictions, and those of the labels, which have gone astray."""
    names, roles = of_rows(call), call.operation.roles
    own = {name for name in names if name in _LABELS or roles[name].kind in _OF_LABELS}
    moving = tuple(name for name in names if name in own) or names[1:]
    require(moving[0] != names[0])
    return tuple(name for name in names if name not in moving), moving


def _rolled(call: Call, step: float) -> Call:
    """The call with all but the predictions moved on, the last rows to the front."""
    _, moving = _sides(call)
    require(len(first(call)) > abs(step))
    moved = {name: np.roll(array(call, name), int(step), axis=0) for name in moving}
    return call._replace(arrays={**call.arrays, **moved})


def _shifted(call: Call, step: float) -> Call:
    """The call in which row t stands beside label t + step, without the rows that have none then."""
    (staying, moving), k = _sides(call), int(step)
    require(len(first(call)) > abs(k))
    ahead, behind = (slice(None, -k), slice(k, None)) if k > 0 else (slice(-k, None), slice(None, k))
    moved = {name: array(call, name)[ahead] for name in staying}
    moved |= {name: array(call, name)[behind] for name in moving}
    return call._replace(arrays={**call.arrays, **moved})


def _moved_alone(call: Call, name: str, step: float) -> Call:
    """The call with one array moved on, or all that share its prefix, the last rows to the front."""
    names = [each for each in of_rows(call)[1:] if each.startswith(name)]
    require(names and len(first(call)) > abs(step))
    moved = {each: np.roll(array(call, each), int(step), axis=0) for each in names}
    return call._replace(arrays={**call.arrays, **moved})


def of_arrays(loss: Loss) -> Iterator[Hypothesis]:
    """That one of several arrays of predictions, or the reference, was in other rows than the others."""
    own = [name for name, role in loss.roles.items() if role.kind in _OF_PREDICTIONS]
    others = [name for name in own[1:] if name not in _LABELS]
    references = {name for name in others if name.startswith(_REFERENCE)}
    for name in sorted({*others} - references) + [_REFERENCE] * bool(references):
        what = "the references" if name == _REFERENCE else f"--{name.replace('_', '-')}"
        yield Hypothesis(
            "rows",
            f"{name.strip('_').replace('_', '-')}-rolled",
            f"{what} alone were rolled by {{number}} rows, the last ones coming first",
            4.0,
            lambda call, step, name=name: _moved_alone(call, name, step),
            tried=_steps,
        )


def _axes(call: Call) -> tuple[str, int, int]:
    """The target, and the axis along which its sequences lie, in the input and in itself."""
    name = target_name(call)
    x, y = first(call), array(call, name)
    has_classes = call.operation.labels in CLASS_KINDS and x.ndim == y.ndim + 1
    require(x.ndim >= 2 and (has_classes or x.shape == y.shape))
    require(not has_classes or (x.ndim == 3 and x.shape[2:] == y.shape[1:]))
    return name, (2 if has_classes else x.ndim - 1), y.ndim - 1


def _shifted_within(call: Call, step: float) -> Call:
    """The call in which position t of each sequence stands beside label t + step."""
    name, own, other = _axes(call)
    x, y, k = first(call), array(call, name), int(step)
    require(x.shape[own] > abs(k) and call.arrays.keys() == {next(iter(call.arrays)), name})
    ahead, behind = (slice(None, -k), slice(k, None)) if k > 0 else (slice(-k, None), slice(None, k))
    moved = {next(iter(call.arrays)): _along(x, own, ahead), name: _along(y, other, behind)}
    return call._replace(arrays={**call.arrays, **moved})


def _along(values: Array, axis: int, part: slice) -> Array:
    return values[(slice(None),) * axis + (part,)]


def _rolled_within(call: Call, step: float) -> Call:
    name, _, axis = _axes(call)
    return call.changed(name, lambda y: np.roll(y, int(step), axis))


def _reversed(call: Call) -> Call:
    moved = {name: array(call, name)[::-1] for name in _sides(call)[1]}
    return call._replace(arrays={**call.arrays, **moved})


def _flattened_target(call: Call) -> Call:
    """The call with the target flattened in the order of its columns."""
    name = target_name(call)
    require(array(call, name).ndim > 1)
    return call.changed(name, lambda y: np.swapaxes(y, 0, -1).reshape(y.shape))


def _axes_of_target(call: Call) -> range:
    return range(1, array(call, target_name(call)).ndim)


def _flipped(call: Call, axis: float) -> Call:
    name = target_name(call)
    require(1 <= axis < array(call, name).ndim)
    return call.changed(name, lambda y: np.flip(y, int(axis)))


def _axes_exchanged(call: Call) -> Call:
    """The call with the last two axes of the target exchanged, in memory if their lengths differ."""
    name = target_name(call)
    require(array(call, name).ndim > 2)
    return call.changed(name, lambda y: np.swapaxes(y, -1, -2).reshape(y.shape))


def _reversed_within(call: Call) -> Call:
    name, _, axis = _axes(call)
    return call.changed(name, lambda y: np.flip(y, axis))


ROWS = [
    Hypothesis(
        "rows",
        "rolled",
        "targets were rolled by {number} rows, the last ones coming first",
        3.0,
        _rolled,
        tried=_steps,
    ),
    Hypothesis(
        "rows",
        "shifted",
        "targets were shifted by {number} rows against the predictions, and what was left over dropped",
        2.5,
        _shifted,
        tried=_steps,
    ),
    Hypothesis(
        "rows",
        "sequence-shifted",
        "targets were shifted by {number} along each sequence, and what was left over dropped",
        2.5,
        _shifted_within,
        tried=_steps,
    ),
    Hypothesis(
        "rows",
        "sequence-rolled",
        "targets were {number} further on along each sequence (or row), the last ones first: a one-hot "
        "column off by one, or a roll",
        3.5,
        _rolled_within,
        tried=_steps,
    ),
    Hypothesis("rows", "reversed", "targets were in reversed order, the last row first", 5.0, _reversed),
    Hypothesis(
        "rows", "sequence-reversed", "targets were in reversed order along each row", 7.0, _reversed_within
    ),
    Hypothesis(
        "rows",
        "target-flipped-along",
        "the targets were flipped (mirrored, upside down) along axis {number}",
        4.0,
        _flipped,
        tried=_axes_of_target,
    ),
    Hypothesis(
        "rows",
        "target-axes-exchanged",
        "the last two axes of the target, rows and columns, were exchanged (transposed)",
        4.0,
        _axes_exchanged,
    ),
    Hypothesis(
        "rows",
        "target-transposed",
        "targets were flattened in the order of their columns (transposed), and the predictions in that of "
        "their rows",
        6.0,
        _flattened_target,
    ),
]
