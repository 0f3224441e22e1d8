"""Modified residues, disulfides and names of force fields in files, read back by others."""

from __future__ import annotations

import warnings
from dataclasses import replace

import gemmi
import MDAnalysis
import numpy as np
import pytest
from peptides import build

from latcpb_cli.chem.conventions import NAMINGS
from latcpb_cli.chem.modified import residue_kinds
from latcpb_cli.complete.modified_atoms import attach_modified_atoms
from latcpb_cli.io.all_atom import read_all_atom
from latcpb_cli.io.open_source import open_source
from latcpb_cli.io.writers.atom_writer import open_writer
from latcpb_cli.io.writers.frame_writer import OutputSpec
from latcpb_cli.structure import AtomTopology, CGTrace, FrameChunk

SEQUENCE = "CISTYMMHHCDI"
VARIANTS = ["", "", "SEP", "TPO", "PTR", "MHO", "SME", "", "HIE", "", "ASH", ""]
TRACE = CGTrace(
    sequence=SEQUENCE,
    chain_ids=np.array(["A"] * 10 + ["B"] * 2),
    chain_index=np.array([0] * 10 + [1] * 2),
    resids=np.r_[27:37, 1:3],
    icodes=np.array(["", "A", *[""] * 10]),
    variants=np.array(VARIANTS),
)
BRIDGES = ((0, 9),)
EXTRAS = {
    "SEP": {"P", "O1P", "O2P", "O3P"},
    "TPO": {"P", "O1P", "O2P", "O3P"},
    "PTR": {"P", "O1P", "O2P", "O3P"},
    "MHO": {"SD", "OD1"},
    "SME": {"S", "OE"},
}


def frames(count=2):
    """Atoms (F, 1, L, W, 3) of a peptide in two pieces, and the chunk that they belong to."""
    atoms = np.repeat(build(SEQUENCE, phi=-120.0, psi=130.0)[0][None], count, axis=0)
    atoms += np.arange(count, dtype=np.float32)[:, None, None, None]
    # The first chain ends where the peptide goes on: its O stands in for OXT.
    atoms[:, 9, 14] = atoms[:, 9, 3] + np.float32(2.2)
    wide = attach_modified_atoms(TRACE, atoms, np.zeros((count, 3, 3)))[:, None]
    boxes = np.tile(np.array([90.0, 90, 90, 90, 90, 90], dtype=np.float32), (count, 1))
    return wide, FrameChunk(atoms[:, :, 1], np.arange(count) * 1.0, boxes, np.arange(count))


def write(path, naming="pdb", bridges=BRIDGES, count=2):
    atoms, chunk = frames(count)
    topology = AtomTopology.heavy_atoms(TRACE)
    with open_writer(path, topology, OutputSpec(count, naming=naming)) as writer:
        writer.write(atoms, chunk, None, [[bridges]] * count)
        writer.commit()
    return topology, topology.flatten(atoms[:, 0])


def records(path, name):
    return [line for line in path.read_text().splitlines() if line.startswith(name)]


@pytest.mark.parametrize("output", ["a.pdb", "a.xtc"])
def test_gemmi_reads_modified_residues(tmp_path, output):
    topology, xyz = write(tmp_path / output)
    path = tmp_path / ("a.pdb" if output == "a.pdb" else "a.top.pdb")
    structure = gemmi.read_pdb(str(path))
    structure.setup_entities()
    residues = [residue for chain in structure[0] for residue in chain]
    assert [residue.name for residue in residues] == [
        "CYS", "ILE", "SEP", "TPO", "PTR", "MHO", "SME", "HIS", "HIS", "CYS", "ASP", "ILE",
    ]  # fmt: skip
    for residue in residues:
        names = {atom.name for atom in residue}
        assert len(names) == len(residue)
        assert EXTRAS.get(residue.name, set()) <= names
        assert residue.het_flag == ("H" if residue.name in EXTRAS else "A")
    elements = [atom.element.name for residue in residues for atom in residue]
    assert elements == topology.elements.tolist() and elements.count("P") == 3
    positions = [atom.pos.tolist() for residue in residues for atom in residue]
    np.testing.assert_allclose(positions, xyz[0], atol=1e-3)
    (bridge,) = [link for link in structure.connections if link.type == gemmi.ConnectionType.Disulf]
    assert [(end.chain_name, end.res_id.seqid.num) for end in (bridge.partner1, bridge.partner2)] == [
        ("A", 27), ("A", 36),
    ]  # fmt: skip
    assert {mod.res_id.name: mod.parent_comp_id for mod in structure.mod_residues} == {
        "SEP": "SER", "TPO": "THR", "PTR": "TYR", "MHO": "MET", "SME": "MET",
    }  # fmt: skip


def test_mdanalysis_reads_the_trajectory_and_the_bonds(tmp_path):
    topology, xyz = write(tmp_path / "a.xtc")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        universe = MDAnalysis.Universe(str(tmp_path / "a.top.pdb"), str(tmp_path / "a.xtc"), to_guess=())
    assert universe.atoms.names.tolist() == topology.names.tolist()
    for step, expected in zip(universe.trajectory, xyz, strict=True):
        np.testing.assert_allclose(step.positions, expected, atol=0.006)
    bonds = {
        frozenset((f"{one.resname}:{one.name}", f"{two.resname}:{two.name}")) for one, two in universe.bonds
    }
    for bond in (
        "SEP:OG SEP:P",
        "SEP:P SEP:O3P",
        "SEP:C TPO:N",
        "ILE:C SEP:N",
        "PTR:OH PTR:P",
        "SME:S SME:OE",
    ):
        assert frozenset(bond.split()) in bonds
    assert frozenset(["CYS:SG"]) in bonds
    lengths = universe.bonds.values()
    assert (np.delete(lengths, np.argmax(lengths)) < 1.9).all()  # the longest is the stretched disulfide


def test_columns_of_the_records(tmp_path):
    """As in the description of PDB 3.3."""
    _, xyz = write(tmp_path / "a.pdb")
    (bridge,) = records(tmp_path / "a.pdb", "SSBOND")
    assert (bridge[7:10], bridge[11:14], bridge[15], bridge[17:21], bridge[21]) == (
        "  1",
        "CYS",
        "A",
        "  27",
        " ",
    )
    assert (bridge[25:28], bridge[29], bridge[31:35], bridge[35]) == ("CYS", "A", "  36", " ")
    assert (bridge[59:65], bridge[66:72]) == ("  1555", "  1555")
    topology = AtomTopology.heavy_atoms(TRACE)
    one, two = (xyz[0][(topology.residue == row) & (topology.names == "SG")][0] for row in BRIDGES[0])
    assert float(bridge[73:78]) == pytest.approx(np.linalg.norm(one - two), abs=0.01)
    sep = records(tmp_path / "a.pdb", "MODRES")[0]
    assert (sep[12:15], sep[16], sep[18:22], sep[24:27], sep[29:]) == (
        "SEP",
        "A",
        "  29",
        "SER",
        "PHOSPHOSERINE",
    )
    lines = (tmp_path / "a.pdb").read_text().splitlines()
    assert max(map(len, lines)) <= 80
    heads = [line[:6].strip() for line in lines]
    assert heads.index("SSBOND") < heads.index("MODEL") < heads.index("ENDMDL") < heads.index("CONECT")
    assert heads.count("TER") == 4 and heads[-1] == "END"


def test_a_bridge_to_the_next_box(tmp_path):
    atoms, chunk = frames(1)
    atoms[0, 0, 9, 5] = atoms[0, 0, 0, 5] + np.float32([-88.0, 90.5, 0.0])
    topology = AtomTopology.heavy_atoms(TRACE)
    with open_writer(tmp_path / "a.pdb", topology, OutputSpec(1)) as writer:
        writer.write(atoms, chunk, None, [[BRIDGES]])
        writer.commit()
    (bridge,) = records(tmp_path / "a.pdb", "SSBOND")
    assert bridge[66:72] == "  1645"
    assert float(bridge[73:78]) == pytest.approx(np.hypot(2.0, 0.5), abs=0.01)


EXPECTED = {
    "pdb": "CYS ILE SEP TPO PTR MHO SME HIS HIS CYS ASP ILE",
    "charmm": "CYS ILE SP2 THPB TP2 MHO SME HSD HSE CYS ASPP ILE",
    "amber": "CYX ILE SEP TPO PTR MHO SME HIE HIE CYX ASH ILE",
}


@pytest.mark.parametrize("naming", NAMINGS)
@pytest.mark.parametrize("output", ["a.pdb", "a.xtc"])
def test_names_of_force_fields(tmp_path, naming, output):
    write(tmp_path / output, naming)
    path = tmp_path / ("a.pdb" if output == "a.pdb" else "a.top.pdb")
    lines = records(path, ("ATOM", "HETATM"))[: len(AtomTopology.heavy_atoms(TRACE))]
    residues = list(dict.fromkeys((line[21], int(line[22:26]), line[17:21].strip()) for line in lines))
    assert [name for *_, name in residues] == EXPECTED[naming].split()
    atoms = {(line[21] + line[22:26].strip(), line[12:16].strip()) for line in lines}
    charmm = naming == "charmm"
    assert (("A28", "CD") in atoms) == (("B2", "CD") in atoms) == charmm
    assert (("A28", "CD1") in atoms) != charmm
    for residue in ("A36", "B2"):
        ends = ("OT1", "OT2") if charmm else ("O", "OXT")
        assert all((residue, name) in atoms for name in ends)
    assert (("A29", "OT") in atoms) == charmm and (("A31", "O4") in atoms) == charmm
    assert ("A27", "O") in atoms and ("A27", "OXT") not in atoms


@pytest.mark.parametrize("naming", NAMINGS)
def test_every_naming_is_read_again(tmp_path, naming):
    """By backmap, with what is modified and protonated, and by evaluate, as the parents."""
    write(tmp_path / "a.pdb", naming)
    source = open_source([tmp_path / "a.pdb"])
    assert source.trace.sequence == SEQUENCE
    np.testing.assert_array_equal(
        source.trace.residue_kinds, residue_kinds(TRACE.residue_types, TRACE.variants)
    )
    if naming != "pdb":
        assert source.trace.names[8] == "HIE" and source.trace.names[10] == "ASH"
    read = read_all_atom(tmp_path / "a.pdb")
    assert read.trace.sequence == SEQUENCE and not read.left_out
    plain = AtomTopology.heavy_atoms(replace(TRACE, variants=None))
    np.testing.assert_array_equal(read.present, plain.present)
    np.testing.assert_allclose(plain.flatten(read.atoms)[0], plain.flatten(frames()[0][:, 0])[0], atol=1e-3)


def test_protonated_phosphates_keep_their_names(tmp_path):
    """S1P of Amber is SEP with a hydrogen: built alike, named as it was where names tell."""
    lines = []
    for naming in NAMINGS:
        trace = replace(TRACE, variants=np.array(["", "", "S1P", "T1P", "Y1P", *[""] * 7]))
        atoms, chunk = frames(1)
        path = tmp_path / f"{naming}.pdb"
        topology = AtomTopology.heavy_atoms(trace)
        with open_writer(path, topology, OutputSpec(1, naming=naming)) as writer:
            writer.write(atoms, chunk)
            writer.commit()
        residues = dict.fromkeys(
            (line[22:26], line[17:21].strip()) for line in records(path, ("ATOM", "HETATM"))
        )
        lines.append([name for _, name in residues][2:5])
    assert lines == [["SEP", "TPO", "PTR"], ["SP1", "THP1", "TP1"], ["S1P", "T1P", "Y1P"]]
