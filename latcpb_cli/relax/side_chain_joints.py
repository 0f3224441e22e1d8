"""Chi angles as joints: side chains from their angles, and gradients by them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from latcpb_cli.chem.residues import CB_SLOT, GAMMA_SLOT, OXT_SLOT
from latcpb_cli.chem.zmatrix import N_CHI
from latcpb_cli.geometry.vectors_first import cross, dot, from_frame, unit
from latcpb_cli.relax.chi_joints import CHI_RANGES, chi_tables
from latcpb_cli.relax.turning import Turning

__all__ = ["SIDE_CHAIN", "SideChainJoints"]

SIDE_CHAIN = slice(CB_SLOT, OXT_SLOT)
"""Slots of a side chain, CB included."""
_MOVABLE = slice(GAMMA_SLOT, OXT_SLOT)
_RANGES = tuple(slice(slots.start - CB_SLOT, slots.stop - CB_SLOT) for slots in CHI_RANGES)
"""`CHI_RANGES` among the slots of a side chain."""


@dataclass(frozen=True, eq=False)
class SideChainJoints:
    """The chi angles of L residues.

    Attributes
    ----------
    start : Tensor, shape (3, 10, L)
        Side chains at the start, in the frames of their residues, Å.
    weight : 4 Tensors, shape (slots, L)
        1 for the atoms in its `CHI_RANGES` that each chi moves, 0 for the others.
    turns : Turning
        Rotation matrices (3, 3, 4, L) about the axes of all chis at the start.
    pivot : Tensor, shape (3, 4, L)
        A point on the axis of each chi, Å.
    axis_rows : Tensor, shape (8 L,)
        Indices into (15, L), flattened, of the two atoms of the axis of each chi: first those of all
        lower ends, then those of all upper ends.
    levers : Tensor, shape (4, 9, L)
        Squared distance of each atom that a chi moves from its axis at the start, Å²; else zero.
    """

    start: Float[Tensor, "3 10 L"]
    weight: tuple[Float[Tensor, "_ L"], ...]
    turns: Turning
    pivot: Float[Tensor, "3 4 L"]
    axis_rows: Int[Tensor, "8*L"]
    levers: Float[Tensor, "4 9 L"]

    @classmethod
    def from_arms(
        cls, arms: Float[Tensor, "3 15 L"], frame: Float[Tensor, "3 3 L"], types: Int[Tensor, "L"]
    ) -> SideChainJoints:
        """Set up the side chains of residues of these types.

        Parameters
        ----------
        arms
            Vectors from CA to all atoms, Å.
        frame
            Coordinates, then axes: the axes of each residue's `SideChainFrame`.
        types
        """
        axis_slots, moves = (table[types] for table in chi_tables(types.device)[:2])
        residues = torch.arange(len(types), device=types.device)
        moves = moves.permute(1, 2, 0).contiguous()
        local = (frame[:, :, None] * arms[:, None]).sum(0)
        axis_rows = (axis_slots.permute(2, 1, 0) * len(types) + residues).flatten()
        lower, upper = _axis_ends(local, axis_rows)
        axis = unit(upper - lower)
        lever = cross(axis[:, :, None], local[:, None, _MOVABLE] - lower[:, :, None])
        levers = dot(lever, lever) * moves[:, _MOVABLE]
        start = local[:, SIDE_CHAIN].contiguous()
        weight = tuple(moves[chi, slots].to(arms) for chi, slots in enumerate(CHI_RANGES))
        return cls(start, weight, Turning.matrices(axis), lower, axis_rows, levers)

    def positions(
        self, frame: Float[Tensor, "3 3 L"], cos: Float[Tensor, "4 L"], sin: Float[Tensor, "4 L"]
    ) -> Float[Tensor, "3 10 L"]:
        """Vectors from CA to side chains (Å) in frames (coordinates, then axes), with the chi angles turned.

        The outermost chi turns first, so the axes of the others are those of the start.
        """
        turn = self.turns.at(cos, sin)
        step = self.pivot - (turn * self.pivot).sum(1)
        turned, columns = self.start.clone(), (_RANGES, self.weight, turn.unbind(2), step.unbind(1))
        for slots, weight, axes, origin in reversed([*zip(*columns, strict=True)]):
            atoms = turned[:, slots]
            # The bits of torch.where, which is 5 to 25 times as slow where it writes to a part of a tensor.
            atoms.lerp_(from_frame(axes, atoms, origin), weight)
        return from_frame(frame, turned)

    def gradient(
        self,
        arms: Float[Tensor, "3 15 L"],
        torque: Float[Tensor, "3 10 L"],
        force: Float[Tensor, "3 10 L"],
    ) -> Float[Tensor, "4 L"]:
        """Derivatives by the chi angles (rad) of an energy.

        Parameters
        ----------
        arms
            Vectors from CA to all atoms, Å.
        torque, force
            Gradient on the side chains by rotations about CA, and by positions (per Å).
        """
        lower, upper = _axis_ends(arms, self.axis_rows)
        both = torch.cat([torque, force])
        sums = [(both[:, slots] * weight).sum(1) for slots, weight in zip(_RANGES, self.weight, strict=True)]
        by_chi = torch.stack(sums, dim=1)
        torque, force = by_chi[:3], by_chi[3:]
        axis = upper - lower
        # A torque about the axis, from that about CA: the axis runs through `lower`.
        return (dot(axis, torque) - dot(cross(upper, lower), force)) * torch.rsqrt(dot(axis, axis) + 1e-12)

    def stiffness(self, stiffness: Float[Tensor, "15 L"]) -> Float[Tensor, "4 L"]:
        """Stiffness of the chi angles, from that of atoms, without couplings between them."""
        return (self.levers * stiffness[_MOVABLE]).sum(1)


def _axis_ends(
    arms: Float[Tensor, "3 15 L"], rows: Int[Tensor, "8*L"]
) -> tuple[Float[Tensor, "3 4 L"], Float[Tensor, "3 4 L"]]:
    """The two atoms of the axis of each chi."""
    lower, upper = arms.flatten(1).index_select(1, rows).view(3, 2, N_CHI, -1).unbind(1)
    return lower, upper
