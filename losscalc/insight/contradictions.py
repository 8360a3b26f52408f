"""Contradictions: numbers that cannot be what a loss takes them for, though something can be computed."""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np

from losscalc.catalogue.base import Loss
from losscalc.core.array import Array, extremes
from losscalc.core.declaration import array_arguments
from losscalc.core.domains import Interval
from losscalc.core.operation import Operation
from losscalc.core.reductions import BATCHMEAN
from losscalc.core.roles import Kind
from losscalc.engine.findings import Sign
from losscalc.errors import DiagnosisWarning, Index
from losscalc.insight.diagnosis import (
    Case,
    Diagnosis,
    are_probabilities,
    astray,
    logs_astray,
    takes,
    takes_classes,
)

_HAIR = 1e-6
"""By so much rounding may leave a range, in parts of its bound."""
_UNCHECKED: tuple[Kind, ...] = ("log-probabilities", "distances", "boxes", "shares", "distributions")
"""Kinds of numbers that no domain holds to what they are; those of all others keep a loss in its range."""
_FEW = 3
"""So few numbers are an example of how a loss is computed, and no data."""


class Contradiction(NamedTuple):
    """A fact that arrays of a loss have to satisfy, and the warning where one block breaks it."""

    name: str
    concerns: Callable[[type[Loss]], object]
    broken: Callable[[Case], DiagnosisWarning | None]
    rows: Callable[[Case], int | None] | None = None
    """The number of rows of the block, if it has to be all of the call."""

    def sign(self, case: Case) -> Sign | None:
        """The sign in one block; None if nothing is broken there."""
        rows = self.rows and self.rows(case)
        if rows is not None and not case.is_first:
            return None
        warning = self.broken(case)
        return None if warning is None else Sign(True, warning, everywhere=False, rows=rows)


def log_softmax(case: Case) -> str:
    """The command that makes log-probabilities of logits, along the axis of the classes."""
    return "losscalc log-softmax" + (f" --dim {case.row_axis}" if case.scores.ndim > 2 else "")


def _positive_logs(case: Case) -> DiagnosisWarning | None:
    """Log-probabilities that are positive, which no logarithm of a probability is."""
    scores = case.scores
    if scores.size <= _FEW or case.highest <= _HAIR:
        return None
    positive = scores > _HAIR
    if not positive.any() or are_probabilities(scores, case.row_axis):
        return None
    if case.has("input_lengths"):
        positive &= case.counted(scores.shape[:-1])[..., np.newaxis]
        if not positive.any():
            return None
    # Beside NaN, which is not greater than any number, too.
    largest = np.where(positive, scores, -np.inf).argmax()
    return DiagnosisWarning(
        f"`{case.first}` has a positive value, and log-probabilities are at most 0",
        found=float(scores.flat[largest]),
        hint=_to_log_probabilities(case),
        argument=case.first,
        index=tuple(int(i) for i in np.unravel_index(largest, scores.shape)),
    )


def _to_log_probabilities(case: Case) -> str:
    """How positive numbers become log-probabilities; those of probabilities lie between 0 and 1."""
    of_logits = log_softmax(case)
    if (case.scores >= 0).all() and (case.scores <= 1).all():
        return f"pipe probabilities through losscalc log, logits through {of_logits}"
    name = case.loss.relatives.get("logits")
    advice = f"pipe it through {of_logits}"
    return f"{advice}; for logits use {name}" if name else advice


def _unnormalised_logs(case: Case) -> DiagnosisWarning | None:
    """Rows of log-probabilities whose exponentials do not sum to 1."""
    scores = case.scores
    if not case.highest <= _HAIR:
        return None
    place = _first_astray(case, scores, of_logs=True)
    if place is None:
        return None
    name = case.loss.relatives.get("logits")
    return DiagnosisWarning(
        f"`{case.first}` does not look like log-probabilities: the exponentials of its rows do not sum to 1",
        hint=f"pipe it through {log_softmax(case)}" + (f", or use losscalc {name}" if name else ""),
        argument=case.first,
        index=place,
    )


def _first_astray(case: Case, rows: Array, *, of_logs: bool) -> Index | None:
    """The place of the first row whose sum is not 1, if rows are along no axis that they may be along.

    Without a class axis they are along the last, or along axis 1 as those of pictures.
    """
    if takes_classes(type(case.loss)):
        axes = [case.class_axis(rows)]
    else:
        axes = [-1] if case.loss.labels == "sequences" or rows.ndim < 3 else [-1, 1]
    if rows.ndim == 0 or rows.shape[axes[0]] < 2:
        return None
    look = logs_astray if of_logs else astray
    places = [look(rows, axis, case.counted) for axis in axes]
    return None if None in places else (places[0] or ())[:1]


def _class_sums(case: Case) -> DiagnosisWarning | None:
    """Rows of class probabilities that do not sum to 1: several labels a row, or none."""
    target = case["target"] if case.has("target") else None
    if target is None or target.dtype.kind != "f":
        return None
    place = _first_astray(case, target, of_logs=False)
    if place is None:
        return None
    sums = target.sum(axis=case.class_axis(target))[place]
    total = float(sums.flat[np.abs(sums - 1.0).argmax()])
    other = case.loss.relatives.get("one-against-rest")
    if total == 0:
        hint = "leave such rows out, or give class indices: `ignore_index` is that of rows without a class"
    elif other and np.isin(target, (0.0, 1.0)).all():
        hint = f"where a row may have several classes, use losscalc {other}"
    else:
        hint = "divide each row by its sum"
    return DiagnosisWarning(
        f"`target` has a row that sums to {total:.6g}; the probabilities of classes sum to 1",
        hint=hint,
        argument="target",
        index=place,
    )


def _distribution_sums(case: Case) -> DiagnosisWarning | None:
    """Rows of a target that are to be distributions, and do not sum to 1."""
    are_logs = bool(case.loss.settings.get("log_target"))
    place = _first_astray(case, case["target"], of_logs=are_logs)
    if place is None:
        return None
    return DiagnosisWarning(
        "`target` has a row whose exponentials do not sum to 1; those of log-probabilities do"
        if are_logs
        else "`target` has a row that does not sum to 1; distributions do",
        hint=f"pipe it through {log_softmax(case)}" if are_logs else "divide each row by its sum",
        argument="target",
        index=place,
    )


def _lone(case: Case) -> int | None:
    """The length of a lone distribution, of which a block may only be a part; None for rows."""
    return len(case.scores) if case.scores.ndim == 1 and not takes_classes(type(case.loss)) else None


def _boxes(case: Case) -> DiagnosisWarning | None:
    """Boxes without width or height, or with a corner on the wrong side of the other."""
    for name in _of_kind(type(case.loss), "boxes"):
        # Corner by corner, because NumPy takes long for axes as short as that of the corners.
        x1, y1, x2, y2 = np.moveaxis(case[name], -1, 0)
        if not ((x2 <= x1) | (y2 <= y1)).any():
            continue
        sides = case[name][..., 2:] - case[name][..., :2]
        if not (sides <= 0).any():
            continue
        place = tuple(int(i) for i in np.argwhere((sides <= 0).any(axis=-1))[0])
        what = "with a corner on the wrong side" if (sides[place] < 0).any() else "without area"
        return DiagnosisWarning(
            f"`{name}` has a box {what}",
            found=", ".join(f"{number:g}" for number in case[name][place]),
            hint="boxes are x1, y1, x2, y2 with x1 < x2 and y1 < y2; of a centre, width and height they are "
            "cx - w/2, cy - h/2, cx + w/2, cy + h/2",
            argument=name,
            index=place,
        )
    return None


def _batchmean(case: Case) -> DiagnosisWarning | None:
    """A mean over the first axis alone, where distributions lie along further axes."""
    if case.reduction != BATCHMEAN.name or case.scores.ndim < 3:
        return None
    return DiagnosisWarning(
        f"{BATCHMEAN.name} divides by the length of axis 0 alone, and `{case.first}` has distributions along "
        "more axes",
        hint="give the distributions as rows (N, C), or divide the sum by their number",
        argument=case.first,
    )


def _is_hard(case: Case) -> bool | None:
    """Whether all probabilities are 0 or 1; of a lone one that cannot be told."""
    scores = case.scores
    if scores.flat[0] not in (0.0, 1.0) or not ((scores == 0) | (scores == 1)).all():
        return False
    return True if scores.size > 1 else None


def _beyond(case: Case) -> DiagnosisWarning | None:
    """A loss outside the range of single losses, which no arrays give that are what they should be."""
    loss, value, bounds = case.loss, case.terms.value, case.loss.range
    if case.terms.sums is not None or case.scores.size <= _FEW or not value.size or loss.like is not None:
        return None
    low = bounds.low - _HAIR * max(1.0, abs(bounds.low)) if bounds.low > -np.inf else bounds.low
    high = bounds.high * (1.0 + _HAIR)
    least, most = extremes(value)
    if not (least < low or most > high) or _is_excused(case):
        return None
    place = tuple(int(i) for i in np.argwhere((value < low) | (value > high))[0])
    row = place[:1] if case.terms.rows is None else (int(case.terms.rows[place[0]]),)
    is_sequence = loss.labels == "sequences"
    return DiagnosisWarning(
        f"a single loss of {loss.name} is {bounds}; an array is not what this loss takes it for",
        found=float(value[place]),
        hint=f"losscalc show {loss.name} says what they hold",
        argument=None if is_sequence else case.first,
        index=row,
    )


def _is_excused(case: Case) -> bool:
    """Whether weights, or labels that have a warning of their own, may take a loss out of its range."""
    roles = case.loss.roles
    for name, values in case.arguments.items():
        advised = roles[name].advised
        if "weights" in roles[name].kind:
            return True
        if advised is not None and values.dtype.kind == "f" and advised.first_outside(values) is not None:
            return True
    return False


@cache
def _of_kind(loss: type[Loss], kind: Kind) -> tuple[str, ...]:
    """The names of the arrays of a loss that are of a kind."""
    return tuple(argument.name for argument in array_arguments(loss) if argument.role.kind == kind)


RANGE = Contradiction("range", lambda loss: loss.range != Interval() and takes(loss, *_UNCHECKED), _beyond)
"""The sign of last resort, shown where no other tells what is wrong."""

CONTRADICTIONS: tuple[Diagnosis | Contradiction, ...] = (
    Contradiction(
        "positive-log-probabilities", lambda loss: loss.scores == "log-probabilities", _positive_logs
    ),
    Contradiction(
        "not-normalised",
        lambda loss: loss.scores == "log-probabilities",
        _unnormalised_logs,
        rows=_lone,
    ),
    Contradiction(
        "class-sums", lambda loss: loss.labels == "classes" and loss.scores != "probabilities", _class_sums
    ),
    Contradiction(
        "distribution-sums", lambda loss: loss.labels == "distributions", _distribution_sums, rows=_lone
    ),
    Contradiction("corners", lambda loss: _of_kind(loss, "boxes"), _boxes),
    Contradiction("batchmean", lambda loss: BATCHMEAN.name in loss.reductions, _batchmean),
    Diagnosis(
        "hard",
        # A loss of sums is also taken of masks, whose numbers are 0 and 1.
        lambda loss: loss.scores == "probabilities" and loss.finish is Operation.finish,
        _is_hard,
        lambda case: DiagnosisWarning(
            f"`{case.first}` holds nothing but 0 and 1, which are labels, not probabilities",
            hint="give the probabilities that these labels were made from",
            argument=case.first,
        ),
    ),
)
