"""The losses, one module a family; the order of these imports is the order of the catalogue."""

from losscalc.families.regression import L1, MSE, Huber, SmoothL1  # isort: skip
from losscalc.families.likelihood import GaussianNLL, PoissonNLL  # isort: skip
from losscalc.families.binary import BCE, BCEWithLogits, MultiLabelSoftMargin, SigmoidFocal  # isort: skip
from losscalc.families.margin import HingeEmbedding, MultiLabelMargin, MultiMargin, SoftMargin  # isort: skip
from losscalc.families.multiclass import CrossEntropy, NLL  # isort: skip
from losscalc.families.projection import LinearCrossEntropy  # isort: skip
from losscalc.families.adaptive import AdaptiveLogSoftmax  # isort: skip
from losscalc.families.divergence import KLDiv  # isort: skip
from losscalc.families.embedding import CosineEmbedding, MarginRanking  # isort: skip
from losscalc.families.triplet import TripletMargin, TripletMarginWithDistance  # isort: skip
from losscalc.families.sequence import CTC  # isort: skip
from losscalc.families.detection import CIoU, DIoU, GIoU  # isort: skip

__all__ = [
    "BCE",
    "CTC",
    "L1",
    "MSE",
    "NLL",
    "AdaptiveLogSoftmax",
    "BCEWithLogits",
    "CIoU",
    "CosineEmbedding",
    "CrossEntropy",
    "DIoU",
    "GIoU",
    "GaussianNLL",
    "HingeEmbedding",
    "Huber",
    "KLDiv",
    "LinearCrossEntropy",
    "MarginRanking",
    "MultiLabelMargin",
    "MultiLabelSoftMargin",
    "MultiMargin",
    "PoissonNLL",
    "SigmoidFocal",
    "SmoothL1",
    "SoftMargin",
    "TripletMargin",
    "TripletMarginWithDistance",
]
