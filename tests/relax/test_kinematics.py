"""Torsion kinematics: positions at rest, and joint gradients against automatic differentiation."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from crowds import concatenated, crowded, present
from rings import ca_ring

from latcpb_cli.chem.residues import C_SLOT, CA_SLOT, letter_index, slot_mask
from latcpb_cli.geometry.codec import InternalCoordinates, decode
from latcpb_cli.geometry.links import ChainOrder
from latcpb_cli.geometry.vectors import LANES
from latcpb_cli.relax.kinematics import CHI_JOINTS, ROTATION_JOINT, TWIST_JOINT, TorsionKinematics
from latcpb_cli.relax.structures import TorsionStructures


def double_kinematics(*, fixed_backbone: bool = False) -> tuple[TorsionKinematics, torch.Tensor]:
    """Kinematics of two chains in 64 bits, and which slots hold an atom, (15, L)."""
    atoms, internal, graph, sizes = concatenated(crowded(0), crowded(1, "PWA"))
    internal = InternalCoordinates(*(part.double() for part in vars(internal).values()))
    ca = graph.ca.double()
    atoms = decode(internal, ca, graph.types, graph.linked)
    structures = TorsionStructures(
        atoms, internal, graph.types, ca, graph.linked, sizes, fixed_backbone=fixed_backbone
    )
    return TorsionKinematics.from_structures(structures), present(structures).T


def test_zero_angles_give_the_start() -> None:
    kinematics, mask = double_kinematics()
    atoms = kinematics.pose(torch.zeros_like(kinematics.joint_mask)).atoms
    # Not to the last digit: proline's ring and chain ends are decoded by other formulas.
    assert (atoms - kinematics.start.atoms).norm(dim=0)[mask].max() < 1e-4


def numerical_gradient(
    kinematics: TorsionKinematics, weights: torch.Tensor, angles: torch.Tensor
) -> torch.Tensor:
    """Derivatives by all angles of the weighted sum of all coordinates, from small steps to either side."""
    gradient, step = torch.zeros_like(angles), 1e-5
    for row, residue in np.ndindex(*angles.shape):
        turned = angles.clone()
        turned[row, residue] += step
        above = (weights * kinematics.pose(turned).atoms).sum()
        turned[row, residue] -= 2 * step
        gradient[row, residue] = (above - (weights * kinematics.pose(turned).atoms).sum()) / (2 * step)
    return gradient


@pytest.mark.parametrize("fixed_backbone", [False, True])
def test_joint_gradients_equal_differences_of_the_energy(fixed_backbone: bool) -> None:
    kinematics, mask = double_kinematics(fixed_backbone=fixed_backbone)
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(kinematics.start.atoms.shape, generator=generator, dtype=torch.float64) * mask
    angles = torch.randn(kinematics.joint_mask.shape, generator=generator, dtype=torch.float64)
    angles = 0.3 * angles * kinematics.joint_mask
    angles[TWIST_JOINT] *= 0.5
    pose, expected = kinematics.pose(angles), numerical_gradient(kinematics, weights, angles)
    gradient, _ = kinematics.joint_gradient(pose, weights, torch.ones_like(weights[0]))
    assert torch.allclose(gradient, expected * kinematics.joint_mask, atol=1e-5)
    assert expected.abs().max() > 1.0
    assert bool(gradient[[ROTATION_JOINT, TWIST_JOINT]].any()) != fixed_backbone


def test_chi_stiffness_is_the_second_derivative_of_a_harmonic_energy() -> None:
    """The energy is half the squared distance of all atoms from where they are."""
    kinematics, mask = double_kinematics()
    zero = torch.zeros_like(kinematics.joint_mask)
    pose = kinematics.pose(zero)
    start = pose.atoms
    _, stiffness = kinematics.joint_gradient(pose, torch.zeros_like(start), mask.double())
    step = 1e-3
    for row in range(len(zero))[CHI_JOINTS]:
        angles = zero.clone()
        angles[row] = step * kinematics.joint_mask[row]
        moved = (kinematics.pose(angles).atoms - start) * mask
        expected = (moved**2).sum((0, 1)) / step**2
        assert torch.allclose(stiffness[row], expected, rtol=1e-3, atol=1e-6)


def test_moved_residues_are_those_with_moved_atoms() -> None:
    kinematics, _ = double_kinematics()
    start = kinematics.pose(torch.zeros_like(kinematics.joint_mask)).atoms
    for row, residue in ((ROTATION_JOINT, 3), (TWIST_JOINT, 5), (CHI_JOINTS.start, 2)):
        angles = torch.zeros_like(kinematics.joint_mask)
        angles[row, residue] = 0.2
        moved = (kinematics.pose(angles).atoms - start).abs().amax((0, 1)) > 1e-9
        assert moved.any()
        assert torch.equal(kinematics.moved_residues(angles), moved)


def test_proline_rings_and_chain_ends_have_no_joints() -> None:
    kinematics, _ = double_kinematics()
    assert kinematics.start.frame.is_proline.any()
    assert (kinematics.joint_mask[CHI_JOINTS, kinematics.start.frame.is_proline] == 0).all()
    assert kinematics.peptides is not None
    slots, residues = np.divmod(kinematics.peptides.end_rows.numpy(), kinematics.joint_mask.shape[1])
    last = residues[slots == C_SLOT]
    assert len(last) == 2
    assert (kinematics.joint_mask[: CHI_JOINTS.start, last] == 0).all()


def test_the_list_of_chain_ends_is_filled_up_with_atoms_that_stay() -> None:
    """The last digits of an atom must not depend on where in a vector of the processor it is."""
    kinematics, _ = double_kinematics()
    peptides, length = kinematics.peptides, kinematics.joint_mask.shape[1]
    assert peptides is not None
    assert len(peptides.end_rows) % LANES == 0
    fill = peptides.end_rows // length == CA_SLOT
    assert (~fill).sum() == 8  # N, C, O and OXT of two chains
    for part in peptides.ends:
        assert (part[:, fill] == 0).all()


def test_joint_gradients_of_a_ring_equal_differences_of_the_energy() -> None:
    following = np.roll(np.arange(14), -1)
    order, linked = ChainOrder.from_next(following, "cpu"), torch.ones(14, dtype=torch.bool)
    types, ca = torch.from_numpy(letter_index("GRCTKSIPPICFAD")), torch.from_numpy(ca_ring(14))
    generator = torch.Generator().manual_seed(1)
    torsions = torch.randn(14, 8, 2, generator=generator, dtype=torch.float64)
    torsions = torsions / torsions.norm(dim=-1, keepdim=True)
    internal = InternalCoordinates(torsions, torch.zeros(14).double(), torch.zeros(14, 4).double())
    atoms = decode(internal, ca, types, linked, order)
    structures = TorsionStructures(atoms, internal, types, ca, linked, [14], order=order).padded()
    kinematics = TorsionKinematics.from_structures(structures)
    weights = torch.randn(kinematics.start.atoms.shape, generator=generator, dtype=torch.float64)
    weights[:, :, 14:] = 0.0
    weights *= torch.from_numpy(slot_mask())[structures.types].T
    angles = 0.2 * torch.randn(kinematics.joint_mask.shape, generator=generator, dtype=torch.float64)
    angles = angles * kinematics.joint_mask
    pose, expected = kinematics.pose(angles), numerical_gradient(kinematics, weights, angles)
    gradient, _ = kinematics.joint_gradient(pose, weights, torch.ones_like(weights[0]))
    assert torch.allclose(gradient[:, :14], (expected * kinematics.joint_mask)[:, :14], atol=1e-5)
    assert expected[ROTATION_JOINT, 13].abs() > 0.1
    assert (kinematics.start.atoms[..., :14].permute(2, 1, 0) - atoms).abs().max() == 0
