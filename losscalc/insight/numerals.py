"""Numbers and sums of numbers as a working shows them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from losscalc.core.array import FloatArray
from losscalc.outputs.numbers import fixed
from losscalc.outputs.working import Math

# No more summands than this are written out, and no more where there is little room.
_MOST_SUMMANDS, _MOST_IN_LITTLE = 9, 6
# No more numbers of a row than this are shown.
_MOST_OF_ROW = 6


class Numerals(NamedTuple):
    """Numbers with so many decimals."""

    decimals: int

    def number(self, value: float) -> str:
        """A number as formulas show it: whole numbers without decimals."""
        if float(value).is_integer() and abs(value) < 1e15:
            return str(int(value))
        return self.fixed(value)

    def fixed(self, value: float) -> str:
        """A number as tables show it."""
        return fixed(value, self.decimals)

    def row(self, values: FloatArray) -> str:
        """Several numbers, of which some are left out if they are many."""
        numbers = values.reshape(-1).tolist()
        if len(numbers) > _MOST_OF_ROW:
            first = map(self.number, numbers[: _MOST_OF_ROW - 2])
            return ", ".join([*first, "…", self.number(numbers[-1])])
        return ", ".join(map(self.number, numbers))

    def sum(self, values: Sequence[float] | FloatArray, count: int | None = None) -> Math:
        """A sum written out; of `count` summands, only the first may be at hand."""
        return Math.of_numbers(
            self._summands(values, len(values) if count is None else count, _MOST_SUMMANDS)
        )

    def short_sum(self, values: Sequence[float] | FloatArray, count: int | None = None) -> Math:
        """The same for where there is little room."""
        return Math.of_numbers(
            self._summands(values, len(values) if count is None else count, _MOST_IN_LITTLE)
        )

    def _summands(self, values: Sequence[float] | FloatArray, count: int, most: int) -> str:
        if len(values) == count <= most:
            return " + ".join(map(self.number, values))
        first = [self.number(value) for value in values[: _MOST_IN_LITTLE - 2]]
        last = [self.number(values[-1])] if count == len(values) else []
        return " + ".join([*first, "…", *last])


def plain(value: FloatArray) -> float | list[float]:
    """A number, or several, for JSON."""
    return float(value.reshape(-1)[0]) if np.size(value) == 1 else value.reshape(-1).tolist()
