"""`latcpb train`: prepare structures, train the stages, export weights.

The commands of the stages are made from the table `latcpb_cli.train.stages.STAGES`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from latcpb_cli.train.stages import STAGES, Stage

if TYPE_CHECKING:
    from latcpb_cli.train.config import TrainConfig

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
        "Options of the command line take precedence.",
        show_default=False,
    ),
]


def _stage_command(stage: Stage) -> Callable[..., None]:
    """Make the command of a stage; the option for the run of the previous stage is named after that stage."""

    def command(
        data: Data,
        out: Out,
        config: Settings = None,
        steps: Steps = None,
        residues: Residues = None,
        learning_rate: Rate = None,
        seed: Seed = None,
        device: Device = "auto",
        threads: Threads = None,
        **previous: Path,
    ) -> None:
        import torch

        from latcpb_cli.train.trainer import Trainer

        given = {"steps": steps, "residues": residues, "learning_rate": learning_rate, "seed": seed}
        run = next(iter(previous.values()), None)
        settings = _settings(stage, config, run, {k: v for k, v in given.items() if v is not None})
        if threads is not None:
            torch.set_num_threads(threads)
        Trainer(settings, data, out, previous=run, device=device).run()

    signature = inspect.signature(command, eval_str=True)
    data_and_out, others = (list(signature.parameters.values())[part] for part in (slice(2), slice(2, -1)))
    parameters = [*data_and_out, *_previous_option(stage), *others]
    command.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return command


def _previous_option(stage: Stage) -> list[inspect.Parameter]:
    """The parameter for the run of the previous stage; none for the first stage."""
    if stage.previous is None:
        return []
    option = typer.Option(STAGES[stage.previous].option, help=f"Folder of the finished {stage.previous} run.")
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return [inspect.Parameter(stage.previous, kind, annotation=Annotated[Path, option])]


def _settings(
    stage: Stage, config: Path | None, previous: Path | None, given: dict[str, int | float]
) -> TrainConfig:
    """Combine the defaults of a stage or a file with the model of the previous run and given options."""
    from dataclasses import replace

    from latcpb_cli.config import from_json
    from latcpb_cli.train.checkpoint import read_config
    from latcpb_cli.train.config import TrainConfig

    settings = from_json(TrainConfig, config) if config else TrainConfig(steps=stage.steps)
    if previous is not None:
        settings = replace(settings, model=read_config(previous).model)
    return replace(settings, stage=stage.name, **given)  # type: ignore[arg-type]


for _stage in STAGES.values():
    train_app.command(_stage.name, help=_stage.summary)(_stage_command(_stage))


@train_app.command()
def prepare(
    folder: Annotated[Path, typer.Argument(help="Folder of PDB or mmCIF files, searched at any depth.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the packed structures.")],
) -> None:
    """Pack structure files for training."""
    from latcpb_cli.train.prepare import prepare_structures

    packed = prepare_structures(folder, out)
    for line in packed.skipped:
        typer.echo(f"skipped: {line}", err=True)
    typer.echo(f"{packed.chains} chains and {packed.complexes} complexes packed in {out}", err=True)


@train_app.command("import")
def import_(
    out: Annotated[Path, typer.Option("--out", help="Folder for the training run.")],
    stage: Annotated[str, typer.Option(help="Stage after which training goes on.", metavar="STAGE")],
    weights: Annotated[
        str | None, typer.Argument(help="Name or folder of the weights; by default the default model.")
    ] = None,
    cg_layers: Annotated[
        str | None, typer.Option(metavar="N,N,...", help="Layers of the CG encoder to keep, from 0.")
    ] = None,
    denoiser_layers: Annotated[
        str | None, typer.Option(metavar="N,N,...", help="Layers of the denoiser to keep, from 0.")
    ] = None,
    shared_peptide_layers: Annotated[
        int | None,
        typer.Option(
            min=1, help="Replace the encoder of peptide rotations by so many new layers over the CG encoder."
        ),
    ] = None,
    rescoring: Annotated[bool, typer.Option(help="Keep the rescoring of side chains.")] = True,
) -> None:
    """Write weights as a run of a stage: to train them further, or to start a smaller model."""
    from latcpb_cli.train.import_weights import LayerChoice, import_weights

    numbers = _layer_numbers(cg_layers), _layer_numbers(denoiser_layers)
    layers = LayerChoice(*numbers, shared_peptide_layers, rescoring)
    import_weights(weights, out, stage, layers)
    typer.echo(f"a run of stage {stage} in {out}", err=True)


def _layer_numbers(text: str | None) -> list[int] | None:
    """Numbers of layers, with commas between them."""
    from latcpb_cli.errors import UsageError

    if text is None:
        return None
    try:
        return [int(number) for number in text.split(",")]
    except ValueError:
        raise UsageError(f"no numbers of layers: {text!r}", "give numbers with commas, as 0,2") from None


@train_app.command()
def export(
    run: Annotated[Path, typer.Argument(help="Folder of a training run.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the weights, for --weights.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace existing weights.")] = False,
) -> None:
    """Write the weights of a run in the format that backmap reads."""
    from latcpb_cli.train.export import export_weights

    step = export_weights(run, out, overwrite=overwrite)
    typer.echo(f"weights after {step} steps in {out}", err=True)
