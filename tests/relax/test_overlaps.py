"""Which pairs of atoms repel each other, and the gradient of their energy."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from crowds import crowded, torsion_structures

from latcpb_cli.chem.residues import ATOM_SLOTS, CB_SLOT, slot_of
from latcpb_cli.relax.overlaps import OverlapPairs
from latcpb_cli.relax.structures import TorsionStructures

SG_SLOT = slot_of("CYS", "SG")


def vectors_first(atoms: torch.Tensor) -> torch.Tensor:
    return atoms.permute(2, 1, 0).contiguous()


def named_pairs(structures: TorsionStructures) -> set[frozenset[str]]:
    """Pairs as sets of names such as ``3:CB``."""
    length = len(structures)
    pairs = OverlapPairs.find(vectors_first(structures.atoms), structures, 1.0)

    def name(index: int) -> str:
        slot, residue = divmod(index, length)
        return f"{residue}:{(*ATOM_SLOTS[structures.types[residue]], *15 * ['OXT'])[slot]}"

    return {frozenset((name(int(a)), name(int(b)))) for a, b in zip(*pairs.ends, strict=True)}


def test_atoms_up_to_three_bonds_apart_do_not_repel() -> None:
    structures = torsion_structures(crowded(0, "AAA"))
    heap = torch.zeros_like(structures.atoms) + 0.01 * torch.arange(3)[:, None, None]
    pairs = named_pairs(replace(structures, atoms=heap))
    # N-CA-C-O; CB-CA-C-N across the peptide; C-N-CA-C.
    for excluded in (("0:N", "0:O"), ("0:CB", "1:N"), ("0:C", "1:C"), ("1:C", "2:N")):
        assert frozenset(excluded) not in pairs
    # Four bonds: O-C-N-CA-C.
    for included in (("0:O", "1:C"), ("0:CB", "1:CA"), ("0:C", "2:N"), ("0:N", "2:CA")):
        assert frozenset(included) in pairs


def test_structures_do_not_interact() -> None:
    pairs = named_pairs(torsion_structures(crowded(0, "AFA"), crowded(0, "AFA")))
    assert pairs
    for pair in pairs:
        assert len({int(name.partition(":")[0]) // 3 for name in pair}) == 1


def scattered_cysteines() -> TorsionStructures:
    """Four residues, two of them cysteines, 50 Å from each other."""
    structures = torsion_structures(crowded(0, "CGGC"))
    return replace(structures, atoms=structures.atoms + 50.0 * torch.arange(4)[:, None, None])


@pytest.mark.parametrize(("distance", "repel"), [(2.05, False), (1.7, True), (2.9, False)])
def test_disulfides_do_not_repel(distance: float, repel: bool) -> None:
    """Neither the two SG at bonding distance nor SG and CB do; nearer SG do."""
    structures = scattered_cysteines()
    first, second = structures.atoms[0], structures.atoms[3]
    origin, bond = torch.tensor([0.0, 500.0, 0.0]), torch.tensor([distance, 0.0, 0.0])
    first[SG_SLOT], first[CB_SLOT] = origin, origin + torch.tensor([-0.9, 1.6, 0.0])
    second[SG_SLOT], second[CB_SLOT] = origin + bond, origin + bond + torch.tensor([0.9, 1.6, 0.0])
    atoms = vectors_first(structures.atoms)
    gradient, _ = OverlapPairs.find(atoms, structures, 1.0).gradient(atoms)
    assert bool((gradient[:, SG_SLOT, [0, 3]] != 0).any()) == repel


def test_a_sulfur_on_the_carbon_of_another_cysteine_is_repelled() -> None:
    """Two cysteines on top of each other are no disulfide."""
    structures = scattered_cysteines()
    atoms, origin = structures.atoms, torch.tensor([0.0, 500.0, 0.0])
    atoms[0, SG_SLOT], atoms[0, CB_SLOT] = origin, origin + torch.tensor([0.0, 1.8, 0.0])
    atoms[3, SG_SLOT] = origin + torch.tensor([0.0, 2.4, 0.0])
    atoms[3, CB_SLOT] = origin + torch.tensor([0.9, 0.3, 0.0])
    atoms = vectors_first(atoms)
    gradient, _ = OverlapPairs.find(atoms, structures, 1.0).gradient(atoms)
    assert gradient[0, CB_SLOT, 3] < 0 < gradient[0, SG_SLOT, 0]


def test_the_gradient_is_that_of_squared_overlaps() -> None:
    structures = torsion_structures(crowded(0))
    atoms = vectors_first(structures.atoms.double()).requires_grad_()
    pairs = OverlapPairs.find(atoms.detach(), structures, 1.0)
    flat = atoms.flatten(1)
    distance = (flat[:, pairs.ends[0]] - flat[:, pairs.ends[1]]).norm(dim=0)
    energy = ((pairs.distance - distance).clamp(min=0.0) ** 2).sum()
    (expected,) = torch.autograd.grad(energy, atoms)
    gradient, stiffness = pairs.gradient(atoms.detach())
    assert distance.min() > 0.4
    assert torch.allclose(gradient, expected, atol=1e-9)
    assert (stiffness > 0).equal((expected != 0).any(0))


def test_overlap_depth_counts_each_pair_in_both_residues() -> None:
    structures = torsion_structures(crowded(0, "GGGGG"))
    atoms = structures.atoms + 50.0 * torch.arange(5)[:, None, None]
    atoms[4, 0] = atoms[0, 0] + torch.tensor([1.0, 0.0, 0.0])
    pairs = OverlapPairs.find(vectors_first(atoms), structures, 1.0)
    depth = pairs.overlap_depth(vectors_first(atoms), 1.2)
    # Two N repel each other below 2.6 Å.
    assert depth.tolist() == pytest.approx([0.4, 0.0, 0.0, 0.0, 0.4], abs=1e-5)
