"""Signs of mistakes in the arrays of a call: each block shows some, and some hold for the whole call."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from losscalc.core.reductions import Terms
from losscalc.errors import LosscalcWarning

Arguments = Mapping[str, Any]
"""The arrays of a block as a loss gets them."""


class Sign(NamedTuple):
    """What the blocks so far show about one mistake."""

    shown: object
    """What blocks have to agree on; False if a block contradicts the sign, None if it cannot tell."""
    warning: LosscalcWarning | None
    everywhere: bool
    """Whether the sign has to show in every block that can tell, rather than in one."""
    rows: int | None = None
    """The number of rows that the call has to have, if that matters."""
    contradicted: bool = False

    def followed_by(self, later: "Sign") -> "Sign":
        """The sign of these blocks and the later ones together."""
        if later is self:
            return self
        first = self if self.warning else later
        differs = bool(self.warning and later.warning and self.shown != later.shown)
        return first._replace(contradicted=self.contradicted or later.contradicted or differs)

    def holds(self, rows: int) -> bool:
        """Whether the sign holds for a call of so many rows."""
        is_shown = self.warning is not None and not (self.everywhere and self.contradicted)
        return is_shown and self.rows in (None, rows)


class Findings(NamedTuple):
    """The signs in the blocks so far, by name; findings of consecutive blocks add up with `+`."""

    signs: Mapping[str, Sign]
    rows: int

    def __add__(self, other: object) -> "Findings":
        assert isinstance(other, Findings)
        signs = {name: sign.followed_by(other.signs.get(name, sign)) for name, sign in self.signs.items()}
        return Findings({**other.signs, **signs}, self.rows + other.rows)

    @property
    def shown(self) -> list[LosscalcWarning]:
        """The warnings of all signs so far, whether or not they will hold."""
        return [sign.warning for sign in self.signs.values() if sign.warning]

    @property
    def warnings(self) -> list[LosscalcWarning]:
        """The warnings of the signs that hold for all blocks together."""
        return [sign.warning for sign in self.signs.values() if sign.warning and sign.holds(self.rows)]


Examine = Callable[[Arguments, Terms, bool], Findings]
"""What looks for signs of mistakes in the arrays and the losses of a block, which may be the first."""
