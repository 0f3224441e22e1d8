"""`latcpb train`: prepare structures, train the two stages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["train_app"]

train_app = typer.Typer(help="Train a model of your own.", no_args_is_help=True)

Data = Annotated[Path, typer.Argument(help="Folder with packed structures (latcpb train prepare).")]
Out = Annotated[Path, typer.Option("--out", help="Folder of this run; an interrupted run there is resumed.")]
Steps = Annotated[int, typer.Option(help="Optimizer steps in all.")]
Residues = Annotated[int, typer.Option(help="Residues per batch.")]
Rate = Annotated[float, typer.Option(help="Peak learning rate.")]
Device = Annotated[str, typer.Option(help="cpu or cuda[:n].")]
Threads = Annotated[int | None, typer.Option(help="CPU threads (default: all cores).")]
Seed = Annotated[int, typer.Option(help="Seed of weights, batches and noise.")]
ModelFile = Annotated[Path | None, typer.Option("--model", help="JSON file with a model configuration.")]


@train_app.command()
def autoencoder(
    data: Data,
    out: Out,
    steps: Steps = 5000,
    residues: Residues = 2048,
    learning_rate: Rate = 1e-3,
    model: ModelFile = None,
    seed: Seed = 0,
    device: Device = "cpu",
    threads: Threads = None,
) -> None:
    """Stage 1: all-atom encoder, CG encoder, mixture prior and decoder (eq. 15)."""
    import torch

    from latcpb_cli.config import ModelConfig, from_json
    from latcpb_cli.train.config import TrainConfig
    from latcpb_cli.train.loop import Trainer

    if threads is not None:
        torch.set_num_threads(threads)
    kind = from_json(ModelConfig, model) if model else ModelConfig()
    config = TrainConfig(
        "autoencoder", steps=steps, residues=residues, learning_rate=learning_rate, seed=seed, model=kind
    )
    Trainer(config, data, out, device=device).run()


@train_app.command()
def diffusion(
    data: Data,
    out: Out,
    autoencoder: Annotated[Path, typer.Option(help="Folder of the finished autoencoder run.")],
    steps: Steps = 20000,
    residues: Residues = 2048,
    learning_rate: Rate = 1e-3,
    seed: Seed = 0,
    device: Device = "cpu",
    threads: Threads = None,
) -> None:
    """Stage 2: the denoiser over frozen latents (eq. 16), with CG encoder and decoder."""
    import torch

    from latcpb_cli.train.checkpoint import read_config
    from latcpb_cli.train.config import TrainConfig
    from latcpb_cli.train.loop import Trainer

    if threads is not None:
        torch.set_num_threads(threads)
    kind = read_config(autoencoder).model
    config = TrainConfig(
        "diffusion", steps=steps, residues=residues, learning_rate=learning_rate, seed=seed, model=kind
    )
    Trainer(config, data, out, start_from=autoencoder, device=device).run()


@train_app.command()
def prepare(
    folder: Annotated[Path, typer.Argument(help="Folder of PDB or mmCIF files, searched at any depth.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the packed structures.")],
) -> None:
    """Pack structure files for training."""
    from latcpb_cli.train.prepare import prepare_structures

    count, skipped = prepare_structures(folder, out)
    for line in skipped:
        typer.echo(f"skipped: {line}", err=True)
    typer.echo(f"{count} chains packed in {out}", err=True)


@train_app.command()
def export(
    run: Annotated[Path, typer.Argument(help="Folder of a training run.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the weights, for --weights.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace weights that are there.")] = False,
) -> None:
    """Write a run's weights in the form that backmap reads."""
    from latcpb_cli.train.export import export_weights

    step = export_weights(run, out, overwrite=overwrite)
    typer.echo(f"weights after {step} steps in {out}", err=True)
