"""The description for package indexes: README.md without what points into the repository."""

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class Description(MetadataHookInterface):
    """Sets the readme of the package when it is built."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Take the README, cut."""
        text = (Path(self.root) / "README.md").read_text("utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": absolute(text)}


def absolute(text: str) -> str:
    """The text without pictures, and with the words alone of links that are relative."""
    text = re.sub(r"^!\[[^\]]*\]\([^)]*\)\n\n", "", text, flags=re.MULTILINE)
    return re.sub(r"\[([^\]]*)\]\((?!https://)[^)]*\)", r"\1", text)
