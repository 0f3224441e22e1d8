"""Equivariant features: products equal those of e3nn, chirality, and no effect on e3nn in other code."""

from __future__ import annotations

import e3nn
import pytest
import torch
from rotations import MIRROR, random_rotation
from tiny import TINY, tiny_model, trace_tensors

from latcpb_cli.model.atom_encoder import AtomEncoder
from latcpb_cli.model.equivariant import (
    NeighborDensity,
    NodeProduct,
    Surroundings,
    feature_irreps,
    uncompiled_products,
)


@pytest.mark.parametrize("channels", [1, 8])
def test_matrix_products_equal_the_modules_of_e3nn(channels: int) -> None:
    torch.manual_seed(channels)
    node = NodeProduct(channels, 4)
    torch.nn.init.normal_(node.product.weight)
    x = torch.randn(7, feature_irreps(channels).dim)
    scalars, features = node(x)
    product = node.product(x, x)
    torch.testing.assert_close(scalars, node.scalars(product), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(features, x + node.features(product), rtol=1e-4, atol=1e-4)
    only_scalars, unchanged = node(x, update=False)
    assert torch.equal(only_scalars, scalars)
    assert unchanged is x


def test_invariants_do_not_change_with_rotation_and_change_with_reflection() -> None:
    """Without local frames: tensor products of even irreps include triple products."""
    torch.manual_seed(0)
    ca, types, linked = trace_tensors()
    graph = tiny_model().build_graph(ca, types, linked, [len(ca)])
    density, products = NeighborDensity(4), (NodeProduct(4, 8), NodeProduct(4, 8))
    vectors, mask = torch.where(graph.mask[..., None], ca[graph.index] - ca[:, None], 0.0), graph.mask
    scalars = torch.rand(len(ca), 8, 4)

    def invariants(vectors: torch.Tensor) -> torch.Tensor:
        features = density(Surroundings.expand(vectors, mask, 21.0), scalars)
        _, features = products[0](features)
        return products[1](features)[0]

    original = invariants(vectors)
    assert torch.allclose(invariants(vectors @ random_rotation(5).T), original, atol=1e-4)
    assert (invariants(vectors * MIRROR) - original).abs().max() > 1e-3


def test_density_vanishes_at_the_cutoff_and_ignores_masked_points() -> None:
    torch.manual_seed(0)
    density = NeighborDensity(2)
    direction = torch.nn.functional.normalize(torch.randn(1, 3, 3), dim=-1)
    vectors, scalars = direction * torch.tensor([3.0, 6.0, 4.0])[:, None], torch.rand(1, 3, 2)
    mask = torch.tensor([[True, True, False]])
    alone = density(Surroundings.expand(vectors[:, :1], mask[:, :1], 6.0), scalars[:, :1])
    together = density(Surroundings.expand(vectors, mask, 6.0), scalars)
    # Sums are divided by the root of the number of points, masked ones included.
    assert torch.allclose(together * 3**0.5, alone, atol=1e-6)


def test_defaults_of_e3nn_are_restored() -> None:
    defaults = e3nn.get_optimization_defaults()
    NodeProduct(2, 2)
    AtomEncoder(TINY)
    assert e3nn.get_optimization_defaults() == defaults
    with pytest.raises(RuntimeError), uncompiled_products():
        assert e3nn.get_optimization_defaults() != defaults
        raise RuntimeError
    assert e3nn.get_optimization_defaults() == defaults
