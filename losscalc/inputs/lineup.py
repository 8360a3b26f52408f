"""The rows of a call that come from several tables: held against one another, joined, picked and grouped."""

from bisect import bisect_right
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from losscalc.core.array import Array
from losscalc.engine.sources import Rows, Source, Wrapper, join_rows
from losscalc.errors import FormatError, Index, Location, LosscalcNote, LosscalcWarning, Remark, printable
from losscalc.inputs.cells import as_cells
from losscalc.inputs.conditions import Condition
from losscalc.inputs.feeds import Batch, Feed, first_difference, keys_of
from losscalc.inputs.join import Join, Joined
from losscalc.inputs.parts import quoted

_SHOWN = 5


class Seat(NamedTuple):
    """Where the rows of a view are in a feed: in an array or in cells."""

    view: "View"
    feed: Feed
    name: str
    is_cells: bool = False


class Lineup:
    """The feeds of a call, of which the first has the first array, read in step.

    Columns of the names in `shared` have to agree wherever they are; rows have to meet all conditions.
    """

    def __init__(
        self,
        feeds: Sequence[Feed],
        seats: Sequence["Seat"],
        *,
        shared: Collection[str] = (),
        conditions: Sequence[Condition] = (),
        join: Join | None = None,
    ) -> None:
        self._feeds = feeds
        self._seats = seats
        self._shared = shared
        self._conditions = conditions
        self._join = join
        self._joined = None if join is None else iter(join)
        self._row = 0
        self._met = 0
        self._seen: list[str] = []
        """What the first rows have in the column of the first condition, for a hint."""
        self._origins: list[tuple[int, Sequence[Array]]] = []
        """For each batch of a join, its first row and the rows of the tables that are in it."""
        for seat in seats:
            seat.view.attach(self, feeds.index(seat.feed))

    @property
    def remarks(self) -> Iterator[Remark]:
        """What there is to tell once all rows were read."""
        if self._join is not None and self._join.left_out:
            rows = "1 row" if self._join.left_out == 1 else f"{self._join.left_out} rows"
            yield LosscalcNote(f"left out {rows} that not all tables have")
        if self._conditions and not self._met:
            met = " and ".join(f"{c.column} {c.comparison} {c.value}" for c in self._conditions)
            column = self._conditions[0].column
            yield LosscalcWarning(
                printable(f"no row meets {met}"),
                hint=printable(f"in the first rows, {column} is {', '.join(self._seen)}")
                if self._seen
                else None,
            )

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
        return bool(length) or self._joined is not None

    def origin(self, feed: int, row: int) -> int:
        """Which row of a table a row is."""
        if not self._origins:
            return row
        start, origins = self._origins[bisect_right(self._origins, row, key=lambda batch: batch[0]) - 1]
        return int(origins[feed][row - start])

    def close(self) -> None:
        """Close what is open only for the cells beside arrays."""
        for feed in self._feeds:
            feed.close()

    def _placed(self, joined: Joined) -> Joined:
        """Keep where joined rows come from, unless each is still in its place."""
        length = len(joined.origins[0])
        stays = not self._origins and all(
            not length or (origin[0] == self._row and (np.diff(origin) == 1).all())
            for origin in joined.origins
        )
        if not stays:
            if not self._origins and self._row:
                self._origins.append((0, [np.arange(self._row)] * len(joined.origins)))
            self._origins.append((self._row, joined.origins))
        return joined

    def _compare(self, batches: Sequence[Batch]) -> None:
        """Refuse rows that do not belong together, as a column that several tables have says."""
        for column in self._shared:
            having = [number for number, feed in enumerate(self._feeds) if column in feed.cells]
            for other in having[1:]:
                one = having[0]
                row = first_difference(batches[one].cells[column], batches[other].cells[column])
                if row is not None:
                    raise self._stranger(column, one, other, row, batches)

    def _stranger(self, column: str, one: int, other: int, row: int, batches: Sequence[Batch]) -> FormatError:
        cells = [batches[number].cells[column][row] for number in (one, other)]
        left, right = (f"{cell:.17g}" if isinstance(cell, float) else repr(cell) for cell in cells)
        place = self._feeds[one].locate(column, self.origin(one, self._row + row))
        name = printable(column)
        hint = (
            f"--key {quoted(column)} joins the rows by it, --no-key takes them as they stand"
            if self._join is None
            else None
        )
        return FormatError(
            f"{name} is {right}, and {left} in {place}, whose row goes with it",
            location=self._feeds[other].locate(column, self.origin(other, self._row + row)),
            hint=hint,
        )

    def _excluded(self, batches: Sequence[Batch]) -> np.ndarray | None:
        """A mask of the rows that do not meet the conditions."""
        if not self._conditions:
            return None
        columns = [
            next(batch.cells[condition.column] for batch in batches if condition.column in batch.cells)
            for condition in self._conditions
        ]
        length = min(map(len, columns))
        if not self._row and length:
            self._seen = [
                f"{cell:g}" if isinstance(cell, float) else cell
                for cell in dict.fromkeys(columns[0].tolist())
            ]
            self._seen = self._seen[:_SHOWN] + ["..."] * (len(self._seen) > _SHOWN)
        holds = [c.holds(cells[:length]) for c, cells in zip(self._conditions, columns, strict=True)]
        meets = np.logical_and.reduce(holds)
        self._met += int(np.count_nonzero(meets))
        return np.asarray(~meets)


class View(Wrapper):
    """An array whose rows come from a lineup; `is_key` is for texts and numbers that tell groups apart."""

    def __init__(self, source: Source, *, is_joined: bool, is_key: bool = False) -> None:
        super().__init__(source)
        self._is_key = is_key
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
            self._waiting.append(
                piece._replace(values=as_cells(keys_of(piece.values))) if self._is_key else piece
            )

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
        return self._source.locate((self._lineup.origin(self._feed, index[0]), *index[1:]))


def _fitting(mask: np.ndarray, length: int) -> np.ndarray:
    """A mask for an array that has fewer or more rows than it should, which is found out later."""
    return mask[:length] if len(mask) >= length else np.append(mask, np.ones(length - len(mask), bool))
