"""The example files are what examples/README.md lists, and the demo runs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from MDAnalysis import Universe
from MDAnalysis.analysis.rms import rmsd

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"

TRAJECTORIES = {"4ebp2": "4ebp2.xtc", "tnc": "tnc.dcd"}
N_RESIDUES = {"4ebp2": 120, "tnc": 89}


@pytest.fixture
def folder(tmp_path):
    """A folder with a copy of examples/."""
    shutil.copytree(EXAMPLES, tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__", ".*"))
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
    assert {"tnc_com.pdb", "tnc_sc.pdb", "tnc_pair.pdb", "tnc_pair.xtc"} <= sizes.keys()
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


def test_domains_keep_their_shape_and_the_linker_is_ca(folder):
    examples = folder / "examples"
    universe = Universe(examples / "tnc_pair.pdb", examples / "tnc_pair.xtc", to_guess=())
    native = Universe(examples / "tnc_com.pdb", to_guess=()).atoms.positions[4:85]
    positions = np.array([frame.positions.copy() for frame in universe.trajectory], dtype=float)
    assert positions.shape == (20, 208, 3)
    for frame in positions:
        assert all(rmsd(frame[start : start + 81], native, superposition=True) < 1.5 for start in (4, 123))
    linker = np.linalg.norm(np.diff(positions[:, 85:123], axis=1), axis=-1)
    assert linker.mean() == pytest.approx(3.83, abs=0.04) and linker.max() < 4.55


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
