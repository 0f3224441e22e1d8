"""The measures of PackBench on planted differences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from packbench import measure_packing
from peptides import structure
from rotations import random_rotation

from latcpb_cli.chem.residues import slot_of

SEQUENCE = "GVLNQHDSKPA"


@pytest.fixture
def native():
    return structure(SEQUENCE)


def exchanged(native, residue, *pairs):
    """The native with the positions of two atoms exchanged."""
    name = native.trace.names[residue]
    atoms = native.atoms.copy()
    for pair in pairs:
        one, two = (slot_of(name, atom) for atom in pair)
        atoms[:, residue, [one, two]] = atoms[:, residue, [two, one]]
    return replace(native, atoms=atoms)


def test_the_native_against_itself(native):
    measures = measure_packing(native, native)
    assert (measures.rmsd, measures.chi1_error, measures.recovery) == (0.0, 0.0, 100.0)


def test_residues_are_superposed_on_their_own_backbone(native):
    moved = native.atoms.astype(np.float64) @ random_rotation(1).numpy() + 7.0
    measures = measure_packing(native, replace(native, atoms=moved.astype(np.float32)))
    assert measures.rmsd == pytest.approx(0.0, abs=1e-4)
    assert measures.recovery == 100.0


@pytest.mark.parametrize(
    ("residue", "pairs"),
    [
        (1, [("CG1", "CG2")]),
        (2, [("CD1", "CD2")]),
        (3, [("OD1", "ND2")]),
        (4, [("OE1", "NE2")]),
        (5, [("ND1", "CD2"), ("CE1", "NE2")]),
        (6, [("OD1", "OD2")]),
    ],
)
def test_these_names_may_be_exchanged(native, residue, pairs):
    measures = measure_packing(native, exchanged(native, residue, *pairs))
    assert measures.rmsd == pytest.approx(0.0, abs=1e-5)
    assert measures.recovery == 100.0


def test_a_wrong_rotamer_counts_as_one_of_the_residues_with_a_chi(native):
    wrong = native.atoms.copy()
    serine = SEQUENCE.index("S")
    n, ca, cb, og = (wrong[0, serine, slot_of("SER", atom)] for atom in ("N", "CA", "CB", "OG"))
    axis = (cb - ca) / np.linalg.norm(cb - ca)
    step = og - cb
    # Half a turn about CA-CB.
    wrong[0, serine, slot_of("SER", "OG")] = cb + 2 * axis * (axis @ step) - step
    measures = measure_packing(native, replace(native, atoms=wrong))
    assert measures.chi1_error == pytest.approx(180 / 9, abs=1e-3)
    assert measures.recovery == pytest.approx(100 * 8 / 9)


def test_samples_are_averaged_and_a_chain_without_chi_has_no_measure(native):
    other = structure(SEQUENCE, psi=120)
    both = replace(native, atoms=np.concatenate([native.atoms, native.atoms]))
    assert measure_packing(native, both).recovery == 100.0
    assert measure_packing(native, other).rmsd == pytest.approx(0.0, abs=1e-3)
    alanines = structure("GAAG")
    assert np.isnan(measure_packing(alanines, alanines).rmsd)


def test_a_residue_without_backbone_is_left_out(native):
    lacking = replace(native, present=native.present.copy())
    lacking.present[SEQUENCE.index("K"), 0] = False
    assert measure_packing(lacking, native).recovery == 100.0
