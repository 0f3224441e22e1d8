"""What is done to built atoms before they are measured: nothing, or hydrogens and minimisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from latcpb_cli.errors import InputError
from latcpb_cli.io.beads.chains import list_some
from latcpb_cli.io.writers.bonds import heavy_bonds
from latcpb_cli.md.force_fields import require_openmm
from latcpb_cli.options import MdOptions
from latcpb_cli.structure import AtomTopology, Bridge, CGTrace, FrameChunk

__all__ = ["NoPostProcessing", "PostProcessor", "open_post_processor", "preparation_notes"]


@runtime_checkable
class PostProcessor(Protocol):
    """A step between building and measuring.

    Attributes
    ----------
    topology : AtomTopology
        The atoms that are written.
    settings : dict
        What the report records of the step.
    """

    topology: AtomTopology
    settings: dict[str, Any]

    def process(self, atoms: np.ndarray, chunk: FrameChunk) -> tuple[np.ndarray, list[dict[str, Any]]]:
        """Process atoms (F, S, L, W, 3), and return them with one row for the report per structure."""

    def bonds(self, bridges: Sequence[Bridge]) -> np.ndarray:
        """Return the bonds of the written atoms, pairs of rows (B, 2), with these disulfides."""


class NoPostProcessing:
    """Leaves the heavy atoms as they are."""

    def __init__(self, topology: AtomTopology) -> None:
        self.topology = topology
        self.settings: dict[str, Any] = {}

    def process(self, atoms: np.ndarray, chunk: FrameChunk) -> tuple[np.ndarray, list[dict[str, Any]]]:
        """Return the atoms (F, S, L, W, 3), and an empty row for each structure."""
        return atoms, [{}] * (atoms.shape[0] * atoms.shape[1])

    def bonds(self, bridges: Sequence[Bridge]) -> np.ndarray:
        """See `heavy_bonds`."""
        return heavy_bonds(self.topology, bridges)


def open_post_processor(
    topology: AtomTopology, md: MdOptions | None, device: str, bridges: Sequence[Bridge]
) -> PostProcessor:
    """Set up the hydrogens and the minimisation of all frames, if the options have any.

    A topology has the same atoms in every frame: cysteines that ``bridges`` join have no hydrogen on SG
    in any.

    Raises
    ------
    UsageError
        OpenMM is not installed.
    InputError
        The force field does not know a residue, or all chains have one residue.
    """
    if md is None:
        return NoPostProcessing(topology)
    require_openmm()
    left = _chains_of_one(topology.trace)
    if left.all():
        raise InputError(
            "no hydrogens and no minimisation for chains of one residue, and there are no others",
            "leave out --hydrogens and --minimize",
        )
    if left.any():
        from latcpb_cli.md.single_residues import PartialMinimizer

        return PartialMinimizer(topology, left, md, device, bridges)
    from latcpb_cli.md.hydrogen_minimizer import HydrogenMinimizer

    return HydrogenMinimizer(topology, md, device, bridges)


def preparation_notes(trace: CGTrace, md: MdOptions | None) -> list[str]:
    """Describe what hydrogens and minimisation leave out, in at most one line."""
    left = np.flatnonzero(_chains_of_one(trace))
    if md is None or not len(left):
        return []
    labels = list_some([trace.labels[residue] for residue in left])
    what = " and ".join(["no hydrogens"] * md.hydrogens + ["not minimised"] * (md.minimize > 0))
    return [f"{what}, chains of one residue: {labels}"]


def _chains_of_one(trace: CGTrace) -> np.ndarray:
    """Mark the residues that are a chain alone: bool, shape (L,).

    Amber has no templates for them; for CHARMM, OpenMM searches minutes for a combination of patches.
    """
    return np.asarray(np.bincount(trace.chain_index)[trace.chain_index] == 1)
