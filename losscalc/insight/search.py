"""Finds losses and activations by a word: a name, what people use them for, or how they are described."""

import difflib
import re
from collections.abc import Iterator

from losscalc.core.operation import Operation
from losscalc.core.registry import names_of, operations
from losscalc.errors import UsageError

_SEPARATORS = re.compile(r"[-_ ]")


def family(cls: type[Operation]) -> str:
    """The family of an operation, which is that of its module.

    >>> from losscalc.core.registry import lookup
    >>> family(lookup("mse")), family(lookup("sigmoid"))
    ('regression', 'activations')
    """
    return cls.__module__.rpartition(".")[2]


def summary(cls: type[Operation]) -> str:
    """The first line of the docstring of an operation."""
    return (cls.__doc__ or cls.formula).partition("\n")[0].rstrip(".")


def search(word: str) -> list[type[Operation]]:
    """The operations that a word finds, in the order of the catalogue; all of them for an empty one.

    What is found by a name, a use or its family comes alone; descriptions are looked through if nothing is.

    >>> [cls.name for cls in search("huber")], [cls.name for cls in search("HuberLoss")]
    (['huber'], ['huber'])
    """
    wanted = _plain(word)
    for texts in (_titles, _descriptions):
        found = [cls for cls in operations().values() if any(wanted in _plain(text) for text in texts(cls))]
        if found:
            return found
    known = {_plain(use): use for cls in operations().values() for use in (*cls.uses, family(cls), cls.name)}
    close = difflib.get_close_matches(wanted, known, n=1)
    hint = f"did you mean {known[close[0]]}?" if close else "losscalc list shows all"
    raise UsageError("no loss is found by this word", found=word, hint=hint)


def _titles(cls: type[Operation]) -> Iterator[str]:
    yield from names_of(cls)
    yield from cls.uses
    yield family(cls)


def _descriptions(cls: type[Operation]) -> Iterator[str]:
    yield cls.__doc__ or ""


def _plain(text: str) -> str:
    """A text in which case, hyphens and blanks make no difference: multi-label is multilabel."""
    return _SEPARATORS.sub("", text).lower()
