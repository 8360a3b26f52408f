"""The target among the scores: a column of them that is the label of each row."""

import numpy as np

from losscalc.core.roles import CLASS_KINDS
from losscalc.errors import DiagnosisWarning
from losscalc.insight.diagnosis import Case, Diagnosis

# In fewer rows, scores may be equal to labels by chance, or for an example's sake.
_ENOUGH = 8
_FEW = 64
# So many rows are looked at before all others.
_FIRST = 64


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


def _warning(case: Case) -> DiagnosisWarning:
    column = int(_own_column(case) or 0)
    warning = DiagnosisWarning(
        f"column {column + 1} of `{case.first}` is the target in all rows: labels are taken as scores",
        hint=f"leave it out, as in numpy.delete(array, {column}, axis=1)",
        argument=case.first,
    )
    warning.column = column
    return warning


LEAK = Diagnosis(
    "leak",
    # Probabilities, and their logarithms, have a range that labels mostly leave.
    lambda loss: loss.scores in ("logits", "values", "vectors") and loss.labels in (*CLASS_KINDS, "groups"),
    _own_column,
    _warning,
)
"""The sign of a table that was read with its labels, for want of a name that would tell."""
