"""Which residue follows which on an axis of residues, and which of these steps are peptides.

Chains stand one after the other, so the next residue is the next row. A chain whose ends a peptide joins (a
head-to-tail ring) is the exception: its first residue follows its last. Functions of neighbours in sequence
use a `ChainOrder` instead of rows i - 1 and i + 1; everything else of a ring is that of a linear chain. The
alternative, copies of the ring's ends around it, would need the copies kept equal to their originals in
every layer of the network, in the packing and in the relaxation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Int, Shaped
from torch import Tensor

from latcpb_cli.geometry.masks import true_indices

__all__ = ["LINEAR", "ChainOrder", "next_rows"]


@dataclass(frozen=True, eq=False)
class ChainOrder:
    """The order of L residues in their chains.

    Attributes
    ----------
    steps : Tensor of int64, shape (L,), or None
        Rows from each residue to the next of its chain: 1, and back to the first residue at the end of a
        chain. None for an axis without rings, on which all rows are in order.
    """

    steps: Int[Tensor, "L"] | None = None

    @classmethod
    def from_next(cls, next_residue: Int[np.ndarray, "L"] | None, device: torch.device | str) -> ChainOrder:
        """Make the order in which ``next_residue`` (a row for each row) follows; None for no rings."""
        if next_residue is None:
            return LINEAR
        return cls(torch.from_numpy(next_residue - np.arange(len(next_residue))).to(device))

    @classmethod
    def concatenate(cls, parts: Sequence[ChainOrder]) -> ChainOrder:
        """Join the orders of several axes; all have ``steps``, or none."""
        steps = [part.steps for part in parts if part.steps is not None]
        return cls(torch.cat(steps)) if steps else LINEAR

    @cached_property
    def _next(self) -> Int[Tensor, "L"]:
        assert self.steps is not None  # its users check
        return torch.arange(len(self.steps), device=self.steps.device) + self.steps

    @cached_property
    def _previous(self) -> Int[Tensor, "L"]:
        rows = torch.arange(len(self._next), device=self._next.device)
        return torch.empty_like(rows).index_copy_(0, self._next, rows)

    def next(self, values: Shaped[Tensor, "..."], dim: int = 0) -> Shaped[Tensor, "..."]:
        """Return the value of the next residue for each residue; meaningless where no peptide follows."""
        return values.roll(-1, dim) if self.steps is None else values.index_select(dim, self._next)

    def previous(self, values: Shaped[Tensor, "..."], dim: int = 0) -> Shaped[Tensor, "..."]:
        """Return the value of the residue before each residue; meaningless where no peptide precedes."""
        return values.roll(1, dim) if self.steps is None else values.index_select(dim, self._previous)

    def linked_before(self, linked: Bool[Tensor, "L"]) -> Bool[Tensor, "L"]:
        """Convert "a peptide joins a residue to the next" into "a peptide joins the one before to it"."""
        if self.steps is None:
            return torch.cat([torch.zeros_like(linked[:1]), linked[:-1]])
        return self.previous(linked)

    def to_next_row(self, linked: Bool[Tensor, "L"]) -> Bool[Tensor, "L"]:
        """Return which residues a peptide joins to the next row, without the closing peptides of rings."""
        return linked if self.steps is None else linked & (self.steps == 1)

    def seams(self, linked: Bool[Tensor, "L"]) -> list[tuple[int, int]]:
        """Return the first and the last row of each ring whose ends a peptide joins."""
        if self.steps is None:
            return []
        last = torch.nonzero(linked & (self.steps < 0)).squeeze(1)
        return list(zip(self._next[last].tolist(), last.tolist(), strict=True))

    def select(self, rows: slice | Int[Tensor, "N"]) -> ChainOrder:
        """Return the order of some rows: whole chains, in their order."""
        return self if self.steps is None else ChainOrder(self.steps[rows])

    def cut(self, rows: Int[Tensor, "N"], part: Int[Tensor, "N"]) -> tuple[ChainOrder, Bool[Tensor, "N"]]:
        """Return the order of parts of the axis, and which of their residues the same part continues.

        Parameters
        ----------
        rows
            Residues of one part after another, ascending in each.
        part
            Number of the part of each, ascending.

        Returns
        -------
        order : ChainOrder
            Of N residues. Its next residue is that of the whole axis where the part contains it.
        continued : Tensor, shape (N,)
            Whether the part contains the next residue.
        """
        next_rows = rows + 1 if self.steps is None else self._next[rows]
        place, continued = _find_in_parts(rows, part, next_rows)
        if self.steps is None:
            return self, continued
        _, continues = _find_in_parts(rows, part, self._previous[rows])
        # As many residues of a part have no next one as have none before: each of these follows one of those.
        place = place.index_copy(0, true_indices(~continued), true_indices(~continues))
        return ChainOrder(place - torch.arange(len(rows), device=rows.device)), continued

    def repeat(self, count: int) -> ChainOrder:
        """Return the order of ``count`` copies of the axis, one after the other."""
        return self if self.steps is None else ChainOrder(self.steps.repeat(count))

    def padded(self, length: int) -> ChainOrder:
        """Return the order of an axis that is longer by rows which nothing follows."""
        if self.steps is None:
            return self
        return ChainOrder(torch.nn.functional.pad(self.steps, (0, length - len(self.steps))))


LINEAR = ChainOrder()
"""The order of an axis without rings."""


def _find_in_parts(
    rows: Int[Tensor, "N"], part: Int[Tensor, "N"], targets: Int[Tensor, "N"]
) -> tuple[Int[Tensor, "N"], Bool[Tensor, "N"]]:
    """Place of each target among the rows of the same part, and whether it is there."""
    stride = torch.maximum(rows, targets).amax() + 1
    keys, wanted = part * stride + rows, part * stride + targets
    place = torch.searchsorted(keys, wanted).clamp(max=len(rows) - 1)
    return place, keys[place] == wanted


def next_rows(next_residue: Int[np.ndarray, "L"] | None, length: int) -> Int[np.ndarray, "L"]:
    """Return the row of the next residue: ``next_residue``, by default that of an axis without rings."""
    return np.roll(np.arange(length), -1) if next_residue is None else next_residue
