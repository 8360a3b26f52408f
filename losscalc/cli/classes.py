"""The classes that the labels of a command may name."""

from collections.abc import Mapping

from losscalc.core.declaration import labels_of
from losscalc.core.operation import Operation
from losscalc.engine.classes import Classes
from losscalc.engine.sources import Source
from losscalc.errors import UsageError, counted
from losscalc.inputs.classes import read_names
from losscalc.inputs.nearby import nearest_file
from losscalc.inputs.options import Reading
from losscalc.inputs.parts import quoted


def named_classes(operation: Operation, sources: Mapping[str, Source], reading: Reading) -> Classes:
    """The classes that labels may name: those of the option, else the columns of the input."""
    scores, source = next(iter(operation.roles.values())), next(iter(sources.values()))
    is_row = len(source.shape) in (1, 2) and scores.kind != "features"
    count = (source.shape[-1] or 0) if is_row else 0
    if reading.class_names is not None:
        names = read_names(reading.class_names)
        is_binary = labels_of(type(operation)) == "labels" and reading.multi_hot is None
        if is_binary and len(names) != 2:
            has = f"{counted(len(names), 'name')}, and labels of {operation.name} are 0 and 1"
            raise UsageError(f"`class_names` has {has}", hint="name two, that of 0 first")
        if count and not is_binary and len(names) != count:
            has = f"{counted(len(names), 'name')}, and `input` {counted(count, 'column')}"
            file = nearest_file(reading.class_names) if len(names) == 1 else None
            hint = f"did you mean {quoted(file)}?" if file else "name all columns, in their order"
            raise UsageError(f"`class_names` has {has}", hint=hint)
        return Classes.called(names)
    if not is_row or source.names is None or len(source.names) < 2:
        return Classes(count)
    return Classes.called(source.names)
