"""Files of torch.save: tensors, in dicts and lists, read without PyTorch and without running anything."""

import io
import math
from collections.abc import Iterator
from contextlib import suppress

import numpy as np

from losscalc.core.array import Shape
from losscalc.engine.outsiders import identifies
from losscalc.engine.sources import Source
from losscalc.errors import FormatError, Location, LosscalcError
from losscalc.inputs.archive import Archive
from losscalc.inputs.feeds import Labels
from losscalc.inputs.limits import CONTENTS, ENTRIES, UNPACKED_ARRAY, is_bomb, too_large
from losscalc.inputs.options import Reading
from losscalc.inputs.parts import choose_array, no_such_array
from losscalc.inputs.pickled import read_pickle
from losscalc.inputs.signatures import PICKLED, TORCHSCRIPT, is_torch, refusal
from losscalc.inputs.stream import Stream
from losscalc.inputs.strided import StridedSource, packed
from losscalc.inputs.tensors import MAKERS, described, is_array

_DEEPEST = 64
_LISTED = 1_000
_NOTHING = object()

Path = tuple[str, ...]


def open_torch(stream: Stream, part: str | None, reading: Reading) -> Source:
    """One tensor of a file of torch.save: the one that is named, or the only one there is."""
    if not stream.peek(1):
        raise FormatError("no data", location=Location(stream.name))
    if stream.peek(2) != b"PK":
        hint = "name its format, as in --from csv"
        raise FormatError("not a torch.save file", location=Location(stream.name), hint=hint)
    return open_tensor(Archive(stream), part, reading)


def open_tensor(archive: Archive, part: str | None, reading: Reading) -> Source:
    """One tensor of an archive of torch.save."""
    file = _TorchFile(archive, reading)
    node, where = file.contents, Location(archive.name)
    path = () if part is None else (part,)
    if part is not None:
        node = _named(node, part, where)
    if isinstance(node, dict | list | tuple) and not _are_numbers(node):
        count, node, names = _arrays(node, path, where)
        path = (choose_array(names, None, archive.name, count=count),)
    source = file.source(node, "".join(f"#{name}" for name in path))
    ids = file.ids(source.shape[:1])
    source.beside, source.labels = (
        list(ids),
        {name: cells for name, cells in ids.items() if cells is not None},
    )
    return source


class _TorchFile:
    """An archive of torch.save: a pickle that says what there is, and the numbers of each storage."""

    def __init__(self, archive: Archive, reading: Reading) -> None:
        self._archive = archive
        self._reading = reading
        self._where = Location(archive.name)
        names = archive.names()
        self._members = dict(zip(names, archive.members, strict=True))
        roots = [name.removesuffix(PICKLED) for name in names if is_torch([name])]
        if len(roots) != 1 or len(self._members) < len(names):
            raise self._bad("not an archive of torch.save, in which there is one of each member")
        self._root = roots[0]
        if f"{self._root}/constants.pkl" in names:
            raise refusal(TORCHSCRIPT, archive.name)
        order = self._read("byteorder", 100) if f"{self._root}/byteorder" in names else b"little"
        if order not in (b"little", b"big"):
            raise self._bad("the byte order is neither little nor big", found=order.decode("latin-1"))
        self._order = "<" if order == b"little" else ">"
        most = archive.stream.most(ENTRIES)
        self.contents = read_pickle(self._read("data.pkl", CONTENTS), MAKERS, self._where, most)

    def ids(self, length: Shape) -> dict[str, Source | None]:
        """What tells rows apart: tensors of a number for each, and lists of Python, which are here."""
        root = self.contents if isinstance(self.contents, dict) else {}
        found: dict[str, Source | None] = {}
        for key, node in root.items():
            if not isinstance(key, str) or not identifies(key):
                continue
            if isinstance(node, list | tuple):
                if (len(node),) == length and all(isinstance(item, str | int | float) for item in node):
                    found[key] = Labels(node, self._where._replace(part=f"#{key}"))
            elif is_array(node):
                with suppress(LosscalcError):
                    if described(node, self._order, self._where)[2].shape == length:
                        found[key] = None
        return found

    def source(self, node: object, part: str) -> Source:
        """The array that is at a place of the pickle."""
        stream, where = self._archive.stream, self._where._replace(part=part)
        if _are_numbers(node):
            return self._numbers(node, part)
        storage, size, layout = described(node, self._order, where)
        most = stream.most(UNPACKED_ARRAY)
        if is_bomb(math.prod(layout.shape) * layout.dtype.itemsize, size, most):
            raise too_large("a small storage expands to", most, where)
        if not layout.extent:
            return StridedSource(stream, layout._replace(start=0), part, self._reading)
        member = self._members.get(f"{self._root}/data/{storage}")
        if member is None or member.file_size < size:
            present = "is not there" if member is None else f"has {member.file_size}"
            raise self._bad(f"the storage of {size} bytes {present}", found=storage)
        start = self._archive.start(member)
        if start is None:
            # PyTorch stores numbers as they are; what wrote the archive once more may have not.
            unpacked = self._archive.read(member)
            stream, start = self._in_memory(unpacked), 0
        return StridedSource(stream, layout._replace(start=start + layout.start), part, self._reading)

    def _numbers(self, node: object, part: str) -> Source:
        """Numbers of Python in the pickle itself."""
        try:
            values = np.array(node, np.float64)
        except OverflowError as error:
            where = self._where._replace(part=part)
            raise FormatError("a number outside the range of float64", location=where) from error
        layout = packed(0, values.dtype, values.shape)
        return StridedSource(self._in_memory(values.tobytes()), layout, part, self._reading)

    def _in_memory(self, data: bytes) -> Stream:
        self._archive.stream.close()
        return Stream(self._archive.name, io.BytesIO(data), len(data))

    def _read(self, name: str, most: int) -> bytes:
        return self._archive.read(self._members[f"{self._root}/{name}"], most)

    def _bad(self, problem: str, found: object = None) -> FormatError:
        return FormatError(problem, found=found, location=self._where)


def _named(root: object, part: str, where: Location) -> object:
    """What a part names; it may begin with a slash, as a JSON Pointer does."""
    for name in (part, part.removeprefix("/")):
        node = _found(root, name)
        if node is not _NOTHING:
            return node
    if is_array(root):
        raise FormatError("the file is one tensor without parts", found=part, location=where)
    raise no_such_array(_arrays(root, (), where)[2], part, where.path)


def _found(node: object, path: str) -> object:
    """What a path leads to: a key may hold slashes itself, and the longest that is there wins."""
    end = len(path)
    while end > 0:
        child = _child(node, path[:end])
        if child is not _NOTHING:
            found = child if end == len(path) else _found(child, path[end + 1 :])
            if found is not _NOTHING:
                return found
        end = path.rfind("/", 0, end)
    return _NOTHING


def _child(node: object, key: str) -> object:
    """What is at a key or, counted from 0, at a position."""
    number = int(key) if key.isascii() and key.isdigit() and len(key) < 19 else None
    if isinstance(node, dict):
        return node.get(key, _NOTHING if number is None else node.get(number, _NOTHING))
    if isinstance(node, list | tuple) and number is not None:
        return node[number] if number < len(node) else _NOTHING
    return _NOTHING


def _arrays(root: object, path: Path, where: Location) -> tuple[int, object, list[str]]:
    """How many arrays there are at a path, the first of them, and the names of some."""
    count, first = 0, None
    names: list[str] = []
    for place, node in _walk(root, path, set(), where):
        count += 1
        first = node if count == 1 else first
        if len(names) < _LISTED:
            names.append("/".join(place))
    return count, first, names


def _walk(node: object, path: Path, seen: set[int], where: Location) -> Iterator[tuple[Path, object]]:
    """All arrays and their paths; what is in several places, or in itself, is gone through once."""
    if is_array(node):
        yield path, node
    elif isinstance(node, dict | list | tuple) and id(node) not in seen:
        if len(path) == _DEEPEST:
            raise FormatError(f"dicts and lists are nested more than {_DEEPEST} deep", location=where)
        seen.add(id(node))
        for key, item in node.items() if isinstance(node, dict) else enumerate(node):
            yield from _walk(item, (*path, str(key)), seen, where)


def _are_numbers(node: object) -> bool:
    """Whether there is a number, or a list of them."""
    items = node if isinstance(node, list | tuple) and node else [node]
    return all(type(item) in (int, float, bool) for item in items)
