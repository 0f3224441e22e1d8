"""Blocks of rows for the cache of a CPU."""

from __future__ import annotations

import pytest
import torch

from latcpb_cli.model.row_blocks import row_blocks

CPU, GPU = torch.device("cpu"), torch.device("cuda")


@pytest.mark.parametrize("n_rows", [0, 1, 9, 10, 19, 20, 57])
def test_blocks_hold_every_row_once_and_none_is_small(n_rows: int) -> None:
    blocks = row_blocks(n_rows, 10, CPU)
    assert [row for block in blocks for row in range(n_rows)[block]] == list(range(n_rows))
    sizes = [block.stop - block.start for block in blocks]
    assert all(size == 10 for size in sizes[:-1])
    assert min(n_rows, 10) <= sizes[-1] < 20


def test_a_gpu_computes_all_rows_at_once() -> None:
    assert row_blocks(57, 10, GPU) == [slice(0, 57)]
