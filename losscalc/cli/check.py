"""Checks a value against an expected one, and tells what would have led to the latter."""

import math
import shlex
import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from losscalc.cli.hints import Files
from losscalc.cli.output import Delivery
from losscalc.cli.request import Request
from losscalc.errors import UsageError
from losscalc.inputs.address import parse_address, read_array
from losscalc.insight.call import Call
from losscalc.insight.compare import Comparison, Tolerance, compare
from losscalc.insight.detect.evidence import Expected
from losscalc.insight.detect.search import Candidate
from losscalc.insight.detect.verdict import Explanation, Verdict, verdict
from losscalc.outputs.numbers import json_bytes
from losscalc.outputs.result import Result

EXIT_DIFFERENT = 1

# Options that are left out of the command that reproduces the expected number.
_OWN = ("--expect", "--rtol", "--atol", "--output", "-o", "--suppose")
# A float64 has no more digits.
_MOST_DIGITS = 17


class Check(NamedTuple):
    """A request with the value that is expected, and the words of the command."""

    request: Request
    expect: str
    tolerances: tuple[float | None, float | None]
    """Those that were typed, relative and absolute."""
    words: Sequence[str]

    def run(self, delivery: Delivery) -> int:
        """Compare, print the outcome, and return the exit code."""
        if delivery.format not in ("plain", "table", "json"):
            raise UsageError(
                f"a check cannot be written as {delivery.format}", hint="take plain, table or json"
            )
        call, result = self.request.gathered(as_given=True)
        texts, readings = {**self.request.inputs.texts, "expect": self.expect}, self.request.inputs.readings
        with Files({name: parse_address(text) for name, text in texts.items()}, readings).changing():
            expected = read_array(self.expect, "--expect", readings.of("expect"))
        number = self._number(expected)
        tolerance = self._tolerance(number)
        comparison = compare(result.value, expected, tolerance, is_reduced=not call.reduction.keeps)
        found = Verdict() if comparison.agrees else self._search(call, comparison, number, tolerance)
        report = Report(self, result, comparison, found, tolerance, number)
        working = result.working
        if delivery.format == "json":
            shown = {} if working is None else {"working": working.facts()}
            delivery.send_bytes(json_bytes({**report.facts(), **shown}))
        else:
            text = "\n".join(report.lines()) + "\n"
            if working is not None:
                from losscalc.outputs.working import working_text

                text = working_text(working) + text
            # The names of files are bytes, and need not be UTF-8.
            delivery.send_bytes(text.encode(errors="surrogateescape"))
        return 0 if comparison.agrees else EXIT_DIFFERENT

    def _number(self, expected: np.ndarray) -> Expected | None:
        """The expected number with the digits that were typed; None if it is an array."""
        if expected.size != 1:
            return None
        try:
            float(self.expect)
            text = self.expect
        except ValueError:
            text = repr(float(expected.reshape(())))
        return Expected.typed(text, *self.tolerances)

    def _tolerance(self, number: Expected | None) -> Tolerance:
        rtol, atol = self.tolerances
        if rtol is not None or atol is not None:
            return Tolerance(rtol or 0.0, atol or 0.0)
        return Tolerance() if number is None else Tolerance(0.0, number.tolerance)

    def _search(
        self, call: Call, comparison: Comparison, number: Expected | None, tolerance: Tolerance
    ) -> Verdict:
        is_array = comparison.value.ndim > 0 or call.wrt is not None
        if number is None or is_array or not math.isfinite(number.value):
            from losscalc.insight.detect.pattern import explained

            found = explained(call, comparison, tolerance)
            return found if is_array else _alone(found)
        if self.request.voice.quiet or sys.stderr is None or not sys.stderr.isatty():
            return verdict(call, number)
        from losscalc.cli.progress import Progress

        with Progress(sys.stderr, ()) as progress:
            return verdict(call, number, progress.search)

    def command(self, candidate: Candidate) -> str | None:
        """The command that gives the expected number; none does where only a fact is known."""
        if candidate.fact is not None:
            return None
        options = [word for each in candidate.combination for word in each.options.split()]
        others = ",".join(each.name for each in candidate.combination if not each.options)
        added = [*options, *(["--suppose", others] if others else [])]
        names = [word for word in options if word.startswith("--")]
        return shlex.join(["losscalc", *without_options(self.words, (*_OWN, *names)), *added])


class Report(NamedTuple):
    """The outcome of a check, as it is told."""

    check: Check
    result: Result
    comparison: Comparison
    found: Verdict
    tolerance: Tolerance
    number: Expected | None

    def lines(self) -> Iterator[str]:
        """The two numbers, whether they agree, and what would have led to the expected one."""
        comparison, found = self.comparison, self.found
        if comparison.value.size:
            yield from _numbers(comparison)
        yield f"{'agrees' if comparison.agrees else 'differs'}{self._digits()}{self._limits()}"
        if comparison.agrees:
            return
        if found.explanations:
            for each in found.explanations:
                yield from self._explanation(each)
            return
        text = self.check.expect.strip()
        if found.undecided:
            is_special = self.number is not None and not math.isfinite(self.number.value)
            why = "" if is_special else "too few digits to tell, more would decide: "
            yield f"{why}{text} may be one of these, or chance"
            for each in found.undecided:
                yield from self._explanation(each)
        else:
            yield f"no common mistake explains {text}"
        for each in found.nearest:
            yield f"near: {self._near(each.candidate)}"

    def _explanation(self, each: Explanation) -> Iterator[str]:
        value = each.candidate.value
        told = "these numbers" if math.isnan(value) else _digits_of(value)
        command = self.check.command(each.candidate)
        if command is None:
            yield each.candidate.sentence
            return
        yield f"you get {told} if {each.candidate.sentence}:"
        yield f"  {command}"
        for other in each.also:
            yield f"  also: {other.sentence} ({_typed(other)})"

    def _near(self, candidate: Candidate) -> str:
        assert self.number is not None
        digits = _common_digits(candidate.value, self.number.value)
        close = f", which is yours to {digits} digits" if digits > 1 else ""
        return f"{_digits_of(candidate.value)}{close}, if {candidate.sentence} ({candidate.name})"

    def _digits(self) -> str:
        """To how many digits a typed number agrees."""
        if (
            self.number is None
            or not self.comparison.agrees
            or any(t is not None for t in self.check.tolerances)
        ):
            return ""
        value = float(self.comparison.value.reshape(()))
        common = _common_digits(value, self.number.value)
        digits = min(common, self.number.digits) if "." in self.check.expect else common
        return f" to {digits} digits" if digits > 1 else ""

    def _limits(self) -> str:
        typed = any(t is not None for t in self.check.tolerances)
        if self.number is None or typed:
            return f" (rtol {self.tolerance.rtol:g}, atol {self.tolerance.atol:g})"
        if not math.isfinite(self.number.value):
            return ""
        return f" ({'within' if self.comparison.agrees else 'by more than'} {self.tolerance.atol:.2g})"

    def facts(self) -> dict[str, object]:
        """The same as an object of JSON."""
        comparison = self.comparison
        return {
            "loss": self.result.name,
            "reduction": self.result.reduction,
            "agrees": comparison.agrees,
            "value": comparison.value,
            "expected": comparison.expected,
            "difference": comparison.difference if comparison.value.size else 0.0,
            "worst": comparison.worst,
            "differing": comparison.differing,
            "rtol": self.tolerance.rtol,
            "atol": self.tolerance.atol,
            "explanations": [*map(self._told, self.found.explanations)],
            "undecided": [*map(self._told, self.found.undecided)],
            "nearest": [*map(self._told, self.found.nearest)],
        }

    def _told(self, each: Explanation) -> dict[str, object]:
        own = self._fact(each.candidate, each.chance)
        return {**own, "also": [self._fact(other, each.chance) for other in each.also]}

    def _fact(self, candidate: Candidate, chance: float) -> dict[str, object]:
        return {
            "name": candidate.name,
            "sentence": candidate.sentence,
            "command": self.check.command(candidate),
            "value": None if math.isnan(candidate.value) else candidate.value,
            "cost": round(candidate.bits, 2),
            "chance": None if math.isnan(chance) else chance,
        }


def _alone(found: Verdict) -> Verdict:
    """What leads to an infinity or NaN by itself: with something besides, too much does."""
    told = [
        each._replace(also=tuple(other for other in each.also if len(other.combination) == 1))
        for each in (*found.explanations, *found.undecided)
        if len(each.candidate.combination) == 1
    ]
    return Verdict(undecided=tuple(told))


def _typed(candidate: Candidate) -> str:
    """What is typed for it: options, or names behind --suppose."""
    options = [each.options for each in candidate.combination]
    return " ".join(options) if all(options) else candidate.name


def _digits_of(value: float) -> str:
    return f"{value:.7g}"


def _common_digits(value: float, expected: float) -> int:
    """To how many significant digits two numbers agree."""
    if value == expected:
        return _MOST_DIGITS
    if not (math.isfinite(value) and expected):
        return 0
    places = -math.log10(2 * abs(value - expected)) + math.floor(math.log10(abs(expected))) + 1
    return max(0, min(_MOST_DIGITS, math.floor(places + 1e-9)))


def supposed(request: Request, text: str) -> Result:
    """The result of a request under hypotheses."""
    from losscalc.insight.detect.suppose import supposed as outcome

    call, result = request.gathered(as_given=True)
    value = outcome(call, text)
    return Result(
        result.name,
        value,
        result.parameters,
        reduction=result.reduction,
        gradient=result.gradient,
        supposed=text,
    )


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
        if word in options:
            next(rest, None)
        elif not (word in flags or word.startswith(short) or word.partition("=")[0] in options):
            kept.append(word)
    return kept


def _numbers(comparison: Comparison) -> list[str]:
    """The two numbers that differ most, and their difference."""
    value, expected = (float(a[comparison.worst]) for a in (comparison.value, comparison.expected))
    relative = abs(comparison.difference / expected) if expected else np.inf
    lines = [
        f"value       {value!r}",
        f"expected    {expected!r}",
        f"difference  {comparison.difference!r}   relative {relative:.2g}",
    ]
    if comparison.value.ndim and not comparison.agrees:
        count = f"{comparison.differing} of {comparison.value.size} numbers differ"
        lines.insert(0, f"{count}, most at [{', '.join(map(str, comparison.worst))}]")
    return lines
