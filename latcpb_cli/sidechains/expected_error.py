"""The side chain of least expected error (minimum Bayes risk), where several rotamers are possible.

This is not always the most probable rotamer, but one near the others. It is one of the candidates, with its
chi angles turned towards the others by no more than the standard deviation of its rotamer, so that it stays
a conformation that occurs in proteins.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from latcpb_cli.chem.residues import GAMMA_SLOT, swap_slots
from latcpb_cli.chem.zmatrix import N_CHI, chi_moved_mask, chi_slots
from latcpb_cli.device import table_on
from latcpb_cli.geometry.masks import true_indices
from latcpb_cli.geometry.vectors import LANES
from latcpb_cli.geometry.vectors_first import cross, unit
from latcpb_cli.model.row_blocks import row_blocks
from latcpb_cli.sidechains.candidates import MAX_CANDIDATES, SIDE_CHAIN_SLOTS, Candidates

__all__ = ["expected_errors", "min_expected_error"]

_MIN_PROBABILITY = 0.02
"""Candidates less probable than this are not taken, however near the others they are."""
_SWEEPS = 3
_CANDIDATES_PER_CPU_BLOCK = 1024
"""Candidates whose derivatives are computed at once on a CPU; a multiple of ``LANES``."""
_MIN_CURVATURE = 1e-6
_EXACT = "donot_use_mm_for_euclid_dist"
"""Of `torch.cdist`: without matrix products, by which the distance of a candidate from itself is not zero."""


def min_expected_error(
    candidates: Candidates,
    probability: Float[Tensor, "L M"],
    atoms: Float[Tensor, "L 15 3"],
    types: Int[Tensor, "L"],
    max_offset: Float[Tensor, "L 4"],
) -> tuple[Int[Tensor, "L"], Float[Tensor, "L 4"]]:
    """Choose the candidate and the small change of its chi angles that have the least expected squared error.

    Parameters
    ----------
    candidates
        N candidates.
    probability
        Probability of each candidate, by residue and rank.
    atoms
        Backbones of the candidates, Å.
    types
        Residue types.
    max_offset
        Largest change of each chi angle, rad.

    Returns
    -------
    rows
        Row of the candidate of each residue.
    chi_offset
        Change of its chi angles, rad.
    """
    errors, expected = expected_errors(candidates, probability, types)
    rows = true_indices(probability.flatten().index_select(0, candidates.index) >= _MIN_PROBABILITY)
    rows = torch.nn.functional.pad(rows[None], (0, -len(rows) % LANES), mode="replicate")[0]
    candidates, errors, expected = candidates.select(rows), errors[rows], expected[rows]
    gradient = errors.new_empty(N_CHI, len(rows))
    curvature = errors.new_empty(N_CHI, N_CHI, len(rows))
    for block in row_blocks(len(rows), _CANDIDATES_PER_CPU_BLOCK, rows.device, LANES):
        part = candidates.select(block)
        gradient[:, block], curvature[..., block] = _chi_gradient(part, expected[block], atoms, types)
    offset = _minimize_in_box(gradient, curvature, max_offset.index_select(0, candidates.residue).T)
    reduction = ((2 * gradient - (curvature * offset).sum(1)) * offset).sum(0)
    remaining = probability.new_full((probability.numel(),), torch.inf)
    remaining = remaining.index_copy(0, candidates.index, errors - reduction).view_as(probability)
    first = torch.arange(len(probability), device=probability.device) * MAX_CANDIDATES
    chosen = torch.searchsorted(candidates.index, first + remaining.argmin(-1))
    return rows[chosen], offset[:, chosen].T


def expected_errors(
    candidates: Candidates, probability: Float[Tensor, "L M"], types: Int[Tensor, "L"]
) -> tuple[Float[Tensor, "N"], Float[Tensor, "N 9 3"]]:
    """Return the expected sum of squared errors (Å²) of each candidate, and the expected positions (Å).

    The two names of symmetric atoms are exchanged where that brings them nearer to the candidate's, so that
    the expected positions are a property of the candidate.
    """
    n_residues = len(types)
    positions = candidates.atoms.new_zeros(n_residues * MAX_CANDIDATES, *candidates.atoms.shape[1:])
    masked = torch.where(candidates.mask[..., None], candidates.atoms, 0.0)
    positions = positions.index_copy(0, candidates.index, masked).view(n_residues, MAX_CANDIDATES, -1, 3)
    swaps = table_on(types.device, swap_slots)[:, SIDE_CHAIN_SLOTS][types] - GAMMA_SLOT
    swapped = positions.gather(2, swaps[:, None, :, None].expand_as(positions))
    positions, swapped = positions.flatten(2), swapped.flatten(2)
    error, swapped_error = (
        torch.cdist(positions, other, compute_mode=_EXACT) ** 2 for other in (positions, swapped)
    )
    weight, same_names = probability[:, None], error <= swapped_error
    errors = (torch.minimum(error, swapped_error) * weight).sum(-1)
    expected = torch.bmm(weight * same_names, positions) + torch.bmm(weight * ~same_names, swapped)
    return (
        errors.flatten().index_select(0, candidates.index),
        expected.flatten(0, 1).index_select(0, candidates.index).view(-1, *candidates.atoms.shape[1:]),
    )


def _chi_gradient(
    candidates: Candidates,
    target: Float[Tensor, "N 9 3"],
    atoms: Float[Tensor, "L 15 3"],
    types: Int[Tensor, "L"],
) -> tuple[Float[Tensor, "4 N"], Float[Tensor, "4 4 N"]]:
    """Half the negative gradient, and half the Gauss-Newton curvature, of the squared distance from a target.

    Both are derivatives by chi, in Å² per rad and per rad².
    """
    residue = candidates.residue
    candidate_types = types.index_select(0, residue)
    backbones = atoms[:, :GAMMA_SLOT].index_select(0, residue)
    residues = torch.cat([backbones, candidates.atoms], dim=1).permute(2, 1, 0).contiguous()
    ends = table_on(types.device, chi_slots)[..., 1:3].clamp(min=0)[candidate_types].permute(2, 1, 0)
    rows = ends * len(residue) + torch.arange(len(residue), device=residue.device)
    start, pivot = residues.flatten(1).index_select(1, rows.flatten()).view(3, 2, N_CHI, -1).unbind(1)
    moved = table_on(types.device, chi_moved_mask)[:, SIDE_CHAIN_SLOTS][candidate_types].permute(2, 1, 0)
    positions = residues[:, GAMMA_SLOT:]
    slope = cross(unit(pivot - start)[:, :, None], positions[:, None] - pivot[:, :, None]) * moved
    residual = (target.permute(2, 1, 0) - positions) * candidates.mask.T
    gradient = (slope * residual[:, None]).sum(2).sum(0)
    curvature = [(slope * slope[:, chi, None]).sum(2).sum(0) for chi in range(N_CHI)]
    return gradient, torch.stack(curvature)


def _minimize_in_box(
    gradient: Float[Tensor, "4 N"], curvature: Float[Tensor, "4 4 N"], max_offset: Float[Tensor, "4 N"]
) -> Float[Tensor, "4 N"]:
    """Minimise a quadratic function within bounds by coordinate descent, which converges to its minimum."""
    offset = torch.zeros_like(gradient)
    for chi in [*range(N_CHI)] * _SWEEPS:
        own = curvature[chi, chi]
        residual = gradient[chi] - (curvature[chi] * offset).sum(0) + own * offset[chi]
        optimum = residual / own.clamp(min=_MIN_CURVATURE)
        offset[chi] = optimum.clamp(-max_offset[chi], max_offset[chi])
    return offset
