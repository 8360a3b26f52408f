"""A file that changes while it is read is an error in every format, never a shorter array or a mixture."""

import bz2
import gzip
import lzma
import os
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from losscalc import cli
from losscalc.errors import FormatError
from losscalc.inputs import compression, strided, text
from losscalc.inputs.address import open_array, parse_address
from losscalc.inputs.options import Reading
from tests.support.hostile import archive, check_message, saved
from tests.support.tensors import entry, safetensors, storage, tensor, torch_file

ROWS = 4_000
NUMBERS = np.arange(2.0 * ROWS).reshape(ROWS, 2)
DOUBLES = NUMBERS.tobytes()
TEXT = "".join(f"{a},{b}\n" for a, b in NUMBERS).encode()
TORCH = tensor(storage(count=2 * ROWS, kind="DoubleStorage"), 0, (ROWS, 2), (2, 1))
FILES = {
    "a.csv": TEXT,
    "a.tsv": TEXT.replace(b",", b"\t"),
    "a.jsonl": b"".join(b"[%s]\n" % line for line in TEXT.split()),
    "a.npy": saved(NUMBERS),
    "columns.npy": saved(np.asfortranarray(NUMBERS)),
    "stored.npz": archive(("a.npy", saved(NUMBERS)), compression=0),
    "packed.npz": archive(("a.npy", saved(NUMBERS))),
    "a.safetensors": safetensors({"a": entry("F64", (ROWS, 2), (0, len(DOUBLES)))}, DOUBLES),
    "a.pt": torch_file(TORCH, {"data/0": DOUBLES}),
    # Two streams, of which the first alone is a whole file.
    "a.csv.gz": gzip.compress(TEXT) * 2,
    "a.csv.bz2": bz2.compress(TEXT) * 2,
    "a.csv.xz": lzma.compress(TEXT) * 2,
    "a.npy.gz": gzip.compress(saved(NUMBERS)),
}
HINT = "read it when nothing writes to it, or a copy"


def cut(path: Path) -> None:
    """Cut a file in the middle: of two streams, between them."""
    os.truncate(path, path.stat().st_size // 2)


def append(path: Path) -> None:
    """Write more behind what is there."""
    with path.open("ab") as file:
        file.write(TEXT[:100])


def overwrite(path: Path) -> None:
    """Write the same bytes once more, a second later."""
    path.write_bytes(path.read_bytes())
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 10**9))


CHANGES = {
    cut: "the file had {} bytes, and became shorter while it was read",
    append: "the file was written to while it was read",
    overwrite: "the file was written to while it was read",
}


@pytest.fixture(autouse=True)
def small_pieces(tmp_path, monkeypatch):
    """An empty current directory, and files that are read in many pieces."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(text, "_BYTES", 1 << 12)
    monkeypatch.setattr(strided, "_WINDOW", 1 << 12)
    monkeypatch.setattr(compression, "_STEP", 1 << 8)


@pytest.mark.parametrize(
    ("name", "part"),
    [*((name, "") for name in FILES), ("a.csv", "#1"), ("a.npy", "#1"), ("columns.npy", "#1")],
)
@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_changes(name, part, change):
    """It is cut, appended to or overwritten when its first rows have been read."""
    Path(name).write_bytes(FILES[name])
    with closing(open_array(parse_address(name + part), "--input", Reading())) as source:
        assert len(source.take(5).values) == 5
        change(Path(name))
        with pytest.raises(FormatError) as refusal:
            source.whole()
    assert refusal.value.location.path == name
    # A checksum may have told before.
    if not refusal.value.problem.startswith("damaged"):
        assert refusal.value.problem == CHANGES[change].format(len(FILES[name]))
        assert refusal.value.hint == HINT


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("command", [["sigmoid", "-i", "a.json"], ["merge", "a.json"]])
def test_a_document_that_changes(capsys, monkeypatch, command, change):
    """A document is read at once, and may change meanwhile, too."""
    path = Path("a.json")
    size = path.write_text(f"[{', '.join(map(repr, range(ROWS)))}]")
    piece = text.Lines._decode

    def changing(lines):
        if lines._offset == 1 << 12:
            change(path)
        return piece(lines)

    monkeypatch.setattr(text.Lines, "_decode", changing)
    assert cli.run(command) == 3
    check_message(capsys.readouterr().err, f"a.json: {CHANGES[change].format(size)}", HINT)


def test_a_file_that_is_replaced():
    """One that is replaced as a whole stays what it was, to those who read it."""
    Path("a.csv").write_bytes(TEXT)
    with closing(open_array(parse_address("a.csv"), "--input", Reading())) as source:
        Path("new").write_bytes(b"1,2\n")
        Path("new").rename("a.csv")
        np.testing.assert_array_equal(source.whole(), NUMBERS)


def test_shards_that_change(capsys, monkeypatch):
    """A file of a pattern whose rows were counted, and that is another one when its turn comes."""
    for number in range(3):
        np.save(f"{number}.npy", NUMBERS)
    source = open_array(parse_address("*.npy"), "--input", Reading())
    with closing(source):
        source.take(5)
        np.save("1.npy", NUMBERS[:10])
        with pytest.raises(FormatError, match="had 4000 rows, and was written to while they were read"):
            source.whole()


def test_standard_input_that_changes(monkeypatch):
    """A file that is standard input is a file like others."""
    Path("a.csv").write_bytes(TEXT)
    with Path("a.csv").open() as file:
        monkeypatch.setattr("sys.stdin", file)
        source = open_array(parse_address("-"), "--input", Reading())
        source.take(5)
        append(Path("a.csv"))
        with pytest.raises(FormatError, match="stdin: the file was written to while it was read"):
            source.whole()
