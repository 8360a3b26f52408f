"""Plots of the single losses, into files: SVG by itself, other formats with matplotlib if that is there."""

import io
from typing import TYPE_CHECKING

from losscalc.cli.files import check_writable, write_file
from losscalc.errors import UsageError
from losscalc.inputs import split_suffix
from losscalc.insight.call import Call
from losscalc.insight.stats import chart
from losscalc.outputs.drawing import COLOR_OF, COLORS, DASHED, SIZES, Box, Drawing, Shape, Stroke, svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FORMATS = (".png", ".svg", ".pdf")
# Points of paper in a unit of a drawing, and how fine a picture is.
_POINTS, _DOTS_PER_INCH = 0.72, 200


def check_plot(path: str) -> None:
    """Raise an error before the work is done, if the plot could not be made after it."""
    if split_suffix(path)[0] not in _FORMATS or split_suffix(path)[1]:
        known = " ".join(_FORMATS)
        raise UsageError("`plot` names a file with an unknown suffix", found=path, hint=f"use one of {known}")
    if split_suffix(path)[0] != ".svg":
        try:
            import matplotlib  # noqa: F401 - only whether it is there
        except ImportError as error:
            hint = "pip install 'losscalc[plot]', or name a file .svg"
            raise UsageError("`plot` needs matplotlib for this format", hint=hint) from error
    check_writable(path)


def plot(call: Call, path: str) -> None:
    """Draw a histogram of the single losses, and beside it the losses in sorted order."""
    drawing, suffix = chart(call).drawing, split_suffix(path)[0]
    data = svg(drawing, alone=True).encode() if suffix == ".svg" else _painted(drawing, suffix[1:])
    write_file(path, [data])


def _painted(drawing: Drawing, form: str) -> bytes:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(drawing.width / 100, drawing.height / 100), dpi=_DOTS_PER_INCH)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set_xlim(0, drawing.width)
    axes.set_ylim(drawing.height, 0)
    for order, shape in enumerate(drawing.shapes):
        _paint(axes, shape, order)
    buffer = io.BytesIO()
    figure.savefig(buffer, format=form)
    return buffer.getvalue()


def _paint(axes: "Axes", shape: Shape, order: int) -> None:
    from matplotlib.patches import Rectangle

    color = COLORS[COLOR_OF.get(shape.kind, shape.kind)]
    if isinstance(shape, Box):
        axes.add_patch(
            Rectangle((shape.x, shape.y), shape.width, shape.height, color=color, linewidth=0, zorder=order)
        )
    elif isinstance(shape, Stroke):
        width = 1.8 if shape.kind in ("curve", *DASHED) else 1.0
        dashes = (0, DASHED[shape.kind]) if shape.kind in DASHED else "solid"
        axes.plot(
            *zip(*shape.points, strict=True),
            color=color,
            linewidth=width * _POINTS,
            linestyle=dashes,
            zorder=order,
        )
    else:
        anchor = {"start": "left", "middle": "center", "end": "right"}[shape.anchor]
        size, turn = SIZES[shape.kind] * _POINTS, 90 if shape.kind == "upright" else 0
        weight = "bold" if shape.kind == "title" else "normal"
        upright = "center" if turn else "baseline"
        axes.text(
            shape.x,
            shape.y,
            shape.text,
            ha=anchor,
            va=upright,
            color=color,
            fontsize=size,
            rotation=turn,
            weight=weight,
        )
