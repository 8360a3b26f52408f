"""All alignments of sequences of symbols with time steps, and how probable they are."""

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from losscalc.core.array import Array, FloatArray, IndexArray
from losscalc.core.roles import as_real
from losscalc.core.stable import numbers_like

_TOGETHER = 1 << 14  # as many log-probabilities are looked up at once
_FLOOR = -1e300  # stands for -inf, below any other logarithm; (-inf) - (-inf) would be NaN


class Step(NamedTuple):
    """A time step of a batch."""

    time: int
    emitted: FloatArray
    """The log-probability of the symbol at each place, (places, N); the blank is at place 0."""
    is_usual: bool
    """Whether all these are below infinity, and none is NaN."""
    going_on: Array | None
    """Which sequences are not over; None for all."""

    def times(self, ways: FloatArray) -> FloatArray:
        """ln of a product of probabilities: what is impossible stays so, even if the next one is NaN."""
        product = ways + self.emitted
        np.add(ways[0], self.emitted[0], out=product[0])
        return product if self.is_usual else np.where(ways == -np.inf, ways, product)

    def during(self, after: FloatArray, otherwise: FloatArray) -> FloatArray:
        """Take `after` for sequences that are not over, and `otherwise` for the rest."""
        return after if self.going_on is None else np.where(self.going_on, after, otherwise)


class Lattice(NamedTuple):
    """All alignments of a batch: the symbols of each target with blanks around them, and the steps between.

    A place has a symbol and the blank behind it; place 0 has no symbol, but the blank in front of all. Arrays
    of logarithms are (2, places, N): blanks and symbols, whose neighbours are then next to them in memory.
    """

    scores: Array
    labels: IndexArray
    """The symbol at each place, (places, N); the blank at place 0 and behind the last symbol."""
    input_lengths: IndexArray
    target_lengths: IndexArray
    log_zero: float = -np.inf
    """The logarithm of the probability of an impossible beginning, and of a step that skips a blank."""

    def forward(self) -> Iterator[FloatArray]:
        """ln p of all beginnings that end in each place: before the first time step, and after each."""
        reached = self._nowhere()
        reached[:, 1:] = self.log_zero
        reached[0, 0] = 0.0
        reached = numbers_like(self.scores, reached)
        yield reached
        barred = self._barred
        for step in self._steps():
            blanks, symbols = reached
            ways = reached.copy()
            either = ways[0] = _added(blanks, symbols)
            ways[1, 1:] = _added(symbols[1:], self._skipping(either, blanks, symbols, barred)[:-1])
            reached = step.during(step.times(ways), reached)
            yield reached

    def backward(self) -> Iterator[tuple[int, FloatArray]]:
        """ln p of all endings that follow each place after a time step, from the last step to the first."""
        last = self._nowhere()
        last[:, self.target_lengths, np.arange(last.shape[-1])] = 0.0
        barred, after = self._barred, last
        following = self._nowhere()[1]
        for step in self._steps(backwards=True):
            yield step.time, after
            blanks, symbols = step.times(after)
            following[:-1] = symbols[1:]
            either = _added(blanks, following)
            ways = _added(symbols, self._skipping(either, blanks, following, barred))
            after = step.during(np.stack([either, ways]), last)

    def last(self) -> FloatArray:
        """ln p of all beginnings that end in each place, after the last time step."""
        return deque(self.forward(), maxlen=1).pop()

    def ends(self) -> FloatArray:
        """ln p of the alignments that end in the last symbol, and of those that end in the blank behind it.

        They are computed from probabilities, scaled after each step so that the largest is 1: an explanation
        must not repeat the computation of the loss. Those that are impossible have no probability to scale.
        """
        reached, taken = np.zeros((2, *self.labels.shape)), np.zeros(self.labels.shape[1])
        reached[0, 0] = 1.0
        passable = 1.0 if self._barred is None else np.where(self._barred, 0.0, 1.0)
        for step in self._steps():
            blanks, symbols = reached
            best = step.emitted.max(axis=0, initial=_FLOOR)
            chance = np.exp(step.emitted - best)
            ways = np.stack([(blanks + symbols) * chance[0], symbols])
            ways[1, 1:] += (blanks + symbols * passable)[:-1]
            ways[1] *= chance
            most = np.maximum(ways.max(axis=(0, 1)), 1e-300)
            reached = step.during(ways / most, reached)
            taken = step.during(taken + best + np.log(most), taken)
        found = np.log(self._at_ends(reached)) + taken
        impossible = self._at_ends(self.last()) if self.log_zero > -np.inf else found
        return np.where(np.isneginf(found), impossible, found)[::-1].T

    def total(self, last: FloatArray) -> FloatArray:
        """ln p of all alignments, which end in the last symbol or in the blank behind it."""
        return _added(*self._at_ends(last))

    def shares(self, forward: list[FloatArray]) -> FloatArray:
        """The probability of each place at each time step, given what is before it: (steps, 2, places, N)."""
        for time, backward in self.backward():
            beginnings = forward[time + 1]
            nothing = (beginnings == -np.inf) | (backward == -np.inf)
            forward[time + 1] = _shares(np.where(nothing, -np.inf, beginnings + backward))
        shares = np.array(forward[1:]).reshape(len(forward) - 1, *forward[0].shape)
        over = ~self.takes_part(len(shares))
        if over.any():
            np.moveaxis(shares, -1, 1)[over] = 0.0
        return shares

    def takes_part(self, steps: int) -> Array:
        """Whether each sequence is going on at the first time steps: (steps, N)."""
        return np.asarray(np.arange(steps)[:, np.newaxis] < self.input_lengths)

    @property
    def _barred(self) -> Array | None:
        """Where the blank may not be left out, because the next symbol is the same; None if nowhere."""
        barred = np.zeros(self.labels.shape, dtype=bool)
        barred[1:-1] = self.labels[1:-1] == self.labels[2:]
        return barred if barred.any() else None

    def _nowhere(self) -> FloatArray:
        """No probability at any place."""
        return np.full((2, *self.labels.shape), -np.inf)

    def _skipping(
        self, either: FloatArray, blanks: FloatArray, symbols: FloatArray, barred: Array | None
    ) -> FloatArray:
        """The sum of blanks and symbols, of which these may have to go over a blank that is between."""
        if barred is None:
            return either
        kept = blanks if self.log_zero == -np.inf else _added(blanks, symbols + self.log_zero)
        return np.where(barred, kept, either)

    def _at_ends(self, values: FloatArray) -> FloatArray:
        """What is at the blank behind the last symbol, and at that symbol: (2, N)."""
        return values[:, self.target_lengths, np.arange(values.shape[-1])]

    def _steps(self, *, backwards: bool = False) -> Iterator[Step]:
        """The time steps of the longest sequence; the log-probabilities of several are looked up at once."""
        length, batch, symbols = self.scores.shape
        index = self.labels + np.arange(batch) * symbols
        rows = self.scores.reshape(length, batch * symbols)
        shortest, longest = self.input_lengths.min(initial=length), self.input_lengths.max(initial=0)
        size = max(1, _TOGETHER // max(1, index.size))
        starts = range(0, int(longest), size)
        for start in reversed(starts) if backwards else starts:
            times = range(start, min(start + size, int(longest)))
            picked = as_real(rows[times.start : times.stop].take(index, axis=1))
            is_usual = bool((picked < np.inf).all())
            for time in reversed(times) if backwards else times:
                going_on = None if time < shortest else time < self.input_lengths
                yield Step(time, picked[time - start], is_usual, going_on)


def _added(one: FloatArray, other: FloatArray) -> FloatArray:
    """ln(exp(a) + exp(b)) = max(a, b) + log1p(exp(min(a, b) - max(a, b)))."""
    larger = np.maximum(one, other)
    value = np.minimum(one, other)
    value -= np.maximum(larger, _FLOOR)
    np.log1p(np.exp(value, out=value), out=value)
    value += larger
    return value


def _shares(paths: FloatArray) -> FloatArray:
    """The probability of each place at a step, by their sum: what rounded in long sums cancels."""
    weights = np.exp(paths - np.maximum(paths.max(axis=(0, 1)), _FLOOR))
    return np.asarray(weights / np.maximum(weights.sum(axis=(0, 1)), 1.0))
