"""Drawings of boxes, lines and words, and how to write them as SVG."""

from html import escape
from typing import Literal, NamedTuple


class Box(NamedTuple):
    """A filled rectangle, and what is said of it under the pointer."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    tip: str = ""


class Stroke(NamedTuple):
    """A line through points."""

    points: tuple[tuple[float, float], ...]
    kind: str


class Words(NamedTuple):
    """Words beside a point; `upright` are read from below."""

    x: float
    y: float
    text: str
    anchor: Literal["start", "middle", "end"]
    kind: str


Shape = Box | Stroke | Words


class Drawing(NamedTuple):
    """Shapes on a plane whose second coordinate grows downwards."""

    width: float
    height: float
    title: str
    shapes: tuple[Shape, ...]


# Light first, and the same for a dark page.
_COLORS = {
    "ink": ("#1f2328", "#e6edf3"),
    "soft": ("#57606a", "#9198a1"),
    "grid": ("#d8dee4", "#30363d"),
    "bar": ("#54aeff", "#1f6feb"),
    "curve": ("#0969da", "#4493f8"),
    "mean": ("#cf222e", "#f85149"),
    "median": ("#1a7f37", "#3fb950"),
}
COLORS = {name: light for name, (light, _) in _COLORS.items()}
"""The colours for a light page."""
COLOR_OF = {"axis": "soft", "tick": "soft", "label": "ink", "title": "ink", "upright": "ink"}
"""The names of colours of kinds that are not colours."""
DASHED = {"mean": (6, 4), "median": (2, 3)}
"""Lines that are told apart without colours, too."""
SIZES = {"title": 15, "label": 13, "upright": 13, "tick": 12}
"""The sizes of words."""


def style(scope: str) -> str:
    """The style of drawings inside of an element, for light and dark pages."""
    light, dark = (
        " ".join(f"--{name}: {pair[place]};" for name, pair in _COLORS.items()) for place in (0, 1)
    )
    kinds = [
        f"{scope} .{kind} {{ fill: none; stroke: var(--{COLOR_OF.get(kind, kind)}); }}" for kind in _LINES
    ]
    words = [
        f"{scope} .{kind} {{ fill: var(--{COLOR_OF[kind]}); font: {size}px system-ui, sans-serif; }}"
        for kind, size in SIZES.items()
    ]
    dashes = [f"{scope} .{kind} {{ stroke-dasharray: {a} {b}; }}" for kind, (a, b) in DASHED.items()]
    return "\n".join(
        [
            f"{scope} {{ {light} }}",
            f"@media (prefers-color-scheme: dark) {{ {scope} {{ {dark} }} }}",
            f"@media print {{ {scope} {{ {light} }} }}",
            *kinds,
            f"{scope} .bar {{ fill: var(--bar); }}",
            *words,
            *dashes,
            f"{scope} .curve, {scope} .mean, {scope} .median {{ stroke-width: 1.8; }}",
            f"{scope} .title {{ font-weight: 600; }}",
        ]
    )


_LINES = ("axis", "grid", "curve", "mean", "median")


def svg(drawing: Drawing, *, alone: bool = False) -> str:
    """A drawing as SVG, for a page or, with its own style, for a file."""
    space = ' xmlns="http://www.w3.org/2000/svg" class="chart"' if alone else ' class="chart"'
    size = f'width="{drawing.width:g}" height="{drawing.height:g}"'
    own = f"<style>{style('.chart')}\n.chart {{ background: #fff; }}\n" if alone else ""
    dark = (
        "@media (prefers-color-scheme: dark) { .chart { background: #0d1117; } }</style>\n" if alone else ""
    )
    body = "\n".join(map(_element, drawing.shapes))
    return (
        f'<svg{space} viewBox="0 0 {drawing.width:g} {drawing.height:g}" {size} role="img" '
        f'aria-label="{escape(drawing.title)}">\n{own}{dark}{body}\n</svg>\n'
    )


def _element(shape: Shape) -> str:
    match shape:
        case Box(x, y, width, height, kind, tip):
            place = f'x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}"'
            return f'<rect class="{kind}" {place}><title>{escape(tip)}</title></rect>'
        case Stroke(points, kind):
            return f'<polyline class="{kind}" points="{" ".join(f"{x:.2f},{y:.2f}" for x, y in points)}"/>'
        case Words(x, y, text, anchor, kind):
            turn = f' transform="rotate(-90 {x:.2f} {y:.2f})"' if kind == "upright" else ""
            place = f'x="{x:.2f}" y="{y:.2f}" text-anchor="{anchor}"'
            return f'<text class="{kind}" {place}{turn}>{escape(text)}</text>'
