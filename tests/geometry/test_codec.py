"""The codec: round trips, exact Cα, right bonds and hands, rotation, mirror images, ends and breaks."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from latcpb_cli.chem.ideal import peptide_shapes
from latcpb_cli.chem.zmatrix import chi_mask
from latcpb_cli.chem.residues import ATOM_SLOTS, LETTERS, NAMES, letter_index, slot_mask
from latcpb_cli.geometry.codec import N_TORSIONS, InternalCoordinates, decode, encode, torsion_mask
from latcpb_cli.geometry.peptide import is_cis_distance

ALL = "ARNDCQEGHILKMFPSTWYV"


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
    proline = types == LETTERS.index("P")
    # A closed ring cannot take any chi: keep to puckers.
    angle[proline, 4] = 0.5 * angle[proline, 4] / math.pi
    angle[proline, 5] = -angle[proline, 4]
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
    mask[:, 14] = ~linked
    return mask


@settings(max_examples=25, deadline=None)
@given(st.text(ALL, min_size=3, max_size=40), st.integers(0, 1000))
def test_internal_to_cartesian_and_back(sequence: str, seed: int) -> None:
    ca, types, linked = chain(sequence, seed)
    internal = random_internal(types, linked, seed)
    atoms = decode(internal, ca, types, linked)
    found, known = encode(atoms, present(types, linked), types, linked)
    assert torch.equal(known, torsion_mask(types, linked))
    proline = types == LETTERS.index("P")
    known[proline, 4:] = False  # ring closure moves CD, so chi 2 is not free
    error = (found.torsions - internal.torsions).norm(dim=-1)[known]
    assert error.max() < 5e-3
    assert (found.twist - internal.twist).abs()[linked].max() < 5e-3
    assert ((found.bends - internal.bends).abs() * known[:, 4:]).max() < 5e-3


@settings(max_examples=25, deadline=None)
@given(st.text(ALL, min_size=1, max_size=30), st.integers(0, 1000), st.floats(3.5, 4.1))
def test_alpha_carbons_and_bonds(sequence: str, seed: int, step: float) -> None:
    ca, types, linked = chain(sequence, seed, step)
    atoms = decode(random_internal(types, linked, seed), ca, types, linked)
    assert torch.equal(atoms[:, 1], ca)
    assert torch.isfinite(atoms).all()
    shape = peptide_shapes()[0]
    bonds = (atoms[:-1, 2] - atoms[1:, 0]).norm(dim=-1)
    # Bonds between two Cα give by 3 % where those are far from where a peptide puts them.
    give = 0.03 if abs(step - shape.ca_ca) > 0.08 else 0.0
    for measured, ideal, share in (
        (bonds, shape.c_n, give),
        ((atoms[:, 0] - ca).norm(dim=-1), shape.n_ca, give),
        ((atoms[:, 2] - ca).norm(dim=-1), shape.ca_c, give),
        ((atoms[:, 3] - atoms[:, 2]).norm(dim=-1), shape.c_o, 0.0),
    ):
        assert torch.allclose(measured, torch.full_like(measured, ideal), atol=0.02 + share * ideal)


@pytest.mark.parametrize("step, exact", [(3.75, True), (3.88, True), (3.6, False), (4.05, False)])
def test_bonds_give_only_far_from_the_ideal_distance(step: float, exact: bool) -> None:
    ca, types, linked = chain("AAAAAA", 2, step)
    internal = InternalCoordinates(*(0.0 * part for part in vars(random_internal(types, linked)).values()))
    internal.torsions[..., 0] = 1.0
    atoms = decode(internal, ca, types, linked)
    shape = peptide_shapes()[0]
    give = (atoms[:-1, 2] - atoms[1:, 0]).norm(dim=-1) / shape.c_n - 1.0
    bend = angle_of(atoms[:-1, 1], atoms[:-1, 2], atoms[1:, 0]) - shape.ca_c_n
    if exact:
        assert give.abs().max() < 1e-4
    else:
        assert 0.01 < (give * (1 if step > 3.8 else -1)).min()
        assert give.abs().max() < 0.0301
    assert bend.abs().max() < math.radians(10.0)


def angle_of(a: torch.Tensor, b: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
    u, v = (a - b, c - b)
    return torch.acos((u * v).sum(-1) / (u.norm(dim=-1) * v.norm(dim=-1)))


def volumes(atoms: torch.Tensor, types: torch.Tensor) -> torch.Tensor:
    n, c, cb = (atoms[:, slot] - atoms[:, 1] for slot in (0, 2, 4))
    value = (torch.linalg.cross(n, c) * cb).sum(-1)
    return value[types != LETTERS.index("G")]


def test_every_residue_is_left_handed_on_a_trace_and_on_its_mirror_image() -> None:
    ca, types, linked = chain(ALL * 2, 3)
    internal = random_internal(types, linked, 3)
    for points in (ca, ca * torch.tensor([1.0, 1.0, -1.0])):
        assert (volumes(decode(internal, points, types, linked), types) > 1.0).all()


def test_threonine_and_isoleucine_have_the_right_second_centre() -> None:
    ca, types, linked = chain("TITITI", 1)
    atoms = decode(random_internal(types, linked, 1), ca, types, linked)
    for row, letter in enumerate("TITITI"):
        names = ATOM_SLOTS[LETTERS.index(letter)]
        first = "OG1" if letter == "T" else "CG1"
        cb = atoms[row, 4]
        a, g1, g2 = (atoms[row, names.index(x)] - cb for x in ("CA", first, "CG2"))
        # The second branch stands at chi 1 - 120 degrees: counter-clockwise, seen from CA.
        assert (torch.linalg.cross(g1, g2) * a).sum() > 1.0


@pytest.mark.parametrize("sequence", ["AGLKWP", "PPGPY", "CC"])
def test_rotating_and_moving_the_trace_rotates_and_moves_the_atoms(sequence: str) -> None:
    if len(sequence) < 3:
        sequence = sequence + "A"
    ca, types, linked = chain(sequence, 5)
    internal = random_internal(types, linked, 5)
    turn = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(2)))[0]
    turn = turn * torch.linalg.det(turn).sign()
    shift = torch.tensor([10.0, -20.0, 5.0])
    atoms = decode(internal, ca, types, linked) @ turn.T + shift
    assert torch.allclose(decode(internal, ca @ turn.T + shift, types, linked), atoms, atol=1e-3)


@pytest.mark.parametrize("letter", list(ALL))
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
    whole = decode(random_internal(types, cut, 1), far, types, cut)
    left = decode(random_internal(types, cut, 1), ca, types, cut)
    assert torch.allclose(whole[:4], left[:4], atol=1e-4)
    assert torch.allclose(whole[4:] - 30.0, left[4:], atol=1e-3)


def test_short_peptides_are_cis_before_proline_sooner_than_elsewhere() -> None:
    types = torch.from_numpy(letter_index("PPAA"))
    distance = torch.tensor([2.95, 3.3, 2.95, 3.3])
    assert is_cis_distance(distance, types).tolist() == [True, True, True, False]


def test_a_cis_peptide_is_built_cis() -> None:
    types = torch.from_numpy(letter_index("GAPG"))
    linked = torch.tensor([True, True, True, False])
    ca = torch.tensor([[0.0, 0.0, 0.0], [3.8, 0.0, 0.0], [5.0, 2.7, 0.0], [8.4, 3.4, 1.5]])
    atoms = decode(random_internal(types, linked), ca, types, linked)
    found, _ = encode(atoms, present(types, linked), types, linked)
    c, n = atoms[1, 2], atoms[2, 0]
    along = (n - c) / (n - c).norm()
    one, two = ca[1] - c, ca[2] - n
    one, two = one - (one @ along) * along, two - (two @ along) * along
    assert one @ two > 0
    assert found.twist[1].abs() < 0.3


def test_gradients_are_finite_everywhere() -> None:
    ca, types, linked = chain(ALL, 7)
    internal = random_internal(types, linked, 7)
    leaves = [x.clone().requires_grad_() for x in (internal.torsions, internal.twist, internal.bends)]
    decode(InternalCoordinates(*leaves), ca, types, linked).square().sum().backward()
    assert all(torch.isfinite(leaf.grad).all() for leaf in leaves)
    assert NAMES[14] == "PRO"
