"""The classes of an input, and what labels mean which of them."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from losscalc.engine.columns import stripped
from losscalc.errors import printable

_WHOLE = re.compile(r"\d{1,9}", re.ASCII)

Label = str | float
"""A label as it stands in a cell."""


class Classes(NamedTuple):
    """The classes of an input, in the order of its columns: how many, and what they are called.

    `places` has every name of a class, and `numbered` those that are numbers, unless these are 0, 1, 2 ...
    """

    width: int
    names: Sequence[str] = ()
    places: Mapping[str, int] = {}
    numbered: Mapping[float, int] = {}

    @classmethod
    def called(cls, names: Sequence[str]) -> "Classes":
        """The classes of columns, by their names and by what is left without what all of them have in common.

        >>> Classes.called(["prob_cat", "prob_dog"]).places["dog"], Classes.called(["p_1", "p_2"]).numbered
        (1, {1.0: 0, 2.0: 1})
        """
        # A name that two columns have tells nothing.
        places = {name: place for place, name in enumerate(names) if names.count(name) == 1}
        numbered: dict[float, int] = {}
        for form in stripped(names):
            places |= {name: place for place, name in enumerate(form) if name not in places}
            if all(map(_WHOLE.fullmatch, form)):
                numbered = {float(name): place for place, name in enumerate(form)}
        is_usual = all(name == place for name, place in numbered.items())
        return cls(len(names), names, places, {} if is_usual else numbered)

    def place(self, cell: Label, value: float | None) -> float | None:
        """The index of the class that a label means, which may be a number; None if it is none of them."""
        is_name = isinstance(cell, str) and not (self.numbered and value is not None)
        if is_name and cell in self.places:
            return self.places[str(cell)]
        return self.numbered.get(value) if self.numbered and value is not None else value

    @property
    def renaming(self) -> str:
        """What there is to tell of labels that are numbers in the names of columns."""
        label, place = next(iter(self.numbered.items()))
        name = printable(self.names[place])
        return f"labels are the numbers in the names of columns: {label:g} means {name}, class {place}"
