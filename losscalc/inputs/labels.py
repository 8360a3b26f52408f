"""Labels that are names of classes, or lists of them, and the arrays that they stand for."""

import difflib
from collections.abc import Callable, Sequence

import numpy as np

from losscalc.core.array import Array
from losscalc.engine.classes import Classes, Label
from losscalc.engine.sources import Rows, Source
from losscalc.engine.wrappers import Wrapper
from losscalc.errors import (
    DomainError,
    FormatError,
    Index,
    Location,
    LosscalcError,
    LosscalcNote,
    Remark,
    printable,
)
from losscalc.inputs.cells import MISSING, is_missing, listed, names_something, number
from losscalc.inputs.options import BLANKS, Reading
from losscalc.inputs.parts import quoted

_SHOWN = 10
_SAMPLE = 50
_NAMED = "name the classes in the order of the input's columns: --class-names FIRST,SECOND"


class ClassLabels(Wrapper):
    """The class indices that the labels of a source mean, or with a separator the rows of 0 and 1.

    `head` are labels that were read of it already.
    """

    def __init__(
        self,
        cells: Source,
        classes: Classes,
        reading: Reading,
        separator: str | None,
        head: Array | None = None,
    ) -> None:
        super().__init__(cells)
        self.dtype = np.dtype(np.float64)
        self.in_memory = self.has_header = False
        if separator is not None:
            self.shape = (*cells.shape, classes.width)
        self._classes = classes
        self._reading = reading
        self._separator = separator
        self._head = head
        self._row = 0
        self._known: dict[Label, float | Array | None] = {}
        """What was found for labels that came up before."""
        self._is_renamed = False
        """Whether some number was taken for the name of a class."""

    def take(self, rows: int) -> Rows:
        head = np.empty(0, object) if self._head is None else self._head[:rows]
        self._head = None if self._head is None else self._head[rows:]
        cells = [*_labels(head), *_labels(self._source.take(rows - len(head)).values)]
        values = np.full((len(cells), *(length or 0 for length in self.shape[1:])), np.nan)
        missing = np.zeros(len(cells), bool)
        faults: list[tuple[int, LosscalcError]] = []
        for row, cell in enumerate(cells):
            try:
                found = self._meaning(cell, self._row + row)
            except LosscalcError as fault:
                if not self._reading.is_lenient:
                    raise
                faults.append((row, fault))
                continue
            missing[row] = found is None
            values[row] = np.nan if found is None else found
        self._row += len(cells)
        is_dropped = self._reading.na == "drop" and missing.any()
        return Rows(values, missing if is_dropped else None, tuple(faults))

    def locate(self, index: Index) -> Location | None:
        return self._source.locate(index[:1])

    @property
    def remarks(self) -> Sequence[Remark]:
        if not self._is_renamed:
            return self._source.remarks
        note = LosscalcNote(self._classes.renaming, location=self._source.locate(()))
        return [*self._source.remarks, note]

    def _meaning(self, cell: Label, row: int) -> float | Array | None:
        """The index of a label, or the row of several; None for one that is missing."""
        if cell not in self._known:
            if self._separator is None:
                self._known[cell] = None if self._is_missing(cell, row) else self._place(cell, row)
            else:
                self._known[cell] = self._several(cell, self._separator, row)
        return self._known[cell]

    def _is_missing(self, cell: Label, row: int) -> bool:
        """Whether there is no label; raises FormatError unless one may be missing."""
        is_gap = is_missing(cell) if isinstance(cell, str) else cell != cell
        if is_gap and cell not in self._classes.places and self._reading.na == "error":
            raise FormatError("not a label", found=cell, location=self._source.locate((row,)), hint=MISSING)
        return is_gap and cell not in self._classes.places

    def _place(self, cell: Label, row: int) -> float:
        """The index of the class that a label means."""
        place = self._classes.place(cell, number(cell) if isinstance(cell, str) else cell)
        if place is None:
            raise self._unknown(cell, row)
        self._is_renamed |= bool(self._classes.numbered)
        return place

    def _several(self, cell: Label, separator: str, row: int) -> Array | None:
        """A row of 0 and 1 for the labels in one cell, which may be none."""
        if not isinstance(cell, str):
            labels: list[Label] = [cell]
        elif cell and self._is_missing(cell, row):
            return None
        else:
            words = cell.split() if separator == BLANKS else cell.split(separator)
            labels = [word.strip() for word in words if word.strip()]
        places = [self._place(label, row) for label in labels]
        values = np.zeros(self._classes.width)
        for label, place in zip(labels, places, strict=True):
            if place != int(place) or not 0 <= place < self._classes.width:
                raise self._unknown(label, row)
            values[int(place)] = 1.0
        return values

    def _unknown(self, cell: Label, row: int) -> LosscalcError:
        """The error about a label that is none of the classes."""
        found = cell if isinstance(cell, str) else f"{cell:g}"
        place = self._source.locate((row,))
        names = self._classes.names
        if not names:
            what = f"a class from 0 to {self._classes.width - 1}" if self._classes.width else "a class"
            return DomainError(f"a label is not {what}", found=found, location=place, hint=_NAMED)
        short = list(self._classes.places)
        close = difflib.get_close_matches(found, short, n=1)
        known = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
        hint = f"did you mean {quoted(close[0])}? " if close else ""
        problem = "the label is none of the classes"
        usual = list(map(str, range(len(names))))
        is_index = self._classes.numbered and found in usual[:_SHOWN] and len(names) <= _SHOWN
        way = f"; if labels are indices from 0: --class-names {','.join(usual)}" if is_index else ""
        advice = printable(f"{hint}there are {known}{way}")
        return DomainError(problem, found=found, location=place, hint=advice)


class Tags(ClassLabels):
    """Labels of which only matters which are equal: numbers that count their first appearances."""

    def __init__(self, cells: Source, reading: Reading, head: Array) -> None:
        super().__init__(cells, Classes(0), reading, None, head)
        self._places: dict[Label, float] = {}

    def _place(self, cell: Label, row: int) -> float:
        value = number(cell) if isinstance(cell, str) else cell
        return self._places.setdefault(cell if value is None else value, float(len(self._places)))


def open_tags(open_with: Callable[[Reading], Source], reading: Reading) -> Source:
    """The array of labels of which only matters which are equal; names become numbers."""
    cells = open_with(reading._replace(is_beside=True))
    if cells.dtype != object:
        return cells
    head = cells.take(_SAMPLE).values if cells.shape else np.empty(0, object)
    if any(map(_is_name, _labels(head))):
        return Tags(cells, reading, head)
    cells.close()
    return open_with(reading)


def open_labels(
    open_with: Callable[[Reading], Source], classes: Classes, reading: Reading, separator: str | None
) -> Source:
    """The array of a target whose labels may be names of classes; `open_with` opens it."""
    words = frozenset(classes.places)
    cells = open_with(reading._replace(is_beside=True, labels=words, within=separator))
    if separator is not None:
        return ClassLabels(cells, classes, reading, separator)
    if cells.dtype != object:
        if classes.numbered and len(cells.shape) == 1:
            return ClassLabels(cells, classes, reading, None)
        if reading.na != "drop":
            return cells
        # Beside an array, NaN is a number like any other; as a label it is missing.
        cells.close()
        return open_with(reading)
    if not cells.shape:
        # A lone text names no row's class.
        cells.close()
        return open_with(reading._replace(labels=words))
    head = cells.take(_SAMPLE).values
    known = _labels(head)
    row = next((row for row, cell in enumerate(known) if _is_name(cell)), None)
    if row is not None and not classes.names:
        place = cells.locate((row,))
        cells.close()
        raise FormatError("not a number", found=known[row], location=place, hint=_NAMED)
    is_array = any(isinstance(cell, str) and listed(cell) is not None for cell in known)
    if is_array or (row is None and not classes.numbered):
        cells.close()
        return open_with(reading._replace(labels=words))
    return ClassLabels(cells, classes, reading, None, head)


def _is_name(cell: Label) -> bool:
    return isinstance(cell, str) and names_something(cell)


def _labels(cells: Array) -> list[Label]:
    """Cells as texts and numbers: some come as bytes."""
    return [cell.decode() if isinstance(cell, bytes) else cell for cell in cells.tolist()]
