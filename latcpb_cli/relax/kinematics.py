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
from jaxtyping import Bool, Float
from torch import Tensor

from latcpb_cli.chem.residues import C_SLOT, CA_SLOT, N_SLOT, O_SLOT, OXT_SLOT, PRO
from latcpb_cli.geometry.vectors_first import cross
from latcpb_cli.relax.chi_joints import chi_tables
from latcpb_cli.relax.peptide_joints import PeptideJoints
from latcpb_cli.relax.side_chain_joints import SIDE_CHAIN, SideChainJoints
from latcpb_cli.relax.sidechain_frames import backbone_gradient, sidechain_frame
from latcpb_cli.relax.structures import TorsionStructures

__all__ = ["CHI_JOINTS", "ROTATION_JOINT", "TWIST_JOINT", "TorsionKinematics"]

ROTATION_JOINT, TWIST_JOINT, CHI_JOINTS = 0, 1, slice(2, 6)
"""Joints of a residue: rotation and twist of the peptide to the next residue, chi 1-4."""
_C_O = slice(C_SLOT, O_SLOT + 1)


@dataclass(frozen=True, eq=False)
class TorsionKinematics:
    """Joints of L residues and the rigid groups between them.

    Attributes
    ----------
    start : Tensor, shape (3, 15, L)
        Atoms with all joint angles zero, Å.
    peptides : PeptideJoints or None
        None for a fixed backbone.
    side_chains : SideChainJoints
    is_proline : Tensor, shape (L,)
    joint_mask : Tensor, shape (6, L)
        1 for joints that exist and turn only residues that may move, else 0.
    """

    start: Float[Tensor, "3 15 L"]
    peptides: PeptideJoints | None
    side_chains: SideChainJoints
    is_proline: Bool[Tensor, "L"]
    joint_mask: Float[Tensor, "6 L"]

    @classmethod
    def from_structures(cls, structures: TorsionStructures) -> TorsionKinematics:
        """Set up the joints of atoms that are built from internal coordinates."""
        types, order = structures.types, structures.order
        start = structures.atoms.permute(2, 1, 0).contiguous()
        arms = start - start[:, CA_SLOT, None]
        is_proline = types == PRO
        frame = sidechain_frame(arms[:, N_SLOT], arms[:, C_SLOT], is_proline)
        turns = structures.linked & (not structures.fixed_backbone)
        chi_turns = chi_tables(types.device)[2][types].T
        if (movable := structures.movable) is not None:
            turns, chi_turns = turns & movable & order.next(movable), chi_turns & movable
        return cls(
            start=start,
            peptides=None if structures.fixed_backbone else PeptideJoints.from_structures(structures, arms),
            side_chains=SideChainJoints.from_arms(arms, frame, types),
            is_proline=is_proline,
            joint_mask=torch.cat([torch.stack([turns, turns]), chi_turns]).to(start.dtype),
        )

    def atom_positions(self, angles: Float[Tensor, "6 L"]) -> Float[Tensor, "3 15 L"]:
        """Return the atoms (Å) at joint angles (rad, relative to the start)."""
        cos, sin, twist = torch.cos(angles), torch.sin(angles), angles[TWIST_JOINT]
        ca = self.start[:, CA_SLOT]
        if self.peptides is None:
            arms = self.start - ca[:, None]
            n, c_o, oxt = arms[:, N_SLOT], arms[:, _C_O], arms[:, OXT_SLOT]
        else:
            n, c_o, oxt = self.peptides.backbone(cos[ROTATION_JOINT], sin[ROTATION_JOINT], twist)
        frame = sidechain_frame(n, c_o[:, 0], self.is_proline)
        side_chain = self.side_chains.positions(frame, cos[CHI_JOINTS], sin[CHI_JOINTS])
        parts = [n[:, None], torch.zeros_like(n)[:, None], c_o, side_chain, oxt[:, None]]
        return torch.cat(parts, dim=1) + ca[:, None]

    def moved_residues(self, angles: Float[Tensor, "6 L"]) -> Bool[Tensor, "L"]:
        """Whether joint angles move any atom of each residue."""
        own = (angles != 0).any(0)
        if self.peptides is None:
            return own
        return own | self.peptides.order.previous((angles[: CHI_JOINTS.start] != 0).any(0))

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
            The same by joint angle, per rad and rad². The stiffness leaves out couplings between joints, has
            the levers of the start, and is a rough estimate for peptides.
        """
        arms = atoms - atoms[:, CA_SLOT, None]
        force = gradient[:, SIDE_CHAIN]
        torque = cross(arms[:, SIDE_CHAIN], force)
        by_chi = self.side_chains.gradient(arms, torque, force)
        chi_stiffness = self.side_chains.stiffness(stiffness)
        if self.peptides is None:
            no_peptides = torch.zeros_like(angles[: CHI_JOINTS.start])
            joint_gradient = torch.cat([no_peptides, by_chi])
            return joint_gradient * self.joint_mask, torch.cat([no_peptides, chi_stiffness])
        n, c = arms[:, N_SLOT], arms[:, C_SLOT]
        on_n, on_c = backbone_gradient(n, c, torque.sum(1), self.is_proline)
        on_n, on_c = on_n + gradient[:, N_SLOT], on_c + gradient[:, C_SLOT]
        on_c_end = torch.stack([on_c, gradient[:, O_SLOT], gradient[:, OXT_SLOT]], dim=1)
        rotation, twist = angles[ROTATION_JOINT], angles[TWIST_JOINT]
        by_peptide = self.peptides.gradient(rotation, twist, on_n, on_c_end)
        peptide_stiffness = self.peptides.stiffness(stiffness).expand_as(by_peptide)
        joint_gradient = torch.cat([by_peptide, by_chi])
        return joint_gradient * self.joint_mask, torch.cat([peptide_stiffness, chi_stiffness])
