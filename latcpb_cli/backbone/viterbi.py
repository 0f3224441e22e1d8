"""The rotations of all peptides of a chain that suit its residues best."""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from latcpb_cli.backbone.peptide_chain import Backbone
from latcpb_cli.geometry.vectors import cross, reject, unit

__all__ = ["best_rotations"]

_BINS = 36


def best_rotations(ca: Float[Tensor, "L 3"], backbone: Backbone) -> Float[Tensor, "L"]:
    """Rotations (rad, in steps of 10 degrees) of least energy, of all that there are.

    A residue's energy depends on its own two peptides alone, so Viterbi's
    algorithm finds the least sum over chains (1967, doi:10.1109/TIT.1967.1054010).
    """
    costs = _pair_costs(ca, backbone).numpy()
    sums, came_from = np.zeros(_BINS), np.empty((len(ca), _BINS), dtype=np.int64)
    for residue, cost in enumerate(costs):
        total = sums[:, None] + cost
        came_from[residue] = total.argmin(axis=0)
        sums = total.min(axis=0)
        sums -= sums.min()  # so that what comes before a break makes no difference after it
    chosen = np.empty(len(ca), dtype=np.int64)
    chosen[-1] = sums.argmin()
    for residue in range(len(ca) - 1, 0, -1):
        chosen[residue - 1] = came_from[residue, chosen[residue]]
    return torch.from_numpy(chosen).to(ca) * (2 * math.pi / _BINS)


def _pair_costs(ca: Float[Tensor, "L 3"], backbone: Backbone) -> Float[Tensor, "L B B"]:
    """Energy of each residue by the rotations of the peptides before and after it.

    Cosines and sines of its torsions are products of a vector of one peptide
    with a vector of the other.
    """
    turns = [ca.new_full((len(ca),), 2 * math.pi * number / _BINS) for number in range(_BINS)]
    built = [backbone.peptides(ca, turn) for turn in turns]
    c, n_ahead = (torch.stack(atoms, dim=1) for atoms in zip(*built, strict=True))
    middle = ca[:, None]
    c_before, n = c.roll(1, 0), n_ahead.roll(1, 0)
    to_n, to_c = unit(n - middle), unit(c - middle)
    before, after = reject(c_before - n, to_n), reject(n_ahead - c, to_c)

    def products(first: Tensor, second: Tensor) -> Tensor:
        return first @ second.transpose(1, 2)

    phi = torch.atan2(products(cross(before, to_n), to_c), products(before, to_c))
    psi = torch.atan2(products(to_n, cross(after, to_c)), products(to_n, after))
    return backbone.energy(products(to_n, to_c), phi, psi)
