"""Options for reading text get a note where no array is read as text, and none where one may be."""

import numpy as np
import pytest

from losscalc import cli


@pytest.fixture(autouse=True)
def files(tmp_path, monkeypatch):
    """The numbers 1 and 2, in a binary file and in a text."""
    monkeypatch.chdir(tmp_path)
    np.save("n.npy", [1.0, 2.0])
    (tmp_path / "t.csv").write_text("1\n2\n")


@pytest.mark.parametrize(
    ("words", "note"),
    [
        ("-i n.npy -t n.npy --skip-rows 1", "--skip-rows has no effect: no array here is read as text"),
        ("-i n.npy -t n.npy --decimal ,", "--decimal has no effect: no array here is read as text"),
        ("-i n.npy -t n.npy --encoding latin-1", "--encoding has no effect: no array here is read as text"),
        ("-i n.npy -t n.npy --header yes", "--header has no effect: no array here is read as text"),
        ("-i 1,2 -t [1,2] --delimiter ;", "--delimiter has no effect: no array here is read as text"),
        ("-i n.npy -t t.csv --header input=yes", "--header has no effect: --input is not read as text"),
        ("-i n.npy -t t.csv --header no", ""),
        ("-i n.npy -t t.csv --header target=no", ""),
        ("-i n.npy -t n.npy --header no --expect t.csv -r none --atol 9", ""),
        ("-i n.npy -t n.npy --na drop", ""),
    ],
)
def test_what_has_no_effect_is_told(words, note, capsys):
    """The arrays are equal either way: all losses are 0."""
    assert cli.run(["mse", *words.split()]) == 0
    assert capsys.readouterr().err == (f"losscalc: note: {note}\n" if note else "")
