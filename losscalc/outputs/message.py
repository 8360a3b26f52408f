"""A message on a page: what is so in a word or two, and sentences and code below it."""

from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby
from typing import Literal, NamedTuple


class Told(NamedTuple):
    """A line of a message."""

    text: str
    kind: Literal["sentence", "detail", "code"] = "sentence"
    """Code is to be typed."""

    @property
    def is_detail(self) -> bool:
        """Whether it belongs to the sentence before it."""
        return self.kind != "sentence"

    @property
    def is_code(self) -> bool:
        """Whether it is to be typed."""
        return self.kind == "code"


class Message(NamedTuple):
    """What is so, whether that is good, and what else there is to say of it."""

    head: str
    is_good: bool
    lines: Sequence[Told] = ()

    @property
    def markdown(self) -> str:
        """The head in bold, and a line for each of the others."""
        lines = [f"`{line.text}`" if line.is_code else line.text for line in self.lines]
        return "\n\n".join([f"**{self.head}**", *(["  \n".join(lines)] if lines else [])]) + "\n"

    @property
    def html(self) -> str:
        """The same for a page; code is in blocks, from which it can be copied."""
        kind = "good" if self.is_good else "bad"
        return f'<p class="{kind}"><b>{escape(self.head)}</b></p>\n{"".join(self._blocks())}'

    def _blocks(self) -> Iterator[str]:
        for is_code, lines in groupby(self.lines, lambda line: line.is_code):
            texts = [escape(line.text) for line in lines]
            if is_code:
                yield f"<pre><code>{chr(10).join(texts)}</code></pre>\n"
            else:
                yield f"<p>{'<br/>'.join(texts)}</p>\n"
