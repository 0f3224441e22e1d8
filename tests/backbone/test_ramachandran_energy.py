"""The Ramachandran energy: where it vanishes, where its gradient leads, and that both agree."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import distance_transform_edt

from latcpb_cli.backbone.ramachandran_energy import _distances, ramachandran_energy, ramachandran_gradient
from latcpb_cli.chem.ramachandran import MAP_BINS, RESIDUE_CLASSES, ramachandran_maps


@pytest.mark.parametrize(
    ("name", "phi", "psi", "is_favoured"),
    [
        ("general", -63, -43, True),
        ("general", -120, 130, True),
        ("general", 60, -120, False),
        ("glycine", 80, 10, True),
        ("proline", -65, 145, True),
        ("proline", -120, 145, False),
    ],
)
def test_favoured_regions_have_no_energy(name: str, phi: float, psi: float, is_favoured: bool) -> None:
    classes = torch.tensor([RESIDUE_CLASSES.index(name)])
    torsions = [torch.tensor([math.radians(x)]) for x in (phi, psi)]
    assert bool((ramachandran_gradient(classes, *torsions) == 0).all()) == is_favoured
    assert bool((ramachandran_energy(classes, *torsions) == 0).all()) == is_favoured


def test_descent_leads_into_the_favoured_region() -> None:
    """Small steps from just outside the region of helices end inside it."""
    classes = torch.tensor([RESIDUE_CLASSES.index("general")])
    point = torch.tensor([[math.radians(-63)], [math.radians(-5)]])
    assert (ramachandran_gradient(classes, *point) != 0).any()
    for _ in range(300):
        point = point - 0.01 * ramachandran_gradient(classes, *point)
    assert (ramachandran_gradient(classes, *point).abs() < 0.2).all()
    assert math.radians(-5) > point[1] > math.radians(-40)


def test_the_gradient_is_that_of_the_energy() -> None:
    """Up to its smoothing within a bin of four degrees."""
    generator = torch.Generator().manual_seed(2)
    phi, psi = (2 * math.pi * torch.rand(2, 200, generator=generator) - math.pi).requires_grad_()
    classes = torch.randint(len(RESIDUE_CLASSES), (200,), generator=generator)
    expected = torch.stack(torch.autograd.grad(ramachandran_energy(classes, phi, psi).sum(), (phi, psi)))
    assert expected.abs().mean() > 0.5
    assert (expected - ramachandran_gradient(classes, phi.detach(), psi.detach())).abs().mean() < 0.1


def test_the_energy_is_periodic() -> None:
    classes = torch.zeros(50, dtype=torch.int64)
    psi = torch.linspace(-3.1, 3.1, 50)
    low, high = (
        ramachandran_energy(classes, torch.full((50,), phi), psi) for phi in (-math.pi + 1e-4, math.pi - 1e-4)
    )
    assert torch.allclose(low, high, atol=1e-2)


def test_usual_angles_have_less_energy_than_others_of_their_region() -> None:
    classes = torch.zeros(2, dtype=torch.long)
    phi, psi = (torch.deg2rad(torch.tensor(angles)) for angles in ([-63.0, -100.0], [-43.0, -10.0]))
    assert bool((ramachandran_energy(classes, phi, psi) == 0).all())
    usual, unusual = ramachandran_energy(classes, phi, psi, score_weight=0.5)
    assert 0 <= usual < unusual


def test_distances_are_those_of_scipy_in_a_map_that_repeats_itself() -> None:
    regions = ramachandran_maps() == 2
    for region, distances in zip(regions, _distances(regions), strict=True):
        expected = distance_transform_edt(~np.tile(region, (3, 3)))
        assert np.array_equal(distances, expected[MAP_BINS:-MAP_BINS, MAP_BINS:-MAP_BINS])
