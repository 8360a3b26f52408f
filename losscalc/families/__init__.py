"""The losses, one module a family; the order of these imports is the order of the catalogue."""

from losscalc.families.regression import L1, MSE  # isort: skip
from losscalc.families.binary import BCE, BCEWithLogits  # isort: skip
from losscalc.families.multiclass import CrossEntropy, NLL  # isort: skip

__all__ = ["BCE", "L1", "MSE", "NLL", "BCEWithLogits", "CrossEntropy"]
