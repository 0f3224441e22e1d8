"""Frames with bad coordinates: sound residues are written, the rest is reported, --strict stops."""

from __future__ import annotations

import json

import gemmi
import numpy as np
import pytest
from cg_files import walk, write_trajectory
from odd_files import atoms, com_beads, pdb


def broken(kind: str) -> np.ndarray:
    """Six frames, the third of them with bad coordinates."""
    positions = walk(13, 6)
    if kind == "nan":
        positions[2, [1, 5]] = np.nan
    elif kind == "all nan":
        positions[2] = np.nan
    elif kind == "infinite":
        positions[2, 3] = np.inf
    elif kind == "far":
        positions[2, 4] = 3e7
    elif kind == "exploded":
        positions[2] = 60.0 * positions[2]
    elif kind == "collapsed":
        positions[2] = 5.0
    return positions


@pytest.mark.parametrize(
    ("kind", "message", "missing"),
    [
        ("nan", "frame 2, residue A:GLY2 and 1 more residue: position is not a number", [1, 5]),
        ("all nan", "frame 2, residue A:MET1 and 12 more residues: position is not a number", range(13)),
        ("infinite", "frame 2, residue A:TRP4: position is not a number", [3]),
        ("far", "frame 2, residue A:THR5: position is beyond 1,000,000 Å", [4]),
        ("exploded", "frame 2, exploded: 12 of 12 neighbours 22", []),
        (
            "collapsed",
            "frame 2, collapsed: not built: 13 residues from A:MET1 on, nearly on one point",
            range(13),
        ),
    ],
)
@pytest.mark.parametrize("suffix", [".pdb", ".dcd"])
def test_sound_residues_are_written(folder, backmap, ca_pdb, kind, message, missing, suffix):
    positions = broken(kind)
    write_trajectory(folder / "t.dcd", positions)
    code, messages = backmap("t.dcd", "-s", "cg.pdb", "-o", f"out{suffix}")
    assert code == 0
    assert messages.count("warning: ") == 1
    assert f"warning: {message}" in messages
    report = json.loads((folder / "out.report.json").read_text())
    assert report["provenance"]["frames_with_problems"] == 1
    assert message.startswith("frame 2, " + report["provenance"]["frame_problems"]["2"][:20])
    assert len(report["frames"]) == 6
    if suffix == ".dcd":
        import MDAnalysis

        built = MDAnalysis.Universe(str(folder / "out.top.pdb"), str(folder / "out.dcd"), to_guess=())
        alphas = built.select_atoms("name CA")
        frames = np.array([alphas.positions for _ in built.trajectory])
    else:
        models = gemmi.read_pdb(str(folder / "out.pdb"))
        frames = np.array([[s.atom.pos.tolist() for s in m.all() if s.atom.name == "CA"] for m in models])
    expected = positions.copy()
    expected[2, list(missing)] = 0.0
    too_large = (expected[2] > 9999.0).any(axis=-1) if suffix == ".pdb" else np.zeros(13, dtype=bool)
    expected[2, too_large] = 0.0
    np.testing.assert_allclose(frames, expected, atol=1e-3)


@pytest.mark.parametrize("kind", ["nan", "exploded", "collapsed"])
def test_strict_stops(folder, backmap, ca_pdb, kind):
    write_trajectory(folder / "t.dcd", broken(kind))
    before = sorted(entry.name for entry in folder.iterdir())
    code, messages = backmap("t.dcd", "-s", "cg.pdb", "--strict")
    assert code == 3
    assert "error: t.dcd: frame 2, " in messages
    assert sorted(entry.name for entry in folder.iterdir()) == before
    assert backmap("t.dcd", "-s", "cg.pdb", "--strict", "--frames", "3:")[0] == 0


def test_warnings_are_counted(folder, backmap, ca_pdb):
    positions = walk(13, 40)
    positions[10:30, 2] = np.nan
    write_trajectory(folder / "t.dcd", positions)
    _, messages = backmap("t.dcd", "-s", "cg.pdb")
    assert messages.count("position is not a number") == 3
    assert "warning: 17 more frames like that (-v shows them)" in messages


def test_first_frame_without_positions(folder, backmap, ca_pdb):
    positions = walk(13, 4)
    positions[0] = np.nan
    write_trajectory(folder / "t.dcd", positions)
    assert backmap("t.dcd", "-s", "cg.pdb", "-o", "out.xtc")[0] == 0


def test_forced_beads_are_built_with_a_warning(folder, backmap):
    (folder / "com.pdb").write_text(pdb(atoms("A" * 30, com_beads(30))))
    code, messages = backmap("com.pdb")
    assert code == 3
    assert "accept them with --force" in messages
    code, messages = backmap("com.pdb", "--force")
    assert code == 0
    assert "warning: beads do not have the spacing of Cα in A:ALA1 to A:ALA30" in messages


def test_a_region_that_is_not_ca_is_named(folder, backmap):
    """A chain of Cα has centres of mass in a folded domain."""
    xyz = walk(60)[0].astype(float)
    middle = com_beads(30)
    xyz[20:50] = middle - middle[0] + xyz[20]
    xyz[50:] += xyz[49] - xyz[50] + [3.8, 0, 0]
    (folder / "a.pdb").write_text(pdb(atoms("A" * 60, xyz)))
    code, messages = backmap("a.pdb")
    assert code == 3
    assert "beads do not have the spacing of Cα in A:ALA2" in messages
    assert "A:ALA50" in messages or "A:ALA49" in messages
    assert backmap("a.pdb", "--selection", "resid 1:20 or resid 51:60")[0] == 0


@pytest.mark.parametrize("scale", [10.0, 1.0])
def test_units(folder, backmap, scale):
    (folder / "a.pdb").write_text(pdb(atoms(positions=walk(10)[0] / scale)))
    assert backmap("a.pdb", "--scale", scale, "-o", "out.pdb")[0] == 0
    alphas = [s.atom.pos.tolist() for s in gemmi.read_pdb("out.pdb")[0].all() if s.atom.name == "CA"]
    np.testing.assert_allclose(alphas, walk(10)[0], atol=6e-4 * scale)


def test_bad_frames_make_no_chains(folder, backmap, ca_pdb):
    """Only sound frames decide where a chain ends."""
    positions = walk(13, 6)
    positions[[0, 2, 4]] *= 50.0
    positions[5] = 5.0
    write_trajectory(folder / "t.dcd", positions)
    _, messages = backmap("t.dcd", "-s", "cg.pdb", "-o", "out.xtc")
    assert "6 frames of 13 residues in 1 chain\n" in messages
