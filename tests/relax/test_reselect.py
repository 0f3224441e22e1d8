"""Side chains in trouble get the state that fits."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from crowds import crowded, draft

from latcpb_cli.chem.residues import LETTERS
from latcpb_cli.geometry.codec import decode
from latcpb_cli.relax.reselect import reselect
from latcpb_cli.relax.structures import RotamerChoices, TorsionStructures

CHOICES = torch.deg2rad(torch.tensor([[60.0, 90, 0, 0], [180, 90, 0, 0], [-60, 90, 0, 0]]))
MIDDLE, BLOCKER = 2, 5


def blocked(state: int, image: torch.Tensor | None = None) -> TorsionStructures:
    """A phenylalanine in one of three states, equally probable, with a glycine's atoms put into its ring."""
    chain = draft(crowded(0, "AAFAAG"))
    chi = torch.zeros(len(chain), 4)
    chi[MIDDLE] = CHOICES[state]
    internal = chain.internal.turned(chi)
    atoms = decode(internal, chain.ca, chain.types, chain.linked)
    atoms[BLOCKER] = atoms[MIDDLE, 5:11].mean(0)
    cells = None
    if image is not None:
        atoms[BLOCKER] += image
        cells = torch.diag(image.double() + 60.0 * (image == 0))[None]
    choices = RotamerChoices(torch.zeros(len(chain), 3), CHOICES.expand(len(chain), 3, 4))
    ca = torch.cat([chain.ca[:BLOCKER], atoms[BLOCKER:, 1]])
    linked = chain.linked & (torch.arange(len(chain)) < BLOCKER - 1)
    return replace(chain, atoms=atoms, internal=internal, choices=choices, cells=cells, ca=ca, linked=linked)


def marks(chain: TorsionStructures) -> torch.Tensor:
    return torch.arange(len(chain)) == MIDDLE


def ring_distance(chain: TorsionStructures, image: torch.Tensor | float = 0.0) -> float:
    return float((chain.atoms[MIDDLE, 5:11] - (chain.atoms[BLOCKER, 1] - image)).norm(dim=-1).min())


@pytest.mark.parametrize("state", range(3))
@pytest.mark.parametrize("image", [None, torch.tensor([50.0, 0.0, 0.0])])
def test_a_blocked_ring_goes_to_another_state(state: int, image: torch.Tensor | None) -> None:
    chain = blocked(state, image)
    shift = 0.0 if image is None else image
    assert ring_distance(chain, shift) < 1.5
    moved = reselect(chain, marks(chain))
    assert ring_distance(moved, shift) > 3.0
    again = decode(moved.internal, moved.ca, moved.types, moved.linked)
    assert (again - moved.atoms)[MIDDLE].abs().max() < 1e-3
    others = ~marks(chain)
    assert torch.equal(moved.atoms[others], chain.atoms[others])
    assert torch.equal(moved.atoms[:, :5], chain.atoms[:, :5])


def test_what_is_not_in_trouble_or_has_no_choice_stays() -> None:
    chain = blocked(0)
    assert torch.equal(reselect(chain, torch.zeros(len(chain), dtype=torch.bool)).atoms, chain.atoms)
    assert torch.equal(reselect(replace(chain, choices=None), marks(chain)).atoms, chain.atoms)
    glycine = torch.arange(len(chain)) == BLOCKER
    assert LETTERS[chain.types[BLOCKER]] == "G"
    assert torch.equal(reselect(chain, glycine).atoms, chain.atoms)


def test_a_state_that_fits_is_kept() -> None:
    """Moving away costs probability, and gains nothing."""
    chain = blocked(0)
    chain.atoms[BLOCKER] += 100.0
    chain = replace(chain, choices=RotamerChoices(chain.choices.odds - 1.0, chain.choices.chi))
    assert torch.equal(reselect(chain, marks(chain)).atoms, chain.atoms)
