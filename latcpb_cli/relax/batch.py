"""Relaxation of the model's structures, many at once."""

from __future__ import annotations

from types import TracebackType

import numpy as np
import torch
from jaxtyping import Float

from latcpb_cli.chem.zmatrix import N_CHI
from latcpb_cli.com_beads.observed import ObservedBeads
from latcpb_cli.config import ModelConfig
from latcpb_cli.geometry.codec import InternalCoordinates
from latcpb_cli.model.decoder import Decoded, Rotamers
from latcpb_cli.model.graph import Graph
from latcpb_cli.relax.relief import OverlapCounts, relieve_overlaps
from latcpb_cli.relax.structures import RotamerChoices, TorsionStructures
from latcpb_cli.sidechains.candidates import MAX_CANDIDATES

__all__ = ["RelaxationBatch"]

_MAX_RESIDUES = 8192
"""Residues that are relaxed at once; a step costs about the same for a hundred residues as for a thousand."""


class RelaxationBatch:
    """Collect structures and relax them in batches; a context manager.

    The result for a structure does not depend on the others. Leaving the
    context relaxes the structures that are still pending.

    Parameters
    ----------
    counts : OverlapCounts, optional
        The numbers of overlapping residues, before and after, are added to it.
    fixed_backbone : bool
        Whether only side chains move.
    n_steps : int
        Steps of the first descent.

    Examples
    --------
    >>> with RelaxationBatch() as batch:
    ...     batch.add(decoded, graph, cells=None, ramachandran_weight=None, into=atoms)
    """

    def __init__(
        self,
        counts: OverlapCounts | None = None,
        *,
        fixed_backbone: bool = False,
        n_steps: int = ModelConfig.relief_steps,
    ) -> None:
        self._counts, self._fixed_backbone, self._n_steps = counts, fixed_backbone, n_steps
        self._pending: list[tuple[TorsionStructures, np.ndarray]] = []

    def __enter__(self) -> RelaxationBatch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trail: TracebackType | None
    ) -> None:
        if kind is None:
            self._relax_pending()

    def add(
        self,
        decoded: Decoded,
        graph: Graph,
        cells: Float[np.ndarray, "F 3 3"] | None,
        ramachandran_weight: Float[np.ndarray, "F L"] | None,
        into: Float[np.ndarray, "F L 15 3"],
        beads: ObservedBeads | None = None,
    ) -> None:
        """Add the structures of F frames.

        Parameters
        ----------
        decoded, graph
            Structures of L residues. There may be more than F; those after the first F are ignored.
        cells : numpy.ndarray of float64, shape (F, 3, 3), optional
            Vectors of each frame's periodic box as rows, Å; zeros for a frame without a box.
        ramachandran_weight : numpy.ndarray, shape (F, L), optional
            Weight from 0 to 1 of the energy that drives phi and psi into favoured regions; 1 by default.
        into : numpy.ndarray of float32, shape (F, L, 15, 3)
            Receives the atoms (Å) when they are relaxed. Structures that are not built from internal
            coordinates are copied as they are.
        beads : ObservedBeads, optional
            Centres of atoms, which restraints hold.
        """
        n_frames, length = into.shape[:2]
        rows = slice(n_frames * length)
        internal, concentration = decoded.internal, decoded.concentration
        if internal is None:
            into[...] = decoded.atoms[rows].view(into.shape).cpu().numpy()
            return
        if sum(len(structures) for structures, _ in self._pending) + n_frames * length > _MAX_RESIDUES:
            self._relax_pending()
        weight = None if ramachandran_weight is None else torch.from_numpy(ramachandran_weight)
        structures = TorsionStructures(
            atoms=decoded.atoms[rows],
            internal=InternalCoordinates(internal.torsions[rows], internal.twist[rows], internal.bends[rows]),
            types=graph.types[rows],
            ca=graph.ca[rows],
            linked=graph.linked[rows],
            sizes=n_frames * [length],
            cells=None if cells is None else torch.from_numpy(cells),
            choices=None if decoded.rotamers is None else _most_probable(decoded.rotamers, rows),
            ramachandran_weight=None if weight is None else weight.to(graph.ca).flatten(),
            concentration=None if concentration is None else concentration[rows],
            order=graph.order.select(rows),
            fixed_backbone=self._fixed_backbone,
            beads=None if beads is None else beads.select(rows),
        )
        self._pending.append((structures, into))

    def _relax_pending(self) -> None:
        if not self._pending:
            return
        parts = [structures for structures, _ in self._pending]
        relaxed = relieve_overlaps(TorsionStructures.concatenate(parts), self._counts, self._n_steps)
        per_part = torch.split(relaxed.atoms.cpu(), [len(part) for part in parts])
        for (_, into), atoms in zip(self._pending, per_part, strict=True):
            into[...] = atoms.view(into.shape).numpy()
        self._pending.clear()


def _most_probable(rotamers: Rotamers, rows: slice) -> RotamerChoices:
    """The most probable states of some rows, as many as side-chain packing considers."""
    top = rotamers.logits[rows].log_softmax(-1).topk(MAX_CANDIDATES, dim=-1)
    chi = rotamers.chi[rows].gather(1, top.indices[..., None].expand(-1, -1, N_CHI))
    return RotamerChoices(top.values, chi)
