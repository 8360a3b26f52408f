"""The encodings of text."""

import codecs

from losscalc.errors import UsageError


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
