"""Built structures as a universe of MDAnalysis, in memory."""

from __future__ import annotations

import MDAnalysis
import numpy as np
from jaxtyping import Float, Float64, Int64
from MDAnalysis.coordinates.memory import MemoryReader
from MDAnalysis.coordinates.timestep import Timestep

from latcpb_cli.chem.naming import residue_name
from latcpb_cli.structure import AtomTopology

__all__ = ["build_universe"]

_MASSES = {"H": 1.008, "C": 12.011, "N": 14.007, "O": 15.999, "P": 30.974, "S": 32.06}
"""Standard atomic weights (IUPAC, abridged to five figures), u."""


class _TimedReader(MemoryReader):  # type: ignore[misc]
    """Frames in memory with a time of their own each; those of MDAnalysis have one interval."""

    format = "LATCPB_MEMORY"
    times: Float64[np.ndarray, "n"] | None = None

    def _read_next_timestep(self, ts: Timestep | None = None) -> Timestep:
        step = super()._read_next_timestep(ts)
        if self.times is not None:
            step.data["time"] = float(self.times[step.frame])
        return step

    def copy(self) -> _TimedReader:
        """Return an independent reader of the same frames."""
        new: _TimedReader = super().copy()
        new.times = self.times
        new[self.ts.frame]
        return new


def build_universe(
    topology: AtomTopology,
    bonds: Int64[np.ndarray, "B 2"],
    positions: Float[np.ndarray, "n N 3"],
    times: Float[np.ndarray, "n"],
    boxes: Float[np.ndarray, "n 6"],
) -> MDAnalysis.Universe:
    """Build a universe with names, residues, chains, elements, masses and bonds; without charges.

    Parameters
    ----------
    topology : AtomTopology
        N atoms.
    bonds : numpy.ndarray of int64, shape (B, 2)
        Pairs of atoms.
    positions : numpy.ndarray, shape (n, N, 3)
        In Å; not copied.
    times : numpy.ndarray, shape (n,)
        In ps.
    boxes : numpy.ndarray, shape (n, 6)
        a, b, c (Å), alpha, beta, gamma (degrees); zeros for no box.
    """
    trace = topology.trace
    first = np.r_[True, trace.chain_index[1:] != trace.chain_index[:-1]]
    universe = MDAnalysis.Universe.empty(
        len(topology),
        n_residues=len(trace),
        n_segments=int(first.sum()),
        atom_resindex=topology.residue,
        residue_segindex=np.cumsum(first) - 1,
    )
    chain_ids = trace.chain_ids.astype(object)
    columns = {
        "names": topology.names.astype(object),
        "types": topology.elements.astype(object),
        "elements": topology.elements.astype(object),
        "masses": np.array([_MASSES[element] for element in topology.elements.tolist()]),
        "resnames": np.array([residue_name(name, "pdb") for name in trace.names], dtype=object),
        "resids": trace.resids,
        "resnums": trace.resids,
        "icodes": trace.icodes.astype(object),
        "chainIDs": chain_ids[topology.residue],
        "segids": chain_ids[first],
        "bonds": [tuple(pair) for pair in bonds.tolist()],
    }
    for name, values in columns.items():
        universe.add_TopologyAttr(name, values)
    reader = _TimedReader(positions, order="fac", dimensions=boxes)
    reader.times = np.asarray(times, dtype=np.float64)
    reader[0]
    universe.trajectory = reader
    return universe
