"""The text that several readers of one file have in common, so that it is read and cut once."""

from collections.abc import Callable, Iterable
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from losscalc.inputs.grid import Grid

# What is read ahead for so many threads is kept for those who come behind: more passages than there are
# threads, each with its cells of some such size. Who comes later reads them once more.
_MORE, _SIZE = 3, 4 << 20


class Passage(NamedTuple):
    """Some whole lines of a text."""

    raw: bytes = b""
    """The lines in UTF-8; all of them end in `\\n`."""
    line: int = 1
    """The number of the first of them."""
    end: int = 1
    """The number of the line after the last."""
    parsed: Any = None
    """What its reader made of it ahead of time."""
    cells: "dict[Any, list[Grid | None]] | None" = None
    """Where their cells are, by what separates them, as far as one of several readers looked for them."""

    @property
    def text(self) -> str:
        """The lines as text; what reads numbers does without."""
        return decoded(self.raw)

    def found(self, key: Any, find: "Callable[[], Iterable[Grid | None]]") -> "Iterable[Grid | None]":
        """What a reader finds by a key, which the others need not look for again."""
        if self.cells is None:
            return find()
        if key not in self.cells:
            self.cells[key] = list(find())
        return self.cells[key]

    @property
    def nbytes(self) -> int:
        """The memory of the lines, and of what is known of their cells."""
        # Some thread may find more meanwhile.
        grids = chain.from_iterable([*(self.cells or {}).values()])
        return len(self.raw) + sum(grid.nbytes for grid in grids if grid is not None)


def encoded(text: str) -> bytes:
    """A text in UTF-8, with the lone surrogates that some encodings allow."""
    return text.encode("utf-8", "surrogatepass")


def decoded(raw: bytes) -> str:
    """What was `encoded`."""
    return raw.decode("utf-8", "surrogatepass")


class Cache:
    """The last passages that were read of files, each with what it takes to read on behind it.

    One thread, for little memory, reads them anew.
    """

    def __init__(self, threads: int) -> None:
        self._kept: dict[Any, tuple[Passage, Any]] = {}
        self.is_used = threads > 1
        self._most = (threads + _MORE) * _SIZE

    def get(self, key: Any) -> tuple[Passage, Any] | None:
        """The passage of a key, if it is kept."""
        return self._kept.get(key)

    def keep(self, key: Any, passage: Passage, state: Any) -> None:
        """Keep a passage in the place of older ones."""
        self._kept[key] = passage, state
        while len(self._kept) > 1 and sum(kept.nbytes for kept, _ in self._kept.values()) > self._most:
            del self._kept[next(iter(self._kept))]
