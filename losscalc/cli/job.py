"""One run of a command: from what was typed to a result."""

import contextlib
import os
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np

from losscalc.catalogue.base import Loss, check_wrt
from losscalc.cli.boundary import option_name, warn
from losscalc.core.operation import Operation
from losscalc.core.reductions import NONE, Reduction
from losscalc.engine import compute as engine
from losscalc.engine.block import Examine
from losscalc.engine.collect import Collector
from losscalc.engine.compute import Computation, Distribute
from losscalc.engine.sources import MemorySource, Source
from losscalc.engine.threads import Mapper, on_threads
from losscalc.errors import DataError, Location, LosscalcError, LosscalcWarning, ShapeError, UsageError
from losscalc.inputs.address import STDIN, Address, open_array, open_state, parse_address
from losscalc.inputs.options import Reading
from losscalc.insight.call import Call
from losscalc.insight.diagnose import Findings
from losscalc.outputs.result import Result

BALANCED = "balanced"
"""What stands for weights that follow from the labels."""


class Job(NamedTuple):
    """What a command needs to know."""

    operation: Operation
    arrays: Mapping[str, str]
    reduction: Reduction | None
    reading: Reading
    dtype: np.dtype | None = None
    broadcast: bool = False
    quiet: bool = False
    strict: bool = False
    """Whether warnings are errors."""
    gradient: str | None = None
    """The array with respect to which the derivative is wanted."""
    explained: int = 0
    """Of how many losses the working is wanted."""
    decimals: int = 4
    threads: int | None = None
    """How many threads compute; by default one a core."""
    dask: str | None = None
    """The address of the cluster that computes, if it is not this machine."""

    def run(self, collector: Collector | None = None) -> Result:
        """Read the arrays, compute, and tell what there is to tell; an array goes by way of `collector`."""
        with _opened(self.operation, self._addresses(), self.reading, self.quiet, self._states) as sources:
            try:
                if self.gradient is not None:
                    check_wrt(self.operation, self.gradient, sources)
                with (
                    _watched(on_threads(self.threads), sources, self.quiet) as mapper,
                    _cluster(self.dask) as distribute,
                ):
                    done = engine.compute(
                        self.operation,
                        fitted(self.operation, sources, self.broadcast),
                        self.reduction or NONE,
                        dtype=self.dtype,
                        broadcast=self.broadcast,
                        wrt=self.gradient,
                        samples=self.explained,
                        examine=self._examine,
                        mapper=mapper,
                        collector=collector,
                        distribute=distribute,
                    )
            except LosscalcError as error:
                locate(error, sources)
                raise
            self._tell((*done.warnings, *_dropped(done)), sources)
        return self._result(done)

    def gathered(self) -> tuple[Call, Result]:
        """The call with all its arrays in memory, and its result."""
        with _opened(self.operation, self._addresses(), self.reading, self.quiet, self._states) as sources:
            assert isinstance(self.operation, Loss)
            assert self.reduction is not None
            try:
                fit = fitted(self.operation, sources, self.broadcast)
                call = Call.gathered(self.operation, fit, self.reduction.name, self.dtype, self.broadcast)
                call = call._replace(threads=self.threads)
                done = call.compute(self._examine)
            except LosscalcError as error:
                locate(error, sources)
                raise
            left_out = done._replace(dropped=call.dropped)
            self._tell((*done.warnings, *_dropped(left_out)), sources)
        return call, self._result(done)

    def _addresses(self) -> dict[str, Address]:
        """Where the arrays are, for whoever reads them."""
        addresses = {name: parse_address(text) for name, text in self.arrays.items()}
        if self.dask is None:
            return addresses
        piped = next((name for name, address in addresses.items() if address.is_stdin), None)
        if piped is not None:
            hint = "put the array in a file that all workers can read"
            raise UsageError(f"a cluster cannot read the standard input of `{piped}`", hint=hint)
        return {name: address._replace(folder=os.getcwd()) for name, address in addresses.items()}

    @property
    def _examine(self) -> Examine | None:
        """What looks for signs of mistakes, where somebody would hear of them."""
        if (self.quiet and not self.strict) or self.reduction is None or not isinstance(self.operation, Loss):
            return None
        return partial(Findings.of, self.operation, self.reduction.name)

    def _tell(self, remarks: Iterable[LosscalcWarning], sources: Mapping[str, Source]) -> None:
        """Print warnings, or raise the first of them where they are to be errors."""
        for remark in remarks:
            locate(remark, sources)
            if self.strict:
                error = DataError(
                    remark.problem,
                    hint=remark.hint,
                    argument=remark.argument,
                    index=remark.index,
                    location=remark.location,
                )
                error.found = remark.found
                raise error
            if not self.quiet:
                warn(remark)

    @property
    def _states(self) -> frozenset[str]:
        """The arguments that are files of many arrays."""
        return frozenset(name for name, role in self.operation.roles.items() if role.many)

    def _result(self, done: Computation) -> Result:
        name, settings = self.operation.name, self.operation.settings
        if self.reduction is None:
            return Result(name, done.value, settings)
        sums = done.partial
        working = None
        if self.explained and isinstance(self.operation, Loss):
            from losscalc.insight.explain import Explanation

            working = Explanation(
                self.operation, done.samples, self.reduction, sums, self.explained, self.decimals
            ).working
        result = Result.reduced(name, done.value, settings, self.reduction, sums)
        return replace(result, gradient=self.gradient, working=working)


@contextlib.contextmanager
def _cluster(address: str | None) -> Iterator[Distribute | None]:
    """What has blocks computed by the cluster at an address, if there is one."""
    if address is None:
        yield None
        return
    from losscalc.engine.dask import connected

    with connected(address) as distribute:
        yield distribute


@contextlib.contextmanager
def _watched(mapper: Mapper, sources: Mapping[str, Source], quiet: bool) -> Iterator[Mapper]:
    """The mapper, which shows somebody at a terminal how far it has come."""
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        yield mapper
        return
    from losscalc.cli.progress import Progress

    with Progress(sys.stderr, sources.values()) as progress:
        yield progress.watch(mapper)


def fitted(operation: Operation, sources: dict[str, Source], broadcast: bool) -> dict[str, Source]:
    """The sources, with lone numbers as vectors of one where only that fits."""
    vectors = {name: source.as_vector() or source for name, source in sources.items()}
    if any(vectors[name] is not sources[name] for name in sources):
        try:
            _layout(operation, sources, broadcast)
        except ShapeError:
            with contextlib.suppress(ShapeError):
                _layout(operation, vectors, broadcast)
                return vectors
    return sources


def locate(remark: LosscalcError | LosscalcWarning, sources: Mapping[str, Source]) -> None:
    """Put the place in a file where there was the index of an array."""
    name = remark.argument
    if remark.location is None and name is not None and name not in sources:
        members = (source for key, source in sources.items() if key.startswith(f"{name}."))
        place = next((source.locate(()) for source in members), None)
        remark.location = place and Location(place.path)
    elif remark.location is None and name is not None:
        location = sources[name].locate(remark.index or ())
        # A literal's place is the option itself, which need not be named twice.
        remark.location = None if str(location) == option_name(name) else location
        if remark.location is not None and remark.location.path == option_name(name):
            remark.problem = remark.problem.removeprefix(f"`{name}` ")


def _layout(operation: Operation, sources: Mapping[str, Source], broadcast: bool) -> None:
    shapes = {name: source.shape for name, source in sources.items()}
    operation.layout(shapes, {name: source.dtype for name, source in sources.items()}, broadcast)


@contextlib.contextmanager
def _opened(
    operation: Operation,
    addresses: Mapping[str, Address],
    reading: Reading,
    quiet: bool,
    states: Collection[str],
) -> Iterator[dict[str, Source]]:
    _check_distinct(addresses)
    if any(a.is_stdin for a in addresses.values()) and sys.stdin and sys.stdin.isatty() and not quiet:
        warn(LosscalcWarning("reading standard input; end with Ctrl-D"), kind="note")
    sources: dict[str, Source] = {}
    try:
        for name, address in addresses.items():
            if name in states:
                state = open_state(address, option_name(name), reading)
                sources |= {f"{name}.{key}": source for key, source in state.items()}
                continue
            if address.path is not None and address.text == BALANCED and not os.path.lexists(BALANCED):
                sources[name] = _balanced(operation, name, addresses.get("target"), reading, sources)
                continue
            sources[name] = open_array(address, option_name(name), reading)
        yield sources
    finally:
        for source in sources.values():
            source.close()


def _balanced(
    operation: Operation,
    name: str,
    target: Address | None,
    reading: Reading,
    sources: Mapping[str, Source],
) -> Source:
    """The weights that let all classes, or positives and negatives, count alike."""
    from losscalc.insight.stats import balanced_classes, balanced_positives

    by_class = name == "weight" and ("ignore_index" in operation.settings or operation.name == "multi-margin")
    if not by_class and name != "pos_weight":
        raise UsageError(f"`{name}` of {operation.name} is not one a class, and nothing balances it")
    if target is None or target.is_stdin or reading.na == "drop":
        raise UsageError(
            f"`{name}` is balanced by labels that are read twice",
            hint="put the target in a file without gaps",
        )
    source = open_array(target, "--target", reading)
    try:
        labels = source.whole()
    finally:
        source.close()
    if not by_class:
        return MemorySource(balanced_positives(labels))
    shape = sources["linear_weight"].shape[:1] if "linear_weight" in sources else sources["input"].shape[:2]
    ignored = operation.settings.get("ignore_index")
    return MemorySource(balanced_classes(labels, shape[-1], ignored if isinstance(ignored, int) else None))


def _check_distinct(addresses: Mapping[str, Address]) -> None:
    """Refuse to read one pipe twice: the second reader would find it empty."""
    readers: dict[object, str] = {}
    for name, address in addresses.items():
        identity = STDIN if address.is_stdin else address.path and address.identity()
        for key in {identity, address.identity()} - {None} if identity else ():
            if key in readers:
                raise UsageError(
                    f"`{readers[key]}` and `{name}` cannot both read {printable_source(address)}",
                    hint="put one of them in a file",
                )
            readers[key] = name


def printable_source(address: Address) -> str:
    """What messages call the thing that an address reads."""
    return "standard input" if address.is_stdin else address.text


def _dropped(done: Computation) -> Iterator[LosscalcWarning]:
    if done.dropped:
        rows = "1 row" if done.dropped == 1 else f"{done.dropped} rows"
        yield LosscalcWarning(f"left out {rows} with a missing number")
