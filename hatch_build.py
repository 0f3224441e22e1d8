"""Build hook of hatchling: a distribution holds no file that git does not track."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class TrackedFilesHook(BuildHookInterface):
    """Leave out files that lie in the working tree, but are neither tracked nor ignored."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the untracked files to what the target excludes."""
        # An unpacked sdist has no .git, and everything in it is meant to be there.
        if not (Path(self.root) / ".git").exists():
            return
        listing = subprocess.run(
            ["git", "ls-files", "--others", "--exclude-standard", "-z"],
            cwd=self.root, check=True, capture_output=True, text=True,
        )  # fmt: skip
        untracked = [f"/{_escaped(name)}" for name in listing.stdout.split("\0") if name]
        target = self.build_config.target_config
        target["exclude"] = [*target.get("exclude", []), *untracked]


def _escaped(name: str) -> str:
    """Return a pattern of .gitignore that matches this path alone."""
    return "".join(f"\\{letter}" if letter in "\\*?[]!# " else letter for letter in name)
