"""``latcpb examples``: inputs to try latcpb on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latcpb_cli.errors import OutputError, OutputExistsError

__all__ = ["examples"]

_PACKAGE = Path(__file__).parents[1]
_FOLDERS = (_PACKAGE / "_examples", _PACKAGE.parent / "examples")
"""Where the files are in an installed copy, and in a source tree."""
_SUFFIXES = (".dcd", ".md", ".pdb", ".xtc")
_NOTEBOOK = "latcpb.ipynb"
_OWN_NAMES = {"cg.pdb": "4ebp2.pdb", "traj.xtc": "4ebp2.xtc"}
"""Names that the documentation has for files of the user's own, and what stands for them."""


def examples(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to make.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")] = False,
) -> None:
    """Copy example inputs and a notebook into a folder.

    In this folder every command of the documentation runs as printed.
    """
    import shutil

    files = _listing(next(path for path in _FOLDERS if path.is_dir()))
    existing = [name for name in files if (folder / name).exists()]
    if existing and not overwrite:
        raise OutputExistsError(
            f"{folder / existing[0]}: exists already", "choose another DIR, or add --overwrite"
        )
    try:
        (folder / "examples").mkdir(parents=True, exist_ok=True)
        for name, source in files.items():
            shutil.copyfile(source, folder / name)
    except OSError as error:
        raise OutputError(
            f"{folder}: cannot be written to ({error.strerror})", "choose another DIR"
        ) from None
    for name in files:
        typer.echo(folder / name)


def _listing(source: Path) -> dict[str, Path]:
    """Return what is copied: the name in the new folder, and the file."""
    data = sorted(path for path in source.iterdir() if path.suffix in _SUFFIXES)
    named = {name: source / example for name, example in _OWN_NAMES.items()}
    return named | {_NOTEBOOK: source / _NOTEBOOK} | {f"examples/{path.name}": path for path in data}
