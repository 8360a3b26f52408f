"""Second readers of safetensors and of files of torch.save, for what losscalc has found to be in order."""

import io
import json
import math
import pickle
import zipfile

import numpy as np


def as_safetensors(data: bytes) -> np.ndarray:
    """The only tensor of a file of safetensors, by the letter of the format."""
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    (entry,) = header.values()
    begin, end = entry["data_offsets"]
    assert begin == 0
    assert len(data) == 8 + length + end
    return shaped(data[8 + length :], entry["dtype"].lower(), entry["shape"])


def shaped(raw: bytes, dtype: str, shape: list[int]) -> np.ndarray:
    """Numbers of a dtype that safetensors or PyTorch name."""
    if dtype in ("bf16", "bfloat16"):
        raw = b"".join(b"\0\0" + raw[i : i + 2] for i in range(0, len(raw), 2))
    codes = {"bf16": "f4", "bfloat16": "f4", "f64": "f8", "f32": "f4", "f16": "f2", "i64": "i8", "i32": "i4"}
    codes |= {"i16": "i2", "i8": "i1", "u8": "u1", "bool": "?"}
    return np.frombuffer(raw, np.dtype(codes[dtype])).reshape(shape)


class Mark(str):
    """A name that does nothing, whatever is done with it."""

    def __call__(self, *arguments: object) -> "Mark":
        """Itself."""
        return self

    def __setitem__(self, key: object, value: object) -> None:
        """Nothing."""

    append = extend = add = __call__


class Tensors(pickle._Unpickler):
    """Python's own machine, on pickles of which it is known that they name nothing else."""

    def load_build(self) -> None:
        """What state something is said to have does not change the numbers of a tensor."""
        self.stack.pop()
        if not isinstance(self.stack[-1], dict | Mark | Strided):
            raise pickle.UnpicklingError

    dispatch = pickle._Unpickler.dispatch | {pickle.BUILD[0]: load_build}

    def find_class(self, module: str, name: str) -> object:
        """The makers of tensors, and the names of storages."""
        if (module, name) == ("collections", "OrderedDict"):
            return dict
        if name in ("_rebuild_tensor_v2", "_rebuild_tensor"):
            return lambda storage, offset, shape, strides, *rest: Strided(storage, offset, shape, strides)
        return Mark(f"{module}.{name}")

    def persistent_load(self, identity: tuple[object, ...]) -> object:
        """The kind of a storage and its key."""
        return identity[1:3]


class Strided:
    """A tensor, number by number."""

    def __init__(
        self, storage: object, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]
    ) -> None:
        self.storage, self.offset, self.shape, self.strides = storage, offset, shape, strides

    def __call__(self, *arguments: object) -> Mark:
        """Nothing that is known."""
        return Mark("()")

    append = extend = add = __setitem__ = __call__

    def read(self, file: zipfile.ZipFile, root: str) -> np.ndarray:
        """The numbers, picked one at a time."""
        kind, key = self.storage
        names = {"torch.FloatStorage": "f32", "torch.BFloat16Storage": "bf16", "torch.LongStorage": "i64"}
        raw = b""
        if math.prod(self.shape):
            raw = member(file, f"{root}/data/{key}")
        size = {"f32": 4, "bf16": 2, "i64": 8}[names[kind]]
        numbers = shaped(raw[: len(raw) // size * size], names[kind], [-1])
        if f"{root}/byteorder" in file.namelist() and member(file, f"{root}/byteorder") == b"big":
            numbers = shaped(raw[: len(raw) // size * size][::-1], names[kind], [-1])[::-1]
        picked = np.zeros(self.shape, numbers.dtype)
        for index in np.ndindex(*self.shape):
            picked[index] = numbers[
                self.offset + sum(i * s for i, s in zip(index, self.strides, strict=True))
            ]
        return picked


def member(file: zipfile.ZipFile, name: str) -> bytes:
    """The bytes of a member, whose checksum PyTorch does not look at either."""
    with file.open(name) as opened:
        opened._expected_crc = None
        return opened.read()


def as_torch(data: bytes) -> np.ndarray:
    """The only tensor of a file of torch.save, through Python's own machine."""
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        (name,) = (name for name in file.namelist() if name.endswith("/data.pkl") and name.count("/") == 1)
        contents = Tensors(io.BytesIO(member(file, name))).load()
        found = flat(contents)
        if not any(isinstance(item, Strided) for item in found):
            return np.array(contents, float)
        (only,) = (item for item in found if isinstance(item, Strided))
        return only.read(file, name.removesuffix("/data.pkl"))


def flat(root: object) -> list[object]:
    """Everything in dicts and lists, whatever is in several places or in itself once."""
    found, waiting, seen = [], [root], set()
    while waiting:
        node = waiting.pop()
        if not isinstance(node, dict | list | tuple):
            found.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            items = node.items() if isinstance(node, dict) else enumerate(node)
            waiting += [inner for key, inner in items if type(key) in (str, int)]
    return found
