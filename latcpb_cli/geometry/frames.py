"""Right-handed local frames of residues from the Cα trace alone."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from latcpb_cli.geometry.links import linked_before
from latcpb_cli.geometry.vectors import cross, reject, unit

__all__ = ["residue_frames"]


def residue_frames(ca: Float[Tensor, "L 3"], linked: Bool[Tensor, "L"]) -> Float[Tensor, "L 3 3"]:
    """Frame of each residue; rows are unit vectors.

    The first row runs along the chain, the second points where the chain bends
    to, the third is their cross product, which tells left from right. An end
    borrows the missing step from two residues further in; where a chain is too
    short to have a frame the rows are zero vectors, so nothing is invented.
    """
    step = torch.where(linked[:, None], ca.roll(-1, 0) - ca, 0.0)
    before = linked_before(linked)
    into = torch.where(before[:, None], step.roll(1, 0), torch.where(linked[:, None], step.roll(-1, 0), 0.0))
    out = torch.where(linked[:, None], step, torch.where(before[:, None], step.roll(2, 0), 0.0))
    # A first residue's stand-in step comes after its own one, a last one's before: keep chain order.
    first = (~before & linked)[:, None]
    last = (before & ~linked)[:, None]
    into, out = torch.where(first, out, into), torch.where(first, into, out)
    into, out = torch.where(last, out, into), torch.where(last, step.roll(1, 0), out)
    along = unit(into + out)
    bend = unit(reject(out - into, along))
    return torch.stack([along, bend, cross(along, bend)], dim=-2)
