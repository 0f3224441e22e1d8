"""The model, loaded once: Cα traces in, atoms out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch

from latcpb_cli.backbone.ca_geometry import odd_spacing
from latcpb_cli.backbone.relax_trace import relax_trace
from latcpb_cli.chem.residues import N_SLOTS
from latcpb_cli.chem.rotamers import N_ROTAMERS
from latcpb_cli.device import resolve_device
from latcpb_cli.diffusion.noise import FrameNoise, Noise, TraceNoise
from latcpb_cli.diffusion.sampler import Sampling
from latcpb_cli.diffusion.schedule import Schedule
from latcpb_cli.errors import InputError, LatcpbError
from latcpb_cli.geometry.ca_descriptors import ca_descriptors
from latcpb_cli.geometry.canonical_frame import canonical_frame
from latcpb_cli.hub import resolve_weights
from latcpb_cli.model.cg_encoder import Condition
from latcpb_cli.model.decoder import Decoded
from latcpb_cli.model.graph import Graph
from latcpb_cli.model.latcpb import LatCPB
from latcpb_cli.options import Mode
from latcpb_cli.relax.batch import RelaxationBatch
from latcpb_cli.relax.relief import OverlapCounts
from latcpb_cli.sidechains.consensus import RotamerConsensus
from latcpb_cli.sidechains.packing import NOISE
from latcpb_cli.structure import CGTrace, FrameChunk, box_vectors

__all__ = ["SETTINGS", "Backmapper"]

SETTINGS: dict[Mode, Sampling] = {
    "best": Sampling(steps=1, temperature=0.0),
    "ensemble": Sampling(steps=10, temperature=1.0),
    "exact": Sampling(steps=0),
}
"""How latents are drawn; chosen on chains held out of training (see the card of latcpb-base)."""

_LEANING = 0.3
"""Share of the pull to favoured regions that best mode has on any beads; chosen on held-out chains."""

_RESIDUES_PER_BLOCK = {"cpu": 512, "cuda": 32768}

Answer = TypeVar("Answer")


@dataclass(frozen=True, eq=False)
class _FramesInModel:
    """F frames as the model sees them.

    Attributes
    ----------
    positions : (F, L, 3)
        Where the Cα will be, Å.
    linked : bool, (F, L)
    middle, axes : float64, (F, 1, 3) and (F, 3, 3)
        See `canonical_frame`.
    own : float32, (F, L, 3)
        Cα in these axes, around the origin, Å.
    """

    positions: np.ndarray
    linked: np.ndarray
    middle: np.ndarray
    axes: np.ndarray
    own: np.ndarray

    @classmethod
    def of(cls, trace: CGTrace, chunk: FrameChunk, ca_tolerance: float) -> _FramesInModel:
        """Look at a chunk, with its Cα moved by no more than ``ca_tolerance`` (Å)."""
        linked, positions = trace.linked(chunk.positions), chunk.positions
        if ca_tolerance > 0:
            positions = relax_trace(positions, trace.residue_types, linked, ca_tolerance)
        # In 64 bits, so that a turned input becomes the same numbers, whichever of two equally
        # good side chains they lead to; and around the origin, where 32 bits have the most digits.
        middle, axes = canonical_frame(positions.astype(np.float64))
        own = ((positions - middle) @ axes.swapaxes(1, 2)).astype(np.float32)
        return cls(positions, linked, middle, axes, own)

    def blocks(self, size: int) -> Iterator[tuple[np.ndarray, slice]]:
        """Rows of ``size`` frames at a time, filled up with copies of the last, and which frames are new."""
        for start in range(0, len(self.own), size):
            rows = np.minimum(np.arange(start, start + size), len(self.own) - 1)
            yield rows, slice(start, min(start + size, len(self.own)))


class Backmapper:
    """A loaded model that turns Cα traces into atoms.

    Attributes
    ----------
    model : LatCPB
    weights_name, weights_sha256 : str
        Which model it is.
    device : str
        Where it runs, for instance ``cpu`` or ``cuda:0``.
    """

    _halvings = 0

    def __init__(self, model: LatCPB, *, weights_name: str, weights_sha256: str, device: str) -> None:
        self.model = model
        self.weights_name, self.weights_sha256, self.device = weights_name, weights_sha256, device
        self.schedule = Schedule.from_config(model.config.schedule, device)

    @classmethod
    def from_pretrained(cls, weights: str | Path | None = None, *, device: str = "auto") -> Backmapper:
        """Load weights by name or folder; the default model where none is given.

        Raises
        ------
        WeightsError
            They cannot be found, or are damaged.
        UsageError
            There is no such device.
        """
        place = resolve_device(device)
        files = resolve_weights(weights)
        model = LatCPB.load(files.config, files.model, place)
        return cls(model, weights_name=files.name, weights_sha256=files.sha256, device=place)

    def frames_per_block(self, residues: int) -> int:
        """How many frames of so many residues are computed at once.

        The same for every run, unless a GPU had no memory for it (then half, and so on). On a
        CPU, where memory does not run out like that, bytes follow from the frame alone; on a
        GPU sums are not repeated to the last bit anyway, whatever the block.
        """
        return max(1, _RESIDUES_PER_BLOCK[torch.device(self.device).type] // residues >> self._halvings)

    def _as_memory_allows(self, residues: int, work: Callable[[int], Answer]) -> Answer:
        """Do ``work`` with as many frames at once as there is memory for.

        Raises
        ------
        InputError
            One frame alone is too much.
        """
        while True:
            size = self.frames_per_block(residues)
            try:
                return work(size)
            except torch.OutOfMemoryError:
                if size == 1:
                    raise InputError(
                        f"a frame of {residues:,} residues does not fit into the memory of {self.device}",
                        "use --device cpu, or a device with more memory",
                    ) from None
                self._halvings += 1
                torch.cuda.empty_cache()

    @torch.no_grad()
    def survey(self, trace: CGTrace, chunk: FrameChunk, *, ca_tolerance: float = 0.0) -> RotamerConsensus:
        """Ask some frames for their probabilities, by which best mode can steady its answers for all.

        Raises
        ------
        InputError
            One frame alone is more than the device has memory for.
        """
        view = _FramesInModel.of(trace, chunk, ca_tolerance)

        def ask(size: int) -> np.ndarray:
            found = np.zeros((*view.own.shape[:2], N_ROTAMERS), dtype=np.float16)
            for rows, kept in view.blocks(size):
                try:
                    graph, condition = self._encode(trace, view.own[rows], view.linked[rows])
                    latent = self.model.expected(condition, graph, self.schedule)
                    shares = self.model.shares(latent, condition, graph).cpu().numpy()
                except (LatcpbError, MemoryError, torch.OutOfMemoryError):
                    raise
                except Exception:
                    continue  # frames that cannot be built have no vote; they are told when their turn comes
                found[kept] = shares.reshape(len(rows), *found.shape[1:])[: kept.stop - kept.start]
            return found

        shares = self._as_memory_allows(len(trace), ask)
        return RotamerConsensus(chunk.indices, ca_descriptors(view.own, view.linked), shares)

    @torch.no_grad()
    def sample(
        self,
        trace: CGTrace,
        chunk: FrameChunk,
        *,
        samples: int,
        seed: int,
        mode: Mode,
        coherence: float = 0.0,
        ca_tolerance: float = 0.0,
        survey: RotamerConsensus | None = None,
        tally: OverlapCounts | None = None,
    ) -> np.ndarray:
        """Build atoms: float32, shape (F, S, L, 15, 3), in Å.

        Cα are those of ``chunk`` to the bit, or no further than
        ``ca_tolerance`` (Å) from there, moved only where no good peptides fit.
        A sample follows the trace with ``coherence`` (Å; see `TraceNoise`), or
        is drawn for each frame by itself where that is 0. Best mode draws
        nothing: there, it is how alike the frames of a ``survey`` must be to vote.
        Frames are computed in blocks whose size follows from the number of
        residues alone, the last one filled up with copies, so that a frame's
        numbers do not depend on which frames came with it. A ``tally`` is added
        what relief found and what it left.

        Raises
        ------
        InputError
            One frame alone is more than the device has memory for.
        """
        view = _FramesInModel.of(trace, chunk, ca_tolerance)
        built = np.empty((len(chunk), samples, len(trace), N_SLOTS, 3), dtype=np.float32)
        # Phi and psi are what the model says, but on beads that no protein has. Those of the one best answer
        # always lean towards favoured regions, altogether where beads are so unsure that they may move.
        drawn = odd_spacing(chunk.positions, trace.residue_types, view.linked)
        if mode == "best":
            drawn = np.maximum(drawn, _LEANING if ca_tolerance == 0 else 1.0)
        reach, coherence = (coherence, 0.0) if mode == "best" else (0.0, coherence)
        turn = view.axes.swapaxes(1, 2)
        cells = box_vectors(chunk.boxes) @ turn if chunk.boxes[:, :3].any() else None

        def build(size: int) -> OverlapCounts:
            found = OverlapCounts()
            with RelaxationBatch(found) as settling:
                for rows, kept in view.blocks(size):
                    lattice = None if cells is None else cells[kept]
                    part, frames = (view.own[rows], view.linked[rows]), chunk.indices[rows]
                    votes = None
                    if survey is not None and reach > 0:
                        votes = survey.votes(frames, ca_descriptors(*part), reach).to(self.device)
                    noises = _noises(seed, samples, coherence, frames, *part)
                    block = self._block(trace, *part, noises, mode, votes)
                    for sample, (answer, graph) in enumerate(block):
                        settling.add(answer, graph, lattice, drawn[kept], into=built[kept, sample])
            return found

        found = self._as_memory_allows(len(trace), build)
        if tally is not None:
            tally.add(found)
        for frame, atoms in enumerate(built):
            built[frame] = atoms.astype(np.float64) @ view.axes[frame] + view.middle[frame]
        built[:, :, :, 1] = view.positions[:, None]
        return built

    def _encode(self, trace: CGTrace, positions: np.ndarray, linked: np.ndarray) -> tuple[Graph, Condition]:
        """Neighbourhoods of some frames, and what the trace says of every residue."""
        count, length = positions.shape[:2]
        ca = torch.from_numpy(positions).to(self.device).flatten(0, 1)
        types = torch.from_numpy(trace.residue_types).to(self.device).repeat(count)
        links = torch.from_numpy(linked).to(self.device).flatten()
        graph = self.model.graph(ca, types, links, [length] * count)
        return graph, self.model.cg_encoder(graph)

    def _block(
        self,
        trace: CGTrace,
        positions: np.ndarray,
        linked: np.ndarray,
        noises: Sequence[Noise],
        mode: Mode,
        votes: torch.Tensor | None,
    ) -> Iterator[tuple[Decoded, Graph]]:
        """Encode some frames once, then draw and decode a sample from each noise."""
        graph, condition = self._encode(trace, positions, linked)
        told = None
        if mode == "ensemble":
            expected = self.model.expected(condition, graph, self.schedule)
            told = self.model.decoder(expected, condition, graph, side_chains=False).rotamers
        for noise in noises:
            latent = self.model.draw(noise, condition, graph, self.schedule, SETTINGS[mode])
            picks = noise(NOISE).to(self.device) if mode != "best" else None
            yield self.model.build(latent, condition, graph, picks, told, votes), graph


def _noises(
    seed: int, samples: int, coherence: float, frames: np.ndarray, ca: np.ndarray, linked: np.ndarray
) -> list[Noise]:
    """Where each sample of some frames draws from."""
    if coherence > 0:
        shapes = ca_descriptors(ca, linked)
        return [TraceNoise(seed, sample, shapes, coherence) for sample in range(samples)]
    return [FrameNoise(seed, sample, frames.tolist(), ca.shape[1]) for sample in range(samples)]
