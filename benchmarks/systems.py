"""Synthetic Cα systems of any size: disordered chains on a lattice, the same for the same numbers.

    python benchmarks/systems.py FOLDER --chains 200 --residues 200 --frames 1

writes FOLDER/200x200.gro and FOLDER/200x200.xtc.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from MDAnalysis.lib.formats.libmdaxdr import XTCFile

from latcpb_cli.chem.residues import NAMES

__all__ = ["pdb_text", "random_chain", "random_sequence", "write_system"]

BOND, MIN_DISTANCE = 3.8, 5.0
"""Å: bonds, and the distance of other beads of a chain."""
MIN_ANGLE, MAX_ANGLE = 90, 140
"""Degrees: virtual angles."""
ATTEMPTS = 30
"""Directions that are tried for a bead before the chain steps back."""
CONFORMATIONS = 20
"""Conformations of one chain that systems are put together from."""


def random_sequence(residues: int) -> list[str]:
    """Residue names of a chain: all twenty, in random order."""
    return [NAMES[k] for k in np.random.default_rng(0).integers(0, len(NAMES), residues)]


def random_chain(residues: int, seed: int) -> np.ndarray:
    """A self-avoiding random chain with virtual angles of 90° to 140°: (L, 3) in Å."""
    rng = np.random.default_rng(seed)
    points = [np.zeros(3), np.array([BOND, 0.0, 0.0])]
    dead_ends = 0
    while len(points) < residues:
        direction = (points[-1] - points[-2]) / BOND
        for _ in range(ATTEMPTS):
            normal = np.cross(direction, rng.normal(size=3))
            turn = np.pi - rng.uniform(np.radians(MIN_ANGLE), np.radians(MAX_ANGLE))
            sideways = np.sin(turn) * normal / np.linalg.norm(normal)
            new = points[-1] + BOND * (np.cos(turn) * direction + sideways)
            if (np.linalg.norm(np.array(points[:-1]) - new, axis=1) > MIN_DISTANCE).all():
                points.append(new)
                break
        else:
            dead_ends += 1
            del points[max(2, len(points) - 10 * dead_ends) :]
    return np.array(points[:residues])


def write_system(folder: Path, chains: int, residues: int, frames: int) -> tuple[Path, Path]:
    """Write topology and trajectory of chains on a lattice; returns their paths."""
    name = f"{chains}x{residues}" + (f"-{frames}" if frames > 1 else "")
    topology, trajectory = folder / f"{name}.gro", folder / f"{name}.xtc"
    conformations = [random_chain(residues, seed) for seed in range(CONFORMATIONS)]
    conformations = [points - points.mean(0) for points in conformations]
    side = int(np.ceil(chains ** (1 / 3)))
    # As far apart as needed: beads of two chains are nowhere nearer than those of one.
    spacing = max(float(np.ptp(points, axis=0).max()) for points in conformations) + MIN_DISTANCE
    centers = spacing * np.stack(np.unravel_index(np.arange(chains), (side,) * 3), axis=1)
    with XTCFile(str(trajectory), "w") as out:
        for frame in range(frames):
            chosen = [conformations[(frame + i) % CONFORMATIONS] for i in range(chains)]
            system = np.concatenate([points + center for points, center in zip(chosen, centers, strict=True)])
            out.write(
                (system / 10).astype(np.float32), np.zeros((3, 3), np.float32), frame, 10.0 * frame, 1000
            )
            if frame == 0:
                resids = np.tile(np.arange(1, residues + 1), chains)
                topology.write_text(_gro_text(random_sequence(residues) * chains, resids, system))
    return topology, trajectory


def pdb_text(names: list[str], points: np.ndarray) -> str:
    """Format one chain of Cα (L, 3)."""
    rows = enumerate(zip(names, points, strict=True), start=1)
    lines = [
        f"ATOM  {i:5d}  CA  {name:<3s} A{i:4d}    {x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00           C"
        for i, (name, (x, y, z)) in rows
    ]
    return "\n".join([*lines, "TER", "END", ""])


def _gro_text(names: list[str], resids: np.ndarray, points: np.ndarray) -> str:
    lines = ["disordered chains", f"{len(names):5d}"]
    rows = enumerate(zip(names, resids, points / 10, strict=True), start=1)
    lines += [
        f"{resid % 100_000:5d}{name:<5s}{'CA':>5s}{i % 100_000:5d}{x:8.3f}{y:8.3f}{z:8.3f}"
        for i, (name, resid, (x, y, z)) in rows
    ]
    return "\n".join([*lines, "   0.00000   0.00000   0.00000", ""])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--chains", type=int, default=200)
    parser.add_argument("--residues", type=int, default=200)
    parser.add_argument("--frames", type=int, default=1)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    print(*write_system(options.folder, options.chains, options.residues, options.frames))


if __name__ == "__main__":
    main()
