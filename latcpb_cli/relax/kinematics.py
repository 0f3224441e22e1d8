"""Torsion kinematics: atoms from the joint angles of a chain, and joint gradients from atom gradients.

A chain on fixed Cα has three kinds of joints: the rotation of a peptide about
its Cα-Cα axis, a small twist of the peptide, and the chi angles; on a fixed
backbone, it has the chi angles alone. A side chain is fixed to a frame of N and
C of its residue. Everything else is rigid, so bond lengths, rings and chirality
cannot change. Gradients on atoms become gradients on joints through torques,
which costs less than automatic differentiation.

Arrays have shape (3, slots, L), coordinates first and residues last, a layout in
which arithmetic on many small vectors is several times faster.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latcpb_cli.chem.residues import C_SLOT, CA_SLOT, CB_SLOT, N_SLOT, O_SLOT, OXT_SLOT, PRO
from latcpb_cli.chem.zmatrix import N_CHI
from latcpb_cli.geometry.codec import PEPTIDE_ROTATION
from latcpb_cli.geometry.links import ChainOrder
from latcpb_cli.geometry.peptide import axis_frame
from latcpb_cli.geometry.vectors_first import cross, dot, rotate_about_axis, unit
from latcpb_cli.relax.chi_joints import CHI_RANGES, chi_tables
from latcpb_cli.relax.peptide_shapes import derivative, evaluate, peptide_polynomials, through_positions
from latcpb_cli.relax.sidechain_frames import backbone_gradient, sidechain_frame
from latcpb_cli.relax.structures import TorsionStructures

__all__ = ["CHI_JOINTS", "ROTATION_JOINT", "TWIST_JOINT", "TorsionKinematics"]

ROTATION_JOINT, TWIST_JOINT, CHI_JOINTS = 0, 1, slice(2, 6)
"""Joints of a residue: rotation and twist of the peptide to the next residue, chi 1-4."""
_SIDECHAIN, _C_O = slice(CB_SLOT, OXT_SLOT), slice(C_SLOT, O_SLOT + 1)
_SIDECHAIN_COUPLING = 0.1
"""Approximate square of the angle (rad) by which a side chain turns when its peptide turns by 1 rad."""

Frame = tuple[Float[Tensor, "3 L"], Float[Tensor, "3 L"], Float[Tensor, "3 L"]]


@dataclass(frozen=True, eq=False)
class TorsionKinematics:
    """Joints of L residues and the rigid groups between them.

    Attributes
    ----------
    start : Tensor, shape (3, 15, L)
        Atoms with all joint angles zero, Å.
    linked, linked_to_previous : Tensor, shape (L,)
        Whether a peptide joins each residue to the next, and to the one before.
    order : ChainOrder
    is_proline : Tensor, shape (L,)
    peptide_frame : tuple of three Tensor, shape (3, L)
        Axes of each peptide's frame at the start: along Cα-Cα, across it towards O, and their
        cross product.
    peptide_shape : Tensor, shape (5, 3, 3, L)
        C, O and N of each peptide in that frame (`peptide_polynomials`).
    peptide_shape_rate : Tensor, shape (4, 3, 3, L)
        Its derivative.
    sidechain : Tensor, shape (3, 10, L)
        Side-chain atoms in the frame of their residue (`sidechain_frame`), Å.
    chi_axis_rows : Tensor, shape (8 L,)
        Indices into (15, L), flattened, of the two atoms of the axis of each chi: first those of all
        lower ends, then those of all upper ends.
    chi_moved, chi_moved_weight : Tensor, shape (4, 15, L)
        Atoms that each chi moves, as bool and as 0 and 1.
    joint_mask : Tensor, shape (6, L)
        1 for joints that exist and turn only residues that may move, else 0.
    fixed_backbone : bool
        Whether peptides have no joints.
    """

    start: Float[Tensor, "3 15 L"]
    linked: Bool[Tensor, "L"]
    linked_to_previous: Bool[Tensor, "L"]
    order: ChainOrder
    is_proline: Bool[Tensor, "L"]
    peptide_frame: Frame
    peptide_shape: Float[Tensor, "5 3 3 L"]
    peptide_shape_rate: Float[Tensor, "4 3 3 L"]
    sidechain: Float[Tensor, "3 10 L"]
    chi_axis_rows: Int[Tensor, "8*L"]
    chi_moved: Bool[Tensor, "4 15 L"]
    chi_moved_weight: Float[Tensor, "4 15 L"]
    joint_mask: Float[Tensor, "6 L"]
    fixed_backbone: bool

    @classmethod
    def from_structures(cls, structures: TorsionStructures) -> TorsionKinematics:
        """Set up the joints of atoms that are built from internal coordinates."""
        atoms, types, linked = structures.atoms, structures.types, structures.linked
        order = structures.order
        start = atoms.permute(2, 1, 0).contiguous()
        axis_slots, chi_moved, chi_exists = (table[types] for table in chi_tables(atoms.device))
        is_proline = types == PRO
        cos, sin = structures.internal.torsions[:, PEPTIDE_ROTATION].T
        axis, reference, third = axis_frame(structures.ca, linked, order).permute(1, 2, 0).contiguous()
        arms = start - start[:, CA_SLOT, None]
        frame = sidechain_frame(arms[:, N_SLOT], arms[:, C_SLOT], is_proline)
        residues = torch.arange(len(atoms), device=atoms.device)
        peptide_frame = axis, cos * reference + sin * third, cos * third - sin * reference
        steps = [arms[:, C_SLOT], arms[:, O_SLOT], order.next(start[:, N_SLOT], -1) - start[:, CA_SLOT]]
        peptide = torch.stack([(row[:, None] * torch.stack(steps, dim=1)).sum(0) for row in peptide_frame])
        shape = through_positions(peptide_polynomials(structures), peptide)
        chi_moved = chi_moved.permute(1, 2, 0).contiguous()
        turns, chi_turns = linked & (not structures.fixed_backbone), chi_exists.T
        if (movable := structures.movable) is not None:
            turns, chi_turns = turns & movable & order.next(movable), chi_turns & movable
        return cls(
            start=start,
            linked=linked,
            linked_to_previous=order.linked_before(linked),
            order=order,
            is_proline=is_proline,
            peptide_frame=peptide_frame,
            peptide_shape=shape,
            peptide_shape_rate=derivative(shape),
            sidechain=torch.stack([(row[:, None] * arms[:, _SIDECHAIN]).sum(0) for row in frame]),
            chi_axis_rows=(axis_slots.permute(2, 1, 0) * len(atoms) + residues).flatten(),
            chi_moved=chi_moved,
            chi_moved_weight=chi_moved.to(start),
            joint_mask=torch.cat([torch.stack([turns, turns]), chi_turns]).to(atoms.dtype),
            fixed_backbone=structures.fixed_backbone,
        )

    def atom_positions(self, angles: Float[Tensor, "6 L"]) -> Float[Tensor, "3 15 L"]:
        """Return the atoms (Å) at joint angles (rad, relative to the start)."""
        cos, sin = torch.cos(angles), torch.sin(angles)
        ca = self.start[:, CA_SLOT]
        n, c_o, oxt = self._backbone(cos[ROTATION_JOINT], sin[ROTATION_JOINT], angles[TWIST_JOINT])
        frame = sidechain_frame(n, c_o[:, 0], self.is_proline)
        local = self._turn_sidechain(cos[CHI_JOINTS], sin[CHI_JOINTS])
        sidechain = frame[0][:, None] * local[0] + frame[1][:, None] * local[1] + frame[2][:, None] * local[2]
        parts = [n[:, None], torch.zeros_like(n)[:, None], c_o, sidechain, oxt[:, None]]
        return torch.cat(parts, dim=1) + ca[:, None]

    def _backbone(
        self, cos: Float[Tensor, "L"], sin: Float[Tensor, "L"], twist: Float[Tensor, "L"]
    ) -> tuple[Float[Tensor, "3 L"], Float[Tensor, "3 2 L"], Float[Tensor, "3 L"]]:
        """Vectors from CA to N, to C and O, and to OXT, at rotations and twists of the peptides."""
        ca, arms = self.start[:, CA_SLOT], self.start - self.start[:, CA_SLOT, None]
        if self.fixed_backbone:
            return arms[:, N_SLOT], arms[:, _C_O], arms[:, OXT_SLOT]
        axis, across, third = self._turned_peptide_frame(cos, sin)
        local = evaluate(self.peptide_shape, twist)
        peptide = axis[:, None] * local[0] + across[:, None] * local[1] + third[:, None] * local[2]
        # The atoms of a chain end that belong to no peptide turn with the residue's only peptide.
        n_start, linked, linked_to_previous = arms[:, N_SLOT], self.linked, self.linked_to_previous
        n_end = torch.where(linked, rotate_about_axis(n_start, axis, cos, sin), n_start)
        previous_axis, previous_cos, previous_sin = (self.order.previous(x, -1) for x in (axis, cos, sin))
        c_end = torch.cat([arms[:, _C_O], arms[:, OXT_SLOT:]], dim=1)
        turned = rotate_about_axis(c_end, previous_axis[:, None], previous_cos, previous_sin)
        c_end = torch.where(linked_to_previous, turned, c_end)
        n_peptide = self.order.previous(peptide[:, 2] + ca, -1) - ca
        n = torch.where(linked_to_previous, n_peptide, n_end)
        c_o = torch.where(linked, peptide[:, :2], c_end[:, :2])
        return n, c_o, torch.where(linked, 0.0, c_end[:, 2])

    def _turned_peptide_frame(self, cos: Float[Tensor, "L"], sin: Float[Tensor, "L"]) -> Frame:
        axis, across, third = self.peptide_frame
        return axis, cos * across + sin * third, cos * third - sin * across

    def _turn_sidechain(
        self, cos: Float[Tensor, "4 L"], sin: Float[Tensor, "4 L"]
    ) -> Float[Tensor, "3 10 L"]:
        """Side chains in the frames of their residues after the chi angles have turned.

        The outermost chi turns first, so the axes of the others are those of the start.
        """
        chain = torch.cat([torch.zeros_like(self.sidechain[:, :CB_SLOT]), self.sidechain], dim=1)
        lower, upper = self._chi_axis_ends(chain)
        axis = unit(upper - lower)
        for chi in reversed(range(N_CHI)):
            slots, pivot = CHI_RANGES[chi], lower[:, chi, None]
            turned = rotate_about_axis(chain[:, slots] - pivot, axis[:, chi, None], cos[chi], sin[chi])
            chain[:, slots] = torch.where(self.chi_moved[chi, slots], pivot + turned, chain[:, slots])
        return chain[:, CB_SLOT:]

    def _chi_axis_ends(
        self, arms: Float[Tensor, "3 s L"]
    ) -> tuple[Float[Tensor, "3 4 L"], Float[Tensor, "3 4 L"]]:
        """The two atoms of the axis of each chi."""
        lower, upper = arms.flatten(1).index_select(1, self.chi_axis_rows).view(3, 2, N_CHI, -1).unbind(1)
        return lower, upper

    def moved_residues(self, angles: Float[Tensor, "6 L"]) -> Bool[Tensor, "L"]:
        """Whether joint angles move any atom of each residue."""
        peptide = (angles[: CHI_JOINTS.start] != 0).any(0)
        return (angles[CHI_JOINTS] != 0).any(0) | peptide | self.order.previous(peptide)

    def joint_gradient(
        self,
        atoms: Float[Tensor, "3 15 L"],
        gradient: Float[Tensor, "3 15 L"],
        stiffness: Float[Tensor, "15 L"],
        angles: Float[Tensor, "6 L"],
    ) -> tuple[Float[Tensor, "6 L"], Float[Tensor, "6 L"]]:
        """Convert gradient and stiffness of an energy from atoms to joints.

        Parameters
        ----------
        atoms : Tensor, shape (3, 15, L)
            Atoms at ``angles``, Å.
        gradient, stiffness
            First derivative of the energy, and its approximate second derivative, per Å and Å².
        angles : Tensor, shape (6, L)
            Joint angles, rad.

        Returns
        -------
        gradient, stiffness : Tensor, shape (6, L)
            The same by joint angle, per rad and rad². The stiffness leaves out couplings
            between joints and is a rough estimate for peptides.
        """
        arms = atoms - atoms[:, CA_SLOT, None]
        chi, chi_stiffness = self._chi_gradient(arms, gradient, stiffness)
        if self.fixed_backbone:
            no_peptides = torch.zeros_like(angles[: CHI_JOINTS.start])
            return torch.cat([no_peptides, chi * self.joint_mask[CHI_JOINTS]]), torch.cat(
                [no_peptides, chi_stiffness]
            )
        torques = cross(arms, gradient)
        n, c = arms[:, N_SLOT], arms[:, C_SLOT]
        on_n, on_c = backbone_gradient(n, c, torques[:, _SIDECHAIN].sum(1), self.is_proline)
        on_n, on_c = on_n + gradient[:, N_SLOT], on_c + gradient[:, C_SLOT]
        torque_n = cross(n, on_n)
        torque_c = cross(c, on_c) + torques[:, O_SLOT] + torques[:, OXT_SLOT]
        own = torque_c + torch.where(self.linked_to_previous, 0.0, torque_n)
        following = self.order.next(torque_n + torch.where(self.linked, 0.0, torque_c), -1)
        rotation = dot(self.peptide_frame[0], own + following)
        on_peptide = torch.stack([on_c, gradient[:, O_SLOT], self.order.next(on_n, -1)], dim=1)
        twist = self._twist_gradient(on_peptide, angles)
        peptide_stiffness = self._peptide_stiffness(arms, stiffness)
        joint_gradient = torch.cat([torch.stack([rotation, twist]), chi])
        joint_stiffness = torch.cat([torch.stack([peptide_stiffness, peptide_stiffness]), chi_stiffness])
        return joint_gradient * self.joint_mask, joint_stiffness

    def _chi_gradient(
        self,
        arms: Float[Tensor, "3 15 L"],
        gradient: Float[Tensor, "3 15 L"],
        stiffness: Float[Tensor, "15 L"],
    ) -> tuple[Float[Tensor, "4 L"], Float[Tensor, "4 L"]]:
        """Gradient and stiffness of the chi angles."""
        lower, upper = self._chi_axis_ends(arms)
        axis = unit(upper - lower)
        gradients, stiffnesses = [], []
        for chi, slots in enumerate(CHI_RANGES):
            lever = cross(axis[:, chi, None], arms[:, slots] - lower[:, chi, None])
            weight = self.chi_moved_weight[chi, slots]
            gradients.append((dot(lever, gradient[:, slots]) * weight).sum(0))
            stiffnesses.append((dot(lever, lever) * stiffness[slots] * weight).sum(0))
        return torch.stack(gradients), torch.stack(stiffnesses)

    def _twist_gradient(
        self, gradient: Float[Tensor, "3 3 L"], angles: Float[Tensor, "6 L"]
    ) -> Float[Tensor, "L"]:
        """Gradient of the twist of each peptide, from the gradients on its C, O and N."""
        rotation = angles[ROTATION_JOINT]
        frame = self._turned_peptide_frame(torch.cos(rotation), torch.sin(rotation))
        rate = evaluate(self.peptide_shape_rate, angles[TWIST_JOINT])
        first, second, third = (
            (dot(gradient, axis[:, None]) * part).sum(0)
            for axis, part in zip(frame, rate.unbind(0), strict=True)
        )
        return first + second + third

    def _peptide_stiffness(
        self, arms: Float[Tensor, "3 15 L"], stiffness: Float[Tensor, "15 L"]
    ) -> Float[Tensor, "L"]:
        """Approximate stiffness of the rotation of each peptide, which also serves for its twist."""
        axis = self.peptide_frame[0]
        squares = dot(arms, arms) * stiffness
        sidechain = _SIDECHAIN_COUPLING * squares[_SIDECHAIN].sum(0)
        along = dot(arms[:, :CB_SLOT], axis[:, None])
        own = (squares[:CB_SLOT] - along * along * stiffness[:CB_SLOT])[_C_O].sum(0)
        n_next = self.order.next(arms[:, N_SLOT], -1)
        along_next = dot(n_next, axis)
        following = (dot(n_next, n_next) - along_next * along_next) * self.order.next(stiffness[N_SLOT])
        return own + following + sidechain + self.order.next(sidechain)
