"""Blocks of rows that a CPU computes one after the other, so that they stay in its cache."""

from __future__ import annotations

import torch

__all__ = ["row_blocks"]

_MULTIPLE = 8
"""Batches of similar size then have blocks of the same size."""


def row_blocks(n_rows: int, size: int, device: torch.device, multiple: int = _MULTIPLE) -> list[slice]:
    """Split rows into blocks of one size; a GPU gets a single block.

    Where the rows are no multiple of that size, the last two blocks have some rows in common. oneDNN compiles
    its code for each number of rows, which takes some tenths of a millisecond and half a megabyte; another
    size for the last block would double that.

    Parameters
    ----------
    n_rows : int
    size : int
        Most rows in a block, a multiple of ``multiple``.
    device : torch.device
    multiple : int
        Blocks begin at multiples of this number, if ``n_rows`` is one.

    Returns
    -------
    list of slice
        No block is small, because a product of few rows may round otherwise than one of many.
    """
    if device.type != "cpu" or n_rows <= size:
        return [slice(0, n_rows)]
    count = -(-n_rows // size)
    equal = -(-n_rows // (count * multiple)) * multiple
    firsts = (min(first, n_rows - equal) for first in range(0, n_rows, equal))
    return [slice(first, first + equal) for first in firsts]
