"""The rows of a call that come from several tables: held against one another, joined, picked and grouped."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from losscalc.core.array import Array
from losscalc.engine.sources import Group, Labels, Rows, Source, join_rows
from losscalc.engine.wrappers import Wrapper
from losscalc.errors import (
    FormatError,
    Index,
    Location,
    LosscalcNote,
    LosscalcWarning,
    Remark,
    counted,
    printable,
)
from losscalc.inputs.cells import Cell, shown_cell, text_of
from losscalc.inputs.conditions import Condition
from losscalc.inputs.feeds import Batch, Feed
from losscalc.inputs.join import Join, Joined
from losscalc.inputs.keys import differences, key_of, value_of
from losscalc.inputs.limits import GROUPS, too_many
from losscalc.inputs.witness import Difference, Witness

_SHOWN = 5
_LONGEST = 40


class Seat(NamedTuple):
    """Where the rows of a view are in a feed: in an array or in cells."""

    view: "View"
    feed: Feed
    name: str
    is_cells: bool = False


class _Pair(NamedTuple):
    """A column of two tables, by their places among the feeds."""

    column: str
    one: int
    other: int


class Lineup:
    """The feeds of a call, of which the first has the first array, read in step.

    Columns of the names in `shared` have to agree wherever they are, and those in `witnesses` must not show
    that rows are out of order; each has a hint at what to do then. Rows have to meet all conditions.
    """

    def __init__(
        self,
        feeds: Sequence[Feed],
        seats: Sequence["Seat"],
        *,
        shared: Mapping[str, str | None] = {},
        witnesses: Mapping[str, str] = {},
        conditions: Sequence[Condition] = (),
        join: Join | None = None,
    ) -> None:
        self._feeds = feeds
        self._seats = seats
        self._shared = shared
        self._hints = {**witnesses, **shared}
        self._witnesses = {pair: Witness() for column in witnesses for pair in self._pairs(column)}
        self._conditions = conditions
        self._join = join
        self._joined = None if join is None else iter(join)
        self._row = 0
        self._met = 0
        self._met_each = [0] * len(conditions)
        self._seen: list[list[Cell]] = []
        """What the first rows have in the columns of the conditions, for a hint."""
        self._origins: list[Sequence[Array]] = []
        """For each batch of a join, which rows of each table are in it, unless all are in their places."""
        for seat in seats:
            seat.view.attach(self, feeds.index(seat.feed))

    @property
    def remarks(self) -> Iterator[Remark]:
        """What there is to tell once all rows were read."""
        left_out = [] if self._join is None else self._join.left_out
        if left_out:
            count = sum(rows for _, rows in left_out)
            each = ", ".join(f"{rows} of {path}" for path, rows in left_out)
            yield LosscalcNote(f"left out {counted(count, 'row')} that not all tables have: {each}")
        if self._conditions and not self._met:
            met = " and ".join(f"{c.column} {c.comparison} {c.value}".rstrip() for c in self._conditions)
            yield LosscalcWarning(printable(f"no row meets {met}"), hint=self._why_not_met())

    def _why_not_met(self) -> str | None:
        """What stands in the column of a condition that no row meets."""
        if not self._seen:
            return None
        if all(self._met_each):
            return "each of these is met by some rows, but no row meets them all"
        number = self._met_each.index(0)
        texts = [text_of(cell) or "''" for cell in self._seen[number]]
        words = [text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…" for text in texts]
        shown = words[:_SHOWN] + ["..."] * (len(words) > _SHOWN)
        return printable(f"in the first rows, {self._conditions[number].column} is {', '.join(shown)}")

    def read_on(self, rows: int) -> bool:
        """Read some rows of all feeds, and hand them to the views; False at the end."""
        if self._joined is None:
            batches: Sequence[Batch] = [feed.take(rows) for feed in self._feeds]
        else:
            joined = next(self._joined, None)
            if joined is None:
                return False
            batches = self._placed(joined).batches
        self._compare(batches)
        excluded = self._excluded(batches)
        for view, feed, name, is_cells in self._seats:
            batch = batches[self._feeds.index(feed)]
            piece = Rows(batch.cells[name]) if is_cells else batch.arrays[name]
            if excluded is not None:
                piece = piece.excluding(_fitting(excluded, len(piece.values)))
            view.receive(piece)
        length = max(batch.length for batch in batches)
        self._row += length
        if not length:
            self._check_order()
        return bool(length) or self._joined is not None

    def origins(self, feed: int, rows: Any) -> Any:
        """Which rows of a table some rows are."""
        return np.concatenate([batch[feed] for batch in self._origins])[rows] if self._origins else rows

    def _placed(self, joined: Joined) -> Joined:
        """Keep where joined rows come from, unless each is still in its place."""
        length = len(joined.origins[0])
        stays = not self._origins and all(
            not length or (origin[0] == self._row and (np.diff(origin) == 1).all())
            for origin in joined.origins
        )
        if not stays:
            if not self._origins:
                self._origins.append([np.arange(self._row)] * len(joined.origins))
            self._origins.append(joined.origins)
        return joined

    def _compare(self, batches: Sequence[Batch]) -> None:
        """Refuse rows that do not belong together, as a column that several tables have says."""
        picking = {condition.column for condition in self._conditions}
        for column in self._shared:
            of = value_of if column in picking else key_of
            for pair in self._pairs(column):
                left, right = (batches[feed].cells[column] for feed in (pair.one, pair.other))
                for row in differences(left, right, of):
                    cells = left[row : row + 1].tolist()[0], right[row : row + 1].tolist()[0]
                    raise self._stranger(pair, Difference(self._row + row, cells))
        for pair, witness in self._witnesses.items():
            witness.see(*(batches[feed].cells[pair.column] for feed in (pair.one, pair.other)))

    def _check_order(self) -> None:
        """Refuse rows that are out of order, once all of them were read."""
        for pair, witness in self._witnesses.items():
            if witness.difference is not None and witness.is_out_of_order:
                raise self._stranger(pair, witness.difference)

    def _pairs(self, column: str) -> list["_Pair"]:
        """The first table that has a column, with each of the others that have it."""
        one, *others = [number for number, feed in enumerate(self._feeds) if column in feed.cells]
        return [_Pair(column, one, other) for other in others]

    def _stranger(self, pair: "_Pair", difference: Difference) -> FormatError:
        column = pair.column
        left, right = map(shown_cell, difference.cells)
        there, here = (self._place(column, feed, difference.row) for feed in (pair.one, pair.other))
        return FormatError(
            f"{printable(column) or 'the id'} is {right}, and {left} in {there}, whose row goes with it",
            location=here,
            hint=self._hints[column],
        )

    def _place(self, column: str, feed: int, row: int) -> Location:
        return self._feeds[feed].locate(column, int(self.origins(feed, row)))

    def _excluded(self, batches: Sequence[Batch]) -> np.ndarray | None:
        """A mask of the rows that do not meet the conditions."""
        if not self._conditions:
            return None
        columns = [
            next(batch.cells[condition.column] for batch in batches if condition.column in batch.cells)
            for condition in self._conditions
        ]
        length = min(map(len, columns))
        if length and not self._seen:
            self._seen = [list(dict.fromkeys(cells.tolist()))[: _SHOWN + 1] for cells in columns]
        holds = [c.holds(cells[:length]) for c, cells in zip(self._conditions, columns, strict=True)]
        self._met_each = [
            n + int(np.count_nonzero(each)) for n, each in zip(self._met_each, holds, strict=True)
        ]
        meets = np.logical_and.reduce(holds)
        self._met += int(np.count_nonzero(meets))
        return np.asarray(~meets)


class View(Wrapper):
    """An array whose rows come from a lineup."""

    def __init__(self, source: Source, *, is_joined: bool) -> None:
        super().__init__(source)
        self._is_joined = is_joined
        self._lineup: Lineup | None = None
        self._feed = 0
        self._waiting: deque[Rows] = deque()
        self._ended = False
        self.in_memory = self.has_header = False
        self.shape = (None, *source.shape[1:]) if is_joined and source.shape else source.shape

    def attach(self, lineup: Lineup, feed: int) -> None:
        """Take rows from a lineup, in which the array is of this feed."""
        self._lineup = lineup
        self._feed = feed

    def receive(self, piece: Rows) -> None:
        """Get the next rows."""
        if len(piece.values):
            self._waiting.append(piece)

    def take(self, rows: int) -> Rows:
        assert self._lineup is not None
        taken: list[Rows] = []
        missing = rows
        while missing:
            if not self._waiting:
                self._ended = self._ended or not self._lineup.read_on(missing)
                if self._ended and not self._waiting:
                    break
                continue
            piece = self._waiting.popleft()
            taken.append(piece.cut(0, missing))
            if len(piece.values) > missing:
                self._waiting.appendleft(piece.cut(missing, len(piece.values)))
            missing -= len(taken[-1].values)
        none = np.empty((0, *(length or 0 for length in self.shape[1:])), self.dtype)
        return join_rows(taken) if taken else Rows(none)

    def locate(self, index: Index) -> Location | None:
        if not index or self._lineup is None:
            return self._source.locate(index)
        return self._source.locate((int(self._lineup.origins(self._feed, index[0])), *index[1:]))

    def origins(self, rows: np.ndarray) -> np.ndarray:
        lineup = self._lineup
        return rows if lineup is None else lineup.origins(self._feed, rows)

    def accompany(self, others: Sequence[Source]) -> None:
        if not self._is_joined:
            self._source.accompany([each._source if isinstance(each, View) else each for each in others])


class GroupView(View, Labels):
    """The groups of rows, which have the same in a column or an array."""

    def __init__(self, source: Source, *, is_joined: bool, most: int | None = None) -> None:
        super().__init__(source, is_joined=is_joined)
        self._place = source.locate(()) or Location("--by")
        self._most = GROUPS if most is None else most
        self.dtype = np.dtype(np.intp)
        self.groups: list[Group] = []
        self._numbers: dict[Group, int] = {}
        self._known: dict[Cell, int] = {}

    def receive(self, piece: Rows) -> None:
        numbers = [self._number(cell) for cell in piece.values.tolist()]
        if len(self.groups) > self._most:
            raise too_many("the groups are", self._most, self._place)
        super().receive(piece._replace(values=np.array(numbers, np.intp)))

    def _number(self, cell: Cell) -> int:
        """The number of the group of a cell."""
        number = self._known.get(cell)
        if number is None:
            group = key_of(cell)
            number = self._numbers.setdefault(group, len(self.groups))
            self.groups += [group] * (number == len(self.groups))
            if cell == cell:
                # Each NaN is another one.
                self._known[cell] = number
        return number


def _fitting(mask: np.ndarray, length: int) -> np.ndarray:
    """A mask for an array that has fewer or more rows than it should, which is found out later."""
    return mask[:length] if len(mask) >= length else np.append(mask, np.ones(length - len(mask), bool))
