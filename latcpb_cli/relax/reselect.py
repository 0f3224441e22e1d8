"""Another rotameric state for side chains that relaxation leaves in deep overlaps."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy.spatial.distance import cdist
from torch import Tensor

from latcpb_cli.chem.bonds import element_index
from latcpb_cli.chem.residues import CA_SLOT, GAMMA_SLOT, OXT_SLOT, PRO, slot_mask
from latcpb_cli.chem.zmatrix import N_CHI, chi_mask
from latcpb_cli.device import table_on
from latcpb_cli.geometry.codec import N_TORSIONS, InternalCoordinates, place_side_chains
from latcpb_cli.geometry.masks import true_indices
from latcpb_cli.geometry.pairs import close_pairs_between
from latcpb_cli.geometry.vectors import atan2
from latcpb_cli.relax.overlaps import repulsion_distances
from latcpb_cli.relax.structures import TorsionStructures

__all__ = ["reselect"]

_SIDECHAIN = slice(GAMMA_SLOT, OXT_SLOT)
"""Slots that depend on chi angles."""
_MAX_CA_DISTANCE = 18.0  # Å: two stretched arginines, each 7.3 Å long, in contact
_OVERLAP_WEIGHT = 5.0  # nats per Å² of squared overlap; chosen with `benchmarks/relief.py DATA`


def reselect(structures: TorsionStructures, overlapping: Bool[Tensor, "L"]) -> TorsionStructures:
    """Give overlapping side chains the state with the best sum of log probability and overlap energy.

    Residues are processed in order, each against the new states of those
    before it. Its current state is one of the candidates, with a log
    probability of 0. All other residues, and residues without choices, are
    unchanged to the bit.

    Parameters
    ----------
    structures : TorsionStructures
    overlapping : Tensor, shape (L,)
        Residues whose side chain may change.
    """
    if structures.choices is None:
        return structures
    has_chi = table_on(overlapping.device, chi_mask).any(-1)[structures.types] & (structures.types != PRO)
    rows = true_indices(overlapping & has_chi)
    if len(rows) == 0:
        return structures
    choices, torsions = structures.choices.select(rows), structures.internal.torsions
    current = atan2(torsions[rows, -N_CHI:, 1], torsions[rows, -N_CHI:, 0])
    chi = torch.cat([current[:, None], choices.chi], dim=1)
    log_prob = torch.cat([torch.zeros_like(current[:, :1]), choices.log_prob], dim=1)
    atoms, internal = _build_candidates(structures, rows, chi)
    choice = _choose(structures, rows.cpu().numpy(), atoms.cpu().numpy(), log_prob.cpu().numpy())
    best = torch.from_numpy(choice).to(rows.device)
    changed = true_indices(best > 0)
    chosen, changed_rows = (changed, best[changed]), rows[changed]
    new_atoms, new_torsions = structures.atoms.clone(), torsions.clone()
    new_atoms[changed_rows, _SIDECHAIN] = atoms[chosen]
    new_torsions[changed_rows] = internal.torsions.view(*chi.shape[:2], N_TORSIONS, 2)[chosen]
    internal = replace(structures.internal, torsions=new_torsions)
    return replace(structures, atoms=new_atoms, internal=internal)


def _build_candidates(
    structures: TorsionStructures, rows: Int[Tensor, "N"], chi: Float[Tensor, "N M 4"]
) -> tuple[Float[Tensor, "N M 9 3"], InternalCoordinates]:
    """Side-chain atoms (Å), and internal coordinates (N M rows), of residues at M sets of chi angles."""
    copies = rows.repeat_interleave(chi.shape[1])
    internal = structures.internal.select(copies).with_chi(chi.flatten(0, 1))
    backbone = list(structures.atoms[copies, :GAMMA_SLOT].unbind(1))
    slots = place_side_chains(backbone, internal, structures.types[copies])
    return torch.stack(slots[_SIDECHAIN], dim=1).view(*chi.shape[:2], -1, 3), internal


def _choose(
    structures: TorsionStructures,
    rows: Int[np.ndarray, "N"],
    candidates: Float[np.ndarray, "N M 9 3"],
    log_prob: Float[np.ndarray, "N M"],
) -> Int[np.ndarray, "N"]:
    """Index of the best candidate of each row."""
    types = structures.types.cpu().numpy()
    present = slot_mask()[types]
    present[:, OXT_SLOT] = structures.has_oxt.cpu().numpy()
    atoms, elements = structures.atoms.cpu().numpy().astype(np.float64), element_index()[types]
    best = np.zeros(len(rows), dtype=np.int64)
    for index, neighbors, shift in _neighborhoods(structures, rows, atoms[:, CA_SLOT]):
        row = rows[index]
        own, others = present[row, _SIDECHAIN], present[neighbors]
        points = (atoms[neighbors] + shift[:, None])[others]
        candidate = candidates[index][:, own]
        distance = cdist(candidate.reshape(-1, 3), points).reshape(*candidate.shape[:2], -1)
        own_elements, other_elements = elements[row, _SIDECHAIN][own], elements[neighbors][others]
        repulsion = repulsion_distances()[0][own_elements[:, None], other_elements]
        overlap = (np.maximum(repulsion - distance, 0.0) ** 2).sum((1, 2))
        best[index] = int(np.argmax(log_prob[index] - _OVERLAP_WEIGHT * overlap))
        atoms[row, _SIDECHAIN] = candidates[index, best[index]]
    return best


def _neighborhoods(
    structures: TorsionStructures, rows: Int[np.ndarray, "N"], ca: Float[np.ndarray, "L 3"]
) -> Iterator[tuple[int, Int[np.ndarray, "K"], Float[np.ndarray, "K 3"]]]:
    """Yield the index of each row, its neighbouring residues, and their shifts to nearest images, Å."""
    bounds = np.cumsum([0, *structures.sizes])
    for structure, (start, stop) in enumerate(itertools.pairwise(bounds)):
        low, high = np.searchsorted(rows, [start, stop])
        if low == high:
            continue
        cell = None if structures.cells is None else structures.cells[structure].numpy()
        centers, residues = ca[rows[low:high]], ca[start:stop]
        point, other, shift = close_pairs_between(centers, residues, _MAX_CA_DISTANCE, cell)
        distinct = other + start != rows[low + point]
        point, other, shift = point[distinct], other[distinct] + start, shift[distinct]
        ends = np.searchsorted(point, np.arange(high - low + 1))
        for index, (first, last) in enumerate(itertools.pairwise(ends)):
            yield int(low) + index, other[first:last], shift[first:last]
