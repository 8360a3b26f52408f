"""Formulas as losses declare them: parsed, so that numbers can stand in the place of their symbols."""

from collections.abc import Callable
from functools import cache

import numpy as np

from losscalc.core.array import FloatArray
from losscalc.insight.formulas.grammar import parse, walk
from losscalc.insight.formulas.latex import latex, name_of
from losscalc.insight.formulas.text import Text
from losscalc.insight.formulas.value import Values, evaluate

__all__ = ["Formula", "Values", "parsed"]


class Formula:
    """A formula that can be evaluated, and shown with numbers in the place of its symbols.

    >>> formula = Formula("-w·[y·ln σ(x) + (1-y)·ln(1-σ(x))]; x logit")
    >>> values = {"w": None, "x": np.array([0.0]), "y": np.array([1.0])}
    >>> formula.evaluate(values), formula.substituted(values, lambda number: f"{number:g}")
    (array([0.69314718]), '-[1·ln σ(0) + (1-1)·ln(1-σ(0))]')
    """

    def __init__(self, text: str) -> None:
        self.text, _, self.legend = (part.strip() for part in text.partition(";"))
        self._main, self._definitions = parse(self.text)

    @property
    def symbols(self) -> list[str]:
        """The symbols, in the order of their first appearance, without those that it defines itself."""
        nodes = [self._main, *self._definitions.values()]
        found = [node.text for root in nodes for node in walk(root) if node.kind in ("symbol", "flag")]
        return [name for name in dict.fromkeys(found) if name not in self._definitions]

    def evaluate(self, values: Values) -> FloatArray:
        """The value of the formula, with the axis of Σ summed up."""
        known = self.defined(values)
        with np.errstate(all="ignore"):
            value = evaluate(self._main, known)
        assert value is not None
        return value

    def substituted(self, values: Values, show: Callable[[float], str]) -> str:
        """The formula with numbers for its symbols, and of its alternatives the one that holds.

        The values are those of a single loss: each a vector along the axis of Σ.
        """
        known = self.defined(values)
        text = Text(self.text, known, show).render(self._main)
        assert text is not None
        return text

    def latex(self, values: Values | None = None, show: Callable[[float], str] = str) -> str:
        """The formula for LaTeX, with numbers for its symbols if there are any."""
        known = None if values is None else self.defined(values)
        main = latex(self._main, known, show) or ""
        if values is not None or not self._definitions:
            return main
        return ", ".join(
            [main, *(f"{name_of(n)} = {latex(d, None, show)}" for n, d in self._definitions.items())]
        )

    def defined(self, values: Values) -> dict[str, FloatArray | None]:
        """The values, and those of the symbols that the formula defines."""
        known = dict(values)
        with np.errstate(all="ignore"):
            for name, definition in reversed(self._definitions.items()):
                known[name] = evaluate(definition, known)
        return known


@cache
def parsed(text: str) -> Formula:
    """The formula of a text, parsed once."""
    return Formula(text)
