"""What a dense system costs, and whether anything overlaps in it, across the box too.

    python benchmarks/condensate.py [--weights DIR] [--chains 60] [--length 50] [--density 500] [--frames 2]

Disordered chains in a periodic box at the density of a condensate (mg/ml), as one-bead models give them:
every chain grows bead by bead in random directions, 3.83 ± 0.17 Å apart, no two other beads nearer than
4.8 Å across the box. Chains are whole, so that most reach out of the box.
"""

from __future__ import annotations

import argparse
import time
from unittest.mock import patch

import numpy as np

from latcpb_cli.backmapper import Backmapper
from latcpb_cli.chem.residues import OXT_SLOT, slot_mask
from latcpb_cli.geometry.box import box_vectors
from latcpb_cli.metrics.clashes import frame_clashes
from latcpb_cli.refine import settle
from latcpb_cli.structure import CGTrace, FrameChunk

BOND, BOND_SPREAD = 3.83, 0.17  # Å
NEAREST = 4.8  # Å between Cα that are not neighbours
RESIDUE_MASS = 111.0  # Da
ANGSTROM3_PER_DALTON = 1660.54  # of 1 mg/ml
LETTERS, SHARES = "GSQNPTADEKRYFLVMIHWC", (18, 12, 8, 8, 7, 6, 6, 5, 5, 5, 5, 4, 3, 2, 1, 1, 1, 1, 1, 1)


def condensate(
    chains: int, length: int, density: float, seed: int = 0, angles: tuple[float, float, float] = (90, 90, 90)
) -> tuple[CGTrace, FrameChunk]:
    """One frame of ``chains`` disordered chains of ``length`` residues at ``density`` mg/ml."""
    rng = np.random.default_rng(seed)
    box = np.array([1.0, 1.0, 1.0, *angles])
    volume = chains * length * RESIDUE_MASS * ANGSTROM3_PER_DALTON / density
    box[:3] = (volume / np.linalg.det(box_vectors(box[None])[0])) ** (1 / 3)
    cell = box_vectors(box[None])[0]
    beads = np.empty((0, 3))
    for _ in range(chains):
        chain = None
        while chain is None:
            chain = _grow(length, beads, cell, rng)
        beads = np.concatenate([beads, chain])
    total = chains * length
    number = np.repeat(np.arange(chains), length)
    share = np.array(SHARES) / sum(SHARES)
    sequence = "".join(rng.choice(list(LETTERS), size=total, p=share))
    resids = np.tile(np.arange(1, length + 1), chains)
    trace = CGTrace(sequence, number.astype(str), number, resids, np.full(total, ""))
    positions = beads[None].astype(np.float32)
    return trace, FrameChunk(positions, np.zeros(1), box[None].astype(np.float32), np.zeros(1, dtype=int))


def _grow(length: int, others: np.ndarray, cell: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
    """Grow a chain that goes around the beads of others; None where it gets stuck."""
    inverse, chain = np.linalg.inv(cell), np.empty((0, 3))
    for _ in range(60 * length):
        if len(chain) == length:
            return chain
        if len(chain) == 0:
            new = rng.random(3) @ cell
        else:
            direction = rng.normal(size=3)
            new = chain[-1] + direction / np.linalg.norm(direction) * (BOND + BOND_SPREAD * rng.normal())
        step = np.concatenate([others, chain[:-1]]) - new
        step -= np.round(step @ inverse) @ cell
        if np.einsum("ij,ij->i", step, step).min(initial=np.inf) > NEAREST**2:
            chain = np.concatenate([chain, new[None]])
        elif len(chain) > 8 and rng.random() < 0.05:
            chain = chain[:-4]
    return None


def atoms_there(trace: CGTrace) -> np.ndarray:
    """Which slots hold an atom: bool, shape (L, 15)."""
    present = slot_mask()[trace.residue_types]
    present[:, OXT_SLOT] = ~trace.same_chain_as_next()
    return present


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
    model = Backmapper.from_pretrained(options.weights, device="cpu")
    relief, spent = settle.relieve, []

    def timed(draft, tally=None):
        began = time.process_time()
        relieved = relief(draft)
        spent.append(time.process_time() - began)
        return relieved

    print("frame  residues  residues/s (CPU)  relief %  contact12  overlap04/1000  worst Å  pierced rings")
    for frame in range(options.frames):
        trace, chunk = condensate(options.chains, options.length, options.density, seed=frame)
        began = time.process_time()
        spent.clear()
        with patch.object(settle, "relieve", timed):
            atoms = model.sample(trace, chunk, samples=1, seed=0, mode="best")[:, 0]
        seconds = time.process_time() - began
        linked = trace.linked(chunk.positions)
        (found,) = frame_clashes(trace.residue_types, atoms, atoms_there(trace), linked, chunk.boxes)
        print(
            f"{frame:5d}{len(trace):10d}{len(trace) / seconds:18.0f}{100 * sum(spent) / seconds:10.1f}"
            f"{int(found.contact12.sum()):11d}{found.overlap04_per_1000:16.2f}{found.worst:9.2f}"
            f"{int(found.pierced.sum()):15d}",
            flush=True,
        )


if __name__ == "__main__":
    main()
