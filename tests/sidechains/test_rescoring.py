"""The second look: what it sees of a candidate's surroundings, and what it may change."""

from __future__ import annotations

import pytest
import torch
from tiny import tiny_model, trace_tensors

from latcpb_cli.chem.atom_types import ATOM_TYPES, atom_type_table
from latcpb_cli.chem.residues import slot_mask
from latcpb_cli.model import shapes
from latcpb_cli.model.cg_encoder import Condition
from latcpb_cli.model.decoder import Decoded
from latcpb_cli.model.graph import Graph
from latcpb_cli.model.latcpb import LatCPB
from latcpb_cli.sidechains.candidates import MOST, build_candidates
from latcpb_cli.sidechains.contacts import find_candidate_contacts
from latcpb_cli.sidechains.selection import choose_side_chains


def awake(seed: int = 3) -> LatCPB:
    """A model whose second look says something."""
    model = tiny_model()
    generator = torch.Generator().manual_seed(seed)
    for parameter in model.rescoring.parameters():
        parameter.data += 0.1 * torch.randn(parameter.shape, generator=generator)
    return model


def drawn(model: LatCPB, turn: torch.Tensor | None = None) -> tuple[Decoded, Condition, Graph]:
    ca, types, linked = trace_tensors()
    ca = ca if turn is None else ca @ turn
    graph = model.graph(ca, types, linked, [len(ca)])
    condition = model.cg_encoder(graph)
    latent = torch.rand(len(ca), 8, generator=torch.Generator().manual_seed(0))
    return model.decoder(latent, condition, graph), condition, graph


def look(model: LatCPB, turn: torch.Tensor | None = None) -> torch.Tensor:
    decoded, condition, graph = drawn(model, turn)
    candidates = build_candidates(decoded, graph.types)
    around = find_candidate_contacts(candidates, decoded.atoms, graph)
    share = model.packing.marginals(candidates, around, graph)
    return model.rescoring(candidates, share, around, decoded.atoms, condition, graph)


def test_before_training_it_changes_nothing() -> None:
    model = tiny_model()
    decoded, condition, graph = drawn(model)
    candidates = build_candidates(decoded, graph.types)
    around = find_candidate_contacts(candidates, decoded.atoms, graph)
    share = model.packing.marginals(candidates, around, graph)
    score = model.rescoring(candidates, share, around, decoded.atoms, condition, graph)
    assert torch.allclose(
        score.exp().flatten()[candidates.place], share.flatten()[candidates.place], atol=2e-4
    )


def test_probabilities_add_up() -> None:
    assert torch.allclose(look(awake()).exp().sum(-1), torch.ones(25), atol=1e-5)


def test_turning_the_trace_turns_no_opinion() -> None:
    model = awake()
    turn = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(1)))[0]
    turn = turn * torch.linalg.det(turn)
    assert torch.allclose(look(model), look(model, turn), atol=1e-3)


def test_the_size_of_blocks_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    model = awake()
    whole = look(model)
    monkeypatch.setattr(shapes, "_BLOCK", 7)
    assert torch.allclose(whole, look(model), atol=1e-5)


def test_surroundings_are_sums_over_all_atoms_within_reach() -> None:
    """Of distances alone, against a plain loop; weights of one kind of pair, at 3 Å and beyond."""
    model = awake()
    rescoring = model.rescoring
    decoded, _, graph = drawn(model)
    candidates = build_candidates(decoded, graph.types)
    around = find_candidate_contacts(candidates, decoded.atoms, graph)
    share = model.packing.marginals(candidates, around, graph)
    weight = share.flatten()[candidates.place]
    own_kind, other_kind = ATOM_TYPES.index("aliphatic C"), ATOM_TYPES.index("backbone O")
    rescoring.contact.data[:] = 0.0
    rescoring.contact.data[own_kind * len(ATOM_TYPES) + other_kind, :, 0] = 1.0
    seen = rescoring._seen(candidates, weight, around, decoded.atoms, graph)
    kinds, there = torch.from_numpy(atom_type_table()), torch.from_numpy(slot_mask())
    for row in range(len(candidates.place)):
        residue = int(candidates.residue[row])
        kind = int(graph.types[residue])
        total = 0.0
        for other in graph.index[residue][graph.valid[residue]].tolist():
            for slot in range(9):
                if kinds[kind, 5 + slot] != own_kind or not there[kind, 5 + slot]:
                    continue
                distance = float((candidates.atoms[row, slot] - decoded.atoms[other, 3]).norm())
                last_knot = 6.0 - (6.0 - 2.5) / 14
                total += min(1.0, max(0.0, (6.0 - distance) / (6.0 - last_knot)))
        assert float(seen[row, 0]) == pytest.approx(total, abs=1e-3)
    assert seen[:, 0].max() > 0
    assert seen[:, 1:].abs().max() == 0


def test_others_count_by_their_probability() -> None:
    model = awake()
    decoded, _, graph = drawn(model)
    candidates = build_candidates(decoded, graph.types)
    around = find_candidate_contacts(candidates, decoded.atoms, graph)
    few, more = (
        model.rescoring._seen(
            candidates, torch.full((len(candidates.place),), weight), around, decoded.atoms, graph
        )
        for weight in (0.3, 0.6)
    )
    width = few.shape[1] // 2
    assert torch.allclose(few[:, :width], more[:, :width])  # backbones stand where they stand
    assert torch.allclose(2 * few[:, width:], more[:, width:], atol=1e-5)
    assert few[:, width:].abs().max() > 0


def test_every_part_learns() -> None:
    model = awake()
    model.rescoring.requires_grad_(True)
    score = look(model)
    score[:, 0].sum().backward()
    for name, parameter in model.rescoring.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name
    assert score.shape[1] == MOST


def test_backbones_alone_are_enough_to_build_on() -> None:
    model = awake()
    decoded, condition, graph = drawn(model)
    latent = torch.rand(len(graph.types), 8, generator=torch.Generator().manual_seed(0))
    bare = model.decoder(latent, condition, graph, side_chains=False)
    assert torch.equal(bare.atoms[:, :5], decoded.atoms[:, :5])
    assert torch.equal(bare.atoms[:, 5:14], graph.ca[:, None].expand(-1, 9, -1))
    whole, built = (
        choose_side_chains(answer, condition, graph, model.packing, model.rescoring).atoms
        for answer in (decoded, bare)
    )
    assert torch.equal(whole, built)
