"""JSON documents: how one is parsed, and how the steps of a pointer lead to a part of it."""

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from losscalc.errors import FormatError, Location, counted, printable
from losscalc.inputs.cells import EXACT
from losscalc.inputs.limits import too_large

Number = Callable[[str], Any]
"""What makes a number of the digits of a whole one."""

DEEPEST = 64
EVERY = "*"
"""The step of a pointer that leads to every item of a list, or to every member of an object."""
COMPANION = "/~/"
"""Between a pointer and a name: the member of that name which is nearest to what the pointer leads to."""
_BOTTOMLESS = 950
# Bytes that Python takes for a number and its place in a list, for a list, an object, a member, half a text.
_WEIGHTS = ((",", 33), ("[", 104), ("{", 200), (":", 100), ('"', 30))


class Written(float):
    """NaN or infinity that is written as such, unlike an infinity from a number that is too large."""


class GapError(FormatError):
    """A member that other records have is not there."""


class DuplicateKeyError(Exception):
    """An object has a key twice."""


def exact(digits: str) -> float | str:
    """A whole number as float64 where that has all its digits, else as text.

    >>> exact("7"), exact("9007199254740993")
    (7.0, '9007199254740993')
    """
    value = float(digits)
    return value if abs(value) < EXACT else digits


def parse(text: str, path: str, line: int = 1, number: Number = float) -> Any:
    """The document in a text; `line` is the number of its first line.

    Numbers are float64; `number` reads those without a point.
    """
    # Versions of Python differ in how deep their parser goes; this depth is refused in all of them.
    if text.startswith("[" * _BOTTOMLESS):
        raise too_deep(Location(path, line))
    try:
        if text.startswith("\ufeff"):
            raise json.JSONDecodeError("Unexpected UTF-8 BOM (decode using utf-8-sig)", text, 0)
        return decoder(number).decode(text)
    except json.JSONDecodeError as error:
        raise not_json(error.msg, Location(path, line + error.lineno - 1, error.colno), line) from error
    except RecursionError as error:
        raise too_deep(Location(path, line)) from error
    except DuplicateKeyError as error:
        raise key_twice(str(error), Location(path, line)) from error


@cache
def decoder(number: Number) -> json.JSONDecoder:
    """A decoder for all documents: of short JSON lines, making one takes longer than using it."""
    return json.JSONDecoder(parse_int=number, parse_constant=Written, object_pairs_hook=_unique)


def weight(text: str) -> int:
    """About how many bytes a text and the document in it take in memory."""
    return 2 * text.__sizeof__() + sum(text.count(mark) * size for mark, size in _WEIGHTS)


def steps_of(part: str, location: Location) -> list[str]:
    """The steps of a JSON Pointer.

    >>> steps_of("/a~1b/0", Location("a.json"))
    ['a/b', '0']
    """
    if re.search(r"~(?![01])", part):
        problem = "not a JSON Pointer: a ~ in a name is written ~0, and a / is written ~1"
        raise FormatError(problem, found=part, location=location)
    steps = [step.replace("~1", "/").replace("~0", "~") for step in part.split("/")[1:]]
    if steps.count(EVERY) > DEEPEST:
        raise too_deep(location)
    return steps


def escaped(name: str) -> str:
    """A name as it is written in a JSON Pointer."""
    return name.replace("~", "~0").replace("/", "~1")


def pointer(steps: Sequence[str]) -> str:
    """The JSON Pointer of some steps."""
    return "".join(f"/{escaped(step)}" for step in steps)


def follow(document: Any, steps: Sequence[str], location: Location) -> Any:
    """The value that steps lead to; behind a `*`, a list of those of all items.

    An item without such a member has the error about that in its place: the row may be left out.

    >>> follow({"results": [{"p": 1.0}, {"p": 2.0}]}, ["results", "*", "p"], Location("a.json"))
    [1.0, 2.0]
    """
    for position, step in enumerate(steps):
        if step == EVERY and (
            isinstance(document, list) or (isinstance(document, dict) and step not in document)
        ):
            items = document if isinstance(document, list) else document.values()
            rest = steps[position + 1 :]
            return [reached(item, rest, location.inside((i,))) for i, item in enumerate(items)]
        document = member(document, step, location)
    return document


def reached(row: Any, steps: Sequence[str], location: Location) -> Any:
    """The value that steps lead to, or the error about it."""
    try:
        return follow(row, steps, location)
    except FormatError as error:
        return error


def member(document: Any, step: str, location: Location) -> Any:
    """The member of an object, or the item of a list."""
    if isinstance(document, dict):
        if step in document:
            return document[step]
        known = printable(f"there are {', '.join(list(document)[:20])}") if document else None
        error = GapError("there is no such member", found=step, location=location, hint=known)
        error.names = [escaped(name) for name in document]
        raise error
    if isinstance(document, list) and re.fullmatch(r"0|[1-9]\d*", step, re.ASCII):
        if int(step[:19]) < len(document):
            return document[int(step)]
        raise FormatError(f"the list has {counted(len(document), 'item')}", found=step, location=location)
    problem = "neither an object nor a list with such a member"
    # What is inside of nothing is missing, too.
    raise (GapError if document is None else FormatError)(problem, found=step, location=location)


def not_json(problem: str, location: Location, first_line: int = 1) -> FormatError:
    """The error about text that is no JSON, in the words of Python's parser."""
    problem = problem[:1].lower() + problem[1:]
    is_next_line = problem == "extra data" and (location.line or 0) > first_line
    hint = "one document a line is JSON lines: --from jsonl" if is_next_line else None
    return FormatError(f"not JSON: {problem}", location=location, hint=hint)


def key_twice(key: str, location: Location) -> FormatError:
    """The error about an object that has a key twice."""
    return FormatError("a key is there twice", found=key, location=location)


def too_deep(location: Location) -> FormatError:
    """The error about lists in lists in lists."""
    return FormatError(f"lists are nested more than {DEEPEST} deep", location=location)


def too_heavy(most: int, location: Location) -> FormatError:
    """The error about a document that would take too much memory."""
    return too_large("held in memory, the JSON has", most, location)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        raise DuplicateKeyError(counts.most_common(1)[0][0])
    return members
