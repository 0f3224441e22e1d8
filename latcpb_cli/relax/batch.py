"""What the model built is relieved, many structures at once."""

from __future__ import annotations

from types import TracebackType

import numpy as np
import torch

from latcpb_cli.chem.internal import N_CHI
from latcpb_cli.geometry.codec import InternalCoordinates
from latcpb_cli.model.decoder import Decoded, Rotamers
from latcpb_cli.model.graph import Graph
from latcpb_cli.relax.relief import OverlapCounts, relieve
from latcpb_cli.relax.structures import RotamerChoices, TorsionStructures
from latcpb_cli.sidechains.candidates import MOST

__all__ = ["RelaxationBatch"]

RESIDUES_AT_ONCE = 8192
"""A step of relief costs much the same for a hundred residues as for a thousand."""


class RelaxationBatch:
    """Collect drafts and relieve them in batches.

    What comes out does not depend on the batches. Leaving the context
    relieves what is still waiting. A ``tally`` counts what relief found and left.

    Examples
    --------
    >>> with RelaxationBatch() as settling:
    ...     settling.add(decoded, graph, cells=None, drawn=None, into=atoms)
    """

    def __init__(self, tally: OverlapCounts | None = None) -> None:
        self._tally = tally
        self._waiting: list[tuple[TorsionStructures, np.ndarray]] = []

    def __enter__(self) -> RelaxationBatch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trail: TracebackType | None
    ) -> None:
        if kind is None:
            self._settle()

    def add(
        self,
        decoded: Decoded,
        graph: Graph,
        cells: np.ndarray | None,
        drawn: np.ndarray | None,
        into: np.ndarray,
    ) -> None:
        """Take what the decoder built.

        Parameters
        ----------
        decoded, graph
            Structures of L residues, F of them or more; those after the first F are left out.
        cells : numpy.ndarray, shape (F, 3, 3), optional
            Vectors of each structure's periodic box as rows, Å; zeros where there is none.
        drawn : numpy.ndarray, shape (F, L), optional
            How much phi and psi are drawn to favoured regions; altogether where there is none.
        into : numpy.ndarray, shape (F, L, 15, 3)
            Where the atoms will be written, Å.
        """
        count, length = into.shape[:2]
        rows = slice(count * length)
        if decoded.internal is None:
            into[...] = decoded.atoms[rows].view(into.shape).cpu().numpy()
            return
        if sum(len(draft) for draft, _ in self._waiting) + count * length > RESIDUES_AT_ONCE:
            self._settle()
        free = InternalCoordinates(*(part[rows] for part in vars(decoded.internal).values()))
        where = graph.types[rows], graph.ca[rows], graph.linked[rows]
        lattice = None if cells is None else torch.from_numpy(cells)
        draft = TorsionStructures(
            decoded.atoms[rows],
            free,
            *where,
            sizes=count * [length],
            cells=lattice,
            choices=_choices(decoded.rotamers, rows),
            drawn=None if drawn is None else torch.from_numpy(drawn).to(graph.ca).flatten(),
            concentration=None if decoded.concentration is None else decoded.concentration[rows],
        )
        self._waiting.append((draft, into))

    def _settle(self) -> None:
        if not self._waiting:
            return
        relieved = relieve(TorsionStructures.join([draft for draft, _ in self._waiting]), self._tally)
        parts = relieved.atoms.cpu().split([len(draft) for draft, _ in self._waiting])
        for (_, into), atoms in zip(self._waiting, parts, strict=True):
            into[...] = atoms.view(into.shape).numpy()
        self._waiting.clear()


def _choices(rotamers: Rotamers | None, rows: slice) -> RotamerChoices | None:
    if rotamers is None:
        return None
    top = rotamers.logits[rows].log_softmax(-1).topk(MOST, dim=-1)
    return RotamerChoices(
        top.values, rotamers.chi[rows].gather(1, top.indices[..., None].expand(-1, -1, N_CHI))
    )
