"""Arrays of Arrow as arrays of NumPy: numbers, lists of them, and texts."""

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from losscalc.core.array import Array
from losscalc.errors import FormatError, counted
from losscalc.inputs.limits import CELL, LINE
from losscalc.inputs.numbers import Numbers, Place

# A time, and how far it is from that of Greenwich.
_ZONED = re.compile(r"(.*?)(Z|[+-]\d{4})?")
_types = pa.types


def _compute() -> Any:
    # Imported here, because plain numbers do without, and it takes as long as half of NumPy.
    import pyarrow.compute

    return pyarrow.compute


def kind_of(type: Any) -> str:
    """What an array of this type holds: `number`, `text`, `time` or `list`; '' if it is none of these.

    >>> [kind_of(each) for each in (pa.float32(), pa.date32(), pa.string(), pa.list_(pa.int8()))]
    ['number', 'time', 'text', 'list']
    """
    if _types.is_dictionary(type) or _types.is_run_end_encoded(type):
        return kind_of(type.value_type)
    if isinstance(type, pa.FixedShapeTensorType) and type.permutation not in (
        None,
        sorted(type.permutation or ()),
    ):
        return ""
    if isinstance(type, pa.BaseExtensionType):
        return kind_of(type.storage_type)
    if _is_number(type) or _types.is_null(type):
        return "number"
    if _is_list(type):
        inner = type.value_type
        return "list" if _is_number(inner) or (_is_list(inner) and kind_of(inner)) else ""
    if any(test(type) for test in (_types.is_date, _types.is_time, _types.is_timestamp)):
        return "time"
    tests = (_types.is_string, _types.is_large_string, _types.is_binary, _types.is_large_binary, _is_view)
    return "text" if any(test(type) for test in tests) else ""


_PLURALS = (
    (_types.is_null, "nothing"),
    (_types.is_dictionary, "categories"),
    (_types.is_duration, "durations"),
    (_types.is_temporal, "dates or times"),
    (_types.is_map, "maps"),
    (_types.is_struct, "records"),
    (_types.is_union, "values of several types"),
    (_types.is_fixed_size_binary, "bytes"),
    (lambda each: kind_of(each) == "text", "texts"),
)


def described(type: Any) -> str:
    """What an array of this type holds, as messages say it.

    >>> [described(each) for each in (pa.list_(pa.string()), pa.duration("s"), pa.uuid())]
    ['lists of texts', 'durations', 'values of the type uuid']
    """
    if isinstance(type, pa.BaseExtensionType):
        return f"values of the type {type.extension_name.removeprefix('arrow.')}"
    if _is_list(type):
        return f"lists of {described(type.value_type)}"
    if _is_number(type):
        return "numbers"
    return next((name for test, name in _PLURALS if test(type)), f"values of the type {type}")


def _is_number(type: Any) -> bool:
    tests = (_types.is_integer, _types.is_floating, _types.is_boolean, _types.is_decimal)
    return any(test(type) for test in tests)


def _is_list(type: Any) -> bool:
    return bool(
        _types.is_list(type) or _types.is_large_list(type) or _types.is_fixed_size_list(type)
        or _types.is_list_view(type) or _types.is_large_list_view(type)
    )  # fmt: skip


def _is_view(type: Any) -> bool:
    return bool(_types.is_string_view(type) or _types.is_binary_view(type))


def common_dtype(types: Sequence[Any]) -> np.dtype:
    """The dtype of an array of such columns: that of the widest, or float64 if some have no floats.

    >>> common_dtype([pa.float32(), pa.float16()]), common_dtype([pa.float32(), pa.int8()])
    (dtype('float32'), dtype('float64'))
    """
    inner = list(map(_innermost, types))
    if not all(map(_types.is_floating, inner)):
        return np.dtype(np.float64)
    return np.dtype(f"f{max(each.bit_width for each in inner) // 8}")


def _innermost(type: Any) -> Any:
    if isinstance(type, pa.BaseExtensionType):
        return _innermost(type.storage_type)
    if _is_list(type) or _types.is_dictionary(type) or _types.is_run_end_encoded(type):
        return _innermost(type.value_type)
    return type


def plain(array: Any) -> Any:
    """The array without what only says how it is stored."""
    if isinstance(array.type, pa.BaseExtensionType):
        return plain(array.storage)
    if _types.is_run_end_encoded(array.type):
        return plain(_compute().run_end_decode(array))
    if _types.is_dictionary(array.type) and kind_of(array.type) == "number":
        return array.dictionary_decode()
    return array


def scalars(array: Any) -> tuple[Array, np.ndarray | None]:
    """The numbers of a plain array, and which of them are missing if some are."""
    if (held := _held(array)) is not None:
        return held, None
    missing = array.is_null().to_numpy(zero_copy_only=False) if array.null_count else None
    if _types.is_null(array.type):
        return np.full(len(array), np.nan), missing
    if _types.is_decimal(array.type):
        # Straight to float64, the last digit may be another one.
        array = array.cast(pa.string()).cast(pa.float64())
    if missing is not None and not _types.is_floating(array.type):
        # Floats become NaN; of the others, pyarrow would make floats or objects.
        array = array.fill_null(False if _types.is_boolean(array.type) else 0)
    values = np.asarray(array.to_numpy(zero_copy_only=False))
    return values, missing


def _held(array: Any) -> Array | None:
    """The memory of an array of nothing but integers or floats, for which pyarrow would import pandas."""
    kinds = {"f": _types.is_floating, "i": _types.is_signed_integer, "u": _types.is_unsigned_integer}
    kind = next((kind for kind, holds in kinds.items() if holds(array.type)), None)
    if kind is None or array.null_count or not len(array):
        return None
    dtype = np.dtype(f"{kind}{array.type.bit_width // 8}")
    return np.frombuffer(array.buffers()[1], dtype, len(array), array.offset * dtype.itemsize)


def shape(array: Any) -> tuple[int, ...] | None:
    """The shape of the first list, or None if there is none."""
    if isinstance(array.type, pa.FixedShapeTensorType):
        return tuple(array.type.shape)
    array, lengths = plain(array), []
    while _is_list(array.type):
        if array.null_count:
            array = array.drop_null()
        if _types.is_fixed_size_list(array.type):
            lengths.append(array.type.list_size)
        elif len(array):
            lengths.append(len(array[0]))
        else:
            return None
        array = array.slice(0, 1).flatten()
    return tuple(lengths)


def size_of_row(array: Any) -> int:
    """How many numbers the first list has, or 1 if there is none."""
    return math.prod(shape(array) or ())


def numbers(array: Any, shape: tuple[int, ...], dtype: np.dtype, place: Place) -> Numbers:
    """The numbers of an array, or the lists of them, which must all have one shape."""
    # A tensor is kept as one list of all its numbers.
    lengths = (math.prod(shape),) if isinstance(array.type, pa.FixedShapeTensorType) else shape
    array = plain(array)
    if not shape:
        return Numbers(*_filled(array, dtype))
    faults = _misshapen(array, lengths, place)
    if faults:
        kept = [None if row in faults else row for row in range(len(array))]
        array = array.take(pa.array(kept, pa.int64()))
    missing = np.array(array.is_null())
    for _ in lengths:
        array = plain(array.flatten())
    flat, gaps = _filled(array, dtype)
    rows = np.flatnonzero(~missing)
    values = flat.reshape(len(rows), *shape)
    if len(rows) < len(missing):
        present, values = values, np.full((len(missing), *shape), np.nan, dtype)
        values[rows] = present
    if gaps is not None:
        missing[rows] = gaps.reshape(len(rows), -1).any(axis=1)
    missing[list(faults)] = False
    return Numbers(values, missing if missing.any() else None, faults)


def _filled(array: Any, dtype: np.dtype) -> tuple[Array, np.ndarray | None]:
    """The same in a dtype, with NaN where a number is missing."""
    values, missing = scalars(array)
    values = values.astype(dtype, copy=False)
    return values if missing is None else np.where(missing, np.array(np.nan, dtype), values), missing


def _misshapen(array: Any, shape: tuple[int, ...], place: Place) -> dict[int, FormatError]:
    """The rows whose lists are of another shape."""
    faults: dict[int, FormatError] = {}
    rows = np.flatnonzero(array.is_valid())
    level = array.drop_null()
    for due in shape:
        lengths = _compute().list_value_length(level).fill_null(0).to_numpy(zero_copy_only=False)
        wrong = lengths != due
        if level.null_count:
            wrong |= np.array(level.is_null())
        for position in np.flatnonzero(wrong).tolist():
            row = int(rows[position])
            problem = f"the list has {counted(int(lengths[position]), 'number')}, those before {due}"
            faults.setdefault(row, FormatError(problem, location=place(row)))
        if wrong.any():
            rows, level = rows[~wrong], level.filter(pa.array(~wrong))
        rows, level = np.repeat(rows, due), plain(level.flatten())
    return faults


def texts(array: Any) -> Array:
    """The texts of an array, '' for those that are missing; dates are written as pandas writes them."""
    array = plain(array)
    if _types.is_dictionary(array.type):
        words = np.append(texts(array.dictionary), "")
        return np.asarray(words[array.indices.fill_null(len(words) - 1).to_numpy(zero_copy_only=False)])
    if _types.is_temporal(array.type):
        return _objects([_as_pandas(text) if text else "" for text in array.cast(pa.string()).to_pylist()])
    if _is_view(array.type):
        return _objects(_from_views(array))
    compute = _compute()
    if (compute.max(compute.binary_length(array)).as_py() or 0) > CELL:
        raise FormatError(f"a cell has more than {CELL} characters")
    if not _types.is_string(array.type):
        array = array.cast(pa.large_string())  # refuses bytes that are no UTF-8
    return _objects(array.fill_null("").to_numpy(zero_copy_only=False))


def _as_pandas(moment: str) -> str:
    """A time as pandas writes it: a day without midnight, seconds without zeros behind them."""
    match = _ZONED.fullmatch(moment)
    assert match is not None
    time, zone = match.groups()
    if "." in time:
        time = time.rstrip("0").removesuffix(".")
    if zone is None:
        return str(time.removesuffix(" 00:00:00"))
    return f"{time}+00:00" if zone == "Z" else f"{time}{zone[:3]}:{zone[3:]}"


def _from_views(array: Any) -> list[str]:
    """The texts that views show, which may all show the same bytes."""
    found, size = [], 0
    for scalar in array:
        text = scalar.as_py() or ""
        found.append(text if isinstance(text, str) else text.decode())
        size += len(text)
        if size > LINE:
            raise FormatError("texts that overlap are too long")
    return found


def _objects(cells: Sequence[str]) -> Array:
    array = np.empty(len(cells), object)
    array[:] = cells
    return array
