"""The bond that closes a ring, in PDB and mmCIF files."""

from __future__ import annotations

from dataclasses import replace

import gemmi
import MDAnalysis
import numpy as np
import pytest
from peptides import structure

from latcpb_cli.io.writers.atom_writer import open_writer
from latcpb_cli.io.writers.frame_writer import OutputSpec
from latcpb_cli.structure import AtomTopology, FrameChunk

BUILT = structure("GAKLPF")
TRACE = replace(BUILT.trace, cyclic_chains=(0,))
TOPOLOGY = AtomTopology.heavy_atoms(TRACE)
ENDS = [
    int(np.flatnonzero((TOPOLOGY.residue == row) & (TOPOLOGY.names == name))[0])
    for row, name in ((5, "C"), (0, "N"))
]


def write(path, naming="pdb"):
    chunk = FrameChunk(BUILT.atoms[:, :, 1], np.zeros(1), np.zeros((1, 6)), np.zeros(1, dtype=np.int64))
    with open_writer(path, TOPOLOGY, OutputSpec(1, 1, naming=naming)) as writer:
        writer.write(BUILT.atoms[:, None], chunk)
        writer.commit()
    return path


def test_a_pdb_file_links_the_ends(tmp_path):
    path = write(tmp_path / "a.pdb")
    (link,) = [line for line in path.read_text().splitlines() if line.startswith("LINK")]
    assert (link[12:16], link[17:20], link[21], link[22:26]) == (" C  ", "PHE", "A", "   6")
    assert (link[42:46], link[47:50], link[51], link[52:56]) == (" N  ", "GLY", "A", "   1")
    positions = TOPOLOGY.flatten(BUILT.atoms)[0]
    length = np.linalg.norm(positions[ENDS[0]] - positions[ENDS[1]])
    assert (link[59:65], link[66:72]) == ("  1555", "  1555")
    assert float(link[73:78]) == pytest.approx(length, abs=0.006)
    (bond,) = MDAnalysis.Universe(str(path)).bonds
    assert sorted(bond.indices) == sorted(ENDS)
    assert "OXT" not in path.read_text()


def test_charmm_names_have_no_terminal_oxygens(tmp_path):
    assert "OT1" not in write(tmp_path / "a.pdb", "charmm").read_text()


def test_an_mmcif_file_connects_the_ends(tmp_path):
    (bond,) = gemmi.read_structure(str(write(tmp_path / "a.cif"))).connections
    assert bond.type is gemmi.ConnectionType.Covale
    ends = [(end.atom_name, end.res_id.name, end.res_id.seqid.num) for end in (bond.partner1, bond.partner2)]
    assert ends == [("C", "PHE", 6), ("N", "GLY", 1)]
