"""Ideal geometry that the codec builds with: peptide shapes and placements of side-chain atoms.

Bond lengths and angles of side chains are those of `latcpb_cli.chem.reference`;
``ideal.json`` adds the rest of the z-matrix: torsions between the branches of a
group, the elevation of CB and the shapes of trans and cis peptides. It is made
by ``benchmarks/measure_ideal.py``. Lengths are in Å, angles in radians.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from latcpb_cli.chem.reference import reference_angle, reference_length
from latcpb_cli.chem.residues import (
    ATOM_SLOTS,
    CA_SLOT,
    CB_SLOT,
    GAMMA_SLOT,
    N_SLOT,
    NAMES,
    OXT_SLOT,
    PRO,
    slot_of,
)
from latcpb_cli.chem.zmatrix import placements

__all__ = [
    "PRO_N_CD",
    "PeptideShape",
    "SideChainTable",
    "cis_cutoff",
    "peptide_shapes",
    "side_chain_table",
]

_N_PLACED = OXT_SLOT - GAMMA_SLOT
PRO_N_CD = float(reference_length()[PRO, N_SLOT, slot_of("PRO", "CD")])
"""N-CD bond of proline, Å."""
_CIS_CUTOFF, _CIS_CUTOFF_PRO = 3.2, 3.4
"""Two Cα nearer than this (Å) have a cis peptide between them, the second value before proline.

A cis peptide spans 2.96 Å and a trans peptide 3.81 Å (``ideal.json``). The
cutoff lies halfway before proline; before other residues, where cis is a
hundred times as rare, it lies nearer to cis.
"""
_GLY_CB_LENGTH, _GLY_CB_ELEVATION = 1.53, 52.2
"""Any values (Å, degrees) do for glycine, whose CB is not built."""


@dataclass(frozen=True)
class PeptideShape:
    """Bond lengths (Å) and angles (rad) of a peptide, and the distance (Å) of its two Cα."""

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
    """Placements of all side-chain atoms of the twenty residue types.

    Attributes
    ----------
    cb_length, cb_elevation : numpy.ndarray of float64, shape (20,)
        CA-CB length (Å) and the angle (rad) between CA-CB and the direction
        opposite to the bisector of N-CA-C.
    parents : numpy.ndarray of int64, shape (20, 9, 3)
        Slots of the parents a, b, c of slots 5 to 13 (0 where there is no atom).
    chi : numpy.ndarray of int64, shape (20, 9)
        Index of the chi angle that the atom's torsion contains, -1 for none.
    ends_chi : numpy.ndarray of bool, shape (20, 9)
        Whether the atom is the fourth of its chi angle; the bend of that chi
        angle is then a deviation of its bond angle.
    length, angle, offset : numpy.ndarray of float64, shape (20, 9)
        Bond length (Å), bond angle and torsion offset (rad).
    exists : numpy.ndarray of bool, shape (20, 9)
        Whether the residue type has the atom.
    """

    cb_length: Float[np.ndarray, "20"]
    cb_elevation: Float[np.ndarray, "20"]
    parents: Int[np.ndarray, "20 9 3"]
    chi: Int[np.ndarray, "20 9"]
    ends_chi: Bool[np.ndarray, "20 9"]
    length: Float[np.ndarray, "20 9"]
    angle: Float[np.ndarray, "20 9"]
    offset: Float[np.ndarray, "20 9"]
    exists: Bool[np.ndarray, "20 9"]


@cache
def _measurements() -> dict[str, Any]:
    text = resources.files("latcpb_cli.chem").joinpath("ideal.json").read_text(encoding="utf-8")
    measurements: dict[str, Any] = json.loads(text)
    return measurements


@cache
def cis_cutoff() -> Float[np.ndarray, "20"]:
    """Cα-Cα distance (Å) below which a peptide is cis, by the residue type after the peptide."""
    cutoff = np.full(len(NAMES), _CIS_CUTOFF)
    cutoff[PRO] = _CIS_CUTOFF_PRO
    return cutoff


@cache
def peptide_shapes() -> tuple[PeptideShape, PeptideShape]:
    """Shapes of the trans and of the cis peptide."""

    def shape(isomer: str) -> PeptideShape:
        row = _measurements()["peptide"][isomer]
        return PeptideShape(
            ca_c=row["CA-C"],
            c_n=row["C-N"],
            n_ca=row["N-CA"],
            c_o=row["C-O"],
            ca_c_n=math.radians(row["CA-C-N"]),
            ca_c_o=math.radians(row["CA-C-O"]),
            c_n_ca=math.radians(row["C-N-CA"]),
            ca_ca=row["CA-CA"],
        )

    return shape("trans"), shape("cis")


@cache
def side_chain_table() -> SideChainTable:
    """Placements of every side-chain atom of the twenty residue types."""
    parents = np.zeros((20, _N_PLACED, 3), dtype=np.int64)
    chi = np.full((20, _N_PLACED), -1, dtype=np.int64)
    length = np.full((20, _N_PLACED), 1.5)
    angle = np.full((20, _N_PLACED), math.radians(110.0))
    offset = np.zeros((20, _N_PLACED))
    exists = np.zeros((20, _N_PLACED), dtype=bool)
    for residue, name in enumerate(NAMES):
        offsets = _measurements()["offsets"].get(name, {})
        for index, placement in enumerate(placements(residue)):
            slot = GAMMA_SLOT + index
            a, b, c = (ATOM_SLOTS[residue].index(parent) for parent in placement.parents)
            parents[residue, index] = a, b, c
            chi[residue, index] = placement.chi
            length[residue, index] = reference_length()[residue, c, slot]
            angle[residue, index] = reference_angle()[residue, b, c, slot]
            offset[residue, index] = math.radians(offsets.get(placement.atom, 0.0))
            exists[residue, index] = True
    elevations = _measurements()["cb_elevation"]
    return SideChainTable(
        cb_length=np.nan_to_num(reference_length()[:, CA_SLOT, CB_SLOT], nan=_GLY_CB_LENGTH),
        cb_elevation=np.radians([elevations.get(name, _GLY_CB_ELEVATION) for name in NAMES]),
        parents=parents,
        chi=chi,
        ends_chi=(chi >= 0) & (offset == 0.0),
        length=length,
        angle=angle,
        offset=offset,
        exists=exists,
    )
