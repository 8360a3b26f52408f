"""Golden rows: single points with their exact values, as lines of text that lose no bit of the arguments.

    LOSS  DTYPE  KIND  ARGUMENTS  =>  VALUE  SIZE

The arguments are JSON, with floating numbers as hexadecimal text. The value is the exact one, to 30 digits,
and the size that of the largest part of the sum that it is.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import mpmath
import numpy as np
from mpmath import mpf

from tests.support.exact import VALUES, Error, Parts, samples, settled
from tests.support.points import Batch

PATH = Path(__file__).parents[1] / "data" / "worst.txt"
FLOATING = re.compile(r"-?(0x.+|inf)")
DIGITS = 30


class Golden(NamedTuple):
    """A call with one sample, and its exact value."""

    name: str
    dtype: str
    kind: str
    arguments: dict[str, Any]
    exact: Parts

    HEADER = (
        "# The points with the largest errors that tests/benchmarks/accuracy.py found, one per line:",
        "#",
        "#     LOSS  DTYPE  KIND  ARGUMENTS  =>  VALUE  SIZE",
        "#",
        "# Floating numbers are hexadecimal. VALUE is the exact value by mpmath, to 30 digits, and SIZE that",
        "# of the largest part of the sum that it is.",
        "",
    )

    @classmethod
    def of(cls, batch: Batch) -> "Golden":
        """The exact value of a call with one sample."""
        (sample,) = samples(batch.name, batch.arguments)
        (exact,) = settled(VALUES[batch.name], sample)
        return cls(batch.name, batch.dtype, batch.kind, batch.arguments, exact)

    @property
    def line(self) -> str:
        """As text."""
        arguments = json.dumps(_packed(self.arguments), separators=(",", ":"))
        value, size = mpmath.nstr(self.exact.value, DIGITS), mpmath.nstr(self.exact.size, DIGITS)
        return f"{self.name}  {self.dtype}  {self.kind}  {arguments}  =>  {value}  {size}"

    @classmethod
    def parse(cls, line: str) -> "Golden":
        """From text."""
        name, dtype, kind, arguments, _, value, size = line.split("  ")
        unpacked = {k: _unpacked(v, dtype) for k, v in json.loads(arguments).items()}
        with mpmath.workdps(DIGITS):
            return cls(name, dtype, kind, unpacked, Parts(mpf(value), mpf(size)))

    def error(self, value: float) -> Error:
        """The distance of a computed value."""
        with mpmath.workdps(DIGITS):
            return Error.of(value, self.exact, np.dtype(self.dtype))


def rows() -> Iterator[Golden]:
    """All golden rows."""
    for line in PATH.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield Golden.parse(line)


def _packed(value: Any) -> Any:
    """Lists for arrays and hexadecimal text for floating numbers."""
    if isinstance(value, dict):
        return {key: _packed(part) for key, part in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list):
        return [_packed(part) for part in value]
    return value.hex() if isinstance(value, float) else value


def _unpacked(value: Any, dtype: str) -> Any:
    """Arrays for lists, in the dtype where they are floating."""
    if isinstance(value, dict):
        return {key: _unpacked(part, dtype) for key, part in value.items()}
    if isinstance(value, list):
        array = np.array(_numbers(value))
        return array.astype(dtype) if array.dtype.kind == "f" else array
    return _numbers(value)


def _numbers(value: Any) -> Any:
    if isinstance(value, list):
        return [_numbers(part) for part in value]
    return float.fromhex(value) if isinstance(value, str) and FLOATING.fullmatch(value) else value
