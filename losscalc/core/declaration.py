"""What a class declares: its annotated fields are parameters, the arguments of `terms` are arrays."""

import inspect
import types
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin, get_type_hints

import numpy as np

from losscalc.core.domains import Domain
from losscalc.core.roles import Role
from losscalc.errors import ParameterError


class Doc(NamedTuple):
    """One sentence on a parameter."""

    text: str


class Alias(NamedTuple):
    """A second name of a parameter."""

    name: str


class Parameter(NamedTuple):
    """A setting of an operation: its name, type, default, domain and one sentence."""

    name: str
    kind: type
    default: object
    domain: Domain[Any] | None
    doc: str
    alias: str | None = None
    callable: bool = False
    """Whether Python may give a function instead."""

    def accept(self, value: object) -> object:
        """The value as it is kept; ParameterError unless it is of the right type and in the domain."""
        if (value is None and self.default is None) or (self.callable and callable(value)):
            return value
        expected, is_one, convert = _KINDS[self.kind]
        if not is_one(value):
            raise ParameterError(f"`{self.name}` must be {expected}", found=value, argument=self.name)
        value = convert(value)
        if self.domain is not None and not self.domain.contains(value):
            raise ParameterError(f"`{self.name}` must be {self.domain}", found=value, argument=self.name)
        return value


class ArrayArgument(NamedTuple):
    """An array of an operation: its name, its role, and whether it has to be given."""

    name: str
    role: Role
    required: bool


_PARAMETERS: dict[type, tuple[Parameter, ...]] = {}
_ARRAYS: dict[type, tuple[ArrayArgument, ...]] = {}


def parameters(cls: type) -> tuple[Parameter, ...]:
    """The parameters of an operation, from the annotations of its fields."""
    if cls not in _PARAMETERS:
        hints = get_type_hints(cls, include_extras=True).items()
        own = {name: hint for name, hint in hints if any(isinstance(extra, Doc) for extra in get_args(hint))}
        _PARAMETERS[cls] = tuple(_parameter(name, hint, getattr(cls, name)) for name, hint in own.items())
    return _PARAMETERS[cls]


def array_arguments(cls: type) -> tuple[ArrayArgument, ...]:
    """The arrays of an operation, from the annotations of the arguments of `terms`."""
    if cls not in _ARRAYS:
        terms: Callable[..., object] = getattr(cls, "terms")  # noqa: B009 - any operation has it
        hints = get_type_hints(terms, include_extras=True)
        arguments = list(inspect.signature(terms).parameters.values())[1:]
        _ARRAYS[cls] = tuple(
            ArrayArgument(a.name, next(_roles(hints[a.name])), a.default is a.empty) for a in arguments
        )
    return _ARRAYS[cls]


def _parameter(name: str, hint: Any, default: object) -> Parameter:
    kind, *extras = get_args(hint)
    members = [m for m in _members(kind) if m is not types.NoneType]
    plain = [get_origin(member) or member for member in members]
    domain = next((extra for extra in extras if hasattr(extra, "contains")), None)
    doc = next((extra.text for extra in extras if isinstance(extra, Doc)), "")
    alias = next((extra.name for extra in extras if isinstance(extra, Alias)), None)
    return Parameter(name, plain[0], default, domain, doc, alias, Callable in plain)


def _members(hint: Any) -> tuple[Any, ...]:
    """The members of a union, or the one type that it is."""
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def _roles(hint: Any) -> Iterator[Role]:
    if get_origin(hint) is Annotated:
        yield from (extra for extra in get_args(hint)[1:] if isinstance(extra, Role))
    elif get_origin(hint) in (Union, types.UnionType):
        for member in get_args(hint):
            yield from _roles(member)


def _is_whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    # A whole number that no float64 holds is none.
    if isinstance(value, int):
        return not isinstance(value, bool) and abs(value) < 2**1000
    return isinstance(value, float | np.floating | np.integer)


def _is_whole_sequence(value: object) -> bool:
    is_sequence = isinstance(value, Sequence) or (isinstance(value, np.ndarray) and value.ndim == 1)
    return is_sequence and all(map(_is_whole, value))  # type: ignore[call-overload]


_KINDS: dict[type, tuple[str, Callable[[object], bool], Callable[[Any], object]]] = {
    bool: ("True or False", lambda value: isinstance(value, bool | np.bool_), bool),
    int: ("a whole number", _is_whole, lambda value: value),
    float: ("a number", _is_number, lambda value: value),
    str: ("a name", lambda value: isinstance(value, str), str),
    tuple: ("whole numbers", _is_whole_sequence, lambda value: tuple(int(item) for item in value)),
}
"""What a type is called, whether a value is of it, and how it is kept."""
