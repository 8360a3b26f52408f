"""Columns of numbers, texts and gaps as arrays, for formats that keep numbers as such."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from losscalc.core.array import Array
from losscalc.errors import FormatError, Location, counted
from losscalc.inputs.cells import EXACT, as_cells, is_missing, listed, number
from losscalc.inputs.columns import Columns
from losscalc.inputs.options import Reading
from losscalc.inputs.remedies import not_a_number
from losscalc.inputs.text import Piece

Place = Callable[[int], Location]
"""Where the cell of a row is."""
_NONE: Mapping[int, FormatError] = MappingProxyType({})


class Numbers(NamedTuple):
    """The numbers of some rows of a column, one per row or as many as all lists have."""

    values: Array
    missing: np.ndarray | None = None
    """The rows that lack a number, if any do."""
    faults: Mapping[int, FormatError] = _NONE
    """The rows that hold something else, and what is wrong with it."""


def from_cells(
    cells: Sequence[str | float], shape: tuple[int, ...] | None, reading: Reading, place: Place
) -> Numbers:
    """The numbers in cells; a text counts as the number that it writes, or as the list of them.

    `shape` is that of each row: () for numbers, (C,) for lists, None for what the first cell shows.

    >>> from_cells([1.5, "2", ""], (), Reading(), Location).values
    array([1.5, 2. , nan])
    """
    if shape is None:
        first = next((cell for cell in cells if not (isinstance(cell, str) and is_missing(cell))), "")
        inner = listed(first, reading.decimal) if isinstance(first, str) else None
        shape = () if inner is None else (len(inner),)
    values = np.full((len(cells), *shape), np.nan)
    missing = np.zeros(len(cells), bool)
    faults: dict[int, FormatError] = {}
    for row, cell in enumerate(cells):
        if not shape and isinstance(cell, float):
            values[row] = cell
        elif isinstance(cell, str) and is_missing(cell):
            missing[row] = True
        else:
            value = _value(cell, shape, reading.decimal)
            if value is None:
                faults[row] = _fault(cell, shape, reading.decimal, place(row))
            else:
                values[row] = value
    return Numbers(values, missing if missing.any() else None, faults)


def _value(cell: str | float, shape: tuple[int, ...], decimal: str) -> float | list[float] | None:
    """The number in a cell, or its list where lists of this shape are due; None if there is none."""
    if not isinstance(cell, str):
        return None if shape else cell
    if not shape:
        return number(cell, decimal)
    inner = listed(cell, decimal)
    return None if inner is None or (len(inner),) != shape else inner


def _fault(cell: str | float, shape: tuple[int, ...], decimal: str, place: Location) -> FormatError:
    inner = listed(cell, decimal) if isinstance(cell, str) and shape else None
    if inner is not None:
        problem = f"the list has {counted(len(inner), 'number')}, those before {shape[0]}"
        return FormatError(problem, location=place)
    if shape and _value(cell, (), decimal) is not None:
        return FormatError(f"a number, where the rows before have lists of {shape[0]}", location=place)
    return not_a_number(str(cell), None, place)


def exact_cells(values: Array, missing: np.ndarray | None) -> Array:
    """Numbers as cells: whole numbers that float64 lacks are texts, and so are truth values and gaps.

    >>> exact_cells(np.array([1, 2]), None), exact_cells(np.array([2**53 + 1]), None)
    (array([1., 2.]), array(['9007199254740993'], dtype=object))
    """
    # Of the smallest int64, the absolute value is none.
    is_exact = (
        values.dtype.kind == "f" or not values.size or -EXACT < int(values.min()) <= int(values.max()) < EXACT
    )
    if values.dtype.kind != "b" and is_exact and missing is None:
        return values.astype(np.float64)
    gaps = np.zeros(len(values), bool) if missing is None else missing
    return as_cells(
        "" if gap else _cell(cell) for cell, gap in zip(values.tolist(), gaps.tolist(), strict=True)
    )


def _cell(value: float) -> str | float:
    is_text = isinstance(value, bool) or (isinstance(value, int) and not -EXACT < value < EXACT)
    return str(value) if is_text else float(value)


def as_piece(
    columns: Columns, chosen: Sequence[int], parts: Sequence[Numbers], lines: Sequence[int], reading: Reading
) -> Piece:
    """The rows of some columns: a matrix, or what the lists of one column make up.

    Raises the first of what is wrong with them, unless reading is lenient.
    """
    faults: dict[int, FormatError] = {}
    missing = np.zeros(len(lines), bool)
    for column, part in zip(chosen, parts, strict=True):
        gaps = part.missing
        if gaps is not None and reading.na == "error":
            for row in np.flatnonzero(gaps).tolist()[: None if reading.is_lenient else 1]:
                faults.setdefault(row, not_a_number("", None, columns.place(lines[row], column)))
        elif gaps is not None:
            missing |= gaps
        if reading.na == "drop" and part.values.dtype.kind == "f":
            missing |= has_nan(part.values)
        for row, fault in part.faults.items():
            faults.setdefault(row, fault)
    if faults and not reading.is_lenient:
        raise faults[min(faults)]
    first = parts[0].values
    if first.ndim == 1:
        values = np.column_stack([part.values for part in parts]) if len(parts) > 1 else first[:, np.newaxis]
    else:
        values = first
    is_dropped = reading.na == "drop" and missing.any()
    return Piece(values, missing if is_dropped else None, lines, tuple(sorted(faults.items())))


def has_nan(values: Array) -> np.ndarray:
    """The rows that have NaN in them."""
    return np.asarray(np.isnan(values).any(axis=tuple(range(1, values.ndim))))
