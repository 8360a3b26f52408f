"""The result of a call, as plain facts for formats and tables."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from losscalc import __version__
from losscalc.core.array import Array
from losscalc.core.exactsum import exact_text
from losscalc.core.operation import Operation
from losscalc.core.reductions import MEAN, SUM, Partial, Reduction

if TYPE_CHECKING:
    from losscalc.outputs.sheets import Cell, Sheet
    from losscalc.outputs.working import Working


class Result(NamedTuple):
    """The result of one call of a loss, or of an activation, which has no reduction."""

    name: str
    value: Array
    parameters: dict[str, object]
    reduction: str | None = None
    like: str | None = None
    """The library whose convention it follows."""
    supposed: str | None = None
    """The name of the hypothesis under which the value was computed."""
    gradient: str | None = None
    """The array with respect to which the value is the derivative of the loss."""
    mean: float = np.nan
    sum: float = np.nan
    numerator: float = np.nan
    denominator: float = np.nan
    count: int = 0  # type: ignore[assignment]
    ignored: int = 0
    working: "Working | None" = None
    link: str = ""
    """The function of the quotient that the value is, if it is one: root ..."""
    sums: Partial | None = None
    """The exact sums that a reduced loss was computed from."""
    is_tool: bool = False
    """Whether it is the result of a tool, not of a loss or an activation."""

    def under(self, supposed: str, value: Array) -> "Result":
        """What the same call comes to under a hypothesis, of which nothing but the value is known."""
        return Result(
            self.name,
            value,
            self.parameters,
            reduction=self.reduction,
            gradient=self.gradient,
            supposed=supposed,
        )

    @classmethod
    def reduced(
        cls, loss: Operation, value: Array, parameters: dict[str, object], reduction: Reduction, sums: Partial
    ) -> "Result":
        """The result of a reduced loss, with its sums."""
        return cls(
            loss.name,
            value,
            parameters,
            reduction=reduction.name,
            like=loss.like,
            mean=loss.reduced(MEAN, sums) if sums.sums else MEAN.finish(sums),
            sum=loss.reduced(SUM, sums) if sums.sums else SUM.finish(sums),
            numerator=np.nan if sums.sums else float(reduction.numerator(sums)),
            denominator=np.nan if sums.sums else float(reduction.denominator(sums)),
            link=loss.link.name if loss.link and reduction.name == MEAN.name else "",
            count=sums.count,
            ignored=sums.ignored,
            sums=None if reduction.keeps else sums,
        )

    @property
    def dtype(self) -> str:
        """The name of the dtype of the value; decimal for decimal.Decimal."""
        return self.value.dtype.name if self.value.dtype != object else "decimal"

    @property
    def nonfinite(self) -> int:
        """The number of values that are NaN or infinite."""
        if self.value.dtype == object:
            return sum(not number.is_finite() for number in self.value.flat)
        return int(np.count_nonzero(~np.isfinite(self.value)))

    @property
    def is_average(self) -> bool:
        """Whether it is a numerator over a denominator, or a function of that quotient."""
        is_mean = self.reduction in ("mean", "batchmean") and self.gradient is None
        return is_mean and self.supposed is None and not self.several

    @property
    def several(self) -> Mapping[str, float]:
        """The sums by name, of a loss that is a function of several."""
        return self.sums.numbers if self.sums is not None and self.gradient is None else {}

    @property
    def divisor(self) -> int | float:
        """The denominator; a whole number is an int."""
        number = self.denominator
        return int(number) if number.is_integer() and abs(number) < 1e15 else number

    def summary(self) -> "Sheet":
        """The table of a single number: the sums and counts that it was computed from."""
        # Imported here, because bare numbers, which most pipes carry, do not need them.
        from losscalc.outputs.sheets import Column, Sheet

        rows: list[tuple[Cell, ...]] = [] if self.reduction is None else [("reduction", self.reduction)]
        if self.supposed is not None:
            rows.append(("supposed", self.supposed))
        what = "value" if self.gradient is None else f"gradient of {self.gradient}"
        rows.append((what, self.value.item() if self.value.dtype == object else float(self.value)))
        if self.is_average:
            rows += [("numerator", self.numerator), ("denominator", self.divisor)]
        rows += self.several.items()
        if self.reduction is not None and self.gradient is None and self.supposed is None:
            rows.append(("count", self.count))
            if self.ignored:
                rows.append(("ignored", self.ignored))
        return Sheet(self.name, (Column("", "text"), Column(self.name)), rows)

    def table(self) -> "Sheet":
        """The arithmetic of a scalar, or an array with the indices of its rows and columns."""
        if self.value.ndim == 0:
            return self.summary()
        from losscalc.outputs.sheets import Column, Sheet

        rows = self.value.reshape(self.value.shape[0], math.prod(self.value.shape[1:]))
        columns = [Column(str(number)) for number in range(rows.shape[1])]
        return Sheet("", (Column(""), *columns), [(i, *row) for i, row in enumerate(rows.tolist())])

    def facts(self) -> dict[str, object]:
        """The result as JSON shows it; its value is an array."""
        common = {
            "nonfinite": self.nonfinite,
            "dtype": self.dtype,
            "parameters": self.parameters,
            "version": __version__,
        }
        working = self._working_facts()
        if self.reduction is None:
            kind = "tool" if self.is_tool else "activation"
            return {kind: self.name, "value": self.value, **common, **working}
        facts: dict[str, object] = {"loss": self.name, "reduction": self.reduction}
        if self.like is not None:
            facts["like"] = self.like
        if self.supposed is not None:
            facts["supposed"] = self.supposed
        elif self.gradient is not None:
            facts["gradient"] = self.gradient
        facts |= {
            "value": self.value,
            "numerator": np.asarray(self.numerator),
            "denominator": np.asarray(self.denominator),
            # What was supposed may leave other rows, which nobody counted.
            "count": self.count if self.supposed is None else None,
            "ignored": self.ignored if self.supposed is None else None,
            **common,
        }
        if self.sums is not None and self.gradient is None:
            facts["sums"] = _exact(self.sums)
        return facts | working

    def _working_facts(self) -> dict[str, object]:
        if self.working is None:
            return {}
        lines = [line.sentence for line in self.working.lines]
        return {"explanation": lines, "working": self.working.facts()}


def _exact(sums: Partial) -> dict[str, object]:
    """The sums with all their digits, so that results can be added up."""
    exact = {key: exact_text(getattr(sums, key)) for key in ("total", "numerator", "denominator")}
    named = {name: exact_text(value) for name, value in sums.sums.items()}
    return {**exact, "rows": sums.rows, **({"named": named} if named else {})}
