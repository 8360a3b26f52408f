"""Columns of one name in several tables, the files of a pattern or the arrays of a call."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations, takewhile

from losscalc.engine.columns import order_of, shown_names
from losscalc.engine.sources import Source
from losscalc.errors import DataError, FormatError, LosscalcWarning, printable
from losscalc.inputs.table import TableSource


def reordered(
    source: TableSource, first: str, wanted: Sequence[str], beside: Sequence[str]
) -> tuple[int, ...]:
    """The columns of a file of a pattern in the order of the first file; refuses columns of other names.

    `wanted` are the columns that are read of the first file, and `beside` all that it has.
    """
    order = order_of(source.names or (), wanted)
    if order is None:
        raise _other_names(source, first, wanted, beside)
    return tuple(source.chosen[place] for place in order)


def _other_names(source: TableSource, first: str, wanted: Sequence[str], beside: Sequence[str]) -> DataError:
    """The error about a file of a pattern whose columns are not called as those of the first."""
    names = source.names or ()
    shown, expected = shown_names(names, wanted), shown_names(wanted, names)
    parts = (_part_of_both(source, some, beside) for some in (wanted, names))
    part = next(filter(None, parts), None)
    hint = None if part is None else f"take the columns that both have: {part}"
    if hint is None and len(names) == len(wanted):
        numbers = source.columns.by_number(source.chosen)
        hint = None if numbers is None else f"if they are the same columns in the same order: {numbers}"
    return DataError(
        printable(f"its columns are {shown}, those of {first} {expected}"),
        location=source.locate(()),
        hint=hint or "give the columns one name in all files",
    )


def renumbered(
    source: TableSource, first: str, wanted: Sequence[str], beside: Sequence[str]
) -> LosscalcWarning:
    """The warning about columns that were asked for by number, and are called otherwise in the first file."""
    names = source.names or ()
    part = _part_of_both(source, wanted, beside)
    shown, expected = shown_names(names, wanted), shown_names(wanted, names)
    problem = f"the columns of these numbers are {shown}, and in {first} {expected}"
    hint = None if part is None else f"take them by name: {part}"
    return LosscalcWarning(printable(problem), location=source.locate(()), hint=hint)


def check_apart(sources: Mapping[str, Source]) -> None:
    """Refuse whole tables that begin with the same columns and have no others in common: these name rows."""
    tables = [source for source in sources.values() if len(source.names or ()) > 1 and not source.is_chosen]
    for one, other in combinations(tables, 2):
        mine, theirs = one.names or (), other.names or ()
        common = [name for name, _ in takewhile(_are_one, zip(mine, theirs, strict=False))]
        own, others = mine[len(common) :], theirs[len(common) :]
        is_clear = set(own).isdisjoint(others) and set(common).isdisjoint([*own, *others])
        if not (own and others and common and is_clear):
            continue
        parts = [part for part in (one.part_of(own), other.part_of(others)) if part is not None]
        shared, here, there = (shown_names(names, ()) for names in (common, own, others))
        place = other.locate(()) or "the other"
        raise FormatError(
            printable(
                f"both tables have {shared}, beside {here} here and {there} in {place}, and may not be data"
            ),
            location=one.locate(()),
            hint="name the columns of the arrays" + (f": {' and '.join(parts)}" if len(parts) > 1 else ""),
        )


def _are_one(names: tuple[str, str]) -> bool:
    return names[0] == names[1]


def _part_of_both(source: TableSource, names: Sequence[str], others: Sequence[str]) -> str | None:
    """The part that has some names, if each is that of one column of a table, and of one of another."""
    mine, theirs = Counter(source.beside), Counter(others)
    is_in_both = all(mine[name] == 1 == theirs[name] for name in names)
    return source.part_of(names) if is_in_both else None
