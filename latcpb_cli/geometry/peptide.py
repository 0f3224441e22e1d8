"""The peptide plane between two Cα: a rigid shape and one rotation.

Given two Cα at any distance, the two angles at C and N give by the same amount
until the ends find_contacts, at most by 38 degrees. Where the distance is more than
0.08 Å from the ideal one, which coarse-grained beads do and crystals do not,
the three bonds between the Cα take a share of the rest, at most 3 % of their
length: with the force constants of common force fields they take about half.
Distances that this cannot reach (beyond about 4.3 Å) stretch the shape along
the axis; distances near 3.0 Å are cis peptides.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latcpb_cli.chem.ideal import cis_cutoff, peptide_shapes
from latcpb_cli.geometry.links import linked_before
from latcpb_cli.geometry.vectors import cross, place, reject, unit

__all__ = ["axis_frame", "is_cis_distance", "peptide_atoms"]

_MAX_BEND = math.radians(38.0)
_EXACT = 0.08  # Å: up to here from the ideal distance, only angles give
_SHARE, _MAX_GIVE = 0.6, 0.03  # what bonds take of the rest, and how much of their length at most
_NEWTON_STEPS = 6
_COLLINEAR = 0.2  # Å: a neighbour nearer to the axis than this gives no direction


def is_cis_distance(distance: Float[Tensor, "L"], next_types: Int[Tensor, "L"]) -> Bool[Tensor, "L"]:
    """Whether the peptide to the next residue is cis, from its Cα-Cα distance (Å)."""
    cutoff = torch.as_tensor(cis_cutoff(), dtype=distance.dtype, device=distance.device)
    return distance < cutoff[next_types]


def axis_frame(ca: Float[Tensor, "L 3"], linked: Bool[Tensor, "L"]) -> Float[Tensor, "L 3 3"]:
    """Right-handed frame of each peptide: rows are the Cα-Cα axis, the reference, their cross product.

    The reference points from the axis towards the Cα before the peptide; where
    there is none (or it lies on the axis) towards the Cα after it; where there
    is neither, in a direction that is arbitrary because nothing defines one.
    """
    ahead = ca.roll(-1, 0)
    axis = unit(ahead - ca)
    none = torch.zeros_like(linked[:1])
    before = torch.where(linked_before(linked)[:, None], ca.roll(1, 0) - ca, 0.0)
    after = torch.where(torch.cat([linked[1:], none])[:, None], ca.roll(-2, 0) - ahead, 0.0)
    before, after = reject(before, axis), reject(after, axis)
    lengths = [vector.norm(dim=-1, keepdim=True) for vector in (before, after)]
    least = torch.nn.functional.one_hot(axis.abs().argmin(-1), 3).to(ca.dtype)
    reference = torch.where(
        lengths[0] > _COLLINEAR, before, torch.where(lengths[1] > _COLLINEAR, after, reject(least, axis))
    )
    reference = unit(reference)
    return torch.stack([axis, reference, cross(axis, reference)], dim=-2)


def _give(distance: Float[Tensor, "L"], ideal: Float[Tensor, "L"]) -> Float[Tensor, "L"]:
    """Factor on the bonds between two Cα that are not where a peptide puts them; 1 in crystals."""
    off = distance - ideal
    rest = off - off.clamp(-_EXACT, _EXACT)
    return 1.0 + (_SHARE * rest / ideal).clamp(-_MAX_GIVE, _MAX_GIVE)


def _solve_bend(
    distance: Tensor, cos_omega: Tensor, a: Tensor, b: Tensor, c: Tensor, one: Tensor, two: Tensor
) -> Tensor:
    """Common change of both angles (rad) that brings the end-to-end distance to ``distance``."""

    def excess(bend: Tensor) -> tuple[Tensor, Tensor]:
        s1, c1 = torch.sin(one + bend), torch.cos(one + bend)
        s2, c2 = torch.sin(two + bend), torch.cos(two + bend)
        squared = a * a + b * b + c * c - 2 * a * b * c1 - 2 * b * c * c2
        squared = squared + 2 * a * c * (c1 * c2 - s1 * s2 * cos_omega)
        slope = 2 * a * b * s1 + 2 * b * c * s2 - 2 * a * c * (1 + cos_omega) * (s1 * c2 + c1 * s2)
        return squared - distance * distance, slope

    bend = torch.zeros_like(distance)
    with torch.no_grad():
        for _ in range(_NEWTON_STEPS):
            value, slope = excess(bend)
            bend = (bend - value / slope.clamp(min=0.5)).clamp(-_MAX_BEND, _MAX_BEND)
    # One more step outside no_grad carries the exact gradient with respect to omega.
    value, slope = excess(bend)
    return (bend - value / slope.detach().clamp(min=0.5)).clamp(-_MAX_BEND, _MAX_BEND)


def peptide_atoms(
    ca: Float[Tensor, "L 3"],
    frame: Float[Tensor, "L 3 3"],
    cis: Bool[Tensor, "L"],
    rotation: Float[Tensor, "L 2"],
    twist: Float[Tensor, "L"],
) -> tuple[Float[Tensor, "L 3"], Float[Tensor, "L 3"], Float[Tensor, "L 3"]]:
    """C and O of residue i and N of residue i+1 for every i (meaningless where not linked).

    Parameters
    ----------
    ca, frame, cis
        Cα (Å), frames from `axis_frame`, which peptides are cis.
    rotation
        (cos, sin) of the angle from the reference to the carbonyl oxygen, seen along the axis.
    twist
        Deviation of omega from planarity, radians.
    """
    shapes = peptide_shapes()

    def pick(name: str) -> Tensor:
        trans, bent = (getattr(shape, name) for shape in shapes)
        return torch.where(cis, ca.new_tensor(bent), ca.new_tensor(trans))

    sign = torch.where(cis, 1.0, -1.0).to(ca.dtype)
    omega = torch.stack([sign * torch.cos(twist), sign * torch.sin(twist)], dim=-1)
    distance = (ca.roll(-1, 0) - ca).norm(dim=-1)
    give = _give(distance, pick("ca_ca"))
    lengths = pick("ca_c") * give, pick("c_n") * give, pick("n_ca") * give
    bend = _solve_bend(distance, omega[:, 0], *lengths, pick("ca_c_n"), pick("c_n_ca"))

    # Build CA, C, N, CA' in a plane of their own, then lay CA-CA' on the axis, O on the rotation.
    zero = torch.zeros_like(ca)
    c = zero + ca.new_tensor([1.0, 0.0, 0.0]) * lengths[0][:, None]
    flat = ca.new_tensor([1.0, 0.0]).expand(len(ca), 2)
    up = zero + ca.new_tensor([0.0, 1.0, 0.0])
    n = place(up, zero, c, lengths[1], pick("ca_c_n") + bend, flat)
    ahead = place(zero, c, n, lengths[2], pick("c_n_ca") + bend, omega)
    o = place(up, zero, c, pick("c_o"), pick("ca_c_o") - bend / 2, -flat)
    axis = unit(ahead)
    across = unit(reject(o, axis))
    own = torch.stack([axis, across, cross(axis, across)], dim=-2)
    stretch = (distance / ahead.norm(dim=-1).clamp(min=1.0))[:, None]
    turned = torch.stack(
        [
            frame[:, 0],
            rotation[:, :1] * frame[:, 1] + rotation[:, 1:] * frame[:, 2],
            rotation[:, :1] * frame[:, 2] - rotation[:, 1:] * frame[:, 1],
        ],
        dim=-2,
    )

    def lay(atom: Tensor) -> Tensor:
        local = torch.einsum("lij,lj->li", own, atom)
        local = torch.cat([local[:, :1] * stretch, local[:, 1:]], dim=-1)
        return ca + torch.einsum("li,lij->lj", local, turned)

    return lay(c), lay(o), lay(n)
