"""Arrays of other libraries as NumPy's, by what they can do: none of these libraries is imported."""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from losscalc.core.array import Array
from losscalc.errors import DataError, DTypeError, ShapeError, counted

_CPU = 1
"""The number of main memory in DLPack."""
PLAIN = (np.ndarray, list, tuple, float, int, type(None))
"""What is in main memory, and has no gradient and no names; None stands for an array that is not given."""
_REAL = "fiub"
"""The kinds of dtypes of real numbers."""
_READERS = {".npy": "numpy.load({})", ".csv": "numpy.loadtxt({}, delimiter=',')"}
"""What reads files of a suffix in Python. A table without a header must not lose its first row for one."""


def as_array(name: str, value: Any) -> Array:
    """Anything that is an array of real numbers, as NumPy's; `name` is that of the argument.

    Tensors are detached, and numbers of 16 bits that NumPy does not have become float32.
    """
    if type(value) is np.ndarray and value.dtype.kind in _REAL:
        return value
    if isinstance(value, np.ma.MaskedArray):
        raise _masked(name)
    if type(value) not in PLAIN:
        _check_place(name, value)
        # Asked of the class, as that takes least where there are none.
        if hasattr(type(value), "columns"):
            # Imported here, because most arrays have no names of columns.
            from losscalc.engine.frames import check_times

            check_times(name, value)
        value = _detached(value)
        if isinstance(value, str | os.PathLike):
            raise _unread(name, os.fspath(value))
        if isinstance(value, bytes | bytearray):
            raise _bytes(name, value)
    array = _converted(name, value)
    # Arrays in lists, and those that are objects, have lost their masks by now.
    if _has_masks(array.tolist() if array.dtype.kind == "O" else value):
        raise _masked(name)
    if array.dtype.kind in _REAL:
        return array
    if array.dtype.kind == "O":
        array = _of_objects(value, array)
    if array.dtype.kind == "V" and "float" in array.dtype.name:
        # The dtypes of ml_dtypes, which JAX and TensorFlow use.
        array = array.astype(np.float32)
    if array.dtype.kind not in _REAL:
        raise DTypeError(
            f"`{name}` must hold real numbers",
            found=_kind_of(value, array),
            argument=name,
            hint=_way_to_numbers(value, array),
        )
    return array


def _masked(name: str) -> DTypeError:
    """The error for an array with a mask, or a list of some."""
    return DTypeError(
        f"`{name}` must not be masked: the mask would be lost",
        argument=name,
        hint="leave the masked values out of all arrays, as in array[~mask]",
    )


def _has_masks(value: Any) -> bool:
    """Whether some array in lists has a mask; numbers are not looked through."""
    if type(value) not in (list, tuple):
        return isinstance(value, np.ma.MaskedArray)
    return bool(value) and not isinstance(value[0], float | int) and any(map(_has_masks, value))


def _bytes(name: str, value: bytes | bytearray) -> DTypeError:
    """The error for bytes, which NumPy takes for a text, or each for a number."""
    return DTypeError(
        f"`{name}` must hold real numbers",
        found=f"{counted(len(value), 'byte')}",
        argument=name,
        hint="if they are those of an array, give numpy.frombuffer(..., dtype) of them",
    )


def _way_to_numbers(value: Any, array: Array) -> str | None:
    """What makes numbers of objects that stand for some, such as decimals; None if they do not."""
    if array.dtype.kind not in "OU" or _is_time(value):
        return None
    try:
        np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError, RuntimeError):
        return None
    return "give numpy.asarray(..., dtype=float) of it, in which what is missing is NaN"


def _unread(name: str, text: str) -> DTypeError:
    """The error for the name of a file in the place of an array, or for another text."""
    reader = _READERS.get(os.path.splitext(text)[1].lower())
    return DTypeError(
        f"`{name}` must hold real numbers, and files are read on the command line alone",
        found=text,
        argument=name,
        hint=f"read the file first, as in {reader.format(repr(text))}" if reader else None,
    )


def labelled_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """The labels of the rows of arrays that have some; of a tuple with names, `index` is a method."""
    indexes = {name: getattr(value, "index", None) for name, value in given.items()}
    return {
        name: index
        for name, index in indexes.items()
        if hasattr(index, "equals") and hasattr(index, "__len__")
    }


def _check_place(name: str, value: Any) -> None:
    """Refuse what is not in main memory: it is copied by whoever has it."""
    device = getattr(value, "device", None)
    kind = getattr(device, "type", None)
    # Libraries that copy by themselves, as JAX does, have devices of other kinds.
    if isinstance(kind, str) and kind != "cpu" and hasattr(value, "cpu"):
        raise _elsewhere(name, str(device), "give .cpu() of it")
    if hasattr(value, "__cuda_array_interface__") and not isinstance(kind, str):
        raise _elsewhere(name, "a GPU", "give .get() of it")
    if not hasattr(value, "__array__") and hasattr(value, "__dlpack_device__"):
        where = value.__dlpack_device__()[0]
        if int(where) != _CPU:
            raise _elsewhere(name, "another device", "copy it to main memory first")


def _elsewhere(name: str, place: str, hint: str) -> DataError:
    return DTypeError(f"`{name}` is on {place}, and not in main memory", argument=name, hint=hint)


def _detached(value: Any) -> Any:
    """A tensor without its gradient, in a dtype that NumPy has."""
    if not (hasattr(value, "detach") and hasattr(value, "requires_grad")):
        return value
    value = value.detach()
    dtype = str(getattr(value, "dtype", ""))
    return value.float() if "bfloat16" in dtype or "float8" in dtype else value


def _converted(name: str, value: Any) -> Array:
    """The value as an array, whatever its dtype is."""
    try:
        if not hasattr(value, "__array__") and hasattr(value, "__dlpack__"):
            return np.from_dlpack(value)
        if hasattr(getattr(value, "type", None), "permutation"):
            return _of_arrow_tensors(value)
        return np.asarray(value)
    except ValueError as error:
        raise ShapeError(f"`{name}` is ragged: its rows differ in length or depth", argument=name) from error
    except (BufferError, RuntimeError, TypeError) as error:
        raise DTypeError(
            f"`{name}` cannot be read as an array: {error}",
            argument=name,
            hint="make one tensor of them, as in torch.stack(...)" if _are_tensors(value) else None,
        ) from error


def _are_tensors(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(hasattr(item, "detach") for item in value)


def _of_arrow_tensors(value: Any) -> Array:
    """An array, chunked or not, of Arrow's tensors of one shape, whose NumPy array has no axes of them."""
    whole = value.combine_chunks() if hasattr(value, "chunks") else value
    present = np.asarray(whole.drop_null().to_numpy_ndarray())
    if not whole.null_count:
        return present
    array = np.full((len(whole), *present.shape[1:]), np.nan)
    array[np.asarray(whole.is_valid())] = present
    return array


def _of_objects(value: Any, array: Array) -> Array:
    """Columns with missing numbers, which become NaN, and rows that are arrays, as numbers, if they are."""
    try:
        if array.ndim == 1 and array.size and all(np.ndim(row) for row in array):
            return np.stack([np.asarray(row) for row in array])
        if hasattr(value, "to_numpy") and not _is_time(value):
            return np.asarray(value.to_numpy(dtype="float64", na_value=np.nan))
    except (TypeError, ValueError):
        pass
    return array


def _is_time(value: Any) -> bool:
    """Whether a column holds times, of which its library makes numbers."""
    from losscalc.engine.frames import is_time

    return is_time(getattr(value, "dtype", None))


def _kind_of(value: Any, array: Array) -> str:
    """What is there instead of numbers: of a table the columns, by their names."""
    dtypes = getattr(value, "dtypes", None)
    if dtypes is not None and hasattr(dtypes, "items"):
        texts = [str(name) for name, dtype in dtypes.items() if getattr(dtype, "kind", "O") not in _REAL]
        if texts:
            return f"{'columns' if len(texts) > 1 else 'a column'} of something else: {', '.join(texts)}"
    return f"dtype {array.dtype}"
