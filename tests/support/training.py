"""Packed structures and settings for short training runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from peptides import pdb_text, structure
from tiny import TINY

from latcpb_cli.structure import AtomStructure, CGTrace
from latcpb_cli.train.config import TrainConfig
from latcpb_cli.train.data import load_structures
from latcpb_cli.train.structures import Structure

__all__ = ["SEQUENCES", "dimer", "packed_chains", "peptide", "train_config", "write_pdb_files"]

SEQUENCES = ("MKTAYIAKQRQISFVKP", "GDNWLECHAAKELVSTFRY", "PPGFSPFRLLKDE", "AAAAKAAAAKAAAAKA", "DYTWHIMQNC")


def peptide(number: int) -> AtomStructure:
    """The peptide of one of the sequences; each has another phi."""
    return structure(SEQUENCES[number], phi=-65.0 - 10 * number)


def write_pdb_files(folder: Path) -> None:
    """Write every peptide as a PDB file, and a file that holds no structure."""
    for number in range(len(SEQUENCES)):
        (folder / f"p{number}.pdb").write_text(pdb_text(peptide(number)))
    (folder / "broken.pdb").write_text("this is no structure\n")


def dimer(first: str, second: str, distance: float = 11.0) -> AtomStructure:
    """Two helices, chains A and B, with the axis of the second at a distance (Å) beside that of the first."""
    helices = [structure(sequence, chain=chain) for sequence, chain in ((first, "A"), (second, "B"))]
    atoms = [helix.atoms - helix.atoms[:, :, 1].mean(axis=1) for helix in helices]
    across = np.linalg.svd(atoms[0][0, :, 1])[2][2]
    trace = CGTrace(
        sequence=first + second,
        chain_ids=np.concatenate([helix.trace.chain_ids for helix in helices]),
        chain_index=np.repeat([0, 1], [len(first), len(second)]),
        resids=np.concatenate([helix.trace.resids for helix in helices]),
        icodes=np.full(len(first + second), ""),
    )
    moved = np.concatenate([atoms[0], atoms[1] + distance * across], axis=1).astype(np.float32)
    return AtomStructure(trace, moved, np.concatenate([helix.present for helix in helices]), {})


def packed_chains(folder: Path) -> list[Structure]:
    """The packed peptides, in the order of `SEQUENCES`."""
    by_length = {len(chain): chain for chain in load_structures(folder, "train", ensemble_probability=0.0)}
    return [by_length[len(sequence)] for sequence in SEQUENCES]


def train_config(stage: str = "autoencoder", steps: int = 6, **changes: Any) -> TrainConfig:
    """Settings of a run that takes a second."""
    settings: dict[str, Any] = {"residues": 48, "window": 24, "warmup": 2, "model": TINY, **changes}
    return TrainConfig(stage, steps=steps, **settings)
