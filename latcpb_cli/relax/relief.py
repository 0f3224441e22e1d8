"""Relaxation of overlaps and bent backbones in torsion space."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from latcpb_cli.config import ModelConfig
from latcpb_cli.device import constant
from latcpb_cli.geometry.codec import FIRST_CHI, N_TORSIONS, PEPTIDE_ROTATION, InternalCoordinates
from latcpb_cli.relax.bead_restraints import BeadRestraints
from latcpb_cli.relax.kinematics import CHI_JOINTS, ROTATION_JOINT, TWIST_JOINT, Pose, TorsionKinematics
from latcpb_cli.relax.overlaps import OverlapPairs
from latcpb_cli.relax.regions import Regions
from latcpb_cli.relax.reselect import reselect
from latcpb_cli.relax.strain import BackboneStrain
from latcpb_cli.relax.structures import TorsionStructures

__all__ = ["STEPS_AFTER_RELAXATION", "OverlapCounts", "relieve_overlaps"]

# The constants are chosen on chains held out of training with `benchmarks/relief.py DATA`, whose option
# `--setting relief.NAME=VALUE` replaces one; the stiffness of peptide rotations, and how it depends on
# their concentration, with `benchmarks/accuracy.py DATA --set heldout --methods latcpb`.

# Stiffness of the restraints of joints to the model's prediction, Å² per 1 - cos(angle).
_CHI_STIFFNESS, _TWIST_STIFFNESS = 0.05, 4.0
_ROTATION_STIFFNESS = 2.5  # of peptides without a concentration and with a Ramachandran weight of 0
_CONCENTRATION_STIFFNESS = 0.2  # of other peptides with a weight of 0, per unit of concentration
_MAX_PREDICTED_CONCENTRATION = 100.0  # see `PeptideRotations`
_RAMACHANDRAN_STIFFNESS = 0.5  # of peptides with a Ramachandran weight of 1

_MAX_TWIST = math.radians(25.0)  # of a peptide; a twist of 30° counts as an outlier of omega
STEPS_AFTER_RELAXATION = 60
"""Of the first descent, where Cα were relaxed; chosen as the constants of `relax_trace`."""
_N_STEPS_AFTER_RESELECTION = 14  # 12 leave more overlaps
_STEPS_PER_PAIR_LIST = 12
_PAIR_MARGIN = 1.0  # Å by which the distance of a pair may shrink between two pair lists
_STEP_SIZE, _MOMENTUM = 0.6, 0.7  # rounding errors grow tenfold every few steps with a step size of 0.8
_DAMPING = 5.0  # Å² per rad², added to the stiffness of every joint
_MAX_STEP = 0.2  # rad
_DEEP_OVERLAP = 1.2  # Å; a bond through a ring overlaps more deeply
_MAX_ROUNDS = 3  # of reselection


@dataclass
class OverlapCounts:
    """Numbers of residues with overlaps deeper than 1.2 Å, bonds through rings among them.

    Attributes
    ----------
    built : int
        As the model builds them.
    relieved : int
        After the first descent.
    reselected : int
        After all rounds of reselection.
    """

    built: int = 0
    relieved: int = 0
    reselected: int = 0

    def add(self, other: OverlapCounts) -> None:
        """Add the numbers of other structures."""
        self.built += other.built
        self.relieved += other.relieved
        self.reselected += other.reselected


@torch.no_grad()
def relieve_overlaps(
    structures: TorsionStructures,
    counts: OverlapCounts | None = None,
    n_steps: int = ModelConfig.relief_steps,
) -> TorsionStructures:
    """Turn peptides and side chains until atoms do not overlap and backbones are not bent.

    The relaxation descends on an energy with five terms: squared overlaps of
    all heavy atoms, including those with periodic images; bends of N-CA-C; the
    Ramachandran energy of phi and psi; restraints of every joint to the
    model's prediction; and restraints of centres of atoms to the beads of the
    input. The restraint of a peptide grows with the concentration
    of its predicted rotation and falls with its Ramachandran weight. Where
    deep overlaps remain, the side chains involved get another rotameric state,
    and the descent continues there: up to three rounds, as long as the
    overlaps decrease. In a large structure this happens in `Regions`, each by
    itself. On a fixed backbone only side chains turn.

    Parameters
    ----------
    structures : TorsionStructures
    counts : OverlapCounts, optional
        The numbers of overlapping residues are added to it.
    n_steps : int
        Steps of the first descent.

    Returns
    -------
    TorsionStructures
        Cα, and residues that no joint moves, are unchanged to the bit; bond
        lengths, rings and chirality are kept. The result for one structure
        does not depend on the others.
    """
    relaxed, depth_built, depth_relieved = _descend(structures, n_steps)
    regions = Regions.around(relaxed, depth_relieved > 0)
    depth = depth_relieved
    if regions.sizes:
        parts, part_depth = _reselect_rounds(regions.cut(relaxed), depth_relieved[regions.rows])
        relaxed = regions.paste(relaxed, parts)
        # Not all overlaps of an obstacle are in its region.
        depth = (
            _overlap_depth(relaxed)
            if regions.have_obstacles
            else depth.index_copy(0, regions.rows, part_depth)
        )
    if counts is not None:
        deep = torch.stack([depth_built, depth_relieved, depth]) > 0
        counts.add(OverlapCounts(*deep.sum(1).cpu().tolist()))
    return relaxed


def _reselect_rounds(
    parts: TorsionStructures, depth: Float[Tensor, "L"]
) -> tuple[TorsionStructures, Float[Tensor, "L"]]:
    """Reselect and descend in rounds, with which each part goes on as long as its overlaps decrease.

    Parameters
    ----------
    parts
        Parts cut out by `Regions`.
    depth
        Overlap of each residue's atoms beyond 1.2 Å, summed over pairs, Å.

    Returns
    -------
    parts : TorsionStructures
    depth : Tensor, shape (L,)
        The same for residues that may move, 0 for obstacles.
    """
    depth = _without_obstacles(depth, parts)
    remaining = list(range(len(parts.sizes)))
    for _ in range(_MAX_ROUNDS):
        if not remaining:
            break
        old_depth = depth[parts.residue_rows(remaining)]
        trial = reselect(parts.select(remaining), old_depth > 0)
        trial, _, new_depth = _descend(trial, _N_STEPS_AFTER_RESELECTION)
        old_totals = _sum_per_structure(old_depth, trial.sizes)
        new_totals = _sum_per_structure(new_depth, trial.sizes)
        improved = [i for i, (old, new) in enumerate(zip(old_totals, new_totals, strict=True)) if new < old]
        if not improved:
            break
        indices = [remaining[i] for i in improved]
        parts = parts.replace_structures(indices, trial.select(improved))
        depth = depth.index_copy(0, parts.residue_rows(indices), new_depth[trial.residue_rows(improved)])
        remaining = [remaining[i] for i in improved if new_totals[i] > 0]
    return parts, depth


def _overlap_depth(structures: TorsionStructures) -> Float[Tensor, "L"]:
    """Overlap of each residue's atoms beyond 1.2 Å, summed over pairs, Å."""
    atoms = structures.atoms.permute(2, 1, 0)
    return OverlapPairs.find(atoms, structures, -_DEEP_OVERLAP).overlap_depth(atoms, _DEEP_OVERLAP)


def _without_obstacles(values: Float[Tensor, "L"], structures: TorsionStructures) -> Float[Tensor, "L"]:
    return values if structures.movable is None else values * structures.movable


def _sum_per_structure(values: Float[Tensor, "L"], sizes: list[int]) -> list[float]:
    return [float(part.sum()) for part in torch.split(values.cpu(), sizes)]


def _descend(
    structures: TorsionStructures, n_steps: int
) -> tuple[TorsionStructures, Float[Tensor, "L"], Float[Tensor, "L"]]:
    """Take some steps of gradient descent with momentum.

    Returns
    -------
    structures : TorsionStructures
    depth_before, depth_after : Tensor, shape (L,)
        Overlap of each residue's atoms beyond 1.2 Å, summed over pairs, Å; ``depth_after`` of residues
        that may not move is 0.
    """
    length, padded = len(structures), structures.padded()
    energy = _TorsionEnergy.from_structures(padded)
    kinematics = energy.kinematics
    # A decoder may twist a peptide beyond the maximum; such a twist may not increase.
    twist = padded.internal.twist
    twist_bounds = (-_MAX_TWIST - twist).clamp(max=0.0), (_MAX_TWIST - twist).clamp(min=0.0)
    pose = kinematics.start
    velocity = pose.angles
    pairs = OverlapPairs.find(pose.atoms, padded, _PAIR_MARGIN)
    depth_before = pairs.overlap_depth(pose.atoms, _DEEP_OVERLAP)
    for step in range(n_steps):
        if step > 0 and step % _STEPS_PER_PAIR_LIST == 0:
            pairs = OverlapPairs.find(pose.atoms, padded, _PAIR_MARGIN)
        gradient, stiffness = energy.gradient(pose, pairs)
        velocity = torch.addcdiv(_MOMENTUM * velocity, gradient, stiffness + _DAMPING, value=-_STEP_SIZE)
        velocity.clamp_(-_MAX_STEP, _MAX_STEP)
        angles = pose.angles + velocity
        angles[TWIST_JOINT].clamp_(*twist_bounds)
        pose = kinematics.pose(angles)
    angles, moved = pose.angles, kinematics.moved_residues(pose.angles)
    atoms = torch.where(moved, pose.atoms, kinematics.start.atoms)
    depth_after = OverlapPairs.find(atoms, padded, -_DEEP_OVERLAP).overlap_depth(atoms, _DEEP_OVERLAP)
    depth_after = _without_obstacles(depth_after, padded)
    relaxed = replace(
        structures,
        atoms=atoms[..., :length].permute(2, 1, 0).contiguous(),
        internal=_turn_joints(structures.internal, angles[:, :length]),
    )
    return relaxed, depth_before[:length], depth_after[:length]


@dataclass(frozen=True, eq=False)
class _TorsionEnergy:
    """Energy of structures as a function of the angles of their joints.

    Attributes
    ----------
    kinematics : TorsionKinematics
    strain : BackboneStrain
    beads : BeadRestraints or None
    restraint : Tensor, shape (6, L)
        Stiffness of the restraint of each joint, 0 where there is no joint.
    """

    kinematics: TorsionKinematics
    strain: BackboneStrain
    beads: BeadRestraints | None
    restraint: Float[Tensor, "6 L"]

    @classmethod
    def from_structures(cls, structures: TorsionStructures) -> _TorsionEnergy:
        kinematics = TorsionKinematics.from_structures(structures)
        restraint = _restraint_stiffness(structures, kinematics.joint_mask)
        beads = None if structures.beads is None else BeadRestraints.from_beads(structures.beads)
        return cls(kinematics, BackboneStrain.from_structures(structures), beads, restraint)

    def gradient(self, pose: Pose, pairs: OverlapPairs) -> tuple[Float[Tensor, "6 L"], Float[Tensor, "6 L"]]:
        """Derivative by the angle of each joint (Å² per rad), and its stiffness (Å² per rad²)."""
        atoms = pose.atoms
        gradient, stiffness = pairs.gradient(atoms)
        if self.kinematics.peptides is not None:  # whose strain no joint changes
            self.strain.add_gradient(atoms, gradient, stiffness)
        if self.beads is not None:
            self.beads.add_gradient(atoms, gradient, stiffness)
        joint_gradient, joint_stiffness = self.kinematics.joint_gradient(pose, gradient, stiffness)
        joint_gradient = torch.addcmul(joint_gradient, self.restraint, pose.sin)
        return joint_gradient, joint_stiffness + self.restraint


def _restraint_stiffness(
    structures: TorsionStructures, joint_mask: Float[Tensor, "6 L"]
) -> Float[Tensor, "6 L"]:
    """Stiffness of the restraint of each joint; 0 where there is no joint."""
    per_joint = 1.0, _TWIST_STIFFNESS, *4 * [_CHI_STIFFNESS]
    stiffness = joint_mask * constant(per_joint, joint_mask.dtype, joint_mask.device)[:, None]
    concentration, weight = structures.concentration, structures.ramachandran_weight
    rotation = _ROTATION_STIFFNESS if concentration is None else _CONCENTRATION_STIFFNESS * concentration
    if concentration is not None:  # a peptide that is surer than any prediction is a copy from a template
        stiffness[TWIST_JOINT] *= (concentration / _MAX_PREDICTED_CONCENTRATION).clamp(min=1.0)
    if weight is None:
        weight = torch.ones_like(structures.ca[:, 0])
    peptide_weight = torch.maximum(weight, structures.order.next(weight))
    stiffness[ROTATION_JOINT] *= rotation + (_RAMACHANDRAN_STIFFNESS - rotation) * peptide_weight
    return stiffness


def _turn_joints(internal: InternalCoordinates, angles: Float[Tensor, "6 L"]) -> InternalCoordinates:
    """Return the internal coordinates after each joint has turned by an angle (rad)."""
    torsions = internal.torsions.clone()
    indices = constant((PEPTIDE_ROTATION, *range(FIRST_CHI, N_TORSIONS)), torch.int64, torsions.device)
    turns = torch.cat([angles[ROTATION_JOINT, None], angles[CHI_JOINTS]]).T
    cos, sin = torch.cos(turns), torch.sin(turns)
    x, y = torsions[:, indices].unbind(-1)
    torsions[:, indices] = torch.stack([x * cos - y * sin, y * cos + x * sin], dim=-1)
    return InternalCoordinates(torsions, internal.twist + angles[TWIST_JOINT], internal.bends)
