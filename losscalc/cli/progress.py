"""The progress of a long run, as one line on the terminal that is erased before anything else is printed."""

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TextIO

from losscalc.engine.block import Block
from losscalc.engine.sources import Source

# Seconds before the line is first shown, and between two updates.
_AFTER = 1.0
_BETWEEN = 0.2


class Progress:
    """The line; it fits into any terminal, and has no characters beyond ASCII."""

    def __init__(
        self, stream: TextIO, sources: Iterable[Source], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream
        self._sources = list(sources)
        self._clock = clock
        self._start = clock()
        self._due = self._start + _AFTER
        self._length = 0

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *error: object) -> None:
        self.erase()

    def watch(self, blocks: Iterator[Block]) -> Iterator[Block]:
        """Pass blocks on, and update the line."""
        for block in blocks:
            self.show(block.start)
            yield block
        self.erase()

    def show(self, rows: int) -> None:
        """Show that so many rows are done, unless the line was updated a moment ago."""
        self._tell(lambda seconds: self._parts(rows, seconds))

    def search(self, share: float) -> None:
        """Show that a share of a search is done, unless the line was updated a moment ago."""
        self._tell(lambda seconds: iter([f"looking for the mistake: {share:.0%}"]))

    def _tell(self, parts: Callable[[float], Iterator[str]]) -> None:
        now = self._clock()
        if now < self._due:
            return
        self._due = now + _BETWEEN
        columns = self._columns()
        text = ""
        # On a narrow terminal parts that do not fit are left out.
        for part in parts(now - self._start):
            longer = f"{text}, {part}" if text else part
            if len(longer) < columns:
                text = longer
        self._write(text)

    def erase(self) -> None:
        """Erase the line."""
        if self._length:
            self._write("")

    def _parts(self, rows: int, seconds: float) -> Iterator[str]:
        """The parts of the line, the most important first."""
        read = [progress for source in self._sources if (progress := source.progress()) is not None]
        done, total = (sum(p[i] or 0 for p in read if p[1] is not None) for i in (0, 1))
        if 0 < done <= total:
            yield f"{100 * done // total}%"
            yield f"{_duration(seconds * (total - done) / done)} left"
        yield f"{rows:,} rows"
        megabytes = sum(p[0] for p in read) / seconds / 1e6
        yield f"{megabytes:,.0f} MB/s" if megabytes >= 1 else f"{rows / seconds:,.0f} rows/s"

    def _columns(self) -> int:
        try:
            return os.get_terminal_size(self._stream.fileno()).columns or 80
        except (OSError, ValueError):
            return 80

    def _write(self, text: str) -> None:
        """Overwrite the line, and return to its beginning, where the next output goes."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text.ljust(self._length) + "\r")
            self._stream.flush()
        self._length = len(text)


def _duration(seconds: float) -> str:
    """Minutes and seconds, and hours if there are any.

    >>> _duration(9.4), _duration(3723)
    ('0:09', '1:02:03')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
