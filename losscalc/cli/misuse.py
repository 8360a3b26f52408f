"""What Click says of wrong usage, in the style of ours, and what to type instead."""

import contextlib
import re
from collections.abc import Sequence

import click

from losscalc.cli.meanings import COMMANDS, MEANINGS, SCORES
from losscalc.core.resemblance import choice
from losscalc.errors import LosscalcError, UnknownLossError, UsageError, option_name, printable
from losscalc.inputs.parts import quoted


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
    if (other := _other_scores(error)) is not None:
        return other
    if (words := _lacking(error)) is not None:
        return words
    if (near := _nearest(error)) is not None:
        return f"did you mean {near}?"
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"{context.command_path} --help shows how" if context else None


def _lacking(error: click.ClickException) -> str | None:
    """What may stand behind an option that has no value, if these are a few words."""
    if not isinstance(error, click.BadOptionUsage) or error.ctx is None:
        return None
    own = next((p for p in error.ctx.command.params if error.option_name in p.opts), None)
    if own is None or not isinstance(own.type, click.Choice):
        return None
    return f"give {error.option_name} one of {', '.join(map(str, own.type.choices))}"


def unknown(words: Sequence[str]) -> LosscalcError:
    """The error for words of which the first is no command, though it may say what to do with a loss."""
    from losscalc.core.registry import lookup

    try:
        lookup(words[0])
    except UnknownLossError as error:
        with contextlib.suppress(LosscalcError, IndexError):
            if words[0] in COMMANDS:
                lookup(words[1])
                error.hint = _in_order(words)
        return _searched(error, words[0])
    raise AssertionError(words[0])


def _searched(error: UnknownLossError, word: str) -> UnknownLossError:
    """The error with a hint at a tool or at what the search finds, where no loss is called nearly so."""
    from losscalc.cli.catalogue import TOOLS
    from losscalc.core.registry import ALL
    from losscalc.insight.search import search

    if error.hint == ALL and (tool := choice(word, TOOLS)) is not None:
        error.hint = f"did you mean {tool}?"
    with contextlib.suppress(UsageError):
        if error.hint == ALL and search(word):
            error.hint = f"losscalc list {quoted(word)} shows what it may be"
    return error


def _in_order(words: Sequence[str]) -> str:
    """A command in which the name of the loss stands first, and what to do with it last."""
    if words[0] == "explain" and len(words) == 2:
        return f"losscalc show {quoted(words[1])}"
    said = " ".join(map(quoted, words[1:]))
    option = COMMANDS[words[0]]
    return f"losscalc {said} {option}".rstrip()


def _other_scores(error: click.ClickException) -> str | None:
    """The same loss of other scores, where an option that is named after them would be that of the input."""
    if not isinstance(error, click.NoSuchOption) or error.ctx is None:
        return None
    named = SCORES.get(_plain(error.option_name))
    own = next((getattr(p, "kind", "") for p in error.ctx.command.params if "-i" in p.opts), "")
    if named is None or own == named or own not in SCORES.values():
        return None
    from losscalc.catalogue.base import Loss
    from losscalc.core.registry import lookup

    cls = lookup(error.ctx.command.name or "")
    other = cls.relatives.get(named) if issubclass(cls, Loss) else None
    return f"--input takes {own}; for {named} use losscalc {other}" if other else f"--input takes {own}"


def _nearest(error: click.ClickException) -> str | None:
    """The option, or the choice of an option, that was meant."""
    if isinstance(error, click.NoSuchOption) and error.ctx is not None:
        return _meant(error.option_name, error.ctx.command) or _alike(error.option_name, error.ctx.command)
    if isinstance(error, click.BadParameter) and error.param is not None:
        found = re.search(r"'([^']*)' is not one of", error.message)
        if found is not None and isinstance(error.param.type, click.Choice):
            return choice(found[1], map(str, error.param.type.choices))
    return None


def _meant(name: str, command: click.Command) -> str | None:
    """The option of a command for what others call so."""
    known = {option: parameter.opts for parameter in command.params for option in parameter.opts}
    known |= {getattr(parameter, "kind", ""): parameter.opts for parameter in command.params}
    typed = _plain(name)
    for option, words in MEANINGS.items():
        own = option.partition(" ")[0]
        if typed in words.split() and own in known:
            return option.replace(own, next(each for each in known[own] if each.startswith("--")))
    return None


def _alike(name: str, command: click.Command) -> str | None:
    """The option of a command that is spelt nearly so."""
    # Without the dashes, which all options have and which would make any two alike.
    typed = name.lstrip("-")
    options = (option for parameter in command.params for option in parameter.opts)
    close = choice(typed, [option[2:] for option in options if option.startswith("--")])
    return f"--{close}" if close and len(typed) > 1 else None


def _plain(name: str) -> str:
    return name.lstrip("-").lower().replace("_", "-")
