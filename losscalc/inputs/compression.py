"""Compressed files, in both directions."""

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from types import MappingProxyType
from typing import Any, BinaryIO, Protocol, cast

from losscalc.errors import FormatError, Location
from losscalc.inputs.limits import UNPACKED, is_bomb, too_large
from losscalc.inputs.stream import COMPRESSIONS, Stream

_STEP = 1 << 16
_ZSTD: Any = import_module("compression.zstd") if ".zst" in COMPRESSIONS else None
_FAILURES: tuple[type[Exception], ...] = (
    zlib.error, lzma.LZMAError, gzip.BadGzipFile, EOFError, *((_ZSTD.ZstdError,) if _ZSTD else ()),
)  # fmt: skip


class Compressor(Protocol):
    """Compresses bytes that come in pieces."""

    def compress(self, data: bytes, /) -> bytes:
        """Take more bytes, and return the compressed bytes that are ready."""

    def flush(self) -> bytes:
        """The rest of the compressed bytes."""


class _Decompressor(Protocol):
    """Decompresses one stream."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = ...) -> bytes: ...


_DECOMPRESSED: MappingProxyType[str, Callable[[BinaryIO], BinaryIO]] = MappingProxyType(
    {
        ".gz": lambda raw: cast(BinaryIO, gzip.GzipFile(fileobj=raw, mode="rb")),
        ".bz2": lambda raw: cast(BinaryIO, _Decompressed(raw, bz2.BZ2Decompressor)),
        ".xz": lambda raw: cast(BinaryIO, _Decompressed(raw, lzma.LZMADecompressor)),
        ".zst": lambda raw: cast(BinaryIO, _Decompressed(raw, _ZSTD.ZstdDecompressor)),
    }
)
_COMPRESSORS: MappingProxyType[str, Callable[[], Compressor]] = MappingProxyType(
    {
        # The header that zlib writes has no time in it, so that the same numbers make the same file.
        ".gz": lambda: zlib.compressobj(wbits=31),
        ".bz2": bz2.BZ2Compressor,
        ".xz": lzma.LZMACompressor,
        ".zst": lambda: cast(Compressor, _ZSTD.ZstdCompressor()),
    }
)


class CompressedStream(Stream):
    """The bytes of a compressed file, decompressed as they are needed."""

    def __init__(self, compressed: Stream, suffix: str) -> None:
        self._compressed = compressed
        file = _DECOMPRESSED[suffix](cast(BinaryIO, compressed))
        super().__init__(compressed.name, file, max_size=compressed.max_size)
        self._decompressed = 0

    def read(self, count: int) -> bytes:
        try:
            data = super().read(count)
        except _FAILURES as error:
            raise FormatError(f"damaged compressed data ({error})", location=Location(self.name)) from error
        self._decompressed += len(data)
        most = self.most(UNPACKED)
        if is_bomb(self._decompressed, self._compressed.progress()[0], most):
            raise too_large("little compressed data unpacks to", most, Location(self.name))
        return data

    def check_unchanged(self) -> None:
        # What reads compressed bytes may be at their end long before this stream is.
        self._compressed.check_unchanged()

    def progress(self) -> tuple[int, int | None]:
        return self._compressed.progress()

    def close(self) -> None:
        super().close()
        self._compressed.close()


class _Decompressed:
    """The bytes of compressed streams, one behind the other.

    `BZ2File` and `LZMAFile` ignore bytes after a stream that do not begin another one; here they are damaged
    data.
    """

    def __init__(self, file: BinaryIO, make: Callable[[], _Decompressor]) -> None:
        self._file = file
        self._make = make
        self._current = make()
        self._rest = b""

    def read(self, count: int) -> bytes:
        pieces = []
        while count and (piece := self._next(count)):
            pieces.append(piece)
            count -= len(piece)
        return b"".join(pieces)

    def close(self) -> None:
        """Nothing to do: whoever opened the file closes it."""

    def _next(self, most: int) -> bytes:
        """Some of the next bytes; none at the end."""
        piece = b""
        while not piece and (not self._current.eof or self._begin_next()):
            raw = b""
            if self._current.needs_input:
                raw, self._rest = self._rest or self._file.read(_STEP), b""
                if not raw:
                    raise EOFError("Compressed file ended before the end-of-stream marker was reached")
            piece = self._current.decompress(raw, most)
        return piece

    def _begin_next(self) -> bool:
        """Go on to the stream behind this one; False at the end of the file."""
        self._rest = self._current.unused_data or self._file.read(_STEP)
        if self._rest:
            self._current = self._make()
        return bool(self._rest)


def compress(pieces: Iterable[bytes], suffix: str) -> Iterator[bytes]:
    """The bytes as a file with this suffix holds them."""
    compressor = _COMPRESSORS[suffix]()
    for piece in pieces:
        yield compressor.compress(piece)
    yield compressor.flush()
