"""Chains with overlapping atoms, for the tests of relaxation."""

from __future__ import annotations

import torch
from tiny import TINY, trace_tensors

from latcpb_cli.chem.residues import slot_mask
from latcpb_cli.chem.zmatrix import chi_mask
from latcpb_cli.geometry.codec import InternalCoordinates, decode
from latcpb_cli.metrics.clashes import frame_clashes
from latcpb_cli.model.graph import Graph, build_graph
from latcpb_cli.relax.structures import TorsionStructures

__all__ = [
    "CROWD",
    "Built",
    "concatenated",
    "count_overlaps",
    "crowded",
    "present",
    "rotated",
    "torsion_structures",
]

CROWD = "AEWAKAPFPAFRMCAYLHVTKIDQNSG"
Built = tuple[InternalCoordinates, torch.Tensor, Graph]


def crowded(seed: int = 0, sequence: str = CROWD) -> Built:
    """A chain with random peptide rotations, chi angles and a little noise on its Cα; its atoms and graph."""
    ca, types, linked = trace_tensors(sequence)
    generator = torch.Generator().manual_seed(seed)
    ca = ca + 0.1 * torch.randn(ca.shape, generator=generator)
    angle = 6.28 * torch.rand(len(types), 8, generator=generator)
    angle[:, 0] = 2.4 + 0.3 * torch.randn(len(types), generator=generator)
    angle[:, 4:] *= torch.as_tensor(chi_mask())[types]
    torsions = torch.stack([torch.cos(angle), torch.sin(angle)], dim=-1)
    internal = InternalCoordinates(torsions, torch.zeros(len(types)), torch.zeros(len(types), 4))
    graph = build_graph(ca, types, linked, [len(ca)], TINY)
    return internal, decode(internal, ca, types, linked), graph


def concatenated(*parts: Built) -> tuple[torch.Tensor, InternalCoordinates, Graph, list[int]]:
    """Several structures as one batch."""
    internals, atoms, graphs = zip(*parts, strict=True)
    sizes = [len(x) for x in atoms]
    internal = InternalCoordinates(
        *(torch.cat(columns) for columns in zip(*(vars(x).values() for x in internals), strict=True))
    )
    columns = (torch.cat([getattr(graph, name) for graph in graphs]) for name in ("ca", "types", "linked"))
    graph = build_graph(*columns, sizes, TINY)
    return torch.cat(atoms), internal, graph, sizes


def torsion_structures(*parts: Built, cells: torch.Tensor | None = None) -> TorsionStructures:
    """Several structures as relaxation takes them."""
    atoms, internal, graph, sizes = concatenated(*parts)
    return TorsionStructures(atoms, internal, graph.types, graph.ca, graph.linked, sizes, cells)


def rotated(built: Built, matrix: torch.Tensor) -> Built:
    """The same structure after a rotation of the whole."""
    internal, atoms, graph = built
    ca = graph.ca @ matrix.T
    graph = build_graph(ca, graph.types, graph.linked, [len(ca)], TINY)
    return internal, atoms @ matrix.T, graph


def present(graph: Graph | TorsionStructures) -> torch.Tensor:
    """Which slots hold an atom: (L, 15)."""
    mask = torch.from_numpy(slot_mask())[graph.types]
    mask[:, 14] = ~graph.linked
    return mask


def count_overlaps(atoms: torch.Tensor, graph: Graph) -> tuple[int, int]:
    """Numbers of overlapping pairs, and of residues with a contact below 1.2 Å."""
    clashes = frame_clashes(
        graph.types.numpy(), atoms[None].numpy(), present(graph).numpy(), graph.linked[None].numpy()
    )[0]
    return clashes.n_overlaps, int(clashes.contact12.sum())
