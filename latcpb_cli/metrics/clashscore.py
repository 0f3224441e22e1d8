"""The clashscore of MolProbity, with hydrogens.

Serious clashes per 1,000 atoms, as in Chen et al. (2010,
doi:10.1107/S0907444909042073): pairs of atoms, hydrogens included, whose van der
Waals spheres overlap by 0.4 Å or more. Radii and rules are those of Probe (Word et
al. 1999, doi:10.1006/jmbi.1998.2400) with the shorter bonds to hydrogen of Deis et
al. (2013): pairs joined by three bonds or fewer are left out, by four or fewer if
one of them is a hydrogen; a polar hydrogen may overlap with an acceptor by 0.6 Å
more. No hydrogen is added, none is moved.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

from latcpb_cli.chem.bonds import element_index
from latcpb_cli.chem.residues import C_SLOT, ELEMENTS, HIS, NAMES, RINGS, slot_of
from latcpb_cli.geometry.pairs import close_pairs
from latcpb_cli.metrics.bonded_atoms import BondedAtoms

__all__ = ["Clashscore"]

_MIN_OVERLAP = 0.4
_RADIUS = {"C": 1.70, "N": 1.55, "O": 1.40, "S": 1.80}
_CARBONYL_RADIUS, _HYDROGEN_RADIUS, _SMALL_HYDROGEN_RADIUS = 1.65, 1.22, 1.05
"""Å; hydrogens on N, O, S and on aromatic carbons are small."""
_HYDROGEN_BOND = 0.6
_MAX_STEPS, _MAX_STEPS_WITH_HYDROGEN = 3, 4
_CARBONYLS = {("ASN", "CG"), ("ASP", "CG"), ("GLN", "CD"), ("GLU", "CD")}
_HIS_NITROGENS = (slot_of("HIS", "ND1"), slot_of("HIS", "NE2"))

Array = np.ndarray


class Clashscore:
    """Counts the clashes of the frames of one system that has hydrogens.

    Parameters
    ----------
    types : numpy.ndarray of int64, shape (L,)
    present : numpy.ndarray of bool, shape (L, 15)
        Heavy atoms that have a position.
    hydrogen_residue, hydrogen_slot : numpy.ndarray of int64, shape (H,)
        The heavy atom that each hydrogen is bonded to.
    next_residue : numpy.ndarray of int64, shape (L,), optional
        Row of the next residue of each, in a system with rings.
    """

    def __init__(
        self,
        types: Int[Array, "L"],
        present: Bool[Array, "L 15"],
        hydrogen_residue: Int[Array, "H"],
        hydrogen_slot: Int[Array, "H"],
        next_residue: Int[Array, "L"] | None = None,
    ) -> None:
        self.present = present
        heavy_residue, heavy_slot = np.nonzero(present)
        residue = np.r_[heavy_residue, hydrogen_residue]
        slot = np.r_[heavy_slot, hydrogen_slot]
        is_hydrogen = np.arange(len(residue)) >= len(heavy_residue)
        self.order = np.argsort(residue, kind="stable")
        residue, slot, is_hydrogen = residue[self.order], slot[self.order], is_hydrogen[self.order]
        self.atoms = BondedAtoms.from_slots(types, residue, slot, next_residue)
        self.is_hydrogen = is_hydrogen
        element = element_index()[types[residue], slot]
        polar = np.isin(element, [ELEMENTS.index(name) for name in "NOS"])
        self.donor = is_hydrogen & polar
        self.acceptor = ~is_hydrogen & np.isin(element, [ELEMENTS.index(name) for name in "OS"])
        protonated = np.zeros_like(present)
        protonated[hydrogen_residue, hydrogen_slot] = True
        at_his = (types[residue] == HIS) & np.isin(slot, _HIS_NITROGENS)
        self.acceptor |= ~is_hydrogen & at_his & ~protonated[residue, slot]
        self.radius = np.where(
            is_hydrogen,
            np.where(polar | _aromatic()[types[residue], slot], _SMALL_HYDROGEN_RADIUS, _HYDROGEN_RADIUS),
            _heavy_radius()[types[residue], slot],
        )

    def count(
        self, atoms: Float[Array, "L 15 3"], hydrogens: Float[Array, "H 3"], linked: Bool[Array, "L"]
    ) -> int:
        """Return the number of clashes of one frame.

        Parameters
        ----------
        atoms : numpy.ndarray, shape (L, 15, 3)
            In Å.
        hydrogens : numpy.ndarray, shape (H, 3)
            In Å.
        linked : numpy.ndarray of bool, shape (L,)
            Whether a peptide joins each residue to the next.
        """
        points = np.concatenate([atoms[self.present], hydrogens])[self.order]
        first, second, distance = close_pairs(points, 2 * float(self.radius.max()) - _MIN_OVERLAP)
        overlap = self.radius[first] + self.radius[second] - distance
        bonding = (self.donor[first] & self.acceptor[second]) | (self.acceptor[first] & self.donor[second])
        near = np.flatnonzero(overlap - _HYDROGEN_BOND * bonding >= _MIN_OVERLAP)
        first, second = first[near], second[near]
        n_hydrogens = self.is_hydrogen[first].astype(int) + self.is_hydrogen[second]
        steps = self.atoms.bonds_between(linked, first, second, distance[near]) + n_hydrogens
        limit = np.where(n_hydrogens > 0, _MAX_STEPS_WITH_HYDROGEN, _MAX_STEPS)
        return int((steps > limit).sum())

    def __len__(self) -> int:
        return len(self.radius)


def _heavy_radius() -> Float[Array, "20 15"]:
    """Radii (Å) of the heavy atoms of each residue type."""
    radius = np.array([_RADIUS[element] for element in ELEMENTS])[element_index()]
    radius[:, C_SLOT] = _CARBONYL_RADIUS
    for name, atom in _CARBONYLS:
        radius[NAMES.index(name), slot_of(name, atom)] = _CARBONYL_RADIUS
    return np.asarray(radius)


def _aromatic() -> Bool[Array, "20 15"]:
    """Which slots are atoms of an aromatic ring."""
    aromatic = np.zeros(element_index().shape, dtype=bool)
    for name, rings in RINGS.items():
        for atom in (atom for ring in rings for atom in ring if name != "PRO"):
            aromatic[NAMES.index(name), slot_of(name, atom)] = True
    return aromatic
