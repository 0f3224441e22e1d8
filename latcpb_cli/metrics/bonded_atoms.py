"""How many bonds join two atoms of a frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from latcpb_cli.chem.bonds import FAR
from latcpb_cli.chem.modified_bonds import all_bond_steps
from latcpb_cli.chem.residues import C_SLOT, CYS, N_SLOT, slot_of
from latcpb_cli.geometry.links import next_rows

__all__ = ["MAX_DISULFIDE", "MIN_DISULFIDE", "BondedAtoms"]

MIN_DISULFIDE, MAX_DISULFIDE = 1.9, 2.5
"""Two SG between these distances (Å) are bonded; two sulfurs at the first or nearer overlap."""
_SG_SLOT = slot_of("CYS", "SG")

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class BondedAtoms:
    """N atoms, in the order of their residues.

    Attributes
    ----------
    residue, slot : numpy.ndarray of int64, shape (N,)
        Slot of each atom; for a hydrogen, that of the heavy atom it is bonded to.
    steps : numpy.ndarray of int8, shape (N, W)
        Bonds to each slot of the same residue.
    is_cysteine_sg : numpy.ndarray of bool, shape (N,)
    n_residues : int
    next_residue : numpy.ndarray of int64, shape (L,), or None
        Row of the next residue of each, in a system with rings.
    """

    residue: Int[Array, "N"]
    slot: Int[Array, "N"]
    steps: Int[Array, "N W"]
    is_cysteine_sg: Bool[Array, "N"]
    n_residues: int
    next_residue: Int[Array, "L"] | None = None

    @classmethod
    def from_slots(
        cls,
        residue_kinds: Int[Array, "L"],
        residue: Int[Array, "N"],
        slot: Int[Array, "N"],
        next_residue: Int[Array, "L"] | None = None,
    ) -> BondedAtoms:
        """Look up the bonds of atoms given by residue and slot."""
        kind = residue_kinds[residue]
        steps, is_sg = all_bond_steps()[kind, slot], (kind == CYS) & (slot == _SG_SLOT)
        return cls(residue, slot, steps, is_sg, len(residue_kinds), next_residue)

    def bonds_between(
        self,
        linked: Bool[Array, "L"],
        first: Int[Array, "P"],
        second: Int[Array, "P"],
        distance: Float[Array, "P"],
    ) -> Int[Array, "P"]:
        """Return the number of bonds between the two atoms of each pair, ``FAR`` for more than a few.

        Parameters
        ----------
        linked : numpy.ndarray of bool, shape (L,)
            Whether a peptide joins each residue to the next.
        first, second : numpy.ndarray of int64, shape (P,)
            Atoms, ``first < second``.
        distance : numpy.ndarray, shape (P,)
            In Å; decides which cysteines are joined by a disulfide.
        """
        residue = self.residue
        steps = np.full(len(first), FAR, dtype=np.int8)
        separation = residue[second] - residue[first]
        same = np.flatnonzero(separation == 0)
        steps[same] = self.steps[first[same], self.slot[second[same]]]
        following = next_rows(self.next_residue, self.n_residues)
        # The second residue of a pair has the higher row; at the seam of a ring it comes before the first.
        pairs = [(first, second)] if self.next_residue is None else [(first, second), (second, first)]
        for one, two in pairs:
            follows = (following[residue[one]] == residue[two]) & linked[residue[one]]
            adjacent = np.flatnonzero(follows & (separation != 0))
            steps[adjacent] = self.steps[one[adjacent], C_SLOT] + 1 + self.steps[two[adjacent], N_SLOT]
        self._bridge_disulfides(steps, first, second, distance)
        return steps

    def _bridge_disulfides(
        self,
        steps: Int[Array, "P"],
        first: Int[Array, "P"],
        second: Int[Array, "P"],
        distance: Float[Array, "P"],
    ) -> None:
        """Lower ``steps``, in place, of the pairs that a disulfide joins by a shorter path."""
        is_sg = self.is_cysteine_sg
        bonded = is_sg[first] & is_sg[second] & (distance >= MIN_DISULFIDE) & (distance < MAX_DISULFIDE)
        if not bonded.any():
            return
        residue = self.residue
        partner = np.full(self.n_residues, -1)
        partner[residue[first[bonded]]] = residue[second[bonded]]
        partner[residue[second[bonded]]] = residue[first[bonded]]
        bridged = np.flatnonzero(partner[residue[first]] == residue[second])
        through_bridge = self.steps[first[bridged], _SG_SLOT] + 1 + self.steps[second[bridged], _SG_SLOT]
        steps[bridged] = np.minimum(steps[bridged], through_bridge)
