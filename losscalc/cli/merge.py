"""The tool that adds up the results of parts of a data set."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from losscalc.catalogue.base import Loss
from losscalc.cli.grouped import GroupedCommand
from losscalc.cli.offers import offer_files
from losscalc.cli.options import output_options, take_display
from losscalc.cli.output import Delivery
from losscalc.cli.voice import Voice
from losscalc.core.declaration import parameters
from losscalc.core.operation import Operation, result_dtype
from losscalc.core.reductions import REDUCTIONS
from losscalc.core.registry import lookup
from losscalc.engine.ending import finish
from losscalc.errors import DataError, Location, LosscalcWarning, UsageError, printable
from losscalc.inputs.address import open_stream, parse_address
from losscalc.outputs.result import Result

if TYPE_CHECKING:
    from losscalc.inputs.results import Part


def _merge(files: tuple[str, ...], **values: Any) -> None:
    values.pop("debug")
    voice = Voice(values.pop("quiet"), values.pop("warnings") == "error")
    delivery = Delivery(take_display(values))
    if files.count("-") > 1:
        raise UsageError("standard input cannot be read twice", hint="put one of the results in a file")
    result, warnings = merged([read for file in files for read in _read(file)])
    voice.tell(warnings)
    delivery.send(result)


def merged(parts: "Sequence[Part]") -> tuple[Result, tuple[LosscalcWarning, ...]]:
    """The result of all rows together, and warnings about it."""
    first = parts[0]
    sums = first.partial
    for part in parts[1:]:
        _check_same(first, part)
        _check_parts(part)
        sums += part.partial
    reduction, dtype = REDUCTIONS[first.reduction], result_dtype(first.dtype)
    assert dtype is not None
    loss = _operation(first)
    value, warnings = finish(loss, sums, reduction, dtype)
    return Result.reduced(loss, value, first.parameters, reduction, sums), warnings


def _operation(part: "Part") -> Operation:
    """The loss of a part, with those of its parameters that this version knows."""
    cls = lookup(part.loss)
    known = {parameter.name for parameter in parameters(cls)}
    settings = {name: value for name, value in part.parameters.items() if name in known and value is not None}
    return cls(**settings, like=part.like)


def _check_same(first: "Part", part: "Part") -> None:
    """Refuse parts whose sums must not be added up, such as those of different losses."""
    for fact in ("loss", "reduction", "parameters", "dtype", "like"):
        own, others = getattr(part, fact), getattr(first, fact)
        if own != others:
            raise DataError(
                f"its {fact} must be {printable(_words(others))}, as in {printable(first.path)}",
                found=_words(own),
                location=Location(part.path),
            )


def _check_parts(part: "Part") -> None:
    """Refuse parts of a batch whose rows depend on one another."""
    loss = _operation(part)
    if isinstance(loss, Loss) and (loss.whole_batch or loss.needs_whole):
        compares = "compares the rows of a batch with one another"
        if loss.needs_whole:
            compares = f"depends on all rows of a batch when computed as {loss.like} does"
        raise DataError(
            f"{loss.name} {compares}, and parts of it do not add up",
            location=Location(part.path),
            hint="concatenate the arrays, and compute the loss of all rows",
        )


def _words(fact: str | Mapping[str, object] | None) -> str:
    if fact is None:
        return "none"
    return fact if isinstance(fact, str) else ", ".join(f"{name} {value}" for name, value in fact.items())


def _read(file: str) -> "Iterator[Part]":
    """The result in a file, or the results in the files of a pattern."""
    from losscalc.inputs.results import read_part

    address = parse_address(file)
    if address.part is not None or (address.path is None and not address.is_stdin):
        raise UsageError("a result is a file as a whole, or - for standard input", found=file)
    for stream in open_stream(address, "FILE"):
        try:
            yield read_part(stream)
        finally:
            stream.close()


merge = GroupedCommand(
    "merge",
    params=[
        click.Argument(["files"], nargs=-1, required=True, metavar="FILE...", shell_complete=offer_files),
        *output_options(),
    ],
    callback=_merge,
    help="Add up results written with --format json, each of a part of the data. If the parts had the same "
    "parameters and weights, the value is that of one run over all of it: to the last bit, or to 1e-13 where "
    "matrices are multiplied.",
)
