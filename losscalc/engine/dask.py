"""Computes blocks on a Dask cluster, whose workers read the files themselves and send back sums.

A task is some rows of every array. Where rows can be found without reading those before them, a task is
several consecutive pieces. Where arrays are patterns of files, each file is a task. Otherwise the whole
call is one task.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from functools import partial, reduce
from typing import TYPE_CHECKING, Any

from losscalc import __version__
from losscalc.core.shapes import Layout
from losscalc.engine import compute as engine
from losscalc.engine.block import ready
from losscalc.engine.call import AnyCall
from losscalc.engine.outcome import Outcome
from losscalc.engine.sources import Recipe, Source
from losscalc.engine.work import Work
from losscalc.engine.wrappers import Excerpt
from losscalc.errors import Location, LosscalcError, LosscalcWarning, SourceError, UsageError

if TYPE_CHECKING:
    from distributed import Client

# Seconds to wait for the scheduler, and for a worker.
_PATIENCE = 10
# The pieces of one task, and the tasks that are submitted for each thread of the cluster.
_PIECES = 16
_WAITING = 3


Task = Callable[[], list[Outcome] | LosscalcError]
"""A picklable function that computes some rows of a call; it returns errors rather than raising them."""


def plan(call: AnyCall, layout: Layout) -> Iterator[Task]:
    """The tasks of a call, in the order of the rows."""
    sources = call.sources
    cut = {name: source for name, source in sources.items() if name in layout.cut}
    for source in cut.values():
        source.accompany(list(cut.values()))
    whole = {name: source.recipe for name, source in sources.items() if name not in cut}
    # The arrays stay here; each task opens those that it needs.
    common = partial(_outcomes, call._replace(arrays={}), layout, __version__)
    rows = next((source.shape[0] for source in cut.values()), None)
    if layout.whole:
        yield partial(common, {name: source.recipe for name, source in sources.items()})
        return
    if rows is not None and all(source.can_skip for source in cut.values()):
        step = _PIECES * engine.piece_rows(sources, layout)
        for start in range(0, max(1, rows), step):
            count = min(step, rows - start)
            parts = {name: Excerpt.recipe_of(source, start, count) for name, source in cut.items()}
            yield partial(common, _ordered(sources, {**whole, **parts}), start=start, is_first=not start)
        return
    files = {name: source.files for name, source in cut.items()}
    if not files or not all(files.values()):
        yield partial(common, {name: source.recipe for name, source in sources.items()})
        return
    for number in range(len(next(iter(files.values())))):
        parts = {name: recipes[number] for name, recipes in files.items()}
        yield partial(common, _ordered(sources, {**whole, **parts}), is_first=not number)


def _outcomes(
    call: AnyCall,
    layout: Layout,
    wanted: str,
    recipes: Mapping[str, Recipe],
    *,
    start: int = 0,
    is_first: bool = True,
) -> list[Outcome] | LosscalcError:
    """Compute some rows, on a worker.

    `recipes` open the arrays, and `start` is the row of the whole array that is row 0 of these, if that is
    known.
    """
    with ExitStack() as files:
        sources: dict[str, Source] = {}
        place = partial(_place, layout, start, sources)
        try:
            _check_version(wanted)
            for name, recipe in recipes.items():
                sources[name] = files.enter_context(closing(recipe()))
            found = list(_evaluated(call, layout, sources, is_first=is_first))
        except LosscalcError as error:
            place(error)
            return error
        for outcome in found:
            shown = outcome.findings.shown if outcome.findings is not None else ()
            for warning in (*outcome.warnings, *shown):
                place(warning)
        return _summed(found)


def _summed(outcomes: list[Outcome]) -> list[Outcome]:
    """The outcomes of a task as one, if they are sums: what is sent back does not grow with the rows."""
    kept = ((each.value, each.sample, each.groups) for each in outcomes)
    if any(part is not None for parts in kept for part in parts):
        return outcomes
    return [reduce(_both, outcomes)]


def _both(one: Outcome, other: Outcome) -> Outcome:
    """The sums of two outcomes, and the first warning of each kind."""
    known = {warning.problem for warning in one.warnings}
    return Outcome(
        one.partial + other.partial,
        None,
        (*one.warnings, *(warning for warning in other.warnings if warning.problem not in known)),
        one.dropped + other.dropped,
        findings=None if one.findings is None or other.findings is None else one.findings + other.findings,
    )


def _evaluated(
    call: AnyCall, layout: Layout, sources: Mapping[str, Source], *, is_first: bool
) -> Iterator[Outcome]:
    prepare, work = partial(ready, call, layout), Work(call, layout)
    for piece in engine.cut(call._replace(arrays=sources), layout, prepare, is_first=is_first):
        yield from work(piece)


def _place(
    layout: Layout, start: int, sources: Mapping[str, Source], remark: LosscalcError | LosscalcWarning
) -> None:
    """Replace the index of a remark by the place in a file, which only the task can find."""
    name = remark.argument
    if remark.location is not None or name not in sources:
        return
    location = sources[name].locate(remark.index or ()) if name is not None else None
    # A literal has no place in a file; the command line names its option.
    if location is not None and not location.path.startswith("--"):
        remark.location = location
    elif remark.index and name in layout.cut:
        remark.index = (start + remark.index[0], *remark.index[1:])


def _ordered(sources: Mapping[str, Source], origins: Mapping[str, Recipe]) -> dict[str, Recipe]:
    return {name: origins[name] for name in sources}


@contextmanager
def connected(address: str) -> Iterator[engine.Run]:
    """A `Run` that computes the blocks of a call on the cluster with this scheduler."""
    import logging

    client = _client(address)
    # The loss of a worker needs no message: another one takes over its tasks.
    logger = logging.getLogger("distributed")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield partial(_distribute, client, address)
    finally:
        client.close(timeout=_PATIENCE)
        logger.setLevel(level)


def _client(address: str) -> "Client":
    try:
        from distributed import Client
        from distributed.comm import resolve_address
    except ImportError as error:
        raise UsageError("`dask` needs distributed", hint="pip install 'losscalc[dask]'") from error
    try:
        client = Client(resolve_address(address), timeout=_PATIENCE, set_as_default=False)
    except ValueError as error:
        hint = "dask scheduler prints its address, as in tcp://host:8786"
        raise UsageError("`dask` is not the address of a scheduler", found=address, hint=hint) from error
    except OSError as error:
        problem = "no Dask scheduler answers"
        raise SourceError(problem, location=Location(address)) from error
    try:
        client.wait_for_workers(1, timeout=_PATIENCE)
    except TimeoutError as error:
        client.close()
        raise SourceError("the cluster has no workers", location=Location(address)) from error
    return client


def _distribute(client: "Client", address: str, call: AnyCall, layout: Layout) -> Iterator[list[Outcome]]:
    """Yield the outcomes of all tasks in order; the first error in that order is raised."""
    threads = sum(client.nthreads().values())
    waiting: deque[Any] = deque()
    try:
        for task in plan(call, layout):
            waiting.append(client.submit(task, pure=False))
            if len(waiting) >= max(1, _WAITING * threads):
                yield _result(waiting.popleft(), address)
        while waiting:
            yield _result(waiting.popleft(), address)
    finally:
        client.cancel(list(waiting))


def _result(future: Any, address: str) -> list[Outcome]:
    from distributed import CancelledError, KilledWorker

    try:
        done = future.result()
    except KilledWorker as error:
        problem = "several workers of the cluster died on the same task"
        raise SourceError(problem, location=Location(address), hint="give them more memory") from error
    except ImportError as error:
        raise UsageError("the workers of the cluster need losscalc too", found=address) from error
    except (CancelledError, OSError) as error:
        raise SourceError("the cluster went away", location=Location(address)) from error
    if isinstance(done, LosscalcError):
        raise done
    outcomes: list[Outcome] = done
    return outcomes


def _check_version(wanted: str) -> None:
    if __version__ != wanted:
        raise UsageError(f"the workers of the cluster must have losscalc {wanted}", found=__version__)
