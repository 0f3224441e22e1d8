"""MkDocs hooks: tables of command-line options, and links from the pages to files of the repository."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import typer
from typer.main import get_command

from latcpb_cli.cli.app import app

ROOT = Path(__file__).parents[1]
SOURCE = "https://github.com/latcpb/latcpb/blob/main/"
OPTIONS = re.compile(r"^<!-- options: (\S+) -->$", re.MULTILINE)
LINK = re.compile(r"\]\((\.\./[^)#\s]+)(#[^)\s]*)?\)")
LOG = logging.getLogger("mkdocs.hooks")


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Fill in the tables of options, and turn links that leave docs/ into addresses."""
    folder = Path(page.file.abs_src_path).parent
    return LINK.sub(
        lambda match: _address(match, folder, page.file.src_path), OPTIONS.sub(_options, markdown)
    )


def _address(match: re.Match[str], folder: Path, page: str) -> str:
    target = (folder / match[1]).resolve()
    if target.is_relative_to(ROOT / "docs"):
        return match[0]
    if not target.exists():
        LOG.warning("%s links to %s, which is not there", page, match[1])
    return f"]({SOURCE}{target.relative_to(ROOT)}{match[2] or ''})"


def _options(match: re.Match[str]) -> str:
    """Return a table for each group of options of a command."""
    command = get_command(app)
    for name in match[1].split("/"):
        command = command.commands[name]  # type: ignore[attr-defined]
    groups: dict[str, list[str]] = {}
    context = typer.Context(command)
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if record is None or parameter.name == "help" or parameter.param_type_name == "argument":
            continue
        row = f"| `{_in_table(record[0])}` | {_in_table(record[1]).replace('<', '&lt;')} |"
        groups.setdefault(getattr(parameter, "rich_help_panel", None) or "Options", []).append(row)
    head = ["", "| option | meaning |", "|---|---|"]
    return "\n\n".join("\n".join([f"**{title}**", *head, *rows]) for title, rows in groups.items())


def _in_table(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
