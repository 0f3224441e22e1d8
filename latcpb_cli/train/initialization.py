"""What stages do to the predictor before their first step."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch

from latcpb_cli.predictor import Predictor
from latcpb_cli.train.batch import Batch

__all__ = ["Initialize", "copy_cg_encoder", "measure_latents"]

Initialize = Callable[[Predictor, Iterable[Batch]], None]
"""Changes a predictor in place, with the help of some batches."""

_MIN_LATENT_STD = 0.02


@torch.no_grad()
def measure_latents(predictor: Predictor, batches: Iterable[Batch]) -> None:
    """Set mean and standard deviation of the latents, which diffusion scales to zero and one."""
    model, latents = predictor.latcpb, []
    for batch in batches:
        graph = model.build_graph(batch.ca, batch.types, batch.linked, batch.sizes)
        latents.append(model.atom_encoder(batch.atoms, batch.present, graph)[0])
    values = torch.cat(latents)
    model.latent_mean.copy_(values.mean(0))
    model.latent_std.copy_(values.std(0).clamp(min=_MIN_LATENT_STD))


def copy_cg_encoder(predictor: Predictor, batches: Iterable[Batch]) -> None:
    """Start the encoder of peptide rotations from the weights of the CG encoder."""
    assert predictor.peptide_rotations is not None
    predictor.peptide_rotations.init_from(predictor.latcpb.cg_encoder)
