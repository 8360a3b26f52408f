"""Parses the formulas that losses declare, evaluates them, and shows them with numbers for symbols."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache

import numpy as np

from losscalc.core.array import FloatArray
from losscalc.insight.formulas.grammar import Node, parse, walk
from losscalc.insight.formulas.latex import Latex
from losscalc.insight.formulas.mathml import MathML
from losscalc.insight.formulas.notation import Filling
from losscalc.insight.formulas.plain import Plain
from losscalc.insight.formulas.steps import named, names_of, steps
from losscalc.insight.formulas.text import Text
from losscalc.insight.formulas.value import Values, evaluate, shown
from losscalc.outputs.working import Math

__all__ = ["Formula", "Values", "math_of", "parsed"]

LATEX, MATHML, PLAIN = Latex(), MathML(), Plain()

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
        return self._filled(self._main, self.defined(values), show).text

    def filled(self, values: Values, show: Callable[[float], str]) -> Math:
        """The same in every notation."""
        return self._filled(self._main, self.defined(values), show)

    def _filled(self, node: Node, known: Values, show: Callable[[float], str]) -> Math:
        text = Text(self.text, known, show).render(node) or ""
        filling = Filling(known, show)
        return Math(text, LATEX.write(node, filling) or "", MATHML.write(node, filling) or "")

    @property
    def equations(self) -> list[tuple[Math, Math]]:
        """The formula and its definitions, each with its name."""
        named = {"ℓ": self._main, **self._written}
        return [(math_of(name), self._symbolic(node)) for name, node in named.items()]

    def _symbolic(self, node: Node) -> Math:
        return Math(self.text[node.start : node.end], LATEX.write(node) or "", MATHML.write(node) or "")

    @property
    def whole(self) -> Math:
        """The formula and its definitions, one after the other."""
        definitions = self.equations[1:]
        mathml = [f"{name.mathml}<mo>=</mo>{math.mathml}" for name, math in definitions]
        return Math(self.text, self.latex(), "<mo>,</mo>".join([self.equations[0][1].mathml, *mathml]))

    def latex(self) -> str:
        """The formula and its definitions as LaTeX, in one line."""
        main, *definitions = self.equations
        return ", ".join([main[1].latex, *(f"{name.latex} = {math.latex}" for name, math in definitions)])

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

    def worked(self, name: str, values: Values, show: Callable[[float], str]) -> Math | None:
        """The sum that defines a symbol, written out; None if no sum defines it."""
        definition, known = self.definitions.get(name), self._bound(name, self.defined(values))
        if definition is None or all(n.kind not in ("total", "extreme") for n in shown(definition, known)):
            return None
        return self._filled(definition, known, show)

    def steps(self, values: Values, declared: "Formula | None" = None) -> Iterator[tuple[Math, FloatArray]]:
        """What a textbook writes down on the way from the symbols to the value.

        What is declared comes first, and stands by its name in what follows.
        """
        known, names = self.defined(values), dict[str, str]()
        if declared is not None:
            definitions = {
                name: node
                for name, node in declared.definitions.items()
                if all(n.text in known for n in walk(node) if n.kind == "symbol")
            }
            names = names_of(definitions, declared.text)
            for name, node in definitions.items():
                yield from declared._steps(node, known, {})
                value = evaluate(node, known)
                if value is not None:
                    known[name] = value
                    yield math_of(name), value
        for name, node in reversed(self.definitions.items()):
            if (value := known.get(name)) is not None:
                if not self._is_applied(name):
                    yield from self._steps(node, known, names)
                yield math_of(name), value
        yield from self._steps(self._main, known, names)

    def _steps(
        self, node: Node, known: Values, names: Mapping[str, str]
    ) -> Iterator[tuple[Math, FloatArray]]:
        tree = named(node, self.text, names)
        with np.errstate(all="ignore"):
            for part, value in steps(tree, known):
                is_named = any(n.text in names.values() for n in walk(part))
                text = PLAIN.write(part) if is_named else self.text[part.start : part.end]
                yield Math(text or "", LATEX.write(part) or "", MATHML.write(part) or ""), value

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


def math_of(name: str) -> Math:
    """A symbol in every notation."""
    return Math(name, LATEX.name(name), MATHML.name(name))
