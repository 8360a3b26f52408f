"""Losses of sequences whose alignment is not known."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Annotated, NamedTuple, cast

import numpy as np

from losscalc.catalogue.base import Loss, Quantities, loss
from losscalc.core.array import Array, FloatArray, IndexArray, Shape, show_shape
from losscalc.core.declaration import Doc
from losscalc.core.domains import NOT_NEGATIVE
from losscalc.core.reductions import Slope, Terms
from losscalc.core.roles import Lengths, Sequences, SequenceScores, as_real
from losscalc.core.shapes import Layout, fits
from losscalc.core.stable import numbers_like
from losscalc.errors import ClassIndexError, DomainError, ParameterError, ShapeError

_TOGETHER = 4096  # as many log-probabilities are looked up at once
_FLOOR = -1e300  # stands for -inf, below any other logarithm; (-inf) - (-inf) would be NaN


@loss("ctc", torch="CTCLoss", functional="ctc_loss")
class CTC(Loss):
    """Negative log-likelihood of sequences of symbols, over all their alignments with the input.

    `log_probs` holds log-probabilities (T, N, C) over time, batch and symbols, or (T, C) for one sequence.
    `targets` holds symbols other than the blank, (N, S) padded to one length or (sum of the lengths,) all in
    a row. `input_lengths` and `target_lengths`, (N,), say how much of each counts. An alignment reads as the
    target once repeated symbols are merged and blanks left out; where the input is too short for any, the
    loss is infinite, or 0 if `zero_infinity` is set. The mean divides by the number of sequences, after each
    loss was divided by the length of its target (at least 1).

    As in PyTorch, the gradient is that with respect to the logits of which `log_probs` are the log-softmax.

    Raises ShapeError for shapes that do not fit, ClassIndexError for a symbol that is the blank or outside
    [0, C), DomainError for a length that is negative or too large and ParameterError for a `blank` outside
    [0, C).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.CTCLoss.html

    >>> CTC()([[[-0.7, -1.2, -1.6]], [[-1.6, -0.7, -1.2]], [[-1.2, -1.2, -0.9]]], [[1, 2]], [3], [2])
    np.float64(0.693148535)
    """

    unlike = (
        "refuses symbols that are the blank or outside [0, C), takes float16, and has a gradient of 0 at "
        "log-probabilities of -inf, for which PyTorch gives NaN"
    )
    aliases = ("connectionist_temporal_classification",)
    uses = ("sequences", "speech", "handwriting")
    is_likelihood = True
    example = {
        "log_probs": [[[-0.7, -1.2, -1.6]], [[-1.6, -0.7, -1.2]], [[-1.2, -1.2, -0.9]]],
        "targets": [[1, 2]],
        "input_lengths": [3],
        "target_lengths": [2],
    }

    formula = (
        "0 if zero_infinity and max s = -∞, else -ln Σ exp(s); "
        "s log-probability of the alignments that end in the last symbol, and in the blank behind it"
    )
    divisor = "the number of sequences, each loss being divided by the length of its target first"
    legacy = False

    blank: Annotated[int, NOT_NEGATIVE, Doc("The symbol that stands for none.")] = 0
    zero_infinity: Annotated[bool, Doc("Whether infinite losses and their gradients are 0.")] = False

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        """The batch is never cut, because it is not on axis 0."""
        scores, targets = shapes["log_probs"], shapes["targets"]
        if len(scores) not in (2, 3) or scores[-1] == 0:
            problem = f"`log_probs` has shape {show_shape(scores)}; it must be (T, N, C), or (T, C) for one"
            raise ShapeError(problem, argument="log_probs")
        if self.blank >= cast(int, scores[-1]):
            last = cast(int, scores[-1]) - 1
            problem = f"`blank` must be one of the {last + 1} symbols, from 0 to {last}"
            raise ParameterError(problem, found=self.blank, argument="blank")
        batch, is_swapped = scores[1:-1], fits(shapes["input_lengths"] or (1,), scores[:-2])
        for name in ("input_lengths", "target_lengths"):
            if shapes[name] != batch and not (shapes[name] in ((), (1,), (None,)) and batch in ((), (1,))):
                raise ShapeError(
                    f"`{name}` has shape {show_shape(shapes[name])}; for `log_probs` of shape "
                    f"{show_shape(scores)} it must be {show_shape(batch)}",
                    argument=name,
                    hint="`log_probs` looks like (N, T, C): exchange its first two axes" * is_swapped or None,
                )
        if len(targets) not in (1, 2) or (len(targets) == 2 and targets[:1] not in (batch or (1,), (None,))):
            raise ShapeError(
                f"`targets` has shape {show_shape(targets)}; for `log_probs` of shape "
                f"{show_shape(scores)} it must be ({batch[0] if batch else 1}, S), or all symbols in a row",
                argument="targets",
            )
        indices = frozenset({"targets", "input_lengths", "target_lengths"})
        return Layout(frozenset(), 1, indices)

    def terms(
        self, log_probs: SequenceScores, targets: Sequences, input_lengths: Lengths, target_lengths: Lengths
    ) -> Terms:
        lattice = self._lattice(log_probs, targets, input_lengths, target_lengths)
        value = -lattice.total(lattice.last())
        if self.zero_infinity:
            value = np.where(value == np.inf, 0.0, value)
        value = value.reshape(log_probs.shape[1:-1])
        return Terms(value, share=value / np.maximum(lattice.target_lengths, 1).reshape(value.shape))

    def quantities(
        self, log_probs: SequenceScores, targets: Sequences, input_lengths: Lengths, target_lengths: Lengths
    ) -> Quantities:
        """ln p of the alignments that end in the last symbol or in the blank behind it, and p of all."""
        ends = self._lattice(log_probs, targets, input_lengths, target_lengths).ends()
        ends = ends.reshape(*log_probs.shape[1:-1], 2)
        return {"s": ends, "P": np.exp(ends).sum(axis=-1, keepdims=True)}

    def gradient(
        self, log_probs: SequenceScores, targets: Sequences, input_lengths: Lengths, target_lengths: Lengths
    ) -> Slope:
        """exp(log_probs) less the probability that an alignment has the symbol at that time."""
        lattice = self._lattice(log_probs, targets, input_lengths, target_lengths)
        forward = [reached.copy() for reached in lattice.forward()]
        total = lattice.total(forward[-1])
        slope = np.exp(as_real(lattice.scores))
        takes_part = np.arange(len(slope))[:, np.newaxis] < lattice.input_lengths
        slope[~takes_part] = 0.0
        rows = np.arange(slope.shape[1])[:, np.newaxis]
        for time, backward in lattice.backward():
            beginnings = forward[time + 1]
            nothing = (beginnings == -np.inf) | (backward == -np.inf) | ~takes_part[time][:, np.newaxis]
            np.subtract.at(slope[time], (rows, lattice.symbols), _shares(beginnings + backward, nothing))
        if self.zero_infinity:
            slope[:, total == -np.inf] = 0.0
        else:
            slope[takes_part & np.isinf(total)] = np.nan
        share = slope / np.maximum(lattice.target_lengths, 1)[:, np.newaxis]
        return Slope(slope.reshape(log_probs.shape), share.reshape(log_probs.shape))

    def _lattice(
        self,
        log_probs: FloatArray,
        targets: IndexArray,
        input_lengths: IndexArray,
        target_lengths: IndexArray,
    ) -> "Lattice":
        scores = log_probs if log_probs.ndim == 3 else log_probs[:, np.newaxis]
        input_lengths, target_lengths = input_lengths.reshape(-1), target_lengths.reshape(-1)
        _check_lengths("input_lengths", input_lengths, len(scores), "time steps")
        if targets.ndim == 2:
            _check_lengths("target_lengths", target_lengths, targets.shape[1], "places in `targets`")
            places = np.arange(targets.size).reshape(targets.shape)
        else:
            _check_lengths("target_lengths", target_lengths, len(targets), "places in `targets`")
            places = _consecutive(targets, target_lengths, is_lone=log_probs.ndim == 2)
        most = int(target_lengths.max(initial=0))
        counts = np.arange(most) < target_lengths[:, np.newaxis]
        labels = np.where(counts, targets.reshape(-1)[places[:, :most]] if most else 0, self.blank)
        self._check_labels(labels, counts, places, targets, scores.shape[-1])
        symbols = np.full((len(labels), 2 * most + 1), self.blank)
        symbols[:, 1::2] = labels
        # The blank between two symbols may be left out, unless they are equal.
        skips = np.zeros(symbols.shape, dtype=bool)
        skips[:, 3::2] = labels[:, 1:] != labels[:, :-1]
        return Lattice(scores, symbols, skips, input_lengths, target_lengths)

    def _check_labels(
        self, labels: IndexArray, counts: Array, places: IndexArray, targets: IndexArray, symbols: int
    ) -> None:
        wrong = np.argwhere(counts & ((labels < 0) | (labels >= symbols) | (labels == self.blank)))
        if len(wrong):
            row, column = map(int, wrong[0])
            is_blank = labels[row, column] == self.blank
            known = f"be a symbol from 0 to {symbols - 1}"
            hint = "leave blanks out, as they are put in where needed; `blank` says which symbol they are"
            raise ClassIndexError(
                f"`targets` must {f'not hold the blank, {self.blank}' if is_blank else known}",
                found=None if is_blank else int(labels[row, column]),
                argument="targets",
                index=tuple(int(i) for i in np.unravel_index(int(places[row, column]), targets.shape)),
                hint=hint if is_blank else None,
            )


class Lattice(NamedTuple):
    """All alignments of a batch: the symbols of each target with blanks around them, and the steps between.

    A place is an index into `symbols`. `skips` says at which places the blank before may be left out.
    """

    scores: Array
    symbols: IndexArray
    skips: Array
    input_lengths: IndexArray
    target_lengths: IndexArray

    def forward(self) -> Iterator[FloatArray]:
        """ln p of all beginnings that end in each place: before the first time step, and after each.

        Every array that it yields is the same memory.
        """
        # Start at the first blank, from where the first symbol can be reached. Two impossible places in front
        # spare a check of the bounds.
        start = np.full((len(self.symbols), self.symbols.shape[1] + 2), -np.inf)
        start[:, 2] = 0.0
        reached = numbers_like(self.scores, start)
        yield reached[:, 2:]
        barred = np.where(self.skips, 0.0, -np.inf)
        for time, emitted in self._emitted(range(len(self.scores))):
            ways = _added(reached[:, 2:], reached[:, 1:-1], reached[:, :-2] + barred)
            reached[:, 2:] = self._during(time, _times(ways, emitted), reached[:, 2:])
            yield reached[:, 2:]

    def backward(self) -> Iterator[tuple[int, FloatArray]]:
        """ln p of all endings that follow each place after a time step, from the last step to the first."""
        rows, places = self.symbols.shape
        last = np.full((rows, places), -np.inf)
        last[np.arange(rows), 2 * self.target_lengths] = 0.0
        last[np.arange(rows), self._last_symbol] = 0.0
        barred = np.where(self.skips, 0.0, -np.inf)
        onward = np.full((rows, places + 2), -np.inf)
        after = last
        for time, emitted in self._emitted(reversed(range(len(self.scores)))):
            yield time, after
            onward[:, :-2] = _times(after, emitted)
            skipped = onward[:, 2:].copy()
            skipped[:, :-2] += barred[:, 2:]
            after = self._during(time, _added(onward[:, :-2], onward[:, 1:-1], skipped), last)

    def last(self) -> FloatArray:
        """ln p of all beginnings that end in each place, after the last time step."""
        return deque(self.forward(), maxlen=1).pop()

    def ends(self) -> FloatArray:
        """ln p of the alignments that end in the last symbol, and of those that end in the blank behind it.

        They are computed from probabilities, scaled after each step so that the largest is 1: an explanation
        must not repeat the computation of the loss.
        """
        reached, taken = np.zeros(self.symbols.shape), np.zeros((len(self.symbols), 1))
        reached[:, 0] = 1.0
        for time, emitted in self._emitted(range(len(self.scores))):
            ways = reached.copy()
            ways[:, 1:] += reached[:, :-1]
            ways[:, 2:] += np.where(self.skips[:, 2:], reached[:, :-2], 0.0)
            best = emitted.max(axis=-1, keepdims=True, initial=_FLOOR)
            ways *= np.exp(emitted - best)
            most = np.maximum(ways.max(axis=-1, keepdims=True), 1e-300)
            reached = self._during(time, ways / most, reached)
            taken = self._during(time, taken + best + np.log(most), taken)
        places = np.stack([self._last_symbol, 2 * self.target_lengths], axis=-1)
        ends = np.take_along_axis(reached, places, axis=-1)
        ends[~self._has_symbol, 0] = 0.0
        return np.log(ends) + taken

    def total(self, last: FloatArray) -> FloatArray:
        """ln p of all alignments, which end in the last symbol or in the blank behind it."""
        rows = np.arange(len(last))
        blank, symbol = last[rows, 2 * self.target_lengths], last[rows, self._last_symbol]
        return np.where(self._has_symbol, _added(blank, symbol), blank)

    @property
    def _last_symbol(self) -> IndexArray:
        """The place of the last symbol of each target."""
        return np.maximum(2 * self.target_lengths - 1, 0)

    @property
    def _has_symbol(self) -> Array:
        """Whether an alignment may end in a symbol, rather than in the blank of an empty target."""
        return np.asarray((self.target_lengths > 0) & (self.input_lengths > 0))

    def _during(self, time: int, after: FloatArray, otherwise: FloatArray) -> FloatArray:
        """Take `after` for sequences that are not over at this time, and `otherwise` for the rest."""
        going_on = time < self.input_lengths
        return after if going_on.all() else np.where(going_on[:, np.newaxis], after, otherwise)

    def _emitted(self, times: Iterable[int]) -> Iterator[tuple[int, FloatArray]]:
        """The log-probability of the symbol at each place, time by time; several are looked up at once."""
        steps = iter(times)
        while chosen := list(islice(steps, max(1, _TOGETHER // max(1, self.symbols.size)))):
            picked = np.take_along_axis(self.scores[chosen], self.symbols[np.newaxis], axis=-1)
            yield from zip(chosen, as_real(picked), strict=True)


def _added(one: FloatArray, *others: FloatArray) -> FloatArray:
    """ln(exp(a) + exp(b) + ...) = m + log1p(Σ' exp(x - m)), Σ' without the largest, m."""
    largest, smaller = one, []
    for other in others:
        smaller.append(np.minimum(largest, other))
        largest = np.maximum(largest, other)
    finite = np.maximum(largest, _FLOOR)
    first, *more = (np.exp(x - finite) for x in smaller)
    return np.asarray(largest + np.log1p(sum(more, start=first)))


def _times(ways: FloatArray, emitted: FloatArray) -> FloatArray:
    """ln of a product of probabilities: -inf stays -inf, even if the next log-probability is NaN."""
    product = ways + emitted
    return product if (product < np.inf).all() else np.where(ways == -np.inf, ways, product)


def _shares(paths: FloatArray, nothing: Array) -> FloatArray:
    """The probability of each place at a step, by their sum: what rounded in long sums cancels."""
    paths = np.where(nothing, -np.inf, paths)
    weights = np.exp(paths - np.maximum(paths.max(axis=-1, keepdims=True), _FLOOR))
    return np.asarray(weights / np.maximum(weights.sum(axis=-1, keepdims=True), 1.0))


def _check_lengths(name: str, lengths: IndexArray, most: int, what: str) -> None:
    wrong = np.flatnonzero((lengths < 0) | (lengths > most))
    if len(wrong):
        raise DomainError(
            f"`{name}` must be from 0 to {most}, the number of {what}",
            found=int(lengths[wrong[0]]),
            argument=name,
            index=(int(wrong[0]),),
        )


def _consecutive(targets: IndexArray, lengths: IndexArray, *, is_lone: bool) -> IndexArray:
    """The indices of the symbols of each target, if all targets are in a row."""
    if not is_lone and lengths.sum() != len(targets):
        raise ShapeError(
            f"`targets` has {len(targets)} symbols, and `target_lengths` sum to {int(lengths.sum())}",
            argument="targets",
        )
    places = (np.cumsum(lengths) - lengths)[:, np.newaxis] + np.arange(int(lengths.max(initial=0)))
    return np.asarray(np.minimum(places, max(len(targets) - 1, 0)))
