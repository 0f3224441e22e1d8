"""Right-handed local frames of residues, from Cα positions."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from latcpb_cli.geometry.links import LINEAR, ChainOrder
from latcpb_cli.geometry.vectors import cross, reject, unit

__all__ = ["residue_frames"]


def residue_frames(
    ca: Float[Tensor, "L 3"], linked: Bool[Tensor, "L"], order: ChainOrder = LINEAR
) -> Float[Tensor, "L 3 3"]:
    """Return the frame of each residue, whose rows are unit vectors.

    The first row points along the chain, the second towards the inside of its
    bend; the third is their cross product. At a chain end the missing Cα-Cα step
    is replaced by the next but one. Where a chain is too short to have a frame the
    rows are zero vectors.

    Parameters
    ----------
    ca : Tensor, shape (L, 3)
        Cα positions, Å.
    linked : Tensor of bool, shape (L,)
        Whether a peptide joins each residue to the next.
    order : ChainOrder

    Returns
    -------
    Tensor, shape (L, 3, 3)
    """
    step = torch.where(linked[:, None], order.next(ca) - ca, 0.0)
    has_before, has_after = order.linked_before(linked)[:, None], linked[:, None]
    # Steps in chain order: into an inner residue and out of it, the first two of a chain, the last two.
    before = order.previous(step)
    step_in = torch.where(has_before, torch.where(has_after, before, order.previous(before)), step)
    step_out = torch.where(
        has_before,
        torch.where(has_after, step, before),
        torch.where(has_after, order.next(step), 0.0),
    )
    along = unit(step_in + step_out)
    bend = unit(reject(step_out - step_in, along))
    return torch.stack([along, bend, cross(along, bend)], dim=-2)
