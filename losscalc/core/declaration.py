"""Reads the declaration of a loss: parameters from its fields, arrays from the arguments of `terms`."""

import inspect
import types
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Annotated, Any, Generic, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from losscalc.core.domains import Domain
from losscalc.core.roles import CLASS_KINDS, Kind, Role
from losscalc.errors import ParameterError

Value_co = TypeVar("Value_co", covariant=True)


class Doc(str):
    """The sentence that describes a parameter."""


class Alias(str):
    """A second name of a parameter."""


class Parameter(NamedTuple):
    """A parameter of an operation."""

    name: str
    kind: type
    default: object
    domain: Domain[Any] | None
    doc: str
    alias: str | None = None
    callable: bool = False
    """Whether a function is accepted too; only Python can give one."""
    item: type = int
    """The type of each item, of a parameter that is one or more numbers."""

    @property
    def default_text(self) -> str:
        """The default as it is typed on the command line."""
        return ",".join(map(str, self.default)) if isinstance(self.default, tuple) else str(self.default)

    def accept(self, value: object) -> object:
        """Convert a value to the declared type; raises ParameterError if it is outside the domain."""
        if (value is None and self.default is None) or (self.callable and callable(value)):
            return value
        expected, is_one, convert = _KINDS[(tuple, self.item) if self.kind is tuple else self.kind]
        if self.kind is tuple and _KINDS[self.item][1](value):
            value = (value,)
        if not is_one(value):
            raise ParameterError(f"`{self.name}` must be {expected}", found=value, argument=self.name)
        value = convert(value)
        if self.domain is not None and not self.domain.contains(value):
            raise ParameterError(f"`{self.name}` must be {self.domain}", found=value, argument=self.name)
        return value


class ArrayArgument(NamedTuple):
    """An array of an operation."""

    name: str
    role: Role
    required: bool


@cache
def parameters(cls: type) -> tuple[Parameter, ...]:
    """The parameters of an operation: its fields whose annotation holds a `Doc`."""
    hints = get_type_hints(cls, include_extras=True).items()
    own = {name: hint for name, hint in hints if any(isinstance(extra, Doc) for extra in get_args(hint))}
    return tuple(_parameter(name, hint, getattr(cls, name)) for name, hint in own.items())


@cache
def array_arguments(cls: type) -> tuple[ArrayArgument, ...]:
    """The arrays of an operation: the arguments of `terms`, whose annotations hold their roles."""
    terms: Callable[..., object] = getattr(cls, "terms")  # noqa: B009 - any operation has it
    _, *arguments = inspect.signature(terms, eval_str=True).parameters.values()
    return tuple(ArrayArgument(a.name, next(_roles(a.annotation)), a.default is a.empty) for a in arguments)


@cache
def array_names(cls: type) -> tuple[str, ...]:
    """The names of the arrays of an operation, in its order."""
    return tuple(array.name for array in array_arguments(cls))


@cache
def required_arrays(cls: type) -> tuple[str, ...]:
    """The names of the arrays that an operation cannot do without."""
    return tuple(array.name for array in array_arguments(cls) if array.required)


@cache
def row_arrays(cls: type) -> tuple[str, ...]:
    """The names of the arrays whose rows are samples, or the factors of samples."""
    own = ("full-weights", "sample-weights")
    return tuple(a.name for a in array_arguments(cls) if a.role.has_rows or a.role.kind in own)


@cache
def broadcast_weights(cls: type) -> tuple[str, ...]:
    """The names of the weights whose rows are samples only if they have as many axes as the target."""
    own = ("weights", "positive-weights")
    return tuple(a.name for a in array_arguments(cls) if a.role.kind in own)


@cache
def defaults(cls: type) -> dict[str, object]:
    """The parameters of an operation by name, with the values that they have unless others are given."""
    return {parameter.name: parameter.accept(parameter.default) for parameter in parameters(cls)}


@cache
def setting_names(cls: type) -> frozenset[str]:
    """What a parameter of an operation may be called when one is made."""
    names = (name for parameter in parameters(cls) for name in (parameter.name, parameter.alias))
    return frozenset({"like", *filter(None, names)})


@cache
def target_argument(cls: type) -> ArrayArgument | None:
    """The array that the predictions are compared with, if the operation has one."""
    return next((array for array in array_arguments(cls) if array.name in ("target", "targets")), None)


@cache
def label_arrays(cls: type) -> frozenset[str]:
    """The arrays that columns called as labels are may be of: the target, unless it is as its input is."""
    target = target_argument(cls)
    return (
        frozenset()
        if target is None or target.role.kind in ("vectors", "boxes")
        else frozenset({target.name})
    )


@cache
def class_scores(cls: type) -> str | None:
    """The array whose columns are the scores of classes; None if an operation has none."""
    first, target = array_arguments(cls)[0], target_argument(cls)
    is_scores = target is not None and target.role.kind in CLASS_KINDS and first.role.kind != "features"
    return first.name if is_scores else None


def scores_of(cls: type) -> Kind:
    """The kind of numbers in the first array."""
    return array_arguments(cls)[0].role.kind


def labels_of(cls: type) -> Kind | None:
    """The kind of numbers in the target."""
    target = target_argument(cls)
    return target and target.role.kind


class Derived(Generic[Value_co]):
    """An attribute of a class that is computed from its declaration when it is read."""

    def __init__(self, of: Callable[[type], Value_co]) -> None:
        self.of = of

    def __get__(self, instance: object, owner: type) -> Value_co:
        return self.of(owner)


def _parameter(name: str, hint: Any, default: object) -> Parameter:
    kind, *extras = get_args(hint)
    members = [m for m in _members(kind) if m is not types.NoneType]
    plain = [get_origin(member) or member for member in members]
    domain = next((extra for extra in extras if hasattr(extra, "contains")), None)
    doc = next((extra for extra in extras if isinstance(extra, Doc)), "")
    alias = next((extra for extra in extras if isinstance(extra, Alias)), None)
    item = get_args(members[0])[0] if plain[0] is tuple else int
    return Parameter(name, plain[0], default, domain, doc, alias, Callable in plain, item)


def _members(hint: Any) -> tuple[Any, ...]:
    """The members of a union; any other type is its own only member."""
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
    # A whole number beyond float64 would raise OverflowError when it is compared with an array.
    if isinstance(value, int):
        return not isinstance(value, bool) and abs(value) < 2**1000
    return isinstance(value, float | np.floating | np.integer)


def _is_sequence(is_item: Callable[[object], bool]) -> Callable[[object], bool]:
    """The test of a sequence of such items."""

    def is_sequence(value: object) -> bool:
        items = value.tolist() if isinstance(value, np.ndarray) else value
        return isinstance(items, Sequence) and all(map(is_item, items))

    return is_sequence


_KINDS: dict[Any, tuple[str, Callable[[object], bool], Callable[[Any], object]]] = {
    bool: ("True or False", lambda value: isinstance(value, bool | np.bool_), bool),
    int: ("a whole number", _is_whole, lambda value: value),
    float: ("a number", _is_number, lambda value: value),
    str: ("a name", lambda value: isinstance(value, str), str),
    (tuple, int): ("whole numbers", _is_sequence(_is_whole), lambda value: tuple(map(int, value))),
    (tuple, float): ("numbers", _is_sequence(_is_number), lambda value: tuple(map(float, value))),
}
"""For each type of parameter its name in messages, the test of a value, and the conversion."""
