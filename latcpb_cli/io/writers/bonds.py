"""The covalent bonds of the atoms of an output."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int64

from latcpb_cli.chem.modified_bonds import all_bond_steps
from latcpb_cli.chem.residue_tables import join_tables
from latcpb_cli.chem.residues import C_SLOT, N_SLOT, slot_of
from latcpb_cli.geometry.links import next_rows
from latcpb_cli.structure import AtomTopology, Bridge

__all__ = ["heavy_bonds"]

_SG_SLOT = slot_of("CYS", "SG")


def heavy_bonds(topology: AtomTopology, bridges: Sequence[Bridge] = ()) -> Int64[np.ndarray, "B 2"]:
    """List the bonds between the heavy atoms of a topology.

    Neighbours in a chain, and the ends of a cyclic one, are bonded even where some frame has a break between
    them.

    Parameters
    ----------
    topology : AtomTopology
        Without hydrogens.
    bridges : sequence of tuple of int
        Residues with a disulfide between them.

    Returns
    -------
    numpy.ndarray of int64, shape (B, 2)
        Pairs of rows of the topology.
    """
    trace, steps = topology.trace, all_bond_steps()
    row = np.full((len(trace), steps.shape[1]), -1, dtype=np.int64)
    row[topology.residue, topology.slot] = np.arange(len(topology))
    residue, slots = join_tables([np.argwhere(np.triu(table == 1)) for table in steps], trace.residue_kinds)
    joined = np.flatnonzero(~trace.ends_chain())
    following = next_rows(trace.next_residue, len(trace))[joined]
    inside = row[residue[:, None], slots]
    peptides = np.stack([row[joined, C_SLOT], row[following, N_SLOT]], axis=1)
    disulfides = row[np.array(bridges, dtype=np.int64).reshape(-1, 2), _SG_SLOT]
    pairs = np.concatenate([inside, peptides, disulfides])
    return pairs[(pairs >= 0).all(axis=1)]
