"""Several files that together are one array."""

import os
import re
from bisect import bisect_right
from collections.abc import Collection, Sequence
from contextlib import closing
from functools import cached_property, partial

import numpy as np

from losscalc.core.array import Shape, show_shape
from losscalc.engine.sources import Recipe, Rows, Source, join_rows
from losscalc.errors import (
    DTypeError,
    FormatError,
    Index,
    Location,
    LosscalcError,
    LosscalcWarning,
    Remark,
    ShapeError,
    counted,
    printable,
)
from losscalc.inputs.first import First, OpenFile


def matching(pattern: str) -> tuple[str, ...]:
    """The files that a pattern matches, sorted by name."""
    from glob import glob

    return tuple(sorted(glob(pattern, recursive=True)))


class Shards(Source):
    """The rows of several files, one file after the other. Only one of them is open at a time."""

    def __init__(
        self, pattern: str, paths: Sequence[str], open_file: OpenFile, first: First | None = None
    ) -> None:
        self._pattern = pattern
        self._paths = paths
        self._open_file = open_file
        self._counts: list[int] = []
        """The number of rows of each file that was read to its end."""
        self._sizes = [os.path.getsize(path) if os.path.exists(path) else 0 for path in paths]
        self._known: list[int] | None = None
        """The number of rows of each file, if all of them say it in a header."""
        self._remarks: dict[str, Remark] = {}
        """The first of each kind that there was to tell of files that were read."""
        self._taken = 0
        """The number of rows that were taken from the current file."""
        self._agreed: dict[Shards, int] = {}
        """The patterns that are read beside this one, and for each how many files have the same rows."""
        if first is None:
            self._current = open_file(paths[0])
            self._first = First.of(paths[0], self._current)
        else:
            self._first = first
            self._current = self._opened(0)
        self.shape: Shape = (None, *self._first.row)
        self.dtype = self._first.dtype.newbyteorder("=")
        self.rows_at_once = self._current.rows_at_once
        self.table, self.names, self.beside = (
            self._current.table,
            self._current.names,
            self._current.beside,
        )
        self.witnesses, self.top = self._current.witnesses, self._current.top
        self.is_chosen = self._current.is_chosen
        try:
            self._check(self._current, 0)
            if self._current.has_header:
                self._known = [self._count(number) for number in range(len(paths))]
                self.shape = (sum(self._known), *self.shape[1:])
        except BaseException:
            self.close()
            raise

    def take(self, rows: int) -> Rows:
        pieces: list[Rows] = []
        wanted = rows
        while wanted and len(self._counts) < len(self._paths):
            piece = self._current.take(wanted)
            wanted -= len(piece.values)
            self._taken += len(piece.values)
            if len(piece.values):
                pieces.append(piece)
            if wanted:
                self._turn_over()
        for other in self._agreed:
            self._compare(other)
        none = (0, *(length or 0 for length in self._first.row))
        return join_rows(pieces) if pieces else Rows(np.empty(none, self.dtype))

    @property
    def can_skip(self) -> bool:
        return self._known is not None and self._current.can_skip

    def skip(self, rows: int) -> None:
        if not self.can_skip or self._known is None:
            super().skip(rows)
            return
        while rows and len(self._counts) < len(self._paths):
            step = min(rows, self._known[len(self._counts)] - self._taken)
            self._current.skip(step)
            self._taken += step
            rows -= step
            if rows:
                self._turn_over()

    def narrowed(self, start: int, rows: int) -> tuple[Recipe, int]:
        if self._known is None:
            return super().narrowed(start, rows)
        ends = self._ends
        first = min(bisect_right(ends, start), len(ends) - 1)
        last = min(bisect_right(ends, start + rows - 1), len(ends) - 1)
        return self._recipe(first, last), start - (ends[first - 1] if first else 0)

    @cached_property
    def _ends(self) -> list[int]:
        """The row behind the last of each file, if that is known; the same for all tasks of a cluster."""
        ends: list[int] = np.cumsum(self._known or ()).tolist()
        return ends

    @property
    def recipe(self) -> Recipe:
        return self._recipe(0, len(self._paths) - 1)

    @property
    def files(self) -> Sequence[Recipe]:
        return [self._recipe(number, number) for number in range(len(self._paths))]

    def _recipe(self, first: int, last: int) -> Recipe:
        return partial(Shards, self._pattern, self._paths[first : last + 1], self._open_file, self._first)

    def without(self, columns: Collection[int]) -> str | None:
        return self._current.without(columns)

    def locate(self, index: Index) -> Location:
        if not index:
            return Location(self._pattern)
        starts = np.cumsum([0, *self._counts])
        number = bisect_right(starts.tolist(), index[0]) - 1
        inside = (index[0] - int(starts[number]), *index[1:])
        if number == len(self._counts):
            return self._current.locate(inside) or Location(self._paths[number])
        return self._place(number, inside)

    def read_ahead(self, most: int) -> None:
        if self._known is None and sum(self._sizes) < most:
            self._known = [self._count(number) for number in range(len(self._paths))]
            self.shape = (sum(self._known), *self.shape[1:])

    def accompany(self, others: Sequence[Source]) -> None:
        for other in others:
            if isinstance(other, Shards) and other is not self:
                self._pair(other)

    @property
    def remarks(self) -> Sequence[Remark]:
        fresh = (remark for remark in self._current.remarks if remark.problem not in self._remarks)
        return [*self._remarks.values(), *fresh]

    def part_of(self, names: Sequence[str]) -> str | None:
        return self._current.part_of(names)

    def progress(self) -> tuple[int, int]:
        done, number = self._sizes[: len(self._counts)], len(self._counts)
        read, size = self._current.progress() or (0, None)
        share = read / size if size and number < len(self._sizes) else 0.0
        return sum(done) + (int(share * self._sizes[number]) if share else 0), sum(self._sizes)

    def close(self) -> None:
        self._current.close()

    def _opened(self, number: int) -> Source:
        source, warning = self._first.open_alike(self._open_file, self._paths[number])
        if warning is not None:
            self._remarks.setdefault(warning.problem, warning)
        return source

    def _check(self, source: Source, number: int) -> None:
        """Refuse a file whose columns or dtype differ from those of the first."""
        first = printable(self._first.path)
        location = Location(self._paths[number])
        if not source.shape:
            raise ShapeError("is a single number, and files of a pattern hold rows", location=location)
        if source.shape[1:] != self.shape[1:]:
            rows, expected = show_shape(source.shape[1:]), show_shape(self.shape[1:])
            raise ShapeError(f"its rows have shape {rows}, those of {first} {expected}", location=location)
        if source.dtype.newbyteorder("=") != self.dtype:
            raise DTypeError(
                f"its numbers are {source.dtype.newbyteorder('=')}, those of {first} {self.dtype}",
                location=location,
                hint="save all files of one array with one dtype",
            )

    def _count(self, number: int) -> int:
        """The number of rows of a file, as its header says; one without a header is read for that."""
        with closing(self._opened(number)) as source:
            self._check(source, number)
            return source.count() or 0

    def _turn_over(self) -> None:
        """Go on to the next file, if there is one."""
        for remark in self._current.remarks:
            self._remarks.setdefault(remark.problem, remark)
        self._current.close()
        number = len(self._counts)
        if self._known is not None and self._known[number] != self._taken:
            problem = f"had {counted(self._known[number], 'row')}, and was written to while they were read"
            raise FormatError(problem, location=Location(self._paths[number]))
        self._counts.append(self._taken)
        self._taken = 0
        if len(self._counts) < len(self._paths):
            self._current = self._opened(len(self._counts))
            self._check(self._current, len(self._counts))

    def _place(self, number: int, index: Index) -> Location:
        """A place in a file that is closed; if need be, the file is read again to find it."""
        try:
            source = self._opened(number)
            try:
                if not source.has_header:
                    source.take(index[0] + 1)
                return source.locate(index) or Location(self._paths[number])
            finally:
                source.close()
        except LosscalcError:
            return Location(self._paths[number])

    def _pair(self, other: "Shards") -> None:
        if len(self._paths) != len(other._paths):
            raise ShapeError(
                f"the pattern has {counted(len(self._paths), 'file')}, and {printable(other._pattern)} has "
                f"{len(other._paths)}; each file goes with one of the other",
                location=Location(self._pattern),
            )
        self._compare_names(other)
        if self._known is not None and other._known is not None:
            for number, (mine, theirs) in enumerate(zip(self._known, other._known, strict=True)):
                self._check_rows(other, number, mine, theirs)
        self._agreed[other] = 0

    def _compare_names(self, other: "Shards") -> None:
        """Warn where a file goes with another than the one that is called like it."""
        mine, theirs = (_differing(paths) for paths in (self._paths, other._paths))
        number = next(
            (n for n, pair in enumerate(zip(mine, theirs, strict=True)) if len(set(pair)) > 1), None
        )
        # Where none is called like another, names do not tell what belongs together.
        if number is None or set(mine).isdisjoint(theirs) or self in other._agreed:
            return
        one, two = (printable(paths[number]) for paths in (self._paths, other._paths))
        problem = f"files go together in the order of their names as text: {one} with {two}"
        hint = "if others belong together, give them numbers of as many digits, 01 to 10, or the same names"
        self._remarks[problem] = LosscalcWarning(problem, location=Location(self._pattern), hint=hint)

    def _compare(self, other: "Shards") -> None:
        """Refuse files that belong together and differ in their number of rows, as soon as that is known."""
        number = self._agreed[other]
        while number < min(len(self._counts), len(other._counts)):
            self._check_rows(other, number, self._counts[number], other._counts[number])
            number += 1
        self._agreed[other] = number
        for ahead, behind in ((self, other), (other, self)):
            if number < len(ahead._counts) and behind._taken > ahead._counts[number]:
                self._check_rows(other, number, self._whole_count(number), other._whole_count(number))

    def _whole_count(self, number: int) -> int:
        """The number of rows of a file; if it is the current one, it is read to its end for that."""
        if number < len(self._counts):
            return self._counts[number]
        while rows := len(self._current.take(1 << 16).values):
            self._taken += rows
        return self._taken

    def _check_rows(self, other: "Shards", number: int, mine: int, theirs: int) -> None:
        if mine != theirs:
            beside = printable(other._paths[number])
            problem = f"has {counted(mine, 'row')}, and {beside}, which goes with it, {theirs}"
            raise ShapeError(problem, location=Location(self._paths[number]))


def _differing(paths: Sequence[str]) -> list[str]:
    """What is left of names without what all begin and end with; numbers without zeros in front."""
    names = [re.sub(r"(?a)\d+", lambda found: found[0].lstrip("0") or "0", path) for path in paths]
    start = _common(names)
    end = _common([name[start:][::-1] for name in names])
    return [name[start : len(name) - end] for name in names]


def _common(names: Sequence[str]) -> int:
    """How many letters all names begin with."""
    first, last = min(names), max(names)
    return next(
        (n for n, pair in enumerate(zip(first, last, strict=False)) if len(set(pair)) > 1), len(first)
    )
