"""Cross-entropy of features that a matrix turns into logits."""

import math
from collections.abc import Mapping
from typing import Annotated, cast

import numpy as np

from losscalc.catalogue.base import Quantities, loss
from losscalc.catalogue.multiclass import CrossEntropy
from losscalc.core.array import FloatArray, Shape, show_shape
from losscalc.core.declaration import Doc
from losscalc.core.reductions import Slope, Terms
from losscalc.core.roles import ClassTarget, ClassWeight, Features, LinearBias, LinearWeight
from losscalc.core.shapes import Layout, classwise_layout
from losscalc.errors import ParameterError, ShapeError

# A row counts as wide as its features, or as one element for so many logits. If every logit counted, blocks
# would have few rows, and matrix products would read the whole matrix again and again.
LOGITS = 128


@loss("linear-cross-entropy", torch="LinearCrossEntropyLoss", functional="linear_cross_entropy")
class LinearCrossEntropy(CrossEntropy):
    """Cross-entropy of the logits that a linear layer makes of features.

    `input` holds features (N, F), or (F,) for one sample, and `linear_weight` the matrix (C, F) of the
    layer, or (C, d1, ..., F) for logits (N, C, d1, ...); `linear_bias` has its shape without F. `target`
    and `weight` are those of cross-entropy on these logits, of which never more than a few rows are in
    memory. With class indices the mean divides by the sum of the weights of the targets that are not
    ignored; with class probabilities by the number of rows.

    Raises ShapeError for shapes that do not fit, ClassIndexError for a class outside [0, C), DomainError for
    a negative weight and ParameterError for an `ignore_index` with class probabilities.

    Source: https://docs.pytorch.org/docs/2.13/generated/torch.nn.LinearCrossEntropyLoss.html

    >>> LinearCrossEntropy()([[1.0, 2.0], [0.0, -1.0]], [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], [2, 0])
    np.float64(0.479525339)
    """

    unlike = "has no options of chunking"
    relatives = {"logits": "cross-entropy"}
    close = ()
    example = {
        "input": [[1.0, 2.0], [0.0, -1.0]],
        "linear_weight": [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]],
        "target": [2, 0],
    }

    formula = "-w[y]·ln(exp(x[y]) / Σ exp(x)); x = linear_weight·input + linear_bias"
    legacy = False

    ignore_index: Annotated[int | None, Doc("Rows with this target are left out; -100 unless given.")] = None

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

    def terms(  # type: ignore[override]
        self,
        input: Features,
        linear_weight: LinearWeight,
        target: ClassTarget,
        linear_bias: LinearBias | None = None,
        weight: ClassWeight | None = None,
    ) -> Terms:
        return self._losses(_logits(input, linear_weight, linear_bias), target, weight)

    def quantities(  # type: ignore[override]
        self,
        input: Features,
        linear_weight: LinearWeight,
        target: ClassTarget,
        linear_bias: LinearBias | None = None,
        weight: ClassWeight | None = None,
    ) -> Quantities:
        return self._quantities(_logits(input, linear_weight, linear_bias), target, weight)

    def gradient(  # type: ignore[override]
        self,
        input: Features,
        linear_weight: LinearWeight,
        target: ClassTarget,
        linear_bias: LinearBias | None = None,
        weight: ClassWeight | None = None,
    ) -> Slope:
        """That of cross-entropy, times the matrix."""
        slopes = self._slopes(_logits(input, linear_weight, linear_bias), target, weight)
        matrix = _classes_inside(linear_weight)
        flat = slopes.reshape(-1, len(matrix))
        return Slope((flat @ matrix).reshape(input.shape))

    def gradient_linear_weight(
        self,
        input: Features,
        linear_weight: LinearWeight,
        target: ClassTarget,
        linear_bias: LinearBias | None = None,
        weight: ClassWeight | None = None,
    ) -> Slope:
        """That of cross-entropy times the features, summed over the samples."""
        slopes = self._slopes(_logits(input, linear_weight, linear_bias), target, weight)
        inside = np.moveaxis(linear_weight, 0, -2).shape
        flat = slopes.reshape(-1, int(np.prod(inside[:-1])))
        # The features of an ignored sample may be anything, even NaN.
        samples = np.where(flat.any(axis=1, keepdims=True), np.atleast_2d(input), 0.0)
        return Slope(np.moveaxis((flat.T @ samples).reshape(inside), -2, 0))

    def gradient_linear_bias(
        self,
        input: Features,
        linear_weight: LinearWeight,
        target: ClassTarget,
        linear_bias: LinearBias | None = None,
        weight: ClassWeight | None = None,
    ) -> Slope:
        """That of cross-entropy, summed over the samples."""
        slopes = self._slopes(_logits(input, linear_weight, linear_bias), target, weight)
        whole = slopes.sum(axis=0) if input.ndim == 2 else slopes
        return Slope(np.moveaxis(whole, -1, 0))


def _logits(input: FloatArray, linear_weight: FloatArray, linear_bias: FloatArray | None) -> FloatArray:
    """W·x + b with the classes on the last axis."""
    logits = np.atleast_2d(input) @ _classes_inside(linear_weight).T
    if linear_bias is not None:
        logits += np.moveaxis(linear_bias, 0, -1).reshape(-1)
    return logits.reshape(input.shape[:-1] + np.moveaxis(linear_weight, 0, -2).shape[:-1])


def _classes_inside(linear_weight: FloatArray) -> FloatArray:
    """(C, d1, ..., F) as a matrix (d1·...·C, F), with the classes of each place side by side."""
    *rows, features = np.moveaxis(linear_weight, 0, -2).shape
    return np.moveaxis(linear_weight, 0, -2).reshape(math.prod(rows), features)
