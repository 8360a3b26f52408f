"""Pages of several parts, tables and workings, in every format."""

from collections.abc import Sequence

from losscalc.errors import UsageError
from losscalc.outputs.numbers import json_bytes
from losscalc.outputs.sheets import Sheet, facts, write_sheets
from losscalc.outputs.working import Working, working_latex, working_markdown, working_text

Part = Sheet | Working
"""What a page is made of."""

_WRITE = {"plain": working_text, "markdown": working_markdown, "latex": working_latex}


def write_parts(parts: Sequence[Part], name: str, decimals: int | None, title: str = "losscalc") -> bytes:
    """Write a page in the format with a name."""
    if name == "html":
        from losscalc.outputs.html import page

        return page(title, parts, decimals)
    if all(isinstance(part, Sheet) for part in parts):
        return write_sheets([part for part in parts if isinstance(part, Sheet)], name, decimals)
    if name in ("json", "jsonl"):
        return json_bytes(dict(_named(part, decimals) for part in parts))
    if name not in _WRITE:
        refuse_working()
    texts = [
        _WRITE[name](part).encode() if isinstance(part, Working) else write_sheets([part], name, decimals)
        for part in parts
    ]
    return b"\n".join(text for text in texts if text)


def _named(part: Part, decimals: int | None) -> tuple[str, object]:
    """A part for JSON, with its name."""
    return ("working", part.facts()) if isinstance(part, Working) else (part.title, facts(part, decimals))


def refuse_working() -> None:
    """Raise the error of a format that has no place for a working."""
    hint = "take plain, table, markdown, latex, html or json with `explain`"
    raise UsageError("this format has no place for the working", hint=hint)
