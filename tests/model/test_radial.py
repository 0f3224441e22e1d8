"""Gaussian radial basis: the functions of its definition, and nothing else far away."""

import torch

from latcpb_cli.model.radial import GaussianBasis


def test_functions_are_gaussians_at_evenly_spaced_centers():
    basis = GaussianBasis(first=2.0, last=8.0, width=1.5, count=4)
    distance = torch.tensor([0.0, 2.0, 4.7, 8.0])
    expected = torch.exp(-(((distance[:, None] - torch.tensor([2.0, 4.0, 6.0, 8.0])) / 1.5) ** 2))
    torch.testing.assert_close(basis(distance), expected, rtol=1e-5, atol=1e-7)
    assert torch.equal(basis(torch.tensor([[60.0]])), torch.zeros(1, 1, 4))
