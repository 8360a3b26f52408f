"""What Click says of wrong usage, in the style of ours, and what to type instead."""

import re

import click

from losscalc.errors import LosscalcError, option_name, printable


def usage(error: click.ClickException) -> str:
    """Click's message in the style of ours: lower case, no full stop, and without a hint."""
    message = printable(" ".join(error.format_message().split())).rstrip(".")
    if isinstance(error, click.NoSuchOption):
        message = f"no such option: {printable(error.option_name)}"
    return message[:1].lower() + message[1:]


def advice(error: click.ClickException) -> str | None:
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
