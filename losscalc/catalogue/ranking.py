"""Losses of scores that rank: which of two, or of the documents of a list, should be higher."""

from collections.abc import Mapping
from typing import Annotated

import numpy as np

from losscalc.catalogue.base import Loss, Quantities, loss
from losscalc.core.array import FloatArray, IndexArray, Shape, show_shape
from losscalc.core.declaration import Doc
from losscalc.core.domains import FINITE, FINITE_POSITIVE
from losscalc.core.reductions import Slope, Terms
from losscalc.core.roles import Relevance, SignLabels, Values
from losscalc.core.rounding import Rounded, multiplied, subtracted
from losscalc.core.shapes import Layout, check_equal_axes, elementwise_layout
from losscalc.core.stable import sigmoid, softplus, step
from losscalc.errors import ShapeError


@loss("margin-ranking", torch="MarginRankingLoss", functional="margin_ranking_loss")
class MarginRanking(Loss):
    """How far the score that should be higher fails to lead by a margin.

    `input1`, `input2` and `target` have any shape, the same for all; a label of 1 says that the first score
    should be higher, -1 the second. The mean divides by the number of elements.

    Raises ShapeError for shapes that differ, DomainError for any other label and ParameterError for a
    `margin` that is not finite.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.MarginRankingLoss.html

    >>> MarginRanking(margin=0.5)([1.0, 2.0, 3.0], [2.0, 1.0, 3.0], [1, 1, -1], reduction="none")
    array([1.5, 0. , 0.5])
    """

    uses = ("ranking", "pairs")
    close = ("hinge-embedding", "bradley-terry")
    unlike = "refuses labels other than 1 and -1, and has a gradient of NaN, not 0, where an input is NaN"
    example = {
        "input1": [1.0, 2.0, 3.0],
        "input2": [2.0, 1.0, 3.0],
        "target": [1, 1, -1],
        "reduction": "none",
        "margin": 0.5,
    }

    formula = "max(0, -y·(x1 - x2) + m)"
    derivative = "-y if m - y·(x1 - x2) ≥ 0, else 0"
    divisor = "the number of elements"
    broadcasts = True

    margin: Annotated[float, FINITE, Doc("By how much the higher score has to lead.")] = 0.0

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        same = ("input1", "input2", "target")
        if broadcast:
            check_equal_axes(shapes, same)
        return elementwise_layout(shapes, same=same, broadcast=broadcast)

    def terms(self, input1: Values, input2: Values, target: SignLabels) -> Terms:
        return Terms(np.maximum(self._shortfall(input1, input2, target), 0.0))

    def gradient(self, input1: Values, input2: Values, target: SignLabels) -> Slope:
        """-y up to the margin itself, and 0 beyond."""
        return Slope(-target * step(self._shortfall(input1, input2, target), 1.0))

    def gradient_input2(self, input1: Values, input2: Values, target: SignLabels) -> Slope:
        """y up to the margin itself, and 0 beyond."""
        return Slope(target * step(self._shortfall(input1, input2, target), 1.0))

    def _shortfall(self, input1: FloatArray, input2: FloatArray, target: FloatArray) -> FloatArray:
        return target * (input2 - input1) + self.margin


@loss("ranknet")
class RankNet(Loss):
    """How far the more relevant documents of a list fail to score higher than the less relevant ones.

    `input` holds the scores of lists (N, L), or (L,) for one, and `target` the relevance of each document;
    only its order counts. There is a loss for each pair of documents of one list of which the first is the
    more relevant, in the order of list, first and second. Lists of different lengths are filled up, with
    documents whose relevance is the number `padding`. The mean divides by the number of pairs.

    Raises ShapeError for shapes that differ and ParameterError for a `sigma` that is not positive.

    Source: https://github.com/allegro/allRank

    >>> RankNet()([[1.2, 0.3, -0.5, 2.0]], [[2, 0, 1, 1]])
    np.float64(0.603785453)
    """

    aliases = ("rank:pairwise", "PairwiseLogisticLoss")
    uses = ("ranking", "search")
    close = ("bradley-terry", "margin-ranking")
    example = {"input": [[1.2, 0.3, -0.5, 2.0]], "target": [[2, 0, 1, 1]]}

    formula = "ln(1 + exp(-sigma·(x1 - x2))); x1 score of the more relevant of two documents, x2 of the other"
    divisor = "the number of pairs"
    legacy = False

    sigma: Annotated[float, FINITE_POSITIVE, Doc("Factor of the differences of scores.")] = 1.0
    padding: Annotated[float | None, FINITE, Doc("The relevance of documents that only fill up a list.")] = (
        None
    )

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        layout = elementwise_layout(shapes, broadcast=False)
        if len(shapes["input"]) not in (1, 2):
            raise ShapeError(
                f"`input` has shape {show_shape(shapes['input'])}; it must be (N, L), lists of documents, or "
                "(L,) for one",
                argument="input",
            )
        if len(shapes["input"]) == 1:
            return layout._replace(cut=frozenset())
        return layout._replace(width=layout.width * layout.width)

    def terms(self, input: Values, target: Relevance) -> Terms:
        lists = np.nonzero(self._pairs(target))
        value = self._loss(*self._scores(input, lists))
        return Terms(value, rows=lists[0] if len(lists) == 3 else None)

    def quantities(self, input: Values, target: Relevance) -> Quantities:
        first, second = self._scores(input, np.nonzero(self._pairs(target)))
        return {"x1": first[:, np.newaxis], "x2": second[:, np.newaxis]}

    def gradient(self, input: Values, target: Relevance) -> Slope:
        """Of each pair -sigma·σ(-sigma·(x1 - x2)) for the more relevant, and its negative for the other."""
        ahead = self.sigma * (input[..., :, np.newaxis] - input[..., np.newaxis, :])
        pull = np.where(self._pairs(target), -self.sigma * sigmoid(-ahead), 0.0)
        return Slope(pull.sum(axis=-1) - pull.sum(axis=-2))

    def _pairs(self, target: FloatArray) -> np.ndarray:
        """Which pairs of documents of a list have the first more relevant, (..., L, L)."""
        known = np.ones(target.shape, bool) if self.padding is None else target != self.padding
        more = target[..., :, np.newaxis] > target[..., np.newaxis, :]
        return np.asarray(more & known[..., :, np.newaxis] & known[..., np.newaxis, :])

    def _scores(self, input: FloatArray, pairs: tuple[IndexArray, ...]) -> tuple[FloatArray, FloatArray]:
        *lists, first, second = pairs
        return input[(*lists, first)], input[(*lists, second)]

    def _loss(self, first: FloatArray, second: FloatArray) -> FloatArray:
        return behind(multiplied(self.sigma, subtracted(first, second)))


def behind(lead: Rounded) -> FloatArray:
    """ln(1 + exp(-u)) of a lead u that was rounded, by an error e: softplus(-u) - e·σ(-u)."""
    return np.asarray(softplus(-lead.value) - lead.error * sigmoid(-lead.value))
