"""All alignments of sequences of symbols with time steps, and how probable they are."""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np

from losscalc.core.array import Array, FloatArray, IndexArray
from losscalc.core.roles import as_real
from losscalc.core.stable import numbers_like

_TOGETHER = 4096  # as many log-probabilities are looked up at once
_FLOOR = -1e300  # stands for -inf, below any other logarithm; (-inf) - (-inf) would be NaN


class Lattice(NamedTuple):
    """All alignments of a batch: the symbols of each target with blanks around them, and the steps between.

    A place is an index into `symbols`. `skips` says at which places the blank before may be left out.
    """

    scores: Array
    symbols: IndexArray
    skips: Array
    input_lengths: IndexArray
    target_lengths: IndexArray
    log_zero: float = -np.inf
    """The logarithm of the probability of an impossible beginning, and of a step that skips a blank."""

    def forward(self) -> Iterator[FloatArray]:
        """ln p of all beginnings that end in each place: before the first time step, and after each.

        Every array that it yields is the same memory.
        """
        # Start at the first blank, from where the first symbol can be reached. Two impossible places in front
        # spare a check of the bounds.
        start = np.full((len(self.symbols), self.symbols.shape[1] + 2), -np.inf)
        start[:, 2], start[:, 3:] = 0.0, self.log_zero
        reached = numbers_like(self.scores, start)
        yield reached[:, 2:]
        barred = self._barred
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
        barred = self._barred
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
        must not repeat the computation of the loss. Those that are impossible have no probability to scale.
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
        found = np.log(ends) + taken
        impossible = np.take_along_axis(self.last(), places, axis=-1) if self.log_zero > -np.inf else found
        return np.where(np.isneginf(found), impossible, found)

    def total(self, last: FloatArray) -> FloatArray:
        """ln p of all alignments, which end in the last symbol or in the blank behind it."""
        rows = np.arange(len(last))
        blank, symbol = last[rows, 2 * self.target_lengths], last[rows, self._last_symbol]
        return np.where(self._has_symbol, _added(blank, symbol), blank)

    @property
    def _barred(self) -> FloatArray:
        """What a step that leaves out the place before costs; to blanks there is none."""
        barred = np.where(self.skips, 0.0, self.log_zero)
        barred[:, ::2] = -np.inf
        return barred

    @property
    def _last_symbol(self) -> IndexArray:
        """The place of the last symbol of each target."""
        return np.maximum(2 * self.target_lengths - 1, 0)

    @property
    def _has_symbol(self) -> Array:
        """Whether an alignment may end in a symbol, rather than in the blank of an empty target."""
        is_reached = (self.input_lengths > 0) | (self.log_zero > -np.inf)
        return np.asarray((self.target_lengths > 0) & is_reached)

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


def shares(paths: FloatArray, nothing: Array) -> FloatArray:
    """The probability of each place at a step, by their sum: what rounded in long sums cancels."""
    paths = np.where(nothing, -np.inf, paths)
    weights = np.exp(paths - np.maximum(paths.max(axis=-1, keepdims=True), _FLOOR))
    return np.asarray(weights / np.maximum(weights.sum(axis=-1, keepdims=True), 1.0))
