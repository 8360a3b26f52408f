"""Triplets that are found in a batch of labelled vectors."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, NamedTuple

import numpy as np

from losscalc.catalogue.base import Loss, Quantities, loss
from losscalc.catalogue.contrast import labelled_layout
from losscalc.catalogue.distances import DISTANCES, Distance
from losscalc.core.array import FloatArray, IndexArray, Shape
from losscalc.core.declaration import Doc
from losscalc.core.domains import FINITE_POSITIVE, Names
from losscalc.core.reductions import Slope, Terms
from losscalc.core.roles import Groups, Vectors
from losscalc.core.shapes import Layout


@loss("batch-triplet")
class BatchTriplet(Loss):
    """Triplet loss of the triplets in a batch: each sample, others of its class, and some of other classes.

    `input` holds vectors (N, D), taken as they are, and `target` a label for each, (N,), any whole numbers.
    The distance is Euclidean, or its square. By `mining` there is a loss for each sample that has others of
    its class and of other classes, with the farthest of the former and the nearest of the latter (hard); for
    each pair of a class, with the nearest of other classes that is farther away than the two are, or else the
    farthest of all (semi-hard); or for each triplet (all). They come in the order of the samples. The mean
    divides by the number of losses, of all triplets by that of losses above 0. The loss needs the whole
    batch.

    Raises ShapeError for shapes that do not fit and ParameterError for a `margin` that is not positive.

    Source: https://arxiv.org/abs/1703.07737

    >>> BatchTriplet()([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0], [-1.0, 0.0]], [0, 0, 1, 1])
    np.float64(0.748225912)
    """

    aliases = ("batch-hard-triplet", "batch-hard", "triplet-hard", "TripletHardLoss")
    ambiguous = MappingProxyType(
        {
            "batch-all-triplet": "batch-triplet with the mining all",
            "batch-semi-hard-triplet": "batch-triplet with the mining semi-hard",
            "triplet-semihard": "batch-triplet with the mining semi-hard",
        }
    )
    uses = ("metric learning", "embeddings", "contrastive", "classes")
    close = ("triplet-margin", "sup-con")
    example = {"input": [[1.0, 0.0], [0.8, 0.6], [0.0, 1.0], [-1.0, 0.0]], "target": [0, 0, 1, 1]}

    formula = (
        "max(0, m + d(a, p) - d(a, n)); a sample, p one of its class, n one of another, d their distance"
    )
    divisor = "the number of losses (all: of those above 0)"
    whole_batch = True
    legacy = False

    margin: Annotated[
        float, FINITE_POSITIVE, Doc("By how much samples of other classes have to be farther away.")
    ] = 1.0
    mining: Annotated[
        str, Names(("hard", "semi-hard", "all")), Doc("Which triplets there are losses for.")
    ] = "hard"
    squared: Annotated[bool, Doc("Whether the distance is the square of the Euclidean one.")] = False

    @property
    def distance(self) -> Distance:
        """The distance of two vectors."""
        return DISTANCES["squared-euclidean" if self.squared else "euclidean"]

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        return labelled_layout(shapes)

    def terms(self, input: Vectors, target: Groups) -> Terms:
        found = self._triplets(input, target)
        value = np.maximum(self.margin + found.near - found.far, 0.0)
        divisor = None
        if self.mining == "all" and value.size:
            divisor = (value > 0).astype(np.float64)
            # If none is above 0, neither is the mean, which divides by 1.
            divisor[0] = max(divisor[0], 1.0 - divisor.max())
        return Terms(value, divisor, rows=found.anchor)

    def quantities(self, input: Vectors, target: Groups) -> Quantities:
        """The distances of each triplet."""
        found = self._triplets(input, target)
        return {"d(a, p)": found.near[:, np.newaxis], "d(a, n)": found.far[:, np.newaxis]}

    def gradient(self, input: Vectors, target: Groups) -> Slope:
        """That of the distance of the positive less that of the negative, of losses above 0."""
        found = self._triplets(input, target)
        active = self.margin + found.near - found.far > 0
        # How often each distance counts: + where it is that of a positive.
        counts = np.zeros((len(input), len(input)))
        np.add.at(counts, (found.anchor[active], found.positive[active]), 1.0)
        np.subtract.at(counts, (found.anchor[active], found.negative[active]), 1.0)
        counts += counts.T
        slope = np.zeros_like(input)
        for row in np.flatnonzero(counts.any(axis=-1)):
            slope[row] = counts[row] @ self.distance.gradients(input[row], input)[0]
        return Slope(slope)

    def _triplets(self, input: FloatArray, target: IndexArray) -> "Triplets":
        """The triplets of the batch, in the order of the samples."""
        found = [Triplets.none(input)]
        for anchor in range(len(input)):
            same = target == target[anchor]
            negatives = np.flatnonzero(~same)
            same[anchor] = False
            positives = np.flatnonzero(same)
            if len(positives) and len(negatives):
                distances = self.distance.between(input[anchor], input)
                near, far = self._mined(distances, positives, negatives)
                whose = np.full(len(near), anchor)
                found.append(Triplets(whose, near, far, distances[near], distances[far]))
        return Triplets(*(np.concatenate(parts) for parts in zip(*found, strict=True)))

    def _mined(
        self, distances: FloatArray, positives: IndexArray, negatives: IndexArray
    ) -> tuple[IndexArray, IndexArray]:
        """The positives and negatives of one sample."""
        near, far = distances[positives], distances[negatives]
        if self.mining == "hard":
            return positives[[near.argmax()]], negatives[[far.argmin()]]
        if self.mining == "all":
            return np.repeat(positives, len(negatives)), np.tile(negatives, len(positives))
        order = np.argsort(far, kind="stable")
        place = np.searchsorted(far[order], near, side="right")
        # Where none is farther away, the last is the farthest of all.
        return positives, negatives[order[np.minimum(place, len(order) - 1)]]


class Triplets(NamedTuple):
    """The rows of samples, of one of their class and of one of another, and their distances."""

    anchor: IndexArray
    positive: IndexArray
    negative: IndexArray
    near: FloatArray
    far: FloatArray

    @classmethod
    def none(cls, vectors: FloatArray) -> "Triplets":
        """No triplets of such vectors."""
        rows, distances = np.empty(0, np.int64), np.empty(0, vectors.dtype)
        return cls(rows, rows, rows, distances, distances)
