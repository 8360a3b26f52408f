"""What a signal does to a command: it ends at once, without a traceback, and leaves no file behind."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType, TracebackType

_Handler = Callable[[int, FrameType | None], object] | int | None

_unfinished: set[str] = set()
"""Files that are gone when the process is."""


@contextmanager
def temporary(path: str) -> Iterator[None]:
    """See to it that a file which is about to be made is gone afterwards, whatever happens."""
    _unfinished.add(path)
    before = _catch("SIGTERM", "SIGHUP")
    try:
        yield
    finally:
        with suppress(OSError):
            os.unlink(path)
        _unfinished.discard(path)
        # The file is where it belongs: whatever fails now is no reason to say otherwise.
        with suppress(Exception):
            for number, handler in before.items():
                signal.signal(number, handler)


def answer_signals() -> None:
    """Answer Ctrl-C, SIGTERM and SIGHUP with an exit code, from here to the end of the process."""
    _catch("SIGINT", "SIGTERM", "SIGHUP")


def _catch(*names: str) -> dict[int, _Handler]:
    """Catch signals of these names, and give the handlers that they had."""
    before: dict[int, _Handler] = {}
    for name in names:
        number = getattr(signal, name, None)
        # What is ignored stays so: nohup and shells have their reasons. Threads have no say in it.
        with suppress(ValueError):
            if number is not None and signal.getsignal(number) not in (signal.SIG_IGN, _end):
                before[number] = signal.signal(number, _end)
    return before


def _end(number: int, frame: FrameType | None) -> None:
    """End here and now: an exception could be raised anywhere, in another's finally or at the very end."""
    for path in tuple(_unfinished):
        with suppress(OSError):
            os.unlink(path)
    if number == signal.SIGINT:
        with suppress(OSError):
            os.write(2, b"losscalc: error: interrupted\n")
    os._exit(128 + number)


def refuse_tracebacks() -> None:
    """Let the process end without a traceback where not even the modules could be loaded."""
    sys.excepthook = _refuse_to_start
    # What fails in a destructor cannot be helped, and has its exit code from what failed first.
    sys.unraisablehook = lambda _: None


def _refuse_to_start(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What is said when not even the modules could be loaded, for want of memory or of open files."""
    reason = "out of memory" if isinstance(error, MemoryError) else f"{kind.__name__}: {error}"
    with suppress(OSError):
        os.write(2, f"losscalc: error: cannot start: {' '.join(reason.split())}\n".encode(errors="replace"))
    os._exit(3 if isinstance(error, MemoryError | OSError) else 70)
