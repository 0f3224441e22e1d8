"""Strain of backbones: bent angles, and the weight of the Ramachandran energy."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from crowds import crowded, torsion_structures

from latcpb_cli.chem.reference import peptide_reference
from latcpb_cli.chem.residues import C_SLOT, CA_SLOT, N_SLOT, slot_of
from latcpb_cli.geometry.vectors import LANES
from latcpb_cli.relax.strain import BackboneStrain
from latcpb_cli.relax.structures import TorsionStructures

CD_SLOT = slot_of("PRO", "CD")


def strain_gradient(structures: TorsionStructures) -> tuple[torch.Tensor, torch.Tensor]:
    """Gradient (L, 15, 3) and stiffness (L, 15) of the strain of structures, which are padded for it."""
    padded = structures.padded()
    atoms = padded.atoms.permute(2, 1, 0).contiguous()
    gradient, stiffness = torch.zeros_like(atoms), torch.zeros_like(atoms[0])
    BackboneStrain.from_structures(padded).add_gradient(atoms, gradient, stiffness)
    return gradient.permute(2, 1, 0)[: len(structures)], stiffness.T[: len(structures)]


def without_ramachandran(sequence: str) -> TorsionStructures:
    structures = torsion_structures(crowded(0, sequence))
    return replace(structures, ramachandran_weight=torch.zeros(len(structures)))


def test_residues_with_one_peptide_have_no_strain() -> None:
    """In a dipeptide they are all; the same residues inside a chain are strained."""
    gradient, stiffness = strain_gradient(torsion_structures(crowded(0, "AA")))
    assert (gradient == 0).all()
    assert (stiffness == 0).all()
    gradient, stiffness = strain_gradient(torsion_structures(crowded(0, "AAAA")))
    assert (gradient[1:3, [N_SLOT, C_SLOT]] != 0).any()
    assert (stiffness[1:3, [N_SLOT, C_SLOT]] > 0).all()
    assert (stiffness[[0, 3]] == 0).all()


def test_a_step_against_the_gradient_unbends_an_angle() -> None:
    structures = without_ramachandran("AAA")
    n, ca, c = (structures.atoms[1, slot].clone() for slot in (N_SLOT, CA_SLOT, C_SLOT))
    structures.atoms[1, C_SLOT] = ca + 1.5 * torch.nn.functional.normalize(c + 0.8 * (n - ca) - ca, dim=0)

    def bend(atoms: torch.Tensor) -> float:
        arms = atoms[1, N_SLOT] - atoms[1, CA_SLOT], atoms[1, C_SLOT] - atoms[1, CA_SLOT]
        return abs(float(torch.rad2deg(torch.acos(torch.cosine_similarity(*arms, dim=0)))) - 111.0)

    gradient, _ = strain_gradient(structures)
    assert bend(structures.atoms) > 10.0
    assert bend(structures.atoms - 1e-3 * gradient) < bend(structures.atoms)
    assert (gradient[[0, 2]] == 0).all()


def test_prolines_are_bent_back() -> None:
    """C-N-CD, with C of the residue before; glycine in its place has no such angle."""
    structures = without_ramachandran("AAPAA")
    gradient, stiffness = strain_gradient(structures)
    c, n, cd = structures.atoms[1, C_SLOT], structures.atoms[2, N_SLOT], structures.atoms[2, CD_SLOT]
    angle = torch.acos(torch.cosine_similarity(c - n, cd - n, dim=0))
    away = cd - c  # opens the angle
    is_wide = bool(angle > peptide_reference()["PRO C-N-CD"])
    assert (gradient[2, CD_SLOT] != 0).any()
    assert bool((gradient[2, CD_SLOT] * away).sum() > 0) == is_wide
    assert stiffness[1, C_SLOT] > 0
    assert (strain_gradient(without_ramachandran("AAGAA"))[0][:, CD_SLOT] == 0).all()


def test_the_ramachandran_weight_scales_the_gradient_of_inner_residues() -> None:
    built = torsion_structures(crowded(0, "AAAAAAAA"))
    weight = torch.tensor([0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0])
    strains = [BackboneStrain.from_structures(replace(built, ramachandran_weight=w)) for w in (None, weight)]
    assert strains[0].ramachandran_weight.tolist() == [0.0, *6 * [1.0], 0.0]
    assert strains[1].ramachandran_weight.tolist() == [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0]
    full, partial = (strain_gradient(replace(built, ramachandran_weight=w))[0] for w in (None, weight))
    differ = (full != partial).flatten(1).any(1)
    assert differ[[1, 2, 3]].all()
    assert not differ[5:].any()


@pytest.mark.parametrize("length", [LANES - 2, LANES - 1, LANES])
def test_the_last_residue_has_no_strain_whatever_the_padding(length: int) -> None:
    gradient, stiffness = strain_gradient(torsion_structures(crowded(0, "AAP" + "A" * (length - 3))))
    assert (gradient[2] != 0).any()
    assert (gradient[-1, C_SLOT] == 0).all()
    assert (stiffness[-1] == 0).all()
