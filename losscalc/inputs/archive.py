"""ZIP archives, in which NumPy and PyTorch keep arrays, with every failure of theirs named."""

import lzma
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from losscalc.errors import FormatError, Location, LosscalcError
from losscalc.inputs import FORMATS
from losscalc.inputs.limits import CONTENTS, HELD, UNPACKED_ARRAY, is_bomb, too_large
from losscalc.inputs.stream import Stream

_END_SIZE, _LOCATOR_SIZE, _FAR_END_SIZE = 22, 20, 56
_END, _FAR_END = struct.Struct("<12xI"), struct.Struct("<40xQ")
# The end of an archive, with a comment of any length.
_LONGEST_TAIL = (1 << 16) + _END_SIZE + _LOCATOR_SIZE + _FAR_END_SIZE
_LOCAL = struct.Struct("<4s22xHH")
# What zipfile raises for damaged archives, encrypted members and unknown compressions.
_FAILURES = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, NotImplementedError, RuntimeError,
    ValueError, OverflowError, EOFError, OSError,
)  # fmt: skip


class Archive:
    """A ZIP archive whose members are read in any order; one from a pipe is held in memory."""

    def __init__(self, stream: Stream) -> None:
        if not stream.peek(1):
            raise FormatError("no data", location=Location(stream.name))
        self.stream = stream.in_any_order()
        self.name = stream.name
        file = self.stream.file
        with named_damage(self.name):
            self._check_directory()
            self._zip = zipfile.ZipFile(file)
            # zipfile passes over bytes around the archive, be they another one, which other programs read.
            file.seek(0)
            start = file.read(4)
            file.seek(-_END_SIZE - len(self._zip.comment), os.SEEK_END)
            end = file.read(4)
            first = min((each.header_offset for each in self._zip.infolist()), default=self._zip.start_dir)
            if first != 0 or start not in FORMATS["npz"].starts or end != b"PK\x05\x06":
                raise zipfile.BadZipFile("there are bytes before or behind it")
        self.members = self._zip.infolist()

    def _check_directory(self) -> None:
        """Refuse a list of members that would fill the memory, before the module reads all of it."""
        size = self.stream.size or 0
        tail = self.stream.read_at(max(0, size - _LONGEST_TAIL), _LONGEST_TAIL)
        end = tail.rfind(b"PK\x05\x06")
        listed = _END.unpack_from(tail, end)[0] if 0 <= end <= len(tail) - _END_SIZE else 0
        far = end - _FAR_END_SIZE - _LOCATOR_SIZE
        if far >= 0 and tail.startswith(b"PK\x06\x06", far):
            # Of an archive of more than 4 GB, or more than 65,535 members.
            listed = _FAR_END.unpack_from(tail, far)[0]
        if listed > self.stream.most(CONTENTS):
            raise too_large(
                "the directory of the archive has", self.stream.most(CONTENTS), Location(self.name)
            )

    def names(self) -> list[str]:
        """The names of all members."""
        return [member.filename for member in self.members]

    def open(self, member: zipfile.ZipInfo) -> "Member":
        """The bytes of a member, unpacked from its beginning on."""
        most = self.stream.most(UNPACKED_ARRAY)
        if is_bomb(member.file_size, member.compress_size, most):
            raise too_large("a little archive unpacks to", most, Location(self.name))
        with named_damage(self.name):
            file = cast(BinaryIO, self._zip.open(member))
        return Member(self.stream, file, member.file_size)

    def read(self, member: zipfile.ZipInfo, most: int = HELD) -> bytes:
        """All bytes of a member."""
        if member.file_size > self.stream.most(most):
            raise too_large(f"{member.filename} has", self.stream.most(most), Location(self.name))
        start = self.start(member)
        if start is not None:
            return self.stream.read_at(start, member.file_size)
        unpacked = self.open(member)
        data = unpacked.read(member.file_size)
        with named_damage(self.name):
            if len(data) < member.file_size or unpacked.read(1):
                raise zipfile.BadZipFile(f"'{member.filename}' has another size than it claims")
        return data

    def start(self, member: zipfile.ZipInfo) -> int | None:
        """Where the bytes of a member begin in the file, if they were stored as they are."""
        if member.compress_type != zipfile.ZIP_STORED:
            return None
        with named_damage(self.name):
            # The module compares what the directory says of a member with what stands before it.
            self._zip.open(member).close()
            header = self.stream.read_at(member.header_offset, _LOCAL.size)
            _, name, extra = _LOCAL.unpack(header)
            start = member.header_offset + _LOCAL.size + int(name) + int(extra)
            inside = start + member.file_size <= (self.stream.size or 0)
            if member.compress_size != member.file_size or not inside:
                raise zipfile.BadZipFile(f"'{member.filename}' has another size than it claims")
        return start


class Member(Stream):
    """The bytes of one member of an archive."""

    def __init__(self, archive: Stream, file: BinaryIO, size: int) -> None:
        super().__init__(archive.name, file, size, archive.max_size)
        self._archive = archive

    @property
    def is_plain_file(self) -> bool:
        return False  # a member is unpacked from its beginning

    def read(self, count: int) -> bytes:
        with named_damage(self.name):
            data = super().read(count)
            self._archive.check_unchanged()
        return data

    def close(self) -> None:
        super().close()
        self._archive.close()


@contextmanager
def named_damage(name: str) -> Iterator[None]:
    """Turn the errors of zipfile into one that names the file."""
    try:
        yield
    except LosscalcError:
        raise
    except _FAILURES as error:
        encrypted = "encrypted" in str(error)
        problem = "the member is encrypted" if encrypted else f"damaged archive ({error})"
        raise FormatError(problem, location=Location(name)) from error
