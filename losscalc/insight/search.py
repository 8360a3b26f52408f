"""Finds losses and activations by a word: a name, what people use them for, or how they are described."""

import difflib
import re
from collections.abc import Callable, Iterable

from losscalc.catalogue import operations
from losscalc.core.operation import Operation
from losscalc.core.registry import names_of
from losscalc.errors import UsageError

_SEPARATORS = re.compile(r"[^\w]|_")
# Words that say nothing of what is searched for.
_FILLERS = frozenset({"a", "and", "coefficient", "for", "loss", "losses", "of", "score", "the", "to"})
# Words behind the one that is searched for, which say little more.
_TAILS = frozenset(
    {"analysis", "data", "filtering", "function", "functions", "imaging", "learning", "model", "models"}
    | {"network", "networks", "prediction", "problem", "problems", "recognition", "scoring", "system"}
    | {"systems", "task", "tasks", "training"}
)
# From this ratio on a word is one of another, misspelt.
_ALIKE = 0.8

SYNONYMS = {
    "regression": ("linear regression", "least squares", "curve fitting", "physics-informed", "PINN"),
    "GAN": ("generative", "adversarial", "discriminator", "wgan", "lsgan"),
    "robust": ("outlier", "heavy tails", "heavy-tailed"),
    "restoration": (
        *("denoising", "denoise", "deblurring", "super-resolution", "inpainting", "upscaling"),
        *("colorization", "image-to-image", "image-to-image translation"),
    ),
    "diffusion": ("ddpm", "noise prediction", "flow matching", "image generation"),
    "reconstruction": ("autoencoder", "anomaly", "anomaly detection", "novelty detection"),
    "depth": ("depth estimation", "stereo", "disparity", "optical flow"),
    "keypoints": ("pose", "pose estimation", "landmark", "heatmap"),
    "ordinal": ("ordinal regression", "ordered classes", "grading", "rating"),
    "noisy labels": ("label noise", "noisy annotations", "mislabeled", "mislabelled"),
    "forecast": ("forecasting", "time series", "demand", "energy", "sales", "stock", "price", "weather"),
    "quantile": ("interval", "prediction interval", "confidence interval", "value at risk"),
    "counts": ("count data",),
    "uncertainty": ("heteroscedastic", "aleatoric", "uncertainty estimation", "bayesian", "probabilistic"),
    "binary": (
        *("binary classification", "logistic regression", "churn", "credit", "spam", "click-through"),
        *("click-through rate", "ctr", "link prediction", "negative sampling", "word2vec"),
    ),
    "one class of several": (
        *("multinomial", "softmax regression", "mnist", "imagenet", "sentiment", "topic"),
        *("named entity", "part of speech"),
    ),
    "multi-label": ("tagging", "multiple labels"),
    "imbalanced": ("class imbalance", "unbalanced", "long tail", "long-tailed", "fraud", "fraud detection"),
    "segmentation": ("medical", "medical imaging", "pixel", "tumor", "tumour", "mri", "satellite", "mask"),
    "object detection": ("bounding box", "bounding boxes", "bbox", "yolo", "localization", "localisation"),
    "language model": (
        *("llm", "next token", "causal", "transformer", "gpt", "bert", "chatbot", "fine-tuning"),
        *(
            "pretraining",
            "language modeling",
            "language modelling",
            "translation",
            "summarization",
            "summarisation",
        ),
        *("text generation", "captioning", "question answering"),
    ),
    "self-supervised": ("self-supervision", "multimodal", "image-text", "representation learning"),
    "embeddings": ("retrieval", "face recognition", "sentence embeddings"),
    "metric learning": ("verification", "re-identification", "reid", "siamese", "few-shot", "one-shot"),
    "support vector machine": ("maximum margin", "max margin"),
    "ranking": ("learning to rank",),
    "recommendation": ("recommender", "collaborative filtering", "implicit feedback"),
    "preference": ("rlhf", "alignment", "human feedback"),
    "reward model": ("reward modeling", "reward modelling"),
    "reinforcement learning": ("rl", "actor-critic"),
    "speech": ("asr", "speech recognition", "speech to text"),
    "handwriting": ("ocr", "handwriting recognition", "text recognition", "captcha"),
    "survival": ("censored", "survival analysis"),
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
    then for each of several words, and at last for what some of them mean.

    >>> [cls.name for cls in search("huber")], [cls.name for cls in search("HuberLoss")]
    (['huber'], ['huber'])
    >>> [cls.name for cls in search("RLHF")]
    ['bradley-terry', 'dpo']
    """
    words = [each for each in _SEPARATORS.split(word.lower()) if each not in _FILLERS]
    meant = _meant(word)
    by_part = _meant_by_part(words)
    ways: tuple[Callable[[type[Operation]], bool], ...] = (
        lambda cls: any(_is_called(cls, each) or _begins(_uses(cls), each) for each in meant),
        lambda cls: any(_begins(_description(cls), each) for each in meant),
        lambda cls: bool(words) and all(_begins([*_uses(cls), *_description(cls)], each) for each in words),
        lambda cls: any(_begins(_uses(cls), each) for each in by_part),
    )
    for way in ways:
        if found := [cls for cls in operations().values() if way(cls)]:
            return found
    known = {_plain(use): use for cls in operations().values() for use in (*_uses(cls), cls.name)}
    close = difflib.get_close_matches(_plain(word), known, n=1, cutoff=_ALIKE)
    hint = f"did you mean {known[close[0]]}?" if close else "losscalc list shows all"
    raise UsageError("no loss matches this word", found=word, hint=hint)


def _meant(word: str) -> list[str]:
    """A word, or the uses that it is another one for; of several things it may be the plural."""
    plain = _plain(word)
    single = plain.removesuffix("s")
    others = [use for use, words in SYNONYMS.items() if {plain, single} & set(map(_plain, words))]
    uses = {_plain(use) for cls in operations().values() for use in cls.uses}
    return [*map(_plain, others), single if others or single in uses else plain]


def _meant_by_part(words: list[str]) -> list[str]:
    """What some of several words mean: the last, as in image segmentation, or those before a tail."""
    before = words[:-1] if words[1:] and words[-1] in _TAILS else []
    parts = [before[place:] for place in range(len(before))]
    parts += [words[place:] for place in range(1, len(words))]
    known = {_plain(use) for cls in operations().values() for use in cls.uses}
    for part in parts:
        if found := [each for each in _meant(" ".join(part)) if each in known]:
            return found
    return []


def _is_called(cls: type[Operation], wanted: str) -> bool:
    """Whether a name, or a word of it, begins or ends so: iou finds giou."""
    return _begins(names_of(cls), wanted) or any(_plain(name).endswith(wanted) for name in names_of(cls))


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
