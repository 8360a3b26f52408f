"""Tables in JSON objects: frames as pandas writes them, columns of lists, and tensors of model servers."""

import math
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from losscalc.errors import FormatError, Location, LosscalcNote, counted
from losscalc.inputs.columns import INDEX, Columns
from losscalc.inputs.document import escaped
from losscalc.inputs.headers import are_numbered
from losscalc.inputs.nested import leaves
from losscalc.inputs.parts import as_typed
from losscalc.inputs.records import Frame, Rows, place_in

# What pandas labels rows with: numbers, dates, and tuples of several.
_LABEL = re.compile(r"-?\d+(?:\.\d+)?|\d{4}-\d\d-\d\d.*|\(.*\)", re.ASCII | re.DOTALL)
_SPLIT = frozenset({"columns", "index", "data", "name", "index_names", "column_names"})
_FEW = 20
_TENSOR = frozenset({"name", "shape", "datatype"})


def frame_of(
    document: Mapping[str, Any], part: str | None, location: Location, path: str = ""
) -> Frame | None:
    """The table that an object is, if it is one as pandas writes them; None for any other.

    Where columns and rows look alike, the names in the part decide. `path` is the pointer to the object.
    """
    values = list(document.values())
    if isinstance(document.get("data"), list):
        return _split(document, location) or _with_schema(document)
    if values and all(isinstance(value, dict) and value for value in values):
        return _of_objects(document, part, location, path)
    if values and _are_labels(list(document)) and are_cells(values):
        return _series(document, location, path)
    return None


def columns_of_lists(document: Mapping[str, Any]) -> Frame | None:
    """The table of an object of several members, which are equally long lists."""
    columns = list(document.values())
    if len(columns) < 2 or not all(isinstance(c, list) and len(c) == len(columns[0]) for c in columns):
        return None
    return Frame.at_hand(list(document), len(columns[0]), columns.__getitem__)


def tensors_of(document: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The tensors of a request or response of KServe's protocol, version 2, by name."""
    for key in ("outputs", "inputs"):
        items = document.get(key)
        if isinstance(items, list) and all(
            isinstance(item, dict) and item.keys() >= _TENSOR for item in items
        ):
            return {str(item["name"]): item for item in items}
    return {}


def tensor(item: Mapping[str, Any], location: Location) -> Any:
    """The numbers of a tensor, in lists nested as its shape says."""
    shape = item["shape"]
    if not isinstance(shape, list) or not all(isinstance(n, float) and n >= 0 and n == int(n) for n in shape):
        raise FormatError("the tensor has a bad shape", location=location)
    if not isinstance(item.get("data"), list):
        problem = "the numbers of the tensor are not in the JSON"
        raise FormatError(problem, location=location, hint="ask the server for JSON, and not for binary data")
    sizes = tuple(int(n) for n in shape)
    values, found = leaves(item["data"], location.inside)
    if found == sizes:
        return item["data"]
    if found != (math.prod(sizes),):
        raise FormatError(
            f"the tensor has {' x '.join(map(str, found))} values, and its shape is {list(sizes)}",
            location=location,
        )
    for size in sizes[:0:-1]:
        values = [values[start : start + size] for start in range(0, len(values), size)]
    return values if sizes else values[0]


def _split(document: Mapping[str, Any], location: Location) -> Frame | None:
    """The orientation `split`: names, labels and rows, each apart; of a Series a name instead of names."""
    if not document.keys() <= _SPLIT:
        return None
    rows, index = document["data"], document.get("index")
    labels = (
        {INDEX: index} if isinstance(index, list) and len(index) == len(rows) and are_cells(index) else {}
    )
    columns = document.get("columns")
    if not isinstance(columns, list):
        is_series = "name" in document and isinstance(index, list)
        name = None if document.get("name") is None else [_name(document["name"])]
        return Frame.at_hand(name, len(rows), lambda _: rows, labels) if is_series else None
    if not columns or not all(isinstance(row, list) for row in rows):
        return None

    def wrong(number: int) -> FormatError:
        items = counted(len(rows[number]), "item")
        problem = f"the row has {items}, but there are {len(columns)} columns"
        return FormatError(problem, location=location._replace(part=f"#/data[{number}]"))

    def column(position: int) -> list[Any]:
        return [row[position] if len(row) == len(columns) else wrong(i) for i, row in enumerate(rows)]

    return Frame.at_hand([_name(name) for name in columns], len(rows), column, labels)


def _with_schema(document: Mapping[str, Any]) -> Frame | None:
    """The orientation `table`: records, and a schema that names their members and those of the index."""
    schema, rows = document.get("schema"), document["data"]
    fields = schema.get("fields") if isinstance(schema, dict) else None
    if document.keys() != {"schema", "data"} or not isinstance(fields, list):
        return None
    names = [_name(field.get("name")) for field in fields if isinstance(field, dict)]
    if not names or not all(isinstance(row, dict) and row.keys() >= set(names) for row in rows):
        return None
    key = schema.get("primaryKey") if isinstance(schema, dict) else None
    index = [_name(name) for name in key] if isinstance(key, list) else []
    labels = {name: [row[name] for row in rows] for name in index if name in names}
    data = [name for name in names if name not in labels]

    def column(position: int) -> list[Any]:
        return [row[data[position]] for row in rows]

    return Frame.at_hand(data, len(rows), column, labels)


def _series(document: Mapping[str, Any], location: Location, path: str) -> Frame:
    """The orientation `index` of a Series: a value for each label."""
    keys = list(document)
    counted = [str(n) for n in range(len(keys))]
    if keys != counted and set(keys) == set(counted):
        problem = "the members are numbered from 0, and not in this order"
        hint = f"{as_typed(f'{path}/*')} takes them in the order in which they are written"
        raise FormatError(problem, location=location, hint=hint)
    return Frame.at_hand(None, len(keys), lambda _: list(document.values()), {INDEX: keys})


def _of_objects(document: Mapping[str, Any], part: str | None, location: Location, path: str) -> Frame | None:
    """The orientations `columns` and `index`: objects each of which is a column, or each a row."""
    outer, rows = list(document), list(document.values())
    inner = list(dict.fromkeys(key for row in rows for key in row))
    is_even = all(row.keys() == rows[0].keys() for row in rows)
    are_labels = _are_labels(outer), _are_labels(inner)
    by_column, by_row = are_labels[1], are_labels[0]
    if are_labels[0] == are_labels[1]:
        if not are_labels[0] and not all(are_cells(row.values()) for row in rows):
            return None
        asked = None if part == INDEX and are_labels[0] else part
        by_column = is_even and bool(_selected(outer, asked))
        by_row = (is_even or asked is not None) and bool(_selected(inner, asked))
        if by_column and by_row and not are_labels[0]:
            raise _either(outer, inner, part, location, path)
    if by_column and not is_even:
        _check_lone(outer, part, location)
        return None
    # Where neither are labels, only a name of a column tells which these are, and that of the index does not.
    labels = list(rows[0]) if by_column else outer
    index = {INDEX: labels} if any(are_labels) else {}
    if not by_column:
        records = Rows(iter([(range(len(rows)), rows)]), place_in(location, ""), f"{path}/*/")
        keys = () if index else labels
        return records.frame(inner[0])._replace(labels=index, keys=keys) if by_row else None
    remarks = []
    if by_row or (part is None and len(outer) > 1 and are_numbered(inner)):
        problem = "each member is taken as a column, as pandas writes them by default"
        hint = f"if each of them is a row: {_as_rows(inner, part, path)}"
        remarks = [LosscalcNote(problem, location=location, hint=hint)]
    elif part is not None and part in inner and not _selected(outer, part):
        hint = f"if each member is a row: {_as_rows(inner, part, path)}"
        raise FormatError("there is no such column", found=part, location=location, hint=hint)
    frame = Frame.at_hand(outer, len(labels), lambda c: [rows[c][label] for label in labels], index, remarks)
    return frame if index else frame._replace(keys=labels)


def _check_lone(names: list[str], part: str | None, location: Location) -> None:
    """Refuse a column out of several that have different rows, which a pointer may take alone."""
    if part is not None and part in names:
        problem = "the members have the numbers of different rows"
        raise FormatError(
            problem, found=part, location=location, hint=f"{as_typed(f'/{escaped(part)}')} takes one alone"
        )


def _either(
    outer: list[str], inner: list[str], part: str | None, location: Location, path: str
) -> FormatError:
    """The error about objects that may be columns as well as rows."""
    names = _selected(outer, part)
    columns = ",".join(names)
    if path or len(names) == 1 or _selected(inner, columns):
        columns = f"{path}/{escaped(names[0])}/*"
    hint = (
        f"if each of them is a column: {as_typed(columns)}; if each is a row: {_as_rows(inner, part, path)}"
    )
    return FormatError("the members of the object may be columns or rows", location=location, hint=hint)


def _as_rows(names: list[str], part: str | None, path: str) -> str:
    """The part that takes the members of an object as rows, as it has to be typed."""
    return as_typed(f"{path}/*" if part is None else f"{path}/*/{escaped(','.join(_selected(names, part)))}")


def _selected(names: list[str], part: str | None) -> list[str]:
    """The names of the columns that a part means, if it means any."""
    with suppress(FormatError):
        return [names[column] for column in Columns("", len(names), names).select(part)]
    return []


def are_cells(values: Iterable[Any]) -> bool:
    """Whether all values are numbers, texts or nothing."""
    return not any(isinstance(value, list | dict) for value in values)


def _are_labels(names: list[str]) -> bool:
    """Whether names look like the labels of rows."""
    return all(map(_LABEL.fullmatch, names))


def _name(name: object) -> str:
    """The name of a column as text: 0 for the number, and the words of several levels in brackets."""
    if isinstance(name, list):
        return f"({', '.join(map(repr, map(_name, name)))})"
    return str(int(name)) if isinstance(name, float) and name == name // 1 else str(name)
