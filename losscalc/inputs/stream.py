"""The bytes of one input, and errors that name it."""

import io
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from losscalc.errors import FormatError, Location, LosscalcError, SourceError, reason
from losscalc.inputs.cache import Cache
from losscalc.inputs.limits import HELD, too_large

STDIN = "stdin"
"""What standard input is called in messages."""


def _has_zstandard() -> bool:
    """Whether Python has Zstandard, as it may from 3.14 on."""
    if sys.version_info < (3, 14):
        return False
    # As `importlib.util` does it, which Python has not loaded yet; finders of old have no `find_spec`.
    finds = [getattr(finder, "find_spec", None) for finder in sys.meta_path]
    return any(find("_zstd", None) for find in finds if find)


COMPRESSIONS = frozenset({".gz", ".bz2", ".xz", *([".zst"] if _has_zstandard() else ())})
"""The suffixes of compressed files, which come after that of the format (.csv.gz)."""

_STEP = 1 << 20


class Stream:
    """Bytes that are read once, from the first to the last; `peek` looks ahead."""

    def __init__(
        self, name: str, file: BinaryIO, size: int | None = None, max_size: int | None = None
    ) -> None:
        self.name = name
        self.size = size
        """The number of bytes, if it is known."""
        self.max_size = max_size
        """The limit that the user gave to replace all others, in bytes."""
        self.file = file
        self.cache: Cache | None = None
        """What the readers of a file have in common, if there may be several."""
        self._version = _version(file)
        self._ahead = b""
        self._ended = False
        self._count = 0

    def read(self, count: int) -> bytes:
        """The next `count` bytes, fewer only at the end."""
        pieces, self._ahead = [self._ahead[:count]], self._ahead[count:]
        missing = count - len(pieces[0])
        with named_failures(self.name):
            # In steps, so that no memory is taken for bytes that a header promises and that never come.
            while missing and not self._ended:
                piece = self.file.read(min(missing, _STEP))
                # Fewer bytes than asked for mean the end. Asking again would make a terminal wait for Ctrl-D.
                self._ended = len(piece) < min(missing, _STEP)
                pieces.append(piece)
                missing -= len(piece)
                self._count += len(piece)
                if self._ended:
                    self.check_unchanged()
        return b"".join(pieces)

    def check_unchanged(self) -> None:
        """Refuse a file that was written to since it was opened, because nobody knows what was read of it."""
        if self._version is None or self._version == (now := _version(self.file)):
            return
        size, problem = self._version[0], "the file was written to while it was read"
        if now and now[0] < size:
            problem = f"the file had {size} bytes, and became shorter while it was read"
        hint = "read it when nothing writes to it, or a copy"
        raise FormatError(problem, location=Location(self.name), hint=hint)

    def peek(self, count: int) -> bytes:
        """The next bytes, without consuming them."""
        if len(self._ahead) < count:
            self._ahead = self.read(count)
        return self._ahead[:count]

    def read_all(self) -> BinaryIO:
        """The remaining bytes as a file in memory."""
        buffer = io.BytesIO()
        while piece := self.read(_STEP):
            buffer.write(piece)
            if buffer.tell() > self.most(HELD):
                raise too_large("what has to be read as a whole has", self.most(HELD), Location(self.name))
        buffer.seek(0)
        return buffer

    def in_any_order(self) -> "Stream":
        """The stream itself where its bytes can be read in any order, else all of them in memory."""
        if self.is_plain_file:
            return self
        held = self.read_all()
        size = held.seek(0, io.SEEK_END)
        held.seek(0)
        self.close()
        return Stream(self.name, held, size, self.max_size)

    def most(self, usual: int) -> int:
        """The usual limit, or the one that the user gave."""
        return usual if self.max_size is None else self.max_size

    @property
    def origin(self) -> tuple[int, ...] | None:
        """What tells a plain file from others, and from what it was before."""
        return self._version if self.is_plain_file else None

    @property
    def is_plain_file(self) -> bool:
        """Whether the bytes can be read in any order."""
        return self.size is not None and self.file.seekable()

    def read_at(self, offset: int, count: int) -> bytes:
        """Bytes from anywhere in a plain file."""
        with named_failures(self.name):
            self.file.seek(offset)
            data = self.file.read(count)
            self.check_unchanged()
        return data

    def fill(self, buffer: memoryview, offset: int) -> int:
        """Read bytes from anywhere in a plain file into a buffer, and return how many there were."""
        with named_failures(self.name):
            self.file.seek(offset)
            count = cast(io.BufferedReader, self.file).readinto(buffer)
            self.check_unchanged()
        return count

    def seek(self, offset: int) -> None:
        """Continue at another place of a plain file."""
        with named_failures(self.name):
            self.file.seek(offset)
        self._ahead, self._ended, self._count = b"", False, offset

    def advance(self, share: float) -> None:
        """Tell how much of a plain file was read whose bytes are read in any order."""
        self._count = int(share * (self.size or 0))

    def progress(self) -> tuple[int, int | None]:
        """The bytes that were read of the file, and its size if that is known."""
        return self._count, self.size

    def close(self) -> None:
        """Close the file."""
        self.file.close()


def _version(file: BinaryIO) -> tuple[int, ...] | None:
    """What tells a regular file from what it was before, its size first; None for a pipe, or for bytes."""
    try:
        status = os.fstat(file.fileno())
    except (OSError, ValueError, AttributeError):
        return None
    if stat.S_ISREG(status.st_mode):
        return status.st_size, status.st_dev, status.st_ino, status.st_mtime_ns
    return None


@contextmanager
def named_failures(name: str) -> Iterator[None]:
    """Turn an OSError into an error that names the input."""
    try:
        yield
    except LosscalcError:
        raise
    except OSError as error:
        # The OSErrors of bz2 and gzip about damaged data have no number.
        if error.errno is None:
            raise FormatError(f"damaged data ({error})", location=Location(name)) from error
        raise SourceError(reason(error), location=Location(name)) from error
