"""Residues of a structure as arrays of the packed format."""

from __future__ import annotations

import numpy as np

from latcpb_cli.chem.residues import CA_SLOT, CB_SLOT, OXT_SLOT
from latcpb_cli.geometry.pairs import close_pairs
from latcpb_cli.structure import AtomStructure
from latcpb_cli.train.packed_format import BREAK, COMPLETE, COORDINATES_PER_ANGSTROM, INTERFACE

__all__ = ["pack_chain", "pack_complex"]

_MAX_COORDINATE = 327.0  # Å from the centroid: what 16 bits hold
_MAX_CHAINS = 256  # what 8 bits number
_INTERFACE_CUTOFF = 5.0  # Å between heavy atoms of two chains

Arrays = dict[str, np.ndarray]


def pack_chain(structure: AtomStructure, chain: int) -> Arrays | None:
    """Pack one chain of the first frame.

    Parameters
    ----------
    structure : AtomStructure
    chain : int
        Its number in the trace.

    Returns
    -------
    dict of str to numpy.ndarray, or None
        None where the chain is too large for 16 bits.
    """
    return _pack(structure, np.flatnonzero(structure.trace.chain_index == chain))


def pack_complex(structure: AtomStructure) -> Arrays | None:
    """Pack all chains of the first frame as one structure.

    Returns
    -------
    dict of str to numpy.ndarray, or None
        Also the chain of each residue, and the flag of interfaces. None where no chain is near another, or
        the structure does not fit into the format.
    """
    chain = structure.trace.chain_index
    interface = _at_interface(structure)
    if not interface.any() or chain[-1] >= _MAX_CHAINS:
        return None
    arrays = _pack(structure, np.arange(len(chain)))
    if arrays is not None:
        arrays["chain"] = chain.astype(np.uint8)
        arrays["flags"][interface] |= INTERFACE
    return arrays


def _pack(structure: AtomStructure, rows: np.ndarray) -> Arrays | None:
    trace = structure.trace
    linked = trace.linked_rows(structure.atoms[:1, :, CA_SLOT])[0, rows]
    present = structure.present[rows, :OXT_SLOT]
    atoms = structure.atoms[0, rows, :OXT_SLOT]
    centroid = atoms[:, CA_SLOT].mean(0)
    if np.abs(atoms - centroid)[present].max() > _MAX_COORDINATE:
        return None
    coords = np.where(present[..., None], np.round(COORDINATES_PER_ANGSTROM * (atoms - centroid)), 0)
    bits = (present.astype(np.uint16) << np.arange(OXT_SLOT, dtype=np.uint16)).sum(-1).astype(np.uint16)
    complete = present[:, :CB_SLOT].all(-1)
    flags = np.where(linked, 0, BREAK) | np.where(complete, COMPLETE, 0)
    return {
        "coords": coords.astype(np.int16),
        "centroid": centroid[None].astype(np.float32),
        "atom_mask": bits,
        "seq": trace.residue_types[rows].astype(np.uint8),
        "flags": flags.astype(np.uint8),
    }


def _at_interface(structure: AtomStructure) -> np.ndarray:
    """Whether each residue has a heavy atom near one of another chain, (L,)."""
    residue, slot = np.nonzero(structure.present)
    first, second, _ = close_pairs(structure.atoms[0, residue, slot], _INTERFACE_CUTOFF)
    chain = structure.trace.chain_index[residue]
    between = chain[first] != chain[second]
    interface = np.zeros(len(structure.present), dtype=bool)
    interface[residue[np.concatenate([first[between], second[between]])]] = True
    return interface
