"""Columns of one name in several tables: the files of a pattern, or the arrays of a call."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, islice, product

from losscalc.engine.sources import Source
from losscalc.errors import DataError, FormatError, LosscalcWarning, printable
from losscalc.inputs.table import TableSource

_SHOWN = 10
_LONGEST = 40


def order_of(names: Sequence[str], wanted: Sequence[str]) -> tuple[int, ...] | None:
    """Where the wanted names stand among as many names; None if these are others, or one is there twice.

    >>> order_of(["dog", "cat"], ["cat", "dog"]), order_of(["dog", "cat"], ["cat", "fox"])
    ((1, 0), None)
    """
    places = {name: place for place, name in enumerate(names)}
    if len(places) != len(names) or len(names) != len(wanted) or places.keys() != set(wanted):
        return None
    return tuple(places[name] for name in wanted)


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
    shown, expected = _shown(names, wanted), _shown(wanted, names)
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
    shown, expected = _shown(names, wanted), _shown(wanted, names)
    problem = f"the columns of these numbers are {shown}, and in {first} {expected}"
    hint = None if part is None else f"take them by name: {part}"
    return LosscalcWarning(printable(problem), location=source.locate(()), hint=hint)


def crossed(sources: Mapping[str, Source]) -> Iterator[LosscalcWarning]:
    """Warnings about arrays whose columns have the names of those of the first, in another order."""
    tables = {name: source for name, source in sources.items() if len(source.names or ()) > 1}
    for name, source in islice(tables.items(), 1, None):
        first = next(iter(tables))
        mine, theirs = source.names or (), tables[first].names or ()
        order = _crossing(mine, theirs) if len(mine) == len(theirs) else None
        if order is None:
            continue
        part = source.part_of([mine[place] for place in order])
        problem = (
            f"`{name}` has the columns {_shown(mine, theirs)}, and `{first}` {_shown(theirs, mine)}: "
            "they are taken in the order in which they stand"
        )
        hint = f"take them in the same order: {part}" if part else "bring them into one order"
        yield LosscalcWarning(printable(problem), argument=name, hint=hint)


def check_apart(sources: Mapping[str, Source]) -> None:
    """Refuse whole tables that have some columns in common and some not: the common ones name their rows."""
    tables = [source for source in sources.values() if len(source.names or ()) > 1 and not source.is_chosen]
    for one, other in combinations(tables, 2):
        mine, theirs = one.names or (), other.names or ()
        own, others = ([name for name in a if name not in b] for a, b in ((mine, theirs), (theirs, mine)))
        common = [name for name in mine if name in theirs]
        if not (own and others and common):
            continue
        parts = [part for part in (one.part_of(own), other.part_of(others)) if part is not None]
        problem = (
            f"both tables have {_shown(common, ())}, beside {_shown(own, ())} here and {_shown(others, ())}"
        )
        raise FormatError(
            printable(f"{problem} in {other.locate(()) or 'the other'}, and may not be data"),
            location=one.locate(()),
            hint="name the columns of the arrays" + (f": {' and '.join(parts)}" if len(parts) > 1 else ""),
        )


def _crossing(names: Sequence[str], wanted: Sequence[str]) -> tuple[int, ...] | None:
    """Where the wanted names stand among others, with or without prefix and suffix; None if in order."""
    if list(names) == list(wanted):
        return None
    # Imported here, because few arrays have columns of several names.
    from losscalc.inputs.labels import stripped

    pairs = product(stripped(names), stripped(wanted))
    orders = [order for mine, theirs in pairs if (order := order_of(mine, theirs)) is not None]
    return None if tuple(range(len(names))) in orders else next(iter(orders), None)


def _part_of_both(source: TableSource, names: Sequence[str], others: Sequence[str]) -> str | None:
    """The part that has some names, if each is that of one column of a table, and of one of another."""
    mine, theirs = Counter(source.beside), Counter(others)
    is_in_both = all(mine[name] == 1 == theirs[name] for name in names)
    return source.part_of(names) if is_in_both else None


def _shown(names: Sequence[str], others: Sequence[str]) -> str:
    """Some names; of many, those that are not among the others, or stand elsewhere there."""
    if len(names) > _SHOWN:
        known = set(others)
        names = [name for name in names if name not in known] or [
            name for name, other in zip(names, others, strict=False) if name != other
        ]
    words = [name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…" for name in names[:_SHOWN]]
    return ", ".join(words) + (", ..." if len(names) > _SHOWN else "")
