"""Which columns of a table `#PART` means."""

import re
from collections.abc import Sequence

from losscalc.errors import FormatError, Location, printable

_RANGE = re.compile(r"(\d{1,9})(?:(-)(\d{1,9})?)?", re.ASCII)


def select_columns(part: str | None, names: Sequence[str] | None, width: int, path: str) -> list[int]:
    """The columns of a part, counted from 0: a name, `2`, `2-4`, `3-`, or several of them with commas.

    >>> select_columns("logit", ["id", "logit"], 2, "a.csv"), select_columns("1,3-", None, 4, "a.csv")
    ([1], [0, 2, 3])
    """
    if part is None:
        return list(range(width))
    # A name is looked for as a whole first: it may hold a comma, or be a number itself.
    if names is not None and part in names:
        return [_named(part, names, path)]
    chosen: list[int] = []
    for item in part.split(","):
        chosen += _item(item.strip(), names, width, path)
    return chosen


def _item(item: str, names: Sequence[str] | None, width: int, path: str) -> list[int]:
    if names is not None and item in names:
        return [_named(item, names, path)]
    match = _RANGE.fullmatch(item)
    if match is None:
        raise _no_such_column(item, names, width, path)
    first = int(match[1])
    last = int(match[3]) if match[3] else width if match[2] else first
    if not 1 <= first <= last <= width:
        raise _no_such_column(item, names, width, path)
    return list(range(first - 1, last))


def _named(name: str, names: Sequence[str], path: str) -> int:
    if names.count(name) > 1:
        raise FormatError(
            f"{names.count(name)} columns have this name",
            found=name,
            location=Location(path),
            hint=f"take one by its number: #{names.index(name) + 1}",
        )
    return names.index(name)


def _no_such_column(item: str, names: Sequence[str] | None, width: int, path: str) -> FormatError:
    if names is None:
        hint = f"columns are counted from 1 to {width}; --header yes if the first line names them"
    else:
        import difflib

        close = difflib.get_close_matches(item, names, n=1)
        listed = ", ".join(names if len(names) <= 20 else [*names[:20], "..."])
        hint = printable(f"did you mean #{close[0]}?" if close else f"the columns are {listed}")
        delimiter = next((c for c in ";\t| " if c in names[0]), None) if len(names) == 1 else None
        if delimiter is not None:
            known = {"\t": "tab", " ": "space"}
            hint = f"the columns seem to be separated by --delimiter {known.get(delimiter, repr(delimiter))}"
    return FormatError("there is no such column", found=item, location=Location(path), hint=hint)
