"""PDB text of one chain: the input of a program, and its output read back.

Residues are written as chain A, numbered from 1 without a gap, so that the n-th residue can be identified
whatever a program does to chain identifiers and numbers. Atoms of the output are assigned to the residues of
the reference; atoms that were not built are marked as not present.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from latcpb_cli.chem.residues import BACKBONE_SLOTS, CA_SLOT, N_SLOTS
from latcpb_cli.errors import InputError
from latcpb_cli.io.all_atom import read_all_atom
from latcpb_cli.io.writers.pdb import PdbFormatter
from latcpb_cli.structure import AtomStructure, AtomTopology

__all__ = ["backbone_text", "read_back", "trace_text"]


def trace_text(structure: AtomStructure) -> str:
    """Format the Cα of the first frame."""
    return _pdb_text(structure, [CA_SLOT], structure.present[:, CA_SLOT])


def backbone_text(structure: AtomStructure) -> str:
    """Format N, CA, C and O of the first frame, the input of a program that packs side chains.

    Residues that lack one of these atoms are left out.
    """
    slots = [CA_SLOT, *BACKBONE_SLOTS]
    complete = np.asarray(structure.present[:, slots].all(axis=1))
    return _pdb_text(structure, slots, complete)


def _pdb_text(structure: AtomStructure, slots: list[int], residues: np.ndarray) -> str:
    length = len(structure.trace)
    trace = replace(
        structure.trace,
        chain_ids=np.full(length, "A"),
        chain_index=np.zeros(length, dtype=np.int64),
        resids=np.arange(1, length + 1),
        icodes=np.full(length, ""),
    )
    heavy = AtomTopology.heavy_atoms(trace)
    kept = np.isin(heavy.slot, slots) & residues[heavy.residue]
    columns = (heavy.residue, heavy.slot, heavy.names, heavy.elements)
    topology = AtomTopology(trace, *(column[kept] for column in columns))
    records = PdbFormatter(topology).format_frame(topology.flatten(structure.atoms)[0])
    return records.decode("ascii") + "END\n"


def read_back(path: Path, reference: AtomStructure) -> AtomStructure:
    """Read the output of a program as frames of the reference's residues.

    Only atoms that the reference has count. A residue that was not built has no atoms present; its Cα
    position is that of the input, so that peptides are the same as in the reference.

    Raises
    ------
    InputError
        Numbers or names of residues differ from those of the input.
    """
    output = read_all_atom(path)
    length = len(reference.trace)
    rows = output.trace.resids - 1
    if rows.min() < 0 or rows.max() >= length or len(np.unique(rows)) < len(rows):
        raise InputError(f"residues are numbered {rows.min() + 1} to {rows.max() + 1}, not 1 to {length}")
    for letter, row in zip(output.trace.sequence, rows.tolist(), strict=True):
        if letter != reference.trace.sequence[row]:
            raise InputError(f"residue {row + 1} came back as {letter}, not {reference.trace.sequence[row]}")
    present = np.zeros((length, N_SLOTS), dtype=bool)
    present[rows] = output.present
    present &= reference.present
    atoms = np.zeros((len(output), length, N_SLOTS, 3), dtype=np.float32)
    atoms[:, :, CA_SLOT] = reference.atoms[0, :, CA_SLOT]
    atoms[:, rows] = np.where(present[rows, :, None], output.atoms, 0.0)
    return AtomStructure(reference.trace, atoms, present, output.left_out)
