"""The losses, one module a family; the order of these imports is the order of the catalogue."""

from losscalc.families.regression import L1, MSE, Huber, SmoothL1  # isort: skip
from losscalc.families.binary import BCE, BCEWithLogits, HingeEmbedding, SoftMargin  # isort: skip
from losscalc.families.multiclass import CrossEntropy, NLL  # isort: skip

__all__ = [
    "BCE",
    "L1",
    "MSE",
    "NLL",
    "BCEWithLogits",
    "CrossEntropy",
    "HingeEmbedding",
    "Huber",
    "SmoothL1",
    "SoftMargin",
]
