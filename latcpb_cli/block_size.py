"""How many frames the model computes at once."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch

from latcpb_cli.errors import InputError

__all__ = ["BlockSize"]

_RESIDUES_PER_BLOCK = {"cpu": 1024, "cuda": 32768}
_MIN_RESIDUES = 16
"""Three residues by themselves have other last digits than among more."""

Result = TypeVar("Result")


@dataclass
class BlockSize:
    """Numbers of frames that are computed at once on a device.

    On a CPU, where memory does not run out, bytes follow from the frame alone: either a row of the network's
    results does not depend on the number of rows, or blocks are filled up to their full size. On a GPU sums
    are not repeated to the last bit anyway, whatever the block.

    Attributes
    ----------
    device : str
    rows_are_independent : bool
        See `latcpb_cli.model.linear.rows_are_independent`.
    halvings : int
        How often the memory of the device was too small for the block.
    """

    device: str
    rows_are_independent: bool
    halvings: int = 0

    def most(self, residues: int) -> int:
        """How many frames of so many residues are computed at once, the same for every run.

        Unless a GPU had no memory for it: then half, and so on.
        """
        return max(1, _RESIDUES_PER_BLOCK[self._device_type] // residues >> self.halvings)

    def least(self, residues: int) -> int:
        """How many frames a block has at least, copies included."""
        if self._device_type == "cpu" and not self.rows_are_independent:
            return self.most(residues)
        return min(self.most(residues), math.ceil(_MIN_RESIDUES / residues))

    def within_memory(self, residues: int, compute: Callable[[int, int], Result]) -> Result:
        """Call ``compute`` with the most and the least frames of a block, as many as there is memory for.

        Raises
        ------
        InputError
            One frame alone is too much.
        """
        while True:
            size = self.most(residues)
            try:
                return compute(size, self.least(residues))
            except torch.OutOfMemoryError:
                if size == 1:
                    raise InputError(
                        f"a frame of {residues:,} residues does not fit into the memory of {self.device}",
                        "use --device cpu, or a device with more memory",
                    ) from None
                self.halvings += 1
                torch.cuda.empty_cache()

    @property
    def _device_type(self) -> str:
        return torch.device(self.device).type
