"""Rotamers of templates in the choice of side chains."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from latcpb_cli.chem.residues import NAMES
from latcpb_cli.chem.rotamers import N_ROTAMERS, rotamer_states
from latcpb_cli.sidechains.selection import SideChainInputs, choose_side_chains, rotamer_probabilities
from latcpb_cli.sidechains.template_rotamers import mix_template, template_share, with_template_rotamers
from latcpb_cli.templates.evidence import TemplateEvidence
from latcpb_cli.templates.rigid_copies import RigidCopies


def make_evidence(chain, probability: float, chi_std: float = 0.03) -> TemplateEvidence:
    """The least probable existing rotamer of each residue, with its chi angles 0.2 rad further."""
    rotamers, length = chain.decoded.rotamers, len(chain.types)
    exists = rotamers.logits > -1e3
    rotamer = torch.where(exists, rotamers.logits, torch.inf).argmin(-1)
    several = (exists.sum(-1) > 1).float()
    chi = rotamers.chi[torch.arange(length), rotamer] + 0.2
    zeros = torch.zeros(length)
    return TemplateEvidence(
        rotamer, probability * several, chi, torch.zeros(length, 4), torch.full((length,), chi_std),
        torch.zeros(length, 2), zeros, zeros, RigidCopies(torch.zeros(length, 3, 3), zeros),
        RigidCopies(torch.zeros(length, 10, 3), zeros),
    )  # fmt: skip


def choose(chain, evidence: TemplateEvidence | None, noise: torch.Tensor | None = None):
    inputs = SideChainInputs(noise=noise, template=evidence)
    return choose_side_chains(chain.decoded, chain.condition, chain.graph, chain.heads, inputs)


def test_the_mixture_is_a_distribution() -> None:
    kind, state = NAMES.index("LYS"), (0, 1, 1, 2)
    types = torch.tensor([kind])
    rotamer = rotamer_states(kind).index(state)
    probability = torch.full((1, N_ROTAMERS), 1 / N_ROTAMERS)
    zeros = torch.zeros(1)
    evidence = TemplateEvidence(
        torch.tensor([rotamer]), torch.tensor([0.8]), torch.zeros(1, 4), torch.zeros(1, 4), zeros,
        torch.zeros(1, 2), zeros, zeros, RigidCopies(torch.zeros(1, 3, 3), zeros),
        RigidCopies(torch.zeros(1, 10, 3), zeros),
    )  # fmt: skip
    mixed = mix_template(probability, types, evidence)[0]
    assert float(mixed.sum()) == pytest.approx(1.0, abs=1e-5)
    same_first = torch.tensor([each[0] == state[0] for each in rotamer_states(kind)])
    assert float(mixed[same_first].sum()) == pytest.approx(0.8 + 0.2 / 3, abs=1e-5)
    assert 0.5 < float(mixed[rotamer]) < 0.8
    none = replace(evidence, probability=zeros)
    assert torch.allclose(mix_template(probability, types, none), probability)


def test_without_evidence_nothing_changes(chain) -> None:
    evidence = make_evidence(chain, 0.0)
    assert torch.allclose(choose(chain, evidence).atoms, choose(chain, None).atoms, atol=1e-4)


def test_strong_evidence_decides_and_brings_its_chi_angles(chain) -> None:
    evidence = make_evidence(chain, 0.99)
    known = evidence.probability > 0
    inputs = SideChainInputs(template=evidence)
    probability = rotamer_probabilities(chain.decoded, chain.condition, chain.graph, chain.heads, inputs)
    rows = torch.arange(len(chain.types))
    chosen = probability[rows, evidence.rotamer]
    n_chi = torch.tensor([len(rotamer_states(int(kind))[0]) for kind in chain.types])
    assert (chosen[known & (n_chi == 1)] > 0.95).all()
    built = choose(chain, evidence)
    chi = torch.atan2(built.internal.torsions[:, 4:, 1], built.internal.torsions[:, 4:, 0])
    share = template_share(evidence, chain.packing.chi_std(chain.condition, chain.types))
    one = known & (n_chi == 1)
    expected = chain.decoded.rotamers.chi[rows, evidence.rotamer] + 0.2 * share
    error = torch.remainder(chi - expected + torch.pi, 2 * torch.pi) - torch.pi
    assert one.any() and (error[one, 0].abs() < 0.1).all()


def test_vague_chi_angles_leave_those_of_the_model(chain) -> None:
    std = chain.packing.chi_std(chain.condition, chain.types)
    vague, sure = (make_evidence(chain, 0.9, chi_std) for chi_std in (100.0, 1e-3))
    rows = torch.arange(len(chain.types))
    angles = [
        with_template_rotamers(chain.decoded, chain.types, each, std).rotamers.chi[rows, each.rotamer]
        for each in (vague, sure)
    ]
    own = chain.decoded.rotamers.chi[rows, vague.rotamer]
    known = vague.probability > 0
    assert torch.allclose(angles[0][known], own[known], atol=1e-3)
    assert torch.allclose(angles[1][known], own[known] + 0.2, atol=1e-2)


def test_samples_follow_the_evidence(chain) -> None:
    evidence = make_evidence(chain, 0.9)
    noise = torch.randn(40, len(chain.types), 85, generator=torch.Generator().manual_seed(0))
    rows, known = torch.arange(len(chain.types)), evidence.probability > 0
    n_chi = torch.tensor([len(rotamer_states(int(kind))[0]) for kind in chain.types])
    taken = []
    for each in noise:
        chosen = choose(chain, evidence, each)
        chi = torch.atan2(chosen.internal.torsions[:, 4, 1], chosen.internal.torsions[:, 4, 0])
        step = torch.cos(chi - chosen.rotamers.chi[rows, evidence.rotamer, 0])
        taken.append((step > 0.8)[known & (n_chi == 1)])
    assert 0.8 < float(torch.stack(taken).float().mean()) <= 1.0
