"""The text that several readers of one file have in common, so that it is read and cut once."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeVar

Found = TypeVar("Found")

# So many bytes are kept for those who come behind, at a guess; who comes later reads them once more.
_MOST = 16 << 20
# What is known of the cells of a line.
_LINE = 16


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
    cells: dict[Any, Any] | None = None
    """Where their cells are, by what separates them, as far as one of several readers looked for them."""

    @property
    def text(self) -> str:
        """The lines as text; what reads numbers does without."""
        return decoded(self.raw)

    def found(self, key: Any, find: Callable[[], Iterable[Found]]) -> Iterable[Found]:
        """What a reader finds by a key, which the others need not look for again."""
        if self.cells is None:
            return find()
        if key not in self.cells:
            self.cells[key] = list(find())
        found: list[Found] = self.cells[key]
        return found


def encoded(text: str) -> bytes:
    """A text in UTF-8, with the lone surrogates that some encodings allow."""
    return text.encode("utf-8", "surrogatepass")


def decoded(raw: bytes) -> str:
    """What was `encoded`."""
    return raw.decode("utf-8", "surrogatepass")


class Cache:
    """The last passages that were read of files, each with what it takes to read on behind it."""

    def __init__(self) -> None:
        self._kept: dict[Any, tuple[Passage, Any]] = {}
        self._size = 0

    def get(self, key: Any) -> tuple[Passage, Any] | None:
        """The passage of a key, if it is kept."""
        return self._kept.get(key)

    def keep(self, key: Any, passage: Passage, state: Any) -> None:
        """Keep a passage in the place of older ones."""
        self._kept[key] = passage, state
        self._size += _size(passage)
        while self._size > _MOST and len(self._kept) > 1:
            oldest, _ = self._kept.pop(next(iter(self._kept)))
            self._size -= _size(oldest)


def _size(passage: Passage) -> int:
    return len(passage.raw) + _LINE * (passage.end - passage.line)
