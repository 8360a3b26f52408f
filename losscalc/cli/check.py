"""Checks a value against an expected one, and tells what would have led to the latter."""

import contextlib
import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from losscalc.cli.hints import Files
from losscalc.cli.output import Delivery
from losscalc.cli.request import Request
from losscalc.core.array import Array
from losscalc.errors import LosscalcError, ShapeError, UsageError
from losscalc.inputs.address import parse_address, read_array
from losscalc.insight.detect.search import Candidate
from losscalc.insight.report import Report, Watch, checked, typed
from losscalc.outputs.numbers import json_bytes
from losscalc.outputs.result import Result

if TYPE_CHECKING:
    from losscalc.outputs.message import Message
    from losscalc.outputs.parts import Part
    from losscalc.outputs.working import Working

EXIT_DIFFERENT = 1
_FORMATS = ("plain", "table", "json", "markdown", "html")

# Options that are left out of the command that reproduces the expected number.
_OWN = ("--expect", "--rtol", "--atol", "--output", "-o", "--suppose")


# A number as logs and interpreters print it, behind its name or in brackets.
_COPIED = re.compile(
    r"(?a)\s*(?:[\w ./-]*[A-Za-z][\w ./-]*[=:(\[]|[=:~≈$])?\s*"
    r"(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(?P<end>[%,;)\]].*)?"
)


class Check(NamedTuple):
    """A request with the value that is expected, and the words of the command."""

    request: Request
    expect: str
    tolerances: tuple[float | None, float | None]
    """Those that were typed, relative and absolute."""
    words: Sequence[str]

    def run(self, delivery: Delivery) -> int:
        """Compare, print the outcome, and return the exit code."""
        if delivery.format not in _FORMATS:
            hint = f"take {', '.join(_FORMATS[:-1])} or {_FORMATS[-1]}"
            raise UsageError(f"a check cannot be written as {delivery.format}", hint=hint)
        call, result = self.request.gathered(as_given=True)
        texts, readings = {**self.request.inputs.texts, "expect": self.expect}, self.request.inputs.readings
        files = Files({name: parse_address(text) for name, text in texts.items()}, readings)
        with files.changing(), self._of_log():
            expected = read_array(self.expect, "--expect", readings.of("expect"))
        text = self.expect if _is_number(self.expect) else None
        with self._watching() as watch, self._advising(result.value, expected):
            report = checked(call, result, expected, text, self.tolerances, self.command, watch)
        report = report._replace(expect=self.expect)
        _deliver(delivery, report, result.working)
        return 0 if report.comparison.agrees else EXIT_DIFFERENT

    @contextlib.contextmanager
    def _of_log(self) -> Iterator[None]:
        """Say how the number is typed that stands in what was copied from a log and is no array."""
        try:
            yield
        except LosscalcError as error:
            if (number := _copied(self.expect)) is not None:
                error.hint = f"if it is one number: --expect {number}"
            raise

    @contextlib.contextmanager
    def _advising(self, value: Array, expected: Array) -> Iterator[None]:
        """Say how several numbers may be meant as one, where one is expected."""
        try:
            yield
        except ShapeError as error:
            if (value.ndim, expected.ndim) == (0, 1):
                error.hint = "; ".join(filter(None, [error.hint, _as_one(self.expect, expected)])) or None
            raise

    @contextlib.contextmanager
    def _watching(self) -> Iterator[Watch | None]:
        """What the search tells how far it is, if that is of use on a terminal."""
        if self.request.voice.quiet or sys.stderr is None or not sys.stderr.isatty():
            yield None
            return
        from losscalc.cli.progress import Progress

        with Progress(sys.stderr, ()) as progress:
            yield progress.search

    def command(self, candidate: Candidate) -> str | None:
        """The command that gives the expected number; none does where only a fact is known."""
        if candidate.fact is not None:
            return None
        options, others = typed(candidate)
        added = [*options, *(["--suppose", others] if others else [])]
        names = [word for word in options if word.startswith("--")]
        return shlex.join(["losscalc", *without_options(self.words, (*_OWN, *names)), *added])


def _deliver(delivery: Delivery, report: Report, working: "Working | None") -> None:
    """Write the outcome, and the working before it."""
    match delivery.format:
        case "json":
            shown = {} if working is None else {"working": working.facts()}
            delivery.send_bytes(json_bytes({**report.facts(), **shown}))
        case "html":
            from losscalc.outputs.html import page

            parts: list[Part | Message] = [report.numbers, report.message]
            if working is not None:
                parts.insert(0, working)
            delivery.send_bytes(page(f"losscalc {report.result.name}", parts))
        case "markdown":
            from losscalc.outputs.working import working_markdown

            before = "" if working is None else f"{working_markdown(working)}\n"
            delivery.send_text(before + report.markdown(), {})
        case _:
            from losscalc.outputs.working import working_text

            before = "" if working is None else working_text(working)
            text = "".join(f"{line}\n" for line in report.lines())
            delivery.send_text(before + text, {"agrees": "good", "differs": "bad"})


def supposed(request: Request, text: str) -> Result:
    """The result of a request under hypotheses."""
    from losscalc.insight.detect.suppose import not_finite
    from losscalc.insight.detect.suppose import supposed as outcome

    call, result = request.gathered(as_given=True)
    value = outcome(call, text)
    request.voice.tell(not_finite(result.value, value))
    return result.under(text, value)


def without_options(words: Sequence[str], names: Sequence[str]) -> list[str]:
    """The words of a command without some options and their values."""
    options = set(names)
    flags: set[str] = set()
    if "--reduction" in options:
        # PyTorch's old flags would override it.
        options.add("-r")
        flags = {"--size-average", "--no-size-average", "--reduce", "--no-reduce"}
    short = tuple(option for option in options if len(option) == 2)
    kept: list[str] = []
    rest = iter(words)
    for word in rest:
        # As an option is understood, with `_` for `-` too.
        name = word.partition("=")[0].replace("_", "-")
        if name in options and "=" not in word:
            next(rest, None)
        elif not (name in flags or word.startswith(short) or name in options):
            kept.append(word)
    return kept


def _as_one(text: str, expected: Array) -> str | None:
    """How one number is typed in the place of several: they may be the log of a training, or one number."""
    if re.fullmatch(r"(?a)\s*[+-]?\d+,\d+\s*", text):
        return f"if it is a decimal comma: --expect {text.strip().replace(',', '.')}"
    # Of numbers that were typed, the last is no better than the others.
    address = parse_address(text)
    is_read = address.is_stdin or address.path is not None
    return f"the last of them is --expect {float(expected[-1])!r}" if is_read and len(expected) else None


def _copied(text: str) -> str | None:
    """The only number of a text such as loss=0.65, tensor(0.65) or 12%, that of per cent as a share."""
    found = _COPIED.fullmatch(text)
    if found is None:
        return None
    return f"{Decimal(found['number']) / 100}" if (found["end"] or "").startswith("%") else found["number"]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
