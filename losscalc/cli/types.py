"""Types of option values, with strict grammars, and messages from the domains of parameters."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from losscalc.core.declaration import Parameter
from losscalc.core.domains import Interval, Names, parse_number, parse_whole
from losscalc.errors import LosscalcError, ParameterError
from losscalc.inputs.encoding import decoder
from losscalc.inputs.options import BLANKS

# The class became generic in Click 8.4.
if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    ParamType = click.ParamType[Any]
else:
    ParamType = click.ParamType

_DELIMITERS = {"tab": "\t", "\\t": "\t", "space": BLANKS, "comma": ",", "semicolon": ";", "pipe": "|"}


class Number(ParamType):
    """A number in the domain of a parameter."""

    def __init__(self, parameter: Parameter) -> None:
        self.name = "integer" if parameter.kind is int else "number"
        self._parameter = parameter

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
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


class Numbers(ParamType):
    """Numbers, or whole numbers, separated by commas."""

    def __init__(self, parameter: Parameter) -> None:
        self.name = "integers" if parameter.item is int else "numbers"
        self._parse = parse_whole if parameter.item is int else parse_number
        self._parameter = parameter

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        numbers = tuple(self._parse(cell.strip(" ")) for cell in value.split(","))
        domain = self._parameter.domain
        if None in numbers or domain is None or not domain.contains(numbers):
            self.fail(f"must be {domain}, found '{value}'", param, ctx)
        return numbers


def parameter_type(parameter: Parameter) -> ParamType | type[bool]:
    """The type of the option of a parameter."""
    if parameter.kind is bool:
        return bool
    if isinstance(parameter.domain, Names):
        return click.Choice(parameter.domain.words)
    return Numbers(parameter) if parameter.kind is tuple else Number(parameter)


class ArgumentName(click.Choice[str] if TYPE_CHECKING else click.Choice):  # type: ignore[misc]
    """The name of an array, written as an argument or as an option."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__([name.replace("_", "-") for name in names])

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return str(super().convert(str(value).replace("_", "-"), param, ctx)).replace("-", "_")


def whole(low: int, high: int) -> Number:
    """The type of a whole number between two bounds."""
    return Number(Parameter("", int, None, Interval(low, high), ""))


class Delimiter(ParamType):
    """The character that separates cells, or its name."""

    name = "char"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        character = _DELIMITERS.get(value, value)
        if len(character) != 1 or character.isalnum() or character in "\"'+-._\n\r\0":
            self.fail(
                f"must be one character that cannot be part of a number, or tab or space, found '{value}'",
                param,
                ctx,
            )
        return character


class Encoding(ParamType):
    """The name of a text encoding."""

    name = "name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            decoder(value)
        except LosscalcError as error:
            raise click.BadParameter(error.describe(), ctx, param) from error
        return value


class Size(ParamType):
    """A number of bytes, which may have a unit."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        match = re.fullmatch(r"([0-9]{1,15})([kMGT]?)B?", value.strip(" "), re.ASCII | re.IGNORECASE)
        if match is None or int(match[1]) == 0:
            self.fail(f"must be a number of bytes such as 500M or 2G, found '{value}'", param, ctx)
        return int(match[1]) * 1000 ** " KMGT".index(match[2].upper() or " ")


class PerArray(ParamType):
    """A value for all arrays, or for one that is named before it: `target=no`."""

    def __init__(self, value: ParamType | click.Choice[str]) -> None:
        self.name = value.name
        self._value = value

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        name, sign, rest = value.partition("=")
        arrays = _array_names(ctx)
        array = name.replace("-", "_")
        if sign and rest and array in arrays:
            return array, self._value.convert(rest, param, ctx)
        if sign and re.fullmatch(r"[a-z][a-z-_]*", name):
            self.fail(f"must be for one of {', '.join(arrays)}, found '{value}'", param, ctx)
        return None, self._value.convert(value, param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> "list[CompletionItem[str]]":
        """Offer the values, and the arrays that one may be for."""
        from click.shell_completion import CompletionItem

        name, sign, begun = incomplete.rpartition("=")
        values = self._value.shell_complete(ctx, param, begun)
        items = [CompletionItem(f"{name}{sign}{item.value}") for item in values]
        arrays = [] if sign else [f"{array.replace('_', '-')}=" for array in _array_names(ctx)]
        return items + [CompletionItem(array) for array in arrays if array.startswith(incomplete)]


def _array_names(ctx: click.Context | None) -> list[str]:
    """The names of the arrays of a command, and of other options that are read like one."""
    return [p.name or "" for p in ctx.command.params if getattr(p, "is_array", False)] if ctx else []


class ConditionText(ParamType):
    """A condition on rows, as in `p > 0.4`."""

    name = "condition"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from losscalc.inputs.conditions import check_condition

        check_condition(value)
        return value
