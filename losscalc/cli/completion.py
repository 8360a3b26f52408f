"""The tool that prints the completion scripts of shells."""

import click

from losscalc.cli.catalogue import losscalc
from losscalc.cli.options import Display
from losscalc.cli.output import Delivery


@click.command("completion", short_help="Print the completion script of a shell")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def show_completion(shell: str) -> None:
    """Print the completion script of SHELL; `eval "$(losscalc completion bash)"` switches it on."""
    from click.shell_completion import get_completion_class

    completion = get_completion_class(shell)
    if completion is not None:
        script = completion(losscalc, {}, "losscalc", "_LOSSCALC_COMPLETE").source()
        Delivery(Display()).send_bytes((script + "\n").encode())
