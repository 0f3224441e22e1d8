"""Who may import whom: read from the import statements, nothing is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import latcpb_cli

PACKAGE = Path(latcpb_cli.__file__).parent

# The one list of layers: a module imports from lower layers and from its own room, never sideways; errors are
# for all.
LAYERS = [
    {"errors", "config", "chem", "choices", "device", "residue_ranges"},
    {"structure", "geometry", "weights", "tensor_file", "options", "read_options", "block_size"},
    {"io.readers", "io.writers", "metrics", "diffusion", "com_beads"},
    {"io.beads"},
    {"io"},
    {"evaluation", "templates"},
    {"model"},
    {"sidechains", "backbone", "confidence"},
    {"relax", "complete", "md", "hub", "predictor"},
    {"loaded_model"},
    {"run", "html_report"},
    {"api", "train"},
    {"cli"},
]
LAYER_OF = {room: number for number, rooms in enumerate(LAYERS) for room in rooms}

HOMES = {
    "MDAnalysis": ("io.readers", "io.writers", "api"),
    "e3nn": ("model",),
    "typer": ("cli",),
    "rich": ("cli",),
    "huggingface_hub": ("hub",),
    "dask": ("run",),
    "distributed": ("run",),
    "openmm": ("md",),
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


def room_of(module: str) -> str:
    """Room of a dotted name inside the package: the longest that has a layer, else its first part."""
    parts = module.split(".")
    known = [".".join(parts[:depth]) for depth in (2, 1) if ".".join(parts[:depth]) in LAYER_OF]
    return known[0] if known else parts[0]


def offences(room: str, source: str) -> list[str]:
    """Return what a module of this room must not import."""
    wrong = []
    for name in imported(source):
        top, _, rest = name.partition(".")
        target = room_of(rest)
        if top in HOMES and room not in HOMES[top]:
            wrong.append(f"{name}: {top} belongs to {HOMES[top]}")
        elif top == "latcpb_cli" and target in LAYER_OF and target not in (room, "errors"):
            if LAYER_OF[target] >= LAYER_OF[room]:
                wrong.append(f"{name}: layer {LAYER_OF[target]}, from layer {LAYER_OF[room]}")
        elif top == "latcpb_cli" and target not in LAYER_OF and target != "__version__" and room != "cli":
            wrong.append(f"{name}: the public interface is for the command line and for users")
    return wrong


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_downwards(path: Path) -> None:
    room = room_of(module_name(path))
    if room == "__init__":  # the public API: it looks down on everything but the command line
        assert not [name for name in imported(path.read_text("utf-8")) if name.startswith("latcpb_cli.cli")]
        return
    if room == "__main__":  # the command, as ``python -m latcpb_cli``
        return
    assert room in LAYER_OF, f"give {room} a layer"
    assert offences(room, path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("run", "from latcpb_cli.train.stages import run"),
        ("run", "def late():\n    import latcpb_cli.train"),
        ("io.readers", "from latcpb_cli.io.beads.chains import build_trace"),
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
        ("io", "from latcpb_cli.io.open_source import open_source"),
        ("io.beads", "from latcpb_cli.io.readers.atoms import AtomTable"),
        ("chem", "from latcpb_cli.errors import LatcpbError"),
        ("io", "from latcpb_cli import __version__"),
        ("cli", "from latcpb_cli import Backmapper"),
        ("cli", "from latcpb_cli.train import stages\nimport rich"),
    ],
)
def test_right_imports_pass(room: str, source: str) -> None:
    assert offences(room, source) == []
