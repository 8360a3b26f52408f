"""Losses: the base class, the decorator that declares one, and the registry."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar, dataclass_transform

from numpy.typing import ArrayLike, DTypeLike

from losscalc import engine
from losscalc.errors import LosscalcWarning, ParameterError
from losscalc.operation import Operation, announce, memory_sources, operations, register, result_dtype
from losscalc.reductions import REDUCTIONS, Reduction, legacy_reduction


class Loss(Operation):
    """The base of all losses: called with arrays, it gives the reduced loss.

    >>> from losscalc import BCEWithLogits
    >>> BCEWithLogits()([2.0, -1.0, 0.0], [1, 0, 1], reduction="sum")
    np.float64(1.133336879)
    """

    reductions: ClassVar[tuple[str, ...]] = ("none", "mean", "sum")
    divisor: ClassVar[str]
    """What 'mean' divides by, in words."""
    broadcasts: ClassVar[bool] = False
    """Whether PyTorch broadcasts `input` and `target` of this loss against each other."""
    legacy: ClassVar[bool] = True
    """Whether PyTorch's old flags size_average and reduce apply."""

    def __call__(
        self,
        *arrays: ArrayLike | None,
        reduction: str = "mean",
        dtype: DTypeLike | None = None,
        broadcast: bool = False,
        size_average: bool | None = None,
        reduce: bool | None = None,
        **named: ArrayLike | None,
    ) -> Any:
        """The loss of arrays, given in PyTorch's order or by name, as an array or NumPy scalar."""
        chosen, notice = choose_reduction(type(self), reduction, size_average, reduce)
        check_broadcast(type(self), broadcast)
        sources = memory_sources(self, arrays, named)
        done = engine.compute(self, sources, chosen, dtype=result_dtype(dtype), broadcast=broadcast)
        announce((*([notice] if notice else []), *done.warnings))
        return done.value[()]


AnyLoss = TypeVar("AnyLoss", bound=Loss)


@dataclass_transform(frozen_default=True, kw_only_default=True)
def loss(name: str, *, torch: str, functional: str) -> Callable[[type[AnyLoss]], type[AnyLoss]]:
    """Declare a loss: its command, its class in torch.nn and its function in torch.nn.functional."""
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
    """The reduction of a call, and the notice that PyTorch's old flags decided it."""
    legacy = legacy_reduction(size_average, reduce)
    if legacy is not None and not cls.legacy:
        raise ParameterError(f"{cls.name} has no `size_average` and `reduce`; use `reduction`")
    if legacy is None and name not in cls.reductions:
        raise ParameterError(
            f"`reduction` must be one of {', '.join(cls.reductions)}", found=name, argument="reduction"
        )
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
