"""The arrays of a call from Python, as sources."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from losscalc.core.array import Array, ArrayLike
from losscalc.core.declaration import (
    array_arguments,
    array_names,
    required_arrays,
)
from losscalc.core.operation import Operation
from losscalc.engine.balance import BALANCED, balanced, check_balanced
from losscalc.engine.foreign import PLAIN, as_array, labelled_of
from losscalc.engine.sources import MemorySource, Source
from losscalc.errors import DataError, DTypeError, LosscalcWarning, ParameterError, counted


def memory_sources(
    operation: Operation, arrays: tuple[ArrayLike | None, ...], named: Mapping[str, ArrayLike | None]
) -> tuple[dict[str, Source], list[LosscalcWarning]]:
    """The arrays of a call from Python, given by position or by name, checked, and what there is to tell."""
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
    if labelled := labelled_of(foreign) if foreign else {}:
        # Imported here, because most arrays have no labels.
        from losscalc.engine.indexes import check_rows

        check_rows(cls, given, labelled)
    late = [name for name, value in foreign.items() if _is_balanced(value)]
    sources = _sources(cls, given, late)
    remarks: list[LosscalcWarning] = []
    # Asked of the class, as that takes least where there are none.
    if frames := {name: value for name, value in foreign.items() if hasattr(type(value), "columns")}:
        # Imported here, because most arrays have no names of columns.
        from losscalc.engine.frames import named as with_names

        sources, remarks = with_names(operation, sources, frames)
    if labelled:
        from losscalc.engine.indexes import check_weights

        remarks += check_weights(cls, sources, labelled)
    return _balanced(operation, sources, late) if late else sources, remarks


def _sources(cls: type, given: Mapping[str, Any], late: Sequence[str]) -> dict[str, Source]:
    """The arrays that are given, in the order of the loss, but for those that come late."""
    sources: dict[str, Source] = {}
    for name, role, _ in array_arguments(cls):
        value = given.get(name)
        if role.many:
            sources |= _state_sources(name, value)
        elif value is not None and name not in late:
            sources[name] = MemorySource(as_array(name, value))
    return sources


def _balanced(operation: Operation, sources: dict[str, Source], names: Sequence[str]) -> dict[str, Source]:
    """The arrays with those of some names, which are balanced by the labels."""
    for name in names:
        check_balanced(operation, name)
    shapes = {name: source.shape for name, source in sources.items()}
    labels = np.asarray(sources["target"].array)
    found = sources | {name: MemorySource(balanced(operation, name, labels, shapes)) for name in names}
    return {name: found[name] for name in array_names(type(operation)) if name in found}


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
    if labelled := labelled_of({name: value}):
        from losscalc.engine.indexes import check_kept

        check_kept(name, labelled[name])
    return value if _is_balanced(value) else _tupled(as_array(name, value).tolist())


def _tupled(value: Any) -> Any:
    return tuple(map(_tupled, value)) if isinstance(value, list) else value
