"""Codec between internal coordinates and Cartesian atoms.

The internal coordinates of a residue are eight torsions, the twist of its
peptide and four angle bends; all bond lengths, the remaining angles and every
planar group come from tables. The residues of all structures of a batch follow
each other on one axis L, and ``linked[i]`` is true where a peptide joins i to
the next residue, so chains, breaks, frames and samples need no padding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latcpb_cli.chem.ideal import PRO_N_CD, peptide_shapes, side_chain_table
from latcpb_cli.chem.residues import C_SLOT, CA_SLOT, GAMMA_SLOT, N_SLOT, N_SLOTS, O_SLOT, PRO
from latcpb_cli.chem.zmatrix import N_CHI, chi_mask, chi_slots
from latcpb_cli.device import constant, table_on
from latcpb_cli.geometry.links import LINEAR, ChainOrder
from latcpb_cli.geometry.peptide import axis_frame, is_cis_distance, peptide_atoms
from latcpb_cli.geometry.residue_atoms import place_cb, place_oxt
from latcpb_cli.geometry.vectors import cosine, place_atom, reject, torsion_vector, unit

__all__ = [
    "FIRST_CHI",
    "N_TORSIONS",
    "PEPTIDE_ROTATION",
    "PHI_END",
    "PSI_END",
    "PSI_START",
    "InternalCoordinates",
    "decode",
    "encode",
    "place_side_chains",
    "torsion_mask",
]

PEPTIDE_ROTATION, PSI_START, PHI_END, PSI_END, FIRST_CHI = range(5)
"""Indices of torsions; chi 1 to 4 are the last four."""
N_TORSIONS = FIRST_CHI + N_CHI
_N_CA_C = 1.9391  # rad, 111.1 degrees, the mean of crystals: only in residues without a peptide on both sides
_CD_INDEX = 1  # of proline's CD among the atoms from slot 5 on
_NO_TURN = (1.0, 0.0)  # (cos, sin) of a torsion of zero


@dataclass(frozen=True, eq=False)
class InternalCoordinates:
    """Internal coordinates of L residues.

    Attributes
    ----------
    torsions : Tensor, shape (L, 8, 2)
        (cos, sin) of the peptide's rotation about the Cα-Cα axis; psi of a
        first residue; phi and N-CA-C-O of a last one; chi 1-4.
    twist : Tensor, shape (L,)
        Omega of the peptide to the next residue minus 180° (0° if cis), rad.
    bends : Tensor, shape (L, 4)
        Deviation (rad) from the ideal of the bond angle at each chi's end.
    """

    torsions: Float[Tensor, "L 8 2"]
    twist: Float[Tensor, "L"]
    bends: Float[Tensor, "L 4"]

    def select(self, rows: Int[Tensor, "R"]) -> InternalCoordinates:
        """Return the internal coordinates of some residues."""
        return InternalCoordinates(self.torsions[rows], self.twist[rows], self.bends[rows])

    def with_peptide_rotation(self, rotation: Float[Tensor, "L 2"]) -> InternalCoordinates:
        """Return a copy with other rotations of the peptides, (cos, sin)."""
        return InternalCoordinates(
            torch.cat([rotation[:, None], self.torsions[:, PSI_START:]], dim=1), self.twist, self.bends
        )

    def with_chi(self, chi: Float[Tensor, "L 4"]) -> InternalCoordinates:
        """Return a copy with other chi angles (rad)."""
        vectors = torch.stack([torch.cos(chi), torch.sin(chi)], dim=-1)
        return InternalCoordinates(
            torch.cat([self.torsions[:, :FIRST_CHI], vectors], dim=1), self.twist, self.bends
        )


def torsion_mask(
    types: Int[Tensor, "L"], linked: Bool[Tensor, "L"], order: ChainOrder = LINEAR
) -> Bool[Tensor, "L 8"]:
    """Which torsions determine atoms of each residue."""
    chis = table_on(types.device, chi_mask)[types]
    first, last = ~order.linked_before(linked), ~linked
    return torch.cat([torch.stack([linked, first & linked, last & ~first, last], dim=-1), chis], dim=-1)


def decode(
    internal: InternalCoordinates,
    ca: Float[Tensor, "L 3"],
    types: Int[Tensor, "L"],
    linked: Bool[Tensor, "L"],
    order: ChainOrder = LINEAR,
    *,
    side_chains: bool = True,
) -> Float[Tensor, "L 15 3"]:
    """Build all atoms (Å) on a Cα trace.

    Parameters
    ----------
    internal : InternalCoordinates
        Of L residues.
    ca : Tensor, shape (L, 3)
        Cα positions, Å.
    types : Tensor of int64, shape (L,)
        Residue indices.
    linked : Tensor of bool, shape (L,)
        Whether a peptide joins each residue to the next.
    order : ChainOrder
    side_chains : bool
        Whether atoms beyond CB are built; otherwise they stay at their Cα.

    Returns
    -------
    Tensor, shape (L, 15, 3)
        Atom14 slots and OXT. Cα are the input to the bit; slots that a residue
        type does not have hold its Cα.
    """
    n, c, o, oxt = _backbone(internal, ca, types, linked, order)
    atoms = [n, ca, c, o, place_cb(n, ca, c, types)]
    if side_chains:
        atoms = place_side_chains(atoms, internal, types)
    else:
        atoms = [*atoms, *[ca] * (N_SLOTS - GAMMA_SLOT - 1)]
    return torch.stack([*atoms, oxt], dim=1)


def _backbone(
    internal: InternalCoordinates,
    ca: Float[Tensor, "L 3"],
    types: Int[Tensor, "L"],
    linked: Bool[Tensor, "L"],
    order: ChainOrder,
) -> tuple[Float[Tensor, "L 3"], Float[Tensor, "L 3"], Float[Tensor, "L 3"], Float[Tensor, "L 3"]]:
    """N, C, O and OXT of every residue, termini and single residues included."""
    trans = peptide_shapes()[0]
    frame = axis_frame(ca, linked, order)
    cis = is_cis_distance((order.next(ca) - ca).norm(dim=-1), order.next(types))
    rotation = internal.torsions[:, PEPTIDE_ROTATION]
    c, o, next_n = peptide_atoms(ca, frame, cis, rotation, internal.twist, order)
    has_before, has_after = order.linked_before(linked)[:, None], linked[:, None]
    n_ca_c = torch.full_like(ca[:, 0], _N_CA_C)
    # N of a first residue is placed from its own peptide; that of a single one lies on the x axis.
    n_first = place_atom(next_n, c, ca, trans.n_ca, n_ca_c, internal.torsions[:, PSI_START])
    n_single = ca + constant((trans.n_ca, 0.0, 0.0), ca.dtype, ca.device)
    n = torch.where(has_before, order.previous(next_n), torch.where(has_after, n_first, n_single))
    # C of a last residue is placed from the peptide before it; a single one has the y axis instead.
    y_axis = constant((0.0, 1.0, 0.0), ca.dtype, ca.device)
    previous_c = torch.where(has_before, order.previous(c), n + y_axis)
    c_last = place_atom(previous_c, n, ca, trans.ca_c, n_ca_c, internal.torsions[:, PHI_END])
    c = torch.where(has_after, c, c_last)
    ca_c_o = torch.full_like(n_ca_c, trans.ca_c_o)
    psi_end = internal.torsions[:, PSI_END]
    o = torch.where(has_after, o, place_atom(n, ca, c, trans.c_o, ca_c_o, psi_end))
    return n, c, o, torch.where(has_after, ca, place_oxt(n, ca, c, psi_end))


def place_side_chains(
    atoms: list[Float[Tensor, "L 3"]], internal: InternalCoordinates, types: Int[Tensor, "L"]
) -> list[Float[Tensor, "L 3"]]:
    """Append the atoms of slots 5-13 to those of slots 0-4, each placed from three earlier ones.

    The residues need not be neighbours in a chain: any subset can be rebuilt on its backbone.
    """
    ca = atoms[CA_SLOT]

    def gather(column: str) -> Tensor:
        tensor = table_on(ca.device, side_chain_table, column)[types]
        return tensor.to(ca.dtype) if tensor.is_floating_point() else tensor

    parents, chi, ends_chi, exists = map(gather, ("parents", "chi", "ends_chi", "exists"))
    length, angle, offset = map(gather, ("length", "angle", "offset"))
    # A last column without turn and bend stands for "no chi angle".
    no_turn = constant(_NO_TURN, ca.dtype, ca.device).expand(len(ca), 1, 2)
    turns = torch.cat([internal.torsions[:, FIRST_CHI:], no_turn], dim=1)
    bends = torch.cat([internal.bends, torch.zeros_like(internal.bends[:, :1])], dim=1)
    chi = torch.where(chi < 0, N_CHI, chi)
    rows = torch.arange(len(ca), device=ca.device)
    # Indices into all atoms, slot by slot, of the three atoms that each slot is placed from.
    parents = parents.permute(1, 2, 0) * len(rows) + rows
    placed = ca.new_empty(len(atoms) + len(parents), *ca.shape)
    placed[: len(atoms)] = torch.stack(atoms)
    for index in range(len(parents)):
        a, b, c = placed.flatten(0, 1).index_select(0, parents[index].flatten()).view(3, -1, 3).unbind(0)
        column = rows * turns.shape[1] + chi[:, index]
        turn = _add_angle(turns.flatten(0, 1).index_select(0, column), offset[:, index])
        bend = torch.where(ends_chi[:, index], bends.flatten().index_select(0, column), 0.0)
        x = place_atom(a, b, c, length[:, index], angle[:, index] + bend, turn)
        if index == _CD_INDEX:
            closed = _close_ring(x, placed[GAMMA_SLOT], placed[N_SLOT], length[:, index])
            x = torch.where((types == PRO)[:, None], closed, x)
        placed[GAMMA_SLOT + index] = torch.where(exists[:, index, None], x, ca)
    return list(placed.unbind(0))


def _add_angle(vector: Float[Tensor, "L 2"], angle: Float[Tensor, "L"]) -> Float[Tensor, "L 2"]:
    """(cos, sin) of an angle plus another (rad)."""
    cos, sin = torch.cos(angle), torch.sin(angle)
    return torch.stack(
        [vector[:, 0] * cos - vector[:, 1] * sin, vector[:, 1] * cos + vector[:, 0] * sin], dim=-1
    )


def _close_ring(
    cd: Float[Tensor, "L 3"], cg: Float[Tensor, "L 3"], n: Float[Tensor, "L 3"], cg_cd: Float[Tensor, "L"]
) -> Float[Tensor, "L 3"]:
    """Move proline's CD to the nearest point with exact CG-CD and N-CD bonds."""
    span = (n - cg).norm(dim=-1).clamp(min=0.5, max=PRO_N_CD + 1.4)
    along: Tensor = (cg_cd**2 - PRO_N_CD**2 + span**2) / (2 * span)
    height = torch.sqrt((cg_cd**2 - along**2).clamp(min=1e-4))
    axis = unit(n - cg)
    closed: Tensor = cg + along[:, None] * axis + height[:, None] * unit(reject(cd - cg, axis))
    return closed


def encode(
    atoms: Float[Tensor, "L 15 3"],
    present: Bool[Tensor, "L 15"],
    types: Int[Tensor, "L"],
    linked: Bool[Tensor, "L"],
    order: ChainOrder = LINEAR,
) -> tuple[InternalCoordinates, Bool[Tensor, "L 8"]]:
    """Measure internal coordinates.

    Parameters
    ----------
    atoms : Tensor, shape (L, 15, 3)
        Å.
    present : Tensor of bool, shape (L, 15)
        Atoms that have a position.
    types : Tensor of int64, shape (L,)
        Residue indices.
    linked : Tensor of bool, shape (L,)
        Whether a peptide joins each residue to the next.
    order : ChainOrder

    Returns
    -------
    internal : InternalCoordinates
        Torsions that could not be measured are zero, (1, 0).
    measured : Tensor of bool, shape (L, 8)
        Which torsions could be measured.
    """
    n, ca, c, o = (atoms[:, slot] for slot in (N_SLOT, CA_SLOT, C_SLOT, O_SLOT))
    frame = axis_frame(ca, linked, order)
    arm = o - ca
    rotation = torch.stack([(arm * frame[:, 1]).sum(-1), (arm * frame[:, 2]).sum(-1)], dim=-1)
    rotation = rotation * torch.rsqrt((rotation * rotation).sum(-1, keepdim=True) + 1e-8)
    next_n, next_ca = order.next(n), order.next(ca)
    ends = [
        torsion_vector(n, ca, c, next_n),
        torsion_vector(order.previous(c), n, ca, c),
        torsion_vector(n, ca, c, o),
    ]
    slots = table_on(atoms.device, chi_slots)[types].clamp(min=0)
    rows = torch.arange(len(atoms), device=atoms.device)[:, None]
    chi_atoms = [atoms[rows, slots[:, :, k]] for k in range(4)]
    has_chi_atoms = torch.stack([present[rows, slots[:, :, k]] for k in range(4)]).all(0)
    has_n, has_c, has_o = (present[:, slot] for slot in (N_SLOT, C_SLOT, O_SLOT))
    has_ends = torch.stack([has_o, order.next(has_n), has_n & has_c, has_n & has_o], dim=-1)
    measured = torsion_mask(types, linked, order) & torch.cat([has_ends, has_chi_atoms], dim=-1)
    torsions = torch.cat([torch.stack([rotation, *ends], dim=1), torsion_vector(*chi_atoms)], dim=1)
    no_turn = constant(_NO_TURN, torsions.dtype, torsions.device)
    torsions = torch.where(measured[:, :, None], torsions, no_turn)
    omega = torsion_vector(ca, c, next_n, next_ca)
    cis = is_cis_distance((next_ca - ca).norm(dim=-1), order.next(types))
    sign = torch.where(cis, 1.0, -1.0).to(atoms.dtype)
    twist = torch.where(linked, torch.atan2(omega[:, 1] * sign, omega[:, 0] * sign), 0.0)
    angles = torch.acos(cosine(*chi_atoms[1:]).clamp(-0.9999, 0.9999))
    bends = angles - _ideal_angles(types).to(atoms.dtype)
    return InternalCoordinates(torsions, twist, torch.where(measured[:, FIRST_CHI:], bends, 0.0)), measured


def _ideal_angles(types: Int[Tensor, "L"]) -> Float[Tensor, "L 4"]:
    """Ideal bond angle (rad) at the end of each chi."""
    table = side_chain_table()
    angles = torch.zeros(20, N_CHI, dtype=torch.float64, device=types.device)
    for residue, index in np.argwhere(table.ends_chi):
        angles[residue, table.chi[residue, index]] = float(table.angle[residue, index])
    return angles[types]
