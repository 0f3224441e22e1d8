"""Trajectories and the topologies beside them."""

from __future__ import annotations

import gemmi
import numpy as np
import pytest
from written import BOX, load_universe, make_trace, write_frames


@pytest.mark.parametrize("suffix", [".xtc", ".trr", ".dcd"])
@pytest.mark.parametrize("box", [BOX, None], ids=["box", "no box"])
@pytest.mark.parametrize("samples", [1, 2])
def test_round_trip(tmp_path, suffix, box, samples):
    path = tmp_path / f"all{suffix}"
    _, chunk, xyz = write_frames(path, box=box, samples=samples)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted(["all.top.pdb", path.name])
    universe = load_universe(tmp_path / "all.top.pdb", path)
    assert len(universe.trajectory) == 3 * samples
    np.testing.assert_allclose(universe.trajectory[0].positions, xyz[0], atol=0.006)
    for number, step in enumerate(universe.trajectory):
        np.testing.assert_allclose(step.positions, xyz[number], atol=0.006 if suffix == ".xtc" else 1e-4)
        if suffix != ".dcd" or number % samples == 0:
            assert step.time == pytest.approx(chunk.times[number // samples], rel=1e-5)
        if suffix != ".dcd":
            assert step.data["step"] == chunk.indices[number // samples]
        if box:
            np.testing.assert_allclose(step.dimensions, BOX, rtol=1e-4)
        else:
            assert step.dimensions is None or not step.dimensions[:3].any()


def test_topology_is_one_frame(tmp_path):
    topology, _, xyz = write_frames(tmp_path / "all.xtc")
    structure = gemmi.read_pdb(str(tmp_path / "all.top.pdb"))
    assert len(structure) == 1
    assert structure[0].count_atom_sites() == len(topology)


def test_big_topologies_wrap_their_numbers(tmp_path):
    n_residues = 12_000
    chains = [f"c{i // 150}" for i in range(n_residues)]
    trace = make_trace("W" * n_residues, chains, resids=np.arange(1, n_residues + 1))
    write_frames(tmp_path / "all.xtc", trace, n_frames=1, samples=1, box=None)
    universe = load_universe(tmp_path / "all.top.pdb", tmp_path / "all.xtc")
    assert len(universe.residues) == n_residues
    assert universe.residues.resids[-1] == n_residues
    lines = (tmp_path / "all.top.pdb").read_text().splitlines()
    assert {len(line) for line in lines if line.startswith("ATOM")} == {80}
