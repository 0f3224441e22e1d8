"""Bond geometry, handedness, planarity, pierced rings, Ramachandran and rotamer outliers."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int

from latcpb_cli.chem.ramachandran import ramachandran_level
from latcpb_cli.chem.residues import C_SLOT, CA_SLOT, CB_SLOT, N_SLOT, NAMES, PRO, slot_of
from latcpb_cli.geometry.angles import angle, angle_difference, distance, signed_volume
from latcpb_cli.geometry.links import next_rows
from latcpb_cli.metrics.count import Check, Count, count_where
from latcpb_cli.metrics.piercing import Rings, find_pierced_rings, find_rings
from latcpb_cli.metrics.terms import angle_terms, bond_terms
from latcpb_cli.metrics.torsions import TORSION_NAMES, measure_torsions

__all__ = ["StereoChecker", "is_cis"]

_MAX_STRETCH = 0.10  # of the reference length of a bond
_MAX_BEND = np.radians(10.0)
_MAX_TWIST = np.radians(30.0)
_CHI1_WELLS, _WELL_WIDTH = np.radians([60.0, 180.0, -60.0]), np.radians(40.0)
_PHI, _PSI, _OMEGA, _CHI1 = (TORSION_NAMES.index(name) for name in ("phi", "psi", "omega", "chi1"))
_N_CA_C = (N_SLOT, CA_SLOT, C_SLOT)
_ALPHA_CENTRE = [CA_SLOT, N_SLOT, C_SLOT, CB_SLOT]
_CENTRES_AT_CB = (("THR", "OG1", "CG2"), ("ILE", "CG1", "CG2"))
_BY_RESIDUE = (
    "omega", "cis_non_proline", "cis_proline", "ramachandran_favoured", "ramachandran_outliers",
    "chi1_outliers",
)  # fmt: skip
"""Results of `StereoChecker.check` with one case for each residue."""

Array = np.ndarray


def is_cis(omega: Float[Array, "*n"]) -> Bool[Array, "*n"]:
    """Whether a peptide is nearer to cis than to trans, from omega (rad); False where omega is NaN."""
    return np.asarray(np.abs(omega) < np.pi / 2)


class StereoChecker:
    """Check the geometry of the frames of one system.

    Parameters
    ----------
    types : numpy.ndarray of int64, shape (L,)
        Residue indices.
    present : numpy.ndarray of bool, shape (L, 15)
        Atoms that have a position.
    chain_index : numpy.ndarray of int64, shape (L,)
        Chain of each residue.
    next_residue : numpy.ndarray of int64, shape (L,), optional
        Row of the next residue of each, in a system with rings.
    """

    def __init__(
        self,
        types: Int[Array, "L"],
        present: Bool[Array, "L 15"],
        chain_index: Int[Array, "L"],
        next_residue: Int[Array, "L"] | None = None,
    ) -> None:
        self.types, self.present, self.next_residue = types, present, next_residue
        self.bonds = bond_terms(types, present, next_residue)
        self.angles = angle_terms(types, present, next_residue)
        after = next_rows(next_residue, len(types))
        self.before_proline = (types[after] == PRO) & (chain_index[after] == chain_index)

    @cached_property
    def rings(self) -> Rings:
        """Rings whose atoms are all present."""
        return find_rings(self.types, self.present)

    def count(self, atoms: Float[Array, "F L 15 3"], linked: Bool[Array, "F L"]) -> dict[str, Count]:
        """Count the results of `check` over all frames, and pierced rings.

        Parameters
        ----------
        atoms : numpy.ndarray, shape (F, L, 15, 3)
            In Å.
        linked : numpy.ndarray of bool, shape (F, L)
            Whether a peptide joins each residue to the next.

        Returns
        -------
        dict of str to Count
            The results of `check` by name, and ``pierced_rings``.
        """
        counts = {name: count_where(*check) for name, check in self.check(atoms, linked).items()}
        return counts | {"pierced_rings": self._pierced(atoms, linked)}

    def check(
        self,
        atoms: Float[Array, "F L 15 3"],
        linked: Bool[Array, "F L"],
        torsions: Float[Array, "F L 7"] | None = None,
    ) -> dict[str, Check]:
        """Check bonds, angles, peptides, handedness and torsions frame by frame.

        Parameters
        ----------
        atoms, linked
            As for `count`.
        torsions : numpy.ndarray, shape (F, L, 7), optional
            From `measure_torsions`, where they are known already.

        Returns
        -------
        dict of str to Check
            ``bonds`` and ``peptide_bonds`` (C-N) that deviate from their reference
            length by more than 10 %; ``angles``, and N-CA-C among them
            (``n_ca_c``), that deviate by more than 10 degrees; ``omega`` more than
            30 degrees from planar; ``cis_non_proline`` and ``cis_proline``
            peptides; ``d_residues`` (CA inverted) and ``inverted_cb`` (Thr, Ile);
            ``ramachandran_favoured`` and ``ramachandran_outliers``;
            ``chi1_outliers`` more than 40 degrees from each of -60, 60 and 180
            (prolines are left out).
        """
        if torsions is None:
            torsions = measure_torsions(self.types, atoms, self.present, linked, self.next_residue)
        return {
            **self._lengths(atoms, linked),
            **self._angles(atoms, linked),
            **self._peptides(torsions[..., _OMEGA]),
            **self._handedness(atoms),
            **self._ramachandran(torsions[..., _PHI], torsions[..., _PSI]),
            "chi1_outliers": self._chi1_outliers(torsions[..., _CHI1]),
        }

    def residues(self) -> dict[str, Int[Array, "n"]]:
        """Residue of each case of the results of `check`, by name.

        A bond or an angle across a peptide belongs to the residue after it.
        """
        all_residues = np.arange(len(self.types))
        terms = {
            "bonds": self.bonds,
            "peptide_bonds": self.bonds,
            "angles": self.angles,
            "n_ca_c": self.angles,
        }
        at_cb = [np.flatnonzero(self._has_centre(name, slots)) for name, slots in _centres_at_cb()]
        return {
            **{name: term.residues[:, -1] for name, term in terms.items()},
            **dict.fromkeys(_BY_RESIDUE, all_residues),
            "d_residues": np.flatnonzero(self._has_centre(None, _ALPHA_CENTRE)),
            "inverted_cb": np.concatenate(at_cb),
        }

    def _has_centre(self, name: str | None, slots: list[int]) -> Bool[Array, "L"]:
        """Residues (of one type, or of any) with a chiral centre and its three neighbours."""
        of_type = np.ones(len(self.types), bool) if name is None else self.types == NAMES.index(name)
        return np.asarray(self.present[:, slots].all(axis=1) & of_type)

    def _lengths(self, atoms: Float[Array, "F L 15 3"], linked: Bool[Array, "F L"]) -> dict[str, Check]:
        points, mask = self.bonds.points(atoms), self.bonds.mask(linked)
        length = distance(points[:, :, 0], points[:, :, 1])
        hit = np.abs(length - self.bonds.reference) > _MAX_STRETCH * self.bonds.reference
        return {"bonds": Check(hit, mask), "peptide_bonds": Check(hit, mask & (self.bonds.link >= 0))}

    def _angles(self, atoms: Float[Array, "F L 15 3"], linked: Bool[Array, "F L"]) -> dict[str, Check]:
        a, b, c = np.moveaxis(self.angles.points(atoms), 2, 0)
        mask = self.angles.mask(linked)
        hit = np.abs(angle(a, b, c) - self.angles.reference) > _MAX_BEND
        n_ca_c = mask & (self.angles.slots == _N_CA_C).all(axis=1) & (self.angles.link < 0)
        return {"angles": Check(hit, mask), "n_ca_c": Check(hit, n_ca_c)}

    def _peptides(self, omega: Float[Array, "F L"]) -> dict[str, Check]:
        mask, proline = np.isfinite(omega), self.types == PRO
        twisted = np.minimum(np.abs(omega), np.pi - np.abs(omega)) > _MAX_TWIST
        return {
            "omega": Check(twisted, mask),
            "cis_non_proline": Check(is_cis(omega), mask & ~proline),
            "cis_proline": Check(is_cis(omega), mask & proline),
        }

    def _handedness(self, atoms: Float[Array, "F L 15 3"]) -> dict[str, Check]:
        at_ca = _is_inverted(atoms, self._has_centre(None, _ALPHA_CENTRE), _ALPHA_CENTRE)
        at_cb = [_is_inverted(atoms, self._has_centre(*centre), centre[1]) for centre in _centres_at_cb()]
        hits = {"d_residues": at_ca, "inverted_cb": np.concatenate(at_cb, axis=1)}
        return {name: Check(hit, np.ones_like(hit)) for name, hit in hits.items()}

    def _pierced(self, atoms: Float[Array, "F L 15 3"], linked: Bool[Array, "F L"]) -> Count:
        hits = np.unique(find_pierced_rings(self.rings, self.bonds, atoms, linked)[:, :2], axis=0)
        return Count(len(hits), len(atoms) * len(self.rings))

    def _ramachandran(self, phi: Float[Array, "F L"], psi: Float[Array, "F L"]) -> dict[str, Check]:
        levels = ramachandran_level(self.types, self.before_proline, phi, psi)
        return {
            "ramachandran_favoured": Check(levels == 2, levels >= 0),
            "ramachandran_outliers": Check(levels == 0, levels >= 0),
        }

    def _chi1_outliers(self, chi1: Float[Array, "F L"]) -> Check:
        outlier = angle_difference(chi1[..., None], _CHI1_WELLS).min(axis=-1) > _WELL_WIDTH
        return Check(outlier, np.isfinite(chi1) & (self.types != PRO))


def _centres_at_cb() -> list[tuple[str, list[int]]]:
    """Residue type, and slots of the centre and its neighbours."""
    return [
        (name, [slot_of(name, atom) for atom in ("CB", "CA", first, second)])
        for name, first, second in _CENTRES_AT_CB
    ]


def _is_inverted(
    atoms: Float[Array, "F L 15 3"], rows: Bool[Array, "L"], slots: list[int]
) -> Bool[Array, "F n"]:
    """Whether the centres of some residues are inverted; ``slots`` are the apex and its neighbours."""
    corners = atoms[:, rows][:, :, slots].astype(np.float64)
    return np.asarray(signed_volume(*np.moveaxis(corners, 2, 0)) < 0)
