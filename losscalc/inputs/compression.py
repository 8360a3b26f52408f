"""Compressed files, in both directions."""

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterable, Iterator
from types import MappingProxyType
from typing import BinaryIO, Protocol, cast

from losscalc.errors import FormatError, Location
from losscalc.inputs.limits import UNPACKED, is_bomb, too_large
from losscalc.inputs.stream import Stream

_FAILURES = (zlib.error, lzma.LZMAError, gzip.BadGzipFile, EOFError)

_UNPACKERS: MappingProxyType[str, Callable[[BinaryIO], BinaryIO]] = MappingProxyType(
    {
        ".gz": lambda raw: cast(BinaryIO, gzip.GzipFile(fileobj=raw, mode="rb")),
        ".bz2": lambda raw: cast(BinaryIO, bz2.BZ2File(raw)),
        ".xz": lambda raw: cast(BinaryIO, lzma.LZMAFile(raw)),  # noqa: SIM115 - the stream closes it
    }
)
# The gzip module has no such thing, but zlib writes its header too, and without a time.
_PACKERS: MappingProxyType[str, Callable[[], "Packer"]] = MappingProxyType(
    {
        ".gz": lambda: zlib.compressobj(wbits=31),
        ".bz2": bz2.BZ2Compressor,
        ".xz": lzma.LZMACompressor,
    }
)


class PackedStream(Stream):
    """The bytes of a compressed file, unpacked as they are needed."""

    def __init__(self, packed: Stream, suffix: str) -> None:
        self._packed = packed
        self._counted = _Counted(packed.file)
        super().__init__(
            packed.name, _UNPACKERS[suffix](cast(BinaryIO, self._counted)), max_size=packed.max_size
        )
        self._unpacked = 0

    def read(self, count: int) -> bytes:
        """The next bytes, unpacked."""
        try:
            data = super().read(count)
        except _FAILURES as error:
            raise FormatError(f"damaged compressed data ({error})", location=Location(self.name)) from error
        self._unpacked += len(data)
        most = self.most(UNPACKED)
        if is_bomb(self._unpacked, self._counted.count, most):
            raise too_large("little compressed data unpacks to", most, Location(self.name))
        return data

    def progress(self) -> tuple[int, int | None]:
        """By compressed bytes."""
        size = self._packed.size
        return (0 if size is None or self._packed.file.closed else self._packed.file.tell()), size

    def close(self) -> None:
        """Let go of the file."""
        super().close()
        self._packed.close()


class _Counted:
    """A file that knows how many of its bytes were read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.count = 0

    def read(self, count: int = -1) -> bytes:
        """The next bytes, counted."""
        data = self._file.read(count)
        self.count += len(data)
        return data


class Packer(Protocol):
    """What compresses bytes that come in pieces."""

    def compress(self, data: bytes, /) -> bytes:
        """What is ready of the compressed bytes."""

    def flush(self) -> bytes:
        """The rest of them."""


def pack(pieces: Iterable[bytes], suffix: str) -> Iterator[bytes]:
    """The bytes as a file of that suffix holds them."""
    packer = _PACKERS[suffix]()
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()
