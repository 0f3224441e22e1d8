"""Relaxation of Cα traces towards backbones that proteins have.

Beads of a coarse-grained force field without angle terms take positions where
no rotation of the peptides between them gives good phi, psi and N-CA-C. On
request, beads are moved: first into the usual ranges of distances and virtual
angles, then by descents on beads, rotations and twists of peptides together, each of
which starts from the best rotations on the beads.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latcpb_cli.backbone.ca_geometry import Rows, bond_bounds, chain_rows, satisfy_distance_bounds
from latcpb_cli.backbone.peptide_chain import PeptideChain
from latcpb_cli.backbone.viterbi import best_rotations
from latcpb_cli.geometry.links import ChainOrder
from latcpb_cli.geometry.vectors import atan2, cosine, torsion_vector

__all__ = ["RelaxedTrace", "relax_trace", "residue_energies"]

# Chosen for favoured phi and psi, overlaps and angles on traces of CALVADOS (`benchmarks/robustness.py`).
_N_ROUNDS = 3
_MAX_BLOCK = 512  # residues of a block
_N_STEPS = 40
_CA_STEP, _ROTATION_STEP, _TWIST_STEP = 0.03, 0.06, 0.03  # Å and rad in one step, about
_MEAN_DECAY, _SQUARE_DECAY = 0.8, 0.95  # of the running means of gradients and of their squares
_EPSILON = 0.5  # Å: gradients well below it cause small steps, and rounding errors none
_BOND_WEIGHT = 100.0  # of Cα-Cα distances against angles and the Ramachandran energy
_NARROWING = 0.06
"""Å by which the range of Cα-Cα distances is narrower in descents, at either end: in short peptides O and the
next C overlap, and long ones bend."""
_HOME_WEIGHT = 0.05  # of the distance from the input, Å² per Å²
_SCORE_WEIGHT = 0.15  # of usual phi and psi, see `ramachandran_energy`
_TWIST_STIFFNESS, _MAX_TWIST = 2.0, math.radians(25.0)  # Å² per rad²; that of relief
_MIN_ENERGY, _MIN_VIOLATION = 1.0, 0.02
"""Energy of a residue (Å²), and violation of a distance (Å), above which Cα are relaxed."""
_N_NEIGHBORS, _MAX_GAP = 2, 12
"""Residues to either side of a violation, and between two such stretches, that are relaxed with it."""


@dataclass(frozen=True, eq=False)
class RelaxedTrace:
    """Cα of F frames after relaxation.

    Attributes
    ----------
    positions : numpy.ndarray of float32, shape (F, L, 3)
        In Å.
    peptides : numpy.ndarray of float32, shape (F, L, 2)
        Rotation about the axis to the next Cα, and twist (rad), of the peptide after each residue that was
        relaxed; nan for others.
    """

    positions: Float[np.ndarray, "F L 3"]
    peptides: Float[np.ndarray, "F L 2"]


def relax_trace(
    positions: Float[np.ndarray, "F L 3"],
    types: Int[np.ndarray, "L"],
    linked: Bool[np.ndarray, "F L"],
    tolerance: float | Float[np.ndarray, "F L"],
    next_residue: Int[np.ndarray, "L"] | None = None,
    max_gap: int = _MAX_GAP,
) -> RelaxedTrace:
    """Move Cα towards distances, angles, phi and psi that proteins have.

    Parameters
    ----------
    positions : numpy.ndarray of float32, shape (F, L, 3)
        Cα in Å.
    types : numpy.ndarray of int64, shape (L,)
        Residue types.
    linked : numpy.ndarray of bool, shape (F, L)
        Whether a peptide joins each residue to the next.
    tolerance : float or numpy.ndarray, shape (F, L)
        Maximum displacement of each Cα, Å; Cα with zero stay to the bit.
    next_residue : numpy.ndarray of int64, shape (L,), optional
        Row of the next residue of each, in a system with rings.
    max_gap : int
        Residues between two stretches with violations that are relaxed with them.

    Returns
    -------
    RelaxedTrace
        Beads without a violation nearby are unchanged to the bit. The result
        for a frame does not depend on the others.
    """
    start = satisfy_distance_bounds(positions, types, linked, tolerance, next_residue)
    relaxed = RelaxedTrace(np.empty_like(start), np.empty((*linked.shape, 2), dtype=np.float32))
    limit = np.broadcast_to(np.float32(tolerance), linked.shape)
    order = ChainOrder.from_next(next_residue, "cpu")
    # All blocks have the same size, the last one padded with copies, so rounding is the same for a frame
    # in any position.
    size = max(1, _MAX_BLOCK // len(types))
    for first in range(0, len(positions), size):
        rows = np.minimum(np.arange(first, first + size), len(positions) - 1)
        last = min(first + size, len(positions))
        chain = types, linked[rows], order
        block = _relax_block(positions[rows], start[rows], chain, limit[rows], max_gap)
        relaxed.positions[first:last] = block.positions[: last - first]
        relaxed.peptides[first:last] = block.peptides[: last - first]
    return relaxed


@dataclass(frozen=True, eq=False)
class _TraceEnergy:
    """Energy of the frames of a block, which are one chain of L residues with breaks.

    Attributes
    ----------
    inputs : Tensor, shape (L, 3)
        Cα of the input, Å.
    chain : PeptideChain
    one, two : slice or numpy.ndarray
        Rows of consecutive Cα.
    low, high : Tensor
        Bounds of their distances, Å.
    """

    inputs: Float[Tensor, "L 3"]
    chain: PeptideChain
    one: Rows
    two: Rows
    low: Float[Tensor, "steps"]
    high: Float[Tensor, "steps"]

    @classmethod
    def from_block(
        cls,
        inputs: Float[Tensor, "L 3"],
        start: Float[Tensor, "L 3"],
        types: Int[np.ndarray, "L"],
        linked: Bool[np.ndarray, "L"],
        order: ChainOrder,
    ) -> _TraceEnergy:
        following = None if order.steps is None else order.next(torch.arange(len(types))).numpy()
        bounds = bond_bounds(start.numpy(), types, linked, following)
        low, high = (torch.from_numpy(bound) for bound in bounds)
        one, two = chain_rows(following)
        return cls(inputs, PeptideChain.from_trace(start, types, linked, order), one, two, low, high)

    def violations(self, joints: Float[Tensor, "L 5"]) -> tuple[Float[Tensor, "L"], Float[Tensor, "steps"]]:
        """Energy (Å²) of each residue, and violation (Å) of each distance to the next Cα."""
        ca, peptides = joints[:, :3], joints[:, 3:]
        step = ca[self.two] - ca[self.one]
        length = torch.sqrt((step * step).sum(-1) + 1e-12)
        return residue_energies(ca, peptides, self.chain), length - length.clamp(self.low, self.high)

    def of_descent(self) -> _TraceEnergy:
        """Return the energy of descents: usual distances, scores and overlaps count, too."""
        chain, joined = replace(self.chain, score_weight=_SCORE_WEIGHT), self.high < math.inf
        low = torch.where(joined, self.low + _NARROWING, self.low)
        return replace(self, chain=chain, low=low, high=self.high - _NARROWING)

    def gradient(self, joints: Float[Tensor, "L 5"]) -> Float[Tensor, "L 5"]:
        """Gradient of the total energy on Cα (Å), rotations and twists (rad)."""
        with torch.enable_grad():
            joints.requires_grad_()
            energies, violation = self.violations(joints)
            displacement, twist = joints[:, :3] - self.inputs, joints[:, 4]
            bonds, home = (violation * violation).sum(), (displacement * displacement).sum()
            restraints = _BOND_WEIGHT * bonds + _HOME_WEIGHT * home + _TWIST_STIFFNESS * (twist * twist).sum()
            total = energies.sum() + 0.5 * restraints
            (gradient,) = torch.autograd.grad(total, joints)
        return gradient


def _relax_block(
    positions: Float[np.ndarray, "B L 3"],
    start: Float[np.ndarray, "B L 3"],
    chain: tuple[Int[np.ndarray, "L"], Bool[np.ndarray, "B L"], ChainOrder],
    tolerance: Float[np.ndarray, "B L"],
    max_gap: int,
) -> RelaxedTrace:
    """Move the Cα of some frames on from where they satisfy the distance bounds.

    ``chain`` holds the residue types, the linked residues of each frame, and the order.
    """
    types, linked, order = chain
    center = positions.astype(np.float64).mean(axis=1, keepdims=True)
    inputs, ca = (torch.from_numpy(x - center).flatten(0, 1) for x in (positions, start))
    count = len(positions)
    energy = _TraceEnergy.from_block(inputs, ca, np.tile(types, count), linked.ravel(), order.repeat(count))
    joints = _best_joints(ca, torch.zeros_like(ca[:, :1]), energy.chain)
    movable = _near_violation(energy, *energy.violations(joints), max_gap)
    if not movable.any():
        return RelaxedTrace(start, np.full((*start.shape[:2], 2), np.nan, dtype=np.float32))
    energy = energy.of_descent()
    limit = torch.from_numpy(tolerance.reshape(-1, 1))
    for _ in range(_N_ROUNDS):
        joints = _best_joints(joints[:, :3], joints[:, 4:], energy.chain)
        joints = _descend(energy, joints, movable, limit)
    peptides = torch.where((movable & energy.chain.linked)[:, None], joints[:, 3:], torch.nan)
    movable &= limit[:, 0] > 0
    moved = (joints[:, :3].reshape(start.shape).numpy() + center).astype(np.float32)
    relaxed = np.where(movable.view(start.shape[:2])[..., None].numpy(), moved, start)
    return RelaxedTrace(relaxed, peptides.view(*start.shape[:2], 2).numpy().astype(np.float32))


def _best_joints(
    ca: Float[Tensor, "L 3"], twist: Float[Tensor, "L 1"], chain: PeptideChain
) -> Float[Tensor, "L 5"]:
    """Cα (Å) with the best rotations of planar peptides, and given twists (rad)."""
    return torch.cat([ca, best_rotations(ca, chain)[:, None], twist], dim=1)


def _descend(
    energy: _TraceEnergy,
    joints: Float[Tensor, "L 5"],
    movable: Bool[Tensor, "L"],
    tolerance: Float[Tensor, "L 1"],
) -> Float[Tensor, "L 5"]:
    """Minimise the energy over Cα, rotations and twists with Adam (arXiv:1412.6980).

    The three coordinates of a bead share one second moment, which makes the
    descent independent of the orientation of the axes. The optimizer of torch
    would do neither that nor start without loading its compiler.
    """
    step_sizes = joints.new_tensor([_CA_STEP, _CA_STEP, _CA_STEP, _ROTATION_STEP, _TWIST_STEP])
    steps = torch.where(movable[:, None], step_sizes, 0.0)
    mean, square = torch.zeros_like(joints), torch.zeros_like(joints)
    for count in range(1, _N_STEPS + 1):
        gradient = energy.gradient(joints)
        joints = joints.detach()
        mean = _MEAN_DECAY * mean + (1 - _MEAN_DECAY) * gradient
        square = _SQUARE_DECAY * square + (1 - _SQUARE_DECAY) * _squares(gradient)
        scale = torch.sqrt(square / (1 - _SQUARE_DECAY**count)) + _EPSILON
        joints = joints - steps * (mean / (1 - _MEAN_DECAY**count)) / scale
        displacement = joints[:, :3] - energy.inputs
        distance = torch.sqrt((displacement * displacement).sum(-1, keepdim=True) + 1e-12)
        limited = energy.inputs + displacement * (tolerance / distance)
        ca = torch.where(distance > tolerance, limited, joints[:, :3])
        joints = torch.cat([ca, joints[:, 3:4], joints[:, 4:].clamp(-_MAX_TWIST, _MAX_TWIST)], dim=1)
    return joints


def residue_energies(
    ca: Float[Tensor, "L 3"], peptides: Float[Tensor, "L 2"], chain: PeptideChain
) -> Float[Tensor, "L"]:
    """Return the energy (Å²) of each residue between its peptides, at their rotations and twists (rad)."""
    c, n_next = chain.peptide_atoms(ca, peptides[:, 0], peptides[:, 1])
    c_previous, n = chain.order.previous(c), chain.order.previous(n_next)
    phi, psi = (
        atan2(pair[:, 1], pair[:, 0])
        for pair in (torsion_vector(c_previous, n, ca, c), torsion_vector(n, ca, c, n_next))
    )
    return chain.energy(cosine(n, ca, c), phi, psi)


def _squares(gradient: Float[Tensor, "L 5"]) -> Float[Tensor, "L 5"]:
    """Squared gradients: the sum over its coordinates for a bead, three times, and those of the peptide."""
    bead = (gradient[:, :3] * gradient[:, :3]).sum(-1, keepdim=True)
    return torch.cat([bead.expand(-1, 3), gradient[:, 3:] * gradient[:, 3:]], dim=1)


def _near_violation(
    energy: _TraceEnergy, energies: Float[Tensor, "L"], violation: Float[Tensor, "steps"], max_gap: int
) -> Bool[Tensor, "L"]:
    """Residues with a violation, their neighbours in the chain, and those between violations."""
    near, at_bond = energies > _MIN_ENERGY, violation.abs() > _MIN_VIOLATION
    near[energy.two] |= at_bond
    near[energy.one] |= at_bond
    filled = _widen(energy, near, _N_NEIGHBORS + max_gap // 2)
    return ~_widen(energy, ~filled, max_gap // 2)


def _widen(energy: _TraceEnergy, chosen: Bool[Tensor, "L"], count: int) -> Bool[Tensor, "L"]:
    """Residues that are no more than so many peptides away from a chosen one."""
    one, two, linked = energy.one, energy.two, energy.chain.linked[energy.one]
    for _ in range(count):
        wider = chosen.clone()
        wider[two] |= chosen[one] & linked
        wider[one] |= chosen[two] & linked
        chosen = wider
    return chosen
