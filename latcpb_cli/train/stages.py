"""The stages of training, one entry each: adding a stage is adding an entry.

The table is plain data, without torch: losses and initializations are named ``module:function`` as entry
points are, and parts are named as modules of `latcpb_cli.predictor.Predictor`. The command line makes one
command of each entry.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from latcpb_cli.errors import UsageError

__all__ = ["STAGES", "Stage", "get_stage"]


@dataclass(frozen=True)
class Stage:
    """One stage of training.

    Attributes
    ----------
    name : str
        Also the name of its command, and of the option by which the next stage gets a run of this one.
    previous : str or None
        The stage whose weights it starts from; None for the first.
    summary : str
        Help text of its command.
    parts : tuple of str
        Modules of the predictor that are trained; those that a configuration lacks are left out.
    loss : str
        ``module:function`` of a `latcpb_cli.train.losses.Loss`.
    steps : int
        Default number of optimizer steps.
    initialize : str or None
        ``module:function`` of a `latcpb_cli.train.initialization.Initialize` that runs before the first step.
    dropout_everywhere : bool
        Whether dropout acts on the frozen parts as well.
    complexes : bool
        Whether complexes are trained on, where the data hold some, and chains of theirs in no other way.
    backbones : bool
        Whether backbones without side chains are trained on, where the data hold some.
    given_backbones : bool
        Whether some structures keep their native backbone, as with `--keep-backbone`.
    adds : str or None
        Setting of the model that becomes true: the part that this stage adds.
    ca_noise : bool
        Whether structures get noise on their Cα; a loss that samples noise of its own needs none.
    latent_diffusion, internal_coordinates : bool
        Whether the stage needs a model with diffusion, and one that decodes internal coordinates.
    """

    name: str
    previous: str | None
    summary: str
    parts: tuple[str, ...]
    loss: str
    steps: int = 5000
    initialize: str | None = None
    dropout_everywhere: bool = False
    complexes: bool = False
    backbones: bool = False
    given_backbones: bool = False
    adds: str | None = None
    ca_noise: bool = True
    latent_diffusion: bool = True
    internal_coordinates: bool = True

    @property
    def option(self) -> str:
        """The option by which the next stage gets a run of this one."""
        return f"--{self.name}"

    def load_loss(self) -> Callable[..., Any]:
        """Import the loss function."""
        return _resolve(self.loss)

    def load_initialize(self) -> Callable[..., Any] | None:
        """Import the initialization function, if there is one."""
        return None if self.initialize is None else _resolve(self.initialize)


def _resolve(name: str) -> Callable[..., Any]:
    function: Callable[..., Any] = pkgutil.resolve_name(name)
    return function


STAGES: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage(
            "autoencoder",
            previous=None,
            summary="Stage 1: all-atom encoder, CG encoder, mixture prior and decoder (eq. 15).",
            parts=("latcpb.atom_encoder", "latcpb.cg_encoder", "latcpb.decoder", "latcpb.prior"),
            loss="latcpb_cli.train.losses:autoencoder_loss",
            latent_diffusion=False,
            internal_coordinates=False,
        ),
        Stage(
            "diffusion",
            previous="autoencoder",
            summary="Stage 2: denoiser over latents of the frozen all-atom encoder (eq. 16), with CG encoder "
            "and decoder.",
            parts=("latcpb.cg_encoder", "latcpb.decoder", "latcpb.denoiser"),
            loss="latcpb_cli.train.losses:diffusion_loss",
            complexes=True,
            initialize="latcpb_cli.train.initialization:measure_latents",
            internal_coordinates=False,
        ),
        Stage(
            "peptides",
            previous="diffusion",
            summary="Stage 3: encoder of the rotations of peptides, for best mode.",
            parts=("peptide_rotations",),
            loss="latcpb_cli.train.head_losses:peptides_loss",
            initialize="latcpb_cli.train.initialization:copy_cg_encoder",
            backbones=True,
        ),
        Stage(
            "packing",
            previous="peptides",
            summary="Stage 4: contact energies by which side chains are packed together.",
            parts=("packing",),
            loss="latcpb_cli.train.head_losses:packing_loss",
            complexes=True,
        ),
        Stage(
            "rescoring",
            previous="packing",
            summary="Stage 5: correction of the probabilities of packed side chains.",
            parts=("rescoring",),
            loss="latcpb_cli.train.head_losses:rescoring_loss",
            complexes=True,
            given_backbones=True,
            # The frozen parts are surer of their training chains than of others. With dropout they are less
            # sure, and the correction learns from probabilities like those of chains outside training.
            dropout_everywhere=True,
        ),
        Stage(
            "beads",
            previous="rescoring",
            summary="Stage 6: encoder of beads at centres of mass, which places the Cα of these residues.",
            parts=("bead_encoder",),
            loss="latcpb_cli.train.bead_losses:beads_loss",
            adds="com_beads",
            ca_noise=False,
        ),
    )
}
"""All stages by name, in the order in which they are trained."""


def get_stage(name: str) -> Stage:
    """Look up a stage.

    Raises
    ------
    UsageError
        There is none of this name.
    """
    if name not in STAGES:
        raise UsageError(f"there is no training stage '{name}'", f"choose from {', '.join(STAGES)}")
    return STAGES[name]
