"""The completion of shells: the tool that prints its scripts, and the answers to what these ask."""

import os
from collections.abc import Sequence
from typing import NoReturn

import click
from click.shell_completion import get_completion_class

from losscalc.cli.catalogue import losscalc
from losscalc.cli.options import Display
from losscalc.cli.output import Delivery
from losscalc.errors import UsageError

_VARIABLE = "_LOSSCALC_COMPLETE"
_SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(_SHELLS))
def show_completion(shell: str) -> None:
    """Print the completion script of SHELL; `eval "$(losscalc completion bash)"` switches it on."""
    completion = get_completion_class(shell)
    if completion is not None:
        script = completion(losscalc, {}, "losscalc", _VARIABLE).source()
        Delivery(Display()).send_bytes((script + "\n").encode())


def complete(arguments: Sequence[str]) -> NoReturn:
    """Answer a completion script, which says in the environment what was typed so far."""
    shell, _, task = os.environ[_VARIABLE].partition("_")
    completion = get_completion_class(shell)
    if completion is None or task not in ("source", "complete"):
        asks = [f"{shell}_complete" for shell in _SHELLS]
        raise UsageError(f"{_VARIABLE} must be one of {', '.join(asks)}", found=os.environ[_VARIABLE])
    try:
        if task == "complete":
            completion(losscalc, {}, "losscalc", _VARIABLE).get_completion_args()
    except (LookupError, ValueError) as error:
        raise UsageError(
            f"{_VARIABLE} is for completion scripts, which set COMP_WORDS and COMP_CWORD, too",
            hint="losscalc completion bash prints such a script",
        ) from error
    losscalc.main(list(arguments), prog_name="losscalc")
