"""What a call came to: plain facts, for formats and tables to show."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from losscalc.core.array import Array
from losscalc.core.exactsum import exact_text
from losscalc.core.reductions import MEAN, SUM, Partial, Reduction


class Line(NamedTuple):
    """One line of an explanation: what it is about, the working, and how LaTeX writes that."""

    label: str
    text: str
    latex: str
    value: str = ""
    behind: str = ""
    """The numbers on the way, if there are any."""
    behind_latex: str = ""

    @property
    def sentence(self) -> str:
        """The line as text."""
        value = f" = {self.value}" if self.value else ""
        behind = f"   ({self.behind})" if self.behind else ""
        return f"{self.label} {self.text}{value}{behind}".strip()


class Working(NamedTuple):
    """How a loss comes about, ready to be shown."""

    title: str
    formula: str
    latex: str
    losses: list[Line]
    reduction: list[Line]


@dataclass(frozen=True)
class Result:
    """The outcome of one call of a loss, or of an activation (which has no reduction)."""

    name: str
    value: Array
    parameters: dict[str, object]
    reduction: str | None = None
    supposed: str | None = None
    """What was done otherwise than the loss is defined."""
    gradient: str | None = None
    """The array with respect to which the value is the derivative of the loss."""
    mean: float = np.nan
    sum: float = np.nan
    numerator: float = np.nan
    denominator: float = np.nan
    count: int = 0
    ignored: int = 0
    working: Working | None = None
    sums: Partial | None = None
    """What a reduced loss came from, exactly."""
    is_tool: bool = False
    """Whether it is the result of a tool, neither a loss nor an activation."""

    @classmethod
    def reduced(
        cls, name: str, value: Array, parameters: dict[str, object], reduction: Reduction, sums: Partial
    ) -> "Result":
        """The result that sums came to."""
        return cls(
            name,
            value,
            parameters,
            reduction=reduction.name,
            mean=MEAN.finish(sums),
            sum=SUM.finish(sums),
            numerator=float(reduction.numerator(sums)),
            denominator=float(reduction.denominator(sums)),
            count=sums.count,
            ignored=sums.ignored,
            sums=None if reduction.keeps else sums,
        )

    @property
    def dtype(self) -> str:
        """The name of the dtype of the value."""
        return self.value.dtype.name

    @property
    def nonfinite(self) -> int:
        """How many numbers of the value are NaN or infinite."""
        return int(np.count_nonzero(~np.isfinite(self.value)))

    def facts(self) -> dict[str, object]:
        """The result as strict JSON will show it, but for the value, which is left as an array."""
        # Imported here: it costs more than the rest of a small call, and JSON alone needs it.
        from importlib.metadata import version

        common = {
            "nonfinite": self.nonfinite,
            "dtype": self.dtype,
            "parameters": self.parameters,
            "version": version("losscalc"),
        }
        if self.reduction is None:
            return {"tool" if self.is_tool else "activation": self.name, "value": self.value, **common}
        derivative = {} if self.gradient is None else {"gradient": self.gradient}
        if self.supposed is not None:
            derivative = {"supposed": self.supposed}
        return {
            "loss": self.name,
            "reduction": self.reduction,
            **derivative,
            "value": self.value,
            "numerator": _finite(self.numerator),
            "denominator": _finite(self.denominator),
            "count": self.count,
            "ignored": self.ignored,
            **common,
            **({} if self.sums is None or self.gradient is not None else {"sums": _exact(self.sums)}),
            **({} if self.working is None else {"explanation": self._explained()}),
        }

    def _explained(self) -> list[str]:
        """The working as lines of text."""
        assert self.working is not None
        lines = [*self.working.losses, *self.working.reduction]
        return [line.sentence for line in lines]


def _exact(sums: Partial) -> dict[str, object]:
    """The sums with all their digits, so that results can be added up."""
    exact = {key: exact_text(getattr(sums, key)) for key in ("total", "numerator", "denominator")}
    return {**exact, "rows": sums.rows}


def _finite(number: float) -> float | None:
    """The number, or None where JSON has none."""
    return number if np.isfinite(number) else None
