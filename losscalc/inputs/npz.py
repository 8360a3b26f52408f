"""NPZ: archives of NPY files, with every failure of theirs named."""

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
from losscalc.inputs.limits import UNPACKED_ARRAY, is_bomb, too_large
from losscalc.inputs.npy import NpySource
from losscalc.inputs.options import Reading
from losscalc.inputs.stream import Stream

_END_SIZE = 22
_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
_MOST_MEMBERS = 1_000
# What the zipfile module raises for damaged archives, encrypted members and unknown compressions.
_ZIP_FAILURES = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, NotImplementedError, RuntimeError,
    ValueError, OverflowError, EOFError, OSError,
)  # fmt: skip


def open_npz(stream: Stream, part: str | None, reading: Reading) -> Source:
    """One array of an NPZ archive: the one that is named, or the only one there is."""
    archive = _archive(stream)
    member = _choose_member(archive.infolist(), part, stream.name)
    most = stream.most(UNPACKED_ARRAY)
    if is_bomb(member.file_size, member.compress_size, most):
        raise too_large("a little archive unpacks to", most, Location(stream.name))
    with _named_damage(stream.name):
        file = cast(BinaryIO, archive.open(member))
    return NpySource(Member(stream, file, member.file_size), f"#{member.filename.removesuffix('.npy')}")


def array_names(stream: Stream) -> list[str]:
    """The names of the arrays of an NPZ archive."""
    names = [info.filename.removesuffix(".npy") for info in _archive(stream).infolist()]
    if not names or len(names) > _MOST_MEMBERS:
        raise _bad_count(len(names), stream.name)
    return names


def _archive(stream: Stream) -> zipfile.ZipFile:
    if not stream.peek(1):
        raise FormatError("no data", location=Location(stream.name))
    raw = stream.file if stream.is_plain_file else stream.read_all()
    with _named_damage(stream.name):
        archive = zipfile.ZipFile(raw)
        # What stands around an archive is a second file in this one, and says something else.
        raw.seek(0)
        first = raw.read(4)
        raw.seek(-_END_SIZE - len(archive.comment), os.SEEK_END)
        if first not in _ZIP_STARTS or raw.read(4) != b"PK\x05\x06":
            raise zipfile.BadZipFile("there are bytes before or behind it")
    return archive


class Member(Stream):
    """The bytes of one member of an archive."""

    def __init__(self, archive: Stream, file: BinaryIO, size: int) -> None:
        super().__init__(archive.name, file, size)
        self._archive = archive

    @property
    def is_plain_file(self) -> bool:
        """Never: a member is unpacked from its beginning."""
        return False

    def read(self, count: int) -> bytes:
        """The next bytes, with the checksum held against them at the end."""
        with _named_damage(self.name):
            return super().read(count)

    def close(self) -> None:
        """Let go of the file."""
        super().close()
        self._archive.close()


@contextmanager
def _named_damage(name: str) -> Iterator[None]:
    """Turn what the zipfile module raises for damaged archives into an error that names the file."""
    try:
        yield
    except LosscalcError:
        raise
    except _ZIP_FAILURES as error:
        encrypted = "encrypted" in str(error)
        problem = "the member is encrypted" if encrypted else f"damaged archive ({error})"
        raise FormatError(problem, location=Location(name)) from error


def _choose_member(members: list[zipfile.ZipInfo], part: str | None, name: str) -> zipfile.ZipInfo:
    names = [info.filename.removesuffix(".npy") for info in members]
    listed = printable(", ".join(names[:20]))
    if not members or len(members) > _MOST_MEMBERS:
        raise _bad_count(len(members), name)
    twice = next((n for n in names if names.count(n) > 1), None)
    if twice is not None:
        raise FormatError("a member is there twice", found=twice, location=Location(name))
    if part is None and len(members) > 1:
        raise FormatError(
            f"the archive holds {len(members)} arrays",
            location=Location(name),
            hint=f"name one: #{printable(names[0])} (there are {listed})",
        )
    wanted = names[0] if part is None else part.removesuffix(".npy")
    if wanted not in names:
        raise FormatError(
            "there is no such array", found=wanted, location=Location(name), hint=f"there are {listed}"
        )
    member = members[names.index(wanted)]
    if not member.filename.endswith(".npy"):
        raise FormatError("the member is not an array", found=member.filename, location=Location(name))
    return member


def _bad_count(count: int, name: str) -> FormatError:
    limit = f"; {_MOST_MEMBERS} are the most that are looked through" if count else ""
    return FormatError(f"the archive holds {count} arrays{limit}", location=Location(name))
