"""Finds losses and activations by a word: a name, what people use them for, or how they are described."""

import difflib
import re
from collections.abc import Callable, Iterable

from losscalc.core.operation import Operation
from losscalc.core.registry import names_of, operations
from losscalc.errors import UsageError

_SEPARATORS = re.compile(r"[^\w]|_")
# Words that say nothing of what is searched for.
_FILLERS = frozenset({"a", "and", "for", "loss", "losses", "of", "the", "to"})
# From this ratio on a word is one of another, misspelt.
_ALIKE = 0.8

SYNONYMS = {
    "GAN": ("generative", "adversarial", "discriminator", "wgan", "lsgan"),
    "robust": ("outlier",),
    "forecast": ("time series", "demand"),
    "uncertainty": ("heteroscedastic", "aleatoric"),
    "imbalanced": ("class imbalance", "unbalanced", "long tail", "fraud"),
    "segmentation": ("medical", "pixel"),
    "object detection": ("bounding box", "bounding boxes", "yolo"),
    "language model": ("llm", "next token", "causal", "transformer", "gpt", "fine-tuning"),
    "self-supervised": ("multimodal", "image-text", "representation learning"),
    "embeddings": ("retrieval", "face recognition"),
    "ranking": ("learning to rank",),
    "recommendation": ("recommender",),
    "preference": ("rlhf", "alignment", "human feedback"),
    "reinforcement learning": ("rl", "actor-critic"),
    "speech": ("asr",),
    "handwriting": ("ocr",),
    "survival": ("censored",),
}
"""Other words for what losses are for."""


def family(cls: type[Operation]) -> str:
    """The family of an operation, which is that of its module.

    >>> from losscalc.core.registry import lookup
    >>> family(lookup("mse")), family(lookup("sigmoid"))
    ('regression', 'activations')
    """
    return cls.__module__.rpartition(".")[2]


def search(word: str) -> list[type[Operation]]:
    """The operations that a word finds, in the order of the catalogue; all of them for an empty one.

    What is found by a name, a use or its family comes alone; descriptions are looked through if nothing is,
    and then for each of several words.

    >>> [cls.name for cls in search("huber")], [cls.name for cls in search("HuberLoss")]
    (['huber'], ['huber'])
    >>> [cls.name for cls in search("RLHF")]
    ['bradley-terry', 'dpo']
    """
    meant, words = _meant(word), [each for each in _SEPARATORS.split(word.lower()) if each not in _FILLERS]
    ways: tuple[Callable[[type[Operation]], bool], ...] = (
        lambda cls: any(_is_called(cls, each) or _begins(_uses(cls), each) for each in meant),
        lambda cls: any(_begins(_description(cls), each) for each in meant),
        lambda cls: bool(words) and all(_begins([*_uses(cls), *_description(cls)], each) for each in words),
    )
    for way in ways:
        if found := [cls for cls in operations().values() if way(cls)]:
            return found
    known = {_plain(use): use for cls in operations().values() for use in (*_uses(cls), cls.name)}
    close = difflib.get_close_matches(_plain(word), known, n=1, cutoff=_ALIKE)
    hint = f"did you mean {known[close[0]]}?" if close else "losscalc list shows all"
    raise UsageError("no loss is found by this word", found=word, hint=hint)


def _meant(word: str) -> list[str]:
    """A word, and the use that it is another one for; of several things it may be the plural."""
    plain = _plain(word)
    single = plain.removesuffix("s")
    others = [use for use, words in SYNONYMS.items() if {plain, single} & set(map(_plain, words))]
    uses = {_plain(use) for cls in operations().values() for use in cls.uses}
    return [_plain(others[0])] if others else [single] if single in uses else [plain]


def _is_called(cls: type[Operation], wanted: str) -> bool:
    """Whether a name has it somewhere: iou finds giou."""
    return any(wanted in _plain(name) for name in names_of(cls))


def _begins(texts: Iterable[str], wanted: str) -> bool:
    """Whether a word of a text, or several without what stands between them, begin so."""
    for text in texts:
        words = _SEPARATORS.split(text.lower())
        if any("".join(words[place : place + len(wanted)]).startswith(wanted) for place in range(len(words))):
            return True
    return False


def _uses(cls: type[Operation]) -> tuple[str, ...]:
    return (*cls.uses, family(cls))


def _description(cls: type[Operation]) -> tuple[str, ...]:
    return (cls.__doc__ or "", *(convention.library for convention in cls.conventions))


def _plain(text: str) -> str:
    """A text in which case, hyphens and blanks make no difference: multi-label is multilabel."""
    return _SEPARATORS.sub("", text).lower()
