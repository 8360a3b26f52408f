"""Whatever is asked about whatever arrays, there is an answer or a reason, and never a bug.

LOSSCALC_TEST_VIEWS=20000 tries so many commands.
"""

import contextlib
import io
import json
import os
import warnings

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from losscalc import Loss, cli, losses
from losscalc.core.declaration import array_arguments
from losscalc.core.operation import differentiable
from losscalc.engine.call import Call
from losscalc.errors import option_name
from losscalc.insight.detect.catalogue import hypotheses
from losscalc.insight.detect.hypothesis import Supposed
from losscalc.outputs.writers import WRITERS
from tests.support.examples import Arrays, example
from tests.support.examples import variants as settings_of
from tests.support.layouts import LAYOUTS, laid_out, variants

EXAMPLES = int(os.environ.get("LOSSCALC_TEST_VIEWS", "400"))
LOSSES = list(losses().values())
VALUES = (0.0, 1.0, -1.0, 0.5, 7.0, 1e-300, 1e300, -1.7e308, 3e38, np.inf, -np.inf, np.nan)
"""What a number of an array may be replaced by."""
FORMATS = ("auto", "table", *WRITERS)
SHEETS = ("plain", "table", "csv", "tsv", "json", "jsonl", "markdown", "latex")
WORKINGS = ("plain", "table", "markdown", "latex", "json")
CHECKS = ("plain", "table", "json")
SURVEYS = (["--worst", "2"], ["--worst", "500"], ["--stats"], ["--stats", "--worst", "3"])
EXPECTED = ("0.5", "nan", "inf", "1,2")
DISPLAYS = ([], ["--max-rows", "1"], ["--max-rows", "5"], ["--precision", "0"], ["--precision", "30"])
OUTPUTS = (
    [],
    [],
    [],
    ["--color", "always"],
    *(["-o", f"out{s}"] for s in (".csv", ".json.gz", ".npy", ".md")),
)
READINGS = ([], [], ["--na", "drop"], ["--dtype", "float32"], ["--dtype", "float16"], ["-q"], ["-W", "error"])


@st.composite
def commands(draw: st.DrawFn) -> tuple[list[str], Arrays]:
    """A command and its arrays: a loss with parameters, a layout, a view, a format, and options at random."""
    cls = draw(st.sampled_from(LOSSES))
    loss = draw(st.sampled_from(list(settings_of(cls))))
    dtype = draw(st.sampled_from([np.float64, np.float32, np.float16]))
    arrays = example(cls, draw(st.sampled_from([0, 1, 2, 3, 7, 60])), draw(st.integers(0, 99)), dtype)
    laid = laid_out(cls, arrays, draw(st.sampled_from(list(LAYOUTS))))
    arrays, options = draw(st.sampled_from(variants(cls, laid)))
    optional = [array.name for array in array_arguments(cls) if not array.required]
    left_out = draw(st.sets(st.sampled_from(optional))) if optional else ()
    arrays = {name: draw(spoilt(array)) for name, array in arrays.items() if name not in left_out}
    words = [word for name, array in arrays.items() for word in (option_name(name), file_of(name, array))]
    words += [*options, *typed(loss), *draw(st.sampled_from(READINGS))]
    end = [*draw(st.sampled_from(DISPLAYS)), "-f", draw(st.sampled_from(SHEETS))]
    match draw(st.sampled_from(["diagnose", "compare", *["loss"] * 8])):
        case "diagnose":
            return ["diagnose", cls.name, *words, *end], arrays
        case "compare" if {"input", "target"} <= arrays.keys():
            others = draw(st.lists(st.sampled_from(LOSSES).map(lambda other: other.name), max_size=2))
            return ["compare", cls.name, *others, "-i", "input.npy", "-t", "target.npy", *end], arrays
    return [cls.name, *words, *draw(views(loss, arrays))], arrays


@st.composite
def views(draw: st.DrawFn, loss: Loss, arrays: Arrays) -> list[str]:
    """What is asked about a call, how it is reduced, and in which format it is written."""
    kinds = (
        ([[]], FORMATS),
        ([["--gradient", name.replace("_", "-")] for name in differentiable(type(loss))], FORMATS),
        ([["--suppose", name] for name in supposable(loss)], FORMATS),
        ([["--digits", "20"]], FORMATS),
        ([["--explain"]], WORKINGS),
        ([["--expect", text] for text in (*EXPECTED, f"{next(iter(arrays))}.npy")], CHECKS),
        (SURVEYS, SHEETS),
    )
    asked, formats = draw(st.sampled_from(kinds))
    view = draw(st.sampled_from(asked))
    output = draw(st.sampled_from(OUTPUTS)) or ["-f", draw(st.sampled_from(formats))]
    # Digits and decimals do not go together.
    display = [] if "--digits" in view else draw(st.sampled_from(DISPLAYS))
    return ["-r", draw(st.sampled_from(type(loss).reductions)), *view, *output, *display]


def supposable(loss: Loss) -> list[str]:
    """The names of all that can be supposed, those of families with a number."""
    rows = list(hypotheses(Call(loss)))
    return [Supposed(row, number if row.has_number else None).name for row in rows for number in (1.0, 2.5)]


@st.composite
def spoilt(draw: st.DrawFn, array: np.ndarray | Arrays) -> np.ndarray | Arrays:
    """Mostly the array itself; else with another number, a row less, whole numbers, or one number alone."""
    how = draw(st.sampled_from(["not"] * 6 + ["number", "rows", "whole", "same"]))
    if isinstance(array, dict) or how == "not" or not array.size:
        return array
    match how:
        case "rows":
            return array[:-1] if array.ndim else array.reshape(1)
        case "whole":
            return array.astype(np.int64)
        case "same":
            return np.full_like(array, array.flat[0])
    array = array.copy()
    if array.dtype.kind == "f":
        with np.errstate(over="ignore"):
            array.flat[draw(st.integers(0, array.size - 1))] = draw(st.sampled_from(VALUES))
    return array


def file_of(name: str, array: np.ndarray | Arrays) -> str:
    """The file that holds an array, or those of a state."""
    return f"{name}.npz" if isinstance(array, dict) else f"{name}.npy"


def save(arrays: Arrays) -> None:
    """Write the arrays of a command into their files."""
    for name, array in arrays.items():
        if isinstance(array, dict):
            np.savez(file_of(name, array), **array)
        else:
            np.save(file_of(name, array), array)


def typed(loss: Loss) -> list[str]:
    """The parameters of a loss as options."""
    words = []
    for name, value in loss.settings.items():
        option = option_name(name)
        if isinstance(value, bool):
            words.append(option if value else f"--no-{option[2:]}")
        elif isinstance(value, tuple):
            words += [option, ",".join(map(str, value))]
        elif value is not None and name != "class_axis":
            words += [option, str(value)]
    return words


def run(words: list[str]) -> tuple[int, bytes, str]:
    """The exit code of a command in this process, and what it prints; warnings of NumPy's are bugs."""
    printed, said = io.BytesIO(), io.StringIO()
    output = io.TextIOWrapper(printed, "utf-8")
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(said), warnings.catch_warnings():
        warnings.simplefilter("error")
        code = cli.run(words)
        output.flush()
    return code, printed.getvalue(), said.getvalue()


def check_strict(text: bytes) -> None:
    """Hold JSON to its standard, in which there is no NaN, and to keys that say something."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    def check(pairs: list[tuple[str, object]]) -> dict[str, object]:
        assert all(key for key, _ in pairs), pairs
        return dict(pairs)

    for line in text.splitlines():
        json.loads(line, parse_constant=refuse, object_pairs_hook=check)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(drawn=commands())
def test_views(tmp_path_factory, drawn):
    """No command ends in a bug or a traceback, and JSON is strict and names everything."""
    words, arrays = drawn
    with contextlib.chdir(tmp_path_factory.getbasetemp()):
        save(arrays)
        code, printed, said = run(words)
    shapes = {name: array if isinstance(array, dict) else array.shape for name, array in arrays.items()}
    assert code in (0, 1, 2, 3, 4), (" ".join(words), shapes, said)
    assert "Traceback" not in said
    if code in (0, 1) and {"json", "jsonl"} & {*words}:
        check_strict(printed)
