"""The measures of PackBench, which compares programs that pack side chains.

They are defined as its code computes them (scripts/protein_learning/assessment/sidechain.py of
Bhattacharya-Lab/PackBench), for each structure, over all residues with a χ that both structures have, with
prolines and chain ends:

- side-chain RMSD: of each residue from CB on, after superposition of its own N, CA and C, as the mean over
  residues;
- χ1 error: mean absolute difference;
- recovery: residues whose χ are all within 20°.

The last χ of Asp, Glu, Phe and Tyr repeats after 180°. Atoms of the native exchange their names where that
brings the side chain nearer, not only in symmetric groups: also those of a flipped Asn, Gln or His, CD1 and
CD2 of Leu, and CG1 and CG2 of Val, so that some wrong rotamers count as right. The figures of a set are means
over structures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from local_frames import local_coordinates

from latcpb_cli.chem.residues import C_SLOT, CA_SLOT, N_SLOT, NAMES, slot_of, swap_slots
from latcpb_cli.geometry.angles import angle_difference
from latcpb_cli.metrics.accuracy import ATOM_SETS
from latcpb_cli.metrics.torsions import TORSION_NAMES, chi_periods, measure_torsions
from latcpb_cli.structure import AtomStructure

__all__ = ["PackBenchMeasures", "measure_packing"]

RECOVERY_TOLERANCE = np.radians(20.0)
EXCHANGED = {
    "ASN": (("OD1", "ND2"),),
    "GLN": (("OE1", "NE2"),),
    "HIS": (("ND1", "CD2"), ("CE1", "NE2")),
    "LEU": (("CD1", "CD2"),),
    "VAL": (("CG1", "CG2"),),
}
"""Pairs of atoms that exchange names, besides those of symmetric groups."""
CHI1 = TORSION_NAMES.index("chi1")


@dataclass(frozen=True)
class PackBenchMeasures:
    """Measures of one structure, as means over its samples; NaN without a side chain.

    Attributes
    ----------
    rmsd : float
        Å.
    chi1_error : float
        Degrees.
    recovery : float
        Percent.
    """

    rmsd: float
    chi1_error: float
    recovery: float


def measure_packing(reference: AtomStructure, generated: AtomStructure) -> PackBenchMeasures:
    """Compare all frames of a structure with the first frame of its reference; both have the same trace."""
    types, present = reference.trace.residue_types, reference.present & generated.present
    frames = len(generated)
    natives = np.repeat(reference.atoms[:1], frames, axis=0)
    natives, squares = nearest_names(types, natives, generated.atoms, present)
    linked = np.zeros((frames, len(types)), dtype=bool)  # χ need no neighbours
    ours, theirs = (
        measure_torsions(types, atoms, present, linked)[..., CHI1:] for atoms in (generated.atoms, natives)
    )
    difference = angle_difference(theirs, ours, chi_periods()[types])
    measured = np.isfinite(difference)
    superposed = present[:, [N_SLOT, CA_SLOT, C_SLOT]].all(axis=1)
    rows = measured.any(axis=-1) & superposed
    if not rows.any():
        return PackBenchMeasures(np.nan, np.nan, np.nan)
    atoms = present & ATOM_SETS["side_chain"]
    deviation = np.sqrt(squares.sum(-1) / np.maximum(atoms.sum(-1), 1))
    recovered = (~measured | (difference < RECOVERY_TOLERANCE)).all(axis=-1)
    first = difference[..., 0][measured[..., 0]]
    return PackBenchMeasures(
        rmsd=float(deviation[rows].mean()),
        chi1_error=float(np.degrees(first.mean())),
        recovery=float(100.0 * recovered[rows].mean()),
    )


def nearest_names(
    types: np.ndarray, natives: np.ndarray, generated: np.ndarray, present: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Exchange names in the natives; return them (F, L, 15, 3), and the squared distances (F, L, 15) in Å².

    The distances are those of side-chain atoms after superposition of each residue, 0 for missing atoms.
    """
    slots = exchanged_slots()[types]
    exchanged = np.take_along_axis(natives, slots[None, :, :, None], axis=2)
    complete = (np.take_along_axis(present, slots, axis=1) == present).all(axis=1)
    target = local_coordinates(generated)
    atoms = present & ATOM_SETS["side_chain"]
    squares, others = (
        np.where(atoms, ((local_coordinates(each) - target) ** 2).sum(-1), 0.0)
        for each in (natives, exchanged)
    )
    better = complete & (others.sum(-1) < squares.sum(-1))
    return (
        np.where(better[..., None, None], exchanged, natives),
        np.where(better[..., None], others, squares),
    )


def exchanged_slots() -> np.ndarray:
    """Slot of the atom that each atom exchanges its name with, itself for most: int64, (20, 15)."""
    slots = swap_slots().copy()
    for name, pairs in EXCHANGED.items():
        for pair in pairs:
            first, second = (slot_of(name, atom) for atom in pair)
            slots[NAMES.index(name), [first, second]] = second, first
    return slots
