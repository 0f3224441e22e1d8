"""The CG encoder: which neighbours in sequence count, and blocks of residues."""

from __future__ import annotations

import pytest
import torch
from tiny import tiny_model

from latcpb_cli.geometry.links import LINEAR, ChainOrder
from latcpb_cli.model import cg_encoder
from latcpb_cli.model.latcpb import LatCPB

NO = None
"""No such neighbour."""


def graph_of(model: LatCPB, types: list[int], linked: list[bool], order: ChainOrder = LINEAR):
    ca = 3.8 * torch.randn(len(types), 3, generator=torch.Generator().manual_seed(1)).cumsum(0)
    return model.build_graph(ca, torch.tensor(types), torch.tensor(linked), [len(types)], order)


def one_hot_context(types: list[int], neighbors: list[list[int | None]]) -> torch.Tensor:
    """Inputs of each residue from the rows of its next, previous, second next and second previous one."""
    inputs = torch.zeros(len(types), 82)
    for row, around in enumerate(neighbors):
        for place, neighbor in enumerate(around):
            if neighbor is not None:
                inputs[row, 20 * place + types[neighbor]] = 1.0
        inputs[row, 80], inputs[row, 81] = float(around[1] is None), float(around[0] is None)
    return inputs


@pytest.mark.parametrize(
    "linked,steps,neighbors",
    [
        (
            [True, True, False, True, False],
            None,
            [[1, NO, 2, NO], [2, 0, NO, NO], [NO, 1, NO, 0], [4, NO, NO, NO], [NO, 3, NO, NO]],
        ),
        (
            [True, True, True, True, False],
            [1, 1, 1, -3, 0],  # a ring of four residues, then one by itself
            [[1, 3, 2, 2], [2, 0, 3, 3], [3, 1, 0, 0], [0, 2, 1, 1], [NO] * 4],
        ),
        ([False], None, [[NO] * 4]),
    ],
)  # fmt: skip
def test_the_context_in_sequence_ends_at_breaks(
    linked: list[bool], steps: list[int] | None, neighbors: list[list[int | None]]
) -> None:
    model, types = tiny_model(), [19, 0, 7, 12, 3][: len(linked)]
    encoder = model.cg_encoder
    torch.nn.init.normal_(encoder.sequence_context.weight)
    order = LINEAR if steps is None else ChainOrder(torch.tensor(steps))
    context = encoder._sequence_context(graph_of(model, types, linked, order))
    expected = encoder.sequence_context(one_hot_context(types, neighbors))
    torch.testing.assert_close(context, expected, rtol=1e-5, atol=1e-5)


def test_blocks_of_residues_change_neither_values_nor_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    model, n = tiny_model().requires_grad_(True), 53
    generator = torch.Generator().manual_seed(0)
    types = torch.randint(20, (n,), generator=generator).tolist()
    graph = graph_of(model, types, [True] * (n - 1) + [False])
    results = []
    for size in (256, 16):
        monkeypatch.setattr(cg_encoder, "_ROWS_PER_CPU_BLOCK", size)
        model.zero_grad()
        condition = model.cg_encoder(graph)
        (condition.residues.square().sum() + condition.pairs.square().sum()).backward()
        gradients = [parameter.grad for parameter in model.cg_encoder.pair_embedding.parameters()]
        results.append([condition.residues, condition.pairs, *gradients])
    for whole, in_blocks in zip(*results, strict=True):
        assert whole.abs().max() > 0
        torch.testing.assert_close(in_blocks, whole, rtol=1e-4, atol=1e-4)
