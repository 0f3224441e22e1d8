"""Transformer layers over neighbours: precision, masking and conditioning."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tiny import tiny_model, trace_tensors

from latcpb_cli.model.attention import NeighborTransformer
from latcpb_cli.model.graph import Graph


@pytest.fixture
def graph() -> Graph:
    ca, types, linked = trace_tensors()
    return tiny_model().build_graph(ca, types, linked, [len(ca)])


@pytest.fixture
def inputs(graph: Graph) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    config = tiny_model().config
    return torch.randn(len(graph.types), config.dim), torch.randn(*graph.index.shape, config.pair_dim)


def test_layers_keep_32_bits_on_every_cpu(graph: Graph, inputs: tuple[torch.Tensor, torch.Tensor]) -> None:
    """Some CPUs multiply in 16 bits, and the rounding of a rotated input would differ."""
    torch.manual_seed(0)
    layers = NeighborTransformer(tiny_model().config, 2)
    x, pairs = inputs
    single = layers(x, pairs, graph)
    assert (single - layers.double()(x.double(), pairs.double(), graph)).abs().max() < 1e-5


def test_masked_neighbors_have_no_effect(graph: Graph, inputs: tuple[torch.Tensor, torch.Tensor]) -> None:
    layers = NeighborTransformer(tiny_model().config, 1)
    x, pairs = inputs
    mask = graph.mask.clone()
    mask[:, 5:] = False
    masked = replace(graph, mask=mask)
    fewer = replace(graph, mask=mask[:, :5], index=graph.index[:, :5])
    assert torch.allclose(layers(x, pairs, masked), layers(x, pairs[:, :5], fewer), atol=1e-6)


def test_a_noise_level_per_residue_equals_one_for_all(
    graph: Graph, inputs: tuple[torch.Tensor, torch.Tensor]
) -> None:
    torch.manual_seed(1)
    layers = NeighborTransformer(tiny_model().config, 2, conditioned=True)
    for parameter in layers.parameters():
        parameter.data += 0.1 * torch.randn(parameter.shape)
    x, pairs = inputs
    level = torch.randn(1, x.shape[1])
    one, each = layers(x, pairs, graph, level), layers(x, pairs, graph, level.expand(len(x), -1))
    assert torch.allclose(one, each, atol=1e-6)
    assert (one - layers(x, pairs, graph, -level)).abs().max() > 1e-3
