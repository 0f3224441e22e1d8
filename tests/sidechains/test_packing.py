"""Packing: candidates as the decoder names them, and choices that see each other."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import pytest
import torch
from tiny import tiny_model, trace_tensors

from latcpb_cli.chem.rotamers import N_ROTAMERS
from latcpb_cli.geometry.codec import decode
from latcpb_cli.model.decoder import Decoded
from latcpb_cli.model.graph import Graph
from latcpb_cli.model.latcpb import LatCPB
from latcpb_cli.sidechains.atom_groups import AtomGroups, Contacts
from latcpb_cli.sidechains.candidates import MOST, build_candidates
from latcpb_cli.sidechains.contacts import find_candidate_contacts
from latcpb_cli.sidechains.packing import NOISE
from latcpb_cli.sidechains.selection import choose_side_chains


@pytest.fixture(scope="module")
def drawn() -> tuple[LatCPB, Decoded, Graph]:
    model, (ca, types, linked) = tiny_model(), trace_tensors()
    graph = model.graph(ca, types, linked, [len(ca)])
    latent = torch.rand(len(ca), 8, generator=torch.Generator().manual_seed(0))
    return model, model.decoder(latent, model.cg_encoder(graph), graph), graph


def chosen(
    model: LatCPB, decoded: Decoded, graph: Graph, noise: torch.Tensor | None = None
) -> tuple[torch.Tensor, torch.Tensor, Decoded]:
    """Chi angles (cos, sin), atoms and all."""
    parts = model.cg_encoder(graph), graph, model.packing, model.rescoring
    answer = choose_side_chains(decoded, *parts, noise)
    return answer.internal.torsions[:, 4:], answer.atoms, answer


def repulsive(model: LatCPB, reach: int = 3) -> None:
    """Energies that fall with distance: whatever comes near is bad."""
    model.packing.energy.data[:] = 0.0
    model.packing.energy.data[:, :reach] = 20.0


def test_candidates_are_what_the_decoder_would_build(drawn: tuple[LatCPB, Decoded, Graph]) -> None:
    _, decoded, graph = drawn
    candidates = build_candidates(decoded, graph.types)
    assert (candidates.place.diff() > 0).all()
    for rank in (0, 1):
        rows = torch.nonzero(candidates.place % MOST == rank)[:, 0]
        residues = candidates.residue[rows]
        internal = decoded.internal.turned(torch.zeros(len(graph.types), 4))
        internal.torsions[residues, 4:] = torch.stack(
            [torch.cos(candidates.chi[rows]), torch.sin(candidates.chi[rows])], dim=-1
        )
        built = decode(internal, graph.ca, graph.types, graph.linked)
        assert torch.allclose(built[residues, 5:14], candidates.atoms[rows], atol=1e-5)


def clashes(atoms: torch.Tensor, types: torch.Tensor) -> int:
    """Side-chain atom pairs of two residues closer than 2.9 Å (side chains and all else)."""
    from latcpb_cli.chem.residues import slot_mask

    there = torch.from_numpy(slot_mask())[types][:, :14]
    count = 0
    for i, j in itertools.permutations(range(len(atoms)), 2):
        one, two = atoms[i, 5:14][there[i, 5:]], atoms[j, :14][there[j]]
        count += int((torch.cdist(one, two) < 2.9).sum()) if len(one) else 0
    return count


def test_side_chains_make_room_for_each_other(drawn: tuple[LatCPB, Decoded, Graph]) -> None:
    model, decoded, graph = drawn
    model.packing.energy.data[:] = 0.0
    _, alone, _ = chosen(model, decoded, graph)
    repulsive(model)
    _, atoms, packed = chosen(model, decoded, graph)
    assert clashes(atoms, graph.types) < clashes(alone, graph.types)
    assert torch.equal(atoms[:, :5], decoded.atoms[:, :5])
    built = decode(packed.internal, graph.ca, graph.types, graph.linked)
    assert torch.allclose(built, atoms, atol=1e-5)


def test_choices_do_not_depend_on_what_else_is_in_the_batch(drawn: tuple[LatCPB, Decoded, Graph]) -> None:
    model, _, _ = drawn
    repulsive(model)
    ca, types, linked = trace_tensors()
    length = len(ca)
    latent = torch.rand(length, 8, generator=torch.Generator().manual_seed(5))
    results = []
    for copies in (1, 3):
        graph = model.graph(
            ca.repeat(copies, 1), types.repeat(copies), linked.repeat(copies), [length] * copies
        )
        answer = model.build(latent.repeat(copies, 1), model.cg_encoder(graph), graph)
        results.append(answer.atoms[-length:])
    assert torch.allclose(*results, atol=1e-5)


def test_shares_add_up_and_teach_energies(drawn: tuple[LatCPB, Decoded, Graph]) -> None:
    model, decoded, graph = drawn
    repulsive(model)
    candidates = build_candidates(decoded, graph.types)
    energy = model.packing.energy.requires_grad_(True)
    share = model.packing.marginals(
        candidates, find_candidate_contacts(candidates, decoded.atoms, graph), graph
    )
    several = torch.bincount(candidates.residue, minlength=len(graph.types)) > 0
    assert torch.allclose(share[several].sum(-1), torch.ones(int(several.sum())), atol=1e-5)
    (slope,) = torch.autograd.grad(share[several][:, 0].sum(), energy)
    energy.requires_grad_(False)
    assert torch.isfinite(slope).all()
    assert slope.abs().max() > 0


def test_noise_makes_samples_with_the_decoders_frequencies(drawn: tuple[LatCPB, Decoded, Graph]) -> None:
    model, decoded, graph = drawn
    model.packing.energy.data[:] = 0.0
    candidates = build_candidates(decoded, graph.types)
    generator = torch.Generator().manual_seed(0)
    counts = torch.zeros(len(graph.types), MOST)
    vectors = torch.full((len(graph.types) * MOST, 4, 2), 9.0)
    vectors[candidates.place] = torch.stack([candidates.chi.cos(), candidates.chi.sin()], dim=-1)
    for _ in range(400):
        noise = torch.randn(len(graph.types), NOISE, generator=generator)
        noise[:, N_ROTAMERS:] = 0.0
        turns, _, _ = chosen(model, decoded, graph, noise)
        apart = (vectors.view(-1, MOST, 8) - turns.flatten(1)[:, None]).abs().sum(-1)
        counts[torch.arange(len(apart)), apart.argmin(-1)] += 1
    expected = torch.zeros(len(graph.types), MOST)
    expected.view(-1)[candidates.place] = candidates.log_probability.exp()
    expected = expected / expected.sum(-1, keepdim=True)
    assert (counts / 400 - expected).abs().max() < 0.11  # four standard deviations


def test_states_keep_their_numbers_when_their_ranks_change(drawn: tuple[LatCPB, Decoded, Graph]) -> None:
    """So that two frames with the same noise take the same state, where all states are as good as equal."""
    model, decoded, graph = drawn
    model.packing.energy.data[:] = 0.0
    assert decoded.rotamers is not None
    generator = torch.Generator().manual_seed(5)
    taken, orders = [], []
    for _ in range(2):
        logits = torch.where(decoded.rotamers.logits > -1e3, 0.0, decoded.rotamers.logits)
        logits = logits + 1e-3 * torch.rand(logits.shape, generator=generator)
        tied = replace(decoded, rotamers=replace(decoded.rotamers, logits=logits))
        orders.append(logits.argmax(-1))
        noise = torch.randn(len(logits), NOISE, generator=torch.Generator().manual_seed(6))
        # Ten candidates at most: of residues with more states, others could be left out each time.
        taken.append(chosen(model, tied, graph, noise)[0])
    few = (decoded.rotamers.logits > -1e3).sum(-1) <= MOST
    several = few & ((decoded.rotamers.logits > -1e3).sum(-1) > 1)
    assert (orders[0] != orders[1])[several].float().mean() > 0.3
    assert (taken[0] - taken[1])[few].abs().max() < 0.01


def test_samples_spread_within_their_states(drawn: tuple[LatCPB, Decoded, Graph]) -> None:
    model, decoded, graph = drawn
    model.packing.energy.data[:] = 0.0
    model.packing.log_std.data[:] = -3.0
    noise = torch.randn(len(graph.types), NOISE, generator=torch.Generator().manual_seed(2))
    still = torch.cat([noise[:, :N_ROTAMERS], torch.zeros(len(noise), NOISE - N_ROTAMERS)], dim=1)
    shaken, calm = (chosen(model, decoded, graph, each)[0] for each in (noise, still))
    turned = torch.atan2(
        shaken[..., 1] * calm[..., 0] - shaken[..., 0] * calm[..., 1], (shaken * calm).sum(-1)
    )
    deviate, normal = turned / math.exp(-3.0), noise[:, N_ROTAMERS:]
    assert (deviate.sign() == normal.sign()).all()
    near, far = normal.abs() < 0.6, normal.abs() > 2.7
    assert (deviate[near].abs() < normal[near].abs()).all()
    assert far.any()
    assert (deviate[far].abs() > normal[far].abs()).all()


def test_surroundings_widen_states(drawn: tuple[LatCPB, Decoded, Graph]) -> None:
    model, _, graph = drawn
    condition = model.cg_encoder(graph)
    plain = model.packing.width(condition, graph.types)
    model.packing.wider.weight.data[1] = 0.1 * torch.randn(24, generator=torch.Generator().manual_seed(3))
    wider = model.packing.width(condition, graph.types)
    model.packing.wider.weight.data[:] = 0.0
    assert torch.equal(wider[:, [0, 2, 3]], plain[:, [0, 2, 3]])
    assert len((wider[:, 1] / plain[:, 1]).unique()) > 10


def test_energies_are_continuous_and_end_at_zero(drawn: tuple[LatCPB, Decoded, Graph]) -> None:
    model, _, _ = drawn
    model.packing.energy.data.normal_(generator=torch.Generator().manual_seed(1))
    distance = torch.linspace(2.0, 6.0, 4001)
    one, many = torch.zeros(1, dtype=torch.long), torch.arange(4001)
    still = AtomGroups(torch.zeros(3, 1), one, one, one + 1, torch.zeros(3, 1), torch.zeros(1))
    met = Contacts(many, many, many, torch.zeros_like(many), torch.zeros_like(many), distance)
    values = model.packing._energy(still, still, met)
    assert values.diff().abs().max() < 0.03
    assert abs(float(values[-1])) < 1e-3
    assert float(values[0]) == pytest.approx(float(model.packing.energy[0, 0]))
