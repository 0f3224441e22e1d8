"""Noise of beads in training: none, independent, or that of an elastic network."""

from __future__ import annotations

from pathlib import Path

import torch

from latcpb_cli.io.all_atom import read_all_atom
from latcpb_cli.train.bead_noise import sample_bead_noise, thermal_motion

CA = torch.from_numpy(
    read_all_atom(Path(__file__).parents[2] / "examples" / "tnc_allatom.pdb").atoms[0, :, 1]
)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_some_structures_have_noise_and_others_none() -> None:
    positions = CA.repeat(40, 1)
    noise = sample_bead_noise(positions, [len(CA)] * 40, generator()).view(40, -1)
    size = noise.pow(2).mean(1).sqrt()
    assert 8 <= int((size == 0).sum()) <= 24 and 0.3 < float(size.max()) < 1.0


def test_neighbours_in_a_network_move_together_and_not_as_a_whole() -> None:
    white = torch.randn(len(CA), 3, generator=generator())
    moved = thermal_motion(CA, white)
    assert 0.2 < float(moved.pow(2).mean().sqrt()) < 0.7
    assert float((moved[1:] * moved[:-1]).mean()) > 0.3 * float(moved.pow(2).mean())
    assert float(moved.mean(0).norm()) < 1e-3
    bonds = (CA + moved)[1:] - (CA + moved)[:-1]
    change = bonds.norm(dim=-1) - (CA[1:] - CA[:-1]).norm(dim=-1)
    assert 0.1 < float(change.std()) < 0.3  # k of the bonds at 300 K: 0.18 Å
