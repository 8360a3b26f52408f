"""Operations, the common base of losses and activations: declared once, and everything else follows.

The annotated fields of an operation are its parameters, and the arguments of its method `terms` are
its arrays. The checks, the options of the command line, the help and the documentation come from these
annotations.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, ClassVar, Self, TypeVar, dataclass_transform

import numpy as np

from losscalc.core.array import Array, DTypeLike, FloatArray, Shape
from losscalc.core.conventions import Convention
from losscalc.core.declaration import (
    Derived,
    array_arguments,
    defaults,
    labels_of,
    parameters,
    scores_of,
)
from losscalc.core.domains import BITS
from losscalc.core.exactsum import EMPTY
from losscalc.core.reductions import MEAN, SUM, Link, Partial, Reduction, Slope, Terms
from losscalc.core.roles import Role
from losscalc.core.shapes import Layout
from losscalc.core.stable import xmul
from losscalc.errors import ParameterError

DTYPES = ("float16", "float32", "float64")


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Operation(ABC):
    """The base of losses and activations: immutable, and equal if the parameters are.

    It behaves like a frozen dataclass, but is not one: generating code for each class takes a millisecond
    a loss at every start.
    """

    name: ClassVar[str]
    torch: ClassVar[str]
    """The class in torch.nn, or the function in torchvision.ops; empty if neither has it."""
    functional: ClassVar[str]
    """The function in torch.nn.functional; empty if there is none."""
    library: ClassVar[str] = "torch.nn"
    aliases: ClassVar[tuple[str, ...]] = ()
    """What other libraries, and people, call it."""
    ambiguous: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Further names for it, with which others may mean another one: the name, and which that would be."""
    uses: ClassVar[tuple[str, ...]] = ()
    """What it is for, in a word or two each: segmentation, several labels, GAN ..."""
    formula: ClassVar[str]
    steps: ClassVar[str] = ""
    """What a textbook computes on the way, besides what the formula names: names with their formulas."""
    reductions: ClassVar[tuple[str, ...]] = ()
    link: ClassVar[Link | None] = None
    """The function that 'mean' applies to the mean, such as the root of RMSE; none and sum do without it."""
    broadcasts: ClassVar[bool] = False
    """Whether PyTorch broadcasts `input` and `target` of this loss against each other."""
    unlike: ClassVar[str] = ""
    """How it differs from PyTorch, as the end of a sentence that begins with "Unlike PyTorch it"."""
    conventions: ClassVar[tuple[Convention, ...]] = ()
    """How other libraries compute it, where they do otherwise."""
    like: str | None = None
    """The library whose convention holds."""
    scores = Derived(scores_of)
    """The kind of numbers in the first array, the predictions: logits, boxes ..."""
    labels = Derived(labels_of)
    """The kind of numbers in the target, if there is one: labels, class indices ..."""

    def __init__(self, **settings: Any) -> None:
        if (library := settings.pop("like", None)) is not None:
            self.__dict__["like"] = library
            settings = {**self._convention_of(library).settings, **settings}
        self.__dict__.update(defaults(type(self)))
        for parameter in parameters(type(self)) if settings else ():
            names = [name for name in (parameter.name, parameter.alias) if name in settings]
            if len(names) > 1:
                raise ParameterError(f"`{names[0]}` is given twice", argument=names[0])
            if names:
                self.__dict__[parameter.name] = parameter.accept(settings.pop(names[0]))
        for name in settings:
            from losscalc.core.resemblance import unknown_argument

            raise unknown_argument(type(self), name)

    @classmethod
    def accepted(cls, settings: Mapping[str, object]) -> Self:
        """The operation with parameters that were accepted before, perhaps in numbers of more digits."""
        operation = object.__new__(cls)
        operation.__dict__.update(settings)
        return operation

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((type(self), *self.__dict__.items()))

    def __repr__(self) -> str:
        own = {} if self.like is None else {"like": self.like}
        shown = {**own, **self.settings, **self.weights}
        settings = ", ".join(f"{name}={value!r}" for name, value in shown.items())
        return f"{type(self).__name__}({settings})"

    @abstractmethod
    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        """How arrays of these shapes and dtypes fit together; raises ShapeError or DTypeError."""

    @abstractmethod
    def terms(self, *arrays: Any, **named: Any) -> Terms:
        """The values of one block, before any reduction."""

    def slope(self, wrt: str) -> Callable[..., Slope]:
        """The method that gives the derivative with respect to an array, `gradient` or `gradient_NAME`."""
        first = array_arguments(type(self))[0].name
        method: Callable[..., Slope] = getattr(self, "gradient" if wrt == first else f"gradient_{wrt}")
        return method

    def taken(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        """What is taken of the arrays of a block: parts of them, as views of those that have a derivative."""
        return dict(arrays)

    def finish(self, sums: Mapping[str, float]) -> Any:
        """The loss of the whole batch, or an array of losses, from its sums, if it yields sums by name."""
        raise NotImplementedError(f"{self.name} has no sums by name")

    def finish_slopes(self, sums: Mapping[str, float]) -> Mapping[str, Any]:
        """The derivative of `finish` with respect to each sum that `Slope.sums` knows.

        Where `finish` gives several losses, it is that of their sum, in a shape that broadcasts to the array.
        """
        raise NotImplementedError(f"{self.name} has no sums by name")

    def reduced(self, reduction: Reduction, partial: Partial) -> Any:
        """The reduced loss: a quotient of sums, a function of that quotient, or one of several sums."""
        if partial.sums and not partial.count:
            return 0.0 if reduction.name == SUM.name else np.nan
        if partial.sums:
            with np.errstate(all="ignore"):
                return self.finished(reduction, partial.numbers)
        return self.linked(reduction, self.quotient(reduction, partial))

    def quotient(self, reduction: Reduction, partial: Partial) -> float:
        """The quotient of two sums, or what a library has in its place where nothing counts."""
        if self.convention is not None and reduction.denominator(partial) == EMPTY and not partial.count:
            return self.convention.nothing
        return reduction.finish(partial)

    def finished(self, reduction: Reduction, sums: Mapping[str, Any]) -> Any:
        """What is left of the losses that are a function of sums, of which there may be several."""
        losses = np.asarray(self.own.finish(sums))
        if reduction.keeps or not losses.ndim:
            return losses[()]
        total = losses.sum()
        return total / losses.size if reduction.name == MEAN.name else total

    def linked(self, reduction: Reduction, value: float) -> float:
        """What the loss makes of losses that are reduced: of their mean a function, if it is one."""
        return self.link.of(value) if self.link and reduction.name == MEAN.name else value

    def reduced_slope(self, slope: FloatArray, reduction: Reduction, partial: Partial) -> FloatArray:
        """The derivative of the reduced loss, from that of its sums; 0 if every row is ignored."""
        if partial.sums:
            outer = list(self.own.finish_slopes(partial.numbers).values())
            whole = sum((slope[..., place] * each for place, each in enumerate(outer)), np.zeros(()))
            count = np.size(self.own.finish(partial.numbers)) if reduction.name == MEAN.name else 1
            return np.asarray(whole / count)
        if not partial.count:
            return slope
        slope = slope / float(reduction.denominator(partial))
        if self.link and reduction.name == MEAN.name:
            # Where the root of a mean of 0 has an infinite slope, 0 is one of its subgradients.
            slope = xmul(slope, np.asarray(self.link.slope(reduction.finish(partial))))
        return slope

    def evaluated(self, arrays: Mapping[str, Any], dtype: np.dtype) -> Terms:
        """The values of one block, as the library has them whose convention holds, of an input of a dtype."""
        if (convention := self.convention) is None:
            return self.terms(**arrays)
        return convention.finished(self.own.terms(**convention.prepared(arrays, dtype)), arrays)

    def differentiated(self, wrt: str, arrays: Mapping[str, Any], dtype: np.dtype) -> Slope:
        """The derivative of the sum of the values of one block with respect to one of the arrays."""
        if (convention := self.convention) is None:
            return self.slope(wrt)(**arrays)
        return convention.slope(wrt, self.own.slope(wrt), arrays, dtype)

    @property
    def convention(self) -> Convention | None:
        """The convention that holds, if it is that of a library."""
        return None if self.like is None else self._convention_of(self.like)

    @property
    def needs_whole(self) -> bool:
        """Whether its convention needs all rows of a batch."""
        return self.convention is not None and self.convention.whole

    @property
    def own(self) -> Self:
        """The operation without the convention, with the same parameters by its own names."""
        convention = self.convention
        return self if convention is None else self.accepted(convention.named(self.settings))

    @classmethod
    def _convention_of(cls, library: str) -> Convention:
        for convention in cls.conventions:
            if convention.library == library:
                return convention
        known = ", ".join(convention.library for convention in cls.conventions)
        raise ParameterError(
            f"{cls.name} has no known convention of this library",
            found=library,
            argument="like",
            hint=f"there are {known}" if known else "leave `like` out: no library is known to differ",
        )

    @abstractmethod
    def __call__(self, *arrays: Any, **options: Any) -> Any:
        """Compute with arrays, given in PyTorch's order or by name."""

    @property
    def roles(self) -> Mapping[str, Role]:
        """The role of each array.

        What a library brings into the domain may be outside, with a warning; labels get one for which it is
        not known to do the same.
        """
        return self._roles_like(self.like)

    @classmethod
    @cache
    def _roles_like(cls, library: str | None) -> Mapping[str, Role]:
        roles = {array.name: array.role for array in array_arguments(cls)}
        if library is None:
            return roles
        convention = cls._convention_of(library)
        for name in convention.takes:
            beyond = f"other values are changed as {convention.library} does"
            roles[name] = roles[name]._replace(domain=None, advised=roles[name].domain, beyond=beyond)
        if convention.is_of_bits:
            beyond = f"{convention.library} treats labels between 0 and 1 differently"
            roles["target"] = roles["target"]._replace(advised=BITS, beyond=beyond)
        return roles

    @property
    def weights(self) -> Mapping[str, Any]:
        """The arrays that it was made with, by name, as PyTorch's losses are made with their weights."""
        return MappingProxyType({})

    @property
    def settings(self) -> dict[str, object]:
        """The parameters and their values."""
        return {parameter.name: getattr(self, parameter.name) for parameter in parameters(type(self))}


AnyOperation = TypeVar("AnyOperation", bound=Operation)


def differentiable(cls: type[Operation]) -> tuple[str, ...]:
    """The arrays with respect to which an operation has a derivative; the first is the default.

    >>> from losscalc.core.registry import lookup
    >>> differentiable(lookup("margin-ranking")), differentiable(lookup("sigmoid"))
    (('input1', 'input2'), ())
    """
    first, *others = (array.name for array in array_arguments(cls))
    own = [first] if hasattr(cls, "gradient") else []
    return (*own, *(name for name in others if hasattr(cls, f"gradient_{name}")))


def summary(cls: type[Operation]) -> str:
    """The first line of the docstring of an operation."""
    return (cls.__doc__ or cls.formula).partition("\n")[0].rstrip(".")


def pytorch_names(cls: type[Operation]) -> str:
    """The names of an operation in PyTorch or torchvision; empty if neither has it.

    >>> from losscalc.core.registry import lookup
    >>> pytorch_names(lookup("bce")), pytorch_names(lookup("giou"))
    ('torch.nn.BCELoss, F.binary_cross_entropy', 'torchvision.ops.generalized_box_iou_loss')
    """
    names = ((f"{cls.library}.", cls.torch), ("F.", cls.functional))
    return ", ".join(place + name for place, name in names if name)


def suggest(word: str, known: Mapping[str, object]) -> str | None:
    """The known word that is closest to a word, if any is close."""
    import difflib

    return next(iter(difflib.get_close_matches(word, known, n=1)), None)


def result_dtype(dtype: DTypeLike | None) -> np.dtype | None:
    """Check the dtype that a caller asked for."""
    if dtype is None:
        return None
    try:
        wanted = np.dtype(dtype)
    except TypeError:
        wanted = np.dtype(object)
    if wanted.name not in DTYPES:
        from losscalc.core.resemblance import not_one_of

        raise not_one_of("dtype", str(dtype), DTYPES)
    return wanted
