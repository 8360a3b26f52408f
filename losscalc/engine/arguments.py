"""The arrays of a call from Python, as sources."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from losscalc.core.array import Array, ArrayLike
from losscalc.core.declaration import (
    array_arguments,
    array_names,
    label_arrays,
    required_arrays,
)
from losscalc.core.operation import Operation
from losscalc.engine.balance import BALANCED, balanced
from losscalc.engine.foreign import PLAIN, as_array, labelled_of
from losscalc.engine.sources import MemorySource, Source
from losscalc.errors import DataError, DTypeError, ParameterError, counted


def memory_sources(
    operation: Operation, arrays: tuple[ArrayLike | None, ...], named: Mapping[str, ArrayLike | None]
) -> dict[str, Source]:
    """The arrays of a call from Python, given by position or by name, checked for presence and type."""
    cls = type(operation)
    names = array_names(cls)
    if len(arrays) > len(names):
        raise ParameterError(f"{operation.name} takes {counted(len(names), 'array')}", found=len(arrays))
    given = dict(zip(names, arrays, strict=False))
    for name, value in named.items():
        if name in given:
            raise ParameterError(f"`{name}` is given twice", argument=name)
        if name not in names:
            from losscalc.core.resemblance import unknown_argument

            raise unknown_argument(cls, name)
        given[name] = value
    for name, value in operation.weights.items():
        if given.get(name) is not None:
            raise ParameterError(f"`{name}` is given twice, to the loss and beside the arrays", argument=name)
        given[name] = value
    for name in required_arrays(cls):
        if given.get(name) is None:
            raise ParameterError(f"`{name}` is missing", argument=name)
    foreign = {name: value for name, value in given.items() if type(value) not in PLAIN}
    if foreign and (labelled := labelled_of(foreign)):
        # Imported here, because most arrays have no labels.
        from losscalc.engine.indexes import check_indexes

        check_indexes(cls, given, labelled)
    sources = _sources(operation, given)
    for name, value in foreign.items():
        # Asked of the class, as that takes least where there are none.
        if hasattr(type(value), "columns"):
            # Imported here, because most arrays have no names of columns.
            from losscalc.engine.frames import check_columns

            check_columns(
                name, value, np.asarray(sources[name].array), without_labels=name not in label_arrays(cls)
            )
    return sources


def _sources(operation: Operation, given: Mapping[str, Any]) -> dict[str, Source]:
    """The arrays that are given, in the order of the loss; what is to be balanced comes after the others."""
    sources: dict[str, Source] = {}
    arguments = array_arguments(type(operation))
    late = []
    for name, role, _ in arguments:
        value = given.get(name)
        if role.many:
            sources |= _state_sources(name, value)
        elif value is None:
            continue
        elif _is_balanced(value):
            late.append(name)
        else:
            sources[name] = MemorySource(as_array(name, value))
    if not late:
        return sources
    shapes = {name: source.shape for name, source in sources.items()}
    labels = as_array("target", given.get("target"))
    sources |= {name: MemorySource(balanced(operation, name, labels, shapes)) for name in late}
    return {argument.name: sources[argument.name] for argument in arguments if argument.name in sources}


def _is_balanced(value: object) -> bool:
    return isinstance(value, str) and value == BALANCED


def _state_sources(name: str, state: object) -> dict[str, Source]:
    """The arrays of a state dict, named by the argument and their own names, as in `state.head.weight`."""
    if not isinstance(state, Mapping) or not all(isinstance(key, str) for key in state):
        raise DTypeError(f"`{name}` must be a dict of arrays", found=type(state).__name__, argument=name)
    return {f"{name}.{key}": MemorySource(_member(name, key, value)) for key, value in state.items()}


def _member(name: str, key: str, value: ArrayLike) -> Array:
    """One array of a state dict; errors name it."""
    try:
        return as_array(name, value)
    except DataError as error:
        error.problem = f"{key}: {error.problem}"
        raise


def fixed(name: str, value: Any) -> Any:
    """An array as a number or as tuples, which never change; the word for balanced weights as it is."""
    return value if _is_balanced(value) else _tupled(as_array(name, value).tolist())


def _tupled(value: Any) -> Any:
    return tuple(map(_tupled, value)) if isinstance(value, list) else value
