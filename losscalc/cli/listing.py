"""The options of commands that list something."""

from collections.abc import Callable
from typing import Any

import click

_FORMATS = ("auto", "table", "plain", "json", "jsonl")


def listing_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `as_json` and `form`, the format of what it lists."""
    form = click.option(
        "--format",
        "-f",
        "form",
        type=click.Choice(_FORMATS),
        default="auto",
        metavar="FORMAT",
        help="table, plain, json, jsonl; by default a table on a terminal, else plain lines.",
    )
    as_json = click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
    return as_json(form(function))
