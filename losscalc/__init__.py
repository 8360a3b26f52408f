"""losscalc: the exact value of any machine-learning loss, without a deep-learning framework.

>>> compute("bce-logits", input=[2.0, -1.0, 0.0], target=[1, 0, 1])
np.float64(0.377778960)
"""

from losscalc.activations import LogSigmoid, LogSoftmax, Sigmoid, Softmax
from losscalc.errors import (
    ClassIndexError,
    DataError,
    DomainError,
    DTypeError,
    FormatError,
    LosscalcError,
    LosscalcWarning,
    OutputError,
    ParameterError,
    ShapeError,
    SourceError,
    UnknownLossError,
    UsageError,
)
from losscalc.families import (
    BCE,
    L1,
    MSE,
    NLL,
    BCEWithLogits,
    CrossEntropy,
    HingeEmbedding,
    Huber,
    SmoothL1,
    SoftMargin,
)
from losscalc.loss import Loss, losses
from losscalc.operation import compute

__all__ = [
    "BCE",
    "L1",
    "MSE",
    "NLL",
    "BCEWithLogits",
    "ClassIndexError",
    "CrossEntropy",
    "DTypeError",
    "DataError",
    "DomainError",
    "FormatError",
    "HingeEmbedding",
    "Huber",
    "LogSigmoid",
    "LogSoftmax",
    "Loss",
    "LosscalcError",
    "LosscalcWarning",
    "OutputError",
    "ParameterError",
    "ShapeError",
    "Sigmoid",
    "SmoothL1",
    "SoftMargin",
    "Softmax",
    "SourceError",
    "UnknownLossError",
    "UsageError",
    "compute",
    "losses",
]
