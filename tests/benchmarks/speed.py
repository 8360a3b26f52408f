"""How fast losscalc is, beside PyTorch on the same arrays, in the same process and with the same threads.

    python tests/benchmarks/speed.py [--only WORD] [--what losses|gradients] [--runs N] [--threads N]
        [--json FILE] [--markdown FILE]

Needs `pip install torch==2.13.0`. Each loss gets 10 million elements, those of classes in rows of 10,
1,000, 50,000 and 128,256; the reduction is the mean. A gradient is that of the first array, beside PyTorch's
forward and backward together. The two take turns, so that a machine that becomes slower slows both; the
times are medians, and a ratio above 1 says that losscalc is the faster one.

`nll` reads one number a row, so that what is measured is the call, and the pages of memory that are touched:
the times of its loss are shown in microseconds, and are not part of the means.
"""

import argparse
import json
import math
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

import torch

import losscalc
from tests.support.parity import reference

SIZE = 10_000_000
DTYPES = ("float64", "float32")
WHAT = ("losses", "gradients")
Arrays = dict[str, np.ndarray]
Call = Callable[[], Any]
Draw = np.random.Generator


class Workload(NamedTuple):
    """A call: the loss, its size in words, its arrays, and its parameters."""

    loss: str
    size: str
    make: Callable[[Draw], Arrays]
    settings: dict[str, Any] = {}  # noqa: RUF012 - never changed


def elements(loss: str, *names: str, **settings: Any) -> Workload:
    """A loss of single elements, whose arrays are of these kinds."""
    return Workload(
        loss,
        ", ".join(["10 million", *settings]),
        lambda draw: {name.partition(":")[0]: _KINDS[name.partition(":")[2]](draw) for name in names},
        settings,
    )


_KINDS: dict[str, Callable[[Draw], np.ndarray]] = {
    "real": lambda draw: draw.normal(size=SIZE),
    "unit": lambda draw: draw.random(SIZE),
    "label": lambda draw: draw.integers(0, 2, SIZE).astype(float),
    "sign": lambda draw: draw.integers(0, 2, SIZE) * 2.0 - 1.0,
    "count": lambda draw: draw.poisson(2.0, SIZE).astype(float),
    "positive": lambda draw: draw.random(SIZE) + 0.1,
    "log": lambda draw: np.log(draw.random(SIZE) * 0.999 + 1e-3),
}


def classes(loss: str, count: int, target: str = "index", **settings: Any) -> Workload:
    """A loss of rows of scores."""
    rows = SIZE // count

    def make(draw: Draw) -> Arrays:
        scores = draw.normal(size=(rows, count)) * 2.0
        if loss == "nll":
            scores -= np.log(np.exp(scores).sum(axis=1, keepdims=True))
        if target == "index":
            return {"input": scores, "target": draw.integers(0, count, rows)}
        if target == "label":
            return {"input": scores, "target": draw.integers(0, 2, (rows, count)).astype(float)}
        if target == "share":
            share = draw.random((rows, count))
            return {"input": scores, "target": share / share.sum(axis=1, keepdims=True)}
        listed = np.full((rows, count), -1)
        listed[:, :3] = np.argsort(draw.random((rows, min(count, 50))), axis=1)[:, :3]
        return {"input": scores, "target": listed}

    words = f"{rows:,} x {count:,}" + (f", {target}" if target == "share" else "")
    words += "".join(f", {key}" for key in settings)
    return Workload(loss, words, make, settings)


def vectors(loss: str, names: tuple[str, ...], width: int = 128, **settings: Any) -> Workload:
    """A loss of pairs or triplets of vectors."""
    rows = SIZE // width

    def make(draw: Draw) -> Arrays:
        arrays = {name: draw.normal(size=(rows, width)) for name in names}
        return arrays | ({"target": draw.integers(0, 2, rows) * 2.0 - 1.0} if len(names) == 2 else {})

    return Workload(loss, f"{rows:,} x {width}", make, settings)


def boxes(loss: str) -> Workload:
    """A loss of boxes."""

    def make(draw: Draw) -> Arrays:
        corner = draw.random((2, SIZE // 4, 2)) * 100.0
        both = np.concatenate([corner, corner + 1.0 + draw.random((2, SIZE // 4, 2)) * 50.0], axis=-1)
        return dict(zip(("input", "target"), both, strict=True))

    return Workload(loss, f"{SIZE // 4:,} pairs", make)


def ctc(draw: Draw) -> Arrays:
    """Sequences of 500 steps, 20 of them, of 1,000 symbols, with targets of 50."""
    scores = draw.normal(size=(500, 20, 1000))
    scores -= np.log(np.exp(scores).sum(axis=-1, keepdims=True))
    lengths = np.full(20, 500), np.full(20, 50)
    targets = draw.integers(1, 1000, (20, 50))
    return {
        "log_probs": scores, "targets": targets, "input_lengths": lengths[0], "target_lengths": lengths[1],
    }  # fmt: skip


def linear(draw: Draw) -> Arrays:
    """1,000 samples of 256 features, and 10,000 classes."""
    return {
        "input": draw.normal(size=(1000, 256)),
        "linear_weight": draw.normal(size=(10_000, 256)) / 16.0,
        "target": draw.integers(0, 10_000, 1000),
    }


def adaptive(draw: Draw) -> dict[str, Any]:
    """20,000 samples of 256 features, and 10,000 classes in three clusters."""
    state = {"head.weight": draw.normal(size=(502, 256)) / 16.0}
    for number, (inner, outer) in enumerate(((128, 1500), (64, 8000))):
        state[f"tail.{number}.0.weight"] = draw.normal(size=(inner, 256)) / 16.0
        state[f"tail.{number}.1.weight"] = draw.normal(size=(outer, inner)) / 8.0
    frequent = np.minimum(draw.zipf(1.2, 20_000) - 1, 9_999)
    return {"input": draw.normal(size=(20_000, 256)), "target": frequent, "state": state}


COUNTS = (10, 1_000, 50_000, 128_256)
WORKLOADS = [
    elements("l1", "input:real", "target:real"),
    elements("mse", "input:real", "target:real"),
    elements("smooth-l1", "input:real", "target:real"),
    elements("huber", "input:real", "target:real"),
    elements("poisson-nll", "input:real", "target:count"),
    elements("gaussian-nll", "input:real", "target:real", "var:positive"),
    elements("bce", "input:unit", "target:label"),
    elements("bce-logits", "input:real", "target:label"),
    *(classes("multilabel-soft-margin", count, "label") for count in COUNTS),
    elements("sigmoid-focal", "input:real", "target:label"),
    elements("soft-margin", "input:real", "target:sign"),
    elements("hinge-embedding", "input:positive", "target:sign"),
    *(classes("multi-margin", count) for count in COUNTS),
    *(classes("multilabel-margin", count, "list") for count in COUNTS),
    *(classes("cross-entropy", count) for count in COUNTS),
    classes("cross-entropy", 1_000, label_smoothing=0.1),
    classes("cross-entropy", 1_000, "share"),
    *(classes("nll", count) for count in COUNTS),
    Workload("linear-cross-entropy", "1,000 x 256 x 10,000", linear),
    Workload("adaptive-log-softmax", "20,000 x 256, 10,000 classes", adaptive),
    elements("kl-div", "input:log", "target:unit"),
    elements("kl-div", "input:log", "target:log", log_target=True),
    vectors("cosine-embedding", ("input1", "input2")),
    elements("margin-ranking", "input1:real", "input2:real", "target:sign"),
    vectors("triplet-margin", ("anchor", "positive", "negative")),
    vectors("triplet-margin-with-distance", ("anchor", "positive", "negative")),
    Workload("ctc", "500 x 20 x 1,000", ctc),
    *(boxes(loss) for loss in ("giou", "diou", "ciou")),
]


class Row(NamedTuple):
    """One line of the table."""

    loss: str
    size: str
    dtype: str
    losscalc: float
    torch: float
    what: str = "losses"

    @property
    def counts(self) -> bool:
        """Whether it is part of the means."""
        return self.loss != "nll" or self.what != "losses"

    @property
    def ratio(self) -> float:
        """How many times faster losscalc is."""
        return self.torch / self.losscalc


def cast(values: Any, dtype: str) -> Any:
    """The arrays with floating ones in a dtype."""
    if isinstance(values, dict):
        return {key: cast(value, dtype) for key, value in values.items()}
    return values.astype(dtype) if values.dtype.kind == "f" else values


def tensors(values: Any) -> Any:
    """The same memory as tensors; the state of a module stays arrays."""
    return values if isinstance(values, dict) else torch.from_numpy(values)


def seconds(call: Callable[[], object]) -> float:
    """How long a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def calls(work: Workload, arrays: Any, dtype: str, what: str, threads: int) -> tuple[Call, Call]:
    """The call of losscalc, and that of PyTorch."""
    function = reference(work.loss)
    inputs = {name: tensors(value) for name, value in arrays.items()}
    if "state" in inputs:
        function = torch_adaptive(inputs.pop("state"), dtype)
    first = next(iter(inputs.values())).requires_grad_(what == "gradients")
    compute = losscalc.compute if what == "losses" else losscalc.gradient

    def ours() -> Any:
        return compute(work.loss, **arrays, **work.settings, threads=threads)

    def theirs() -> Any:
        first.grad = None
        loss = function(*inputs.values(), **work.settings)
        if what == "losses":
            return loss.numpy()
        loss.backward()
        return first.grad.numpy()

    return ours, theirs


def measure(work: Workload, arrays: Any, dtype: str, what: str, runs: int, threads: int) -> Row:
    """The medians of both, in turn, after a call of each that is not counted."""
    ours, theirs = calls(work, arrays, dtype, what, threads)
    value, expected = ours(), theirs()
    # Together, because a margin that PyTorch rounds to 0 has another slope.
    off, size = (float(np.abs(each).sum(dtype=float)) for each in (value - expected, expected))
    if not off <= (1e-3 if dtype == "float32" else 1e-9) * size:
        sys.exit(f"{what} of {work.loss} {work.size} {dtype}: off by {off} of PyTorch's {size}")
    del value, expected
    times = [(seconds(ours), seconds(theirs)) for _ in range(runs)]
    medians = [statistics.median(column) for column in zip(*times, strict=True)]
    return Row(work.loss, work.size, dtype, *medians, what)


def torch_adaptive(state: dict[str, np.ndarray], dtype: str) -> Callable[..., Any]:
    """PyTorch's module with a state, made once."""
    module = torch.nn.AdaptiveLogSoftmaxWithLoss(
        256, 10_000, [500, 2000], div_value=2.0, dtype=getattr(torch, dtype)
    )
    module.load_state_dict({key: torch.from_numpy(value) for key, value in state.items()})
    module.requires_grad_(False)
    return lambda *arrays: module(*arrays).loss


def rows(only: str, what: Sequence[str], runs: int, threads: int) -> Iterator[Row]:
    """All measurements, each printed by who asks for them."""
    for work in WORKLOADS:
        if only not in work.loss:
            continue
        arrays = work.make(np.random.default_rng(0))
        for each in what:
            for dtype in DTYPES:
                yield measure(work, cast(arrays, dtype), dtype, each, runs, threads)


def geometric_mean(numbers: list[float]) -> float:
    """The mean of ratios."""
    return math.exp(statistics.fmean(map(math.log, numbers)))


def markdown(table: list[Row]) -> str:
    """The rows of losses, or of gradients, as the guide has them: a line a workload, both dtypes in it."""
    lines = [
        "| loss | size | float64, ms | PyTorch | ratio | float32, ms | PyTorch | ratio |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for wide, narrow in zip(table[::2], table[1::2], strict=True):
        cells = [" | ".join(figures(row)) for row in (wide, narrow)]
        lines.append(f"| `{wide.loss}` | {wide.size} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def figures(row: Row) -> tuple[str, str, str]:
    """The two times and the ratio, in words."""
    if not row.counts:
        return f"{row.losscalc * 1e6:.0f} µs", f"{row.torch * 1e6:.0f} µs", ""
    return f"{row.losscalc * 1e3:.1f}", f"{row.torch * 1e3:.1f}", f"{row.ratio:.2f}"


def main() -> None:
    """Measure, print the table, and write it to a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="losses whose name holds this word")
    parser.add_argument("--what", choices=WHAT, help="one of both only")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--json", help="where to write the table")
    parser.add_argument("--markdown", help="where to write it as a table in Markdown")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"{options.threads} threads, NumPy {np.__version__}, PyTorch {torch.__version__}")
    print(f"{'loss':<29}{'size':<30}{'what':<11}{'dtype':<9}", end="")
    print(f"{'losscalc ms':>12}{'PyTorch ms':>12}{'ratio':>7}")
    table = []
    what = [options.what] if options.what else WHAT
    for row in rows(options.only, what, options.runs, options.threads):
        table.append(row)
        ours, theirs, ratio = figures(row)
        print(f"{row.loss:<29}{row.size:<30}{row.what:<11}{row.dtype:<9}", end="")
        print(f"{ours:>12}{theirs:>12}{ratio:>7}", flush=True)
    for each in what:
        for dtype in DTYPES:
            ratios = [r.ratio for r in table if r.what == each and r.dtype == dtype and r.counts]
            if ratios:
                mean = geometric_mean(ratios)
                print(f"{each}, {dtype}: geometric mean {mean:.2f}, least {min(ratios):.2f}")
    if options.markdown:
        tables = [markdown([row for row in table if row.what == each]) for each in what]
        Path(options.markdown).write_text("\n".join(tables))
    if options.json:
        records = [{**row._asdict(), "ratio": row.ratio} for row in table]
        Path(options.json).write_text(json.dumps(records, indent=1) + "\n")


if __name__ == "__main__":
    main()
