"""Cα are moved a little towards backbones that proteins have.

Beads of a coarse-grained force field without angle terms stand where no
rotation of the peptides between them gives good phi, psi and N-CA-C. Asked to,
we find the best rotations on the beads as they are, then turn peptides and
move beads together, no bead further than it may go. The model is given the
beads; the rotations have served their turn.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from latcpb_cli.backbone.ca_geometry import bond_bounds, ease_trace
from latcpb_cli.backbone.peptide_chain import Backbone
from latcpb_cli.backbone.viterbi import best_rotations
from latcpb_cli.geometry.vectors import cosine, torsion_vector

__all__ = ["relax_trace"]

_RESIDUES_AT_ONCE = 1024
_STEPS = 60
_MOVE, _TURN = 0.02, 0.04  # Å and rad in one step, about
_FADE, _FADE_SQUARES = 0.8, 0.95  # of the running means of slopes and of their squares
_FLAT = 0.5  # Å: slopes well below this move little, rounding errors nothing
_BOND = 200.0  # weight of Cα-Cα distances against angles and regions
_HOME = 1.0  # weight of the way back to the input
_TROUBLE = 1e-3  # Å² of energy, or Å off, above which something is wrong with a residue
_NEIGHBORS = 2  # residues to either side of trouble that may move, too

Array = np.ndarray


def relax_trace(positions: Array, types: Array, linked: Array, tolerance: float) -> Array:
    """Move Cα towards distances, angles, phi and psi that proteins have.

    Parameters and result are those of `ease_trace`, which moves them towards
    distances and angles first. Beads that fit stay where they are, to the bit,
    and a frame does not depend on the others.
    """
    eased = ease_trace(positions, types, linked, tolerance)
    conformed = np.empty_like(eased)
    # Blocks of one size, the last filled up with copies: so a frame's numbers are always the same.
    size = max(1, _RESIDUES_AT_ONCE // len(types))
    for start in range(0, len(positions), size):
        rows = np.minimum(np.arange(start, start + size), len(positions) - 1)
        kept = slice(start, min(start + size, len(positions)))
        block = _conform(positions[rows], eased[rows], types, linked[rows], tolerance)
        conformed[kept] = block[: kept.stop - kept.start]
    return conformed


def _conform(home: Array, eased: Array, types: Array, linked: Array, tolerance: float) -> Array:
    """Move the Cα of some frames on from where they were eased to."""
    middle = home.astype(np.float64).mean(axis=1, keepdims=True)
    inputs, start = (torch.from_numpy(x - middle).flatten(0, 1) for x in (home, eased))
    backbone = Backbone.of(start, np.tile(types, len(home)), linked.ravel())
    bounds = bond_bounds(start.numpy(), np.tile(types, len(home)), linked.ravel())
    low, high = (torch.from_numpy(bound) for bound in bounds)

    def energies(points: Tensor, rotation: Tensor) -> tuple[Tensor, Tensor]:
        """Energy of each residue, and what the distance to the next is off (Å)."""
        step = points[1:] - points[:-1]
        length = torch.sqrt((step * step).sum(-1) + 1e-12)
        return _strain(points, rotation, backbone), length - length.clamp(low, high)

    rotation = best_rotations(start, backbone)
    free = _near_trouble(*energies(start, rotation), backbone.linked[:-1])
    joints = torch.cat([start, rotation[:, None]], dim=1)
    steps = torch.where(free[:, None], joints.new_tensor([_MOVE, _MOVE, _MOVE, _TURN]), 0.0)
    mean, square = torch.zeros_like(joints), torch.zeros_like(joints)
    for number in range(1, _STEPS + 1):
        with torch.enable_grad():
            joints.requires_grad_()
            points = joints[:, :3]
            strain, off = energies(points, joints[:, 3])
            away = points - inputs
            energy = strain.sum() + 0.5 * (_BOND * (off * off).sum() + _HOME * (away * away).sum())
            (slope,) = torch.autograd.grad(energy, joints)
        joints = joints.detach()
        # Adam (arXiv:1412.6980), but whichever way the axes point; torch's own would load its compiler.
        mean = _FADE * mean + (1 - _FADE) * slope
        square = _FADE_SQUARES * square + (1 - _FADE_SQUARES) * _squares(slope)
        size = torch.sqrt(square / (1 - _FADE_SQUARES**number)) + _FLAT
        joints = joints - steps * (mean / (1 - _FADE**number)) / size
        away = joints[:, :3] - inputs
        far = torch.sqrt((away * away).sum(-1, keepdim=True) + 1e-12)
        points = torch.where(far > tolerance, inputs + away * (tolerance / far), joints[:, :3])
        joints = torch.cat([points, joints[:, 3:]], dim=1)
    moved = (joints[:, :3].view(eased.shape).numpy() + middle).astype(np.float32)
    return np.where(free.view(eased.shape[:2])[..., None].numpy(), moved, eased)


def _strain(points: Tensor, rotation: Tensor, backbone: Backbone) -> Float[Tensor, "L"]:
    """Energy (Å²) of each residue between its two peptides."""
    c, n_ahead = backbone.peptides(points, rotation)
    c_before, n = c.roll(1, 0), n_ahead.roll(1, 0)
    phi, psi = (
        torch.atan2(pair[:, 1], pair[:, 0])
        for pair in (torsion_vector(c_before, n, points, c), torsion_vector(n, points, c, n_ahead))
    )
    return backbone.energy(cosine(n, points, c), phi, psi)


def _squares(slope: Float[Tensor, "L 4"]) -> Float[Tensor, "L 4"]:
    """Squares of the slopes on a bead, all three the same, and on a rotation."""
    bead = (slope[:, :3] * slope[:, :3]).sum(-1, keepdim=True)
    return torch.cat([bead.expand(-1, 3), slope[:, 3:] * slope[:, 3:]], dim=1)


def _near_trouble(
    strain: Float[Tensor, "L"], off: Float[Tensor, "L-1"], linked: Bool[Tensor, "L-1"]
) -> Bool[Tensor, "L"]:
    """Residues that something is wrong with, and their neighbours in the chain."""
    wrong, apart = strain > _TROUBLE, off.abs() > _TROUBLE
    wrong[1:] |= apart
    wrong[:-1] |= apart
    for _ in range(_NEIGHBORS):
        wide = wrong.clone()
        wide[1:] |= wrong[:-1] & linked
        wide[:-1] |= wrong[1:] & linked
        wrong = wide
    return wrong
