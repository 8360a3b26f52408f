"""Collects results that may be larger than memory, in a file without a name until they are complete."""

import contextlib
import mmap
import os
import tempfile
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from losscalc.core.array import Array
from losscalc.engine.collect import Change
from losscalc.errors import Location, OutputError, reason

# Smaller results stay in memory.
_MOST_IN_MEMORY = 1 << 25
# The number of bytes that are changed at once.
_STEP = 1 << 23


class Spool:
    """Keeps arrays, and joins them; large ones in a file that is removed whatever happens.

    The file lies in the folder of the result, where there must be room for it anyway.
    """

    def __init__(self, path: str, folder: str | None) -> None:
        self._path = path
        self._folder = folder
        self._held = 0
        self._rows = 0
        self._pieces: list[Array] = []
        self._empty: Array | None = None
        """An array without rows, for the shape and dtype of a row."""
        self._file: BinaryIO | None = None
        self._map: mmap.mmap | None = None

    def add(self, piece: Array) -> None:
        """Keep the array in memory, or write it to the file."""
        self._empty = piece[:0] if self._empty is None else self._empty
        self._rows += len(piece)
        self._held += piece.nbytes
        self._pieces.append(piece)
        if self._held > _MOST_IN_MEMORY:
            with self._reported():
                self._write_pieces()

    def finish(self, change: Change | None) -> Array:
        """All arrays as one, which is mapped from the file."""
        if self._file is None or self._empty is None:
            whole = np.concatenate(self._pieces)
            return whole if change is None else change(whole)
        with self._reported():
            dtype = self._empty.dtype if change is None else self._change(self._file, self._empty, change)
            self._file.flush()
            self._map = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        row = (self._empty if change is None else change(self._empty)).shape[1:]
        return np.frombuffer(self._map, dtype).reshape(self._rows, *row)

    def release(self) -> None:
        """Drop the pages in memory that were read; they stay in the file."""
        if self._map is not None and hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)

    def close(self) -> None:
        """Close the file; the array from `finish` stays valid as long as it is used."""
        if self._file is not None:
            # If a result has failed, the rest of its bytes need not be written.
            with contextlib.suppress(OSError):
                self._file.close()

    def _write_pieces(self) -> None:
        """Move the arrays in memory to the file."""
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - it lives as long as this
        for piece in self._pieces:
            self._file.write(np.ascontiguousarray(piece).data)
        self._pieces = []

    def _change(self, file: BinaryIO, empty: Array, change: Change) -> np.dtype:
        """Change the rows in place, and return their new dtype; neither they nor it get larger."""
        dtype = empty.dtype
        row = dtype.itemsize * int(np.prod(empty.shape[1:], dtype=np.int64))
        step = max(1, _STEP // max(1, row)) * row
        read = written = 0
        while read < self._rows * row:
            file.seek(read)
            raw = file.read(min(step, self._rows * row - read))
            read += len(raw)
            changed = change(np.frombuffer(raw, empty.dtype).reshape(-1, *empty.shape[1:]))
            dtype = changed.dtype
            file.seek(written)
            written += file.write(np.ascontiguousarray(changed).data)
        file.flush()
        os.ftruncate(file.fileno(), written)
        return dtype

    @contextlib.contextmanager
    def _reported(self) -> Iterator[None]:
        """Turn an OSError into an OutputError that names the result."""
        try:
            yield
        except OSError as error:
            problem = f"cannot write: {reason(error)}"
            raise OutputError(problem, location=Location(self._path)) from error
