"""The side chain of least expected error, where several are possible.

Not the most probable one: one from which the others are not far. It is one of
the candidates, its chi angles turned towards the others by no more than the
spread of its rotameric state, so that it stays what could be found in a protein.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from latcpb_cli.chem.zmatrix import N_CHI, chi_moved_mask, chi_slots
from latcpb_cli.chem.residues import GAMMA_SLOT, swap_slots
from latcpb_cli.geometry.masks import true_indices
from latcpb_cli.geometry.vectors import cross, unit
from latcpb_cli.sidechains.candidates import MOST, SIDE, Candidates

__all__ = ["expected_errors", "min_expected_error"]

_LEAST = 0.02  # an improbable state is not taken, however central
_SWEEPS = 3


def min_expected_error(
    candidates: Candidates,
    share: Float[Tensor, "L M"],
    atoms: Float[Tensor, "L 15 3"],
    types: Int[Tensor, "L"],
    width: Float[Tensor, "L 4"],
) -> tuple[Int[Tensor, "L"], Float[Tensor, "L 4"]]:
    """Row of the candidate to take for each residue, and by how much to turn its chi angles (rad).

    Parameters
    ----------
    share
        Probability of each candidate.
    atoms
        Backbones on which the candidates stand (Å).
    width
        The most that each chi may turn (rad).
    """
    errors, middles = expected_errors(candidates, share, types)
    rows = true_indices(share.flatten().index_select(0, candidates.place) >= _LEAST)
    candidates, errors, middles = candidates.of(rows), errors[rows], middles[rows]
    pull, stiffness = _leverage(candidates, middles, atoms, types)
    most = width.index_select(0, candidates.residue)
    turn = torch.zeros_like(pull)
    for chi in [*range(N_CHI)] * _SWEEPS:  # coordinate descent ends at the least of a quadratic in a box
        rest = pull[:, chi] - (stiffness[:, chi] * turn).sum(-1) + stiffness[:, chi, chi] * turn[:, chi]
        ideal = rest / stiffness[:, chi, chi].clamp(min=1e-6)
        turn[:, chi] = ideal.clamp(-most[:, chi], most[:, chi])
    saved = ((2 * pull - (stiffness @ turn[..., None]).squeeze(-1)) * turn).sum(-1)
    risk = share.new_full((share.numel(),), torch.inf)
    risk = risk.index_copy(0, candidates.place, errors - saved).view_as(share)
    best = torch.arange(len(share), device=share.device) * MOST + risk.argmin(-1)
    chosen = torch.searchsorted(candidates.place, best)
    return rows[chosen], turn[chosen]


def expected_errors(
    candidates: Candidates, share: Float[Tensor, "L M"], types: Int[Tensor, "L"]
) -> tuple[Float[Tensor, "R"], Float[Tensor, "R 9 3"]]:
    """Expected sum of squared errors (Å²) of each candidate, and where its atoms are expected (Å).

    Symmetric atoms take the names that are nearer to the candidate's.
    """
    places = candidates.atoms.new_zeros(len(types) * MOST, SIDE.stop - SIDE.start, 3)
    there = torch.where(candidates.there[..., None], candidates.atoms, 0.0)
    places = places.index_copy(0, candidates.place, there).view(len(types), MOST, -1, 3)
    swaps = torch.from_numpy(swap_slots()[:, SIDE]).to(types.device)[types] - GAMMA_SLOT
    swapped = places.gather(2, swaps[:, None, :, None].expand_as(places))
    places, swapped = places.flatten(2), swapped.flatten(2)
    # Not by matrix products: a candidate's distance from itself must be zero.
    exact = "donot_use_mm_for_euclid_dist"
    apart, other = (torch.cdist(places, each, compute_mode=exact) ** 2 for each in (places, swapped))
    weight, same = share[:, None], apart <= other
    errors = (torch.minimum(apart, other) * weight).sum(-1)
    middles = torch.bmm(weight * same, places) + torch.bmm(weight * ~same, swapped)
    return (
        errors.flatten().index_select(0, candidates.place),
        middles.flatten(0, 1).index_select(0, candidates.place).unflatten(1, (-1, 3)),
    )


def _leverage(
    candidates: Candidates,
    aim: Float[Tensor, "R 9 3"],
    atoms: Float[Tensor, "L 15 3"],
    types: Int[Tensor, "L"],
) -> tuple[Float[Tensor, "R 4"], Float[Tensor, "R 4 4"]]:
    """How far turns of chi bring atoms towards ``aim``, to first order, and what they move in all."""
    kinds = types[candidates.residue]
    whole = torch.cat([atoms[:, :GAMMA_SLOT].index_select(0, candidates.residue), candidates.atoms], dim=1)
    ends = torch.from_numpy(chi_slots()[..., 1:3]).to(types.device).clamp(min=0)[kinds].flatten(1)
    start, pivot = whole.gather(1, ends[..., None].expand(-1, -1, 3)).unflatten(1, (N_CHI, 2)).unbind(2)
    axis = unit(pivot - start)
    moves = torch.from_numpy(chi_moved_mask()[:, SIDE]).to(types.device)[kinds]
    arm = candidates.atoms[:, :, None] - pivot[:, None]
    slope = (
        torch.where(moves[..., None], cross(axis[:, None].expand_as(arm), arm), 0.0)
        .transpose(1, 2)
        .flatten(2)
    )
    missing = torch.where(candidates.there[..., None], aim - candidates.atoms, 0.0).flatten(1)
    return torch.bmm(slope, missing[..., None]).squeeze(-1), torch.bmm(slope, slope.transpose(1, 2))
