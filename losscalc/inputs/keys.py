"""What cells are compared by, to tell which rows belong together: their numbers, else their texts.

Cells are arrays of numbers, of bytes, which are texts in ASCII, or of objects, which may be anything.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from losscalc.core.array import Array, ArrayOf
from losscalc.inputs.cells import EXACT, TRUTH, Cell, number_of, text_of

Marks = ArrayOf[np.uint64]

_WORD = 8
_LONGEST = 128
# Of this many digits, of which the first is no 0, float64 does not have every whole number.
_BEYOND = 17
# The steps of SplitMix64 turn each number of 64 bits into another one.
_STEPS = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1))
_GOLDEN = 0x9E3779B97F4A7C15


def _among(letters: bytes) -> Array:
    """For each letter, whether it is one of these, or none."""
    return np.isin(np.arange(256), list(letters + b"\0"))


_DIGITS, _IN_NUMBERS = _among(b"0123456789"), _among(b"0123456789+-.eEinftyINFTY")


def key_of(cell: Cell) -> str | float:
    """What a cell is compared by: its number, exactly, or else its text.

    >>> key_of("007"), key_of(b"a7"), key_of("9007199254740993"), key_of(2.0**53), key_of(float("nan"))
    (7.0, 'a7', 9007199254740993, 9007199254740992, 'nan')
    """
    number = number_of(cell)
    if number is None or number != number:
        return text_of(cell) if number is None else "nan"
    return int(number) if EXACT <= abs(number) < np.inf else float(number)


def value_of(cell: Cell) -> str | float:
    """What a cell says of its row, for conditions.

    It is its key; but true and false are 1 and 0, as each program writes them otherwise.

    >>> value_of("True"), value_of(b"false"), value_of("7"), value_of("val")
    (1.0, 0.0, 7.0, 'val')
    """
    key = key_of(cell)
    return TRUTH.get(key.lower(), key) if isinstance(key, str) else key


def differences(left: Array, right: Array, of: Callable[[Cell], str | float] = key_of) -> Iterator[int]:
    """The rows in which two columns have different keys, or values, as far as both go.

    >>> list(differences(np.array([b"7", b"8"]), np.array([7.0, 9.0])))
    [1]
    """
    count = min(len(left), len(right))
    left, right = left[:count], right[:count]
    # What is written alike is alike; only the rest needs a closer look.
    is_alike = left == right if left.dtype.kind == right.dtype.kind else np.zeros(count, bool)
    rows = np.flatnonzero(~is_alike)
    cells = zip(rows.tolist(), left[rows].tolist(), right[rows].tolist(), strict=True)
    return (row for row, one, other in cells if of(one) != of(other))


def marks(cells: Array) -> Marks:
    """A number of 64 bits for each cell: the same for equal keys, and for others but by a rare chance."""
    if cells.dtype == object:
        return _of_keys([key_of(cell) for cell in cells.tolist()])
    if cells.dtype.kind == "S":
        found, is_doubtful = _of_texts(cells), _may_be_number(cells)
    else:
        found, is_doubtful = _of_numbers(cells), ~(np.abs(cells) < EXACT)
    rows = np.flatnonzero(is_doubtful)
    if len(rows):
        found[rows] = marks(cells[rows].astype(object))
    return found


class Seen:
    """The marks of all keys so far, to find those that come again.

    They are kept in sorted runs, each at least twice as long as the one behind it.
    """

    def __init__(self, runs: Sequence[Marks] = ()) -> None:
        self._runs = list(runs)

    def repeated(self, keys: Marks) -> list[int]:
        """The places of keys that came before, here or in an earlier call.

        >>> seen = Seen()
        >>> seen.repeated(marks(np.array([3.0, 1.0, 3.0]))), seen.repeated(marks(np.array([b"1", b"x"])))
        ([2], [0])
        """
        order = np.argsort(keys, kind="stable")
        run = keys[order]
        again = np.append(False, run[1:] == run[:-1])[: len(run)]
        for each in self._runs:
            again |= found_in(each, run) >= 0
        self._runs.append(run)
        while len(self._runs) > 1 and len(self._runs[-2]) < 2 * len(self._runs[-1]):
            merged = np.concatenate([self._runs.pop(), self._runs.pop()])
            # Of two runs one behind the other, this is a merge.
            merged.sort(kind="stable")
            self._runs.append(merged)
        return sorted(order[again].tolist())

    def copy(self) -> "Seen":
        """The same, to go on with for another table."""
        return Seen(self._runs)


def found_in(run: Marks, keys: Marks) -> ArrayOf[np.intp]:
    """Where each key is in a sorted run, -1 where it is not; fast for keys that are sorted, too."""
    if not len(run):
        return np.full(len(keys), -1)
    places = np.minimum(np.searchsorted(run, keys), len(run) - 1)
    return np.where(run[places] == keys, places, -1)


def _of_keys(keys: list[str | float]) -> Marks:
    """The marks of keys, most of which take a closer look."""
    is_number = np.array([isinstance(key, float) for key in keys], bool)
    found = np.empty(len(keys), np.uint64)
    found[is_number] = _of_numbers(np.array([key for key in keys if isinstance(key, float)], np.float64))
    texts = [_short(str(key).encode(errors="surrogateescape")) for key in keys if not isinstance(key, float)]
    found[~is_number] = _of_texts(np.array(texts, "S"))
    return found


def _short(text: bytes) -> bytes:
    """The text, or in place of what an array of bytes does not hold well its fingerprint."""
    if len(text) <= _LONGEST and b"\0" not in text:
        return text
    # Loading it takes as long as all of this module, and few texts are so long.
    from hashlib import blake2b

    return blake2b(text).hexdigest().encode()


def _of_numbers(numbers: Array) -> Marks:
    return _mixed((numbers.astype(np.float64) + 0.0).view(np.uint64))


def _of_texts(texts: Array) -> Marks:
    """The sum of the words of eight letters, each mixed with its place; blanks behind a text are no words."""
    count = -(-max(1, texts.dtype.itemsize) // _WORD)
    words = texts.astype(f"S{_WORD * count}").view(np.uint64).reshape(len(texts), count)
    # Not from 0, which is the mark of the number 0.
    total = np.full(len(texts), _GOLDEN, np.uint64)
    for place in range(count):
        word = words[:, place]
        total += np.where(word == 0, word, _mixed(word + np.uint64((place + 1) * _GOLDEN % (1 << 64))))
    return total


def _mixed(words: Marks) -> Marks:
    for shift, factor in _STEPS:
        words = (words ^ (words >> np.uint64(shift))) * np.uint64(factor)
    return words


def _may_be_number(texts: Array) -> ArrayOf[np.bool_]:
    """Which texts may be numbers other than whole numbers that have to be told apart by all their digits."""
    letters = texts.view(np.uint8).reshape(len(texts), texts.dtype.itemsize)
    may_be: ArrayOf[np.bool_] = _IN_NUMBERS[letters].all(axis=1) & (letters[:, 0] != 0)
    rows = np.flatnonzero(may_be)
    some = letters[rows]
    is_beyond = _DIGITS[some].all(axis=1) & (some[:, 0] != ord("0"))
    is_beyond &= (some != 0).sum(axis=1) >= _BEYOND
    may_be[rows[is_beyond]] = False
    return may_be
