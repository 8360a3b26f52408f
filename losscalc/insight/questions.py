"""What Python asks of a loss besides its value: the working, a check, a diagnosis, the worst, others."""

import ast
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from losscalc.catalogue.base import Loss, announce, choose_reduction, instance
from losscalc.core.array import ArrayLike
from losscalc.core.declaration import array_arguments, parameters
from losscalc.core.operation import Operation, result_dtype
from losscalc.core.reductions import MEAN
from losscalc.engine import compute as engine
from losscalc.engine.arguments import memory_sources
from losscalc.engine.call import AnyCall
from losscalc.engine.compute import Computation
from losscalc.engine.foreign import as_array
from losscalc.errors import LosscalcError, LosscalcWarning, ParameterError, in_python
from losscalc.insight.bounds import check_bounds
from losscalc.insight.call import Call, simplified
from losscalc.insight.views import Check, Comparison, Diagnosis, Explanation, Supposition, WorstLosses
from losscalc.outputs.result import Result

if TYPE_CHECKING:
    from losscalc.insight.detect.search import Candidate

__all__ = [
    "Check",
    "Comparison",
    "Diagnosis",
    "Explanation",
    "Supposition",
    "WorstLosses",
    "check",
    "compare",
    "diagnose",
    "explain",
    "suppose",
    "worst",
]

_OPTIONS = ("dtype", "broadcast", "wrt", "threads")


class _Asked(NamedTuple):
    """A call with its arrays in memory, what it came to, and what was warned of."""

    call: AnyCall
    done: Computation
    warnings: tuple[LosscalcWarning, ...]

    @classmethod
    def of(
        cls, loss: object, arrays: tuple[Any, ...], arguments: dict[str, Any], samples: int = 0
    ) -> "_Asked":
        """Compute what is asked for, and warn as `compute` does."""
        operation, arrays, rest = instance(loss, arrays, arguments)
        call, notes = _called(operation, arrays, rest)
        held, _ = engine.gathered(call._replace(samples=samples))
        done = engine.compute(held)
        warnings = (*notes, *done.warnings)
        announce(warnings)
        return cls(held._replace(examine=None), done, warnings)

    @classmethod
    def of_losses(cls, loss: object, arrays: tuple[Any, ...], arguments: dict[str, Any]) -> "_Asked":
        """The same where the single losses are looked at, of which a derivative has none."""
        if arguments.get("wrt") is not None:
            problem = "`wrt` asks for a derivative, and this looks at the losses"
            raise ParameterError(problem, found=arguments["wrt"], argument="wrt", hint="leave `wrt` out")
        return cls.of(loss, arrays, arguments)

    @property
    def of_loss(self) -> Call:
        """The call, if it is that of a loss; ParameterError if not."""
        operation = self.call.operation
        if not isinstance(operation, Loss):
            raise ParameterError(f"{operation.name} is an activation, not a loss")
        return cast("Call", self.call)

    @property
    def result(self) -> Result:
        """The value, with the sums behind it."""
        operation = self.call.operation
        if not isinstance(operation, Loss):
            return Result(operation.name, self.done.value, operation.settings)
        reduction, sums = self.call.reduction, self.done.partial
        found = Result.reduced(operation, self.done.value, operation.settings, reduction, sums)
        return found._replace(gradient=self.call.wrt)


def _called(
    operation: Operation, arrays: tuple[Any, ...], arguments: dict[str, Any]
) -> tuple[AnyCall, tuple[LosscalcWarning, ...]]:
    """The call that is asked for, and what there is to say of how it was understood."""
    if not isinstance(operation, Loss):
        dtype, threads = (arguments.pop(name, None) for name in ("dtype", "threads"))
        sources, _ = memory_sources(operation, arrays, arguments)
        return AnyCall(operation, sources, dtype=result_dtype(dtype), threads=threads), ()
    flags = arguments.pop("size_average", None), arguments.pop("reduce", None)
    reduction, notice = choose_reduction(type(operation), arguments.pop("reduction", "mean"), *flags)
    options = {name: arguments.pop(name) for name in _OPTIONS if name in arguments}
    call, notes = operation.called(arrays, arguments, reduction, **options)
    return cast("AnyCall", call), (*([notice] if notice else []), *notes)


def explain(
    loss: object, *arrays: ArrayLike | None, max_rows: int = 40, precision: int = 4, **arguments: Any
) -> Explanation:
    """Show the working of a loss: the formula with the numbers put in, row by row, and the reduction.

    The loss, which may be an activation, and the arguments are those of `compute`. The first `max_rows`
    losses are worked out, with `precision` decimals. The result prints as text, and notebooks show it as a
    table.

    Raises what `compute` raises.

    >>> explain("mse", [1.0, 2.0], [1.0, 4.0])
    mse: w·(x - y)²
    [0] (1 - 1)² = 0.0000   (x - y = 0)
    [1] (2 - 4)² = 4.0000   (x - y = -2)
    numerator 0 + 4 = 4.0000
    denominator number of losses = 2
    mean 4.0000 / 2 = 2.0000
    """
    from losscalc.insight.explain import worked

    check_bounds(max_rows=max_rows, precision=precision)
    asked = _Asked.of(loss, arrays, arguments, samples=max_rows)
    return Explanation(asked.result._replace(working=worked(asked.call, asked.done, precision)))


def check(
    loss: object,
    *arrays: ArrayLike | None,
    expected: ArrayLike,
    rtol: float | None = None,
    atol: float | None = None,
    **arguments: Any,
) -> Check:
    """Check a loss against an expected number, and tell what would have led to that if it differs.

    The loss may be your own criterion, such as an object of torch.nn; the arguments are those of `compute`.
    A number agrees to the digits that it is written with, which are those of its repr, or as text as many
    as you give; `rtol` and `atol` replace that. An array agrees to rtol 1e-5 and atol 1e-8, and with `wrt`
    it is that of a gradient. The result is true if all agrees; `causes` are sentences on what else was done.
    An activation is compared alone.

    Raises what `compute` raises, and ShapeError for an expected array of another shape.

    >>> bool(check("mse", [1.0, 2.0], [1.0, 4.0], expected=2.0))
    True
    >>> found = check("bce-logits", [2.0, -1.0, 0.0], [1, 0, 1], expected=1.1333)
    >>> found.agrees, found.value, found.causes
    (False, np.float64(0.377778959), ('it is the sum',))
    """
    from losscalc.insight.report import checked

    check_bounds(rtol=rtol, atol=atol)
    values, typed = _expectation(expected)
    asked = _Asked.of(loss, arrays, arguments)
    code = partial(_code, asked.call)
    within = (rtol, atol)
    return Check(
        checked(asked.call, asked.result, values, typed, within, code, name="expected", speak=in_python)
    )


def suppose(
    loss: object, *arrays: ArrayLike | None, mistake: str | Sequence[str], **arguments: Any
) -> Supposition:
    """Compute what a loss comes to if something was done otherwise.

    `mistake` is a name, such as those that `check` tells, or several, in a list or joined by commas; a number
    is given as NAME=NUMBER. `losscalc suppose LOSS` on the command line lists what there is.

    Raises UsageError for what is not known, or does not apply to these arrays, and what `compute` raises.

    >>> suppose("bce-logits", [2.0, -1.0, 0.0], [1, 0, 1], mistake="sum").value
    np.float64(1.133336879)
    """
    from losscalc.insight.detect.suppose import not_finite, supposed

    given = [mistake] if isinstance(mistake, str) else mistake
    if not (isinstance(given, Sequence) and all(isinstance(name, str) for name in given)):
        raise ParameterError("`mistake` must be a name, or a list of names", found=given, argument="mistake")
    names = ",".join(given)
    asked = _Asked.of(loss, arrays, arguments)
    value = supposed(asked.of_loss, names)
    announce(not_finite(asked.result.value, value))
    return Supposition(asked.result.under(names, value))


def worst(loss: object, *arrays: ArrayLike | None, count: int = 5, **arguments: Any) -> WorstLosses:
    """Show the largest losses: where they are, what they were computed from, and their share of the total.

    The loss and the arguments are those of `compute`; `rows` of the result are dicts, as a DataFrame takes.

    Raises UsageError for a loss of sums, such as dice, which has no single losses, ParameterError with `wrt`,
    and what `compute` raises.

    >>> worst("l1", [1.0, 5.0, 2.0], [1.5, 1.0, 2.0], count=1).rows
    [{'index': [1], 'input': 5, 'target': 1, 'loss': 4.0, 'share': 0.888888888}]
    """
    from losscalc.insight.survey import worst_sheet

    check_bounds(count=count)
    asked = _Asked.of_losses(loss, arrays, arguments)
    return WorstLosses((worst_sheet(simplified(asked.of_loss), count, lambda _: None),))


def diagnose(loss: object, *arrays: ArrayLike | None, count: int = 5, **arguments: Any) -> Diagnosis:
    """Run all checks on the data of a loss, and show baselines, statistics, the worst rows and a histogram.

    The loss and the arguments are those of `compute`, and `count` is the number of the worst rows. What looks
    like a mistake is warned of as a DiagnosisWarning, and is in `warnings` of the result.

    A loss of sums, such as dice, has no single losses: of it only the context is shown.

    Raises ParameterError with `wrt`, and what `compute` raises.

    >>> diagnose("mse", [1.0, 2.0, 3.0], [1.0, 4.0, 3.5]).to_dict()["context"]["best constant input"]
    1.722222222
    """
    from losscalc.errors import DiagnosisWarning
    from losscalc.insight.doubts import doubts
    from losscalc.insight.survey import diagnosis_sheets

    check_bounds(count=count)
    asked = _Asked.of_losses(loss, arrays, arguments)
    call = simplified(asked.of_loss)
    doubtful = tuple(doubts(call))
    announce(doubtful)
    known = tuple(each for each in asked.warnings if isinstance(each, DiagnosisWarning))
    return Diagnosis(tuple(diagnosis_sheets(call, count, lambda _: None)), (*known, *doubtful))


def compare(losses: object, *arrays: ArrayLike | None, **arguments: Any) -> Comparison:
    """Show several losses of the same data: of the single ones min, median and max, the mean, and the sum.

    `losses` is a list of losses, or a single one; each, and the arguments, are those of `compute`. A loss
    that the data do not fit has the reason beside it.

    Raises the error of the first loss if the data fit none, and ParameterError with `wrt`.

    >>> [(row["loss"], row["mean"]) for row in compare(["l1", "mse"], [1.0, 2.0], [1.0, 4.0]).rows]
    [('l1', 1.0), ('mse', 2.0)]
    """
    from losscalc.insight.survey import comparison_row, comparison_sheet, refused_row

    # What is compared are the mean and the sum alike.
    arguments.pop("reduction", None)
    several = losses if isinstance(losses, list | tuple) else [losses]
    rows, errors = [], []
    for loss in several:
        try:
            rows.append(comparison_row(_Asked.of_losses(loss, arrays, arguments).of_loss))
        except LosscalcError as error:
            errors.append(error)
            rows.append(refused_row(str(getattr(loss, "name", loss)), error.describe()))
    if errors and len(errors) == len(rows):
        raise errors[0]
    return Comparison((comparison_sheet(rows),))


def _expectation(expected: Any) -> tuple[np.ndarray, str | None]:
    """What is expected as an array, and the text of a number, whose digits count."""
    if isinstance(expected, str):
        try:
            return np.asarray(float(expected)), expected
        except ValueError as error:
            raise ParameterError("`expected` is not a number", found=expected, argument="expected") from error
    # What is told later is of what was given now.
    values = np.array(as_array("expected", expected))
    if values.dtype.kind == "b":
        raise ParameterError("`expected` must hold numbers", found=expected, argument="expected")
    # A float of NumPy is written without its type.
    return values, str(values.reshape(())[()]) if values.size == 1 else None


def _code(call: AnyCall, candidate: "Candidate") -> str | None:
    """The call of Python that leads to what a candidate does; None where only a fact is known."""
    from losscalc.insight.report import typed

    if candidate.fact is not None:
        return None
    options, others = typed(candidate)
    changed = dict(_keywords(options))
    arrays = {name: "..." for name in call.arrays if "." not in name and name not in changed}
    state = {a.name: "..." for a in array_arguments(type(call.operation)) if a.role.many}
    usual = {parameter.name: parameter.default for parameter in parameters(type(call.operation))}
    kept = {name: value for name, value in call.operation.settings.items() if value != usual[name]}
    if call.operation.like is not None:
        kept = {"like": call.operation.like}
    if call.reduction != MEAN:
        kept["reduction"] = call.reduction.name
    if call.wrt is not None:
        kept["wrt"] = call.wrt
    if others:
        changed["mistake"] = others
    words = [f"{name}={text}" for name, text in {**arrays, **state}.items()]
    words += [f"{name}={_literal(value)}" for name, value in {**kept, **changed}.items()]
    function = "suppose" if others else "compute" if call.wrt is None else "gradient"
    return f'losscalc.{function}("{call.operation.name}", {", ".join(words)})'


def _keywords(options: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Options of the command line as keyword arguments."""
    for word, following in zip(options, [*options[1:], "--"], strict=False):
        if not word.startswith("--"):
            continue
        name = word[2:].replace("-", "_")
        if following.startswith("--"):
            yield (name[3:], False) if name.startswith("no_") else (name, True)
            continue
        try:
            yield name, ast.literal_eval(following)
        except (SyntaxError, ValueError):
            yield name, following


def _literal(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)
