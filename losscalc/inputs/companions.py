"""The columns beside the arrays of a call, by which rows are compared, joined, picked and grouped."""

import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from losscalc.core.array import show_shape
from losscalc.engine.outsiders import identifies
from losscalc.engine.sources import Labels, Source
from losscalc.errors import FormatError, Location, Remark, ShapeError, UsageError, option_name, printable
from losscalc.inputs.address import Address, open_array
from losscalc.inputs.options import Reading
from losscalc.inputs.parts import quoted

if TYPE_CHECKING:
    # Few calls need them, and every one would wait for them.
    from losscalc.inputs.conditions import Condition
    from losscalc.inputs.feeds import Feed
    from losscalc.inputs.lineup import GroupView, Lineup, View

GROUPS = "by"
"""The name of the array by whose values rows are grouped."""

_SHOWN = 20
# Columns that tell rows apart stand in front; to read all of wide tables would take long.
_MOST_WITNESSES = 4


class Place(NamedTuple):
    """An array of a call: where it is, how that is read, and its source."""

    address: Address
    reading: Reading
    source: Source


class Table:
    """The arrays that are read from one table, by name."""

    def __init__(self, places: dict[str, Place]) -> None:
        self.places = places

    @property
    def first(self) -> Place:
        """The first of the arrays."""
        return next(iter(self.places.values()))

    @property
    def columns(self) -> Sequence[str]:
        """The names of the columns of the table."""
        return self.first.source.beside

    @property
    def ids(self) -> set[str]:
        """The columns that tell rows apart."""
        return {name for name, count in Counter(self.columns).items() if count == 1 and identifies(name)}

    def feed(self, columns: Collection[str]) -> "Feed":
        """The arrays, and the cells of some columns, which are opened."""
        from losscalc.inputs.feeds import Feed

        address, reading, source = self.first
        cells = {}
        for name in columns:
            count = self.columns.count(name)
            if count > 1:
                problem, place = f"{count} columns have this name", source.locate(())
                raise FormatError(problem, found=name, location=place)
            if name in source.labels:
                cells[name] = source.labels[name]
            elif count:
                beside = reading._replace(is_beside=True, columns=None)
                part = part_beside(name, address.part, source)
                cells[name] = open_array(address._replace(part=part), name, beside)
        return Feed({name: place.source for name, place in self.places.items()}, cells)


class Companions:
    """The tables of a call, and the columns of them that its options name.

    `views` are the arrays as they are once their rows are in step, for those that have rows in common. `by`
    is where the groups of the rows are, and how that is read, if it is no column.
    """

    def __init__(
        self,
        places: Mapping[str, Place],
        options: Reading,
        by: tuple[Address, Reading] | None = None,
        *,
        is_far: bool = False,
    ) -> None:
        self._places = places
        self._options = options
        self._by = by
        self._has_ids = bool(_shared_ids(_tables(places)))
        self._has_witnesses = not is_far and bool(_witnesses(_tables(places)))
        self.groups: Labels | None = None
        """The groups of the rows."""
        self._feeds: list[Feed] = []
        self._lineup: Lineup | None = None
        self._opened: GroupView | None = None

    @cached_property
    def views(self) -> "dict[str, View]":
        """The arrays as they are once their rows are in step, for those that have rows in common."""
        from losscalc.inputs.lineup import View

        return {
            name: View(place.source, is_joined=self._options.key in place.source.beside)
            for name, place in self._places.items()
        }

    @property
    def is_needed(self) -> bool:
        """Whether rows have to be compared, joined, picked or grouped."""
        may_compare = not self._options.no_key and (self._has_ids or self._has_witnesses)
        return not self.only_compares or may_compare

    @property
    def only_compares(self) -> bool:
        """Whether no option asks for more than that rows with ids belong together."""
        return not self._options.where and self._options.key is None and self._options.by is None

    @property
    def way(self) -> str | None:
        """What joins rows that do not belong together, as far as columns of ids tell."""
        is_asked_for = self._options.key is not None or self._options.no_key
        ids = set() if is_asked_for else _shared_ids(_tables(self._places))
        return f"--key {quoted(min(ids))} joins the rows by it" if ids else None

    @property
    def remarks(self) -> Iterator[Remark]:
        """What there is to tell once all rows were read."""
        yield from () if self._lineup is None else self._lineup.remarks

    def line_up(self, rows: Collection[str]) -> None:
        """Put the arrays of these names, which have rows in common, in step."""
        from losscalc.inputs.join import Join
        from losscalc.inputs.lineup import GroupView, Lineup, Seat

        key, by = self._options.key, self._options.by
        places = {name: place for name, place in self._places.items() if name in rows}
        columns = list(dict.fromkeys(name for place in places.values() for name in place.source.beside))
        if by is not None and by not in columns:
            places[GROUPS] = self._open_groups(columns)
        tables = _tables(places)
        self._check_key(tables)
        conditions = [_condition(text, tables) for text in self._options.where]
        hints = self._shared(tables, {condition.column for condition in conditions})
        witnesses = self._witnessing(tables, hints)
        beside = [*hints, *witnesses, *([] if key is None else [key])]
        self._feeds = feeds = [table.feed(beside) for table in tables]
        seats = [Seat(self.views[name], feed, name) for feed in feeds for name in feed.arrays]
        feed = next((feed for feed in feeds if by in feed.cells), None)
        if by is not None and feed is not None:
            most = self._options.max_size
            self.groups = groups = GroupView(feed.cells[by], is_joined=key is not None, most=most)
            seats.append(Seat(groups, feed, by, is_cells=True))
        join = None if key is None else Join(feeds, key, inner=self._options.inner)
        self._lineup = Lineup(
            feeds, seats, shared=hints, witnesses=witnesses, conditions=conditions, join=join
        )

    def close(self) -> None:
        """Close what was opened for columns beside arrays."""
        for feed in self._feeds:
            feed.close()
        if self._opened is not None:
            self._opened.close()

    def _open_groups(self, columns: Sequence[str]) -> Place:
        """The array of the groups."""
        from losscalc.engine.wrappers import Column
        from losscalc.inputs.lineup import GroupView

        assert self._by is not None
        address, reading = self._by
        path = address.path
        if path is not None and address.part is None and not address.paths and not os.path.lexists(path):
            raise _no_column(address.text, columns, "--by")
        source = open_array(address, "--by", reading._replace(is_beside=True))
        source = source.as_vector() or (Column(source) if source.shape[1:] == (1,) else source)
        is_joined = self._options.key is not None
        groups = GroupView(source, is_joined=is_joined, most=reading.max_size)
        self.groups = self.views[GROUPS] = self._opened = groups
        if len(source.shape) != 1:
            raise ShapeError(
                f"`{GROUPS}` has shape {show_shape(source.shape)}, and is one group per row, (N,)",
                hint="take one column of a file as FILE#NAME or FILE#2",
            )
        return Place(address, reading, source)

    def _shared(self, tables: Sequence[Table], asked: set[str]) -> dict[str, str | None]:
        """The columns that have to agree in all tables, and what to do where they do not."""
        key, by = self._options.key, self._options.by
        ids = _shared_ids(tables)
        asked |= {by for table in tables if by is not None and by in table.columns}
        compared = asked if key is not None or self._options.no_key else asked | ids
        hints: dict[str, str | None] = {}
        for name in sorted(compared - {key}):
            best = name if name in ids else min(ids, default=None)
            way = "" if best is None else f"--key {quoted(best)} joins the rows by it"
            otherwise = "" if name in asked else ", --no-key takes them as they stand"
            hints[name] = None if key is not None else way + otherwise or None
        return hints

    def _witnessing(self, tables: Sequence[Table], known: Collection[str]) -> dict[str, str]:
        """The columns that may show rows out of order, and what to do then."""
        if self._options.key is not None or self._options.no_key or not self._has_witnesses:
            return {}
        return {
            name: f"--key {quoted(name)} joins the rows by it, --no-key takes them as they stand"
            for name in _witnesses(tables)
            if name not in known
        }

    def _check_key(self, tables: Sequence[Table]) -> None:
        """Refuse an array without the key by which rows are joined."""
        key = self._options.key
        table = next((table for table in tables if key not in table.columns), None)
        if key is None or table is None:
            return
        name, place = next(iter(table.places.items()))
        where = "" if place.address.path is None else f" of {printable(place.address.text)}"
        common = [name for name in table.columns if all(name in other.columns for other in tables)]
        hint = _nearest(key, common, "--key", what="columns that all have") or _columns(table.columns)
        raise UsageError(
            f"{option_name(name)}{where} has no column to join rows by",
            found=key,
            hint=hint or "--header yes if the first line of a file names its columns; else leave `key` out",
        )


def part_beside(name: str, part: str | None, source: Source) -> str:
    """The part that means a column of the table that a part is of."""
    if part is None or not part.startswith("/"):
        return source.within + name
    # Only JSON has pointers, and few calls need it.
    from losscalc.inputs.contents import beside

    return beside(part, name)


def _tables(places: Mapping[str, Place]) -> list[Table]:
    """The tables that arrays are read from."""
    tables: list[Table] = []
    for name, place in places.items():
        for table in tables:
            first = table.first
            if first.address.is_beside(place.address) and first.source.table == place.source.table:
                table.places[name] = place
                break
        else:
            tables.append(Table({name: place}))
    return tables


def _shared_ids(tables: Sequence[Table]) -> set[str]:
    """The ids that several tables have, and that are no array of the call: some labels are called so, too."""
    counts = Counter(name for table in tables for name in table.ids)
    places = [place for table in tables for place in table.places.values()]
    taken = {name for place in places for name in place.source.names or ()}
    return {name for name, count in counts.items() if count > 1} - taken


def _witnesses(tables: Sequence[Table]) -> list[str]:
    """The first columns that several tables have, and that are neither ids nor arrays of the call."""
    taken = {name for table in tables for place in table.places.values() for name in place.source.names or ()}
    taken |= {name for table in tables for name in table.ids}
    counts: Counter[str] = Counter()
    for table in tables:
        own = Counter(table.first.source.witnesses)
        counts.update(name for name, times in own.items() if times == 1 and name not in taken)
    names = [name for name, times in counts.items() if times > 1]
    return names[:_MOST_WITNESSES]


def _condition(text: str, tables: Sequence[Table]) -> "Condition":
    from losscalc.inputs.conditions import check_value, column_meant, find_condition

    names = list(dict.fromkeys(name for table in tables for name in table.columns))
    found = find_condition(text, names)
    if found is None:
        word = column_meant(text)
        raise _no_column(word, names, "--where", text.strip()[len(word) :])
    check_value(found, text, names)
    # Read as a whole, a table is left without the column that the condition is on as far as its names tell.
    wholes = [t for t in tables if any(place.address.part is None for place in t.places.values())]
    if any(find_condition(text, table.columns) not in (None, found) for table in wholes):
        hint = "name the columns of each array: FILE#NAME or FILE#2-"
        problem, place = "the condition can be read in two ways", Location("--where")
        raise FormatError(problem, found=text, location=place, hint=hint)
    return found


def _no_column(word: str, names: Sequence[str], option: str, rest: str = "") -> FormatError:
    """The error about a column that no table has; `rest` is what stands behind its name in the option."""
    hint = _nearest(word, names, option, rest) or "no array is a table with named columns"
    return FormatError("there is no such column", found=word, location=Location(option), hint=hint)


def _nearest(
    word: str, names: Sequence[str], option: str, rest: str = "", what: str = "columns"
) -> str | None:
    """What to type instead of the name of a column that is not there."""
    import difflib

    if close := difflib.get_close_matches(word, names, n=1):
        return f"did you mean {option} {quoted(close[0] + rest)}?"
    return _columns(names, what)


def _columns(names: Sequence[str], what: str = "columns") -> str | None:
    """The first names of columns, if there are any."""
    shown = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
    return printable(f"the {what} are {shown}") if names else None
