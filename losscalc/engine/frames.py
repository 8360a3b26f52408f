"""DataFrames and other tables in memory, held to the rules of tables in files by the names of columns."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from losscalc.core.array import Array
from losscalc.core.declaration import class_scores, label_arrays, target_argument
from losscalc.core.operation import Operation
from losscalc.core.roles import CLASS_KINDS
from losscalc.engine import outsiders
from losscalc.engine.classes import Classes
from losscalc.engine.columns import crossed, shown_names
from losscalc.engine.sources import MemorySource, Source
from losscalc.errors import DataError, DomainError, DTypeError, LosscalcNote, LosscalcWarning, printable

# So many names are typed; of more columns it is those to drop that are named.
_TYPED = 12
_TIME = re.compile("date|time|duration|period", re.IGNORECASE)


def is_time(dtype: object) -> bool:
    """Whether numbers of this dtype, of whatever library, are dates, times or durations.

    >>> is_time("timedelta64[us]"), is_time("Date"), is_time("float64")
    (True, True, False)
    """
    categories = getattr(dtype, "categories", None)
    return _TIME.search(str(getattr(categories, "dtype", dtype))) is not None


def check_times(name: str, frame: Any) -> None:
    """Refuse a frame with a column of times, of which its library makes numbers of days or microseconds."""
    columns = columns_of(frame)
    # Of polars the schema has no types, and of pandas there is none.
    types: Iterable[Any] | None = getattr(getattr(frame, "schema", None), "types", None)
    dtypes = list(getattr(frame, "dtypes", ()) if types is None else types)
    if len(dtypes) != len(columns):
        return
    times = [c for c, dtype in enumerate(dtypes) if is_time(dtype)]
    if times:
        first = columns[times[0]]
        others = [c for c in range(len(columns)) if c not in times]
        raise DTypeError(
            printable(f"column {str(first)!r} of `{name}` must hold real numbers"),
            found=f"dtype {dtypes[times[0]]}",
            hint=printable(_remedy(frame, columns, others)) if others else None,
            argument=name,
        )


def columns_of(frame: Any) -> list[Any]:
    """What the columns of a frame are called, by names or numbers."""
    held = getattr(frame, "column_names", frame.columns)
    return list(held) if isinstance(held, Iterable) else []


class FrameSource(MemorySource):
    """A frame in memory, as an array, with the names of its columns."""

    def __init__(self, frame: Any, values: Array) -> None:
        super().__init__(values)
        self._frame = frame
        self._columns = {str(column): column for column in columns_of(frame)}
        self.names = list(map(str, columns_of(frame)))

    def part_of(self, names: Sequence[str]) -> str | None:
        return _picked(self._frame, [self._columns[name] for name in names])


def named(
    operation: Operation, sources: Mapping[str, Source], frames: Mapping[str, Any]
) -> tuple[dict[str, Source], list[LosscalcWarning]]:
    """The sources, of which some are frames, by the names of their columns, and what there is to tell."""
    found = dict(sources)
    labels = label_arrays(type(operation))
    for name, frame in frames.items():
        array = np.asarray(sources[name].array)
        if array.ndim == 2 and array.shape[1] == len(columns_of(frame)) > 1:
            of_classes = name == class_scores(type(operation))
            _check_columns(name, frame, array, without_labels=name not in labels, of_classes=of_classes)
            found[name] = FrameSource(frame, array)
    notes = _with_labels(operation, found)
    return found, [*notes, *crossed(found)]


def classes_of(frame: Any) -> Classes:
    """The classes that are the columns of a frame."""
    return Classes.called(list(map(str, columns_of(frame))))


def _with_labels(operation: Operation, sources: dict[str, Source]) -> list[LosscalcWarning]:
    """Put the classes in the place of labels that are the numbers in the names of the input's columns."""
    target, first = target_argument(type(operation)), next(iter(sources))
    array = sources[target.name].array if target is not None and target.name in sources else None
    kinds = operation.roles[first].kind, target and target.role.kind
    if array is None or array.ndim != 1 or kinds[0] == "features" or kinds[1] not in CLASS_KINDS:
        return []
    classes = Classes.called(sources[first].names or ("",))
    if not classes.numbered or target is None:
        return []
    values = np.array([_class_of(classes, label, operation, row) for row, label in enumerate(array.tolist())])
    sources[target.name] = MemorySource(values)
    return [LosscalcNote(classes.renaming, argument=target.name)]


def _class_of(classes: Classes, label: float, operation: Operation, row: int) -> float:
    """The class that a label of a row means; one that is ignored stays as it is."""
    place = label if label == operation.settings.get("ignore_index") else classes.place(label, label)
    if place is None:
        raise DomainError(
            "a label of `target` is none of the columns of the input",
            found=label,
            argument="target",
            index=(row,),
            hint=printable(f"there are {shown_names(classes.names, ())}"),
        )
    return place


def _check_columns(name: str, frame: Any, array: Array, *, without_labels: bool, of_classes: bool) -> None:
    """Refuse a frame, which is this array, if some of its columns are no data; `name` is the argument's."""
    columns = columns_of(frame)
    names = list(map(str, columns))
    reasons = outsiders.indices(names)
    if without_labels:
        reasons |= outsiders.labels(names, [c for c in range(len(names)) if c not in reasons])
    strange = outsiders.strangers(names, [c for c in range(len(names)) if c not in reasons and of_classes])
    data = [c for c in range(len(names)) if c not in reasons and c not in strange]
    if len(data) > 1 and data[0] == 0 and outsiders.counts_rows(array[:, data]):
        reasons[0] = outsiders.COUNTS
        data = data[1:]
    remedy = _remedy(frame, columns, data)
    if strange:
        remedy += "; if all are classes, convert it by numpy.asarray"
    reasons |= strange
    if not reasons:
        return
    column = min(reasons)
    raise DataError(
        printable(f"column {names[column]!r} of `{name}` {reasons[column]}"),
        hint=printable(remedy),
        argument=name,
    )


def _remedy(frame: Any, columns: Sequence[Any], data: Sequence[int]) -> str:
    """What to give instead of a frame, as it is typed: one of its columns, or some of them."""
    wanted = [columns[c] for c in data]
    dropped = [column for c, column in enumerate(columns) if c not in set(data)]
    is_arrow = hasattr(frame, "column_names")
    table = "table" if is_arrow else "df"
    if not wanted:
        return f"if one of the columns is meant, give it alone, as {table}[{columns[0]!r}]"
    if len(wanted) == 1:
        return f"take the column of the array: {table}[{wanted[0]!r}]"
    if len(wanted) > _TYPED and len(dropped) < len(wanted):
        # pandas drops rows unless it is told what the names are of; polars has names of nothing but columns.
        way = "drop_columns(" if is_arrow else "drop(columns=" if hasattr(frame, "iloc") else "drop("
        return f"take the columns of the array: {table}.{way}{dropped!r})"
    return f"take the columns of the array: {_picked(frame, wanted)}"


def _picked(frame: Any, columns: Sequence[Any]) -> str:
    """What is typed for some columns of a frame."""
    is_arrow = hasattr(frame, "column_names")
    return f"table.select({columns!r})" if is_arrow else f"df[{columns!r}]"
