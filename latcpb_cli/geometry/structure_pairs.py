"""Pairs of near points within each of many structures, by the method that suits the device.

On CPUs, SciPy's tree searches one structure after the other, which is faster there; on other devices, a cell
list searches all of them at once, and nothing leaves the device.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from latcpb_cli.geometry.cell_list import PeriodicBoxes, cell_list_pairs
from latcpb_cli.geometry.pairs import close_pairs, image_shift

__all__ = ["image_shifts", "structure_pairs"]


def structure_pairs(
    points: Float[Tensor, "N 3"],
    structure: Int[Tensor, "N"],
    cutoff: float,
    cells: Float[Tensor, "B 3 3"] | None = None,
) -> tuple[Int[Tensor, "P"], Int[Tensor, "P"], Float[Tensor, "P"]]:
    """Find all pairs of points of one structure within a cutoff.

    Parameters
    ----------
    points
        In Å, finite.
    structure
        Structure of each point, ascending.
    cutoff
        In Å, shorter than half the thickness of the boxes.
    cells
        Vectors of each structure's periodic box as rows (Å), on the CPU; distances are then between nearest
        images. Zeros for a structure without a box.

    Returns
    -------
    first, second : Tensor of int64, shape (P,)
        Indices, ``first < second``; structure by structure.
    distance : Tensor of float64, shape (P,)
        In Å.
    """
    if points.device.type == "cpu":
        return _tree_pairs(points, structure, cutoff, cells)
    boxes = None if cells is None else PeriodicBoxes.from_vectors(cells, points.device)
    return cell_list_pairs(points, structure, cutoff, boxes)


def image_shifts(
    step: Float[Tensor, "P 3"], structure: Int[Tensor, "P"], cells: Float[Tensor, "B 3 3"]
) -> Float[Tensor, "P 3"]:
    """Return the translations (Å, float64) that turn steps between points into steps between nearest images.

    ``structure``, ascending, and ``cells`` are as for `structure_pairs`. The result is exact for images
    nearer than half the thickness of the box.
    """
    if step.device.type != "cpu":
        return PeriodicBoxes.from_vectors(cells, step.device).shift(step, structure)
    shifts = [
        image_shift(step[rows].numpy(), cells[number].numpy()) for number, rows in _ranges(structure.numpy())
    ]
    return torch.from_numpy(np.concatenate(shifts)) if shifts else step.double()


def _tree_pairs(
    points: Float[Tensor, "N 3"],
    structure: Int[Tensor, "N"],
    cutoff: float,
    cells: Float[Tensor, "B 3 3"] | None,
) -> tuple[Int[Tensor, "P"], Int[Tensor, "P"], Float[Tensor, "P"]]:
    """`structure_pairs` on a CPU."""
    firsts, seconds, distances = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0)]
    for number, rows in _ranges(structure.numpy()):
        cell = None if cells is None else cells[number].numpy()
        first, second, distance = close_pairs(points[rows].numpy(), cutoff, cell)
        firsts.append(first + rows.start)
        seconds.append(second + rows.start)
        distances.append(distance)
    pairs = torch.from_numpy(np.stack([np.concatenate(firsts), np.concatenate(seconds)]))
    return pairs[0], pairs[1], torch.from_numpy(np.concatenate(distances))


def _ranges(structure: Int[np.ndarray, "N"]) -> Iterator[tuple[int, slice]]:
    """Yield the structures of an ascending list, and the rows of each."""
    bounds = np.flatnonzero(np.diff(structure, prepend=-1, append=-1))
    for start, stop in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        yield int(structure[start]), slice(start, stop)
