"""JSON documents: how one is parsed, a part of it found, and an array made of its nested lists."""

import json
import re
from collections import Counter
from collections.abc import Callable
from functools import cache
from itertools import chain
from typing import Any

import numpy as np

from losscalc.core.array import Array
from losscalc.errors import FormatError, Index, Location, printable
from losscalc.inputs.cells import is_missing, number
from losscalc.inputs.parts import as_typed
from losscalc.inputs.table import identifies

_DEEPEST = 64
_BOTTOMLESS = 950
_NUMBER_WORDS = {"NaN": np.nan, "Infinity": np.inf, "-Infinity": -np.inf}


class _Written(float):
    """NaN or infinity that is written as such, unlike an infinity from a number that is too large."""


def parse(text: str, path: str, line: int = 1, number: Callable[[str], float] = float) -> Any:
    """The document in a text; `line` is the number of its first line.

    Numbers are float64; `number` reads those without a point.
    """
    # Versions of Python differ in how deep their parser goes; this depth is refused in all of them.
    if text.startswith("[" * _BOTTOMLESS):
        raise _too_deep(Location(path, line))
    try:
        if text.startswith("\ufeff"):
            raise json.JSONDecodeError("Unexpected UTF-8 BOM (decode using utf-8-sig)", text, 0)
        return _decoder(number)(text)
    except json.JSONDecodeError as error:
        problem = error.msg[:1].lower() + error.msg[1:]
        is_next_line = problem == "extra data" and error.lineno > 1
        raise FormatError(
            f"not JSON: {problem}",
            location=Location(path, line + error.lineno - 1, error.colno),
            hint="one document a line is JSON lines: --from jsonl" if is_next_line else None,
        ) from error
    except RecursionError as error:
        raise _too_deep(Location(path, line)) from error
    except _DuplicateKeyError as error:
        raise FormatError("a key is there twice", found=str(error), location=Location(path, line)) from error


@cache
def _decoder(number: Callable[[str], float]) -> Callable[[str], Any]:
    """A decoder for all documents: of short JSON lines, making one takes longer than using it."""
    return json.JSONDecoder(parse_int=number, parse_constant=_Written, object_pairs_hook=_unique).decode


def find(document: Any, part: str | None, location: Location) -> Any:
    """A part of a document: a JSON Pointer, or the name of a member of an object or of every record.

    >>> find([{"p": 1.0}, {"p": 2.0}], "p", Location("a.json"))
    [1.0, 2.0]
    >>> find({"batch": {"p": [3.0]}}, "/batch/p", Location("a.json"))
    [3.0]
    >>> find({"results": [{"p": 1.0}, {"p": 2.0}]}, "/results/*/p", Location("a.json"))
    [1.0, 2.0]
    """
    if part is None:
        return _lone_value(document, location)
    if part == "":
        return document  # the JSON Pointer of the whole
    if part.startswith("/"):
        if re.search(r"~(?![01])", part):
            problem = "not a JSON Pointer: a ~ in a name is written ~0, and a / is written ~1"
            raise FormatError(problem, found=part, location=location)
        steps = [step.replace("~1", "/").replace("~0", "~") for step in part[1:].split("/")]
        if steps.count("*") > _DEEPEST:
            raise _too_deep(location)
        return _follow(document, steps, location)
    if isinstance(document, list):
        if re.fullmatch(r"[1-9][0-9]{0,8}", part) and document and isinstance(document[0], list):
            raise FormatError(
                "columns of tables are counted from 1 and items of JSON from 0: the number may mean either",
                found=part,
                location=location,
                hint=f"column {part}, counted from 1, is {as_typed(f'/*/{int(part) - 1}')}",
            )
        return [_member(row, part, location.inside((i,))) for i, row in enumerate(document)]
    return _member(document, part, location)


def table_of(document: Any, part: str | None) -> str:
    """The JSON Pointer of the list whose items a part takes something of, or else of the part itself.

    >>> rows = [{"p": 1.0}, {"p": 2.0}]
    >>> table_of(rows, "p"), table_of({"rows": rows}, "/rows/*/p"), table_of({"p": [1.0, 2.0]}, "p")
    ('', '/rows', '/p')
    """
    if part is None or part.startswith("/"):
        return (part or "").partition("/*")[0]
    return "" if isinstance(document, list) else f"/{part}"


def _follow(document: Any, steps: list[str], location: Location) -> Any:
    """The value that the steps of a JSON Pointer lead to; a `*` is every item of a list."""
    for position, step in enumerate(steps):
        if step == "*" and isinstance(document, list):
            rest = steps[position + 1 :]
            return [_follow(item, rest, location.inside((i,))) for i, item in enumerate(document)]
        document = _member(document, step, location)
    return document


def to_array(document: Any, na: str, place: Callable[[Index], Location]) -> tuple[Array, Array | None]:
    """Nested lists as an array and, if rows that lack a number are to be dropped, a mask of these."""
    shape: Index = ()
    level = [document]
    while level and isinstance(level[0], list):
        size = len(level[0])
        for position, node in enumerate(level):
            if not isinstance(node, list) or len(node) != size:
                raise _ragged(level, position, shape, place)
        shape += (size,)
        if len(shape) > _DEEPEST:
            raise _too_deep(place(()))
        level = list(chain.from_iterable(level))
    if not level:
        raise FormatError("no data", location=place(()))
    if set(map(type, level)) == {float}:
        values = np.array(level, np.float64)
        if np.isfinite(values).all():
            return values.reshape(shape), None
    numbers = [_number(leaf, i, shape, na, place) for i, leaf in enumerate(level)]
    missing = None
    if na == "drop" and None in numbers:
        if not shape:
            raise FormatError("a lone number is missing, and no row to leave out", location=place(()))
        absent = np.array([n is None for n in numbers])
        missing = np.asarray(absent.reshape(shape[0], -1).any(axis=1))
    return np.array([np.nan if n is None else n for n in numbers], np.float64).reshape(shape), missing


def _too_deep(location: Location) -> FormatError:
    return FormatError(f"lists are nested more than {_DEEPEST} deep", location=location)


def _number(
    leaf: Any, position: int, shape: Index, na: str, place: Callable[[Index], Location]
) -> float | None:
    """The number of one leaf, or None for a null that is allowed to be missing."""
    value = None
    if isinstance(leaf, _Written | bool) or (isinstance(leaf, float) and np.isfinite(leaf)):
        value = float(leaf)
    elif isinstance(leaf, str):
        # Numbers in quotes are those of tables: many programs quote what they read from one.
        value = _NUMBER_WORDS.get(leaf, number(leaf))
    if value is not None and not (na == "drop" and np.isnan(value)):
        return value
    is_gap = value is not None or leaf is None or (isinstance(leaf, str) and is_missing(leaf))
    if is_gap and na != "error":
        return None
    raise _not_a_number(leaf, place(_unravel(position, shape)))


def _not_a_number(leaf: Any, location: Location) -> FormatError:
    if isinstance(leaf, float):
        return FormatError("a number outside the range of float64", location=location)
    if isinstance(leaf, list):
        return FormatError("a list where a number is due", location=location)
    if isinstance(leaf, dict):
        # The ids of records are no numbers to compute with.
        name = next((key for key in leaf if not identifies(key)), next(iter(leaf), None))
        hint = None if name is None else f"name a member: {as_typed(name)}"
        return FormatError("an object where a number is due", location=location, hint=hint)
    is_gap = leaf is None or (isinstance(leaf, str) and is_missing(leaf))
    hint = "--na drop leaves the row out, --na nan reads NaN" if is_gap else None
    return FormatError("not a number", found=json.dumps(leaf), location=location, hint=hint)


def _ragged(level: list[Any], position: int, shape: Index, place: Callable[[Index], Location]) -> FormatError:
    node, first = level[position], place(_unravel(0, shape))
    what = f"has {len(node)} items" if isinstance(node, list) else "is not a list"
    where = first.part if first.line is None else f"line {first.line}{first.part}"
    return FormatError(
        f"the row {what}, but {where} has {len(level[0])}", location=place(_unravel(position, shape))
    )


def _unravel(position: int, shape: Index) -> Index:
    return tuple(int(i) for i in np.unravel_index(position, shape)) if shape else ()


def _lone_value(document: Any, location: Location) -> Any:
    """The document itself, or the value of a result that losscalc printed."""
    if not isinstance(document, dict):
        return document
    if {"value", "version"} <= document.keys():
        return document["value"]
    listed = ", ".join(f"#/{key}" for key in list(document)[:20])
    raise FormatError(
        "an object, where a list of numbers is due",
        location=location,
        hint=printable(f"name a member: {listed}") if document else None,
    )


def _member(document: Any, step: str, location: Location) -> Any:
    if isinstance(document, dict):
        if step in document:
            return document[step]
        known = ", ".join(list(document)[:20])
        raise FormatError(
            "there is no such member", found=step, location=location, hint=printable(f"there are {known}")
        )
    if isinstance(document, list) and re.fullmatch(r"0|[1-9]\d*", step, re.ASCII):
        if int(step[:19]) < len(document):
            return document[int(step)]
        raise FormatError(f"the list has {len(document)} items", found=step, location=location)
    raise FormatError("neither an object nor a list with such a member", found=step, location=location)


class _DuplicateKeyError(Exception):
    """An object has a key twice."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        raise _DuplicateKeyError(counts.most_common(1)[0][0])
    return members
