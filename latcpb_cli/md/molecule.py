"""Atoms with their bonds, and the same as a topology of OpenMM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from openmm.app import Element, Topology

from latcpb_cli.chem.modified import VARIANTS, parent_name
from latcpb_cli.chem.modified_bonds import all_bond_steps
from latcpb_cli.chem.residues import slot_of
from latcpb_cli.io.writers.pdb import chain_letters
from latcpb_cli.structure import AtomTopology, Bridge

__all__ = ["Molecule", "heavy_molecule"]

_N, _C = 0, 2
_SG = slot_of("CYS", "SG")


@dataclass(frozen=True, eq=False)
class Molecule:
    """Atoms and what joins them.

    Attributes
    ----------
    topology : AtomTopology
        N atoms, hydrogens behind the heavy atoms of their residue.
    bonds : numpy.ndarray of int64, shape (B, 2)
        Pairs of rows. Neighbours in a chain are joined even where some frame
        has a break: the force field would know no residue with half a peptide.
    """

    topology: AtomTopology
    bonds: np.ndarray

    @property
    def heavy(self) -> np.ndarray:
        """Which atoms are no hydrogens: bool, shape (N,)."""
        return np.asarray(self.topology.elements != "H")

    def to_openmm(self) -> Topology:
        """Make a topology of the same order; modified residues have the names of their parents."""
        trace, result = self.topology.trace, Topology()
        chains = [result.addChain(letter) for letter in chain_letters(trace)]
        residues = []
        for index, (chain, resid, icode) in enumerate(
            zip(trace.chain_index, trace.resids, trace.icodes, strict=True)
        ):
            name = trace.name(index)
            standard = parent_name(name) if name in VARIANTS else name
            residues.append(result.addResidue(standard, chains[chain], str(resid), icode or " "))
        rows = zip(self.topology.names, self.topology.elements, self.topology.residue, strict=True)
        atoms = [
            result.addAtom(str(name), Element.getBySymbol(str(element)), residues[residue])
            for name, element, residue in rows
        ]
        for one, other in self.bonds.tolist():
            result.addBond(atoms[one], atoms[other])
        return result


def heavy_molecule(topology: AtomTopology, bridges: Sequence[Bridge] = ()) -> Molecule:
    """Join the heavy atoms of a topology.

    Parameters
    ----------
    topology : AtomTopology
    bridges : sequence of tuple of int
        Residues that a disulfide joins.
    """
    trace, steps = topology.trace, all_bond_steps()
    row = np.full((len(trace), steps.shape[1]), -1, dtype=np.int64)
    row[topology.residue, topology.slot] = np.arange(len(topology))
    bonds = []
    for residue, kind in enumerate(trace.kinds):
        bonds += [row[residue, pair] for pair in np.argwhere(np.triu(steps[kind] == 1))]
    joined = np.flatnonzero(trace.same_chain_as_next())
    bonds += list(np.stack([row[joined, _C], row[joined + 1, _N]], axis=1))
    bonds += [row[list(pair), _SG] for pair in bridges]
    pairs = np.array(bonds, dtype=np.int64).reshape(-1, 2)
    return Molecule(topology, pairs[(pairs >= 0).all(axis=1)])
