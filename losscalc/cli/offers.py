"""What can be typed for a value: files and parts of them, losses, suppositions."""

import os
from collections.abc import Iterable, Mapping
from contextlib import closing
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from losscalc.errors import FormatError, LosscalcError, name_arguments
from losscalc.inputs.address import open_array, parse_address
from losscalc.inputs.options import Reading

if TYPE_CHECKING:
    from losscalc.core.operation import Operation

Item = CompletionItem[str]
# A column by its place, which every table has, and a name that nothing has: both tell the names there are.
_COLUMN, _NOTHING = "1", "\x01"


def offer_files(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Item]:
    """Leave names of files to the shell."""
    return [CompletionItem(incomplete, type="file")]


def offer_arrays(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Item]:
    """The parts of a file behind its #, before that files."""
    path, mark, part = incomplete.rpartition("#")
    if not mark or not os.path.isfile(path):
        return offer_files(ctx, param, incomplete)
    return _beginning(incomplete, (f"{path}#{name}" for name in part_names(path, part)))


def offer_columns(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Item]:
    """The columns of the files of the arrays, or else arrays."""
    arrays = [parse_address(str(value)) for value in ctx.params.values() if isinstance(value, str)]
    paths = dict.fromkeys(array.path for array in arrays if array.path and os.path.isfile(array.path))
    names = [name for path in paths for name in part_names(path)]
    return _beginning(incomplete, dict.fromkeys(names)) or offer_arrays(ctx, param, incomplete)


def offer_losses(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Item]:
    """The names of losses, but for those that were typed before."""
    given = ctx.params.get(param.name or "") or ()
    return [item for item in _named(_losses(), incomplete) if item.value not in given]


def offer_commands(tools: Mapping[str, str], incomplete: str) -> list[Item]:
    """The names of losses, activations and tools, these with what they do."""
    from losscalc.core.registry import operations

    import_module("losscalc.catalogue")
    return _named(operations(), incomplete, tools)


def offer_suppositions(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Item]:
    """What can be supposed of the loss, behind what is supposed already."""
    from losscalc.catalogue.base import Loss
    from losscalc.core.registry import lookup
    from losscalc.insight.detect.suppose import known

    cls = lookup(ctx.command.name or "")
    if not issubclass(cls, Loss):
        return []
    before, comma, begun = incomplete.rpartition(",")
    rows = {f"{row.name}=" if row.has_number else row.name: row.sentence for row in known(cls)}
    return [
        CompletionItem(f"{before}{comma}{name}", help=sentence.replace("{number}", "NUMBER"))
        for name, sentence in rows.items()
        if name.startswith(begun)
    ]


def _losses() -> "Mapping[str, type[Operation]]":
    from losscalc import losses

    return losses()


def _named(
    known: "Mapping[str, type[Operation]]", incomplete: str, tools: Mapping[str, str] = MappingProxyType({})
) -> list[Item]:
    """Names that begin so, with what they stand for; if there are none, those that others have for them."""
    from losscalc.core.operation import summary
    from losscalc.core.registry import names_of

    helps = {name: name_arguments(summary(cls)) for name, cls in known.items()}
    others = {other: helps[name] for name, cls in known.items() for other in names_of(cls)}
    for names in ({**helps, **tools}, others):
        if found := [CompletionItem(n, help=text) for n, text in names.items() if n.startswith(incomplete)]:
            return found
    return []


def part_names(path: str, part: str = "") -> list[str]:
    """The names of what a file holds: columns, arrays, or members behind the pointer of a part."""
    pointer = part[: part.rfind("/") + 1] if part.startswith("/") else ""
    for tried in [f"{pointer}{_NOTHING}"] if pointer else [_COLUMN, _NOTHING]:
        try:
            address = parse_address(path)._replace(part=tried)
            with closing(open_array(address, "", Reading(is_beside=True))) as source:
                names = list(source.beside)
        except FormatError as error:
            names = list(error.names)
        except LosscalcError:
            names = []
        if names:
            return [f"{pointer}{name}" for name in names]
    return []


def _beginning(incomplete: str, names: Iterable[str]) -> list[Item]:
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]
