"""Losses of equations 12 and 13 on atoms and internal coordinates."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latcpb_cli.chem.ideal import side_chain_table
from latcpb_cli.chem.internal import FIRST_SLOT
from latcpb_cli.chem.residues import CHI_SYMMETRIC, N_SLOTS, NAMES
from latcpb_cli.geometry.codec import InternalCoordinates
from latcpb_cli.geometry.vectors import cosine
from latcpb_cli.model.decoder import Decoded
from latcpb_cli.model.graph import Graph
from latcpb_cli.train.batch import Batch

__all__ = ["reconstruction_terms", "steric_loss", "symmetric_torsions"]

_EPSILON = 1e-7
_STERIC_NEIGHBORS = 6
_STERIC_SHARE = 4  # one residue in so many is looked at per step


def _chord(predicted: Tensor, reference: Tensor) -> Tensor:
    """sqrt(2 (1 - cos(difference)) + eps) of angles given as (cos, sin): eq. 12's angle error."""
    return torch.sqrt((2 * (1 - (predicted * reference).sum(-1))).clamp(min=0.0) + _EPSILON)


def _mean(values: Tensor, mask: Tensor) -> Tensor:
    return (values * mask).sum() / mask.sum().clamp(min=1)


def reconstruction_terms(decoded: Decoded, batch: Batch, *, robust: bool) -> dict[str, Tensor]:
    """The terms of eq. 12, each a mean, and the cross-entropy of rotameric states.

    Parameters
    ----------
    decoded
        The decoder's answer, built with the reference's rotameric states.
    robust
        Distances instead of squared distances (Å): for answers that are
        guesses rather than reconstructions, where squares would reward
        conformations half-way between two rotamers.
    """
    atoms, internal = decoded.atoms, decoded.internal
    terms = {"cartesian": _cartesian(atoms, batch, robust), **_bonded(atoms, batch)}
    if decoded.rotamers is not None:
        nll = torch.nn.functional.cross_entropy(
            decoded.rotamers.logits, batch.rotamer, ignore_index=-1, reduction="none"
        )
        terms["rotamer"] = _mean(nll, batch.rotamer >= 0)
    if internal is not None:
        reference = batch.internal
        error = _chord(internal.torsions, reference.torsions)
        turned = _chord(internal.torsions, -reference.torsions)
        error = torch.where(symmetric_torsions(batch.types), torch.minimum(error, turned), error)
        terms["torsion"] = _mean(error, batch.known)
        small = torch.cat(
            [(internal.bends - reference.bends).abs(), _twist_error(internal, batch)[:, None]], dim=-1
        )
        planar = batch.known[:, :1] & (reference.twist.abs() < 0.5)[:, None]
        terms["bend"] = _mean(small, torch.cat([batch.known[:, 4:], planar], dim=-1))
    return terms


def _twist_error(internal: InternalCoordinates, batch: Batch) -> Tensor:
    return (internal.twist - batch.internal.twist.clamp(-0.5, 0.5)).abs()


def _cartesian(atoms: Tensor, batch: Batch, robust: bool) -> Tensor:
    """Distance to the reference, the nearer naming of symmetric groups per residue."""
    errors = []
    for reference in (batch.atoms, batch.swapped):
        squared = ((atoms - reference) ** 2).sum(-1)
        errors.append(torch.sqrt(squared + 1e-4) if robust else squared)
    mask = batch.present.clone()
    mask[:, 1] = False
    pick = (errors[0] * mask).sum(-1, keepdim=True) <= (errors[1] * mask).sum(-1, keepdim=True)
    return _mean(torch.where(pick, errors[0], errors[1]), mask)


def _bonded(atoms: Tensor, batch: Batch) -> dict[str, Tensor]:
    """Length and angle errors over backbone and side-chain bonds."""
    predicted, reference = (_bonds_and_angles(x, batch.types) for x in (atoms, batch.atoms))
    mask = _bonds_present(batch)
    length = _mean((predicted[0] - reference[0]) ** 2, mask)
    cos, ref = (x.clamp(-0.999, 0.999) for x in (predicted[1], reference[1]))
    cos_difference = cos * ref + torch.sqrt((1 - cos**2) * (1 - ref**2))
    angle = torch.sqrt((2 * (1 - cos_difference)).clamp(min=0.0) + _EPSILON)
    return {"length": length, "angle": _mean(angle, mask)}


def _bonded_parents(types: Int[Tensor, "L"]) -> Int[Tensor, "L 11 3"]:
    """Slots (b, c, x) of angles in a residue: N-CA-C, N-CA-CB and every placed side-chain atom."""
    table = torch.as_tensor(side_chain_table().parents, device=types.device)[types]
    placed = torch.arange(FIRST_SLOT, FIRST_SLOT + table.shape[1], device=types.device)
    side = torch.cat([table[:, :, 1:], placed.expand(len(types), -1)[..., None]], dim=-1)
    fixed = torch.tensor([[0, 1, 2], [0, 1, 4]], device=types.device).expand(len(types), 2, 3)
    return torch.cat([fixed, side], dim=1)


def _bonds_and_angles(atoms: Tensor, types: Tensor) -> tuple[Tensor, Tensor]:
    slots = _bonded_parents(types)
    rows = torch.arange(len(atoms), device=atoms.device)[:, None]
    b, c, x = (atoms[rows, slots[:, :, k]] for k in range(3))
    ahead = atoms[:, 0].roll(-1, 0)
    lengths = torch.cat([(x - c).norm(dim=-1), (ahead - atoms[:, 2]).norm(dim=-1)[:, None]], dim=-1)
    cosines = torch.cat([cosine(b, c, x), cosine(atoms[:, 1], atoms[:, 2], ahead)[:, None]], dim=-1)
    return lengths, cosines


def _bonds_present(batch: Batch) -> Tensor:
    slots = _bonded_parents(batch.types)
    rows = torch.arange(len(batch.types), device=slots.device)[:, None]
    there = torch.stack([batch.present[rows, slots[:, :, k]] for k in range(3)]).all(0)
    exists = torch.as_tensor(side_chain_table().exists, device=slots.device)[batch.types]
    there = torch.cat([there[:, :2], there[:, 2:] & exists], dim=-1)
    return torch.cat([there, batch.known[:, :1] & batch.present[:, 2:3]], dim=-1)


def steric_loss(
    atoms: Float[Tensor, "L 15 3"], present: Bool[Tensor, "L 15"], graph: Graph, *, offset: int = 0
) -> Tensor:
    """Eq. 13, max(2 - d², 0) over atoms of nearby residues (d in Å), per residue.

    Every fourth residue from ``offset`` on is looked at against its six
    nearest; backbone pairs of neighbours in sequence are bonded and left out.
    """
    rows = torch.arange(offset % _STERIC_SHARE, len(atoms), _STERIC_SHARE, device=atoms.device)
    near = graph.index[rows, :_STERIC_NEIGHBORS]
    own, others = atoms[rows], atoms[near]
    squared = ((own[:, None, :, None] - others[:, :, None]) ** 2).sum(-1)
    mask = present[rows][:, None, :, None] & present[near][:, :, None]
    mask = mask & graph.valid[rows, :_STERIC_NEIGHBORS, None, None]
    adjacent = (near - rows[:, None]).abs() == 1
    backbone = torch.arange(N_SLOTS, device=atoms.device) < 4
    bonded = adjacent[..., None, None] & backbone[:, None] & backbone
    overlap = torch.where(mask & ~bonded, (2.0 - squared).clamp(min=0.0), 0.0)
    return overlap.sum() / max(len(rows), 1)


def symmetric_torsions(types: Int[Tensor, "L"]) -> Bool[Tensor, "L 8"]:
    """Torsions that mean the same after half a turn."""
    table = torch.zeros(len(NAMES), 8, dtype=torch.bool, device=types.device)
    for name, chi in CHI_SYMMETRIC.items():
        table[NAMES.index(name), 4 + chi] = True
    return table[types]
