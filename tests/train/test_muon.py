"""Muon: updates with similar singular values, on the matrices inside transformer layers."""

from __future__ import annotations

import torch
from tiny import tiny_model

from latcpb_cli.train.muon import Muon, hidden_matrices


def condition_number(matrix: torch.Tensor) -> float:
    sizes = torch.linalg.svdvals(matrix.detach())
    return float(sizes.max() / sizes.min())


def test_an_update_has_similar_singular_values() -> None:
    matrix = torch.nn.Parameter(torch.zeros(48, 24))
    generator = torch.Generator().manual_seed(0)
    matrix.grad = torch.randn(48, 24, generator=generator) * torch.logspace(0, -1.0, 24)
    Muon([matrix], lr=0.1, weight_decay=0.0).step()
    assert condition_number(matrix) < 2.5 < condition_number(matrix.grad)
    assert float((matrix.grad * matrix.detach()).sum()) < 0  # downhill


def test_it_reaches_the_minimum_of_a_quadratic() -> None:
    minimum = torch.randn(16, 16, generator=torch.Generator().manual_seed(1))
    matrix = torch.nn.Parameter(torch.zeros(16, 16))
    optimizer = Muon([matrix], lr=0.2, weight_decay=0.0)
    for step in range(200):
        optimizer.param_groups[0]["lr"] = 0.2 * (1 - step / 200)
        matrix.grad = (matrix - minimum).detach()
        optimizer.step()
    assert float((matrix.detach() - minimum).norm() / minimum.norm()) < 0.1


def test_hidden_matrices_are_those_of_transformer_layers() -> None:
    model = tiny_model()
    names = {id(p): name for name, p in model.named_parameters()}
    hidden = {names[id(p)] for p in hidden_matrices([model.cg_encoder, model.decoder, model.denoiser])}
    assert "cg_encoder.transformer.layers.0.attention.key_value.weight" in hidden
    assert "decoder.message_passing.layers.0.mlp.0.weight" in hidden
    expected = {
        name
        for name, p in model.named_parameters()
        if ".layers." in name and p.ndim == 2 and not name.startswith("atom_encoder")
    }
    assert hidden == expected
