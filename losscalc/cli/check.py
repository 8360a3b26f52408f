"""Checks a value against an expected one, and searches for what would have led to the latter."""

import shlex
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from losscalc.cli.hints import Files
from losscalc.cli.output import Delivery
from losscalc.cli.request import Request
from losscalc.core.operation import suggest
from losscalc.errors import UsageError
from losscalc.inputs.address import parse_address, read_array
from losscalc.insight.compare import Comparison, Tolerance, compare, explanations
from losscalc.insight.detect import Hypothesis, hypotheses
from losscalc.outputs.numbers import json_bytes
from losscalc.outputs.result import Result

EXIT_DIFFERENT = 1

# With fewer digits a number may agree by chance with the rounded value.
_FEWEST_DIGITS = 3
# Options that are left out of the command that reproduces the expected number.
_OWN = ("--expect", "--rtol", "--atol", "--output", "-o", "--suppose")


class Check(NamedTuple):
    """A request with the value that is expected, and the words of the command."""

    request: Request
    expect: str
    tolerance: Tolerance
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
        comparison = compare(result.value, expected, self.tolerance, is_reduced=not call.reduction.keeps)
        found: list[Hypothesis] = []
        if not comparison.agrees:
            looser = self.tolerance.loosened(self.expect) if comparison.value.ndim == 0 else self.tolerance
            found = [] if _is_rounded(self.expect, comparison) else explanations(call, comparison, looser)
        if delivery.format == "json":
            delivery.send_bytes(json_bytes(self._facts(result, comparison, found)))
        else:
            text = "\n".join(self._lines(comparison, found)) + "\n"
            # The names of files are bytes, and need not be UTF-8.
            delivery.send_bytes(text.encode(errors="surrogateescape"))
        return 0 if comparison.agrees else EXIT_DIFFERENT

    def _lines(self, comparison: Comparison, found: Sequence[Hypothesis]) -> list[str]:
        lines = _numbers(comparison) if comparison.value.size else []
        verdict = "agrees" if comparison.agrees else "differs"
        lines.append(f"{verdict} (rtol {self.tolerance.rtol:g}, atol {self.tolerance.atol:g})")
        if comparison.agrees:
            return lines
        if _is_rounded(self.expect, comparison):
            lines.append(f"{self.expect.strip()} is the value, rounded: a larger --atol lets it pass")
        elif not found:
            lines.append("nothing that is often done otherwise leads to the expected number")
        elif len(found) > 1:
            lines.append(f"{len(found)} things lead to the expected number; the simplest first:")
        for hypothesis in found:
            lines += [f"that is what comes out if {hypothesis.sentence}:", f"  {self.command(hypothesis)}"]
        return lines

    def _facts(
        self, result: Result, comparison: Comparison, found: Sequence[Hypothesis]
    ) -> dict[str, object]:
        return {
            "loss": result.name,
            "reduction": result.reduction,
            "agrees": comparison.agrees,
            "value": comparison.value,
            "expected": comparison.expected,
            "difference": comparison.difference if comparison.value.size else 0.0,
            "worst": comparison.worst,
            "differing": comparison.differing,
            "explanations": [
                {"name": row.name, "sentence": row.sentence, "command": self.command(row)} for row in found
            ],
        }

    def command(self, hypothesis: Hypothesis) -> str:
        """The command that gives the expected number."""
        added = hypothesis.options.split() or ["--suppose", hypothesis.name]
        kept = without_options(self.words, (*_OWN, added[0]))
        return shlex.join(["losscalc", *kept, *added])


def supposed(request: Request, name: str) -> Result:
    """The result of a request under a hypothesis."""
    call, result = request.gathered(as_given=True)
    rows = {row.name: row for row in hypotheses(call)}
    if name not in rows:
        close = suggest(name, rows)
        raise UsageError(
            "nothing of that name can be supposed",
            found=name,
            hint=f"did you mean {close}?" if close else f"there are {', '.join(list(rows)[:8])}, ...",
        )
    value = rows[name].value(call)
    if value is None:
        raise UsageError(f"{name} does not apply to these arrays", hint=f"it means: {rows[name].sentence}")
    return Result(result.name, value, result.parameters, reduction=result.reduction, supposed=name)


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


def _is_rounded(text: str, comparison: Comparison) -> bool:
    """Whether the text is the value, rounded."""
    text, value = text.strip(), float(comparison.value[comparison.worst])
    decimals = len(text.partition(".")[2])
    digits = text.lstrip("+-0.").replace(".", "")
    return len(digits) >= _FEWEST_DIGITS and digits.isdigit() and f"{value:.{decimals}f}" == text
