"""Text of small PDB files in which one thing is odd."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from cg_files import NAME_OF, pdb_line, walk

__all__ = ["atoms", "com_beads", "pdb", "replace_columns"]

SEQUENCE = "ACDEFGHIKL"


def atoms(
    sequence: str = SEQUENCE,
    positions: np.ndarray | None = None,
    *,
    names: str | Sequence[str] = "CA",
    resnames: Sequence[str] | None = None,
    chains: str | None = None,
    resids: Sequence[int] | None = None,
    icodes: Sequence[str] | None = None,
    segments: Sequence[str] | None = None,
    altlocs: Sequence[str] | None = None,
) -> list[str]:
    """ATOM lines, one per letter of the sequence, along a chain of 3.8 Å bonds."""
    n = len(sequence)
    xyz = walk(n)[0] if positions is None else positions
    return [
        pdb_line(
            i + 1,
            resnames[i] if resnames else NAME_OF.get(sequence[i], "UNK"),
            resids[i] if resids is not None else i + 1,
            xyz[i],
            name=names if isinstance(names, str) else names[i],
            chain=chains[i] if chains else "A",
            icode=icodes[i] if icodes else "",
            segment=segments[i] if segments else "",
            altloc=altlocs[i] if altlocs else "",
        )
        for i in range(n)
    ]


def pdb(*parts: str | Sequence[str]) -> str:
    """Join lines and blocks of lines to a file."""
    lines: list[str] = []
    for part in parts:
        lines += [part] if isinstance(part, str) else part
    return "\n".join([*lines, "END", ""])


def replace_columns(lines: Sequence[str], change: Callable[[str], str]) -> list[str]:
    """Change every line."""
    return [change(line) for line in lines]


def com_beads(n_residues: int, seed: int = 0) -> np.ndarray:
    """Beads at centres of mass of residues: neighbours 4 to 7 Å apart, each pair at a distance of its own."""
    rng = np.random.default_rng(seed)
    xyz = walk(n_residues, seed=seed)[0].astype(float)
    steps = np.diff(xyz, axis=0)
    steps *= rng.uniform(4.0, 7.0, size=len(steps))[:, None] / np.linalg.norm(steps, axis=1, keepdims=True)
    return np.cumsum(np.vstack([xyz[:1], steps]), axis=0)
