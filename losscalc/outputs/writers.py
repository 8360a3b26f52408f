"""Writes results as bytes, with a function for each format."""

import io
from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from losscalc.core.array import Array, row_size
from losscalc.errors import UsageError
from losscalc.outputs.numbers import PYTHON_WORDS, STRICT_WORDS, json_bytes, lines, nested, texts
from losscalc.outputs.result import Result

Write = Callable[[Result, int | None], bytes]
WritePieces = Callable[[Result, int | None], Iterator[bytes]]

# The number of numbers that are written at once.
_PART = 1 << 17


class Writer(NamedTuple):
    """A format to write a result in."""

    name: str
    suffixes: tuple[str, ...]
    pieces: WritePieces
    """A function that gives the bytes, in pieces of some rows if the format allows it."""

    def write(self, result: Result, precision: int | None) -> bytes:
        """All bytes of a result."""
        return b"".join(self.pieces(result, precision))


def _at_once(write: Write) -> WritePieces:
    """All bytes in one piece."""
    return lambda result, precision: iter([write(result, precision)])


def _plain(result: Result, precision: int | None) -> Iterator[bytes]:
    """Only numbers, in rows with commas, or in nested lists beyond two axes; or the working."""
    if result.working is not None:
        from losscalc.outputs.working import working_text

        return iter([working_text(result.working).encode()])
    if result.value.ndim > 2:
        return iter([(nested(result.value, precision, PYTHON_WORDS) + "\n").encode()])
    return _text_lines(result, precision, ",")


def _separated(delimiter: str) -> WritePieces:
    """Numbers with a delimiter, in rows and columns."""

    def write(result: Result, precision: int | None) -> Iterator[bytes]:
        _refuse_working(result)
        _refuse_axes(result)
        return _text_lines(result, precision, delimiter)

    return write


def _json(result: Result, precision: int | None) -> bytes:
    """One strict JSON object."""
    return json_bytes(result.facts(), precision)


def _json_lines(result: Result, precision: int | None) -> Iterator[bytes]:
    """A line for each row; a scalar is one object, as in JSON."""
    if result.value.ndim == 0 or result.working is not None:
        yield _json(result, precision)
        return
    for part in _parts(result.value):
        if part.ndim == 1:
            rows = (STRICT_WORDS.get(word, word) for word in texts(part, precision))
        else:
            rows = (nested(row, precision, STRICT_WORDS) for row in part)
        yield "".join(row + "\n" for row in rows).encode()


def _markdown(result: Result, precision: int | None) -> bytes:
    """A table: the arithmetic of a scalar, or an array with its indices; or the working."""
    if result.working is not None:
        from losscalc.outputs.working import working_markdown

        return working_markdown(result.working).encode()
    from losscalc.outputs.sheets import markdown

    if result.value.size:
        _refuse_axes(result)
    return markdown(result.table(), 4 if precision is None else precision).encode()


def _npy(result: Result, precision: int | None) -> Iterator[bytes]:
    """NumPy's own format, in C order; it keeps all digits, whatever the precision."""
    _refuse_working(result)
    value = result.value
    if value.dtype == object:
        problem = "npy has no numbers with more digits than float64"
        raise UsageError(problem, hint="take csv or json with `digits`")
    buffer = io.BytesIO()
    entries = {"descr": value.dtype.str, "fortran_order": False, "shape": value.shape}
    np.lib.format.write_array_header_1_0(buffer, entries)
    yield buffer.getvalue()
    for part in _parts(value):
        yield part.tobytes()


def _latex(result: Result, precision: int | None) -> bytes:
    """A number, a matrix, or the working as aligned equations."""
    if result.working is not None:
        from losscalc.outputs.working import working_latex

        return working_latex(result.working).encode()
    if result.value.ndim > 2:
        raise UsageError(f"the result has {result.value.ndim} axes, more than a matrix can show")
    body = " \\\\\n".join(lines(result.value, precision, " & "))
    if result.value.ndim:
        body = f"\\begin{{bmatrix}}\n{body}\n\\end{{bmatrix}}"
    return f"{body}\n".encode()


def _html(result: Result, precision: int | None) -> bytes:
    """A page: the arithmetic of a scalar, or an array with its indices; and the working."""
    from losscalc.outputs.html import page

    if result.working is None and result.value.size:
        _refuse_axes(result)
    return page(
        f"losscalc {result.name}", [result.table(), *([result.working] if result.working else [])], precision
    )


def _refuse_axes(result: Result) -> None:
    if result.value.ndim > 2:
        raise UsageError(
            f"the result has {result.value.ndim} axes, more than rows and columns can show",
            hint="give --format json or npy",
        )


def _refuse_working(result: Result) -> None:
    if result.working is not None:
        from losscalc.outputs.parts import refuse_working

        refuse_working()


def _text_lines(result: Result, precision: int | None, delimiter: str) -> Iterator[bytes]:
    for part in _parts(result.value) if result.value.size else ():
        yield ("\n".join(lines(part, precision, delimiter)) + "\n").encode()


def _parts(value: Array) -> Iterator[Array]:
    """An array in parts of some rows."""
    if value.ndim == 0:
        yield value
        return
    rows = max(1, _PART // row_size(value.shape))
    for start in range(0, len(value), rows):
        yield value[start : start + rows]


WRITERS = MappingProxyType(
    {
        writer.name: writer
        for writer in (
            Writer("plain", (".txt", ".dat", ""), _plain),
            Writer("csv", (".csv",), _separated(",")),
            Writer("tsv", (".tsv", ".tab"), _separated("\t")),
            Writer("json", (".json",), _at_once(_json)),
            Writer("jsonl", (".jsonl", ".ndjson"), _json_lines),
            Writer("markdown", (".md", ".markdown"), _at_once(_markdown)),
            Writer("latex", (".tex",), _at_once(_latex)),
            Writer("html", (".html", ".htm"), _at_once(_html)),
            Writer("npy", (".npy",), _npy),
        )
    }
)
