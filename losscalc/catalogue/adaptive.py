"""Cross-entropy of an adaptive softmax, for very many classes, most of them rare."""

from collections.abc import Iterator, Mapping
from typing import Annotated, NamedTuple, cast

import numpy as np

from losscalc.catalogue.base import Loss, Quantities, loss
from losscalc.catalogue.projection import LOGITS
from losscalc.core.array import FloatArray, IndexArray, Shape, show_shape
from losscalc.core.declaration import Doc
from losscalc.core.reductions import Slope, Terms
from losscalc.core.roles import Features, RowIndices, State, class_positions
from losscalc.core.scores import softmax_less_one, surprisal
from losscalc.core.sequences import Increasing
from losscalc.core.shapes import Layout, classwise_layout
from losscalc.core.stable import pick
from losscalc.errors import ParameterError, ShapeError


class Cluster(NamedTuple):
    """A cluster of rare classes: where it begins and ends, and the two matrices that make its logits."""

    first: int
    last: int
    inner: FloatArray
    outer: FloatArray

    def logits(self, rows: FloatArray) -> FloatArray:
        """The logits of the classes in the cluster."""
        return np.asarray(rows @ self.inner.T @ self.outer.T)


@loss("adaptive-log-softmax", torch="AdaptiveLogSoftmaxWithLoss")
class AdaptiveLogSoftmax(Loss):
    """Cross-entropy of an adaptive softmax, with rare classes grouped in clusters.

    `input` holds features (N, F), or (F,) for one sample, `target` class indices (N,), and `state` the
    weights of the module under PyTorch's names: head.weight (with a row for each frequent class and one
    for each cluster), head.bias where there is one, and tail.0.0.weight and tail.0.1.weight, the two
    matrices of the first cluster, and so on. The sizes of the clusters follow from them; `cutoffs` are
    checked against them. The mean divides by the number of samples.

    Raises ShapeError for shapes that do not fit, ClassIndexError for a class outside [0, n_classes) and
    ParameterError for `cutoffs` that do not increase or that are not those of the state.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveLogSoftmaxWithLoss.html

    >>> state = {"head.weight": [[1.0, 0.0], [0.0, 1.0]], "tail.0.0.weight": [[1.0, 1.0]],
    ...          "tail.0.1.weight": [[0.5], [-0.5]]}
    >>> AdaptiveLogSoftmax()([[1.0, 2.0], [0.0, 1.0]], [0, 2], state, reduction="none")
    array([1.31326169, 1.62652338])
    """

    unlike = (
        "returns one result, as the reduction says; PyTorch returns the log-probabilities, which are minus "
        "the losses, together with the mean"
    )
    aliases = ("adaptive_softmax",)
    uses = ("classification", "one class of several", "language model", "large vocabulary")
    is_likelihood = True
    example = {
        "input": [[1.0, 2.0], [0.0, 1.0]],
        "target": [0, 2],
        "state": {
            "head.weight": [[1.0, 0.0], [0.0, 1.0]],
            "tail.0.0.weight": [[1.0, 1.0]],
            "tail.0.1.weight": [[0.5], [-0.5]],
        },
        "reduction": "none",
    }

    formula = (
        "-ln h - ln q, h = exp(a[k]) / Σ exp(a), q = exp(z[k]) / Σ exp(z) if rare, else 1; "
        "a logits of the head, k the class or its cluster, z logits of the classes of a cluster, "
        "rare whether k is a cluster"
    )
    divisor = "the number of samples"
    legacy = False

    cutoffs: Annotated[
        tuple[int, ...] | None,
        Increasing(1),
        Doc("The first class of each cluster; by default what the state says."),
    ] = None

    def layout(self, shapes: Mapping[str, Shape], dtypes: Mapping[str, np.dtype], broadcast: bool) -> Layout:
        features = shapes["input"]
        if len(features) not in (1, 2):
            raise ShapeError(
                f"`input` has shape {show_shape(features)}; it must be (N, F), or (F,) for one sample",
                argument="input",
            )
        state = {
            name.removeprefix("state."): shape for name, shape in shapes.items() if name.startswith("state.")
        }
        cutoffs = _check_state(state, cast(int, features[-1]))
        if self.cutoffs is not None and self.cutoffs != cutoffs[:-1]:
            raise ParameterError(
                f"`cutoffs` must be those of `state`, {', '.join(map(str, cutoffs[:-1]))}",
                found=", ".join(map(str, self.cutoffs)),
                argument="cutoffs",
                hint=f"leave out {cutoffs[-1]}, the number of classes, which a module lists as well"
                if self.cutoffs == cutoffs
                else None,
            )
        logits = {"input": (*features[:-1], cutoffs[-1]), "target": shapes["target"]}
        layout = classwise_layout(logits, dtypes, probabilities=False, scores_name="log-probabilities")
        return layout._replace(width=max(cast(int, features[-1]), cutoffs[-1] // LOGITS))

    def terms(self, input: Features, target: RowIndices, state: State) -> Terms:
        rows, head, clusters = np.atleast_2d(input), *_modules(state)
        classes = class_positions("target", target.reshape(-1), clusters[-1].last)
        value = surprisal(_head(rows, state), _head_positions(classes, head, clusters))
        for cluster, members in _members(classes, clusters):
            value[members] += surprisal(cluster.logits(rows[members]), classes[members] - cluster.first)
        return Terms(value.reshape(target.shape))

    def quantities(self, input: Features, target: RowIndices, state: State) -> Quantities:
        """The logits of the head, and those of a rare class's cluster, padded with -inf."""
        rows, classes = np.atleast_2d(input), target.reshape(-1)
        frequent, clusters = _modules(state)
        head = _head(rows, state)
        inside = np.full((len(rows), max(len(cluster.outer) for cluster in clusters)), -np.inf)
        for cluster, members in _members(classes, clusters):
            inside[members, : len(cluster.outer)] = cluster.logits(rows[members])
        first = np.array([0, *(cluster.first for cluster in clusters)])
        places = classes - first[np.searchsorted(first, classes, side="right") - 1]
        values = {
            "a": head,
            "a[k]": pick(head, _head_positions(classes, frequent, clusters))[:, np.newaxis],
            "z": inside,
            "z[k]": pick(inside, np.where(classes < frequent, 0, places))[:, np.newaxis],
            "rare": (classes >= frequent)[:, np.newaxis],
        }
        return {name: v.astype(np.float64).reshape(*target.shape, v.shape[-1]) for name, v in values.items()}

    def gradient(self, input: Features, target: RowIndices, state: State) -> Slope:
        """Softmax less the target, through the matrices of the head and of the cluster."""
        rows, head, clusters = np.atleast_2d(input), *_modules(state)
        classes = class_positions("target", target.reshape(-1), clusters[-1].last)
        inside = softmax_less_one(_head(rows, state), _head_positions(classes, head, clusters))
        slope = inside @ state["head.weight"]
        for cluster, members in _members(classes, clusters):
            inside = softmax_less_one(cluster.logits(rows[members]), classes[members] - cluster.first)
            slope[members] += inside @ cluster.outer @ cluster.inner
        return Slope(slope.reshape(input.shape))


def _check_state(state: Mapping[str, Shape], features: int) -> tuple[int, ...]:
    """Check the shapes of a state, and derive the cutoffs from them; the last is the number of classes."""
    known = {"head.weight", "head.bias"}
    head = _matrix(state, "head.weight", features)
    sizes: list[int] = []
    while f"tail.{len(sizes)}.0.weight" in state or f"tail.{len(sizes)}.1.weight" in state:
        inner, outer = f"tail.{len(sizes)}.0.weight", f"tail.{len(sizes)}.1.weight"
        # An inner matrix may have no rows: PyTorch divides the number of features, and rounds down to 0.
        sizes.append(_matrix(state, outer, _matrix(state, inner, features, least=0)))
        known |= {inner, outer}
    strange = sorted(set(state) - known)
    if strange and sizes:
        problem = f"`state` has {strange[0]}, which is none of the weights of an adaptive softmax"
        raise ShapeError(problem, argument="state", hint="leave it out of the file")
    if not sizes:
        raise _lacking(state, "tail.0.0.weight")
    frequent = head - len(sizes)
    if frequent < 1 or state.get("head.bias", (head,)) != (head,):
        raise ShapeError(
            f"`state` has {len(sizes)} clusters, which do not fit head.weight of {head} rows"
            if frequent < 1
            else f"`state` has head.weight of {head} rows, and head.bias of shape "
            f"{show_shape(state['head.bias'])}",
            argument="state",
        )
    return tuple(frequent + sum(sizes[:n]) for n in range(len(sizes) + 1))


def _matrix(state: Mapping[str, Shape], name: str, columns: int, least: int = 1) -> int:
    """The number of rows of a matrix of the state; raises ShapeError if it has another number of columns."""
    shape = state.get(name)
    if shape is None or len(shape) != 2 or shape[1] != columns or (shape[0] or 0) < least:
        if shape is None:
            raise _lacking(state, name)
        raise ShapeError(
            f"`state` has {name} of shape {show_shape(shape)}; it must have {columns} columns",
            argument="state",
        )
    return cast(int, shape[0])


def _modules(state: Mapping[str, FloatArray]) -> tuple[int, list[Cluster]]:
    """The number of frequent classes, and the clusters of the rare ones."""
    count = sum(name.endswith(".0.weight") for name in state)
    first = frequent = len(state["head.weight"]) - count
    clusters = []
    for n in range(count):
        inner, outer = state[f"tail.{n}.0.weight"], state[f"tail.{n}.1.weight"]
        clusters.append(Cluster(first, first + len(outer), inner, outer))
        first += len(outer)
    return frequent, clusters


def _head(rows: FloatArray, state: Mapping[str, FloatArray]) -> FloatArray:
    logits = rows @ state["head.weight"].T
    return logits + state["head.bias"] if "head.bias" in state else logits


def _head_positions(classes: IndexArray, frequent: int, clusters: list[Cluster]) -> IndexArray:
    """The index of each class in the head; that of its cluster for a rare class."""
    starts = np.array([cluster.first for cluster in clusters])
    return np.where(
        classes < frequent, classes, frequent - 1 + np.searchsorted(starts, classes, side="right")
    )


def _members(classes: IndexArray, clusters: list[Cluster]) -> Iterator[tuple[Cluster, IndexArray]]:
    """The clusters that occur in the block, with the indices of their samples."""
    for cluster in clusters:
        members = np.flatnonzero((classes >= cluster.first) & (classes < cluster.last))
        if len(members):
            yield cluster, members


def _lacking(state: Mapping[str, Shape], name: str) -> ShapeError:
    """The error for a state without a matrix."""
    there = ", ".join(sorted(state)[:12]) or "nothing"
    hint = f"it has {there}; the names are head.weight, tail.0.0.weight, tail.0.1.weight, ..."
    return ShapeError(f"`state` has no {name}", argument="state", hint=hint)
