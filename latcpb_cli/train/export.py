"""From a training run to a folder of weights that ships."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import save_file

from latcpb_cli.config import to_json
from latcpb_cli.errors import OutputExistsError, UsageError
from latcpb_cli.model.latcpb import LatCPB
from latcpb_cli.train.checkpoint import load_model, read_config
from latcpb_cli.weights import CONFIG_FILE, MODEL_FILE, write_checksums

__all__ = ["export_weights"]


def export_weights(run: Path, out: Path, *, overwrite: bool = False) -> int:
    """Write a run's averaged weights in 16 bits, its configuration and their sha256.

    Returns
    -------
    int
        Optimizer steps the weights have seen.

    Raises
    ------
    OutputExistsError, UsageError, WeightsError
    """
    if (out / MODEL_FILE).exists() and not overwrite:
        raise OutputExistsError(f"{out / MODEL_FILE} is already there", "use --overwrite, or another folder")
    if read_config(run).stage == "autoencoder" and read_config(run).model.diffusion:
        raise UsageError(f"{run} holds the first stage only", "train the diffusion stage, then export that")
    config = read_config(run).model
    model = LatCPB(config)
    step = load_model(run, model)
    out.mkdir(parents=True, exist_ok=True)
    tensors = {
        key: (value.half() if value.is_floating_point() else value).contiguous()
        for key, value in model.state_dict().items()
    }
    save_file(tensors, out / MODEL_FILE)
    (out / CONFIG_FILE).write_text(to_json(config))
    write_checksums(out)
    return step
