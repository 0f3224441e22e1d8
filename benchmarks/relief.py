"""What relief costs and what it does, on chains held out of training.

    python benchmarks/relief.py DATA [--weights DIR] [--chains 24] [--split heldout] [--setting NAME=VALUE]

Four inputs: chains as they are, with noise of 0.2 Å on their Cα, with Cα-Cα distances of 3.83 ± 0.17 Å after
noise of 0.25 Å, and self-avoiding walks with such distances under the chains' sequences, which are like the
traces of one-bead models of disordered proteins. One row without relief and one with it for each; a setting
is a constant of `latcpb_cli.refine` by module and name, for instance ``relief._STEPS=48``, so that the
constants there can be traced.
"""

from __future__ import annotations

import argparse
import importlib
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from unittest.mock import patch

import numpy as np
from chains import generated_structure, reference_chains
from tables import Row

from latcpb_cli.backmapper import Backmapper
from latcpb_cli.refine import settle, strain
from latcpb_cli.relax.relief import relieve
from latcpb_cli.structure import AtomStructure, FrameChunk

COLUMNS = (
    "all_heavy",
    "backbone",
    "side_chain",
    "chi1",
    "overlap04_per_1000",
    "contact12_percent",
    "angles_percent",
    "omega_percent",
    "ramachandran_favoured",
)
NEAREST = 4.9  # Å between Cα of a walk that are not neighbours


def as_it_is(ca: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return ca


def noise(ca: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return ca + 0.2 * rng.normal(size=ca.shape)


def spread(ca: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw the Cα-Cα distances again, cis ones about 2.95 Å; breaks stay."""
    step = np.diff(ca + 0.25 * rng.normal(size=ca.shape), axis=0)
    length = np.linalg.norm(np.diff(ca, axis=0), axis=1)
    cis = length < 3.3
    drawn = np.where(cis, 2.95, 3.83) + np.where(cis, 0.05, 0.17) * rng.normal(size=len(step))
    wanted = np.where(length < 4.5, drawn, length)
    step *= (wanted / np.linalg.norm(step, axis=1))[:, None]
    return ca[:1] + np.concatenate([np.zeros((1, 3)), np.cumsum(step, axis=0)])


def walk(ca: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Grow a chain in random directions that does not cross itself, going back where it is stuck."""
    points = [np.zeros(3)]
    while len(points) < len(ca):
        direction = rng.normal(size=3)
        new = points[-1] + direction / np.linalg.norm(direction) * (3.83 + 0.17 * rng.normal())
        if len(points) > 1 and np.linalg.norm(np.array(points[:-1]) - new, axis=1).min() < NEAREST:
            if rng.random() < 0.02:
                del points[-6:]
                points = points or [np.zeros(3)]
            continue
        points.append(new)
    return np.array(points)


INPUTS: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "chains": as_it_is,
    "noise": noise,
    "spread": spread,
    "walks": walk,
}


def chunks(options: argparse.Namespace, kind: str) -> Iterator[tuple[AtomStructure, FrameChunk]]:
    rng = np.random.default_rng(0)
    for _, reference, chunk in islice(reference_chains(options.data, options.split), options.chains):
        chunk.positions[0] = INPUTS[kind](chunk.positions[0].astype(np.float64), rng)
        yield reference, chunk


def measure(model: Backmapper, options: argparse.Namespace, kind: str, on: bool) -> tuple[Row, float]:
    """Accuracy and geometry of the answers, and milliseconds of CPU per residue that relief took."""
    row, seconds, residues = Row(), 0.0, 0

    def timed(draft, tally=None):
        nonlocal seconds, residues
        began = time.process_time()
        moved = relieve(draft) if on else draft
        seconds += time.process_time() - began
        residues += len(draft)
        return moved

    with patch.object(settle, "relieve", timed):
        for reference, chunk in chunks(options, kind):
            atoms = model.sample(reference.trace, chunk, samples=1, seed=0, mode="best")[:, 0]
            built = generated_structure(reference, atoms)
            known = kind in ("chains", "noise")
            row.add(reference if known else built, built)
    return row, 1000 * seconds / residues


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--weights")
    parser.add_argument("--split", default="heldout")
    parser.add_argument("--chains", type=int, default=24)
    parser.add_argument("--setting", action="append", default=[])
    options = parser.parse_args()
    for setting in options.setting:
        name, value = setting.split("=")
        module, constant = name.split(".")
        place = importlib.import_module(f"latcpb_cli.refine.{module}")
        setattr(place, constant, type(getattr(place, constant))(float(value)))
    strain._slopes.cache_clear()
    model = Backmapper.from_pretrained(options.weights, device="cpu")
    print(f"{'input':8s}{'relief':8s}{'ms/residue':>12s}" + "".join(f"{name[:12]:>14s}" for name in COLUMNS))
    for kind in INPUTS:
        for on in (False, True):
            row, cost = measure(model, options, kind, on)
            numbers = row.numbers()
            cells = "".join(f"{numbers[name]:14.3f}" for name in COLUMNS)
            print(f"{kind:8s}{'with' if on else 'without':8s}{cost:12.3f}{cells}", flush=True)


if __name__ == "__main__":
    main()
