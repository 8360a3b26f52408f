"""The encodings of text."""

import codecs

from losscalc.errors import UsageError


def decoder(encoding: str) -> codecs.IncrementalDecoder:
    """The decoder of an encoding, or an error that says there is none of that name."""
    try:
        info = codecs.lookup(encoding)
        # Escapes are for source code: what they decode depends on more than the bytes.
        if info.name in ("unicode-escape", "raw-unicode-escape"):
            raise LookupError(encoding)
        "".encode(encoding)
    except (LookupError, ValueError) as error:
        raise UsageError(
            "there is no such text encoding", found=encoding, hint="utf-8, utf-16, latin-1, cp1252 ..."
        ) from error
    return info.incrementaldecoder("strict")
