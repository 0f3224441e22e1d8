"""Settings of a training run; saved beside its checkpoints."""

from __future__ import annotations

from dataclasses import dataclass, field

from latcpb_cli.config import ModelConfig

__all__ = ["LossWeights", "TrainConfig"]


@dataclass(frozen=True)
class LossWeights:
    """Weights of the terms of all losses; a term has the name of its weight.

    Attributes
    ----------
    cartesian, length, angle, torsion : float
        Terms of equation 12.
    rotamer, bend : float
        Cross-entropy of rotameric states, and bond angles in side chains with the twist of peptides.
    steric : float
        Equation 13.
    mixture, contrastive : float
        Equations 11 and 14.
    code_usage : float
        Keeps all codes in use and each residue decided; see `latcpb_cli.model.codes.usage_loss`.
    kl, condition : float
        The KL term of equation 15, and its counterpart that fits the CG encoder's Gaussian to the fixed
        posterior.
    velocity : float
        Equation 16.
    denoised : float
        The terms of equation 12 on atoms decoded from denoised latents, all together.
    peptide_nll, peptide_direction : float
        Negative log-likelihood of peptide rotations, and squared error of their mean direction.
    conditional_nll, mean_field_nll, chi_std : float
        Negative log-likelihood of rotameric states given those of all other residues, the same in the mean
        field, and the error of the standard deviation of chi angles.
    rescoring_nll : float
        Negative log-likelihood of rotameric states after rescoring.
    energy_score : float
        Energy score of atoms after rescoring, per Å².
    bead_nll, bead_error : float
        Negative log-likelihood, and squared error (Å²), of the Cα that beads at centres of mass predict.
    """

    cartesian: float = 1.0
    length: float = 1.0
    angle: float = 1.0
    torsion: float = 1.0
    rotamer: float = 0.5
    bend: float = 1.0
    steric: float = 0.3
    mixture: float = 0.02
    contrastive: float = 0.1
    code_usage: float = 0.1
    kl: float = 0.02
    condition: float = 0.5
    velocity: float = 1.0
    denoised: float = 1.0
    peptide_nll: float = 1.0
    peptide_direction: float = 1.0
    conditional_nll: float = 1.0
    mean_field_nll: float = 1.0
    chi_std: float = 1.0
    rescoring_nll: float = 1.0
    energy_score: float = 0.1
    bead_nll: float = 0.3
    bead_error: float = 1.0


@dataclass(frozen=True)
class TrainConfig:
    """Settings of one stage.

    Attributes
    ----------
    stage : str
        Name of an entry of `latcpb_cli.train.stages.STAGES`.
    steps : int
        Length of the run. The learning rate rises over ``warmup`` steps, stays constant, and falls to zero
        over the last ``cooldown`` fraction of the run, so that a run can be lengthened on resume.
    residues, window : int
        Residues per batch, and the most of one chain or complex.
    learning_rate, weight_decay : float
    warmup : int
    cooldown : float
    gradient_clip : float
        Largest norm of the gradient.
    max_ca_noise, noise_probability : float
        Largest scale (Å) of the noise on Cα, and the probability that a structure gets any.
    dropout : float
        Dropout probability of the trained parts, or of the whole network where the stage says so.
    pure_noise_probability : float
        Probability that a structure is denoised from the last noise level, where best mode makes its only
        step.
    ensemble_probability : float
        Probability that a structure of a batch comes from an ensemble, if it is no complex and no backbone.
    complex_probability : float
        Probability that a structure of a batch is a complex, in stages that use them. The default is about
        the fraction of clusters that are complexes in the data of the model of this package.
    backbone_probability : float
        Probability that a structure of a batch is a backbone without side chains, in stages that use them.
    given_backbone_probability : float
        Probability that the backbone of a structure is given, in stages that learn from given backbones.
    ema_decay : float
        Decay of the running average of weights, which is the result of the run.
    seed : int
    model : ModelConfig
    weights : LossWeights
    """

    stage: str = "autoencoder"
    steps: int = 5000
    residues: int = 2048
    window: int = 320
    learning_rate: float = 1e-3
    warmup: int = 200
    cooldown: float = 0.3
    weight_decay: float = 0.01
    gradient_clip: float = 1.0
    max_ca_noise: float = 0.3
    noise_probability: float = 0.3
    dropout: float = 0.0
    pure_noise_probability: float = 1 / 3
    ensemble_probability: float = 0.1
    complex_probability: float = 1 / 3
    backbone_probability: float = 0.8
    given_backbone_probability: float = 0.35
    ema_decay: float = 0.998
    seed: int = 0
    model: ModelConfig = field(default_factory=ModelConfig)
    weights: LossWeights = field(default_factory=LossWeights)
