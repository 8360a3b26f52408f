"""What a part of a JSON document means: nested lists, or a table of which it picks columns."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, NamedTuple

from losscalc.errors import FormatError, Location, printable
from losscalc.inputs.columns import INDEX
from losscalc.inputs.document import (
    COMPANION,
    DEEPEST,
    EVERY,
    escaped,
    follow,
    member,
    pointer,
    steps_of,
    too_deep,
)
from losscalc.inputs.frames import are_cells, columns_of_lists, frame_of, tensor, tensors_of
from losscalc.inputs.options import Reading
from losscalc.inputs.parts import as_typed, choose_array
from losscalc.inputs.records import Frame, Rows, place_in

_LISTED = 20


class Content(NamedTuple):
    """What a part of a document means."""

    value: Any
    """Nested lists, or a `Frame`."""
    part: str | None = None
    """The part of the columns of a table; None for all of them."""
    before: str = ""
    """What has to stand before the part of these columns in a part of the document."""
    beside: Sequence[str] = ()
    """The names that belong to the same rows."""
    location: Location | None = None
    """Where the array stands, if the part does not say it."""
    keys: Sequence[str] = ()
    """The keys of the rows, if these are the members of an object."""

    def keyed(self, keys: Sequence[str]) -> "Content":
        """The same with the keys of its rows, which are an index of them."""
        if not keys or INDEX in self.beside:
            return self
        return self._replace(keys=keys, beside=[*self.beside, INDEX])


def find(
    document: Any,
    part: str | None,
    location: Location,
    reading: Reading,
    path: Sequence[str] = (),
) -> Content:
    """What a part of a document means; `path` is where the document stands in a larger one.

    >>> find([5.0, 6.0], None, Location("a.json"), Reading()).value
    [5.0, 6.0]
    >>> find({"batch": {"p": [3.0]}, "n": 1.0}, "/batch/p", Location("a.json"), Reading()).value
    [3.0]
    """
    search = _Search(location, reading)
    if not part:
        return search.whole(document, path)
    if COMPANION in part:
        return search.companion(document, part)
    if part.startswith("/"):
        return search.pointed(document, steps_of(part, location), path)
    return search.named(document, part, path)


def beside(part: str | None, name: str) -> str:
    """The part of the column of another name that belongs to the same rows as a part.

    >>> beside("p", "id"), beside("/predictions/*/logits/0", "id"), beside("/batch/p", "id")
    ('id', '/predictions/*/id', '/batch/p/~/id')
    """
    if part is None or not part.startswith("/"):
        return name
    head, star, _ = part.rpartition(f"/{EVERY}/")
    return f"{head}{star}{escaped(name)}" if star else f"{part}{COMPANION}{escaped(name)}"


def of_rows(rows: Rows, part: str | None, inner: Sequence[str], reading: Reading) -> Content:
    """What rows mean of which a name picks columns, or in each of which steps lead further."""
    as_table = None
    if part is None and not inner and any(other.startswith(rows.before) for _, other in reading.elsewhere):
        as_table = True
    elif reading.is_beside:
        as_table = False
    if len(inner) == 1:
        (step,) = inner
        # A lone number is no position of a column, as pointers count items from 0.
        if step in rows.names or (rows.names and not step.isdecimal()):
            part, inner = step, ()
        elif (several := rows.several(step)) is not None:
            part, inner, as_table = several, (), True
    frame = rows.reached(inner) if inner else rows.frame(part, as_table=as_table)
    if frame.names is None:
        return Content(frame, beside=rows.names)
    return _framed(frame, part, "" if rows.are_records and rows.is_named else rows.before)


class _Search(NamedTuple):
    """The search for what a part means, and where messages say that it is."""

    location: Location
    reading: Reading

    def whole(self, document: Any, path: Sequence[str]) -> Content:
        """What a document, or a part of it, means as a whole; an object of one member is that member."""
        for _ in range(DEEPEST):
            if isinstance(document, list):
                return self.items(document, path)
            if not isinstance(document, dict):
                return Content(document)
            if not path and {"value", "version"} <= document.keys():
                return Content(document["value"])
            if frame := frame_of(document, None, self.location, pointer(path)):
                return _framed(frame, None, _within(path))
            if tensors := tensors_of(document):
                name = choose_array(list(tensors), None, self.location.path, "JSON")
                return Content(tensor(tensors[name], self.location))
            value = next(iter(document.values()), None)
            if len(document) != 1 or not isinstance(value, list | dict):
                raise _several(document, path, self.location)
            path, document = [*path, *document], value
        raise too_deep(self.location)

    def items(
        self, items: list[Any], path: Sequence[str], part: str | None = None, inner: Sequence[str] = ()
    ) -> Content:
        """What a list means."""
        before = f"{pointer(path)}/{EVERY}/"
        is_named = not path and not inner
        place = place_in(self.location, "" if is_named else before)
        rows = Rows(iter([(range(len(items)), items)]), place, before, is_named=is_named)
        content = of_rows(rows, part, inner, self.reading)
        if content.value.names:
            return content
        return content._replace(value=[cell for batch in content.value.batches for cell in batch.column(0)])

    def pointed(self, document: Any, steps: Sequence[str], start: Sequence[str] = ()) -> Content:
        """What a JSON Pointer leads to from a document that stands at the start of a larger one."""
        node, beside = document, _lists(())
        for position, step in enumerate(steps):
            path, rest = [*start, *steps[:position]], steps[position + 1 :]
            if step == EVERY and isinstance(node, list):
                return self.items(node, path, inner=rest)
            if isinstance(node, dict) and step not in node:
                if step == EVERY:
                    return self.items(list(node.values()), path, inner=rest).keyed(list(node))
                if not rest:
                    return self.named(node, step, path)
            beside = _lists(node)
            node = member(node, step, self.location)
        content = self.whole(node, [*start, *steps])
        return content if content.beside else content._replace(beside=beside)

    def named(self, document: Any, name: str, path: Sequence[str]) -> Content:
        """What a name means: a column of a table, a member, a tensor, or one of the only member."""
        if isinstance(document, list):
            return self.items(document, path, name)
        if not isinstance(document, dict) or len(path) > DEEPEST:
            raise _no_member(document, name, path, self.location)
        frame = frame_of(document, name, self.location, pointer(path))
        if frame is not None and name in frame.labels and name not in (frame.names or ()):
            return Content(frame.labels[name], beside=[*(frame.names or ()), *frame.labels])
        if frame is not None and frame.names and (name in frame.names or name not in document or frame.row):
            return _framed(frame, name, _within(path))
        inner = document.get(name)
        if name in document and not isinstance(inner, dict):
            content = self.whole(inner, [*path, name])
            return content if content.beside else content._replace(beside=_lists(document))
        if tensors := tensors_of(document):
            return Content(
                tensor(tensors[choose_array(list(tensors), name, self.location.path)], self.location)
            )
        if frame := columns_of_lists(document):
            return _framed(frame, name, _within(path))
        if name in document:
            return self.whole(inner, [*path, name])
        only = next(iter(document.values())) if len(document) == 1 else None
        if isinstance(only, list | dict):
            return self.named(only, name, [*path, *document])
        raise _no_member(document, name, path, self.location)

    def companion(self, document: Any, part: str) -> Content:
        """The member of a name that is nearest to what a pointer leads to: in it, or around it."""
        start, _, last = part.partition(COMPANION)
        (name,), steps = steps_of(f"/{last}", self.location), steps_of(start, self.location)
        for stop in range(len(steps), -1, -1):
            with suppress(FormatError):
                node = follow(document, steps[:stop], self.location)
                if isinstance(node, list) and not (node and isinstance(node[0], dict) and name in node[0]):
                    continue
                rest = [EVERY, name] if isinstance(node, list) else [name]
                place = self.location._replace(part=f"#{pointer([*steps[:stop], *rest])}")
                content = self._replace(location=place).pointed(node, rest, steps[:stop])
                first = next(iter(content.value), None) if isinstance(content.value, list) else None
                if not isinstance(first, FormatError):
                    return content._replace(location=place)
        raise _no_member(follow(document, steps[:-1], self.location), name, steps[:-1], self.location)


def _framed(frame: Frame, part: str | None, before: str) -> Content:
    """A table, and what belongs to its rows."""
    return Content(frame, part, before, [*(frame.names or ()), *frame.labels]).keyed(frame.keys)


def _within(path: Sequence[str]) -> str:
    """What a pointer to a member of an object begins with; the members of a document have names."""
    return f"{pointer(path)}/" if path else ""


def _lists(document: Any) -> Sequence[str]:
    """The members of an object that are lists."""
    members = document.items() if isinstance(document, dict) else ()
    return [key for key, value in members if isinstance(value, list)]


def _several(document: Mapping[str, Any], path: Sequence[str], location: Location) -> FormatError:
    """The error about an object that is not one array."""
    parts = (pointer([*path, name]) for name in islice(document, _LISTED))
    names = ", ".join(as_typed(part) if part.isprintable() else f"#{part}" for part in parts)
    hint = f"name a member: {names}"
    if all(isinstance(row, dict) and row and are_cells(row.values()) for row in document.values()):
        hint = f"if its members are rows: {as_typed(pointer([*path, EVERY]))}"
    problem = "an object where a list of numbers is expected"
    return FormatError(problem, location=location, hint=printable(hint) if document else None)


def _no_member(document: Any, name: str, path: Sequence[str], location: Location) -> FormatError:
    """The error about a name that is not in an object, and where it is instead."""
    for key, value in document.items() if isinstance(document, dict) else ():
        first = value[0] if isinstance(value, list) and value else value
        if isinstance(first, dict) and name in first:
            steps = [*path, key, EVERY, name] if isinstance(value, list) else [*path, key, name]
            hint = f"did you mean {as_typed(pointer(steps))}?"
            return FormatError("there is no such member", found=name, location=location, hint=hint)
    try:
        member(document, name, location)
    except FormatError as error:
        return error
    raise AssertionError(name)
