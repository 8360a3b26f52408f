"""Opens the arrays of a command, and the columns beside them."""

import contextlib
import os
import re
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from typing import NamedTuple

from losscalc.catalogue.base import Loss
from losscalc.cli.boundary import warn
from losscalc.cli.hints import Files, paths
from losscalc.cli.voice import Voice, locate
from losscalc.cli.weights import check_class_weights, may_name_classes
from losscalc.core.declaration import class_scores, label_arrays, target_argument
from losscalc.core.operation import Operation
from losscalc.core.roles import CLASS_KINDS
from losscalc.engine.balance import BALANCED, balanced, check_balanced
from losscalc.engine.call import AnyCall
from losscalc.engine.columns import crossed
from losscalc.engine.findings import Examine
from losscalc.engine.sources import MemorySource, Source
from losscalc.errors import (
    FormatError,
    LosscalcError,
    LosscalcNote,
    Remark,
    ShapeError,
    UsageError,
    option_name,
)
from losscalc.inputs import tops
from losscalc.inputs.address import (
    Address,
    open_array,
    open_state,
    parse_address,
    shared,
)
from losscalc.inputs.companions import GROUPS, Companions, Place
from losscalc.inputs.misnomers import misnomers
from losscalc.inputs.namesakes import check_apart
from losscalc.inputs.options import Readings
from losscalc.insight import diagnose


class Inputs(NamedTuple):
    """The arrays of a command as they were typed, and how to read them."""

    texts: Mapping[str, str]
    readings: Readings = Readings()

    def addresses(self, *, is_far: bool = False) -> dict[str, Address]:
        """The addresses of the arrays and of groups, for this machine or for workers elsewhere."""
        usual = self.readings.usual
        texts = self.texts if usual.by is None else {**self.texts, GROUPS: usual.by}
        addresses = {name: parse_address(text) for name, text in texts.items()}
        _check_distinct(addresses)
        if is_far:
            piped = [name for name, address in addresses.items() if address.is_stdin]
            if piped:
                hint = "put the array in a file that all workers can read"
                raise UsageError(f"a cluster cannot read the standard input of `{piped[0]}`", hint=hint)
            return {name: address._replace(folder=os.getcwd()) for name, address in addresses.items()}
        if len(addresses) > 1 or usual.where or usual.key is not None:
            return shared(addresses, usual)
        return addresses


class Opened(NamedTuple):
    """A call whose arrays are open, these as they are read, and the columns beside them."""

    call: AnyCall
    sources: Mapping[str, Source]
    companions: Companions
    named: Files

    @property
    def remarks(self) -> list[Remark]:
        """What there is to tell of the reading, once all rows were read."""
        # Two parts of one file have the same things to tell.
        groups = self.companions.groups
        sources = [*self.sources.values(), *([] if groups is None else [groups])]
        told = {remark.describe(): remark for source in sources for remark in source.remarks}
        files = [
            source
            for name, source in self.sources.items()
            if paths(self.named.addresses.get(name, Address("")))
        ]
        for remark in told.values():
            # What all files get as a hint is for all of them.
            if not all(remark.hint in [other.hint for other in source.remarks] for source in files):
                self.named.change(remark)
        return [*told.values(), *self.companions.remarks]


@contextlib.contextmanager
def opened(call: AnyCall, inputs: Inputs, voice: Voice, *, is_far: bool = False) -> Iterator[Opened]:
    """Open the arrays of a call, for workers elsewhere if it is far; errors in the block get their places."""
    addresses = inputs.addresses(is_far=is_far)
    if any(a.is_stdin for a in addresses.values()) and sys.stdin and sys.stdin.isatty() and not voice.quiet:
        warn(LosscalcNote("reading standard input; end with Ctrl-D"), kind="note")
    sources: dict[str, Source] = {}
    named = Files(addresses, inputs.readings)
    with contextlib.ExitStack() as files:
        files.enter_context(named.changing())
        for name in inputs.texts:
            found = _opened(call.operation, name, addresses, inputs.readings, sources)
            sources |= found
            for source in found.values():
                files.callback(source.close)
            check_class_weights(call.operation, name, addresses, sources)
            if may_name_classes(call.operation, name, addresses, sources):
                # Imported here, because few weights have columns beside them.
                from losscalc.cli.classes import named_classes
                from losscalc.inputs.weights import by_class

                classes = named_classes(call.operation, sources, inputs.readings.of("target"))
                sources[name] = by_class(sources[name], addresses[name], inputs.readings.of(name), classes)
        if voice.is_heard and isinstance(call.operation, Loss):
            call = call._replace(examine=_examine(call.operation, call.reduction.name, sources))
        call = _fitted(call._replace(arrays=sources))
        companions = _companions(call, addresses, inputs.readings, is_far=is_far)
        files.callback(companions.close)
        if is_far and companions.is_needed:
            hint = "--no-key takes the rows as they stand" if companions.only_compares else "leave `dask` out"
            raise UsageError("a cluster cannot compare, join or pick rows by other columns", hint=hint)
        try:
            call, notes = _lined_up(call, companions)
            for spring in {address.spring for address in addresses.values() if address.spring is not None}:
                spring.seal()
            check_apart(sources)
            tops.check_uncounted(sources)
            doubts = [*tops.doubtful(sources), *misnomers(call.operation, sources)]
            for doubt in doubts:
                named.change(doubt)
            voice.tell([*notes, *crossed(sources), *doubts], sources)
            yield Opened(call, sources, companions, named)
        except LosscalcError as error:
            if isinstance(error, ShapeError):
                error.hint = _doubts(error, call.operation, sources, named, companions.way) or error.hint
            locate(error, call.sources)
            raise


def _examine(loss: Loss, reduction: str, sources: Mapping[str, Source]) -> Examine:
    """What looks for signs of mistakes; columns that were named are those that are meant."""
    return partial(diagnose.examine, loss, reduction, is_chosen=next(iter(sources.values())).is_chosen)


def _companions(
    call: AnyCall, addresses: Mapping[str, Address], readings: Readings, *, is_far: bool
) -> Companions:
    """The tables that the arrays of a call are read from, and the array of groups."""
    roles = call.operation.roles
    places = {
        name: Place(addresses[name], readings.of(name), source)
        for name, source in call.sources.items()
        # One number per class, or the state of a model, has no rows in common with others.
        if name in addresses and not roles[name].many and roles[name].kind != "class-weights"
    }
    by = (addresses[GROUPS], readings.of(GROUPS)) if GROUPS in addresses else None
    return Companions(places, readings.usual, by, is_far=is_far)


def _lined_up(call: AnyCall, companions: Companions) -> tuple[AnyCall, tuple[LosscalcNote, ...]]:
    """The call with columns as vectors beside vectors, and with rows in step where they have to be."""
    if not companions.is_needed:
        return call.aligned()
    views = {name: view for name, view in companions.views.items() if name in call.arrays}
    aligned, notes = call._replace(arrays={**call.arrays, **views}).aligned()
    rows = aligned.layout.cut
    if not rows:
        if companions.only_compares:
            return call.aligned()
        raise UsageError(
            f"the arrays of {call.operation.name} have no rows to be compared, joined, picked or grouped"
        )
    companions.line_up(rows)
    arrays = {name: array if name in rows else call.arrays[name] for name, array in aligned.arrays.items()}
    return aligned._replace(arrays=arrays, by=companions.groups), notes


def _doubts(
    error: ShapeError, operation: Operation, sources: Mapping[str, Source], files: Files, way: str | None
) -> str | None:
    """What may explain that arrays which an error speaks of have different numbers of rows, or join them."""
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
    doubts = {most: sources[most].doubt(excess), fewest: sources[fewest].doubt(-excess)} if excess else {}
    path_of = {name: next(iter(paths(files.addresses[name])), "") for name in doubts}
    return "; ".join(files.named(text, path_of[name]) for name, text in doubts.items() if text) or (
        way if excess else None
    )


def _opened(
    operation: Operation,
    name: str,
    addresses: Mapping[str, Address],
    readings: Readings,
    sources: Mapping[str, Source],
) -> dict[str, Source]:
    """The source of one argument, or the sources of a state, named like `state.head.weight`."""
    address, reading = addresses[name], readings.of(name)
    if operation.roles[name].many:
        state = open_state(address, option_name(name), reading)
        return {f"{name}.{key}": source for key, source in state.items()}
    if address.path is not None and address.text == BALANCED and not os.path.lexists(BALANCED):
        return {name: _balanced(operation, name, addresses, readings, sources)}
    target = target_argument(type(operation))
    is_target = target is not None and target.name == name
    kind = operation.roles[name].kind
    parts = ((option_name(key), other.part) for key, other in addresses.items() if other.is_beside(address))
    elsewhere = tuple((option, part) for option, part in parts if part is not None)
    may_list = is_target and kind in ("labels", "signs") and reading.multi_hot is None
    reading = reading._replace(
        elsewhere=elsewhere,
        may_list=may_list,
        without_labels=name not in label_arrays(type(operation)),
        of_classes=name == class_scores(type(operation)),
    )
    open_with = partial(open_array, address, option_name(name))
    if kind == "groups":
        from losscalc.inputs.labels import open_tags

        return {name: open_tags(open_with, reading)}
    if is_target and (kind in CLASS_KINDS or reading.multi_hot or reading.class_names):
        from losscalc.cli.classes import named_classes
        from losscalc.inputs.labels import open_labels

        classes = named_classes(operation, sources, reading)
        return {name: open_labels(open_with, classes, reading, reading.multi_hot)}
    with _naming(is_target and kind == "labels"):
        return {name: open_with(reading)}


@contextlib.contextmanager
def _naming(has_labels: bool) -> Iterator[None]:
    """Let the error about a word for 0 or 1, such as Yes, say how to give it a number."""
    try:
        yield
    except FormatError as error:
        from losscalc.engine.classes import pair_of

        word = (error.found or "").strip("'\" ")
        if has_labels and error.problem == "not a number" and (pair := pair_of([word])) is not None:
            write = str.upper if word.isupper() else str.title if word.istitle() else str.lower
            error.hint = f"for words that mean 0 and 1: --class-names {','.join(map(write, pair))}"
        raise


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


def _balanced(
    operation: Operation,
    name: str,
    addresses: Mapping[str, Address],
    readings: Readings,
    sources: Mapping[str, Source],
) -> Source:
    """Weights by which all classes, or positives and negatives, count alike."""
    check_balanced(operation, name)
    target, reading = addresses.get("target"), readings.of("target")
    if target is None or target.pipe is not None or reading.na == "drop" or reading.where or reading.key:
        raise UsageError(
            f"`{name}` is balanced by all labels of the target, which are read twice",
            hint="put the rows that count in a file without gaps",
        )
    with contextlib.closing(_opened(operation, "target", addresses, readings, sources)["target"]) as source:
        labels = source.whole()
    shapes = {key: source.shape for key, source in sources.items()}
    return MemorySource(balanced(operation, name, labels, shapes))


def _check_distinct(addresses: Mapping[str, Address]) -> None:
    """Refuse to read a pipe as a whole for two arrays, as only parts tell them apart."""
    readers: dict[object, str] = {}
    for name, address in addresses.items():
        if address.pipe is None:
            continue
        other = readers.setdefault((address.pipe, address.part), name)
        if other != name:
            what = "standard input" if address.is_stdin else address.text
            example = "-" if address.is_stdin else address.path
            hint = f"name a part of it for each, as in {example}#p and {example}#y"
            raise UsageError(f"`{other}` and `{name}` cannot both read {what}", hint=hint)
