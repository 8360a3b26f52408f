"""The user's choices on how an input is read."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

BLANKS = " "
"""The delimiter that stands for runs of blanks."""


class Reading(NamedTuple):
    """How an input is read; the defaults are those of the command line."""

    format: str | None = None
    """The name of a format; None for the one that suffix and first bytes tell."""
    delimiter: str | None = None
    """The delimiter of cells, `BLANKS` for runs of blanks; None for the usual one of the format."""
    decimal: str = "."
    """The mark before the decimals of a number."""
    header: Literal["auto", "yes", "no"] = "auto"
    skip_rows: int = 0
    encoding: str = "utf-8-sig"
    na: Literal["error", "nan", "drop"] = "error"
    max_size: int | None = None
    """The number of bytes that replaces each of the limits in `inputs.limits`."""
    key: str | None = None
    """The column by whose values rows are joined."""
    where: tuple[str, ...] = ()
    """The conditions that rows have to meet, as in `split=val`."""
    by: str | None = None
    """The column by whose values rows are grouped."""
    no_key: bool = False
    """Whether rows are taken as they stand, whatever ids are beside them."""
    inner: bool = False
    """Whether rows that not all tables have are left out."""
    threads: int | None = None
    """How many threads parse texts; None for one a core."""
    is_beside: bool = False
    """Whether the cells of one column are wanted, texts or numbers, rather than an array of numbers."""
    class_names: str | None = None
    """The names of the classes as they were typed, in the order of the input's columns."""
    multi_hot: str | None = None
    """The character between the labels of a row, which become 0 and 1 for each class."""
    may_list: bool = False
    """Whether the array has labels, of which `multi_hot` may find several in a cell."""
    without_labels: bool = False
    """Whether a column that is called as labels are is no part of the array, if others may be it."""
    of_classes: bool = False
    """Whether each column has the scores of a class, and one that is called as no class is may be none."""
    labels: frozenset[str] = frozenset()
    """The words that are names of classes, which a first row of them is not the header of."""
    within: str | None = None
    """The character that separates labels in a cell, and no cells."""
    elsewhere: tuple[tuple[str, str], ...] = ()
    """The options that name other parts of the same file as arrays of their own, and these parts."""

    columns: tuple[int, ...] | None = None
    """The columns of a table that are read, counted from 0, whatever the part says."""
    titles: tuple[str, ...] = ()
    """The header of the first file of a pattern, which the others may have, too."""

    @property
    def is_lenient(self) -> bool:
        """Whether what cannot be read is told with its row, as conditions may leave the row out."""
        return bool(self.where)


class Readings(NamedTuple):
    """How the inputs of a call are read: all of them, and what is different for some."""

    usual: Reading = Reading()
    own: Mapping[str, Mapping[str, Any]] = {}

    def of(self, name: str) -> Reading:
        """How one array is read."""
        return self.usual._replace(**self.own.get(name, {}))
