"""A model small enough for tests, and inputs for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from latcpb_cli.chem.residues import letter_index
from latcpb_cli.config import DiffusionConfig, ModelConfig, to_json
from latcpb_cli.model.latcpb import LatCPB
from latcpb_cli.predictor import Predictor
from latcpb_cli.weights import CONFIG_FILE, MODEL_FILE, write_checksums

__all__ = [
    "TINY",
    "SEQUENCE",
    "coil",
    "perturb",
    "random_latent",
    "tiny_model",
    "tiny_predictor",
    "tiny_weights",
    "trace_tensors",
]

TINY = ModelConfig(
    dim=24,
    heads=2,
    pair_dim=8,
    key_dim=8,
    cg_layers=1,
    denoiser_layers=1,
    peptide_layers=1,
    channels=4,
    neighbors=8,
    latent=8,
    schedule=DiffusionConfig(steps=20),
)
SEQUENCE = "MKTAYIAKQRQISFVKPGDNWLECH"


def tiny_model(seed: int = 0, **changes) -> LatCPB:
    """The paper's model with random weights, always the same for a seed."""
    torch.manual_seed(seed)
    return LatCPB(replace(TINY, **changes)).eval().requires_grad_(False)


def tiny_predictor(seed: int = 0, **changes) -> Predictor:
    """The model and its heads with random weights, always the same for a seed."""
    torch.manual_seed(seed)
    return Predictor(replace(TINY, **changes)).eval().requires_grad_(False)


def perturb(module: nn.Module, seed: int, scale: float = 0.1) -> None:
    """Add random numbers to all parameters: many are zero before training, and a head then has no effect."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in module.parameters():
        parameter.data += scale * torch.randn(parameter.shape, generator=generator)


def random_latent(seed: int = 0, length: int = len(SEQUENCE)) -> torch.Tensor:
    """Latents between zero and one, always the same for a seed."""
    return torch.rand(length, TINY.latent, generator=torch.Generator().manual_seed(seed))


def tiny_weights(folder: Path) -> Path:
    """The predictor as a folder that ``--weights`` takes."""
    folder.mkdir()
    save_file(tiny_predictor().state_dict(), folder / MODEL_FILE)
    (folder / CONFIG_FILE).write_text(to_json(TINY))
    write_checksums(folder)
    return folder


def coil(length: int) -> torch.Tensor:
    """A right-handed helix of Cα, 3.8 Å apart, with a slight wobble."""
    angle = torch.arange(length) * 1.745
    points = torch.stack([2.3 * torch.cos(angle), 2.3 * torch.sin(angle), 1.5 * torch.arange(length)], dim=-1)
    return points + 0.15 * torch.sin(3.1 * torch.arange(length)[:, None] + torch.tensor([0.0, 1.0, 2.0]))


def trace_tensors(sequence: str = SEQUENCE) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Cα, residue types and links of one chain."""
    linked = torch.ones(len(sequence), dtype=torch.bool)
    linked[-1] = False
    return coil(len(sequence)), torch.from_numpy(letter_index(sequence)), linked
