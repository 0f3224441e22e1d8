"""The choice of side chains: best and sampled conformations, given the probabilities of all others."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
import torch
from tiny import random_latent

from latcpb_cli.chem.residues import GAMMA_SLOT, OXT_SLOT, slot_mask
from latcpb_cli.chem.rotamers import N_ROTAMERS
from latcpb_cli.geometry.codec import decode
from latcpb_cli.model.decoder import Decoded
from latcpb_cli.sidechains.candidates import MAX_CANDIDATES
from latcpb_cli.sidechains.packing import NOISE_PER_RESIDUE
from latcpb_cli.sidechains.selection import (
    SideChainHeads,
    SideChainInputs,
    _sample_rows,
    choose_side_chains,
    rotamer_probabilities,
)


def choose(chain, decoded: Decoded | None = None, **inputs) -> Decoded:
    arguments = decoded or chain.decoded, chain.condition, chain.graph, chain.heads
    return choose_side_chains(*arguments, SideChainInputs(**inputs))


def chi_vectors(decoded: Decoded) -> torch.Tensor:
    """(cos, sin) of chi angles."""
    assert decoded.internal is not None
    return decoded.internal.torsions[:, 4:]


def count_close_pairs(atoms: torch.Tensor, types: torch.Tensor) -> int:
    """Pairs closer than 2.9 Å of a side-chain atom and an atom of another residue."""
    mask = torch.from_numpy(slot_mask())[types]
    count = 0
    for i, j in itertools.permutations(range(len(atoms)), 2):
        side_chain = atoms[i, GAMMA_SLOT:OXT_SLOT][mask[i, GAMMA_SLOT:OXT_SLOT]]
        other = atoms[j, :OXT_SLOT][mask[j, :OXT_SLOT]]
        count += int((torch.cdist(side_chain, other) < 2.9).sum()) if len(side_chain) else 0
    return count


def test_repelling_side_chains_avoid_each_other(chain) -> None:
    alone = choose(chain).atoms
    chain.repel()
    packed = choose(chain)
    assert count_close_pairs(packed.atoms, chain.types) < count_close_pairs(alone, chain.types)
    assert torch.equal(packed.atoms[:, :GAMMA_SLOT], chain.decoded.atoms[:, :GAMMA_SLOT])
    built = decode(packed.internal, chain.graph.ca, chain.types, chain.graph.linked)
    assert torch.allclose(built, packed.atoms, atol=1e-5)


def test_choices_do_not_depend_on_other_structures_of_the_batch(chain) -> None:
    chain.repel()
    predictor, graph = chain.predictor, chain.graph
    length = len(graph.types)
    results = []
    for copies in (1, 3):
        columns = graph.ca.repeat(copies, 1), graph.types.repeat(copies), graph.linked.repeat(copies)
        batch = predictor.latcpb.build_graph(*columns, [length] * copies)
        condition = predictor.latcpb.cg_encoder(batch)
        latent = random_latent(5).repeat(copies, 1)
        results.append(predictor.build_atoms(latent, condition, batch, SideChainInputs()).atoms[-length:])
    assert torch.allclose(*results, atol=1e-5)


def test_side_chains_of_the_decoder_are_not_needed(trained_chain) -> None:
    latent, condition, graph = trained_chain.latent, trained_chain.condition, trained_chain.graph
    backbones = trained_chain.predictor.latcpb.decoder(latent, condition, graph, side_chains=False)
    assert torch.equal(choose(trained_chain).atoms, choose(trained_chain, backbones).atoms)


def test_samples_have_the_frequencies_of_the_probabilities(chain) -> None:
    candidates, n_residues, n_samples = chain.candidates(), len(chain.types), 400
    log_prob = candidates.to_table(candidates.log_prob, n_residues).log_softmax(-1)
    counts = torch.zeros_like(log_prob)
    generator = torch.Generator().manual_seed(0)
    for _ in range(n_samples):
        rows = _sample_rows(candidates, log_prob, torch.randn(n_residues, 85, generator=generator))
        assert torch.equal(candidates.residue[rows], torch.arange(n_residues))
        counts.view(-1)[candidates.index[rows]] += 1
    assert (counts / n_samples - log_prob.exp()).abs().max() < 0.11  # four standard deviations


def test_rotamers_keep_their_random_numbers_when_their_ranks_change(chain) -> None:
    """Two frames with the same noise get the same rotamers, where all rotamers are equally probable."""
    rotamers = chain.decoded.rotamers
    possible = rotamers.logits > -1e3
    generator = torch.Generator().manual_seed(5)
    noise = torch.randn(len(chain.types), NOISE_PER_RESIDUE, generator=torch.Generator().manual_seed(6))
    sampled, most_probable = [], []
    for _ in range(2):
        logits = torch.where(possible, 0.0, rotamers.logits)
        logits = logits + 1e-3 * torch.rand(logits.shape, generator=generator)
        tied = replace(chain.decoded, rotamers=replace(rotamers, logits=logits))
        most_probable.append(logits.argmax(-1))
        sampled.append(chi_vectors(choose(chain, tied, noise=noise)))
    # Of residues with more rotamers than candidates, other ones can be left out each time.
    all_candidates = possible.sum(-1) <= MAX_CANDIDATES
    several = all_candidates & (possible.sum(-1) > 1)
    assert (most_probable[0] != most_probable[1])[several].float().mean() > 0.3
    assert (sampled[0] - sampled[1])[all_candidates].abs().max() < 0.01


def test_samples_deviate_from_their_rotamers_by_the_noise_of_chi(chain) -> None:
    chain.packing.log_std.data[:] = -3.0
    noise = torch.randn(len(chain.types), NOISE_PER_RESIDUE, generator=torch.Generator().manual_seed(2))
    without_offset = noise.clone()
    without_offset[:, N_ROTAMERS:] = 0.0
    sampled, centered = (chi_vectors(choose(chain, noise=each)) for each in (noise, without_offset))
    sine = sampled[..., 1] * centered[..., 0] - sampled[..., 0] * centered[..., 1]
    deviation = torch.atan2(sine, (sampled * centered).sum(-1))
    expected = chain.packing.sample_chi_offset(
        noise[:, N_ROTAMERS:], chain.packing.chi_std(chain.condition, chain.types)
    )
    assert torch.allclose(deviation, expected, atol=1e-4)


def test_given_rotamers_replace_those_of_the_latents(chain) -> None:
    generator = torch.Generator().manual_seed(1)
    rotamers = chain.decoded.rotamers
    logits = rotamers.logits + 3.0 * torch.randn(rotamers.logits.shape, generator=generator)
    other = replace(rotamers, logits=logits)
    expected = choose(chain, replace(chain.decoded, rotamers=other)).atoms
    assert torch.equal(choose(chain, rotamers=other).atoms, expected)
    assert not torch.equal(choose(chain).atoms, expected)


@pytest.mark.parametrize("rescored", [True, False])
def test_the_result_carries_the_refined_probabilities(trained_chain, rescored: bool) -> None:
    """Relaxation chooses other rotamers by these: those of candidates are refined, others keep theirs."""
    trained_chain.repel()
    heads = trained_chain.heads if rescored else SideChainHeads(trained_chain.packing, None)
    decoded, condition, graph = trained_chain.decoded, trained_chain.condition, trained_chain.graph
    chosen = choose_side_chains(decoded, condition, graph, heads, SideChainInputs())
    assert chosen.rotamers is not None
    refined = rotamer_probabilities(decoded, condition, graph, heads)
    candidates = trained_chain.candidates()
    is_candidate = torch.zeros_like(refined, dtype=torch.bool)
    is_candidate[candidates.residue, candidates.rotamer] = True
    original = decoded.rotamers.logits.softmax(-1)
    assert torch.allclose(chosen.rotamers.logits.exp()[is_candidate], refined[is_candidate], atol=1e-6)
    assert torch.allclose(chosen.rotamers.logits.exp()[~is_candidate], original[~is_candidate], atol=1e-6)
    assert (refined - original)[is_candidate].abs().max() > 0.1
    assert torch.equal(chosen.rotamers.chi, decoded.rotamers.chi)


def test_refined_probabilities_add_up_to_one_over_candidates(trained_chain) -> None:
    arguments = trained_chain.decoded, trained_chain.condition, trained_chain.graph, trained_chain.heads
    probability = rotamer_probabilities(*arguments)
    assert torch.allclose(probability.sum(-1), torch.ones(len(trained_chain.types)), atol=1e-5)
    candidates = trained_chain.candidates()
    probability[candidates.residue, candidates.rotamer] = 0.0
    assert (probability == 0).all()


def test_consensus_weights_decide_between_possible_rotamers(chain) -> None:
    """Weights of a possible rotamer decide, and those of an impossible one have no effect."""
    probability = rotamer_probabilities(chain.decoded, chain.condition, chain.graph, chain.heads)
    possible = probability > 0.03
    several = possible.sum(-1) > 1
    assert several.sum() > 5
    alone = choose(chain).atoms
    least = torch.where(possible, probability, torch.inf).argmin(-1)
    weights = 1e4 * torch.nn.functional.one_hot(least, N_ROTAMERS).float()
    decided = choose(chain, consensus_weights=weights).atoms
    impossible = torch.where(probability > 0, 0.0, 1e4)
    assert torch.allclose(choose(chain, consensus_weights=impossible).atoms, alone, atol=1e-3)
    moved = (decided - alone).norm(dim=-1).amax(-1) > 0.5
    assert moved[several].float().mean() > 0.8
    assert not moved[possible.sum(-1) == 1].any()
    assert torch.equal(decided[:, :GAMMA_SLOT], alone[:, :GAMMA_SLOT])
