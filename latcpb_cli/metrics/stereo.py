"""Bond geometry, handedness, planarity, threaded rings, Ramachandran and rotamers."""

from __future__ import annotations

import numpy as np

from latcpb_cli.chem.ramachandran import ramachandran_level
from latcpb_cli.chem.residues import NAMES, slot_of
from latcpb_cli.geometry.angles import angle, distance, angle_difference, signed_volume
from latcpb_cli.metrics.count import Count, count_where
from latcpb_cli.metrics.piercing import pierced_rings, rings_of
from latcpb_cli.metrics.terms import Terms, angle_terms, bond_terms
from latcpb_cli.metrics.torsions import torsions

__all__ = ["StereoChecker", "is_cis"]

LENGTH_TOLERANCE = 0.10
ANGLE_TOLERANCE = np.radians(10.0)
OMEGA_TOLERANCE = np.radians(30.0)
WELLS = np.radians([60.0, 180.0, -60.0])
WELL_WIDTH = np.radians(40.0)
_PRO = NAMES.index("PRO")
_PHI, _PSI, _OMEGA, _CHI1 = 0, 1, 2, 3
_N_CA_C = (0, 1, 2)
_BETA_BRANCHES = (("THR", "OG1", "CG2"), ("ILE", "CG1", "CG2"))

Array = np.ndarray
Mark = tuple[Array, Array]


def is_cis(omega: Array) -> Array:
    """Whether a peptide is nearer to cis than to trans; False where omega is NaN."""
    return np.abs(omega) < np.pi / 2


class StereoChecker:
    """Count what is wrong with the geometry of frames of one system.

    Parameters
    ----------
    types : numpy.ndarray of int64, shape (L,)
    present : numpy.ndarray of bool, shape (L, 15)
    chain_index : numpy.ndarray of int64, shape (L,)
    """

    def __init__(self, types: Array, present: Array, chain_index: Array) -> None:
        self.types, self.present = types, present
        self.bonds, self.angles = bond_terms(types, present), angle_terms(types, present)
        self.rings = rings_of(types, present)
        self.before_proline = np.zeros(len(types), dtype=bool)
        self.before_proline[:-1] = (types[1:] == _PRO) & (chain_index[1:] == chain_index[:-1])

    def count(self, atoms: Array, linked: Array) -> dict[str, Count]:
        """Count over some frames.

        Parameters
        ----------
        atoms : numpy.ndarray, shape (F, L, 15, 3)
            In Å.
        linked : numpy.ndarray of bool, shape (F, L)
            Whether a peptide joins residue i to i+1.

        Returns
        -------
        dict of str to Count
            ``bonds`` and ``peptide_bonds`` (C-N) off their reference length by
            more than 10 %; ``angles``, and N-CA-C among them (``n_ca_c``), off
            by more than 10 degrees; ``omega`` more than 30 degrees from planar; ``cis_non_proline`` and
            ``cis_proline`` peptides; ``d_residues`` (CA inverted) and
            ``inverted_cb`` (Thr, Ile); ``pierced_rings``;
            ``ramachandran_favoured`` and ``ramachandran_outliers``;
            ``chi1_outliers``: more than 40 degrees from each of -60, 60 and
            180 (proline left out).
        """
        marks = self.marks(atoms, linked)
        counts = {name: count_where(off, exist) for name, (off, exist) in marks.items()}
        return counts | {"pierced_rings": self._pierced(atoms, linked)}

    def marks(self, atoms: Array, linked: Array) -> dict[str, Mark]:
        """Mark all that `count` counts, rings excepted, frame by frame.

        Returns
        -------
        dict of str to tuple of two numpy.ndarray of bool, shape (F, n)
            Of the terms of each kind, which are off, and which there are.
        """
        measured = torsions(self.types, atoms, self.present, linked)
        return {
            **self._lengths(atoms, linked),
            **self._bent(atoms, linked),
            **self._peptides(measured[..., _OMEGA]),
            **self._handedness(atoms),
            **self._ramachandran(measured),
            "chi1_outliers": self._off_well(measured[..., _CHI1]),
        }

    def _lengths(self, atoms: Array, linked: Array) -> dict[str, Mark]:
        points, exist = self.bonds.points(atoms), self.bonds.exist(linked)
        length = distance(points[:, :, 0], points[:, :, 1])
        off = np.abs(length - self.bonds.reference) > LENGTH_TOLERANCE * self.bonds.reference
        return {"bonds": (off, exist), "peptide_bonds": (off, exist & (self.bonds.link >= 0))}

    def _bent(self, atoms: Array, linked: Array) -> dict[str, Mark]:
        terms: Terms = self.angles
        a, b, c = np.moveaxis(terms.points(atoms), 2, 0)
        off, exist = np.abs(angle(a, b, c) - terms.reference) > ANGLE_TOLERANCE, terms.exist(linked)
        n_ca_c = exist & (terms.slots == _N_CA_C).all(axis=1) & (terms.link < 0)
        return {"angles": (off, exist), "n_ca_c": (off, n_ca_c)}

    def _peptides(self, omega: Array) -> dict[str, Mark]:
        known = np.isfinite(omega)
        twisted = np.minimum(np.abs(omega), np.pi - np.abs(omega)) > OMEGA_TOLERANCE
        proline = self.types == _PRO
        return {
            "omega": (twisted, known),
            "cis_non_proline": (is_cis(omega), known & ~proline),
            "cis_proline": (is_cis(omega), known & proline),
        }

    def _handedness(self, atoms: Array) -> dict[str, Mark]:
        chosen = self.present[:, [0, 1, 2, 4]].all(axis=1)
        n, ca, c, _, cb = np.moveaxis(atoms[:, chosen, :5].astype(np.float64), 2, 0)
        inverted, branches = signed_volume(ca, n, c, cb) < 0, []
        for name, first, second in _BETA_BRANCHES:
            slots = [slot_of(name, atom) for atom in ("CB", "CA", first, second)]
            chosen = (self.types == NAMES.index(name)) & self.present[:, slots].all(axis=1)
            corners = atoms[:, chosen][:, :, slots].astype(np.float64)
            branches.append(signed_volume(*np.moveaxis(corners, 2, 0)) < 0)
        marks = {"d_residues": inverted, "inverted_cb": np.concatenate(branches, axis=1)}
        return {name: (off, np.ones_like(off)) for name, off in marks.items()}

    def _pierced(self, atoms: Array, linked: Array) -> Count:
        hits = [
            len(np.unique(pierced_rings(self.rings, self.bonds, frame, joined)[:, 0]))
            for frame, joined in zip(atoms, linked, strict=True)
        ]
        return Count(sum(hits), len(atoms) * len(self.rings[0]))

    def _ramachandran(self, measured: Array) -> dict[str, Mark]:
        levels = ramachandran_level(self.types, self.before_proline, measured[..., _PHI], measured[..., _PSI])
        return {
            "ramachandran_favoured": (levels == 2, levels >= 0),
            "ramachandran_outliers": (levels == 0, levels >= 0),
        }

    def _off_well(self, chi1: Array) -> Mark:
        away = angle_difference(chi1[..., None], WELLS).min(axis=-1) > WELL_WIDTH
        return away, np.isfinite(chi1) & (self.types != _PRO)
