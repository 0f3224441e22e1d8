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
from latcpb_cli.geometry.vectors_first import cross, dot, from_frame
from latcpb_cli.relax.peptide_shapes import derivative, evaluate, peptide_polynomials, through_positions
from latcpb_cli.relax.structures import TorsionStructures

__all__ = ["PeptideJoints"]

_C_O = slice(C_SLOT, O_SLOT + 1)
_SIDE_CHAIN_COUPLING = 0.1
"""Approximate square of the angle (rad) by which a side chain turns when its peptide turns by 1 rad."""


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
    frame : Tensor, shape (3, 3, L)
        Axes (first) of each peptide's frame at the start: along Cα-Cα, across it towards O, and their cross
        product.
    quarter_turn : Tensor, shape (2, 3, L)
        The last two axes, turned by 90° about the first.
    shape : Tensor, shape (5, 3, 3, L)
        C, O and N of each peptide in that frame (`peptide_polynomials`).
    shape_rate : Tensor, shape (4, 3, 3, L)
        Its derivative.
    ends : Tensor, shape (3, 3, 4, L)
        N, C, O and OXT of chain ends, which belong to no peptide and turn with the residue's only one: a
        constant, the factor of the cosine, and that of the sine of its rotation (first axis), Å.
    levers : Tensor, shape (2, 15, L)
        Approximate squared distance of each atom from the axis of its residue's own peptide, and from that
        of the one before, Å²; zero where it does not move with it.
    """

    linked: Bool[Tensor, "L"]
    linked_to_previous: Bool[Tensor, "L"]
    order: ChainOrder
    ca_step: Float[Tensor, "3 L"]
    frame: Float[Tensor, "3 3 L"]
    quarter_turn: Float[Tensor, "2 3 L"]
    shape: Float[Tensor, "5 3 3 L"]
    shape_rate: Float[Tensor, "4 3 3 L"]
    ends: Float[Tensor, "3 3 4 L"]
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
        n_end = _turned(arms[:, N_SLOT, None], axis, first_of_chain)
        c_end = torch.cat([arms[:, _C_O], torch.where(linked, 0.0, arms[:, OXT_SLOT])[:, None]], dim=1)
        c_end = _turned(c_end, order.previous(axis, -1), last_of_chain)
        return cls(
            linked=linked,
            linked_to_previous=linked_to_previous,
            order=order,
            ca_step=ca_step,
            frame=frame,
            quarter_turn=torch.stack([frame[2], -frame[1]]),
            shape=shape,
            shape_rate=derivative(shape),
            ends=torch.cat([n_end, c_end], dim=2),
            levers=_squared_levers(arms, axis, order),
        )

    def backbone(
        self, cos: Float[Tensor, "L"], sin: Float[Tensor, "L"], twist: Float[Tensor, "L"]
    ) -> tuple[Float[Tensor, "3 L"], Float[Tensor, "3 2 L"], Float[Tensor, "3 L"]]:
        """Vectors to N, to C and O, and to OXT (Å), at rotations and twists (rad) from the start."""
        peptide = from_frame(self._turned_frame(cos, sin).transpose(0, 1), evaluate(self.shape, twist))
        previous_cos, previous_sin = self.order.previous(cos), self.order.previous(sin)
        constant, by_cos, by_sin = self.ends
        n_end = torch.addcmul(torch.addcmul(constant[:, 0], cos, by_cos[:, 0]), sin, by_sin[:, 0])
        c_end = torch.addcmul(constant[:, 1:], previous_cos, by_cos[:, 1:])
        c_end = torch.addcmul(c_end, previous_sin, by_sin[:, 1:])
        n_peptide = self.order.previous(peptide[:, 2] - self.ca_step, -1)
        n = torch.where(self.linked_to_previous, n_peptide, n_end)
        return n, torch.where(self.linked, peptide[:, :2], c_end[:, :2]), c_end[:, 2]

    def gradient(
        self,
        rotation: Float[Tensor, "L"],
        twist: Float[Tensor, "L"],
        on_n: Float[Tensor, "3 L"],
        on_c_end: Float[Tensor, "3 3 L"],
    ) -> Float[Tensor, "2 L"]:
        """Derivatives by rotation and twist (rad) of an energy.

        Parameters
        ----------
        rotation, twist
            Where they are, from the start.
        on_n
            Gradient on each residue's N, per Å.
        on_c_end
            Gradient on its C, O and OXT.
        """
        cos, sin = torch.cos(rotation), torch.sin(rotation)
        on_peptide = torch.cat([on_c_end[:, :2], self.order.next(on_n, -1)[:, None]], dim=1)
        along_axes = (self._turned_frame(cos, sin)[:, :, None] * on_peptide).sum(1)
        local, rate = evaluate(self.shape, twist), evaluate(self.shape_rate, twist)
        by_rotation = torch.addcmul(along_axes[2] * local[1], along_axes[1], local[2], value=-1).sum(0)
        by_twist = (along_axes * rate).flatten(0, 1).sum(0)
        _, by_cos, by_sin = self.ends
        previous_cos, previous_sin = self.order.previous(cos), self.order.previous(sin)
        own = dot(on_n, torch.addcmul(cos * by_sin[:, 0], sin, by_cos[:, 0], value=-1))
        c_rate = torch.addcmul(previous_cos * by_sin[:, 1:], previous_sin, by_cos[:, 1:], value=-1)
        following = self.order.next((on_c_end * c_rate).flatten(0, 1).sum(0))
        return torch.stack([by_rotation + own + following, by_twist])

    def stiffness(self, stiffness: Float[Tensor, "15 L"]) -> Float[Tensor, "L"]:
        """Approximate stiffness of each rotation, from that of atoms; it serves for the twist, too."""
        own, of_previous = (self.levers * stiffness).sum(1).unbind(0)
        return own + self.order.next(of_previous)

    def _turned_frame(self, cos: Float[Tensor, "L"], sin: Float[Tensor, "L"]) -> Float[Tensor, "3 3 L"]:
        return torch.cat([self.frame[:1], torch.addcmul(cos * self.frame[1:], sin, self.quarter_turn)])


def _turned(
    arms: Float[Tensor, "3 s L"], axis: Float[Tensor, "3 L"], turns: Bool[Tensor, "L"]
) -> Float[Tensor, "3 3 s L"]:
    """The constant part of vectors that turn about a unit axis, and the factors of cosine and sine.

    Those that do not turn have only the first.
    """
    axis = axis[:, None]
    along = dot(arms, axis) * axis
    parts = torch.stack([along, arms - along, cross(axis.expand_as(arms), arms)])
    fixed = torch.stack([arms, torch.zeros_like(arms), torch.zeros_like(arms)])
    return torch.where(turns, parts, fixed)


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
