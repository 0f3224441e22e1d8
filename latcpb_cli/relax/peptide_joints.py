"""Rotations and twists of peptides as joints: backbone atoms from their angles, and gradients by them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from latcpb_cli.chem.residues import C_SLOT, CB_SLOT, N_SLOT, O_SLOT, OXT_SLOT
from latcpb_cli.geometry.codec import PEPTIDE_ROTATION
from latcpb_cli.geometry.links import ChainOrder
from latcpb_cli.geometry.peptide import axis_frame
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
    turn, turn_before : two Tensors, shape (L,)
        Cosine and sine of the rotation of each peptide, and of the peptide before it.
    twist : Tensor, shape (L,)
        rad.
    axes : Tensor, shape (3, 3, L)
        Axes (first) of the peptides' frames.
    local : Tensor, shape (3, 3, L)
        C, O and N of each peptide in its frame, Å.
    """

    turn: tuple[Float[Tensor, "L"], Float[Tensor, "L"]]
    turn_before: tuple[Float[Tensor, "L"], Float[Tensor, "L"]]
    twist: Float[Tensor, "L"]
    axes: Float[Tensor, "3 3 L"]
    local: Float[Tensor, "3 3 L"]


@dataclass(frozen=True, eq=False)
class PeptideJoints:
    """The joints of L peptides, each between a residue and the next, on fixed Cα.

    All vectors of a residue's atoms start at its CA.

    Attributes
    ----------
    linked, linked_to_previous : Tensor, shape (L,)
        Whether a peptide joins each residue to the next, and to the one before.
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
    n_end, c_end : Turning
        Vectors (3, L) to N, and (3, 3, L) to C, O and OXT, of chain ends, which belong to no peptide and turn
        with the residue's only one, Å.
    levers : Tensor, shape (2, 15, L)
        Approximate squared distance of each atom from the axis of its residue's own peptide, and from that
        of the one before, Å²; zero where it does not move with it.
    """

    linked: Bool[Tensor, "L"]
    linked_to_previous: Bool[Tensor, "L"]
    order: ChainOrder
    ca_step: Float[Tensor, "3 L"]
    axis: Float[Tensor, "1 3 L"]
    across: Float[Tensor, "2 3 L"]
    quarter_turn: Float[Tensor, "2 3 L"]
    shape: tuple[Float[Tensor, "3 3 L"], ...]
    shape_rate: tuple[Float[Tensor, "3 3 L"], ...]
    n_end: Turning
    c_end: Turning
    levers: Float[Tensor, "2 15 L"]

    @classmethod
    def from_structures(cls, structures: TorsionStructures, arms: Float[Tensor, "3 15 L"]) -> PeptideJoints:
        """Set up the peptides of structures; ``arms`` are the vectors from CA to all atoms, Å."""
        linked, order = structures.linked, structures.order
        linked_to_previous = order.linked_before(linked)
        cos, sin = structures.internal.torsions[:, PEPTIDE_ROTATION].T
        axis, reference, third = axis_frame(structures.ca, linked, order).permute(1, 2, 0).contiguous()
        frame = torch.stack([axis, cos * reference + sin * third, cos * third - sin * reference])
        ca = structures.ca.T.contiguous()
        ca_step = order.next(ca, -1) - ca
        atoms = [arms[:, C_SLOT], arms[:, O_SLOT], order.next(arms[:, N_SLOT], -1) + ca_step]
        local = (frame[:, :, None] * torch.stack(atoms, dim=1)).sum(1)
        shape = through_positions(peptide_polynomials(structures), local)
        first_of_chain, last_of_chain = linked & ~linked_to_previous, linked_to_previous & ~linked
        c_o_oxt = torch.cat([arms[:, _C_O], torch.where(linked, 0.0, arms[:, OXT_SLOT])[:, None]], dim=1)
        return cls(
            linked=linked,
            linked_to_previous=linked_to_previous,
            order=order,
            ca_step=ca_step,
            axis=frame[:1],
            across=frame[1:],
            quarter_turn=torch.stack([frame[2], -frame[1]]),
            shape=shape.unbind(0),
            shape_rate=derivative(shape).unbind(0),
            n_end=Turning.vectors(arms[:, N_SLOT], axis, first_of_chain),
            c_end=Turning.vectors(c_o_oxt, order.previous(axis, -1)[:, None], last_of_chain),
            levers=_squared_levers(arms, axis, order),
        )

    def pose(
        self, cos: Float[Tensor, "L"], sin: Float[Tensor, "L"], twist: Float[Tensor, "L"]
    ) -> PeptidePose:
        """Turn the peptides by rotations, given by cosine and sine, and twists (rad) from the start."""
        axes = torch.cat([self.axis, torch.addcmul(cos * self.across, sin, self.quarter_turn)])
        before = self.order.previous(cos), self.order.previous(sin)
        return PeptidePose((cos, sin), before, twist, axes, evaluate(self.shape, twist))

    def backbone(
        self, pose: PeptidePose
    ) -> tuple[Float[Tensor, "3 L"], Float[Tensor, "3 2 L"], Float[Tensor, "3 L"]]:
        """Vectors to N, to C and O, and to OXT (Å)."""
        peptide = from_frame(pose.axes.transpose(0, 1), pose.local)
        c_end = self.c_end.at(*pose.turn_before)
        n_peptide = self.order.previous(peptide[:, 2] - self.ca_step, -1)
        n = torch.where(self.linked_to_previous, n_peptide, self.n_end.at(*pose.turn))
        return n, torch.where(self.linked, peptide[:, :2], c_end[:, :2]), c_end[:, 2]

    def gradient(
        self, pose: PeptidePose, on_n: Float[Tensor, "3 L"], on_c_end: Float[Tensor, "3 3 L"]
    ) -> Float[Tensor, "2 L"]:
        """Derivatives by rotation and twist (rad) of an energy.

        Parameters
        ----------
        pose
            Where the peptides are.
        on_n
            Gradient on each residue's N, per Å.
        on_c_end
            Gradient on its C, O and OXT.
        """
        on_peptide = torch.cat([on_c_end[:, :2], self.order.next(on_n, -1)[:, None]], dim=1)
        along_axes = (pose.axes[:, :, None] * on_peptide).sum(1)
        local, rate = pose.local, evaluate(self.shape_rate, pose.twist)
        by_rotation = torch.addcmul(along_axes[2] * local[1], along_axes[1], local[2], value=-1).sum(0)
        by_twist = (along_axes * rate).flatten(0, 1).sum(0)
        own, c_rate = dot(on_n, self.n_end.rate(*pose.turn)), self.c_end.rate(*pose.turn_before)
        following = self.order.next((on_c_end * c_rate).flatten(0, 1).sum(0))
        return torch.stack([by_rotation + own + following, by_twist])

    def stiffness(self, stiffness: Float[Tensor, "15 L"]) -> Float[Tensor, "L"]:
        """Approximate stiffness of each rotation, from that of atoms; it serves for the twist, too."""
        own, of_previous = (self.levers * stiffness).sum(1).unbind(0)
        return own + self.order.next(of_previous)


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
