"""Losses of pairs of vectors, which should be close, or should not."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, NamedTuple

import numpy as np

from losscalc.catalogue.base import Loss, Quantities, loss
from losscalc.catalogue.distances import Cosine
from losscalc.core.array import FloatArray, Shape, show_shape
from losscalc.core.conventions import Convention
from losscalc.core.declaration import Doc
from losscalc.core.domains import FINITE, FINITE_NOT_NEGATIVE, FINITE_POSITIVE, Interval
from losscalc.core.reductions import Slope, Terms
from losscalc.core.roles import Alike, RowSigns, Vectors
from losscalc.core.shapes import (
    Layout,
    check_equal_axes,
    common_shape,
    fits,
    rowwise_layout,
    unbroadcast,
)
from losscalc.core.stable import dot, length, power_of_two, step
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

    uses = ("metric learning", "contrastive", "embeddings", "pairs")
    close = ("cosine-distance", "contrastive")
    unlike = (
        "stays accurate for small distances, does not overflow for long vectors, and refuses labels other "
        "than 1 and -1, for which PyTorch gives 0"
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
    derivative = (
        "cos·x1/a - x2/√(a·b) if y = 1, x2/√(a·b) - cos·x1/a if cos ≥ m, else 0, "
        "cos = (Σ x1·x2) / √(a·b), a = Σ x1² + ε, b = Σ x2² + ε"
    )
    divisor = "the number of pairs"
    broadcasts = True

    margin: Annotated[float, FINITE, Doc("The cosine up to which dissimilar pairs cost nothing.")] = 0.0

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        return pairs_layout(shapes, broadcast=broadcast)

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
        unit, _, size = _unit(own)
        partner = _unit(other).vectors
        cosine = dot(unit, partner)[..., np.newaxis]
        positive = np.asarray(target == 1)[..., np.newaxis]
        sign = np.where(positive, -1.0, step(cosine - self.margin, 1.0))
        if own.shape[-1] == other.shape[-1]:
            return Slope((partner - cosine * unit) / size * sign)
        # If a is (N, 1) and b (N, D), only the first part is broadcast, and summed again.
        parts = (partner / size * sign, cosine * unit / size * sign)
        return Slope(unbroadcast(parts[0], own.shape) - unbroadcast(parts[1], own.shape))


@loss("cosine-distance")
class CosineDistance(Loss):
    """One minus the cosine of the angle between two vectors.

    `input` and `target` hold vectors (N, D), or (D,) for one pair; more leading axes are allowed. Each
    length is taken as at least `eps`, so that a vector of zeros has a loss of 1. The mean divides by the
    number of pairs. The values lie in [0, 2]. The gradient of a vector shorter than `eps` is that of PyTorch,
    which does not differentiate the bound, and so it is not the slope of the loss there.

    Raises ShapeError for shapes that differ and ParameterError for an `eps` that is negative or not finite.

    Source: https://optax.readthedocs.io/en/latest/api/losses.html

    >>> CosineDistance()([[1.0, 2.0], [0.0, 0.0]], [[2.0, 1.0], [2.0, 1.0]], reduction="none")
    array([0.2, 1. ])
    """

    aliases = ("cosine", "SimSiam")
    ambiguous = MappingProxyType(
        {
            "CosineSimilarity": "that of Keras, this minus 1, or cosine-embedding, with labels of 1 and -1",
            "NegativeCosineSimilarity": "that of lightly, this minus 1",
            "BYOL": "that of BYOL, twice this",
        }
    )
    uses = ("metric learning", "embeddings", "self-supervised")
    close = ("cosine-embedding",)
    range = Interval(0.0, 2.0)
    conventions = (
        Convention(
            "keras",
            "gives minus the cosine, which is 1 less, and divides by lengths of at least 1e-7",
            "keras.losses.cosine_similarity, 3.15.1",
            {"eps": 1e-7},
            offset=-1.0,
        ),
        Convention(
            "optax",
            "sets no least length, so that a vector of zeros has a loss of NaN",
            "optax.losses.cosine_distance, 0.2.8",
            {"eps": 0.0},
        ),
    )
    example = {
        "input": [[1.0, 2.0], [0.0, 0.0]],
        "target": [[2.0, 1.0], [2.0, 1.0]],
        "reduction": "none",
    }

    formula = "1 - (Σ x·y) / (max(√(Σ x²), ε)·max(√(Σ y²), ε))"
    derivative = "cos·x/a² - y/(a·b), cos = (Σ x·y)/(a·b), a = max(√(Σ x²), ε), b = max(√(Σ y²), ε)"
    divisor = "the number of pairs"
    broadcasts = True
    legacy = False

    eps: Annotated[
        float,
        FINITE_NOT_NEGATIVE,
        Doc("The least length of a vector; gradients do not know this bound, as in PyTorch."),
    ] = 1e-8

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        return rowwise_layout(shapes, broadcast=broadcast)

    def terms(self, input: Vectors, target: Vectors) -> Terms:
        return Terms(Cosine(self.eps).between(input, target))

    def gradient(self, input: Vectors, target: Vectors) -> Slope:
        """cos times the unit vector of x, less that of y, over the length of x."""
        return Slope(unbroadcast(Cosine(self.eps).gradients(input, target)[0], input.shape))

    def gradient_target(self, input: Vectors, target: Vectors) -> Slope:
        """The same, with the vectors exchanged."""
        return Slope(unbroadcast(Cosine(self.eps).gradients(input, target)[1], target.shape))


@loss("contrastive")
class Contrastive(Loss):
    """Half the squared distance of matching pairs, and half the squared shortfall of others from a margin.

    `input1` and `input2` hold vectors (N, D), or (D,) for one pair; `target` holds a label for each pair,
    1 for the same and 0 for different, (N,) or a single number. The distance is Euclidean. The mean divides
    by the number of pairs.

    Raises ShapeError for shapes that do not fit, DomainError for any other label and ParameterError for a
    `margin` that is not positive.

    Source: https://ieeexplore.ieee.org/document/1640964, where 1 stands for different pairs

    >>> Contrastive()([[0.0, 0.0], [1.0, 0.0]], [[0.3, 0.4], [1.0, 0.5]], [1, 0], reduction="none")
    array([0.125, 0.125])
    """

    aliases = ("siamese", "pair", "pairwise contrastive")
    ambiguous = MappingProxyType(
        {"ContrastiveLoss": "nt-xent, which is that of MONAI, or clip, which is that of Hugging Face"}
    )
    uses = ("metric learning", "contrastive", "embeddings", "pairs")
    close = ("cosine-embedding", "nt-xent", "clip")
    example = {
        "input1": [[0.0, 0.0], [1.0, 0.0]],
        "input2": [[0.3, 0.4], [1.0, 0.5]],
        "target": [1, 0],
        "reduction": "none",
    }

    formula = "½·d² if y = 1, else ½·max(0, m - d)², d = √(Σ (x1 - x2)²)"
    derivative = "x1 - x2 if y = 1, 0 if d ≥ m, else -(m - d)·(x1 - x2) / d, d = √(Σ (x1 - x2)²)"
    divisor = "the number of pairs"
    legacy = False

    margin: Annotated[
        float, FINITE_POSITIVE, Doc("The distance from which different pairs cost nothing.")
    ] = 1.0

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        return pairs_layout(shapes, broadcast=False)

    def terms(self, input1: Vectors, input2: Vectors, target: Alike) -> Terms:
        difference = input1 - input2
        # Half of a square that overflows may be finite.
        same = dot(0.5 * difference, difference)
        lack = np.maximum(self.margin - length(difference), 0.0)
        return Terms(np.where(np.reshape(target, same.shape) == 1, same, 0.5 * lack * lack))

    def gradient(self, input1: Vectors, input2: Vectors, target: Alike) -> Slope:
        """The difference for matching pairs; for others, minus their shortfall from the margin, along it."""
        difference = input1 - input2
        distance = length(difference)
        lack = np.maximum(self.margin - distance, 0.0)
        # Of equal vectors no direction leads apart.
        apart = np.where(distance == 0, 0.0, -lack / distance)
        factor = np.where(np.reshape(target, distance.shape) == 1, 1.0, apart)
        return Slope(factor[..., np.newaxis] * difference)

    def gradient_input2(self, input1: Vectors, input2: Vectors, target: Alike) -> Slope:
        """The negative of that."""
        return Slope(-self.gradient(input1, input2, target).value)


def pairs_layout(shapes: Mapping[str, Shape], *, broadcast: bool) -> Layout:
    """Pairs of vectors (N, D) with a label each, (N,), or (D,) for one with a lone number."""
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


class Unit(NamedTuple):
    """Unit vectors u, how much ‖u‖² is below 1, and the lengths (..., 1) that they were divided by."""

    vectors: FloatArray
    lack: FloatArray
    length: FloatArray


def _unit(vectors: FloatArray) -> Unit:
    """u = x / √(‖x‖² + ε), where 1 - ‖u‖² = ε / (‖x‖² + ε)."""
    # Long vectors are scaled, lest their squares overflow. Short ones are not, because ε outweighs them.
    square, scale, eps = dot(vectors, vectors)[..., np.newaxis], np.ones(()), np.asarray(_EPS)
    if not (square < _ROOM).all():
        scale = np.minimum(power_of_two(vectors), 1.0)[..., np.newaxis]
        vectors = vectors * scale
        square, eps = dot(vectors, vectors)[..., np.newaxis], _EPS * scale * scale
    square = square + eps
    size = np.sqrt(square)
    return Unit(vectors / size, (eps / square)[..., 0], size / scale)
