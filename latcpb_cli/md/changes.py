"""What a minimisation must leave alone: hands, cis and trans."""

from __future__ import annotations

import numpy as np

from latcpb_cli.chem.residues import NAMES, slot_of
from latcpb_cli.geometry.angles import torsion, volume
from latcpb_cli.metrics.stereo import is_cis

__all__ = ["changed_hands", "changed_peptides"]

_N, _CA, _C = 0, 1, 2
_CENTRES = tuple((name, ("CA", "N", "C", "CB")) for name in NAMES if name != "GLY") + (
    ("THR", ("CB", "CA", "OG1", "CG2")),
    ("ILE", ("CB", "CA", "CG1", "CG2")),
)
"""Chiral atoms of each residue, each with three of its neighbours."""

Array = np.ndarray


def changed_hands(types: Array, before: Array, after: Array) -> int:
    """Count chiral centres (Cα; Cβ of Thr and Ile) that were turned inside out.

    Parameters
    ----------
    types : numpy.ndarray of int64, shape (L,)
    before, after : numpy.ndarray, shape (L, W, 3)
    """
    changed = 0
    for name, corners in _CENTRES:
        slots = [slot_of(name, atom) for atom in corners]
        one, other = (atoms[types == NAMES.index(name)][:, slots] for atoms in (before, after))
        hands = [np.sign(volume(*np.moveaxis(points, 1, 0))) for points in (one, other)]
        changed += int((hands[0] != hands[1]).sum())
    return changed


def changed_peptides(before: Array, after: Array, linked: Array) -> int:
    """Count peptides that went from cis to trans or back.

    Parameters
    ----------
    before, after : numpy.ndarray, shape (L, W, 3)
    linked : numpy.ndarray of bool, shape (L,)
        Whether a peptide joins residue i to i+1.
    """
    joined = np.flatnonzero(linked)
    cis = [
        is_cis(torsion(x[joined, _CA], x[joined, _C], x[joined + 1, _N], x[joined + 1, _CA]))
        for x in (before, after)
    ]
    return int((cis[0] != cis[1]).sum())
