"""Runs a command: opens its arrays, computes, and prints warnings."""

import contextlib
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, cast

from losscalc.catalogue.base import Loss, check_wrt
from losscalc.cli.boundary import warn
from losscalc.cli.weights import check_class_weights
from losscalc.core.operation import Operation
from losscalc.engine import compute as engine
from losscalc.engine.call import AnyCall
from losscalc.engine.collect import Collector
from losscalc.engine.compute import Computation, Run
from losscalc.engine.sources import MemorySource, Source
from losscalc.errors import (
    DataError,
    Location,
    LosscalcError,
    LosscalcNote,
    LosscalcWarning,
    Remark,
    ShapeError,
    UsageError,
    option_name,
)
from losscalc.inputs.address import STDIN, Address, open_array, open_state, parse_address, read_array
from losscalc.inputs.options import Reading
from losscalc.insight import diagnose
from losscalc.insight.call import classes_on_axis_1
from losscalc.outputs.result import Result

if TYPE_CHECKING:
    from losscalc.insight.call import Call as LossCall

BALANCED = "balanced"
"""The word for weights that are computed from the labels."""


class Voice(NamedTuple):
    """What to do with warnings: print them, drop them, or raise them."""

    quiet: bool = False
    strict: bool = False

    @property
    def is_heard(self) -> bool:
        """Whether a warning has any effect; if not, none need be looked for."""
        return self.strict or not self.quiet

    def tell(self, remarks: Iterable[Remark], sources: Mapping[str, Source] | None = None) -> None:
        """Print warnings with their places in files, or raise the first of them as an error."""
        for remark in remarks:
            locate(remark, sources or {})
            if isinstance(remark, LosscalcNote):
                if not self.quiet:
                    warn(remark, kind="note")
                continue
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


class Inputs(NamedTuple):
    """The arrays of a command as they were typed, and how to read them."""

    texts: Mapping[str, str]
    reading: Reading = Reading()

    def addresses(self, *, is_far: bool = False) -> dict[str, Address]:
        """The addresses of the arrays, for this machine or for workers elsewhere."""
        addresses = {name: parse_address(text) for name, text in self.texts.items()}
        _check_distinct(addresses)
        if not is_far:
            return addresses
        piped = next((name for name, address in addresses.items() if address.is_stdin), None)
        if piped is not None:
            hint = "put the array in a file that all workers can read"
            raise UsageError(f"a cluster cannot read the standard input of `{piped}`", hint=hint)
        return {name: address._replace(folder=os.getcwd()) for name, address in addresses.items()}


class Request(NamedTuple):
    """What the user asks for: a call, the arrays as typed, and what to do with warnings."""

    call: AnyCall
    inputs: Inputs
    voice: Voice = Voice()
    dask: str | None = None
    """The address of the cluster that computes, if any."""
    decimals: int = 4

    def computed(self, collector: Collector | None = None) -> Result:
        """Compute the result; an array of single values is collected by `collector`."""
        addresses = self.inputs.addresses(is_far=self.dask is not None)
        with opened(self.call, addresses, self.inputs.reading, self.voice) as call:
            if call.wrt is not None:
                check_wrt(call.operation, call.wrt, call.arrays)
            with _running(call.sources, self.voice, self.dask) as run:
                done = engine.compute(call, run, collector)
            self.voice.tell((*done.warnings, *_left_out(done.dropped)), call.sources)
        return self._result(done)

    def gathered(self) -> "tuple[LossCall, Result]":
        """Read all arrays of a loss into memory; returns the call and its result."""
        with opened(self.call, self.inputs.addresses(), self.inputs.reading, self.voice) as call:
            held, dropped = engine.gathered(call)
            done = engine.compute(held)
            self.voice.tell((*done.warnings, *_left_out(dropped)), call.sources)
        whole = cast("LossCall", held._replace(examine=None))
        return classes_on_axis_1(whole), self._result(done)

    def _result(self, done: Computation) -> Result:
        call = self.call
        settings = call.operation.settings
        if not isinstance(call.operation, Loss):
            return Result(call.operation.name, done.value, settings)
        working = None
        if call.samples:
            from losscalc.insight.explain import Explanation

            working = Explanation(cast("LossCall", call), done, self.decimals).working
        result = Result.reduced(call.operation, done.value, settings, call.reduction, done.partial)
        return replace(result, gradient=call.wrt, working=working)


@contextlib.contextmanager
def opened(
    call: AnyCall, addresses: Mapping[str, Address], reading: Reading, voice: Voice
) -> Iterator[AnyCall]:
    """Open the arrays of a call; errors in the block are located in files."""
    if any(a.is_stdin for a in addresses.values()) and sys.stdin and sys.stdin.isatty() and not voice.quiet:
        warn(LosscalcNote("reading standard input; end with Ctrl-D"), kind="note")
    sources: dict[str, Source] = {}
    try:
        for name, address in addresses.items():
            sources |= _opened(call.operation, name, address, addresses, reading, sources)
            check_class_weights(call.operation, name, addresses, sources)
        examine = None
        if voice.is_heard and isinstance(call.operation, Loss):
            examine = partial(diagnose.examine, call.operation, call.reduction.name)
        try:
            fitted, notes = _fitted(call._replace(arrays=sources, examine=examine)).aligned()
            voice.tell(notes, sources)
            yield fitted
        except LosscalcError as error:
            if isinstance(error, ShapeError):
                error.hint = _doubts(error, call.operation, sources) or error.hint
            locate(error, sources)
            raise
        # Two parts of one file have the same things to tell.
        told = {remark.describe(): remark for source in sources.values() for remark in source.remarks}
        voice.tell(told.values())
    finally:
        for source in sources.values():
            source.close()


def _doubts(error: ShapeError, operation: Operation, sources: Mapping[str, Source]) -> str | None:
    """What may explain that arrays which an error speaks of have different numbers of rows."""
    kinds = {name: role.kind for name, role in operation.roles.items()}
    rows = [name for name, kind in kinds.items() if kind not in ("class-weights", "positive-weights")]
    named = re.findall(r"`(\w+)`", error.problem)
    names = [name for name in named if name in rows and name in sources and sources[name].shape]
    counts: dict[str, int] = {}
    with contextlib.suppress(LosscalcError):
        counts = {name: count for name in names if (count := sources[name].count()) is not None}
    if len(counts) < 2:
        return None
    most, fewest = (pick(counts, key=lambda name: counts[name]) for pick in (max, min))
    excess = counts[most] - counts[fewest]
    doubts = (sources[most].doubt(excess), sources[fewest].doubt(-excess)) if excess else ()
    return "; ".join(doubt for doubt in doubts if doubt) or None


def _opened(
    operation: Operation,
    name: str,
    address: Address,
    addresses: Mapping[str, Address],
    reading: Reading,
    sources: Mapping[str, Source],
) -> dict[str, Source]:
    """The source of one argument, or the sources of a state, named like `state.head.weight`."""
    if operation.roles[name].many:
        state = open_state(address, option_name(name), reading)
        return {f"{name}.{key}": source for key, source in state.items()}
    if address.path is not None and address.text == BALANCED and not os.path.lexists(BALANCED):
        return {name: _balanced(operation, name, addresses.get("target"), reading, sources)}
    parts = ((option_name(key), other.part) for key, other in addresses.items() if other.is_beside(address))
    elsewhere = tuple((option, part) for option, part in parts if part is not None)
    return {name: open_array(address, option_name(name), reading._replace(elsewhere=elsewhere))}


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


def _fitted(call: AnyCall) -> AnyCall:
    """The call, with lone numbers as vectors of length 1 where they fit only so."""
    vectors = {name: source.as_vector() or source for name, source in call.sources.items()}
    if any(vectors[name] is not source for name, source in call.sources.items()):
        try:
            _ = call.layout
        except ShapeError:
            with contextlib.suppress(ShapeError):
                _ = call._replace(arrays=vectors).layout
                return call._replace(arrays=vectors)
    return call


def locate(remark: Remark, sources: Mapping[str, Source]) -> None:
    """Replace the index of a remark by a place in a file."""
    name = remark.argument
    if remark.location is None and name is not None and name not in sources:
        members = (source for key, source in sources.items() if key.startswith(f"{name}."))
        place = next((source.locate(()) for source in members), None)
        remark.location = place and Location(place.path)
    elif remark.location is None and name is not None:
        location = sources[name].locate(remark.index or ())
        # The place of a literal is its option, which the message names anyway.
        remark.location = None if str(location) == option_name(name) else location
        if remark.location is not None and remark.location.path == option_name(name):
            remark.problem = remark.problem.removeprefix(f"`{name}` ")


def _balanced(
    operation: Operation,
    name: str,
    target: Address | None,
    reading: Reading,
    sources: Mapping[str, Source],
) -> Source:
    """Weights by which all classes, or positives and negatives, count alike."""
    from losscalc.insight.stats import balanced_classes, balanced_positives

    kind = operation.roles[name].kind
    by_class = kind == "class-weights"
    if not by_class and kind != "positive-weights":
        raise UsageError(f"`{name}` of {operation.name} is not one a class, and nothing balances it")
    if target is None or target.is_stdin or reading.na == "drop":
        raise UsageError(
            f"`{name}` is balanced by labels that are read twice",
            hint="put the target in a file without gaps",
        )
    labels = read_array(target.text, "--target", reading)
    if not by_class:
        return MemorySource(balanced_positives(labels))
    shape = sources["linear_weight"].shape[:1] if "linear_weight" in sources else sources["input"].shape[:2]
    if operation.settings.get("class_axis") == -1:
        shape = sources["input"].shape
    ignored = operation.settings.get("ignore_index")
    return MemorySource(balanced_classes(labels, shape[-1], ignored if isinstance(ignored, int) else None))


def _check_distinct(addresses: Mapping[str, Address]) -> None:
    """Refuse to read a pipe twice, because the second reader would find it empty."""
    readers: dict[object, str] = {}
    for name, address in addresses.items():
        identity = STDIN if address.is_stdin else address.path and address.identity()
        for key in {identity, address.identity()} - {None} if identity else ():
            if key in readers:
                what = "standard input" if address.is_stdin else address.text
                raise UsageError(
                    f"`{readers[key]}` and `{name}` cannot both read {what}",
                    hint="put one of them in a file",
                )
            readers[key] = name


def _left_out(dropped: int) -> Iterator[LosscalcWarning]:
    if dropped:
        rows = "1 row" if dropped == 1 else f"{dropped} rows"
        yield LosscalcWarning(f"left out {rows} with a missing number")
