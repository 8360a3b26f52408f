"""The registry of losses and activations: what each is called, and where the others are."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType

from losscalc.core.operation import AnyOperation, Operation
from losscalc.errors import UnknownLossError, shown

ALL = "losscalc list shows them all"
"""The hint where no name is near."""

_BY_NAME: dict[str, type[Operation]] = {}
_BY_ALIAS: dict[str, type[Operation]] = {}
_MODULES: dict[str, str] = {}
"""The modules of operations by their names, so that only those are imported that are used."""


def add_index(modules: Mapping[str, str]) -> None:
    """Tell the names of the operations in each module, with blanks between, in the order of the catalogue."""
    for module, names in modules.items():
        # All of them at a time: there may be thousands, and every command would wait for them.
        _MODULES.update(dict.fromkeys(_unmarked(names).split(), module))


def register(cls: type[AnyOperation], name: str, torch: str, functional: str) -> type[AnyOperation]:
    """Enter a class in the registry, under its name and its PyTorch names."""
    cls.name, cls.torch, cls.functional = name, torch, functional
    for key in names_of(cls):
        if _BY_ALIAS.setdefault(_normal(key), cls) is not cls:
            raise ValueError(f"two operations are called {key}")
    _BY_NAME[name] = cls
    lookup.cache_clear()
    operations.cache_clear()
    return cls


def names_of(cls: type[Operation]) -> Iterator[str]:
    """All names of an operation, its own first. Those that a base was given are not its."""
    aliases = (name for attribute in ("aliases", "ambiguous") for name in vars(cls).get(attribute, ()))
    yield from filter(None, (cls.name, cls.torch, cls.functional, *aliases))


@cache
def operations() -> Mapping[str, type[Operation]]:
    """All operations by name, losses first, in the order of the catalogue."""
    for module in dict.fromkeys(_MODULES.values()):
        import_module(module)
    place = {name: number for number, name in enumerate(_MODULES)}
    known = sorted(_BY_NAME, key=lambda name: place.get(_normal(name), len(place)))
    return MappingProxyType(
        {name: _BY_NAME[name] for name in sorted(known, key=lambda name: not _BY_NAME[name].reductions)}
    )


@cache
def lookup(name: str) -> type[Operation]:
    """The operation with a name, which may be that of a library; `-` and `_` are equal.

    A final `loss` is left out only if nothing has the whole name, and a module before it always.

    >>> lookup("binary_cross_entropy_with_logits") is lookup("torch.nn.BCEWithLogitsLoss")
    True
    """
    wanted = _normal(name.rpartition(".")[2])
    found = _found(wanted) or _found(wanted.removesuffix("loss"))
    if found is None:
        raise UnknownLossError(f"unknown loss {shown(name)}", hint=_hint(name))
    return found


@cache
def other_meaning(cls: type[Operation], name: str) -> str | None:
    """What else may be meant by a name of an operation, in words.

    >>> other_meaning(lookup("contrastive"), "ContrastiveLoss")
    'nt-xent, which is that of MONAI, or clip, which is that of Hugging Face'
    """
    meanings = {_normal(key): other for key, other in cls.ambiguous.items()}
    wanted = _normal(name.rpartition(".")[2])
    own = wanted == _normal(cls.name)
    return None if own else meanings.get(wanted) or meanings.get(wanted.removesuffix("loss"))


def _hint(name: str) -> str:
    """What to type instead of a name that nothing has: it may be misspelt, or what losses are for."""
    import shlex

    from losscalc.core.resemblance import nearest

    known = operations()
    close = nearest(name, {own: names_of(cls) for own, cls in known.items()}, _normal)
    if close is not None:
        return f"did you mean {close}?"
    if any(_normal(name) == _normal(use) for cls in known.values() for use in cls.uses):
        return f"losscalc list {shlex.quote(name)} shows what it may be"
    return ALL


def _found(wanted: str) -> type[Operation] | None:
    """The operation with a name in one spelling, whose module is imported if need be."""
    if wanted not in _BY_ALIAS and wanted in _MODULES:
        import_module(_MODULES[wanted])
    return _BY_ALIAS.get(wanted)


def _normal(name: str) -> str:
    """A name in one spelling: `HingeLoss`, `hinge_loss` and `hinge-loss` are the same."""
    return _unmarked(name).replace(" ", "")


def _unmarked(names: str) -> str:
    """Names without what tells their spellings apart, but with the blanks between them."""
    return names.replace("_", "").replace("-", "").lower()
