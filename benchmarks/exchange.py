"""What the programs are given and what they give back: plain PDB text of one chain.

Residues go out as chain A, numbered from 1 without a gap, so that whatever a program does to chain
identifiers and numbers, the n-th residue is the n-th residue. What comes back is laid over the
reference atom by atom; what is missing stays missing.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from latcpb_cli.chem.residues import BACKBONE_SLOTS, N_SLOTS
from latcpb_cli.errors import InputError
from latcpb_cli.io.all_atom import read_all_atom
from latcpb_cli.io.writers.pdb import PdbFormatter
from latcpb_cli.structure import AtomStructure, AtomTopology

__all__ = ["backbone_text", "read_back", "trace_text"]

_CA = 1


def trace_text(structure: AtomStructure) -> str:
    """Write the Cα of the first frame, nothing else."""
    return _text(structure, [_CA])


def backbone_text(structure: AtomStructure) -> str:
    """Write N, CA, C and O of the first frame, what a program that packs side chains needs."""
    return _text(structure, [_CA, *BACKBONE_SLOTS])


def _text(structure: AtomStructure, slots: list[int]) -> str:
    length = len(structure.trace)
    trace = replace(
        structure.trace,
        chain_ids=np.full(length, "A"),
        chain_index=np.zeros(length, dtype=np.int64),
        resids=np.arange(1, length + 1),
        icodes=np.full(length, ""),
    )
    every = AtomTopology.heavy_atoms(trace)
    kept = np.isin(every.slot, slots) & structure.present[every.residue, every.slot]
    columns = (every.residue, every.slot, every.names, every.elements)
    topology = AtomTopology(trace, *(column[kept] for column in columns))
    return PdbFormatter(topology).format_frame(topology.flatten(structure.atoms)[0]) + "END\n"


def read_back(path: Path, reference: AtomStructure) -> AtomStructure:
    """Read what a program made of a chain, as frames of the reference's residues.

    Only atoms that the reference has count. A residue that was not built is there without an atom; its
    Cα position is that of the input, so that peptides are where they are in the reference.

    Raises
    ------
    InputError
        Residues are numbered or named otherwise than in the input.
    """
    found = read_all_atom(path)
    length = len(reference.trace)
    rows = found.trace.resids - 1
    if rows.min() < 0 or rows.max() >= length or len(np.unique(rows)) < len(rows):
        raise InputError(f"residues are numbered {rows.min() + 1} to {rows.max() + 1}, not 1 to {length}")
    for letter, row in zip(found.trace.sequence, rows.tolist(), strict=True):
        if letter != reference.trace.sequence[row]:
            raise InputError(f"residue {row + 1} came back as {letter}, not {reference.trace.sequence[row]}")
    present = np.zeros((length, N_SLOTS), dtype=bool)
    present[rows] = found.present
    present &= reference.present
    atoms = np.zeros((len(found), length, N_SLOTS, 3), dtype=np.float32)
    atoms[:, :, _CA] = reference.atoms[0, :, _CA]
    atoms[:, rows] = np.where(present[rows, :, None], found.atoms, 0.0)
    return AtomStructure(reference.trace, atoms, present, found.left_out)
