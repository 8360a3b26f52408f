"""Weights by which all classes, or positives and negatives, count alike."""

from collections.abc import Mapping

import numpy as np

from losscalc.core.array import Array, Shape
from losscalc.core.domains import UNIT
from losscalc.core.operation import Operation
from losscalc.errors import DataError, UsageError

BALANCED = "balanced"
"""What is given in the place of weights that are to be computed."""
_MOST_LABELS = 10**7


def check_balanced(operation: Operation, name: str) -> None:
    """Refuse to balance weights that are not one per class."""
    if operation.roles[name].kind not in ("class-weights", "positive-weights"):
        raise UsageError(f"`{name}` of {operation.name} is not one per class, and cannot be balanced")


def balanced(operation: Operation, name: str, labels: Array, shapes: Mapping[str, Shape]) -> Array:
    """The weights of an array of that name; `shapes` are those of the other arrays."""
    check_balanced(operation, name)
    if operation.roles[name].kind == "positive-weights":
        return balanced_positives(labels)
    shape = shapes["linear_weight"][:1] if "linear_weight" in shapes else shapes["input"][:2]
    if operation.settings.get("class_axis") == -1:
        shape = shapes["input"]
    ignored = operation.settings.get("ignore_index")
    return balanced_classes(labels, shape[-1], ignored if isinstance(ignored, int) else None)


def balanced_classes(target: Array, classes: int | None = None, ignored: int | None = None) -> Array:
    """Class weights by which all classes count alike: n / (C·n_c), as in scikit-learn."""
    flat = np.asarray(target).reshape(-1)
    wrong = np.flatnonzero(~(flat == np.floor(flat)) | (flat > _MOST_LABELS))
    if wrong.size:
        raise DataError(
            f"`target` must hold class indices, whole numbers below {_MOST_LABELS}",
            found=float(flat[wrong[0]]),
            argument="target",
        )
    indices = flat[(flat >= 0) & (flat != ignored)].astype(np.int64)
    if classes is not None and indices.size and indices.max() >= classes:
        raise DataError(
            f"`target` must be a class index from 0 to {classes - 1}",
            found=int(indices.max()),
            argument="target",
        )
    numbers = np.bincount(indices, minlength=classes or 0).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(numbers > 0, numbers.sum() / (np.count_nonzero(numbers) * numbers), 0.0)


def balanced_positives(target: Array) -> Array:
    """Negatives over positives: one number for a vector, one per column for a matrix."""
    if (outside := UNIT.first_outside(np.asarray(target, dtype=np.float64))) is not None:
        raise DataError(
            "`target` must hold labels in [0, 1]", found=float(target[outside]), argument="target"
        )
    axis = 0 if target.ndim > 1 else None
    positives = np.asarray(target, dtype=np.float64).sum(axis=axis)
    negatives = np.asarray(1.0 - target, dtype=np.float64).sum(axis=axis)
    if (positives == 0).any():
        where = f" in column {int(np.argmax(positives == 0)) + 1}" if positives.ndim else ""
        raise DataError(f"`target` has no positive label{where}, so no weight balances it", argument="target")
    return np.asarray(negatives / positives)
