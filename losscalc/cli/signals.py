"""Ends a command at once on a signal, without a traceback, and without leaving files behind."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType, TracebackType

_Handler = Callable[[int, FrameType | None], object] | int | None

# What ends a process if nothing catches it. SIGKILL cannot be caught.
_FATAL = (
    "SIGTERM", "SIGHUP", "SIGQUIT", "SIGALRM", "SIGXCPU", "SIGUSR1", "SIGUSR2", "SIGVTALRM", "SIGPROF",
    "SIGIO", "SIGPWR", "SIGSTKFLT",
)  # fmt: skip
_UNANSWERED = (signal.SIG_DFL, signal.default_int_handler)
_unfinished: set[str] = set()
"""Files to be removed when the process ends."""


@contextmanager
def temporary(path: str) -> Iterator[None]:
    """Remove a temporary file at the end, whatever happens; it may not exist yet, or not any more."""
    _unfinished.add(path)
    before = _catch(*_FATAL)
    try:
        yield
    finally:
        with suppress(OSError):
            os.unlink(path)
        _unfinished.discard(path)
        # The result is in its place already, so that nothing that fails now may be reported as a failure.
        with suppress(Exception):
            for number, handler in before.items():
                signal.signal(number, handler)


def answer_signals() -> None:
    """Answer Ctrl-C, SIGTERM and SIGHUP with an exit code, from here to the end of the process."""
    _catch("SIGINT", "SIGTERM", "SIGHUP")


def _catch(*names: str) -> dict[int, _Handler]:
    """Catch signals of these names, and return their previous handlers."""
    before: dict[int, _Handler] = {}
    for name in names:
        number = getattr(signal, name, None)
        # Ignored signals stay ignored, as nohup and shells want it, and a program that uses losscalc keeps
        # its handlers. In a thread other than the main one handlers cannot be set.
        with suppress(ValueError):
            if number is not None and signal.getsignal(number) in _UNANSWERED:
                before[number] = signal.signal(number, _end)
    return before


def _end(number: int, frame: FrameType | None) -> None:
    """End the process right here. An exception might be raised in a finally block, or too late."""
    for path in tuple(_unfinished):
        with suppress(OSError):
            os.unlink(path)
    if number == signal.SIGINT:
        with suppress(OSError):
            os.write(2, b"losscalc: error: interrupted\n")
    os._exit(128 + number)


def refuse_tracebacks() -> None:
    """Let the process end without a traceback if its modules cannot be loaded."""
    sys.excepthook = _refuse_to_start
    # An error in a destructor follows from an earlier one, which decides the exit code.
    sys.unraisablehook = lambda _: None


def _refuse_to_start(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Say why the modules cannot be loaded, for example for lack of memory or open files."""
    reason = "out of memory" if isinstance(error, MemoryError) else f"{kind.__name__}: {error}"
    with suppress(OSError):
        os.write(2, f"losscalc: error: cannot start: {' '.join(reason.split())}\n".encode(errors="replace"))
    os._exit(3 if isinstance(error, MemoryError | OSError) else 70)
