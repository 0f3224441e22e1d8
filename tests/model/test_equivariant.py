"""What stands in for e3nn's own evaluation gives the same numbers."""

from __future__ import annotations

import subprocess
import sys

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


def test_what_is_not_used_is_not_loaded() -> None:
    code = (
        "import sys, latcpb_cli.backmapper\n"
        "assert not {'sympy', 'torch._dynamo'} & set(sys.modules)\n"
        "import sympy\n"
        "assert sympy.sqrt(4) == 2\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
