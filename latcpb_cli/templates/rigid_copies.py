"""Atoms of rigid parts of a template, in local frames, and their copies in frames that are like it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latcpb_cli.chem.residues import (
    C_SLOT,
    CA_SLOT,
    CB_SLOT,
    N_SLOT,
    O_SLOT,
    OXT_SLOT,
    slot_mask,
    swap_slots,
)
from latcpb_cli.geometry.links import ChainOrder
from latcpb_cli.geometry.peptide import axis_frame
from latcpb_cli.geometry.vectors import cross, reject, unit

__all__ = ["COPIED_SLOTS", "RigidCopies", "Trace", "local_peptides", "local_side_chains"]

COPIED_SLOTS = slice(CB_SLOT, OXT_SLOT)
"""Slots of the side chains that are copied."""
_MAX_STEP = 0.3
"""Å that an atom may be left away from its copy; mixtures of more distant conformations are none."""


@dataclass(frozen=True, eq=False)
class Trace:
    """Cα of L residues (Å), the peptides between them, and their order."""

    ca: Float[Tensor, "L 3"]
    linked: Bool[Tensor, "L"]
    order: ChainOrder

    def axes(self) -> Float[Tensor, "L 3 3"]:
        """Return the frames of the peptides, whose first rows have the length of the Cα-Cα distance, Å."""
        frame = axis_frame(self.ca, self.linked, self.order)
        length = (self.order.next(self.ca) - self.ca).norm(dim=-1)
        return torch.cat([frame[:, :1] * length[:, None, None], frame[:, 1:]], dim=1)


@dataclass(frozen=True, eq=False)
class RigidCopies:
    """Atoms of L peptides or side chains in their local frames.

    Attributes
    ----------
    positions : Tensor, shape (L, n, 3)
        See `local_peptides` and `local_side_chains`.
    share : Tensor, shape (L,)
        Of the copy in the atoms of a structure, 0 to 1.
    """

    positions: Float[Tensor, "L n 3"]
    share: Float[Tensor, "L"]

    def to(self, device: torch.device | str) -> RigidCopies:
        """Return a copy on a device."""
        return RigidCopies(self.positions.to(device), self.share.to(device))

    def into_peptides(self, atoms: Float[Tensor, "L 15 3"], trace: Trace) -> Float[Tensor, "L 15 3"]:
        """Return atoms (Å) whose C, O and next N are moved to the copies by their shares."""
        placed = trace.ca[:, None] + torch.einsum("lni,lij->lnj", self.positions, trace.axes())
        share = torch.where(trace.linked, self.share, 0.0)[:, None]
        n, ca, c, o = (atoms[:, slot] for slot in (N_SLOT, CA_SLOT, C_SLOT, O_SLOT))
        next_n = trace.order.next(n)
        c, o, next_n = (
            torch.lerp(old, new, share) for old, new in zip((c, o, next_n), placed.unbind(1), strict=True)
        )
        n = torch.where(trace.order.linked_before(trace.linked)[:, None], trace.order.previous(next_n), n)
        return torch.cat([torch.stack([n, ca, c, o], dim=1), atoms[:, CB_SLOT:]], dim=1)

    def into_side_chains(
        self, atoms: Float[Tensor, "L 15 3"], types: Int[Tensor, "L"], is_copied: Bool[Tensor, "L"]
    ) -> Float[Tensor, "L 15 3"]:
        """Return atoms (Å) with the side chains of some residues moved to the copies by their shares.

        The two names of symmetric atoms are exchanged where that brings a copy nearer. Side chains with an
        atom that would be left farther than `_MAX_STEP` from its copy stay as they are.
        """
        old = atoms[:, COPIED_SLOTS]
        placed = atoms[:, CA_SLOT, None] + torch.einsum("lni,lij->lnj", self.positions, _residue_axes(atoms))
        swaps = torch.from_numpy(swap_slots()[:, COPIED_SLOTS]).to(types.device)[types] - CB_SLOT
        swapped = placed.gather(1, swaps[..., None].expand_as(placed))
        has_slot = torch.from_numpy(slot_mask()[:, COPIED_SLOTS]).to(types.device)[types]
        steps, swapped_steps = (
            torch.where(has_slot, (each - old).norm(dim=-1), 0.0).amax(-1) for each in (placed, swapped)
        )
        placed = torch.where((swapped_steps < steps)[:, None, None], swapped, placed)
        is_near = torch.minimum(steps, swapped_steps) * (1 - self.share) < _MAX_STEP
        share = torch.where(is_copied & is_near, self.share, 0.0)[:, None]
        copied = torch.lerp(old, placed, torch.where(has_slot, share, 0.0)[..., None])
        return torch.cat([atoms[:, :CB_SLOT], copied, atoms[:, OXT_SLOT:]], dim=1)


def local_peptides(atoms: Float[Tensor, "L 15 3"], trace: Trace) -> Float[Tensor, "L 3 3"]:
    """Return C, O and next N in the frame of each peptide; the first coordinate is 1 at the next Cα."""
    axes = trace.axes()
    steps = torch.stack([atoms[:, C_SLOT], atoms[:, O_SLOT], trace.order.next(atoms[:, N_SLOT])], dim=1)
    scale = (axes * axes).sum(-1).clamp(min=1e-6)
    return torch.einsum("lnj,lij->lni", steps - trace.ca[:, None], axes) / scale[:, None]


def local_side_chains(atoms: Float[Tensor, "L 15 3"]) -> Float[Tensor, "L 10 3"]:
    """Return the atoms of `COPIED_SLOTS` (Å) in the frame of N, CA and C of each residue."""
    steps = atoms[:, COPIED_SLOTS] - atoms[:, CA_SLOT, None]
    return torch.einsum("lnj,lij->lni", steps, _residue_axes(atoms))


def _residue_axes(atoms: Float[Tensor, "L 15 3"]) -> Float[Tensor, "L 3 3"]:
    """Unit vectors from CA to C, across it towards N, and perpendicular to both."""
    n, ca, c = (atoms[:, slot] for slot in (N_SLOT, CA_SLOT, C_SLOT))
    along = unit(c - ca)
    across = unit(reject(n - ca, along))
    return torch.stack([along, across, cross(along, across)], dim=1)
