"""The work on the pieces of a call, which are cut into blocks."""

from collections.abc import Callable

import numpy as np

from losscalc.core.shapes import Layout
from losscalc.engine.block import BLOCK, Block, Plan, block_rows, evaluate
from losscalc.engine.call import AnyCall
from losscalc.engine.outcome import Outcome
from losscalc.errors import LosscalcError

# Only one thread at a time can do Python's work. One that finds another at it sleeps, and to wake it takes as
# long as some of NumPy's work: several threads compute so many blocks at once, which fit into a shared cache,
# or as many numbers in rows that are longer than a block. All threads together compute no more than so many.
AT_ONCE, _ALL = 4, 8

Put = Callable[[Outcome, int], None]
"""Takes the derivative of a block, and the place of its first row."""


class Work:
    """Computes pieces of a call, on one of so many threads that are in each other's way.

    Several blocks are computed at once, unless there is something to tell. Errors and warnings are those of
    single blocks, so that they do not depend on the number of threads. `put` takes derivatives, which then
    are not part of the outcomes.
    """

    def __init__(self, call: AnyCall, layout: Layout, threads: int = 1, put: Put | None = None) -> None:
        self._call = call
        self._layout = layout
        most = min(AT_ONCE, _ALL // threads, AT_ONCE * BLOCK // max(1, layout.width))
        self._at_once = 1 if threads == 1 else max(1, most)
        self._put = put

    def __call__(self, piece: Block) -> list[Outcome]:
        plan = Plan.of(self._call, self._layout, piece.arrays)
        rows = block_rows(self._layout)
        outcomes: list[Outcome] = []
        with np.errstate(all="ignore"):
            for blocks in piece.cut(self._layout.cut, rows * self._at_once):
                outcome = self._quiet(plan, blocks) if self._at_once > 1 else None
                if outcome is not None:
                    outcomes.append(self._done(outcome, blocks))
                    continue
                for block in blocks.cut(self._layout.cut, rows):
                    outcomes.append(self._done(evaluate(self._call, self._layout, plan, block), block))
        return outcomes

    def _quiet(self, plan: Plan, blocks: Block) -> Outcome | None:
        """The outcome of several blocks at once; None if there is something to tell."""
        try:
            outcome = evaluate(self._call, self._layout, plan, blocks)
        except LosscalcError:
            return None
        if not outcome.warnings and not (outcome.findings and outcome.findings.shown):
            return outcome
        if not blocks.is_first:
            # The next blocks mostly show the same; of the first, some things are asked that are of no other.
            self._at_once = 1
        return None

    def _done(self, outcome: Outcome, block: Block) -> Outcome:
        if self._put is None:
            return outcome
        self._put(outcome, block.before)
        return outcome._replace(value=None)
