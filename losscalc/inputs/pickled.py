"""Pickles, read as data: a name stays a name, a call is a record of what would be called, and nothing runs.

Python's own Unpickler is not used: it crashes on deeply nested keys, makes room for what a file merely
claims, and takes registered extensions from a cache that no subclass sees. Here `pickletools`
cuts the pickle into its instructions, of which those below are carried out.
"""

import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pickletools import genops
from types import MappingProxyType
from typing import cast

from losscalc.errors import FormatError, Location
from losscalc.inputs.limits import ENTRIES, too_many

_INT64 = 1 << 63
_NEWEST = 5


@dataclass(frozen=True, slots=True)
class Name:
    """What a pickle would import."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """What a pickle would call, and with what."""

    name: str
    arguments: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """Something beside the pickle."""

    identity: object


Makers = Mapping[str, Callable[[tuple[object, ...]], object]]
"""What to make of the calls of some names; those of all others stay calls."""


def read_pickle(data: bytes, makers: Makers, location: Location, most: int = ENTRIES) -> object:
    """What a pickle holds: Python's numbers, texts, lists, tuples and dicts, and the records above.

    >>> read_pickle(b"cos\\nsystem\\n(\\x8c\\x02lstR.", {}, Location("a.pt"))
    Call(name='os.system', arguments=('ls',))
    """
    machine = _Machine(makers)
    try:
        for number, (instruction, argument, _) in enumerate(genops(data)):
            if number >= most:
                raise too_many("the instructions of the pickle are", most, location)
            machine.do(instruction.name, argument)
        return machine.pop()
    except (ValueError, LookupError, OverflowError, struct.error) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError("the pickle is damaged, or not one of torch.save", location=location) from error


class _Machine:
    """The stack on which the instructions of a pickle work."""

    def __init__(self, makers: Makers) -> None:
        self._makers = makers
        self._stack: list[object] = []
        self._below: list[list[object]] = []
        """The stacks below each mark."""
        self._memo: dict[int, object] = {}

    def do(self, instruction: str, argument: object) -> None:
        """Carry out one instruction."""
        if instruction in _VALUES:
            self._stack.append(argument)
        elif instruction in _CONSTANTS:
            self._stack.append(_CONSTANTS[instruction])
        else:
            if instruction not in _INSTRUCTIONS:
                raise ValueError(instruction)
            _INSTRUCTIONS[instruction](self, argument)

    def pop(self) -> object:
        """The topmost value."""
        return self._stack.pop()

    def ignore(self, argument: object) -> None:
        """What only says how the pickle was written."""

    def protocol(self, argument: object) -> None:
        """The version of the pickle."""
        if cast(int, argument) > _NEWEST:
            raise ValueError("not a protocol")

    def mark(self, argument: object) -> None:
        self._below.append(self._stack)
        self._stack = []

    def _items(self) -> list[object]:
        """The values above the last mark."""
        items, self._stack = self._stack, self._below.pop()
        return items

    def new_list(self, argument: object) -> None:
        self._stack.append([])

    def new_dict(self, argument: object) -> None:
        self._stack.append({})

    def new_set(self, argument: object) -> None:
        self._stack.append(Call("set", ()))

    def frozen_set(self, argument: object) -> None:
        items = self._items()
        self._stack.append(Call("frozenset", tuple(items)))

    def new_tuple(self, argument: object) -> None:
        items = self._items()
        self._stack.append(tuple(items))

    def pair(self, count: int) -> None:
        """A tuple of the topmost values."""
        if len(self._stack) < count:
            raise ValueError("the stack is too short")
        self._stack[-count:] = [tuple(self._stack[-count:])]

    def append(self, argument: object) -> None:
        item = self.pop()
        self._extend([item])

    def appends(self, argument: object) -> None:
        self._extend(self._items())

    def _extend(self, items: list[object]) -> None:
        container = self._stack[-1]
        if isinstance(container, list):
            container += items
        elif not isinstance(container, Call):
            raise ValueError("not a list")

    def set_item(self, argument: object) -> None:
        value, key = self.pop(), self.pop()
        self._update([key, value])

    def set_items(self, argument: object) -> None:
        self._update(self._items())

    def _update(self, items: list[object]) -> None:
        container = self._stack[-1]
        if isinstance(container, dict):
            container |= _typable(zip(items[::2], items[1::2], strict=True))
        elif not isinstance(container, Call):
            raise ValueError("not a dict")

    def put(self, argument: object) -> None:
        self._memo[cast(int, argument)] = self._stack[-1]

    def memoize(self, argument: object) -> None:
        self._memo[len(self._memo)] = self._stack[-1]

    def get(self, argument: object) -> None:
        self._stack.append(self._memo[cast(int, argument)])

    def name(self, argument: object) -> None:
        self._stack.append(Name(str(argument).replace(" ", ".", 1)))

    def stack_name(self, argument: object) -> None:
        name, module = self.pop(), self.pop()
        if not (isinstance(name, str) and isinstance(module, str)):
            raise ValueError("not a name")
        self._stack.append(Name(f"{module}.{name}"))

    def call(self, argument: object) -> None:
        arguments, callee = self.pop(), self.pop()
        if not (isinstance(callee, Name | Call) and isinstance(arguments, tuple)):
            raise ValueError("not a call")
        name = callee.text if isinstance(callee, Name) else f"{callee.name.removesuffix('()')}()"
        maker = self._makers.get(name)
        self._stack.append(Call(name, arguments) if maker is None else maker(arguments))

    def call_by_keyword(self, argument: object) -> None:
        self.pop()
        self.call(argument)

    def build(self, argument: object) -> None:
        """The state of an object, which none here has."""
        self.pop()
        if not isinstance(self._stack[-1], Call | dict):
            raise ValueError("not an object")

    def reference(self, argument: object) -> None:
        self._stack.append(Reference(self.pop()))


def as_dict(pairs: object = ()) -> dict[str | int, object]:
    """The dict of a list of pairs."""
    if not isinstance(pairs, list | tuple) or not all(
        isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs
    ):
        raise ValueError("not a list of pairs")
    return _typable(pairs)


def _typable(pairs: Iterable[tuple[object, object]]) -> dict[str | int, object]:
    """The pairs with keys that can be typed; others may take for ever to hash, or cannot be hashed at all."""
    return {
        key: value
        for key, value in pairs
        if type(key) is str or (type(key) is int and -_INT64 <= key < _INT64)
    }


_VALUES = {
    "BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE",
    "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BINSTRING", "SHORT_BINSTRING",
}  # fmt: skip
_CONSTANTS: Mapping[str, object] = MappingProxyType(
    {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
)
_INSTRUCTIONS: Mapping[str, Callable[[_Machine, object], None]] = MappingProxyType(
    {
        "PROTO": _Machine.protocol,
        "FRAME": _Machine.ignore,
        "STOP": _Machine.ignore,
        "MARK": _Machine.mark,
        "EMPTY_LIST": _Machine.new_list,
        "EMPTY_DICT": _Machine.new_dict,
        "EMPTY_SET": _Machine.new_set,
        "FROZENSET": _Machine.frozen_set,
        "TUPLE": _Machine.new_tuple,
        "TUPLE1": lambda machine, _: machine.pair(1),
        "TUPLE2": lambda machine, _: machine.pair(2),
        "TUPLE3": lambda machine, _: machine.pair(3),
        "APPEND": _Machine.append,
        "APPENDS": _Machine.appends,
        "ADDITEMS": _Machine.appends,
        "SETITEM": _Machine.set_item,
        "SETITEMS": _Machine.set_items,
        "BINPUT": _Machine.put,
        "LONG_BINPUT": _Machine.put,
        "MEMOIZE": _Machine.memoize,
        "BINGET": _Machine.get,
        "LONG_BINGET": _Machine.get,
        "GLOBAL": _Machine.name,
        "STACK_GLOBAL": _Machine.stack_name,
        "REDUCE": _Machine.call,
        "NEWOBJ": _Machine.call,
        "NEWOBJ_EX": _Machine.call_by_keyword,
        "BUILD": _Machine.build,
        "BINPERSID": _Machine.reference,
    }
)
