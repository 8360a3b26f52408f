"""What a run over very large data costs on a Dask cluster: measured on this machine, and simulated at scale.

    python tests/benchmarks/scale.py [--bytes N] [--shards N] [--workers N] [--task N] ...
    python tests/benchmarks/scale.py --measure FOLDER [--pairs N] [--megabytes N] [--processes N ...]

The second needs `pip install 'losscalc[dask]'`, writes pairs of shards to a folder, and measures what the
first takes for granted; scale.md tells how, and what came of both.
"""

import argparse
import heapq
import pickle
import random
import time
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import losscalc

KEEPING = {"MALLOC_TRIM_THRESHOLD_": 1 << 28, "MALLOC_MMAP_THRESHOLD_": 1 << 25}
"""What makes workers keep the memory of one block for the next; Dask has them give it back at once."""


class Run(NamedTuple):
    """What a run is assumed to be: its data, its cluster, and what was measured of losscalc and Dask."""

    bytes: float = 10e12
    """The size of all shards."""
    shards: float = 10_000
    arrays: float = 2
    """The patterns of shards, each of so many files, of which the client reads the headers."""
    workers: float = 100
    """Each has one thread."""
    task: float = 64 * 2**20
    """The bytes of one task: 16 pieces of 4 MiB."""
    read: float = 500e6
    """The bytes that a worker reads in a second."""
    store: float = 40e9
    """Those that the storage gives to all of them together."""
    compute: float = 300e6
    """The bytes that a thread turns into sums in a second."""
    spread: float = 0.2
    """The standard deviation of the logarithm of a task's time: how much faster some workers are."""
    open: float = 5e-3
    """The seconds for opening a file and reading its header over the network."""
    scheduler: float = 1e-3
    """The seconds that client and scheduler spend on a task, which nothing else can share."""
    merge: float = 5e-6
    """The seconds for adding one partial result to the sum."""
    waiting: float = 3
    """The tasks that are submitted for each thread."""
    sent: float = 3_700
    """The bytes of a pickled task."""
    result: float = 700
    """The bytes of its pickled result."""


class Cost(NamedTuple):
    """What a run comes to, in seconds and bytes."""

    tasks: int
    opening: float
    working: float
    """From the first task to the last result."""
    reading: float
    computing: float
    scheduling: float
    merging: float
    traffic: float


def simulated(run: Run, seed: int = 1) -> Cost:
    """Send the tasks to workers, one by one; results are taken in their order, as the client does it.

    A worker reads while it computes, so that the slower of the two decides.
    """
    tasks = -(-int(run.bytes) // int(run.task))
    rate = min(run.read, run.store / run.workers, run.compute)
    noise = random.Random(seed)
    free = [0.0] * int(run.workers)
    done: list[float] = []
    client = scheduler = 0.0
    window = int(run.waiting * run.workers)
    for number in range(tasks):
        if number >= window:
            client = max(client, done[number - window]) + run.merge
        scheduler = max(scheduler, client) + run.scheduler
        start = max(heapq.heappop(free), scheduler)
        end = start + run.task / rate * noise.lognormvariate(-(run.spread**2) / 2, run.spread)
        heapq.heappush(free, end)
        done.append(end)
    return Cost(
        tasks,
        opening=run.arrays * run.shards * run.open,
        working=max(client, *done[-window:]) + window * run.merge,
        reading=run.bytes / min(run.read * run.workers, run.store),
        computing=run.bytes / (run.compute * run.workers),
        scheduling=tasks * run.scheduler,
        merging=tasks * run.merge,
        traffic=tasks * (run.sent + run.result),
    )


def show(run: Run) -> None:
    """Print what a run costs, and what each of its parts would take alone."""
    cost = simulated(run)
    for name, value in cost._asdict().items():
        unit = {"tasks": "", "traffic": " GB"}.get(name, " s")
        print(f"{name:<12}{value / 1e9 if name == 'traffic' else value:>12,.1f}{unit}")
    print(f"{'in all':<12}{cost.opening + cost.working:>12,.1f} s")


def write(folder: Path, shards: int, megabytes: int) -> None:
    """Pairs of shards of random numbers, as float32."""
    for number in range(shards):
        for seed, name in enumerate("xy"):
            path = folder / f"{name}-{number:05}.npy"
            if not path.exists():
                values = np.random.default_rng(2 * number + seed).normal(size=megabytes * 250_000)
                np.save(path, values.astype(np.float32))


def seconds(function: Callable[[], Any], runs: int = 5) -> float:
    """The shortest of several runs."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def opened(folder: Path) -> Any:
    """The call of all files of a folder."""
    from losscalc.core.reductions import REDUCTIONS
    from losscalc.engine.call import Call
    from losscalc.inputs.address import open_array, parse_address
    from losscalc.inputs.options import Reading

    arrays = {
        name: open_array(parse_address(f"{folder}/{letter}-*.npy"), name, Reading())
        for name, letter in (("input", "x"), ("target", "y"))
    }
    return Call(losscalc.MSE(), arrays, REDUCTIONS["mean"])


def planned(folder: Path) -> list[Any]:
    """The tasks of that call."""
    from losscalc.engine import dask as cluster

    whole = opened(folder)
    return list(cluster.plan(whole, whole.layout))


def steps(folder: Path) -> Iterator[tuple[str, float, str]]:
    """What the simulation takes for granted: the parts of a run, in one process."""
    from losscalc.engine import compute as engine
    from losscalc.engine import dask as cluster

    files = len(list(folder.glob("?-*.npy")))
    whole, tasks = opened(folder), planned(folder)
    yield "opening a file", seconds(lambda: opened(folder)) / files * 1e6, "µs"
    yield "planning a task", seconds(lambda: list(cluster.plan(whole, whole.layout))) / len(tasks) * 1e6, "µs"
    found = tasks[0]()
    assert not isinstance(found, losscalc.LosscalcError)
    yield "a pickled task", len(pickle.dumps(tasks[0])), "bytes"
    yield "a pickled result", len(pickle.dumps(found)), "bytes"
    partial = found[0].partial
    yield "adding a result", seconds(lambda: [partial + partial for _ in range(1000)]) * 1e3, "µs"
    yield "a task", seconds(lambda: tasks[0]()), "s"
    yield (
        "one thread, no cluster",
        seconds(lambda: engine.compute(opened(folder)._replace(threads=1)), 3),
        "s",
    )


def clusters(folder: Path, processes: list[int]) -> Iterator[tuple[str, float, str]]:
    """The same run on local clusters of several processes."""
    import dask
    from distributed import Client, LocalCluster

    from losscalc.engine import compute as engine
    from losscalc.engine import dask as cluster

    size = sum(path.stat().st_size for path in folder.glob("?-*.npy"))
    default = dict(dask.config.get("distributed.nanny.pre-spawn-environ"))
    for count, is_kept in [(processes[0], False), *((count, True) for count in processes)]:
        dask.config.set({"distributed.nanny.pre-spawn-environ": default | (KEEPING if is_kept else {})})
        name = f"{count} processes{'' if is_kept else ' as Dask starts them'}"
        with LocalCluster(n_workers=count, threads_per_worker=1, dashboard_address=None) as local:
            with cluster.connected(local.scheduler_address) as run:
                elapsed = seconds(lambda run=run: engine.compute(opened(folder), run), 2)
            yield name, elapsed, f"s ({size / elapsed / 1e6:,.0f} MB a second)"
            with Client(local.scheduler_address) as client:
                yield from worked(client, planned(folder))


def worked(client: Any, tasks: list[Any]) -> Iterator[tuple[str, float, str]]:
    """What a task takes of the processors of a cluster, and what one takes that has nothing to do."""
    works = [client.run(time.process_time)]
    client.gather([client.submit(task, pure=False) for task in tasks])
    works.append(client.run(time.process_time))
    spent = sum(works[1].values()) - sum(works[0].values())
    yield "  processor time of a task", spent / len(tasks), "s"

    def idle() -> Any:
        return client.gather([client.submit(int, number, pure=False) for number in range(1000)])

    yield "  an empty task", seconds(idle, 3) * 1e3, "µs"


def main() -> None:
    """Measure or simulate, and print what comes of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--measure", type=Path, metavar="FOLDER")
    parser.add_argument("--pairs", type=int, default=32)
    parser.add_argument("--megabytes", type=int, default=16)
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2, 4])
    for name, value in Run._field_defaults.items():
        parser.add_argument(f"--{name}", type=float, default=value)
    options = parser.parse_args()
    if not options.measure:
        show(Run(**{name: getattr(options, name) for name in Run._fields}))
        return
    options.measure.mkdir(parents=True, exist_ok=True)
    write(options.measure, options.pairs, options.megabytes)
    for what, figure, unit in chain(steps(options.measure), clusters(options.measure, options.processes)):
        print(f"{what:<32}{figure:>12,.2f} {unit}", flush=True)


if __name__ == "__main__":
    main()
