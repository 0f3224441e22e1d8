"""The constants that the codec builds with.

Lengths and angles of side chains are those of `latcpb_cli.chem.reference`;
``ideal.json`` adds what a z-matrix needs beside them: torsions between the
branches of a group, where CB stands, and the shapes of trans and cis
peptides. It is made by ``benchmarks/measure_ideal.py``. Lengths in Å; angles
here in radians.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np

from latcpb_cli.chem.internal import FIRST_SLOT, placements
from latcpb_cli.chem.reference import reference_angle, reference_length
from latcpb_cli.chem.residues import ATOM_SLOTS, NAMES

__all__ = ["PRO_N_CD", "PeptideShape", "SideChainTable", "peptide_shapes", "side_chain_table"]

_N_PLACED = 9  # slots 5..13
PRO_N_CD = float(reference_length()[NAMES.index("PRO"), 0, 6])
"""N-CD bond of proline, Å."""


@dataclass(frozen=True)
class PeptideShape:
    """A peptide's bond lengths (Å) and angles (rad), and how far apart they put its two Cα."""

    ca_c: float
    c_n: float
    n_ca: float
    c_o: float
    ca_c_n: float
    ca_c_o: float
    c_n_ca: float
    ca_ca: float


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
    """AtomGroups of the trans and the cis peptide."""

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
            ca_ca=row["CA-CA"],
        )

    return shape("trans"), shape("cis")


@cache
def side_chain_table() -> SideChainTable:
    """Placement of every side-chain atom of the twenty residue types."""
    parents = np.zeros((20, _N_PLACED, 3), dtype=np.int64)
    chi = np.full((20, _N_PLACED), -1, dtype=np.int64)
    length = np.full((20, _N_PLACED), 1.5)
    angle = np.full((20, _N_PLACED), np.radians(110.0))
    offset = np.zeros((20, _N_PLACED))
    exists = np.zeros((20, _N_PLACED), dtype=bool)
    for residue, name in enumerate(NAMES):
        for index, (atom, above, turned_by) in enumerate(placements(residue)):
            slots = [ATOM_SLOTS[residue].index(parent) for parent in above]
            own = FIRST_SLOT + index
            parents[residue, index], chi[residue, index] = slots, turned_by
            length[residue, index] = reference_length()[residue, slots[2], own]
            angle[residue, index] = reference_angle()[residue, slots[1], slots[2], own]
            offset[residue, index] = np.radians(_measured()["offsets"].get(name, {}).get(atom, 0.0))
            exists[residue, index] = True
    return SideChainTable(
        cb_length=np.nan_to_num(reference_length()[:, 1, 4], nan=1.53),
        cb_lift=np.radians([_measured()["cb_lift"].get(name, 52.2) for name in NAMES]),
        parents=parents,
        chi=chi,
        leads=(chi >= 0) & (offset == 0.0),
        length=length,
        angle=angle,
        offset=offset,
        exists=exists,
    )
