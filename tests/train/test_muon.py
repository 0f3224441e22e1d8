"""Muon: updates whose singular values are all alike, on the matrices it is meant for."""

from __future__ import annotations

import torch
from tiny import tiny_model

from latcpb_cli.train.muon import Muon, hidden_matrices


def test_an_update_turns_all_directions_alike() -> None:
    matrix = torch.nn.Parameter(torch.zeros(48, 24))
    generator = torch.Generator().manual_seed(0)
    matrix.grad = torch.randn(48, 24, generator=generator) * torch.logspace(0, -1.0, 24)
    Muon([matrix], lr=0.1, weight_decay=0.0).step()
    sizes = torch.linalg.svdvals(matrix.detach())
    assert (
        sizes.max() / sizes.min()
        < 2.5
        < torch.linalg.svdvals(matrix.grad).max() / torch.linalg.svdvals(matrix.grad).min()
    )
    assert float((matrix.grad * matrix.detach()).sum()) < 0  # downhill


def test_it_reaches_the_minimum_of_a_quadratic() -> None:
    goal = torch.randn(16, 16, generator=torch.Generator().manual_seed(1))
    matrix = torch.nn.Parameter(torch.zeros(16, 16))
    for step in range(200):
        optimizer = Muon([matrix], lr=0.2, weight_decay=0.0) if step == 0 else optimizer
        optimizer.param_groups[0]["lr"] = 0.2 * (1 - step / 200)
        matrix.grad = (matrix - goal).detach()
        optimizer.step()
    assert float((matrix - goal).norm() / goal.norm()) < 0.1


def test_hidden_matrices_are_those_of_transformer_layers() -> None:
    model = tiny_model()
    named = {id(p): name for name, p in model.named_parameters()}
    found = {named[id(p)] for p in hidden_matrices([model.cg_encoder, model.decoder, model.denoiser])}
    assert "cg_encoder.trunk.layers.0.attention.ask.weight" in found
    assert "decoder.messages.layers.0.mlp.0.weight" in found
    assert not [name for name in found if "norm" in name or ".bias" in name or "odds" in name]
