"""The arrays of a call from Python, as sources."""

from collections.abc import Mapping

import numpy as np

from losscalc.core.array import Array, ArrayLike
from losscalc.core.declaration import array_arguments
from losscalc.core.operation import Operation, unknown_argument
from losscalc.engine.sources import MemorySource, Source
from losscalc.errors import DataError, DTypeError, ParameterError, ShapeError


def memory_sources(
    operation: Operation, arrays: tuple[ArrayLike | None, ...], named: Mapping[str, ArrayLike | None]
) -> dict[str, Source]:
    """The arrays of a call from Python, given by position or by name, checked for presence and type."""
    arguments = array_arguments(type(operation))
    if len(arrays) > len(arguments):
        raise ParameterError(f"{operation.name} takes {len(arguments)} arrays", found=len(arrays))
    given = dict(zip((a.name for a in arguments), arrays, strict=False))
    for name, value in named.items():
        if name in given:
            raise ParameterError(f"`{name}` is given twice", argument=name)
        if name not in {a.name for a in arguments}:
            raise unknown_argument(operation, name)
        given[name] = value
    for argument in arguments:
        if argument.required and given.get(argument.name) is None:
            raise ParameterError(f"`{argument.name}` is missing", argument=argument.name)
    sources: dict[str, Source] = {}
    for argument in arguments:
        if argument.role.many:
            sources |= _state_sources(argument.name, given[argument.name])
        elif (value := given.get(argument.name)) is not None:
            sources[argument.name] = MemorySource(_as_array(argument.name, value))
    return sources


def _state_sources(name: str, state: object) -> dict[str, Source]:
    """The arrays of a state dict, named by the argument and their own names, as in `state.head.weight`."""
    if not isinstance(state, Mapping) or not all(isinstance(key, str) for key in state):
        raise DTypeError(f"`{name}` must be a dict of arrays", found=type(state).__name__, argument=name)
    return {f"{name}.{key}": MemorySource(_member(name, key, value)) for key, value in state.items()}


def _member(name: str, key: str, value: ArrayLike) -> Array:
    """One array of a state dict; errors name it."""
    try:
        return _as_array(name, value)
    except DataError as error:
        error.problem = f"{key}: {error.problem}"
        raise


def _as_array(name: str, value: ArrayLike) -> Array:
    if isinstance(value, np.ma.MaskedArray):
        raise DTypeError(
            f"`{name}` must not be masked: the mask would be lost",
            argument=name,
            hint="leave the masked values out of all arrays, as in array[~mask]",
        )
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ShapeError(f"`{name}` is ragged: its rows differ in length or depth", argument=name) from error
    except (RuntimeError, TypeError) as error:
        # Raised by tensors that need a gradient, or whose dtype NumPy does not have.
        raise DTypeError(
            f"`{name}` cannot be read as an array: {error}",
            argument=name,
            hint="of a tensor give .detach().cpu(), and .float() of a bfloat16 one",
        ) from error
    if array.dtype.kind not in "fiub":
        raise DTypeError(f"`{name}` must hold real numbers", found=f"dtype {array.dtype}", argument=name)
    return array
