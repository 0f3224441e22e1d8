"""Crystal structures with several chains, none of which was trained on.

Residues at an interface have a heavy atom within 5 Å of another chain. Chains that are related to training
chains, though their complex is not, are marked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from latcpb_cli.train.complexes import complex_loaders
from latcpb_cli.train.structures import Structure

__all__ = ["Complex", "load_complexes"]


@dataclass(frozen=True, eq=False)
class Complex:
    """All chains of a complex as one structure of L residues.

    Attributes
    ----------
    name : str
    structure : Structure
    chain : numpy.ndarray of uint8, shape (L,)
        Number of the chain of each residue; chains follow each other.
    interface, related : numpy.ndarray of bool, shape (L,)
        Whether a residue is at an interface, and whether its chain is related to a training chain.
    """

    name: str
    structure: Structure
    chain: np.ndarray
    interface: np.ndarray
    related: np.ndarray

    def single_chains(self) -> dict[str, Structure]:
        """Cut out each chain, by the name of the complex and its number, in their order."""
        starts = np.flatnonzero(np.diff(self.chain, prepend=-1))
        lengths = np.diff(np.append(starts, len(self.chain)))
        return {
            f"{self.name}/{number}": self.structure.window(int(start), int(length))
            for number, (start, length) in enumerate(zip(starts, lengths, strict=True))
        }


def load_complexes(data: Path, split: str = "valid") -> Iterator[Complex]:
    """Yield the complexes of a split."""
    for row, load in complex_loaders(data, split):
        structure = load()
        related = [int(number) for number in row.get("rel_train_chains", "").split(",") if number]
        yield Complex(
            name=row["id"],
            structure=structure,
            chain=structure.chain,
            interface=structure.interface,
            related=np.isin(structure.chain, related),
        )
