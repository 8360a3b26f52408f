"""How much of an input is taken in: limits that few honest files meet, and that --max-size moves."""

from losscalc.errors import FormatError, Location

HELD = 200_000_000
"""Bytes that are held in memory at once: a JSON document, or from a pipe an archive or a row."""
LINE = 1 << 25
"""Bytes of one line; what is longer is hardly a row of numbers, but something without line ends."""
UNPACKED = 1 << 25
"""Bytes to which a compressed file may unpack, however small it is."""
UNPACKED_ARRAY = 1 << 27
"""Bytes to which an array in an archive may unpack, however small it is."""
_RATIO = 200
"""How many times its size a compressed file may unpack to, however large it is."""


def too_large(what: str, most: int, location: Location) -> FormatError:
    """The error that says which limit was met, and how to move it."""
    return FormatError(
        f"{what} more than {size_text(most)}",
        location=location,
        hint="if that is as it should be, --max-size 8G, for example, lets it pass",
    )


def is_bomb(unpacked: int, packed: int, most: int) -> bool:
    """Whether so few bytes that unpack to so many are more likely an attack than data.

    >>> is_bomb(10**9, 10**6, UNPACKED), is_bomb(10**9, 10**8, UNPACKED), is_bomb(10**6, 10, UNPACKED)
    (True, False, False)
    """
    return unpacked > most and unpacked > _RATIO * packed


def size_text(size: int) -> str:
    """A number of bytes as people say it.

    >>> size_text(512), size_text(1 << 25), size_text(200_000_000)
    ('512 bytes', '33.6 MB', '200 MB')
    """
    for unit, word in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if size >= unit:
            return f"{size / unit:.3g} {word}"
    return f"{size} bytes"
