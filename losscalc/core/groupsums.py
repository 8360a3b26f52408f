"""The sums of many groups of rows at once: as exact as those of `Partial`, but in arrays."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from losscalc.core.array import Array, ArrayOf, FloatArray
from losscalc.core.exactsum import UNIT_BITS, Sum
from losscalc.core.reductions import Partial, Terms

Numbers = ArrayOf[np.intp]
Counts = ArrayOf[np.int64]

# In place of the place of bits, for what has none.
_COUNTS, _SPECIAL = -1, -2
_TOTAL, _NUMERATOR, _DENOMINATOR = "total", "numerator", "denominator"
# Numbers are cut at every 26th bit: float64 adds up 2^27 such parts without rounding, and int64 more than
# there ever are.
_WIDTH = 26


class GroupSums(NamedTuple):
    """The sums of the groups of one block, in arrays along the groups.

    `names` are those of the sums. `parts` are the bits of each sum, by its name and their place, and
    `special` is what of it is NaN or infinite.
    """

    groups: Numbers
    rows: Counts
    counted: Counts
    ignored: Counts
    names: tuple[str, ...]
    parts: dict[tuple[str, int], Counts]
    special: dict[str, FloatArray]

    @classmethod
    def of(cls, terms: Terms, groups: Numbers) -> "GroupSums":
        """The sums of a block, of which each row is of a group."""
        found, places = np.unique(groups, return_inverse=True)
        rows = np.bincount(places, minlength=len(found))
        # Of pairs and triplets each loss is of a row, which may have several or none.
        places = places if terms.rows is None else places[terms.rows]
        value = terms.value
        summands = {_TOTAL: value, _NUMERATOR: terms.share, _DENOMINATOR: terms.divisor}
        if terms.sums is not None:
            summands = dict(terms.sums)
            value = max(terms.sums.values(), key=np.size)
        each = np.bincount(_of_each(places, value), minlength=len(found))
        ignored = np.zeros_like(rows)
        if terms.ignored is not None:
            weights = terms.ignored.reshape(-1).astype(np.float64)
            ignored = np.bincount(_of_each(places, weights), weights, len(found)).astype(np.int64)
        names = tuple(name for name, values in summands.items() if values is not None)
        sums = cls(found, rows, each - ignored, ignored, names, {}, {})
        for name, values in summands.items():
            if values is not None:
                sums._add_up(name, values, places)
        return sums

    def _add_up(self, name: str, values: FloatArray, places: Numbers) -> None:
        """Add up the numbers of each group."""
        places, values = _of_each(places, values), values.reshape(-1)
        is_finite = np.isfinite(values)
        if not is_finite.all():
            special = np.bincount(places[~is_finite], values[~is_finite], len(self.groups))
            self.special[name] = special.astype(np.float64)
            places, values = places[is_finite], values[is_finite]
        while peak := float(np.abs(values).max(initial=0.0)):
            place = (int(np.frexp(peak)[1]) - 1 + UNIT_BITS) // _WIDTH
            shift = place * _WIDTH - UNIT_BITS
            part = np.trunc(np.ldexp(values, -shift))
            self.parts[name, place] = np.bincount(places, part, len(self.groups)).astype(np.int64)
            values = values - np.ldexp(part, shift)
            left = np.flatnonzero(values)
            places, values = places[left], values[left]


class GroupTotals:
    """The sums of all groups of a call, to which those of its blocks are added."""

    def __init__(self) -> None:
        self._names: tuple[str, ...] = ()
        self._arrays: dict[tuple[str, int], Array] = {}
        """Counts, and the parts of sums, each along the groups."""

    def add(self, sums: GroupSums) -> None:
        """Add the sums of a block."""
        self._names = sums.names
        last = int(sums.groups.max(initial=-1))
        arrays: dict[tuple[str, int], Array] = {
            ("rows", _COUNTS): sums.rows,
            ("counted", _COUNTS): sums.counted,
            ("ignored", _COUNTS): sums.ignored,
            **{(name, _SPECIAL): values for name, values in sums.special.items()},
            **sums.parts,
        }
        for key, array in arrays.items():
            self._arrays[key] = _reaching(self._arrays.get(key, array[:0]), last)
            self._arrays[key][sums.groups] += array

    def partials(self, loss: object) -> Iterator[tuple[int, Partial]]:
        """The sums of the groups that have rows, with the numbers of these."""
        if not self._arrays:
            return
        found = np.flatnonzero(self._arrays["rows", _COUNTS])
        counts = [self._arrays[name, _COUNTS][found].tolist() for name in ("counted", "ignored", "rows")]
        sums = [self._sums(name, found) for name in self._names]
        for group, (count, ignored, rows), each in zip(
            found.tolist(), zip(*counts, strict=True), zip(*sums, strict=True), strict=True
        ):
            own = dict(zip(self._names, each, strict=True))
            if _TOTAL not in own:
                yield group, Partial(loss, count=count, ignored=ignored, rows=rows, sums=own)
                continue
            total = own[_TOTAL]
            numerator, denominator = own.get(_NUMERATOR, total), own.get(_DENOMINATOR)
            denominator = denominator or Sum.whole(count)
            yield group, Partial(loss, total, numerator, denominator, count, ignored, rows)

    def _sums(self, name: str, groups: Numbers) -> list[Sum]:
        """One of the sums, of some groups."""
        last = int(groups.max(initial=-1))
        units = np.zeros(len(groups), object)
        special = np.zeros(len(groups))
        for (own, place), array in self._arrays.items():
            if (own, place) == (name, _SPECIAL):
                special = _reaching(array, last)[groups]
            elif own == name and place >= 0:
                units += _reaching(array, last)[groups].astype(object) << place * _WIDTH
        return [Sum(int(each), other) for each, other in zip(units, special.tolist(), strict=True)]


def _of_each(places: Numbers, values: Array) -> Numbers:
    """The group of each number, where rows have several."""
    return np.repeat(places, values.size // max(1, len(places)))


def _reaching(array: Array, last: int) -> Array:
    """The array, with zeros behind it if it does not reach so far."""
    if len(array) > last:
        return array
    longer = np.zeros(max(last + 1, 2 * len(array)), array.dtype)
    longer[: len(array)] = array
    return longer
