"""What the commands print, as objects of Python: text as in a pipe, tables for notebooks, and facts."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from losscalc.errors import DiagnosisWarning, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from losscalc.insight.report import Report
    from losscalc.outputs.message import Message
    from losscalc.outputs.parts import Part
    from losscalc.outputs.result import Result
    from losscalc.outputs.sheets import Sheet

_DECIMALS = 4


class View(ABC):
    """What a command prints, as an object: its text is that of a pipe, and notebooks show a table of it."""

    @abstractmethod
    def written(self, form: str) -> str:
        """The same in a format of the command line: plain, json or markdown."""

    def to_dict(self) -> dict[str, Any]:
        """The facts, under the keys of the command line's JSON; NaN and infinities are None."""
        import json

        facts: dict[str, Any] = json.loads(self.written("json"))
        return facts

    def __str__(self) -> str:
        return self.written("plain").rstrip("\n")

    def __repr__(self) -> str:
        return str(self)

    @property
    def _said(self) -> tuple[str, str]:
        """All its numbers, and its text, which tells NaN from infinities."""
        return self.written("json"), str(self)

    def __eq__(self, other: object) -> bool:
        # Of arrays, `==` would be one truth value for each number.
        return isinstance(other, View) and type(self) is type(other) and self._said == other._said

    def __hash__(self) -> int:
        return hash((type(self), self._said))

    def _repr_markdown_(self) -> str:
        return self.written("markdown")

    @abstractmethod
    def parts(self) -> "Sequence[Part | Message]":
        """What a page shows of it."""

    def _repr_html_(self) -> str:
        from losscalc.outputs.html import fragment

        return fragment(self.parts())

    def _repr_latex_(self) -> str | None:
        from losscalc.outputs.markup import latex

        # A table without rows is no table.
        text = self._repr_markdown_()
        return latex(text) if text else None


@dataclass(frozen=True, repr=False, eq=False)
class _OfResult(View):
    """A view of a value."""

    result: "Result"
    """The value with the sums behind it."""

    @property
    def value(self) -> Any:
        """The value, as `compute` gives it."""
        return self.result.value[()]

    def written(self, form: str) -> str:
        from losscalc.outputs.writers import WRITERS

        return WRITERS[form].write(self.result, None).decode()

    def parts(self) -> "Sequence[Part | Message]":
        return [self.result.working or self.result.table()]


@dataclass(frozen=True, repr=False, eq=False)
class Explanation(_OfResult):
    """The working of a loss: its formula with the numbers put in, and the reduction."""

    def _repr_latex_(self) -> str | None:
        return self.written("latex")


@dataclass(frozen=True, repr=False, eq=False)
class Supposition(_OfResult):
    """What a loss comes to if something was done otherwise."""

    def _repr_markdown_(self) -> str:
        try:
            return super()._repr_markdown_()
        except UsageError:
            # Of more axes than a table has: the nested lists of a pipe.
            return f"`{self}`"

    def _repr_latex_(self) -> str | None:
        try:
            return f"$${self.written('latex').strip()}$$"
        except UsageError:
            return None


@dataclass(frozen=True, repr=False, eq=False)
class _OfTables(View):
    """A view of tables."""

    tables: "tuple[Sheet, ...]"

    def written(self, form: str) -> str:
        from losscalc.outputs.sheets import write_sheets

        if form != "markdown":
            return write_sheets(self.tables, form, None).decode()
        parts = (
            f"**{table.title}**\n\n{write_sheets([table], form, _DECIMALS).decode()}"
            for table in self.tables
            if table.rows
        )
        return "\n".join(parts)

    def parts(self) -> "Sequence[Part | Message]":
        return self.tables

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of the last table, by column, as a DataFrame takes them."""
        from losscalc.outputs.sheets import records

        return [dict(row) for row in records(self.tables[-1])]


@dataclass(frozen=True, repr=False, eq=False)
class WorstLosses(_OfTables):
    """The largest losses, where they are, and what they were computed from."""


@dataclass(frozen=True, repr=False, eq=False)
class Comparison(_OfTables):
    """Several losses of the same data."""


@dataclass(frozen=True, repr=False, eq=False)
class Diagnosis(_OfTables):
    """What there is to say of a data set: baselines, statistics, the largest losses and a histogram."""

    warnings: tuple[DiagnosisWarning, ...] = ()
    """The signs of mistakes that were found, which were warned of as well."""


@dataclass(frozen=True, repr=False, eq=False)
class Check(View):
    """Whether a loss is what was expected, and if not, what would have led to that; true if it is."""

    report: "Report"

    @property
    def agrees(self) -> bool:
        """Whether all numbers agree."""
        return self.report.comparison.agrees

    @property
    def value(self) -> Any:
        """The value, as `compute` gives it."""
        return self.report.result.value[()]

    @property
    def expected(self) -> Any:
        """What was expected: a number or an array."""
        return self.report.comparison.expected[()]

    @property
    def causes(self) -> tuple[str, ...]:
        """What would have led to the expected number, the likeliest first, if that can be told."""
        found = self.report.found
        return () if found is None else tuple(each.sentence for each in found.explanations)

    def __bool__(self) -> bool:
        return self.agrees

    def parts(self) -> "Sequence[Part | Message]":
        return [self.report.numbers, self.report.message]

    def written(self, form: str) -> str:
        from losscalc.outputs.numbers import json_bytes

        match form:
            case "json":
                return json_bytes(self.report.facts()).decode()
            case "markdown":
                return self.report.markdown()
        return "".join(f"{line}\n" for line in self.report.lines())
