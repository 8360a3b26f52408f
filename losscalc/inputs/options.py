"""The user's choices on how an input is read."""

from typing import Literal, NamedTuple

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
    elsewhere: tuple[tuple[str, str], ...] = ()
    """The options that name other parts of the same file as arrays of their own, and these parts."""
