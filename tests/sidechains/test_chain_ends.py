"""N of a first residue and C of a last one turn to where the bead of the side chain is likely."""

from __future__ import annotations

import pytest
import torch

from latcpb_cli.chem.residues import C_SLOT, CA_SLOT, CB_SLOT, GAMMA_SLOT, N_SLOT, O_SLOT, OXT_SLOT
from latcpb_cli.com_beads.definition import bead_positions, side_chain_weights
from latcpb_cli.com_beads.observed import ObservedBeads
from latcpb_cli.geometry.codec import place_side_chains
from latcpb_cli.sidechains.chain_ends import _turn, turn_chain_ends

ENDS = [0, -1]


@pytest.fixture
def std(chain) -> torch.Tensor:
    return torch.full((len(chain.types), 4), 0.2)


def turned_ends(chain, angle: float) -> torch.Tensor:
    """Atoms of the chain with its two ends turned, and side chains in their most probable rotamers."""
    atoms, decoded = chain.decoded.atoms.clone(), chain.decoded
    is_first = torch.tensor([True, False])
    atoms[ENDS] = _turn(atoms[ENDS], torch.full((2,), angle), chain.types[ENDS], is_first)
    chi = decoded.rotamers.select_chi(decoded.rotamers.logits.argmax(-1))
    slots = place_side_chains(
        list(atoms[:, :GAMMA_SLOT].unbind(1)), decoded.internal.with_chi(chi), chain.types
    )
    return torch.stack([*slots, atoms[:, -1]], dim=1)


def observed(chain, atoms: torch.Tensor) -> ObservedBeads:
    weights = torch.from_numpy(side_chain_weights("mass")).float()[chain.types]
    beads = bead_positions(atoms, weights)
    return ObservedBeads(beads, weights, torch.full_like(beads[:, 0], 0.15))


def test_ends_turn_to_their_beads(chain, std) -> None:
    truth = turned_ends(chain, 2.5)
    built = turn_chain_ends(chain.decoded, chain.graph, observed(chain, truth), std).atoms
    before, after = (
        (x[ENDS, CB_SLOT] - truth[ENDS, CB_SLOT]).norm(dim=-1) for x in (chain.decoded.atoms, built)
    )
    assert (before > 2.0).all() and (after < 0.7 * before).all() and after.min() < 0.3
    assert torch.equal(built[1:-1], chain.decoded.atoms[1:-1])
    assert torch.equal(built[:, CA_SLOT], chain.decoded.atoms[:, CA_SLOT])


def test_bonds_and_angles_of_the_ends_are_kept(chain, std) -> None:
    built = turn_chain_ends(chain.decoded, chain.graph, observed(chain, turned_ends(chain, 2.5)), std).atoms
    for first, second in (
        (N_SLOT, CA_SLOT),
        (CA_SLOT, C_SLOT),
        (N_SLOT, C_SLOT),
        (C_SLOT, O_SLOT),
        (CA_SLOT, OXT_SLOT),
    ):
        old, new = ((x[:, first] - x[:, second]).norm(dim=-1) for x in (chain.decoded.atoms, built))
        torch.testing.assert_close(new, old, atol=1e-4, rtol=0)
    ca = built[:, CA_SLOT]
    n, c, cb = (built[:, slot] - ca for slot in (N_SLOT, C_SLOT, CB_SLOT))
    chiral = chain.types != 7  # glycine has no CB
    assert ((torch.linalg.cross(n, c) * cb).sum(-1)[chiral] > 0).all()


@pytest.mark.parametrize("missing", ["bead", "weights of the side chain alone"])
def test_without_beads_of_side_chains_nothing_turns(chain, std, missing) -> None:
    beads = observed(chain, turned_ends(chain, 2.5))
    if missing == "bead":
        beads.positions[ENDS] = float("nan")
    else:
        beads.weights[:, CA_SLOT] = 0.1
    assert turn_chain_ends(chain.decoded, chain.graph, beads, std) is chain.decoded
