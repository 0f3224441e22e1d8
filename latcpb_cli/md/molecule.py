"""Atoms with their bonds, and the same as a topology of OpenMM (layer 4)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from openmm.app import Element, Topology

from latcpb_cli.chem.residues import NAMES
from latcpb_cli.io.pdb_writer import chain_letters
from latcpb_cli.metrics.bonds import intra_bonds
from latcpb_cli.structure import AtomTopology

__all__ = ["Molecule", "heavy_molecule"]

_N, _C = 0, 2


@dataclass(frozen=True, eq=False)
class Molecule:
    """Atoms and what joins them.

    Attributes
    ----------
    topology : AtomTopology
        N atoms. Slots from 15 on are hydrogens.
    bonds : numpy.ndarray of int64, shape (B, 2)
        Pairs of rows. Neighbours in a chain are joined even where some frame
        has a break: the force field would know no residue with half a peptide.
    """

    topology: AtomTopology
    bonds: np.ndarray

    def to_openmm(self) -> Topology:
        """Make a topology whose atoms and residues have the order they have here."""
        trace, result = self.topology.trace, Topology()
        letters = chain_letters(trace)
        chains = [result.addChain(letter) for letter in letters]
        residues = [
            result.addResidue(NAMES[kind], chains[chain], str(resid), icode or " ")
            for kind, chain, resid, icode in zip(
                trace.residue_types, trace.chain_index, trace.resids, trace.icodes, strict=True
            )
        ]
        rows = zip(self.topology.names, self.topology.elements, self.topology.residue, strict=True)
        atoms = [
            result.addAtom(str(name), Element.getBySymbol(str(element)), residues[residue])
            for name, element, residue in rows
        ]
        for one, other in self.bonds.tolist():
            result.addBond(atoms[one], atoms[other])
        return result


def heavy_molecule(topology: AtomTopology, bridges: np.ndarray | None = None) -> Molecule:
    """Join the heavy atoms of a topology.

    Parameters
    ----------
    topology : AtomTopology
    bridges : numpy.ndarray of int64, shape (B, 2), or None
        Rows of atoms that are bonded beyond what the residues say, such as
        the two SG of a disulfide.
    """
    trace = topology.trace
    row = np.full((len(trace), int(topology.slot.max()) + 1), -1, dtype=np.int64)
    row[topology.residue, topology.slot] = np.arange(len(topology))
    pairs = [
        (row[residue, one], row[residue, other])
        for residue, kind in enumerate(trace.residue_types)
        for one, other in intra_bonds()[kind]
        if other < row.shape[1]
    ]
    joined = np.flatnonzero(trace.same_chain_as_next())
    bonds = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    peptides = np.stack([row[joined, _C], row[joined + 1, _N]], axis=1)
    bonds = np.concatenate([bonds[(bonds >= 0).all(axis=1)], peptides])
    return Molecule(topology, bonds if bridges is None else np.concatenate([bonds, bridges]))
