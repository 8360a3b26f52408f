"""The outcome of a check, as it is told: whether a value agrees, and what would have led to the other."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, cast

import numpy as np

from losscalc.catalogue.base import Loss
from losscalc.core.array import Array
from losscalc.engine.call import AnyCall
from losscalc.insight.call import Call
from losscalc.insight.compare import Comparison, Tolerance, compare
from losscalc.insight.detect.evidence import Expected
from losscalc.insight.detect.search import Candidate
from losscalc.insight.detect.verdict import Verdict, verdict
from losscalc.outputs.message import Message, Told
from losscalc.outputs.result import Result
from losscalc.outputs.sheets import Column, Sheet, markdown

# A float64 has no more digits.
_MOST_DIGITS = 17


Watch = Callable[[float], None]
"""Is told which share of a search is done."""
Command = Callable[[Candidate], str | None]
"""What to type for what a candidate leads to; None where only a fact is known."""


class Cause(NamedTuple):
    """What would have led to the expected number, or near it, as it is told."""

    name: str
    sentence: str
    typed: str
    """Options, or names behind --suppose."""
    command: str | None
    """What to type for it; None where only a fact is known."""
    value: float
    bits: float
    chance: float
    also: "tuple[Cause, ...]" = ()
    """Other names of the same."""

    def facts(self) -> dict[str, object]:
        """The same as an object of JSON."""
        return {
            "name": self.name,
            "sentence": self.sentence,
            "command": self.command,
            "value": None if math.isnan(self.value) else self.value,
            "cost": round(self.bits, 2),
            "chance": None if math.isnan(self.chance) else self.chance,
        }


class Causes(NamedTuple):
    """A verdict as it is told: what explains a number, what might, and what is near it."""

    explanations: tuple[Cause, ...] = ()
    undecided: tuple[Cause, ...] = ()
    nearest: tuple[Cause, ...] = ()

    @classmethod
    def of(cls, verdict: Verdict, command: Command, speak: Callable[[str], str]) -> "Causes":
        """What was found, in words, so that it outlives the search."""

        def told(candidate: Candidate, chance: float, also: Sequence[Candidate] = ()) -> Cause:
            return Cause(
                candidate.name,
                speak(candidate.sentence),
                _typed(candidate),
                command(candidate),
                candidate.value,
                candidate.bits,
                chance,
                tuple(told(other, chance) for other in also),
            )

        return cls(*(tuple(told(*each) for each in found) for found in verdict))


def checked(
    call: AnyCall,
    result: Result,
    expected: Array,
    typed: str | None,
    tolerances: tuple[float | None, float | None],
    command: Command,
    watch: Watch | None = None,
    *,
    name: str = "expect",
    speak: Callable[[str], str] = str,
) -> "Report":
    """Compare the result of a call with what is expected, and search for what would have led to that.

    `typed` is the expected number as it was typed, of which the digits count; None takes those of its repr.
    `name` is the argument that it is given by, and `speak` names options in sentences.
    """
    number = None
    if expected.size == 1:
        text = repr(float(expected.reshape(()))) if typed is None else typed
        number = Expected.typed(text, *tolerances)
    tolerance = Tolerance() if number is None else Tolerance(0.0, number.tolerance)
    asked = any(each is not None for each in tolerances)
    if asked:
        tolerance = Tolerance(tolerances[0] or 0.0, tolerances[1] or 0.0)
    singles = 0 if call.reduction.keeps else result.count + result.ignored
    comparison = compare(result.value, expected, tolerance, singles=singles, name=name)
    found = None
    if isinstance(call.operation, Loss) and not comparison.agrees:
        verdict = _searched(cast(Call, call), comparison, number, tolerance, watch)
        found = Causes.of(verdict, command, speak)
    told = typed or ("these numbers" if number is None else repr(number.value))
    return Report(result, comparison, found, tolerance, number, told, asked)


def _searched(
    call: Call, comparison: Comparison, number: Expected | None, tolerance: Tolerance, watch: Watch | None
) -> Verdict:
    is_array = comparison.value.ndim > 0 or call.wrt is not None
    if number is None or is_array:
        from losscalc.insight.detect.pattern import explained

        return explained(call, comparison, tolerance)
    if not math.isfinite(number.value):
        from losscalc.insight.detect.nonfinite import special

        return special(call, number.value)
    return verdict(call, number, watch)


def typed(candidate: Candidate) -> tuple[list[str], str]:
    """The options that a candidate stands for, and the names of what has none and can be supposed."""
    options = [word for each in candidate.combination for word in each.options.split()]
    return options, ",".join(each.name for each in candidate.combination if not each.options)


class Report(NamedTuple):
    """The outcome of a check, as it is told."""

    result: Result
    comparison: Comparison
    found: Causes | None
    """What would have led to the expected number, if that was searched for."""
    tolerance: Tolerance
    number: Expected | None
    expect: str
    """The expected number as it was typed, or what stands for an array."""
    is_tolerance_typed: bool
    """Whether the tolerance was asked for, instead of that of the digits."""

    def lines(self) -> Iterator[str]:
        """The two numbers, whether they agree, and what would have led to the expected one."""
        if self.comparison.value.size:
            yield from _numbers(self.comparison)
        yield self._verdict
        yield from (f"  {each.text}" if each.is_detail else each.text for each in self._reasons())

    @property
    def numbers(self) -> Sheet:
        """The two numbers and their difference, as a table, whose title says how many others differ."""
        lines = _numbers(self.comparison) if self.comparison.value.size else []
        # Of an array, the first line says how many numbers differ.
        title = lines.pop(0) if len(lines) > 3 else ""
        rows = [(name, number) for name, number in (line.split(maxsplit=1) for line in lines)]
        return Sheet(title, (Column("", "text"), Column("", "text")), rows)

    @property
    def message(self) -> Message:
        """The verdict, and what would have led to the expected number."""
        return Message(self._verdict, self.comparison.agrees, [*self._reasons()])

    def markdown(self) -> str:
        """The same as Markdown."""
        numbers = self.numbers
        table = markdown(numbers) if numbers.rows else ""
        return "\n".join(filter(None, [numbers.title and f"{numbers.title}\n", table, self.message.markdown]))

    @property
    def _verdict(self) -> str:
        return f"{'agrees' if self.comparison.agrees else 'differs'}{self._digits()}{self._limits()}"

    def _reasons(self) -> Iterator[Told]:
        """What would have led to the expected number, or might have."""
        found = self.found
        if found is None:
            return
        if found.explanations:
            for each in found.explanations:
                yield from self._explanation(each)
            return
        text = self.expect.strip()
        if found.undecided:
            is_special = self.number is not None and not math.isfinite(self.number.value)
            why = "" if is_special else "too few digits to tell: "
            yield Told(f"{why}{text} may be one of these, or chance")
            for each in found.undecided:
                yield from self._explanation(each)
        else:
            yield Told(f"no common mistake explains {text}")
        for each in found.nearest:
            yield Told(f"near: {self._near(each)}")

    def _explanation(self, each: Cause) -> Iterator[Told]:
        told = "these numbers" if self.number is None else _digits_of(each.value)
        if each.command is None:
            yield Told(each.sentence)
            return
        yield Told(f"you get {told} if {each.sentence}:")
        yield Told(each.command, "code")
        for other in each.also:
            yield Told(f"also: {other.sentence} ({other.typed})", "detail")

    def _near(self, each: Cause) -> str:
        assert self.number is not None
        digits = _common_digits(each.value, self.number.value)
        close = f", which agrees to {digits} digits" if digits > 1 else ""
        return f"{_digits_of(each.value)}{close}, if {each.sentence} ({each.name})"

    def _digits(self) -> str:
        """To how many digits a typed number agrees."""
        if self.number is None or not self.comparison.agrees or self.is_tolerance_typed:
            return ""
        value = float(self.comparison.value.reshape(()))
        common = _common_digits(value, self.number.value)
        digits = min(common, self.number.digits) if "." in self.expect else common
        return f" to {digits} digits" if digits > 1 else ""

    def _limits(self) -> str:
        if self.number is None or self.is_tolerance_typed:
            return f" (rtol {self.tolerance.rtol:g}, atol {self.tolerance.atol:g})"
        if not math.isfinite(self.number.value):
            return ""
        return f" ({'within' if self.comparison.agrees else 'by more than'} {self.tolerance.atol:.2g})"

    def facts(self) -> dict[str, object]:
        """The same as an object of JSON."""
        comparison, found, name = self.comparison, self.found or Causes(), self.result.name
        reduction = self.result.reduction
        return {
            **({"activation": name} if reduction is None else {"loss": name, "reduction": reduction}),
            "agrees": comparison.agrees,
            "value": comparison.value,
            "expected": comparison.expected,
            "difference": comparison.difference if comparison.value.size else 0.0,
            "worst": comparison.worst,
            "differing": comparison.differing,
            "rtol": self.tolerance.rtol,
            "atol": self.tolerance.atol,
            "explanations": [*map(self._told, found.explanations)],
            "undecided": [*map(self._told, found.undecided)],
            "nearest": [*map(self._told, found.nearest)],
        }

    def _told(self, each: Cause) -> dict[str, object]:
        return {**each.facts(), "also": [other.facts() for other in each.also]}


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
