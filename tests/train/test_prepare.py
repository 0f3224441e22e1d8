"""Structure files are packed without loss beyond rounding."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from peptides import pdb_text
from training import SEQUENCES, dimer, packed_chains, peptide

from latcpb_cli.chem.residues import CA_SLOT, OXT_SLOT
from latcpb_cli.errors import InputError, OutputExistsError
from latcpb_cli.structure import AtomStructure
from latcpb_cli.train.complexes import ComplexStructure, load_complexes
from latcpb_cli.train.data import load_structures
from latcpb_cli.train.prepare import prepare_structures


def test_packing_keeps_atoms_sequences_and_links(packed: Path) -> None:
    for number, chain in enumerate(packed_chains(packed)):
        reference = peptide(number)
        assert chain.types.tolist() == reference.trace.residue_types.tolist()
        assert chain.linked.tolist() == [True] * (len(SEQUENCES[number]) - 1) + [False]
        present = chain.present[:, :OXT_SLOT]
        assert (present == reference.present[:, :OXT_SLOT]).all()
        first, second = (x[:, :OXT_SLOT] - x[:, CA_SLOT].mean(0) for x in (chain.atoms, reference.atoms[0]))
        assert np.abs(first - second)[present].max() < 0.012


def test_a_folder_without_structure_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no structure files"):
        prepare_structures(tmp_path, tmp_path / "out")


def test_packed_structures_are_not_replaced(tmp_path: Path, packed: Path) -> None:
    with pytest.raises(OutputExistsError):
        prepare_structures(tmp_path, packed)


def test_files_without_a_protein_chain_are_an_error_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "broken.pdb").write_text("this is no structure\n")
    with pytest.raises(InputError, match="no file of .* holds a protein chain") as error:
        prepare_structures(tmp_path, tmp_path / "out")
    assert "broken.pdb" in error.value.hint


def test_a_file_of_touching_chains_is_a_complex_and_chains(tmp_path: Path) -> None:
    reference = dimer(*SEQUENCES[:2])
    folder = tmp_path / "pdb" / "deeper"
    folder.mkdir(parents=True)
    (folder / "two.pdb").write_text(pdb_text(reference))
    (folder / "apart.pdb").write_text(pdb_text(dimer(*SEQUENCES[2:4], distance=40.0)))
    prepared = prepare_structures(tmp_path / "pdb", tmp_path / "out")
    assert (prepared.chains, prepared.complexes) == (4, 1)
    assert len(load_structures(tmp_path / "out", "train")) == 4
    (packed,) = load_complexes(tmp_path / "out", "train")
    assert isinstance(packed, ComplexStructure)
    assert packed.types.tolist() == reference.trace.residue_types.tolist()
    assert packed.chain.tolist() == reference.trace.chain_index.tolist()
    assert np.flatnonzero(~packed.linked).tolist() == [len(SEQUENCES[0]) - 1, len(packed) - 1]
    present = packed.present[:, :OXT_SLOT]
    assert (present == reference.present[:, :OXT_SLOT]).all()
    first, second = (x[:, :OXT_SLOT] - x[:, CA_SLOT].mean(0) for x in (packed.atoms, reference.atoms[0]))
    assert np.abs(first - second)[present].max() < 0.012
    assert (packed.interface == near_the_other_chain(reference)).all()
    assert 0 < packed.interface.sum() < len(packed)
    (row,) = (tmp_path / "out" / "complexes" / "complexes.tsv").read_text().splitlines()[1:]
    assert row.startswith("deeper/two\ttrain\t")
    assert "\tdeeper/two_A,deeper/two_B\t" in row


def near_the_other_chain(structure: AtomStructure) -> np.ndarray:
    """Residues with a heavy atom within 5 Å of one of another chain, from all pairs of atoms."""
    residue, slot = np.nonzero(structure.present)
    points, chain = structure.atoms[0, residue, slot], structure.trace.chain_index[residue]
    near = np.linalg.norm(points[:, None] - points, axis=-1) <= 5.0
    near &= chain[:, None] != chain
    return np.isin(np.arange(len(structure.trace)), residue[near.any(axis=1)])


def test_files_of_one_name_have_identifiers_of_their_own(tmp_path: Path) -> None:
    for number in (0, 1):
        (tmp_path / f"in/{number}").mkdir(parents=True)
        (tmp_path / f"in/{number}" / "ranked,0.pdb").write_text(pdb_text(peptide(number)))
    prepare_structures(tmp_path / "in", tmp_path / "out")
    rows = (tmp_path / "out" / "chains.tsv").read_text().splitlines()[1:]
    assert [row.split("\t")[0] for row in rows] == ["0/ranked_0_A", "1/ranked_0_A"]
