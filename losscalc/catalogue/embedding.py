"""Losses of pairs: whether two vectors should be close, and which of two scores should be higher."""

from collections.abc import Mapping
from typing import Annotated, NamedTuple

import numpy as np

from losscalc.catalogue.base import Loss, Quantities, loss
from losscalc.core.array import FloatArray, Shape, show_shape
from losscalc.core.declaration import Doc
from losscalc.core.domains import FINITE
from losscalc.core.reductions import Slope, Terms
from losscalc.core.roles import RowSigns, SignLabels, Values, Vectors
from losscalc.core.shapes import (
    Layout,
    check_equal_axes,
    common_shape,
    elementwise_layout,
    fits,
    rowwise_layout,
    unbroadcast,
)
from losscalc.core.stable import dot, power_of_two
from losscalc.errors import ShapeError

# PyTorch adds this number, as a float32, to squared lengths.
_EPS = float(np.float32(1e-12))
# Squared lengths below it, and products above its inverse, have lost nothing to overflow or underflow.
_ROOM = 2.0**450
# At this value 1 - cos has lost two bits to cancellation; below it, another formula loses none.
_NEAR = 0.25


@loss("cosine-embedding", torch="CosineEmbeddingLoss", functional="cosine_embedding_loss")
class CosineEmbedding(Loss):
    """Cosine distance of similar pairs, and how far the cosine of dissimilar ones exceeds a margin.

    `input1` and `input2` hold vectors (N, D), or (D,) for one pair; `target` holds a label for each pair,
    1 for similar and -1 for dissimilar, (N,) or a single number. 1e-12 is added to each squared length. The
    mean divides by the number of pairs.

    Raises ShapeError for shapes that do not fit, DomainError for any other label and ParameterError for a
    `margin` that is not finite.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.CosineEmbeddingLoss.html

    >>> CosineEmbedding()([[1.0, 0.0], [1.0, 2.0]], [[1.0, 1.0], [2.0, 1.0]], [1, -1], reduction="none")
    array([0.29289322, 0.8       ])
    """

    unlike = (
        "keeps the digits of a small distance, does not overflow for long vectors, and refuses labels other "
        "than 1 and -1, which cost nothing there"
    )
    example = {
        "input1": [[1.0, 0.0], [1.0, 2.0]],
        "input2": [[1.0, 1.0], [2.0, 1.0]],
        "target": [1, -1],
        "reduction": "none",
    }

    formula = (
        "1 - cos if y = 1, max(0, cos - m) if y = -1, cos = (Σ x1·x2) / √((Σ x1² + ε)·(Σ x2² + ε)); ε = 1e-12"
    )
    divisor = "the number of pairs"
    broadcasts = True

    margin: Annotated[float, FINITE, Doc("The cosine up to which dissimilar pairs cost nothing.")] = 0.0

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        same = ("input1", "input2")
        if broadcast:
            check_equal_axes(shapes, same)
        layout = rowwise_layout({name: shapes[name] for name in same}, same=same, broadcast=broadcast)
        vectors, target = common_shape(shapes, same), shapes["target"]
        rows = vectors[:-1]
        if len(vectors) > 2:
            raise ShapeError(
                f"`input1` has shape {show_shape(vectors)}; it must be (N, D), or (D,) for one pair",
                argument="input1",
            )
        if not fits(target, rows) and not (broadcast and rows and target == (1,)):
            raise ShapeError(
                f"`target` has shape {show_shape(target)}; for pairs of shape "
                f"{show_shape(vectors)} it must be {show_shape(rows)}",
                argument="target",
            )
        is_cut = bool(layout.cut) and (target != (1,) or rows == (1,))
        return layout._replace(cut=layout.cut | {"target"}) if is_cut else layout

    def terms(self, input1: Vectors, input2: Vectors, target: RowSigns) -> Terms:
        squares, product = (dot(input1, input1), dot(input2, input2)), dot(input1, input2)
        cosine = product / np.sqrt((squares[0] + _EPS) * (squares[1] + _EPS))
        target = np.broadcast_to(target, cosine.shape)
        value = np.where(target == 1, 1.0 - cosine, cosine - self.margin)
        regular = (np.maximum(*squares) < _ROOM) & (np.abs(product) > 1.0 / _ROOM)
        doubtful = ~(regular & ((target != 1) | (value > _NEAR)))
        if doubtful.any() and input1.shape[-1] == input2.shape[-1]:
            one, other = (np.broadcast_to(x, (*cosine.shape, x.shape[-1])) for x in (input1, input2))
            value[doubtful] = self._doubtful(one[doubtful], other[doubtful], target[doubtful])
        return Terms(np.maximum(value, 0.0))

    def unchecked(self, input1: FloatArray, input2: FloatArray, target: FloatArray) -> FloatArray:
        """In PyTorch the loss is 0 for a label that is neither 1 nor -1."""
        known = self.terms(input1, input2, np.where(target == 1, 1.0, -1.0)).value
        return np.where(np.abs(target) == 1, known, 0.0)

    def _doubtful(self, input1: FloatArray, input2: FloatArray, target: FloatArray) -> FloatArray:
        """1 - cos or cos - m from unit vectors, for pairs that are close or whose squares leave the range."""
        (one, one_lacks, _), (other, other_lacks, _) = _unit(input1), _unit(input2)
        gap = one - other
        # 1 - û·v̂ = ½·(‖û - v̂‖² + (1 - ‖û‖²) + (1 - ‖v̂‖²)), where no term is negative.
        apart = 0.5 * (dot(gap, gap) + one_lacks + other_lacks)
        return np.where(target == 1, apart, dot(one, other) - self.margin)

    def quantities(self, input1: Vectors, input2: Vectors, target: RowSigns) -> Quantities:
        return {"ε": np.asarray(_EPS)}

    def gradient(self, input1: Vectors, input2: Vectors, target: RowSigns) -> Slope:
        """The derivative of the cosine, with a minus for similar pairs."""
        return self._gradient(input1, input2, target)

    def gradient_input2(self, input1: Vectors, input2: Vectors, target: RowSigns) -> Slope:
        """The same, with the vectors exchanged."""
        return self._gradient(input2, input1, target)

    def _gradient(self, own: FloatArray, other: FloatArray, target: FloatArray) -> Slope:
        """b/√((‖a‖² + ε)(‖b‖² + ε)) - cos·a/(‖a‖² + ε), the derivative of cos with respect to a, signed."""
        unit, _, length = _unit(own)
        partner = _unit(other).vectors
        cosine = dot(unit, partner)[..., np.newaxis]
        positive = np.asarray(target == 1)[..., np.newaxis]
        sign = np.where(positive, -1.0, np.heaviside(cosine - self.margin, 1.0))
        if own.shape[-1] == other.shape[-1]:
            return Slope((partner - cosine * unit) / length * sign)
        # If a is (N, 1) and b (N, D), only the first part is broadcast, and summed again.
        parts = (partner / length * sign, cosine * unit / length * sign)
        return Slope(unbroadcast(parts[0], own.shape) - unbroadcast(parts[1], own.shape))


@loss("margin-ranking", torch="MarginRankingLoss", functional="margin_ranking_loss")
class MarginRanking(Loss):
    """How far the one of two scores that should be the higher falls short of leading by a margin.

    `input1`, `input2` and `target` have any shape, the same for all; a label of 1 says that the first
    score should be the higher, -1 the second. The mean divides by the number of elements.

    Raises ShapeError for shapes that differ, DomainError for any other label and ParameterError for a
    `margin` that is not finite.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.MarginRankingLoss.html

    >>> MarginRanking(margin=0.5)([1.0, 2.0, 3.0], [2.0, 1.0, 3.0], [1, 1, -1], reduction="none")
    array([1.5, 0. , 0.5])
    """

    unlike = (
        "refuses labels other than 1 and -1, and has a gradient of NaN where an input is NaN, for which "
        "PyTorch gives 0"
    )
    example = {
        "input1": [1.0, 2.0, 3.0],
        "input2": [2.0, 1.0, 3.0],
        "target": [1, 1, -1],
        "reduction": "none",
        "margin": 0.5,
    }

    formula = "max(0, -y·(x1 - x2) + m)"
    divisor = "the number of elements"
    broadcasts = True

    margin: Annotated[float, FINITE, Doc("By how much the higher score has to lead.")] = 0.0

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        same = ("input1", "input2", "target")
        if broadcast:
            check_equal_axes(shapes, same)
        return elementwise_layout(shapes, same=same, broadcast=broadcast, may_broadcast=True)

    def terms(self, input1: Values, input2: Values, target: SignLabels) -> Terms:
        return Terms(np.maximum(self._shortfall(input1, input2, target), 0.0))

    def gradient(self, input1: Values, input2: Values, target: SignLabels) -> Slope:
        """-y up to the margin itself, and 0 beyond."""
        return Slope(-target * np.heaviside(self._shortfall(input1, input2, target), 1.0))

    def gradient_input2(self, input1: Values, input2: Values, target: SignLabels) -> Slope:
        """y up to the margin itself, and 0 beyond."""
        return Slope(target * np.heaviside(self._shortfall(input1, input2, target), 1.0))

    def _shortfall(self, input1: FloatArray, input2: FloatArray, target: FloatArray) -> FloatArray:
        return target * (input2 - input1) + self.margin


class Unit(NamedTuple):
    """Unit vectors u, how much ‖u‖² is below 1, and the lengths (..., 1) that they were divided by."""

    vectors: FloatArray
    lack: FloatArray
    length: FloatArray


def _unit(vectors: FloatArray) -> Unit:
    """u = x / √(‖x‖² + ε), where 1 - ‖u‖² = ε / (‖x‖² + ε)."""
    # Long vectors are scaled, lest their squares overflow. Short ones are not, because ε outweighs them.
    scale = np.minimum(power_of_two(vectors), 1.0)[..., np.newaxis]
    vectors = vectors * scale
    eps = _EPS * scale * scale
    square = dot(vectors, vectors)[..., np.newaxis] + eps
    length = np.sqrt(square)
    return Unit(vectors / length, (eps / square)[..., 0], length / scale)
