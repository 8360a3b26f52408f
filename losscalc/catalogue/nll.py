"""Negative log-likelihood of log-probabilities."""

from collections.abc import Mapping
from typing import Annotated

import numpy as np

from losscalc.catalogue.base import Quantities, loss
from losscalc.catalogue.classwise import IGNORE_INDEX
from losscalc.catalogue.tokens import Tokens
from losscalc.catalogue.weighting import masked, sample_weighted
from losscalc.core.array import FloatArray, IndexArray, Shape
from losscalc.core.conventions import agreeing
from losscalc.core.reductions import Slope, Terms
from losscalc.core.roles import (
    ClassIndices,
    ClassLogProbabilities,
    ClassWeight,
    as_real,
    class_positions,
    classes_back,
    classes_last,
)
from losscalc.core.shapes import Layout
from losscalc.core.stable import pick


@loss("nll", torch="NLLLoss", functional="nll_loss")
class NLL(Tokens):
    """Negative log-likelihood of log-probabilities over C classes.

    `input` holds log-probabilities (N, C) or (N, C, d1, ...), with the classes on axis 1 (or the last, with a
    `class_axis` of -1), or (C,) for one sample; that they are log-probabilities is not checked. `target`
    holds class indices of that shape without the class axis, `weight` has shape (C,). The mean divides by the
    sum of the weights of the targets that are not ignored. `sample_weight`, (N,) or of the shape of `target`,
    multiplies each loss and what it adds to the divisor; Keras still divides by the number of rows. `mask`,
    of the shape of `target`, is 1 where a target counts and 0 where it takes no part. With `shift`,
    log-probabilities (L, C) or (N, L, C) are scored against the label after them: the last ones and the first
    label of each sequence take no part.

    Raises ShapeError for shapes that do not fit, ClassIndexError for a class outside [0, C) and
    DomainError for a negative weight.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.NLLLoss.html

    >>> NLL()([[-0.4, -1.4, -2.4], [-3.2, -2.2, -0.2]], [0, 2], reduction="none")
    array([0.4, 0.2])
    """

    unlike = "accepts class indices of any dtype if they are whole numbers, and refuses negative weights"
    aliases = ("negative_log_likelihood",)
    uses = ("classification", "one class of several", "language model")
    is_likelihood = True
    weighted_mean = True
    relatives = {"logits": "cross-entropy", "probabilities": "log-loss"}
    close = ("cross-entropy",)
    conventions = agreeing(
        onnx="NegativeLogLikelihoodLoss of opset 13, onnx 1.23.2, without ignore_index unless it is given"
    )
    example = {"input": [[-0.4, -1.4, -2.4], [-3.2, -2.2, -0.2]], "target": [0, 2], "reduction": "none"}

    formula = "-w[y]·x[y]"

    ignore_index: Annotated[int, IGNORE_INDEX] = -100

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        """A row is as wide as one element, because only one log-probability of it is read."""
        layout = super().layout(shapes, dtypes, broadcast)
        classes = shapes["input"][self._axis] if len(shapes["input"]) > 1 else 1
        return layout._replace(width=max(1, layout.width // (classes or 1)))

    @masked
    @sample_weighted
    def terms(
        self, input: ClassLogProbabilities, target: ClassIndices, weight: ClassWeight | None = None
    ) -> Terms:
        scores = classes_last(input, self._axis)
        target = target.reshape(scores.shape[:-1])
        position = class_positions("target", target, scores.shape[-1], self.ignore_index)
        picked = as_real(pick(scores, position))
        ignored = target == self.ignore_index
        if weight is None and not ignored.any():
            return Terms(-picked)
        factor = self._factor(target, position, weight)
        value = -factor * picked
        return Terms(np.where(ignored, 0.0, value), factor, ignored)

    def quantities(
        self, input: ClassLogProbabilities, target: ClassIndices, weight: ClassWeight | None = None
    ) -> Quantities:
        scores = classes_last(input, self._axis)
        position = class_positions("target", target, scores.shape[-1], self.ignore_index)
        position = position.reshape(*scores.shape[:-1], 1)
        return {
            "x[y]": as_real(np.take_along_axis(scores, position, axis=-1)),
            "w[y]": None if weight is None else weight[position],
        }

    @masked
    @sample_weighted
    def gradient(
        self, input: ClassLogProbabilities, target: ClassIndices, weight: ClassWeight | None = None
    ) -> Slope:
        """Minus the weight of the target at its place, and 0 elsewhere."""
        slope: FloatArray = np.zeros(np.shape(classes_last(input, self._axis)))
        position = class_positions("target", target, slope.shape[-1], self.ignore_index)
        factor = self._factor(target, position, weight).reshape(slope.shape[:-1])
        column = position.reshape(slope.shape[:-1])[..., np.newaxis]
        np.put_along_axis(slope, column, -factor[..., np.newaxis], axis=-1)
        return Slope(classes_back(slope, self._axis))

    def _factor(self, target: IndexArray, position: IndexArray, weight: FloatArray | None) -> FloatArray:
        """The weight of each row; 0 for ignored rows."""
        return np.where(target == self.ignore_index, 0.0, 1.0 if weight is None else weight[position])
