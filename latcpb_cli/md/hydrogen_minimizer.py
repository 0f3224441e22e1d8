"""Hydrogens and minimisation of built structures, and a comparison before and after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import openmm
from jaxtyping import Bool, Float, Int

from latcpb_cli.chem.residues import CA_SLOT
from latcpb_cli.geometry.box import box_vectors
from latcpb_cli.io.writers.bonds import heavy_bonds
from latcpb_cli.md.changes import count_inverted_centers, count_isomerized_peptides
from latcpb_cli.md.engine import NM_PER_ANGSTROM, Engine
from latcpb_cli.md.hydrogen_positions import HydrogenPlacer
from latcpb_cli.md.molecule import heavy_molecule
from latcpb_cli.md.protonation import protonate, protonation_states
from latcpb_cli.md.system import hydrogen_system, minimization_system
from latcpb_cli.options import MdOptions
from latcpb_cli.structure import AtomTopology, Bridge, FrameChunk

__all__ = ["HydrogenMinimizer"]

_MAX_HYDROGEN_STEPS = 100
"""Steps of the minimisation of hydrogens alone; most structures converge in fewer."""
_MAX_COORDINATE = 1e6
"""Å; atoms farther away cannot be minimised."""
_N_CACHED_SYSTEMS = 4
"""One system serves all frames, unless their breaks or the widths of their boxes differ."""
_BOX_STEPS_PER_NM = 10.0
"""Box widths are rounded down to 0.1 nm, so that a fluctuating box does not need a new system per frame."""


class HydrogenMinimizer:
    """Add hydrogens to the frames of one system, and minimise them.

    Residues and pH determine the hydrogens, so all frames have the same atoms;
    positions depend on nothing but the frame itself.

    Parameters
    ----------
    topology : AtomTopology
        Heavy atoms.
    options : MdOptions
    device : str
        ``cpu``, or a GPU as torch names it.
    bridges : sequence of tuple of int
        Disulfides, the same in all frames.

    Attributes
    ----------
    topology : AtomTopology
        The atoms that `process` returns: with hydrogens where ``options.hydrogens`` is true.
    settings : dict
        Description of the set-up for the report.

    Raises
    ------
    InputError
        The force field has no template for a residue.
    """

    def __init__(
        self,
        topology: AtomTopology,
        options: MdOptions,
        device: str,
        bridges: Sequence[Bridge] = (),
    ) -> None:
        self._options = options
        self._molecule = protonate(heavy_molecule(topology, bridges), options.ph)
        self._full = self._molecule.topology
        self._heavy = self._molecule.heavy
        self._placer = HydrogenPlacer(self._molecule)
        self._engine = Engine(device)
        self._systems = lru_cache(_N_CACHED_SYSTEMS)(self._create_system)
        self.topology = self._full if options.hydrogens else topology
        self.settings = self._describe()
        # Creating a system raises the error of an unknown residue before any frame is built.
        self._systems(np.zeros(len(topology.trace), dtype=bool).tobytes(), None)

    def process(
        self, atoms: Float[np.ndarray, "F S L W 3"], chunk: FrameChunk
    ) -> tuple[Float[np.ndarray, "F S L A 3"], list[dict[str, Any]]]:
        """Process all samples of a chunk.

        Parameters
        ----------
        atoms : numpy.ndarray of float32, shape (F, S, L, W, 3)
            Heavy atoms, Å.
        chunk : FrameChunk
            The F frames they are built from.

        Returns
        -------
        atoms : numpy.ndarray of float32, shape (F, S, L, A, 3)
            With hydrogens in slots from W on, where ``options.hydrogens`` is true.
        rows : list of dict
            Columns for the report, one row for each of F x S structures.
        """
        result_topology = self.topology
        n_slots = max(int(result_topology.slot.max()) + 1, atoms.shape[3])
        result = np.zeros((*atoms.shape[:3], n_slots, 3), dtype=np.float32)
        linked, rows = self._full.trace.linked(chunk.positions), []
        for frame in range(len(chunk)):
            for sample in range(atoms.shape[1]):
                points, row = self._process_structure(atoms[frame, sample], linked[frame], chunk.boxes[frame])
                rows.append(row)
                kept = points if self._options.hydrogens else points[self._heavy]
                result[frame, sample, result_topology.residue, result_topology.slot] = kept
        return result, rows

    def bonds(self, bridges: Sequence[Bridge]) -> Int[np.ndarray, "B 2"]:
        """Return the bonds of the written atoms; with hydrogens, all have the disulfides of the first."""
        return self._molecule.bonds if self._options.hydrogens else heavy_bonds(self.topology, bridges)

    def _process_structure(
        self, atoms: Float[np.ndarray, "L W 3"], linked: Bool[np.ndarray, "L"], box: Float[np.ndarray, "6"]
    ) -> tuple[Float[np.ndarray, "N 3"], dict[str, Any]]:
        """Positions of all atoms, and the row of the report, of one structure."""
        slots = np.where(self._heavy, self._full.slot, CA_SLOT)
        points = atoms[self._full.residue, slots].astype(np.float64)
        if not (np.abs(points) < _MAX_COORDINATE).all():
            return points, {"not_minimized": 1} if self._options.minimize else {}
        # Around the origin, where single precision has the most digits.
        center = points[self._heavy].mean(axis=0)
        start = self._placer.place((points - center)[None])[0]
        broken = (~self._full.trace.ends_chain() & ~linked).tobytes()
        start = self._relax_hydrogens(start, broken)
        if not self._options.minimize:
            return start + center, {}
        end, row = self._minimize(start, linked, broken, box)
        return end + center, row

    def _relax_hydrogens(self, placed: Float[np.ndarray, "N 3"], broken: bytes) -> Float[np.ndarray, "N 3"]:
        """Minimise the energy over the hydrogens alone; heavy atoms are unchanged to the bit."""
        relaxed = self._engine.minimize(self._systems(broken, None), placed, _MAX_HYDROGEN_STEPS).positions
        if not np.isfinite(relaxed).all():
            return placed
        is_moved = ~self._heavy
        is_moved[self._placer.find_inverted(placed, relaxed)] = False
        return np.where(is_moved[:, None], relaxed, placed)

    def _minimize(
        self,
        start: Float[np.ndarray, "N 3"],
        linked: Bool[np.ndarray, "L"],
        broken: bytes,
        box: Float[np.ndarray, "6"],
    ) -> tuple[Float[np.ndarray, "N 3"], dict[str, Any]]:
        """Minimise the energy over all atoms, and compare the outcome with the start."""
        has_box = bool(box[:3].any())
        vectors = _reduced(box_vectors(box[None])[0] * NM_PER_ANGSTROM) if has_box else None
        width = 0.0 if vectors is None else float(np.diag(vectors).min())
        system = self._systems(broken, float(np.floor(width * _BOX_STEPS_PER_NM) / _BOX_STEPS_PER_NM))
        result = self._engine.minimize(system, start, self._options.minimize, vectors)
        end = result.positions
        if not (np.isfinite(end).all() and np.isfinite(result.energy_after)):
            return start, {"not_minimized": 1}
        before, after = self._by_slot(start), self._by_slot(end)
        displacement = np.linalg.norm(after[:, CA_SLOT] - before[:, CA_SLOT], axis=1)
        return end, {
            "not_minimized": 0,
            "energy_before_kj_mol": round(result.energy_before, 1),
            "energy_after_kj_mol": round(result.energy_after, 1),
            "minimize_ca_moved_mean": round(float(displacement.mean()), 4),
            "minimize_ca_moved_max": round(float(displacement.max()), 4),
            "hands_changed": count_inverted_centers(self._full.trace.residue_types, before, after),
            "cis_trans_changed": count_isomerized_peptides(
                before, after, linked, self._full.trace.next_residue
            ),
        }

    def _create_system(self, broken: bytes, box_width: float | None) -> openmm.System:
        """Create a system with some breaks: of hydrogens (None), or in a box of a width (nm, 0 for none)."""
        options, breaks = self._options, np.frombuffer(broken, dtype=bool)
        if box_width is None:
            return hydrogen_system(self._molecule, options.force_field, breaks)
        return minimization_system(self._molecule, options, breaks, box_width)

    def _by_slot(self, points: Float[np.ndarray, "N 3"]) -> Float[np.ndarray, "L W 3"]:
        """Heavy atoms by residue and slot."""
        atoms = np.zeros((len(self._full.trace), self._full.trace.n_slots, 3))
        atoms[self._full.residue[self._heavy], self._full.slot[self._heavy]] = points[self._heavy]
        return atoms

    def _describe(self) -> dict[str, Any]:
        options, states = self._options, Counter(filter(None, protonation_states(self._full)))
        settings: dict[str, Any] = {"force_field": options.force_field, "ph": options.ph}
        settings |= {"states": dict(states), "openmm": openmm.version.version}
        settings |= {"platform": self._engine.platform.getName()}
        if options.minimize:
            settings |= {"minimize": options.minimize, "solvent": options.solvent}
            settings |= {"restraint_kj_mol_nm2": options.restraint}
        return {"md": settings}


def _reduced(vectors: Float[np.ndarray, "3 3"]) -> Float[np.ndarray, "3 3"]:
    """Reduce box vectors to the form that OpenMM requires."""
    a, b, c = (vector.copy() for vector in vectors)
    c -= b * np.round(c[1] / b[1])
    c -= a * np.round(c[0] / a[0])
    b -= a * np.round(b[0] / a[0])
    return np.stack([a, b, c])
