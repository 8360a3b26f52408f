"""Joins the rows of several tables by a column of keys, in the order of the first table.

As long as the keys stand in the same order everywhere, rows are passed on as they are read. From the first
row on in which they do not, the smaller side is held: what the other tables have left, or the rest of the
first table and its partners.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from losscalc.core.array import Array
from losscalc.errors import FormatError, counted, printable
from losscalc.inputs.cells import Cell, shown_cell
from losscalc.inputs.feeds import Batch, Feed, join_batches
from losscalc.inputs.keys import Marks, Seen, differences, found_in, marks

_STEP = 1 << 16
_SHOWN = 3


class Joined(NamedTuple):
    """Rows of all tables that belong together, in the order of the first table."""

    batches: Sequence[Batch]
    origins: Sequence[Array]
    """For each table, which of its rows these are."""


class Strays(NamedTuple):
    """Rows without a partner, or with the key of another: how many, and the first of them with their keys."""

    number: int = 0
    first: tuple[tuple[int, Cell], ...] = ()

    def with_rows(self, rows: Array, keys: Array) -> "Strays":
        """These and more rows of the table."""
        pairs = [*self.first, *zip(rows[:_SHOWN].tolist(), keys[:_SHOWN].tolist(), strict=True)]
        return Strays(self.number + len(rows), tuple(sorted(pairs, key=lambda pair: pair[0])[:_SHOWN]))

    def __str__(self) -> str:
        words = [shown_cell(key) for _, key in self.first]
        return ", ".join(words + ["..."] * (self.number > len(words)))


class Held(NamedTuple):
    """Some rows of a table, with the marks of their keys, and which rows of it they are."""

    batch: Batch
    marks: Marks
    origins: Array

    def picked(self, rows: Array) -> "Held":
        """Some of the rows, in any order."""
        return Held(self.batch.picked(rows), self.marks[rows], self.origins[rows])

    @classmethod
    def joined(cls, pieces: Sequence["Held"]) -> "Held":
        """The rows of all pieces."""
        batches, found, origins = zip(*pieces, strict=True)
        return cls(join_batches(batches), np.concatenate(found), np.concatenate(origins))


class Side:
    """One of the tables that are joined, and what is known of its keys."""

    def __init__(self, feed: Feed, key: str) -> None:
        self.feed = feed
        self._key = key
        self.read = 0
        """How many rows were read."""
        self.seen = Seen()
        self.twice = Strays()
        """The rows whose key stands in a row above."""

    @property
    def path(self) -> str:
        """The file."""
        return printable(self.feed.locate(self._key).path)

    def keys(self, batch: Batch) -> Array:
        """The keys of some rows."""
        return batch.cells[self._key]

    def held(self, batch: Batch) -> Held:
        """The next rows, after a look at whether their keys came before."""
        keys = self.keys(batch)
        found, origins = marks(keys), np.arange(self.read, self.read + len(keys))
        again = self.seen.repeated(found)
        self.twice = self.twice.with_rows(origins[again], keys[again])
        self.read += len(keys)
        return Held(batch, found, origins)

    def rest(self, head: Batch) -> Iterator[Held]:
        """These rows, and all behind them, some at a time."""
        yield self.held(head)
        while len(self.keys(head)) == _STEP:
            head = self.feed.take(_STEP)
            yield self.held(head)


class Pool:
    """The rows of a table that are held, to be found by their key.

    `wanted` are the marks of the only keys that will be looked for, sorted, if they are known.
    """

    def __init__(self, side: Side, pieces: Iterable[Held], wanted: Marks | None) -> None:
        self._side = side
        self._strays = Strays()
        held = []
        for piece in pieces:
            if wanted is not None:
                is_wanted = found_in(wanted, piece.marks) >= 0
                strays = piece.picked(np.flatnonzero(~is_wanted))
                self._strays = self._strays.with_rows(strays.origins, side.keys(strays.batch))
                piece = piece.picked(np.flatnonzero(is_wanted))
            held.append(piece)
        self._held = Held.joined(held)
        self._order = np.argsort(self._held.marks, kind="stable")
        self._run = self._held.marks[self._order]
        self._is_found = np.zeros(len(self._run), bool)

    def find(self, piece: Held) -> Array:
        """Where the keys of some rows of another table are, -1 where they are not."""
        order = np.argsort(piece.marks)
        found = np.empty(len(order), np.intp)
        found[order] = found_in(self._run, piece.marks[order])
        rows = np.flatnonzero(found >= 0)
        found[rows] = self._order[found[rows]]
        # By chance, another key might have the same mark.
        theirs = self._side.keys(self._held.batch)[found[rows]]
        found[rows[list(differences(self._side.keys(piece.batch)[rows], theirs))]] = -1
        self._is_found[found[found >= 0]] = True
        return found

    def picked(self, places: Array) -> Held:
        """The rows in some places."""
        return self._held.picked(places)

    @property
    def strays(self) -> Strays:
        """The rows that nothing was found for, once all keys were looked for."""
        lonely = ~self._is_found
        return self._strays.with_rows(self._held.origins[lonely], self._side.keys(self._held.batch)[lonely])


class Join:
    """A join of tables, and what came of it."""

    def __init__(self, feeds: Sequence[Feed], key: str, *, inner: bool) -> None:
        self._key = key
        self._sides = [Side(feed, key) for feed in feeds]
        self._inner = inner
        self._rows = 0
        """How many rows were joined."""

    @property
    def left_out(self) -> list[tuple[str, int]]:
        """How many rows of each table were left out for lack of a partner, where there are any."""
        counts = [(side.path, side.read - self._rows) for side in self._sides]
        return [(path, count) for path, count in counts if count]

    def __iter__(self) -> Iterator[Joined]:
        first, *others = self._sides
        while True:
            batches = [side.feed.take(_STEP) for side in self._sides]
            keys, *more = [side.keys(batch) for side, batch in zip(self._sides, batches, strict=True)]
            if not all(_are_alike(keys, each) for each in more):
                break
            origins = first.held(batches[0]).origins
            for side in others:
                side.read = first.read
            self._rows = first.read
            yield Joined(batches, [origins] * len(batches))
            if len(keys) < _STEP:
                self._check_twice()
                return
        for side in others:
            side.seen = first.seen.copy()
        yield from self._in_other_order(batches)

    def _in_other_order(self, heads: Sequence[Batch]) -> Iterator[Joined]:
        """The rows from the first on that stand in different orders."""
        firsts: Iterable[Held]
        firsts, *rests = [side.rest(head) for side, head in zip(self._sides, heads, strict=True)]
        wanted = None
        if self._is_first_smaller():
            firsts = [Held.joined(list(firsts))]
            wanted = np.sort(firsts[0].marks)
        pools = [Pool(side, rest, wanted) for side, rest in zip(self._sides[1:], rests, strict=True)]
        lacking = [Strays() for _ in pools]
        for piece in firsts:
            places = [pool.find(piece) for pool in pools]
            keys = self._sides[0].keys(piece.batch)
            for number, found in enumerate(places):
                lacking[number] = lacking[number].with_rows(piece.origins[found < 0], keys[found < 0])
            rows = np.flatnonzero(np.logical_and.reduce([found >= 0 for found in places]))
            together = [piece.picked(rows), *(p.picked(f[rows]) for p, f in zip(pools, places, strict=True))]
            self._rows += len(rows)
            yield Joined([each.batch for each in together], [each.origins for each in together])
        self._check_twice()
        if not self._inner:
            self._check_partners(lacking, [pool.strays for pool in pools])

    def _is_first_smaller(self) -> bool:
        """Whether the first table with its partners is likely smaller than any of the others."""
        first, *others = (side.feed.size() for side in self._sides)
        return first is not None and all(size is None or 2 * first < size for size in others)

    def _check_twice(self) -> None:
        """Refuse a key that is in a table twice, as nobody knows which of its rows is meant."""
        for side in self._sides:
            if side.twice.number:
                what = f"{counted(side.twice.number, 'row')} {'has' if side.twice.number == 1 else 'have'}"
                raise FormatError(
                    f"{what} the {printable(self._key)} of a row above: {side.twice}",
                    location=side.feed.locate(self._key, side.twice.first[0][0]),
                )

    def _check_partners(self, lacking: Sequence[Strays], additional: Sequence[Strays]) -> None:
        """Refuse rows without a partner."""
        first, *others = self._sides
        for side, missing, more in zip(others, lacking, additional, strict=True):
            cases = [case for case in ((missing, first, side), (more, side, first)) if case[0].number]
            if cases:
                strays, has, _ = cases[0]
                raise FormatError(
                    "; ".join(_alone(*case) for case in cases),
                    location=has.feed.locate(self._key, strays.first[0][0]),
                    hint="--inner leaves out the rows that some table lacks",
                )


def _are_alike(keys: Array, others: Array) -> bool:
    return len(keys) == len(others) and next(differences(keys, others), None) is None


def _alone(strays: Strays, has: Side, lacks: Side) -> str:
    """What there is to say of rows of one table that another lacks."""
    what, have = ("1 row", "has") if strays.number == 1 else (f"{strays.number} rows", "have")
    return f"{what} of {has.path} {have} no partner in {lacks.path}: {strays}"
