"""What people try first: as students, engineers, data scientists, teachers and authors of pipelines.

The numbers are worked out by hand, or those of NumPy.
"""

import ast
import io
import json
import math
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from losscalc import cli
from tests.support.hints import PACKAGE

MATRIX = np.linspace(-1.0, 2.0, 140).reshape(20, 7)
SCORES = "[[2,1,0],[0,3,1]]"


@pytest.fixture
def call(capsys, monkeypatch, tmp_path):
    """Run a command, and give its exit code and what it printed."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str, typed: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(typed.encode())))
        return cli.run(words), *capsys.readouterr()

    return run


@pytest.mark.parametrize(
    ("command", "printed"),
    [
        (f"cross-entropy -i {SCORES} -t 0,1 --expect 0.29", "agrees to 2 digits"),
        (f"cross-entropy -i {SCORES} -t 0,1 --explain", "p[y] = 0.6652"),
        ("bce-logits -i 1,2 -t 0,1 --explain", "σ(x) = 0.7311"),
        ("mse -i 1,2 -t 0,0 --explain --gradient", "(2·(2 - 0)) / 2 = 2"),
        ("mse -i 1,2 -t 0,0 --explain --expect 2.5", "agrees"),
        ("mse -i 1,2 -t 0,0 --explain --worst 1", "[1] (2 - 0)² = 4.0000"),
        ("sigmoid -i 0 --explain", "1 / (1 + exp(-0)) = 0.5000"),
        ("list -f json", '"name": "mse"'),
        ("-q mse -i 3 -t 1", "4.0"),
        ("--quiet --format json mse -i 3 -t 1", '"value": 4.0'),
        # ln(1 + e) + 2·ln(1 + e⁻²), over 2
        ("bce-logits -i 1,2 -t 0,1 --pos_weight 2", "0.7835588548"),
        ("help", "why-different"),
        ("version", "losscalc "),
        ("help mse", "Usage: losscalc mse"),
        ("show softmax", "exp(x) / Σ exp(x)"),
        ("show log", "ln x"),
        (f"cross-entropy -i {SCORES} -t 0,1 --weight balanced", "0.288725992"),
        ("mae -i 1,2 -t 0,0", "1.5"),
        ("focal -i [[0,0]] -t 0 --gamma 0", "0.693147"),
    ],
)
def test_it_works(call, command, printed):
    """It was refused, or showed less."""
    code, out, err = call(*command.split())
    assert code == 0, err
    assert printed in out


def test_a_pipe(call):
    """Numbers in a line, as they are printed."""
    assert call("mse", "-i", "-", "-t", "1,2,5", typed="1,2,3\n")[1] == f"{4 / 3}\n"


@pytest.mark.parametrize(("value", "code"), [("3", 1), ("4", 0), ("5", 0)])
def test_a_limit_for_a_build(call, value, code):
    """A loss of 4 is above 3, and not above itself."""
    assert call("mse", "-i", "1", "-t", "3", "--fail-above", value)[0] == code


@pytest.mark.parametrize("form", ["plain", "markdown", "latex", "json", "html"])
@pytest.mark.parametrize("rows", ["1", "3", "38", "140"])
def test_a_mean_is_of_all_that_it_claims(call, form, rows):
    """Of the whole row, also where the row is cut; numerator and denominator are always there."""
    np.save("x.npy", MATRIX)
    np.save("y.npy", np.zeros_like(MATRIX))
    words = ["mse", "-i", "x.npy", "-t", "y.npy", "--explain", "--max-rows", rows, "-f", form, "-q"]
    code, out, err = call(*words)
    assert code == 0, err
    losses = MATRIX**2
    last = (int(rows) - 1) // 7
    for number in (*losses[: last + 1].mean(axis=1), losses.sum(), losses.mean()):
        shown = f"{number:.4f}" if form != "json" else repr(float(number))[:9]
        assert shown in out
    for row in losses[last + 1 :].mean(axis=1):
        assert f"= {row:.4f}" not in out
    assert "numerator" in out
    assert "denominator" in out


def _leaves(found: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(found, dict):
        assert "" not in found
        for name, value in found.items():
            yield from _leaves(value, name)
    elif isinstance(found, list):
        for value in found:
            yield from _leaves(value, key)
    else:
        yield key, found


@pytest.mark.parametrize("form", ["json", "jsonl"])
@pytest.mark.parametrize(
    "command",
    [
        "mse -i 1,2.5,4 -t 0,0,1e-3 --worst 2",
        "mse -i 1,2.5,4 -t 0,0,1e-3 --stats --worst 3",
        "compare mse l1 huber -i 1,2.5,4 -t 0,0,1e-3",
        "diagnose mse -i 1,2.5,4 -t 0,0,1e-3",
        f"diagnose cross-entropy -i {SCORES} -t 0,1",
        f"cross-entropy -i {SCORES} -t 0,1 --worst 2",
        f"cross-entropy -i {SCORES} -t 0,1 --stats",
    ],
)
def test_numbers_of_json_are_numbers(call, command, form):
    """No text is a number, none is cut by an ellipsis, no key is empty."""
    code, out, err = call(*command.split(), "-f", form, "-q")
    assert code == 0, err
    facts = [json.loads(line) for line in out.splitlines()] if form == "jsonl" else json.loads(out)
    for key, value in _leaves(facts):
        assert value is None or not isinstance(value, str) or key in ("loss", "table", "error"), (key, value)
        assert value != ""
        assert not isinstance(value, float) or math.isfinite(value)


def test_all_digits_are_in_json(call):
    """The largest losses as NumPy has them, to be picked by their size."""
    np.save("x.npy", MATRIX)
    np.save("y.npy", np.zeros_like(MATRIX))
    _, out, _ = call("mse", "-i", "x.npy", "-t", "y.npy", "--worst", "5", "-f", "json")
    rows = json.loads(out)["worst"]
    expected = np.sort((MATRIX**2).ravel())[::-1][:5]
    np.testing.assert_allclose([row["loss"] for row in rows], expected, rtol=1e-15)
    assert [MATRIX[tuple(row["index"])] for row in rows] == [row["input"] for row in rows]


@pytest.mark.parametrize("name", ["softmax", "log-softmax"])
def test_above_two_axes_the_axis_is_asked_for(call, name):
    """For (batch, time, vocabulary) it is the last one, for cross-entropy's scores the second."""
    code, _, err = call(name, "-i", "[[[1,2],[3,4]]]")
    assert code == 2
    assert "--dim -1" in err
    for dim in ("-1", "1", "0"):
        code, out, _ = call(name, "-i", "[[[1,2],[3,4]]]", "--dim", dim)
        shares = np.array(json.loads(out))
        total = (np.exp(shares) if name == "log-softmax" else shares).sum(axis=int(dim))
        np.testing.assert_allclose(total, 1.0)


@pytest.mark.parametrize(
    ("command", "hint"),
    [
        ("cross-entropy --logits 1 -t 0", "--input"),
        ("cross-entropy -i 1,2 -t 0 --axis 0", "--class-axis"),
        ("mse -i 1 -t 0 --json", "--format json"),
        ("mse -i 1 -t 0 --output-format json", "--format"),
        ("mse -i 1 --ground-truth 0", "--target"),
        ("mse --predictions 1 -t 0", "--input"),
        ("cross-entrpy -i 1 -t 0", "cross-entropy"),
        ("cosin -i 1 -t 0", "cosine"),
    ],
)
def test_what_was_meant_is_named(call, command, hint):
    """By its meaning, or by its letters where it is misspelt."""
    code, _, err = call(*command.split())
    assert code == 2
    assert hint in err.partition("hint: ")[2]


@pytest.mark.parametrize("name", ["mse", "cross-entropy", "triplet-margin", "softmax"])
def test_help_has_its_order(call, name):
    """Arrays, parameters, output, check and explain, reading, computing."""
    _, out, _ = call(name, "--help")
    order = ["Arrays:", "Parameters:", "Output:", "Check and explain:", "Reading:", "Computing:"]
    places = [out.find(f"\n{each}") for each in order if each != "Parameters:" or name != "mse"]
    assert places == sorted(places)
    assert min(places) > 0


# What a colleague would not say, and what people took for something else.
CLUMSY = (
    "that is what comes out", "there is no such loss", "is no loss", "otherwise leads to",
    "stand in clusters",
    "a softmax before it", "arrays are rounded to first", "keeps the digits of", "goes by all", "are due",
    "is due", "has to do with", "one a row", "one a class", "nobody knows", "unless told otherwise",
)  # fmt: skip


def strings(source: str) -> str:
    """The strings of a module, without its docstrings."""
    tree = ast.parse(source)
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    found = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in docs)
    return "\n".join(node.value for node in found if isinstance(node.value, str))


@pytest.mark.parametrize("path", [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.md")], ids=lambda path: path.name)
def test_plain_words(path):
    """In texts that users see: messages, help and the guide."""
    text = path.read_text("utf-8")
    seen = text if path.suffix == ".md" else strings(text)
    assert [words for words in CLUMSY if words in seen] == []
