"""From built heavy atoms to what is written: hydrogens, minimised, compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import openmm

from latcpb_cli.md.changes import changed_hands, changed_peptides
from latcpb_cli.md.engine import Engine
from latcpb_cli.md.hydrogen_positions import HydrogenPlaces
from latcpb_cli.md.molecule import heavy_molecule
from latcpb_cli.md.protonation import protonate, protonation_states
from latcpb_cli.md.system import hydrogen_system, minimize_system
from latcpb_cli.options import MdOptions
from latcpb_cli.structure import AtomTopology, Bridge, FrameChunk, box_vectors

__all__ = ["HydrogenMinimizer"]

_HYDROGEN_STEPS = 100
_CA = 1
_NM_PER_ANGSTROM = 0.1
_TOO_FAR = 1e6
"""Å; what is farther away is no structure."""
_SYSTEMS_KEPT = 4
"""One would do, unless frames break in different places."""

Array = np.ndarray


class HydrogenMinimizer:
    """Adds hydrogens to the frames of one system, and minimises them.

    Which hydrogens there are follows from the residues and the pH alone, so
    that all frames have the same atoms; where they stand follows from the
    frame alone, whichever were finished before.

    Parameters
    ----------
    topology : AtomTopology
        Heavy atoms.
    options : MdOptions
    device : str
    threads : int
    bridges : sequence of tuple of int
        Disulfides, the same in all frames.

    Attributes
    ----------
    topology : AtomTopology
        The atoms that `finish` returns: with hydrogens if these are wanted.
    facts : dict
        What the report tells of the set-up.
    """

    def __init__(
        self,
        topology: AtomTopology,
        options: MdOptions,
        device: str,
        threads: int = 1,
        bridges: Sequence[Bridge] = (),
    ) -> None:
        self._options = options
        self._molecule = protonate(heavy_molecule(topology, bridges), options.ph)
        self._full = self._molecule.topology
        self._heavy = self._molecule.heavy
        self._places = HydrogenPlaces(self._molecule)
        self._engine = Engine(device, threads)
        self._systems = lru_cache(_SYSTEMS_KEPT)(self._system)
        self.topology = self._full if options.hydrogens else topology
        self.facts = self._facts()
        # A residue that the force field does not know is refused now, not after the first frame was built.
        self._systems(np.zeros(len(topology.trace), dtype=bool).tobytes(), None)

    def finish(self, atoms: Array, chunk: FrameChunk) -> tuple[Array, list[dict[str, Any]]]:
        """Finish all samples of a chunk.

        Parameters
        ----------
        atoms : numpy.ndarray of float32, shape (F, S, L, W, 3)
            In Å.
        chunk : FrameChunk
            The F frames they were made from.

        Returns
        -------
        atoms : numpy.ndarray of float32, shape (F, S, L, A, 3)
            With hydrogens in the slots from W on, if they are wanted.
        rows : list of dict
            What the report tells of each frame and sample, F x S of them.
        """
        out = self.topology
        width = max(int(out.slot.max()) + 1, atoms.shape[3])
        result = np.zeros((*atoms.shape[:3], width, 3), dtype=np.float32)
        linked, rows = self._full.trace.linked(chunk.positions), []
        for frame in range(len(chunk)):
            for sample in range(atoms.shape[1]):
                points, row = self._one(atoms[frame, sample], linked[frame], chunk.boxes[frame])
                rows.append(row)
                kept = points if self._options.hydrogens else points[self._heavy]
                result[frame, sample, out.residue, out.slot] = kept
        return result, rows

    def _one(self, atoms: Array, linked: Array, box: Array) -> tuple[Array, dict[str, Any]]:
        """Finish one structure (L, W, 3): positions (N, 3) of all atoms, and what was done."""
        points = atoms[self._full.residue, np.where(self._heavy, self._full.slot, _CA)].astype(np.float64)
        if not (np.abs(points) < _TOO_FAR).all():
            return points, {"not_minimized": 1} if self._options.minimize else {}
        # Around the origin, where single precision has the most digits.
        middle = points[self._heavy].mean(axis=0)
        start = self._places.place((points - middle)[None])[0]
        broken = (self._full.trace.same_chain_as_next() & ~linked).tobytes()
        relaxed = self._engine.minimize(self._systems(broken, None), start, _HYDROGEN_STEPS).positions
        if np.isfinite(relaxed).all():
            # The heavy atoms are taken from before: not even rounding moves them.
            moved = ~self._heavy
            moved[self._places.strayed(start, relaxed)] = False
            start[moved] = relaxed[moved]
        if not self._options.minimize:
            return start + middle, {}
        end, row = self._minimize(start, linked, broken, box)
        return end + middle, row

    def _minimize(
        self, start: Array, linked: Array, broken: bytes, box: Array
    ) -> tuple[Array, dict[str, Any]]:
        """Minimise all atoms (N, 3), and compare with what they were."""
        vectors = _reduced(box_vectors(box[None])[0] * _NM_PER_ANGSTROM) if box[:3].any() else None
        # Rounded down, so that a box that breathes does not need a new system for each frame.
        narrowest = 0.0 if vectors is None else float(np.floor(np.diag(vectors).min() * 10.0) / 10.0)
        system = self._systems(broken, narrowest)
        found = self._engine.minimize(system, start, self._options.minimize, vectors)
        end = found.positions
        if not (np.isfinite(end).all() and np.isfinite(found.after)):
            return start, {"not_minimized": 1}
        before, after = self._slots(start), self._slots(end)
        moved = np.linalg.norm(after[:, _CA] - before[:, _CA], axis=1)
        return end, {
            "not_minimized": 0,
            "energy_before_kj_mol": round(found.before, 1),
            "energy_after_kj_mol": round(found.after, 1),
            "minimize_ca_moved_mean": round(float(moved.mean()), 4),
            "minimize_ca_moved_max": round(float(moved.max()), 4),
            "hands_changed": changed_hands(self._full.trace.residue_types, before, after),
            "cis_trans_changed": changed_peptides(before, after, linked),
        }

    def _system(self, broken: bytes, narrowest: float | None) -> openmm.System:
        """Make the system of some breaks: for hydrogens (None), or to minimise in a box (nm, 0 for none)."""
        options, breaks = self._options, np.frombuffer(broken, dtype=bool)
        if narrowest is None:
            return hydrogen_system(self._molecule, options.force_field, breaks)
        return minimize_system(self._molecule, options, breaks, narrowest)

    def _slots(self, points: Array) -> Array:
        """Heavy atoms of all atoms (N, 3), by slot: (L, W, 3)."""
        atoms = np.zeros((len(self._full.trace), self._full.trace.n_slots, 3))
        atoms[self._full.residue[self._heavy], self._full.slot[self._heavy]] = points[self._heavy]
        return atoms

    def _facts(self) -> dict[str, Any]:
        options, states = self._options, Counter(filter(None, protonation_states(self._full)))
        facts: dict[str, Any] = {"force_field": options.force_field, "ph": options.ph}
        facts |= {"states": dict(states), "openmm": openmm.version.version}
        facts |= {"platform": self._engine.platform.getName()}
        if options.minimize:
            facts |= {"minimize": options.minimize, "solvent": options.solvent}
            facts |= {"restraint_kj_mol_nm2": options.restraint}
        return {"md": facts}


def _reduced(vectors: Array) -> Array:
    """Bring box vectors (3, 3) into the form that OpenMM asks for."""
    a, b, c = (vector.copy() for vector in vectors)
    c -= b * np.round(c[1] / b[1])
    c -= a * np.round(c[0] / a[0])
    b -= a * np.round(b[0] / a[0])
    return np.stack([a, b, c])
