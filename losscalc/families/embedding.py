"""Losses of pairs and triplets: which of them should be close, and which should rank first."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import numpy as np

from losscalc.arrays import RowSigns, Shape, SignLabels, Values, Vectors, show_shape
from losscalc.declaration import Alias, Doc
from losscalc.distances import DISTANCES, Custom, Distance, Norm
from losscalc.domains import FINITE, FINITE_POSITIVE, Interval, Names
from losscalc.double import Double, FloatArray, minimum, scale_exponent
from losscalc.errors import ShapeError
from losscalc.layouts import (
    Layout,
    check_equal_axes,
    common_shape,
    elementwise_layout,
    fits,
    rowwise_layout,
)
from losscalc.loss import Loss, Quantities, loss
from losscalc.reductions import Slope, Terms

# PyTorch's constant of float32, added to squared lengths.
_EPS = float(np.float32(1e-12))


@loss("cosine-embedding", torch="CosineEmbeddingLoss", functional="cosine_embedding_loss")
class CosineEmbedding(Loss):
    """Cosine distance of similar pairs, and how far the cosine of dissimilar ones exceeds a margin.

    `input1` and `input2` hold vectors (N, D), or (D,) for one pair; `target` holds a label for each pair,
    1 for similar and -1 for dissimilar, (N,) or a single number. 1e-12 is added to each squared length. The
    mean divides by the number of pairs.

    Raises ShapeError for shapes that do not fit, DomainError for any other label and ParameterError for a
    `margin` that is not finite.

    Unlike PyTorch it keeps the digits of a small distance, does not overflow for long vectors, and refuses
    labels other than 1 and -1, which cost nothing there.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.CosineEmbeddingLoss.html

    >>> CosineEmbedding()([[1.0, 0.0], [1.0, 2.0]], [[1.0, 1.0], [2.0, 1.0]], [1, -1], reduction="none")
    array([0.29289322, 0.8       ])
    """

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
        cosine, one, _, other = _cosine(input1, input2)
        gap = one - other
        # 1 - û·v̂ = ½·(‖û - v̂‖² + (1 - ‖û‖²) + (1 - ‖v̂‖²)), of which nothing cancels.
        far = ((gap * gap).sum() + _lack(input1) + _lack(input2)) * 0.5
        return Terms(np.where(target == 1, far.value, np.maximum((cosine - self.margin).value, 0.0)))

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
        slope = (partner - unit * cosine[..., np.newaxis]).value / length
        sign = np.where(target == 1, -1.0, np.heaviside((cosine - self.margin).value, 1.0))
        return Slope(slope * sign[..., np.newaxis])


@loss("margin-ranking", torch="MarginRankingLoss", functional="margin_ranking_loss")
class MarginRanking(Loss):
    """How far the one of two scores that should be the higher falls short of leading by a margin.

    `input1`, `input2` and `target` have any shape, the same for all; a label of 1 says that the first
    score should be the higher, -1 the second. The mean divides by the number of elements.

    Raises ShapeError for shapes that differ, DomainError for any other label and ParameterError for a
    `margin` that is not finite.

    Unlike PyTorch it refuses labels other than 1 and -1.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.MarginRankingLoss.html

    >>> MarginRanking(margin=0.5)([1.0, 2.0, 3.0], [2.0, 1.0, 3.0], [1, 1, -1], reduction="none")
    array([1.5, 0. , 0.5])
    """

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
        return ((Double(input1) - input2) * -target + self.margin).value


class Triplet(Loss):
    """What the losses of triplets share: three arrays of vectors, and a distance."""

    formula = "max(0, m + d(a, p) - d(a, n)); d(p, n) where that is smaller, with swap"
    divisor = "the number of triplets"
    broadcasts = True

    margin: Annotated[
        float, FINITE_POSITIVE, Doc("By how much the negative has to be farther away than the positive.")
    ] = 1.0
    swap: Annotated[
        bool, Doc("Whether the negative may be measured from the positive, where that is closer to it.")
    ] = False

    @property
    def distance(self) -> Distance:
        """The distance of two vectors."""
        raise NotImplementedError

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        """Three arrays of vectors, of one shape unless broadcasting was asked for."""
        same = ("anchor", "positive", "negative")
        if broadcast:
            check_equal_axes(shapes, same)
        return rowwise_layout(shapes, same=same, broadcast=broadcast)

    def terms(self, anchor: Vectors, positive: Vectors, negative: Vectors) -> Terms:
        """The losses of one block."""
        return Terms(np.maximum(self._excess(anchor, positive, negative)[0], 0.0))

    def quantities(self, anchor: Vectors, positive: Vectors, negative: Vectors) -> Quantities:
        """The distances; that of the negative is the smaller one, with `swap`."""
        near, far = self.distance.between(anchor, positive), self.distance.between(anchor, negative)
        if self.swap:
            far = minimum(far, self.distance.between(positive, negative))
        return {"d(a, p)": near.value[..., np.newaxis], "d(a, n)": far.value[..., np.newaxis]}

    def gradient(self, anchor: Vectors, positive: Vectors, negative: Vectors) -> Slope:
        """That of d(a, p) less that of d(a, n), up to the margin itself."""
        excess, from_anchor, _ = self._excess(anchor, positive, negative)
        near = self.distance.gradients(anchor, positive)[0]
        far = self.distance.gradients(anchor, negative)[0]
        return Slope(_active(excess) * (near - from_anchor * far))

    def gradient_positive(self, anchor: Vectors, positive: Vectors, negative: Vectors) -> Slope:
        """That of d(a, p), less that of d(p, n) where it took the place of d(a, n)."""
        excess, _, from_positive = self._excess(anchor, positive, negative)
        near = self.distance.gradients(anchor, positive)[1]
        far = self.distance.gradients(positive, negative)[0] if self.swap else 0.0
        return Slope(_active(excess) * (near - from_positive * far))

    def gradient_negative(self, anchor: Vectors, positive: Vectors, negative: Vectors) -> Slope:
        """That of the distance of the negative, with a minus."""
        excess, from_anchor, from_positive = self._excess(anchor, positive, negative)
        slope = from_anchor * self.distance.gradients(anchor, negative)[1]
        if self.swap:
            slope = slope + from_positive * self.distance.gradients(positive, negative)[1]
        return Slope(-_active(excess) * slope)

    def _excess(
        self, anchor: FloatArray, positive: FloatArray, negative: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """m + d(a, p) - d(n), and the shares of the anchor and of the positive in d(n).

        Where both are equally far away each has half, as in PyTorch.
        """
        near, far = self.distance.between(anchor, positive), self.distance.between(anchor, negative)
        from_anchor = np.ones(far.high.shape)
        if self.swap:
            other = self.distance.between(positive, negative)
            from_anchor = np.heaviside((other - far).value, 0.5)
            far = minimum(far, other)
        excess = (near - far + self.margin).value
        return excess, from_anchor[..., np.newaxis], 1.0 - from_anchor[..., np.newaxis]


@loss("triplet-margin", torch="TripletMarginLoss", functional="triplet_margin_loss")
class TripletMargin(Triplet):
    """How far a negative falls short of being farther away than a positive, by a margin.

    `anchor`, `positive` and `negative` hold vectors (N, D), or (D,) for one triplet; more leading axes
    are welcome. The distance of two vectors is the p-norm of their difference, to each component of which
    `eps` is added. The mean divides by the number of triplets.

    Raises ShapeError for shapes that differ and ParameterError for a `margin` that is not positive, a `p`
    that is NaN or an `eps` that is not finite.

    Unlike PyTorch it does not overflow where the squares of distances would.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.TripletMarginLoss.html

    >>> TripletMargin()([[0.0, 0.0]], [[2.0, 0.0]], [[2.5, 0.0]])
    np.float64(0.5)
    """

    p: Annotated[float, Interval(), Doc("The degree of the norm; inf takes the largest difference.")] = 2.0
    eps: Annotated[float, FINITE, Doc("Added to each component of a difference.")] = 1e-6

    @property
    def distance(self) -> Distance:
        """The p-norm."""
        return Norm(float(self.p), float(self.eps))


@loss(
    "triplet-margin-with-distance",
    torch="TripletMarginWithDistanceLoss",
    functional="triplet_margin_with_distance_loss",
)
class TripletMarginWithDistance(Triplet):
    """How far a negative falls short of being farther away than a positive, with a distance of your choice.

    `anchor`, `positive` and `negative` hold vectors (N, D), or (D,) for one triplet; more leading axes
    are welcome. `distance_function` is the name of a distance, or, in Python, a function of two float64
    arrays that gives one number a row. The mean divides by the number of triplets.

    Raises ShapeError for shapes that differ and ParameterError for a `margin` that is not positive, an
    unknown distance, or the gradient of a function.

    Unlike PyTorch it has names for distances.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.TripletMarginWithDistanceLoss.html

    >>> TripletMarginWithDistance(distance_function="cosine")([[1.0, 0.0]], [[1.0, 1.0]], [[0.0, 1.0]])
    np.float64(0.292893218)
    """

    legacy = False

    distance_function: Annotated[
        str | Callable[[Any, Any], Any],
        Names(tuple(DISTANCES)),
        Alias("distance"),
        Doc("How the distance of two vectors is measured; pairwise is PyTorch's default."),
    ] = "pairwise"

    @property
    def distance(self) -> Distance:
        """The distance of that name, or the function."""
        chosen = self.distance_function
        return DISTANCES[chosen] if isinstance(chosen, str) else Custom(chosen)


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


def _active(excess: FloatArray) -> FloatArray:
    """1 up to the margin itself and 0 beyond, beside the axis of the vectors."""
    return np.heaviside(excess, 1.0)[..., np.newaxis]
