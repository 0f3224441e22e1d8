"""The model, loaded once: Cα traces in, atoms out (layer 5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from latcpb_cli.chem.residues import N_SLOTS
from latcpb_cli.diffusion.noise import FrameNoise, Noise, TraceNoise
from latcpb_cli.diffusion.sampler import Sampling
from latcpb_cli.diffusion.schedule import Schedule
from latcpb_cli.errors import InputError
from latcpb_cli.geometry.local_shape import local_shapes
from latcpb_cli.geometry.own_axes import own_axes
from latcpb_cli.hub import resolve_weights
from latcpb_cli.model.decoder import Decoded
from latcpb_cli.model.graph import Graph
from latcpb_cli.model.latcpb import LatCPB
from latcpb_cli.model.packing import NOISE
from latcpb_cli.modes import Mode
from latcpb_cli.precision import resolve_device
from latcpb_cli.refine.conform import conform_trace
from latcpb_cli.refine.relief import Tally
from latcpb_cli.refine.settle import Settling
from latcpb_cli.refine.trace import odd_spacing
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

    def _use_less_memory(self, frames: int, residues: int) -> None:
        """Halve the blocks from now on.

        Raises
        ------
        InputError
            They were single frames already.
        """
        if frames == 1:
            raise InputError(
                f"a frame of {residues:,} residues does not fit into the memory of {self.device}",
                "use --device cpu, or a device with more memory",
            ) from None
        self._halvings += 1
        torch.cuda.empty_cache()

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
        tally: Tally | None = None,
    ) -> np.ndarray:
        """Build atoms: float32, shape (F, S, L, 15, 3), in Å.

        Cα are those of ``chunk`` to the bit, or no further than
        ``ca_tolerance`` (Å) from there, moved only where no good peptides fit.
        A sample follows the trace with ``coherence`` (Å; see `TraceNoise`), or
        is drawn for each frame by itself where that is 0.
        Frames are computed in blocks whose size follows from the number of
        residues alone, the last one filled up with copies, so that a frame's
        numbers do not depend on which frames came with it. A ``tally`` is added
        what relief found and what it left.

        Raises
        ------
        InputError
            One frame alone is more than the device has memory for.
        """
        built = np.empty((len(chunk), samples, len(trace), N_SLOTS, 3), dtype=np.float32)
        linked = trace.linked(chunk.positions)
        # Phi and psi are what the model says, but on beads that no protein has. Those of the one best answer
        # always lean towards favoured regions, altogether where beads are so unsure that they may move.
        drawn = odd_spacing(chunk.positions, trace.residue_types, linked)
        if mode == "best":
            drawn = np.maximum(drawn, _LEANING if ca_tolerance == 0 else 1.0)
            coherence = 0.0  # its noise has no weight
        positions = chunk.positions
        if ca_tolerance > 0:
            positions = conform_trace(positions, trace.residue_types, linked, ca_tolerance)
        # In 64 bits, so that a turned input becomes the same numbers, whichever of two equally
        # good side chains they lead to; and around the origin, where 32 bits have the most digits.
        middle, axes = own_axes(positions.astype(np.float64))
        turn = axes.swapaxes(1, 2)
        own = ((positions - middle) @ turn).astype(np.float32)
        cells = box_vectors(chunk.boxes) @ turn if chunk.boxes[:, :3].any() else None
        while True:
            size, found = self.frames_per_block(len(trace)), Tally()
            try:
                with Settling(found) as settling:
                    for start in range(0, len(chunk), size):
                        rows = np.minimum(np.arange(start, start + size), len(chunk) - 1)
                        kept = slice(start, min(start + size, len(chunk)))
                        lattice = None if cells is None else cells[kept]
                        part = own[rows], linked[rows]
                        noises = _noises(seed, samples, coherence, chunk.indices[rows], *part)
                        block = self._block(trace, *part, noises, mode)
                        for sample, (answer, graph) in enumerate(block):
                            settling.add(answer, graph, lattice, drawn[kept], into=built[kept, sample])
                break
            except torch.OutOfMemoryError:
                self._use_less_memory(size, len(trace))
        if tally is not None:
            tally.add(found)
        for frame, atoms in enumerate(built):
            built[frame] = atoms.astype(np.float64) @ axes[frame] + middle[frame]
        built[:, :, :, 1] = positions[:, None]
        return built

    def _block(
        self,
        trace: CGTrace,
        positions: np.ndarray,
        linked: np.ndarray,
        noises: Sequence[Noise],
        mode: Mode,
    ) -> Iterator[tuple[Decoded, Graph]]:
        """Encode some frames once, then draw and decode a sample from each noise."""
        count, length = positions.shape[:2]
        ca = torch.from_numpy(positions).to(self.device).flatten(0, 1)
        types = torch.from_numpy(trace.residue_types).to(self.device).repeat(count)
        links = torch.from_numpy(linked).to(self.device).flatten()
        graph = self.model.graph(ca, types, links, [length] * count)
        condition = self.model.cg_encoder(graph)
        told = None
        if mode == "ensemble":
            expected = self.model.expected(condition, graph, self.schedule)
            told = self.model.decoder(expected, condition, graph, side_chains=False).rotamers
        for noise in noises:
            latent = self.model.draw(noise, condition, graph, self.schedule, SETTINGS[mode])
            picks = noise(NOISE).to(self.device) if mode != "best" else None
            yield self.model.build(latent, condition, graph, picks, told), graph


def _noises(
    seed: int, samples: int, coherence: float, frames: np.ndarray, ca: np.ndarray, linked: np.ndarray
) -> list[Noise]:
    """Where each sample of some frames draws from."""
    if coherence > 0:
        shapes = local_shapes(ca, linked)
        return [TraceNoise(seed, sample, shapes, coherence) for sample in range(samples)]
    return [FrameNoise(seed, sample, frames.tolist(), ca.shape[1]) for sample in range(samples)]
