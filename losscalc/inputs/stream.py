"""The bytes of one input, unpacked on the way, with every failure named."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from losscalc.errors import FormatError, Location, SourceError, printable
from losscalc.inputs.limits import HELD, too_large

PACKINGS = frozenset({".gz", ".bz2", ".xz"})
"""The suffixes of compressed files; they stand behind that of the format (.csv.gz)."""

_STEP = 1 << 20


class Stream:
    """Bytes that are read once, from the first to the last, and may be looked at ahead of time."""

    def __init__(
        self, name: str, file: BinaryIO, size: int | None = None, max_size: int | None = None
    ) -> None:
        self.name = name
        self.size = size
        """The number of bytes, where it is known beforehand."""
        self.max_size = max_size
        """The limit that the user has set in the place of all others."""
        self.file = file
        self._ahead = b""
        self._ended = False
        self._count = 0

    def read(self, count: int) -> bytes:
        """The next bytes: as many as asked for, fewer only at the end."""
        pieces, self._ahead = [self._ahead[:count]], self._ahead[count:]
        missing = count - len(pieces[0])
        with named_failures(self.name):
            # In steps: a count from a lying header must not be allocated before the bytes are there.
            while missing and not self._ended:
                piece = self.file.read(min(missing, _STEP))
                # Less than was asked for is the end: a terminal would wait for another one.
                self._ended = len(piece) < min(missing, _STEP)
                pieces.append(piece)
                missing -= len(piece)
                self._count += len(piece)
        return b"".join(pieces)

    def peek(self, count: int) -> bytes:
        """The next bytes, which stay to be read."""
        if len(self._ahead) < count:
            self._ahead = self.read(count)
        return self._ahead[:count]

    def read_all(self) -> BinaryIO:
        """All bytes that are left, as a file in memory."""
        buffer = io.BytesIO()
        while piece := self.read(_STEP):
            buffer.write(piece)
            if buffer.tell() > self.most(HELD):
                raise too_large("what has to be read as a whole has", self.most(HELD), Location(self.name))
        buffer.seek(0)
        return buffer

    def most(self, usual: int) -> int:
        """A limit, or what the user has put in its place."""
        return usual if self.max_size is None else self.max_size

    @property
    def is_plain_file(self) -> bool:
        """Whether the bytes can be read in any order."""
        return self.size is not None and self.file.seekable()

    def read_at(self, offset: int, count: int) -> bytes:
        """Bytes from anywhere in a plain file."""
        with named_failures(self.name):
            self.file.seek(offset)
            return self.file.read(count)

    def seek(self, offset: int) -> None:
        """Go on reading elsewhere in a plain file."""
        with named_failures(self.name):
            self.file.seek(offset)
        self._ahead, self._ended = b"", False

    def progress(self) -> tuple[int, int | None]:
        """How many bytes of the file were read, and of how many if that is known."""
        return self._count, self.size

    def close(self) -> None:
        """Let go of the file."""
        self.file.close()


@contextmanager
def named_failures(name: str) -> Iterator[None]:
    """Turn what the operating system refuses into an error that names the input."""
    try:
        yield
    except OSError as error:
        # bz2 and gzip have OSErrors of their own, without a number, for damaged data.
        if error.errno is None:
            raise FormatError(f"damaged data ({error})", location=Location(name)) from error
        raise SourceError(reason(error), location=Location(name)) from error


def reason(error: OSError) -> str:
    """What the operating system says, in lower case."""
    text = error.strerror or str(error) or type(error).__name__
    return printable(text[:1].lower() + text[1:])
