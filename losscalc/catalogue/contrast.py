"""Losses of batches of vectors in which each has to be told from all others: InfoNCE and its kin."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Annotated

import numpy as np

from losscalc.catalogue.base import Loss, Quantities, loss
from losscalc.core.array import FloatArray, IndexArray, Shape, show_shape
from losscalc.core.conventions import Convention
from losscalc.core.declaration import Doc
from losscalc.core.domains import FINITE_POSITIVE
from losscalc.core.reductions import Slope, Terms
from losscalc.core.roles import Groups, Vectors
from losscalc.core.scores import joined, partition, softmax
from losscalc.core.shapes import Layout, fits, rowwise_layout
from losscalc.core.stable import dot, length, number, pick, put
from losscalc.errors import ShapeError

# As F.normalize of PyTorch: shorter vectors are divided by it.
_SHORTEST = 1e-12
# So many similarities are held at once.
_MOST = 1 << 21

TEMPERATURE = Doc("What similarities are divided by; the lower, the more the closest rivals count.")
NORMALIZE = Doc("Whether the similarity is the cosine, not the dot product.")


Answer = Callable[[slice], FloatArray]
"""Gives the share of each candidate in the right answer, for some rows; they sum to 1, or are all 0."""


class Contrast(Loss):
    """The base of this family: vectors, of which each has one that is right, or several, among many.

    A loss is -ln softmax of similarities over the temperature, at the right one.
    """

    formula = (
        "ln(Σ exp(s/T)) - s[i]/T; s similarities of a vector and its candidates, s[i] that of the right one"
    )
    whole_batch = True
    legacy = False
    uses = ("contrastive", "metric learning", "embeddings", "self-supervised")

    temperature: Annotated[float, FINITE_POSITIVE, TEMPERATURE] = 0.1

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        return batch_layout(shapes, ("input", "target"))

    def _scores(self, queries: FloatArray, keys: FloatArray, rows: slice, *, own: bool = False) -> FloatArray:
        """The similarities of some queries to all keys, over the temperature.

        If the queries are the keys, no vector is a candidate for its `own` place: -inf adds nothing to a
        sum of exponentials.
        """
        scores = (queries[rows] @ keys.T) / self.temperature
        if own:
            put(scores, np.arange(rows.start, rows.stop), number(-np.inf, scores))
        return np.asarray(scores)

    def _values(
        self, queries: FloatArray, keys: FloatArray, answer: Answer, *, own: bool = False
    ) -> FloatArray:
        """The loss of each query."""
        values = [np.empty(0)]
        for rows in chunks(len(queries), len(keys)):
            gap, tail = partition(self._scores(queries, keys, rows, own=own))
            share = answer(rows)
            values.append(joined((np.where(share > 0, gap, 0.0) * share).sum(axis=-1), tail))
        return np.concatenate(values)

    def _slopes(
        self, queries: FloatArray, keys: FloatArray, answer: Answer, *, own: bool = False
    ) -> tuple[FloatArray, FloatArray]:
        """The derivatives by queries and by keys: (P - S)·k/T and (P - S)ᵀ·q/T, with S the answer.

        P is the softmax of the similarities, or 0 for a query that has no answer.
        """
        of_queries, of_keys = np.zeros_like(queries), np.zeros_like(keys)
        for rows in chunks(len(queries), len(keys)):
            share = answer(rows)
            whole = share.sum(axis=-1, keepdims=True)
            pull = softmax(self._scores(queries, keys, rows, own=own)) * np.round(whole) - share
            of_queries[rows] = pull @ keys / self.temperature
            of_keys += pull.T @ queries[rows] / self.temperature
        return of_queries, of_keys


class Pairs(Contrast):
    """Two vectors a row, which belong together."""

    divisor = "the number of pairs"
    example = {
        "input": [[1.0, 0.0], [0.0, 1.0]],
        "target": [[0.8, 0.6], [0.0, 2.0]],
        "temperature": 0.5,
        "reduction": "none",
    }

    def gradient(self, input: Vectors, target: Vectors) -> Slope:
        """Softmax less 1 at the right place, times the other vectors over T, through the norm."""
        return Slope(self._gradients(input, target)[0])

    def gradient_target(self, input: Vectors, target: Vectors) -> Slope:
        """The same, with the vectors exchanged."""
        return Slope(self._gradients(input, target)[1])

    def _gradients(self, input: FloatArray, target: FloatArray) -> tuple[FloatArray, FloatArray]:
        raise NotImplementedError


@loss("nt-xent")
class NTXent(Pairs):
    """How well each view of a sample is told apart from all other views of the batch, as in SimCLR.

    `input` and `target` hold vectors (N, D): two views of N samples. The similarity is the cosine. There
    are 2N losses, first those of the views in `input`, then those of `target`, and the mean divides by their
    number. The loss needs the whole batch.

    Raises ShapeError for shapes that differ and ParameterError for a `temperature` that is not positive.

    Source: https://docs.lightly.ai/self-supervised-learning/lightly.loss.html

    >>> NTXent()([[1.0, 0.0], [0.0, 1.0]], [[0.8, 0.6], [-1.0, 0.0]])
    np.float64(0.676400755)
    """

    aliases = ("SimCLR", "normalized temperature-scaled cross entropy")
    close = ("clip", "info-nce", "sup-con")
    conventions = (
        Convention("optax", "has a temperature of 0.07", "optax.losses.ntxent, 0.2.8", {"temperature": 0.07}),
    )
    divisor = "the number of views, 2N"
    example = {"input": [[1.0, 0.0], [0.0, 1.0]], "target": [[0.8, 0.6], [-1.0, 0.0]]}

    temperature: Annotated[float, FINITE_POSITIVE, TEMPERATURE] = 0.5

    def terms(self, input: Vectors, target: Vectors) -> Terms:
        views = normalized(np.concatenate([input, target]))
        value = self._values(views, views, one_of(_partners(len(input)), len(views)), own=True)
        return Terms(value, rows=np.arange(len(value)) % max(1, len(input)))

    def quantities(self, input: Vectors, target: Vectors) -> Quantities:
        views, right = normalized(np.concatenate([input, target])), _partners(len(input))
        similar = views @ views.T
        return {"s": _others(similar), "s[i]": pick(similar, right)[:, np.newaxis]}

    def _gradients(self, input: FloatArray, target: FloatArray) -> tuple[FloatArray, FloatArray]:
        both = np.concatenate([input, target])
        views = normalized(both)
        parts = self._slopes(views, views, one_of(_partners(len(input)), len(views)), own=True)
        slope = unnormalized(both, parts[0] + parts[1])
        return slope[: len(input)], slope[len(input) :]


@loss("clip")
class CLIP(Pairs):
    """How well each of two kinds of vectors picks its partner among all of the other kind, both ways.

    `input` and `target` hold vectors (N, D), such as those of images and of their texts; the loss of a
    pair is the mean of that of finding the target by the input and of finding the input by the target.
    CLIP's `logit_scale` is 1 / `temperature`. The mean divides by the number of pairs. The loss needs the
    whole batch.

    Raises ShapeError for shapes that differ and ParameterError for a `temperature` that is not positive.

    Source: https://github.com/mlfoundations/open_clip

    >>> CLIP(temperature=0.5)([[1.0, 0.0], [0.0, 1.0]], [[0.8, 0.6], [0.0, 2.0]], reduction="none")
    array([0.348458  , 0.24901434])
    """

    aliases = ("symmetric info-nce", "open-clip")
    close = ("info-nce", "nt-xent")
    formula = (
        "½·(ln(Σ exp(s/T)) + ln(Σ exp(t/T))) - s[i]/T; s similarities of an input and all targets, "
        "t of its target and all inputs, s[i] of the two"
    )

    temperature: Annotated[float, FINITE_POSITIVE, TEMPERATURE] = 0.07
    normalize: Annotated[bool, NORMALIZE] = True

    def terms(self, input: Vectors, target: Vectors) -> Terms:
        one, other = self._vectors(input, target)
        right = one_of(np.arange(len(one)), len(one))
        return Terms(0.5 * self._values(one, other, right) + 0.5 * self._values(other, one, right))

    def quantities(self, input: Vectors, target: Vectors) -> Quantities:
        one, other = self._vectors(input, target)
        similar = one @ other.T
        return {"s": similar, "t": similar.T, "s[i]": similar.diagonal()[:, np.newaxis]}

    def _vectors(self, input: FloatArray, target: FloatArray) -> tuple[FloatArray, FloatArray]:
        return (normalized(input), normalized(target)) if self.normalize else (input, target)

    def _gradients(self, input: FloatArray, target: FloatArray) -> tuple[FloatArray, FloatArray]:
        one, other = self._vectors(input, target)
        right = one_of(np.arange(len(one)), len(one))
        there, back = self._slopes(one, other, right), self._slopes(other, one, right)
        slopes = 0.5 * (there[0] + back[1]), 0.5 * (there[1] + back[0])
        if not self.normalize:
            return slopes
        return unnormalized(input, slopes[0]), unnormalized(target, slopes[1])


@loss("sup-con")
class SupCon(Contrast):
    """How well each sample is told apart from other classes, with all of its own class as right answers.

    `input` holds vectors (N, D) and `target` a label for each, (N,), any whole numbers. The similarity is the
    cosine. The loss of a sample is the mean over the others of its class; one without others is left out.
    The mean divides by the number of samples that are not. Of several views of a sample, stack the views and
    repeat the labels. The loss needs the whole batch.

    Raises ShapeError for shapes that do not fit and ParameterError for a `temperature` that is not positive.

    Source: https://arxiv.org/abs/2004.11362, where it is the loss with the sum outside the logarithm

    >>> SupCon()([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0], [-1.0, 0.0]], [0, 0, 1, 1])
    np.float64(1.533147394)
    """

    aliases = ("supervised contrastive",)
    uses = ("contrastive", "metric learning", "embeddings", "classes")
    close = ("nt-xent", "batch-triplet")
    example = {"input": [[1.0, 0.0], [0.8, 0.6], [0.0, 1.0], [-1.0, 0.0]], "target": [0, 0, 1, 1]}

    formula = (
        "ln(Σ exp(s/T)) - (Σ k·s)/(T·Σ k); s similarities of a sample and the others, "
        "k 1 for others of its class, else 0"
    )
    divisor = "the number of samples that have others of their class"

    temperature: Annotated[float, FINITE_POSITIVE, TEMPERATURE] = 0.1

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        return labelled_layout(shapes)

    def terms(self, input: Vectors, target: Groups) -> Terms:
        vectors = normalized(input)
        value = self._values(vectors, vectors, partial(_others_alike, target), own=True)
        sizes = np.unique_counts(target)
        alone = np.isin(target, sizes.values[sizes.counts == 1])
        return Terms(np.where(alone, 0.0, value), (~alone).astype(np.float64), alone)

    def quantities(self, input: Vectors, target: Groups) -> Quantities:
        vectors = normalized(input)
        same = (target[:, np.newaxis] == target).astype(np.float64)
        return {"s": _others(vectors @ vectors.T), "k": _others(same)}

    def gradient(self, input: Vectors, target: Groups) -> Slope:
        """Softmax less the share of each in the answer, times the vectors over T, both ways."""
        vectors = normalized(input)
        parts = self._slopes(vectors, vectors, partial(_others_alike, target), own=True)
        return Slope(unnormalized(input, parts[0] + parts[1]))


def one_of(right: IndexArray, candidates: int) -> Answer:
    """Answers of which each is one of the candidates, that of a position."""
    return lambda rows: (right[rows, np.newaxis] == np.arange(candidates)).astype(np.float64)


def chunks(rows: int, columns: int) -> Iterator[slice]:
    """Cut a matrix into runs of rows that are held at once."""
    step = max(1, _MOST // max(1, columns))
    yield from (slice(first, min(first + step, rows)) for first in range(0, rows, step))


def normalized(vectors: FloatArray) -> FloatArray:
    """Unit vectors; those that are all but 0 stay short."""
    return np.asarray(vectors / np.maximum(length(vectors), _SHORTEST)[..., np.newaxis])


def unnormalized(vectors: FloatArray, slope: FloatArray) -> FloatArray:
    """The derivative by vectors, from that by their unit vectors u: (d - (d·u)·u) / ‖x‖."""
    size = length(vectors)[..., np.newaxis]
    unit = vectors / np.maximum(size, _SHORTEST)
    along = np.where(size < _SHORTEST, 0.0, dot(slope, unit)[..., np.newaxis] * unit)
    return np.asarray((slope - along) / np.maximum(size, _SHORTEST))


def batch_layout(shapes: Mapping[str, Shape], same: Sequence[str]) -> Layout:
    """Vectors (N, D) that depend on one another."""
    layout = rowwise_layout({name: shapes[name] for name in same}, same=same, broadcast=False)
    if len(shapes[same[0]]) != 2:
        raise ShapeError(
            f"`{same[0]}` has shape {show_shape(shapes[same[0]])}; it must be (N, D), a batch of vectors",
            argument=same[0],
        )
    return layout._replace(whole=True)


def labelled_layout(shapes: Mapping[str, Shape]) -> Layout:
    """Vectors (N, D) that depend on one another, with a label each."""
    layout = batch_layout(shapes, ("input",))
    if not fits(shapes["target"], shapes["input"][:1]):
        raise ShapeError(
            f"`target` has shape {show_shape(shapes['target'])}; for `input` of shape "
            f"{show_shape(shapes['input'])} it must be {show_shape(shapes['input'][:1])}, one label per row",
            argument="target",
        )
    return layout._replace(cut=layout.cut | {"target"}, indices=frozenset({"target"}))


def _partners(samples: int) -> IndexArray:
    """The position of the other view of each of 2N views."""
    return (np.arange(2 * samples) + samples) % max(1, 2 * samples)


def _others_alike(labels: IndexArray, rows: slice) -> FloatArray:
    """The share of each sample in the answers of some: equal for all others of the same class."""
    alike = labels[rows, np.newaxis] == labels
    alike[np.arange(len(alike)), np.arange(rows.start, rows.stop)] = False
    return np.asarray(alike / np.maximum(alike.sum(axis=-1, keepdims=True), 1))


def _others(square: FloatArray) -> FloatArray:
    """The rows of a matrix (N, N) without its diagonal."""
    size = len(square)
    return square[~np.eye(size, dtype=bool)].reshape(size, max(0, size - 1))
