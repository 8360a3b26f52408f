"""Losses of pairs and triplets: which of them should be close, and which should rank first."""

from collections.abc import Mapping
from typing import Annotated

import numpy as np

from losscalc.catalogue.base import Loss, Quantities, loss
from losscalc.core.array import FloatArray, Shape, show_shape
from losscalc.core.declaration import Doc
from losscalc.core.domains import FINITE
from losscalc.core.double import Double, scale_exponent, where
from losscalc.core.matrices import inner
from losscalc.core.precision import brief_size, refined
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
from losscalc.errors import ShapeError

# PyTorch's constant of float32, added to squared lengths.
_EPS = float(np.float32(1e-12))
# The largest squared length of which products are no danger.
_LONG = 2.0**500


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

    formula = "1 - cos if y = 1, max(0, cos - m) if y = -1; cos of the angle between input1 and input2"
    divisor = "the number of pairs"
    broadcasts = True

    margin: Annotated[float, FINITE, Doc("The cosine up to which dissimilar pairs cost nothing.")] = 0.0

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        """Two arrays of vectors, and a label for each pair."""
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
        """The losses of one block."""
        one, other = Double(input1), Double(input2)
        lengths = _square(one), _square(other)
        cosine = inner(one, other) / (lengths[0] * lengths[1]).sqrt()
        one_less = where(target == 1, Double(np.ones(cosine.high.shape)) - cosine, cosine - self.margin)
        # Vectors that are very long are left to what follows.
        longest = np.maximum(lengths[0].high, lengths[1].high)
        size = brief_size(np.where(longest < _LONG, 1.0 + abs(self.margin), np.nan))
        rows = np.broadcast_to(target, size.shape)
        return Terms(np.maximum(refined(one_less.value, size, self._signed, input1, input2, rows), 0.0))

    def unchecked(self, input1: FloatArray, input2: FloatArray, target: FloatArray) -> FloatArray:
        """A label that is neither 1 nor -1 costs nothing."""
        known = self.terms(input1, input2, np.where(target == 1, 1.0, -1.0)).value
        return np.where(np.abs(target) == 1, known, 0.0)

    def _signed(self, input1: FloatArray, input2: FloatArray, target: FloatArray) -> FloatArray:
        """1 - cos or cos - m, with all digits."""
        cosine, one, _, other = _cosine(input1, input2)
        gap = one - other
        # 1 - û·v̂ = ½·(‖û - v̂‖² + (1 - ‖û‖²) + (1 - ‖v̂‖²)), of which nothing cancels.
        far = ((gap * gap).sum() + _lack(input1) + _lack(input2)) * 0.5
        return np.where(target == 1, far.value, (cosine - self.margin).value)

    def quantities(self, input1: Vectors, input2: Vectors, target: RowSigns) -> Quantities:
        """The cosine."""
        return {"cos": _cosine(input1, input2)[0].value[..., np.newaxis]}

    def gradient(self, input1: Vectors, input2: Vectors, target: RowSigns) -> Slope:
        """The derivative of the cosine, with a minus for similar pairs."""
        return self._gradient(input1, input2, target)

    def gradient_input2(self, input1: Vectors, input2: Vectors, target: RowSigns) -> Slope:
        """The same, with the vectors exchanged."""
        return self._gradient(input2, input1, target)

    def _gradient(self, own: FloatArray, other: FloatArray, target: FloatArray) -> Slope:
        """b/√((a² + ε)(b² + ε)) - cos·a/(a² + ε)."""
        cosine, unit, length, partner = _cosine(own, other)
        sign = np.where(target == 1, -1.0, np.heaviside((cosine - self.margin).value, 1.0))[..., np.newaxis]
        along = unit * cosine[..., np.newaxis]
        if own.shape[-1] == other.shape[-1]:
            return Slope((partner - along).value / length * sign)
        # A component that stands for several meets all partners, but has one direction of its own.
        parts = (partner.value / length * sign, along.value / length * sign)
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

    unlike = "refuses labels other than 1 and -1"
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
        """Three arrays of one shape, unless broadcasting was asked for."""
        same = ("input1", "input2", "target")
        if broadcast:
            check_equal_axes(shapes, same)
        return elementwise_layout(shapes, same=same, broadcast=broadcast, may_broadcast=True)

    def terms(self, input1: Values, input2: Values, target: SignLabels) -> Terms:
        """The losses of one block."""
        return Terms(np.maximum(self._shortfall(input1, input2, target), 0.0))

    def gradient(self, input1: Values, input2: Values, target: SignLabels) -> Slope:
        """-y up to the margin itself, and 0 beyond."""
        return Slope(-target * np.heaviside(self._shortfall(input1, input2, target), 1.0))

    def gradient_input2(self, input1: Values, input2: Values, target: SignLabels) -> Slope:
        """y up to the margin itself, and 0 beyond."""
        return Slope(target * np.heaviside(self._shortfall(input1, input2, target), 1.0))

    def _shortfall(self, input1: FloatArray, input2: FloatArray, target: FloatArray) -> FloatArray:
        difference = Double.difference(input1, input2)
        # Labels are 1 and -1, so that products with them are exact.
        return (Double(difference.high * -target, difference.low * -target) + self.margin).value


def _square(vectors: Double) -> Double:
    """The squared lengths and ε."""
    return inner(vectors, vectors) + _EPS


def _cosine(one: FloatArray, other: FloatArray) -> tuple[Double, Double, FloatArray, Double]:
    """The cosine, the first vector over its length, that length, and the second over its own."""
    units, lengths = [], []
    for vectors in (one, other):
        exponent = np.maximum(scale_exponent(vectors), 0)
        scaled = Double(np.ldexp(vectors, -exponent))
        squares = (scaled * scaled).sum()[..., np.newaxis] + np.ldexp(_EPS, -2 * exponent)
        length = squares.sqrt()
        units.append(scaled / length)
        lengths.append(np.ldexp(length.value, exponent))
    return (units[0] * units[1]).sum(), units[0], lengths[0], units[1]


def _lack(vectors: FloatArray) -> Double:
    """What the square of a vector over its length lacks of 1: ε / (‖x‖² + ε)."""
    exponent = np.maximum(scale_exponent(vectors), 0)
    scaled = Double(np.ldexp(vectors, -exponent))
    share = Double(np.ldexp(np.full(exponent.shape, _EPS), -2 * exponent)[..., 0])
    return share / ((scaled * scaled).sum() + share)
