"""The examples are sound, and every command that a README shows can be run as it stands there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from MDAnalysis import Universe
from typer.main import get_command

from latcpb_cli.cli.app import app

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
READMES = [path for path in (ROOT / "README.md", EXAMPLES / "README.md") if path.exists()]

# Each subcommand that a README shows stands in one of these two tables.
RUN_HERE = {"backmap", "evaluate", "--help", "--version"}
"""Run here; `evaluate` compares what `backmap` has made."""
TESTED_ELSEWHERE = {"download-weights": "tests/cli/test_weights.py", "train": "tests/train"}
"""Not run here, since they need a Hub or training data."""

OPTIONS_ELSEWHERE = {"--scheduler": "tests/test_parallel.py"}
"""Options of `backmap` that no README command uses; this one needs a cluster."""

STAND_INS = {"traj.xtc": "4ebp2.xtc", "cg.pdb": "4ebp2.pdb"}
"""The user's own files in README commands, and the examples that are put in their place."""

TRAJECTORIES = {"4ebp2": "4ebp2.xtc", "tnc": "tnc.dcd"}
N_RESIDUES = {"4ebp2": 120, "tnc": 89}
FENCE = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CALL = re.compile(r"(?:^|[;&|(]\s*|\b[A-Z_]+=\S+\s+)latcpb\s+(\S+)")


class Block(NamedTuple):
    """A fenced block of a README that calls latcpb: its lines, and the subcommands in each."""

    name: str
    lines: list[tuple[str, list[str]]]


def blocks(readme: Path) -> list[Block]:
    text = readme.read_text("utf-8")
    found = []
    for fence in FENCE.finditer(text):
        lines = [line.strip() for line in fence[1].replace("\\\n", " ").splitlines()]
        calls = [(line, CALL.findall(line)) for line in lines if line and not line.startswith("#")]
        number = text[: fence.start()].count("\n") + 1
        name = f"{readme.relative_to(ROOT)}:{number}"
        found.append(Block(name, [(line, names) for line, names in calls if names]))
    return [block for block in found if block.lines]


BLOCKS = [block for readme in READMES for block in blocks(readme)]


@pytest.fixture
def folder(tmp_path):
    """A copy of what a user sees at the root of the repository, with files of the user's own."""
    shutil.copytree(EXAMPLES, tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__", ".*"))
    for own, example in STAND_INS.items():
        shutil.copy(EXAMPLES / example, tmp_path / own)
    universe = Universe(tmp_path / "cg.pdb", tmp_path / "examples" / STAND_INS["traj.xtc"], to_guess=())
    universe.atoms.write(tmp_path / "traj.xtc", frames=universe.trajectory[:3])
    return tmp_path


@pytest.fixture(params=sorted(N_RESIDUES))
def simulation(request, folder):
    """A coarse-grained example: its name, the universe, Cα positions (F, L, 3) in Å."""
    trajectory = folder / "examples" / TRAJECTORIES[request.param]
    universe = Universe(trajectory.with_suffix(".pdb"), trajectory, to_guess=())
    positions = np.array([frame.positions.copy() for frame in universe.trajectory], dtype=float)
    return request.param, universe, positions


def run(line: str, folder: Path, first_on_path: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join((str(first_on_path), os.environ["PATH"]))
    return subprocess.run(
        ["sh", "-c", line], cwd=folder, env=os.environ | {"PATH": path}, text=True, capture_output=True
    )


def dihedrals(positions: np.ndarray) -> np.ndarray:
    """Cα dihedrals in degrees: (..., L, 3) becomes (..., L - 3)."""
    a, b, c = (np.diff(positions, axis=-2)[..., i : positions.shape[-2] - 3 + i, :] for i in range(3))
    across = np.cross(b, c)
    sine = np.linalg.norm(b, axis=-1) * (a * across).sum(-1)
    return np.degrees(np.arctan2(sine, (np.cross(a, b) * across).sum(-1)))


def test_files_are_small():
    sizes = {path.name: path.stat().st_size for path in EXAMPLES.iterdir() if path.is_file()}
    assert {"4ebp2.xtc", "4ebp2.pdb", "tnc.dcd", "tnc.pdb", "tnc_allatom.pdb"} <= sizes.keys()
    assert max(sizes.values()) <= 1_000_000


def test_topology_has_one_named_bead_per_residue(simulation):
    name, universe, _ = simulation
    assert universe.atoms.n_atoms == universe.residues.n_residues == N_RESIDUES[name]
    assert set(universe.atoms.names) == {"CA"}
    assert set(universe.atoms.chainIDs) == {"A"}
    assert universe.residues.resids.tolist() == list(range(1, N_RESIDUES[name] + 1))


def test_trajectory_has_frames_times_and_box(simulation):
    name, universe, _ = simulation
    spacing, edge = {"4ebp2": (50.0, 500.0), "tnc": (20.0, 80.0)}[name]
    times = np.array([frame.time for frame in universe.trajectory])
    assert len(times) == 100
    np.testing.assert_allclose(np.diff(times), spacing, rtol=1e-5)
    for frame in universe.trajectory:
        np.testing.assert_allclose(frame.dimensions, [edge, edge, edge, 90, 90, 90])


def test_beads_stand_as_in_coarse_grained_simulations(simulation):
    name, _, positions = simulation
    bonds = np.linalg.norm(np.diff(positions, axis=1), axis=-1)
    assert bonds.mean() == pytest.approx(3.83, abs=0.03)
    assert bonds.std() == pytest.approx({"4ebp2": 0.17, "tnc": 0.07}[name], abs=0.02)
    assert bonds.max() < 4.55  # no breaks, no jumps through the box
    distances = np.linalg.norm(positions[:, :, None] - positions[:, None], axis=-1)
    first, second = np.triu_indices(positions.shape[1], 3)
    assert distances[:, first, second].min() > 3.0


def test_disordered_protein_explores_and_folded_one_does_not(simulation):
    name, _, positions = simulation
    centred = positions - positions.mean(axis=1, keepdims=True)
    rg = np.sqrt((centred**2).sum(-1).mean(-1))
    low, high = {"4ebp2": (15.0, 50.0), "tnc": (12.0, 14.5)}[name]
    assert low < rg.min() < rg.max() < high
    assert (rg.std() > 3.0) == (name == "4ebp2")


def test_folded_protein_has_right_handed_helices(folder):
    universe = Universe(*(folder / "examples" / name for name in ("tnc.pdb", "tnc.dcd")), to_guess=())
    turns = dihedrals(np.array([frame.positions.copy() for frame in universe.trajectory], dtype=float))
    assert ((turns > 30) & (turns < 80)).mean() > 0.4
    assert ((turns > -80) & (turns < -30)).mean() < 0.1


def test_reference_is_the_folded_protein_in_all_heavy_atoms(folder):
    coarse = Universe(folder / "examples" / "tnc.pdb", to_guess=())
    reference = Universe(folder / "examples" / "tnc_allatom.pdb", to_guess=())
    assert len(reference.trajectory) == 5
    assert reference.residues.resnames.tolist() == coarse.residues.resnames.tolist()
    assert set(reference.atoms.elements) == {"C", "N", "O", "S"}
    branched = [
        residue.atoms.select_atoms("name N C CB CA").positions[np.argsort(names)]
        for residue in reference.residues
        if len(names := [name for name in residue.atoms.names if name in ("N", "C", "CB", "CA")]) == 4
    ]
    for c, ca, cb, n in branched:  # L residues
        assert np.dot(np.cross(n - ca, c - ca), cb - ca) > 0


def test_demo_can_be_run_twice_and_names_its_results(folder):
    stub = folder / "bin" / "latcpb"
    stub.parent.mkdir()
    stub.write_text(
        '#!/bin/sh\necho "$@" >> calls.txt\n'
        "for end in xtc top.pdb report.json report.csv; do echo x > demo/4ebp2_all.$end; done\n"
    )
    stub.chmod(0o755)
    for _ in range(2):
        done = run("sh examples/demo.sh", folder, first_on_path=stub.parent)
        assert done.returncode == 0, done.stderr
    calls = (folder / "calls.txt").read_text().splitlines()
    assert len(calls) == 2 and all("--overwrite" in call for call in calls)
    named = re.findall(r"demo/\S+", done.stdout)
    assert len(named) == 4 and all((folder / name).exists() for name in named)


def test_demo_fails_where_latcpb_does(folder):
    stub = folder / "bin" / "latcpb"
    stub.parent.mkdir()
    stub.write_text("#!/bin/sh\nexit 5\n")
    stub.chmod(0o755)
    done = run("sh examples/demo.sh", folder, first_on_path=stub.parent)
    assert done.returncode == 5
    assert "demo/" not in done.stdout


def test_every_option_of_backmap_has_an_example():
    words = {word for block in BLOCKS for line, _ in block.lines for word in line.split()}
    options = [parameter.opts for parameter in get_command(app).commands["backmap"].params]
    unused = [names[0] for names in options if names[0].startswith("-") and not words.intersection(names)]
    assert unused == list(OPTIONS_ELSEWHERE)


def test_parser_finds_every_call(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    readme = tmp_path / "README.md"
    readme.write_text(
        "latcpb backmap prose\n\n```sh\n# latcpb comment\npip install latcpb\nlatcpb backmap a.xtc \\\n"
        "    --top b.pdb\nX=1 latcpb evaluate a b && latcpb --help\n```\n\n```python\nlatcpb train\n```\n"
    )
    (block,) = blocks(readme)
    assert block.name == "README.md:3"
    assert [names for _, names in block.lines] == [["backmap"], ["evaluate", "--help"]]
    assert "--top b.pdb" in block.lines[0][0]


def test_every_command_in_the_readmes_is_exercised_somewhere():
    assert sum(block.name.startswith("examples/") for block in BLOCKS) >= 3
    for name in {name for block in BLOCKS for _, names in block.lines for name in names}:
        assert name in RUN_HERE or (ROOT / TESTED_ELSEWHERE[name]).exists(), f"who tests latcpb {name}?"


@pytest.mark.slow
@pytest.mark.openmm
def test_openmm_takes_the_start_that_the_examples_make(folder):
    """The Python lines of "Start an MD run", with fewer steps."""
    pytest.importorskip("openmm")
    text = (EXAMPLES / "README.md").read_text("utf-8")
    section = text[text.index("## Start an MD run") :]
    command = re.search(r"^latcpb .*$", section, re.MULTILINE)
    lines = re.search(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    shorter = lines[1].replace("maxIterations=1000", "maxIterations=5").replace("step(5000)", "step(5)")
    assert shorter.count("5)") == 2
    assert run(command[0], folder, first_on_path=Path(sys.executable).parent).returncode == 0
    done = subprocess.run([sys.executable, "-c", shorter], cwd=folder, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr


RUNNABLE = [block for block in BLOCKS if any(RUN_HERE & set(names) for _, names in block.lines)]


@pytest.mark.parametrize("block", RUNNABLE, ids=lambda block: block.name)
def test_commands_run_as_printed(block, folder):
    for line, names in block.lines:
        if not RUN_HERE & set(names):
            continue
        assert set(names) <= RUN_HERE, f"a line of its own for each command: {line}"
        done = run(line, folder, first_on_path=Path(sys.executable).parent)
        assert done.returncode == 0, f"{line}\n{done.stderr}"
        for output in re.findall(r"(?:-o|--output|--json)\s+(\S+)", line):
            assert (folder / output).stat().st_size > 0, line
