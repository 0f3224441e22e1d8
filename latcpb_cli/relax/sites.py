"""The atoms of structures in one list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latcpb_cli.chem.bonds import element_index
from latcpb_cli.chem.residues import N_SLOTS, OXT_SLOT, slot_mask
from latcpb_cli.device import table_on
from latcpb_cli.geometry.masks import true_indices

__all__ = ["AtomSites", "Sites"]


class Sites(NamedTuple):
    """Residue, slot and element of N atoms."""

    residue: Int[Tensor, "N"]
    slot: Int[Tensor, "N"]
    element: Int[Tensor, "N"]

    def select(self, rows: Int[Tensor, "rows"]) -> Sites:
        """Return some of the atoms."""
        return Sites(*(values.index_select(0, rows) for values in self))


@dataclass(frozen=True, eq=False)
class AtomSites:
    """All N atoms of some structures, residue by residue.

    Attributes
    ----------
    sites : Sites
    structure : Tensor, shape (N,)
        Structure of each atom, ascending.
    row : Tensor, shape (N,)
        Index of each atom into (15, L), flattened.
    """

    sites: Sites
    structure: Int[Tensor, "N"]
    row: Int[Tensor, "N"]

    @classmethod
    def from_residues(
        cls, types: Int[Tensor, "L"], has_oxt: Bool[Tensor, "L"], sizes: list[int]
    ) -> AtomSites:
        """List the atoms of residues of these types, without those beyond the sum of ``sizes``."""
        lengths = torch.tensor(sizes).to(types.device)
        structure = torch.arange(len(sizes), device=types.device)
        structure = structure.repeat_interleave(lengths, output_size=sum(sizes))
        present = table_on(types.device, slot_mask)[types]
        present[:, OXT_SLOT] = has_oxt
        rows = true_indices(present[: len(structure)].flatten())
        residue = torch.div(rows, N_SLOTS, rounding_mode="floor")
        slot = rows - N_SLOTS * residue
        element = table_on(types.device, element_index)[types[residue], slot]
        sites = Sites(residue, slot, element)
        return cls(sites, structure.index_select(0, residue), slot * len(types) + residue)

    def positions(self, atoms: Float[Tensor, "3 15 L"]) -> Float[Tensor, "N 3"]:
        """Return the positions of the atoms, Å."""
        return atoms.flatten(1).index_select(1, self.row).T.contiguous()
