"""Joins the rows of several tables by a column of keys, in the order of the first table.

As long as the keys stand in the same order everywhere, rows are passed on as they are read. From the first
row on in which they do not, the smaller side is held: what the other tables have left, or the first table.
"""

from collections.abc import Container, Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from losscalc.core.array import Array
from losscalc.errors import FormatError, printable
from losscalc.inputs.cells import Cell
from losscalc.inputs.feeds import Batch, Feed, first_difference, join_batches, keys_of

_STEP = 1 << 16
_SHOWN = 3


class Joined(NamedTuple):
    """Rows of all tables that belong together, in the order of the first table."""

    batches: Sequence[Batch]
    origins: Sequence[Array]
    """For each table, which of its rows these are."""


class Strays(NamedTuple):
    """Rows without a partner, or with the key of another: how many, and the first of them."""

    number: int = 0
    rows: tuple[int, ...] = ()
    keys: tuple[Cell, ...] = ()

    def with_rows(self, start: int, rows: Sequence[int], keys: Sequence[Cell]) -> "Strays":
        """These and some rows of a batch, which begins at a row of the table and has these keys."""
        more = rows[: _SHOWN - len(self.rows)]
        return Strays(
            self.number + len(rows),
            self.rows + tuple(start + row for row in more),
            self.keys + tuple(keys[row] for row in more),
        )

    def __str__(self) -> str:
        words = (f"{key:.17g}" if isinstance(key, float) else str(key) for key in self.keys)
        return printable(", ".join(words)) + (", ..." if self.number > len(self.rows) else "")


class Pool:
    """The rows of a table that are held, to be found by their key.

    `wanted` are the only keys that can be looked for, if that is known.
    """

    def __init__(
        self, batches: Iterable[Batch], key: str, start: int, wanted: Container[Cell] | None
    ) -> None:
        self._strays = Strays()
        self._places: dict[Cell, int] = {}
        self._keys: list[Cell] = []
        held, origins = [], []
        for batch in batches:
            keys = keys_of(batch.cells[key])
            kept = [row for row, each in enumerate(keys) if wanted is None or each in wanted]
            if len(kept) < len(keys):
                self._strays = self._strays.with_rows(
                    start, sorted({*range(len(keys))}.difference(kept)), keys
                )
                batch = batch.picked(np.array(kept, np.intp))
            self._places |= {keys[row]: len(self._keys) + place for place, row in enumerate(kept)}
            self._keys += [keys[row] for row in kept]
            held.append(batch)
            origins.append(start + np.array(kept, np.intp))
            start += len(keys)
        self._batch = join_batches(held)
        self._origins = np.concatenate(origins)
        self._is_found = np.zeros(len(self._keys), bool)

    def find(self, keys: Sequence[Cell]) -> Array:
        """The places of keys, -1 where there is none."""
        places = np.array([self._places.get(key, -1) for key in keys], np.intp)
        self._is_found[places[places >= 0]] = True
        return places

    def picked(self, places: Array) -> tuple[Batch, Array]:
        """The rows in some places, and which rows of the table they are."""
        return self._batch.picked(places), self._origins[places]

    def strays(self) -> Strays:
        """The rows that nothing was found for, once all keys were looked for."""
        rows = np.flatnonzero(~self._is_found).tolist()
        found = Strays().with_rows(0, rows, self._keys)
        origins = tuple(int(self._origins[row]) for row in found.rows)
        both = sorted(zip(self._strays.rows + origins, self._strays.keys + found.keys, strict=True), key=_row)
        firsts = both[:_SHOWN]
        return Strays(
            self._strays.number + found.number,
            tuple(row for row, _ in firsts),
            tuple(key for _, key in firsts),
        )


class Join:
    """A join of tables, and what came of it."""

    def __init__(self, feeds: Sequence[Feed], key: str, *, inner: bool) -> None:
        self._feeds = feeds
        self._key = key
        self._inner = inner
        self._columns: list[list[Array]] = [[] for _ in feeds]
        """The keys of each table, which may be there only once."""
        self.left_out = 0
        """How many rows were left out for lack of a partner."""

    def __iter__(self) -> Iterator[Joined]:
        start = 0
        while True:
            batches = [feed.take(_STEP) for feed in self._feeds]
            keys = [batch.cells[self._key] for batch in batches]
            for column, each in zip(self._columns, keys, strict=True):
                column.append(each)
            length = len(keys[0])
            if any(len(each) != length or first_difference(keys[0], each) is not None for each in keys[1:]):
                break
            yield Joined(batches, [np.arange(start, start + length)] * len(batches))
            if length < _STEP:
                self._check_repeats()
                return
            start += length
        yield from self._held(start, batches)

    def _held(self, start: int, heads: Sequence[Batch]) -> Iterator[Joined]:
        """The rows from the first on that stand in different orders."""
        every = [chain([head], self._rest(number, head)) for number, head in enumerate(heads)]
        firsts: Iterable[Batch] = every[0]
        wanted = None
        if self._is_first_smaller():
            whole = join_batches(list(firsts))
            firsts, wanted = [whole], set(keys_of(whole.cells[self._key]))
        pools = [Pool(batches, self._key, start, wanted) for batches in every[1:]]
        lacking = [Strays() for _ in pools]
        for batch in firsts:
            keys = keys_of(batch.cells[self._key])
            places = [pool.find(keys) for pool in pools]
            for i, found in enumerate(places):
                lacking[i] = lacking[i].with_rows(start, np.flatnonzero(found < 0).tolist(), keys)
            rows = np.flatnonzero(np.logical_and.reduce([found >= 0 for found in places]))
            self.left_out += len(keys) - len(rows)
            picked = [pool.picked(found[rows]) for pool, found in zip(pools, places, strict=True)]
            batches, origins = zip((batch.picked(rows), start + rows), *picked, strict=True)
            yield Joined(batches, origins)
            start += len(keys)
        self._check_repeats()
        self._check_partners(lacking, [pool.strays() for pool in pools])

    def _rest(self, number: int, head: Batch) -> Iterator[Batch]:
        """The rows of a table behind those that were read."""
        while head.length == _STEP:
            head = self._feeds[number].take(_STEP)
            self._columns[number].append(head.cells[self._key])
            yield head

    def _is_first_smaller(self) -> bool:
        first, *others = (feed.size() for feed in self._feeds)
        return first is not None and all(size is None or first < size for size in others)

    def _check_repeats(self) -> None:
        """Refuse a key that is in a table twice, as nobody knows which of its rows is meant."""
        for feed, columns in zip(self._feeds, self._columns, strict=True):
            found = repeated(columns)
            if found.number:
                what = "1 row has" if found.number == 1 else f"{found.number} rows have"
                raise FormatError(
                    f"{what} the {printable(self._key)} of a row above: {found}",
                    location=feed.locate(self._key, found.rows[0]),
                )

    def _check_partners(self, lacking: Sequence[Strays], additional: Sequence[Strays]) -> None:
        """Refuse rows without a partner, unless they are to be left out."""
        first, *others = self._feeds
        self.left_out += sum(strays.number for strays in additional)
        for feed, missing, more in zip(others, lacking, additional, strict=True):
            cases = [(missing, first, feed), (more, feed, first)]
            problems = [_alone(*case, self._key) for case in cases if case[0].number]
            if problems and not self._inner:
                strays, has, _ = next(case for case in cases if case[0].number)
                place = has.locate(self._key, strays.rows[0])
                hint = "--inner leaves out the rows that not all have"
                raise FormatError("; ".join(problems), location=place, hint=hint)


def repeated(columns: Sequence[Array]) -> Strays:
    """The rows whose key stands in a row above.

    >>> repeated([np.array([3.0, 1.0]), np.array([3.0])])
    Strays(number=1, rows=(2,), keys=(3.0,))
    """
    keys = np.concatenate(columns)
    if keys.dtype != object:
        order = np.argsort(keys, kind="stable")
        again = np.sort(order[1:][keys[order[1:]] == keys[order[:-1]]])
        return Strays().with_rows(0, again.tolist(), keys.tolist())
    seen: set[Cell] = set()
    rows = []
    names = keys_of(keys)
    for row, key in enumerate(names):
        if key in seen:
            rows.append(row)
        seen.add(key)
    return Strays().with_rows(0, rows, names)


def _alone(strays: Strays, has: Feed, lacks: Feed, key: str) -> str:
    """What there is to say of rows of one table that another lacks."""
    here, there = (printable(feed.locate(key, 0).path) for feed in (has, lacks))
    what = "1 row" if strays.number == 1 else f"{strays.number} rows"
    return f"{what} of {here} {'has' if strays.number == 1 else 'have'} no partner in {there}: {strays}"


def _row(pair: tuple[int, Cell]) -> int:
    return pair[0]
