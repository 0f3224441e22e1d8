"""Blocks of rows for the cache of a CPU."""

from __future__ import annotations

import pytest
import torch

from latcpb_cli.model.row_blocks import row_blocks

CPU, GPU = torch.device("cpu"), torch.device("cuda")
SIZE = 32


@pytest.mark.parametrize("n_rows", [0, 1, 31, 32, 33, 57, 64, 65, 1000])
def test_blocks_hold_every_row_and_have_one_size(n_rows: int) -> None:
    blocks = row_blocks(n_rows, SIZE, CPU)
    assert sorted({row for block in blocks for row in range(n_rows)[block]}) == list(range(n_rows))
    sizes = {block.stop - block.start for block in blocks}
    assert len(sizes) == 1
    assert min(n_rows, SIZE / 2) <= sizes.pop() <= SIZE


@pytest.mark.parametrize("n_rows", [33, 57, 65, 1000])
def test_few_rows_are_computed_twice(n_rows: int) -> None:
    blocks = row_blocks(n_rows, SIZE, CPU)
    computed = sum(block.stop - block.start for block in blocks)
    assert computed - n_rows < 8 * len(blocks)
    assert len(blocks) == -(-n_rows // SIZE)


def test_blocks_begin_at_multiples() -> None:
    assert row_blocks(96, 64, CPU, 32) == [slice(0, 64), slice(32, 96)]
    assert row_blocks(160, 64, CPU, 32) == [slice(0, 64), slice(64, 128), slice(96, 160)]


def test_a_gpu_computes_all_rows_at_once() -> None:
    assert row_blocks(57, 10, GPU) == [slice(0, 57)]
