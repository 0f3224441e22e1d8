"""Ideal bond lengths and angles: the constants behind the codec.

``ideal.json`` holds medians over complete residues of 1,600-odd crystal
structures at 1.8 Å or better, measured by ``benchmarks/measure_ideal.py``.
Lengths in Å; angles here in radians.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np

from latcpb_cli.chem.internal import FIRST_SLOT, placements
from latcpb_cli.chem.residues import ATOM_SLOTS, NAMES

__all__ = ["PRO_N_CD", "PeptideShape", "SideChainTable", "peptide_shapes", "side_chain_table"]

_N_PLACED = 9  # slots 5..13
PRO_N_CD = 1.474
"""N-CD bond of proline, Å (Engh & Huber 1991, doi:10.1107/S0108767391001071)."""


@dataclass(frozen=True)
class PeptideShape:
    """A peptide's bond lengths (Å) and angles (rad)."""

    ca_c: float
    c_n: float
    n_ca: float
    c_o: float
    ca_c_n: float
    ca_c_o: float
    c_n_ca: float


@dataclass(frozen=True, eq=False)
class SideChainTable:
    """Where side-chain atoms go, for all residue types at once.

    Attributes
    ----------
    cb_length, cb_lift : numpy.ndarray, shape (20,)
        CA-CB length (Å) and the angle (rad) between CB and the direction
        opposite to the N-CA-C bisector.
    parents : numpy.ndarray of int64, shape (20, 9, 3)
        Slots of parents a, b, c of slots 5..13 (0 where there is no atom).
    chi : numpy.ndarray of int64, shape (20, 9)
        Index of the chi that turns the atom, -1 for none.
    leads : numpy.ndarray of bool, shape (20, 9)
        The atom is the fourth of its chi, so the chi's angle bend is its own.
    length, angle, offset : numpy.ndarray, shape (20, 9)
        Bond length (Å), bond angle and torsion offset (rad).
    exists : numpy.ndarray of bool, shape (20, 9)
    """

    cb_length: np.ndarray
    cb_lift: np.ndarray
    parents: np.ndarray
    chi: np.ndarray
    leads: np.ndarray
    length: np.ndarray
    angle: np.ndarray
    offset: np.ndarray
    exists: np.ndarray


@cache
def _measured() -> dict:
    return json.loads(resources.files("latcpb_cli.chem").joinpath("ideal.json").read_text())


@cache
def peptide_shapes() -> tuple[PeptideShape, PeptideShape]:
    """Shapes of the trans and the cis peptide."""

    def shape(kind: str) -> PeptideShape:
        row = _measured()["peptide"][kind]
        return PeptideShape(
            ca_c=row["CA-C"],
            c_n=row["C-N"],
            n_ca=row["N-CA"],
            c_o=row["C-O"],
            ca_c_n=np.radians(row["CA-C-N"]),
            ca_c_o=np.radians(row["CA-C-O"]),
            c_n_ca=np.radians(row["C-N-CA"]),
        )

    return shape("trans"), shape("cis")


@cache
def side_chain_table() -> SideChainTable:
    """Placement of every side-chain atom of the twenty residue types."""
    parents = np.zeros((20, _N_PLACED, 3), dtype=np.int64)
    chi = np.full((20, _N_PLACED), -1, dtype=np.int64)
    leads = np.zeros((20, _N_PLACED), dtype=bool)
    values = np.zeros((20, _N_PLACED, 3))
    values[:, :, 0] = 1.5
    values[:, :, 1] = 110.0
    exists = np.zeros((20, _N_PLACED), dtype=bool)
    cb = np.tile([1.53, 52.2], (20, 1))
    for residue, name in enumerate(NAMES):
        rows = _measured()["sidechain"][name]
        if "CB" in rows:
            cb[residue] = rows["CB"][:2]
        for index, (atom, above, turned_by) in enumerate(placements(residue)):
            slots = ATOM_SLOTS[residue]
            parents[residue, index] = [slots.index(parent) for parent in above]
            chi[residue, index] = turned_by
            leads[residue, index] = turned_by >= 0 and rows[atom][2] == 0.0
            values[residue, index] = rows[atom]
            exists[residue, index] = slots.index(atom) == FIRST_SLOT + index
    return SideChainTable(
        cb_length=cb[:, 0],
        cb_lift=np.radians(cb[:, 1]),
        parents=parents,
        chi=chi,
        leads=leads,
        length=values[:, :, 0],
        angle=np.radians(values[:, :, 1]),
        offset=np.radians(values[:, :, 2]),
        exists=exists,
    )
