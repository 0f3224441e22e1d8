"""How much phi and psi are drawn to the regions that proteins favour."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from latcpb_cli.chem.ramachandran import CLASSES, MAP_BINS, ramachandran_maps

__all__ = ["BEND_STIFFNESS", "region_energy", "region_slopes"]

BEND_STIFFNESS = 45.0
"""Stiffness of N-CA-C (and C-N-CD of proline) relative to overlaps and Ramachandran regions, Å² per rad²."""

_PULL = 6.0  # Å² per rad: twice the strongest pull towards the favoured region
_REACHED = math.radians(10.0)  # where the pull is strongest; it fades where the region is out of reach
_INSIDE = math.radians(4.0)  # how far inside the favoured region the pull ends
_ROW = MAP_BINS + 2


def region_energy(
    region: Int[Tensor, "*n"], phi: Float[Tensor, "*n"], psi: Float[Tensor, "*n"]
) -> Float[Tensor, "*n"]:
    """Energy (Å²) of torsions (rad), between the four nearest points of the maps; 0 well inside."""
    corners, weights = _corners(region, phi, psi)
    table = _tables(phi.device)[0].to(phi.dtype)
    return (table[torch.stack(corners)] * torch.stack(weights)).sum(0)


def region_slopes(
    region: Int[Tensor, "L"], phi: Float[Tensor, "L"], psi: Float[Tensor, "L"]
) -> Float[Tensor, "2 L"]:
    """Slopes of the energy on phi and psi (Å² per rad), smoother than those of `region_energy`."""
    corners, weights = _corners(region, phi, psi)
    found = _tables(phi.device)[1:].index_select(1, torch.cat(corners)).view(2, 4, -1) * torch.stack(weights)
    return found[:, 0] + found[:, 1] + found[:, 2] + found[:, 3]


def _corners(region: Tensor, phi: Tensor, psi: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """Rows of the tables around a point, and how near it is to each."""
    place = torch.stack([phi, psi]) * (MAP_BINS / (2 * math.pi)) + (MAP_BINS / 2 + 0.5)
    low = torch.floor(place).detach()
    row, column = place - low
    corner = (region * _ROW + low[0].long()) * _ROW + low[1].long()
    weights = [(1 - row) * (1 - column), (1 - row) * column, row * (1 - column), row * column]
    return [corner, corner + 1, corner + _ROW, corner + _ROW + 1], weights


@cache
def _tables(device: torch.device) -> Float[Tensor, "3 M"]:
    """Energy and its slopes on phi and psi in the middle of each bin, and once around the edge."""
    step = 2 * math.pi / MAP_BINS
    fields = []
    for number in range(len(CLASSES)):
        favoured = np.tile(ramachandran_maps()[number] == 2, (3, 3))
        outside, inside = distance_transform_edt(~favoured), distance_transform_edt(favoured)
        away = np.maximum((outside - inside) * step + _INSIDE, 0.0)
        energy = 0.5 * _PULL * _REACHED * np.log1p((away / _REACHED) ** 2)
        middle = slice(MAP_BINS - 1, 2 * MAP_BINS + 1)
        fields.append([part[middle, middle] for part in (energy, *np.gradient(energy, step))])
    table = np.array(fields).transpose(1, 0, 2, 3).reshape(3, -1)
    return torch.from_numpy(table).to(device, torch.float32)
