"""Hypotheses on how tables were read: ids and headers as data, other columns, rows not joined or picked."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from losscalc.core.domains import parse_number
from losscalc.core.roles import CLASS_KINDS
from losscalc.engine.outsiders import identifies, is_unnamed
from losscalc.engine.rereading import Rereading, Ways
from losscalc.engine.sources import Selection
from losscalc.errors import LosscalcError
from losscalc.insight.call import Call
from losscalc.insight.detect.changes import target_name
from losscalc.insight.detect.hypothesis import Hypothesis, NotApplicable, require

# Columns are tried one by one if there are no more of them, in tables that are read in a moment.
_MOST_COLUMNS, _MOST_ELEMENTS = 12, 50_000


def _files(call: Call) -> Rereading:
    if call.files is None:
        raise NotApplicable
    return call.files


def _first(call: Call) -> str:
    return next(iter(call.arrays))


def _table(call: Call, name: str) -> Selection:
    """The columns that an array is read from."""
    tables = _files(call).tables
    require(name in tables)
    return tables[name]


def _reread(call: Call, ways: Ways, **options: Any) -> Call:
    """The call with its arrays read in another way."""
    try:
        arrays = _files(call).read(ways, **options)
    except LosscalcError as error:
        raise NotApplicable from error
    return call._replace(arrays=arrays, kept=None)


def _with_columns(call: Call, columns: Mapping[str, Iterable[int]]) -> Call:
    return _reread(call, {name: {"columns": tuple(own)} for name, own in columns.items()})


def _ids(table: Selection) -> list[int]:
    """The columns that were left out and tell rows apart."""
    names = table.names or ("-",) * table.width
    return [
        column for column in table.others if identifies(names[column]) or is_unnamed(names[column].strip())
    ]


def _beside(call: Call) -> list[str]:
    """The arrays of numbers that are the predictions or stand beside these, one for one."""
    roles, tables = call.operation.roles, _files(call).tables
    kinds = {name: roles[name].kind for name in call.arrays if name in tables}
    return [
        name
        for name, kind in kinds.items()
        if name == _first(call) or (kind not in CLASS_KINDS and "weights" not in kind)
    ]


def _with_ids(call: Call) -> Call:
    """The call with columns of ids as data, in their places, of all arrays of numbers that have some."""
    tables = {name: _table(call, name) for name in _beside(call)}
    found = {name: _ids(table) for name, table in tables.items()}
    found = {name: ids for name, ids in found.items() if ids}
    require(found)
    return _with_columns(call, {name: _placed(tables[name].columns, ids) for name, ids in found.items()})


def _placed(own: Sequence[int], added: Sequence[int]) -> tuple[int, ...]:
    """Columns and further ones, which come first if they do so in the table."""
    before = [column for column in added if column < min(own)]
    return (*before, *own, *(column for column in added if column not in before))


def _with_labels(call: Call) -> Call:
    """The call with the columns of the target as further ones of the predictions."""
    own, labels = _table(call, _first(call)), _table(call, target_name(call))
    require(own.place == labels.place and not {*own.columns} & {*labels.columns})
    return _with_columns(call, {_first(call): _placed(own.columns, labels.columns)})


def _other_columns(call: Call, name: str) -> list[int]:
    """The other columns of a small table, counted from 1."""
    table = _table(call, name)
    require(len(table.others) <= _MOST_COLUMNS)
    require(sum(array.size for array in call.held.values()) <= _MOST_ELEMENTS)
    return [column + 1 for column in table.others]


def _with_column(call: Call, name: str, number: float) -> Call:
    """The call with a further column of the table in an array."""
    table, column = _table(call, name), int(number) - 1
    require(column in table.others)
    return _with_columns(call, {name: _placed(table.columns, [column])})


def _of_column(call: Call, name: str, number: float) -> Call:
    """The call with another column of the table in the place of an array's only one."""
    table, column = _table(call, name), int(number) - 1
    require(len(table.columns) == 1 and column in table.others)
    return _with_columns(call, {name: (column,)})


def _with_headers(call: Call) -> Call:
    """The call with headers of numbers as the first rows; the longer arrays are cut at the end."""
    ways = {}
    for name, table in _files(call).tables.items():
        cells = [table.names[column] for column in table.columns] if table.names else []
        if cells and all(parse_number(cell) is not None for cell in cells):
            ways[name] = {"columns": table.columns, "header": "no"}
    require(ways)
    return _reread(call, ways)


def _unjoined(call: Call) -> Call:
    require(_files(call).options["key"] is not None)
    return _reread(call, {}, key=None, no_key=True)


def _joined(call: Call) -> Call:
    """The call with rows joined by the ids that all tables have."""
    files = _files(call)
    require(files.options["no_key"] and len({table.place for table in files.tables.values()}) > 1)
    names = [{*filter(identifies, table.names)} for table in files.tables.values()]
    shared = sorted(set.intersection(*names))
    require(shared)
    return _reread(call, {}, key=shared[0], no_key=False)


def _unpicked(call: Call) -> Call:
    require(_files(call).options["where"])
    return _reread(call, {}, where=())


def _filled(call: Call) -> Call:
    """The call with 0 in the place of missing numbers, whose rows were left out."""
    require(_files(call).options["na"] == "drop")
    read = _reread(call, {}, na="nan")
    require(any(np.isnan(array).any() for array in read.held.values() if array.dtype.kind == "f"))
    arrays = {
        name: np.nan_to_num(array, nan=0.0, posinf=np.inf, neginf=-np.inf)
        for name, array in read.held.items()
    }
    return read._replace(arrays=arrays)


# Few calls have what these are about, and those that do are easily read so: they are likely.
_WAYS = (
    ("id-column", "the column of ids (the index) was read as data as well", 1.0, _with_ids),
    ("label-column", "the column of the labels was read as part of the input as well", 1.5, _with_labels),
    ("header-row", "the first line, a header of numbers, was read as data", 1.0, _with_headers),
    ("not-joined", "rows were taken as they stand, not joined by --key", 1.0, _unjoined),
    ("joined", "rows were joined by their ids", 1.0, _joined),
    ("not-picked", "--where was not applied: all rows were taken", 1.0, _unpicked),
    ("missing-as-0", "missing numbers were taken as 0, not left out with their rows", 1.5, _filled),
)


def _about_column(
    name: str,
    sentence: str,
    bits: float,
    array: Callable[[Call], str],
    read: Callable[[Call, str, float], Call],
) -> Hypothesis:
    """A hypothesis on any other column of the table that an array comes from."""
    return Hypothesis(
        "rows",
        name,
        sentence,
        bits,
        lambda call, number: read(call, array(call), number),
        tried=lambda call: _other_columns(call, array(call)),
        as_given=True,
    )


TABLES = [
    *(Hypothesis("rows", *row, as_given=True) for row in _WAYS),
    _about_column(
        "with-column",
        "column {number} of its table was read as part of the input as well",
        4.5,
        _first,
        _with_column,
    ),
    _about_column("input-column", "the input was column {number} of its table", 3.5, _first, _of_column),
    _about_column(
        "target-column", "the target was column {number} of its table", 3.5, target_name, _of_column
    ),
]
