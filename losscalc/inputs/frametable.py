"""The table of a frame: its cells as numbers or as they are, with the place of each."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain
from typing import Any

import numpy as np

from losscalc.core.array import Array
from losscalc.engine.outsiders import is_label
from losscalc.engine.sources import Rows
from losscalc.errors import FormatError, Index, Location, Remark, printable
from losscalc.inputs import records
from losscalc.inputs.cells import is_missing, is_word
from losscalc.inputs.columns import Columns
from losscalc.inputs.document import GapError, escaped, steps_of
from losscalc.inputs.nested import Place, to_array, to_cells
from losscalc.inputs.options import Reading
from losscalc.inputs.order import Order
from losscalc.inputs.parts import as_typed
from losscalc.inputs.records import Batch, Frame
from losscalc.inputs.text import Piece

_PREDICTED = r"LABEL_\d+|POSITIVE|NEGATIVE|NEUTRAL"


class FrameTable:
    """A table whose cells are numbers, texts, nothing, or lists of one shape for each column."""

    def __init__(self, frame: Frame, before: str, place: records.Place, reading: Reading) -> None:
        self._place = place
        self._na = reading.na
        self._is_lenient = reading.is_lenient
        self._row = frame.row
        others = {part for _, part in reading.elsewhere}
        self._labels = [
            i for i, name in enumerate(frame.names or ()) if is_label(name) and name not in others
        ]
        """The columns whose texts say what numbers beside them are of."""
        self._order = Order()
        self.remarks: Sequence[Remark] = frame.remarks
        path, names = place(None, None).path, frame.names
        self.columns = Columns(path, len(names or "1"), names, before=before, is_text=False)
        first = next(frame.batches, None)
        if first is None or not first.numbers:
            raise FormatError("no data", location=place(None, None))
        self._first: Batch | None = first
        self._batches = chain([first], frame.batches)

    def doubt(self, excess: int) -> str | None:
        """What may explain that there are more or fewer rows than there should be: nothing does."""
        return None

    def pieces(self, chosen: list[int]) -> Iterator[Piece]:
        """The numbers in the chosen columns."""
        shape, self._first = None, None
        for batch in self._batches:
            columns = [self._numbers(batch, column, shape) for column in chosen]
            if len(columns) > 1:
                self._check_flat(chosen, columns)
            shape = columns[0].values.shape[1:]
            masks = [column.missing for column in columns if column.missing is not None]
            faults = dict(fault for column in reversed(columns) for fault in column.faults)
            yield Piece(
                np.stack([column.values for column in columns], axis=1)
                if len(columns) > 1
                else columns[0].values,
                np.logical_or.reduce(masks) if masks else None,
                batch.numbers,
                tuple(sorted(faults.items())),
            )

    def cells(self, column: int) -> Iterator[Piece]:
        """The cells of a column."""
        shape, self._first = None, None
        for batch in self._batches:
            held = batch.column(column)
            if isinstance(held, np.ndarray) and shape in (None, held.shape[1:]):
                rows = Rows(held)
            else:
                listed = held.tolist() if isinstance(held, np.ndarray) else held
                place = self._place_in(batch, column)
                rows = to_cells(listed, place, is_lenient=self._is_lenient, row=shape)
            shape = rows.values.shape[1:]
            yield Piece(rows.values, None, batch.numbers, rows.faults)

    def words(self) -> list[int]:
        """The columns in which the first rows have words or dates, or nothing."""
        first = self._first
        return [c for c in range(self.columns.width) if first is not None and _are_words(first.column(c))]

    def place(self, number: int | None, column: int | None, inside: Index) -> Location:
        """Where a value stands."""
        names = self.columns.names
        return self._place(number, names[column] if names and column is not None else None).inside(inside)

    def _numbers(self, batch: Batch, column: int, shape: Index | None) -> Rows:
        """The numbers in a column."""
        held = batch.column(column)
        if isinstance(held, np.ndarray):
            if shape in (None, held.shape[1:]):
                return Rows(held)
            held = held.tolist()
        if isinstance(held[0], dict) and not self._is_lenient:
            raise self._object(held[0], batch.numbers[0], column)
        for labels in self._labels:
            self._check_labels(batch, held, column, labels)
        place = self._place_in(batch, column)
        return to_array(held, place, self._na, is_lenient=self._is_lenient, row=shape)

    def _check_labels(self, batch: Batch, held: list[Any], column: int, labels: int) -> None:
        """Refuse numbers whose labels, a list or a text beside each row, differ from row to row."""
        assert self.columns.names is not None
        name, texts = self.columns.names[labels], batch.column(labels)
        rows = [
            iter([(name, tuple(words))] if _are_texts(words) and _are_as_many(row, words) else [])
            for row, words in zip(held, texts, strict=True)
        ]
        self._order.check(rows, lambda row: self.place(batch.numbers[row], column, ()))
        if self.columns.names[column] != "score" or not all(map(_is_predicted, texts)):
            return
        if other := next((row for row, text in enumerate(texts) if text != texts[0]), None):
            raise FormatError(
                f"a score is that of the {printable(name)} beside it, and these differ",
                found=texts[other],
                location=self.place(batch.numbers[other], column, ()),
                hint="ask for the scores of all labels, with top_k=None, and name those of one",
            )

    def _place_in(self, batch: Batch, column: int) -> Place:
        """Where the values of a column stand, by their index in a batch."""

        def place(index: Index) -> Location:
            return self.place(batch.numbers[index[0]] if index else None, column, index[1:])

        return place

    def _object(self, members: dict[str, Any], number: int, column: int) -> FormatError:
        """The error about an object in a column, with the pointer to what is in it."""
        part = self.place(None, None, ()).part.removeprefix("#")
        if self.columns.names:
            part = f"{self._row}{escaped(self.columns.names[column])}" if self._row else ""
        inner = next(iter(members), None)
        is_known = inner is not None and part.startswith("/")
        return FormatError(
            "an object where a number should be",
            location=self.place(number, column, ()),
            hint=f"name a member: {as_typed(f'{part}/{escaped(inner or str())}')}" if is_known else None,
        )

    def _check_flat(self, chosen: list[int], columns: list[Rows]) -> None:
        """Refuse to put columns beside others if the cells of one are lists."""
        for column, rows in zip(chosen, columns, strict=True):
            if rows.values.ndim > 1:
                name = self.columns.names[column] if self.columns.names else ""
                raise FormatError(
                    f"column {column + 1} ({name}) holds lists, and is an array of its own",
                    location=self.place(None, None, ()),
                    hint=f"take it alone: {self.columns.part_of([column])}",
                )


def column_of(part: str, row: str) -> str | None:
    """The column of a table that another part of the document means; None if it means something else.

    >>> column_of("y", "/*/"), column_of("/*/y", "/*/"), column_of("/val/*/y", "/*/")
    ('y', 'y', None)
    """
    if not part.startswith("/"):
        return part
    if not part.startswith(row):
        return None
    with suppress(FormatError):
        return steps_of(f"/{part.removeprefix(row).removeprefix('/')}", Location(""))[0]
    return None


def _are_texts(cells: Any) -> bool:
    return isinstance(cells, list) and all(isinstance(cell, str) for cell in cells)


def _are_as_many(row: Any, words: list[str]) -> bool:
    """Whether a row is a list of as many numbers."""
    return isinstance(row, list) and len(row) == len(words) and all(isinstance(n, float) for n in row)


def _is_predicted(cell: Any) -> bool:
    """Whether a label is called as models of Hugging Face call those that they predict."""
    return isinstance(cell, str) and re.fullmatch(_PREDICTED, cell) is not None


def _are_words(cells: list[Any] | Array) -> bool:
    found = False
    for cell in cells if isinstance(cells, list) else ():
        if isinstance(cell, str) and is_word(cell):
            found = True
        elif not (cell is None or isinstance(cell, GapError) or (isinstance(cell, str) and is_missing(cell))):
            return False
    return found
