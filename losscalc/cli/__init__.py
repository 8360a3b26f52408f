"""The command line: a command for every loss, and small tools around them."""

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from losscalc.cli.boundary import guarded
from losscalc.cli.catalogue import losscalc
from losscalc.interruption import catch_signals


def run(arguments: Sequence[str]) -> int:
    """Run the command line with these arguments, and give the exit code."""

    def command() -> None:
        if "_LOSSCALC_COMPLETE" in os.environ:
            losscalc.main(list(arguments), prog_name="losscalc")
        # Not by main(), which makes an exit code of its own of a reader that went away.
        with losscalc.make_context("losscalc", list(arguments), obj=tuple(arguments)) as context:
            losscalc.invoke(context)

    debug = "--debug" in arguments or bool(os.environ.get("LOSSCALC_DEBUG"))
    return guarded(command, debug)


def main() -> NoReturn:
    """The entry point of the console script."""
    catch_signals()
    sys.exit(run(sys.argv[1:]))
