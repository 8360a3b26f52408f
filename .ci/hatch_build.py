"""Adds to the wheel what shells and man read: completion files and manual pages, made from the commands."""

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

COMPLETIONS = {
    "bash": "share/bash-completion/completions/losscalc",
    "zsh": "share/zsh/site-functions/_losscalc",
    "fish": "share/fish/vendor_completions.d/losscalc.fish",
}


class SharedData(BuildHookInterface):
    """Writes the files beside the package, and tells the builder where they go."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the files before a wheel is built, but not for an editable one, which installs none."""
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        from losscalc.cli.completion import script
        from losscalc.cli.manual import pages

        self._folder = tempfile.TemporaryDirectory()
        files = {place: script(shell) for shell, place in COMPLETIONS.items()}
        files |= {f"share/man/man1/{name}": text.encode() for name, text in pages()}
        for place, data in files.items():
            path = Path(self._folder.name, place)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            build_data["shared_data"][str(path)] = place

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Clean up."""
        if version != "editable":
            self._folder.cleanup()
