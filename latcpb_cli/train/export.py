"""From a training run to a folder of weights for `latcpb backmap`."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import save_file

from latcpb_cli.config import to_json
from latcpb_cli.errors import OutputExistsError, UsageError
from latcpb_cli.predictor import Predictor
from latcpb_cli.train.checkpoint import load_predictor, read_config
from latcpb_cli.weights import CONFIG_FILE, MODEL_FILE, write_checksums

__all__ = ["export_weights"]


def export_weights(run: Path, out: Path, *, overwrite: bool = False) -> int:
    """Write the averaged weights of a run in 16 bits, its model's configuration and their sha256.

    Parameters
    ----------
    run, out : Path
        Folder of the run, and folder of the weights.
    overwrite : bool
        Whether weights that exist are replaced.

    Returns
    -------
    int
        Optimizer steps of the run.

    Raises
    ------
    OutputExistsError
        ``out`` holds weights.
    UsageError
        The run is one of the first stage, of a model with diffusion.
    WeightsError
        ``run`` holds no run of this version.
    """
    if (out / MODEL_FILE).exists() and not overwrite:
        raise OutputExistsError(f"{out / MODEL_FILE} is already there", "use --overwrite, or another folder")
    config = read_config(run)
    if config.stage == "autoencoder" and config.model.diffusion:
        raise UsageError(f"{run} holds the first stage only", "train the diffusion stage, then export that")
    predictor = Predictor(config.model)
    step = load_predictor(run, predictor)
    out.mkdir(parents=True, exist_ok=True)
    tensors = {
        key: (value.half() if value.is_floating_point() else value).contiguous()
        for key, value in predictor.state_dict().items()
    }
    save_file(tensors, out / MODEL_FILE)
    (out / CONFIG_FILE).write_text(to_json(config.model))
    write_checksums(out)
    return step
