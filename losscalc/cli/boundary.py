"""The one place that prints errors and decides the exit code."""

import re
import sys
from collections.abc import Callable

import click

from losscalc.cli.streams import silence
from losscalc.errors import LosscalcError, Remark, option_name, printable, reason

EXIT_USAGE, EXIT_SOURCE, EXIT_OUTPUT, EXIT_BUG, EXIT_INTERRUPT = 2, 3, 5, 70, 130


def guarded(command: Callable[[], object], is_debugging: Callable[[], bool]) -> int:
    """Run a command, and turn any exception into an exit code and at most one message."""
    try:
        command()
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else EXIT_BUG
    except click.exceptions.Exit as error:
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        complain("interrupted")
        return EXIT_INTERRUPT
    except BaseException as error:  # noqa: BLE001 - nothing may end in a traceback
        if is_debugging():
            import traceback

            traceback.print_exc()
        return _report(error)
    return 0


def _report(error: BaseException) -> int:
    match error:
        case LosscalcError():
            complain(error.describe(option_name), hint=error.advise(option_name))
            return error.exit_code
        case click.exceptions.NoArgsIsHelpError():
            _say(error.format_message() + "\n")
            return EXIT_USAGE
        case click.ClickException():
            complain(_usage(error), hint=_advice(error))
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
    lines = f"losscalc: {kind}: {message}\n"
    if hint:
        # Names of files are in it as they are.
        lines += f"  hint: {printable(hint)}\n"
    _say(lines)


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


def _usage(error: click.ClickException) -> str:
    """Click's message in the style of ours: lower case, no full stop, and without a hint."""
    message = printable(" ".join(error.format_message().split())).rstrip(".")
    if isinstance(error, click.NoSuchOption):
        message = f"no such option: {printable(error.option_name)}"
    return message[:1].lower() + message[1:]


def _advice(error: click.ClickException) -> str | None:
    """What to type instead."""
    if isinstance(error.__cause__, LosscalcError):
        return error.__cause__.advise(option_name)
    if (near := _nearest(error)) is not None:
        return f"did you mean {near}?"
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"{context.command_path} --help shows how" if context else None


def _nearest(error: click.ClickException) -> str | None:
    """The option, or the choice of an option, that is closest to what was typed."""
    typed, known = "", dict[str, str]()
    if isinstance(error, click.NoSuchOption) and error.ctx is not None:
        # Without the dashes, which all options have and which would make any two alike.
        typed = error.option_name.lstrip("-")
        options = (option for parameter in error.ctx.command.params for option in parameter.opts)
        known = {option[2:]: option for option in options if option.startswith("--") and len(typed) > 1}
    elif isinstance(error, click.BadParameter) and error.param is not None:
        found = re.search(r"'([^']*)' is not one of", error.message)
        if found is not None and isinstance(error.param.type, click.Choice):
            typed, known = found[1].lower(), {str(choice): str(choice) for choice in error.param.type.choices}
    import difflib

    close = difflib.get_close_matches(typed, known, n=1)
    return known[close[0]] if close else None
