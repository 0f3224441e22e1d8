"""Secondary structure, against two other implementations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from peptides import structure

from latcpb_cli.io.all_atom import read_all_atom
from latcpb_cli.metrics.secondary_structure import HELIX, STRAND, secondary_structure

EXAMPLE = Path(__file__).parents[2] / "examples" / "tnc_allatom.pdb"
LETTERS = {"H": HELIX, "E": STRAND, "-": 0, "C": 0}


def states(sample):
    return secondary_structure(sample.trace.residue_types, sample.atoms, sample.present, sample.linked())


def test_a_helix():
    assert (states(structure("A" * 16, phi=-60, psi=-45))[0, 2:-2] == HELIX).all()


def test_an_extended_chain_alone_is_no_strand():
    assert not states(structure("A" * 16, phi=-120, psi=130)).any()


def test_missing_backbone_atoms_are_not_assigned():
    sample = structure("A" * 12)
    sample.present[4, 3] = False
    assert states(sample)[0, 4] == -1


def test_agreement_with_mdanalysis():
    dssp = pytest.importorskip("MDAnalysis.analysis.dssp.pydssp_numpy")
    sample = read_all_atom(EXAMPLE)
    one_hot = dssp.assign(sample.atoms[0, :, :4].astype(np.float64))
    expected = np.array([0, HELIX, STRAND])[np.argmax(one_hot, axis=-1)]
    assert (states(sample)[0] == expected).mean() > 0.93


def test_agreement_with_mdtraj():
    mdtraj = pytest.importorskip("mdtraj")
    sample = read_all_atom(EXAMPLE)
    letters = mdtraj.compute_dssp(mdtraj.load_pdb(str(EXAMPLE)).atom_slice(range(sample.present.sum())))[0]
    expected = np.array([LETTERS[letter] for letter in letters])
    assert (states(sample)[0] == expected).mean() > 0.93
