"""Which names resemble one that nothing has: by their letters if it is misspelt, or else by their words."""

import re
from collections.abc import Callable, Iterable, Mapping
from difflib import SequenceMatcher, get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING

from losscalc.core.declaration import array_arguments, parameters, setting_names
from losscalc.errors import ParameterError

if TYPE_CHECKING:
    from losscalc.core.operation import Operation

# From this ratio on two names are one, misspelt; between others the letters that agree say nothing.
_ALIKE = 0.85
# Below this one has not even a word of the other.
_SAME_WORD = 0.5
# What names of libraries end in, which would make any two alike.
_ENDING = re.compile(r"(loss|trainer|score|error)$")
_WORD = re.compile(r"[A-Z]+(?![a-z])\d*|[A-Z]?[a-z]+\d*|\d+")
# The same for a word of which there are only a few, which are seldom alike.
_ALIKE_OF_FEW = 0.75
# What the words that are found have to tell, at least, and as a share of all that were typed.
_LEAST, _SHARE = 0.1, 0.25

_OF_CALLS = ("reduction", "dtype", "broadcast", "wrt", "threads", "digits", "like")
"""What every loss is given in Python, beside its own arrays and parameters."""

WORDS = MappingProxyType(
    {
        "avg": "mean",
        "average": "mean",
        "total": "sum",
        "elementwise": "none",
        "no": "none",
        "md": "markdown",
        "tex": "latex",
        "ndjson": "jsonl",
        "text": "plain",
        "txt": "plain",
        "float": "float32",
        "half": "float16",
        "double": "float64",
        "ignore": "drop",
        "skip": "drop",
    }
)
"""What the words that options and arguments take are called elsewhere."""


def choice(word: str, choices: Iterable[str]) -> str | None:
    """Of a few words, the one that is meant by another, which may be misspelt or what others say.

    >>> [choice(word, ["none", "mean", "sum"]) for word in ("AVG", "mena", "max")]
    ['mean', 'mean', None]
    """
    typed, known = word.lower(), list(choices)
    if WORDS.get(typed) in known:
        return WORDS[typed]
    return next(iter(get_close_matches(typed, known, n=1, cutoff=_ALIKE_OF_FEW)), None)


def not_one_of(argument: str, found: object, choices: Iterable[str]) -> ParameterError:
    """The error for an argument that is none of the words that it may be."""
    known = list(choices)
    close = choice(found, known) if isinstance(found, str) else None
    return ParameterError(
        f"`{argument}` must be one of {', '.join(known)}",
        found=found,
        argument=argument,
        hint=f"did you mean {close}?" if close else None,
    )


def unknown_argument(cls: "type[Operation]", name: str) -> ParameterError:
    """The error for an argument that is neither an array nor a parameter of an operation."""
    if name in setting_names(cls):
        return ParameterError(
            f"`{name}` belongs to the loss, and this {cls.name} is made already",
            argument=name,
            hint=f"give `{name}` where it is made, or give its name, '{cls.name}'",
        )
    if name in _OF_CALLS:
        problem = f"{cls.name} takes no `{name}` here"
        return ParameterError(problem, argument=name, hint=f"leave `{name}` out")
    known = [*(array.name for array in array_arguments(cls)), *(own.name for own in parameters(cls))]
    close = next(iter(get_close_matches(name, [*known, *_OF_CALLS], n=1)), None)
    return ParameterError(
        f"{cls.name} has no argument of that name",
        found=name,
        hint=f"did you mean `{close}`?" if close else f"it has {', '.join(known)}",
    )


def nearest(name: str, known: Mapping[str, Iterable[str]], normal: Callable[[str], str]) -> str | None:
    """Of operations with all their names, the one whose name a name resembles most.

    Its own name is given, or the one that is misspelt if its own is another word.

    >>> known = {"iou": ["box-iou"], "dice": ["soft_dice"], "l1": ["L1Loss", "mae"]}
    >>> [nearest(name, known, str.lower) for name in ("dicce", "MaskedDiceLoss", "CircleLoss", "maae")]
    ['dice', 'dice', None, 'mae']
    """
    names = {own: [own, *others] for own, others in known.items()}
    return _by_letters(name, names, normal) or _by_words(name, names, normal)


def _by_letters(name: str, known: Mapping[str, Iterable[str]], normal: Callable[[str], str]) -> str | None:
    typed = _stem(normal(name))
    found = {
        own: max((_likeness(typed, _stem(normal(other))), other) for other in names)
        for own, names in known.items()
    }
    best = max(found, key=lambda own: found[own][0], default=None)
    if best is None or found[best][0] < _ALIKE:
        return None
    is_own_alike = SequenceMatcher(None, typed, normal(best)).ratio() >= _SAME_WORD
    return best if is_own_alike else found[best][1]


def _stem(name: str) -> str:
    return _ENDING.sub("", name) or name


def _likeness(one: str, other: str) -> float:
    """The share of the letters that agree in order; all of them, if two have changed places."""
    if len(one) == len(other) and sorted(one) == sorted(other):
        return 1.0
    matcher = SequenceMatcher(None, one, other)
    # The lengths bound the ratio, which takes long to compute for a long name.
    return matcher.ratio() if matcher.real_quick_ratio() >= _ALIKE else 0.0


def _by_words(name: str, known: Mapping[str, Iterable[str]], normal: Callable[[str], str]) -> str | None:
    """The operation that has a name of some of the words: a rare one tells more, and one that none has less.

    A name of which a word is missing, such as that of another loss of faces, is not meant.
    """
    words = {own: [{normal(other)} for other in names] for own, names in known.items()}
    for own, names in known.items():
        words[own] += [set(_words(other)) for other in names]
    typed = {word for word in _words(name) if not _ENDING.fullmatch(word)}
    having = {
        word: sum(any(word in each for each in several) for several in words.values()) for word in typed
    }
    weight = {word: 1.0 / max(1, count) for word, count in having.items()}
    found = {
        own: max(sum(weight[word] for word in each) if each <= typed else 0.0 for each in several)
        for own, several in words.items()
    }
    best = max(found, key=found.__getitem__, default=None)
    enough = _SHARE * sum(weight.values())
    return best if best is not None and found[best] >= max(enough, _LEAST) else None


def _words(name: str) -> list[str]:
    """The words of a name, whose ends are told by capitals or by what stands between them."""
    return [word.lower() for word in _WORD.findall(name)]
