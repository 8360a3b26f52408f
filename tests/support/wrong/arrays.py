"""Small random arrays that mistakes are made with."""

from collections.abc import Callable

import numpy as np

from tests.support.examples import boxes, log_softmax

Arrays = dict[str, np.ndarray]
Random = np.random.Generator


def pairs(rng: Random, *shape: int) -> Arrays:
    """Numbers, and what they should be."""
    return {"input": rng.normal(size=shape), "target": rng.normal(size=shape)}


def binary(rng: Random, *shape: int) -> Arrays:
    """Logits, and labels of which not all are equal."""
    target = rng.permutation(np.resize([0.0, 1.0, 1.0], shape).ravel()).reshape(shape)
    return {"input": rng.normal(size=shape) * 2, "target": target}


def probabilities(rng: Random, *shape: int) -> Arrays:
    """Probabilities and labels."""
    return {**binary(rng, *shape), "input": rng.uniform(0.02, 0.98, shape)}


def saturated(rng: Random, *shape: int) -> Arrays:
    """Probabilities of which two are as wrong as can be."""
    arrays = probabilities(rng, *shape)
    arrays["input"][0, 0], arrays["target"][0, 0] = 0.0, 1.0
    arrays["input"][1, 1], arrays["target"][1, 1] = 1.0, 0.0
    return arrays


def signed(rng: Random, *shape: int) -> Arrays:
    """Scores, and labels 1 and -1."""
    arrays = binary(rng, *shape)
    return {**arrays, "target": 2 * arrays["target"] - 1}


def classes(rng: Random, rows: int = 6, count: int = 4, low: int = 0, high: int = 4) -> Arrays:
    """Logits of classes, and class indices."""
    return {"input": rng.normal(size=(rows, count)) * 2, "target": rng.integers(low, high, rows)}


def ignoring(arrays: Arrays) -> Arrays:
    """Class indices of which some are ignored."""
    target = arrays["target"].copy()
    target.flat[1::4] = -100
    return {**arrays, "target": target}


def sequences(rng: Random) -> Arrays:
    """Logits (N, C, L), and class indices (N, L)."""
    return {"input": rng.normal(size=(3, 4, 5)), "target": rng.integers(0, 4, (3, 5))}


def padded(rng: Random) -> Arrays:
    """Sequences of which class 0 fills the rest, the last having no rest."""
    lengths = np.array([2, 3, 5])
    target = np.where(np.arange(5) < lengths[:, np.newaxis], rng.integers(1, 4, (3, 5)), 0)
    return {"input": rng.normal(size=(3, 4, 5)), "target": target}


def judged(rng: Random, *shape: int) -> Arrays:
    """Two arrays, and 1 or -1 for each row."""
    one, two = rng.normal(size=(2, *shape))
    return {"input1": one, "input2": two, "target": rng.permutation(np.resize([1.0, -1.0], shape[0]))}


def divergent(rng: Random) -> Arrays:
    """Log-probabilities, and probabilities."""
    scores, others = rng.normal(size=(2, 5, 4))
    return {"input": log_softmax(scores), "target": np.exp(log_softmax(others))}


def weighted(arrays: Arrays, rng: Random, *shape: int) -> Arrays:
    """The arrays with weights."""
    return {**arrays, "weight": rng.uniform(0.5, 3.0, shape)}


def positive(rng: Random) -> Arrays:
    """Logits, labels, and weights of the positive ones."""
    return {**binary(rng, 5, 3), "pos_weight": rng.uniform(1.5, 4.0, 3)}


def triplets(rng: Random) -> Arrays:
    """Vectors, of which the negative ones are closer to the positive ones than to the anchors."""
    anchor, positive, noise = rng.normal(size=(3, 5, 3))
    return {"anchor": anchor, "positive": positive, "negative": positive + noise / 8}


def spoken(rng: Random, repeated: bool = False) -> Arrays:
    """Log-probabilities over time; a symbol that is repeated throughout needs more time than there is."""
    # Neighbours that differ fit into the time that there is.
    targets = np.ones((3, 4), int) if repeated else 1 + rng.integers(1, 3, (3, 4)).cumsum(axis=1) % 3
    return {
        "log_probs": log_softmax(rng.normal(size=(6, 3, 5))),
        "targets": targets,
        "input_lengths": np.array([6, 6, 6]),
        "target_lengths": np.array([4, 2, 1]),
    }


LIKELIHOODS = ("chosen_logps", "rejected_logps", "ref_chosen_logps", "ref_rejected_logps")


def token_rows(rng: Random) -> Arrays:
    """Logits (N, L, C), and class indices (N, L)."""
    return {"input": rng.normal(size=(4, 6, 4)) * 2, "target": rng.integers(0, 4, (4, 6))}


def ended(rng: Random, filler: int) -> np.ndarray:
    """Class indices (N, L) of sequences of different lengths, and what fills the rest."""
    lengths = rng.permutation([2, 3, 4, 5])[:, np.newaxis]
    return np.where(np.arange(6) < lengths, rng.integers(0, 4, (4, 6)), filler)


DATA: dict[str, Callable[[Random], Arrays]] = {
    "pairs": lambda r: pairs(r, 5, 3),
    "vectors": lambda r: pairs(r, 6),
    "columns": lambda r: pairs(r, 6, 1),
    "far pairs": lambda r: {name: array + 40_000 for name, array in pairs(r, 5, 3).items()},
    "remote pairs": lambda r: {name: array + 1000 for name, array in pairs(r, 5, 3).items()},
    "weighted pairs": lambda r: weighted(pairs(r, 5, 3), r, 5, 3),
    "logits": lambda r: binary(r, 5, 3),
    # So confident that 1 - σ(x) has few digits left in float32, or in float16.
    "sure logits": lambda r: {"input": r.uniform(12, 14, (5, 3)), "target": np.eye(5, 3)},
    "likely logits": lambda r: {"input": r.uniform(3, 5, (5, 3)), "target": np.eye(5, 3)},
    # Beyond what a sigmoid tells from 0 and 1.
    "extreme logits": lambda r: {
        **binary(r, 5, 3),
        "input": r.choice([-1, 1], (5, 3)) * r.uniform([1, 100, 100], [5, 300, 300], (5, 3)),
    },
    "weighted logits": lambda r: weighted(binary(r, 5, 3), r, 5, 3),
    "positive logits": positive,
    "probabilities": lambda r: probabilities(r, 5, 3),
    "weighted probabilities": lambda r: weighted(probabilities(r, 5, 3), r, 5, 3),
    "saturated": lambda r: saturated(r, 5, 3),
    # Rows that do not sum to 1.
    "uneven": lambda r: {"input": r.uniform(0.1, 0.9, (5, 3)), "target": r.uniform(0.1, 0.9, (5, 3))},
    "faint": lambda r: {
        **binary(r, 5, 3),
        "input": r.permutation(np.resize([1e-8, 3e-8, 1e-7, 0.5], 15)).reshape(5, 3),
    },
    "soft": lambda r: {"input": r.uniform(0.1, 0.9, (5, 3)), "target": r.uniform(0.1, 0.9, (5, 3))},
    "signs": lambda r: signed(r, 5, 3),
    "classes": classes,
    "all classes": lambda r: {**classes(r), "target": r.permutation(np.resize(range(4), 6))},
    "classes of 3": lambda r: classes(r, high=3),
    "classes from 1": lambda r: classes(r, low=1),
    "far classes": lambda r: {
        **classes(r),
        "input": np.eye(4)[r.integers(0, 4, 6)] * [[1.5], [60], [60], [2.5], [60], [60]],
    },
    "square classes": lambda r: classes(r, rows=4),
    "weighted classes": lambda r: weighted(classes(r, rows=9), r, 4),
    "sampled classes": lambda r: {**classes(r, rows=7), "sample_weight": r.uniform(0.5, 2, 7)},
    "sampled weighted classes": lambda r: {
        **weighted(classes(r, rows=9), r, 4),
        "sample_weight": r.uniform(0.5, 2, 9),
    },
    "class probabilities": lambda r: {**classes(r), "input": np.exp(log_softmax(r.normal(size=(6, 4))))},
    "class log-probabilities": lambda r: {**classes(r), "input": log_softmax(r.normal(size=(6, 4)))},
    "distributions": lambda r: {**classes(r), "target": np.exp(log_softmax(r.normal(size=(6, 4)) * 2))},
    "ignored classes": lambda r: ignoring(classes(r, rows=9)),
    "sequences": sequences,
    "ignored sequences": lambda r: ignoring(sequences(r)),
    "padded": padded,
    "divergence": divergent,
    "divergence from scores": lambda r: {**divergent(r), "input": r.normal(size=(5, 4))},
    "divergence from one": lambda r: {**divergent(r), "input": log_softmax(r.normal(size=(1, 4)))},
    "rates": lambda r: {"input": r.uniform(0.5, 2.0, (5, 3)), "target": r.uniform(0.5, 3.0, (5, 3))},
    "scores to be met": lambda r: {**divergent(r), "target": r.uniform(0, 3, (5, 4))},
    "variances": lambda r: {**pairs(r, 5, 3), "var": r.uniform(0.5, 2.0, (5, 3))},
    "triplets": triplets,
    "speech": spoken,
    "hurried speech": lambda r: spoken(r, repeated=True),
    "ranks": lambda r: judged(r, 6),
    "signed vectors": lambda r: judged(r, 6, 3),
    "shares": lambda r: {name: r.dirichlet(np.ones(4), 6) for name in ("input", "target")},
    "lessons": lambda r: {"input": r.normal(size=(6, 4)), "teacher": r.normal(size=(6, 4)), **classes(r)},
    "tokens": lambda r: {"input": r.normal(size=(3, 5, 4)), "target": r.integers(0, 4, (3, 5))},
    "masked tokens": lambda r: {
        "input": r.normal(size=(3, 5, 4)),
        "target": r.integers(0, 4, (3, 5)),
        "mask": r.permuted(np.resize([0, 1, 1], (3, 5)), axis=1),
    },
    "equal tokens": lambda r: {"input": r.normal(size=(3, 4, 4)), "target": r.integers(0, 4, (3, 4))},
    "twelve classes": lambda r: {
        "input": r.normal(size=(12, 4)) * 2,
        "target": r.permutation([0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3]),
    },
    "token rows": token_rows,
    "ended tokens": lambda r: {**token_rows(r), "target": ended(r, -100)},
    "masked rows": lambda r: {**token_rows(r), "mask": (ended(r, -1) >= 0).astype(int)},
    "uneven labels": lambda r: {
        "input": r.normal(size=(6, 3)) * 2,
        "target": r.permuted([[0, 0, 1], [0, 1, 1], [0, 0, 1], [0, 0, 0], [0, 1, 1], [1, 0, 0]], axis=0)
        * 1.0,
    },
    "far logits": lambda r: {**binary(r, 5, 3), "input": r.uniform(-9, 9, (5, 3))},
    "masks": lambda r: probabilities(r, 4, 3, 5),
    "gaussians": lambda r: {"input": r.normal(size=(6, 3)), "logvar": r.normal(size=(6, 3))},
    "survival": lambda r: {
        "input": r.normal(size=8),
        "time": r.permutation(8) + 1.0,
        "event": r.permutation([0, 0, 0, 1, 1, 1, 1, 1]),
    },
    "actions": lambda r: {
        "input": -r.uniform(0.2, 2, 9),
        "old_logps": -r.uniform(0.2, 2, 9),
        "advantages": r.normal(size=9) + 0.5,
    },
    "token answers": lambda r: {
        **{name: -r.uniform(0, 2, (4, 6)) for name in LIKELIHOODS},
        "chosen_mask": (np.arange(6) < r.permutation([2, 3, 4, 5])[:, np.newaxis]).astype(int),
        "rejected_mask": (np.arange(6) < r.permutation([2, 3, 4, 6])[:, np.newaxis]).astype(int),
    },
    "vector pairs": lambda r: pairs(r, 6, 3),
    "boxes": lambda r: {"input": boxes(5, r), "target": boxes(5, r)},
}
