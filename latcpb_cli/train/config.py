"""What a training run is made of; saved with its checkpoints."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from latcpb_cli.config import ModelConfig
from latcpb_cli.train.stages import LossWeights

__all__ = ["Stage", "TrainConfig"]

Stage = Literal["autoencoder", "diffusion", "peptides", "packing", "rescoring"]


@dataclass(frozen=True)
class TrainConfig:
    """Settings of one stage.

    Attributes
    ----------
    stage : {"autoencoder", "diffusion", "peptides", "packing", "rescoring"}
    steps : int
        Length of the run; the learning rate is constant, then falls to zero
        over the last ``cooldown`` share, so a run can be lengthened on resume.
    residues, window : int
        Residues per batch, and the longest stretch of one chain.
    noise, noisy_share : float
        Cα noise: largest scale (Å) and the share of structures that get any.
    dropout : float
        Share of attention and of what transformer layers add that is left out while these are trained;
        in the last stage, of all layers and of the second look.
    pure_noise : float
        Share of structures denoised from the last noise level, where best mode makes its only step.
    ensembles : float
        Share of draws from ensembles.
    ema : float
        Decay of the running average of weights that is evaluated and kept.
    """

    stage: Stage = "autoencoder"
    steps: int = 5000
    residues: int = 2048
    window: int = 320
    learning_rate: float = 1e-3
    warmup: int = 200
    cooldown: float = 0.3
    weight_decay: float = 0.01
    clip: float = 1.0
    noise: float = 0.3
    noisy_share: float = 0.3
    dropout: float = 0.0
    pure_noise: float = 1 / 3
    ensembles: float = 0.1
    ema: float = 0.998
    seed: int = 0
    model: ModelConfig = field(default_factory=ModelConfig)
    weights: LossWeights = field(default_factory=LossWeights)
