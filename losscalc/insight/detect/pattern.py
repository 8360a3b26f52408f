"""What leads to an expected array: hypotheses, and how its numbers lie to those of the value."""

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np

from losscalc.core.array import Array
from losscalc.insight.call import Call, simplified
from losscalc.insight.compare import Comparison, Tolerance
from losscalc.insight.detect.gradients import gradient, is_of_gradients, require_size
from losscalc.insight.detect.hypothesis import (
    OF_CALLS,
    Combination,
    Hypothesis,
    NotApplicable,
    Supposed,
    bits,
    quietly,
)
from losscalc.insight.detect.losses import Losses
from losscalc.insight.detect.outcomes import MOST, Outcomes, applied, begun
from losscalc.insight.detect.roots import solution
from losscalc.insight.detect.search import Candidate, Fact
from losscalc.insight.detect.structure import Pair, facts
from losscalc.insight.detect.verdict import Explanation, Verdict, grouped

# So many explanations are told, and of those that may be chance.
_MOST_TOLD, _MOST_UNDECIDED = 5, 2
# Where less than this share of the numbers differ, their place says something.
_FEW = 0.5
# A coincidence may be as likely as this.
_ALLOWED = 1 / 5000
# So many pairs are tried, and digits of a number that is solved for.
_PAIRS, _DIGITS = 400, 4
# Last steps are tried on so many numbers first.
_SAMPLE = 32
# A number that is not finite tells as much as this, in bits.
_BITS_OF_SPECIAL = 3.0


def explained(call: Call, comparison: Comparison, tolerance: Tolerance) -> Verdict:
    """What leads to an array of numbers; what is so of it as a whole comes after the hypotheses."""
    search = _Search(call, Pair.of(call, comparison, tolerance))
    told, doubtful = search.told()
    # What a hypothesis explains is not told again, but where the two differ is.
    so = [fact for fact in facts(search.pair) if not told or _says_more(fact, search.pair)]
    structure = [Explanation(Candidate((), math.nan, 0.0, fact), math.nan) for fact in so]
    found = (*told[:_MOST_TOLD], *structure)
    return Verdict(found) if found else Verdict(undecided=doubtful[:_MOST_UNDECIDED])


def _says_more(fact: Fact, pair: Pair) -> bool:
    """Whether a fact is of interest beside hypotheses: where few numbers differ, and factors of gradients."""
    if fact.is_partial:
        return float(pair.differs.mean()) < _FEW
    return fact.name == "scaled" and pair.call.wrt is not None


class _Search:
    """Goes through single changes, pairs of them, and last steps, elementwise."""

    def __init__(self, call: Call, pair: Pair) -> None:
        self.pair = pair
        self._call = call
        self._outcomes = Outcomes(call)
        self._last = [Supposed(row) for row in self._outcomes.last]
        self._reductions: list[Supposed] = []
        if call.wrt is not None:
            rows = self._outcomes.aggregations
            self._reductions = [Supposed(row) for row in rows if is_of_gradients(row)]
            self._last = [each for each in self._last if is_of_gradients(each.hypothesis)]
        differing = np.flatnonzero(pair.differs.ravel())
        even: Array | list[int] = (
            np.linspace(0, pair.value.size - 1, _SAMPLE).astype(int) if pair.value.size else []
        )
        # Those that differ tell most.
        self._places = np.unique(np.concatenate([differing[: _SAMPLE // 2], even]).astype(np.int64))
        self._tried = 0

    def told(self) -> tuple[tuple[Explanation, ...], tuple[Explanation, ...]]:
        """What leads to the array, the simplest first; and what may do so by chance."""
        with quietly():
            found = list(self._found())
        weighed = [(each, self._chance()) for each in sorted(found, key=lambda each: each.bits)]
        groups = [_without_value(each) for each in grouped(weighed)]
        is_told = self._chance() <= _ALLOWED
        return (tuple(groups), ()) if is_told else ((), tuple(groups))

    def _found(self) -> Iterator[Candidate]:
        """Candidates: those of one change and a last step; of two changes only if there are none."""
        changes = self._outcomes.changes
        single = [(), *sorted(((each,) for each in (*changes, *self._reductions)), key=bits)]
        alive = []
        any_found = False
        for combination in single:
            if self._tried > self._outcomes.most:
                break
            array = self._array(combination)
            if array is None:
                continue
            alive.append(combination)
            for candidate in self._met(combination, array):
                any_found = True
                yield candidate
        for row in sorted(self._outcomes.solved, key=lambda row: row.bits):
            if self._tried > 2 * self._outcomes.most:
                break
            if row.stage in (*OF_CALLS, "losses"):
                for candidate in self._solved(row):
                    any_found = True
                    yield candidate
        if not any_found:
            self._outcomes.single = [each for each in alive if each]
            for pair in self._outcomes.pairs()[:_PAIRS]:
                if self._tried > 3 * self._outcomes.most:
                    break
                array = self._array(pair)
                if array is not None:
                    yield from self._met(pair, array)

    def _solved(self, row: Hypothesis) -> Iterator[Candidate]:
        """A hypothesis with the number that leads to the expected array, if it is round."""
        assert row.span is not None
        grid = row.span.grid()
        place, wanted = self._reference

        def gap(number: float) -> float:
            array = self._array((Supposed(row, number),))
            return math.nan if array is None else float(array.ravel()[place]) - wanted

        gaps = np.array([gap(float(each)) for each in grid])
        for at in np.flatnonzero(np.sign(gaps[:-1]) * np.sign(gaps[1:]) <= 0):
            low, high = ((float(grid[i]), float(gaps[i])) for i in (at, at + 1))
            enough = 0.1 * self.pair.tolerance.rtol * abs(wanted)
            number, _ = solution(row.span, gap, (low, high), enough)
            for digits in range(1, _DIGITS + 1):
                supposed = (Supposed(row, float(f"{number:.{digits}g}")),)
                array = self._array(supposed) if math.isfinite(number) else None
                if array is not None and self._agrees(array):
                    yield self._candidate(supposed, array)
                    break

    @property
    def _reference(self) -> tuple[int, float]:
        """The place at which numbers are solved for, and what is expected there."""
        gaps = np.abs(self.pair.expected - self.pair.value).ravel()
        place = int(np.argmax(np.where(np.isfinite(gaps), gaps, -1.0)))
        return place, float(self.pair.expected.ravel()[place])

    def _array(self, combination: Combination) -> Array | None:
        """The array that a combination leads to, if it has the shape of the expected one."""
        self._tried += 1
        try:
            if self._call.wrt is not None:
                found = gradient(self._call, combination)
            else:
                found = self._single_losses(combination)
        except NotApplicable:
            return None
        return found if found.shape == self.pair.expected.shape else None

    def _single_losses(self, combination: Combination) -> Array:
        state: Call | Losses = begun(self._call, combination[0]) if combination else simplified(self._call)
        for supposed in combination:
            state = applied(state, supposed)
        if not isinstance(state, Losses):
            require_size(self._call, state)
            state = Losses.of(state)
        return state.rounds(state.whole)

    def _met(self, combination: Combination, array: Array) -> Iterator[Candidate]:
        """The combination, or with a last step, if it leads to the expected array."""
        if combination and self._agrees(array):
            yield self._candidate(combination, array)
        if len(combination) == MOST:
            return
        for step in self._last:
            with quietly():
                changed = self._stepped(step, array)
            if changed is not None and self._agrees(changed):
                yield self._candidate((*combination, step), changed)

    def _stepped(self, step: Supposed, array: Array) -> Array | None:
        """The array after a last step, if the sample of it is as expected."""
        losses = self._plain()
        try:
            sample = np.asarray(step.hypothesis.apply(losses, array.ravel()[self._places]))
            wanted = self.pair.expected.ravel()[self._places]
            if not self.pair.tolerance.agree(sample, wanted).all():
                return None
            return np.asarray(step.hypothesis.apply(losses, array), np.float64)
        except NotApplicable:
            return None

    def _plain(self) -> Losses | None:
        """The losses of the call itself, of which last steps take counts."""
        if not hasattr(self, "_losses"):
            try:
                self._losses: Losses | None = Losses.of(self._call._replace(wrt=None))
            except NotApplicable:
                self._losses = None
        return self._losses

    def _agrees(self, array: Array) -> bool:
        places = self._places
        sample, wanted = array.ravel()[places], self.pair.expected.ravel()[places]
        return bool(self.pair.tolerance.agree(sample, wanted).all()) and self.pair.agrees(array)

    def _candidate(self, combination: Combination, array: Array) -> Candidate:
        """With a number in the place of the array, by which the same arrays are told once."""
        mark = float((np.cos(np.arange(array.size)) * np.nan_to_num(array.ravel())).sum())
        return Candidate(combination, mark, bits(combination))

    def _chance(self) -> float:
        """How likely it is that one of all that was tried meets the expected numbers by chance."""
        numbers = self.pair.expected[self.pair.differs]
        finite = np.unique(numbers[np.isfinite(numbers)])
        special = len(finite) < len(np.unique(numbers, equal_nan=True))
        known = self.pair.tolerance
        scale = float(np.abs(finite).max()) if len(finite) else 1.0
        widths = 2 * (known.atol + known.rtol * np.abs(finite)) / (scale or 1.0)
        evidence = float(-np.log2(np.clip(widths, 1e-16, 1.0)).sum()) + _BITS_OF_SPECIAL * special
        tries = math.log2(max(1, self._tried * (1 + len(self._last))))
        return math.exp2(max(-1000.0, min(0.0, tries - evidence)))


def _without_value(each: Explanation) -> Explanation:
    """The explanation, with no number, as it is of an array."""
    candidates: Sequence[Candidate] = [c._replace(value=math.nan) for c in (each.candidate, *each.also)]
    return Explanation(candidates[0], each.chance, tuple(itertools.islice(candidates, 1, None)))
