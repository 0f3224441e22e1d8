"""One planted defect moves the figure that is meant for it, and no other one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from peptides import structure

from latcpb_cli.chem.residues import CA_SLOT, CB_SLOT, N_SLOT, slot_of, swap_slots
from latcpb_cli.evaluation.definitions import DEFINITIONS
from latcpb_cli.evaluation.evaluate import evaluate_pair
from latcpb_cli.evaluation.summary import figure
from latcpb_cli.structure import AtomStructure, CGTrace

SEQUENCE = "GSAKFALHDAG"
TORSIONS = {"phi": -62.0, "psi": 150.0}
A, K, F, L, H = (SEQUENCE.index(letter) for letter in "AKFLH")
B = len(SEQUENCE)
"""A glycine of CA and N alone, as a chain of its own, far away."""
MOVED_WITH_ATOMS = ("rmsd", "shape", "torsions")
"""Beginnings of figures that any atom moves."""


def base(**torsions):
    """A peptide, and a bond by itself."""
    peptide = structure(SEQUENCE, **(TORSIONS | torsions))
    atoms, present = np.zeros((1, 1, 15, 3), np.float32), np.zeros((1, 15), bool)
    present[0, [N_SLOT, CA_SLOT]] = True
    atoms[0, 0, [N_SLOT, CA_SLOT]] = [[200, 0, 0], [201.46, 0, 0]]
    n = len(SEQUENCE) + 1
    chains = np.repeat([0, 1], [n - 1, 1])
    trace = CGTrace(SEQUENCE + "G", np.array(["A", "B"])[chains], chains, np.arange(1, n + 1), np.full(n, ""))
    return AtomStructure(
        trace, np.concatenate([peptide.atoms, atoms], axis=1), np.concatenate([peptide.present, present]), {}
    )


def edited(change):
    """The peptide after a change of its atoms (L, 15, 3) in place."""
    sample = base()
    atoms = sample.atoms.copy()
    change(atoms[0])
    return replace(sample, atoms=atoms)


def mirror_cb(atoms):
    n, ca, c, cb = atoms[A, [N_SLOT, CA_SLOT, 2, CB_SLOT]]
    normal = np.cross(n - ca, c - ca)
    normal /= np.linalg.norm(normal)
    atoms[A, CB_SLOT] -= 2 * normal * np.dot(cb - ca, normal)


def break_bond(atoms):
    ce, nz = slot_of("LYS", "CE"), slot_of("LYS", "NZ")
    atoms[K, nz] += 0.5 * (atoms[K, nz] - atoms[K, ce])


def clash(atoms):
    """The bond stands on end, 2.9 Å outside of CZ of phenylalanine."""
    cz, cg = slot_of("PHE", "CZ"), slot_of("PHE", "CG")
    outwards = (atoms[F, cz] - atoms[F, cg]) / np.linalg.norm(atoms[F, cz] - atoms[F, cg])
    atoms[B, CA_SLOT] = atoms[F, cz] + 2.9 * outwards
    atoms[B, N_SLOT] = atoms[F, cz] + 4.36 * outwards


def pierce(atoms):
    ring = [slot_of("PHE", atom) for atom in ("CG", "CD1", "CE1", "CZ", "CE2", "CD2")]
    corners = atoms[F, ring]
    normal = np.cross(corners[1] - corners[0], corners[2] - corners[0])
    normal /= np.linalg.norm(normal)
    atoms[B, CA_SLOT], atoms[B, N_SLOT] = corners.mean(axis=0) + 0.73 * np.stack([normal, -normal])


def flip_phe(atoms):
    types = base().trace.residue_types
    atoms[F] = atoms[F, swap_slots()[types[F]]]


def flip_his(atoms):
    """Half a turn about CB-CG."""
    cb, cg = atoms[H, CB_SLOT].copy(), atoms[H, CB_SLOT + 1].copy()
    axis = (cg - cb) / np.linalg.norm(cg - cb)
    for name in ("ND1", "CD2", "CE1", "NE2"):
        step = atoms[H, slot_of("HIS", name)] - cg
        atoms[H, slot_of("HIS", name)] = cg + 2 * axis * np.dot(step, axis) - step


def shift(atoms):
    atoms[:B] += np.float32([3.0, 0.0, 0.0])


def other_chi1(angle):
    """Leucine in its rotamer tp for 180 degrees, else in mt."""
    chi = np.tile((-65.0, 180.0, 180.0, 180.0), (len(SEQUENCE), 1))
    chi[L, :2] = angle, 65.0 if angle > 0 else 180.0
    return base(chi=chi)


def cis_after_alanine():
    omega = np.full(len(SEQUENCE), 180.0)
    omega[A] = 0.0
    return base(omega=omega)


N_ATOMS = int(base().present.sum())
N_BONDS = 78
BROKEN = {"validity.bonds": 100 / N_BONDS, "ged": 1 / N_BONDS, "ged_symmetric": 1 / N_BONDS}
CLASHES = {"validity.overlap04_per_1000": 1000 / N_ATOMS}
PIERCED = {
    "validity.pierced_rings": 1, "validity.overlap04_per_1000": 13_000 / N_ATOMS, "ged": 12 / N_BONDS,
    "ged_symmetric": 12 / N_BONDS,
}  # fmt: skip


@pytest.mark.parametrize(
    ("defect", "moved"),
    [
        (edited(mirror_cb), {"validity.d_residues": 1}),
        (edited(break_bond), BROKEN),
        (edited(clash), CLASHES),
        (edited(pierce), PIERCED),
        (edited(flip_phe), {}),
        (edited(flip_his), {"chi.chi1_chi2": -20.0}),
        (edited(shift), {}),
        (other_chi1(180.0), {"chi.chi1": -100 / 6, "chi.chi1_chi2": -20.0}),
        (other_chi1(-90.0), {}),
        (cis_after_alanine(), {"validity.cis_non_proline": 1} | CLASHES),  # its residues touch
    ],
    ids=["D residue", "broken bond", "clash", "pierced ring", "Phe flipped", "His flipped", "shifted chain",
         "wrong rotamer", "rotamer a little off", "cis peptide"],
)  # fmt: skip
def test_a_defect_moves_its_figure_and_no_other(defect, moved):
    summaries = [evaluate_pair(base(), sample).methods[0].summary for sample in (base(), defect)]
    differences = {}
    for entry in DEFINITIONS:
        before, after = (figure(summary, entry, "all") for summary in summaries)
        if not entry.name.startswith(MOVED_WITH_ATOMS) and before != after:
            differences[entry.name] = after - before
    assert differences == pytest.approx(moved)


def test_a_shift_is_said_and_superposition_takes_it_back():
    evaluation = evaluate_pair(base(), edited(shift), names=("native.pdb", "made.pdb"))
    rmsd = evaluation.methods[0].summary["all"]["rmsd"]
    assert rmsd["backbone"] == pytest.approx(3.0, abs=0.05)
    assert "made.pdb is shifted or rotated" in evaluation.methods[0].notes[0]
    superposed = evaluate_pair(base(), edited(shift), superposed="chain").methods[0].summary
    assert superposed["all"]["rmsd"]["backbone"] == pytest.approx(0.0, abs=1e-3)


def test_the_defect_is_at_its_residue():
    defects = evaluate_pair(base(), edited(mirror_cb)).methods[0].residues
    assert np.flatnonzero(defects.values["d_residues"] == 1).tolist() == [A]
    assert np.flatnonzero(defects.values["rmsd"] > 0).tolist() == [A]
    rotamer = evaluate_pair(base(), other_chi1(180.0)).methods[0].residues
    assert np.flatnonzero(rotamer.values["chi1_match"] == 0).tolist() == [L]
    evaluation = evaluate_pair(base(), edited(clash))
    (overlap,) = [pair for pair in evaluation.methods[0].overlaps if pair.second == B]
    assert (overlap.first, overlap.frames, overlap.pairs) == (F, 1, 1)
    assert overlap.worst == pytest.approx(0.5, abs=1e-3)
