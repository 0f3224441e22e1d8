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

from latcpb_cli.chem.residues import CA_SLOT, CB_SLOT, N_AND_C, OXT_SLOT, PRO
from latcpb_cli.geometry.vectors_first import cross
from latcpb_cli.relax.chi_joints import chi_tables
from latcpb_cli.relax.peptide_joints import PeptideJoints, PeptidePose
from latcpb_cli.relax.side_chain_joints import SIDE_CHAIN, SideChainJoints
from latcpb_cli.relax.sidechain_frames import SideChainFrame
from latcpb_cli.relax.structures import TorsionStructures

__all__ = ["CHI_JOINTS", "ROTATION_JOINT", "TWIST_JOINT", "Pose", "TorsionKinematics"]

ROTATION_JOINT, TWIST_JOINT, CHI_JOINTS = 0, 1, slice(2, 6)
"""Joints of a residue: rotation and twist of the peptide to the next residue, chi 1-4."""


@dataclass(frozen=True, eq=False)
class Pose:
    """L residues at angles of their joints.

    Attributes
    ----------
    angles, sin : Tensor, shape (6, L)
        Relative to the start, rad, and their sines.
    atoms : Tensor, shape (3, 15, L)
        Å.
    arms : Tensor, shape (3, 15, L)
        Vectors from CA to all atoms, Å.
    frame : SideChainFrame
    peptides : PeptidePose or None
        None on a fixed backbone.
    """

    angles: Float[Tensor, "6 L"]
    sin: Float[Tensor, "6 L"]
    atoms: Float[Tensor, "3 15 L"]
    arms: Float[Tensor, "3 15 L"]
    frame: SideChainFrame
    peptides: PeptidePose | None


@dataclass(frozen=True, eq=False)
class TorsionKinematics:
    """Joints of L residues and the rigid groups between them.

    Attributes
    ----------
    start : Pose
        Where all joint angles are zero.
    peptides : PeptideJoints or None
        None for a fixed backbone.
    side_chains : SideChainJoints
    joint_mask : Tensor, shape (6, L)
        1 for joints that exist and turn only residues that may move, else 0.
    """

    start: Pose
    peptides: PeptideJoints | None
    side_chains: SideChainJoints
    joint_mask: Float[Tensor, "6 L"]

    @classmethod
    def from_structures(cls, structures: TorsionStructures) -> TorsionKinematics:
        """Set up the joints of atoms that are built from internal coordinates."""
        types, order = structures.types, structures.order
        atoms = structures.atoms.permute(2, 1, 0).contiguous()
        arms = atoms - atoms[:, CA_SLOT, None]
        frame = SideChainFrame.from_backbone(arms[:, N_AND_C], types == PRO)
        turns = structures.linked & (not structures.fixed_backbone)
        chi_turns = chi_tables(types.device)[2][types].T
        if (movable := structures.movable) is not None:
            turns, chi_turns = turns & movable & order.next(movable), chi_turns & movable
        joint_mask = torch.cat([torch.stack([turns, turns]), chi_turns]).to(atoms.dtype)
        peptides = None if structures.fixed_backbone else PeptideJoints.from_structures(structures, arms)
        zero = torch.zeros_like(joint_mask)
        pose = None if peptides is None else peptides.pose(torch.ones_like(zero[0]), zero[0], zero[0])
        start = Pose(zero, zero, atoms, arms, frame, pose)
        return cls(start, peptides, SideChainJoints.from_arms(arms, frame.axes, types), joint_mask)

    def pose(self, angles: Float[Tensor, "6 L"]) -> Pose:
        """Turn all joints to angles (rad, relative to the start)."""
        cos, sin, start, peptides = torch.cos(angles), torch.sin(angles), self.start, None
        inner, oxt = start.arms[:, :CB_SLOT], start.arms[:, OXT_SLOT:]
        if self.peptides is not None:
            peptides = self.peptides.pose(cos[ROTATION_JOINT], sin[ROTATION_JOINT], angles[TWIST_JOINT])
            backbone = self.peptides.backbone(peptides)
            inner, oxt = backbone[:, :CB_SLOT], backbone[:, CB_SLOT:]
        frame = SideChainFrame.from_backbone(inner[:, N_AND_C], start.frame.is_proline)
        side_chain = self.side_chains.positions(frame.axes, cos[CHI_JOINTS], sin[CHI_JOINTS])
        arms = torch.cat([inner, side_chain, oxt], dim=1)
        return Pose(angles, sin, arms + start.atoms[:, CA_SLOT, None], arms, frame, peptides)

    def moved_residues(self, angles: Float[Tensor, "6 L"]) -> Bool[Tensor, "L"]:
        """Whether joint angles move any atom of each residue."""
        own = (angles != 0).any(0)
        if self.peptides is None:
            return own
        return own | self.peptides.order.previous((angles[: CHI_JOINTS.start] != 0).any(0))

    def joint_gradient(
        self, pose: Pose, gradient: Float[Tensor, "3 15 L"], stiffness: Float[Tensor, "15 L"]
    ) -> tuple[Float[Tensor, "6 L"], Float[Tensor, "6 L"]]:
        """Convert gradient and stiffness of an energy from atoms to joints.

        Parameters
        ----------
        pose : Pose
        gradient, stiffness
            First derivative of the energy, and its approximate second derivative, per Å and Å².

        Returns
        -------
        gradient, stiffness : Tensor, shape (6, L)
            The same by joint angle, per rad and rad². The stiffness leaves out couplings between joints, has
            the levers of the start, and is a rough estimate for peptides.
        """
        arms, force = pose.arms, gradient[:, SIDE_CHAIN]
        torque = cross(arms[:, SIDE_CHAIN], force)
        by_chi = self.side_chains.gradient(arms, torque, force)
        chi_stiffness = self.side_chains.stiffness(stiffness)
        if self.peptides is None or pose.peptides is None:
            no_peptides = torch.zeros_like(pose.angles[: CHI_JOINTS.start])
            joint_gradient = torch.cat([no_peptides, by_chi])
            return joint_gradient * self.joint_mask, torch.cat([no_peptides, chi_stiffness])
        on_backbone = torch.cat([gradient[:, :CB_SLOT], gradient[:, OXT_SLOT:]], dim=1)
        on_backbone[:, N_AND_C].add_(pose.frame.backbone_gradient(torque.sum(1)))
        by_peptide = self.peptides.gradient(pose.peptides, on_backbone)
        peptide_stiffness = self.peptides.stiffness(stiffness).expand_as(by_peptide)
        joint_gradient = torch.cat([by_peptide, by_chi])
        return joint_gradient * self.joint_mask, torch.cat([peptide_stiffness, chi_stiffness])
