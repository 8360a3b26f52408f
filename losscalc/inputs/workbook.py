"""A workbook that another process reads, and the sheets in it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from losscalc.errors import FormatError, Location, UsageError, printable
from losscalc.inputs import calamine
from losscalc.inputs.limits import HELD, WORKBOOK, too_large
from losscalc.inputs.stream import Stream

_STEP = 1 << 20
_LONGEST = 200
_ABORTED = (-6, -9)


class Extent(NamedTuple):
    """Where a sheet begins, counted from 0, and how many columns it has from there on; 0 if it is empty."""

    row: int
    column: int
    width: int


class Workbook(Stream):
    """The process that reads a workbook. Closing the workbook ends it."""

    def __init__(self, stream: Stream) -> None:
        super().__init__(stream.name, stream.file, stream.size, stream.max_size)
        self._check_extra()
        self._bytes = stream
        self._process = subprocess.Popen(
            [sys.executable, "-I", calamine.__file__, str(self.most(WORKBOOK)), json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # where the reader of workbooks says what its own errors are
        )
        try:
            self._send()
            self.sheets: list[str] = self._answer()
        except BaseException:
            self._end()
            raise

    def extent(self, sheet: str) -> Extent:
        """Where a sheet has cells that are not empty."""
        self._ask("extent", sheet)
        extent = Extent(*self._answer())
        self._answer()
        return extent

    def rows(self, sheet: str) -> tuple[Extent, Iterator[list[list[Any]]]]:
        """The rows of a sheet, some at a time, from the first that is not empty."""
        self._ask("rows", sheet)
        return Extent(*self._answer()), iter(self._answer, None)

    def close(self) -> None:
        self._end()
        self._bytes.close()

    def _check_extra(self) -> None:
        from importlib.util import find_spec

        if find_spec("python_calamine") is None:
            raise UsageError(
                "workbooks are read by python-calamine, which is not installed",
                hint="pip install 'losscalc[excel]'",
                location=Location(self.name),
            )

    def _send(self) -> None:
        """Send all bytes of the workbook."""
        most, sent = self.most(HELD), 0
        while piece := self._bytes.read(_STEP):
            sent += len(piece)
            if sent > most:
                raise too_large("what has to be read as a whole has", most, Location(self.name))
            self._write(len(piece).to_bytes(calamine.LENGTH, "big") + piece)
        self._write(bytes(calamine.LENGTH))

    def _ask(self, what: str, sheet: str) -> None:
        self._write(json.dumps([what, sheet]).encode() + b"\n")

    def _write(self, data: bytes) -> None:
        pipe = self._process.stdin
        assert pipe is not None
        # What has ended the process is said where its answer is read.
        with suppress(OSError):
            pipe.write(data)
            pipe.flush()

    def _answer(self) -> Any:
        """The next answer; raises what is wrong with the workbook."""
        pipe = self._process.stdout
        assert pipe is not None
        line = pipe.readline()
        # Where there is not enough memory, the process is aborted, and says nothing.
        is_aborted = not line and self._process.wait() in _ABORTED
        answer = json.loads(line) if line else {"": "the reader of workbooks has crashed"}
        if not isinstance(answer, dict):
            return answer
        ((kind, problem),) = answer.items()
        if is_aborted or kind == "MemoryError":
            most = self.most(WORKBOOK)
            raise too_large("reading the workbook takes", most, Location(self.name))
        said = printable(next(iter(str(problem).splitlines()), "") or kind)[:_LONGEST]
        raise FormatError(f"cannot be read ({said})", location=Location(self.name))

    def _end(self) -> None:
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self._process.wait()
