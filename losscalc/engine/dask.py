"""Blocks that are computed on other machines: a Dask cluster reads the files itself and sends back sums.

A task is some rows of every array. Where rows can be found without reading those before, tasks are runs of
the pieces that one machine would read; the files of patterns are a task each; what is neither is one task.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NamedTuple

from losscalc.core.matrices import remembering
from losscalc.engine import compute as engine
from losscalc.engine.block import Evaluation, Outcome
from losscalc.engine.sources import Excerpt, Recipe, Source
from losscalc.errors import Location, LosscalcError, LosscalcWarning, SourceError, UsageError

if TYPE_CHECKING:
    from distributed import Client

# Seconds to wait for the scheduler, and for a worker.
_PATIENCE = 10
# So many pieces are one task, and so many tasks wait for each thread of the cluster.
_PIECES = 16
_WAITING = 3


class Task(NamedTuple):
    """Some rows of the arrays of a call, and what is to be done to them; picklable."""

    evaluation: Evaluation
    origins: Mapping[str, Recipe]
    """How each array is opened."""
    start: int = 0
    """The row of the whole array that is row 0 of the task, if that is known."""
    is_first: bool = True
    version: str = ""

    def outcomes(self) -> list[Outcome] | LosscalcError:
        """What the task comes to; an error is a result like any other, and no reason to try again."""
        with ExitStack() as files:
            sources: dict[str, Source] = {}
            try:
                _check_version(self.version)
                for name, origin in self.origins.items():
                    sources[name] = files.enter_context(closing(origin()))
                return self._evaluated(sources)
            except LosscalcError as error:
                self._place(error, sources)
                return error

    def _evaluated(self, sources: Mapping[str, Source]) -> list[Outcome]:
        layout, found = self.evaluation.layout, []
        with remembering():
            blocks = engine.cut(sources, layout, self.evaluation.ready, is_first=self.is_first)
            for block in blocks:
                found += self.evaluation.evaluate(block)
        for outcome in found:
            shown = outcome.findings.shown.values() if outcome.findings is not None else ()
            for warning in (*outcome.warnings, *shown):
                self._place(warning, sources)
        return found

    def _place(self, remark: LosscalcError | LosscalcWarning, sources: Mapping[str, Source]) -> None:
        """Put the place in a file where there was an index, which only the task can find."""
        name = remark.argument
        if remark.location is not None or name not in sources:
            return
        location = sources[name].locate(remark.index or ()) if name is not None else None
        # What was typed is found by its option, which is known elsewhere.
        if location is not None and not location.path.startswith("--"):
            remark.location = location
        elif remark.index and name in self.evaluation.layout.cut:
            remark.index = (self.start + remark.index[0], *remark.index[1:])


def plan(evaluation: Evaluation, sources: Mapping[str, Source]) -> Iterator[Task]:
    """The tasks of a call, in the order of the rows."""
    cut = {name: source for name, source in sources.items() if name in evaluation.layout.cut}
    for source in cut.values():
        source.accompany(list(cut.values()))
    whole = {name: source.recipe for name, source in sources.items() if name not in cut}
    common = partial(Task, evaluation, version=version("losscalc"))
    rows = next((source.shape[0] for source in cut.values()), None)
    if rows is not None and all(source.can_skip for source in cut.values()):
        step = _PIECES * engine.piece_rows(sources, evaluation.layout)
        for start in range(0, max(1, rows), step):
            count = min(step, rows - start)
            parts = {name: Excerpt.recipe_of(source, start, count) for name, source in cut.items()}
            yield common(_ordered(sources, {**whole, **parts}), start=start, is_first=not start)
        return
    files = [source.files for source in cut.values()]
    if not files or not all(files):
        yield common({name: source.recipe for name, source in sources.items()})
        return
    for number in range(len(files[0])):
        parts = {name: source.files[number] for name, source in cut.items()}
        yield common(_ordered(sources, {**whole, **parts}), is_first=not number)


def _ordered(sources: Mapping[str, Source], origins: Mapping[str, Recipe]) -> dict[str, Recipe]:
    return {name: origins[name] for name in sources}


@contextmanager
def connected(address: str) -> Iterator[engine.Distribute]:
    """What lets the cluster with this scheduler compute the blocks of a call."""
    import logging

    client = _client(address)
    # Losing a worker is nothing to talk about: its tasks are done by another.
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
        problem = "there is no Dask scheduler that answers"
        raise SourceError(problem, location=Location(address)) from error
    try:
        client.wait_for_workers(1, timeout=_PATIENCE)
    except TimeoutError as error:
        client.close()
        raise SourceError("the cluster has no workers", location=Location(address)) from error
    return client


def _distribute(
    client: "Client", address: str, evaluation: Evaluation, sources: Mapping[str, Source]
) -> Iterator[list[Outcome]]:
    """The outcomes of all tasks in order; the first error by order is raised."""
    threads = sum(client.nthreads().values())
    waiting: deque[Any] = deque()
    try:
        for task in plan(evaluation, sources):
            waiting.append(client.submit(Task.outcomes, task, pure=False))
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
    own = version("losscalc")
    if own != wanted:
        raise UsageError(f"the workers of the cluster must have losscalc {wanted}", found=own)
