"""Columns of no scores among the scores: the label of each row, or whole numbers beside fractions."""

import numpy as np

from losscalc.core.array import Array
from losscalc.core.roles import CLASS_KINDS
from losscalc.errors import DiagnosisWarning
from losscalc.insight.diagnosis import Case, Diagnosis

# In fewer rows, scores may be equal to labels by chance, or for an example's sake.
_ENOUGH = 8
_FEW = 64
# So many rows are looked at before all others.
_FIRST = 64
# By chance, a column of scores shows as whole numbers in at most one table of so many.
_RARE = 10_000


def _own_column(case: Case) -> int | bool | None:
    """The column of the scores that is the target; None where the rows are too few or too alike to tell."""
    scores, target = case.scores, case.arguments.get("target")
    if target is None or scores.ndim != 2 or target.ndim != 1 or len(scores) < _ENOUGH:
        return None
    # Mostly the first row tells; a few numbers are told apart sooner in a list.
    row = scores[0]
    if target.item(0) not in (row.tolist() if len(row) <= _FEW else row):
        return False
    head = scores[:_FIRST]
    alike = np.flatnonzero((head == target[:_FIRST, np.newaxis]).all(axis=0))
    column = next((int(c) for c in alike if (scores[:, c] == target).all()), None)
    if column is None:
        return False
    # Among predictions of 0 and 1, those of the second of two classes are the labels if all are right.
    are_hard = np.isin(np.delete(head, column, axis=1), (0.0, 1.0)).all()
    return None if are_hard or (target == target[0]).all() else column


def _whole_columns(case: Case) -> list[int] | None:
    """Columns of whole numbers, not all the same, beside columns of fractions; None where few rows are."""
    scores = case.scores
    if (
        scores.ndim != 2
        or scores.dtype.kind != "f"
        or scores.shape[1] < 2
        or case.arguments.get("target") is None
    ):
        return None
    head = scores[:_FIRST]
    if not _are_whole(head[0]).any():
        return []
    is_whole = _are_whole(head)
    if is_whole.all():
        return None
    columns = [int(c) for c in np.flatnonzero(is_whole.all(axis=0)) if _are_whole(scores[:, c]).all()]
    others = np.delete(is_whole, columns, axis=1)
    # Decimals are few in some tables: so often any score is a whole number.
    often = (np.count_nonzero(others) + 1) / (others.size + 1)
    if not columns or scores.shape[1] * often ** len(head) > 1 / _RARE:
        return None if columns else []
    # A class that is masked has the same score in all rows.
    return [c for c in columns if (scores[:, c] != scores[0, c]).any()] or None


def _are_whole(values: Array) -> Array:
    whole: Array = np.isfinite(values) & (values == np.trunc(values))
    return whole


def _are_others_whole(case: Case) -> bool | None:
    """Whether there are such columns; None where there are others, of which one is the target."""
    columns = _whole_columns(case)
    return None if columns is None or type(_own_column(case)) is int else bool(columns)


def _warning(case: Case, own: list[int], problem: str) -> DiagnosisWarning:
    """The warning about columns of the scores; the hint leaves out all that are none."""
    columns = sorted({*own, *(_whole_columns(case) or ())})
    warning = DiagnosisWarning(
        f"column {(own or columns)[0] + 1} of `{case.first}` {problem}",
        hint="leave it out, as in "
        f"numpy.delete(array, {columns[0] if len(columns) == 1 else columns}, axis=1)",
        argument=case.first,
    )
    warning.columns = tuple(columns)
    return warning


LEAK = Diagnosis(
    "leak",
    # Probabilities, and their logarithms, have a range that labels mostly leave.
    lambda loss: loss.scores in ("logits", "values", "vectors") and loss.labels in (*CLASS_KINDS, "groups"),
    _own_column,
    lambda case: _warning(
        case, [int(_own_column(case) or 0)], "is the target in all rows: labels are taken as scores"
    ),
)
"""The sign of a table that was read with its labels, for want of a name that would tell."""

WHOLE = Diagnosis(
    "whole",
    lambda loss: loss.scores in ("logits", "values") and loss.labels in CLASS_KINDS,
    _are_others_whole,
    lambda case: _warning(
        case,
        [],
        "holds whole numbers only, and the others fractions: it may be no class, and is taken as one",
    ),
)
"""The sign of a table that was read with more than scores: predicted classes, folds or lengths."""
