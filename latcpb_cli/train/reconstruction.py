"""Losses of equations 12 and 13 on atoms and internal coordinates."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latcpb_cli.chem.ideal import side_chain_table
from latcpb_cli.chem.residues import (
    C_SLOT,
    CA_SLOT,
    CB_SLOT,
    CHI_SYMMETRIC,
    GAMMA_SLOT,
    N_SLOT,
    N_SLOTS,
    NAMES,
)
from latcpb_cli.geometry.codec import FIRST_CHI, N_TORSIONS, PEPTIDE_ROTATION, InternalCoordinates
from latcpb_cli.geometry.vectors import cosine
from latcpb_cli.model.decoder import Decoded
from latcpb_cli.model.graph import Graph
from latcpb_cli.train.batch import Batch

__all__ = ["reconstruction_terms", "steric_loss", "symmetric_torsions"]

_EPSILON = 1e-7
_STERIC_NEIGHBORS = 6
_STERIC_STRIDE = 4  # one residue in so many is compared per step
_MAX_TARGET_TWIST = 0.5  # rad; references that are further from planar are clamped, and their bends left out


def _chord(predicted: Float[Tensor, "... 2"], reference: Float[Tensor, "... 2"]) -> Float[Tensor, "..."]:
    """Angle error of equation 12, sqrt(2 (1 - cos(difference)) + eps), of angles given as (cos, sin)."""
    return torch.sqrt((2 * (1 - (predicted * reference).sum(-1))).clamp(min=0.0) + _EPSILON)


def _masked_mean(values: Float[Tensor, "..."], mask: Bool[Tensor, "..."]) -> Float[Tensor, ""]:
    return (values * mask).sum() / mask.sum().clamp(min=1)


def reconstruction_terms(decoded: Decoded, batch: Batch, *, robust: bool) -> dict[str, Tensor]:
    """Compute the terms of equation 12, each a mean, and the cross-entropy of rotameric states.

    Parameters
    ----------
    decoded : Decoded
        Output of the decoder, built with the rotameric states of the reference.
    batch : Batch
    robust : bool
        Whether distances (Å) replace squared distances: for predictions rather than reconstructions, where
        squares would favour conformations half-way between two rotamers.
    """
    atoms, internal = decoded.atoms, decoded.internal
    terms = {"cartesian": _cartesian(atoms, batch, robust), **_bonded(atoms, batch)}
    if decoded.rotamers is not None:
        nll = torch.nn.functional.cross_entropy(
            decoded.rotamers.logits, batch.rotamer, ignore_index=-1, reduction="none"
        )
        terms["rotamer"] = _masked_mean(nll, batch.rotamer >= 0)
    if internal is not None:
        terms |= _internal_terms(internal, batch)
    return terms


def _internal_terms(internal: InternalCoordinates, batch: Batch) -> dict[str, Tensor]:
    """Errors of torsions, and of the small deviations from ideal geometry."""
    reference, mask = batch.internal, batch.torsion_mask
    error = _chord(internal.torsions, reference.torsions)
    half_turn = _chord(internal.torsions, -reference.torsions)
    error = torch.where(symmetric_torsions(batch.types), torch.minimum(error, half_turn), error)
    twist = (internal.twist - reference.twist.clamp(-_MAX_TARGET_TWIST, _MAX_TARGET_TWIST)).abs()
    deviations = torch.cat([(internal.bends - reference.bends).abs(), twist[:, None]], dim=-1)
    planar = mask[:, [PEPTIDE_ROTATION]] & (reference.twist.abs() < _MAX_TARGET_TWIST)[:, None]
    return {
        "torsion": _masked_mean(error, mask),
        "bend": _masked_mean(deviations, torch.cat([mask[:, FIRST_CHI:], planar], dim=-1)),
    }


def _cartesian(atoms: Float[Tensor, "L 15 3"], batch: Batch, robust: bool) -> Float[Tensor, ""]:
    """Distance to the reference, in the better naming of each residue's symmetric groups."""
    errors = []
    for reference in (batch.atoms, batch.swapped_atoms):
        squared = ((atoms - reference) ** 2).sum(-1)
        errors.append(torch.sqrt(squared + 1e-4) if robust else squared)
    mask = batch.present.clone()
    mask[:, CA_SLOT] = False
    first = (errors[0] * mask).sum(-1, keepdim=True) <= (errors[1] * mask).sum(-1, keepdim=True)
    return _masked_mean(torch.where(first, errors[0], errors[1]), mask)


def _bonded(atoms: Float[Tensor, "L 15 3"], batch: Batch) -> dict[str, Tensor]:
    """Length and angle errors over backbone and side-chain bonds."""
    predicted, reference = (_bonds_and_angles(x, batch.types) for x in (atoms, batch.atoms))
    mask = _bond_mask(batch)
    length = _masked_mean((predicted[0] - reference[0]) ** 2, mask)
    cos, ref = (x.clamp(-0.999, 0.999) for x in (predicted[1], reference[1]))
    cos_difference = cos * ref + torch.sqrt((1 - cos**2) * (1 - ref**2))
    angle = torch.sqrt((2 * (1 - cos_difference)).clamp(min=0.0) + _EPSILON)
    return {"length": length, "angle": _masked_mean(angle, mask)}


def _angle_slots(types: Int[Tensor, "L"]) -> Int[Tensor, "L 11 3"]:
    """Slots (b, c, x) of the angles of a residue: N-CA-C, N-CA-CB, and one for every side-chain atom x."""
    table = torch.as_tensor(side_chain_table().parents, device=types.device)[types]
    placed = torch.arange(GAMMA_SLOT, GAMMA_SLOT + table.shape[1], device=types.device)
    side = torch.cat([table[:, :, 1:], placed.expand(len(types), -1)[..., None]], dim=-1)
    backbone = [[N_SLOT, CA_SLOT, C_SLOT], [N_SLOT, CA_SLOT, CB_SLOT]]
    fixed = torch.tensor(backbone, device=types.device).expand(len(types), 2, 3)
    return torch.cat([fixed, side], dim=1)


def _bonds_and_angles(
    atoms: Float[Tensor, "L 15 3"], types: Int[Tensor, "L"]
) -> tuple[Float[Tensor, "L 12"], Float[Tensor, "L 12"]]:
    """Lengths (Å) of the bonds c-x of each angle and of the peptide bond, and the cosines of these angles."""
    slots = _angle_slots(types)
    rows = torch.arange(len(atoms), device=atoms.device)[:, None]
    b, c, x = (atoms[rows, slots[:, :, k]] for k in range(3))
    next_n, carbon = atoms[:, N_SLOT].roll(-1, 0), atoms[:, C_SLOT]
    lengths = torch.cat([(x - c).norm(dim=-1), (next_n - carbon).norm(dim=-1)[:, None]], dim=-1)
    peptide = cosine(atoms[:, CA_SLOT], carbon, next_n)
    return lengths, torch.cat([cosine(b, c, x), peptide[:, None]], dim=-1)


def _bond_mask(batch: Batch) -> Bool[Tensor, "L 12"]:
    """Bonds and angles of `_bonds_and_angles` whose atoms are present."""
    slots = _angle_slots(batch.types)
    rows = torch.arange(len(batch.types), device=slots.device)[:, None]
    mask = torch.stack([batch.present[rows, slots[:, :, k]] for k in range(3)]).all(0)
    exists = torch.as_tensor(side_chain_table().exists, device=slots.device)[batch.types]
    mask = torch.cat([mask[:, :2], mask[:, 2:] & exists], dim=-1)
    peptide = batch.torsion_mask[:, [PEPTIDE_ROTATION]] & batch.present[:, [C_SLOT]]
    return torch.cat([mask, peptide], dim=-1)


def steric_loss(
    atoms: Float[Tensor, "L 15 3"], present: Bool[Tensor, "L 15"], graph: Graph, *, offset: int = 0
) -> Float[Tensor, ""]:
    """Compute equation 13, max(2 - d², 0) over atoms of nearby residues (d in Å), per residue.

    Every fourth residue from ``offset`` on is compared with its six nearest neighbours. Backbone pairs of
    neighbours in sequence are bonded and left out.
    """
    rows = torch.arange(offset % _STERIC_STRIDE, len(atoms), _STERIC_STRIDE, device=atoms.device)
    neighbors = graph.index[rows, :_STERIC_NEIGHBORS]
    squared = ((atoms[rows][:, None, :, None] - atoms[neighbors][:, :, None]) ** 2).sum(-1)
    mask = present[rows][:, None, :, None] & present[neighbors][:, :, None]
    mask = mask & graph.mask[rows, :_STERIC_NEIGHBORS, None, None]
    adjacent = (neighbors - rows[:, None]).abs() == 1
    backbone = torch.arange(N_SLOTS, device=atoms.device) < CB_SLOT
    bonded = adjacent[..., None, None] & backbone[:, None] & backbone
    overlap = torch.where(mask & ~bonded, (2.0 - squared).clamp(min=0.0), 0.0)
    return overlap.sum() / max(len(rows), 1)


def symmetric_torsions(types: Int[Tensor, "L"]) -> Bool[Tensor, "L 8"]:
    """Which torsions are the same after half a turn."""
    table = torch.zeros(len(NAMES), N_TORSIONS, dtype=torch.bool, device=types.device)
    for name, chi in CHI_SYMMETRIC.items():
        table[NAMES.index(name), FIRST_CHI + chi] = True
    return table[types]
