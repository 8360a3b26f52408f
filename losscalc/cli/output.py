"""Delivers a result to a terminal, a pipe or a file, in the right format."""

import codecs
import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from losscalc.cli.color import has_color, painted
from losscalc.cli.options import Display
from losscalc.cli.streams import write_stdout
from losscalc.errors import UsageError
from losscalc.inputs import split_suffix
from losscalc.outputs.result import Result
from losscalc.outputs.writers import WRITERS

if TYPE_CHECKING:
    from losscalc.outputs.canvas import Canvas
    from losscalc.outputs.parts import Part
    from losscalc.outputs.spool import Spool

# Names of the open standard output, which may be a file that others write to as well.
_STDOUT_NAMES = ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")


class Delivery:
    """Where and how to write a result. Mistakes in that are found before anything is computed."""

    def __init__(self, display: Display) -> None:
        self._display = display
        self._path = None if display.output in (None, "-", *_STDOUT_NAMES) else display.output
        self._spool: Spool | None = None
        self.format = self._choose_format()
        if self._path is not None:
            # Most results go to standard output.
            from losscalc.cli.files import check_writable

            check_writable(self._path)

    @property
    def is_table(self) -> bool:
        """Whether the result is written as a table for people."""
        return self.format == "table"

    @property
    def writes_file(self) -> bool:
        """Whether the result is written to a file."""
        return self._path is not None

    @property
    def rows(self) -> int:
        """The number of rows that a table shows."""
        return self._display.max_rows

    @property
    def precision(self) -> int | None:
        """The number of decimals that the user wants; None for all digits."""
        return self._display.precision

    @property
    def decimals(self) -> int:
        """The number of decimals that a table shows."""
        return 4 if self._display.precision is None else self._display.precision

    @contextlib.contextmanager
    def collector(self) -> "Iterator[Spool | None]":
        """A collector for a result that goes to a file, and may be larger than memory."""
        if self._path is None:
            yield None
            return
        from losscalc.cli.files import is_device
        from losscalc.outputs.spool import Spool

        # Beside a pipe or device no file can be made, so the folder for temporary files is used.
        folder = None if is_device(self._path) else os.path.dirname(os.path.realpath(self._path))
        self._spool = Spool(self._path, folder)
        with contextlib.closing(self._spool):
            yield self._spool

    def send(self, result: Result) -> None:
        """Write a result."""
        if self.is_table:
            from losscalc.outputs.tables import draw_result

            self.draw(lambda canvas: draw_result(result, canvas))
        else:
            self._send_pieces(WRITERS[self.format].pieces(result, self._display.precision))

    def send_sheets(self, parts: "Sequence[Part]", title: str = "losscalc") -> None:
        """Write small tables, and workings beside them; a page has a title."""
        if self.is_table:
            from losscalc.outputs.tables import draw_sheets

            self.draw(lambda canvas: draw_sheets(parts, canvas))
        else:
            from losscalc.outputs.parts import write_parts

            self.send_bytes(write_parts(parts, self.format, self._display.precision, title))

    def draw(self, drawing: "Callable[[Canvas], str]") -> None:
        """Write what a function draws on a canvas for this terminal or file."""
        # Rich is slow to import, and only tables need it.
        import shutil

        from losscalc.outputs.canvas import Canvas

        encoding = "utf-8" if self.writes_file else sys.stdout.encoding or "utf-8"
        canvas = Canvas(
            width=shutil.get_terminal_size().columns,
            color=not self.writes_file and has_color(sys.stdout, self._display.color),
            unicode=codecs.lookup(encoding).name == "utf-8",
            max_rows=self.rows,
            decimals=self.decimals,
        )
        self.send_bytes(drawing(canvas).encode(encoding, "replace"))

    def send_text(self, text: str, styles: Mapping[str, str]) -> None:
        """Write a text; on a terminal, words that begin a line have the colours of their styles."""
        if not self.writes_file and has_color(sys.stdout, self._display.color):
            import re

            words = rf"^({'|'.join(styles)})\b"
            text = re.sub(words, lambda found: painted(found[0], styles[found[0]]), text, flags=re.MULTILINE)
        # The names of files are bytes, and need not be UTF-8.
        self.send_bytes(text.encode(errors="surrogateescape"))

    def send_bytes(self, data: bytes) -> None:
        """Write bytes: all of them or none."""
        self._send_pieces([data])

    def _send_pieces(self, pieces: Iterable[bytes]) -> None:
        if self._path is None:
            write_stdout(pieces)
            return
        from losscalc.cli.files import write_file

        suffix = split_suffix(self._path)[1]
        if suffix:
            from losscalc.inputs.compression import compress

            pieces = compress(pieces, suffix)
        write_file(self._path, self._released(pieces))

    def _released(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Pass the pieces on, and release the memory of each after it was written."""
        for piece in pieces:
            yield piece
            if self._spool is not None:
                self._spool.release()

    def _choose_format(self) -> str:
        """The format asked for, else that of the file's suffix, else table or plain for standard output."""
        if self._display.format != "auto":
            if self._display.format == "npy" and self._path is None and is_terminal():
                raise UsageError("npy is not for a terminal", hint="use -o FILE.npy, or pipe it")
            return self._display.format
        if self._path is None:
            return "table" if is_terminal() else "plain"
        suffix = split_suffix(self._path)[0]
        for writer in WRITERS.values():
            if suffix in writer.suffixes:
                return writer.name
        known = " ".join(s for writer in WRITERS.values() for s in writer.suffixes if s)
        raise UsageError(
            "`output` has an unknown suffix",
            found=suffix,
            hint=f"use one of {known}, or name a `format`",
        )


def is_terminal() -> bool:
    """Whether standard output is a terminal."""
    return sys.stdout.isatty()
