"""Losses of triplets: an anchor, a positive that should be close to it, and a negative that should not."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated, Any

import numpy as np

from losscalc.catalogue.base import Loss, Quantities, loss
from losscalc.catalogue.distances import DISTANCES, Custom, Distance, Norm
from losscalc.core.array import FloatArray, IndexArray, Shape
from losscalc.core.conventions import Convention
from losscalc.core.declaration import Alias, Doc
from losscalc.core.domains import FINITE, FINITE_POSITIVE, Interval, Names
from losscalc.core.reductions import Slope, Terms
from losscalc.core.roles import Vectors
from losscalc.core.shapes import Layout, check_equal_axes, rowwise_layout, unbroadcast
from losscalc.core.stable import step
from losscalc.errors import ParameterError


class Triplet(Loss):
    """The base of this family: three arrays of vectors, and a distance."""

    formula = (
        "max(0, m + d(a, p) - min(d(a, n), d(p, n))) if swap, else max(0, m + d(a, p) - d(a, n)); d distance"
    )
    divisor = "the number of triplets"
    uses = ("metric learning", "embeddings", "triplets")
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
        same = ("anchor", "positive", "negative")
        if broadcast:
            check_equal_axes(shapes, same)
        layout = rowwise_layout(shapes, same=same, broadcast=broadcast)
        # A function of the user's may look at all rows together.
        return layout if self.distance.is_rowwise else layout._replace(cut=frozenset())

    def terms(self, anchor: Vectors, positive: Vectors, negative: Vectors) -> Terms:
        near, far = self.distance.between(anchor, positive), self.distance.between(anchor, negative)
        if self.swap:
            far = np.minimum(far, self.distance.between(positive, negative))
        return Terms(np.maximum(near - far + self.margin, 0.0))

    def quantities(self, anchor: Vectors, positive: Vectors, negative: Vectors) -> Quantities:
        """The ε of the distance, or the distances themselves if there is no formula for them."""
        if self.distance.formula:
            return {"ε": np.asarray(self.distance.eps)}
        pairs = {
            "d(a, p)": (anchor, positive),
            "d(a, n)": (anchor, negative),
            "d(p, n)": (positive, negative),
        }
        return {name: self.distance.between(*pair)[..., np.newaxis] for name, pair in pairs.items()}

    def explained(self, target: FloatArray | IndexArray) -> str:
        """The formula with that of the distance, if it has one."""
        if not self.distance.formula:
            return self.formula
        return f"{Triplet.formula.partition(';')[0]}, d(u, v) = {self.distance.formula}"

    def gradient(self, anchor: Vectors, positive: Vectors, negative: Vectors) -> Slope:
        """That of d(a, p) less that of d(a, n), up to the margin itself."""
        excess, from_anchor, _ = self._excess(anchor, positive, negative)
        near = self.distance.gradients(anchor, positive)[0]
        far = self.distance.gradients(anchor, negative)[0]
        return _summed(anchor, _active(excess) * near, -_active(excess) * from_anchor * far)

    def gradient_positive(self, anchor: Vectors, positive: Vectors, negative: Vectors) -> Slope:
        """That of d(a, p), less that of d(p, n) where it took the place of d(a, n)."""
        excess, _, from_positive = self._excess(anchor, positive, negative)
        near = _active(excess) * self.distance.gradients(anchor, positive)[1]
        if not self.swap:
            return _summed(positive, near)
        far = self.distance.gradients(positive, negative)[0]
        return _summed(positive, near, -_active(excess) * from_positive * far)

    def gradient_negative(self, anchor: Vectors, positive: Vectors, negative: Vectors) -> Slope:
        """That of the distance of the negative, with a minus."""
        excess, from_anchor, from_positive = self._excess(anchor, positive, negative)
        far = -_active(excess) * from_anchor * self.distance.gradients(anchor, negative)[1]
        if not self.swap:
            return _summed(negative, far)
        other = self.distance.gradients(positive, negative)[1]
        return _summed(negative, far, -_active(excess) * from_positive * other)

    def _excess(
        self, anchor: FloatArray, positive: FloatArray, negative: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """m + d(a, p) - d(n), and the shares of d(a, n) and d(p, n) in d(n), the smaller of both.

        Where they are equal, each has half of it, as in PyTorch.
        """
        near, far = self.distance.between(anchor, positive), self.distance.between(anchor, negative)
        from_anchor = np.ones(far.shape)
        if self.swap:
            other = self.distance.between(positive, negative)
            from_anchor = step(other - far, 0.5)
            far = np.minimum(far, other)
        return near - far + self.margin, from_anchor[..., np.newaxis], 1.0 - from_anchor[..., np.newaxis]


@loss("triplet-margin", torch="TripletMarginLoss", functional="triplet_margin_loss")
class TripletMargin(Triplet):
    """How far a negative fails to be farther away than a positive by a margin.

    `anchor`, `positive` and `negative` hold vectors (N, D), or (D,) for one triplet; more leading axes are
    allowed. The distance of two vectors is the p-norm of their difference, to each component of which `eps`
    is added. The mean divides by the number of triplets.

    Raises ShapeError for shapes that differ and ParameterError for a `margin` that is not positive, a `p`
    that is NaN or an `eps` that is not finite.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.TripletMarginLoss.html

    >>> TripletMargin()([[0.0, 0.0]], [[2.0, 0.0]], [[2.5, 0.0]])
    np.float64(0.5)
    """

    aliases = ("FaceNet",)
    ambiguous = MappingProxyType({"triplet": "batch-triplet, of a batch with labels"})
    close = ("batch-triplet",)
    conventions = (
        Convention(
            "optax",
            "adds eps to the sum of the powers instead of each difference",
            "optax.losses.triplet_margin_loss, 0.2.8",
            {"eps_once": True},
        ),
    )
    contrast = {"anchor": [[0.0, 0.0]], "positive": [[1e-3, 0.0]], "negative": [[0.0, 2e-3]]}
    unlike = "does not overflow where the squares of distances would"
    example = {"anchor": [[0.0, 0.0]], "positive": [[2.0, 0.0]], "negative": [[2.5, 0.0]]}

    formula = f"{Triplet.formula.partition(';')[0]}, d(u, v) = (Σ |u - v + ε|^p)^(1/p)"
    derivative = (
        "0 if m + d(a, p) - d(a, n) < 0, else "
        "(anchor - positive + ε) / d(a, p) - (anchor - negative + ε) / d(a, n), d(u, v) = √(Σ (u - v + ε)²)"
    )

    p: Annotated[float, Interval(), Doc("The degree of the norm; inf takes the largest difference.")] = 2.0
    eps: Annotated[float, FINITE, Doc("Added to each component of a difference.")] = 1e-6
    eps_once: Annotated[bool, Doc("Whether `eps` is added to the sum of powers, as in optax.")] = False

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        if self.eps_once and (self.eps < 0 or self.p <= 0 or self.p % 2):
            wrong = "eps" if self.eps < 0 else "p"
            must = "at least 0" if self.eps < 0 else "an even number: optax takes powers with their signs"
            raise ParameterError(
                f"with `eps_once`, `{wrong}` must be {must}", found=getattr(self, wrong), argument=wrong
            )
        return super().layout(shapes, dtypes, broadcast)

    def derived(self, target: FloatArray | IndexArray) -> str:
        """That of the Euclidean distance from the anchor."""
        is_euclidean = self.distance == Norm(2.0, self.eps)
        return self.derivative if is_euclidean and self.eps and not self.swap else ""

    @property
    def distance(self) -> Distance:
        return Norm(self.p, self.eps, self.eps_once)


@loss(
    "triplet-margin-with-distance",
    torch="TripletMarginWithDistanceLoss",
    functional="triplet_margin_with_distance_loss",
)
class TripletMarginWithDistance(Triplet):
    """How far a negative fails to be farther away than a positive, with a distance of your choice.

    `anchor`, `positive` and `negative` hold vectors (N, D), or (D,) for one triplet; more leading axes are
    allowed. `distance_function` is the name of a distance, or, in Python, a function of two float64 arrays
    that gives one number per row. The mean divides by the number of triplets.

    Raises ShapeError for shapes that differ and ParameterError for a `margin` that is not positive, an
    unknown distance, or the gradient of a function.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.TripletMarginWithDistanceLoss.html

    >>> TripletMarginWithDistance(distance_function="cosine")([[1.0, 0.0]], [[1.0, 1.0]], [[0.0, 1.0]])
    np.float64(0.292893218)
    """

    unlike = "takes distances by name"
    example = {
        "anchor": [[1.0, 0.0]],
        "positive": [[1.0, 1.0]],
        "negative": [[0.0, 1.0]],
        "distance_function": "cosine",
    }

    legacy = False

    distance_function: Annotated[
        str | Callable[[Any, Any], Any],
        Names(tuple(DISTANCES)),
        Alias("distance"),
        Doc("How the distance of two vectors is measured; pairwise is PyTorch's default."),
    ] = "pairwise"

    @property
    def distance(self) -> Distance:
        chosen = self.distance_function
        return DISTANCES[chosen] if isinstance(chosen, str) else Custom(chosen)


def _summed(own: FloatArray, *parts: FloatArray) -> Slope:
    """The sum of derivatives, each summed over the axes along which the array was broadcast."""
    first, *others = (unbroadcast(part, own.shape) for part in parts)
    return Slope(sum(others, start=first))


def _active(excess: FloatArray) -> FloatArray:
    """1 up to and at the margin, and 0 beyond, with an axis of 1 in the place of the vectors."""
    return step(excess, 1.0)[..., np.newaxis]
