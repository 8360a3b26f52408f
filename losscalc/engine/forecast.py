"""Foretells what derivatives will be divided by, so that they are reduced while they are in cache."""

import numpy as np

from losscalc.core.exactsum import Sum
from losscalc.core.reductions import MEAN, Partial
from losscalc.engine.call import AnyCall
from losscalc.engine.collect import Kept
from losscalc.engine.ending import Slopes
from losscalc.engine.outcome import Outcome


class UnforeseenError(Exception):
    """Another block has more or less to divide by for each row than the first: all has to be done again."""


class Forecast:
    """Puts the derivatives of blocks in their place, divided by what their rows are expected to count.

    That is what those of the block count that is done first, where nothing is ignored or has a weight of its
    own. If that is not so, or there is a link, whose derivative needs all sums, nothing is divided here.
    """

    def __init__(self, call: AnyCall, dtype: np.dtype, kept: Kept) -> None:
        self._call = call
        self._dtype = dtype
        self.kept = kept
        self._decided: dict[str, Slopes | None] = {}

    def put(self, outcome: Outcome, start: int) -> None:
        """Put the derivative of a block to the rows from `start` on; several threads may do so at once."""
        assert outcome.value is not None
        expected = self._expected(outcome.partial, len(outcome.value))
        # Of threads that get here at the same time, one decides for all.
        first = self._decided.setdefault("first", expected)
        if first is None:
            self.kept.put(outcome.value, start)
        elif expected is None or expected.divisor != first.divisor:
            raise UnforeseenError
        else:
            self.kept.put(outcome.value, start, first.reduced)

    def confirmed(self, slopes: Slopes) -> Slopes | None:
        """What the derivatives were reduced by, or None if that is still to be done by these slopes."""
        first = self._decided["first"]
        if first is not None and first.divisor != slopes.divisor:
            raise UnforeseenError
        return first

    def _expected(self, part: Partial, rows: int) -> Slopes | None:
        """How derivatives are reduced if all rows count what these do; None if that is not to be known."""
        whole, count, rest = self.kept.rows, 1, 0
        if whole is None or part.rows != rows:
            return None
        if self._call.reduction.name == MEAN.name:
            if part.ignored or part.denominator != Sum.whole(part.count):
                return None
            count, rest = divmod(part.count * whole, rows)
        expected = Partial(part.loss, denominator=Sum.whole(count), count=count, rows=whole)
        slopes = Slopes(self._call.operation, expected, self._call.reduction, self._dtype)
        return None if rest or part.sums or slopes.divisor is None else slopes
