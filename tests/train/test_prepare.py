"""Structure files are packed without loss beyond rounding."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from training import SEQUENCES, packed_chains, peptide

from latcpb_cli.chem.residues import CA_SLOT, OXT_SLOT
from latcpb_cli.errors import InputError, OutputExistsError
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
