"""Parses the formulas that losses declare, evaluates them, and shows them with numbers for symbols."""

from collections.abc import Callable
from functools import cache

import numpy as np

from losscalc.core.array import FloatArray
from losscalc.insight.formulas.grammar import parse, walk
from losscalc.insight.formulas.latex import latex, name_of
from losscalc.insight.formulas.text import Text
from losscalc.insight.formulas.value import Values, evaluate, shown

__all__ = ["Formula", "Values", "parsed"]

_PLACES = ("u", "v")
_OF = "(u, v)"


class Formula:
    """A formula that can be evaluated, and shown with numbers for its symbols.

    >>> formula = Formula("-w·[y·ln σ(x) + (1-y)·ln(1-σ(x))]; x logit")
    >>> values = {"w": None, "x": np.array([0.0]), "y": np.array([1.0])}
    >>> formula.evaluate(values), formula.substituted(values, lambda number: f"{number:g}")
    (array([0.69314718]), '-[1·ln σ(0) + (1-1)·ln(1-σ(0))]')
    """

    def __init__(self, text: str) -> None:
        self.text, _, self.legend = (part.strip() for part in text.partition(";"))
        self._main, self._written = parse(self.text)
        nodes = [self._main, *self._written.values()]
        found = [n.text for root in nodes for n in walk(root) if n.kind in ("symbol", "flag")]
        self._found = list(dict.fromkeys(found))
        self._functions = {name[0]: d for name, d in self._written.items() if name.endswith(_OF)}
        self.definitions = {
            **{name: d for name, d in self._written.items() if not name.endswith(_OF)},
            **{name: self._functions[name[0]] for name in reversed(self._found) if self._is_applied(name)},
        }

    @property
    def symbols(self) -> list[str]:
        """The symbols in the order of appearance, without those that the formula defines itself."""
        bound = {*self.definitions, *(_PLACES if self._functions else ())}
        return [name for name in self._found if name not in bound]

    def times(self, symbol: str, meaning: str) -> "Formula":
        """The formula times a symbol, which its legend explains."""
        end = self._main.end
        legend = "; ".join(filter(None, (self.legend, f"{symbol} {meaning}")))
        return parsed(f"{symbol}·({self.text[:end]}){self.text[end:]}; {legend}")

    def scaled(self, factor: float, offset: float) -> "Formula":
        """The formula times a number, and another added."""
        if (factor, offset) == (1.0, 0.0):
            return self
        end = self._main.end
        main = self.text[:end]
        main = f"({main})" if factor == 1 else f"{factor:g}·({main})"
        main = main if offset == 0 else f"{main} {'-' if offset < 0 else '+'} {abs(offset):g}"
        return parsed("; ".join(filter(None, (main + self.text[end:], self.legend))))

    @property
    def initials(self) -> set[str]:
        """The letters of the arguments of functions that the formula defines, such as a and p of d(a, p)."""
        return {letter for name in self.definitions if self._is_applied(name) for letter in _letters(name)}

    def evaluate(self, values: Values) -> FloatArray:
        """The value of the formula; the axis of Σ is summed up."""
        known = self.defined(values)
        with np.errstate(all="ignore"):
            value = evaluate(self._main, known)
        assert value is not None
        return value

    def substituted(self, values: Values, show: Callable[[float], str]) -> str:
        """The formula with numbers for its symbols, and only the alternative that holds.

        The values are those of a single loss; each is a vector along the axis of Σ.
        """
        known = self.defined(values)
        text = Text(self.text, known, show).render(self._main)
        assert text is not None
        return text

    def latex(self, values: Values | None = None, show: Callable[[float], str] = str) -> str:
        """The formula as LaTeX, with numbers for its symbols if values are given."""
        known = None if values is None else self.defined(values)
        main = latex(self._main, known, show) or ""
        if values is not None:
            return main
        return ", ".join(
            [main, *(f"{name_of(n)} = {latex(d, None, show)}" for n, d in self._written.items())]
        )

    def defined(self, values: Values) -> dict[str, FloatArray | None]:
        """The values together with those of the symbols that the formula defines."""
        known = dict(values)
        with np.errstate(all="ignore"):
            for name, definition in reversed(self.definitions.items()):
                known[name] = evaluate(definition, self._bound(name, known))
        return known

    def hidden(self, values: Values) -> set[str]:
        """The symbols that the value does not depend on: those of conditions and of other alternatives."""
        known = self.defined(values)
        nodes = list(shown(self._main, known))
        for name, definition in self.definitions.items():
            if known[name] is not None:
                nodes += shown(definition, self._bound(name, known))
        return {*self._found} - {node.text for node in nodes if node.kind == "symbol"}

    def worked(self, name: str, values: Values, show: Callable[[float], str]) -> tuple[str, str]:
        """The sum that defines a symbol, written out as text and as LaTeX; empty if no sum defines it."""
        definition, known = self.definitions.get(name), self._bound(name, self.defined(values))
        if definition is None or all(n.kind not in ("total", "extreme") for n in shown(definition, known)):
            return "", ""
        text = Text(self.text, known, show).render(definition) or ""
        return text, latex(definition, known, show) or ""

    def _bound(self, name: str, values: Values) -> Values:
        """The values, with u and v bound to the arguments of d(a, p)."""
        if not self._is_applied(name):
            return values
        long = [name for name in values if len(name) > 1 and name.isalpha()]
        arrays = [values[next(name for name in long if name[0] == letter)] for letter in _letters(name)]
        return {**values, **dict(zip(_PLACES, arrays, strict=True))}

    def _is_applied(self, name: str) -> bool:
        return "(" in name and name[0] in self._functions


def _letters(symbol: str) -> tuple[str, str]:
    """The letters a and p of d(a, p)."""
    return symbol[2], symbol[5]


@cache
def parsed(text: str) -> Formula:
    """Parse a formula; the same text only once."""
    return Formula(text)
