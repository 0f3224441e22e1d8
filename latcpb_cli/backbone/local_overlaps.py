"""Overlaps of the two peptides of a residue with each other and with its CB, by phi and psi.

Most overlaps on traces of disordered proteins are of this kind. With ideal bonds and angles they follow from
the two torsions, so a map of them costs a relaxation nothing.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from latcpb_cli.chem.ideal import PRO_N_CD, peptide_shapes
from latcpb_cli.chem.ramachandran import MAP_BINS, RESIDUE_CLASSES
from latcpb_cli.chem.residues import VDW_RADIUS
from latcpb_cli.geometry.vectors import place_atom

__all__ = ["local_overlaps"]

_FREE_OVERLAP, _POLAR_DISTANCE = 0.3, 2.6
"""Å of van der Waals overlap, and Å between N and O, at no energy: 0.1 Å before a clash counts."""
_N_CA_C, _C_N_CD = math.radians(111.0), math.radians(125.5)
_CB_LENGTH, _N_CA_CB, _CB_TORSION = 1.53, math.radians(110.5), math.radians(-122.5)
"""CA-CB (Å), its angle with N, and its torsion C-N-CA-CB."""
_PAIRS = (
    ("O before", "C"), ("C before", "O"), ("O before", "O"), ("C before", "N after"), ("O before", "N after"),
)  # fmt: skip
_CB_PAIRS = (("O before", "CB"),)
_CD_PAIRS = (("CD after", "N"), ("CD after", "CB"), ("CD after", "C before"))


@cache
def local_overlaps() -> Float[np.ndarray, "4 90 90"]:
    """Sum of squared overlaps (Å²) by class of residue, phi and psi, in the middle of each bin."""
    atoms = _atoms()
    backbone, with_cb, before_proline = (_squares(atoms, pairs) for pairs in (_PAIRS, _CB_PAIRS, _CD_PAIRS))
    maps = {
        "general": backbone + with_cb,
        "glycine": backbone,
        "proline": backbone + with_cb,
        "pre-proline": backbone + with_cb + before_proline,
    }
    return np.stack([maps[name] for name in RESIDUE_CLASSES])


def _atoms() -> dict[str, Float[Tensor, "n 3"]]:
    """Atoms (Å) of a residue and of its trans peptides, for all phi and psi; CD is that of a proline."""
    shape = peptide_shapes()[0]
    middle = (torch.arange(MAP_BINS, dtype=torch.float64) + 0.5) * (2 * math.pi / MAP_BINS) - math.pi
    phi, psi = (torsion.flatten() for torsion in torch.meshgrid(middle, middle, indexing="ij"))

    def place(
        a: Tensor, b: Tensor, c: Tensor, bond: tuple[float, float], torsion: float | Tensor
    ) -> Float[Tensor, "n 3"]:
        turn, angle = torch.zeros_like(phi) + torsion, torch.full_like(phi, bond[1])
        return place_atom(a, b, c, bond[0], angle, torch.stack([torch.cos(turn), torch.sin(turn)], dim=-1))

    origin = phi.new_zeros(len(phi), 3)
    side, ca = origin + origin.new_tensor([0.0, 1.0, 0.0]), origin + origin.new_tensor([shape.n_ca, 0.0, 0.0])
    c = place(side, origin, ca, (shape.ca_c, _N_CA_C), 0.0)
    c_before = place(c, ca, origin, (shape.c_n, shape.c_n_ca), phi)
    n_c_o = 2 * math.pi - shape.ca_c_n - shape.ca_c_o
    n_after = place(origin, ca, c, (shape.c_n, shape.ca_c_n), psi)
    return {
        "N": origin,
        "C": c,
        "CB": place(c, origin, ca, (_CB_LENGTH, _N_CA_CB), _CB_TORSION),
        "O": place(origin, ca, c, (shape.c_o, shape.ca_c_o), psi + math.pi),
        "C before": c_before,
        "O before": place(ca, origin, c_before, (shape.c_o, n_c_o), 0.0),
        "N after": n_after,
        "CD after": place(ca, c, n_after, (PRO_N_CD, _C_N_CD), 0.0),
    }


def _squares(
    atoms: dict[str, Float[Tensor, "n 3"]], pairs: tuple[tuple[str, str], ...]
) -> Float[np.ndarray, "90 90"]:
    """Sum of the squared overlaps (Å²) of pairs of atoms."""
    total = np.zeros((MAP_BINS, MAP_BINS))
    for one, other in pairs:
        distance = (atoms[one] - atoms[other]).norm(dim=-1).numpy().reshape(total.shape)
        elements = one[0], other[0]
        limit = sum(VDW_RADIUS[element] for element in elements) - _FREE_OVERLAP
        if "C" not in elements:
            limit = _POLAR_DISTANCE
        total += np.maximum(limit - distance, 0.0) ** 2
    return total
