"""The columns beside the arrays of a call, by which rows are compared, joined, picked and grouped."""

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from losscalc.engine.sources import Source
from losscalc.errors import FormatError, Location, Remark, UsageError, option_name, printable
from losscalc.inputs.address import Address, open_array
from losscalc.inputs.conditions import Condition, column_meant, find_condition
from losscalc.inputs.feeds import Feed
from losscalc.inputs.join import Join
from losscalc.inputs.lineup import Lineup, Seat, View
from losscalc.inputs.options import Reading
from losscalc.inputs.parts import quoted
from losscalc.inputs.table import identifies

GROUPS = "by"
"""The name of the array by whose values rows are grouped."""


_SHOWN = 20


class Place(NamedTuple):
    """An array of a call: where it is, how that is read, and its source."""

    address: Address
    reading: Reading
    source: Source


class Group(NamedTuple):
    """The arrays that are read from one table, by name."""

    places: dict[str, Place]

    @property
    def columns(self) -> Sequence[str]:
        """The names of the columns of the table."""
        return self.first.source.beside

    @property
    def first(self) -> Place:
        """The first of the arrays."""
        return next(iter(self.places.values()))

    def feed(self, columns: Collection[str]) -> Feed:
        """The arrays, and the cells of some columns, which are opened."""
        address, reading, _ = self.first
        beside = reading._replace(is_beside=True)
        cells = {
            column: open_array(address._replace(part=column), column, beside)
            for column in self.columns
            if column in columns
        }
        return Feed({name: place.source for name, place in self.places.items()}, cells)


class Companions:
    """The tables of a call, and the columns of them that its options name.

    `views` are the arrays as they are once their rows are in step, for those that have rows in common.
    """

    def __init__(self, places: Mapping[str, Place], options: Reading) -> None:
        self._options = options
        self._groups: list[Group] = []
        for name, place in places.items():
            group = next((g for g in self._groups if g.first.address.is_beside(place.address)), None)
            if group is None:
                self._groups.append(Group({name: place}))
            else:
                group.places[name] = place
        self._conditions = [self._condition(text) for text in options.where]
        self._ids = set() if options.no_key or options.key is not None else self._shared_ids()
        self.views = {
            name: View(place.source, is_joined=options.key in group.columns, is_key=name == GROUPS)
            for group in self._groups
            for name, place in group.places.items()
        }
        self._feeds: list[Feed] = []
        self._lineup: Lineup | None = None
        self.groups: Source | None = None
        """What tells which group each row is of."""

    @property
    def is_needed(self) -> bool:
        """Whether rows have to be compared, joined, picked or grouped."""
        return bool(self._ids) or not self.only_compares

    @property
    def only_compares(self) -> bool:
        """Whether no option asks for more than that rows with ids belong together."""
        return not (self._conditions or self._options.key is not None or self._options.by is not None)

    @property
    def remarks(self) -> Iterator[Remark]:
        """What there is to tell once all rows were read."""
        yield from () if self._lineup is None else self._lineup.remarks

    def line_up(self, rows: Collection[str]) -> None:
        """Put the arrays of these names, which have rows in common, in step."""
        key, by = self._options.key, self._options.by
        groups = [Group({n: p for n, p in group.places.items() if n in rows}) for group in self._groups]
        groups = [group for group in groups if group.places]
        for group in groups:
            self._check_key(group)
        named = {*self._ids, *(c.column for c in self._conditions), *filter(None, (key, by))}
        self._feeds = feeds = [group.feed(named) for group in groups]
        seats = [Seat(self.views[name], feed, name) for feed in feeds for name in feed.arrays]
        self.groups = self.views.get(GROUPS)
        feed = next((feed for feed in feeds if by in feed.cells), None)
        if self.groups is None and by is not None and feed is not None:
            self.groups = View(feed.cells[by], is_joined=key is not None, is_key=True)
            seats.append(Seat(self.groups, feed, by, is_cells=True))
        self._lineup = Lineup(
            feeds,
            seats,
            shared=sorted(named - {key}),
            conditions=self._conditions,
            join=None if key is None else Join(feeds, key, inner=self._options.inner),
        )

    def close(self) -> None:
        """Close what was opened for columns beside arrays."""
        for feed in self._feeds:
            feed.close()
        if GROUPS in self.views:
            self.views[GROUPS].close()

    def _check_key(self, group: Group) -> None:
        """Refuse an array without the key by which rows are joined."""
        key = self._options.key
        if key is None or key in group.columns:
            return
        name, place = next(iter(group.places.items()))
        where = "" if place.address.path is None else f" of {printable(place.address.text)}"
        raise UsageError(
            f"{option_name(name)}{where} has no column to join rows by",
            found=key,
            hint=nearest(key, group.columns, "--key"),
        )

    def _condition(self, text: str) -> Condition:
        names = [name for group in self._groups for name in group.columns]
        found = find_condition(text, names)
        if found is None:
            word = column_meant(text)
            raise no_column(word, names, "--where", text.strip()[len(word) :])
        return found

    def _shared_ids(self) -> set[str]:
        """The ids that several tables have."""
        columns = [{name for name in group.columns if identifies(name)} for group in self._groups]
        return {
            name for i, names in enumerate(columns) for name in names if any(name in o for o in columns[:i])
        }


def no_column(word: str, names: Sequence[str], option: str, rest: str = "") -> FormatError:
    """The error about a column that no table has; `rest` is what stands behind its name in the option."""
    hint = nearest(word, names, option, rest) if names else "no array is a table with named columns"
    return FormatError("there is no such column", found=word, location=Location(option), hint=hint)


def nearest(word: str, names: Sequence[str], option: str, rest: str = "") -> str | None:
    """What to type instead of the name of a column that is not there."""
    if close := difflib.get_close_matches(word, names, n=1):
        return f"did you mean {option} {quoted(close[0] + rest)}?"
    shown = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
    return printable(f"the columns are {shown}") if names else None
