"""LaTeX that compiles and fits on a page: workings and descriptions, by pdflatex or their commands."""

import re
import shutil
import subprocess

import numpy as np
import pytest

from losscalc import cli, losses
from losscalc.insight.describe import example_command
from losscalc.outputs.latex import broken, escaped, foldable, width

# All commands that are used: those of LaTeX itself and of amsmath.
KNOWN = {
    "allowbreak", "allowdisplaybreaks", "alpha", "approx", "arctan", "begin", "beta", "bigl", "bigr",
    "cdot", "Delta", "delta", "dots", "ell", "end", "exp", "frac", "gamma", "ge", "hline", "infty",
    "item", "lambda", "le", "left", "ln", "lvert", "mathrm", "max", "min", "mu", "ne", "noindent",
    "par", "paragraph", "partial", "pi", "prod", "quad", "rho", "right", "rvert", "sigma", "sloppy",
    "small", "smallskip", "sqrt", "sum", "surd", "tau", "text", "textbackslash", "textbf", "tfrac",
    "theta", "times", "varepsilon",
}  # fmt: skip
# The width of the text of an article in points, and what TeX forgives.
TEXT = 345.0


@pytest.fixture(scope="module")
def pieces(tmp_path_factory):
    """What is written of every loss: its description, and the working of its example."""
    folder = tmp_path_factory.mktemp("latex")
    state = {"head.weight": np.eye(2), "tail.0.0.weight": [[1.0, 1.0]], "tail.0.1.weight": [[0.5], [-0.5]]}
    np.savez(folder / "state.npz", **state)
    found = {}
    for name, cls in losses().items():
        words = [word.strip("'") for word in re.findall(r"'[^']*'|\S+", example_command(cls))[1:]]
        words = [word.replace("state.npz", str(folder / "state.npz")) for word in words]
        for kind, arguments in (
            ("working", [*words, "--explain", "-o", str(folder / "out.tex")]),
            ("gradient", [*words, "--explain", "--gradient", "-o", str(folder / "out.tex")]),
            ("diagnosis", ["diagnose", *words, "-q", "-o", str(folder / "out.tex")]),
        ):
            if cli.run(arguments) == 0:
                found[f"{kind} of {name}"] = (folder / "out.tex").read_text("utf-8")
    return found


@pytest.fixture
def shown(capsysbinary):
    """The descriptions of every loss."""
    found = {}
    for name in losses():
        assert cli.run(["show", name, "-f", "latex"]) == 0
        found[f"show {name}"] = capsysbinary.readouterr().out.decode()
    return found


def faults(texts: dict[str, str]) -> list[str]:
    """What is wrong with the commands of some texts."""
    found = []
    for name, text in texts.items():
        body = re.sub(r"(?m)^%.*$", "", text)
        unknown = set(re.findall(r"\\([A-Za-z]+)", body)) - KNOWN
        odd = re.sub(r"\\[{}]", "", body)
        if unknown or odd.count("{") != odd.count("}") or body.count(r"\left") != body.count(r"\right"):
            found.append(f"{name}: {unknown}")
        if strange := set(re.findall(r"[^\x00-\x7f]", body)) - set("×é"):
            found.append(f"{name}: {strange}")
        if r"\left( \left(" in body and r"\right) \right)" in body and re.search(DOUBLED, body):
            found.append(f"{name}: doubled brackets")
    return found


DOUBLED = r"\\left\( \\left\( ([^()]|\\left\(|\\right\))* \\right\) \\right\)"


@pytest.mark.slow
def test_commands_are_those_of_latex(pieces, shown):
    """Every command is one of LaTeX or amsmath, braces are closed, and all characters are ASCII."""
    assert faults(pieces) == []
    assert faults(shown) == []


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_it_compiles_and_fits(pieces, shown, tmp_path):
    """Without an error, and no line is wider than the text of a page."""
    body = "\n\n".join(f"\\typeout{{@{name}}}\n{text}" for name, text in {**pieces, **shown}.items())
    head = "\\documentclass{article}\n\\usepackage{amsmath}\n"
    document = f"{head}\\begin{{document}}\n{body}\n\\end{{document}}\n"
    (tmp_path / "all.tex").write_text(document, "utf-8")
    words = ["pdflatex", "-interaction=nonstopmode", "-output-directory", str(tmp_path), "all.tex"]
    log = subprocess.run(
        words, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False
    ).stdout
    last, found = "", []
    for line in log.splitlines():
        last = line[1:] if line.startswith("@") else last
        if line.startswith("!") or "Overfull \\hbox" in line:
            found.append(f"{last}: {line}")
    assert not found, chr(10).join(found)
    assert (tmp_path / "all.pdf").exists()


def test_a_long_line_is_broken():
    """At operators that no brace holds, each line less wide than the page."""
    right = "= " + " + ".join(f"{number}.1234" for number in range(30))
    lines = broken(r"\text{numerator}", right).split("\\\\\n")
    assert len(lines) > 2
    assert all(width(line) < TEXT for line in lines)
    assert "".join(lines).replace("&", "").replace(r"\quad", "").split() == [
        r"\text{numerator}",
        *right.split(),
    ]


def test_what_stands_in_braces_stays_whole():
    """A fraction is not broken; brackets that grow are taken apart only where they would not fit."""
    fraction = rf"\frac{{{' + '.join('1' * 40)}}}{{2}}"
    assert broken(r"\ell", f"= {fraction}").count("\\\\") <= 1
    inside = " + ".join(r"\frac{1}{2}" for _ in range(40))
    text = broken(r"\ell", rf"= \left( {inside} \right)")
    assert r"\left" not in text
    assert text.count(r"\bigl") == text.count(r"\bigr") == 1


def test_widths():
    """Near those that TeX has: \\frac{1}{2} 7.4, \\ln x 15.7, 0.1234 27.8 points."""
    assert width(r"\frac{1}{2}") == pytest.approx(7.4, abs=0.5)
    assert width(r"\ln(x)") == pytest.approx(25.2, abs=4)
    assert width("0.1234") == pytest.approx(27.8, abs=0.5)


def test_escaping():
    """Special characters, Greek letters and signs that LaTeX has no letters for."""
    assert escaped("50 % & α_1 ≤ ½") == r"50 \% \& $\alpha$\_1 $\le$ $\tfrac{1}{2}$"
    assert foldable("torch.nn.functional.cross_entropy").count(r"\allowbreak{}") == 4
    assert foldable("short.word") == "short.word"
