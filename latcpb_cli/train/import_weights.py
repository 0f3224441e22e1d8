"""From a folder of weights to a training run, for more training or for a smaller model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor

from latcpb_cli.config import ModelConfig
from latcpb_cli.errors import OutputExistsError, UsageError
from latcpb_cli.hub import resolve_weights
from latcpb_cli.model.attention import NeighborTransformer
from latcpb_cli.predictor import Predictor
from latcpb_cli.train.checkpoint import has_checkpoint, save_checkpoint
from latcpb_cli.train.config import TrainConfig
from latcpb_cli.train.stages import get_stage

__all__ = ["LayerChoice", "import_weights"]


@dataclass(frozen=True)
class LayerChoice:
    """Parts of a trained model that a smaller one starts from; None for all layers.

    Attributes
    ----------
    cg, denoiser : sequence of int, or None
        Numbers of transformer layers, from 0, in ascending order.
    shared_peptide : int or None
        Number of new layers, over the features of the CG encoder, in place of the encoder of peptide
        rotations.
    rescoring : bool
        Whether the rescoring is kept, if there is one.
    """

    cg: Sequence[int] | None = None
    denoiser: Sequence[int] | None = None
    shared_peptide: int | None = None
    rescoring: bool = True


def import_weights(weights: str | Path | None, out: Path, stage: str, layers: LayerChoice) -> None:
    """Write weights as a finished run of a stage, from which the next stage starts.

    Parameters
    ----------
    weights : str, Path or None
        Name or folder of the weights; the default model where there is none.
    out : Path
        Folder of the run.
    stage : str
        Stage that the weights have passed.
    layers : LayerChoice
        Layers that the model keeps. Replaced layers have random weights.

    Raises
    ------
    OutputExistsError
        ``out`` holds a run.
    UsageError
        There is no such stage or layer.
    WeightsError
        There are no such weights, or they are damaged.
    """
    get_stage(stage)
    if has_checkpoint(out):
        raise OutputExistsError(f"{out} holds a training run", "give another folder")
    files = resolve_weights(weights)
    predictor = Predictor.load(files.config, files.model)
    config = predictor.config
    if layers.cg is not None:
        _keep_layers(predictor.latcpb.cg_encoder.transformer, layers.cg)
        config = replace(config, cg_layers=len(layers.cg))
    if layers.denoiser is not None:
        if predictor.latcpb.denoiser is None:
            raise UsageError("this model has no denoiser", "leave out --denoiser-layers")
        _keep_layers(predictor.latcpb.denoiser.transformer, layers.denoiser)
        config = replace(config, denoiser_layers=len(layers.denoiser))
    state = predictor.state_dict()
    if layers.shared_peptide is not None:
        config = replace(config, shared_encoder=True, peptide_layers=layers.shared_peptide)
        state = {name: value for name, value in state.items() if not name.startswith("peptide_rotations.")}
    if not layers.rescoring:
        config = replace(config, rescoring=False)
        state = {name: value for name, value in state.items() if not name.startswith("rescoring.")}
    _save(out, stage, config, state)


def _keep_layers(transformer: NeighborTransformer, layers: Sequence[int]) -> None:
    count = len(transformer.layers)
    if not layers or sorted(set(layers)) != list(layers) or not 0 <= layers[0] <= layers[-1] < count:
        raise UsageError(
            f"no choice of layers: {','.join(map(str, layers))}",
            f"give ascending numbers from 0 to {count - 1}, for instance 0,{count - 1}",
        )
    transformer.keep_layers(layers)


def _save(out: Path, stage: str, model: ModelConfig, state: dict[str, Tensor]) -> None:
    """Write a run of no steps; parts that ``state`` lacks have random weights."""
    smaller = Predictor(model)
    smaller.load_state_dict(smaller.state_dict() | state)
    out.mkdir(parents=True, exist_ok=True)
    config = TrainConfig(stage=stage, steps=0, model=model)
    save_checkpoint(out, 0, smaller, smaller.state_dict(), [], config)
