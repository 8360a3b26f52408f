"""Cross-entropy of features that a matrix turns into logits."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, cast

import numpy as np

from losscalc.catalogue.base import Loss, Quantities, loss
from losscalc.catalogue.classwise import LABEL_SMOOTHING
from losscalc.catalogue.multiclass import CrossEntropy
from losscalc.catalogue.weighting import sample_weighted
from losscalc.core.array import FloatArray, IndexArray, Shape, show_shape
from losscalc.core.declaration import Doc
from losscalc.core.domains import UNIT
from losscalc.core.reductions import Slope, Terms
from losscalc.core.roles import ClassTarget, ClassWeight, Features, LinearBias, LinearWeight
from losscalc.core.shapes import Layout, classwise_layout
from losscalc.errors import ParameterError, ShapeError

# A row counts as wide as its features, or as one element for so many logits. If every logit counted, blocks
# would have few rows, and matrix products would read the whole matrix again and again.
LOGITS = 128


@loss("linear-cross-entropy", torch="LinearCrossEntropyLoss", functional="linear_cross_entropy")
class LinearCrossEntropy(Loss):
    """Cross-entropy of the logits that a linear layer makes of features.

    `input` holds features (N, F), or (F,) for one sample, and `linear_weight` the matrix (C, F) of the
    layer, or (C, d1, ..., F) for logits (N, C, d1, ...); `linear_bias` has its shape without F. `target`,
    `weight` and `sample_weight` are those of cross-entropy on these logits, of which never more than a few
    rows are in memory. With class indices the mean divides by the sum of the weights of the targets that are
    not ignored; with class probabilities by the number of rows; and each counts as often as its
    `sample_weight` says.

    Raises ShapeError for shapes that do not fit, ClassIndexError for a class outside [0, C), DomainError for
    a negative weight and ParameterError for an `ignore_index` with class probabilities.

    Source: https://docs.pytorch.org/docs/2.13/generated/torch.nn.LinearCrossEntropyLoss.html

    >>> LinearCrossEntropy()([[1.0, 2.0], [0.0, -1.0]], [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], [2, 0])
    np.float64(0.479525339)
    """

    unlike = (
        "has no chunking options, and gives inf, not NaN, where the weights of all targets are 0 and label "
        "smoothing counts other classes"
    )
    aliases = ("fused_linear_cross_entropy",)
    uses = ("classification", "one class of several", "language model", "large vocabulary")
    is_likelihood = True
    weighted_mean = True
    relatives = {"logits": "cross-entropy"}
    example = {
        "input": [[1.0, 2.0], [0.0, -1.0]],
        "linear_weight": [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]],
        "target": [2, 0],
    }

    formula = f"{CrossEntropy.formula}; x = linear_weight·input + linear_bias"
    divisor = CrossEntropy.divisor
    legacy = False

    ignore_index: Annotated[int | None, Doc("Rows with this target are left out; -100 unless given.")] = None
    label_smoothing: Annotated[float, UNIT, LABEL_SMOOTHING] = 0.0

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        features, matrix = shapes["input"], shapes["linear_weight"]
        if len(features) not in (1, 2):
            raise ShapeError(
                f"`input` has shape {show_shape(features)}; it must be (N, F), or (F,) for one sample",
                argument="input",
            )
        if len(matrix) < 2 or matrix[-1] != features[-1] or (len(matrix) > 2 and len(features) == 1):
            raise ShapeError(
                f"`linear_weight` has shape {show_shape(matrix)}; for `input` of shape "
                f"{show_shape(features)} it must be (C, {features[-1]})",
                argument="linear_weight",
            )
        if "linear_bias" in shapes and shapes["linear_bias"] != matrix[:-1]:
            raise ShapeError(
                f"`linear_bias` has shape {show_shape(shapes['linear_bias'])}; for `linear_weight` of shape "
                f"{show_shape(matrix)} it must be {show_shape(matrix[:-1])}",
                argument="linear_bias",
            )
        layout = self._logits_layout({**shapes, "input": features[:-1] + matrix[:-1]}, dtypes)
        return layout._replace(width=max(cast(int, features[-1]), layout.width // LOGITS))

    def _logits_layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype]) -> Layout:
        if shapes["linear_weight"][0] == 0:
            raise ShapeError("`linear_weight` has no classes", argument="linear_weight")
        layout = classwise_layout(shapes, dtypes, probabilities=True, scores_name="logits")
        if not layout.indices and self.ignore_index is not None:
            raise ParameterError(
                "`ignore_index` leaves out class indices, but `target` holds class probabilities",
                found=self.ignore_index,
                argument="ignore_index",
            )
        return layout

    @sample_weighted
    def terms(
        self,
        input: Features,
        linear_weight: LinearWeight,
        target: ClassTarget,
        linear_bias: LinearBias | None = None,
        weight: ClassWeight | None = None,
    ) -> Terms:
        return self._of_logits.terms(_logits(input, linear_weight, linear_bias), target, weight)

    def quantities(
        self, input: FloatArray, linear_weight: FloatArray, linear_bias: FloatArray | None = None, **rest: Any
    ) -> Quantities:
        return self._of_logits.quantities(_logits(input, linear_weight, linear_bias), **rest)

    def explained(self, target: FloatArray | IndexArray) -> str:
        explained = self._of_logits.explained(target)
        return self.formula if explained == CrossEntropy.formula else explained

    def gradient(self, input: FloatArray, linear_weight: FloatArray, **rest: Any) -> Slope:
        """That of cross-entropy, times the matrix."""
        slopes = self._slopes(input, linear_weight, **rest)
        return Slope((slopes @ _matrix(linear_weight)).reshape(input.shape))

    def gradient_linear_weight(self, input: FloatArray, linear_weight: FloatArray, **rest: Any) -> Slope:
        """That of cross-entropy times the features, summed over the samples."""
        slopes = self._slopes(input, linear_weight, **rest)
        # The features of an ignored sample may be anything, even NaN.
        samples = np.where(slopes.any(axis=1, keepdims=True), np.atleast_2d(input), 0.0)
        return Slope((slopes.T @ samples).reshape(linear_weight.shape))

    def gradient_linear_bias(self, input: FloatArray, linear_weight: FloatArray, **rest: Any) -> Slope:
        """That of cross-entropy, summed over the samples."""
        slopes = self._slopes(input, linear_weight, **rest)
        return Slope(slopes.sum(axis=0).reshape(linear_weight.shape[:-1]))

    @property
    def _of_logits(self) -> CrossEntropy:
        """The loss of the logits."""
        return CrossEntropy.accepted(self.settings)

    def _slopes(
        self, input: FloatArray, linear_weight: FloatArray, linear_bias: FloatArray | None = None, **rest: Any
    ) -> FloatArray:
        """The derivative of cross-entropy with respect to the logits, in one row for each sample."""
        slopes = self._of_logits.gradient(_logits(input, linear_weight, linear_bias), **rest).value
        return slopes.reshape(len(np.atleast_2d(input)), math.prod(linear_weight.shape[:-1]))


def _logits(input: FloatArray, linear_weight: FloatArray, linear_bias: FloatArray | None) -> FloatArray:
    """W·x + b: (N, C, d1, ...), or (C,) for one sample."""
    logits = np.atleast_2d(input) @ _matrix(linear_weight).T
    if linear_bias is not None:
        logits += linear_bias.reshape(-1)
    return logits.reshape(input.shape[:-1] + linear_weight.shape[:-1])


def _matrix(linear_weight: FloatArray) -> FloatArray:
    """(C, d1, ..., F) as a matrix (C·d1·..., F)."""
    *rows, features = linear_weight.shape
    return linear_weight.reshape(math.prod(rows), features)
