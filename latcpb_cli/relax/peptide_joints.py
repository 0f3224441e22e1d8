"""Rotations and twists of peptides as joints: backbone atoms from their angles, and gradients by them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latcpb_cli.chem.residues import C_SLOT, CB_SLOT, N_SLOT, O_SLOT, OXT_SLOT
from latcpb_cli.geometry.codec import PEPTIDE_ROTATION
from latcpb_cli.geometry.links import ChainOrder
from latcpb_cli.geometry.masks import true_indices
from latcpb_cli.geometry.peptide import axis_frame
from latcpb_cli.geometry.vectors import LANES
from latcpb_cli.geometry.vectors_first import dot, from_frame
from latcpb_cli.relax.peptide_shapes import derivative, evaluate, peptide_polynomials, through_positions
from latcpb_cli.relax.structures import TorsionStructures
from latcpb_cli.relax.turning import Turning

__all__ = ["PeptideJoints", "PeptidePose"]

_C_O = slice(C_SLOT, O_SLOT + 1)
_SIDE_CHAIN_COUPLING = 0.1
"""Approximate square of the angle (rad) by which a side chain turns when its peptide turns by 1 rad."""


@dataclass(frozen=True, eq=False)
class PeptidePose:
    """L peptides at angles of their joints.

    Attributes
    ----------
    end_turn : two Tensors, shape (A,)
        Cosine and sine of the rotation that turns each atom of the chain ends.
    twist : Tensor, shape (L,)
        rad.
    axes : Tensor, shape (3, 3, L)
        Axes (first) of the peptides' frames.
    local : Tensor, shape (3, 3, L)
        C, O and N of each peptide in its frame, Å.
    """

    end_turn: tuple[Float[Tensor, "A"], Float[Tensor, "A"]]
    twist: Float[Tensor, "L"]
    axes: Float[Tensor, "3 3 L"]
    local: Float[Tensor, "3 3 L"]


@dataclass(frozen=True, eq=False)
class PeptideJoints:
    """The joints of L peptides, each between a residue and the next, on fixed Cα.

    All vectors of a residue's atoms start at its CA. N of a residue without a peptide before it, and C, O and
    OXT of one without a peptide after it, are atoms of chain ends: they turn with the residue's only peptide,
    if it has one.

    Attributes
    ----------
    order : ChainOrder
    ca_step : Tensor, shape (3, L)
        From each CA to the next, Å.
    axis : Tensor, shape (1, 3, L)
        Unit vector along Cα-Cα, the first axis of each peptide's frame.
    across : Tensor, shape (2, 3, L)
        The other two axes at the start: across the first towards O, and their cross product.
    quarter_turn : Tensor, shape (2, 3, L)
        The last two axes, turned by 90° about the first.
    shape : 5 Tensors, shape (3, 3, L)
        C, O and N of each peptide in that frame (`peptide_polynomials`).
    shape_rate : 4 Tensors, shape (3, 3, L)
        Its derivative.
    ends : Turning
        Vectors (3, A) to the atoms of chain ends, Å. A is filled up to a multiple of ``LANES``.
    end_rows : Tensor, shape (A,)
        Their indices into (5, L), flattened: N, CA, C, O and OXT of all residues.
    end_joints : Tensor, shape (A,)
        The peptide with which each turns.
    no_step : Tensor, shape (3, 1, L)
        Vectors to CA, and to OXT where there is none: zeros.
    levers : Tensor, shape (2, 15, L)
        Approximate squared distance of each atom from the axis of its residue's own peptide, and from that
        of the one before, Å²; zero where it does not move with it.
    """

    order: ChainOrder
    ca_step: Float[Tensor, "3 L"]
    axis: Float[Tensor, "1 3 L"]
    across: Float[Tensor, "2 3 L"]
    quarter_turn: Float[Tensor, "2 3 L"]
    shape: tuple[Float[Tensor, "3 3 L"], ...]
    shape_rate: tuple[Float[Tensor, "3 3 L"], ...]
    ends: Turning
    end_rows: Int[Tensor, "A"]
    end_joints: Int[Tensor, "A"]
    no_step: Float[Tensor, "3 1 L"]
    levers: Float[Tensor, "2 15 L"]

    @classmethod
    def from_structures(cls, structures: TorsionStructures, arms: Float[Tensor, "3 15 L"]) -> PeptideJoints:
        """Set up the peptides of structures; ``arms`` are the vectors from CA to all atoms, Å."""
        linked, order = structures.linked, structures.order
        cos, sin = structures.internal.torsions[:, PEPTIDE_ROTATION].T
        axis, reference, third = axis_frame(structures.ca, linked, order).permute(1, 2, 0).contiguous()
        frame = torch.stack([axis, cos * reference + sin * third, cos * third - sin * reference])
        ca = structures.ca.T.contiguous()
        ca_step = order.next(ca, -1) - ca
        atoms = [arms[:, C_SLOT], arms[:, O_SLOT], order.next(arms[:, N_SLOT], -1) + ca_step]
        local = (frame[:, :, None] * torch.stack(atoms, dim=1)).sum(1)
        shape = through_positions(peptide_polynomials(structures), local)
        ends, end_rows, end_joints = _chain_ends(arms, axis, linked, order)
        return cls(
            order=order,
            ca_step=ca_step,
            axis=frame[:1],
            across=frame[1:],
            quarter_turn=torch.stack([frame[2], -frame[1]]),
            shape=shape.unbind(0),
            shape_rate=derivative(shape).unbind(0),
            ends=ends,
            end_rows=end_rows,
            end_joints=end_joints,
            no_step=torch.zeros_like(arms[:, :1]),
            levers=_squared_levers(arms, axis, order),
        )

    def pose(
        self, cos: Float[Tensor, "L"], sin: Float[Tensor, "L"], twist: Float[Tensor, "L"]
    ) -> PeptidePose:
        """Turn the peptides by rotations, given by cosine and sine, and twists (rad) from the start."""
        axes = torch.cat([self.axis, torch.addcmul(cos * self.across, sin, self.quarter_turn)])
        end_turn = cos.index_select(0, self.end_joints), sin.index_select(0, self.end_joints)
        return PeptidePose(end_turn, twist, axes, evaluate(self.shape, twist))

    def backbone(self, pose: PeptidePose) -> Float[Tensor, "3 5 L"]:
        """Vectors to N, CA, C, O and OXT (Å)."""
        peptide = from_frame(pose.axes.transpose(0, 1), pose.local)
        n = self.order.previous(peptide[:, 2] - self.ca_step, -1)
        atoms = torch.cat([n[:, None], self.no_step, peptide[:, :2], self.no_step], dim=1)
        atoms.view(3, -1).index_copy_(1, self.end_rows, self.ends.at(*pose.end_turn))
        return atoms

    def gradient(self, pose: PeptidePose, on_backbone: Float[Tensor, "3 5 L"]) -> Float[Tensor, "2 L"]:
        """Derivatives by rotation and twist (rad) of an energy.

        Parameters
        ----------
        pose
            Where the peptides are.
        on_backbone
            Gradient on each residue's N, CA, C, O and OXT, per Å.
        """
        on_next_n = self.order.next(on_backbone[:, :1], -1)
        on_peptide = torch.cat([on_backbone[:, _C_O], on_next_n], dim=1)
        along_axes = (pose.axes[:, :, None] * on_peptide).sum(1)
        local, rate = pose.local, evaluate(self.shape_rate, pose.twist)
        by_rotation = torch.addcmul(along_axes[2] * local[1], along_axes[1], local[2], value=-1).sum(0)
        by_twist = (along_axes * rate).flatten(0, 1).sum(0)
        on_ends = on_backbone.flatten(1).index_select(1, self.end_rows)
        by_rotation.index_add_(0, self.end_joints, dot(on_ends, self.ends.rate(*pose.end_turn)))
        return torch.stack([by_rotation, by_twist])

    def stiffness(self, stiffness: Float[Tensor, "15 L"]) -> Float[Tensor, "L"]:
        """Approximate stiffness of each rotation, from that of atoms; it serves for the twist, too."""
        own, of_previous = (self.levers * stiffness).sum(1).unbind(0)
        return own + self.order.next(of_previous)


def _chain_ends(
    arms: Float[Tensor, "3 15 L"], axis: Float[Tensor, "3 L"], linked: Bool[Tensor, "L"], order: ChainOrder
) -> tuple[Turning, Int[Tensor, "A"], Int[Tensor, "A"]]:
    """Atoms of chain ends as they turn, their indices, and their peptides; see `PeptideJoints`."""
    linked_to_previous, own = order.linked_before(linked), torch.arange(len(linked), device=linked.device)
    # Of N, of CA, and of C, O and OXT.
    no_ends = torch.zeros_like(linked)
    is_end = torch.stack([~linked_to_previous, no_ends, *3 * [~linked]])
    turns = torch.stack([linked & ~linked_to_previous, no_ends, *3 * [linked_to_previous & ~linked]])
    axes = torch.stack([axis, axis, *3 * [order.previous(axis, -1)]], dim=1)
    joints = torch.stack([own, own, *3 * [order.previous(own)]])
    turning = Turning.vectors(torch.cat([arms[:, :CB_SLOT], arms[:, OXT_SLOT:]], dim=1), axes, turns)
    rows = true_indices(is_end.flatten())
    # Filled up with CA, which does not turn.
    rows = torch.nn.functional.pad(rows, (0, -len(rows) % LANES), value=2 * len(linked) - 1)
    of_ends = Turning(*(part.flatten(1).index_select(1, rows) for part in turning))
    return of_ends, rows, joints.flatten().index_select(0, rows)


def _squared_levers(
    arms: Float[Tensor, "3 15 L"], axis: Float[Tensor, "3 L"], order: ChainOrder
) -> Float[Tensor, "2 15 L"]:
    """Approximate squared levers of all atoms about their residue's peptide and the one before."""
    squares = dot(arms, arms)
    levers = squares.new_zeros(2, *squares.shape)
    levers[:, CB_SLOT:OXT_SLOT] = _SIDE_CHAIN_COUPLING * squares[CB_SLOT:OXT_SLOT]
    levers[0, _C_O] = squares[_C_O] - dot(arms[:, _C_O], axis[:, None]) ** 2
    levers[1, N_SLOT] = squares[N_SLOT] - dot(arms[:, N_SLOT], order.previous(axis, -1)) ** 2
    return levers
