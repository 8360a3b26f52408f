"""The command line: a command for every loss, and small tools around them."""

import gc
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from losscalc import __version__
from losscalc.cli.signals import answer_signals, refuse_tracebacks


def run(arguments: Sequence[str]) -> int:
    """Run the command line with these arguments, and return the exit code."""
    from losscalc.cli.boundary import guarded

    def whole() -> None:
        # Loading may fail as well, for lack of memory.
        from losscalc.cli.color import take_choice
        from losscalc.cli.streams import complete_stdout

        take_choice(arguments)
        with complete_stdout():
            _command(arguments)()

    return guarded(whole, lambda: "--debug" in arguments or _is_on(os.environ.get("LOSSCALC_DEBUG", "")))


def _command(arguments: Sequence[str]) -> Callable[[], None]:
    """What the arguments ask for; the version is told without Click, which would take longer to load."""
    if list(arguments) in (["--version"], ["version"]):
        return tell_version
    from losscalc.cli.catalogue import losscalc

    def command() -> None:
        if os.environ.get("_LOSSCALC_COMPLETE"):
            from losscalc.cli.completion import complete

            complete(arguments)
            return
        # Not by Click's main(), which has an exit code of its own for a closed pipe.
        with losscalc.make_context("losscalc", list(arguments), obj=tuple(arguments)) as context:
            losscalc.invoke(context)

    return command


def tell_version() -> None:
    """Write the version to standard output."""
    from losscalc.cli.streams import write_stdout

    write_stdout([f"losscalc {__version__}\n".encode()])


def _is_on(word: str) -> bool:
    # Click's words for no, as for every other flag in the environment.
    return word.strip().lower() not in ("", "0", "false", "f", "no", "n", "off")


def main() -> NoReturn:
    """The entry point of the console script.

    Signals come before the rest, so that Ctrl-C works while NumPy is loaded, too.
    """
    # Imports make tens of thousands of objects that stay: collections meanwhile, and the one at the end of
    # the process, would look at all of them in vain.
    gc.set_threshold(100_000)
    # The threads of NumPy's OpenBLAS look for work for 2^26 cycles before they sleep, so that a small command
    # takes half as much of the processors again; 2^4 is the least.
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")
    answer_signals()
    if "--debug" not in sys.argv:
        refuse_tracebacks()
    code = run(sys.argv[1:])
    gc.freeze()
    sys.exit(code)
