"""Atoms of peptides as polynomials of the peptide's twist, which cost less than building them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from latcpb_cli.device import constant, table_on
from latcpb_cli.geometry.peptide import is_cis_distance, peptide_atoms
from latcpb_cli.relax.structures import TorsionStructures

__all__ = ["derivative", "evaluate", "peptide_polynomials", "through_positions"]

_TWISTS = (-0.6, -0.3, 0.0, 0.3, 0.6)
"""Twists (rad, relative to the start) where the polynomials are exact; relaxation stays between them."""
_TOLERANCE = 0.01
"""Å; rounding errors of peptides that are built are far smaller."""


def peptide_polynomials(structures: TorsionStructures) -> Float[Tensor, "5 3 3 L"]:
    """Fit C, O and N of each peptide as a polynomial of the change of its twist.

    Returns
    -------
    Tensor, shape (5, 3, 3, L)
        Coefficients (Å) of the powers 0 to 4, by coordinate in the peptide's
        frame (`latcpb_cli.geometry.peptide.axis_frame`, turned by its rotation),
        atom and residue.
    """
    ca, twist, order = structures.ca, structures.internal.twist, structures.order
    count, length = len(_TWISTS), len(twist)
    copies = ca.repeat(count, 1)
    distance = (order.next(ca) - ca).norm(dim=-1)
    is_cis = is_cis_distance(distance, order.next(structures.types)).repeat(count)
    identity = torch.eye(3, dtype=copies.dtype, device=copies.device).expand(len(copies), 3, 3)
    no_rotation = constant((1.0, 0.0), copies.dtype, copies.device).expand(len(copies), 2)
    twists = (twist + constant(_TWISTS, twist.dtype, twist.device)[:, None]).flatten()
    atoms = peptide_atoms(copies, identity, is_cis, no_rotation, twists, order.repeat(count))
    local = torch.stack([(atom - copies).view(count, length, 3) for atom in atoms], dim=1)
    inverse = table_on(local.device, _polynomials_through_twists).to(local.dtype)
    return (inverse[:, :, None, None, None] * local).sum(1).permute(0, 3, 1, 2).contiguous()


def _polynomials_through_twists() -> Float[np.ndarray, "5 5"]:
    """Coefficients of polynomials (rows) that are 1 at one of the twists and 0 at the others (columns)."""
    return np.linalg.inv(np.vander(_TWISTS, increasing=True))


def through_positions(
    polynomials: Float[Tensor, "5 3 3 L"], positions: Float[Tensor, "3 3 L"]
) -> Float[Tensor, "5 3 3 L"]:
    """Shift polynomials to positions (Å) of the same atoms that no ideal peptide has, such as copies.

    Positions within `_TOLERANCE` leave their polynomial as it is, to the bit.
    """
    distance = (positions - polynomials[0]).norm(dim=0, keepdim=True)
    start = torch.where(distance > _TOLERANCE, positions, polynomials[0])
    return torch.cat([start[None], polynomials[1:]])


def derivative(polynomials: Float[Tensor, "n 3 3 L"]) -> Float[Tensor, "n-1 3 3 L"]:
    """Return the coefficients of the derivatives of polynomials."""
    powers = torch.arange(1, len(polynomials), dtype=polynomials.dtype, device=polynomials.device)
    return polynomials[1:] * powers[:, None, None, None]


def evaluate(coefficients: Sequence[Float[Tensor, "3 3 L"]], x: Float[Tensor, "L"]) -> Float[Tensor, "3 3 L"]:
    """Evaluate polynomials by Horner's rule; the coefficients are those of ascending powers."""
    *lower, value = coefficients
    for coefficient in reversed(lower):
        value = torch.addcmul(coefficient, value, x)
    return value
