"""Describes a loss or an activation from its declaration alone, without data."""

import re
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from losscalc.catalogue.base import Loss
from losscalc.catalogue.functions import compute
from losscalc.core.declaration import Parameter, array_arguments, parameters
from losscalc.core.operation import Operation, differentiable, pytorch_names
from losscalc.errors import name_arguments, option_name
from losscalc.insight.formulas import Formula, parsed
from losscalc.insight.symbols import VOCABULARY
from losscalc.outputs.description import Description, Section


def describe(cls: type[Operation]) -> Description:
    """Describe a loss or an activation."""
    of_loss = cls if issubclass(cls, Loss) else None
    sections = [
        Section("symbols", list(_symbols(cls))),
        Section("arrays", [(option_name(array.name), array.role.doc) for array in array_arguments(cls)]),
        Section("parameters", [(option_name(p.name), parameter_text(p)) for p in parameters(cls)]),
        *([] if of_loss is None else _of_loss(of_loss)),
        Section("unlike PyTorch", [("", f"{cls.unlike}.")] if cls.unlike else []),
        Section("in PyTorch", [("", names)] if (names := pytorch_names(cls)) else []),
        Section(
            "example", [("", example_command(of_loss) if of_loss else f"losscalc {cls.name} -i 0.5,1,2")]
        ),
    ]
    formula = _formula(cls)
    equations = [(name.latex, math.latex) for name, math in formula.equations]
    if of_loss is None:
        equations[0] = (rf"\text{{{cls.name}}}", equations[0][1])
    kept = [
        Section(heading, [(name, name_arguments(text)) for name, text in rows])
        for heading, rows in sections
        if rows
    ]
    return Description(
        cls.name,
        name_arguments(_first_line(cls)),
        cls.formula,
        formula.latex(),
        equations,
        kept,
        "activation" if of_loss is None else "loss",
    )


def _formula(cls: type[Operation]) -> Formula:
    """The formula; of "σ(x) = ..." what is behind the name."""
    return parsed(cls.formula if issubclass(cls, Loss) else cls.formula.rpartition(" = ")[2])


def _of_loss(cls: type[Loss]) -> Iterator[Section]:
    """What losses have, and activations have not."""
    yield Section("reductions", [(" ".join(cls.reductions), f"mean divides by {cls.divisor}")])
    yield Section(
        "gradient", [(wrt.replace("_", "-"), _first_line(cls().slope(wrt))) for wrt in differentiable(cls)]
    )
    yield Section("other libraries", list(_conventions(cls)))


def _conventions(cls: type[Loss]) -> Iterator[tuple[str, str]]:
    """How libraries differ, with the mean that each gives for the same numbers."""
    if not cls.conventions:
        return
    example = {**cls.contrast, "reduction": "mean"} if cls.contrast else {**cls.example, "reduction": "mean"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield "losscalc", f"{compute(cls.name, **example):.6g} for {example_command(cls, example)}"
        for convention in cls.conventions:
            settings = {key: value for key, value in example.items() if key not in convention.settings}
            found = compute(cls.name, **settings, like=convention.library)
            yield convention.library, f"{found:.6g}: {convention.sentence} ({convention.source})"


def parameter_text(parameter: Parameter) -> str:
    """A parameter in words: its meaning, its domain and its default."""
    domain = f" It must be {parameter.domain}." if parameter.domain is not None else ""
    default = "" if parameter.default is None else f" Default: {parameter.default_text}."
    return parameter.doc + domain + default


def example_command(cls: type[Loss], example: Mapping[str, Any] | None = None) -> str:
    """An example of a loss, or its own, as a command to paste; a dict of arrays is shown as a file."""
    many = {array.name for array in array_arguments(cls) if array.role.many}
    words = ["losscalc", cls.name]
    for name, value in (example or cls.example).items():
        word = f"{name}.npz" if name in many else f"'{value}'" if isinstance(value, list) else str(value)
        words += [option_name(name), word]
    return " ".join(words)


def _symbols(cls: type[Operation]) -> Iterator[tuple[str, str]]:
    """The meaning of the symbols of the formula that the formula does not define itself."""
    known = {array.name for array in array_arguments(cls)} | {p.name for p in parameters(cls)}
    for symbol in _formula(cls).symbols:
        letter = symbol[0] if re.fullmatch(r"[a-z]\[[a-z]\]", symbol) else symbol
        name = VOCABULARY.get(letter, "")
        # A symbol that is called as the array or parameter is explained there.
        if name in known and symbol not in known:
            of = {"[y]": " of the target class", "[i]": " of any other class"}.get(symbol[1:], "")
            yield symbol, name + of
    yield from _distances(cls)
    if _formula(cls).legend:
        yield "", _formula(cls).legend


def _distances(cls: type[Operation]) -> Iterator[tuple[str, str]]:
    """The distances d(a, p) of the arrays whose names begin with these letters."""
    formula = _formula(cls)
    names = {array.name[0]: array.name for array in array_arguments(cls)}
    for symbol in (*formula.symbols, *formula.definitions):
        if match := re.fullmatch(r"d\((\w), (\w)\)", symbol):
            one, other = (names.get(letter) for letter in match.groups())
            if one and other:
                yield symbol, f"distance of {one} and {other}"


def _first_line(described: object) -> str:
    return (described.__doc__ or "").partition("\n")[0]
