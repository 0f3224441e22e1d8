"""Internal coordinates to Cartesian atoms and back.

A residue's internal coordinates are eight torsions, the twist of its peptide
and four angle bends; all bond lengths, the remaining angles and every planar
group come from tables. Residues of all structures of a batch stand one after
another on one axis L, and ``linked[i]`` tells where a peptide joins i to i+1,
so chains, breaks, frames and samples need no padding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latcpb_cli.chem.ideal import PRO_N_CD, peptide_shapes, side_chain_table
from latcpb_cli.chem.zmatrix import chi_mask, chi_slots
from latcpb_cli.chem.residues import GAMMA_SLOT, LETTERS, N_SLOTS
from latcpb_cli.geometry.links import linked_before
from latcpb_cli.geometry.peptide import axis_frame, is_cis_distance, peptide_atoms
from latcpb_cli.geometry.vectors import cosine, cross, place, reject, torsion_vector, unit

__all__ = [
    "N_TORSIONS",
    "PHI_END",
    "PSI_END",
    "PSI_START",
    "ROTATION",
    "InternalCoordinates",
    "decode",
    "encode",
    "place_side_chains",
    "torsion_mask",
]

ROTATION, PSI_START, PHI_END, PSI_END = range(4)
"""Torsions 0-3; 4-7 are chi 1-4."""
N_TORSIONS = 8
_N_CA_C = 1.9391  # rad, 111.1 degrees: only where no peptide decides it
_C_OXT = 1.250
_PRO = LETTERS.index("P")


@dataclass(frozen=True, eq=False)
class InternalCoordinates:
    """Internal coordinates of L residues.

    Attributes
    ----------
    torsions : Tensor, shape (L, 8, 2)
        (cos, sin) of the peptide's rotation about the Cα-Cα axis; psi of a
        first residue; phi and N-CA-C-O of a last one; chi 1-4.
    twist : Tensor, shape (L,)
        Omega of the peptide to the next residue less 180° (0° if cis), rad.
    bends : Tensor, shape (L, 4)
        Deviation (rad) from the ideal of the bond angle at each chi's end.
    """

    torsions: Float[Tensor, "L 8 2"]
    twist: Float[Tensor, "L"]
    bends: Float[Tensor, "L 4"]

    def select(self, rows: Int[Tensor, "A"]) -> InternalCoordinates:
        """Internal coordinates of some residues."""
        return InternalCoordinates(self.torsions[rows], self.twist[rows], self.bends[rows])

    def with_peptide_rotation(self, rotation: Float[Tensor, "L 2"]) -> InternalCoordinates:
        """The same with other rotations of peptides, (cos, sin)."""
        return InternalCoordinates(
            torch.cat([rotation[:, None], self.torsions[:, 1:]], dim=1), self.twist, self.bends
        )

    def with_chi(self, chi: Float[Tensor, "L 4"]) -> InternalCoordinates:
        """The same backbone with other chi angles (rad)."""
        turns = torch.stack([torch.cos(chi), torch.sin(chi)], dim=-1)
        return InternalCoordinates(
            torch.cat([self.torsions[:, : PSI_END + 1], turns], dim=1), self.twist, self.bends
        )


def torsion_mask(types: Int[Tensor, "L"], linked: Bool[Tensor, "L"]) -> Bool[Tensor, "L 8"]:
    """Which torsions shape a residue."""
    chis = torch.as_tensor(chi_mask(), device=types.device)[types]
    first, last = ~linked_before(linked), ~linked
    return torch.cat([torch.stack([linked, first & linked, last & ~first, last], dim=-1), chis], dim=-1)


def decode(
    internal: InternalCoordinates,
    ca: Float[Tensor, "L 3"],
    types: Int[Tensor, "L"],
    linked: Bool[Tensor, "L"],
    *,
    side_chains: bool = True,
) -> Float[Tensor, "L 15 3"]:
    """Build all atoms (Å) on a Cα trace; without ``side_chains``, those beyond Cβ stay at their Cα.

    Returns
    -------
    Tensor, shape (L, 15, 3)
        Atom14 slots and OXT. Cα are the input to the bit; slots a residue type
        does not have hold its Cα.
    """
    n, c, o, oxt = _backbone(internal, ca, types, linked)
    table = side_chain_table()
    gather = [torch.as_tensor(x, device=ca.device)[types] for x in (table.cb_length, table.cb_elevation)]
    length, lift = (x.to(ca.dtype) for x in gather)
    to_n, to_c = unit(n - ca), unit(c - ca)
    bisector, normal = unit(to_n + to_c), unit(cross(to_n, to_c))
    cb = ca + length[:, None] * (torch.sin(lift)[:, None] * normal - torch.cos(lift)[:, None] * bisector)
    glycine = (types == LETTERS.index("G"))[:, None]
    atoms = [n, ca, c, o, torch.where(glycine, ca, cb)]
    atoms = (
        place_side_chains(atoms, internal, types)
        if side_chains
        else [*atoms, *[ca] * (N_SLOTS - GAMMA_SLOT - 1)]
    )
    return torch.stack([*atoms, oxt], dim=1)


def _backbone(
    internal: InternalCoordinates, ca: Tensor, types: Tensor, linked: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """N, C, O and OXT of every residue, termini and single residues included."""
    trans = peptide_shapes()[0]
    frame = axis_frame(ca, linked)
    cis = is_cis_distance((ca.roll(-1, 0) - ca).norm(dim=-1), types.roll(-1, 0))
    c, o, n_ahead = peptide_atoms(ca, frame, cis, internal.torsions[:, ROTATION], internal.twist)
    has_before, has_after = linked_before(linked)[:, None], linked[:, None]
    tau = torch.full_like(ca[:, 0], _N_CA_C)
    # A first residue hangs N on its own peptide; a single one takes the x axis and its CB side.
    hung = place(n_ahead, c, ca, trans.n_ca, tau, internal.torsions[:, PSI_START])
    alone = ca + ca.new_tensor([trans.n_ca, 0.0, 0.0])
    n = torch.where(has_before, n_ahead.roll(1, 0), torch.where(has_after, hung, alone))
    # A last residue hangs C on the peptide before it.
    above = torch.where(has_before, c.roll(1, 0), n + ca.new_tensor([0.0, 1.0, 0.0]))
    c_end = place(above, n, ca, trans.ca_c, tau, internal.torsions[:, PHI_END])
    c = torch.where(has_after, c, c_end)
    angle = torch.full_like(tau, trans.ca_c_o)
    psi_end = internal.torsions[:, PSI_END]
    o = torch.where(has_after, o, place(n, ca, c, trans.c_o, angle, psi_end))
    oxt = torch.where(has_after, ca, place(n, ca, c, _C_OXT, angle - 0.045, -psi_end))
    return n, c, o, oxt


def place_side_chains(atoms: list[Tensor], internal: InternalCoordinates, types: Tensor) -> list[Tensor]:
    """Append slots 5-13 to slots 0-4 (a list of (L, 3)), each placed from three earlier ones.

    Residues need not be neighbours here: any subset can be rebuilt on its backbone.
    """
    table = side_chain_table()
    ca = atoms[1]

    def gather(values: np.ndarray) -> Tensor:
        tensor = torch.as_tensor(values, device=ca.device)[types]
        return tensor.to(ca.dtype) if tensor.is_floating_point() else tensor

    parents, chi, ends_chi, exists = (gather(x) for x in (table.parents, table.chi, table.ends_chi, table.exists))
    length, angle, offset = (gather(x) for x in (table.length, table.angle, table.offset))
    still = torch.tensor([1.0, 0.0], dtype=ca.dtype, device=ca.device).expand(len(ca), 1, 2)
    turns = torch.cat([internal.torsions[:, 4:], still], dim=1)  # index -1: no turn
    rows = torch.arange(len(ca), device=ca.device)
    chi = torch.where(chi < 0, turns.shape[1] - 1, chi)
    bends = torch.cat([internal.bends, torch.zeros_like(internal.bends[:, :1])], dim=1)
    for index in range(parents.shape[1]):
        placed = torch.cat(atoms)
        a, b, c = (placed.index_select(0, parents[:, index, k] * len(rows) + rows) for k in range(3))
        turn = turns.flatten(0, 1).index_select(0, rows * turns.shape[1] + chi[:, index])
        cos, sin = torch.cos(offset[:, index]), torch.sin(offset[:, index])
        turn = torch.stack([turn[:, 0] * cos - turn[:, 1] * sin, turn[:, 1] * cos + turn[:, 0] * sin], dim=-1)
        bend = torch.where(
            ends_chi[:, index], bends.flatten().index_select(0, rows * bends.shape[1] + chi[:, index]), 0.0
        )
        x = place(a, b, c, length[:, index], angle[:, index] + bend, turn)
        if index == 1:
            x = torch.where((types == _PRO)[:, None], _close_ring(x, atoms[5], atoms[0], length[:, index]), x)
        atoms = [*atoms, torch.where(exists[:, index, None], x, ca)]
    return atoms


def _close_ring(cd: Tensor, cg: Tensor, n: Tensor, cg_cd: Tensor) -> Tensor:
    """Move proline's CD to the nearest point with exact CG-CD and N-CD bonds."""
    span = (n - cg).norm(dim=-1).clamp(min=0.5, max=PRO_N_CD + 1.4)
    along = (cg_cd**2 - PRO_N_CD**2 + span**2) / (2 * span)
    height = torch.sqrt((cg_cd**2 - along**2).clamp(min=1e-4))
    axis = unit(n - cg)
    return cg + along[:, None] * axis + height[:, None] * unit(reject(cd - cg, axis))


def encode(
    atoms: Float[Tensor, "L 15 3"],
    present: Bool[Tensor, "L 15"],
    types: Int[Tensor, "L"],
    linked: Bool[Tensor, "L"],
) -> tuple[InternalCoordinates, Bool[Tensor, "L 8"]]:
    """Measure the internal coordinates of atoms, and which torsions could be measured."""
    n, ca, c, o = (atoms[:, slot] for slot in range(4))
    frame = axis_frame(ca, linked)
    arm = o - ca
    rotation = torch.stack([(arm * frame[:, 1]).sum(-1), (arm * frame[:, 2]).sum(-1)], dim=-1)
    rotation = rotation * torch.rsqrt((rotation * rotation).sum(-1, keepdim=True) + 1e-8)
    n_ahead, ca_ahead = n.roll(-1, 0), ca.roll(-1, 0)
    ends = [
        torsion_vector(n, ca, c, n_ahead),
        torsion_vector(c.roll(1, 0), n, ca, c),
        torsion_vector(n, ca, c, o),
    ]
    slots = torch.as_tensor(chi_slots(), device=atoms.device)[types]
    rows = torch.arange(len(atoms), device=atoms.device)[:, None]
    parts = [atoms[rows, slots[:, :, k].clamp(min=0)] for k in range(4)]
    chis = torsion_vector(*parts)
    seen = torch.stack([present[rows, slots[:, :, k].clamp(min=0)] for k in range(4)]).all(0)
    omega = torsion_vector(ca, c, n_ahead, ca_ahead)
    cis = is_cis_distance((ca_ahead - ca).norm(dim=-1), types.roll(-1, 0))
    sign = torch.where(cis, 1.0, -1.0).to(atoms.dtype)
    twist = torch.where(linked, torch.atan2(omega[:, 1] * sign, omega[:, 0] * sign), 0.0)
    bends = torch.acos(cosine(*parts[1:]).clamp(-0.9999, 0.9999)) - _ideal_bends(types).to(atoms.dtype)
    mask = torsion_mask(types, linked)
    n_there = present[:, 0]
    ok = torch.stack(
        [present[:, 3], n_there.roll(-1, 0), n_there & present[:, 2], n_there & present[:, 3]], dim=-1
    )
    known = mask & torch.cat([ok, seen], dim=-1)
    torsions = torch.cat([torch.stack([rotation, *ends], dim=1), chis], dim=1)
    torsions = torch.where(known[:, :, None], torsions, torsions.new_tensor([1.0, 0.0]))
    return InternalCoordinates(torsions, twist, torch.where(known[:, 4:], bends, 0.0)), known


def _ideal_bends(types: Int[Tensor, "L"]) -> Float[Tensor, "L 4"]:
    """Ideal bond angle (rad) at the end of each chi."""
    table = side_chain_table()
    ideal = torch.zeros(20, 4, dtype=torch.float64, device=types.device)
    for residue in range(20):
        for index in range(table.chi.shape[1]):
            if table.ends_chi[residue, index]:
                ideal[residue, table.chi[residue, index]] = float(table.angle[residue, index])
    return ideal[types]
