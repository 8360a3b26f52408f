"""The losses, one module a family; the order of these imports is the order of the catalogue."""

from losscalc.losses.regression import L1, MSE  # isort: skip
from losscalc.losses.binary import BCE, BCEWithLogits  # isort: skip
from losscalc.losses.multiclass import CrossEntropy, NLL  # isort: skip

__all__ = ["BCE", "L1", "MSE", "NLL", "BCEWithLogits", "CrossEntropy"]
