"""Torsions of a structure, counted over frames."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from jaxtyping import Bool, Float, Int

from latcpb_cli.chem.ramachandran import MAP_BINS, RESIDUE_CLASSES, map_bin, residue_classes
from latcpb_cli.chem.residues import CHI_ATOMS, NAMES
from latcpb_cli.evaluation.records import TorsionStatistics
from latcpb_cli.metrics.torsions import (
    HISTOGRAM_BINS,
    KL_ANGLES,
    TORSION_NAMES,
    chi_periods,
    torsion_histograms,
)

__all__ = ["TorsionCounts", "join_statistics"]

MAX_POINTS = 20_000
"""Points of φ and ψ that are kept of a structure."""
_PHI, _PSI, _CHI1, _CHI2 = (TORSION_NAMES.index(name) for name in ("phi", "psi", "chi1", "chi2"))
_HASH = 2_654_435_761
"""Knuth's multiplier: consecutive numbers times this are spread evenly over 32 bits."""

Array = np.ndarray


class TorsionCounts:
    """Adds the torsions of frames up.

    Parameters
    ----------
    types : numpy.ndarray of int64, shape (L,)
    before_proline : numpy.ndarray of bool, shape (L,)
    n_frames : int
        Frames that will be added, from which follows how many points are kept.
    """

    def __init__(self, types: Int[Array, "L"], before_proline: Bool[Array, "L"], n_frames: int) -> None:
        self.types, self.classes = types, residue_classes(types, before_proline)
        self.histograms = {name: np.zeros(HISTOGRAM_BINS, dtype=np.int64) for name in KL_ANGLES}
        self._maps = np.zeros((len(RESIDUE_CLASSES), MAP_BINS, MAP_BINS), dtype=np.int64)
        self._points: list[list[np.ndarray]] = [[] for _ in RESIDUE_CLASSES]
        self._chi_maps: dict[str, np.ndarray] = {}
        self._kept = min(1.0, MAX_POINTS / max(1, n_frames * len(types)))
        self._n_frames = 0

    def add(self, torsions: Float[Array, "F L 7"]) -> None:
        """Add the torsions (rad) of some frames, from `measure_torsions`."""
        for name, counts in torsion_histograms(self.types, torsions).items():
            self.histograms[name] += counts
        self._add_ramachandran(torsions[..., _PHI], torsions[..., _PSI])
        self._add_chi_maps(torsions[..., _CHI1], torsions[..., _CHI2])
        self._n_frames += len(torsions)

    def _add_ramachandran(self, phi: Float[Array, "F L"], psi: Float[Array, "F L"]) -> None:
        defined = np.isfinite(phi) & np.isfinite(psi)
        classes = np.broadcast_to(self.classes, phi.shape)[defined]
        phi_, psi_ = phi[defined], psi[defined]
        np.add.at(self._maps, (classes, map_bin(phi_), map_bin(psi_)), 1)
        number = (np.arange(phi.size) + self._n_frames * phi.shape[1]).reshape(phi.shape)[defined]
        kept = (number * _HASH) % 2**32 < self._kept * 2**32
        for index, points in enumerate(self._points):
            chosen = kept & (classes == index)
            points.append(np.stack([phi_[chosen], psi_[chosen]], axis=1))

    def _add_chi_maps(self, chi1: Float[Array, "F L"], chi2: Float[Array, "F L"]) -> None:
        for residue in np.unique(self.types).tolist():
            if len(CHI_ATOMS[residue]) < 2:
                continue
            rows = self.types == residue
            pairs = np.stack([chi1[:, rows].ravel(), chi2[:, rows].ravel()])
            pairs = pairs[:, np.isfinite(pairs).all(axis=0)]
            if chi_periods()[residue, 1] < 2 * np.pi:
                pairs = np.concatenate([pairs, pairs + [[0.0], [np.pi]]], axis=1)
            bins = np.floor((pairs + np.pi) / (2 * np.pi) * HISTOGRAM_BINS).astype(np.int64) % HISTOGRAM_BINS
            counts = self._chi_maps.setdefault(
                NAMES[residue], np.zeros((HISTOGRAM_BINS, HISTOGRAM_BINS), dtype=np.int64)
            )
            np.add.at(counts, tuple(bins), 1)

    def statistics(self) -> TorsionStatistics:
        """Return what was counted."""
        points = {
            name: np.concatenate([np.zeros((0, 2)), *parts])
            for name, parts in zip(RESIDUE_CLASSES, self._points, strict=True)
        }
        return TorsionStatistics(self.histograms, self._maps, points, self._chi_maps)


def join_statistics(parts: Iterable[TorsionStatistics]) -> TorsionStatistics:
    """Add up the statistics of several structures."""
    parts = list(parts)
    chi_names = sorted({name for part in parts for name in part.chi_maps})
    empty = np.zeros((HISTOGRAM_BINS, HISTOGRAM_BINS), dtype=np.int64)
    return TorsionStatistics(
        histograms={name: _total([part.histograms[name] for part in parts]) for name in KL_ANGLES},
        ramachandran_maps=_total([part.ramachandran_maps for part in parts]),
        ramachandran_points={
            name: np.concatenate([part.ramachandran_points[name] for part in parts])
            for name in RESIDUE_CLASSES
        },
        chi_maps={name: _total([part.chi_maps.get(name, empty) for part in parts]) for name in chi_names},
    )


def _total(counts: list[Int[Array, "..."]]) -> Int[Array, "..."]:
    return np.asarray(np.sum(counts, axis=0, dtype=np.int64))
