"""Makers of safetensors and of files of torch.save, of which every part can be wrong."""

import io
import json
import pickle
import warnings
import zipfile
from collections.abc import Mapping

import numpy as np

SIX = np.arange(6, dtype="<f4").tobytes()
"""The numbers of the tensor that the makers describe unless told otherwise."""


def entry(dtype: object = "F32", shape: object = (2, 3), offsets: object = (0, 24)) -> dict[str, object]:
    """What a header of safetensors says of a tensor."""
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def safetensors(
    header: Mapping[str, object] | bytes | None = None, data: bytes = SIX, length: int | None = None
) -> bytes:
    """A file of safetensors; the length may be claimed to be another one."""
    header = {"a": entry()} if header is None else header
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(raw) if length is None else length).to_bytes(8, "little") + raw + data


def put(value: object) -> bytes:
    """The instructions of a pickle that put a value of Python's own on the stack."""
    return pickle.dumps(value, 2)[2:-1]


def name(module: str, attribute: str) -> bytes:
    """The instruction that looks up a name."""
    return f"c{module}\n{attribute}\n".encode()


def call(module: str, attribute: str, *arguments: bytes) -> bytes:
    """The instructions that call a name."""
    return name(module, attribute) + b"(" + b"".join(arguments) + b"tR"


def storage(key: str = "0", count: object = 6, kind: str = "FloatStorage", module: str = "torch") -> bytes:
    """A reference to the numbers beside the pickle."""
    return b"(" + put("storage") + name(module, kind) + put(key) + put("cpu") + put(count) + b"tQ"


def tensor(
    numbers: bytes | None = None,
    offset: object = 0,
    shape: object = (2, 3),
    strides: object = (3, 1),
    more: bytes = b"",
) -> bytes:
    """A tensor as torch.save describes it."""
    numbers = storage() if numbers is None else numbers
    rest = b"\x89" + call("collections", "OrderedDict") + more
    return call("torch._utils", "_rebuild_tensor_v2", numbers, put(offset), put(shape), put(strides), rest)


def dictionary(**items: bytes) -> bytes:
    """A dict of values that are given as instructions."""
    return b"}(" + b"".join(put(key) + item for key, item in items.items()) + b"u"


def torch_file(
    pickled: bytes | None = None,
    members: Mapping[str, bytes] | None = None,
    *,
    compression: int = zipfile.ZIP_STORED,
    root: str = "archive",
) -> bytes:
    """An archive of torch.save; members of None are left out."""
    contents = {
        "data.pkl": b"\x80\x02" + (tensor() if pickled is None else pickled) + b".",
        "byteorder": b"little",
        "data/0": SIX,
        "version": b"3\n",
        **(members or {}),
    }
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", compression) as file:
        warnings.simplefilter("ignore")
        for member, data in contents.items():
            if data is not None:
                file.writestr(zipfile.ZipInfo(f"{root}/{member}"), data, compress_type=compression)
    return buffer.getvalue()
