"""Tensors as a pickle of torch.save describes them: a dtype, and a place in a storage beside the pickle."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, TypeGuard

import numpy as np

from losscalc.errors import DTypeError, FormatError, Location
from losscalc.inputs.pickled import Call, Name, Reference, as_dict
from losscalc.inputs.strided import Layout, is_shape

# All that is known of what a pickle may name. None of it is imported or called.
_TYPED = "torch._utils._rebuild_tensor_v3"
_TENSORS = ("torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2", _TYPED)
_PARAMETERS = ("torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state")
_WITH_STATE = "torch._tensor._rebuild_from_type_v2"
_CLASSES = ("torch.Tensor", "torch.nn.parameter.Parameter", "torch.nn.parameter.Buffer")
_UNTYPED = "torch.storage.UntypedStorage"
_DTYPES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "torch.DoubleStorage": ("torch.float64", "f8"),
        "torch.FloatStorage": ("torch.float32", "f4"),
        "torch.HalfStorage": ("torch.float16", "f2"),
        "torch.BFloat16Storage": ("torch.bfloat16", "u2"),
        "torch.LongStorage": ("torch.int64", "i8"),
        "torch.IntStorage": ("torch.int32", "i4"),
        "torch.ShortStorage": ("torch.int16", "i2"),
        "torch.CharStorage": ("torch.int8", "i1"),
        "torch.ByteStorage": ("torch.uint8", "u1"),
        "torch.BoolStorage": ("torch.bool", "?"),
    }
)
_CODES: Mapping[str, str] = MappingProxyType(dict(_DTYPES.values()))

MAKERS: Mapping[str, Callable[[tuple[object, ...]], object]] = MappingProxyType(
    {
        "collections.OrderedDict": lambda arguments: as_dict(*arguments[:1]),
        "collections.defaultdict": lambda arguments: as_dict(*arguments[1:2]),
        "torch.Size": lambda arguments: arguments[0] if arguments else (),
    }
)
"""What takes the place of the containers that a pickle names."""


class Tensor(NamedTuple):
    """The layout of a tensor within a storage, and what the pickle says of that storage."""

    storage: str
    size: int
    """The bytes of the storage."""
    layout: Layout


def innermost(node: object) -> object:
    """The tensor in parameters and in tensors with attributes; everything else as it is."""
    while True:
        match node:
            case Call(name, (inner, *_)) if name in _PARAMETERS:
                node = inner
            case Call(name, (Name(maker), Name(cls), tuple(arguments), *_)) if (
                name == _WITH_STATE and cls in _CLASSES
            ):
                node = Call(maker, arguments)
            case _:
                return node


def is_array(node: object) -> bool:
    """Whether a pickle makes an array there, be it one that is read or one that is refused."""
    inner = innermost(node)
    name = inner.name if isinstance(inner, Call) else ""
    return name.startswith(("torch._utils._rebuild_", "torch._tensor._rebuild_")) or (
        name.startswith("numpy.") and name.endswith("._reconstruct")
    )


def described(node: object, order: str, where: Location) -> Tensor:
    """The tensor that a pickle describes, within what it says of the storage; `order` is `<` or `>`."""
    node = innermost(node)
    if not isinstance(node, Call) or node.name not in _TENSORS:
        raise unread(node, where)
    match node.arguments:
        case (
            Reference(("storage", Name(storage), str(key), _, int(count), *_)),
            int(offset),
            shape,
            strides,
            *rest,
        ):
            pass
        case _:
            raise _impossible(where)
    if node.name == _TYPED:
        dtype = rest[2].text if len(rest) > 2 and isinstance(rest[2], Name) else "none"
        metadata, item = rest[3:], 1 if storage == _UNTYPED else 0
    else:
        dtype, code = _DTYPES.get(storage, (storage, ""))
        metadata, item = rest[2:], np.dtype(code or "u1").itemsize
    if dtype not in _CODES:
        known = ", ".join(name.removeprefix("torch.") for name in _CODES)
        hint = f"save it as one of {known}"
        raise DTypeError("losscalc does not read this dtype", found=dtype, location=where, hint=hint)
    if any(metadata):
        raise FormatError(
            "the tensor is negated or conjugated only when it is used",
            location=where,
            hint="save tensor.resolve_neg() in its place",
        )
    if not (is_shape(shape) and _are_counts(strides) and len(strides) == len(shape)):
        raise _impossible(where)
    if not (isinstance(offset, int) and isinstance(count, int) and _are_counts([offset, count])):
        raise _impossible(where)
    numbers = np.dtype(bool) if dtype == "torch.bool" else np.dtype(order + _CODES[dtype])
    apart = tuple(stride * numbers.itemsize for stride in strides)
    layout = Layout(offset * numbers.itemsize, numbers, tuple(shape), apart, dtype == "torch.bfloat16")
    if layout.extent and layout.start + layout.extent > count * item:
        reach = layout.start + layout.extent
        raise FormatError(
            f"the tensor reaches to byte {reach} of a storage of {count * item} bytes", location=where
        )
    return Tensor(key, count * item, layout)


def unread(node: object, where: Location) -> FormatError:
    """The error about what is no tensor, by the name that the pickle has for it."""
    hint = "save tensors, or dicts and lists of them: torch.save(model.state_dict(), FILE)"
    if isinstance(node, Call):
        problem = "made by something that is never imported or called"
        if node.name.startswith("numpy."):
            hint = "save it as a tensor: torch.as_tensor(array)"
        return FormatError(problem, found=node.name, location=where, hint=hint)
    return FormatError("not an array", found=type(node).__name__, location=where, hint=hint)


def _impossible(where: Location) -> FormatError:
    return FormatError("the pickle describes a tensor that cannot be", location=where)


def _are_counts(numbers: object) -> TypeGuard[Sequence[int]]:
    """Whether these are whole numbers, none of them negative and none larger than a file can be."""
    return isinstance(numbers, list | tuple) and all(type(n) is int and 0 <= n < 1 << 62 for n in numbers)
