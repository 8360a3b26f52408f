"""NPZ: ZIP archives of NPY files."""

import lzma
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from losscalc.engine.sources import Source
from losscalc.errors import FormatError, Location, LosscalcError, printable
from losscalc.inputs import FORMATS
from losscalc.inputs.limits import UNPACKED_ARRAY, is_bomb, too_large
from losscalc.inputs.npy import NpySource
from losscalc.inputs.options import Reading
from losscalc.inputs.stream import Stream

_END_SIZE = 22
_MOST_MEMBERS = 1_000
# What zipfile raises for damaged archives, encrypted members and unknown compressions.
_ZIP_FAILURES = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, NotImplementedError, RuntimeError,
    ValueError, OverflowError, EOFError, OSError,
)  # fmt: skip


def open_npz(stream: Stream, part: str | None, reading: Reading) -> Source:
    """One array of an NPZ archive: the one that is named, or the only one."""
    archive = _archive(stream)
    member = _choose_member(archive, part, stream.name)
    most = stream.most(UNPACKED_ARRAY)
    if is_bomb(member.file_size, member.compress_size, most):
        raise too_large("a little archive unpacks to", most, Location(stream.name))
    with _named_damage(stream.name):
        file = cast(BinaryIO, archive.open(member))
    return NpySource(Member(stream, file, member.file_size), f"#{member.filename.removesuffix('.npy')}")


def array_names(stream: Stream) -> list[str]:
    """The names of the arrays in an NPZ archive."""
    return _names(_archive(stream), stream.name)


def _archive(stream: Stream) -> zipfile.ZipFile:
    if not stream.peek(1):
        raise FormatError("no data", location=Location(stream.name))
    raw = stream.file if stream.is_plain_file else stream.read_all()
    with _named_damage(stream.name):
        archive = zipfile.ZipFile(raw)
        # zipfile passes over bytes before and after the archive, which another program would read instead.
        raw.seek(0)
        first = raw.read(4)
        raw.seek(-_END_SIZE - len(archive.comment), os.SEEK_END)
        if first not in FORMATS["npz"].starts or raw.read(4) != b"PK\x05\x06":
            raise zipfile.BadZipFile("there are bytes before or behind it")
    return archive


class Member(Stream):
    """The bytes of one member of an archive."""

    def __init__(self, archive: Stream, file: BinaryIO, size: int) -> None:
        super().__init__(archive.name, file, size)
        self._archive = archive

    @property
    def is_plain_file(self) -> bool:
        return False  # a member is unpacked from its beginning

    def read(self, count: int) -> bytes:
        with _named_damage(self.name):
            return super().read(count)

    def close(self) -> None:
        super().close()
        self._archive.close()


@contextmanager
def _named_damage(name: str) -> Iterator[None]:
    """Turn the errors of zipfile into one that names the file."""
    try:
        yield
    except LosscalcError:
        raise
    except _ZIP_FAILURES as error:
        encrypted = "encrypted" in str(error)
        problem = "the member is encrypted" if encrypted else f"damaged archive ({error})"
        raise FormatError(problem, location=Location(name)) from error


def _names(archive: zipfile.ZipFile, path: str) -> list[str]:
    """The names of the members, of which there must be some, and not too many."""
    names = [info.filename.removesuffix(".npy") for info in archive.infolist()]
    if 0 < len(names) <= _MOST_MEMBERS:
        return names
    limit = f"; {_MOST_MEMBERS} are the most that are looked through" if names else ""
    raise FormatError(f"the archive holds {len(names)} arrays{limit}", location=Location(path))


def _choose_member(archive: zipfile.ZipFile, part: str | None, name: str) -> zipfile.ZipInfo:
    names = _names(archive, name)
    listed = printable(", ".join(names[:20]))
    twice = next((n for n in names if names.count(n) > 1), None)
    if twice is not None:
        raise FormatError("a member is there twice", found=twice, location=Location(name))
    if part is None and len(names) > 1:
        raise FormatError(
            f"the archive holds {len(names)} arrays",
            location=Location(name),
            hint=f"name one: #{printable(names[0])} (there are {listed})",
        )
    wanted = names[0] if part is None else part.removesuffix(".npy")
    if wanted not in names:
        raise FormatError(
            "there is no such array", found=wanted, location=Location(name), hint=f"there are {listed}"
        )
    member = archive.infolist()[names.index(wanted)]
    if not member.filename.endswith(".npy"):
        raise FormatError("the member is not an array", found=member.filename, location=Location(name))
    return member
