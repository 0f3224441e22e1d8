"""Extra atoms of modified residues: their geometry, chirality and overlaps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from peptides import structure

from latcpb_cli.chem.modified import MODIFIED_RESIDUES, atom_slots
from latcpb_cli.chem.residues import N_SLOTS, NAMES
from latcpb_cli.complete.modified_atoms import attach_modified_atoms
from latcpb_cli.metrics.clashes import frame_clashes
from latcpb_cli.structure import AtomTopology

SEQUENCE, VARIANTS = "ASGTAYGMAMA", ["", "SEP", "", "TPO", "", "PTR", "", "MHO", "", "SME", ""]
NO_BOX = np.zeros((1, 3, 3))


def modified(sequence=SEQUENCE, variants=VARIANTS, **torsions):
    """A peptide with modified residues: trace and atoms (1, L, 15, 3)."""
    sample = structure(sequence, **torsions)
    return replace(sample.trace, variants=np.array(variants)), sample.atoms


@pytest.fixture(scope="module")
def built():
    trace, atoms = modified()
    return trace, attach_modified_atoms(trace, atoms, NO_BOX)[0].astype(float)


def named_atoms(built, name):
    """The atoms of one modified residue by their names."""
    trace, atoms = built
    index = VARIANTS.index(name)
    return {atom: atoms[index, slot] for atom, slot in atom_slots(int(trace.residue_kinds[index])).items()}


def angle(a, b, c):
    u, v = a - b, c - b
    return np.degrees(np.arccos(u @ v / np.linalg.norm(u) / np.linalg.norm(v)))


@pytest.mark.parametrize(
    ("name", "ester_atoms", "ester", "ester_angle", "bond", "angle_at_p"),
    [
        ("SEP", ("CB", "OG"), 1.614, 118.6, 1.517, 105.8),
        ("TPO", ("CB", "OG1"), 1.614, 121.5, 1.517, 105.8),
        ("PTR", ("CZ", "OH"), 1.592, 124.8, 1.509, 106.7),
    ],
)
def test_phosphates_have_ideal_geometry(built, name, ester_atoms, ester, ester_angle, bond, angle_at_p):
    atoms = named_atoms(built, name)
    carbon, oxygen = (atoms[atom] for atom in ester_atoms)
    assert np.linalg.norm(atoms["P"] - oxygen) == pytest.approx(ester, abs=1e-4)
    assert angle(carbon, oxygen, atoms["P"]) == pytest.approx(ester_angle, abs=0.02)
    ends = [atoms[atom] for atom in ("O1P", "O2P", "O3P")]
    for index, end in enumerate(ends):
        assert np.linalg.norm(end - atoms["P"]) == pytest.approx(bond, abs=1e-4)
        assert angle(oxygen, atoms["P"], end) == pytest.approx(angle_at_p, abs=0.02)
        assert angle(end, atoms["P"], ends[index - 1]) == pytest.approx(112.5, abs=0.6)


@pytest.mark.parametrize(
    ("name", "sulfur", "oxygen", "chirality"), [("MHO", "SD", "OD1", 1), ("SME", "S", "OE", -1)]
)
def test_sulfoxides_have_the_chirality_of_their_component(built, name, sulfur, oxygen, chirality):
    """The two components are mirror images of each other at sulfur."""
    atoms = named_atoms(built, name)
    arms = [atoms[atom] - atoms[sulfur] for atom in (oxygen, "CG", "CE")]
    assert np.sign(arms[0] @ np.cross(arms[1], arms[2])) == chirality
    assert np.linalg.norm(arms[0]) == pytest.approx(1.503, abs=1e-4)
    for end in ("CG", "CE"):
        assert angle(atoms[oxygen], atoms[sulfur], atoms[end]) == pytest.approx(106.2, abs=1.0)


def test_atoms_of_the_parents_do_not_move(built):
    trace, atoms = built
    before = modified()[1][0]
    np.testing.assert_array_equal(atoms[:, :N_SLOTS], before)
    assert trace.n_slots == N_SLOTS + 4
    plain = replace(trace, variants=None)
    assert attach_modified_atoms(plain, before[None], NO_BOX).shape[2] == N_SLOTS


def test_a_phosphate_turns_away_from_atoms_in_its_place():
    """Atoms near P are avoided, as neighbours and as periodic images."""
    trace, atoms = modified("ASAG", ["", "SEP", "", ""])
    slots = atom_slots(len(NAMES))
    free = attach_modified_atoms(trace, atoms, NO_BOX)[0, 1, slots["P"]]
    blocked = atoms.copy()
    blocked[0, 3, :4] = free + np.array([[0.0, 0.3, 0.0], [0.3, 0, 0], [0, 0, 0.3], [0, 0, -0.3]])
    turned = attach_modified_atoms(trace, blocked, NO_BOX)[0, 1, slots["P"]]
    assert np.linalg.norm(turned - free) > 1.5
    blocked[0, 3] += [80.0, 0.0, 0.0]
    box = np.diag([80.0, 90.0, 100.0])[None]
    np.testing.assert_allclose(attach_modified_atoms(trace, blocked, NO_BOX)[0, 1, slots["P"]], free)
    np.testing.assert_allclose(
        attach_modified_atoms(trace, blocked, box)[0, 1, slots["P"]], turned, atol=1e-4
    )


def test_a_crowded_phosphate_turns_its_side_chain_too():
    """Where all its rotations overlap, chi 1 turns: lengths, angles and the chirality of Thr CB stay."""
    trace, atoms = modified("ATAG", ["", "TPO", "", ""], phi=-120.0, psi=130.0)
    slots = atom_slots(len(NAMES) + 1)
    free = attach_modified_atoms(trace, atoms, NO_BOX)[0, 1].astype(float)
    out = free[slots["OG1"]] - free[4]
    crowded = atoms.copy()
    crowded[0, 3, :4] = free[slots["OG1"]] + 1.9 * out + 1.3 * np.eye(4, 3)
    built = attach_modified_atoms(trace, crowded, NO_BOX)[0, 1].astype(float)
    assert np.linalg.norm(built[slots["OG1"]] - free[slots["OG1"]]) > 1.0
    np.testing.assert_array_equal(built[:5], atoms[0, 1, :5])
    for pair in ("CB OG1", "CB CG2", "CA OG1", "CA CG2", "OG1 CG2", "OG1 P", "P O1P", "CB P"):
        one, two = (slots[name] for name in pair.split())
        assert np.linalg.norm(built[one] - built[two]) == pytest.approx(
            np.linalg.norm(free[one] - free[two]), abs=1e-3
        )
    chirality = [
        np.sign(np.dot(x[slots["OG1"]] - x[4], np.cross(x[1] - x[4], x[slots["CG2"]] - x[4])))
        for x in (free, built)
    ]
    assert chirality[0] == chirality[1]


def test_neighbouring_phosphates_do_not_overlap():
    trace, atoms = modified("ASSSSA", ["", "SEP", "SEP", "SEP", "SEP", ""], chi=(60.0, 0, 0, 0))
    wide = attach_modified_atoms(trace, atoms, NO_BOX)
    present = AtomTopology.heavy_atoms(trace).present
    (clashes,) = frame_clashes(trace.residue_kinds, wide, present, trace.linked(atoms[:, :, 1]))
    assert clashes.n_overlaps == 0
    assert clashes.n_atoms == present.sum() == 2 * 5 + 4 * 10 + 1


def test_frames_are_independent():
    trace, atoms = modified()
    rng = np.random.default_rng(3)
    frames = (np.repeat(atoms, 5, axis=0) + rng.normal(scale=0.3, size=(5, 1, 1, 3))).astype(np.float32)
    frames[:, 4:] += rng.normal(scale=0.5, size=(5, 1, 1, 3)).astype(np.float32)
    boxes = np.zeros((5, 3, 3))
    together = attach_modified_atoms(trace, frames, boxes)
    for row in range(5):
        alone = attach_modified_atoms(trace, frames[row : row + 1], boxes[:1])
        np.testing.assert_array_equal(alone[0], together[row])


def test_a_clash_of_a_phosphate_is_counted():
    """Phosphate atoms count, pairs that are bonded do not."""
    trace, atoms = modified("ASAAAA", ["", "SEP", "", "", "", ""], phi=-120.0, psi=130.0)
    wide = attach_modified_atoms(trace, atoms, NO_BOX)
    present = AtomTopology.heavy_atoms(trace).present
    linked = trace.linked(atoms[:, :, 1])
    (before,) = frame_clashes(trace.residue_kinds, wide, present, linked)
    assert before.n_overlaps == 0
    wide[0, 5, 4] = wide[0, 1, atom_slots(len(NAMES))["P"]] + [1.0, 0.0, 0.0]
    (after,) = frame_clashes(trace.residue_kinds, wide, present, linked)
    assert after.contact12[[1, 5]].all() and after.n_overlaps > 0


def test_every_modified_residue_is_tested():
    assert {entry.name for entry in MODIFIED_RESIDUES} == set(VARIANTS) - {""}
