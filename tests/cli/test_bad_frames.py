"""Frames that are not sound: what can be built is written, the rest is reported, --strict stops."""

from __future__ import annotations

import json

import gemmi
import numpy as np
import pytest
from cg_files import FakeBackmapper, walk, write_trajectory
from odd_files import atoms, com_beads, pdb

from latcpb_cli.cli.app import main


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run ``latcpb backmap`` in a folder of its own; gives exit code and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("latcpb_cli.backmapper.Backmapper", FakeBackmapper)

    def call(*arguments: object) -> tuple[int, str]:
        with pytest.raises(SystemExit) as caught:
            main(["backmap", *[str(argument) for argument in arguments]])
        return int(caught.value.code or 0), capsys.readouterr().err

    return call


def broken(kind: str) -> np.ndarray:
    """Six frames, the third of them not sound."""
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
    ("kind", "said", "lost"),
    [
        ("nan", "frame 2, residue A:GLY2 and 1 more residue: position is not a number", [1, 5]),
        ("all nan", "frame 2, residue A:MET1 and 12 more residues: position is not a number", range(13)),
        ("infinite", "frame 2, residue A:TRP4: position is not a number", [3]),
        ("far", "frame 2, residue A:THR5: position is not a number", [4]),
        ("exploded", "frame 2, exploded: 12 of 12 neighbours 22", []),
        ("collapsed", "frame 2, collapsed: 12 of 12 neighbours 0.0 to 0.0 Å apart", []),
    ],
)
@pytest.mark.parametrize("suffix", [".pdb", ".dcd"])
def test_what_can_be_built_is_written(tmp_path, run, ca_pdb, kind, said, lost, suffix):
    positions = broken(kind)
    write_trajectory(tmp_path / "t.dcd", positions)
    code, messages = run("t.dcd", "-s", "cg.pdb", "-o", f"out{suffix}")
    assert code == 0
    assert messages.count("warning: ") == 1
    assert f"warning: {said}" in messages
    report = json.loads((tmp_path / "out.report.json").read_text())
    assert report["provenance"]["frames_with_problems"] == 1
    assert said.startswith("frame 2, " + report["provenance"]["frame_problems"]["2"][:20])
    assert len(report["frames"]) == 6
    if suffix == ".dcd":
        import MDAnalysis

        built = MDAnalysis.Universe(str(tmp_path / "out.top.pdb"), str(tmp_path / "out.dcd"), to_guess=())
        alphas = built.select_atoms("name CA")
        frames = np.array([alphas.positions for _ in built.trajectory])
    else:
        models = gemmi.read_pdb(str(tmp_path / "out.pdb"))
        frames = np.array([[s.atom.pos.tolist() for s in m.all() if s.atom.name == "CA"] for m in models])
    expected = positions.copy()
    expected[2, list(lost)] = 0.0
    unfit = (expected[2] > 9999.0).any(axis=-1) if suffix == ".pdb" else np.zeros(13, dtype=bool)
    expected[2, unfit] = 0.0
    np.testing.assert_allclose(frames, expected, atol=1e-3)


@pytest.mark.parametrize("kind", ["nan", "exploded", "collapsed"])
def test_strict_stops(tmp_path, run, ca_pdb, kind):
    write_trajectory(tmp_path / "t.dcd", broken(kind))
    before = sorted(entry.name for entry in tmp_path.iterdir())
    code, said = run("t.dcd", "-s", "cg.pdb", "--strict")
    assert code == 3
    assert "error: t.dcd: frame 2, " in said
    assert sorted(entry.name for entry in tmp_path.iterdir()) == before
    assert run("t.dcd", "-s", "cg.pdb", "--strict", "--frames", "3:")[0] == 0


def test_warnings_are_counted(tmp_path, run, ca_pdb):
    positions = walk(13, 40)
    positions[10:30, 2] = np.nan
    write_trajectory(tmp_path / "t.dcd", positions)
    _, said = run("t.dcd", "-s", "cg.pdb")
    assert said.count("position is not a number") == 3
    assert "warning: 17 more frames like that (-v shows them)" in said


def test_first_frame_without_positions(tmp_path, run, ca_pdb):
    positions = walk(13, 4)
    positions[0] = np.nan
    write_trajectory(tmp_path / "t.dcd", positions)
    assert run("t.dcd", "-s", "cg.pdb", "-o", "out.xtc")[0] == 0


def test_forced_beads_are_built_with_a_warning(tmp_path, run):
    (tmp_path / "com.pdb").write_text(pdb(atoms("A" * 30, com_beads(30))))
    code, said = run("com.pdb")
    assert code == 3
    assert "accept them with --force" in said
    code, said = run("com.pdb", "--force")
    assert code == 0
    assert "warning: beads do not have the spacing of Cα in A:ALA1 to A:ALA30" in said


def test_a_region_that_is_not_ca_is_named(tmp_path, run):
    """A folded domain of centres of mass in a chain of Cα."""
    xyz = walk(60)[0].astype(float)
    middle = com_beads(30)
    xyz[20:50] = middle - middle[0] + xyz[20]
    xyz[50:] += xyz[49] - xyz[50] + [3.8, 0, 0]
    (tmp_path / "a.pdb").write_text(pdb(atoms("A" * 60, xyz)))
    code, said = run("a.pdb")
    assert code == 3
    assert "beads do not have the spacing of Cα in A:ALA2" in said
    assert "A:ALA50" in said or "A:ALA49" in said
    assert run("a.pdb", "--selection", "resid 1:20 or resid 51:60")[0] == 0


@pytest.mark.parametrize("scale", [10.0, 1.0])
def test_units(tmp_path, run, scale):
    (tmp_path / "a.pdb").write_text(pdb(atoms(positions=walk(10)[0] / scale)))
    assert run("a.pdb", "--scale", scale, "-o", "out.pdb")[0] == 0
    alphas = [s.atom.pos.tolist() for s in gemmi.read_pdb("out.pdb")[0].all() if s.atom.name == "CA"]
    np.testing.assert_allclose(alphas, walk(10)[0], atol=6e-4 * scale)


def test_bad_frames_make_no_chains(tmp_path, run, ca_pdb):
    """Chains are told apart by the frames that are sound."""
    positions = walk(13, 6)
    positions[[0, 2, 4]] *= 50.0
    positions[5] = 5.0
    write_trajectory(tmp_path / "t.dcd", positions)
    _, said = run("t.dcd", "-s", "cg.pdb", "-o", "out.xtc")
    assert "6 frames of 13 residues in 1 chain\n" in said
