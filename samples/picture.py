"""Draw the pictures in README.md: what a terminal shows for some commands.

Needs losscalc only (Rich comes with it), and a system with pseudo-terminals:

    python samples/picture.py

The pictures hold their words as text and no address: they need no network and no particular font.
"""

import io
import os
import pty
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from xml.sax.saxutils import escape

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

HERE = Path(__file__).resolve().parent
FIRST = "losscalc bce-logits --input samples/logits.csv --target samples/labels.csv"
PICTURES = {
    "terminal": (f"{FIRST} --reduction none", FIRST),
    "check": (
        "losscalc cross-entropy -i samples/digits/logits.csv -t samples/digits/labels.csv --expect 1.57057",
    ),
    "explain": ("losscalc cross-entropy -i '[[2,1,0],[0,1,3]]' -t 0,2 --weight 1,1,3 --explain",),
    "pipe": (
        "losscalc sigmoid -i samples/logits.csv | losscalc bce -i - -t samples/labels.csv",
        f"{FIRST} -r none | tr , '\\n' | sort -g | tail -n 3",
    ),
}
WIDTH = 100

# Rich writes letters of 20 pixels, with 24.4 from line to line.
LINE = 24.4
ASPECT = 0.6
LETTER = 20 * ASPECT

THEME = TerminalTheme(
    (22, 27, 34),
    (230, 237, 243),
    [
        (72, 79, 88),
        (255, 123, 114),
        (63, 185, 80),
        (210, 153, 34),
        (88, 166, 255),
        (188, 140, 255),
        (57, 197, 207),
        (177, 186, 196),
    ],
)

# Rich's own template loads a font from the network; this one takes what the reader has.
TEMPLATE = """\
<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width} {height}">
<title>losscalc on a terminal</title>
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace;
font-size: {char_height}px }}
.{unique_id}-lines {{ fill: none; stroke: #8b949e; stroke-width: 1.2 }}
{styles}
</style>
{chrome}
<g class="{unique_id}-matrix" transform="translate({terminal_x}, {terminal_y})">
{matrix}
</g>
</svg>
"""

# Where the lines of each box character go from its centre.
BOX = {
    "─": "lr",
    "│": "ud",
    "╭": "rd",
    "╮": "ld",
    "╰": "ru",
    "╯": "lu",
    "┬": "lrd",
    "┴": "lru",
    "├": "udr",
    "┤": "udl",
    "┼": "lrud",
}
ENDS = {"l": (-LETTER / 2, 0), "r": (LETTER / 2, 0), "u": (0, -LINE / 2), "d": (0, LINE / 2)}


def shown(command: str) -> str:
    """What a terminal shows of a command, in colour, when it runs in the folder above this one."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("LOSSCALC_")}
    environment |= {"PYTHONUTF8": "1", "COLUMNS": str(WIDTH), "TERM": "xterm"}
    python = f"{shlex.quote(sys.executable)} -m losscalc"
    screen, terminal = pty.openpty()
    # Standard error is no terminal, for a search would show there how far it has come.
    done = subprocess.Popen(
        ["sh", "-c", re.sub(r"\blosscalc (?=[a-z])", f"{python} ", command)],
        cwd=HERE.parent,
        env=environment,
        stdout=terminal,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    os.close(terminal)
    output = b"".join(iter(lambda: _read(screen), b"")).decode().replace("\r\n", "\n")
    os.close(screen)
    return output + done.communicate()[1]


def _read(screen: int) -> bytes:
    """What stands on the screen next; nothing at the end, which is an error on Linux."""
    try:
        return os.read(screen, 65536)
    except OSError:
        return b""


def picture(name: str) -> str:
    """The commands of a picture and what they show, as SVG."""
    lines = "\n\n".join(f"$ {each}\n{shown(each).rstrip()}" for each in PICTURES[name]).split("\n")
    texts = [Text.from_ansi(line) for line in lines]
    console = Console(
        record=True,
        width=max(text.cell_len for text in texts),
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        legacy_windows=False,
    )
    for text in texts:
        console.print(text, highlight=False, no_wrap=True)
    svg = console.export_svg(
        title="", theme=THEME, code_format=TEMPLATE, font_aspect_ratio=ASPECT, unique_id="losscalc"
    )
    head, matrix, tail = re.split(r"(?<=translate\(9, 41\)\">\n)|(?=</g>\n</svg>)", svg)
    return head + "".join(f"{element}\n" for element in elements(matrix)) + tail


def elements(matrix: str) -> Iterator[str]:
    """The words of Rich's lines, each in its own place, and its box characters as one path.

    Fonts differ in width, and viewers in how they take spaces: this way no column moves.
    """
    box = []
    for style, x, y, run in re.findall(
        r'<text class="(.*?)" x="(.*?)" y="(.*?)".*?>(.*?)</text>', matrix, re.S
    ):
        for word in re.finditer(r"[─│╭-╰┬┴├┤┼]|[^\s─│╭-╰┬┴├┤┼]+", unescape(run)):
            left = float(x) + word.start() * LETTER
            if word[0] in BOX:
                box.append(strokes(word[0], left + LETTER / 2, float(y) - LINE / 4))
            else:
                width = len(word[0]) * LETTER
                place = f'x="{left:.1f}" y="{y}" textLength="{width:.1f}" lengthAdjust="spacingAndGlyphs"'
                yield f'<text class="{style}" {place}>{escape(word[0])}</text>'
    yield f'<path class="losscalc-lines" d="{" ".join(box)}"/>'


def strokes(character: str, x: float, y: float) -> str:
    """The path of a box character around a centre; corners are round."""
    ends = [(x + ENDS[way][0], y + ENDS[way][1]) for way in BOX[character]]
    if character in "╭╮╰╯":
        (x1, y1), (x2, y2) = ends
        return f"M{x1:.1f} {y1:.1f}Q{x:.1f} {y:.1f} {x2:.1f} {y2:.1f}"
    return "".join(f"M{x:.1f} {y:.1f}L{x2:.1f} {y2:.1f}" for x2, y2 in ends)


if __name__ == "__main__":
    for each in PICTURES:
        (HERE / f"{each}.svg").write_text(picture(each), encoding="utf-8", newline="\n")
