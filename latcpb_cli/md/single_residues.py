"""Chains that stay as they are beside chains with hydrogens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from latcpb_cli.errors import InputError
from latcpb_cli.io.writers.bonds import heavy_bonds
from latcpb_cli.md.hydrogen_minimizer import HydrogenMinimizer
from latcpb_cli.options import MdOptions
from latcpb_cli.structure import AtomTopology, Bridge, CGTrace, FrameChunk

__all__ = ["PartialMinimizer"]


class PartialMinimizer:
    """Add hydrogens to some residues of a system, and minimise these; the others keep their heavy atoms.

    Parameters
    ----------
    topology : AtomTopology
        Heavy atoms.
    left : numpy.ndarray of bool, shape (L,)
        Residues of chains that stay as they are; not all of them.
    options : MdOptions
    device : str
    bridges : sequence of (int, int)
        Disulfides.

    Attributes
    ----------
    topology : AtomTopology
        The atoms that `process` returns.
    settings : dict
        Description of the set-up for the report.

    Raises
    ------
    InputError
        The force field has no template for a residue, or a disulfide joins the two kinds of chains.
    """

    def __init__(
        self,
        topology: AtomTopology,
        left: Bool[np.ndarray, "L"],
        options: MdOptions,
        device: str,
        bridges: Sequence[Bridge] = (),
    ) -> None:
        self._heavy, self._left = topology, left
        self._kept = np.flatnonzero(~left)
        _check_bridges(topology.trace, left, bridges)
        number = np.cumsum(~left) - 1
        inner_bridges = [(int(number[a]), int(number[b])) for a, b in bridges if not left[a]]
        inner = AtomTopology.heavy_atoms(_select(topology.trace, self._kept))
        self._inner = HydrogenMinimizer(inner, options, device, inner_bridges)
        self.topology, self._inner_rows, self._left_rows = self._combine()
        self.settings: dict[str, Any] = self._inner.settings

    def process(
        self, atoms: Float[np.ndarray, "F S L W 3"], chunk: FrameChunk
    ) -> tuple[Float[np.ndarray, "F S L A 3"], list[dict[str, Any]]]:
        """Process all samples of a chunk; see `HydrogenMinimizer.process`."""
        missing = None if chunk.missing is None else chunk.missing[:, self._kept]
        columns = chunk.times, chunk.boxes, chunk.indices, missing, chunk.problems
        part = FrameChunk(chunk.positions[:, self._kept], *columns)
        inner_atoms, rows = self._inner.process(atoms[:, :, self._kept], part)
        inner, whole = self._inner.topology, self.topology
        n_slots = max(int(whole.slot.max()) + 1, atoms.shape[3])
        result = np.zeros((*atoms.shape[:3], n_slots, 3), dtype=np.float32)
        to = self._inner_rows
        result[:, :, whole.residue[to], whole.slot[to]] = inner_atoms[:, :, inner.residue, inner.slot]
        alone = np.flatnonzero(self._left)
        result[:, :, alone, : atoms.shape[3]] = atoms[:, :, alone]
        return result, rows

    def bonds(self, bridges: Sequence[Bridge]) -> Int[np.ndarray, "B 2"]:
        """Return the bonds of the written atoms; see `HydrogenMinimizer.bonds`."""
        number = np.cumsum(~self._left) - 1
        inner_bridges = [(int(number[a]), int(number[b])) for a, b in bridges if not self._left[[a, b]].any()]
        others = heavy_bonds(self._heavy, [pair for pair in bridges if self._left[list(pair)].any()])
        row = np.full(len(self._heavy), -1)
        heavy_left = self._left[self._heavy.residue]
        row[heavy_left] = self._left_rows
        others = row[others]
        inner = self._inner_rows[self._inner.bonds(inner_bridges)]
        return np.concatenate([inner, others[(others >= 0).all(axis=1)]])

    def _combine(self) -> tuple[AtomTopology, Int[np.ndarray, "N"], Int[np.ndarray, "M"]]:
        """Return all atoms in the order of residues, and the rows of both kinds in it."""
        inner, heavy = self._inner.topology, self._heavy
        alone = self._left[heavy.residue]
        # Heavy atoms of the whole system have the first slots.
        shift = heavy.trace.n_slots - inner.trace.n_slots
        slots = np.where(inner.elements == "H", inner.slot + shift, inner.slot)
        residue = np.r_[self._kept[inner.residue], heavy.residue[alone]]
        order = np.argsort(residue, kind="stable")
        names = np.r_[inner.names, heavy.names[alone]]
        elements = np.r_[inner.elements, heavy.elements[alone]]
        slot = np.r_[slots, heavy.slot[alone]]
        whole = AtomTopology(heavy.trace, residue[order], slot[order], names[order], elements[order])
        row = np.argsort(order)
        return whole, row[: len(inner)], row[len(inner) :]


def _check_bridges(trace: CGTrace, left: Bool[np.ndarray, "L"], bridges: Sequence[Bridge]) -> None:
    for pair in bridges:
        if left[list(pair)].any():
            ends = " and ".join(trace.labels[residue] for residue in pair)
            raise InputError(
                f"a disulfide joins {ends}, one of which is a chain of one residue, without hydrogens",
                "give --disulfides none, or leave the chain out with --selection",
            )


def _select(trace: CGTrace, rows: Int[np.ndarray, "M"]) -> CGTrace:
    """Return the trace of some whole chains."""
    kept, chains = np.unique(trace.chain_index[rows], return_inverse=True)
    return CGTrace(
        sequence="".join(trace.sequence[row] for row in rows),
        chain_ids=trace.chain_ids[rows],
        chain_index=chains.astype(np.int64),
        resids=trace.resids[rows],
        icodes=trace.icodes[rows],
        variants=None if trace.variants is None else trace.variants[rows],
        cyclic_chains=tuple(number for number, chain in enumerate(kept) if chain in trace.cyclic_chains),
    )
