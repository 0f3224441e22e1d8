"""Regions of large structures that are relaxed by themselves, around residues that keep overlaps.

In a region, the residues near an overlap move. All others that these can touch belong to it as obstacles.
Moving residues of two regions cannot touch each other, so one region does not depend on another. A small
structure is one region, in which all residues move.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latcpb_cli.geometry.masks import true_indices
from latcpb_cli.geometry.pairs import close_pairs_between
from latcpb_cli.relax.overlaps import repulsion_distances
from latcpb_cli.relax.structures import TorsionStructures

__all__ = ["Regions"]

_MAX_WHOLE = 300
"""Residues of the largest structure that is one region."""
_MOVABLE_DISTANCE = 8.0
"""Å between Cα of an overlapping residue and of one that moves; 6.5 leave more overlaps, and 10 as many."""
_EXTENT = np.array(
    [2.5, 7.4, 3.9, 3.8, 2.9, 5.1, 5.1, 2.5, 4.9, 4.1, 4.1, 6.5, 5.6, 5.4, 2.7, 2.6, 2.7, 7.0, 6.7, 2.7]
)
"""Å from Cα to the farthest atom of each residue type, when its chi angles stretch it."""
_CONTACT = float(repulsion_distances().max())
_MAX_DISTANCE = 2 * float(_EXTENT.max()) + _CONTACT
"""Å between Cα of residues that touch each other."""


@dataclass(frozen=True, eq=False)
class Regions:
    """Regions of some structures, with N residues.

    Attributes
    ----------
    rows : Tensor, shape (N,)
        Rows of the residues in the structures, region by region, ascending in each. A residue may be an
        obstacle in several.
    movable : Tensor, shape (N,)
        Whether the residue moves in this region.
    region : Tensor, shape (N,)
        Region that the residue is listed for.
    sizes : list of int
        Number of residues of each region.
    owners : list of int
        Structure that each region is a part of.
    have_obstacles : bool
        Whether there may be residues that do not move.
    """

    rows: Int[Tensor, "N"]
    movable: Bool[Tensor, "N"]
    region: Int[Tensor, "N"]
    sizes: list[int]
    owners: list[int]
    have_obstacles: bool

    @classmethod
    def around(cls, structures: TorsionStructures, overlapping: Bool[Tensor, "L"]) -> Regions:
        """Find the regions around overlapping residues. A structure without any has no region."""
        mask, bounds = overlapping.cpu().numpy(), np.cumsum([0, *structures.sizes])
        seeds = [np.flatnonzero(mask[start:stop]) for start, stop in itertools.pairwise(bounds)]
        affected = [index for index, rows in enumerate(seeds) if len(rows)]
        large = [index for index in affected if _is_divisible(structures, index)]
        if large:
            ca, extent = structures.ca.double().cpu().numpy(), _EXTENT[structures.types.cpu().numpy()]
        table = [np.zeros((3, 0), np.int64)]
        sizes: list[int] = []
        owners: list[int] = []
        for index in affected:
            start, size = bounds[index], structures.sizes[index]
            parts = [(np.arange(size), np.ones(size, bool))]
            if index in large:
                residues, cell = slice(start, start + size), _cell(structures, index)
                parts = _divide(ca[residues], extent[residues], seeds[index], cell)
            for members, moves in parts:
                table.append(np.stack([start + members, moves, np.full(len(members), len(sizes))]))
                sizes.append(len(members))
                owners.append(index)
        rows, movable, region = torch.from_numpy(np.concatenate(table, axis=1)).to(overlapping.device)
        return cls(rows, movable.bool(), region, sizes, owners, bool(large))

    def cut(self, structures: TorsionStructures) -> TorsionStructures:
        """Return the regions as structures of their own."""
        order, continued = structures.order.cut(self.rows, self.region)
        parts = structures.select_residues(self.rows)
        return replace(
            parts,
            sizes=self.sizes,
            cells=None if structures.cells is None else structures.cells[self.owners],
            linked=parts.linked & continued,
            order=order,
            movable=self.movable,
            is_cut=parts.linked & ~continued,
        )

    def paste(self, structures: TorsionStructures, parts: TorsionStructures) -> TorsionStructures:
        """Replace the residues that move by those of ``parts``, the relaxed regions."""
        moved = true_indices(self.movable)
        return structures.replace_residues(self.rows[moved], parts.select_residues(moved))


def _cell(structures: TorsionStructures, index: int) -> Float[np.ndarray, "3 3"] | None:
    """Vectors of the box of a structure (Å), if it has one."""
    cell = None if structures.cells is None else structures.cells[index].numpy()
    return cell if cell is not None and np.any(cell) else None


def _is_divisible(structures: TorsionStructures, index: int) -> bool:
    """Whether a structure is large, and so is its box."""
    cell = _cell(structures, index)
    has_room = cell is None or np.linalg.norm(np.linalg.inv(cell), axis=0).max() * 2 * _MAX_DISTANCE < 1
    return structures.sizes[index] > _MAX_WHOLE and bool(has_room)


def _divide(
    ca: Float[np.ndarray, "L 3"],
    extent: Float[np.ndarray, "L"],
    seeds: Int[np.ndarray, "S"],
    cell: Float[np.ndarray, "3 3"] | None,
) -> list[tuple[Int[np.ndarray, "K"], Bool[np.ndarray, "K"]]]:
    """Residues of each region of a structure, and which of them move.

    Parameters
    ----------
    ca, extent
        Cα (Å), and the largest distance of the atoms of each residue from them (Å).
    seeds
        Overlapping residues.
    cell
        Vectors of the periodic box as rows, Å.
    """
    # Here, because small structures do not need them.
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    moving = np.unique(close_pairs_between(ca[seeds], ca, _MOVABLE_DISTANCE, cell)[1])
    one, other, shift = close_pairs_between(ca[moving], ca, _MAX_DISTANCE, cell)
    distance = np.linalg.norm(ca[other] + shift - ca[moving[one]], axis=1)
    touches = distance < extent[moving[one]] + extent[other] + _CONTACT
    one, other = one[touches], other[touches]
    place = np.full(len(ca), -1)
    place[moving] = np.arange(len(moving))
    both = place[other] >= 0
    edges = coo_array((np.ones(both.sum()), (one[both], place[other[both]])), shape=2 * (len(moving),))
    n_regions, region = connected_components(edges, directed=False)
    region, members = np.unique(np.stack([region[one], other]), axis=1)
    parts = np.split(members, np.searchsorted(region, np.arange(1, n_regions)))
    return [(part, place[part] >= 0) for part in parts]
