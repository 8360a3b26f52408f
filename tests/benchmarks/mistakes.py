"""How many wrong numbers the search for mistakes names, and how often it explains what no mistake made.

    python tests/benchmarks/mistakes.py [WORD ...]             the numbers of tests/data/mistakes.json
    python tests/benchmarks/mistakes.py --random N --digits D  random numbers, which nothing should explain

A word selects the mistakes of a kind, a call or a loss. A mistake is named if one of the first three
explanations has its words (told: a later one has, or what is shown for too few digits or as near); those that
are not named are listed. Random numbers, N of each call and each number of digits, lie between a fifth and
five times the right value, evenly in their logarithm. README.md beside this file has the figures.
"""

import argparse
import contextlib
import io
import itertools
import json
import math
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from losscalc import cli
from tests.support.mistakes.corpus import Call, Mistake, read, typed
from tests.support.searches import shared

Told = dict[str, Any]
"""Name, sentence and command."""
FIRST = 3
CALLS = (
    "cross-entropy", "nll", "focal", "multi-margin", "bce-logits", "bce", "sigmoid-focal", "hinge", "mse",
    "huber", "gaussian-nll", "triplet-margin", "kl-div", "dpo", "thousand",
)  # fmt: skip
"""Of many kinds, and sizes up to a thousand rows; random numbers are drawn for each."""


def run(words: list[str]) -> dict[str, Any]:
    """The JSON that a command prints."""
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.run([*words, "--format=json"])
    for stream in (out, err):
        stream.flush()
    if code not in (0, 1):
        raise RuntimeError(f"{' '.join(words)}: exit {code}\n{err.buffer.getvalue().decode()}")  # type: ignore[attr-defined]
    return json.loads(out.buffer.getvalue())  # type: ignore[attr-defined]


def explanations(call: Call, number: str, directory: Path) -> tuple[list[Told], list[Told]]:
    """What explains a number, the simplest first, and what is told besides: undecided, or near."""
    report = run([*call.words(directory), f"--expect={number}"])
    return report.get("explanations", []), [*report.get("undecided", []), *report.get("nearest", [])]


def place(mistake: Mistake, told: Iterable[Told]) -> int | None:
    """At which place a mistake is named, counted from 1."""
    for number, each in enumerate(told, 1):
        if any(mistake.is_named_by(f"{one['name']} {one['sentence']}") for one in (each, *each["also"])):
            return number
    return None


def verdict(mistake: Mistake, explained: list[Told], others: list[Told]) -> str:
    """How well a mistake is named: first, among the first three, otherwise, or not at all."""
    found = place(mistake, explained)
    if found is not None and found <= FIRST:
        return "first" if found == 1 else "three"
    return "told" if found or place(mistake, others) else "not"


def measure(selected: Iterable[str], directory: Path) -> None:
    """Print what is not named and why, and the counts of each kind."""
    calls, mistakes = read()
    counts: dict[str, Counter[str]] = {}
    times = []
    for mistake in mistakes:
        call = calls[mistake.call]
        if not all(word in (mistake.kind, mistake.call, call.loss) for word in selected):
            continue
        start = time.perf_counter()
        explained, others = explanations(call, mistake.typed, directory)
        times.append(time.perf_counter() - start)
        found = verdict(mistake, explained, others)
        group = "pairs" if mistake.kind == "pair" else "singles"
        for name in (mistake.kind, group):
            counts.setdefault(name, Counter())[found] += 1
        if found in ("told", "not"):
            said = "; ".join(each["sentence"] for each in [*explained, *others][:FIRST]) or "nothing"
            print(f"{mistake.kind:12} {mistake.name} = {mistake.typed}\n{'':12} told: {said}")
    print(f"\n{'kind':12} {'first':>6} {'three':>6} {'told':>6} {'of':>6}")
    for kind, found_ones in sorted(
        counts.items(), key=lambda item: (item[0] in ("singles", "pairs"), item[0])
    ):
        first, three, told = found_ones["first"], found_ones["three"], found_ones["told"]
        sums = (first, first + three, first + three + told, found_ones.total())
        print(f"{kind:12} {' '.join(f'{each:6}' for each in sums)}")
    print(f"{np.mean(times):.3f} s each, {max(times):.2f} s at most")


def numbers(value: float, digits: int, rng: np.random.Generator) -> Iterator[str]:
    """Random numbers near a value, as they are typed."""
    while True:
        yield typed(value * math.exp(rng.uniform(-math.log(5), math.log(5))), digits)


def alarms(count: int, digits: list[int], seed: int, directory: Path) -> None:
    """Print what explains random numbers, and how many of them."""
    calls, rng = read()[0], np.random.default_rng(seed)
    false: dict[int, list[str]] = {each: [] for each in digits}
    for name in CALLS:
        right = run(calls[name].words(directory))["value"]
        with shared():
            for each, found in false.items():
                for number in itertools.islice(numbers(right, each, rng), count):
                    if told := explanations(calls[name], number, directory)[0]:
                        found.append(name)
                        print(f"{name} {number}: {'; '.join(one['sentence'] for one in told)}")
    print(f"\n{'digits':>6} {'explained':>9} {'of':>6} {'calls':>6}")
    for each, found in false.items():
        print(f"{each:6} {len(found):9} {count * len(CALLS):6} {len(set(found)):6}")


def main() -> None:
    """Measure one or the other."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("words", nargs="*", help="kinds, calls or losses")
    parser.add_argument("--random", type=int, metavar="N", help="so many random numbers of each call")
    parser.add_argument("--digits", type=int, nargs="+", default=[3, 4, 5, 6, 7, 8])
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        if options.random:
            alarms(options.random, options.digits, options.seed, Path(directory))
        else:
            measure(options.words, Path(directory))


if __name__ == "__main__":
    main()
