"""The files that the arrays of a call came from, which can be read once more in another way."""

from collections.abc import Mapping
from typing import Any, Protocol

from losscalc.core.array import Array
from losscalc.engine.sources import Selection

Ways = Mapping[str, Mapping[str, Any]]
"""How some arrays are read otherwise: the options of each, by its name."""


class Rereading(Protocol):
    """Reads all arrays of a call once more."""

    tables: Mapping[str, Selection]
    """The columns of those arrays that are read from tables."""
    options: Mapping[str, Any]
    """The options by which all arrays are read."""

    def read(self, ways: Ways, **options: Any) -> Mapping[str, Array]:
        """The arrays, of which some, or with other options all, are read in another way."""
