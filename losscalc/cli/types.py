"""Types of option values: strict grammars, and domains that name themselves."""

from typing import TYPE_CHECKING, Any

import click

from losscalc.declaration import Parameter
from losscalc.domains import Interval, parse_number, parse_whole
from losscalc.errors import LosscalcError, ParameterError
from losscalc.formats.encoding import decoder
from losscalc.formats.options import BLANKS

# The class became generic in Click 8.4.
if TYPE_CHECKING:
    ParamType = click.ParamType[Any]
else:
    ParamType = click.ParamType

_DELIMITERS = {"tab": "\t", "\\t": "\t", "space": BLANKS, "comma": ",", "semicolon": ";", "pipe": "|"}


class Number(ParamType):
    """A number of a parameter: its type and domain."""

    def __init__(self, parameter: Parameter) -> None:
        self.name = "integer" if parameter.kind is int else "number"
        self._parameter = parameter

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number, or a usage error that says what it must be."""
        if not isinstance(value, str):
            return value
        whole = self._parameter.kind is int
        number = parse_whole(value) if whole else parse_number(value)
        if number is None or value != value.strip():
            self.fail(f"must be {'a whole number' if whole else 'a number'}, found '{value}'", param, ctx)
        try:
            self._parameter.accept(number)
        except ParameterError:
            self.fail(f"must be {self._parameter.domain}, found {value}", param, ctx)
        return number


def whole(low: int, high: int) -> Number:
    """The type of a whole number between two bounds."""
    return Number(Parameter("", int, None, Interval(low, high), ""))


class Delimiter(ParamType):
    """A character that separates cells, or its name."""

    name = "char"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The character itself."""
        character = _DELIMITERS.get(value, value)
        if len(character) != 1 or character.isalnum() or character in "\"'+-._\n\r\0":
            self.fail(
                f"must be one character that no number has, or tab or space, found '{value}'", param, ctx
            )
        return character


class Encoding(ParamType):
    """The name of a text encoding."""

    name = "name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The name, when there is such an encoding."""
        try:
            decoder(value)
        except LosscalcError as error:
            self.fail(error.describe(), param, ctx)
        return value
