"""The one place that prints errors and decides the exit code."""

import sys
from collections.abc import Callable

from losscalc.cli.color import has_color, painted
from losscalc.cli.streams import silence
from losscalc.errors import LosscalcError, Remark, option_name, printable, reason

EXIT_USAGE, EXIT_SOURCE, EXIT_OUTPUT, EXIT_BUG, EXIT_INTERRUPT = 2, 3, 5, 70, 130


def guarded(command: Callable[[], object], is_debugging: Callable[[], bool]) -> int:
    """Run a command, and turn any exception into an exit code and at most one message."""
    try:
        command()
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else EXIT_BUG
    except BaseException as error:  # noqa: BLE001 - nothing may end in a traceback
        return _code(error, is_debugging)
    return 0


def _code(error: BaseException, is_debugging: Callable[[], bool]) -> int:
    # The version alone is told without Click, unless that fails.
    import click

    match error:
        case click.exceptions.Exit():
            return error.exit_code
        case KeyboardInterrupt() | click.Abort():
            complain("interrupted")
            return EXIT_INTERRUPT
    if is_debugging():
        import traceback

        traceback.print_exception(error)
    return _report(error)


def _report(error: BaseException) -> int:
    import click

    match error:
        case LosscalcError():
            complain(error.describe(option_name), hint=error.advise(option_name))
            return error.exit_code
        case click.exceptions.NoArgsIsHelpError():
            help_text = error.format_message()
            _say((help_text if has_color(sys.stderr) else click.unstyle(help_text)) + "\n")
            return EXIT_USAGE
        case click.ClickException():
            from losscalc.cli.misuse import advice, usage

            complain(usage(error), hint=advice(error))
            return EXIT_USAGE
        case MemoryError():
            complain("out of memory", hint="take --reduction mean or sum, or smaller arrays")
            return EXIT_SOURCE
        case ImportError() if _is_of_library(_first_cause(error)):
            complain(f"cannot load a library: {printable(str(_first_cause(error)))}")
            return EXIT_SOURCE
        case BrokenPipeError():
            silence(sys.stdout)
            return 0
        case OSError() if error.filename is not None:
            # A module of losscalc, or a folder: inputs and results have errors of their own.
            complain(f"{printable(str(error.filename))}: {reason(error)}")
            return EXIT_SOURCE
        case OSError():
            # Inputs and results have errors of their own, so this was the text of help.
            silence(sys.stdout)
            complain(f"cannot write to standard output: {reason(error)}")
            return EXIT_OUTPUT
        case _:
            name = f"{type(error).__name__}: {error}"
            complain(
                f"a bug in losscalc: {printable(name)}",
                hint="please report it with what --debug shows",
            )
            return EXIT_BUG


def _first_cause(error: BaseException) -> BaseException:
    return error if error.__cause__ is None else _first_cause(error.__cause__)


def _is_of_library(error: BaseException) -> bool:
    """Whether the system could not load a library, such as one of NumPy's for lack of memory."""
    path = error.path if isinstance(error, ImportError) else None
    return path is not None and not path.endswith(".py")


def complain(message: str, *, hint: str | None = None, kind: str = "error") -> None:
    """Print a message and its hint to standard error."""
    in_colour = painted if has_color(sys.stderr) else _plain
    lines = f"losscalc: {in_colour(f'{kind}:', kind)} {message}\n"
    if hint:
        # Names of files are in it as they are.
        lines += f"  {in_colour('hint:', 'hint')} {printable(hint)}\n"
    _say(lines)


def _plain(text: str, _: str) -> str:
    return text


def _say(text: str) -> None:
    """Write to standard error. If it is closed or full, the exit code has to do."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        silence(sys.stderr)


def warn(remark: Remark, kind: str = "warning") -> None:
    """Print a warning to standard error."""
    complain(remark.describe(option_name), hint=remark.advise(option_name), kind=kind)
