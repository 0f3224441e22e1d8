"""Atoms with their bonds, and their conversion to a topology of OpenMM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int
from openmm.app import Element, Topology

from latcpb_cli.chem.modified import VARIANTS, parent_name
from latcpb_cli.io.writers.bonds import heavy_bonds
from latcpb_cli.io.writers.labels import pdb_chain_letters
from latcpb_cli.structure import AtomTopology, Bridge

__all__ = ["Molecule", "heavy_molecule"]


@dataclass(frozen=True, eq=False)
class Molecule:
    """Atoms and the bonds between them.

    Attributes
    ----------
    topology : AtomTopology
        N atoms; hydrogens follow the heavy atoms of their residue.
    bonds : numpy.ndarray of int64, shape (B, 2)
        Pairs of rows. Neighbours in a chain, and the ends of a cyclic one, are bonded even where some frame
        has a break, because force fields have no template for half a peptide.
    """

    topology: AtomTopology
    bonds: Int[np.ndarray, "B 2"]

    @property
    def heavy(self) -> Bool[np.ndarray, "N"]:
        """Which atoms are heavy atoms."""
        return np.asarray(self.topology.elements != "H")

    def to_openmm(self) -> Topology:
        """Convert to a topology with atoms in the same order.

        Modified residues get the names of their parents.
        """
        trace, result = self.topology.trace, Topology()
        chains = [result.addChain(letter) for letter in pdb_chain_letters(trace)]
        residues = []
        labels = trace.names, trace.chain_index, trace.resids, trace.icodes
        for name, chain, resid, icode in zip(*labels, strict=True):
            standard_name = parent_name(name) if name in VARIANTS else name
            residues.append(result.addResidue(standard_name, chains[chain], str(resid), icode or " "))
        rows = zip(self.topology.names, self.topology.elements, self.topology.residue, strict=True)
        atoms = [
            result.addAtom(str(name), Element.getBySymbol(str(element)), residues[residue])
            for name, element, residue in rows
        ]
        for first, second in self.bonds.tolist():
            result.addBond(atoms[first], atoms[second])
        return result


def heavy_molecule(topology: AtomTopology, bridges: Sequence[Bridge] = ()) -> Molecule:
    """Add the bonds to the heavy atoms of a topology.

    Parameters
    ----------
    topology : AtomTopology
        Without hydrogens.
    bridges : sequence of tuple of int
        Residues with a disulfide between them.
    """
    return Molecule(topology, heavy_bonds(topology, bridges))
