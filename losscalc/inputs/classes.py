"""The names of classes, as they are typed."""

import os
from collections import Counter

from losscalc.errors import FormatError, UsageError


def read_names(text: str) -> list[str]:
    """Class names as typed: one per line of a file, or separated by commas."""
    names = [name.strip() for name in text.split(",")]
    if os.path.isfile(text):
        try:
            with open(text, encoding="utf-8-sig") as file:
                names = [line.strip() for line in file if line.strip()]
        except (OSError, UnicodeError) as error:
            raise FormatError(f"`class_names` cannot be read: {error}", found=text) from error
    counts = Counter(names)
    twice = next((name for name in names if counts[name] > 1 or not name), None)
    if twice is not None:
        problem = "a name of a class is there twice" if twice else "a name of a class is empty"
        raise UsageError(f"`class_names`: {problem}", found=twice or text)
    return names
