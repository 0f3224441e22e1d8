"""Rotamers of residues with beads at centres of atoms: those that reproduce the bead become more probable.

The bead of a residue, the centre of all its atoms or of its side chain, is a linear function of its atoms,
and nearly one of small changes of its chi angles. A Gaussian prior of the chi angles within a rotamer and a
Gaussian error of the bead then give the posterior angles and the evidence for the rotamer in closed form (an
extended Kalman update).
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from latcpb_cli.chem.residues import CA_SLOT, GAMMA_SLOT, OXT_SLOT
from latcpb_cli.chem.zmatrix import N_CHI, chi_moved_mask, chi_slots
from latcpb_cli.com_beads.definition import bead_positions
from latcpb_cli.com_beads.observed import ObservedBeads
from latcpb_cli.device import table_on
from latcpb_cli.geometry.codec import place_side_chains
from latcpb_cli.geometry.vectors import cross, unit
from latcpb_cli.model.decoder import Decoded, Rotamers

__all__ = ["condition_on_beads"]

_MIN_LOG_PROB = math.log(1e-4)
"""Less probable rotamers are not tried."""
_IMPOSSIBLE_LOGIT = -1e4
_ROUNDS = 2


def condition_on_beads(
    decoded: Decoded,
    types: Int[Tensor, "L"],
    beads: ObservedBeads,
    chi_std: Float[Tensor, "L 4"],
    chi_offset: Float[Tensor, "L 4"] | None = None,
) -> Rotamers:
    """Return rotamers with the probabilities and chi angles that the beads support.

    Parameters
    ----------
    decoded
        Backbones and rotamers.
    types
        Residue types.
    beads
        Of the residues.
    chi_std
        Standard deviation (rad) of each chi angle within its rotamer.
    chi_offset
        Deviations (rad) of a sample from the mean chi angles; what the beads contradict is taken back.

    Raises
    ------
    ValueError
        The decoder predicted positions, and no rotamers.
    """
    rotamers = decoded.rotamers
    if rotamers is None:
        raise ValueError("a decoder of positions has no rotamers")
    offset = torch.zeros_like(chi_std) if chi_offset is None else chi_offset
    log_prob = rotamers.logits.log_softmax(-1)
    known = ~beads.positions.isnan().any(-1) & (rotamers.logits > 0.5 * _IMPOSSIBLE_LOGIT).any(-1)
    residue, rotamer = torch.nonzero(known[:, None] & (log_prob >= _MIN_LOG_PROB)).unbind(1)
    chi, evidence = _posterior(decoded, types, beads, chi_std, offset, (residue, rotamer))
    logits = torch.where(known[:, None], _IMPOSSIBLE_LOGIT, rotamers.logits)
    logits[residue, rotamer] = log_prob[residue, rotamer] + evidence
    all_chi = rotamers.chi + offset[:, None]
    all_chi[residue, rotamer] = chi
    return Rotamers(logits, all_chi)


def _posterior(
    decoded: Decoded,
    types: Int[Tensor, "L"],
    beads: ObservedBeads,
    chi_std: Float[Tensor, "L 4"],
    offset: Float[Tensor, "L 4"],
    pairs: tuple[Int[Tensor, "N"], Int[Tensor, "N"]],
) -> tuple[Float[Tensor, "N 4"], Float[Tensor, "N"]]:
    """Chi angles (rad) of pairs of residue and rotamer, and the log likelihood of the bead in each."""
    assert decoded.rotamers is not None and decoded.internal is not None  # they come together
    residue, rotamer = pairs
    mean, own_types = decoded.rotamers.chi[residue, rotamer], types[residue]
    variance, observed = chi_std[residue] ** 2, beads.select(residue)
    internal, backbones = decoded.internal.select(residue), decoded.atoms[residue, :GAMMA_SLOT]
    change = torch.zeros_like(mean)
    for _ in range(_ROUNDS):
        built = place_side_chains(list(backbones.unbind(1)), internal.with_chi(mean + change), own_types)
        slots = torch.stack([*built, built[CA_SLOT]], dim=1)
        slope = _bead_slope(slots, own_types, observed.weights)
        # What the bead would be off by at the mean angles.
        residual = observed.positions - bead_positions(slots, observed.weights)
        residual = residual + (slope * change[..., None]).sum(1)
        covariance = torch.einsum("nci,nc,ncj->nij", slope, variance, slope)
        covariance = covariance + torch.diag_embed(observed.std[:, None].expand(-1, 3) ** 2)
        precision, log_det = _invert(covariance)
        gain = variance[..., None] * torch.einsum("nci,nij->ncj", slope, precision)
        change = torch.einsum("ncj,nj->nc", gain, residual)
    evidence = -0.5 * (torch.einsum("ni,nij,nj->n", residual, precision, residual) + log_det)
    sample = offset[residue]
    moved = torch.einsum("nci,nc->ni", slope, sample)
    return mean + change + sample - torch.einsum("ncj,nj->nc", gain, moved), evidence


def _bead_slope(
    slots: Float[Tensor, "N 15 3"], types: Int[Tensor, "N"], weights: Float[Tensor, "N 15"]
) -> Float[Tensor, "N 4 3"]:
    """Derivative (Å per rad) of the bead by each chi angle."""
    ends = table_on(types.device, chi_slots)[..., 1:3].clamp(min=0)[types].flatten(1)
    start, pivot = slots.gather(1, ends[..., None].expand(-1, -1, 3)).view(-1, N_CHI, 2, 3).unbind(2)
    moved = table_on(types.device, chi_moved_mask)[types].transpose(1, 2)
    weight = torch.where(moved, weights[:, None, :OXT_SLOT], 0.0)
    arm = (weight[..., None] * (slots[:, None, :OXT_SLOT] - pivot[:, :, None])).sum(2)
    return cross(unit(pivot - start), arm)


def _invert(matrix: Float[Tensor, "N 3 3"]) -> tuple[Float[Tensor, "N 3 3"], Float[Tensor, "N"]]:
    """Inverse of symmetric positive definite matrices, row by row, and the log of their determinants."""
    a, b, c = matrix.unbind(1)
    cofactors = torch.stack([cross(b, c), cross(c, a), cross(a, b)], dim=1)
    determinant = (a * cofactors[:, 0]).sum(-1)
    return cofactors.transpose(1, 2) / determinant[:, None, None], determinant.log()
