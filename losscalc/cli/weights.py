"""Weights a class, which no column of the rows' own table can be."""

from collections.abc import Mapping

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
    address, table = addresses[name], sources[name].table
    for other in ("input", "target"):
        if table is not None and table == sources[other].table and address.is_beside(addresses[other]):
            part = "" if address.part is None else f"#{address.part}"
            raise FormatError(
                f"`{name}` is one number per class, but this column of the table of `{other}` is one per row",
                location=Location(STDIN if address.path is None else address.path, part=part),
                hint=f"as the factors of the rows: `sample_weight` {quoted(address.text)}",
            )
