"""Relaxation holds centres of atoms near the beads of the input."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from crowds import crowded, torsion_structures

from latcpb_cli.com_beads.definition import bead_positions, side_chain_weights
from latcpb_cli.com_beads.observed import ObservedBeads
from latcpb_cli.relax.bead_restraints import BeadRestraints
from latcpb_cli.relax.relief import relieve_overlaps
from latcpb_cli.relax.structures import TorsionStructures


def observed(structures: TorsionStructures, std: float = 0.15) -> ObservedBeads:
    """The beads of structures as they are."""
    weights = torch.from_numpy(side_chain_weights("mass")).float()[structures.types]
    beads = bead_positions(structures.atoms, weights)
    return ObservedBeads(beads, weights, torch.full_like(beads[:, 0], std))


def distance(structures: TorsionStructures, beads: ObservedBeads) -> torch.Tensor:
    known = beads.weights.sum(-1) > 0
    return (bead_positions(structures.atoms, beads.weights) - beads.positions)[known].norm(dim=-1)


@pytest.mark.parametrize(("std", "most"), [(0.15, 0.6), (1.5, 1.05)])
def test_beads_stay_nearer_the_surer_they_are(std: float, most: float) -> None:
    structures = torsion_structures(crowded(1))
    beads = observed(structures, std)
    free = distance(relieve_overlaps(structures), beads).mean()
    held = distance(relieve_overlaps(replace(structures, beads=beads)), beads).mean()
    assert held < most * free
    if std > 1:
        assert held > 0.95 * free


def test_the_gradient_is_that_of_the_energy() -> None:
    structures = torsion_structures(crowded(0))
    beads = observed(structures)
    beads.positions[3] = float("nan")
    restraints = BeadRestraints.from_beads(beads)
    atoms = structures.atoms.permute(2, 1, 0).contiguous() + 0.1
    gradient, stiffness = torch.zeros_like(atoms), torch.zeros_like(atoms[0])
    restraints.add_gradient(atoms, gradient, stiffness)
    assert not gradient[..., 3].any() and not stiffness[..., 3].any()
    row = 5
    step = (atoms[..., row] * restraints.weights[:, row]).sum(1) - restraints.target[:, row]
    expected = restraints.stiffness[row] * step[:, None] * restraints.weights[:, row]
    torch.testing.assert_close(gradient[..., row], expected)


def test_a_bead_far_away_pulls_no_harder() -> None:
    structures = torsion_structures(crowded(0))
    pulls = []
    for shift in (1.0, 30.0):
        beads = observed(structures)
        moved = ObservedBeads(beads.positions + torch.tensor([shift, 0.0, 0.0]), beads.weights, beads.std)
        atoms = structures.atoms.permute(2, 1, 0).contiguous()
        gradient, stiffness = torch.zeros_like(atoms), torch.zeros_like(atoms[0])
        BeadRestraints.from_beads(moved).add_gradient(atoms, gradient, stiffness)
        pulls.append(gradient)
    torch.testing.assert_close(*pulls, atol=1e-4, rtol=1e-4)


def test_beads_of_other_structures_make_no_difference() -> None:
    first, second = (torsion_structures(crowded(seed)) for seed in (0, 1))
    first, second = (replace(x, beads=observed(x)) for x in (first, second))
    both = relieve_overlaps(TorsionStructures.concatenate([first, second])).atoms
    torch.testing.assert_close(both[: len(first)], relieve_overlaps(first).atoms, atol=0, rtol=0)
