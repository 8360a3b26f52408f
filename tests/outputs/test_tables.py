"""What is drawn of results and descriptions, on a canvas rather than a terminal."""

import io

import numpy as np
import pytest

from losscalc import losses
from losscalc.core.reductions import MEAN
from losscalc.errors import UsageError
from losscalc.insight.describe import describe
from losscalc.outputs.canvas import Canvas
from losscalc.outputs.result import Result
from losscalc.outputs.tables import draw_description, draw_result
from losscalc.outputs.writers import WRITERS
from tests.support.calls import computed
from tests.support.wholes import Dice, RootMeanSquare


@pytest.mark.parametrize("cls", losses().values(), ids=losses())
def test_descriptions_have_names_for_all_symbols(cls):
    """Nothing that is known of a loss is beyond ASCII once its symbols have names."""
    drawn = draw_description(describe(cls), Canvas(unicode=False))

    assert drawn.isascii()
    assert cls.name in drawn


@pytest.mark.parametrize("width", [40, 60, 80])
def test_descriptions_in_little_space_have_whole_words(width):
    """Where three columns would be narrow, each section is a table of its own."""
    lines = draw_description(describe(losses()["bce-logits"]), Canvas(width=width)).splitlines()

    words = {word for line in lines for word in line.replace("│", " ").split()}
    assert {"pos_weight", "--pos-weight", "predictions", "torch.nn.BCEWithLogitsLoss,"} <= words
    assert max(map(len, lines)) <= width


def test_a_long_axis_in_front_shows_head_and_tail():
    """Of ten matrices the first and the last, and dots between them."""
    value = np.arange(40.0).reshape(10, 2, 2)
    lines = draw_result(Result("softmax", value, {}), Canvas(max_rows=2)).splitlines()

    assert [line for line in lines if "softmax" in line] == ["softmax [0]", "softmax [9]"]
    assert lines.count("…") == 1
    assert "│ 1 │ 38.0000 │ 39.0000 │" in lines


def test_a_wide_matrix_goes_on_in_a_further_table():
    """Each has the indices of its columns, and the first the title."""
    drawn = draw_result(Result("softmax", np.arange(12.0).reshape(2, 6), {}), Canvas(width=40))
    lines = drawn.splitlines()

    assert [line for line in lines if line.startswith("│   │")] == [
        "│   │      0 │      1 │      2 │",
        "│   │      3 │       4 │       5 │",
    ]
    assert max(map(len, lines)) <= 40
    assert drawn.count("softmax") == 1


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_nothing_has_a_table_too(axes):
    """An array without numbers is drawn without an error."""
    draw_result(Result("softmax", np.zeros((0,) * axes), {}), Canvas())


@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0), (0, 2, 3), (2, 0, 3)])
@pytest.mark.parametrize("name", ["plain", "csv", "json", "jsonl", "markdown", "latex", "npy"])
def test_nothing_has_every_format(name, shape):
    """An array without numbers is written without an error, and without numbers."""
    result = Result("mse", np.zeros(shape), {}, reduction="none")
    if len(shape) > 2 and name in ("csv", "latex"):
        with pytest.raises(UsageError, match="3 axes"):
            WRITERS[name].write(result, None)
        return
    text = WRITERS[name].write(result, None)
    if name == "markdown":
        assert text.count(b"\n") == 2 + shape[0]
    elif name == "npy":
        assert np.load(io.BytesIO(text)).shape == shape
    else:
        assert b"0.0" not in text


def test_the_mean_of_a_row_whose_sum_is_too_large():
    """The margin has the mean of 1e308 four times, which is itself."""
    value = np.full((1, 4), 1e308)
    result = Result("mse", value, {}, reduction="none", mean=1e308, sum=np.inf, count=4)
    lines = draw_result(result, Canvas()).splitlines()

    assert lines[4].split("│")[-2].strip() == "1.0000e+308"
    assert lines[-1] == "mean 1.0000e+308   sum inf"


@pytest.mark.parametrize(
    ("loss", "rows", "arithmetic"),
    [
        # √((0.5² + 1² + 0.5²) / 3), and 1 - 2·1 / (2 + 2).
        (RootMeanSquare(), [("value", "0.7071"), ("numerator", "1.5000")], ["0.7071 = root of 1.5000 / 3"]),
        (Dice(), [("value", "0.5000"), ("both", "1.0000"), ("either", "4.0000")], []),
    ],
)
def test_the_arithmetic_of_functions_of_the_mean_and_of_sums(loss, rows, arithmetic):
    """What the value comes from, and no quotient that it is not."""
    arrays = {"input": np.array([0.5, 1.0, 0.5]), "target": np.array([1.0, 0.0, 1.0])}
    done = computed(loss, arrays)
    lines = draw_result(Result.reduced(loss, done.value, {}, MEAN, done.partial), Canvas()).splitlines()

    cells = [tuple(cell.strip() for cell in line.split("│")[1:3]) for line in lines if "│" in line]
    assert [row for row in cells if row[0] not in ("reduction", "denominator", "count")] == rows
    assert [line for line in lines if "=" in line] == arithmetic
