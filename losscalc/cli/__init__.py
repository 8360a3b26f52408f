"""The command line: a command for every loss, and small tools around them."""

import sys
from collections.abc import Sequence
from typing import NoReturn

from losscalc.cli.boundary import guarded
from losscalc.cli.catalogue import losscalc


def run(arguments: Sequence[str]) -> int:
    """Run the command line with these arguments, and give the exit code."""
    code = 0

    def command() -> None:
        nonlocal code
        outcome = losscalc.main(list(arguments), prog_name="losscalc", standalone_mode=False)
        code = outcome if isinstance(outcome, int) else 0

    return guarded(command, debug="--debug" in arguments) or code


def main() -> NoReturn:
    """The entry point of the console script."""
    sys.exit(run(sys.argv[1:]))
