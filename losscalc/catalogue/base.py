"""Losses: the base class, the decorator that declares one, and the registry."""

import sys
import warnings
from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping
from functools import cache, partial
from types import MappingProxyType
from typing import Any, ClassVar, Literal, Self, TypeVar

import numpy as np

from losscalc.core.array import ArrayLike, DTypeLike, FloatArray, IndexArray
from losscalc.core.declaration import array_names, setting_names
from losscalc.core.domains import NOT_NEGATIVE, Interval
from losscalc.core.operation import Operation, differentiable, result_dtype
from losscalc.core.reductions import MEAN, REDUCTIONS, Reduction, Slope, legacy_reduction
from losscalc.core.registry import lookup, operations, other_meaning, register
from losscalc.core.roles import Role
from losscalc.engine import compute as engine
from losscalc.engine.call import Call
from losscalc.engine.findings import Findings
from losscalc.errors import LosscalcNote, LosscalcWarning, ParameterError, printable

Quantities = Mapping[str, FloatArray | None]
"""The values of symbols of a formula, by symbol."""

Relation = Literal["one-against-rest", "divergence", "with-entropy"]
"""Relations of losses other than the kind of their scores: each class as a question of its own; the same
less the entropy of the target; the same with that entropy."""

_WEIGHTS = ("weight", "pos_weight")
"""The arrays that a loss may be made with, as PyTorch's losses are."""


class Loss(Operation):
    """The base of all losses: takes arrays and gives the reduced loss.

    >>> from losscalc import BCEWithLogits
    >>> BCEWithLogits()([2.0, -1.0, 0.0], [1, 0, 1], reduction="sum")
    np.float64(1.133336879)
    """

    reductions: ClassVar[tuple[str, ...]] = ("none", "mean", "sum")
    derivative: ClassVar[str] = ""
    """The formula of the derivative of a loss with respect to the first array, in the symbols of `formula`;
    for a loss of a whole row, a number for each of the row."""
    divisor: ClassVar[str]
    """The divisor of 'mean', in words."""
    legacy: ClassVar[bool] = True
    """Whether PyTorch's old flags size_average and reduce apply."""
    example: ClassVar[Mapping[str, Any]]
    """The arguments of an example, as `compute` takes them."""
    contrast: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    """Those of an example in which libraries differ, if the first is none."""
    range: ClassVar[Interval] = NOT_NEGATIVE
    """The range of a single loss, if the arrays are as their roles say and have no weights."""
    whole_batch: ClassVar[bool] = False
    """Whether a loss depends on other rows, so that parts of a batch do not add up to the whole."""
    is_likelihood: ClassVar[bool] = False
    """Whether the loss is made of -ln p, with p the probability of the right answer."""
    error_power: ClassVar[int] = 0
    """The power of the absolute error that the loss is, 1 or 2; 0 if it is none."""
    bend: ClassVar[str] = ""
    """The parameter that is the error beyond which the loss is no longer quadratic."""
    averages_classes: ClassVar[bool] = False
    """Whether the loss of a row is a sum over its classes, divided by their number."""
    weighted_mean: ClassVar[bool] = False
    """Whether 'mean' divides by the sum of the weights, if there are any."""
    relatives: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Names of related losses: by the kind of scores that the same loss takes there, or by `Relation`."""
    close: ClassVar[tuple[str, ...]] = ()
    """Names of losses that are easily mistaken for it, the likeliest first."""
    examined: ClassVar[Callable[..., Findings] | None] = None
    """The method that looks for signs of mistakes in calls from Python, which the package adds."""
    weight: ArrayLike | None = None
    """What PyTorch's class takes of that name: an array, for losses that have one, or "balanced"."""
    pos_weight: ArrayLike | None = None
    """The same."""

    def __init__(self, **settings: Any) -> None:
        known = [name for name in _WEIGHTS if name in settings and name in array_names(type(self))]
        weights = {name: settings.pop(name) for name in known}
        super().__init__(**settings)
        if not weights:
            return
        from losscalc.engine.arguments import fixed

        for name, value in weights.items():
            if value is not None:
                # As tuples, so that losses stay equal, and keys of dicts, by what they were made with.
                self.__dict__[name] = fixed(name, value)

    @property
    def weights(self) -> Mapping[str, Any]:
        return {name: self.__dict__[name] for name in _WEIGHTS if name in self.__dict__}

    def __call__(
        self,
        *arrays: ArrayLike | None,
        reduction: str = "mean",
        dtype: DTypeLike | None = None,
        broadcast: bool = False,
        size_average: bool | None = None,
        reduce: bool | None = None,
        threads: int | None = None,
        wrt: str | None = None,
        digits: int | None = None,
        **named: ArrayLike | None,
    ) -> Any:
        """Compute the loss of arrays, given in PyTorch's order or by name, as an array or NumPy scalar.

        With `wrt` the result is the derivative of the loss with respect to the array of that name. With
        `digits` (1 to 1,000; it needs mpmath) the numbers are decimal.Decimal, with so many correct digits.
        """
        chosen, notice = choose_reduction(type(self), reduction, size_average, reduce)
        call, notes = self.called(
            arrays, named, chosen, dtype, broadcast, wrt, threads, digits, value_only=True
        )
        done = engine.compute(call)
        announce((*([notice] if notice else []), *notes, *done.warnings))
        is_column = any(isinstance(note, LosscalcNote) and note.argument == wrt for note in notes)
        return done.value[:, np.newaxis] if is_column else done.value[()]

    def called(
        self,
        arrays: tuple[ArrayLike | None, ...],
        named: Mapping[str, ArrayLike | None],
        reduction: Reduction = MEAN,
        dtype: DTypeLike | None = None,
        broadcast: bool = False,
        wrt: str | None = None,
        threads: int | None = None,
        digits: int | None = None,
        *,
        value_only: bool = False,
    ) -> tuple[Call[Self], tuple[LosscalcWarning, ...]]:
        """The call of these arrays, and notes on how they were taken."""
        # Imported here, because the command line has no arrays from Python.
        from losscalc.engine.arguments import memory_sources

        check_broadcast(type(self), broadcast)
        sources, remarks = memory_sources(self, arrays, named)
        if wrt is not None:
            check_wrt(self, wrt, sources)
        examine = None if self.examined is None else partial(self.examined, reduction.name)
        given = self, sources, reduction, result_dtype(dtype), broadcast, wrt, threads, digits
        call, notes = Call(*given, examine=examine, value_only=value_only).aligned()
        return call, (*remarks, *notes)

    @abstractmethod
    def gradient(self, *arrays: Any, **named: Any) -> Slope:
        """The derivative of the sum of the losses of one block with respect to the first array.

        The derivative with respect to another array is a method `gradient_NAME`.
        """

    def quantities(self, *arrays: Any, **named: Any) -> Quantities:
        """Values of symbols of the formula that are neither arrays nor parameters, and of partial results.

        Each has one axis more than the losses, over which Σ sums. A symbol that is None drops out of the
        formula.
        """
        return {}

    def unchecked(self, *arrays: Any, **named: Any) -> FloatArray:
        """The single losses for labels of any value, as PyTorch, which does not check them, computes them."""
        return self.terms(*arrays, **named).value

    @classmethod
    @cache
    def _roles_like(cls, library: str | None) -> Mapping[str, Role]:
        """For scores outside their domain it hints at the same loss of logits."""
        first, *others = super()._roles_like(library).items()
        name, role = first
        if role.hint is None and "logits" in cls.relatives:
            role = role._replace(hint=f"for logits use {cls.relatives['logits']}")
        return {name: role, **dict(others)}

    def explained(self, target: FloatArray | IndexArray) -> str:
        """The formula for such a target."""
        return self.formula

    def derived(self, target: FloatArray | IndexArray) -> str:
        """The formula of the derivative for such a target."""
        return self.derivative


AnyLoss = TypeVar("AnyLoss", bound=Loss)


def loss(name: str, *, torch: str = "", functional: str = "") -> Callable[[type[AnyLoss]], type[AnyLoss]]:
    """Declare a loss: the name of its command, and of PyTorch's class and function if there are any."""
    return lambda cls: register(cls, name, torch, functional)


def losses() -> Mapping[str, type[Loss]]:
    """All losses by name, in the order of the catalogue; read-only.

    >>> list(losses())[:2]
    ['l1', 'mse']
    """
    return MappingProxyType({name: cls for name, cls in operations().items() if issubclass(cls, Loss)})


def choose_reduction(
    cls: type[Loss], name: str, size_average: bool | None = None, reduce: bool | None = None
) -> tuple[Reduction, LosscalcWarning | None]:
    """The reduction of a call, and a warning if PyTorch's old flags have decided it."""
    legacy = legacy_reduction(size_average, reduce)
    if legacy is not None and not cls.legacy:
        raise ParameterError(f"{cls.name} has no `size_average` and `reduce`; use `reduction`")
    if legacy is None and name not in cls.reductions:
        from losscalc.core.resemblance import not_one_of

        raise not_one_of("reduction", name, cls.reductions)
    if legacy is None:
        return REDUCTIONS[name], None
    notice = LosscalcWarning(
        "PyTorch's old flags `size_average` and `reduce` override `reduction`",
        hint=f"give `reduction` {legacy} instead",
    )
    return REDUCTIONS[legacy], notice


def check_broadcast(cls: type[Loss], broadcast: bool) -> None:
    """Refuse broadcasting where PyTorch refuses it."""
    if broadcast and not cls.broadcasts:
        raise ParameterError(
            f"{cls.name} never broadcasts `input` and `target`; their shapes must be equal",
            argument="broadcast",
        )


def check_wrt(operation: Operation, wrt: str, given: Collection[str]) -> None:
    """Refuse a gradient with respect to an array that has none, or is not given."""
    known = differentiable(type(operation))
    if wrt not in known:
        from losscalc.core.resemblance import not_one_of

        raise not_one_of("wrt", wrt, known)
    if wrt not in given:
        raise ParameterError(f"`{wrt}` is not given, so there is no gradient of it", argument=wrt)


def instance(
    loss: object, arrays: tuple[Any, ...], arguments: Mapping[str, Any]
) -> tuple[Operation, tuple[Any, ...], dict[str, Any]]:
    """The operation that is asked for, its arrays by position, and the other arguments beside it.

    It is a name, a class, or an operation with its parameters; or a criterion of another library, which
    is read, and whose arrays are in its own order.
    """
    if isinstance(loss, str):
        cls = lookup(loss)
        if other := other_meaning(cls, loss):
            announce([LosscalcNote(f"{printable(loss)} is taken as {cls.name}; others mean {other}")])
    elif isinstance(loss, Operation):
        return loss, arrays, dict(arguments)
    elif isinstance(loss, type) and issubclass(loss, Operation) and hasattr(loss, "name"):
        cls = loss
    else:
        # Imported here, because most losses are asked for by their names.
        from losscalc.catalogue.criterion import Criterion

        criterion = Criterion.of(loss)
        operation, rest = criterion.read()
        return operation, (), rest | criterion.named(type(operation), arrays, arguments)
    if not arguments:
        return _usual(cls), arrays, {}
    own = setting_names(cls)
    operation = cls(**{key: value for key, value in arguments.items() if key in own})
    return operation, arrays, {key: value for key, value in arguments.items() if key not in own}


@cache
def _usual(cls: type[Operation]) -> Operation:
    """The operation without any settings, which serves all calls, as it never changes."""
    return cls()


def announce(remarks: Collection[LosscalcWarning]) -> None:
    """Issue warnings that point at the line of the user's code that called losscalc."""
    if not remarks:
        return
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("losscalc."):
        level, frame = level + 1, frame.f_back
    for remark in remarks:
        warnings.warn(remark, stacklevel=level)
