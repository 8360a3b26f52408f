"""How inputs are to be read: the choices a user has."""

from typing import Literal, NamedTuple

BLANKS = " "
"""The delimiter that stands for runs of blanks."""


class Reading(NamedTuple):
    """How inputs are read; the defaults are those of the command line."""

    format: str | None = None
    """The name of a format, or None to go by suffix and first bytes."""
    delimiter: str | None = None
    """What separates cells, a blank for runs of blanks; None for the format's own."""
    header: Literal["auto", "yes", "no"] = "auto"
    skip_rows: int = 0
    encoding: str = "utf-8-sig"
    na: Literal["error", "nan", "drop"] = "error"
    max_size: int | None = None
    """What takes the place of the limits of `formats.limits`, in bytes."""
