"""Files that are read block by block: the same bits as in memory, in little memory."""

import gzip

import numpy as np
import pytest

import losscalc
from losscalc import cli
from tests.support.memory import peak_memory

ROWS = 60_000


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A loss's arrays in every format that is read as it is needed."""
    folder = tmp_path_factory.mktemp("streams")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(ROWS, 5)), rng.integers(0, 5, ROWS)
    np.save(folder / "x.npy", x)
    np.save(folder / "xf.npy", np.asfortranarray(x))
    np.save(folder / "y.npy", y)
    np.savez_compressed(folder / "xy.npz", x=x, y=y)
    np.savetxt(folder / "x.csv", x, delimiter=",", fmt="%.17g")
    np.savetxt(folder / "y.csv", y, fmt="%d")
    (folder / "x.csv.gz").write_bytes(gzip.compress((folder / "x.csv").read_bytes(), 1))
    (folder / "x.jsonl").write_text("".join(f"{row}\n" for row in x.tolist()))
    return folder, losscalc.compute("cross-entropy", x, y)


@pytest.mark.parametrize("name", ["x.npy", "xf.npy", "xy.npz#x", "x.csv", "x.csv.gz", "x.jsonl", "x.csv#1-5"])
@pytest.mark.parametrize("target", ["y.npy", "y.csv", "xy.npz#y"])
def test_a_file_gives_the_bits_of_memory(files, name, target, capfd):
    """Whatever the pieces are in which a format reads."""
    folder, expected = files

    assert cli.run(["cross-entropy", "-i", f"{folder}/{name}", "-t", f"{folder}/{target}"]) == 0
    assert capfd.readouterr().out == f"{float(expected)!r}\n"


@pytest.mark.parametrize(
    ("lines", "place"),
    [(["1"] * ROWS, ROWS), (["1"] * 40_000 + ["x"] * 20_000, 40_001), (["1"] * 300_001, 60_000)],
)
def test_places_far_down_a_file(files, tmp_path, lines, place, capfd):
    """A bad cell is found in its line; a length that differs is told, with both counts if they are known."""
    folder, _ = files
    lines[place - 1] = lines[place - 1] if len(lines) > ROWS else "x"
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")

    code = cli.run(["cross-entropy", "-i", f"{folder}/x.csv", "-t", str(tmp_path / "t.csv")])
    err = capfd.readouterr().err
    if len(lines) > ROWS:
        assert code == 4
        assert f"--input has {ROWS} rows and --target has more; they must have the same number" in err
    else:
        assert code == 3
        assert f"t.csv:{place}:1: not a number, found 'x'" in err


def test_values_out_of_range_far_down_a_file(files, tmp_path, capfd):
    """The index in a late block becomes the line in the file."""
    folder, _ = files
    classes = np.zeros(ROWS, int)
    classes[50_000] = 9
    np.savetxt(tmp_path / "t.csv", classes, fmt="%d", header="label", comments="")

    assert cli.run(["cross-entropy", "-i", f"{folder}/x.npy", "-t", str(tmp_path / "t.csv")]) == 4
    assert f"{tmp_path}/t.csv:50002:1: --target must be a class index from 0 to 4" in capfd.readouterr().err


@pytest.mark.slow
def test_a_large_file_needs_little_memory(tmp_path):
    """Twice 400 MB of zeros, in less than 60 MB beyond what importing costs."""
    shape = (50_000_000,)
    for name in ("x.npy", "y.npy"):
        with open(tmp_path / name, "wb") as file:
            entries = {"descr": "<f8", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, entries)
            file.truncate(file.tell() + shape[0] * 8)
    base = peak_memory("import losscalc.cli")
    run = "import losscalc.cli; losscalc.cli.run(sys.argv[1:])"
    arrays = ["-i", str(tmp_path / "x.npy"), "-t", str(tmp_path / "y.npy")]
    peak = peak_memory(run, "l1", *arrays, "-r", "sum", "--threads", "2")

    assert peak - base < 60e6
