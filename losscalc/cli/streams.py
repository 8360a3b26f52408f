"""The standard streams. What is written to standard output is written as a whole, or is an error."""

import contextlib
import io
import os
import sys
from collections.abc import Iterable, Iterator
from typing import TextIO

from losscalc.errors import LosscalcError, OutputError, reason


class _Closed(io.TextIOBase):
    """Standard output that was closed. Python has none then, and what is written is lost without a word."""

    encoding = "utf-8"

    @property
    def buffer(self) -> "_Closed":
        return self

    def write(self, data: str | bytes) -> int:
        raise OutputError("standard output is closed")


@contextlib.contextmanager
def complete_stdout() -> Iterator[None]:
    """Let every writer to standard output write all it has, or fail.

    A non-blocking pipe takes only a part. So may the system where nothing is buffered, as with
    PYTHONUNBUFFERED: Python asks it once, and does not look at how many bytes it took.
    """
    before = sys.stdout
    with contextlib.ExitStack() as end:
        end.callback(setattr, sys, "stdout", before)
        raw = getattr(before, "buffer", None)
        if before is None:
            sys.stdout = _Closed()
        elif isinstance(raw, io.RawIOBase):
            buffered = io.BufferedWriter(raw)
            sys.stdout = text = io.TextIOWrapper(buffered, before.encoding, before.errors)
            end.callback(_let_go, text, buffered)
        with contextlib.suppress(OSError, ValueError):
            os.set_blocking(sys.stdout.fileno(), True)
        yield


def _let_go(*buffers: io.TextIOWrapper | io.BufferedIOBase) -> None:
    """Keep buffers from closing the stream that they wrote to. What is left in them could not be written."""
    for buffer in buffers:
        with contextlib.suppress(OSError):
            buffer.detach()


def write_stdout(pieces: Iterable[bytes]) -> None:
    """Write everything to standard output; a closed pipe is no error."""
    for piece in pieces:
        try:
            sys.stdout.flush()
            sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            silence(sys.stdout)
            return
        except LosscalcError:
            raise
        except (OSError, ValueError) as error:
            silence(sys.stdout)
            problem = reason(error) if isinstance(error, OSError) else str(error)
            raise OutputError(f"cannot write to standard output: {problem}") from error


def silence(stream: TextIO | None) -> None:
    """Keep Python from writing the rest of the buffer when it exits, and from complaining if it cannot."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        if stream is not None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
