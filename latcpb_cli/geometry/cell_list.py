"""Pairs of near points of many structures at once, by a uniform cell list in torch: for GPUs.

Points are sorted by the cell they lie in. Cells are as wide as the cutoff, so the partners of a point lie in
its own cell and in the 26 around it. The cells of one column follow each other in the sorted list; the half
of the 27 cells that comes after a point is therefore five ranges of it, and each pair is found once.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latcpb_cli.geometry.masks import expand_ranges, true_indices

__all__ = ["PeriodicBoxes", "cell_list_pairs"]

_POINTS_PER_BLOCK = 2**17
"""Points whose partners are searched at once: bounds the memory of all candidates."""


class PeriodicBoxes(NamedTuple):
    """Periodic boxes of B structures.

    Attributes
    ----------
    vectors : Tensor of float64, shape (B, 3, 3)
        Vectors of each box as rows, Å; zeros for a structure without a box.
    inverse : Tensor of float64, shape (B, 3, 3)
        Their inverse; zeros for a structure without a box.
    """

    vectors: Float[Tensor, "B 3 3"]
    inverse: Float[Tensor, "B 3 3"]

    @classmethod
    def from_vectors(cls, vectors: Float[Tensor, "B 3 3"], device: torch.device) -> PeriodicBoxes:
        """Invert the vectors of some boxes, on the CPU, and copy both to a device."""
        vectors = vectors.cpu()
        exists = (vectors != 0).any(-1).any(-1)[:, None, None]
        inverse = torch.linalg.inv(torch.where(exists, vectors, torch.eye(3, dtype=vectors.dtype)))
        return cls(vectors.to(device), torch.where(exists, inverse, 0.0).to(device))

    def shift(self, step: Float[Tensor, "P 3"], structure: Int[Tensor, "P"]) -> Float[Tensor, "P 3"]:
        """Return the translations that turn steps (Å) into steps between nearest images."""
        boxes = torch.round(_multiply(step.double(), self.inverse[structure]))
        return -_multiply(boxes, self.vectors[structure])


def cell_list_pairs(
    points: Float[Tensor, "N 3"],
    structure: Int[Tensor, "N"],
    cutoff: float,
    boxes: PeriodicBoxes | None = None,
) -> tuple[Int[Tensor, "P"], Int[Tensor, "P"], Float[Tensor, "P"]]:
    """Find all pairs of points of one structure within a cutoff.

    Parameters
    ----------
    points
        In Å, finite.
    structure
        Structure of each point.
    cutoff
        In Å, shorter than half the thickness of the boxes.
    boxes
        Distances are between nearest images.

    Returns
    -------
    first, second : Tensor of int64, shape (P,)
        Indices, ``first < second``; sorted by the first, then by the second.
    distance : Tensor of float64, shape (P,)
        In Å.
    """
    points, n_points, owner = points.double(), len(points), None
    if boxes is not None:
        points, owner = _with_images(points, structure, cutoff, boxes)
        structure = structure.index_select(0, owner)
    first, second = _pairs(points, structure, cutoff)
    x, y, z = (points.index_select(0, first) - points.index_select(0, second)).unbind(1)
    distance = torch.sqrt(x * x + y * y + z * z)
    if owner is not None:
        first, second, kept = _without_copies(first, second, owner, n_points)
        distance = distance.index_select(0, kept)
    order = torch.argsort(first * n_points + second)
    return first.index_select(0, order), second.index_select(0, order), distance.index_select(0, order)


def _pairs(
    points: Float[Tensor, "I 3"], structure: Int[Tensor, "I"], cutoff: float
) -> tuple[Int[Tensor, "P"], Int[Tensor, "P"]]:
    """All pairs of points of one structure within a cutoff, the lower index first."""
    if len(points) == 0:
        return structure, structure
    cell = torch.floor((points - points.amin(0)) / cutoff).long()
    # One empty cell at the end of each row and column keeps rows apart.
    _, n_rows, n_columns = (cell.amax(0) + 2).unbind(0)
    key = ((structure * (cell[:, 0].amax() + 2) + cell[:, 0]) * n_rows + cell[:, 1]) * n_columns + cell[:, 2]
    key, order = torch.sort(key)
    points, own = points.index_select(0, order), torch.arange(len(key), device=key.device)
    columns = [key + (dx * n_rows + dy) * n_columns for dx, dy in ((0, 1), (1, -1), (1, 0), (1, 1))]
    starts = [own + 1, *(torch.searchsorted(key, column - 1) for column in columns)]
    stops = [torch.searchsorted(key, column + 1, right=True) for column in (key, *columns)]
    start, stop = torch.stack(starts, dim=1), torch.stack(stops, dim=1)
    found = [
        _near(points, own[block], start[block], stop[block], cutoff)
        for block in (slice(i, i + _POINTS_PER_BLOCK) for i in range(0, len(key), _POINTS_PER_BLOCK))
    ]
    one, two = (order.index_select(0, torch.cat(ends)) for ends in zip(*found, strict=True))
    return torch.minimum(one, two), torch.maximum(one, two)


def _near(
    points: Float[Tensor, "I 3"],
    own: Int[Tensor, "N"],
    start: Int[Tensor, "N ranges"],
    stop: Int[Tensor, "N ranges"],
    cutoff: float,
) -> tuple[Int[Tensor, "P"], Int[Tensor, "P"]]:
    """Points within the cutoff of some points, in ranges of each."""
    row, two = expand_ranges(start.flatten(), (stop - start).clamp(min=0).flatten())
    one = own.index_select(0, torch.div(row, start.shape[1], rounding_mode="floor"))
    x, y, z = (points.index_select(0, one) - points.index_select(0, two)).unbind(1)
    near = true_indices(x * x + y * y + z * z <= cutoff * cutoff)
    return one.index_select(0, near), two.index_select(0, near)


def _with_images(
    points: Float[Tensor, "N 3"], structure: Int[Tensor, "N"], margin: float, boxes: PeriodicBoxes
) -> tuple[Float[Tensor, "I 3"], Int[Tensor, "I"]]:
    """Wrap the points into their boxes and add the images that lie within the margin around these.

    The second tensor holds the index of the point that each point or image belongs to.
    """
    fraction = _multiply(points, boxes.inverse[structure])
    fraction, owner = fraction - torch.floor(fraction), torch.arange(len(points), device=points.device)
    rims = margin * boxes.inverse.norm(dim=1)
    # Axis after axis, so that images of images fill the corners.
    for axis in range(3):
        rim = rims[:, axis].index_select(0, structure.index_select(0, owner))
        low, high = (
            true_indices((rim > 0) & near) for near in (fraction[:, axis] < rim, fraction[:, axis] > 1 - rim)
        )
        moved = torch.cat([low, high])
        images = fraction.index_select(0, moved)
        images[: len(low), axis] += 1.0
        images[len(low) :, axis] -= 1.0
        fraction, owner = torch.cat([fraction, images]), torch.cat([owner, owner.index_select(0, moved)])
    of_owner = structure.index_select(0, owner)
    exists = (rims > 0).any(-1).index_select(0, of_owner)[:, None]
    return torch.where(exists, _multiply(fraction, boxes.vectors[of_owner]), points[owner]), owner


def _without_copies(
    first: Int[Tensor, "Q"], second: Int[Tensor, "Q"], owner: Int[Tensor, "I"], n_points: int
) -> tuple[Int[Tensor, "P"], Int[Tensor, "P"], Int[Tensor, "P"]]:
    """Keep pairs of two points, and one of the two copies of a pair across the border of the box.

    The points come before the images, so the lower index of a copy is its point. The third tensor holds the
    rows that are kept.
    """
    partner = owner.index_select(0, second)
    kept: Bool[Tensor, "Q"] = (second < n_points) | ((first < n_points) & (first < partner))
    rows = true_indices(kept)
    return first.index_select(0, rows), partner.index_select(0, rows), rows


def _multiply(vectors: Float[Tensor, "N 3"], matrices: Float[Tensor, "N 3 3"]) -> Float[Tensor, "N 3"]:
    """Product of each row vector with its matrix."""
    return torch.einsum("ni,nij->nj", vectors, matrices)
