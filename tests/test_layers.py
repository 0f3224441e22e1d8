"""Who may import whom: read from the import statements, nothing is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import latcpb_cli

PACKAGE = Path(latcpb_cli.__file__).parent

# A module imports from lower layers and from its own room, never sideways; errors are for all.
LAYERS = [
    {"errors", "config", "chem", "modes", "precision", "allocation"},
    {"structure", "geometry", "weights"},
    {"io", "metrics", "diffusion"},
    {"model"},
    {"refine", "md", "hub"},
    {"backmapper"},
    {"finishing"},
    {"recipe"},
    {"ledger"},
    {"pipeline"},
    {"train", "parallel"},
    {"cli"},
]
LAYER_OF = {room: number for number, rooms in enumerate(LAYERS) for room in rooms}

HOMES = {
    "MDAnalysis": "io",
    "e3nn": "model",
    "typer": "cli",
    "rich": "cli",
    "huggingface_hub": "hub",
    "dask": "parallel",
    "distributed": "parallel",
    "openmm": "md",
}

MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "_weights" not in path.parts)


def imported(source: str) -> Iterator[str]:
    """Yield the full name of everything that a module imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def offences(room: str, source: str) -> list[str]:
    """Return what a module of this room must not import."""
    found = []
    for name in imported(source):
        top, _, rest = name.partition(".")
        target = rest.partition(".")[0]
        if top in HOMES and HOMES[top] != room:
            found.append(f"{name}: {top} belongs to {HOMES[top]}")
        elif top == "latcpb_cli" and target in LAYER_OF and target not in (room, "errors"):
            if LAYER_OF[target] >= LAYER_OF[room]:
                found.append(f"{name}: layer {LAYER_OF[target]}, from layer {LAYER_OF[room]}")
        elif top == "latcpb_cli" and target not in LAYER_OF and target != "__version__" and room != "cli":
            found.append(f"{name}: the public interface is for the command line and for users")
    return found


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_downwards(path: Path) -> None:
    room = room_of(path)
    if room == "__init__":  # the public API: it looks down on everything but the command line
        assert not [name for name in imported(path.read_text("utf-8")) if name.startswith("latcpb_cli.cli")]
        return
    assert room in LAYER_OF, f"give {room} a layer"
    assert offences(room, path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("pipeline", "from latcpb_cli.train.stages import run"),
        ("pipeline", "def late():\n    import latcpb_cli.train"),
        ("io", "from latcpb_cli import metrics"),
        ("geometry", "from latcpb_cli.structure import CGTrace"),
        ("chem", "from latcpb_cli.config import ModelConfig"),
        ("metrics", "import MDAnalysis as mda"),
        ("geometry", "from e3nn.o3 import Irreps"),
        ("cli", "from huggingface_hub import errors"),
        ("io", "from latcpb_cli import Backmapper"),
    ],
)
def test_wrong_imports_are_seen(room: str, source: str) -> None:
    assert offences(room, source)


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("io", "from latcpb_cli.io.read import open_source"),
        ("chem", "from latcpb_cli.errors import LatcpbError"),
        ("io", "from latcpb_cli import __version__"),
        ("cli", "from latcpb_cli import Backmapper"),
        ("cli", "from latcpb_cli.train import stages\nimport rich"),
    ],
)
def test_right_imports_pass(room: str, source: str) -> None:
    assert offences(room, source) == []
