"""Runs a command: opens its arrays, computes, and prints warnings."""

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, cast

from losscalc.catalogue.base import Loss, check_wrt
from losscalc.cli.arrays import Inputs, opened
from losscalc.cli.voice import Voice
from losscalc.engine import compute as engine
from losscalc.engine.call import AnyCall
from losscalc.engine.collect import Collector
from losscalc.engine.compute import Computation, Run
from losscalc.engine.sources import Source
from losscalc.errors import Index, Location, LosscalcWarning, counted
from losscalc.outputs.result import Result

if TYPE_CHECKING:
    from losscalc.insight.call import Call as LossCall
    from losscalc.outputs.working import Working

Locate = Callable[[Index], Location | None]
"""Where a row, or a number, stands in a file."""


class Request(NamedTuple):
    """What the user asks for: a call, the arrays as typed, and what to do with warnings."""

    call: AnyCall
    inputs: Inputs
    voice: Voice = Voice()
    dask: str | None = None
    """The address of the cluster that computes, if any."""
    decimals: int = 4
    held: "tuple[LossCall, Computation, Source] | None" = None
    """What was read and computed before, if it was: a pipe can be read only once."""

    def read(self) -> "Request":
        """The same request with all arrays of its loss in memory, for several looks at them."""
        return self if self.held is not None else self._replace(held=self._gathered())

    def computed(self, collector: Collector | None = None) -> Result:
        """Compute the result; an array of single values is collected by `collector`."""
        return self._result(self._done(collector))

    def grouped(self) -> Computation:
        """Compute the sums of each group of rows, and of all."""
        return self._done(None)

    def _done(self, collector: Collector | None) -> Computation:
        if self.held is not None:
            return self.held[1]
        with opened(self.call, self.inputs, self.voice, is_far=self.dask is not None) as found:
            call = found.call
            if call.wrt is not None:
                check_wrt(call.operation, call.wrt, call.arrays)
            with _running(call.sources, self.voice, self.dask) as run:
                done = engine.compute(call, run, collector)
            self.voice.tell((*found.remarks, *done.warnings, *_left_out(done.dropped)), call.sources)
        return done

    def gathered(self, *, as_given: bool = False) -> "tuple[LossCall, Result]":
        """Read all arrays of a loss into memory; returns the call, as insight expects it, and its result."""
        from losscalc.insight.call import simplified

        whole, done, _ = self._gathered()
        return whole if as_given else simplified(whole), self._result(done)

    def losses(self) -> "LossCall":
        """The call of the losses themselves, also where a derivative is wanted of them."""
        return self.gathered()[0]._replace(wrt=None)

    def located(self) -> "tuple[LossCall, Locate]":
        """Read all arrays of a loss into memory; returns the call, and what finds rows in the first file."""
        from losscalc.insight.call import simplified

        whole, _, source = self._gathered()
        is_of_rows = next(iter(whole.arrays)) in whole.layout.cut
        return simplified(whole), source.locate if is_of_rows else lambda _: None

    def explained(self, places: "Sequence[Index] | None" = None) -> "Working":
        """The working of a loss whose arrays are in memory: that of its first rows, or at certain places."""
        from losscalc.insight.call import simplified
        from losscalc.insight.explain import Explanation

        whole = simplified(self._gathered()[0])
        call = whole._replace(samples=self.call.samples if places is None else sys.maxsize)
        return Explanation(call, engine.compute(call), self.decimals, places).working

    def _gathered(self) -> "tuple[LossCall, Computation, Source]":
        if self.held is not None:
            return self.held
        from losscalc.cli.rereading import reread

        with opened(self.call, self.inputs, self.voice) as found:
            call = found.call
            held, dropped = engine.gathered(call)
            done = engine.compute(held._replace(by=None))
            self.voice.tell((*found.remarks, *done.warnings, *_left_out(dropped)), call.sources)
        held = held._replace(examine=None, files=reread(self.call, self.inputs, found))
        return cast("LossCall", held), done, next(iter(found.sources.values()))

    def _result(self, done: Computation) -> Result:
        call = self.call
        settings = call.operation.settings
        working = None
        if call.samples:
            # Imported here, because most results are shown without.
            from losscalc.insight.explain import worked

            working = worked(call, done, self.decimals)
        if not isinstance(call.operation, Loss):
            return Result(call.operation.name, done.value, settings, working=working)
        result = Result.reduced(call.operation, done.value, settings, call.reduction, done.partial)
        return result._replace(gradient=call.wrt, working=working)


@contextlib.contextmanager
def _running(sources: Mapping[str, Source], voice: Voice, dask: str | None) -> Iterator[Run]:
    """A way to compute blocks: on a cluster, or here, with a progress line on a terminal."""
    if dask is not None:
        from losscalc.engine.dask import connected

        with connected(dask) as run:
            yield run
    elif voice.quiet or sys.stderr is None or not sys.stderr.isatty():
        yield engine.here
    else:
        from losscalc.cli.progress import Progress

        with Progress(sys.stderr, sources.values()) as progress:
            yield partial(engine.here, watch=progress.watch)


def _left_out(dropped: int) -> Iterator[LosscalcWarning]:
    if dropped:
        yield LosscalcWarning(f"left out {counted(dropped, 'row')} with a missing number")
