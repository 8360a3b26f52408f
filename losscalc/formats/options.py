"""How text is to be read, and how numbers are to be written: the choices a user has."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Reading:
    """How inputs are read; the defaults are those of the command line."""

    format: str | None = None
    """The name of a format, or None to go by suffix and first bytes."""
    delimiter: str | None = None
    """What separates cells, a blank for runs of blanks; None for the format's own."""
    header: Literal["auto", "yes", "no"] = "auto"
    skip_rows: int = 0
    encoding: str = "utf-8-sig"
    na: Literal["error", "nan", "drop"] = "error"


@dataclass(frozen=True)
class Writing:
    """How results are written."""

    precision: int | None = None
    """Decimals, or None for the shortest that read back to the same number."""
