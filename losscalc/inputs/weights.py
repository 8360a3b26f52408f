"""Weights a class from a table that names the classes in another column, in whatever order."""

from collections.abc import Iterator

import numpy as np

from losscalc.core.array import Array
from losscalc.engine.classes import Classes, Label
from losscalc.engine.outsiders import identifies, is_label
from losscalc.engine.sources import MemorySource, Source
from losscalc.errors import Index, Location, LosscalcNote, Remark, printable
from losscalc.inputs.address import Address, open_array
from losscalc.inputs.cells import number
from losscalc.inputs.companions import part_beside
from losscalc.inputs.options import Reading

# More classes are in no table of weights.
_MOST = 1 << 20


class ByClass(MemorySource):
    """The weights of a table in the order of the classes, which one of its columns names."""

    def __init__(self, source: Source, order: Array, column: str) -> None:
        super().__init__(source.whole()[order])
        self.names, self.beside, self.table = source.names, source.beside, source.table
        self.selection, self.is_chosen = source.selection, source.is_chosen
        self._place = source.locate(())
        self._places = [source.locate((row,)) for row in order.tolist()]
        note = printable(f"weights are put in the order of the classes by the column {column}")
        self._remarks = [*source.remarks, LosscalcNote(note, location=self._place)]

    def locate(self, index: Index) -> Location | None:
        return self._places[index[0]] if index else self._place

    @property
    def remarks(self) -> list[Remark]:
        return self._remarks


def by_class(source: Source, address: Address, reading: Reading, classes: Classes) -> Source:
    """The weights of a source in the order of the classes, if a column beside them names these in another."""
    found = _orders(source, address, reading, classes) if len(source.shape) == 1 else iter(())
    # A column of names tells more than one of numbers.
    _, column, order = min(found, default=(True, "", []), key=lambda each: each[0])
    return source if order == sorted(order) else ByClass(source, np.array(order), column)


def _orders(
    source: Source, address: Address, reading: Reading, classes: Classes
) -> Iterator[tuple[bool, str, list[int]]]:
    """The columns beside a source that name each class once: whether by numbers, and in which order."""
    for column in source.beside:
        if column in (source.names or ()) or source.beside.count(column) > 1:
            continue
        labels = _labels(source, address, reading, column)
        numbers = [number(label) if isinstance(label, str) else label for label in labels]
        are_numbers = None not in numbers
        if are_numbers and not (is_label(column) or identifies(column)):
            continue
        places = [classes.place(label, value) for label, value in zip(labels, numbers, strict=True)]
        if set(places) == set(range(len(labels))):
            yield are_numbers, column, [places.index(place) for place in range(len(labels))]


def _labels(source: Source, address: Address, reading: Reading, column: str) -> list[Label]:
    """The cells of a column beside a source."""
    part = part_beside(column, address.part, source)
    reading = reading._replace(is_beside=True, columns=None)
    cells = open_array(address._replace(part=part), column, reading)
    try:
        rows = cells.take(_MOST).values.tolist()
    finally:
        cells.close()
    return [cell.decode() if isinstance(cell, bytes) else cell for cell in rows]
