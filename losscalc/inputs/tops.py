"""The first lines of tables without a header: whether they may be one, and whether rows are counted."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np

from losscalc.core.domains import parse_number
from losscalc.engine.outsiders import COUNTS
from losscalc.engine.sources import Source
from losscalc.errors import LosscalcWarning, printable
from losscalc.inputs.headers import trimmed
from losscalc.inputs.table import TableSource, check_data

Top = Sequence[Sequence[str]]
"""The cells of the first lines of a table."""

_DIGITS = r"(?a)\d+"
_HINT = "--header yes if it names the columns, --header no if it holds data"
# Any two numbers go up evenly, or down, and of two lines the first is often like no other.
_FEWEST = 3
_NEAR = 1e-9


def doubtful(sources: Mapping[str, Source]) -> Iterator[LosscalcWarning]:
    """Warnings about first lines of numbers that may name columns: of labels, quantiles, years."""
    tables = {name: source for name, source in sources.items() if len(source.top) >= _FEWEST}
    pairs = [pair for pair in combinations(tables, 2) if _are_alike(*(tables[name].top for name in pair))]
    alike = [name for name in tables if any(name in pair for pair in pairs)]
    for why, names in {
        "it is the same in both, and the lines below are not": alike,
        "its numbers go up evenly, and those below do not": [
            name for name, source in tables.items() if name not in alike and _goes_up(source.top)
        ],
        "its number alone is written without a point": [
            name for name, source in tables.items() if _is_whole(source.top)
        ],
    }.items():
        places = [place for name in names if (place := tables[name].locate(())) is not None]
        paths = list(dict.fromkeys(printable(place.path) for place in places))
        if len(paths) == 1:
            problem, location = f"the first line may be a header: {why}", places[0]
            yield LosscalcWarning(problem, location=location, hint=_HINT)
        elif paths:
            problem = f"the first lines of {' and '.join(paths)} may be headers: {why}"
            yield LosscalcWarning(problem, hint=_HINT)


def check_uncounted(sources: Mapping[str, Source]) -> None:
    """Refuse tables that are read whole where the first columns of two count the same rows."""
    tables = [each for each in sources.values() if isinstance(each, TableSource) and not each.is_chosen]
    for one, other in combinations(tables, 2):
        if _count_alike(one.top, other.top):
            check_data(one.columns, {0: COUNTS})


def _are_alike(one: Top, other: Top) -> bool:
    """Whether two tables have one first line, of several numbers that differ, and no other line in common."""
    rows = [[trimmed(row) for row in top] for top in (one, other)]
    first, *below = zip(*rows, strict=False)
    numbers = _numbers(first[0])
    # A sure prediction of two classes is 1,0 as the answer is.
    is_rising = bool((np.diff(numbers) > 0).any())
    are_names = len({*numbers}) == len(numbers) and (is_rising or len(numbers) >= _FEWEST)
    return are_names and first[0] == first[1] and not any(mine == theirs for mine, theirs in below)


def _goes_up(top: Top) -> bool:
    """Whether the numbers of the first line go up evenly, and those of no other."""
    numbers, *below = (_numbers(trimmed(row)) for row in top)
    is_rising = len(numbers) >= _FEWEST and numbers[0] < numbers[1] and _is_even(numbers)
    return is_rising and not any(map(_is_even, below))


def _is_even(numbers: np.ndarray) -> bool:
    """Whether numbers differ by the same step."""
    steps = np.diff(numbers)
    return bool(np.allclose(steps, steps[:1], _NEAR, 0))


def _is_whole(top: Top) -> bool:
    """Whether a lone column has a whole number in the first line, and decimals in all others."""
    first, *below = (trimmed(row) for row in top)
    is_lone = len(first) == 1 and re.fullmatch(_DIGITS, first[0]) is not None
    return is_lone and all(len(row) == 1 and "." in row[0] and len(_numbers(row)) for row in below)


def _count_alike(one: Top, other: Top) -> bool:
    """Whether the first columns of two tables count the same rows, and some other column has fractions."""
    rows = [[trimmed(row) for row in top] for top in (one, other)]
    if min(map(len, rows)) < 2 or any(len(row) < 2 for row in rows[0] + rows[1]):
        return False
    left, right = ([row[0] for row in some] for some in rows)
    count = min(len(left), len(right))
    if left[:count] != right[:count] or not all(re.fullmatch(_DIGITS, word) for word in left):
        return False
    numbers = _numbers(left)
    values = np.concatenate([_numbers(row[1:]) for row in rows[0] + rows[1]])
    return bool((np.diff(numbers) == 1).all() and (np.isfinite(values) & (values != np.trunc(values))).any())


def _numbers(words: Sequence[str]) -> np.ndarray:
    """The numbers that words are; none if some are no numbers, or not finite, as names of columns are."""
    numbers = np.array([parse_number(word) for word in words], np.float64)
    return numbers if np.isfinite(numbers).all() else numbers[:0]
