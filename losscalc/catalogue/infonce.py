"""InfoNCE: the key of each query among other keys, those of the batch or others that are given."""

from collections.abc import Mapping
from typing import Annotated

import numpy as np

from losscalc.catalogue.base import Quantities, loss
from losscalc.catalogue.contrast import NORMALIZE, TEMPERATURE, Pairs, normalized, one_of, unnormalized
from losscalc.core.array import FloatArray, Shape, show_shape
from losscalc.core.domains import FINITE_POSITIVE
from losscalc.core.reductions import Slope, Terms
from losscalc.core.roles import Negatives, Vectors
from losscalc.core.scores import softmax_less_one, surprisal
from losscalc.core.shapes import Layout, fits
from losscalc.core.stable import dot
from losscalc.errors import ShapeError


@loss("info-nce")
class InfoNCE(Pairs):
    """How well a query picks its own key among other keys: those of the batch, or negatives.

    `input` holds queries (N, D) and `target` their keys, (N, D). `negatives` are (M, D), the same for all
    queries, or (N, M, D), some for each; without them the keys of the other queries take their place, and
    the loss needs the whole batch. The mean divides by the number of queries.

    Raises ShapeError for shapes that do not fit and ParameterError for a `temperature` that is not positive.

    Source: https://github.com/RElbers/info-nce-pytorch

    >>> InfoNCE(temperature=0.5)([[1.0, 0.0], [0.0, 1.0]], [[0.8, 0.6], [0.0, 2.0]], reduction="none")
    array([0.18390074, 0.37110067])
    """

    aliases = (
        "MultipleNegativesRankingLoss",
        "in-batch softmax",
        "in-batch negatives",
        "n-pairs",
        "MoCo",
        "CPC",
    )
    close = ("clip", "nt-xent")
    divisor = "the number of queries"

    temperature: Annotated[float, FINITE_POSITIVE, TEMPERATURE] = 0.1
    normalize: Annotated[bool, NORMALIZE] = True

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        layout = super().layout(shapes, dtypes, broadcast)
        if "negatives" not in shapes:
            return layout
        queries, negatives = shapes["input"], shapes["negatives"]
        each = len(negatives) == 3 and fits(negatives[:1], queries[:1])
        if not (each or len(negatives) == 2) or negatives[-1] != queries[-1]:
            raise ShapeError(
                f"`negatives` has shape {show_shape(negatives)}; it must be (M, {queries[1]}) for all of "
                f"`input` {show_shape(queries)}, or ({show_shape(queries[:1])[1:-2]}, M, {queries[1]})",
                argument="negatives",
            )
        cut = layout.cut | {"negatives"} if each else layout.cut
        width = (layout.width + 1) * (negatives[1] or 1) if each else layout.width + (negatives[0] or 1)
        return layout._replace(cut=cut, width=width, whole=False)

    def terms(self, input: Vectors, target: Vectors, negatives: Negatives | None = None) -> Terms:
        queries, keys = self._vectors(input), self._vectors(target)
        if negatives is None:
            return Terms(self._values(queries, keys, one_of(np.arange(len(queries)), len(keys))))
        similar = _similar(queries, keys, self._vectors(negatives))
        return Terms(surprisal(similar / self.temperature, np.zeros(len(queries), np.int64)))

    def quantities(self, input: Vectors, target: Vectors, negatives: Negatives | None = None) -> Quantities:
        queries, keys = self._vectors(input), self._vectors(target)
        others = None if negatives is None else self._vectors(negatives)
        similar = queries @ keys.T if others is None else _similar(queries, keys, others)
        return {"s": similar, "s[i]": dot(queries, keys)[:, np.newaxis]}

    def gradient(self, input: Vectors, target: Vectors, negatives: Negatives | None = None) -> Slope:
        """Softmax, less 1 at its own key, times the keys over T, and through the normalisation."""
        return Slope(self._gradients(input, target, negatives)[0])

    def gradient_target(self, input: Vectors, target: Vectors, negatives: Negatives | None = None) -> Slope:
        """Softmax, less 1 for its own query, times the queries over T, and through the normalisation."""
        return Slope(self._gradients(input, target, negatives)[1])

    def gradient_negatives(self, input: Vectors, target: Vectors, negatives: Negatives) -> Slope:
        """Softmax at each of the negatives, times the query over T, and through the normalisation."""
        queries, keys, others = (self._vectors(vectors) for vectors in (input, target, negatives))
        pull = self._pull(queries, keys, others)[:, 1:]
        slope = pull[..., np.newaxis] * queries[:, np.newaxis] if others.ndim == 3 else pull.T @ queries
        return Slope(unnormalized(negatives, slope) if self.normalize else slope)

    def _gradients(
        self, input: FloatArray, target: FloatArray, negatives: FloatArray | None = None
    ) -> tuple[FloatArray, FloatArray]:
        queries, keys = self._vectors(input), self._vectors(target)
        if negatives is None:
            slopes = self._slopes(queries, keys, one_of(np.arange(len(queries)), len(keys)))
        else:
            others = self._vectors(negatives)
            pull = self._pull(queries, keys, others)
            own, rest = pull[:, :1], pull[:, 1:]
            pushed = np.einsum("nm,nmd->nd", rest, others) if others.ndim == 3 else rest @ others
            slopes = own * keys + pushed, own * queries
        if not self.normalize:
            return slopes
        return unnormalized(input, slopes[0]), unnormalized(target, slopes[1])

    def _pull(self, queries: FloatArray, keys: FloatArray, negatives: FloatArray) -> FloatArray:
        """The derivative by the similarities to the own key, the first, and to the negatives."""
        scores = _similar(queries, keys, negatives) / self.temperature
        return softmax_less_one(scores, np.zeros(len(queries), np.int64)) / self.temperature

    def _vectors(self, vectors: FloatArray) -> FloatArray:
        return normalized(vectors) if self.normalize else vectors


def _similar(queries: FloatArray, keys: FloatArray, negatives: FloatArray) -> FloatArray:
    """The similarities of each query to its own key, and to the negatives."""
    if negatives.ndim == 3:
        others = (negatives * queries[:, np.newaxis]).sum(axis=-1)
    else:
        others = queries @ negatives.T
    return np.concatenate([dot(queries, keys)[:, np.newaxis], others], axis=1)
