"""Whatever a file is made of, it takes at most 300 MB: cells, members and gaps are limited as bytes are."""

import io
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from losscalc import cli
from losscalc.inputs import limits, text
from losscalc.inputs.address import open_array, parse_address
from losscalc.inputs.options import Reading
from tests.support.hostile import archive, check_message, npy
from tests.support.memory import REPORT

MOST = 300e6
PASS = "if that is intended, raise the limit, as in --max-size 8G"
CELLS = limits.CELLS
FULL = limits.LINE // 4
"""As many times four bytes as a line may have."""


def members(count: int, name: str = "{}.npy") -> bytes:
    """An archive of empty members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for number in range(count):
            file.writestr(name.format(number), b"")
    return buffer.getvalue()


FILES: Mapping[str, tuple[str, Callable[[], bytes]]] = {
    "numbers in a line": ("a.csv", lambda: b"1," * CELLS + b"1\n"),
    "too many numbers in a line": ("a.csv", lambda: b"1," * (2 * FULL - 9)),
    "quoted numbers in a line": ("a.csv", lambda: b'"1",' * CELLS + b'"1"\n'),
    "too many quoted cells in a line": ("a.csv", lambda: b'"1",' * (FULL - 9)),
    "words in a line": ("a.csv", lambda: b"true," * CELLS + b"true\n"),
    "long words in a line": ("a.csv", lambda: b"%028d," * CELLS % tuple(range(CELLS)) + b"1\n"),
    "names": (
        "a.csv",
        lambda: b"%x," * CELLS % tuple(range(10, CELLS + 10)) + b"a\n" + b"1," * CELLS + b"1\n",
    ),
    "empty cells in a line": ("a.csv", lambda: b"," * CELLS + b"\n"),
    "too many empty cells in a line": ("a.csv", lambda: b"," * (4 * FULL - 9)),
    "columns of blanks": ("a.txt", lambda: b"1 " * CELLS + b"1\n"),
    "a row of a line of JSON": ("a.jsonl", lambda: b"[" + b"1," * CELLS + b"1]\n"),
    "empty rows": ("a.csv", lambda: b",\n" * 2_000_000),
    "rows with gaps": ("a.csv", lambda: b"1\n\n" * 2_000_000),
    "an open quote": ("a.csv", lambda: b'1\n"' + b"1\n" * 2_000_000),
    "a list in a cell": ("a.csv", lambda: b'"[' + b"1," * 60_000 + b'1]"\n'),
    "members": ("a.npz", lambda: members(200_000)),
    "names of members": ("a.npz", lambda: members(200, "{}" + "x" * 65_000)),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", FILES)
def test_little_memory(tmp_path, case):
    """Taken or refused, in a process of its own."""
    name, make = FILES[case]
    (tmp_path / name).write_bytes(make())
    words = ["l1", "-i", name, "-t", "0", "--broadcast", "-q", "--threads", "2"]
    code = f"import sys; from losscalc import cli; code = cli.run({words}); print(code)"
    command = [sys.executable, "-c", code + REPORT]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path, timeout=300)
    assert done.stdout.split()[-1] in ("0", "3"), done
    assert int(done.stderr.split()[-1]) * 1024 < MOST, done


@pytest.mark.parametrize("mark", [",", ";", "\t", "|", " "])
def test_cells_of_a_line(capsys, monkeypatch, tmp_path, mark):
    """A long line of too many cells is refused before it is cut up; --max-size lifts that."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(text, "_BYTES", 64)
    monkeypatch.setattr(text, "CELLS", 100)
    line = mark.join(["1"] * 102)
    Path("a.txt").write_text(f"1{mark}2\n{line}\n")
    assert cli.run(["sigmoid", "-i", "a.txt"]) == 3
    check_message(capsys.readouterr().err, "a.txt:2: the cells of the line are more than 100", PASS)
    Path("a.txt").write_text(f"{line}\n{line}\n")
    assert cli.run(["sigmoid", "-i", "a.txt"]) == 3
    check_message(capsys.readouterr().err, "a.txt:1: the cells of the line are more than 100", PASS)
    words = ["l1", "-i", "a.txt", "-t", "a.txt", "--delimiter", mark, "--max-size", "1M"]
    assert cli.run(words) == 0
    Path("a.txt").write_text(f"{mark.join(['1'] * 100)}\n" * 9)
    assert cli.run(["l1", "-i", "a.txt", "-t", "a.txt", "--delimiter", mark]) == 0


def test_a_directory_of_an_archive(capsys, monkeypatch, tmp_path):
    """It is measured before it is read, also where an archive has more members than the old format counts."""
    monkeypatch.chdir(tmp_path)
    says = "a.npz: the directory of the archive has more than 16.8 MB"
    one = archive(("a.npy", npy()))
    large = one[:-10] + struct.pack("<I", 20_000_000) + one[-6:]
    far = struct.pack("<4sQHHIIQQQQ4sIQI", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, 1 << 40, 0, b"PK\6\7", 0, 0, 1)
    for data in (large, one[:-22] + far + one[-22:]):
        Path("a.npz").write_bytes(data)
        assert cli.run(["sigmoid", "-i", "a.npz"]) == 3
        check_message(capsys.readouterr().err, says, PASS)
    Path("a.npz").write_bytes(members(70_000))
    assert cli.run(["sigmoid", "-i", "a.npz"]) == 3
    assert "holds 70000 arrays" in capsys.readouterr().err


def test_places_behind_many_gaps(monkeypatch, tmp_path):
    """Where rows with gaps between them are too many to note their lines, a row is told by its number."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(text, "_MOST_RUNS", 3)
    Path("a.csv").write_text("1,1\n1,1\n\n2,2\n\n3,3\n\n4,4\n5,5\n")
    source = open_array(parse_address("a.csv"), "--input", Reading())
    assert len(source.whole()) == 6
    assert [str(source.locate((row, 1))) for row in range(6)] == [
        "a.csv:1:2", "a.csv:2:2", "a.csv:4:2", "a.csv:6:2", "a.csv[4]", "a.csv[5]",
    ]  # fmt: skip
    source.close()
