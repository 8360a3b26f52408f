"""The classes of an input, and what labels mean which of them."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from losscalc.engine.columns import stripped
from losscalc.errors import printable

_WHOLE = re.compile(r"[+-]?\d{1,9}(?:\.0*)?", re.ASCII)
PAIRS = (
    ("false", "true"),
    ("no", "yes"),
    ("n", "y"),
    ("f", "t"),
    ("off", "on"),
    ("negative", "positive"),
    ("neg", "pos"),
)
"""The words that stand for 0 and 1, or for classes called so."""

Label = str | float
"""A label as it stands in a cell."""


class Classes(NamedTuple):
    """The classes of an input, in the order of its columns: how many, and what they are called.

    `places` has every name of a class, `folded` those that are one class's in small letters, and `numbered`
    those that are numbers, or mean 0 and 1 as no and yes do, unless these are 0, 1, 2 ...
    """

    width: int
    names: Sequence[str] = ()
    places: Mapping[str, int] = {}
    numbered: Mapping[float, int] = {}
    folded: Mapping[str, int] = {}

    @classmethod
    def called(cls, names: Sequence[str]) -> "Classes":
        """The classes of columns, by their names and by what is left without what all of them have in common.

        >>> Classes.called(["prob_cat", "prob_dog"]).places["dog"], Classes.called(["p_1", "p_2"]).numbered
        (1, {1.0: 0, 2.0: 1})
        """
        # A name that two columns have tells nothing.
        counts = Counter(names)
        places = {name: place for place, name in enumerate(names) if counts[name] == 1}
        numbered: dict[float, int] = {}
        for form in stripped(names):
            places |= {name: place for place, name in enumerate(form) if name not in places}
            numbered = _numbered(form) or numbered
        is_usual = all(name == place for name, place in numbered.items())
        folded: dict[str, set[int]] = {}
        for name, place in places.items():
            folded.setdefault(name.lower(), set()).add(place)
        small = {name: min(found) for name, found in folded.items() if len(found) == 1}
        return cls(len(names), names, places, {} if is_usual else numbered, small)

    def place(self, cell: Label, value: float | None) -> float | None:
        """The index of the class that a label means, which may be a number; None if it is none of them."""
        is_name = isinstance(cell, str) and not (self.numbered and value is not None)
        if is_name and cell in self.places:
            return self.places[str(cell)]
        if value is None and isinstance(cell, str):
            return self.folded.get(cell.lower())
        return self.numbered.get(value) if self.numbered and value is not None else value

    @property
    def renaming(self) -> str:
        """What there is to tell of labels that are numbers in the names of columns."""
        label, place = next(iter(self.numbered.items()))
        name = printable(self.names[place])
        return f"labels are the numbers in the names of columns: {label:g} means {name}, class {place}"


def _numbered(names: Sequence[str]) -> dict[float, int]:
    """The places of names by the numbers that they are, or that yes and no mean; empty for others."""
    pair = pair_of(names) if len(names) == 2 else None
    numbers = (
        [float(name) for name in names]
        if all(map(_WHOLE.fullmatch, names))
        else [float(pair.index(name.strip().lower())) for name in names]
        if pair is not None
        else []
    )
    numbered = {number: place for place, number in enumerate(numbers)}
    return numbered if len(numbered) == len(names) else {}


def pair_of(words: Iterable[str]) -> tuple[str, str] | None:
    """The words for 0 and 1 that some words are, in whatever case; None if they are others.

    >>> pair_of(["Yes", "No", "Yes"]), pair_of(["yes", "maybe"])
    (('no', 'yes'), None)
    """
    known = {word.strip().lower() for word in words}
    return next((pair for pair in PAIRS if known <= {*pair}), None) if known else None
