"""Operations: what is declared once, and everything that follows from it.

The annotated fields of an operation are its parameters, the arguments of its method `terms` are its
arrays; from their annotations come the checks, the options of the command line, the help and the
documentation. Losses and activations are operations.
"""

import inspect
import sys
import types
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import (
    Annotated,
    Any,
    ClassVar,
    NamedTuple,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from losscalc.arrays import Array, Layout, Role, Shape
from losscalc.domains import Domain
from losscalc.errors import DTypeError, LosscalcWarning, ParameterError, ShapeError, UnknownLossError
from losscalc.reductions import Terms
from losscalc.sources import MemorySource, Source

DTYPES = ("float16", "float32", "float64")


class Doc(NamedTuple):
    """One sentence on a parameter."""

    text: str


class Parameter(NamedTuple):
    """A scalar of an operation: its name, type, default, domain and one sentence."""

    name: str
    kind: type
    default: float | None
    domain: Domain | None
    doc: str

    def check(self, value: object) -> None:
        """Raise ParameterError unless the value is of the right type and in the domain."""
        if value is None and self.default is None:
            return
        kinds = (int, np.integer) if self.kind is int else (int, float, np.integer, np.floating)
        if not isinstance(value, kinds) or isinstance(value, bool):
            word = "a whole number" if self.kind is int else "a number"
            raise ParameterError(f"`{self.name}` must be {word}", found=repr(value), argument=self.name)
        if self.domain is not None and not self.domain.contains(cast(float, value)):
            raise ParameterError(f"`{self.name}` must be {self.domain}", found=value, argument=self.name)


class ArrayArgument(NamedTuple):
    """An array of an operation: its name, its role, and whether it has to be given."""

    name: str
    role: Role
    required: bool


class Operation(ABC):
    """The base of losses and activations: values that their parameters make equal, and never change.

    What a frozen dataclass would be, but without the code that one generates for each class: that
    takes a millisecond a loss, at every start.
    """

    name: ClassVar[str]
    torch: ClassVar[str]
    """The name of the class in torch.nn."""
    functional: ClassVar[str]
    """The name of the function in torch.nn.functional."""
    formula: ClassVar[str]
    reductions: ClassVar[tuple[str, ...]] = ()

    def __init__(self, **settings: float | None) -> None:
        for parameter in parameters(type(self)):
            value = settings.pop(parameter.name, parameter.default)
            parameter.check(value)
            self.__dict__[parameter.name] = value
        for name in settings:
            raise _unknown_argument(self, name)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((type(self), *self.__dict__.items()))

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in self.settings.items())
        return f"{type(self).__name__}({settings})"

    @abstractmethod
    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        """How arrays of these shapes and dtypes fit together; raises ShapeError or DTypeError."""

    @abstractmethod
    def terms(self, *arrays: Any, **named: Any) -> Terms:
        """The values of one block."""

    @abstractmethod
    def __call__(self, *arrays: Any, **options: Any) -> Any:
        """The result for arrays, given in PyTorch's order or by name."""

    @property
    def roles(self) -> Mapping[str, Role]:
        """The role of each array."""
        return {array.name: array.role for array in array_arguments(type(self))}

    @property
    def settings(self) -> dict[str, float | None]:
        """The parameters and their values."""
        return {parameter.name: getattr(self, parameter.name) for parameter in parameters(type(self))}


AnyOperation = TypeVar("AnyOperation", bound=Operation)

_BY_NAME: dict[str, type[Operation]] = {}
_BY_ALIAS: dict[str, type[Operation]] = {}
_PARAMETERS: dict[type[Operation], tuple[Parameter, ...]] = {}
_ARRAYS: dict[type[Operation], tuple[ArrayArgument, ...]] = {}


def register(cls: type[AnyOperation], name: str, torch: str, functional: str) -> type[AnyOperation]:
    """Enter a class under its name and its PyTorch names."""
    cls.name, cls.torch, cls.functional = name, torch, functional
    for key in (name, torch, functional):
        if _BY_ALIAS.setdefault(_normal(key), cls) is not cls:
            raise ValueError(f"two operations are called {key}")
    _BY_NAME[name] = cls
    return cls


def operations() -> Mapping[str, type[Operation]]:
    """All operations by name, losses first, in the order of their declaration."""
    return MappingProxyType(dict(sorted(_BY_NAME.items(), key=lambda item: not item[1].reductions)))


def lookup(name: str) -> type[Operation]:
    """The operation of a name or a PyTorch name; `-` and `_` are equal.

    >>> lookup("binary_cross_entropy_with_logits") is lookup("BCEWithLogitsLoss") is lookup("bce-logits")
    True
    """
    found = _BY_ALIAS.get(_normal(name))
    if found is None:
        close = suggest(_normal(name), _BY_ALIAS)
        raise UnknownLossError(
            "there is no such loss",
            found=name,
            hint=f"did you mean {_BY_ALIAS[close].name}?" if close else "losscalc list shows them all",
        )
    return found


def compute(name: str, *arrays: ArrayLike | None, **arguments: Any) -> Any:
    """The loss (or activation) of that name, as an array or NumPy scalar.

    Arrays may be given in PyTorch's order or by name. The other arguments are the parameters of the
    loss, and `reduction` (none, mean or sum; mean unless given), `dtype` (of the result, otherwise
    the input's), `broadcast`, and PyTorch's old `size_average` and `reduce`. Shapes, domains and what
    mean divides by are those of the loss: see its class.

    Raises UnknownLossError, ParameterError, ShapeError, DTypeError and DomainError.

    >>> compute("bce-logits", input=[[2.0, -1.0]], target=[[1, 0]], pos_weight=3.0, reduction="none")
    array([[0.38078403, 0.31326169]])
    """
    cls = lookup(name)
    own = {parameter.name for parameter in parameters(cls)} & arguments.keys()
    operation = cls(**{key: arguments[key] for key in own})
    return operation(*arrays, **{key: value for key, value in arguments.items() if key not in own})


def announce(remarks: Iterable[LosscalcWarning]) -> None:
    """Issue warnings that point at the code that called losscalc, from wherever in it."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("losscalc."):
        level, frame = level + 1, frame.f_back
    for remark in remarks:
        warnings.warn(remark, stacklevel=level)


def suggest(word: str, known: Mapping[str, object]) -> str | None:
    """The known word that comes closest, if any comes close."""
    import difflib

    return next(iter(difflib.get_close_matches(word, known, n=1)), None)


def parameters(cls: type[Operation]) -> tuple[Parameter, ...]:
    """The parameters of an operation, from the annotations of its fields."""
    if cls not in _PARAMETERS:
        hints = get_type_hints(cls, include_extras=True).items()
        own = {name: hint for name, hint in hints if any(isinstance(extra, Doc) for extra in get_args(hint))}
        _PARAMETERS[cls] = tuple(_parameter(name, hint, getattr(cls, name)) for name, hint in own.items())
    return _PARAMETERS[cls]


def array_arguments(cls: type[Operation]) -> tuple[ArrayArgument, ...]:
    """The arrays of an operation, from the annotations of the arguments of `terms`."""
    if cls not in _ARRAYS:
        hints = get_type_hints(cls.terms, include_extras=True)
        arguments = list(inspect.signature(cls.terms).parameters.values())[1:]
        _ARRAYS[cls] = tuple(
            ArrayArgument(a.name, _role(hints[a.name]), a.default is a.empty) for a in arguments
        )
    return _ARRAYS[cls]


def memory_sources(
    operation: Operation, arrays: tuple[ArrayLike | None, ...], named: Mapping[str, ArrayLike | None]
) -> dict[str, Source]:
    """The arrays of a call from Python, by position and by name, checked for presence and type."""
    arguments = array_arguments(type(operation))
    if len(arrays) > len(arguments):
        raise ParameterError(f"{operation.name} takes {len(arguments)} arrays", found=len(arrays))
    given = dict(zip((a.name for a in arguments), arrays, strict=False))
    for name, value in named.items():
        if name in given:
            raise ParameterError(f"`{name}` is given twice", argument=name)
        if name not in {a.name for a in arguments}:
            raise _unknown_argument(operation, name)
        given[name] = value
    for argument in arguments:
        if argument.required and given.get(argument.name) is None:
            raise ParameterError(f"`{argument.name}` is missing", argument=argument.name)
    return {
        a.name: MemorySource(_as_array(a.name, value))
        for a in arguments
        if (value := given.get(a.name)) is not None
    }


def result_dtype(dtype: DTypeLike | None) -> np.dtype | None:
    """The dtype that a caller asked for, checked."""
    if dtype is None:
        return None
    try:
        wanted = np.dtype(dtype)
    except TypeError:
        wanted = np.dtype(object)
    if wanted.name not in DTYPES:
        raise ParameterError(
            f"`dtype` must be one of {', '.join(DTYPES)}", found=str(dtype), argument="dtype"
        )
    return wanted


def _as_array(name: str, value: ArrayLike) -> Array:
    if isinstance(value, np.ma.MaskedArray):
        raise DTypeError(
            f"`{name}` must not be masked: the mask would be lost",
            argument=name,
            hint="leave the masked rows out, or give them a weight of 0",
        )
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ShapeError(f"`{name}` is ragged: its rows differ in length or depth", argument=name) from error
    if array.dtype.kind not in "fiub":
        raise DTypeError(f"`{name}` must hold real numbers", found=f"dtype {array.dtype}", argument=name)
    return array


def _unknown_argument(operation: Operation, name: str) -> ParameterError:
    known = {a.name: None for a in array_arguments(type(operation))} | operation.settings
    close = suggest(name, known)
    return ParameterError(
        f"{operation.name} has no argument of that name",
        found=name,
        hint=f"did you mean `{close}`?" if close else f"it has {', '.join(known)}",
    )


def _parameter(name: str, hint: Any, default: Any) -> Parameter:
    kind, *extras = get_args(hint)
    members = [member for member in get_args(kind) if member is not types.NoneType] or [kind]
    domain = next((extra for extra in extras if hasattr(extra, "contains")), None)
    doc = next((extra.text for extra in extras if isinstance(extra, Doc)), "")
    return Parameter(name, members[0], default, domain, doc)


def _role(hint: Any) -> Role:
    return next(_roles(hint))


def _roles(hint: Any) -> Iterator[Role]:
    if get_origin(hint) is Annotated:
        yield from (extra for extra in get_args(hint)[1:] if isinstance(extra, Role))
    elif get_origin(hint) in (Union, types.UnionType):
        for member in get_args(hint):
            yield from _roles(member)


def _normal(name: str) -> str:
    return name.replace("_", "-").lower()
