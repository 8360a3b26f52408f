"""The wrong numbers of `tests/data/mistakes.json`: what was called, what came out, and what was done.

The file has one line for each call and for each mistake. The numbers were made by the other modules of
this package, with PyTorch, scikit-learn or plain NumPy; `python -m tests.support.mistakes` makes them anew.
"""

import json
import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np

DATA = Path(__file__).parents[2] / "data" / "mistakes.json"


class Call(NamedTuple):
    """A right call: a loss, its arrays and its options.

    Arrays are nested lists, or say how larger ones are drawn, or are columns of a table.
    """

    loss: str
    arrays: Mapping[str, Any]
    options: tuple[str, ...] = ()

    def array(self, name: str) -> np.ndarray:
        """One of the arrays."""
        return values(self.arrays[name])

    def words(self, directory: Path) -> list[str]:
        """The command line; arrays that are no lists become files of the directory."""
        words = [self.loss]
        for name, given in self.arrays.items():
            written = saved(given, directory) if isinstance(given, dict) else _line(given, "")
            words.append(f"--{name.replace('_', '-')}={written}")
        return [*words, *self.options]


class Mistake(NamedTuple):
    """A wrong number, what was done to get it, and the words that a right explanation has."""

    name: str
    call: str
    kind: str
    what: tuple[str, ...]
    words: tuple[str, ...]
    """One pattern for each thing that was done."""
    number: float
    typed: str

    def is_named_by(self, text: str) -> bool:
        """Whether an explanation says all that was done."""
        return all(re.search(pattern, text, re.IGNORECASE) for pattern in self.words)


def values(given: Any) -> np.ndarray:
    """The array that is meant."""
    if not isinstance(given, dict):
        return np.array(given)
    if "draw" in given:
        return drawn(**given)
    header, *lines = given["table"].splitlines()
    table = np.array([[float(cell) for cell in line.split(",")] for line in lines])
    columns = [header.split(",").index(name) for name in given["columns"].split(",")]
    return table[:, columns] if len(columns) > 1 else table[:, columns[0]]


def saved(given: Mapping[str, Any], directory: Path) -> str:
    """The address of an array in a file of the directory."""
    path = directory / f"{crc32(_line(given).encode()):08x}{'.npy' if 'draw' in given else '.csv'}"
    if "draw" in given:
        if not path.exists():
            np.save(path, values(given))
        return str(path)
    path.write_text(given["table"], "utf-8")
    return f"{path}#{given['columns']}"


def drawn(draw: str, shape: list[int], seed: int, **settings: float) -> np.ndarray:
    """A larger array, of normal numbers with three decimals or of integers below a limit.

    >>> drawn("integers", [4], 1, high=3)
    array([1, 1, 2, 2])
    """
    rng = np.random.default_rng(seed)
    if draw == "integers":
        return rng.integers(0, int(settings["high"]), shape)
    return rng.normal(0.0, settings["scale"], shape).round(3)


def typed(number: float, digits: int) -> str:
    """The number as a person types it.

    >>> typed(0.00123456789, 4), typed(-12.34567891, 7), typed(1234.5, 2)
    ('0.001235', '-12.34568', '1234')
    """
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(number)))) if number else digits
    return f"{number:.{decimals}f}"


def read() -> tuple[dict[str, Call], list[Mistake]]:
    """The calls by name, and the mistakes."""
    data = json.loads(DATA.read_text("utf-8"))
    calls = {
        name: Call(loss, arrays, tuple(options)) for name, (loss, arrays, options) in data["calls"].items()
    }
    mistakes = [
        Mistake(**{key: tuple(value) if isinstance(value, list) else value for key, value in each.items()})
        for each in data["mistakes"]
    ]
    return calls, mistakes


def write(calls: Mapping[str, Call], mistakes: Iterable[Mistake]) -> None:
    """Write the file, a line for each call and each mistake."""
    named = [f"{json.dumps(name)}: {_line(call)}" for name, call in calls.items()]
    listed = [_line(each._asdict()) for each in mistakes]
    text = '{"calls": {\n' + ",\n".join(named) + '\n},\n"mistakes": [\n' + ",\n".join(listed) + "\n]}\n"
    DATA.write_text(text, "utf-8")


def _line(value: Any, space: str = " ") -> str:
    return json.dumps(value, ensure_ascii=False, separators=(f",{space}", ":"))
