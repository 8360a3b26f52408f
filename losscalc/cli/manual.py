"""The manual pages, made from the commands: one of losscalc, and one of each loss, activation and tool."""

import re
from collections.abc import Iterable, Iterator
from importlib import import_module

import click

from losscalc import __version__
from losscalc.cli.catalogue import TOOLS, losscalc
from losscalc.cli.formatter import Context
from losscalc.cli.grouped import HELP, GroupedCommand, sections
from losscalc.core.operation import summary
from losscalc.core.registry import operations
from losscalc.errors import name_arguments

_STATUS = (
    ("0", "Done, also if the reader of a pipe went away."),
    ("1", "A check failed: --expect, --fail-above or --fail-below."),
    ("2", "Wrong usage: an unknown option, or a parameter outside its domain."),
    ("3", "An input could not be read."),
    ("4", "The arrays do not fit the loss: a shape, a dtype, a range or a class index."),
    ("5", "The output could not be written. What stood there before still stands."),
    ("70", "A bug in losscalc."),
    ("130", "Interrupted."),
)
_ENVIRONMENT = (
    ("LOSSCALC_FORMAT, LOSSCALC_PRECISION, LOSSCALC_COLOR ...", "Defaults of the options for the output."),
    ("LOSSCALC_DEBUG", "Show the tracebacks of errors, as --debug does."),
    ("NO_COLOR", "No colours, whatever it says."),
)


def pages() -> Iterator[tuple[str, str]]:
    """The name of each page, and its text in the language of man."""
    import_module("losscalc.catalogue")
    yield "losscalc.1", _main_page()
    root = Context(losscalc, info_name="losscalc", **losscalc.context_settings)
    for name in losscalc.list_commands(root):
        command = losscalc.get_command(root, name)
        assert command is not None
        context = Context(command, root, name, **command.context_settings)
        yield f"losscalc-{name}.1", _page(command, name, context)


def _main_page() -> str:
    helps = {name: name_arguments(summary(cls)) for name, cls in operations().items()}
    first, _, examples = (losscalc.help or "").partition("\n\n")
    other = _text(f"losscalc-{next(iter(helps))}")
    return "".join(
        [
            _head("losscalc", first),
            ".SH SYNOPSIS\n.B losscalc\nLOSS \\-i ARRAY \\-t ARRAY [OPTIONS]\n",
            f".SH DESCRIPTION\n{_text(first)}\n.PP\n.nf\n{_lines(examples)}\n.fi\n",
            _table("LOSSES AND ACTIVATIONS", helps.items()),
            _table("TOOLS", [(name, text) for name, (_, text) in TOOLS.items()]),
            _table("EXIT STATUS", _STATUS),
            _table("ENVIRONMENT", _ENVIRONMENT),
            f".SH SEE ALSO\n.BR {other} (1),\nand so on for each name above.\n",
        ]
    )


def _page(command: click.Command, name: str, context: click.Context) -> str:
    headings = {} if isinstance(command, GroupedCommand) else {HELP: "OPTIONS"}
    first, *rest = [p.replace("\b\n", "") for p in (command.help or "").strip().split("\n\n")]
    short = command.get_short_help_str(limit=200) if command.short_help is None else command.short_help
    usage = " ".join(command.collect_usage_pieces(context))
    return "".join(
        [
            _head(f"losscalc-{name}", name_arguments(short)),
            f".SH SYNOPSIS\n.B {_text(f'losscalc {name}')}\n{_text(usage)}\n",
            f".SH DESCRIPTION\n{_text(first)}\n",
            *(f".PP\n{_text(paragraph)}\n" for paragraph in rest),
            *(
                _table(headings.get(group, group.upper()), rows)
                for group, rows in sections(command, context).items()
            ),
            ".SH SEE ALSO\n.BR losscalc (1)\n",
        ]
    )


def _head(name: str, summary: str) -> str:
    version = f"losscalc {__version__}"
    title = f'.TH "{_text(name.upper())}" 1 "" "{version}" "losscalc manual"\n'
    return f"{title}.SH NAME\n{_text(name)} \\- {_text(summary.rstrip('.'))}\n"


def _table(heading: str, rows: Iterable[tuple[str, str]]) -> str:
    items = [f".TP\n.B {_text(name)}\n{_text(text)}\n" for name, text in rows if text or name]
    return f".SH {heading}\n{''.join(items)}"


def _lines(text: str) -> str:
    return "\n".join(_text(line) for line in text.replace("\b", "").splitlines() if line.strip())


def _text(text: str) -> str:
    """A text in one line, in which nothing is a command of roff."""
    plain = re.sub(r"\n\s*", " ", text.strip()).replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{plain}" if plain[:1] in (".", "'") else plain
