"""Cost and effect of the relief of overlaps, on chains held out of training.

    python benchmarks/relief.py DATA [--weights DIR] [--chains 24] [--set heldout] [--setting NAME=VALUE]

Four inputs: chains as they are, with noise of 0.2 Å on their Cα, with Cα-Cα distances of 3.83 ± 0.17 Å after
noise of 0.25 Å, and self-avoiding walks with such distances and the chains' sequences, which are like the
traces of one-bead models of disordered proteins. One row without relief and one with it for each. A setting
is a constant of `latcpb_cli.relax` by module and name, for instance ``relief._STEP_SIZE=0.4``, with which the
constants there are chosen.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
from arguments import measurement_parser
from chains import rebuild, reference_chains
from relief_timer import ReliefCost, relief_timer
from tables import Row

from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.options import BackmapOptions
from latcpb_cli.structure import BREAK_CUTOFF, AtomStructure, FrameChunk

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
BOND, BOND_STD = 3.83, 0.17  # Å
CIS_BOND, CIS_BOND_STD, CIS_CUTOFF = 2.95, 0.05, 3.3  # Å
MIN_DISTANCE = 4.9  # Å between Cα of a walk that are not neighbours
ROWS = {"without": BackmapOptions(without=("relief",)), "with": BackmapOptions()}

Disturb = Callable[[np.ndarray, np.random.Generator], np.ndarray]
"""Changes the Cα (L, 3) of a chain."""


def unchanged(ca: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return ca


def with_noise(ca: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    noisy: np.ndarray = ca + 0.2 * rng.normal(size=ca.shape)
    return noisy


def with_random_bonds(ca: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Sample the Cα-Cα distances again, those of cis peptides about 2.95 Å; breaks stay."""
    step = np.diff(ca + 0.25 * rng.normal(size=ca.shape), axis=0)
    length = np.linalg.norm(np.diff(ca, axis=0), axis=1)
    cis = length < CIS_CUTOFF
    mean, std = np.where(cis, CIS_BOND, BOND), np.where(cis, CIS_BOND_STD, BOND_STD)
    target = np.where(length < BREAK_CUTOFF, mean + std * rng.normal(size=len(step)), length)
    step *= (target / np.linalg.norm(step, axis=1))[:, None]
    points: np.ndarray = ca[:1] + np.concatenate([np.zeros((1, 3)), np.cumsum(step, axis=0)])
    return points


def random_walk(ca: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Grow a self-avoiding chain of the same length, with steps back where it is stuck."""
    points = [np.zeros(3)]
    while len(points) < len(ca):
        direction = rng.normal(size=3)
        new = points[-1] + direction / np.linalg.norm(direction) * (BOND + BOND_STD * rng.normal())
        if len(points) > 1 and np.linalg.norm(np.array(points[:-1]) - new, axis=1).min() < MIN_DISTANCE:
            if rng.random() < 0.02:
                del points[-6:]
                points = points or [np.zeros(3)]
            continue
        points.append(new)
    return np.array(points)


INPUTS: dict[str, Disturb] = {
    "chains": unchanged,
    "noise": with_noise,
    "bonds": with_random_bonds,
    "walks": random_walk,
}
WITH_NATIVES = ("chains", "noise")
"""Inputs whose results are compared with the natives."""


def disturbed_chains(
    options: argparse.Namespace, disturb: Disturb
) -> Iterator[tuple[AtomStructure, FrameChunk]]:
    rng = np.random.default_rng(0)
    for _, reference, chunk in islice(reference_chains(options.data, options.set), options.chains):
        chunk.positions[0] = disturb(chunk.positions[0].astype(np.float64), rng)
        yield reference, chunk


def measure(
    backmapper: LoadedModel, options: argparse.Namespace, name: str, settings: BackmapOptions
) -> tuple[Row, ReliefCost]:
    """Accuracy and geometry of the structures of one input, and the cost of relief."""
    row = Row()
    with relief_timer() as cost:
        for reference, chunk in disturbed_chains(options, INPUTS[name]):
            built = rebuild(backmapper, reference, chunk, settings)
            row.add(reference if name in WITH_NATIVES else built, built)
    return row, cost


def change_constant(setting: str) -> None:
    """Set a constant of `latcpb_cli.relax`, from ``module.NAME=VALUE``."""
    name, value = setting.split("=")
    module_name, constant = name.split(".")
    module = importlib.import_module(f"latcpb_cli.relax.{module_name}")
    setattr(module, constant, type(getattr(module, constant))(float(value)))


def main() -> None:
    parser = measurement_parser(__doc__, default="heldout")
    parser.add_argument("--chains", type=int, default=24)
    parser.add_argument("--setting", action="append", default=[])
    options = parser.parse_args()
    for setting in options.setting:
        change_constant(setting)
    backmapper = LoadedModel.from_pretrained(options.weights, device="cpu")
    print(f"{'input':8s}{'relief':8s}{'ms/residue':>12s}" + "".join(f"{name[:12]:>14s}" for name in COLUMNS))
    for name in INPUTS:
        for label, settings in ROWS.items():
            row, cost = measure(backmapper, options, name, settings)
            figures = row.figures()
            cells = "".join(f"{figures[column]:14.3f}" for column in COLUMNS)
            milliseconds = 1000 * cost.seconds / max(1, cost.residues)
            print(f"{name:8s}{label:8s}{milliseconds:12.3f}{cells}", flush=True)


if __name__ == "__main__":
    main()
