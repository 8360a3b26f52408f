"""A loss as buggy training code computes it: in stages, of which a mistake changes one, and a pair two.

arrays -> parameter -> single losses -> aggregation -> last step
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

import numpy as np
import torch

from tests.support.mistakes.corpus import Call, Mistake, typed

Tensor = torch.Tensor

# What tells that arrays were moved against one another, and that the classes count alike.
MOVED = "shift|roll|moved|next row|previous row|one row|rows? (earlier|later|up|down)"
BY_CLASS = "(each|per|by|of a|of the|of) class|class means|macro|balanced|classes.*mean|mean.*classes"

_DIGITS = 7
ALONE = (7, 7, 6, 7, 7, 6, 7, 5, 4, 7)
"""How many digits are typed of a number, by its name."""
TOGETHER = 8
"""And of two mistakes at once, as many as float32 has: fewer hardly tell these from a coincidence."""


@dataclass(frozen=True)
class Change:
    """What a mistake does to one stage, how it is told, and which words tell it."""

    kind: str
    stage: str
    what: str
    words: str
    do: Any
    digits: int = _DIGITS


@dataclass(frozen=True)
class Model:
    """A right call, how its single losses are computed, and the mistakes that are made with it."""

    name: str
    call: Call
    single: Callable[..., Tensor]
    changes: tuple[Change, ...]
    parameters: Mapping[str, float] = field(default_factory=dict)
    mean: Callable[[Tensor], Tensor] = torch.mean
    commons: tuple[str, ...] = ()
    """Of `COMMON`, those that are made as single mistakes with this call."""
    paired: bool = False

    def arrays(self) -> list[Tensor]:
        """The arrays as PyTorch has them."""
        return [torch.tensor(self.call.array(name)) for name in self.call.arrays]

    def number(self, *changes: Change) -> float:
        """What comes out with some mistakes."""
        by = {change.stage: change.do for change in changes}
        arrays = self.arrays()
        if "whole" in by:
            return float(by["whole"](*arrays))
        for stage in ("input", "target"):
            arrays = list(by[stage](*arrays)) if stage in by else arrays
        parameters = {**self.parameters, **by.get("parameter", {})}
        vector = by["loss"](*arrays) if "loss" in by else self.single(*arrays, **parameters)
        number = float(by["aggregation"](vector) if "aggregation" in by else self.mean(vector))
        return float(by["last"](number)) if "last" in by else number


def model(
    name: str,
    single: Callable[..., Tensor],
    changes: Iterable[Change],
    arrays: Mapping[str, Any],
    commons: Iterable[str] = (),
    options: Iterable[str] = (),
    loss: str = "",
    **rest: Any,
) -> Model:
    """A model, by default named for its loss."""
    call = Call(loss or name, arrays, tuple(options))
    return Model(name, call, single, tuple(changes), commons=tuple(commons), **rest)


def normal(seed: int, *shape: int, scale: float = 1.0, shift: float = 0.0) -> list[Any]:
    """Irregular numbers with two decimals."""
    return np.random.default_rng(seed).normal(shift, scale, shape).round(2).tolist()


def mistake(model: Model, *changes: Change) -> Mistake | None:
    """The wrong number of some changes, unless it is none or hardly differs from the right one."""
    number, right = model.number(*changes), model.number()
    what = tuple(change.what for change in changes)
    name = f"{model.name}: {' + '.join(what)}"
    digits = min(change.digits for change in changes)
    if digits == _DIGITS:
        digits = TOGETHER if len(changes) > 1 else ALONE[crc32(name.encode()) % 10]
        digits = _DIGITS if _agree(number, right, digits) else digits
    if not math.isfinite(number) or _agree(number, right, digits):
        return None
    kind = "pair" if len(changes) > 1 else changes[0].kind
    words = tuple(change.words for change in changes)
    return Mistake(name, model.name, kind, what, words, number, typed(number, digits))


def _agree(number: float, other: float, digits: int) -> bool:
    return abs(number - other) <= max(1e-5, 1.5 * 10.0 ** (1 - digits)) * abs(other)


def singles(models: Iterable[Model]) -> Iterator[Mistake]:
    """Each change of each model, and those of `COMMON` that it asks for."""
    for model in models:
        for change in (*model.changes, *(COMMON[name] for name in model.commons)):
            made = mistake(model, change)
            if made is None:
                what = f"{change.what} gives {model.number(change)}"
                raise ValueError(f"{model.name}: {what}, the right number is {model.number()}")
            yield made


def pairs(models: Iterable[Model], count: int, seed: int) -> Iterator[Mistake]:
    """Two mistakes of different stages at once, drawn evenly over models and stages, none of them twice.

    The number is none that a single mistake leads to.
    """
    rng, pools = np.random.default_rng(seed), [model for model in models if model.paired]
    alone = {model.name: [model.number(c) for c in (*model.changes, *COMMON.values())] for model in pools}
    seen: set[str] = set()
    while len(seen) < count:
        model = pools[len(seen) % len(pools)]
        made = mistake(model, *_drawn(model, rng))
        if made is None or made.name in seen or not 1e-4 < abs(made.number) < 1e6:
            continue
        if not any(_agree(made.number, number, 6) for number in alone[model.name]):
            seen.add(made.name)
            yield made


def merged(mistakes: list[Mistake]) -> list[Mistake]:
    """Single mistakes of a call that lead to one number may be told by the words of either, in pairs too."""
    words = {(each.call, each.what[0]): each.words[0] for each in mistakes if len(each.what) == 1}
    for each in mistakes:
        same = [other for other in mistakes if other.call == each.call and _equal(other, each)]
        if len(each.what) == 1 and len(same) > 1:
            words[each.call, each.what[0]] = "|".join(dict.fromkeys(other.words[0] for other in same))
    return [
        each._replace(
            words=tuple(words.get((each.call, w), o) for w, o in zip(each.what, each.words, strict=True))
        )
        for each in mistakes
    ]


def _equal(one: Mistake, other: Mistake) -> bool:
    return len(one.what) == len(other.what) == 1 and math.isclose(one.number, other.number, rel_tol=2e-6)


def _drawn(model: Model, rng: np.random.Generator) -> list[Change]:
    by: dict[str, list[Change]] = {}
    for change in (*model.changes, *(COMMON[name] for name in OFTEN)):
        by.setdefault(change.stage, []).append(change)
    by.pop("whole", None)
    stages = rng.choice(list(by), 2, replace=False)
    return [by[stage][rng.integers(len(by[stage]))] for stage in sorted(stages, key=list(by).index)]


# -- how changes are written -------------------------------------------------------------------------------


def of_arrays(
    kind: str, what: str, words: str, do: Callable[..., tuple[Tensor, ...]], digits: int = _DIGITS
) -> Change:
    """A change of the arrays, which are given and returned in the order of the call."""
    return Change(kind, "target" if kind in ("alignment", "target") else "input", what, words, do, digits)


def parameter(name: str, value: float, words: str = "", digits: int = _DIGITS) -> Change:
    """A parameter at another value."""
    what = f"{name.replace('_', ' ')} {value:g}"
    return Change("parameter", "parameter", what, words or name.replace("_", "."), {name: value}, digits)


def of_loss(kind: str, what: str, words: str, do: Callable[..., Tensor], digits: int = _DIGITS) -> Change:
    """Other single losses."""
    return Change(kind, "loss", what, words, do, digits)


def whole(kind: str, what: str, words: str, do: Callable[..., Any], digits: int = _DIGITS) -> Change:
    """A number that is computed in one go."""
    return Change(kind, "whole", what, words, do, digits)


def aggregation(what: str, words: str, do: Callable[[Tensor], Any], digits: int = _DIGITS) -> Change:
    """Another way to make one number of the single losses."""
    return Change("batches" if "batch" in what else "aggregation", "aggregation", what, words, do, digits)


def last(kind: str, what: str, words: str, do: Callable[[float], float], digits: int = _DIGITS) -> Change:
    """Something that is done to the number."""
    return Change(kind, "last", what, words, do, digits)


def bfloat16(x: Tensor) -> Tensor:
    """Rounded as hardware does."""
    return x.to(torch.bfloat16).double()


def float16(x: Tensor) -> Tensor:
    """Rounded to half precision."""
    return x.to(torch.float16).double()


def means(v: Tensor, size: int) -> Tensor:
    """The means of batches, the last of which may be smaller."""
    return torch.stack([batch.mean() for batch in v.split(size)])


def _of_batches(size: int) -> dict[str, Change]:
    b = f"of {size}"
    # The count has to be told: that of rows in a batch.
    words = rf"batch.*\b{size}\b|\b{size}\b.*batch"
    return {
        f"means {size}": aggregation(
            f"mean of the means of batches {b}", words, lambda v: means(v, size).mean()
        ),
        f"sum of means {size}": aggregation(
            f"sum of the means of batches {b}", words, lambda v: means(v, size).sum()
        ),
        f"drop last {size}": aggregation(
            f"last, incomplete batch {b} dropped",
            rf"{words}|drop|left out|last|incomplete|prefix|first \d+",
            lambda v: v[: len(v) // size * size].mean(),
        ),
        f"last batch {size}": aggregation(
            f"loss of the last batch {b} alone", r"batch|last|suffix", lambda v: means(v, size)[-1]
        ),
        f"divided by batches {size}": aggregation(
            f"sum divided by the number of batches {b} times their size",
            rf"{words}|divided",
            lambda v: v.sum() / (len(means(v, size)) * size * v[0].numel()),
        ),
    }


COMMON: dict[str, Change] = {
    "sum": aggregation("summed", r"\bsum", torch.sum),
    **_of_batches(2),
    **_of_batches(3),
    **_of_batches(4),
    **_of_batches(64),
    "n - 1": aggregation(
        "divided by n - 1", r"n ?[-−] ?1|one less|fewer|minus 1", lambda v: v.sum() / (v.numel() - 1)
    ),
    "median": aggregation("median", "median", lambda v: np.median(v.numpy())),
    "max": aggregation("largest alone", "max|largest|greatest", torch.max),
    "without first": aggregation(
        "first row left out", "first|without|left out|last|suffix|skip", lambda v: v[1:].mean()
    ),
    "first": aggregation("first loss alone", "first", lambda v: v[0].mean()),
    "first batch": aggregation(
        "first batch of 4 alone", r"first.*\b4\b|\b4\b.*first", lambda v: v[:4].mean()
    ),
    "rms": aggregation("root of the mean square", "root|rms|square", lambda v: v.square().mean().sqrt()),
    "times 4": last("factor", "times 4: gradient accumulation", r"accumul|\b4\b|quarter", lambda m: 4 * m),
    "over 8": last("factor", "divided by 8", r"\b8\b|eighth|0\.125", lambda m: m / 8),
    "percent": last("factor", "in percent", r"percent|100", lambda m: 100 * m),
    "bits": last("last-step", "in bits", r"bit|ln ?2|base 2|log2", lambda m: m / math.log(2)),
    "log10": last("last-step", "common logarithm", r"10", lambda m: m / math.log(10)),
    "exp": last("last-step", "perplexity", r"perplexity|exp", lambda m: math.exp(min(m, 700))),
    "root": last("last-step", "square root", r"root|sqrt|√", lambda m: math.sqrt(max(m, 0))),
    "negative": last("last-step", "sign changed", r"sign|negat|minus", lambda m: -m),
    "half": last("factor", "halved", r"half|halv|½|\b2\b|0\.5", lambda m: m / 2),
}
OFTEN = (
    *(
        "sum",
        "sum",
        "means 2",
        "means 3",
        "means 4",
        "drop last 3",
        "drop last 4",
        "sum of means 4",
        "last batch 4",
    ),
    *("times 4", "over 8", "percent", "bits", "exp", "half", "negative"),
)
"""Those of them that come together with other mistakes."""
