"""``latcpb inspect`` as a user calls it."""

from __future__ import annotations

import numpy as np
import pytest
from cg_files import walk, write_ca_pdb, write_trajectory
from cg_formats import STRUCTURE_WRITERS, TOPOLOGY_WRITERS, TRAJECTORY_WRITERS
from odd_files import atoms, com_beads, pdb

SEQUENCE = "MGSWTYPLKHCDE"
BOX = np.array([80.0, 90.0, 100.0])
EXTRAS = {"gsd": "gsd.hoomd", "h5": "h5py", "h5md": "h5py"}


@pytest.mark.parametrize("name", [*STRUCTURE_WRITERS, *TOPOLOGY_WRITERS, *TRAJECTORY_WRITERS])
def test_every_format(folder, latcpb, name):
    if name in EXTRAS:
        pytest.importorskip(EXTRAS[name])
    positions = walk(len(SEQUENCE), 4) + np.float32(3.0)
    write = {**STRUCTURE_WRITERS, **TOPOLOGY_WRITERS, **TRAJECTORY_WRITERS}[name]
    files = [write(folder, SEQUENCE, positions, BOX)]
    if name in TOPOLOGY_WRITERS:
        files.append(TRAJECTORY_WRITERS["xtc"](folder, SEQUENCE, positions, BOX))
    if name in TRAJECTORY_WRITERS:
        files.insert(0, write_ca_pdb(folder / "top.pdb", SEQUENCE, positions[:1]))
    code, output, messages = latcpb("inspect", *files, *(["--sequence", SEQUENCE] if name == "data" else []))
    assert (code, messages) == (0, "")
    count = 1 if name == "data" else 4
    assert f"frames     {count} of {count}: 0" in output
    assert "80.00 x 90.00 x 100.00 Å, angles 90.00 90.00 90.00°" in output
    assert "13 named CA, in 1 chain" in output or "13 of any name, in 1 chain" in output
    assert "Cα-Cα      median 3.80 Å, 0 of 12 bonds odd, 0 cis peptides: like Cα" in output
    assert f"           {SEQUENCE}\n" in output


def test_chains_breaks_and_left_out_residues(folder, latcpb):
    xyz = walk(10, 4)
    xyz[1, 6:] += 3.0
    xyz[:, 9] += 40.0
    chains, names = "A" * 9 + "W", ["ALA"] * 8 + ["HSD", "HOH"]
    write_ca_pdb(folder / "cg.pdb", "A" * 10, xyz[:1], chains=chains, resnames=names)
    write_trajectory(folder / "t.dcd", xyz)
    code, output, _ = latcpb("inspect", "cg.pdb", "t.dcd")
    assert code == 0
    assert "frames     4 of 4: 0 to 30 ps, every 10 ps" in output
    assert "box        none" in output
    assert "chain 1    'A', 9 residues, A:ALA1 to A:HIS9, Cα-Cα 3.80 ± 0.00 Å" in output
    assert "  break    A:ALA6-A:ALA7 in 1 of 4 frames" in output
    assert "left out   HOH (1)" in output
    assert "read as    HSD as HIS (1)" in output


def test_beads_that_backmap_refuses(folder, latcpb):
    (folder / "com.pdb").write_text(pdb(atoms("A" * 30, com_beads(30))))
    code, output, _ = latcpb("inspect", "com.pdb")
    assert code == 0
    assert "bonds odd, 0 cis peptides: not like Cα" in output
    assert "warning    beads do not have the spacing of Cα in A:ALA1 to A:ALA30" in output
    assert "refused    latcpb backmap takes these beads with --force only" in output
    write_ca_pdb(folder / "nm.pdb", SEQUENCE, walk(13) / 10)
    assert "nm coordinates in a format of Å (add --scale 10" in latcpb("inspect", "nm.pdb")[1]
    assert "like Cα" in latcpb("inspect", "nm.pdb", "--scale", 10)[1]


def test_bad_frames_are_counted(folder, latcpb, ca_pdb):
    positions = walk(13, 30)
    positions[4:24, 2] = np.nan
    write_trajectory(folder / "t.dcd", positions)
    code, output, _ = latcpb("inspect", "cg.pdb", "t.dcd")
    assert code == 0
    assert "warning    frame 4, residue A:SER3: position is not a number" in output
    assert output.count("position is not a number") == 10
    assert "and 10 more frames (-v shows all)" in output
    assert latcpb("inspect", "cg.pdb", "t.dcd", "-v")[1].count("position is not a number") == 20


def test_unreadable(latcpb):
    code, _, messages = latcpb("inspect", "nothing.pdb")
    assert code == 3
    assert messages.startswith("error: nothing.pdb: no such file\nhint: ")
