"""Limits on what is read, so that a small file cannot fill the memory; --max-size replaces them."""

from losscalc.errors import FormatError, Location

HELD = 200_000_000
"""Bytes held in memory at once: a JSON document, or an archive or a row from a pipe."""
LINE = 1 << 25
"""Bytes of one line: what is longer is hardly a row of numbers, but a file without line ends."""
UNPACKED = 1 << 25
"""Bytes that a compressed file may always unpack to, however small it is."""
UNPACKED_ARRAY = 1 << 27
"""Bytes that an array in an archive may always unpack to, however small it is."""
CONTENTS = 1 << 24
"""Bytes of the header of safetensors, of the pickle of torch.save, and of the directory of an archive."""
ENTRIES = 1_000_000
"""Instructions in such a pickle; numbers and brackets in such a header."""
WORKBOOK = 1_000_000_000
"""Bytes of memory that the process may take which reads a workbook."""
CELL = 1 << 17
"""Characters of a cell of text, which are as many as Python's csv module takes."""
CELLS = 1_000_000
"""Cells in a line of a table, each of which takes many times its bytes while it is read."""
GROUPS = 100_000
"""Groups of rows, each of which has its sums and its line; a column with more of them is one of ids."""
_RATIO = 200
"""Beyond that, how many times its size a compressed file may unpack to."""
_LIFT = "if that is intended, raise the limit, as in --max-size 8G"


def too_large(what: str, most: int, location: Location) -> FormatError:
    """The error for what is over a limit, with the hint that raises it."""
    return FormatError(f"{what} more than {size_text(most)}", location=location, hint=_LIFT)


def too_many(what: str, most: int, location: Location) -> FormatError:
    """The same for a limit on something other than bytes."""
    return FormatError(f"{what} more than {most:,}", location=location, hint=_LIFT)


def is_bomb(unpacked: int, compressed: int, most: int) -> bool:
    """Whether so few bytes unpack to so many that they are likely an attack.

    >>> is_bomb(10**9, 10**6, UNPACKED), is_bomb(10**9, 10**8, UNPACKED), is_bomb(10**6, 10, UNPACKED)
    (True, False, False)
    """
    return unpacked > most and unpacked > _RATIO * compressed


def size_text(size: int) -> str:
    """A number of bytes in the usual units.

    >>> size_text(512), size_text(1 << 25), size_text(200_000_000)
    ('512 bytes', '33.6 MB', '200 MB')
    """
    for unit, word in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if size >= unit:
            return f"{size / unit:.3g} {word}"
    return f"{size} bytes"
