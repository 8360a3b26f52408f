"""How help looks: options in one column, names in one piece, and colours on a terminal."""

import re
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import click
from click.formatting import wrap_text

from losscalc.cli.color import has_color, painted

# Of no meaning in Unicode: it stands for a hyphen until lines are broken.
_HYPHEN = "\ue000"
WIDEST_NAME = 28
"""The most that the column of names is wide. Longer ones have a line of their own."""
_NARROW = 66
"""In less room than this, every name has a line of its own."""
_NARROWEST, _WIDEST = 30, 100
# Before what goes on from the line above.
_DEEPER = " " * 10

# Compiled when they are used, as few commands show help. A command with what is said of it, and a word of
# it: an option with its value.
_COMMAND = r"(?P<title>Example: )?(?P<command>losscalc \S.*?)(?: +# (?P<note>.*))?"
_WORD = r"--?[A-Za-z]\S*(?: (?:'[^']*'|[^-\s]\S*))?|'[^']*'|\S+"
_COLOURED = (
    r"(?m)(?P<heading>^Usage:|^[A-Z][^\n]*:$)"
    r"|(?P<option>(?<!\S)--?[A-Za-z][\w-]*(?=[\s,.;:)=/]|$))"
    r"|(?P<dim>\[(?:required|default: [^\]\n]*)\])"
)


class HelpText(click.HelpFormatter):
    """A formatter of help that breaks no line behind a hyphen, and commands so that they can be copied."""

    def __init__(
        self, indent_increment: int = 2, width: int | None = None, max_width: int | None = None
    ) -> None:
        if width is None:
            import shutil  # only help has a width, and it loads what unpacks files

            # Click takes 50 columns at least, and a terminal of fewer would break every line once more.
            columns = min(shutil.get_terminal_size().columns, max_width or _WIDEST)
            width = max(columns, _NARROWEST) - 2
        super().__init__(indent_increment, width, max_width)

    def write_text(self, text: str) -> None:
        # Click leaves two columns free at the right.
        room = self.width + 2 - self.current_indent
        super().write_text(_joined("\n\n".join(_broken(part, room) for part in text.split("\n\n"))))

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = WIDEST_NAME, col_spacing: int = 2
    ) -> None:
        """Write names, and what they mean beside them or, in little room, below them."""
        rows = [(_joined(name), _joined(text)) for name, text in rows]
        names = min(max(len(name) for name, _ in rows), col_max) if self.width >= _NARROW else 4
        margin = " " * (self.current_indent + names + col_spacing)
        for name, text in rows:
            lines = wrap_text(text, max(self.width - len(margin), 10)).splitlines() or [""]
            name = name.rstrip()
            if len(name) > names:
                lines.insert(0, "")
                *above, name = _cut(name, self.width - self.current_indent)
                self.write("".join(f"{'':{self.current_indent}}{line}\n" for line in above))
            first, *others = lines
            self.write(f"{'':{self.current_indent}}{name.ljust(names + col_spacing)}{first}".rstrip() + "\n")
            self.write("".join(f"{margin}{line}\n" for line in others))

    def getvalue(self) -> str:
        text = super().getvalue().replace(_HYPHEN, "-")
        return re.sub(_COLOURED, _coloured, text) if has_color(sys.stdout) else text


class Context(click.Context):
    """The context of every command: its help is up to 100 columns wide, and `_` in an option is `-`."""

    formatter_class = HelpText

    def __init__(self, *args: Any, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.max_content_width = _WIDEST
        self.token_normalize_func = _hyphenated
        # Otherwise Click takes the colours out again where --color put them into a pipe.
        self.color = has_color(sys.stdout)

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> bool | None:
        # Click does not tell an error about an option without a value which command it is of.
        if isinstance(error, click.UsageError) and error.ctx is None:
            error.ctx = self
        return super().__exit__(kind, error, trace)


def _show_help(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        click.echo(ctx.get_help(), color=ctx.color)
        ctx.exit()


# Click would make one for each command, and look for translations of its text, which takes as long as many
# options.
HELP_OPTION = click.Option(
    ["-h", "--help"],
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_show_help,
    allow_from_autoenv=False,
    help="Show this message and exit.",
)


def _broken(paragraph: str, room: int) -> str:
    """A paragraph of commands with each in several lines, if one of them is too long for one."""
    lines = paragraph.removeprefix("\b\n").splitlines()
    found = [re.fullmatch(_COMMAND, line.strip()) for line in lines]
    if not all(found) or all(len(line.strip()) <= room for line in lines):
        return paragraph
    return "\n".join(["\b", *(line for match in found if match for line in _pieces(match, room))])


def _pieces(command: re.Match[str], room: int) -> Iterator[str]:
    """The lines of a command, which the shell takes as one; what is said of it stands above."""
    if note := command["note"]:
        yield f"# {note}"
    elif title := command["title"]:
        yield title.rstrip()
    line = ""
    for word in re.findall(_WORD, command["command"]):
        if line and len(line) + len(word) + len("  \\") > room:
            yield f"{line} \\"
            line = f"  {word}"
        else:
            line = f"{line} {word}" if line else word
    yield line


def _cut(name: str, room: int) -> list[str]:
    """The lines of an option that is too long for one: it is cut between words, and between choices."""
    first, *pieces = re.findall(r"\s*[^|\s]+\|?", name)
    lines = [first]
    for piece in pieces:
        if len(lines[-1]) + len(piece) <= room:
            lines[-1] += piece
        else:
            lines.append(_DEEPER + piece.lstrip())
    return lines


def _hyphenated(word: str) -> str:
    return word.replace("_", "-")


def _joined(text: str) -> str:
    return text.replace("-", _HYPHEN)


def _coloured(found: re.Match[str]) -> str:
    return painted(found[0], found.lastgroup or "heading")
