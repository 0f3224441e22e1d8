"""`latcpb train`: prepare structures, train the stages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from latcpb_cli.train.config import Stage

__all__ = ["train_app"]

train_app = typer.Typer(help="Train a model of your own.", no_args_is_help=True)

Data = Annotated[Path, typer.Argument(help="Folder with packed structures (latcpb train prepare).")]
Out = Annotated[Path, typer.Option("--out", help="Folder of this run; an interrupted run there is resumed.")]
Steps = Annotated[int | None, typer.Option(help="Optimizer steps in all.", show_default=False)]
Residues = Annotated[int | None, typer.Option(help="Residues per batch.", show_default=False)]
Rate = Annotated[float | None, typer.Option(help="Peak learning rate.", show_default=False)]
Seed = Annotated[int | None, typer.Option(help="Seed of weights, batches, noise.", show_default=False)]
Device = Annotated[str, typer.Option(metavar="auto|cpu|cuda[:N]")]
Threads = Annotated[int | None, typer.Option(help="CPU threads (default: all cores).", show_default=False)]
Settings = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="JSON file with any settings of a run, for instance the train.json of another one. "
        "Options given here win over it.",
        show_default=False,
    ),
]


@train_app.command()
def autoencoder(
    data: Data,
    out: Out,
    config: Settings = None,
    steps: Steps = None,
    residues: Residues = None,
    learning_rate: Rate = None,
    seed: Seed = None,
    device: Device = "auto",
    threads: Threads = None,
) -> None:
    """Stage 1: all-atom encoder, CG encoder, mixture prior and decoder (eq. 15)."""
    given = {"steps": steps, "residues": residues, "learning_rate": learning_rate, "seed": seed}
    _train("autoencoder", data, out, config, given, device, threads)


@train_app.command()
def diffusion(
    data: Data,
    out: Out,
    autoencoder: Annotated[Path, typer.Option(help="Folder of the finished autoencoder run.")],
    config: Settings = None,
    steps: Steps = None,
    residues: Residues = None,
    learning_rate: Rate = None,
    seed: Seed = None,
    device: Device = "auto",
    threads: Threads = None,
) -> None:
    """Stage 2: the denoiser over frozen latents (eq. 16), with CG encoder and decoder."""
    given = {"steps": steps, "residues": residues, "learning_rate": learning_rate, "seed": seed}
    _train("diffusion", data, out, config, given, device, threads, start_from=autoencoder)


@train_app.command()
def peptides(
    data: Data,
    out: Out,
    diffusion: Annotated[Path, typer.Option(help="Folder of the finished diffusion run.")],
    config: Settings = None,
    steps: Steps = None,
    residues: Residues = None,
    learning_rate: Rate = None,
    seed: Seed = None,
    device: Device = "auto",
    threads: Threads = None,
) -> None:
    """Stage 3: the encoders that judge how peptides turn, for best mode."""
    given = {"steps": steps, "residues": residues, "learning_rate": learning_rate, "seed": seed}
    _train("peptides", data, out, config, given, device, threads, start_from=diffusion)


@train_app.command()
def packing(
    data: Data,
    out: Out,
    peptides: Annotated[Path, typer.Option(help="Folder of the finished peptides run.")],
    config: Settings = None,
    steps: Steps = None,
    residues: Residues = None,
    learning_rate: Rate = None,
    seed: Seed = None,
    device: Device = "auto",
    threads: Threads = None,
) -> None:
    """Stage 4: contact energies by which side chains are packed together."""
    given = {"steps": steps, "residues": residues, "learning_rate": learning_rate, "seed": seed}
    _train("packing", data, out, config, given, device, threads, start_from=peptides)


@train_app.command()
def rescoring(
    data: Data,
    out: Out,
    packing: Annotated[Path, typer.Option(help="Folder of the finished packing run.")],
    config: Settings = None,
    steps: Steps = None,
    residues: Residues = None,
    learning_rate: Rate = None,
    seed: Seed = None,
    device: Device = "auto",
    threads: Threads = None,
) -> None:
    """Stage 5: the second look at packed side chains."""
    given = {"steps": steps, "residues": residues, "learning_rate": learning_rate, "seed": seed}
    _train("rescoring", data, out, config, given, device, threads, start_from=packing)


def _train(
    stage: Stage,
    data: Path,
    out: Path,
    config: Path | None,
    given: dict[str, Any],
    device: str,
    threads: int | None,
    start_from: Path | None = None,
) -> None:
    """Put the settings together and run a stage to its end."""
    from dataclasses import replace

    import torch

    from latcpb_cli.config import from_json
    from latcpb_cli.train.checkpoint import read_config
    from latcpb_cli.train.config import TrainConfig
    from latcpb_cli.train.loop import Trainer

    settings = from_json(TrainConfig, config) if config else TrainConfig(stage)
    chosen = {name: value for name, value in given.items() if value is not None}
    settings = replace(settings, stage=stage, **chosen)
    if start_from is not None:
        settings = replace(settings, model=read_config(start_from).model)
    if threads is not None:
        torch.set_num_threads(threads)
    Trainer(settings, data, out, start_from=start_from, device=device).run()


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
