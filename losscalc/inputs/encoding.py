"""The encodings of text."""

import codecs
import re

from losscalc.errors import UsageError

# Those of UTF-32 come first, as one begins like that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_LETTER = rb"[\t\n\r -~\xa0-\xff]"
_UNMARKED = (
    (rb"(?:%s\0\0\0){2}", "utf-32-le"), (rb"(?:\0\0\0%s){2}", "utf-32-be"),
    (rb"(?:%s\0){2}", "utf-16-le"), (rb"(?:\0%s){2}", "utf-16-be"),
)  # fmt: skip
LONGEST = 8
"""The bytes by which `wide_encoding` tells an encoding."""


def wide_encoding(start: bytes) -> str | None:
    """The encoding of two or four bytes a character in which a text begins so, by its mark or by its NULs.

    >>> wide_encoding("1,2".encode("utf-32-be")), wide_encoding(b"\\xff\\xfe1\\0"), wide_encoding(b"1,2")
    ('utf-32-be', 'utf-16', None)
    """
    marked = next((name for mark, name in _MARKS if start.startswith(mark)), None)
    if marked is not None or b"\0" not in start:
        return marked
    return next((name for pattern, name in _UNMARKED if re.match(pattern % _LETTER, start)), None)


def decoder(encoding: str) -> codecs.IncrementalDecoder:
    """A decoder of text in this encoding; UsageError if there is none of that name."""
    try:
        info = codecs.lookup(encoding)
        # These two decode the escapes of Python source, and no text that anybody saves.
        if info.name in ("unicode-escape", "raw-unicode-escape"):
            raise LookupError(encoding)
        "".encode(encoding)
    except (LookupError, ValueError) as error:
        hint = "there are --encoding utf-8, utf-16, latin-1, cp1252 and others"
        raise UsageError("there is no such text encoding", found=encoding, hint=hint) from error
    return info.incrementaldecoder("strict")
