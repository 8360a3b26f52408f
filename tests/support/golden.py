"""Golden rows: single points with their exact values, as lines of text that lose no bit.

    LOSS  DTYPE  KIND  ARGUMENTS  =>  VALUE  REST  UNIT

The arguments are JSON, with floating numbers as hexadecimal text. The value is the exact one rounded to the
dtype, and the rest is what that lacks, in units of its last place (ULP). The last number is one ULP of
float64 of the largest part of the sum, in ULP of the value.
"""

import json
import re
from collections.abc import Iterator
from math import inf, isfinite
from pathlib import Path
from typing import Any, NamedTuple

import mpmath
import numpy as np
from mpmath import mpf

from tests.support.exact import VALUES, Error, Exact, samples, settled, spacing
from tests.support.points import Batch

PATH = Path(__file__).parents[1] / "data" / "worst.txt"
FLOATING = re.compile(r"-?(0x.+|inf)")


class Golden(NamedTuple):
    """A call with one sample, and its exact value."""

    name: str
    dtype: str
    kind: str
    arguments: dict[str, Any]
    value: float
    rest: float
    unit: Exact

    HEADER = (
        "# The points with the largest errors that tests/benchmarks/accuracy.py found, one a line:",
        "#",
        "#     LOSS  DTYPE  KIND  ARGUMENTS  =>  VALUE  REST  UNIT",
        "#",
        "# Floating numbers are hexadecimal. VALUE is the exact value, rounded to DTYPE with mpmath, and",
        "# REST what it lacks of the exact one, in units of its last place (ULP). UNIT is one ULP of float64",
        "# of the largest part of the sum, in the same units.",
        "",
    )

    @classmethod
    def of(cls, batch: Batch) -> "Golden":
        """The exact value of a call with one sample."""
        (sample,) = samples(batch.name, batch.arguments)
        (parts,) = settled(VALUES[batch.name], sample)
        dtype, exact = batch.dtype, parts.value
        unit64 = Error.of(0.0, parts, np.dtype(dtype)).unit
        call = (batch.name, dtype, batch.kind, batch.arguments)
        with mpmath.workprec(5000):
            unit = spacing(exact, np.dtype(dtype))
            steps = exact if mpmath.isinf(exact) else mpmath.nint(exact / unit)
            if abs(steps * unit) > float(np.finfo(dtype).max):
                return cls(*call, inf if exact > 0 else -inf, 0.0, unit64)
            return cls(*call, float(steps * unit), float(exact / unit - steps), unit64)

    @property
    def line(self) -> str:
        """As text."""
        arguments = json.dumps(_packed(self.arguments), separators=(",", ":"))
        start = f"{self.name}  {self.dtype}  {self.kind}  {arguments}"
        return f"{start}  =>  {self.value.hex()}  {self.rest:+.4f}  {mpmath.nstr(self.unit, 4)}"

    @classmethod
    def parse(cls, line: str) -> "Golden":
        """From text."""
        name, dtype, kind, arguments, _, value, rest, unit = line.split("  ")
        unpacked = {k: _unpacked(v, dtype) for k, v in json.loads(arguments).items()}
        return cls(name, dtype, kind, unpacked, float.fromhex(value), float(rest), mpf(unit))

    def error(self, value: float) -> Error:
        """The distance of a computed value."""
        if not (isfinite(self.value) and isfinite(value)):
            return Error(mpf(0 if value == self.value else inf), self.unit)
        ulp = spacing(mpf(self.value), np.dtype(self.dtype))
        return Error(abs((mpf(float(value)) - mpf(self.value)) / ulp - self.rest), self.unit)


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
