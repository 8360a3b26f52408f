"""Weights a class, which no column of the rows' own table can be."""

from collections.abc import Mapping

from losscalc.core.declaration import broadcast_weights
from losscalc.core.operation import Operation
from losscalc.engine.sources import Source
from losscalc.errors import FormatError, Location
from losscalc.inputs.address import Address
from losscalc.inputs.parts import quoted
from losscalc.inputs.stream import STDIN


def check_class_weights(
    operation: Operation, name: str, addresses: Mapping[str, Address], sources: Mapping[str, Source]
) -> None:
    """Refuse a column of the table of the input or the target: its numbers belong to rows, not to classes.

    Where there are as many rows as classes, nothing else would tell.
    """
    if operation.roles[name].kind != "class-weights" or len(sources[name].shape) != 1:
        return
    address = addresses[name]
    for other in ("input", "target"):
        if _are_of_one_table(name, other, addresses, sources):
            part = "" if address.part is None else f"#{address.part}"
            raise FormatError(
                f"`{name}` is one number per class, but this column of the table of `{other}` is one per row",
                location=Location(STDIN if address.path is None else address.path, part=part),
                hint=f"as the factors of the rows: `sample_weight` {quoted(address.text)}",
            )


def may_name_classes(
    operation: Operation, name: str, addresses: Mapping[str, Address], sources: Mapping[str, Source]
) -> bool:
    """Whether a column beside an array may name the classes, or columns, that its numbers are factors of."""
    kind = operation.roles[name].kind
    if "weights" not in kind:
        return False
    source, first = sources[name], next(iter(sources.values()))
    is_a_class = kind == "class-weights"
    is_a_column = name in broadcast_weights(type(operation)) and len(first.shape) > 1
    is_read_once = addresses[name].pipe is not None and addresses[name].spring is None
    is_of_rows = any(_are_of_one_table(name, key, addresses, sources) for key in addresses if key != name)
    return (is_a_class or is_a_column) and len(source.beside) > 1 and not is_read_once and not is_of_rows


def _are_of_one_table(
    name: str, other: str, addresses: Mapping[str, Address], sources: Mapping[str, Source]
) -> bool:
    """Whether two arrays are columns of the same table."""
    if other not in sources or sources[name].table is None:
        return False
    return sources[name].table == sources[other].table and addresses[name].is_beside(addresses[other])
