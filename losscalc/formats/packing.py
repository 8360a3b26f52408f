"""Compressed files, in both directions."""

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable
from types import MappingProxyType
from typing import BinaryIO, cast

from losscalc.errors import FormatError, Location
from losscalc.formats.stream import Stream

_FAILURES = (zlib.error, lzma.LZMAError, gzip.BadGzipFile, EOFError)

_UNPACKERS: MappingProxyType[str, Callable[[BinaryIO], BinaryIO]] = MappingProxyType(
    {
        ".gz": lambda raw: cast(BinaryIO, gzip.GzipFile(fileobj=raw, mode="rb")),
        ".bz2": lambda raw: cast(BinaryIO, bz2.BZ2File(raw)),
        ".xz": lambda raw: cast(BinaryIO, lzma.LZMAFile(raw)),  # noqa: SIM115 - the stream closes it
    }
)
_PACKERS: MappingProxyType[str, Callable[[bytes], bytes]] = MappingProxyType(
    {".gz": lambda data: gzip.compress(data, mtime=0), ".bz2": bz2.compress, ".xz": lzma.compress}
)


class PackedStream(Stream):
    """The bytes of a compressed file, unpacked as they are needed."""

    def __init__(self, packed: Stream, suffix: str) -> None:
        super().__init__(packed.name, _UNPACKERS[suffix](packed.file))
        self._packed = packed

    def read(self, count: int) -> bytes:
        """The next bytes, unpacked."""
        try:
            return super().read(count)
        except _FAILURES as error:
            raise FormatError(f"damaged compressed data ({error})", location=Location(self.name)) from error

    def close(self) -> None:
        """Let go of the file."""
        super().close()
        self._packed.close()


def pack(data: bytes, suffix: str) -> bytes:
    """The bytes as a file of that suffix holds them."""
    return _PACKERS[suffix](data)
