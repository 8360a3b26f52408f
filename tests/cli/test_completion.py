"""What TAB does, in real shells: bash, zsh and fish, each on a terminal of its own."""

import json
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from fcntl import ioctl
from pathlib import Path
from termios import TIOCSCTTY

import numpy as np
import pytest

from losscalc import cli
from losscalc.cli.completion import SHELLS, script
from tests.support.tensors import entry, safetensors

STUB = """#!{python}
import os, sys
if os.environ.get("_LOSSCALC_COMPLETE"):
    from losscalc.cli import main
    main()
print("TYPED", *sys.argv[1:], sep="|", end="|\\n")
"""
STARTS = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "-i"],
}
BEFORE = {"bash": "", "zsh": "autoload -Uz compinit; compinit -u -D; ", "fish": "function fish_prompt; end; "}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with files of several formats, and a `losscalc` that tells what was typed."""
    stub = tmp_path / "bin" / "losscalc"
    stub.parent.mkdir()
    stub.write_text(STUB.format(python=sys.executable))
    stub.chmod(0o755)
    (tmp_path / "preds.csv").write_text("id,logit,label\n1,.5,1\n2,.6,0\n")
    np.savez(tmp_path / "batch.npz", scores=np.ones(2), labels=np.ones(2))
    (tmp_path / "dump.json").write_text(json.dumps({"step": {"logits": [1], "mask": [0]}, "other": [2]}))
    header = {"weight": entry(shape=(2,), offsets=(0, 8)), "bias": entry(shape=(2,), offsets=(8, 16))}
    (tmp_path / "head.safetensors").write_bytes(safetensors(header, bytes(16)))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def typed(shell: str, folder: Path, keys: str) -> str:
    """What a shell shows from the keys on, once its prompt is there."""
    leader, follower = pty.openpty()
    (folder / "script").write_bytes(script(shell))
    environment = {
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(Path(cli.__file__).parents[2]),
        "HOME": str(folder),
        "TERM": "dumb" if shell == "fish" else "xterm",
        "LC_ALL": "C.UTF-8",
        "PS1": "",
        "COLUMNS": "200",
    }
    process = subprocess.Popen(
        STARTS[shell],
        **dict.fromkeys(("stdin", "stdout", "stderr"), follower),
        env=environment,
        start_new_session=True,
        # A shell for people wants the terminal to be its own.
        preexec_fn=lambda: ioctl(0, TIOCSCTTY, 0),
    )
    os.close(follower)
    shown = ""

    def until(pattern: str) -> None:
        nonlocal shown
        end = time.monotonic() + 60
        while not re.search(pattern, shown):
            assert time.monotonic() < end, shown
            if select.select([leader], [], [], 0.2)[0]:
                shown += os.read(leader, 65536).decode(errors="replace")

    try:
        os.write(leader, f"{BEFORE[shell]}source ./script; echo REA''DY\r".encode())
        until("READY")
        shown = ""
        os.write(leader, keys.encode() + b"\r")
        until(r"TYPED\|.*\|\r?\n")
        return shown
    finally:
        process.kill()
        process.wait()
        os.close(leader)


KEYS = [
    ("losscalc smooth-l\t", "smooth-l1"),
    ("losscalc mse --inp\tpreds.csv#lo\t", "mse|--input|preds.csv#logit"),
    ("losscalc mse -i pre\t", "mse|-i|preds.csv"),
    ("losscalc mse -i batch.npz#s\t", "mse|-i|batch.npz#scores"),
    ("losscalc mse -i dump.json#/step/m\t", "mse|-i|dump.json#/step/mask"),
    ("losscalc mse -i head.safetensors#w\t", "mse|-i|head.safetensors#weight"),
    ("losscalc mse --reduction su\t", "mse|--reduction|sum"),
    ("losscalc mse --format=mark\t", "mse|--format=markdown"),
    ("losscalc -f mark\t", "-f|markdown"),
    ("losscalc -q --format=mark\t", "-q|--format=markdown"),
    ("losscalc mse --header target=n\t", "mse|--header|target=no"),
    ("losscalc cross-entropy --suppose softmax-f\t", "cross-entropy|--suppose|softmax-first"),
    ("losscalc mse -i preds.csv#logit -t preds.csv#label --by i\t", "|--by|id"),
    ("losscalc show hub\t", "show|huber"),
    ("losscalc compare mse hub\t", "compare|mse|huber"),
    ("losscalc suppose hub\t", "suppose|huber"),
    ("losscalc diagnose hub\t--delt\t", "diagnose|huber|--delta"),
    ("losscalc merge dum\t", "merge|dump.json"),
    ("losscalc completion fi\t", "completion|fish"),
]


@pytest.mark.slow
@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(("keys", "expected"), KEYS, ids=[keys.replace("\t", "") for keys, _ in KEYS])
def test_tab_completes(shell, keys, expected, folder):
    """One TAB completes what only one thing begins with."""
    if shutil.which(STARTS[shell][0]) is None:
        pytest.skip(f"{shell} is not installed")

    shown = typed(shell, folder, keys)

    told = re.findall(r"TYPED\|(.*)\|", shown)
    assert told, shown
    assert told[-1].endswith(expected), shown
