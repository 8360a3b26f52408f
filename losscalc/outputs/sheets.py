"""Tables of texts on their way out: statistics, the worst rows, comparisons."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from losscalc.cli.output import Delivery
from losscalc.errors import UsageError
from losscalc.outputs.numbers import decimal

_NUMBER = re.compile(r"-?\d+\.\d+(e[-+]\d+)?")


class Sheet(NamedTuple):
    """A table of texts, with a title."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def send_sheets(delivery: Delivery, sheets: Sequence[Sheet]) -> None:
    """Write tables in the format of the delivery."""
    sheets = [sheet for sheet in sheets if sheet.rows]
    if delivery.is_table:
        from losscalc.outputs.tables import draw_sheets

        tables = [tuple(sheet) for sheet in sheets]
        delivery.send_bytes(delivery.canvas_text(lambda canvas: draw_sheets(tables, canvas)))
        return
    writers = {"plain": _plain, "markdown": _markdown, "json": _json, "csv": _separated, "tsv": _separated}
    if delivery.format not in writers:
        raise UsageError(
            f"this cannot be written as {delivery.format}", hint="take plain, table, csv or json"
        )
    if delivery.precision is not None:
        sheets = [_rounded(sheet, delivery.precision) for sheet in sheets]
    write = writers[delivery.format]
    delimiter = "," if delivery.format == "csv" else "\t"
    delivery.send_bytes(write(sheets, delimiter).encode())


def _rounded(sheet: Sheet, precision: int) -> Sheet:
    """The sheet with so many decimals in its numbers."""
    rows = [
        tuple(decimal(float(cell), precision) if _NUMBER.fullmatch(cell) else cell for cell in row)
        for row in sheet.rows
    ]
    return sheet._replace(rows=rows)


def _plain(sheets: Sequence[Sheet], delimiter: str) -> str:
    """A line a row, with tabs; a blank line between tables."""
    return "\n".join(_separated([sheet], "\t") for sheet in sheets)


def _separated(sheets: Sequence[Sheet], delimiter: str) -> str:
    lines = []
    for sheet in sheets:
        lines.append(delimiter.join(_quoted(cell, delimiter) for cell in sheet.columns))
        lines += [delimiter.join(_quoted(cell, delimiter) for cell in row) for row in sheet.rows]
    return "".join(line + "\n" for line in lines)


def _quoted(cell: str, delimiter: str) -> str:
    return f'"{cell}"' if delimiter in cell else cell


def _markdown(sheets: Sequence[Sheet], delimiter: str) -> str:
    texts = []
    for sheet in sheets:
        rows = [sheet.columns, ("---",) * len(sheet.columns), *sheet.rows]
        texts.append("".join("| " + " | ".join(row) + " |\n" for row in rows))
    return "\n".join(texts)


def _json(sheets: Sequence[Sheet], delimiter: str) -> str:
    import json

    facts = {
        sheet.title: [dict(zip(sheet.columns, row, strict=True)) for row in sheet.rows] for sheet in sheets
    }
    return json.dumps(facts, ensure_ascii=False) + "\n"
