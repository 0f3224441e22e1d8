"""Cost of a dense system, and its overlaps, also across the box.

    python benchmarks/condensate.py [--weights DIR] [--chains 60] [--length 50] [--density 500] [--frames 2]

Disordered chains in a periodic box at the density of a condensate (mg/ml), like those of one-bead models:
every chain grows bead by bead in random directions, 3.83 ± 0.17 Å apart, with 4.8 Å or more between all other
beads, across the box too. Chains are whole, so that most extend beyond the box.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

import numpy as np
from relief_timer import relief_timer

from latcpb_cli.chem.residues import OXT_SLOT, slot_mask
from latcpb_cli.geometry.box import box_vectors
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.metrics.clashes import frame_clashes
from latcpb_cli.options import BackmapOptions
from latcpb_cli.structure import CGTrace, FrameChunk

__all__ = ["System", "atom_mask", "condensate"]

BOND, BOND_STD = 3.83, 0.17  # Å
MIN_DISTANCE = 4.8  # Å between Cα that are not neighbours
RESIDUE_MASS = 111.0  # Da
CUBIC_ANGSTROM_PER_DALTON = 1660.54  # of 1 mg/ml
LETTERS, FREQUENCIES = (
    "GSQNPTADEKRYFLVMIHWC",
    (18, 12, 8, 8, 7, 6, 6, 5, 5, 5, 5, 4, 3, 2, 1, 1, 1, 1, 1, 1),
)
"""A composition like that of disordered proteins in condensates."""


@dataclass(frozen=True)
class System:
    """Chains of equal length in a box.

    Attributes
    ----------
    chains, length : int
        Number of chains, and residues of each.
    density : float
        mg/ml.
    angles : tuple of float
        Of the box, degrees.
    """

    chains: int = 60
    length: int = 50
    density: float = 500.0
    angles: tuple[float, float, float] = (90, 90, 90)


def condensate(system: System, seed: int = 0) -> tuple[CGTrace, FrameChunk]:
    """One frame of disordered chains."""
    rng = np.random.default_rng(seed)
    total = system.chains * system.length
    box = np.array([1.0, 1.0, 1.0, *system.angles])
    volume = total * RESIDUE_MASS * CUBIC_ANGSTROM_PER_DALTON / system.density
    box[:3] = (volume / np.linalg.det(box_vectors(box[None])[0])) ** (1 / 3)
    cell = box_vectors(box[None])[0]
    beads = np.empty((0, 3))
    for _ in range(system.chains):
        chain = None
        while chain is None:
            chain = _grow(system.length, beads, cell, rng)
        beads = np.concatenate([beads, chain])
    number = np.repeat(np.arange(system.chains), system.length)
    probability = np.array(FREQUENCIES) / sum(FREQUENCIES)
    sequence = "".join(rng.choice(list(LETTERS), size=total, p=probability))
    resids = np.tile(np.arange(1, system.length + 1), system.chains)
    trace = CGTrace(sequence, number.astype(str), number, resids, np.full(total, ""))
    positions = beads[None].astype(np.float32)
    return trace, FrameChunk(positions, np.zeros(1), box[None].astype(np.float32), np.zeros(1, dtype=int))


def _grow(length: int, others: np.ndarray, cell: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
    """Grow a chain that avoids the beads of others; None where it finds no room."""
    inverse, chain = np.linalg.inv(cell), np.empty((0, 3))
    for _ in range(60 * length):
        if len(chain) == length:
            return chain
        if len(chain) == 0:
            new = rng.random(3) @ cell
        else:
            direction = rng.normal(size=3)
            new = chain[-1] + direction / np.linalg.norm(direction) * (BOND + BOND_STD * rng.normal())
        step = np.concatenate([others, chain[:-1]]) - new
        step -= np.round(step @ inverse) @ cell
        if np.einsum("ij,ij->i", step, step).min(initial=np.inf) > MIN_DISTANCE**2:
            chain = np.concatenate([chain, new[None]])
        elif len(chain) > 8 and rng.random() < 0.05:
            chain = chain[:-4]
    return None


def atom_mask(trace: CGTrace) -> np.ndarray:
    """Which slots hold an atom: bool, shape (L, 15)."""
    mask: np.ndarray = slot_mask()[trace.residue_types].copy()
    mask[:, OXT_SLOT] = ~trace.same_chain_as_next()
    return mask


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights")
    parser.add_argument("--chains", type=int, default=60)
    parser.add_argument("--length", type=int, default=50)
    parser.add_argument("--density", type=float, default=500.0)
    parser.add_argument("--frames", type=int, default=2)
    options = parser.parse_args()
    system = System(options.chains, options.length, options.density)
    backmapper = LoadedModel.from_pretrained(options.weights, device="cpu")
    print("frame  residues  residues/s (CPU)  relief %  contact12  overlap04/1000  worst Å  pierced rings")
    for frame in range(options.frames):
        trace, chunk = condensate(system, seed=frame)
        started = time.process_time()
        with relief_timer() as relief:
            atoms = backmapper.sample(trace, chunk, BackmapOptions())[:, 0]
        seconds = time.process_time() - started
        linked = trace.linked(chunk.positions)
        (clashes,) = frame_clashes(trace.residue_types, atoms, atom_mask(trace), linked, chunk.boxes)
        print(
            f"{frame:5d}{len(trace):10d}{len(trace) / seconds:18.0f}{100 * relief.seconds / seconds:10.1f}"
            f"{int(clashes.contact12.sum()):11d}{clashes.overlap04_per_1000:16.2f}{clashes.worst_overlap:9.2f}"
            f"{int(clashes.pierced.sum()):15d}",
            flush=True,
        )


if __name__ == "__main__":
    main()
