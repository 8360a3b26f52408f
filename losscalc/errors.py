"""Every error that losscalc raises, and the exit code that the command line makes of it.

    LosscalcError                       anything that losscalc refuses
    ├── UsageError          exit 2      (ValueError) the call itself is wrong
    │   ├── ParameterError              a parameter is unknown or outside its domain
    │   └── UnknownLossError            (LookupError) there is no loss of that name
    ├── SourceError         exit 3      (OSError) an input could not be opened
    │   └── FormatError                 (ValueError) it was opened, but could not be parsed
    ├── DataError           exit 4      (ValueError) arrays were read, but do not fit the loss
    │   ├── ShapeError                  their shapes
    │   ├── DTypeError                  (TypeError) their dtypes
    │   └── DomainError                 one of their values
    │       └── ClassIndexError         (IndexError) a class index outside [0, C)
    └── OutputError         exit 5      (OSError) the result could not be written

The core knows arguments (`pos_weight`), not options (`--pos-weight`) and not files. It writes
the names of arguments between backquotes; the command line puts options in their place and
turns the index of a value into a line and a column.
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

__all__ = [
    "ClassIndexError",
    "DTypeError",
    "DataError",
    "DiagnosisWarning",
    "DomainError",
    "FormatError",
    "LosscalcError",
    "LosscalcNote",
    "LosscalcWarning",
    "OutputError",
    "ParameterError",
    "ShapeError",
    "SourceError",
    "UnknownLossError",
    "UsageError",
]

Index = tuple[int, ...]

_FOUND_LIMIT = 40


class Location(NamedTuple):
    """A place in an input: a file, and in it a line and a column, counted from 1, or the index of a value."""

    path: str
    line: int | None = None
    column: int | None = None
    part: str = ""

    def inside(self, index: Index) -> "Location":
        """The place of one value of a nested list, given that of the list."""
        return self._replace(part=self.part + "".join(f"[{i}]" for i in index))

    def __str__(self) -> str:
        text = printable(self.path)
        if self.line is not None:
            text += f":{self.line}"
        if self.column is not None:
            text += f":{self.column}"
        return text + printable(self.part)


class Remark(Exception):  # noqa: N818 - the base of errors and of warnings
    """The common base of errors and warnings: a sentence about a call, with the facts behind it.

    `problem` says what is wrong, `found` is the value that was met instead, and `hint` says what to do.
    `argument` and `index` tell which value of which array it is, and `location` where that is in a file.
    """

    def __init__(
        self,
        problem: str,
        *,
        found: object = None,
        hint: str | None = None,
        argument: str | None = None,
        index: Index | None = None,
        location: Location | None = None,
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.found = None if found is None else shown(found)
        self.hint = hint
        self.argument = argument
        self.index = index
        self.location = location

    def describe(self, option: Callable[[str], str] = str) -> str:
        """The remark in one line, with `option` naming the arguments."""
        text = name_arguments(self.problem, option)
        if self.found is not None:
            text += f", found {self.found}"
        if self.location is not None:
            return f"{self.location}: {text}"
        if self.index:
            text += f" at [{', '.join(map(str, self.index))}]"
        return text

    def advise(self, option: Callable[[str], str] | None = None) -> str | None:
        """The hint, with `option` naming the arguments, or as it is typed in Python."""
        if self.hint is None:
            return None
        return in_python(self.hint) if option is None else name_arguments(self.hint, option)

    def __str__(self) -> str:
        return self.describe()


class LosscalcError(Remark):
    """Anything that losscalc refuses. Its hint is a note of it, which tracebacks show."""

    exit_code = 70
    _hint: str | None = None

    @property
    def hint(self) -> str | None:
        """What to do instead."""
        return self._hint

    @hint.setter
    def hint(self, hint: str | None) -> None:
        mine = {f"hint: {self.advise()}"}
        notes = [note for note in getattr(self, "__notes__", ()) if note not in mine]
        self._hint = hint
        self.__notes__ = notes if hint is None else [f"hint: {self.advise()}", *notes]


class UsageError(LosscalcError, ValueError):
    """The call itself is wrong."""

    exit_code = 2


class ParameterError(UsageError):
    """A parameter is unknown or outside its domain."""


class UnknownLossError(UsageError, LookupError):
    """There is no loss of that name."""


class SourceError(LosscalcError, OSError):
    """An input could not be opened."""

    exit_code = 3


class FormatError(SourceError, ValueError):
    """An input was opened, but could not be parsed."""

    names: Sequence[str] = ()
    """What there is in the place of a part that is not there."""


class DataError(LosscalcError, ValueError):
    """Arrays were read, but do not fit the loss."""

    exit_code = 4


class ShapeError(DataError):
    """The shapes of the arrays do not fit the loss or one another."""


class DTypeError(DataError, TypeError):
    """An array holds something other than the numbers that the loss takes."""


class DomainError(DataError):
    """A value lies outside what the loss is defined for."""


class ClassIndexError(DomainError, IndexError):
    """A class index lies outside [0, C)."""


class OutputError(LosscalcError, OSError):
    """The result could not be written."""

    exit_code = 5


class LosscalcWarning(Remark, UserWarning):
    """Something that the user should know of, though the result was computed as asked."""

    def __str__(self) -> str:
        return self.describe() if self.hint is None else f"{self.describe()}; hint: {self.advise()}"


class DiagnosisWarning(LosscalcWarning):
    """A sign that numbers are not what the loss takes them for, though the result was computed as asked."""

    columns: tuple[int, ...] = ()
    """The columns that should be no part of the argument, counted from 0."""


class LosscalcNote(LosscalcWarning):
    """What was decided for the user where an input could be read in two ways."""


def printable(text: str) -> str:
    """The text with control characters and other unprintables escaped, and bytes of names that are not UTF-8.

    >>> print(printable("a\\tb\\udcff"))
    a\\tb\\xff
    """
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    # Python keeps a byte that is no UTF-8 as one of these.
    if "\udc80" <= character <= "\udcff":
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode()


def counted(count: int, noun: str) -> str:
    """So many things, in words.

    >>> counted(1, "row"), counted(0, "row")
    ('1 row', '0 rows')
    """
    return f"1 {noun}" if count == 1 else f"{count} {noun}s"


def reason(error: OSError) -> str:
    """The operating system's words for an error, beginning in lower case."""
    text = error.strerror or str(error) or type(error).__name__
    return printable(text[:1].lower() + text[1:])


def shown(value: object) -> str:
    """A value as messages quote it: short, on one line, and without raw control bytes."""
    if not isinstance(value, str):
        return str(value)
    cut = value if len(value) <= _FOUND_LIMIT else value[: _FOUND_LIMIT - 1] + "…"
    return f"'{printable(cut)}'"


# What a hint says where it names options or commands, and what is typed in Python instead.
_IN_PYTHON = (
    ("whose row --na drop leaves out", "whose row is to be left out of all arrays"),
    (r"as --where 'LABEL!=(-?\d+)' does", r"as in array[labels != \1]"),
    (r"losscalc ([\w-]+) --dim (-?\d+)", r'losscalc.compute("\1", ..., dim=\2)'),
    ("--multi-hot ' ' turns", "numpy.eye(C)[labels] turns"),
    (r"(?:`(\w+)`|--([a-z-]+)) (-?\d[\d.]*|none|mean|sum|batchmean)(?!\w)", None),
    (r"`(broadcast|log_target|zero_infinity)`", r"\1=True"),
    ("losscalc list shows", "losscalc.losses() shows"),
    (r"losscalc show ([\w-]+)", r'help(losscalc.losses()["\1"])'),
    (r"(losscalc (?:list|suppose)(?: '[^']+'| (?!lists)\S+)?)", r"\1, on the command line,"),
    (r"use losscalc ([\w-]+)", r"use \1"),
    (r"losscalc (?!list|suppose)([\w-]+)", r'losscalc.compute("\1", ...)'),
    ("pipe (it|probabilities) through", r"put \1 through"),
    (r"--([a-z-]+)", None),
)


def in_python(text: str) -> str:
    """A text with options and commands as they are typed in Python.

    >>> in_python("--reduction sum shows it; use losscalc bce-logits, or `class_axis` -1")
    "reduction='sum' shows it; use bce-logits, or class_axis=-1"
    """
    for pattern, instead in _IN_PYTHON:
        text = re.sub(pattern, _keyword if instead is None else instead, text)
    return name_arguments(text, str)


def _keyword(match: re.Match[str]) -> str:
    """An option with its value, if it has one, as a keyword argument."""
    *names, value = match.groups() if len(match.groups()) > 1 else (*match.groups(), None)
    name = "".join(filter(None, names)).replace("-", "_")
    if value is None:
        return name
    return f"{name}={value}" if value[-1].isdigit() else f"{name}={value!r}"


def option_name(argument: str) -> str:
    """The option of an argument: --pos-weight for pos_weight."""
    return "--" + argument.replace("_", "-")


def name_arguments(text: str, option: Callable[[str], str] = option_name) -> str:
    """The text with names, those of options unless said otherwise, for the arguments between backquotes."""
    return re.sub(r"`(\w+)`", lambda match: option(match.group(1)), text)
