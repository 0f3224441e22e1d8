"""Noise on beads of training structures, as coarse-grained force fields have it.

CALVADOS 3 (Cao et al. 2024, Protein Science 33, e5172) keeps folded domains in shape by an elastic network:
harmonic bonds between neighbours, and weaker harmonic restraints between all pairs within a cutoff. Beads of
such a network fluctuate together with their neighbours.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["sample_bead_noise", "thermal_motion"]

_NOISE_PROBABILITY, _NETWORK_PROBABILITY = 0.6, 0.5
"""How often the beads of a structure have noise, and how often it is then that of an elastic network."""
_MAX_WHITE, _MAX_TEMPERATURE = 0.45, 1.3
"""Largest standard deviation (Å) of independent noise, and largest temperature of a network over 300 K."""
_KT = 2.494
"""kJ/mol, at 300 K."""
_BOND, _RESTRAINT, _ANCHOR = 80.33, 7.0, 1.0
"""Force constants (kJ/mol/Å²) of bonds, of restraints, and of anchors that keep loose ends near."""
_CUTOFF = 9.0
"""Å, of restraints."""


def sample_bead_noise(
    positions: Float[Tensor, "L 3"], sizes: list[int], generator: torch.Generator
) -> Float[Tensor, "L 3"]:
    """Sample the noise (Å) of the beads of each structure; that of some structures is zero.

    Parameters
    ----------
    positions : Tensor, shape (L, 3)
        Beads of all structures without noise, Å.
    sizes : list of int
        Residues of each structure.
    generator : torch.Generator
        On the CPU.
    """
    noise = torch.zeros(positions.shape)
    start = 0
    for size in sizes:
        rows = slice(start, start + size)
        start += size
        noisy, network, scale = torch.rand(3, generator=generator).tolist()
        if noisy >= _NOISE_PROBABILITY:
            continue
        white = torch.randn(size, 3, generator=generator)
        if network < _NETWORK_PROBABILITY:
            moved = thermal_motion(positions[rows].detach().cpu(), white)
            noise[rows] = (_MAX_TEMPERATURE * scale) ** 0.5 * moved
        else:
            noise[rows] = _MAX_WHITE * scale * white
    return noise.to(positions)


def thermal_motion(positions: Float[Tensor, "N 3"], white: Float[Tensor, "N 3"]) -> Float[Tensor, "N 3"]:
    """Return displacements (Å) of the beads of a network at 300 K, without motion of the whole.

    Parameters
    ----------
    positions : Tensor, shape (N, 3)
        The minimum of the network's energy, Å.
    white : Tensor, shape (N, 3)
        Independent normal deviates.
    """
    hessian = _hessian(positions)
    moved = torch.linalg.solve_triangular(
        torch.linalg.cholesky(hessian).T, white.reshape(-1, 1), upper=True
    ).view(-1, 3)
    return _without_rigid_motion(_KT**0.5 * moved, positions)


def _hessian(positions: Float[Tensor, "N 3"]) -> Float[Tensor, "M M"]:
    """Second derivatives (kJ/mol/Å²) of the energy of the network, at its minimum."""
    count = len(positions)
    step = positions[:, None] - positions[None]
    distance = step.norm(dim=-1)
    row = torch.arange(count)
    apart = (row[:, None] - row[None]).abs()
    constant = torch.where((distance < _CUTOFF) & (apart > 1), _RESTRAINT, 0.0)
    constant = torch.where(apart == 1, _BOND, constant)
    direction = step / distance.clamp(min=1e-3)[..., None]
    blocks = -constant[..., None, None] * direction[..., :, None] * direction[..., None, :]
    blocks[row, row] = -blocks.sum(1) + _ANCHOR * torch.eye(3)
    hessian: Tensor = blocks.transpose(1, 2).reshape(3 * count, 3 * count)
    return hessian


def _without_rigid_motion(
    moved: Float[Tensor, "N 3"], positions: Float[Tensor, "N 3"]
) -> Float[Tensor, "N 3"]:
    """Take the translation and the rotation of the whole out of small displacements (Å)."""
    arm = positions - positions.mean(0)
    turned = [torch.linalg.cross(axis.expand_as(arm), arm) for axis in torch.eye(3)]
    shifted = [axis.expand_as(arm) for axis in torch.eye(3)]
    basis, _ = torch.linalg.qr(torch.stack([*turned, *shifted]).flatten(1).T)
    flat = moved.flatten()
    internal: Tensor = flat - basis @ (basis.T @ flat)
    return internal.view_as(moved)
