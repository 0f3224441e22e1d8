"""The chi angles of all residue types as joints: their axes and the atoms that they move."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from latcpb_cli.chem.bonds import FAR, bond_steps
from latcpb_cli.chem.residues import CA_SLOT, CB_SLOT, GAMMA_SLOT, N_SLOTS, NAMES, OXT_SLOT, PRO
from latcpb_cli.chem.zmatrix import N_CHI, chi_mask, chi_slots

__all__ = ["CHI_RANGES", "chi_tables"]

CHI_RANGES = (slice(5, 14), slice(6, 14), slice(7, 11), slice(8, 11))
"""Smallest range of slots that holds all atoms that chi 1, 2, 3 or 4 moves in any residue type."""


@cache
@torch.inference_mode(False)
def chi_tables(
    device: torch.device,
) -> tuple[Int[Tensor, "20 4 2"], Bool[Tensor, "20 4 15"], Bool[Tensor, "20 4"]]:
    """Return the joints of each residue type.

    Returns
    -------
    axis_slots : Tensor, shape (20, 4, 2)
        Slots of the lower and upper atom of the axis of each chi; CA and CB where there is none.
    moved : Tensor, shape (20, 4, 15)
        Slots that each chi moves.
    is_joint : Tensor, shape (20, 4)
        Whether the chi exists and can turn; those of proline cannot, because its ring is closed.
    """
    slots, steps = chi_slots(), bond_steps()
    is_joint = chi_mask()
    is_joint[PRO] = False
    axis_slots = np.where(is_joint[..., None], slots[..., 1:3], [CA_SLOT, CB_SLOT])
    moved = np.zeros((len(NAMES), N_CHI, N_SLOTS), dtype=bool)
    from_lower, from_upper = (steps[np.arange(len(NAMES))[:, None], axis_slots[..., end]] for end in (0, 1))
    beyond = (from_lower < FAR) & (from_lower > from_upper) & (from_upper > 0) & is_joint[..., None]
    moved[..., GAMMA_SLOT:OXT_SLOT] = beyond[..., GAMMA_SLOT:OXT_SLOT]
    return (
        torch.from_numpy(axis_slots).to(device),
        torch.from_numpy(moved).to(device),
        torch.from_numpy(is_joint).to(device),
    )
