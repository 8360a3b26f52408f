"""The names of columns: those of one array held against those of another."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, product

from losscalc.engine.sources import Source
from losscalc.errors import LosscalcWarning, printable

_SEPARATORS = "_.-: ()[]/"
_COUNTED = r"(?as)(.*\D|)(\d{1,9})(\D*)"
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


def stripped(names: Sequence[str]) -> list[list[str]]:
    """The names, and what is left of them without a prefix and a suffix of all that end at a mark."""
    first, size = names[0], len(names[0])
    marks = [place for place, mark in enumerate(first) if mark in _SEPARATORS]
    starts = [0, *(i + 1 for i in marks if all(name.startswith(first[: i + 1]) for name in names))]
    ends = [0, *(size - i for i in marks if all(name.endswith(first[i:]) for name in names))]
    forms = [[name[start : len(name) - end] for name in names] for start in starts for end in ends]
    return (
        [form for form in [*forms, _counted(names)] if all(form) and form]
        if len(names) > 1
        else [list(names)]
    )


def _counted(names: Sequence[str]) -> list[str]:
    """The numbers in names that differ by nothing else, and count from 0 or 1; empty for other names.

    >>> _counted(["P(1)", "P(2)"]), _counted(["1 star", "2 stars"]), _counted(["A318", "A320"])
    (['1', '2'], ['1', '2'], [])
    """
    found = [re.fullmatch(_COUNTED, name) for name in names]
    parts = {(match[1], match[3].rstrip("s")) if match else None for match in found}
    numbers = [match[2] for match in found if match]
    is_counting = {*map(int, numbers)} in ({*range(len(names))}, {*range(1, len(names) + 1)})
    return numbers if len(parts) == 1 and is_counting else []


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
            f"`{name}` has the columns {shown_names(mine, theirs)}, and `{first}` "
            f"{shown_names(theirs, mine)}: they are taken in the order in which they stand"
        )
        hint = f"take them in the same order: {part}" if part else "bring them into one order"
        yield LosscalcWarning(printable(problem), argument=name, hint=hint)


def _crossing(names: Sequence[str], wanted: Sequence[str]) -> tuple[int, ...] | None:
    """Where the wanted names stand among others, with or without prefix and suffix; None if in order.

    Names of another case are the same, unless case is all that tells names apart.
    """
    if list(names) == list(wanted):
        return None
    folded = [[name.lower() for name in each] for each in (names, wanted)]
    if all(len({*each}) == len(each) for each in folded):
        names, wanted = folded
    pairs = product(stripped(names), stripped(wanted))
    orders = [order for mine, theirs in pairs if (order := order_of(mine, theirs)) is not None]
    return None if tuple(range(len(names))) in orders else next(iter(orders), None)


def shown_names(names: Sequence[str], others: Sequence[str]) -> str:
    """Some names; of many, those that are not among the others, or stand elsewhere there."""
    if len(names) > _SHOWN:
        known = set(others)
        names = [name for name in names if name not in known] or [
            name for name, other in zip(names, others, strict=False) if name != other
        ]
    words = [name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…" for name in names[:_SHOWN]]
    return ", ".join(words) + (", ..." if len(names) > _SHOWN else "")
