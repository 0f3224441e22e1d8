"""Side chains that relief could not free are put into another rotameric state."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Bool
from scipy.spatial.distance import cdist
from torch import Tensor

from latcpb_cli.chem.bonds import element_index
from latcpb_cli.chem.internal import FIRST_SLOT, N_CHI, chi_mask
from latcpb_cli.chem.residues import LETTERS, OXT_SLOT, slot_mask
from latcpb_cli.geometry.codec import N_TORSIONS, InternalCoordinates, place_side_chains
from latcpb_cli.geometry.pairs import near_others
from latcpb_cli.relax.overlaps import reach_table
from latcpb_cli.relax.structures import TorsionStructures

__all__ = ["reselect"]

_SIDE = slice(FIRST_SLOT, OXT_SLOT)
_AROUND = 18.0  # Å between Cα: two long side chains that touch
_WEIGHT = 5.0  # nats per Å² of squared overlap
_PRO = LETTERS.index("P")

Array = np.ndarray


def reselect(draft: TorsionStructures, trouble: Bool[Tensor, "L"]) -> TorsionStructures:
    """Give residues in trouble the state that is probable and overlaps least with all others.

    One after the other, each seeing those before it in their new states. The
    state that a residue has is one of the choices. Residues without choices,
    and all others, stay to the bit.
    """
    if draft.choices is None:
        return draft
    turning = torch.from_numpy(chi_mask().any(-1) & (np.arange(20) != _PRO)).to(trouble.device)
    rows = torch.nonzero(trouble & turning[draft.types]).squeeze(1)
    if len(rows) == 0:
        return draft
    now = torch.atan2(draft.internal.torsions[rows, -N_CHI:, 1], draft.internal.torsions[rows, -N_CHI:, 0])
    chi = torch.cat([now[:, None], draft.choices.chi[rows]], dim=1)
    odds = torch.cat([torch.zeros_like(now[:, :1]), draft.choices.odds[rows]], dim=1)
    shapes, internal = _shapes(draft, rows, chi)
    best = torch.from_numpy(_choose(draft, rows.cpu().numpy(), shapes.cpu().numpy(), odds.cpu().numpy()))
    changed = torch.nonzero(best).squeeze(1)
    place, rows = (changed, best[changed]), rows[changed.to(rows.device)]
    atoms, torsions = draft.atoms.clone(), draft.internal.torsions.clone()
    atoms[rows, _SIDE] = shapes[place]
    torsions[rows] = internal.torsions.view(*chi.shape[:2], N_TORSIONS, 2)[place]
    return replace(draft, atoms=atoms, internal=replace(draft.internal, torsions=torsions))


def _shapes(draft: TorsionStructures, rows: Tensor, chi: Tensor) -> tuple[Tensor, InternalCoordinates]:
    """Side chains (R, M, 9, 3) of residues with each of M sets of chi angles (R, M, 4)."""
    many = rows.repeat_interleave(chi.shape[1])
    internal = draft.internal.of(many).turned(chi.flatten(0, 1))
    slots = place_side_chains(list(draft.atoms[many, :FIRST_SLOT].unbind(1)), internal, draft.types[many])
    return torch.stack(slots[_SIDE], dim=1).view(*chi.shape[:2], -1, 3), internal


def _choose(draft: TorsionStructures, rows: Array, shapes: Array, odds: Array) -> Array:
    """Number of the best shape of each row."""
    types = draft.types.cpu().numpy()
    there = slot_mask()[types]
    there[:, OXT_SLOT] = ~draft.linked.cpu().numpy()
    atoms, kinds = draft.atoms.cpu().numpy().astype(np.float64), element_index()[types]
    best = np.zeros(len(rows), dtype=np.int64)
    for number, around, shift in _neighborhoods(draft, rows, atoms[:, 1]):
        row = rows[number]
        others, own = there[around], there[row, _SIDE]
        step = (atoms[around] + shift[:, None])[others]
        shape = shapes[number][:, own]
        apart = cdist(shape.reshape(-1, 3), step).reshape(*shape.shape[:2], -1)
        reach = reach_table()[0][kinds[row, _SIDE][own][:, None], kinds[around][others]]
        overlap = (np.maximum(reach - apart, 0.0) ** 2).sum((1, 2))
        best[number] = int(np.argmax(odds[number] - _WEIGHT * overlap))
        atoms[row, _SIDE] = shapes[number, best[number]]
    return best


def _neighborhoods(draft: TorsionStructures, rows: Array, ca: Array) -> Iterator[tuple[int, Array, Array]]:
    """Number of each row, the other residues near it, and what takes these to their nearest images, Å."""
    starts = np.cumsum([0, *draft.sizes])
    for structure, (start, stop) in enumerate(itertools.pairwise(starts)):
        first, last = np.searchsorted(rows, [start, stop])
        if first == last:
            continue
        cell = None if draft.cells is None else draft.cells[structure].numpy()
        point, other, shift = near_others(ca[rows[first:last]], ca[start:stop], _AROUND, cell)
        kept = other + start != rows[first + point]
        point, other, shift = point[kept], other[kept] + start, shift[kept]
        ends = np.searchsorted(point, np.arange(last - first + 1))
        for number, (low, high) in enumerate(itertools.pairwise(ends)):
            yield first + number, other[low:high], shift[low:high]
