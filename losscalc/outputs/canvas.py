"""The canvas that tables are drawn on, for a terminal or a file."""

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from losscalc.outputs.numbers import fixed
from losscalc.outputs.sheets import Cell, cell_text

if TYPE_CHECKING:
    from rich.markdown import Markdown

# ASCII for other symbols, if a terminal has nothing else.
_ASCII = str.maketrans(
    {"σ": "sigma", "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "eps", "ρ": "rho", "π": "pi"}
    | {"Σ": "sum", "Π": "prod", "·": "*", "²": "^2", "½": "1/2", "₁": "1", "₂": "2"}
    | {
        "≤": "<=",
        "≥": ">=",
        "≈": "~",
        "≠": "!=",
        "√": "sqrt",
        "∞": "inf",
        "–": "-",
        "…": "...",
        "█": "#",
        "▏": "|",
        "∂": "d",
        "ℓ": "l",
    }
)


@dataclass(frozen=True)
class Canvas:
    """A place to draw: its width, whether it has colours and more than ASCII, and how much to show."""

    width: int = 80
    color: bool = False
    unicode: bool = True
    max_rows: int = 40
    decimals: int = 4

    @property
    def gap(self) -> str:
        """The sign for rows and columns that are not shown."""
        return "…" if self.unicode else "..."

    def table(self, title: str = "") -> Table:
        """An empty table; text that came from a user is never read as markup."""
        style = box.ROUNDED if self.unicode else box.ASCII2
        return Table(title=Text(title, style="bold") if title else None, box=style, title_justify="left")

    def text(self, words: str, style: str = "") -> Text:
        """Words as they are, or with names for symbols if there is nothing but ASCII."""
        return Text(words if self.unicode else words.translate(_ASCII), style=style)

    def number(self, cell: Cell) -> str:
        """A number with the decimals of a table."""
        return cell_text(cell, self.decimals, fixed)

    def render(self, *drawings: "Table | Text | Markdown", width: int = 10_000) -> str:
        """Drawings as text, by default as wide as they need, so that no number is ever cut."""
        output = io.StringIO()
        console = Console(
            file=output,
            width=width,
            force_terminal=self.color,
            color_system="standard" if self.color else None,
            no_color=not self.color,
            legacy_windows=False,
            highlight=False,
            markup=False,
            emoji=False,
        )
        for drawing in drawings:
            console.print(drawing, overflow="ignore", crop=False, soft_wrap=isinstance(drawing, Text))
        return "".join(line.rstrip() + "\n" for line in output.getvalue().split("\n")[:-1])
