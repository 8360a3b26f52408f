"""A pipe, which can be read only once, for several readers who each read all of it."""

from typing import BinaryIO, cast

from losscalc.errors import Location
from losscalc.inputs.limits import HELD, too_large
from losscalc.inputs.stream import Stream

_STEP = 1 << 20


class Spring:
    """A stream from which several others are drawn; what the slowest has not read yet is held.

    Until it is sealed, more readers may come, who begin at the first byte.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._held = bytearray()
        self._start = 0
        self._ended = False
        self._taps: list[Tap] = []
        self._is_sealed = False

    def draw(self) -> Stream:
        """One more reader of all bytes."""
        tap = Tap(self)
        self._taps.append(tap)
        return Stream(self._stream.name, cast(BinaryIO, tap), max_size=self._stream.max_size)

    def seal(self) -> None:
        """Let go of what all readers have read; no more of them may come."""
        self._is_sealed = True

    def read(self, position: int, count: int) -> bytes:
        """Bytes from some position on, fewer only at the end."""
        stop = position + count
        while not self._ended and self._start + len(self._held) < stop:
            piece = self._stream.read(_STEP)
            self._ended = len(piece) < _STEP
            self._held += piece
            most = self._stream.most(HELD)
            if len(self._held) > most:
                what = "what one array is read ahead of another on the same input has"
                raise too_large(what, most, Location(self._stream.name))
        return bytes(self._held[position - self._start : stop - self._start])

    def let_go(self) -> None:
        """Forget the bytes that no reader will ask for again."""
        if not self._is_sealed:
            return
        positions = [tap.position for tap in self._taps if not tap.closed]
        first = min(positions, default=self._start + len(self._held))
        del self._held[: first - self._start]
        self._start = max(self._start, first)
        if not positions:
            self._stream.close()


class Tap:
    """The bytes of a spring as a file."""

    def __init__(self, spring: Spring) -> None:
        self._spring = spring
        self.position = 0
        self.closed = False

    def read(self, count: int) -> bytes:
        """The next bytes, fewer only at the end."""
        piece = self._spring.read(self.position, count)
        self.position += len(piece)
        self._spring.let_go()
        return piece

    def seekable(self) -> bool:
        """Whether there is a way back."""
        return False

    def close(self) -> None:
        """Read no more."""
        self.closed = True
        self._spring.let_go()
