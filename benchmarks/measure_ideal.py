"""Measure the geometry of the codec that reference lengths and angles leave open, in training structures.

    python benchmarks/measure_ideal.py DATA/chains > latcpb_cli/chem/ideal.json

Medians over complete residues of training chains at 1.8 Å or better; lengths in Å, angles in degrees.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from training_chains import PackedChain, training_chains

from latcpb_cli.chem.residues import ATOM_SLOTS, C_SLOT, CA_SLOT, CHI_ATOMS, GLY, N_SLOT, NAMES, O_SLOT
from latcpb_cli.chem.zmatrix import placements
from latcpb_cli.train.packed_format import COMPLETE, MODIFIED, WRONG_CHIRALITY

MAX_RESOLUTION = 1.8  # Å


def load(folder: Path) -> PackedChain:
    """Concatenate all chains."""
    chains = list(training_chains(folder, MAX_RESOLUTION))
    return PackedChain(
        *(np.concatenate([getattr(chain, name) for chain in chains]) for name in vars(chains[0]))
    )


def complete(data: PackedChain) -> np.ndarray:
    """Residues with all backbone atoms and the right hand at Cα."""
    whole: np.ndarray = (data.flags & (COMPLETE | WRONG_CHIRALITY)) == COMPLETE
    return whole


def angle(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Angle at b, degrees."""
    u, v = a - b, c - b
    cos = (u * v).sum(-1) / np.linalg.norm(u, axis=-1) / np.linalg.norm(v, axis=-1)
    degrees: np.ndarray = np.degrees(np.arccos(np.clip(cos, -1, 1)))
    return degrees


def torsion(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> np.ndarray:
    """Torsion about b-c, degrees."""
    b1, b2, b3 = b - a, c - b, d - c
    n1, n2 = np.cross(b1, b2), np.cross(b2, b3)
    y = (np.cross(n1, n2) * b2).sum(-1) / np.linalg.norm(b2, axis=-1)
    degrees: np.ndarray = np.degrees(np.arctan2(y, (n1 * n2).sum(-1)))
    return degrees


def circular_median(degrees: np.ndarray) -> float:
    """Direction of the medians of sine and cosine, degrees."""
    radians = np.radians(degrees)
    return float(np.degrees(np.arctan2(np.median(np.sin(radians)), np.median(np.cos(radians)))))


def residue_atoms(data: PackedChain, residue: int) -> dict[str, np.ndarray]:
    """Positions by atom name of all complete, unmodified residues of a type."""
    kept = (data.types == residue) & complete(data) & ((data.flags & MODIFIED) == 0)
    return {atom: data.atoms[kept][:, slot] for slot, atom in enumerate(ATOM_SLOTS[residue])}


def torsion_offsets(data: PackedChain) -> dict[str, dict[str, float]]:
    """Torsion of each branch atom less its chi angle (or zero); atoms at the end of a chi are left out."""
    table: dict[str, dict[str, float]] = {}
    for residue, name in enumerate(NAMES):
        atoms = residue_atoms(data, residue)
        for atom, parents, chi in placements(residue):
            a, b, c = parents
            offset = torsion(atoms[a], atoms[b], atoms[c], atoms[atom])
            if chi >= 0:
                offset = offset - torsion(*(atoms[parent] for parent in CHI_ATOMS[residue][chi]))
            value = round(circular_median(offset), 3)
            if value != 0.0:
                table.setdefault(name, {})[atom] = value
    return table


def cb_elevations(data: PackedChain) -> dict[str, float]:
    """Angle between CB and the direction opposite to the bisector of N-CA-C, degrees."""
    table = {}
    for residue, name in enumerate(NAMES):
        if residue == GLY:
            continue
        atoms = residue_atoms(data, residue)
        n, c, cb = (atoms[atom] - atoms["CA"] for atom in ("N", "C", "CB"))
        bisector = sum(v / np.linalg.norm(v, axis=-1, keepdims=True) for v in (n, c))
        table[name] = round(float(np.median(180 - angle(bisector, np.zeros_like(cb), cb))), 3)
    return table


def peptide_shapes(data: PackedChain) -> dict[str, dict[str, float]]:
    """Bond lengths (Å) and angles (degrees) of trans and cis peptides."""
    whole = complete(data)
    first = np.flatnonzero(data.linked[:-1] & whole[:-1] & whole[1:])
    one, two = data.atoms[first], data.atoms[first + 1]
    omega = torsion(one[:, CA_SLOT], one[:, C_SLOT], two[:, N_SLOT], two[:, CA_SLOT])
    shapes = {}
    for name, kept in (("trans", np.abs(omega) > 150), ("cis", np.abs(omega) < 30)):
        ca, c, o = (one[kept, slot] for slot in (CA_SLOT, C_SLOT, O_SLOT))
        n, next_ca = two[kept, N_SLOT], two[kept, CA_SLOT]
        values = {
            "CA-C": np.linalg.norm(c - ca, axis=-1),
            "C-N": np.linalg.norm(n - c, axis=-1),
            "N-CA": np.linalg.norm(next_ca - n, axis=-1),
            "C-O": np.linalg.norm(o - c, axis=-1),
            "CA-C-N": angle(ca, c, n),
            "CA-C-O": angle(ca, c, o),
            "C-N-CA": angle(c, n, next_ca),
            "CA-CA": np.linalg.norm(next_ca - ca, axis=-1),
        }
        shapes[name] = {key: round(float(np.median(value)), 3) for key, value in values.items()}
    return shapes


def main() -> None:
    data = load(Path(sys.argv[1]))
    measured = {
        "offsets": torsion_offsets(data),
        "cb_elevation": cb_elevations(data),
        "peptide": peptide_shapes(data),
    }
    json.dump(measured, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
