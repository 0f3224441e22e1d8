"""Beads at centres of mass choose rotamers, and turn them."""

from __future__ import annotations

import pytest
import torch

from latcpb_cli.chem.residues import CA_SLOT, GAMMA_SLOT
from latcpb_cli.chem.zmatrix import chi_mask
from latcpb_cli.com_beads.definition import bead_positions, center_weights, side_chain_weights
from latcpb_cli.com_beads.observed import ObservedBeads
from latcpb_cli.geometry.codec import place_side_chains
from latcpb_cli.sidechains.bead_evidence import _bead_slope, condition_on_beads


def beads_of(chain, chi: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Centres of the residues of the chain with other chi angles."""
    backbone = list(chain.decoded.atoms[:, :GAMMA_SLOT].unbind(1))
    slots = place_side_chains(backbone, chain.decoded.internal.with_chi(chi), chain.types)
    return bead_positions(torch.stack([*slots, slots[CA_SLOT]], dim=1), weights)


@pytest.fixture(params=["residue", "side chain"])
def weights(chain, request) -> torch.Tensor:
    table = center_weights() if request.param == "residue" else side_chain_weights("mass")
    return torch.from_numpy(table).float()[chain.types]


def observed(positions: torch.Tensor, weights: torch.Tensor) -> ObservedBeads:
    return ObservedBeads(positions, weights, torch.full_like(positions[:, 0], 0.1))


@pytest.fixture
def std(chain) -> torch.Tensor:
    return torch.full((len(chain.types), 4), 0.2)


def test_the_rotamer_of_a_bead_becomes_probable(chain, std, weights) -> None:
    rotamers = chain.decoded.rotamers
    rank = rotamers.logits.topk(3, dim=-1).indices[:, 2]
    beads = beads_of(chain, rotamers.select_chi(rank), weights)
    before, after = (
        x.logits.log_softmax(-1)
        for x in (rotamers, condition_on_beads(chain.decoded, chain.types, observed(beads, weights), std))
    )
    rows = torch.nonzero(rotamers.logits[torch.arange(len(rank)), rank] > -100).squeeze(1)
    gain = (after - before)[rows, rank[rows]]
    assert len(rows) > 10 and (gain > 0).float().mean() > 0.9
    assert torch.exp(after[rows, rank[rows]]).median() > 2 * torch.exp(before[rows, rank[rows]]).median()


def test_chi_angles_turn_towards_the_bead(chain, std, weights) -> None:
    rotamers = chain.decoded.rotamers
    top = rotamers.logits.argmax(-1)
    beads = beads_of(chain, rotamers.select_chi(top) + 0.25, weights)
    turned = condition_on_beads(chain.decoded, chain.types, observed(beads, weights), std).select_chi(top)
    before, after = (
        (beads_of(chain, chi, weights) - beads).norm(dim=-1) for chi in (rotamers.select_chi(top), turned)
    )
    has_chi = torch.from_numpy(chi_mask())[chain.types].any(-1)
    assert after[has_chi].mean() < 0.5 * before[has_chi].mean()


def test_residues_without_a_bead_keep_their_rotamers(chain, std, weights) -> None:
    beads = beads_of(
        chain, chain.decoded.rotamers.select_chi(chain.decoded.rotamers.logits.argmax(-1)), weights
    )
    beads[::2] = float("nan")
    rotamers = condition_on_beads(chain.decoded, chain.types, observed(beads, weights), std)
    assert torch.equal(rotamers.logits[::2], chain.decoded.rotamers.logits[::2])
    assert torch.equal(rotamers.chi[::2], chain.decoded.rotamers.chi[::2])


def test_a_sample_keeps_what_the_bead_does_not_see(chain, std, weights) -> None:
    """Of the deviations of a sample, those that move the bead are taken back, mostly."""
    generator = torch.Generator().manual_seed(0)
    offset = std * torch.randn(std.shape, generator=generator)
    top = chain.decoded.rotamers.logits.argmax(-1)
    mean = chain.decoded.rotamers.select_chi(top)
    beads = beads_of(chain, mean, weights)
    sampled = condition_on_beads(
        chain.decoded, chain.types, observed(beads, weights), std, offset
    ).select_chi(top)
    free, bound = ((beads_of(chain, chi, weights) - beads).norm(dim=-1) for chi in (mean + offset, sampled))
    assert bound.mean() < 0.6 * free.mean()


def test_the_slope_is_that_of_finite_differences(chain, weights) -> None:
    mean = chain.decoded.rotamers.select_chi(chain.decoded.rotamers.logits.argmax(-1))
    backbone = list(chain.decoded.atoms[:, :GAMMA_SLOT].unbind(1))
    built = place_side_chains(backbone, chain.decoded.internal.with_chi(mean), chain.types)
    slope = _bead_slope(torch.stack([*built, built[CA_SLOT]], dim=1), chain.types, weights)
    plain = beads_of(chain, mean, weights)
    for chi in range(4):
        step = torch.zeros_like(mean)
        step[:, chi] = 1e-2
        difference = (beads_of(chain, mean + step, weights) - plain) / 1e-2
        rows = torch.from_numpy(chi_mask())[chain.types, chi] & (chain.types != 14)  # proline closes its ring
        torch.testing.assert_close(slope[rows, chi], difference[rows], atol=2e-2, rtol=0.05)
