"""What stands in for e3nn's own evaluation gives the same numbers."""

from __future__ import annotations

import pytest
import torch

from latcpb_cli.model.equivariant import NodeProduct, irreps


@pytest.mark.parametrize("channels", [1, 8])
def test_squares_by_one_matrix_are_those_of_e3nn(channels: int) -> None:
    torch.manual_seed(channels)
    node = NodeProduct(channels, 4)
    torch.nn.init.normal_(node.product.weight)
    x = torch.randn(7, irreps(channels).dim)
    torch.testing.assert_close(node._squared(x), node.product(x, x), rtol=1e-4, atol=1e-5)
