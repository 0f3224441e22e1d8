"""Overlapping side chains get the state that fits."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from crowds import crowded, torsion_structures

from latcpb_cli.chem.residues import CA_SLOT, GLY, OXT_SLOT
from latcpb_cli.geometry.codec import decode
from latcpb_cli.relax.reselect import reselect
from latcpb_cli.relax.structures import RotamerChoices, TorsionStructures

CHI = torch.deg2rad(torch.tensor([[60.0, 90, 0, 0], [180, 90, 0, 0], [-60, 90, 0, 0]]))
PHE_ROW, BLOCKER = 2, 5
RING = slice(5, 11)


def blocked(state: int, image: torch.Tensor | None = None) -> TorsionStructures:
    """A phenylalanine in one of three equally probable states, with all atoms of a glycine in its ring."""
    structures = torsion_structures(crowded(0, "AAFAAG"))
    chi = torch.zeros(len(structures), 4)
    chi[PHE_ROW] = CHI[state]
    internal = structures.internal.with_chi(chi)
    atoms = decode(internal, structures.ca, structures.types, structures.linked)
    atoms[BLOCKER] = atoms[PHE_ROW, RING].mean(0)
    cells = None
    if image is not None:
        atoms[BLOCKER] += image
        cells = torch.diag(image.double() + 60.0 * (image == 0))[None]
    return replace(
        structures,
        atoms=atoms,
        internal=internal,
        ca=torch.cat([structures.ca[:BLOCKER], atoms[BLOCKER:, CA_SLOT]]),
        linked=structures.linked & (torch.arange(len(structures)) < BLOCKER - 1),
        cells=cells,
        choices=RotamerChoices(torch.zeros(len(structures), 3), CHI.expand(len(structures), 3, 4)),
    )


def only(row: int, structures: TorsionStructures) -> torch.Tensor:
    """Mask of one residue."""
    return torch.arange(len(structures)) == row


def ring_distance(structures: TorsionStructures, image: torch.Tensor | float = 0.0) -> float:
    blocker = structures.atoms[BLOCKER, CA_SLOT] - image
    return float((structures.atoms[PHE_ROW, RING] - blocker).norm(dim=-1).min())


@pytest.mark.parametrize("state", range(3))
@pytest.mark.parametrize("image", [None, torch.tensor([50.0, 0.0, 0.0])])
def test_a_blocked_ring_gets_another_state(state: int, image: torch.Tensor | None) -> None:
    structures = blocked(state, image)
    shift = 0.0 if image is None else image
    assert ring_distance(structures, shift) < 1.5
    moved = reselect(structures, only(PHE_ROW, structures))
    assert ring_distance(moved, shift) > 3.0
    decoded = decode(moved.internal, moved.ca, moved.types, moved.linked)
    assert (decoded - moved.atoms)[PHE_ROW].abs().max() < 1e-3
    others = ~only(PHE_ROW, structures)
    assert torch.equal(moved.atoms[others], structures.atoms[others])
    assert torch.equal(moved.atoms[:, : RING.start], structures.atoms[:, : RING.start])


def test_residues_without_overlap_or_choices_are_unchanged() -> None:
    structures = blocked(0)
    none = torch.zeros(len(structures), dtype=torch.bool)
    assert torch.equal(reselect(structures, none).atoms, structures.atoms)
    without = replace(structures, choices=None)
    assert torch.equal(reselect(without, only(PHE_ROW, structures)).atoms, structures.atoms)
    assert structures.types[BLOCKER] == GLY
    assert torch.equal(reselect(structures, only(BLOCKER, structures)).atoms, structures.atoms)


def test_a_residue_at_a_cut_has_no_oxt_that_blocks() -> None:
    structures, end = blocked(0), BLOCKER - 1
    structures.atoms[BLOCKER] += 100.0
    structures.atoms[end, OXT_SLOT] = structures.atoms[PHE_ROW, RING].mean(0)
    cut = replace(structures, is_cut=only(end, structures))
    for each, moves in ((structures, True), (cut, False)):
        moved = reselect(each, only(PHE_ROW, structures)).atoms
        assert torch.equal(moved, structures.atoms) is not moves


def test_a_state_that_fits_is_kept() -> None:
    """The others are less probable, and nothing overlaps."""
    structures = blocked(0)
    structures.atoms[BLOCKER] += 100.0
    choices = structures.choices
    structures = replace(structures, choices=RotamerChoices(choices.log_prob - 1.0, choices.chi))
    assert torch.equal(reselect(structures, only(PHE_ROW, structures)).atoms, structures.atoms)
