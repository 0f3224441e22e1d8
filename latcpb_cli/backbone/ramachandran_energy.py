"""An energy of phi and psi: it rises with the distance from favoured Ramachandran regions.

Inside a region it is zero, or falls towards the most usual angles.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latcpb_cli.backbone.ca_geometry import spacing_anomaly
from latcpb_cli.backbone.local_overlaps import local_overlaps
from latcpb_cli.chem.ramachandran import MAP_BINS, ramachandran_maps
from latcpb_cli.chem.ramachandran_scores import ramachandran_score_maps
from latcpb_cli.device import constant
from latcpb_cli.options import BackmapOptions
from latcpb_cli.structure import CGTrace

__all__ = ["BEND_STIFFNESS", "ramachandran_energy", "ramachandran_gradient", "ramachandran_weight"]

BEND_STIFFNESS = 45.0
"""Stiffness (Å² per rad²) of N-CA-C, and of C-N-CD of proline; squared overlaps have a weight of 1.

It and the constants of the Ramachandran energy are chosen with
``benchmarks/relief.py DATA`` on chains held out of training.
"""

_MAX_SLOPE = 3.0  # Å² per rad, reached at a distance of _SCALE from the region
_MAX_SLOPE_WITH_SCORES = 4.0  # the same where scores count; chosen as those of `relax_trace`
_SCALE = math.radians(10.0)  # beyond it the slope falls: regions out of reach do not attract
_MARGIN = math.radians(4.0)  # a bin outside is this much further from the region than from its nearest bin
_LEAST_SCORE = -3.0
"""Of `ramachandran_score`: angles less usual than this count as equally unusual."""
_SCORE_SMOOTHING = 1.5
"""Standard deviation of the Gaussian by which maps of scores are smoothed, bins."""
_ROW = MAP_BINS + 2
"""Bins of one row of the tables, which repeat the opposite edge on either side."""
_BEST_MODE_WEIGHT = 0.3
"""Least weight of the energy in best mode; ``benchmarks/relief.py`` on held-out chains."""


def ramachandran_weight(
    trace: CGTrace,
    positions: Float[np.ndarray, "F L 3"],
    linked: Bool[np.ndarray, "F L"],
    options: BackmapOptions,
) -> Float[np.ndarray, "F L"]:
    """Return the weight of the energy in relaxation, by frame and residue, 0 to 1.

    Full where the spacing of the beads occurs in no protein, none elsewhere in samples, whose phi and psi are
    draws. Best mode has a part of it everywhere, all of it where Cα may move.

    Parameters
    ----------
    trace : CGTrace
    positions : numpy.ndarray, shape (F, L, 3)
        Cα of the input, Å.
    linked : numpy.ndarray of bool, shape (F, L)
        Whether a peptide joins each residue to the next.
    options : BackmapOptions
    """
    weight = spacing_anomaly(positions, trace.residue_types, linked, trace.next_residue)
    if options.mode == "best":
        weight = np.maximum(weight, _BEST_MODE_WEIGHT if options.ca_tolerance == 0 else 1.0)
    return weight


def ramachandran_energy(
    classes: Int[Tensor, "*#n"], phi: Float[Tensor, "*n"], psi: Float[Tensor, "*n"], score_weight: float = 0.0
) -> Float[Tensor, "*n"]:
    """Return the energy (Å²) of torsions, interpolated between the four nearest points of the maps.

    Parameters
    ----------
    classes : Tensor
        Index into the residue classes of `latcpb_cli.chem.ramachandran`.
    phi, psi : Tensor
        Torsions, rad.
    score_weight : float
        Å² by which the energy rises for each unit that torsions score below the most usual ones. With a
        weight, the energy is steeper and has the overlaps of the two peptides too (`local_overlaps`).
    """
    corners, weights = _corners(classes, phi, psi)
    table = _tables(phi.device, score_weight)[0].to(phi.dtype)
    return (table[corners] * weights).sum(0)


def ramachandran_gradient(
    classes: Int[Tensor, "L"], phi: Float[Tensor, "L"], psi: Float[Tensor, "L"]
) -> Float[Tensor, "2 L"]:
    """Return the derivatives (Å² per rad) of the energy by phi and psi, scores left out.

    They are interpolated themselves and so smoother than the derivatives of
    the interpolated energy.
    """
    corners, weights = _corners(classes, phi, psi)
    slopes = _tables(phi.device, 0.0)[1:].index_select(1, corners.flatten()).view(2, 4, -1)
    first, second, third, fourth = (slopes * weights).unbind(1)
    return first + second + third + fourth


def _corners(
    classes: Int[Tensor, "*#n"], phi: Float[Tensor, "*n"], psi: Float[Tensor, "*n"]
) -> tuple[Int[Tensor, "4 *n"], Float[Tensor, "4 *n"]]:
    """Indices of the four points of the tables around each pair of torsions, and their weights."""
    position = torch.stack([phi, psi]) * (MAP_BINS / (2 * math.pi)) + (MAP_BINS / 2 + 0.5)
    low = torch.floor(position).detach()
    rest = position - low
    row, column = torch.stack([1 - rest, rest], dim=1)
    row_below, column_below = low.long().unbind(0)
    corner = (classes * _ROW + row_below) * _ROW + column_below
    steps = constant((0, 1, _ROW, _ROW + 1), corner.dtype, corner.device).view(4, *corner.dim() * [1])
    return corner + steps, (row[:, None] * column).flatten(0, 1)


@cache
@torch.inference_mode(False)
def _tables(device: torch.device, score_weight: float) -> Float[Tensor, "3 M"]:
    """Energy and its derivatives by phi and psi at the middle of each bin, for all residue classes."""
    step = 2 * math.pi / MAP_BINS
    favoured = ramachandran_maps() == 2
    distances = np.where(favoured, 0.0, _distances(favoured) * step + _MARGIN)
    slope = _MAX_SLOPE_WITH_SCORES if score_weight > 0 else _MAX_SLOPE
    energy = slope * _SCALE * np.log1p((distances / _SCALE) ** 2)
    if score_weight > 0:
        unusualness = np.array([_unusualness(scores) for scores in ramachandran_score_maps()])
        energy += score_weight * unusualness + local_overlaps()
    around = np.pad(energy, ((0, 0), (2, 2), (2, 2)), mode="wrap")
    inner, before, after = slice(1, -1), slice(None, -2), slice(2, None)
    by_phi = (around[:, after, inner] - around[:, before, inner]) / (2 * step)
    by_psi = (around[:, inner, after] - around[:, inner, before]) / (2 * step)
    table = np.array([around[:, inner, inner], by_phi, by_psi], dtype=np.float32)
    return torch.from_numpy(table.reshape(3, -1)).to(device)


def _distances(regions: Bool[np.ndarray, "R n n"]) -> Float[np.ndarray, "R n n"]:
    """Distance, in bins, of each bin of periodic maps from the nearest bin of a region."""
    n_bins = regions.shape[-1]
    outside = np.int16(2 * n_bins**2)  # more than any square of a distance
    squares = np.where(regions, np.int16(0), outside)
    for _ in range(2):  # along the columns, then along the rows
        twice, nearest = np.concatenate([squares, squares], axis=1), squares.copy()
        for step in range(1, n_bins):
            square = np.int16(min(step, n_bins - step) ** 2)
            np.minimum(nearest, twice[:, step : step + n_bins] + square, out=nearest)
        squares = np.ascontiguousarray(nearest.swapaxes(1, 2))
    return np.sqrt(squares, dtype=np.float64)


def _unusualness(scores: Float[np.ndarray, "n n"]) -> Float[np.ndarray, "n n"]:
    """How far smoothed scores of a periodic map lie below the highest one."""
    from scipy.ndimage import gaussian_filter

    smoothed = gaussian_filter(np.maximum(scores, _LEAST_SCORE), _SCORE_SMOOTHING, mode="wrap")
    return np.asarray(smoothed.max() - smoothed)
