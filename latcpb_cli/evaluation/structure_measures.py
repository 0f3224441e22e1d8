"""What is measured of a structure alone."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from jaxtyping import Bool, Float, Int

from latcpb_cli.chem.ramachandran_scores import ramachandran_score, ramachandran_z
from latcpb_cli.chem.residues import CYS, PRO, slot_of
from latcpb_cli.evaluation.bead_reference import BeadMeasures, BeadReference
from latcpb_cli.evaluation.records import AtomFrames
from latcpb_cli.evaluation.residue_sums import ResidueSums
from latcpb_cli.evaluation.torsion_counts import TorsionCounts
from latcpb_cli.geometry.pairs import close_pairs
from latcpb_cli.io.atom_source import AtomSource
from latcpb_cli.metrics.bonded_atoms import MAX_DISULFIDE, MIN_DISULFIDE
from latcpb_cli.metrics.clashes import FrameClashes, frame_clashes
from latcpb_cli.metrics.clashscore import Clashscore
from latcpb_cli.metrics.count import Check
from latcpb_cli.metrics.jumps import RotamerJumps
from latcpb_cli.metrics.lasso import find_lassos
from latcpb_cli.metrics.rotamer_outliers import check_rotamers
from latcpb_cli.metrics.sasa import solvent_accessible_surface
from latcpb_cli.metrics.secondary_structure import HELIX, STRAND, secondary_structure
from latcpb_cli.metrics.shape import end_to_end, radius_of_gyration
from latcpb_cli.metrics.stereo import StereoChecker
from latcpb_cli.metrics.torsions import TORSION_NAMES, measure_torsions
from latcpb_cli.structure import Bridge

__all__ = ["FrameColumns", "StructureMeasures"]

MAX_SURFACES, MAX_SURFACE_RESIDUES = 20, 20_000
"""Frames, evenly spaced, whose surface is measured, and residues of all of them."""
_SG_SLOT = slot_of("CYS", "SG")
_PHI, _PSI, _CHI1 = (TORSION_NAMES.index(name) for name in ("phi", "psi", "chi1"))

Array = np.ndarray
FrameColumns = dict[str, list[float]]
"""Values of the frames so far, by the name of the quantity."""


class StructureMeasures:
    """Measures the frames of one structure, which are added in their order.

    Parameters
    ----------
    frames : AtomFrames
    samples : int
        Samples of each frame, one after the other.
    beads : BeadReference, optional
        Beads that the structures should have.

    Attributes
    ----------
    columns : dict of str to list of float
        One value for each frame.
    residues : ResidueSums
    torsions : TorsionCounts
    overlaps : dict of (int, int) to (int, int, float)
        Frames, pairs of atoms, and largest overlap (Å) of each pair of residues that overlap.
    """

    def __init__(self, frames: AtomFrames, samples: int = 1, beads: BeadReference | None = None) -> None:
        trace = frames.trace
        self.frames, self.samples = frames, samples
        self.types, self.present = trace.residue_types, frames.present
        self.checker = StereoChecker(self.types, self.present, trace.chain_index, trace.next_residue)
        self.owners = {**self.checker.residues(), "rotamer_outliers": np.arange(len(trace))}
        self.columns: FrameColumns = defaultdict(list)
        self.residues = ResidueSums(len(trace))
        self.torsions = TorsionCounts(self.types, self.checker.before_proline, len(frames))
        self.overlaps: dict[tuple[int, int], tuple[int, int, float]] = {}
        self._jumps = RotamerJumps()
        self._beads = None if beads is None else BeadMeasures(beads)
        self._clashscore = _make_clashscore(frames)
        n_surfaces = min(MAX_SURFACES, len(frames), max(1, MAX_SURFACE_RESIDUES // len(trace)))
        surfaces = np.linspace(0, len(frames) - 1, n_surfaces)
        self._surfaces = set(surfaces.round().astype(int).tolist())

    def add(self, start: int, atoms: Float[Array, "F L 15 3"]) -> None:
        """Measure the frames from number ``start`` on."""
        trace = self.frames.trace
        linked, linked_rows = trace.linked(atoms[:, :, 1]), trace.linked_rows(atoms[:, :, 1])
        next_residue = trace.next_residue
        torsions = measure_torsions(self.types, atoms, self.present, linked, next_residue)
        self.torsions.add(torsions)
        checks = self.checker.check(atoms, linked, torsions)
        checks["rotamer_outliers"] = check_rotamers(self.types, torsions[..., _CHI1:])
        for name, check in checks.items():
            self._add_check(name, check)
        self._add_scores(torsions)
        self._add_jumps(torsions[..., _CHI1])
        self._add_clashes(frame_clashes(self.types, atoms, self.present, linked, next_residue=next_residue))
        self._add_lassos(atoms, linked_rows)
        self._add_clashscore(start, atoms, linked)
        self._add_shape(start, atoms, linked_rows)
        if self._beads is not None:
            self._beads.add(start, atoms, self.present, self.residues)

    def _add_check(self, name: str, check: Check) -> None:
        hits, cases = (check.hit & check.mask), check.mask
        self._count(f"validity.{name}", hits.sum(axis=1), cases.sum(axis=1))
        self.residues.add(name, hits.sum(axis=0), cases.sum(axis=0), self.owners[name])

    def _count(self, name: str, hits: Int[Array, "F"], cases: Int[Array, "F"]) -> None:
        self.columns[name] += hits.tolist()
        self.columns[f"{name}_of"] += cases.tolist()

    def _add_scores(self, torsions: Float[Array, "F L 7"]) -> None:
        scores = ramachandran_score(self.torsions.classes, torsions[..., _PHI], torsions[..., _PSI])
        self.columns["validity.ramachandran_z"] += ramachandran_z(scores).tolist()
        known = np.isfinite(scores)
        self.residues.add("ramachandran_score", np.where(known, scores, 0.0).sum(axis=0), known.sum(axis=0))

    def _add_jumps(self, chi1: Float[Array, "F L"]) -> None:
        counted = np.where(self.types == PRO, np.nan, chi1)
        hits, cases = self._jumps.add(counted.reshape(-1, self.samples, len(self.types)))
        self._count("validity.chi1_jumps", hits.ravel(), cases.ravel())

    def _add_clashes(self, clashes: list[FrameClashes]) -> None:
        n_rings = len(self.checker.rings)
        for frame in clashes:
            self.columns["validity.contact12_percent"].append(frame.contact12_percent)
            self.columns["validity.overlap04_per_1000"].append(frame.overlap04_per_1000)
            self.columns["validity.worst_overlap"].append(frame.worst_overlap)
            self.columns["validity.pierced_rings"].append(frame.n_pierced_rings)
            self.columns["validity.pierced_rings_of"].append(n_rings)
            self._add_overlaps(frame)
        frames = np.full(len(self.types), len(clashes))
        for name in ("contact12", "overlap04", "pierced"):
            counts = np.sum([getattr(frame, name) for frame in clashes], axis=0)
            self.residues.add("pierced_rings" if name == "pierced" else name, counts, frames)

    def _add_overlaps(self, frame: FrameClashes) -> None:
        in_frame: dict[tuple[int, int], list[float]] = defaultdict(list)
        for (first, _, second, _), overlap in zip(frame.pairs.tolist(), frame.overlaps.tolist(), strict=True):
            in_frame[min(first, second), max(first, second)].append(overlap)
        for pair, overlaps in in_frame.items():
            frames, pairs, worst = self.overlaps.get(pair, (0, 0, 0.0))
            self.overlaps[pair] = frames + 1, pairs + len(overlaps), max(worst, *overlaps)

    def _add_lassos(self, atoms: Float[Array, "F L 15 3"], linked: Bool[Array, "F L"]) -> None:
        cysteines = np.flatnonzero((self.types == CYS) & self.present[:, _SG_SLOT])
        for frame, joined in zip(atoms, linked, strict=True):
            bridges = _disulfides(frame, cysteines)
            lassos = find_lassos(frame[:, 1], joined, bridges) if bridges else []
            self.columns["validity.lassos"].append(len(lassos))
            self.columns["validity.lassos_of"].append(len(bridges))

    def _add_clashscore(
        self, start: int, atoms: Float[Array, "F L 15 3"], linked: Bool[Array, "F L"]
    ) -> None:
        if self._clashscore is None or not isinstance(self.frames, AtomSource):
            return
        hydrogens = self.frames.read_hydrogens(start, start + len(atoms))
        for frame in zip(atoms, hydrogens, linked, strict=True):
            clashes = self._clashscore.count(*frame)
            self.columns["validity.clashscore"].append(1000.0 * clashes / len(self._clashscore))

    def _add_shape(self, start: int, atoms: Float[Array, "F L 15 3"], linked: Bool[Array, "F L"]) -> None:
        columns = self.columns
        columns["shape.radius_of_gyration"] += radius_of_gyration(self.types, atoms, self.present).tolist()
        columns["shape.end_to_end"] += end_to_end(self.frames.trace.chain_index, atoms).tolist()
        states = secondary_structure(self.types, atoms, self.present, linked)
        known = (states >= 0).sum(axis=1)
        for name, state in (("helix", HELIX), ("strand", STRAND)):
            hits = states == state
            self._count(f"shape.{name}", hits.sum(axis=1), known)
            self.residues.add(name, hits.sum(axis=0), (states >= 0).sum(axis=0))
        for number, frame in enumerate(atoms, start=start):
            surface = np.nan
            if number in self._surfaces:
                areas = solvent_accessible_surface(self.types, frame, self.present)
                surface = float(areas.sum())
                self.residues.add("sasa", areas, np.ones(len(areas)))
            columns["shape.sasa"].append(surface)

    def finish(self) -> None:
        """Add what is known only after the last frame."""
        self.residues.add("chi1_jumps", self._jumps.hits, self._jumps.cases)
        if self._beads is not None:
            self.columns.update(self._beads.columns)

    def bead_notes(self, label: str) -> list[str]:
        """Name the beads that are farthest from their place, where there are beads."""
        return [] if self._beads is None else self._beads.notes(label)


def _make_clashscore(frames: AtomFrames) -> Clashscore | None:
    hydrogens = frames.hydrogens if isinstance(frames, AtomSource) else None
    if hydrogens is None:
        return None
    trace = frames.trace
    return Clashscore(
        trace.residue_types, frames.present, hydrogens.residue, hydrogens.slot, trace.next_residue
    )


def _disulfides(atoms: Float[Array, "L 15 3"], cysteines: Int[Array, "C"]) -> list[Bridge]:
    """Pairs of cysteines whose SG are at bonding distance."""
    if len(cysteines) < 2:
        return []
    first, second, distance = close_pairs(atoms[cysteines, _SG_SLOT], MAX_DISULFIDE)
    bonded = distance >= MIN_DISULFIDE
    pairs = zip(cysteines[first[bonded]].tolist(), cysteines[second[bonded]].tolist(), strict=True)
    return list(pairs)
