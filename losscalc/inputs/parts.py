"""Which of the arrays of a file `#PART` means, where it names them."""

import re
from collections.abc import Sequence
from itertools import islice

from losscalc.errors import FormatError, Location, counted, printable

_DIGITS = r"-?\d+"
_LISTED = 20
LONGEST = 200
"""The characters of a part that a hint has; what is longer is cut, and means nothing."""
# What a shell, or losscalc itself, would read as something else.
_TO_QUOTE = r"""[\s^*?\[\]!<>;&|()$`"'\\{}~]"""


def choose_array(
    names: Sequence[str], part: str | None, path: str, what: str = "file", count: int = 0
) -> str:
    """The array that a part names, or the only one there is; `count` says how many if not all are named.

    >>> choose_array(["logits"], None, "a.pt"), choose_array(["a", "b"], "b", "a.pt")
    ('logits', 'b')
    """
    if part is not None and part in names:
        return part
    if part is None and len(names) == 1:
        return names[0]
    if part is not None:
        raise no_such_array(names, part, path)
    many = counted(count or len(names), "array") if names else "no array"
    hint = f"name one: {as_typed(names[0])} ({listed(names)})" if names else None
    raise FormatError(f"the {what} holds {many}", location=Location(path), hint=hint)


def no_such_array(names: Sequence[str], part: str, path: str) -> FormatError:
    """The error about a name that is not there."""
    # Another number is another array, and no slip of the fingers.
    wanted = re.sub(_DIGITS, "", part)
    others = (name for name in names if len(name) <= LONGEST and re.sub(_DIGITS, "", name) != wanted)
    typable = list(islice(others, 1_000))
    import difflib

    close = difflib.get_close_matches(part[:LONGEST], typable, n=1)
    hint = f"did you mean {as_typed(close[0])}?" if close else listed(names) if names else None
    error = FormatError("there is no such array", found=part, location=Location(path), hint=hint)
    error.names = names
    return error


def listed(names: Sequence[str]) -> str:
    """The first names, as a hint says them."""
    first = (name if len(name) <= LONGEST else f"{name[:LONGEST]}…" for name in names[:_LISTED])
    return printable(f"there are {', '.join(first)}{', ...' if len(names) > _LISTED else ''}")


def as_typed(name: str) -> str:
    """A part as it has to be typed behind the name of a file.

    >>> as_typed("logits"), as_typed("log p")
    ('#logits', "'#log p'")
    """
    # Behind the name of a file, the # begins no comment of the shell.
    part = f"#{name[:LONGEST]}"
    return quoted(part) if not part.isprintable() or re.search(_TO_QUOTE, part) else part


def quoted(word: str) -> str:
    """A word as it has to be typed, in quotes if a shell would read it as something else.

    >>> print(quoted("id"), quoted("image id"), quoted("it's"), quoted("a\\nb"))
    id 'image id' 'it'"'"'s' $'a\\nb'
    """
    if not word.isprintable():
        escaped = printable(word.replace("\\", r"\\").replace("'", r"\'"))
        return f"$'{escaped}'"
    if word and not word.startswith("#") and not re.search(_TO_QUOTE, word):
        return word
    from shlex import quote

    return quote(word)
