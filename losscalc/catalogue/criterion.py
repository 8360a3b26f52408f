"""Criteria of other libraries, read by their names and attributes: none of these libraries is imported."""

import functools
import inspect
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from losscalc.core.array import Array
from losscalc.core.conventions import Convention
from losscalc.core.declaration import array_arguments, labels_of, parameters, scores_of, target_argument
from losscalc.core.operation import Operation
from losscalc.core.registry import lookup, operations
from losscalc.core.roles import CLASS_KINDS
from losscalc.engine.foreign import as_array
from losscalc.errors import ParameterError, UnknownLossError

_LIBRARIES = {
    "torch": "torch",
    "torchvision": "torch",
    "keras": "keras",
    "tensorflow": "keras",
    "optax": "optax",
    "sklearn": "sklearn",
    "torchmetrics": "torchmetrics",
}
"""The libraries by the packages in which they define their criteria; that of torch is PyTorch's own."""
_TORCH = "torch"
_AVERAGING = "keras"
"""The library that reduces means of the last axis, unless a row has one class."""
_METHODS = ("__call__", "update", "call", "forward")
"""What computes the loss of a criterion, in whatever library; the first that names its arguments."""
_NEUTRAL = ("name", "dtype", "device", "num_classes", "validate_args", "size_average", "reduce")
"""What does not change the loss, or is told by `reduction` as well."""
_REDUCTIONS = {"sum_over_batch_size": "mean", None: "none"}
"""Other words for ways to reduce losses."""
_SHAPES = ("in_features", "n_classes", "cutoffs", "div_value", "head_bias", "bias")
"""What the weights inside a criterion tell as well."""
_SWITCHES = {"alpha": "apply_class_balancing"}
"""Parameters that have an effect only where another one is true."""
_RENAMED = {("mean_pinball_loss", "alpha"): "quantile"}
"""Parameters that mean another one of the same loss, by the name of the criterion."""
_ONE_HOT = re.compile("^categorical")
"""Criteria whose targets have a row of 0 and 1 for each sample."""
_PREDICTIONS = (
    *("y_pred", "preds", "pred", "predictions", "logits", "inputs", "y_prob", "y_proba", "y_score"),
    *("pred_decision", "predictor_outputs", "scores", "log_predictions"),
)
_TARGETS = ("y_true", "target", "targets", "labels", "label")


class Criterion(NamedTuple):
    """A criterion as it is seen from outside: whose it is, its name, its settings and its arrays."""

    library: str
    name: str
    settings: Mapping[str, Any]
    """All that it was made with."""
    changed: frozenset[str]
    """The settings that are not at the library's default."""
    order: tuple[str, ...]
    """What it calls its arguments, in its order."""
    hidden: frozenset[str] = frozenset()
    """The settings that it does not show."""
    state: Mapping[str, Any] = MappingProxyType({})
    """The weights that it has inside, by its names."""

    @classmethod
    def of(cls, given: object) -> "Criterion":
        """Look at a criterion; raises UnknownLossError for what is none of a known library."""
        keywords: Mapping[str, Any] = {}
        if isinstance(given, functools.partial) and not given.args:
            keywords, given = given.keywords, given.func
        if isinstance(given, type):
            raise UnknownLossError(
                "a class is no criterion yet",
                found=given.__name__,
                hint=f"give {given.__name__}(...), an object",
            )
        if inspect.isroutine(given) or hasattr(given, "__wrapped__"):
            return cls._of_function(given, keywords)
        base = _known_base(given)
        made = {p.name: p for p in _named(inspect.signature(base))}
        kept = {**vars(given), **getattr(given, "_fn_kwargs", {})}
        if hasattr(given, "get_config"):
            kept |= given.get_config()
        settings = {name: kept.get(name, getattr(given, name, p.default)) for name, p in made.items()}
        hidden = frozenset(name for name in made if name not in kept and not hasattr(given, name))
        state = given.state_dict() if hasattr(given, "state_dict") else {}
        order = next(filter(None, (_arguments(base, method) for method in _METHODS)), ())
        return cls(
            _library(base) or "", base.__name__, settings, _changed(made, settings), order, hidden, state
        )

    @classmethod
    def _of_function(cls, given: Any, keywords: Mapping[str, Any]) -> "Criterion":
        if (library := _library(given)) is None:
            raise _unknown(given)
        made = {p.name: p for p in _named(_signature(given))}
        settings = {name: p.default for name, p in made.items() if p.default is not p.empty} | dict(keywords)
        changed = _changed({name: made[name] for name in settings if name in made}, settings)
        return cls(library, given.__name__, settings, changed, tuple(made))

    def read(self) -> tuple[Operation, dict[str, Any]]:
        """The loss that it is with its parameters, and its weights and its reduction by name."""
        cls, convention = self._found()
        given = array_arguments(cls)
        inside = self._inside(cls)
        own: dict[str, Any] = {} if convention is None else {"like": convention.library}
        known = {name: p.name for p in parameters(cls) for name in (p.name, p.alias) if name}
        weights = {array.name for array in given if not array.required}
        rest: dict[str, Any] = {"reduction": self._reduction(cls)} if cls.reductions else {}
        rest |= inside
        for called in self._telling(convention):
            if inside and called in _SHAPES:
                continue
            value, name = self.settings[called], _RENAMED.get((self.name, called), called)
            if _is_usual_distance(value):
                continue
            if name in known and called not in self.hidden:
                own[known[name]] = value
            elif name in weights and called not in self.hidden:
                rest[name] = value
            elif called in self.changed or name in known:
                problem = f"{self.name} was made with `{called}`, which {cls.name} does not have"
                raise ParameterError(problem, found=value)
        return cls(**own), rest

    def _inside(self, cls: type[Operation]) -> dict[str, Any]:
        """The weights that it has inside, by our names: linear_weight is its linear.weight."""
        found: dict[str, Any] = {}
        for array in array_arguments(cls):
            if array.role.kind != "parameters":
                continue
            value = (self.state or None) if array.role.many else self.state.get(array.name.replace("_", "."))
            if value is not None:
                found[array.name] = value
            elif array.required:
                hint = f"give {cls.name} by its name, and the weights beside the other arrays"
                raise UnknownLossError(f"the weights inside {self.name} cannot be read", hint=hint)
        return found

    def _telling(self, convention: Convention | None) -> Iterator[str]:
        """The settings that count; what a convention has by itself is left to it."""
        skipped = {"reduction", *_NEUTRAL, *_requirements(convention), *_SWITCHES.values()}
        for name in self.settings.keys() - skipped:
            switch = _SWITCHES.get(name, "")
            if switch in self.settings:
                if self.settings[switch]:
                    yield name
            elif convention is None or name in self.changed or name in self.hidden:
                yield name

    def _reduction(self, cls: type[Operation]) -> str:
        """How its losses are reduced."""
        found = self.settings.get("reduction", "mean")
        name = str(_REDUCTIONS.get(found, found))
        if self.library == _AVERAGING and name != "mean" and labels_of(cls) not in CLASS_KINDS:
            raise ParameterError(
                f"{self.library} takes the mean of each row before the reduction",
                found=found,
                argument="reduction",
            )
        return name

    def named(
        self, cls: type[Operation], arrays: tuple[Any, ...], named: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Arrays in the criterion's own order, and those that are called as it calls them, by our names."""
        names = self._arrays(cls)
        order = list(names.values())
        if self.library == _TORCH:
            inside = {"parameters"} if self.state else set()
            order = [array.name for array in array_arguments(cls) if array.role.kind not in inside]
        if len(arrays) > len(order):
            required = [array.name for array in array_arguments(cls) if array.required]
            hint = f"give them by name: {', '.join(f'{name}=' for name in required)}"
            raise ParameterError(f"it is not known how {self.name} calls its arrays", hint=hint)
        given = {
            **dict(zip(order, arrays, strict=False)),
            **{names.get(name, name): value for name, value in named.items()},
        }
        target = target_argument(cls)
        if _ONE_HOT.search(self.name.lower()) and target is not None and given.get(target.name) is not None:
            chosen = _chosen(cls, as_array(target.name, given[target.name]))
            given[target.name] = _called(chosen, given.get(array_arguments(cls)[0].name))
        return given

    def _arrays(self, cls: type[Operation]) -> dict[str, str]:
        """What it calls the arrays of a loss, in its order."""
        own = [array.name for array in array_arguments(cls)]
        target = target_argument(cls)
        names = {}
        for name in self.order:
            if name in own or name.removesuffix("s") in own:
                names[name] = name if name in own else name.removesuffix("s")
            elif name in _PREDICTIONS:
                names[name] = own[0]
            elif name in _TARGETS and target is not None:
                names[name] = target.name
        return names

    def _found(self) -> tuple[type[Operation], Convention | None]:
        """The loss that it is, and the convention by which its library computes it."""
        candidates = sorted(self._candidates(), key=lambda pair: -len(_requirements(pair[1])))
        if not candidates:
            hint = "losscalc.losses() has all that there is; parameters may decide, as from_logits=True does"
            raise UnknownLossError(
                f"no loss is known to be as {self.library} computes it", found=self.name, hint=hint
            )
        most = len(_requirements(candidates[0][1]))
        best = [pair for pair in candidates if len(_requirements(pair[1])) == most]
        if len(best) > 1:
            called = lookup(self.name)
            return next((pair for pair in best if pair[0] is called), best[0])
        return best[0]

    def _candidates(self) -> Iterator[tuple[type[Operation], Convention | None]]:
        wanted = _plain(self.name)
        if self.library == _TORCH:
            yield from (
                (cls, None)
                for cls in operations().values()
                if wanted in (_plain(cls.torch), _plain(cls.functional))
            )
            return
        for cls in operations().values():
            for convention in cls.conventions:
                if convention.library == self.library and wanted in _names(convention):
                    required = _requirements(convention)
                    if all(self.settings.get(name) is value for name, value in required.items()):
                        yield cls, convention


def _chosen(cls: type[Operation], target: Array) -> Array:
    """The class of each row of a target that has a 1 for it; other rows only for losses that take them."""
    if target.ndim > 1 and np.isin(target, (0, 1)).all() and (target.sum(axis=-1) == 1).all():
        return np.asarray(target.argmax(axis=-1))
    if scores_of(cls) == "logits" and labels_of(cls) == "classes":
        return target
    raise ParameterError(f"{cls.name} takes one class a row, and some row is not one-hot", argument="target")


def _called(chosen: Array, scores: Any) -> Array:
    """Classes by the numbers in the names of the columns of a frame of scores, as labels are read there."""
    if chosen.ndim != 1 or not hasattr(type(scores), "columns"):
        return chosen
    from losscalc.engine.frames import classes_of

    numbers = list(classes_of(scores).numbered)
    return np.array(numbers)[chosen] if numbers else chosen


def _known_base(given: object) -> type:
    """The class of a known library that an object is of, if nothing below it computes otherwise."""
    for cls in type(given).__mro__:
        if _library(cls) is not None and not cls.__name__.startswith("_"):
            return cls
        if any(method in vars(cls) for method in _METHODS):
            break
    raise _unknown(given)


def _unknown(given: object) -> UnknownLossError:
    return UnknownLossError(
        "this is neither a loss nor a criterion that is known",
        found=getattr(given, "__name__", type(given).__name__),
        hint="give a loss by its name, losscalc.losses() has all",
    )


def _is_usual_distance(value: object) -> bool:
    """Whether a distance is the one that PyTorch takes where none is given."""
    usual = {"norm": 2.0, "eps": 1e-6, "keepdim": False}
    return all(getattr(value, name, None) == number for name, number in usual.items())


def _library(defined: object) -> str | None:
    """The library that defines a class or a function."""
    return _LIBRARIES.get((getattr(defined, "__module__", None) or "").partition(".")[0])


def _named(signature: inspect.Signature) -> list[inspect.Parameter]:
    return [p for p in signature.parameters.values() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]


def _signature(function: Any) -> inspect.Signature:
    """The signature of a function; functions in C may have none."""
    try:
        return inspect.signature(function)
    except ValueError:
        return inspect.Signature()


def _changed(made: Mapping[str, inspect.Parameter], settings: Mapping[str, Any]) -> frozenset[str]:
    """The settings that are not the default; a default is a plain value, or None."""
    plain = (bool, int, float, str, tuple)
    return frozenset(
        name
        for name, p in made.items()
        if settings[name] is not p.default
        and not (
            isinstance(settings[name], plain) and type(p.default) in plain and settings[name] == p.default
        )
    )


def _arguments(cls: type, method: str) -> tuple[str, ...]:
    """What a method takes, by name; nothing if there is no such method."""
    found = getattr(cls, method, None)
    return () if found is None else tuple(p.name for p in _named(inspect.signature(found))[1:])


def _requirements(convention: Convention | None) -> dict[str, bool]:
    """The settings of a library's criterion with which it is this loss: those that its source names."""
    source = "" if convention is None else convention.source
    return {name: value == "True" for name, value in re.findall(r"(\w+)=(True|False)", source)}


def _names(convention: Convention) -> set[str]:
    return set(map(_plain, re.findall(r"\w+", convention.source)))


def _plain(name: str) -> str:
    return name.replace("_", "").lower()
