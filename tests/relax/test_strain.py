"""BackboneStrain of backbones: angles and regions."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from crowds import crowded, draft

from latcpb_cli.backbone.ramachandran_energy import region_energy, region_slopes
from latcpb_cli.chem.ramachandran import CLASSES
from latcpb_cli.chem.residues import LETTERS
from latcpb_cli.geometry.vectors import torsion_vector
from latcpb_cli.relax.strain import BackboneStrain, _angle, _torsion


def test_torsion_and_its_slopes() -> None:
    generator = torch.Generator().manual_seed(0)
    points = [torch.randn(3, 9, generator=generator, dtype=torch.float64).requires_grad_() for _ in range(4)]
    value, *slopes = _torsion(*points)
    vector = torsion_vector(*(point.T for point in points))
    assert torch.allclose(value, torch.atan2(vector[:, 1], vector[:, 0]), atol=1e-6)
    for slope, expected in zip(slopes, torch.autograd.grad(value.sum(), points), strict=True):
        assert torch.allclose(slope, expected, atol=1e-3)


def test_angle_and_its_slopes() -> None:
    generator = torch.Generator().manual_seed(1)
    arms = [torch.randn(3, 9, generator=generator, dtype=torch.float64).requires_grad_() for _ in range(2)]
    value, *slopes = _angle(*arms)
    for slope, expected in zip(slopes, torch.autograd.grad(value.sum(), arms), strict=True):
        assert torch.allclose(slope, expected, atol=1e-6)


@pytest.mark.parametrize(
    "name, phi, psi, pulls",
    [
        ("general", -63, -43, False),
        ("general", -120, 130, False),
        ("general", 60, -120, True),
        ("glycine", 80, 10, False),
        ("proline", -65, 145, False),
        ("proline", -120, 145, True),
    ],
)
def test_favoured_regions_do_not_pull_and_others_do(name: str, phi: float, psi: float, pulls: bool) -> None:
    region = torch.tensor([CLASSES.index(name)])
    angles = (torch.tensor([math.radians(x)]) for x in (phi, psi))
    assert bool((region_slopes(region, *angles) != 0).any()) == pulls


def test_the_pull_leads_to_the_favoured_region() -> None:
    """Small steps down the slopes from just outside the helix end inside of it."""
    region = torch.tensor([CLASSES.index("general")])
    point = torch.tensor([[math.radians(-63)], [math.radians(-5)]])
    assert (region_slopes(region, *point) != 0).any()
    for _ in range(300):
        point = point - 0.01 * region_slopes(region, *point)
    assert (region_slopes(region, *point).abs() < 0.2).all()
    assert math.radians(-5) > point[1] > math.radians(-40)


def test_chain_ends_are_not_strained() -> None:
    """They have one peptide each, so nothing that strain looks at."""
    chain = draft(crowded(0, "AA"))
    columns = chain.atoms.permute(2, 1, 0).contiguous()
    slopes, stiff = torch.zeros_like(columns), torch.zeros_like(columns[0])
    BackboneStrain.of(chain).push(columns, slopes, stiff)
    assert (slopes == 0).all()
    assert (stiff == 0).all()
    assert LETTERS[chain.types[0]] == "A"


def test_regions_pull_as_much_as_a_draft_says() -> None:
    built = draft(crowded(0, "AAAAAAAA"))
    drawn = torch.tensor([0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0])
    strains = [BackboneStrain.of(replace(built, drawn=each)) for each in (None, drawn)]
    assert strains[0].drawn.tolist() == [0.0, *6 * [1.0], 0.0]
    assert strains[1].drawn.tolist() == [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0]
    columns = built.atoms.permute(2, 1, 0).contiguous()
    slopes = [torch.zeros_like(columns) for _ in strains]
    for strain, slope in zip(strains, slopes, strict=True):
        strain.push(columns, slope, torch.zeros_like(columns[0]))
    differ = (slopes[0] != slopes[1]).any(0).any(0)
    assert differ[[1, 2, 3]].all()
    assert not differ[5:].any()


def test_slopes_are_those_of_the_energy() -> None:
    generator = torch.Generator().manual_seed(2)
    phi, psi = (2 * math.pi * torch.rand(2, 200, generator=generator) - math.pi).requires_grad_()
    region = torch.randint(len(CLASSES), (200,), generator=generator)
    slopes = torch.stack(torch.autograd.grad(region_energy(region, phi, psi).sum(), (phi, psi)))
    assert (slopes - region_slopes(region, phi.detach(), psi.detach())).abs().mean() < 0.1
