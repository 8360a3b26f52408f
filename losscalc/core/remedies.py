"""Remedies: what to do about values that are outside the domain of their role."""

from typing import TYPE_CHECKING

import numpy as np

from losscalc.core.array import FloatArray
from losscalc.core.domains import SIGNS
from losscalc.errors import Index

if TYPE_CHECKING:
    from losscalc.core.roles import Role

MISSING = "NaN is a missing number, whose row --na drop leaves out"
FRACTION = "losscalc list regression shows the losses of targets that may have any value"
IGNORED = (255, -1, -100)
"""What usually stands in the place of a label that is to be ignored."""


def remedy(role: "Role", values: FloatArray, index: Index) -> str | None:
    """What to do about values outside the domain of a role, of which one is at an index.

    Probabilities may be percentages: logits are seldom all positive, and next to never above 20; percentages
    are not all below 2.
    """
    if values[index] != values[index]:
        return MISSING if index and role.has_rows else None
    if (advice := remedy_of_labels(role, values, index)) is not None:
        return advice
    if role.kind not in ("probabilities", "shares") or not (values.min() >= 0 and 2 < values.max() <= 100):
        return role.hint
    if values.max() > 20 or role.hint is None:
        return "divide percentages by 100"
    return f"divide percentages by 100; {role.hint}"


def remedy_of_labels(role: "Role", values: FloatArray, index: Index) -> str | None:
    """What to do about labels that are no labels: marks of what is to be ignored, or signs."""
    if role.kind not in ("labels", "signs") or values[index] not in IGNORED:
        return None
    found = int(values[index])
    if found == -1 and np.isin(values, SIGNS.values).all():
        return role.hint or "labels of -1 and 1 become 0 and 1 as (label + 1) / 2"
    return ignoring(found)


def ignoring(label: int) -> str:
    """How to leave out rows with a label, where the loss has no parameter for that."""
    return f"{label} looks like a label to ignore: leave such rows out, as --where 'LABEL!={label}' does"
