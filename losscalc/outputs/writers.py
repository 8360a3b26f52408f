"""Results as bytes, one function a format."""

from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from losscalc.core.array import Array, row_size
from losscalc.errors import UsageError
from losscalc.outputs.numbers import fixed, lines, nested, texts
from losscalc.outputs.result import Result, Working

Write = Callable[[Result, int | None], bytes]
WritePieces = Callable[[Result, int | None], Iterator[bytes]]

# So many numbers are written at once.
_PART = 1 << 17
# Python's JSON reads these back; strict JSON has none and writes null.
_JSON_WORDS = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
_JSON_NULL = dict.fromkeys(_JSON_WORDS, "null")


class Writer(NamedTuple):
    """A way to write a result."""

    name: str
    suffixes: tuple[str, ...]
    pieces: WritePieces
    """The bytes, in pieces of some rows as far as the format lets them stand alone."""

    def write(self, result: Result, precision: int | None) -> bytes:
        """All bytes."""
        return b"".join(self.pieces(result, precision))


def _at_once(write: Write) -> WritePieces:
    """All bytes in one piece."""
    return lambda result, precision: iter([write(result, precision)])


def plain(result: Result, precision: int | None) -> Iterator[bytes]:
    """Numbers and nothing else: rows with commas, and nested lists beyond two axes; or the working."""
    if result.working is not None:
        return iter([working_text(result.working).encode()])
    if result.value.ndim > 2:
        return iter([(nested(result.value, precision, _JSON_WORDS) + "\n").encode()])
    return _text_lines(result, precision, ",")


def separated(delimiter: str) -> WritePieces:
    """Numbers with a delimiter, in rows and columns."""

    def write(result: Result, precision: int | None) -> Iterator[bytes]:
        _refuse_working(result)
        if result.value.ndim > 2:
            raise UsageError(
                f"the result has {result.value.ndim} axes, more than rows and columns can show",
                hint="give --format json or npy",
            )
        return _text_lines(result, precision, delimiter)

    return write


def as_json(result: Result, precision: int | None) -> bytes:
    """One strict JSON object."""
    import json

    members = []
    for key, fact in result.facts().items():
        if isinstance(fact, float):
            fact = np.asarray(fact)
        text = nested(fact, precision, _JSON_NULL) if isinstance(fact, np.ndarray) else json.dumps(fact)
        members.append(f"{json.dumps(key)}: {text}")
    return ("{" + ", ".join(members) + "}\n").encode()


def json_lines(result: Result, precision: int | None) -> Iterator[bytes]:
    """A row a line; a scalar is the one object that JSON makes of it."""
    if result.value.ndim == 0 or result.working is not None:
        yield as_json(result, precision)
        return
    for part in _parts(result.value):
        if part.ndim == 1:
            words = texts(part, precision)
            yield "".join(_JSON_NULL.get(word, word) + "\n" for word in words).encode()
            continue
        rows = (np.asarray(row) for row in part)
        yield "".join(nested(row, precision, _JSON_NULL) + "\n" for row in rows).encode()


def markdown(result: Result, precision: int | None) -> bytes:
    """A table in the syntax of Markdown."""
    rows: list[list[str]]
    decimals = 4 if precision is None else precision
    value = result.value
    if result.working is not None:
        return _working_markdown(result.working).encode()
    if value.ndim == 0:
        rows = [
            ["", result.name],
            ["---", "---:"],
            *([name, text] for name, text in summary(result, decimals)),
        ]
    else:
        table = value.reshape(value.shape[0], -1)
        columns = [""] + [str(i) for i in range(table.shape[1])]
        rows = [columns, ["---:"] * len(columns)]
        rows += [[str(i), *(fixed(v, decimals) for v in row)] for i, row in enumerate(table.tolist())]
    return "".join("| " + " | ".join(row) + " |\n" for row in rows).encode()


def npy(result: Result, precision: int | None) -> Iterator[bytes]:
    """NumPy's own format, in C order; it has all digits, whatever the precision."""
    import io

    _refuse_working(result)
    value = result.value
    buffer = io.BytesIO()
    entries = {"descr": value.dtype.str, "fortran_order": False, "shape": value.shape}
    np.lib.format.write_array_header_1_0(buffer, entries)
    yield buffer.getvalue()
    for part in _parts(value):
        yield part.tobytes()


def latex(result: Result, precision: int | None) -> bytes:
    """A number, a matrix, or the working as aligned equations."""
    if result.working is not None:
        return _working_latex(result.working).encode()
    if result.value.ndim > 2:
        raise UsageError(f"the result has {result.value.ndim} axes, more than a matrix can show")
    rows = [row.replace(",", " & ") for row in lines(result.value, precision, ",")]
    body = " \\\\\n".join(rows)
    return (
        body if result.value.ndim == 0 else f"\\begin{{bmatrix}}\n{body}\n\\end{{bmatrix}}"
    ).encode() + b"\n"


def working_text(working: Working) -> str:
    """How a loss comes about, a line a step."""
    steps = [line.sentence for line in (*working.losses, *working.reduction)]
    return "\n".join([f"{working.title}: {working.formula}", *steps]) + "\n"


def _working_markdown(working: Working) -> str:
    rows = [["", "working", "value", "with"], ["---", "---", "---:", "---"]]
    rows += [
        [line.label, f"`{line.text}`", line.value, line.behind]
        for line in (*working.losses, *working.reduction)
    ]
    table = "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n" for row in rows)
    return f"**{working.title}**: `{working.formula}`\n\n{table}"


def _working_latex(working: Working) -> str:
    """An align environment: the label on the left, the working, the value, and what stands behind it."""
    equations = [rf"\ell &= {working.latex}"]
    for line in (*working.losses, *working.reduction):
        label = (
            rf"\ell_{{{line.label.strip('[]')}}}" if line.label.startswith("[") else rf"\text{{{line.label}}}"
        )
        value = f" = {line.value}" if line.value else ""
        behind = rf" \quad ({line.behind_latex})" if line.behind_latex else ""
        equations.append(f"{label if line.label else chr(92) + 'ell'} &= {line.latex}{value}{behind}")
    body = " \\\\\n".join(equations).replace("…", r"\dots")
    return f"\\begin{{align*}}\n{body}\n\\end{{align*}}\n"


def _refuse_working(result: Result) -> None:
    if result.working is not None:
        raise UsageError(
            "this format has no place for the working",
            hint="take plain, table, markdown, latex or json with `explain`",
        )


def summary(result: Result, decimals: int) -> list[tuple[str, str]]:
    """What there is to say about a single number: where it comes from, and of how many."""
    value = ("value", fixed(float(result.value), decimals))
    if result.reduction is None:
        return [value]
    if result.gradient is not None:
        return [("reduction", result.reduction), (f"gradient of {result.gradient}", value[1])]
    rows = [("reduction", result.reduction), value]
    if result.reduction in ("mean", "batchmean"):
        rows += [
            ("numerator", fixed(result.numerator, decimals)),
            ("denominator", count_text(result.denominator, decimals)),
        ]
    rows.append(("count", str(result.count)))
    if result.ignored:
        rows.append(("ignored", str(result.ignored)))
    return rows


def count_text(number: float, decimals: int) -> str:
    """A denominator: without decimals when it is a count."""
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else fixed(number, decimals)


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
            Writer("plain", (".txt", ".dat", ""), plain),
            Writer("csv", (".csv",), separated(",")),
            Writer("tsv", (".tsv", ".tab"), separated("\t")),
            Writer("json", (".json",), _at_once(as_json)),
            Writer("jsonl", (".jsonl", ".ndjson"), json_lines),
            Writer("markdown", (".md", ".markdown"), _at_once(markdown)),
            Writer("latex", (".tex",), _at_once(latex)),
            Writer("npy", (".npy",), npy),
        )
    }
)
