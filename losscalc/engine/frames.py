"""DataFrames and other tables in memory, held to the rules of tables in files by the names of columns."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from losscalc.core.array import Array
from losscalc.engine import outsiders
from losscalc.errors import DataError, DTypeError, printable

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


def check_columns(name: str, frame: Any, array: Array, *, without_labels: bool) -> None:
    """Refuse a frame, which is this array, if some of its columns are no data; `name` is the argument's."""
    columns = columns_of(frame)
    if len(columns) < 2 or array.ndim != 2 or array.shape[1] != len(columns):
        return
    names = list(map(str, columns))
    reasons = outsiders.indices(names)
    if without_labels:
        reasons |= outsiders.labels(names, [c for c in range(len(names)) if c not in reasons])
    data = [c for c in range(len(names)) if c not in reasons]
    if len(data) > 1 and data[0] == 0 and outsiders.counts_rows(array[:, data]):
        reasons[0] = outsiders.COUNTS
        data = data[1:]
    if not reasons:
        return
    column = min(reasons)
    raise DataError(
        printable(f"column {names[column]!r} of `{name}` {reasons[column]}"),
        hint=printable(_remedy(frame, columns, data)),
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
    some = f".select({wanted!r})" if is_arrow else f"[{wanted!r}]"
    return f"take the columns of the array: {table}{some}"
