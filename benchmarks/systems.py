"""Synthetic Cα systems of any size: disordered chains side by side, the same for the same numbers.

    python benchmarks/systems.py FOLDER --chains 200 --residues 200 --frames 1

writes FOLDER/200x200.gro and FOLDER/200x200.xtc.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from MDAnalysis.lib.formats.libmdaxdr import XTCFile

from latcpb_cli.chem.residues import NAMES

__all__ = ["chain", "pdb_text", "sequence", "write_system"]

BOND, NEAREST = 3.8, 5.0
"""Å: bonds, and how near two beads of a chain may come."""
POOL = 20
"""Conformations of one chain that systems are put together from."""


def sequence(residues: int) -> list[str]:
    """Residue names of a chain: all twenty, in an order without a pattern."""
    return [NAMES[k] for k in np.random.default_rng(0).integers(0, 20, residues)]


def chain(residues: int, seed: int) -> np.ndarray:
    """A random chain that avoids itself, with virtual angles of 90° to 140°: (L, 3) in Å."""
    rng = np.random.default_rng(seed)
    points = [np.zeros(3), np.array([BOND, 0.0, 0.0])]
    dead_ends = 0
    while len(points) < residues:
        u = (points[-1] - points[-2]) / BOND
        for _ in range(30):
            v = np.cross(u, rng.normal(size=3))
            turn = np.pi - rng.uniform(np.radians(90), np.radians(140))
            new = points[-1] + BOND * (np.cos(turn) * u + np.sin(turn) * v / np.linalg.norm(v))
            if (np.linalg.norm(np.array(points[:-1]) - new, axis=1) > NEAREST).all():
                points.append(new)
                break
        else:
            dead_ends += 1
            del points[max(2, len(points) - 10 * dead_ends) :]
    return np.array(points[:residues])


def write_system(folder: Path, chains: int, residues: int, frames: int) -> tuple[Path, Path]:
    """Write topology and trajectory of chains on a lattice; returns their paths."""
    name = f"{chains}x{residues}" + (f"-{frames}" if frames > 1 else "")
    top, trajectory = folder / f"{name}.gro", folder / f"{name}.xtc"
    pool = [chain(residues, seed) for seed in range(POOL)]
    pool = [points - points.mean(0) for points in pool]
    side = int(np.ceil(chains ** (1 / 3)))
    # Neighbours touch: the middle half of the chains would just not overlap.
    cell = max(2 * float(np.median(np.abs(points))) for points in pool) + 2 * NEAREST
    places = cell * np.stack(np.unravel_index(np.arange(chains), (side,) * 3), axis=1)
    names = sequence(residues) * chains
    with XTCFile(str(trajectory), "w") as out:
        for frame in range(frames):
            system = np.concatenate([pool[(frame + i) % POOL] + place for i, place in enumerate(places)])
            out.write(
                (system / 10).astype(np.float32), np.zeros((3, 3), np.float32), frame, 10.0 * frame, 1000
            )
            if frame == 0:
                top.write_text(_gro(names, np.tile(np.arange(1, residues + 1), chains), system))
    return top, trajectory


def pdb_text(names: list[str], points: np.ndarray) -> str:
    """One chain as a PDB of Cα."""
    rows = enumerate(zip(names, points, strict=True), start=1)
    lines = [
        f"ATOM  {i:5d}  CA  {name:<3s} A{i:4d}    {x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00           C"
        for i, (name, (x, y, z)) in rows
    ]
    return "\n".join([*lines, "TER", "END", ""])


def _gro(names: list[str], resids: np.ndarray, points: np.ndarray) -> str:
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
