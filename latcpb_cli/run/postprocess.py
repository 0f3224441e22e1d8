"""Hydrogens and minimisation for a run: what is settled before its first frame."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import torch

from latcpb_cli.backmapper import Backmapper
from latcpb_cli.complete.completion import Disulfides, complete
from latcpb_cli.io.open_source import Source
from latcpb_cli.md.options import MINIMIZED, require_openmm
from latcpb_cli.metrics.defects import DEFECTS
from latcpb_cli.options import MdOptions, Mode
from latcpb_cli.structure import AtomTopology, Bridge, FrameChunk

__all__ = ["NoPostProcessing", "PostProcessor", "limit_names", "open_post_processor"]

_CLASHES = ("contact12_percent", "overlap04_per_1000", "pierced_rings", "lassos", "worst_overlap")


class PostProcessor(Protocol):
    """What is done to built atoms before they are measured and written.

    Attributes
    ----------
    topology : AtomTopology
        The atoms that are written.
    facts : dict
        What the report tells of it.
    """

    topology: AtomTopology
    facts: dict[str, Any]

    def finish(self, atoms: np.ndarray, chunk: FrameChunk) -> tuple[np.ndarray, list[dict[str, Any]]]:
        """Finish atoms (F, S, L, W, 3), and tell what was found of each structure."""


class NoPostProcessing:
    """Leaves the heavy atoms as the model has built them."""

    def __init__(self, topology: AtomTopology) -> None:
        self.topology = topology
        self.facts: dict[str, Any] = {}

    def finish(self, atoms: np.ndarray, chunk: FrameChunk) -> tuple[np.ndarray, list[dict[str, Any]]]:
        """Return the atoms (F, S, L, W, 3), and nothing to tell of any of them."""
        return atoms, [{}] * (atoms.shape[0] * atoms.shape[1])


def limit_names(md: MdOptions | None) -> tuple[str, ...]:
    """Numbers of a report's rows that can be limited (`latcpb_cli.run.quality_gate`)."""
    return (*_CLASHES, *DEFECTS, *(MINIMIZED if md is not None and md.minimize else ()))


def open_post_processor(
    backmapper: Backmapper,
    source: Source,
    md: MdOptions | None,
    *,
    seed: int,
    mode: Mode,
    disulfides: Disulfides,
) -> PostProcessor:
    """Settle the hydrogens of all frames, if any are wanted.

    A topology has the same atoms in every frame: the cysteines that are
    joined in the first structure have no hydrogen on SG in any.

    Raises
    ------
    UsageError
        OpenMM is not installed.
    InputError
        The force field does not know a residue.
    """
    topology = AtomTopology.heavy_atoms(source.trace)
    if md is None:
        return NoPostProcessing(topology)
    require_openmm()
    from latcpb_cli.md.hydrogen_minimizer import HydrogenMinimizer

    bridges: tuple[Bridge, ...] = ()
    if disulfides == "auto" and source.trace.sequence.count("C") > 1:
        first = next(source.chunks(1))
        atoms = backmapper.sample(source.trace, first, samples=1, seed=seed, mode=mode)
        bridges = complete(source.trace, atoms, first.boxes, disulfides)[1][0][0]
    return HydrogenMinimizer(topology, md, backmapper.device, torch.get_num_threads(), bridges)
