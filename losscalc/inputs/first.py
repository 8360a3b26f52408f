"""The first file of a pattern, which says what the rows of all are."""

from contextlib import closing
from typing import NamedTuple, Protocol

import numpy as np

from losscalc.core.array import Shape
from losscalc.engine.sources import Source
from losscalc.errors import FormatError, LosscalcWarning, printable
from losscalc.inputs.headers import are_numbered
from losscalc.inputs.namesakes import renumbered, reordered
from losscalc.inputs.table import TableSource


class OpenFile(Protocol):
    """Opens a file of a pattern."""

    def __call__(
        self, path: str, *, titles: tuple[str, ...] = (), columns: tuple[int, ...] | None = None
    ) -> Source:
        """Open the file, by the header of the first, or some columns of it."""


class First(NamedTuple):
    """The first file, whose rows, dtype and names of columns all others must have."""

    path: str
    row: Shape
    dtype: np.dtype
    names: tuple[str, ...] | None = None
    """The names of the columns that make up the rows, if it is a table that has them."""
    titles: tuple[str, ...] = ()
    """The names of all columns of that table."""

    @classmethod
    def of(cls, path: str, source: Source) -> "First":
        """The first file, which is open."""
        names = None if source.names is None else tuple(source.names)
        return cls(path, source.shape[1:], source.dtype, names, tuple(source.beside) if names else ())

    def open_alike(self, open_file: OpenFile, path: str) -> tuple[Source, LosscalcWarning | None]:
        """Another file, its columns in the order of this one's, and a warning if they are not those."""
        source = open_file(path, titles=self.titles)
        names, name = source.names, printable(self.path)
        if not isinstance(source, TableSource) or names is None or tuple(names) == self.names:
            return source, None
        try:
            if self.names is None:
                self._check_header(open_file, source)
                return source, None
            if source.is_by_number:
                # Whoever gives numbers means places.
                return source, renumbered(source, name, self.names, self.titles)
            columns = reordered(source, name, self.names, self.titles)
        except BaseException:
            source.close()
            raise
        source.close()
        return open_file(path, titles=self.titles, columns=columns), None

    def _check_header(self, open_file: OpenFile, source: Source) -> None:
        """Refuse a first line that counts columns in another file, and is a row of numbers in this one."""
        if not are_numbered(list(source.beside)):
            return
        with closing(open_file(self.path, titles=tuple(source.beside))) as first:
            if first.names is not None:
                raise FormatError(
                    f"the first line is taken as a header, and the same in {printable(self.path)} as data",
                    location=source.locate(()),
                    hint="give --header yes if it names the columns, --header no if it holds data",
                )
