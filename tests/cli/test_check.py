"""What a check says, beyond what tells numbers apart."""

import json
import os
import subprocess
import sys

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
