"""The ARRAY syntax: a path with or without a part, `-` for standard input, or numbers written out."""

import os
import re
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from losscalc.core.array import Array
from losscalc.engine.sources import Source
from losscalc.engine.threads import cores
from losscalc.errors import FormatError, Location, SourceError, UsageError, reason
from losscalc.inputs import FORMATS, choose_format, split_suffix
from losscalc.inputs.cache import Cache
from losscalc.inputs.options import Reading
from losscalc.inputs.parts import quoted
from losscalc.inputs.stream import STDIN, Stream

if TYPE_CHECKING:
    from losscalc.inputs.spring import Spring

# A path with one of these is a pattern, unless there is a file of that name.
_PATTERN = r"(?s)[*?]|\[.+\]"
_SHOWN = 3
_STATE_HINT = "numpy.savez('state.npz', **arrays) makes one of a state dict of arrays"


class Address(NamedTuple):
    """Where an array is: in a file or several, on standard input, or in the text itself."""

    text: str
    path: str | None = None
    part: str | None = None
    is_stdin: bool = False
    paths: tuple[str, ...] | None = None
    """The files that the path matches, if it is a pattern."""
    spring: "Spring | None" = None
    """What a pipe is read through, if there may be several readers."""
    cache: Cache | None = None
    """What the readers of a file have in common, if there may be several."""
    folder: str = ""
    """The folder that relative paths start from, for workers elsewhere, whose current folder is another."""

    def is_beside(self, other: "Address") -> bool:
        """Whether both are of the same file, or both on standard input."""
        if self.path is None or other.path is None:
            return self.is_stdin and other.is_stdin
        here, there = (os.path.join(each.folder, each.path or "") for each in (self, other))
        return here == there or (
            os.path.exists(here) and os.path.exists(there) and os.path.samefile(here, there)
        )

    @property
    def pipe(self) -> object:
        """What tells the pipe or device, which can be read once, from others; None for files."""
        if self.path is None and not self.is_stdin:
            return None
        try:
            status = os.fstat(0) if self.is_stdin else os.stat(self.path or "")
        except (OSError, ValueError):
            return STDIN if self.is_stdin else None
        if stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode):
            return STDIN if self.is_stdin else None
        return status.st_dev, status.st_ino


def parse_address(text: str) -> Address:
    """The address that an ARRAY on the command line stands for. An existing file wins over all but `-`.

    >>> parse_address("-").is_stdin, parse_address("1,0,1").path, parse_address("nope.csv#logit").part
    (True, None, 'logit')
    """
    if text == "-" or text.startswith("-#"):
        return Address(text, part=text[2:] or None, is_stdin=True)
    if os.path.lexists(text):
        return Address(text, text)
    # Both a path and a part may hold a #: the longest path that exists wins.
    position = text.rfind("#")
    while position > 0:
        if os.path.lexists(text[:position]):
            return Address(text, text[:position], text[position + 1 :])
        position = text.rfind("#", 0, position)
    # Imported here, because most arrays are in files.
    from losscalc.inputs.literals import is_literal

    if is_literal(text):
        return Address(text)
    path, mark, part = text.partition("#")
    return Address(text, path, part if mark else None, paths=_files(path))


def open_array(address: Address, option: str, reading: Reading) -> Source:
    """The source of the array at an address. Messages call a literal by the name of its option."""
    source = _open(address, option, reading)
    source.opened_by = partial(open_array, address, option, reading)
    return source


def read_array(text: str, option: str, reading: Reading) -> Array:
    """The array that an ARRAY of the command line means, as a whole."""
    with closing(open_array(parse_address(text), option, reading)) as source:
        return source.whole()


def _open(address: Address, option: str, reading: Reading) -> Source:
    if address.is_stdin:
        stream = _stdin(reading) if address.spring is None else address.spring.draw()
        return _open_stream(stream, "", address.part, reading)
    if address.path is None:
        from losscalc.inputs.literals import open_literal

        return open_literal(address.text, option, reading)
    if address.paths is not None:
        return _open_files(address, option, reading)
    stream, suffix = _open_path(address, option, reading)
    return _open_stream(stream, suffix, address.part, reading)


def shared(addresses: Mapping[str, Address], reading: Reading) -> dict[str, Address]:
    """The addresses, read through what can have several readers: those of pipes, and files with several."""
    springs: dict[object, Spring] = {}
    cache = Cache(reading.threads or cores())
    shared = {
        name: address._replace(cache=cache) if _has_several(address, addresses, reading) else address
        for name, address in addresses.items()
    }
    for name, address in addresses.items():
        if (pipe := address.pipe) is None:
            continue
        if pipe not in springs:
            springs[pipe] = _spring(address, reading)
        shared[name] = address._replace(spring=springs[pipe])
    return shared


def _has_several(address: Address, addresses: Mapping[str, Address], reading: Reading) -> bool:
    """Whether several columns may be read of a file."""
    picks = reading.key is not None or reading.by is not None or bool(reading.where)
    return picks or sum(address.is_beside(other) for other in addresses.values()) > 1


def _spring(address: Address, reading: Reading) -> "Spring":
    from losscalc.inputs.spring import Spring

    path = address.path or ""
    return Spring(_stdin(reading) if address.is_stdin else _open_file(path, path, reading))


def open_stream(address: Address, option: str) -> Iterator[Stream]:
    """The bytes of standard input, of a file, or of the files of a pattern, one after the other."""
    if address.is_stdin:
        yield _stdin(Reading())
        return
    if address.paths == ():
        raise _no_match(address)
    for path in address.paths or (address.path or "",):
        yield _open_path(address._replace(path=path), option, Reading())[0]


def open_state(address: Address, option: str, reading: Reading) -> dict[str, Source]:
    """All arrays of an NPZ file, by name."""
    from losscalc.inputs.npz import array_names

    if address.is_stdin or address.part is not None or address.path is None or address.paths is not None:
        raise UsageError(f"{option} must be an NPZ file", found=address.text, hint=_STATE_HINT)
    stream, _ = _open_path(address, option, reading)
    try:
        if not os.path.isfile(address.path):
            raise UsageError(f"{option} must be an NPZ file, and no pipe", found=address.text)
        if not stream.peek(4).startswith(FORMATS["npz"].starts):
            raise FormatError(
                f"{option} must be an NPZ file, which this is not",
                location=Location(stream.name),
                hint=_STATE_HINT,
            )
        names = array_names(stream)
    finally:
        stream.close()
    npz = reading._replace(format="npz")
    return {name: open_array(address._replace(part=name), option, npz) for name in names}


def _files(path: str) -> tuple[str, ...] | None:
    """The files that a pattern matches; None if the path is no pattern."""
    if not re.search(_PATTERN, path) or "\0" in path:
        return None
    from losscalc.inputs.shards import matching

    return matching(path)


def _open_files(address: Address, option: str, reading: Reading) -> Source:
    from losscalc.inputs.shards import Shards

    if not address.paths:
        raise _no_match(address)

    open_file = partial(_open_one, address, option, reading)
    first, *others = address.paths
    return Shards(address.path or "", address.paths, open_file) if others else open_file(first)


def _open_one(
    address: Address,
    option: str,
    reading: Reading,
    path: str,
    *,
    titles: tuple[str, ...] = (),
    columns: tuple[int, ...] | None = None,
) -> Source:
    """One of the files of a pattern, by the header of the first, or some columns of it."""
    place = os.path.join(address.folder, path)
    if os.path.exists(place) and stat.S_ISFIFO(os.stat(place).st_mode):
        problem = "is a pipe, which a pattern cannot match"
        raise SourceError(problem, location=Location(path), hint="name it alone")
    reading = reading._replace(titles=titles, columns=reading.columns if columns is None else columns)
    return open_array(address._replace(path=path, paths=None), option, reading)


def _no_match(address: Address) -> SourceError:
    """The error for a pattern without files, with those that are there in its place."""
    folder, pattern = os.path.split(address.path or "")
    names: list[str] = []
    with suppress(OSError):
        names = sorted(name for name in os.listdir(folder or ".") if not name.startswith("."))
    names = [name for name in names if name.endswith(os.path.splitext(pattern)[1])] or names
    there = ", ".join(quoted(os.path.join(folder, name)) for name in names[:_SHOWN])
    hint = f"there are {there}{', ...' if len(names) > _SHOWN else ''}" if names else None
    if folder and not os.path.isdir(folder):
        hint = f"there is no folder {quoted(folder)}"
    return SourceError("no file matches the pattern", location=Location(address.path or ""), hint=hint)


def _open_path(address: Address, option: str, reading: Reading) -> tuple[Stream, str]:
    """The stream of a file, and the suffix that names its format."""
    path = address.path or ""
    place = os.path.join(address.folder, path)
    if os.path.isdir(place):
        raise SourceError("is a directory, not a file", location=Location(path), hint=_files_in(path, place))
    if not os.path.lexists(place):
        raise _no_such_file(address, option)
    suffix, compression = split_suffix(path)
    stream = _open_file(path, place, reading) if address.spring is None else address.spring.draw()
    stream.cache = address.cache
    if compression:
        from losscalc.inputs.compression import CompressedStream

        stream = CompressedStream(stream, compression)
    return stream, suffix


def _open_stream(stream: Stream, suffix: str, part: str | None, reading: Reading) -> Source:
    try:
        return choose_format(stream, suffix, reading).open(stream, part, reading)
    except BaseException:
        stream.close()
        raise


def _open_file(path: str, place: str, reading: Reading) -> Stream:
    """Open a file."""
    try:
        file = open(place, "rb")  # noqa: SIM115 - the stream closes it
    except OSError as error:
        raise SourceError(reason(error), location=Location(path)) from error
    status = os.fstat(file.fileno())
    size = status.st_size if stat.S_ISREG(status.st_mode) else None
    return Stream(path, file, size, reading.max_size)


def _stdin(reading: Reading) -> Stream:
    # Python sets sys.stdin to None when the descriptor is closed.
    if sys.stdin is None:
        raise SourceError("standard input is closed", location=Location(STDIN))
    file: BinaryIO = sys.stdin.buffer
    try:
        status = os.fstat(file.fileno())
        # Without this, a pipe whose writer is slow would look as if it had ended.
        os.set_blocking(file.fileno(), True)
    except (OSError, ValueError):
        return Stream(STDIN, file, max_size=reading.max_size)
    # A file of which another program has read the beginning is read on from there, like a pipe.
    plain = stat.S_ISREG(status.st_mode) and file.tell() == 0
    return Stream(STDIN, file, status.st_size if plain else None, reading.max_size)


def _files_in(path: str, place: str) -> str | None:
    """The pattern of the files in a folder that have the suffix of most."""
    with suppress(OSError):
        names = [name for name in os.listdir(place) if not name.startswith((".", "_"))]
        suffixes = [suffix for name in names if (suffix := os.path.splitext(name)[1])]
        if suffixes:
            pattern = os.path.join(path, f"*{max(sorted(set(suffixes)), key=suffixes.count)}")
            return f"all files in it, one after the other: {quoted(pattern)}"
    return None


def _no_such_file(address: Address, option: str) -> SourceError:
    path = address.path or ""
    hint = "an array is a file, - for standard input, numbers as in 1,0,1, or a JSON list"
    if not option.startswith("--"):
        hint = "a result is a file that losscalc has written, or - for standard input"
    from losscalc.inputs.nearby import nearest_file

    if (near := nearest_file(path, address.folder)) is not None:
        part = "" if address.part is None else f"#{address.part}"
        hint = f"did you mean {quoted(near + part)}?"
    if re.match(r"(?a)[A-Za-z][\w+.-]+://", path):
        problem = "no connection is opened"
        hint = "save it as a file, or pipe what you load into losscalc, where - is standard input"
        return SourceError(problem, location=Location(path), hint=hint)
    if not path:
        return SourceError("the name of a file is empty", location=Location(option), hint=hint)
    if "\0" in path:
        return SourceError("the name of a file holds a NUL byte", location=Location(path), hint=hint)
    try:
        os.stat(os.path.join(address.folder, path))
    except (OSError, ValueError) as error:
        problem = reason(error) if isinstance(error, OSError) else str(error)
        return SourceError(problem, location=Location(path), hint=hint)
    return SourceError("no such file", location=Location(path), hint=hint)
