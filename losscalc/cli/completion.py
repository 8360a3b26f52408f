"""The completion of shells: the tool that prints its scripts, and the answers to what these ask.

A script hands over the words up to the cursor, and gets a line for each answer: its kind, which is `file`
where the shell completes names of files itself, its value and its help, with tabs between them.
"""

import contextlib
import os
from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import Any

import click
from click.shell_completion import CompletionItem, ShellComplete, split_arg_string

from losscalc.cli.catalogue import awaited, losscalc
from losscalc.cli.options import Display
from losscalc.cli.output import Delivery
from losscalc.cli.streams import write_stdout
from losscalc.errors import LosscalcError, UsageError, printable
from losscalc.inputs.parts import quoted

VARIABLE = "_LOSSCALC_COMPLETE"
SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
def show_completion(shell: str) -> None:
    """Print the completion script of SHELL; `eval "$(losscalc completion bash)"` turns it on."""
    Delivery(Display()).send_bytes(script(shell))


def script(shell: str) -> bytes:
    """The completion script of a shell."""
    return files("losscalc.cli").joinpath("shells", f"losscalc.{shell}").read_bytes()


def complete(words: Sequence[str]) -> None:
    """Answer a completion script, which says in the environment which shell it is for."""
    shell, _, task = os.environ[VARIABLE].partition("_")
    if shell not in SHELLS or task != "complete":
        asks = ", ".join(f"{shell}_complete" for shell in SHELLS)
        raise UsageError(f"{VARIABLE} must be one of {asks}", found=os.environ[VARIABLE])
    write_stdout([f"{line}\n".encode(errors="surrogateescape") for line in _answers(shell, list(words))])


def _answers(shell: str, words: list[str]) -> Iterator[str]:
    """The lines for the words of a command, of which the last is not complete."""
    if shell == "bash":
        words = _joined(words)
    *before, last = words or [""]
    if before[:1] == ["diagnose"] and len(before) > 1:
        # Its options are those of the loss.
        del before[0]
    option, sign, _ = last.partition("=")
    prefix = f"{option}=" if sign and option.startswith("--") else ""
    # Whatever is wrong with what was typed so far, nothing fits then.
    with contextlib.suppress(LosscalcError, click.ClickException, click.exceptions.Exit):
        for item in _items(before, last):
            yield _line(shell, item, prefix, last)


def _items(before: list[str], last: str) -> "list[CompletionItem[Any]]":
    """What may stand in the place of the last word: values of an option if it stands before the command."""
    name, sign, value = last.partition("=")
    option = awaited([*before, name] if sign else before)
    if option is not None:
        return option.shell_complete(click.Context(losscalc), value if sign else last)
    return ShellComplete(losscalc, {}, "losscalc", VARIABLE).get_completions(before, last)


def _line(shell: str, item: "CompletionItem[Any]", prefix: str, last: str) -> str:
    """The line of an answer for the last word, in which it may stand behind the prefix `--option=`."""
    value = str(item.value)
    if item.type != "plain":
        return f"file\t{value}\t{prefix}"
    if shell == "bash":
        # It breaks words at each =, and puts in what it gets.
        begun = (prefix + value).removeprefix(last[: last.rfind("=") + 1])
        return f"plain\t{quoted(begun)}"
    if shell == "fish":
        value = prefix + value
    return f"plain\t{value}\t{printable(item.help or '')}"


def _joined(words: Sequence[str]) -> list[str]:
    """The words of bash as they were typed: without quotes, and where it broke them at an =, in one piece."""
    joined: list[str] = []
    is_open = False
    for word in words:
        if joined and (is_open or word == "="):
            joined[-1] += word
        else:
            joined.append(word)
        is_open = word == "="
    return [(split_arg_string(word) or [""])[0] for word in joined]
