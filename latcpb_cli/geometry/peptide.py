"""The peptide plane between two Cα: a rigid shape and one rotation.

A peptide spans the distance of its two Cα by changing its angles at C and N by
the same amount, at most by 38 degrees. Where the distance is more than 0.08 Å
from the ideal one, which happens in coarse-grained models and not in crystals,
the three bonds between the Cα take a fraction of the rest, at most 3 % of their
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
from latcpb_cli.device import constant, table_on
from latcpb_cli.geometry.links import LINEAR, ChainOrder
from latcpb_cli.geometry.vectors import cross, place_atom, reject, unit

__all__ = ["axis_frame", "is_cis_distance", "peptide_atoms"]

_MAX_BEND = math.radians(38.0)
_MAX_EXACT_DEVIATION = 0.08  # Å from the ideal Cα-Cα distance: bonds keep their lengths up to here
_BOND_FRACTION, _MAX_BOND_STRAIN = 0.6, 0.03  # of the remaining deviation that bonds take; of their length
_NEWTON_STEPS = 6
_MIN_REFERENCE = 0.2  # Å: a neighbour nearer to the axis than this defines no direction


def is_cis_distance(distance: Float[Tensor, "L"], next_types: Int[Tensor, "L"]) -> Bool[Tensor, "L"]:
    """Whether the peptide to the next residue is cis, from its Cα-Cα distance (Å)."""
    cutoff = table_on(distance.device, cis_cutoff).to(distance.dtype)
    return distance < cutoff[next_types]


def axis_frame(
    ca: Float[Tensor, "L 3"], linked: Bool[Tensor, "L"], order: ChainOrder = LINEAR
) -> Float[Tensor, "L 3 3"]:
    """Return the frame of each peptide, right-handed with unit vectors as rows.

    The rows are the Cα-Cα axis, a reference direction perpendicular to it, and
    their cross product. The reference points from the axis towards the Cα before
    the peptide; where there is none (or it lies on the axis) towards the Cα after
    it; where there is neither, in an arbitrary direction.

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
        Meaningless where no peptide follows a residue.
    """
    next_ca = order.next(ca)
    axis = unit(next_ca - ca)
    before = torch.where(order.linked_before(linked)[:, None], order.previous(ca) - ca, 0.0)
    after = torch.where(order.next(linked)[:, None], order.next(next_ca) - next_ca, 0.0)
    before, after = reject(before, axis), reject(after, axis)
    arbitrary = torch.nn.functional.one_hot(axis.abs().argmin(-1), 3).to(ca.dtype)
    has_before, has_after = (x.norm(dim=-1, keepdim=True) > _MIN_REFERENCE for x in (before, after))
    reference = torch.where(has_before, before, torch.where(has_after, after, reject(arbitrary, axis)))
    reference = unit(reference)
    return torch.stack([axis, reference, cross(axis, reference)], dim=-2)


def _bond_scale(distance: Float[Tensor, "L"], ideal: Float[Tensor, "L"]) -> Float[Tensor, "L"]:
    """Factor on the bond lengths between two Cα at some distance (Å); 1 in crystals."""
    deviation = distance - ideal
    rest = deviation - deviation.clamp(-_MAX_EXACT_DEVIATION, _MAX_EXACT_DEVIATION)
    return 1.0 + (_BOND_FRACTION * rest / ideal).clamp(-_MAX_BOND_STRAIN, _MAX_BOND_STRAIN)


def _solve_bend(
    distance: Float[Tensor, "L"],
    cos_omega: Float[Tensor, "L"],
    bonds: tuple[Float[Tensor, "L"], Float[Tensor, "L"], Float[Tensor, "L"]],
    angles: tuple[Float[Tensor, "L"], Float[Tensor, "L"]],
) -> Float[Tensor, "L"]:
    """Common change (rad) of both angles that brings the end-to-end distance to ``distance``."""
    (a, b, c), (one, two) = bonds, angles
    ab, bc, ac = 2 * a * b, 2 * b * c, 2 * a * c
    of_bonds, ac_of_omega = a * a + b * b + c * c - distance * distance, ac * (1 + cos_omega)

    def excess(bend: Tensor) -> tuple[Tensor, Tensor]:
        first, second = one + bend, two + bend
        s1, c1, s2, c2 = torch.sin(first), torch.cos(first), torch.sin(second), torch.cos(second)
        squared = of_bonds - ab * c1 - bc * c2 + ac * (c1 * c2 - s1 * s2 * cos_omega)
        return squared, ab * s1 + bc * s2 - ac_of_omega * (s1 * c2 + c1 * s2)

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
    order: ChainOrder = LINEAR,
) -> tuple[Float[Tensor, "L 3"], Float[Tensor, "L 3"], Float[Tensor, "L 3"]]:
    """Build the atoms of the peptide from each residue to the next.

    Parameters
    ----------
    ca : Tensor, shape (L, 3)
        Cα positions, Å.
    frame : Tensor, shape (L, 3, 3)
        From `axis_frame`.
    cis : Tensor of bool, shape (L,)
        Which peptides are cis.
    rotation : Tensor, shape (L, 2)
        (cos, sin) of the angle about the axis from the reference to the carbonyl oxygen.
    twist : Tensor, shape (L,)
        Deviation of omega from planarity, rad.
    order : ChainOrder

    Returns
    -------
    c, o, next_n : Tensor, shape (L, 3)
        C and O of each residue and N of the next (Å); meaningless where no peptide joins them.
    """
    distance = (order.next(ca) - ca).norm(dim=-1)
    c, o, n, next_ca = _flat_peptide(distance, cis, twist)
    axis = unit(next_ca)
    across = unit(reject(o, axis))
    own_frame = torch.stack([axis, across, cross(axis, across)], dim=-2)
    stretch = (distance / next_ca.norm(dim=-1).clamp(min=1.0))[:, None]
    rotated_frame = torch.stack(
        [
            frame[:, 0],
            rotation[:, :1] * frame[:, 1] + rotation[:, 1:] * frame[:, 2],
            rotation[:, :1] * frame[:, 2] - rotation[:, 1:] * frame[:, 1],
        ],
        dim=-2,
    )

    def move(atom: Tensor) -> Tensor:
        local = torch.einsum("lij,lj->li", own_frame, atom)
        local = torch.cat([local[:, :1] * stretch, local[:, 1:]], dim=-1)
        return ca + torch.einsum("li,lij->lj", local, rotated_frame)

    return move(c), move(o), move(n)


def _flat_peptide(
    distance: Float[Tensor, "L"], cis: Bool[Tensor, "L"], twist: Float[Tensor, "L"]
) -> tuple[Float[Tensor, "L 3"], Float[Tensor, "L 3"], Float[Tensor, "L 3"], Float[Tensor, "L 3"]]:
    """C, O, N and second Cα of peptides whose first Cα is the origin, C on the x axis, O in the xy plane."""
    trans_shape, cis_shape = peptide_shapes()

    def fixed(values: float | tuple[float, ...]) -> Tensor:
        return constant(values, distance.dtype, distance.device)

    def pick(name: str) -> Tensor:
        if_cis, if_trans = (fixed(getattr(shape, name)) for shape in (cis_shape, trans_shape))
        return torch.where(cis, if_cis, if_trans)

    sign = torch.where(cis, 1.0, -1.0).to(distance.dtype)
    omega = torch.stack([sign * torch.cos(twist), sign * torch.sin(twist)], dim=-1)
    scale = _bond_scale(distance, pick("ca_ca"))
    ca_c, c_n, n_ca = pick("ca_c") * scale, pick("c_n") * scale, pick("n_ca") * scale
    bend = _solve_bend(distance, omega[:, 0], (ca_c, c_n, n_ca), (pick("ca_c_n"), pick("c_n_ca")))
    origin = distance.new_zeros(len(distance), 3)
    c = origin + fixed((1.0, 0.0, 0.0)) * ca_c[:, None]
    flat = fixed((1.0, 0.0)).expand(len(distance), 2)
    up = origin + fixed((0.0, 1.0, 0.0))
    n = place_atom(up, origin, c, c_n, pick("ca_c_n") + bend, flat)
    next_ca = place_atom(origin, c, n, n_ca, pick("c_n_ca") + bend, omega)
    o = place_atom(up, origin, c, pick("c_o"), pick("ca_c_o") - bend / 2, -flat)
    return c, o, n, next_ca
