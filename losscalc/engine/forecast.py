"""Foretells what derivatives will be divided by, so that they are reduced while they are in cache."""

import numpy as np

from losscalc.core.exactsum import Sum
from losscalc.core.reductions import Partial
from losscalc.engine.call import AnyCall
from losscalc.engine.collect import Kept
from losscalc.engine.ending import Slopes
from losscalc.engine.outcome import Outcome


class UnforeseenError(Exception):
    """Another block has more or less to divide by for each row than the first: all has to be done again."""


class Forecast:
    """Puts the derivatives of blocks in their place, divided by what their rows are expected to count.

    That is what those of the first block count, where nothing is ignored or has a weight of its own. Of other
    calls it is not known before the last block is in, nor what the derivative of a link is: their derivatives
    are reduced at the end, as are all where nothing is to be foretold (`is_blind`).
    """

    def __init__(self, call: AnyCall, dtype: np.dtype, kept: Kept, *, is_blind: bool = False) -> None:
        self._call = call
        self._dtype = dtype
        self.kept = kept
        self._made: dict[None, Slopes | None] = {None: None} if is_blind else {}

    def put(self, outcome: Outcome, start: int) -> None:
        """Put the derivative of a block to the rows from `start` on; several threads may do so at once."""
        is_blind = None in self._made and self._made[None] is None
        expected = None if is_blind else self._expected(outcome)
        # Of threads that get here at the same time, the first decides for all.
        made = self._made.setdefault(None, expected)
        assert outcome.value is not None
        if made is None:
            self.kept.put(outcome.value, start)
        elif expected is None or expected.divisor != made.divisor:
            raise UnforeseenError
        else:
            self.kept.put(outcome.value, start, made.reduced)

    def confirmed(self, slopes: Slopes) -> Slopes | None:
        """What the derivatives were reduced by, or None if that is still to be done by these slopes."""
        made = self._made.get(None)
        if made is not None and made.divisor != slopes.divisor:
            raise UnforeseenError
        return made

    def _expected(self, outcome: Outcome) -> Slopes | None:
        """How derivatives are reduced if all rows count what those of this block do; None if that differs."""
        assert outcome.value is not None
        part, rows, whole = outcome.partial, len(outcome.value), self.kept.rows
        if whole is None or not part.rows == rows > 0 or part.denominator != Sum.whole(part.count):
            return None
        count, rest = divmod(part.count * whole, rows)
        if rest or part.ignored:
            return None
        expected = Partial(part.loss, denominator=Sum.whole(count), count=count, rows=whole)
        slopes = Slopes(self._call.operation, expected, self._call.reduction, self._dtype)
        return None if slopes.divisor is None else slopes
