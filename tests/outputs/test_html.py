"""Pages of HTML: whole by themselves, and what is seen in a browser equals the numbers."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from losscalc import cli, losses
from losscalc.insight.describe import example_command
from losscalc.outputs.charts import Axis, Bar, Chart, ticks
from losscalc.outputs.drawing import Box, Stroke, Words, svg
from losscalc.outputs.html import fragment
from losscalc.outputs.sheets import Column, Figure, Numbers, Sheet
from tests.support.browser import CHROMIUM, Browser

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
SCORES, LABELS = [[2.0, 1.0, 0.0], [0.0, 3.0, 1.0], [1.0, 0.0, 2.0]], [0, 1, 0]
CALL = ["cross-entropy", "-i", str(SCORES), "-t", str(LABELS)]
VOID = ("meta", "br", "img", "link", "hr")


class Checker(HTMLParser):
    """Every element ends where it has to."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def nats(scores: list[list[float]], labels: list[int]) -> np.ndarray:
    """-ln softmax at the label of each row, by its definition."""
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return -np.log(shares[np.arange(len(labels)), labels])


@pytest.fixture
def page(tmp_path):
    """The path of a page that a command writes."""

    def write(*words: str) -> Path:
        path = tmp_path / "page.html"
        assert cli.run([*words, "-o", str(path)]) == 0
        return path

    return write


@pytest.mark.parametrize(
    "words",
    [
        [*CALL, "--explain"],
        ["diagnose", *CALL],
        [*CALL, "--stats", "--worst", "2", "--explain"],
        [*CALL, "--gradient", "--explain"],
        [*CALL, "--suppose", "softmax-first", "--explain"],
        ["softmax", "-i", "1,2,3", "--explain"],
        ["compare", "-i", "1,2", "-t", "0,0", "mse", "l1"],
        [*CALL, "-r", "none"],
        CALL,
    ],
    ids=" ".join,
)
def test_a_page_is_whole(page, words):
    """All elements end, and nothing in it names another place."""
    text = page(*words).read_text("utf-8")
    checker = Checker()
    checker.feed(text)
    assert checker.open == []
    assert not re.search(r"https?:|//|\bsrc=|href=|url\(|@import|<script", text)
    assert text.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("name", losses())
def test_the_working_of_every_loss(capsysbinary, name, tmp_path, monkeypatch):
    """Its formula and its numbers are MathML whose elements end, whatever the formula is made of."""
    monkeypatch.chdir(tmp_path)
    state = {"head.weight": np.eye(2), "tail.0.0.weight": [[1.0, 1.0]], "tail.0.1.weight": [[0.5], [-0.5]]}
    np.savez("state.npz", **state)
    words = [w.strip("'") for w in re.findall(r"'[^']*'|\S+", example_command(losses()[name]))[1:]]
    assert cli.run([*words, "--explain", "-f", "html"]) == 0
    text = capsysbinary.readouterr().out.decode()
    checker = Checker()
    checker.feed(text)
    assert checker.open == []
    # What has one part too many, or too few, is set as an error.
    for tag, parts in (("mfrac", 2), ("msup", 2), ("msub", 2)):
        for inside in elements(text, tag):
            assert len(inside) == parts, (tag, inside)


class Insides(HTMLParser):
    """The names of the elements right inside of each of a name."""

    def __init__(self, wanted: str) -> None:
        super().__init__()
        self.found: list[list[str]] = []
        self._wanted, self._stack = wanted, [("", list[str]())]

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._stack[-1][1].append(tag)
        if tag not in VOID:
            self._stack.append((tag, []))

    def handle_endtag(self, tag: str) -> None:
        name, parts = self._stack.pop()
        if name == self._wanted:
            self.found.append(parts)


def elements(text: str, wanted: str) -> list[list[str]]:
    """What stands inside of each element of a name."""
    parser = Insides(wanted)
    parser.feed(text)
    return parser.found


def test_a_fragment_for_a_notebook():
    """Tables with their own style and nothing around them; digits that are not shown are a tooltip."""
    columns = (Column("name", "text"), Column("number"), Column("", "bar", "bar"))
    rows = [
        ("<b>", 2 / 3, "██"),
        ("two", Figure(0.25, ".1%"), "█"),
        ("three", Numbers([1, 2.0625], ".2g"), ""),
        ("none", None, ""),
    ]
    text = fragment([Sheet("a & b", columns, rows), Sheet("empty", columns, [])])
    assert text.startswith('<div class="losscalc">')
    assert "<caption>a &amp; b</caption>" in text
    assert "&lt;b&gt;" in text
    assert f'<td class="number" title="{2 / 3!r}">0.6667</td>' in text
    assert ">25.0%<" in text
    assert 'title="1, 2.0625">1, 2.1<' in text
    assert 'style="width: 50%"' in text
    assert "empty" not in text
    assert "0.67<" in fragment([Sheet("", columns, rows)], 2)


def test_formats_of_a_page_agree(capsysbinary):
    """HTML has the numbers of JSON."""
    assert cli.run([*CALL, "--explain", "-f", "json"]) == 0
    facts = json.loads(capsysbinary.readouterr().out)
    assert cli.run([*CALL, "--explain", "-f", "html"]) == 0
    text = capsysbinary.readouterr().out.decode()
    for line in facts["working"]["losses"]:
        assert f'title="{line["value"]!r}">{line["value"]:.4f}<' in text
    np.testing.assert_allclose(
        [line["value"] for line in facts["working"]["losses"]], nats(SCORES, LABELS), rtol=1e-14
    )
    softmax = next(step for step in facts["working"]["losses"][0]["steps"] if step["name"] == "softmax")
    np.testing.assert_allclose(softmax["value"], np.exp([2, 1, 0]) / np.exp([2, 1, 0]).sum(), rtol=1e-14)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for all tests here."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    with Browser() as found:
        yield found


TEXTS = "[...document.querySelectorAll('{}')].map(e => e.innerText.trim())"


@needs_chromium
@pytest.mark.slow
@pytest.mark.parametrize("words", [[*CALL, "--explain"], ["diagnose", *CALL]], ids=["working", "report"])
def test_a_browser_has_nothing_to_complain_of(browser, page, words):
    """No message on its console, and nothing that it asks for but the page."""
    path = page(*words)
    browser.open(path)
    assert browser.complaints == []
    assert browser.requests == [path.resolve().as_uri()]
    # Nothing is wider than the page, and MathML is set as such.
    assert browser.ask("document.documentElement.scrollWidth <= innerWidth")
    kind = "http://www.w3.org/1998/Math/MathML"
    assert browser.ask(f"[...document.querySelectorAll('math')].every(e => e.namespaceURI == '{kind}')")
    assert not browser.ask("document.querySelector('merror')")


@needs_chromium
@pytest.mark.slow
def test_no_number_is_cut_off(browser, page):
    """Not even beside the ten derivatives of a row."""
    digits = Path(__file__).parents[2] / "samples" / "digits"
    arrays = ("-i", str(digits / "logits.npy"), "-t", str(digits / "labels.npy"))
    browser.open(page("cross-entropy", *arrays, "--gradient", "--explain"))
    main = "document.querySelector('main')"
    assert browser.ask(f"{main}.scrollWidth <= {main}.clientWidth")


@needs_chromium
@pytest.mark.slow
def test_what_is_seen_is_what_is_so(browser, page):
    """The losses, the numerator and the mean, from the definition of the softmax."""
    browser.open(page(*CALL, "--explain"))
    single = nats(SCORES, LABELS)
    seen = browser.ask(TEXTS.format(".lines td.number"))
    total, mean = f"{single.sum():.4f}", f"{single.mean():.4f}"
    assert seen == [*(f"{value:.4f}" for value in single), total, "3", mean]
    labels = browser.ask(TEXTS.format(".lines th"))
    assert labels == ["[0]", "[1]", "[2]", "numerator", "denominator", "mean"]
    bars = browser.ask("[...document.querySelectorAll('rect title')].map(e => parseInt(e.textContent))")
    assert sum(bars) == 3
    assert f"mean {mean}" in browser.ask(TEXTS.format("svg text").replace("innerText", "textContent"))


@needs_chromium
@pytest.mark.slow
@pytest.mark.parametrize("way", ["hover", "tap"])
def test_steps_are_seen_where_they_are_wanted(browser, page, way):
    """The working of a row, under the pointer or the finger, and of no other row."""
    browser.open(page(*CALL, "--explain"))
    visible = "[...document.querySelectorAll('.steps')].map(e => getComputedStyle(e).visibility)"
    assert set(browser.ask(visible)) == {"hidden"}
    getattr(browser, way)(".lines tr:nth-child(2) td")
    assert browser.ask(visible) == ["hidden", "visible", "hidden"]
    text = browser.ask("document.querySelectorAll('.steps')[1].textContent")
    share = np.exp(3) / np.exp(SCORES[1]).sum()
    assert f"{share:.4f}" in text
    assert f"{np.log(share):.4f}".replace("-", "−") in text


@needs_chromium
@pytest.mark.slow
def test_light_dark_and_paper(browser, page, tmp_path):
    """Text is dark on light or light on dark, and on paper the steps are all there."""
    path = page(*CALL, "--explain")
    look = "(s => [s.color, s.backgroundColor])(getComputedStyle(document.body))"

    def brightness() -> list[int]:
        return [sum(map(int, re.findall(r"\d+", color)[:3])) for color in browser.ask(look)]

    browser.open(path)
    browser.media(scheme="light")
    ink, ground = brightness()
    assert ground - ink > 500
    browser.media(scheme="dark")
    ink, ground = brightness()
    assert ink - ground > 500
    browser.media("print", "dark")
    ink, ground = brightness()
    assert ground == 3 * 255
    assert ink == 0
    visible = "[...document.querySelectorAll('.steps')].map(e => getComputedStyle(e).visibility)"
    assert set(browser.ask(visible)) == {"visible"}
    browser.printed(tmp_path / "page.pdf")
    browser.media()
    if shutil.which("pdftotext"):
        printed = subprocess.run(
            ["pdftotext", str(tmp_path / "page.pdf"), "-"], capture_output=True, text=True, check=True
        ).stdout
        assert f"{nats(SCORES, LABELS).mean():.4f}" in printed


# Charts.


@pytest.mark.parametrize(
    ("low", "high", "whole", "expected"),
    [
        (0.0, 1.0, False, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (0.17, 1.41, False, [0.5, 1.0]),
        (0, 2, True, [0, 1, 2]),
        (1, 1000, True, [200, 400, 600, 800, 1000]),
        (-3.0, 3.0, False, [-2.0, 0.0, 2.0]),
        (2.5, 2.5, False, [2.5]),
        (0.0, 1e308, False, [0.0, 2e307, 4e307, 6e307, 8e307, 1e308]),
    ],
)
def test_ticks(low, high, whole, expected):
    """1, 2 or 5 times a power of ten apart, by hand, and whole where counts are."""
    assert ticks(low, high, is_whole=whole) == pytest.approx(expected)


def test_an_axis_that_overflows():
    """From the least to the largest float64."""
    axis = Axis.of(-1.7e308, 1.7e308, 0.0, 100.0)
    assert [axis.at(value) for value in (-1.7e308, 0.0, 1.7e308)] == pytest.approx([0, 50, 100])


def test_a_chart():
    """Bars as high as their counts, the least of which can be seen; lines for mean and median; a title."""
    bars = [Bar(0.0, 1.0, 1000), Bar(1.0, 2.0, 0), Bar(2.0, 3.0, 1)]
    drawing = Chart("mse", bars, [(1, 0.5), (500, 0.7), (1001, 3.0)], 0.75, 0.7).drawing
    boxes = [shape for shape in drawing.shapes if isinstance(shape, Box)]
    assert [box.tip for box in boxes] == ["1000 from 0 to 1", "1 from 2 to 3"]
    assert boxes[0].height > 100 * boxes[1].height
    assert boxes[1].height >= 1.5
    words = [shape.text for shape in drawing.shapes if isinstance(shape, Words)]
    assert {"mse: 1001 losses", "mean 0.75", "median 0.7", "loss", "losses in order"} <= set(words)
    lines = [shape for shape in drawing.shapes if isinstance(shape, Stroke)]
    # In the legend, in the histogram and in the curve.
    assert [sum(line.kind == kind for line in lines) for kind in ("mean", "median", "curve")] == [3, 3, 1]
    text = svg(drawing, alone=True)
    assert text.startswith('<svg xmlns="http://www.w3.org/2000/svg"')
    assert "1001 losses</text>" in text
