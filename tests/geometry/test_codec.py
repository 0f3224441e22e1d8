"""The codec: round trips, exact Cα, bond lengths, handedness, rotations, mirror images, ends and breaks."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from rings import ca_ring

from latcpb_cli.chem.ideal import peptide_shapes
from latcpb_cli.chem.residues import (
    ATOM_SLOTS,
    C_SLOT,
    CA_SLOT,
    CB_SLOT,
    GLY,
    LETTERS,
    N_SLOT,
    O_SLOT,
    OXT_SLOT,
    PRO,
    letter_index,
    slot_mask,
)
from latcpb_cli.chem.zmatrix import chi_mask
from latcpb_cli.geometry.codec import FIRST_CHI, N_TORSIONS, InternalCoordinates, decode, encode, torsion_mask
from latcpb_cli.geometry.links import ChainOrder
from latcpb_cli.geometry.peptide import is_cis_distance


def trace(length: int, seed: int = 0, step: float = 3.8) -> torch.Tensor:
    """A chain of Cα with protein-like angles and random dihedrals."""
    generator = torch.Generator().manual_seed(seed)
    points = [torch.tensor([0.0, 0.0, 0.0]), torch.tensor([step, 0.0, 0.0])]
    normal = torch.tensor([0.0, 1.0, 0.0])
    while len(points) < length:
        along = (points[-1] - points[-2]) / step
        turn = torch.rand(1, generator=generator).item() * 2 * math.pi
        bend = math.radians(60 + 30 * torch.rand(1, generator=generator).item())
        across = torch.linalg.cross(along, normal)
        across = across / across.norm()
        other = torch.linalg.cross(along, across)
        side = math.cos(turn) * across + math.sin(turn) * other
        points.append(points[-1] + step * (math.cos(bend) * along + math.sin(bend) * side))
        normal = torch.linalg.cross(along, side)
    return torch.stack(points[:length])


def random_internal(types: torch.Tensor, linked: torch.Tensor, seed: int = 0) -> InternalCoordinates:
    generator = torch.Generator().manual_seed(seed)
    angle = (torch.rand(len(types), N_TORSIONS, generator=generator) * 2 - 1) * math.pi
    # Only puckers close the ring of proline.
    angle[types == PRO, FIRST_CHI] *= 0.5 / math.pi
    angle[types == PRO, FIRST_CHI + 1] = -angle[types == PRO, FIRST_CHI]
    torsions = torch.stack([torch.cos(angle), torch.sin(angle)], dim=-1)
    torsions = torch.where(torsion_mask(types, linked)[..., None], torsions, torch.tensor([1.0, 0.0]))
    twist = 0.2 * torch.rand(len(types), generator=generator) * linked
    bends = 0.1 * (torch.rand(len(types), 4, generator=generator) - 0.5)
    return InternalCoordinates(torsions, twist, bends * torch.as_tensor(chi_mask())[types])


def chain(sequence: str, seed: int = 0, step: float = 3.8):
    types = torch.from_numpy(letter_index(sequence))
    linked = torch.ones(len(types), dtype=torch.bool)
    linked[-1] = False
    return trace(len(types), seed, step), types, linked


def present(types: torch.Tensor, linked: torch.Tensor) -> torch.Tensor:
    mask = torch.as_tensor(slot_mask())[types]
    mask[:, OXT_SLOT] = ~linked
    return mask


@settings(max_examples=25, deadline=None)
@given(st.text(LETTERS, min_size=3, max_size=40), st.integers(0, 1000))
def test_internal_to_cartesian_and_back(sequence: str, seed: int) -> None:
    ca, types, linked = chain(sequence, seed)
    internal = random_internal(types, linked, seed)
    atoms = decode(internal, ca, types, linked)
    encoded, measured = encode(atoms, present(types, linked), types, linked)
    assert torch.equal(measured, torsion_mask(types, linked))
    measured[types == PRO, FIRST_CHI:] = False  # closing the ring moves CD, so chi 2 is not free
    error = (encoded.torsions - internal.torsions).norm(dim=-1)[measured]
    assert error.max() < 5e-3
    assert (encoded.twist - internal.twist).abs()[linked].max() < 5e-3
    assert ((encoded.bends - internal.bends).abs() * measured[:, FIRST_CHI:]).max() < 5e-3


@settings(max_examples=25, deadline=None)
@given(st.text(LETTERS, min_size=1, max_size=30), st.integers(0, 1000), st.floats(3.5, 4.1))
def test_alpha_carbons_are_the_input_and_bonds_are_ideal(sequence: str, seed: int, step: float) -> None:
    ca, types, linked = chain(sequence, seed, step)
    atoms = decode(random_internal(types, linked, seed), ca, types, linked)
    assert torch.equal(atoms[:, CA_SLOT], ca)
    assert torch.isfinite(atoms).all()
    shape = peptide_shapes()[0]
    n, c, o = (atoms[:, slot] for slot in (N_SLOT, C_SLOT, O_SLOT))
    # Bonds between two Cα change by up to 3 % where the Cα are not at the distance of a peptide.
    strain = 0.03 if abs(step - shape.ca_ca) > 0.08 else 0.0
    for bond, ideal, tolerance in (
        (c[:-1] - n[1:], shape.c_n, strain),
        (n - ca, shape.n_ca, strain),
        (c - ca, shape.ca_c, strain),
        (o - c, shape.c_o, 0.0),
    ):
        length = bond.norm(dim=-1)
        assert torch.allclose(length, torch.full_like(length, ideal), atol=0.02 + tolerance * ideal)


@pytest.mark.parametrize("step, exact", [(3.75, True), (3.88, True), (3.6, False), (4.05, False)])
def test_bonds_are_strained_only_far_from_the_ideal_distance(step: float, exact: bool) -> None:
    ca, types, linked = chain("AAAAAA", 2, step)
    internal = InternalCoordinates(*(0.0 * part for part in vars(random_internal(types, linked)).values()))
    internal.torsions[..., 0] = 1.0
    atoms = decode(internal, ca, types, linked)
    shape = peptide_shapes()[0]
    c, next_n = atoms[:-1, C_SLOT], atoms[1:, N_SLOT]
    strain = (c - next_n).norm(dim=-1) / shape.c_n - 1.0
    bend = angle_of(atoms[:-1, CA_SLOT], c, next_n) - shape.ca_c_n
    if exact:
        assert strain.abs().max() < 1e-4
    else:
        assert 0.01 < (strain * (1 if step > 3.8 else -1)).min()
        assert strain.abs().max() < 0.0301
    assert bend.abs().max() < math.radians(10.0)


def angle_of(a: torch.Tensor, b: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
    u, v = (a - b, c - b)
    return torch.acos((u * v).sum(-1) / (u.norm(dim=-1) * v.norm(dim=-1)))


def ca_volumes(atoms: torch.Tensor, types: torch.Tensor) -> torch.Tensor:
    n, c, cb = (atoms[:, slot] - atoms[:, CA_SLOT] for slot in (N_SLOT, C_SLOT, CB_SLOT))
    volume = (torch.linalg.cross(n, c) * cb).sum(-1)
    return volume[types != GLY]


def test_every_residue_is_an_l_amino_acid_on_a_trace_and_on_its_mirror_image() -> None:
    ca, types, linked = chain(LETTERS * 2, 3)
    internal = random_internal(types, linked, 3)
    for points in (ca, ca * torch.tensor([1.0, 1.0, -1.0])):
        assert (ca_volumes(decode(internal, points, types, linked), types) > 1.0).all()


def test_threonine_and_isoleucine_have_the_right_handedness_at_cb() -> None:
    ca, types, linked = chain("TITITI", 1)
    atoms = decode(random_internal(types, linked, 1), ca, types, linked)
    for row, letter in enumerate("TITITI"):
        names = ATOM_SLOTS[LETTERS.index(letter)]
        first = "OG1" if letter == "T" else "CG1"
        cb = atoms[row, CB_SLOT]
        a, g1, g2 = (atoms[row, names.index(x)] - cb for x in ("CA", first, "CG2"))
        # The second branch stands at chi 1 - 120 degrees: counter-clockwise, seen from CA.
        assert (torch.linalg.cross(g1, g2) * a).sum() > 1.0


@pytest.mark.parametrize("sequence", ["AGLKWP", "PPGPY", "CCA"])
def test_rotating_and_moving_the_trace_rotates_and_moves_the_atoms(sequence: str) -> None:
    ca, types, linked = chain(sequence, 5)
    internal = random_internal(types, linked, 5)
    rotation = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(2)))[0]
    rotation = rotation * torch.linalg.det(rotation).sign()
    shift = torch.tensor([10.0, -20.0, 5.0])
    atoms = decode(internal, ca, types, linked) @ rotation.T + shift
    assert torch.allclose(decode(internal, ca @ rotation.T + shift, types, linked), atoms, atol=1e-3)


@pytest.mark.parametrize("sequence", ["W", "CC"])
def test_chains_too_short_to_define_a_direction_move_with_their_trace(sequence: str) -> None:
    ca, types, linked = chain(sequence, 5)
    internal = random_internal(types, linked, 5)
    shift = torch.tensor([10.0, -20.0, 5.0])
    atoms = decode(internal, ca, types, linked) + shift
    assert torch.allclose(decode(internal, ca + shift, types, linked), atoms, atol=1e-4)


@pytest.mark.parametrize("letter", list(LETTERS))
def test_single_residues_and_dipeptides_are_built(letter: str) -> None:
    for sequence in (letter, letter + "A", "A" + letter):
        ca, types, linked = chain(sequence)
        atoms = decode(random_internal(types, linked), ca, types, linked)
        mask = present(types, linked)
        distance = torch.cdist(atoms[mask], atoms[mask]) + 10 * torch.eye(int(mask.sum()))
        assert distance.min() > 1.1


def test_a_break_separates_the_residues_around_it() -> None:
    ca, types, linked = chain("AKLMFWGS", 4)
    far = ca.clone()
    far[4:] += 30.0
    cut = linked.clone()
    cut[3] = False
    apart = decode(random_internal(types, cut, 1), far, types, cut)
    together = decode(random_internal(types, cut, 1), ca, types, cut)
    assert torch.allclose(apart[:4], together[:4], atol=1e-4)
    assert torch.allclose(apart[4:] - 30.0, together[4:], atol=1e-3)


def test_the_cis_cutoff_is_longer_before_proline() -> None:
    types = torch.from_numpy(letter_index("PPAA"))
    distance = torch.tensor([2.95, 3.3, 2.95, 3.3])
    assert is_cis_distance(distance, types).tolist() == [True, True, True, False]


def test_a_cis_peptide_is_built_cis() -> None:
    types = torch.from_numpy(letter_index("GAPG"))
    linked = torch.tensor([True, True, True, False])
    ca = torch.tensor([[0.0, 0.0, 0.0], [3.8, 0.0, 0.0], [5.0, 2.7, 0.0], [8.4, 3.4, 1.5]])
    atoms = decode(random_internal(types, linked), ca, types, linked)
    encoded, _ = encode(atoms, present(types, linked), types, linked)
    c, n = atoms[1, C_SLOT], atoms[2, N_SLOT]
    axis = (n - c) / (n - c).norm()
    first, second = ca[1] - c, ca[2] - n
    first, second = first - (first @ axis) * axis, second - (second @ axis) * axis
    assert first @ second > 0
    assert encoded.twist[1].abs() < 0.3


@pytest.mark.parametrize("straight", [False, True])
def test_gradients_are_finite_and_every_torsion_has_one(straight: bool) -> None:
    ca, types, linked = chain(LETTERS, 7)
    if straight:
        ca = 3.8 * torch.arange(20)[:, None] * torch.tensor([0.6, 0.0, 0.8])
    internal = random_internal(types, linked, 7)
    leaves = [x.clone().requires_grad_() for x in (internal.torsions, internal.twist, internal.bends)]
    decode(InternalCoordinates(*leaves), ca, types, linked).square().sum().backward()
    assert all(torch.isfinite(leaf.grad).all() for leaf in leaves)
    mask = torsion_mask(types, linked)
    assert (leaves[0].grad[mask].abs().max(dim=-1).values > 1e-3).all()
    assert (leaves[0].grad[~mask] == 0.0).all()


def test_a_ring_is_decoded_as_if_counted_from_anywhere_and_encoded_again() -> None:
    types = torch.from_numpy(letter_index("GRCTKSIPPICFAD"))
    ca, linked = torch.from_numpy(ca_ring(14)).float(), torch.ones(14, dtype=torch.bool)
    order = ChainOrder.from_next(np.roll(np.arange(14), -1), "cpu")
    internal = random_internal(types, linked, 3)
    atoms = decode(internal, ca, types, linked, order)
    rows = torch.arange(14).roll(-5)
    moved = decode(internal.select(rows), ca[rows], types[rows], linked, order)
    assert torch.allclose(moved, atoms[rows], atol=1e-5)
    encoded, measured = encode(atoms, present(types, linked), types, linked, order)
    assert measured[:, 0].all() and not measured[:, 1:4].any()
    assert torch.allclose(encoded.torsions[:, 0], internal.torsions[:, 0], atol=1e-3)
    assert torch.allclose(encoded.twist, internal.twist, atol=1e-3)
