"""Cα frames in, relaxed heavy atoms out: the model of a set of weights, loaded once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import copy
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np
import torch
from torch import Tensor

from latcpb_cli.backbone.canonical_chunk import CanonicalChunk, CanonicalFrames
from latcpb_cli.backbone.ramachandran_energy import ramachandran_weight
from latcpb_cli.block_size import BlockSize
from latcpb_cli.chem.residues import N_SLOTS
from latcpb_cli.chem.rotamers import N_ROTAMERS
from latcpb_cli.choices import Mode
from latcpb_cli.confidence.calibration import Calibration
from latcpb_cli.confidence.collector import PredictionCollector
from latcpb_cli.confidence.prediction import Prediction
from latcpb_cli.device import resolve_device
from latcpb_cli.diffusion.noise import FrameNoise, NoiseSource, TraceNoise
from latcpb_cli.diffusion.sampler import SamplerSettings
from latcpb_cli.diffusion.schedule import Schedule
from latcpb_cli.diffusion.step_counter import OnSteps, StepCounter
from latcpb_cli.geometry.ca_descriptors import ca_descriptors
from latcpb_cli.geometry.links import ChainOrder
from latcpb_cli.hub import resolve_weights
from latcpb_cli.model.cg_encoder import Condition
from latcpb_cli.model.decoder import Decoded
from latcpb_cli.model.graph import Graph
from latcpb_cli.model.initialization import WithoutInitialization
from latcpb_cli.model.linear import rows_are_independent
from latcpb_cli.options import BackmapOptions
from latcpb_cli.predictor import Predictor
from latcpb_cli.relax.batch import RelaxationBatch
from latcpb_cli.relax.relief import STEPS_AFTER_RELAXATION, OverlapCounts
from latcpb_cli.sidechains.consensus import RotamerConsensus
from latcpb_cli.sidechains.packing import NOISE_PER_RESIDUE
from latcpb_cli.sidechains.references import References, TracePart
from latcpb_cli.sidechains.selection import SideChainInputs
from latcpb_cli.structure import CGTrace, FrameChunk
from latcpb_cli.templates.template import Template

__all__ = ["SAMPLER_SETTINGS", "LoadedModel"]

SAMPLER_SETTINGS: dict[Mode, SamplerSettings] = {
    "best": SamplerSettings(steps=1, temperature=0.0),
    "ensemble": SamplerSettings(steps=10, temperature=1.0),
    "exact": SamplerSettings(steps=0),
}
"""How latents are sampled; chosen by ``benchmarks/choose_sampling.py`` on chains held out of training."""


class LoadedModel:
    """A loaded model that turns Cα traces into atoms.

    Attributes
    ----------
    predictor : Predictor
    weights_name : str
    checksums : mapping of str to str
        Of its weights: the sha256 in hex of each file, by file name.
    device : str
        Where it runs, for instance ``cpu`` or ``cuda:0``.
    calibration : Calibration or None
        Of the confidence, where the weights have one.
    """

    _on_steps: OnSteps | None = None

    def __init__(
        self,
        predictor: Predictor,
        *,
        weights_name: str,
        checksums: Mapping[str, str],
        device: str,
        calibration: Calibration | None = None,
    ) -> None:
        self.predictor, self.calibration = predictor, calibration
        self.weights_name, self.checksums, self.device = weights_name, checksums, device
        self.schedule = Schedule.from_config(predictor.config.schedule, device)
        self._block_size = BlockSize(device, rows_are_independent(predictor))

    @classmethod
    def from_pretrained(cls, weights: str | Path | None = None, *, device: str = "auto") -> Self:
        """Load weights by name or folder; the default model where none is given.

        Raises
        ------
        WeightsError
            They cannot be found, or are damaged.
        UsageError
            There is no such device.
        """
        resolved = resolve_device(device)
        files = resolve_weights(weights)
        with WithoutInitialization():
            predictor = Predictor.load(files.config, files.model, resolved)
        calibration = None if files.confidence is None else Calibration.load(files.confidence, files.sha256)
        return cls(
            predictor, weights_name=files.name, checksums=files.checksums, device=resolved,
            calibration=calibration,
        )  # fmt: skip

    def reporting(self, on_steps: OnSteps | None) -> Self:
        """Return this model as one that reports the steps of mode exact; the other modes take few.

        Parameters
        ----------
        on_steps : OnSteps or None
            Called about once a second, after ten seconds, while `sample` builds its frames.
        """
        model = copy(self)
        model._on_steps = on_steps
        return model

    def frames_per_block(self, residues: int) -> int:
        """How many frames of so many residues are computed at once; see `BlockSize.most`."""
        return self._block_size.most(residues)

    @torch.no_grad()
    def rotamer_consensus(
        self, trace: CGTrace, chunk: FrameChunk, options: BackmapOptions, templates: tuple[Template, ...] = ()
    ) -> RotamerConsensus:
        """Compute the rotamer probabilities of reference frames, with those of templates.

        Raises
        ------
        InputError
            One frame alone is more than the device has memory for.
        """
        frames = CanonicalChunk.from_chunk(trace, chunk, options)

        @torch.inference_mode()
        def compute(size: int, at_least: int) -> np.ndarray:
            result = np.zeros((*chunk.positions.shape[:2], N_ROTAMERS), dtype=np.float16)
            for rows, kept in frames.blocks(size, at_least):
                part = frames.canonical.select(rows)
                graph, condition = self._encode(trace, part)
                latent = self.predictor.latcpb.expected_latent(condition, graph, self.schedule)
                shape = TracePart(part.ca, part.linked, trace.next_residue, self.device)
                template = References(templates=templates).template_evidence(shape)
                inputs = SideChainInputs(
                    beads=part.observed_beads(trace, self.device),
                    template=template,
                    peptides=self._flat(part.peptides),
                )
                probability = self.predictor.rotamer_probabilities(
                    (latent, condition, graph), options.without, self._flat(part.backbone), inputs
                )
                block = probability.cpu().numpy().reshape(len(rows), *result.shape[1:])
                result[kept] = block[: kept.stop - kept.start]
            return result

        probabilities = self._block_size.within_memory(len(trace), compute)
        canonical = frames.canonical
        descriptors = ca_descriptors(canonical.ca, canonical.linked, trace.next_residue)
        return RotamerConsensus(chunk.indices, descriptors, probabilities)

    @torch.no_grad()
    def sample(
        self,
        trace: CGTrace,
        chunk: FrameChunk,
        options: BackmapOptions,
        references: References | None = None,
        counts: OverlapCounts | None = None,
        predictions: PredictionCollector | None = None,
    ) -> np.ndarray:
        """Build heavy atoms: float32, shape (F, S, L, 15, 3), in Å.

        Cα are those of ``chunk`` to the bit, or no further than ``options.ca_tolerance`` (Å) from there,
        moved only where no good peptides fit; with ``options.keep_backbone``, the atoms of its backbone are,
        too. On a CPU, a frame's numbers do not depend on the frames computed with it.

        Parameters
        ----------
        trace : CGTrace
        chunk : FrameChunk
            F frames.
        options : BackmapOptions
            ``samples`` is S.
        references : References, optional
            Reference frames by which best mode smooths its probabilities, and templates.
        counts : OverlapCounts, optional
            The deep overlaps of these structures are added.
        predictions : PredictionCollector, optional
            Collects what the model predicts of these structures.

        Raises
        ------
        InputError
            One frame alone is more than the device has memory for.
        UsageError
            Predictions are wanted of a mode or a choice of parts for which there are none.
        """
        if predictions is not None:
            options.require_predictions()
            predictions.begin(len(chunk), options.samples, len(trace))
        frames = CanonicalChunk.from_chunk(trace, chunk, options)
        atoms = np.empty((len(chunk), options.samples, len(trace), N_SLOTS, 3), dtype=np.float32)
        weight = ramachandran_weight(trace, chunk.positions, frames.canonical.linked, options)
        cells, n_steps = frames.cells(chunk.boxes), self.predictor.config.relief_steps
        if options.ca_tolerance > 0:
            n_steps = STEPS_AFTER_RELAXATION

        @torch.inference_mode()
        def build(size: int, at_least: int) -> OverlapCounts:
            total, blocks = OverlapCounts(), list(frames.blocks(size, at_least))
            counter = self._step_counter(options, len(blocks), len(chunk))
            given = references or References()
            with RelaxationBatch(total, fixed_backbone=options.keep_backbone, n_steps=n_steps) as batch:
                for rows, kept in blocks:
                    part = frames.canonical.select(rows)
                    block = self._block(trace, chunk.indices[rows], part, options, given, counter)
                    lattice = None if cells is None else cells[kept]
                    beads = part.observed_beads(trace, self.device)
                    for sample, (decoded, graph, prediction) in enumerate(block):
                        target = atoms[kept, sample]
                        if predictions is not None:
                            predictions.add(kept, sample, prediction())
                        if options.uses("relief"):
                            batch.add(decoded, graph, lattice, weight[kept], target, beads)
                        else:
                            rows_kept = slice(target.shape[0] * target.shape[1])
                            target[...] = decoded.atoms[rows_kept].view(target.shape).cpu().numpy()
            return total

        total = self._block_size.within_memory(len(trace), build)
        if counts is not None:
            counts.add(total)
        if predictions is not None:
            predictions.end(atoms, frames.canonical.linked, trace.next_residue)
        frames.restore(atoms)
        return atoms

    def _step_counter(self, options: BackmapOptions, n_blocks: int, n_frames: int) -> StepCounter | None:
        """Make what counts the steps of some frames, in mode exact of a model that reports them."""
        if self._on_steps is None or options.settled_mode != "exact":
            return None
        return StepCounter(self._on_steps, n_blocks * options.samples * self.schedule.steps, n_frames)

    def _flat(self, values: np.ndarray | None) -> Tensor | None:
        """Values (F, L, ...) of some frames as one tensor (F * L, ...) on the device, if there are any."""
        return None if values is None else torch.from_numpy(values).to(self.device).flatten(0, 1)

    def _encode(self, trace: CGTrace, frames: CanonicalFrames) -> tuple[Graph, Condition]:
        """Neighbourhoods of some frames, and conditions of their residues."""
        count, length = len(frames), len(trace)
        ca = torch.from_numpy(frames.ca).to(self.device).flatten(0, 1)
        types = torch.from_numpy(trace.residue_types).to(self.device).repeat(count)
        links = torch.from_numpy(frames.linked).to(self.device).flatten()
        order = ChainOrder.from_next(trace.next_residue, self.device).repeat(count)
        graph = self.predictor.latcpb.build_graph(ca, types, links, [length] * count, order)
        return graph, self.predictor.latcpb.cg_encoder(graph)

    def _block(
        self,
        trace: CGTrace,
        frames: np.ndarray,
        part: CanonicalFrames,
        options: BackmapOptions,
        references: References,
        counter: StepCounter | None,
    ) -> Iterator[tuple[Decoded, Graph, Callable[[], Prediction]]]:
        """Encode some frames, of these numbers, once, then decode each of their samples."""
        latcpb, without = self.predictor.latcpb, options.without
        graph, condition = self._encode(trace, part)
        backbone, peptides = self._flat(part.backbone), self._flat(part.peptides)
        beads = part.observed_beads(trace, self.device)
        shape, expected = TracePart(part.ca, part.linked, trace.next_residue, self.device), None
        weights = references.consensus_weights(frames, shape, options.consensus_length)
        template = references.template_evidence(shape)
        if options.mode == "ensemble" and options.uses("packing"):
            mean = latcpb.expected_latent(condition, graph, self.schedule)
            expected = latcpb.decoder(mean, condition, graph, side_chains=False)
        for noise in _noises(trace, frames, part, options):
            settings = SAMPLER_SETTINGS[options.settled_mode]
            latent = latcpb.sample_latent(noise, condition, graph, self.schedule, settings, counter)
            picks = None if options.mode == "best" else noise(NOISE_PER_RESIDUE).to(self.device)
            rotamers = None if expected is None else expected.rotamers
            inputs = SideChainInputs(picks, rotamers, weights, beads, template, peptides)
            decoded = self.predictor.build_atoms(latent, condition, graph, inputs, without, backbone)
            yield decoded, graph, partial(self.predictor.prediction, decoded, expected, condition, graph)


def _noises(
    trace: CGTrace, frames: np.ndarray, part: CanonicalFrames, options: BackmapOptions
) -> list[NoiseSource]:
    """The noise of each sample of some frames."""
    samples, length = range(options.samples), options.noise_length
    if length > 0:
        descriptors = ca_descriptors(part.ca, part.linked, trace.next_residue)
        return [TraceNoise(options.seed, sample, descriptors, length) for sample in samples]
    return [FrameNoise(options.seed, sample, frames.tolist(), len(trace)) for sample in samples]
