"""What stands in for e3nn's own evaluation gives the same numbers."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from latcpb_cli.model.equivariant import NodeProduct, irreps


@pytest.mark.parametrize("channels", [1, 8])
def test_products_by_few_matrices_are_those_of_e3nn(channels: int) -> None:
    torch.manual_seed(channels)
    node = NodeProduct(channels, 4)
    torch.nn.init.normal_(node.product.weight)
    x = torch.randn(7, irreps(channels).dim)
    scalars, features = node(x)
    product = node.product(x, x)
    torch.testing.assert_close(scalars, node.scalars(product), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(features, x + node.features(product), rtol=1e-4, atol=1e-4)


def test_what_is_not_used_is_not_loaded() -> None:
    code = (
        "import sys, latcpb_cli.backmapper\n"
        "assert not {'sympy', 'torch._dynamo'} & set(sys.modules)\n"
        "import sympy\n"
        "assert sympy.sqrt(4) == 2\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
