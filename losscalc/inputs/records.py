"""Rows of JSON: records, which are objects with the same members, as a table, and other rows."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from losscalc.core.array import Array
from losscalc.errors import FormatError, Location, Remark, counted
from losscalc.inputs.cells import is_word
from losscalc.inputs.document import COMPANION, EVERY, escaped, reached, steps_of
from losscalc.inputs.order import Order, passed
from losscalc.inputs.parts import as_typed

Numbered = tuple[Sequence[int], list[Any] | Array]
"""Some rows, and the number of each: that of its line, or of its place in a list."""
Place = Callable[[int | None, str | None], Location]
"""Where a row of a number stands, or the member of a record; without a number, all of them."""

_NUMBERS = re.compile(r"[1-9]\d{0,8}(?:[,-](?:[1-9]\d{0,8})?)*", re.ASCII)
# Several columns of rows that are lists, counted from 0 as in all pointers.
_SEVERAL = re.compile(r"(?:\^\d+|\d+[,-])[\d,-]*", re.ASCII)


class Batch(NamedTuple):
    """Some rows of a table: their numbers, and the cells of each column."""

    numbers: Sequence[int]
    column: Callable[[int], list[Any] | Array]


class Frame(NamedTuple):
    """A table, some rows at a time. Without names, it has one column, whose cells are rows."""

    names: list[str] | None
    batches: Iterator[Batch]
    labels: Mapping[str, list[Any]] = {}
    """The labels of the rows by the name of the index: no data, but there for who asks for them."""
    remarks: Sequence[Remark] = ()
    row: str = ""
    """What a pointer has before the members of a row, if the rows are records."""
    keys: Sequence[str] = ()
    """The keys of the rows, if these are the members of an object, but no labels of pandas."""

    @classmethod
    def at_hand(
        cls,
        names: list[str] | None,
        rows: int,
        column: Callable[[int], list[Any]],
        labels: Mapping[str, list[Any]] = {},
        remarks: Sequence[Remark] = (),
    ) -> "Frame":
        """A table of so many rows that is in memory."""
        return cls(names, iter([Batch(range(rows), column)]), labels, remarks)


class Rows:
    """Rows of JSON that come some at a time; `before` is what a pointer has before what is inside a row."""

    def __init__(
        self, batches: Iterator[Numbered], place: Place, before: str, *, is_named: bool = True
    ) -> None:
        self._place = place
        self.before = before
        self.is_named = is_named
        """Whether members of records are columns by their names alone, and need no pointer."""
        numbers, rows = next(batches, ((), []))
        self._first = rows[0] if len(rows) else None
        self._batches = chain([(numbers, rows)], batches) if len(rows) else iter(())
        self.names: list[str] = []
        """The names of the members, if the rows are records, in the order in which they first come."""
        self.width = len(self._first) if isinstance(self._first, list | np.ndarray) else 0
        """How many items the first row has, if it is a list."""
        self.are_records = isinstance(self._first, dict)
        if self.are_records:
            self.names = list(dict.fromkeys(key for row in rows if isinstance(row, dict) for key in row))

    def frame(self, part: str | None, *, as_table: bool | None = None) -> Frame:
        """The table of records, of which `part` picks columns; of other rows, what it leads to.

        With `as_table`, lists are rows of a table with columns 0, 1, 2 ...; with None, if they hold words.
        """
        if as_table is None and part is None and isinstance(self._first, list):
            as_table = any(isinstance(cell, str) and is_word(cell) for cell in self._first)
        if as_table and not self.are_records:
            self.names = [str(number) for number in range(self.width)]
        if self.names:
            batches = (self._records(*batch, is_whole=part is None) for batch in self._batches)
            return Frame(self.names, batches, row=self.before)
        if part is None:
            return Frame(None, (_column(numbers, rows) for numbers, rows in self._batches))
        if self.width and _NUMBERS.fullmatch(part):
            raise self._counted(part)
        # The name of members of records that stand in a list.
        return self.reached([EVERY, part] if self.width and not part.isdecimal() else [part])

    def several(self, step: str) -> str | None:
        """A step of a pointer that means several columns of lists, with both ends of a range; else None."""
        if not self.width or not _SEVERAL.fullmatch(step):
            return None
        step = _closed(step, self.width - 1)
        beyond = next((number for number in re.findall(r"\d+", step) if int(number) >= self.width), None)
        if beyond is not None:
            problem = f"the list has {counted(self.width, 'item')}"
            raise FormatError(problem, found=beyond, location=self._place(0, None))
        return step

    def reached(self, steps: Sequence[str]) -> Frame:
        """A column of what steps lead to from each row."""
        order = Order()

        def column(numbers: Sequence[int], rows: list[Any]) -> Batch:
            if EVERY in steps:
                order.check([passed(row, steps) for row in rows], lambda row: self._place(numbers[row], None))
            cells = [reached(row, steps, self._place(n, None)) for n, row in zip(numbers, rows, strict=True)]
            return _column(numbers, cells)

        return Frame(None, (column(*_listed(batch)) for batch in self._batches))

    def nearest(self, part: str) -> list[str]:
        """The steps to the member of a name that is nearest to what a pointer leads to in the first row."""
        start, _, last = part.partition(COMPANION)
        place = self._place(None, None)
        steps, (name,) = steps_of(start, place), steps_of(f"/{last}", place)
        for stop in range(len(steps), -1, -1):
            node = reached(self._first, steps[:stop], place)
            if isinstance(node, dict) and name in node:
                return [*steps[:stop], name]
        return [name]

    def _records(self, numbers: Sequence[int], rows: list[Any] | Array, *, is_whole: bool) -> Batch:
        """Some records."""
        _, held = _listed((numbers, rows))
        if is_whole:
            self._check_members(numbers, held)

        def column(position: int) -> list[Any]:
            name = self.names[position]
            return [
                row[name] if isinstance(row, dict) and name in row else self._reached(row, name, number)
                for number, row in zip(numbers, held, strict=True)
            ]

        return Batch(numbers, column)

    def _reached(self, row: Any, name: str, number: int) -> Any:
        """The item of a list, or the error about a member that is not there."""
        return reached(row, [name], self._place(number, name))

    def _check_members(self, numbers: Sequence[int], rows: list[Any]) -> None:
        """Refuse a member that no record had before, where all members are data."""
        known = set(self.names)
        for number, row in zip(numbers, rows, strict=True):
            if isinstance(row, dict) and not row.keys() <= known:
                new = next(key for key in row if key not in known)
                problem = "the record has a member that those before lack"
                raise FormatError(problem, found=new, location=self._place(number, None))
            if isinstance(row, list) and len(row) > len(known):
                problem = f"the row has {counted(len(row), 'item')}, those before {len(known)}"
                raise FormatError(problem, location=self._place(number, None))

    def _counted(self, part: str) -> FormatError:
        """The error about numbers of columns of lists in lists."""
        from_0 = re.sub(r"\d+", lambda number: str(int(number[0]) - 1), _closed(part, self.width))
        what = (
            f"column {part}, counted from 1, is"
            if part.isdecimal()
            else f"columns {part}, counted from 1, are"
        )
        return FormatError(
            "columns of tables are counted from 1 and items of JSON from 0: the number may mean either",
            found=part,
            location=self._place(0, None)._replace(line=None, part=f"#{part}"),
            hint=f"{what} {as_typed(f'{self.before}{from_0}')}",
        )


def _closed(part: str, last: int) -> str:
    """The part with the last number where a range has none."""
    return re.sub("-(?=,|$)", f"-{last}", part)


def place_in(location: Location, before: str) -> Place:
    """Where the items of a list stand, and the members of these."""

    def place(number: int | None, name: str | None) -> Location:
        part = location.part if name is None else f"#{before}{escaped(name) if before else name}"
        return location._replace(part=part).inside(() if number is None else (number,))

    return place


def _column(numbers: Sequence[int], cells: list[Any] | Array) -> Batch:
    return Batch(numbers, lambda _: cells)


def _listed(batch: Numbered) -> tuple[Sequence[int], list[Any]]:
    numbers, rows = batch
    return numbers, rows if isinstance(rows, list) else rows.tolist()
