"""Which atoms are the beads, and residues that are refused or left out under their own name."""

from __future__ import annotations

import numpy as np
import pytest
from cg_files import NAME_OF, pdb_line, walk, write_trajectory
from odd_files import SEQUENCE, atoms, pdb
from reading import read_all, refuse

from latcpb_cli.io.open_source import open_source
from latcpb_cli.read_options import ReadOptions


def residue(resname: str, number: int, at: np.ndarray, names: str, chain: str = "A") -> list[str]:
    """Atoms of one residue, the first of them at ``at``."""
    return [
        pdb_line(number, resname, number, at + 0.7 * i, name=name, chain=chain)
        for i, name in enumerate(names.split())
    ]


def two_beads(backbone: str, side_chain: str) -> list[str]:
    """Two beads in each residue, one in glycine."""
    xyz = walk(len(SEQUENCE))[0]
    return [
        line
        for i, letter in enumerate(SEQUENCE)
        for line in residue(
            NAME_OF[letter], i + 1, xyz[i], backbone if letter == "G" else f"{backbone} {side_chain}"
        )
    ]


def write(tmp_path, text: str):
    path = tmp_path / "a.pdb"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("backbone", "side_chain"), [("GC", "SC1"), ("BAS", "SID"), ("GN", "BCX"), ("P", "S")]
)
def test_amino_acids_without_a_bead_are_refused(tmp_path, backbone, side_chain):
    path = write(tmp_path, pdb(two_beads(backbone, side_chain)))
    error = refuse(rf"9 of 10 residues of amino acids have no Cα bead: .* {backbone} \(10\)", [path])
    assert f"--bead {backbone}" in error.hint
    assert open_source([path], options=ReadOptions(bead=backbone.lower())).trace.sequence == SEQUENCE
    assert open_source([path], options=ReadOptions(on_unknown="skip")).left_out["ALA"] == 1


def test_one_amino_acid_without_a_bead_is_refused(tmp_path):
    lines = [*atoms()[:9], *residue("LEU", 10, walk(10)[0][9], "N CB")]
    error = refuse(
        r"1 of 10 residues of amino acids have no Cα bead: LEU \(1\)", [write(tmp_path, pdb(lines))]
    )
    assert "--on-unknown skip" in error.hint


def test_bead_of_another_name_is_refused(tmp_path):
    refuse(r"no atom is named GC; atoms are named CA \(10\)", [write(tmp_path, pdb(atoms()))], bead="GC")


@pytest.mark.parametrize("names", [["DLE"], ["DLY", "DAS"], ["DAL", "HYP"]])
def test_d_residues_are_refused_as_such(tmp_path, names):
    path = write(tmp_path, pdb(atoms(resnames=["ALA", *names, "GLY"] + ["ALA"] * (8 - len(names)))))
    error = refuse(r"D amino acids: D", [path])
    assert "L amino acids only" in error.message
    refuse(r"D amino acids: D", [path], on_unknown="nearest")
    source = open_source([path], options=ReadOptions(on_unknown="skip"))
    assert source.left_out == {}
    assert source.notes[0].startswith("left out, D residues: D")


LIGANDS = {
    "one atom": residue("QZ9", 301, np.full(3, 60.0), "CA"),
    "two atoms": residue("QZ9", 301, np.full(3, 60.0), "CA C1"),
    "an amino acid of its own": residue("GGL", 301, np.full(3, 60.0), "CA N C O"),
    "a D residue of its own": residue("DAL", 301, np.full(3, 60.0), "CA N C O"),
}


@pytest.mark.parametrize("name", LIGANDS)
def test_ligands_with_a_ca_do_not_stop_the_reading(tmp_path, name):
    source = open_source([write(tmp_path, pdb(atoms(), "TER", LIGANDS[name]))])
    assert source.trace.sequence == SEQUENCE
    assert source.left_out == {}
    assert source.notes[0].startswith("left out, ligands with an atom CA that belongs to no chain: ")


def test_a_ligand_in_contact_lacks_the_backbone_of_the_others(tmp_path):
    xyz = walk(11)[0]
    chain = [line for i in range(10) for line in residue(NAME_OF[SEQUENCE[i]], i + 1, xyz[i], "CA N C O")]
    path = write(tmp_path, pdb(chain, "TER", residue("QZ9", 301, xyz[10], "CA CB O1")))
    source = open_source([path])
    assert source.trace.sequence == SEQUENCE
    assert "QZ9 (1)" in source.notes[0]


@pytest.mark.parametrize("names", [["NGP", "IGL", "IPR"], ["UNK"] * 3, ["XAA", "ALA", "UNK"]])
def test_names_that_leave_the_residue_open_point_to_the_sequence(tmp_path, names):
    path = write(tmp_path, pdb(atoms("AAA", resnames=names)))
    assert "--sequence FASTA" in refuse("names that mean no amino acid", [path]).hint
    assert open_source([path], options=ReadOptions(sequence="WYV")).trace.sequence == "WYV"


@pytest.mark.parametrize("text", ["ACDE/FGHIKL", "ACDE:FGHIKL", "acde/fghikl/"])
@pytest.mark.parametrize("as_file", [True, False])
def test_separators_in_a_sequence_divide_chains(tmp_path, text, as_file):
    sequence = text
    if as_file:
        sequence = str(tmp_path / "a.fa")
        (tmp_path / "a.fa").write_text(f">T=0.1, sample=1\n{text[:3]}\n{text[3:]}\n")
    path = write(tmp_path, pdb(atoms(resnames=["GLY"] * 10)))
    trace = open_source([path], options=ReadOptions(sequence=sequence)).trace
    assert trace.sequence == SEQUENCE
    assert trace.chain_index.tolist() == [0] * 4 + [1] * 6


def test_several_designs_in_one_file(tmp_path):
    (tmp_path / "a.fa").write_text(">one\nACDE/FGHIKL\n>two\nLKIH/GFEDCA\n")
    path = write(tmp_path, pdb(atoms(resnames=["UNK"] * 10)))
    error = refuse("10 beads, but --sequence has 20", [path], sequence=str(tmp_path / "a.fa"))
    assert "holds 2 designs of one backbone" in error.hint


@pytest.mark.parametrize("suffix", [".xtc", ".dcd", ".trr"])
@pytest.mark.parametrize(
    ("sequence", "chains"),
    [(SEQUENCE, [0] * 10), ("ACDE/FGHIKL", [0] * 4 + [1] * 6), ("ACDEF", [0] * 5 + [1] * 5)],
)
def test_a_trajectory_of_ca_needs_no_topology_beside_its_sequence(tmp_path, suffix, sequence, chains):
    positions = walk(10, 3)
    path = write_trajectory(tmp_path / f"t{suffix}", positions)
    source = open_source([path], options=ReadOptions(sequence=sequence))
    assert source.trace.chain_index.tolist() == chains
    assert source.trace.chain_ids.tolist() == ["AB"[chain] for chain in chains]
    assert source.trace.resids.tolist() == [chains[: i + 1].count(chain) for i, chain in enumerate(chains)]
    np.testing.assert_allclose(read_all(source)[0], positions, atol=6e-3)
    refuse("10 beads, but --sequence has 3", [path], sequence="ACD")
    assert "--sequence" in refuse("does not name the residues", [path]).hint
