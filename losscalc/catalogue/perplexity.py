"""Perplexity."""

from typing import Annotated

import numpy as np

from losscalc.catalogue.base import Quantities, loss
from losscalc.catalogue.classwise import IGNORE_INDEX, SOFTMAX_AND_CHOICE
from losscalc.catalogue.tokens import Tokens
from losscalc.catalogue.weighting import masked
from losscalc.core.array import FloatArray
from losscalc.core.conventions import agreeing
from losscalc.core.declaration import Doc
from losscalc.core.domains import Choice
from losscalc.core.reductions import EXPONENTIAL, Slope, Terms
from losscalc.core.roles import ClassIndices, Role, classes_back, classes_last
from losscalc.core.scores import softmax_less_one, surprisal
from losscalc.core.stable import pick

TokenScores = Annotated[
    FloatArray, Role("Logits (N, L, V) or (N, V); the vocabulary on the last axis, or (V,).", "logits")
]


@loss("perplexity")
class Perplexity(Tokens):
    """Exponential of the mean cross-entropy of tokens.

    `input` holds logits (N, V), (N, L, V) or (V,), with the vocabulary on the last axis (or on axis 1, with a
    `class_axis` of 1), and `target` token indices of that shape without the vocabulary. The mean divides by
    the number of targets that are not ignored, and is the exponential of that quotient; none and sum are the
    cross-entropies of the tokens and their sum. The mean of the perplexities of batches is not the
    perplexity: add up the sums. `mask`, of the shape of `target`, is 1 where a token counts and 0 where it
    takes no part. With `shift`, as language models compute it, position t is scored against token t + 1: the
    last logits and the first token of each sequence take no part.

    Raises ShapeError for shapes that do not fit, and ClassIndexError for a token outside [0, V).

    Source: https://lightning.ai/docs/torchmetrics/stable/text/perplexity.html

    >>> Perplexity()([[[2.0, 1.0, 0.0], [0.0, 1.0, 3.0]]], [[0, 2]])
    np.float64(1.334725953)
    """

    is_likelihood = True
    legacy = False
    link = EXPONENTIAL
    close = ("cross-entropy",)
    conventions = agreeing(torchmetrics="torchmetrics.functional.text.perplexity, 1.9.0")
    aliases = ("ppl",)
    uses = ("language model",)
    example = {"input": [[[2.0, 1.0, 0.0], [0.0, 1.0, 3.0]]], "target": [[0, 2]]}

    formula = "-ln(exp(x[y]) / Σ exp(x))"
    steps = SOFTMAX_AND_CHOICE
    divisor = "the number of targets that are not ignored"

    class_axis: Annotated[
        int | None, Choice((1, -1)), Doc("The axis of the classes: the last, unless 1.")
    ] = -1
    ignore_index: Annotated[int, IGNORE_INDEX] = -100

    @masked
    def terms(self, input: TokenScores, target: ClassIndices) -> Terms:
        scores = classes_last(input, self._axis)
        target, position = self.places(scores, target)
        ignored = target == self.ignore_index
        value = np.where(ignored, 0.0, surprisal(scores, position))
        return Terms(value, None, ignored)

    def quantities(self, input: TokenScores, target: ClassIndices) -> Quantities:
        """The scores, and that of the token."""
        scores = classes_last(input, self._axis)
        _, position = self.places(scores, target)
        return {"x": scores, "x[y]": pick(scores, position)[..., np.newaxis]}

    @masked
    def gradient(self, input: TokenScores, target: ClassIndices) -> Slope:
        """softmax(x) - y; for the mean divided by the number of tokens, times the perplexity."""
        scores = classes_last(input, self._axis)
        target, position = self.places(scores, target)
        slope = softmax_less_one(scores, position)
        slope = np.where((target == self.ignore_index)[..., np.newaxis], 0.0, slope)
        return Slope(classes_back(slope, self._axis))
