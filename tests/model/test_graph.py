"""The Cα graph: who is a neighbour, and what pair features distinguish."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from rotations import MIRROR, random_rotation
from tiny import TINY, tiny_model, trace_tensors

from latcpb_cli.geometry.links import LINEAR, ChainOrder
from latcpb_cli.model.graph import N_PAIR_FEATURES, Graph, _separation, build_graph

_SEPARATIONS = slice(N_PAIR_FEATURES - 18, N_PAIR_FEATURES)
"""One-hot separation in sequence: -8 to -1, 1 to 8, further apart, not joined."""


def graph_of(ca: torch.Tensor, linked: torch.Tensor | None = None) -> Graph:
    _, types, links = trace_tensors()
    return tiny_model().build_graph(ca, types, links if linked is None else linked, [len(ca)])


def test_pair_features_do_not_change_with_rotation_and_change_with_reflection() -> None:
    ca = trace_tensors()[0]
    original = graph_of(ca)
    rotated = graph_of(ca @ random_rotation(1).T + 5.0)
    assert torch.equal(rotated.index, original.index)
    features = original.pair_features()
    assert torch.allclose(rotated.pair_features(), features, atol=1e-4)
    assert (graph_of(ca * MIRROR).pair_features() - features).abs().max() > 0.1
    rows = slice(3, 8)
    assert torch.equal(original.pair_features(rows), features[rows])


def test_separation_in_sequence_is_one_hot_and_ends_at_a_break() -> None:
    ca, _, linked = trace_tensors()
    linked = linked.clone()
    linked[11] = False
    graph = graph_of(ca, linked)
    one_hot = graph.pair_features()[:, :, _SEPARATIONS]
    assert (one_hot.sum(-1) == 1).all()
    category = one_hot.argmax(-1)
    for residue, neighbor, expected in ((5, 4, 7), (5, 6, 8), (5, 7, 9), (11, 12, 17), (12, 11, 17)):
        column = (graph.index[residue] == neighbor).nonzero()[0, 0]
        assert category[residue, column] == expected


def test_structures_of_a_batch_are_not_connected() -> None:
    ca, types, linked = trace_tensors()
    length = len(ca)
    for sizes in ([length, length], [length, 5]):
        count = sum(sizes)
        columns = torch.cat([ca, ca + 1.0])[:count], types.repeat(2)[:count], linked.repeat(2)[:count]
        graph = build_graph(*columns, sizes, TINY)
        alone = graph_of(ca)
        assert torch.equal(graph.index[:length], alone.index)
        assert (graph.index[length:] >= length).all()
        assert torch.allclose(graph.pair_features()[:length], alone.pair_features(), atol=1e-5)


def test_neighbors_beyond_the_cutoff_are_masked() -> None:
    ca, types, linked = trace_tensors()
    graph = build_graph(ca, types, linked, [len(ca)], replace(TINY, cutoff=6.0))
    distance = (ca[graph.index] - ca[:, None]).norm(dim=-1)
    assert (distance[graph.mask] <= 6.0).all()
    assert not graph.mask.all()
    own = torch.arange(len(ca))[:, None].expand_as(graph.index)
    assert torch.equal(graph.index[~graph.mask], own[~graph.mask])


def separations(linked: torch.Tensor, order: ChainOrder) -> torch.Tensor:
    """Separation (L, L) of each residue from the first two residues on: -8..8, 99 for farther, 0 for none."""
    length = len(linked)
    index = torch.arange(length).expand(length, length)
    categories = torch.tensor([*range(-8, 0), *range(1, 9), 99, 0])
    return categories[_separation(index, linked, order).long()]


def test_residues_of_a_ring_are_as_far_apart_as_the_shorter_way_round() -> None:
    order = ChainOrder.from_next(np.array([1, 2, 3, 4, 5, 0, 7, 6]), "cpu")
    linked = torch.tensor([True] * 7 + [False])
    assert separations(linked, order)[0, 1:].tolist() == [1, 2, 3, -2, -1, 0, 0]
    assert separations(linked, order)[5, :5].tolist() == [1, 2, 3, -2, -1]
    broken = linked.clone()
    broken[2] = False  # the ring is the chain 3, 4, 5, 0, 1, 2
    assert separations(broken, order)[3].tolist()[:3] == [3, 4, 5]
    assert separations(broken, order)[2, 3:].tolist() == [-5, -4, -3, 0, 0]
    opened = linked.clone()
    opened[5] = False
    assert torch.equal(separations(opened, order), separations(opened, LINEAR))
