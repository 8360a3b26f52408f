"""Runs a notebook without Jupyter: its cells are Python, and what the last line of each gives is shown."""

import ast
import contextlib
import io
import json
import warnings
from pathlib import Path
from typing import Any

# What a notebook asks an object for, besides its repr.
RICH = {"text/html": "_repr_html_", "text/markdown": "_repr_markdown_", "text/latex": "_repr_latex_"}


def load(path: Path) -> dict[str, Any]:
    """The notebook in a file."""
    notebook: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return notebook


def write(notebook: dict[str, Any]) -> str:
    """A notebook as text, in the form in which Jupyter saves it."""
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def executed(notebook: dict[str, Any]) -> dict[str, Any]:
    """The notebook with what its cells give when they are run one after the other, in this folder."""
    names: dict[str, Any] = {"__name__": "__main__"}
    cells, count = [], 0
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            count += 1
            outputs = _outputs("".join(cell["source"]), names, count)
            cell = {**cell, "execution_count": count, "outputs": outputs}
        cells.append(cell)
    return {**notebook, "cells": cells}


def shown(notebook: dict[str, Any]) -> list[str]:
    """The texts of all outputs, in all their forms."""
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", ())]
    return ["".join(text) for output in outputs for text in _forms(output)]


def _forms(output: dict[str, Any]) -> list[list[str]]:
    if "text" in output:
        return [output["text"]]
    return [text for _, text in sorted(output["data"].items())]


def _outputs(source: str, names: dict[str, Any], count: int) -> list[dict[str, Any]]:
    """What a cell warns of and prints, and the value of its last line."""
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    printed, value = io.StringIO(), None
    with contextlib.redirect_stdout(printed), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        exec(compile(tree, f"<cell {count}>", "exec"), names)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), f"<cell {count}>", "eval"), names)
    outputs: list[dict[str, Any]] = []
    told = "".join(f"{each.category.__name__}: {each.message}\n" for each in caught)
    for stream, text in (("stderr", told), ("stdout", printed.getvalue())):
        if text:
            lines = text.splitlines(keepends=True)
            outputs.append({"name": stream, "output_type": "stream", "text": lines})
    if value is not None:
        result = {"data": _data(value), "execution_count": count, "metadata": {}}
        outputs.append({**result, "output_type": "execute_result"})
    return outputs


def _data(value: object) -> dict[str, list[str]]:
    data = {"text/plain": repr(value)}
    for kind, method in RICH.items():
        if hasattr(value, method) and (text := getattr(value, method)()) is not None:
            data[kind] = text
    return {kind: text.splitlines(keepends=True) for kind, text in sorted(data.items())}
