"""The file whose name is closest to one that there is not."""

import os
import re
from itertools import islice

# More names than these take long to compare, and have one that is close by chance.
_MOST = 10_000
_LEAST = 0.6
_DIGITS = re.compile(r"\d+")


def nearest_file(path: str, folder: str = "") -> str | None:
    """The path of the file that was probably meant: of each part that is not there, the closest that is."""
    near, steps = "", path.split(os.sep)
    for number, step in enumerate(steps, 1):
        place, is_last = os.path.join(folder, near), number == len(steps)
        there: str | None = step
        if step not in ("", ".", "..") and ("\0" in step or not os.path.lexists(os.path.join(place, step))):
            there = _closest(step, place, is_last)
        if there is None:
            return None
        near += there if is_last else f"{there}{os.sep}"
    return near if near != path and os.path.isfile(os.path.join(folder, near)) else None


def _closest(word: str, place: str, is_last: bool) -> str | None:
    """The closest name of a file in a folder, or of a folder where the path goes on."""
    import difflib

    try:
        with os.scandir(place or ".") as entries:
            names = [e.name for e in islice(entries, _MOST) if (e.is_file() if is_last else e.is_dir())]
    except OSError:
        return None
    stem, suffix = os.path.splitext(word)
    matcher = difflib.SequenceMatcher(b=stem)
    best, closest = (_LEAST, False), None
    for name in sorted(names):
        # Another number is another file, and no slip of the fingers; a dot in front hides a file.
        if _DIGITS.sub("", name) == _DIGITS.sub("", word) or name.startswith(".") > word.startswith("."):
            continue
        # Suffixes would make any two alike.
        other, end = os.path.splitext(name)
        matcher.set_seq1(other)
        if matcher.real_quick_ratio() < _LEAST or matcher.quick_ratio() < _LEAST:
            continue
        likeness = (matcher.ratio(), end == suffix)
        if likeness > best:
            best, closest = likeness, name
    return closest
