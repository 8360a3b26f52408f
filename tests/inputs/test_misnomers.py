"""Columns whose names say that they are not what an array takes."""

from pathlib import Path

import pytest

from losscalc import cli

GIOU = ["giou", "-i", "a.csv", "-t", "b.csv"]


def warned(capsys, tmp_path, monkeypatch, mine: str, theirs: str) -> str:
    """What is said of two tables of a box with these names."""
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text(f"{mine}\n1,2,5,6\n")
    Path("b.csv").write_text(f"{theirs}\n1,2,5,7\n")
    assert cli.run(GIOU) == 0
    return capsys.readouterr().err


@pytest.mark.parametrize(
    "names",
    [
        "x1,y1,x2,y2",
        "xmin,ymin,xmax,ymax",
        "pred_left,pred_top,pred_right,pred_bottom",
        "a,b,c,d",
        "x0,y0,x1,y1",
    ],
)
def test_corners_in_order(capsys, tmp_path, monkeypatch, names):
    """Names of corners as they are taken, and names that say nothing, need no warning."""
    assert warned(capsys, tmp_path, monkeypatch, names, names) == ""


@pytest.mark.parametrize(
    "names", ["x,y,w,h", "cx,cy,w,h", "bbox_x,bbox_y,bbox_width,bbox_height", "left,top,boxWidth,boxHeight"]
)
def test_sizes(capsys, tmp_path, monkeypatch, names):
    """A width and a height are no corner."""
    said = warned(capsys, tmp_path, monkeypatch, names, "x1,y1,x2,y2")
    assert said.startswith(
        f"losscalc: warning: a.csv: --input has the columns {', '.join(names.split(','))}, and"
    )
    assert "x2 is x + w" in said


@pytest.mark.parametrize(
    ("names", "part"),
    [
        ("XMin,XMax,YMin,YMax", "XMin,YMin,XMax,YMax"),
        ("ymin,xmin,ymax,xmax", "xmin,ymin,xmax,ymax"),
        ("x1,x2,y1,y2", "x1,y1,x2,y2"),
        ("top,left,bottom,right", "left,top,right,bottom"),
    ],
)
def test_another_order(capsys, tmp_path, monkeypatch, names, part):
    """The hint is the part that has the corners in order; it leads on without a warning."""
    said = warned(capsys, tmp_path, monkeypatch, names, "x1,y1,x2,y2")
    assert f"hint: take them in this order: #{part}\n" in said
    assert cli.run([*GIOU[:2], f"a.csv#{part}", *GIOU[3:]]) == 0
    assert capsys.readouterr().err == ""


def test_both_with_axes_exchanged(capsys, tmp_path, monkeypatch):
    """Areas and distances are the same with x and y exchanged in both."""
    assert warned(capsys, tmp_path, monkeypatch, *["ymin,xmin,ymax,xmax"] * 2) == ""


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("sigma", "a variance is the square of σ"),
        ("pred_std", "a variance is the square of σ"),
        ("log_var", "it is the exponential of its logarithm"),
        ("logvar", "it is the exponential of its logarithm"),
        ("var", None),
        ("sigma2", None),
        ("uncertainty", None),
    ],
)
def test_variances(capsys, tmp_path, monkeypatch, name, hint):
    """A standard deviation or a logarithm is no variance."""
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text(f"mu,y,{name}\n1,1.5,2\n2,1,3\n")
    assert cli.run(["gaussian-nll", "-i", "a.csv#mu", "-t", "a.csv#y", "--var", f"a.csv#{name}"]) == 0
    said = capsys.readouterr().err
    problem = f"losscalc: warning: a.csv: --var has the column {name}, and is a variance\n"
    assert said == ("" if hint is None else f"{problem}  hint: {hint}\n")
