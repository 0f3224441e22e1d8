"""The training loop of all stages: steps, average, log, checkpoints, resume."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from latcpb_cli.device import resolve_device
from latcpb_cli.diffusion.schedule import Schedule
from latcpb_cli.errors import UsageError
from latcpb_cli.model.codes import perplexity
from latcpb_cli.model.latcpb import LatCPB
from latcpb_cli.train.batch import Batch, make_batch
from latcpb_cli.train.checkpoint import load_checkpoint, load_model, read_config, save_checkpoint
from latcpb_cli.train.config import TrainConfig
from latcpb_cli.train.data import Structures, load_structures
from latcpb_cli.train.muon import Muon, hidden_matrices
from latcpb_cli.train.stages import (
    autoencoder_loss,
    diffusion_loss,
    packing_loss,
    peptides_loss,
    rescoring_loss,
    trained_parts,
)

__all__ = ["Trainer"]

_LOG_EVERY = 20
_SAVE_SECONDS = 180.0
_STATISTICS_BATCHES = 16


class Trainer:
    """One stage of training in one folder.

    The folder receives ``train.json``, ``checkpoint.safetensors`` and
    ``log.jsonl``. A second run on the same folder goes on where the first was
    stopped and gives the same losses as an unbroken one.

    Parameters
    ----------
    config : TrainConfig
    data : Path
        A folder `load_structures` can read.
    out : Path
    start_from : Path, optional
        Folder of the stage before, for all stages but the first.
    """

    def __init__(
        self,
        config: TrainConfig,
        data: Path,
        out: Path,
        *,
        start_from: Path | None = None,
        device: str = "cpu",
    ) -> None:
        if (out / "train.json").is_file():
            earlier = read_config(out)
            if replace(earlier, steps=config.steps) != config:
                raise UsageError(
                    f"{out} holds a run with other settings", "give another --out, or the same settings"
                )
        self.config, self.out, self.device = config, out, torch.device(resolve_device(device))
        out.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(config.seed)
        self.model = LatCPB(config.model).to(self.device)
        self.structures: Structures = load_structures(data, "train", ensembles=config.ensembles)
        self.schedule = Schedule.from_config(config.model.schedule, self.device)
        if config.stage != "autoencoder":
            _load_stage_before(start_from, config, self.model)
        self.model.requires_grad_(False)
        parts = trained_parts(self.model, config.stage)
        # The second look learns from frozen parts with dropout: what they say of chains they know becomes as
        # uncertain as what they say of others. Other stages take from frozen parts what is to be learned.
        leaky = [self.model] if config.stage == "rescoring" else parts
        for module in (inner for part in leaky for inner in part.modules()):
            if isinstance(module, nn.Dropout):
                module.p = config.dropout
        self.parameters = [p.requires_grad_(True) for part in parts for p in part.parameters()]
        self.optimizers = _optimizers(parts, self.parameters, config)
        self.average = {key: value.detach().clone() for key, value in self.model.state_dict().items()}
        self.step = 0
        if (out / "checkpoint.safetensors").is_file():
            self.step = load_checkpoint(out, self.model, self.average, self.optimizers)
        elif config.stage == "diffusion":
            self._measure_latents()
        self._cut_log()

    def run(self) -> None:
        """Train to the configured number of steps."""
        saved = began = time.monotonic()
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
            self._log(sums, residues / (time.monotonic() - began))
            sums = {}
            # Only between rows of the log, so that a resumed run writes the rows of an unbroken one.
            if time.monotonic() - saved > _SAVE_SECONDS:
                self.save()
                saved = time.monotonic()
        self.save()

    def save(self) -> None:
        """Write a checkpoint now."""
        save_checkpoint(self.out, self.step, self.model, self.average, self.optimizers, self.config)

    def _batch(self, step: int) -> Batch:
        config = self.config
        drawn = self.structures.batch(config.seed, step, config.residues, config.window)
        return make_batch(
            drawn,
            noise=config.noise,
            noisy_share=config.noisy_share,
            seed=(config.seed, step),
            device=self.device,
        )

    def _train_step(self) -> dict[str, Tensor]:
        config = self.config
        seed = config.seed * 1_000_003 + self.step
        torch.manual_seed(seed)  # of dropout
        generator = torch.Generator().manual_seed(seed)
        batch = self._batch(self.step)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = config.learning_rate * self._rate()
        if config.stage == "autoencoder":
            loss, terms = autoencoder_loss(self.model, batch, config.weights, generator)
        elif config.stage == "diffusion":
            loss, terms = diffusion_loss(
                self.model, batch, config.weights, generator, self.schedule, config.pure_noise
            )
        elif config.stage == "peptides":
            loss, terms = peptides_loss(self.model, batch, self.schedule)
        elif config.stage == "packing":
            loss, terms = packing_loss(self.model, batch, self.schedule)
        else:
            loss, terms = rescoring_loss(self.model, batch, config.weights, self.schedule)
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        loss.backward()
        terms["gradient"] = torch.nn.utils.clip_grad_norm_(self.parameters, config.clip)
        if torch.isfinite(terms["gradient"]):
            for optimizer in self.optimizers:
                optimizer.step()
        decay = min(config.ema, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for key, value in self.model.state_dict().items():
                self.average[key].lerp_(value, 1 - decay) if value.is_floating_point() else None
        return {"loss": loss, **terms}

    def _rate(self) -> float:
        """Warm-up, plateau, then a cosine to zero."""
        config = self.config
        rise = min(1.0, (self.step + 1) / config.warmup)
        left = (config.steps - self.step) / max(config.cooldown * config.steps, 1.0)
        return rise * (0.5 - 0.5 * math.cos(math.pi * min(1.0, left)))

    def _cut_log(self) -> None:
        """Drop rows of steps that will be done again, and a row that was cut short."""
        log = self.out / "log.jsonl"
        rows = log.read_text().splitlines(keepends=True) if log.is_file() else []
        whole = [row for row in rows if row.endswith("}\n")]
        log.write_text("".join(row for row in whole if json.loads(row)["step"] <= self.step))

    def _log(self, sums: dict[str, Tensor], speed: float) -> None:
        row: dict[str, float] = {
            "step": self.step,
            "residues_per_second": round(speed, 1),
            "rate": self._rate(),
        }
        for key, value in sums.items():
            if key == "codes":
                row["perplexity"] = perplexity(value)
            else:
                row[key] = round(float(value) / _LOG_EVERY, 5)
        with (self.out / "log.jsonl").open("a") as file:
            file.write(json.dumps(row) + "\n")

    @torch.no_grad()
    def _measure_latents(self) -> None:
        """Mean and spread of the latents, which diffusion needs at one scale."""
        latents = []
        for step in range(_STATISTICS_BATCHES):
            batch = self._batch(-step - 1 + 2**31)
            graph = self.model.graph(batch.ca, batch.types, batch.linked, batch.sizes)
            latents.append(self.model.atom_encoder(batch.atoms, batch.present, graph)[0])
        values = torch.cat(latents)
        self.model.latent_mean.copy_(values.mean(0))
        self.model.latent_std.copy_(values.std(0).clamp(min=0.02))
        for key in ("latent_mean", "latent_std"):
            self.average[key] = getattr(self.model, key).clone()


def _optimizers(
    parts: list[nn.Module], parameters: Sequence[Tensor], config: TrainConfig
) -> list[torch.optim.Optimizer]:
    """Muon for the transformers' matrices, AdamW for all else."""
    matrices = hidden_matrices(parts)
    known = {id(matrix) for matrix in matrices}
    rest = [p for p in parameters if id(p) not in known]
    rate, decay = config.learning_rate, config.weight_decay
    adam = torch.optim.AdamW(rest, lr=rate, betas=(0.9, 0.98), weight_decay=decay)
    return [Muon(matrices, lr=rate, weight_decay=decay), adam] if matrices else [adam]


_STAGE_BEFORE = {
    "diffusion": "autoencoder",
    "peptides": "diffusion",
    "packing": "peptides",
    "rescoring": "packing",
}


def _load_stage_before(folder: Path | None, config: TrainConfig, model: LatCPB) -> None:
    """Begin a stage with the weights of the finished one before it."""
    before = _STAGE_BEFORE[config.stage]
    if folder is None or read_config(folder).stage != before:
        raise UsageError(
            f"this stage starts from {before} weights", f"give the folder of that run, --{before}"
        )
    if not config.model.diffusion:
        raise UsageError("this model's configuration has no diffusion", "its autoencoder is the whole model")
    if config.model.cartesian and config.stage != "diffusion":
        raise UsageError("this model decodes positions, which have no such stage", "export its diffusion run")
    load_model(folder, model)
    if config.stage == "peptides":
        assert model.peptides is not None  # or positions are decoded
        model.peptides.begin(model.cg_encoder)
