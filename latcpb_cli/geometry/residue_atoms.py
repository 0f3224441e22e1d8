"""Atoms whose place follows from N, CA, C and O of their own residue: CB and OXT."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from latcpb_cli.chem.ideal import peptide_shapes, side_chain_table
from latcpb_cli.chem.residues import GLY
from latcpb_cli.device import table_on
from latcpb_cli.geometry.vectors import cross, place_atom, unit

__all__ = ["place_cb", "place_oxt"]

_C_OXT = 1.250  # Å, reference.json
_OXT_ANGLE_REDUCTION = 0.045  # rad, CA-C-O less CA-C-OXT


def place_cb(
    n: Float[Tensor, "L 3"], ca: Float[Tensor, "L 3"], c: Float[Tensor, "L 3"], types: Int[Tensor, "L"]
) -> Float[Tensor, "L 3"]:
    """Return CB (Å) of L-amino acids; the Cα for glycine."""
    length, elevation = (
        table_on(ca.device, side_chain_table, column)[types].to(ca.dtype)
        for column in ("cb_length", "cb_elevation")
    )
    to_n, to_c = unit(n - ca), unit(c - ca)
    bisector, normal = unit(to_n + to_c), unit(cross(to_n, to_c))
    direction = torch.sin(elevation)[:, None] * normal - torch.cos(elevation)[:, None] * bisector
    cb = ca + length[:, None] * direction
    return torch.where((types == GLY)[:, None], ca, cb)


def place_oxt(
    n: Float[Tensor, "L 3"],
    ca: Float[Tensor, "L 3"],
    c: Float[Tensor, "L 3"],
    n_ca_c_o: Float[Tensor, "L 2"],
) -> Float[Tensor, "L 3"]:
    """Return the second oxygen (Å) of a C terminus, opposite to O, from the torsion N-CA-C-O, (cos, sin)."""
    ca_c_o = torch.full_like(ca[:, 0], peptide_shapes()[0].ca_c_o)
    return place_atom(n, ca, c, _C_OXT, ca_c_o - _OXT_ANGLE_REDUCTION, -n_ca_c_o)
