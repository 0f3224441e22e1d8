"""The training loop of all stages: steps, running average, log, checkpoints, resume."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from latcpb_cli.device import resolve_device
from latcpb_cli.diffusion.schedule import Schedule
from latcpb_cli.errors import UsageError
from latcpb_cli.model.codes import perplexity
from latcpb_cli.predictor import Predictor
from latcpb_cli.train.backbones import has_backbones, load_backbones
from latcpb_cli.train.batch import Batch, make_batch
from latcpb_cli.train.checkpoint import (
    has_checkpoint,
    has_config,
    load_checkpoint,
    load_predictor,
    read_config,
    save_checkpoint,
)
from latcpb_cli.train.complexes import load_training_structures
from latcpb_cli.train.config import TrainConfig
from latcpb_cli.train.losses import LossContext, weighted_sum
from latcpb_cli.train.muon import Muon, hidden_matrices
from latcpb_cli.train.stages import Stage, get_stage
from latcpb_cli.train.structures import StructureSet

__all__ = ["Trainer"]

_LOG_EVERY = 20
_SAVE_SECONDS = 180.0
_INITIALIZATION_BATCHES = 16
_FIRST_INITIALIZATION_STEP = 2**31  # batches of initialization are those of steps that no run reaches


class Trainer:
    """One stage of training in one folder.

    The folder receives ``train.json``, ``checkpoint.safetensors`` and ``log.jsonl``. A second run on the same
    folder goes on where the first stopped, with the same losses as an uninterrupted one.

    Parameters
    ----------
    config : TrainConfig
    data : Path
        A folder for `load_training_structures`.
    out : Path
        Folder of this run.
    previous : Path, optional
        Folder of a run of the previous stage; needed for all stages but the first.
    device : str

    Raises
    ------
    UsageError
        The folders do not fit the configuration.
    InputError
        There are no packed structures.
    """

    def __init__(
        self,
        config: TrainConfig,
        data: Path,
        out: Path,
        *,
        previous: Path | None = None,
        device: str = "cpu",
    ) -> None:
        self.stage = get_stage(config.stage)
        if self.stage.adds is not None:
            setting: Any = {self.stage.adds: True}
            config = replace(config, model=replace(config.model, **setting))
        if has_config(out) and replace(read_config(out), steps=config.steps) != config:
            raise UsageError(
                f"{out} holds a run with other settings", "give another --out, or the same settings"
            )
        self.config, self.out, self.device = config, out, torch.device(resolve_device(device))
        out.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(config.seed)
        self.predictor = Predictor(config.model).to(self.device)
        self.structures = self._load_structures(data)
        self.schedule = Schedule.from_config(config.model.schedule, self.device)
        _load_previous(previous, self.stage, config, self.predictor)
        self._prepare_training()
        self._cut_log()

    def run(self) -> None:
        """Train to the configured number of steps."""
        last_save = started = time.monotonic()
        residues = 0
        sums: dict[str, Tensor] = {}
        while self.step < self.config.steps:
            terms = self._train_step()
            residues += self.config.residues
            for key, value in terms.items():
                sums[key] = sums.get(key, 0) + value.detach()
            self.step += 1
            if self.step % _LOG_EVERY:
                continue
            self._log(sums, residues / (time.monotonic() - started))
            sums = {}
            # Only between rows of the log, so that a resumed run writes the rows of an uninterrupted one.
            if time.monotonic() - last_save > _SAVE_SECONDS:
                self.save()
                last_save = time.monotonic()
        self.save()

    def save(self) -> None:
        """Write a checkpoint."""
        save_checkpoint(self.out, self.step, self.predictor, self.average, self.optimizers, self.config)

    def _load_structures(self, data: Path) -> StructureSet:
        """Load what the stage is trained on."""
        config = self.config
        structures = load_training_structures(
            data,
            complex_probability=config.complex_probability if self.stage.complexes else 0.0,
            ensemble_probability=config.ensemble_probability,
        )
        if self.stage.backbones and has_backbones(data):
            structures = structures.mixed(load_backbones(data), config.backbone_probability)
        return structures

    def _prepare_training(self) -> None:
        """Select trained parts and dropout, then load the checkpoint or initialize the stage."""
        config, stage = self.config, self.stage
        self.predictor.requires_grad_(False)
        parts = _trained_parts(self.predictor, stage)
        if not parts:
            raise UsageError(f"this model leaves out what the stage {stage.name} trains", "go on without it")
        with_dropout = [self.predictor] if stage.dropout_everywhere else parts
        for module in (inner for part in with_dropout for inner in part.modules()):
            if isinstance(module, nn.Dropout):
                module.p = config.dropout
        self.parameters = [p.requires_grad_(True) for part in parts for p in part.parameters()]
        self.optimizers = _optimizers(parts, self.parameters, config)
        resumed = has_checkpoint(self.out)
        initialize = stage.load_initialize()
        if initialize is not None and not resumed:
            steps = range(_FIRST_INITIALIZATION_STEP - _INITIALIZATION_BATCHES, _FIRST_INITIALIZATION_STEP)
            initialize(self.predictor, (self._batch(step) for step in reversed(steps)))
        self.average = {key: value.detach().clone() for key, value in self.predictor.state_dict().items()}
        self.step = 0
        if resumed:
            self.step = load_checkpoint(self.out, self.predictor, self.average, self.optimizers)

    def _batch(self, step: int) -> Batch:
        config = self.config
        structures = self.structures.batch(config.seed, step, config.residues, config.window)
        return make_batch(
            structures,
            max_ca_noise=config.max_ca_noise if self.stage.ca_noise else 0.0,
            noise_probability=config.noise_probability,
            given_backbone_probability=config.given_backbone_probability
            if self.stage.given_backbones
            else 0.0,
            seed=(config.seed, step),
            device=self.device,
        )

    def _train_step(self) -> dict[str, Tensor]:
        """Make one step; returns the loss, its terms and the norm of the gradient."""
        config = self.config
        seed = config.seed * 1_000_003 + self.step
        torch.manual_seed(seed)  # of dropout
        generator = torch.Generator().manual_seed(seed)
        batch = self._batch(self.step)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = config.learning_rate * self._relative_rate()
        context = LossContext(config.weights, self.schedule, generator, config.pure_noise_probability)
        terms: dict[str, Tensor] = self.stage.load_loss()(self.predictor, batch, context)
        loss = weighted_sum(terms, config.weights)
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        terms["gradient"] = torch.nn.utils.clip_grad_norm_(self.parameters, config.gradient_clip)
        if torch.isfinite(terms["gradient"]):
            for optimizer in self.optimizers:
                optimizer.step()
        self._update_average()
        return {"loss": loss, **terms}

    @torch.no_grad()
    def _update_average(self) -> None:
        decay = min(self.config.ema_decay, (1 + self.step) / (10 + self.step))
        for key, value in self.predictor.state_dict().items():
            if value.is_floating_point():
                self.average[key].lerp_(value, 1 - decay)

    def _relative_rate(self) -> float:
        """Learning rate relative to its peak: a linear rise, a plateau, then a cosine to zero."""
        config = self.config
        rise = min(1.0, (self.step + 1) / config.warmup)
        remaining = (config.steps - self.step) / max(config.cooldown * config.steps, 1.0)
        return rise * (0.5 - 0.5 * math.cos(math.pi * min(1.0, remaining)))

    def _cut_log(self) -> None:
        """Drop rows of steps after the checkpoint, and a row that was not written whole."""
        log = self.out / "log.jsonl"
        rows = log.read_text().splitlines(keepends=True) if log.is_file() else []
        whole = [row for row in rows if row.endswith("}\n")]
        log.write_text("".join(row for row in whole if json.loads(row)["step"] <= self.step))

    def _log(self, sums: dict[str, Tensor], speed: float) -> None:
        row: dict[str, float] = {
            "step": self.step,
            "residues_per_second": round(speed, 1),
            "rate": self._relative_rate(),
        }
        for key, value in sums.items():
            if key == "code_counts":
                row["perplexity"] = perplexity(value)
            else:
                row[key] = round(float(value) / _LOG_EVERY, 5)
        with (self.out / "log.jsonl").open("a") as file:
            file.write(json.dumps(row) + "\n")


def _trained_parts(predictor: Predictor, stage: Stage) -> list[nn.Module]:
    """The modules that a stage trains, of those that this configuration has."""
    modules = dict(predictor.named_modules())
    return [modules[name] for name in stage.parts if name in modules]


def _optimizers(
    parts: list[nn.Module], parameters: Sequence[Tensor], config: TrainConfig
) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of transformers, AdamW for all other parameters."""
    matrices = hidden_matrices(parts)
    ids = {id(matrix) for matrix in matrices}
    others = [p for p in parameters if id(p) not in ids]
    rate, decay = config.learning_rate, config.weight_decay
    adam = torch.optim.AdamW(others, lr=rate, betas=(0.9, 0.98), weight_decay=decay)
    return [Muon(matrices, lr=rate, weight_decay=decay), adam] if matrices else [adam]


def _load_previous(folder: Path | None, stage: Stage, config: TrainConfig, predictor: Predictor) -> None:
    """Load the weights of the previous stage, if there is one.

    Raises
    ------
    UsageError
        The folder holds no such run, or the model has no such stage.
    """
    if stage.latent_diffusion and not config.model.diffusion:
        raise UsageError("this model's configuration has no diffusion", "its autoencoder is the whole model")
    if stage.internal_coordinates and config.model.cartesian:
        raise UsageError("this model decodes positions, which have no such stage", "export its diffusion run")
    if stage.previous is None:
        return
    if folder is None or read_config(folder).stage != stage.previous:
        raise UsageError(
            f"this stage starts from {stage.previous} weights",
            f"give the folder of that run, {get_stage(stage.previous).option}",
        )
    load_predictor(folder, predictor, new_parts=stage.parts if stage.adds else ())
