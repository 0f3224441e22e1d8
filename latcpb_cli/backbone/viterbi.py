"""The best rotations of all peptides of a chain, by dynamic programming."""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latcpb_cli.backbone.peptide_chain import PeptideChain
from latcpb_cli.geometry.vectors import cross, reject, unit

__all__ = ["best_rotations", "pair_energies"]

_N_ROTATIONS = 24
"""Rotations of a peptide that are tried; `latcpb_cli.backbone.relax_trace` refines them by descent."""


def best_rotations(ca: Float[Tensor, "L 3"], chain: PeptideChain) -> Float[Tensor, "L"]:
    """Find the rotations (rad) of planar peptides with the least total energy on given Cα (Å).

    The energy of a residue depends on its own two peptides alone, so the
    algorithm of Viterbi (1967, doi:10.1109/TIT.1967.1054010) finds the minimum
    over all combinations of rotations in steps of 15 degrees. A ring is passed
    three times in a row; the rotations are those of the second pass, which
    hardly depend on where the first begins.
    """
    rows, kept, starts = _passes(len(ca), chain.order.seams(chain.linked))
    energies = pair_energies(ca, chain).numpy()[rows]
    energies[starts] = 0.0
    totals, previous = np.zeros(_N_ROTATIONS), np.empty((len(rows), _N_ROTATIONS), dtype=np.int64)
    for residue, energy in enumerate(energies):
        candidates = totals[:, None] + energy
        previous[residue] = candidates.argmin(axis=0)
        totals = candidates.min(axis=0)
        totals -= totals.min()  # the residues before a break make no difference after it
    path = np.empty(len(rows), dtype=np.int64)
    path[-1] = totals.argmin()
    for residue in range(len(rows) - 1, 0, -1):
        path[residue - 1] = previous[residue, path[residue]]
    return torch.from_numpy(path[kept]).to(ca) * (2 * math.pi / _N_ROTATIONS)


def _passes(
    length: int, rings: list[tuple[int, int]]
) -> tuple[Int[np.ndarray, "passed"], Bool[np.ndarray, "passed"], list[int]]:
    """Rows in the order of passing, which passes count, and where the first pass of each ring begins."""
    rows, kept, starts, begin = [], [], [], 0
    for first, last in rings:
        ring = np.arange(first, last + 1)
        rows += [np.arange(begin, first), ring, ring, ring]
        starts.append(sum(map(len, rows[:-3])))
        kept += [np.ones(first - begin, dtype=bool), np.repeat([False, True, False], len(ring))]
        begin = last + 1
    rows.append(np.arange(begin, length))
    kept.append(np.ones(length - begin, dtype=bool))
    return np.concatenate(rows), np.concatenate(kept), starts


def pair_energies(ca: Float[Tensor, "L 3"], chain: PeptideChain) -> Float[Tensor, "L R R"]:
    """Return the energy (Å²) of each residue by the rotations of the peptides before and after it.

    Cosines and sines of its torsions are products of a vector that depends on
    one peptide with a vector that depends on the other.
    """
    flat = ca.new_zeros(len(ca))
    rotations = [ca.new_full((len(ca),), 2 * math.pi * index / _N_ROTATIONS) for index in range(_N_ROTATIONS)]
    peptides = [chain.peptide_atoms(ca, rotation, flat) for rotation in rotations]
    c, n_next = (torch.stack(atoms, dim=1) for atoms in zip(*peptides, strict=True))
    center = ca[:, None]
    c_previous, n = chain.order.previous(c), chain.order.previous(n_next)
    to_n, to_c = unit(n - center), unit(c - center)
    before, after = reject(c_previous - n, to_n), reject(n_next - c, to_c)

    def products(first: Float[Tensor, "L R 3"], second: Float[Tensor, "L R 3"]) -> Float[Tensor, "L R R"]:
        return first @ second.transpose(1, 2)

    phi = torch.atan2(products(cross(before, to_n), to_c), products(before, to_c))
    psi = torch.atan2(products(to_n, cross(after, to_c)), products(to_n, after))
    return chain.energy(products(to_n, to_c), phi, psi)
