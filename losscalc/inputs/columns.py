"""The columns of a table: their names, and the parts that pick some of them."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

from losscalc.errors import FormatError, Location, printable
from losscalc.inputs.parts import LONGEST, as_typed

INDEX = "index"
"""The name of the labels or keys of rows that have none."""

_NUMBER = r"[0-9]{1,9}"
_WILD = r"[*?\[]"


class _Table(NamedTuple):
    """What is known of the columns of a table."""

    path: str
    width: int
    names: list[str] | None = None
    sheet: str = ""
    """The sheet that the table is on, which parts have to name if there are several."""
    left: int = 0
    """How many empty columns stand before the first."""
    apart: Mapping[int, str] = MappingProxyType({})
    """The columns that cannot stand beside others in a matrix, and why."""
    unread: Collection[int] = ()
    """Those of them that are no array of their own either."""
    before: str = ""
    """What a part has before the names: the JSON Pointer of the records that have them."""
    is_text: bool = True
    """Whether delimiters separate the columns."""
    top: Sequence[Sequence[str]] = ()
    """The cells of the first lines, if nobody said what the first is, and it was not taken as a header."""


class Columns(_Table):
    """The columns of a table: how many there are, and their names if it has a header."""

    @cached_property
    def _places(self) -> dict[str, list[int]]:
        """Where the columns of each name are."""
        places: dict[str, list[int]] = {}
        for place, name in enumerate(self.names or ()):
            places.setdefault(name, []).append(place)
        return places

    def place(self, line: int | None = None, column: int | None = None) -> Location:
        """Where a cell is, its column counted from 0 and its line from 1."""
        number = None if column is None else self.left + column + 1
        return Location(self.path, line, number, part=f"#{self.sheet}" if self.sheet else "")

    def typed(self, part: str) -> str:
        """A part of these columns, as it has to be typed."""
        if self.before:
            return as_typed(self.before + part.replace("~", "~0").replace("/", "~1"))
        return as_typed(f"{self.sheet}/{part}" if self.sheet else part)

    def select(self, part: str | None) -> list[int]:
        """The columns of a part, counted from 0: a name, `2`, `2-4`, `cat-fox`, `3-`, `logit_*`, or several.

        Several stand behind one another with commas; behind a `^` they are those that are left out.

        >>> Columns("a.csv", 2, ["id", "logit"]).select("logit"), Columns("b.csv", 4).select("1,3-")
        ([1], [0, 2, 3])
        >>> Columns("c.csv", 3, ["id", "cat", "dog"]).select("^id")
        [1, 2]
        """
        if part is None:
            return list(range(self.width))
        # The whole part comes first: a name may hold a comma, or be a number itself.
        if self._has(part):
            return [self._named(part)]
        return self._all_but(part) if part.startswith("^") else self._several(part, part)

    def part_of(self, columns: list[int]) -> str:
        """The shortest part that means some columns, as it has to be typed."""
        names = self.names or [""] * self.width
        first, last = columns[0], columns[-1]
        tries = [names[first]] if len(columns) == 1 else []
        if columns == list(range(first, last + 1)):
            tries += [f"{first + 1}-"] if last == self.width - 1 > first else []
            tries += [f"{names[first]}-{names[last]}", f"{first + 1}-{last + 1}"] if last > first else []
        tries += [",".join(names[c] for c in columns), ",".join(str(c + 1) for c in columns)]
        taken = set(columns)
        others = [names[c] for c in range(self.width) if c not in taken]
        if len(others) < len(columns):
            tries.insert(-2, f"^{','.join(others)}")
        means = (part for part in tries if self._means(part, columns))
        return self.typed(next(means, tries[-1]))

    def by_name(self, names: Sequence[str]) -> str | None:
        """The part that has these names one by one; None if it would not mean these columns."""
        part = ",".join(names)
        if not self._is_typable(part) or not all(map(self._has, names)):
            return None
        return self.typed(part) if self._means(part, [self._places[name][0] for name in names]) else None

    def by_number(self, columns: Sequence[int]) -> str | None:
        """The part that has the numbers of some columns; None if it would mean others."""
        first, last = columns[0], columns[-1]
        is_run = last > first and list(columns) == list(range(first, last + 1))
        part = f"{first + 1}-{last + 1}" if is_run else ",".join(str(column + 1) for column in columns)
        if not self._is_typable(part) or not self.is_by_number(part):
            return None
        return self.typed(part) if self._means(part, columns) else None

    def is_by_number(self, part: str) -> bool:
        """Whether a part picks columns by nothing but their numbers."""
        if self._has(part):
            return False
        words = [self._words(item) for item in _items(part.removeprefix("^"))]
        return all(words) and not any(
            word and (self._has(word) or not re.fullmatch(_NUMBER, word)) for item in words for word in item
        )

    def _means(self, part: str, columns: Sequence[int]) -> bool:
        """Whether a part means these columns, and can be read in one way only."""
        with suppress(FormatError):
            return bool(part) and not self._is_mixed(part) and self.select(part) == list(columns)
        return False

    def _is_typable(self, part: str) -> bool:
        return len(self.before) + len(self.sheet) + len(part) < LONGEST

    def _several(self, items: str, part: str | None) -> list[int]:
        """The columns of the items of a part, which is None where errors need no hint."""
        if self._has(items):
            return [self._named(items)]
        if self._is_mixed(items):
            raise self._mixed(items)
        return [column for item in _items(items) for column in self._item(item, part)]

    def _item(self, item: str, part: str | None = None, *, by_number: bool = False) -> list[int]:
        """The columns of one item of a part; `by_number` takes a number for a number though it is a name."""
        column = self._column(item, by_number=by_number)
        if column is not None:
            return [column]
        if re.search(_WILD, item) and self.names is not None:
            from fnmatch import fnmatchcase

            found = [i for i, name in enumerate(self.names) if fnmatchcase(name, item)]
            if found:
                return found
        ends = self._ends(item)
        if ends is None:
            raise self._no_such_column(item, part)
        first = self._column(ends[0], by_number=by_number)
        last = self._column(ends[1], by_number=by_number) if ends[1] else self.width - 1
        if first is None or last is None or last < first:
            raise self._no_such_column(item, part)
        return list(range(first, last + 1))

    def _ends(self, item: str) -> tuple[str, str] | None:
        """What stands before and behind the hyphen of a range; '' behind it is the last column."""
        cuts = [(item[: match.start()], item[match.end() :]) for match in re.finditer("-", item)]
        found = [
            (left, right)
            for left, right in cuts
            if self._column(left) is not None and (not right or self._column(right) is not None)
        ]
        if len(found) > 1:
            parts = ((f"'{a}' to '{b or 'the last'}'", self._between(a, b)) for a, b in found)
            readings = "; ".join(f"read as {reading}: {part}" for reading, part in parts if part)
            raise FormatError(
                "the range can be read in more than one way",
                found=item,
                location=self.place(),
                hint=printable(readings) or None,
            )
        return found[0] if found else None

    def _between(self, first: str, last: str) -> str:
        """The part that means the columns from one to another by their numbers; '' if there are none."""
        start, end = self._column(first) or 0, self._column(last) if last else self.width - 1
        return as_typed(f"{start + 1}-{end + 1}") if end is not None and start <= end else ""

    def _column(self, word: str, *, by_number: bool = False) -> int | None:
        """The column that a name or, counted from 1, a number means; the name wins."""
        is_number = re.fullmatch(_NUMBER, word) is not None
        if self._has(word) and not (by_number and is_number):
            return self._named(word)
        return int(word) - 1 if is_number and 1 <= int(word) <= self.width else None

    def _all_but(self, part: str) -> list[int]:
        left_out = set(self._several(part[1:], part))
        columns = [column for column in range(self.width) if column not in left_out]
        if not columns:
            raise FormatError("no column is left", found=part, location=self.place())
        return columns

    def _is_mixed(self, part: str) -> bool:
        """Whether some numbers in a part are names of columns and others are not: 1 may be either then."""
        if self._has(part):
            return False
        words = [word for item in _items(part.removeprefix("^")) for word in self._words(item)]
        numbers = [word for word in words if not word or re.fullmatch(_NUMBER, word)]
        return len({bool(word) and self._has(word) for word in numbers}) > 1

    def _mixed(self, part: str) -> FormatError:
        readings = []
        for by_number in (False, True):
            with suppress(FormatError):
                columns = [c for item in _items(part) for c in self._item(item, by_number=by_number)]
                names = ", ".join(repr(self.names[c]) for c in columns[:20]) if self.names else ""
                readings.append(f"{'numbers' if by_number else 'names'} {names}: {self.part_of(columns)}")
        return FormatError(
            "the part mixes names of columns and numbers of columns",
            found=part,
            location=self.place(),
            hint=printable(f"read as {'; read as '.join(readings)}") if readings else None,
        )

    def _words(self, item: str) -> tuple[str, ...]:
        """The one or two words of an item that each stand for a column."""
        if self._has(item) or re.fullmatch(_NUMBER, item):
            return (item,)
        return self._ends(item) or ()

    def _has(self, name: str) -> bool:
        return name in self._places

    def _named(self, name: str) -> int:
        places = self._places[name]
        if len(places) > 1:
            raise FormatError(
                f"{len(places)} columns have this name",
                found=name,
                location=self.place(),
                hint=f"take one by its number: {self.typed(str(places[0] + 1))}",
            )
        return places[0]

    def _no_such_column(self, item: str, part: str | None) -> FormatError:
        hint = None if part is None else self._nearest(item, part)
        error = FormatError("there is no such column", found=item, location=self.place(), hint=hint)
        error.names = self.names or ()
        return error

    def _nearest(self, item: str, part: str) -> str:
        """The hint for a column that does not exist: the whole part as it may be meant, or what there is."""
        names = self.names or []
        is_one = self.is_text and len(names) == 1
        delimiter = next((c for c in ";\t| " if c in names[0]), None) if is_one else None
        if delimiter is not None:
            known = {"\t": "tab", " ": "space"}
            return f"the columns seem to be separated by --delimiter {known.get(delimiter, repr(delimiter))}"
        for spelling in _spellings(item, names) if item else ():
            meant = part.replace(item, spelling)
            with suppress(FormatError):
                if self._several(meant.removeprefix("^"), None):
                    return printable(f"did you mean {self.typed(meant)}?")
        if self.names is None:
            return f"columns are counted from 1 to {self.width}; --header yes if the first line names them"
        return printable(f"the columns are {', '.join(names if len(names) <= 20 else [*names[:20], '...'])}")


def _spellings(item: str, names: list[str]) -> Iterator[str]:
    """What may be meant by columns that do not exist: a range, or the nearest name."""
    import difflib

    def nearest(word: str) -> str:
        return next(iter(difflib.get_close_matches(word, names, n=1)), word)

    yield from _patterns(item, names)
    mark = next((mark for mark in "-:" if mark in item), None)
    if mark is not None:
        ends = [word if word in names else nearest(word) for word in map(str.strip, item.split(mark, 1))]
        yield from ("-".join(ends), "-".join(reversed(ends)))
    yield from (name for name in names if name.lower() == item.lower())
    # One name in the place of a range or a pattern would be one column for several.
    several = [*(mark or ""), *re.findall(_WILD, item)]
    yield from (name for name in _nearest(item, names) if all(sign in name for sign in several))


def _nearest(item: str, names: list[str]) -> Iterator[str]:
    """The nearest name; where no number was typed, the pattern of all that differ from it by theirs."""
    import difflib

    numbers = re.findall(r"\d+", item)
    # Another number is another column, and no slip of the fingers.
    others = [name for name in names if not numbers or re.findall(r"\d+", name) == numbers]
    for near in difflib.get_close_matches(item, others, n=1):
        pattern = re.sub(r"\d+", "*", near)
        is_one = numbers or sum(re.sub(r"\d+", "*", name) == pattern for name in names) == 1
        yield near if is_one else pattern


def _patterns(item: str, names: list[str]) -> Iterator[str]:
    """The pattern that may be meant by one that matches nothing: with its beginning or end respelt."""
    found = re.fullmatch(r"(?s)([^*?\[]*)(.*[*?\]])(.*)", item)
    if found is None:
        return
    from fnmatch import fnmatchcase

    head, wild, tail = found.groups()
    pieces = {name: [*_pieces(name)] for name in names}
    head = _respelt(head, (name[:cut] for name in names for cut in pieces[name]))
    tail = _respelt(tail, (name[cut:] for name in names for cut in pieces[name]))
    pattern = head + wild + tail
    if sum(fnmatchcase(name, pattern) for name in names) > 1:
        yield pattern


def _pieces(name: str) -> Iterator[int]:
    """Where words, numbers and signs of a name end."""
    return (piece.end() for piece in re.finditer(r"(?s)[^\W\d_]+|\d+|[\W_]", name))


def _respelt(word: str, known: Iterator[str]) -> str:
    """The one of those that are known that a word is closest to; the word itself if none is close."""
    import difflib

    spelt = {other.lower(): other for other in known}
    close = difflib.get_close_matches(word.lower(), spelt, n=1)
    return spelt[close[0]] if close else word


def _items(part: str) -> list[str]:
    return [item.strip() for item in part.split(",")]
