"""Tables as DataFrames of the libraries that are installed, and what a hint says to give instead of one."""

import contextlib
import importlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import losscalc


def frames(table: Mapping[str, Sequence[Any]]) -> Iterator[Any]:
    """The table as the libraries hold it that are installed."""
    for library, name in (("pandas", "DataFrame"), ("polars", "DataFrame"), ("pyarrow", "table")):
        with contextlib.suppress(ImportError):
            yield getattr(importlib.import_module(library), name)(table)


def hinted(error: losscalc.LosscalcError, frame: Any) -> Any:
    """What the hint of an error says to give instead of a frame."""
    assert error.hint is not None
    return eval(error.hint.partition(";")[0].rpartition(": ")[2], {"df": frame, "table": frame})
