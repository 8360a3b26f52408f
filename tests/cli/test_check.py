"""What a check says, beyond what tells numbers apart."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from losscalc import cli


def test_no_numbers_agree(tmp_path, monkeypatch, capsys):
    """Two arrays without rows are equal."""
    monkeypatch.chdir(tmp_path)
    np.save("empty.npy", np.zeros(0))
    words = ["mse", "-i", "empty.npy", "-t", "empty.npy", "-r", "none", "--expect", "empty.npy"]

    assert cli.run([*words, "-f", "plain"]) == 0
    assert capsys.readouterr().out == "agrees (rtol 1e-05, atol 1e-08)\n"
    assert cli.run([*words, "-f", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["value"] == []


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_its_own_numbers_agree(tmp_path, monkeypatch, capsys, dtype):
    """What a run prints is what the next one expects, though float16 has few digits; 1e30 is not."""
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", np.array([[10.5, 3.1], [2.0, 70.3]], dtype))
    words = ["mse", "-i", "x.npy", "-t", "[[1,2],[3,4]]"]
    for reduction in ("mean", "none"):
        command = [*words, "-r", reduction]
        assert cli.run([*command, "-o", "out.csv"]) == 0
        expected = "out.csv" if reduction == "none" else Path("out.csv").read_text().strip()
        assert cli.run([*command, "--expect", expected, "--rtol", "0", "--atol", "0"]) == 0
        assert "agrees" in capsys.readouterr().out
    assert cli.run([*words, "--expect", "1e30"]) == 1
    np.save("x.npy", np.full(2, np.inf, dtype))
    assert cli.run(["mse", "-i", "x.npy", "-t", "0,0", "--expect", "1e30", "-q"]) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names of files are Unicode")
@pytest.mark.parametrize("form", ["plain", "json"])
def test_commands_repeat_names_that_are_no_unicode(form, tmp_path):
    """The bytes of a file name are those that were typed, or escaped in JSON."""
    name = b"\xff.csv"
    (tmp_path / os.fsdecode(name)).write_text("1\n2\n")
    words = ["mse", "-i", name, "-t", "0,0", "--expect", "5", "-f", form]
    done = subprocess.run(
        [sys.executable, "-m", "losscalc", *words], cwd=tmp_path, capture_output=True, check=False
    )

    assert (done.returncode, done.stderr) == (1, b"")
    if form == "json":
        assert "\udcff.csv" in json.loads(done.stdout)["explanations"][0]["command"]
    else:
        assert name in done.stdout
