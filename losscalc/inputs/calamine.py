"""The program that reads a workbook, in a process of its own: one that is damaged can end it, and no more.

It imports nothing of losscalc. Its arguments are a limit of memory and where its modules are. It gets the
bytes of the workbook in pieces behind their lengths, and a line for each sheet that is asked for: `extent` or
`rows`, and its name. All that it says are lines of JSON.
"""

import io
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import date, datetime, time
from typing import Any, BinaryIO

LENGTH = 4
"""The bytes of the length of a piece."""
_ROWS = 256


def received(pipe: BinaryIO) -> bytes:
    """The bytes that come in pieces; an empty one is the last."""
    pieces = []
    while length := int.from_bytes(pipe.read(LENGTH), "big"):
        pieces.append(pipe.read(length))
    return b"".join(pieces)


def answers(data: bytes, requests: Iterable[str]) -> Iterator[object]:
    """The names of the sheets, and what is asked for: where a sheet begins and its width, or its rows."""
    import python_calamine as calamine

    book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    kinds = {sheet.name: sheet.typ for sheet in book.sheets_metadata}
    yield [name for name in book.sheet_names if kinds.get(name) == calamine.SheetTypeEnum.WorkSheet]
    for request in requests:
        what, name = json.loads(request)
        sheet = book.get_sheet_by_name(name)
        yield [*(sheet.start or (0, 0)), sheet.width]
        if what == "rows" and sheet.start is not None:
            yield from _rows(sheet)
        yield None


def _rows(sheet: Any) -> Iterator[list[list[object]]]:
    """The rows from the first that is not empty, some at a time."""
    rows = []
    for number, row in enumerate(sheet.iter_rows()):
        if number >= sheet.start[0]:
            rows.append([cell if type(cell) in (str, float) else _plain(cell) for cell in row])
        if len(rows) == _ROWS:
            yield rows
            rows = []
    if rows:
        yield rows


def _plain(cell: object) -> object:
    """A cell as JSON has it; a date is in a list, so that it is no text."""
    if isinstance(cell, bool | int):
        return cell
    if isinstance(cell, datetime):
        text = cell.isoformat(" ")
        return [text.removesuffix(" 00:00:00")]
    return [cell.isoformat() if isinstance(cell, date | time) else str(cell)]


def _limit(size: int) -> None:
    """Let the process have so much memory; where that cannot be said, it has all there is."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        most = size + _reserved() * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _reserved() -> int:
    """The pages that have addresses already: free-threaded Python begins with a gigabyte."""
    try:
        with open("/proc/self/statm") as sizes:
            return int(sizes.read().split()[0])
    except OSError:
        return 0


def main() -> None:
    """Answer until there are no more requests."""
    _limit(int(sys.argv[1]))
    sys.path[:] = json.loads(sys.argv[2])
    output = sys.stdout.buffer
    try:
        data = received(sys.stdin.buffer)
        for answer in answers(data, (line.decode() for line in sys.stdin.buffer)):
            output.write(json.dumps(answer).encode() + b"\n")
            output.flush()
    except BaseException as error:  # noqa: BLE001 - panics of the reader are no Exception
        output.write(json.dumps({type(error).__name__: str(error)}).encode() + b"\n")


if __name__ == "__main__":
    main()
