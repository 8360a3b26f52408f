"""Signs of mistakes in the arrays of a call: what each block shows, and what of it holds for all of them."""

from collections.abc import Mapping
from typing import NamedTuple

from losscalc.errors import LosscalcWarning


class Sign(NamedTuple):
    """What the blocks so far show of one mistake."""

    shown: object
    """What all blocks have to agree on: False where they contradict it, None where they cannot tell."""
    warning: LosscalcWarning | None
    everywhere: bool
    """Whether it has to show in every block that can tell, or in any."""
    rows: int | None = None
    """How many rows there have to be in all, if that matters."""
    contradicted: bool = False

    def followed_by(self, later: "Sign") -> "Sign":
        """What two consecutive stretches of blocks show."""
        first = self if self.warning else later
        differs = bool(self.warning and later.warning and self.shown != later.shown)
        return first._replace(contradicted=self.contradicted or later.contradicted or differs)

    def holds(self, rows: int) -> bool:
        """Whether it is a sign of a mistake in so many rows."""
        is_shown = self.warning is not None and not (self.everywhere and self.contradicted)
        return is_shown and self.rows in (None, rows)


class Findings(NamedTuple):
    """What the blocks of a call show so far, by name; findings of consecutive blocks add up with `+`."""

    signs: Mapping[str, Sign]
    rows: int

    def __add__(self, other: object) -> "Findings":
        assert isinstance(other, Findings)
        signs = {name: sign.followed_by(other.signs.get(name, sign)) for name, sign in self.signs.items()}
        return Findings({**other.signs, **signs}, self.rows + other.rows)

    @property
    def shown(self) -> list[LosscalcWarning]:
        """What shows so far, whether it will hold or not."""
        return [sign.warning for sign in self.signs.values() if sign.warning]

    @property
    def warnings(self) -> list[LosscalcWarning]:
        """What holds for all blocks together."""
        return [sign.warning for sign in self.signs.values() if sign.warning and sign.holds(self.rows)]
