"""Regions of large structures: what is cut out relaxes as inside the structure, and only that changes."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from crowds import CROWD, crowded, present, torsion_structures
from rings import ca_ring

from latcpb_cli.chem.residues import N_SLOTS, NAMES, slot_mask
from latcpb_cli.com_beads.observed import ObservedBeads
from latcpb_cli.geometry.codec import InternalCoordinates, decode
from latcpb_cli.geometry.links import ChainOrder
from latcpb_cli.relax import regions, relief
from latcpb_cli.relax.overlaps import OverlapPairs
from latcpb_cli.relax.regions import Regions
from latcpb_cli.relax.relief import OverlapCounts, relieve_overlaps
from latcpb_cli.relax.reselect import reselect
from latcpb_cli.relax.structures import RotamerChoices, TorsionStructures


@pytest.fixture(autouse=True)
def _divide_small_structures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regions, "_MAX_WHOLE", 20)


def long_chain() -> TorsionStructures:
    """A coil of 108 residues with all optional attributes."""
    structures = torsion_structures(crowded(0, 4 * CROWD))
    uniform = torch.rand(3, len(structures), generator=torch.Generator().manual_seed(0))
    weights = present(structures).float()
    beads = ObservedBeads(
        (structures.atoms * weights[..., None]).mean(1), weights / N_SLOTS, 0.1 + uniform[2]
    )
    return replace(structures, ramachandran_weight=uniform[0], concentration=50 * uniform[1], beads=beads)


def across_a_box() -> TorsionStructures:
    """Two chains side by side, the second in another image of a triclinic box."""
    cell = torch.tensor([[[70.0, 0.0, 0.0], [5.0, 80.0, 0.0], [9.0, -7.0, 75.0]]], dtype=torch.float64)
    internal, atoms, graph = crowded(1)
    step = torch.tensor([10.0, 1.0, 1.0]) + (cell[0, 0] - 2 * cell[0, 2]).float()
    both = torsion_structures(crowded(0), (internal, atoms + step, replace(graph, ca=graph.ca + step)))
    return replace(both, sizes=[len(both)], cells=cell)


def ring() -> TorsionStructures:
    """A chain whose ends a peptide joins."""
    internal, _, graph = crowded(2, CROWD + "GAS")
    ca, linked = torch.from_numpy(ca_ring(30)).float(), torch.ones(30, dtype=torch.bool)
    order = ChainOrder.from_next(np.roll(np.arange(30), -1), "cpu")
    atoms = decode(internal, ca, graph.types, linked, order)
    return TorsionStructures(atoms, internal, graph.types, ca, linked, [30], order=order)


STRUCTURES = {"chain": (long_chain, [3, 60]), "box": (across_a_box, [5]), "ring": (ring, [0])}


def seeds(structures: TorsionStructures, rows: list[int]) -> torch.Tensor:
    mask = torch.zeros(len(structures), dtype=torch.bool)
    mask[rows] = True
    return mask


@pytest.fixture(params=STRUCTURES)
def divided(request: pytest.FixtureRequest) -> tuple[TorsionStructures, Regions, TorsionStructures]:
    build, rows = STRUCTURES[request.param]
    structures = build()
    found = Regions.around(structures, seeds(structures, rows))
    assert found.movable.any()
    assert not found.movable.all()
    assert len(found.rows) < len(structures) or len(found.sizes) > 1
    return structures, found, found.cut(structures)


def overlapping_pairs(structures: TorsionStructures, rows: torch.Tensor) -> dict[tuple[int, int], float]:
    """Distance at which two atoms repel each other, by their indices into (L, 15) of the whole structure."""
    found = OverlapPairs.find(structures.atoms.permute(2, 1, 0).contiguous(), structures, 0.0)
    length = len(structures)
    atoms = [N_SLOTS * rows[end % length] + end // length for end in found.ends]
    ends = torch.stack(atoms).sort(0).values.T.tolist()
    return dict(zip(map(tuple, ends), found.distance.tolist(), strict=True))


def test_overlaps_of_residues_that_move_are_those_of_the_structure(divided) -> None:
    """Across boxes, breaks of the cut chain and the closing peptide of a ring; a cut adds no OXT."""
    structures, found, parts = divided
    moving = set(found.rows[found.movable].tolist())
    whole = overlapping_pairs(structures, torch.arange(len(structures)))
    expected = {ends: x for ends, x in whole.items() if any(atom // N_SLOTS in moving for atom in ends)}
    assert len(expected) > 10
    assert overlapping_pairs(parts, found.rows) == expected
    assert torch.equal(parts.has_oxt, structures.has_oxt[found.rows])
    assert (parts.is_cut & ~parts.linked).any()


def test_side_chains_of_a_region_are_reselected_as_in_the_structure(divided) -> None:
    structures, found, _ = divided
    generator = torch.Generator().manual_seed(5)
    chi = 6.28 * torch.rand(len(structures), 8, 4, generator=generator)
    structures = replace(structures, choices=RotamerChoices(torch.zeros(len(structures), 8), chi))
    moving = seeds(structures, found.rows[found.movable].tolist())
    whole = reselect(structures, moving).atoms
    part = reselect(found.cut(structures), found.movable).atoms
    assert (whole != structures.atoms).any(-1).any(-1).sum() > 1
    assert torch.equal(part[found.movable], whole[found.rows[found.movable]])


def joint_steps(structures: TorsionStructures) -> torch.Tensor:
    """What the first step of the descent turns each joint by, but for a factor: (6, L)."""
    padded = structures.padded()
    energy = relief._TorsionEnergy.from_structures(padded)
    start = energy.kinematics.start
    gradient, stiffness = energy.gradient(start, OverlapPairs.find(start.atoms, padded, 0.0))
    return (gradient / (stiffness + relief._DAMPING))[:, : len(structures)]


def test_joints_of_a_region_turn_as_in_the_structure(divided) -> None:
    structures, found, parts = divided
    whole, part = joint_steps(structures)[:, found.rows], joint_steps(parts)
    turns = found.movable.expand(6, -1).clone()
    turns[:2] &= parts.linked & parts.order.next(found.movable)  # peptides with a residue that does not move
    assert (whole[turns].abs() > 0.01).sum() > 10
    torch.testing.assert_close(part[turns], whole[turns], atol=1e-4, rtol=1e-3)
    assert (part[~turns] == 0).all()


def test_only_residues_that_move_change(divided) -> None:
    structures, found, parts = divided
    relaxed = found.paste(structures, relief._descend(parts, 5)[0])
    moved = torch.zeros(len(structures), dtype=torch.bool)
    moved[found.rows[found.movable]] = True
    assert (relaxed.atoms != structures.atoms)[moved].any(-1).any(-1).all()
    assert torch.equal(relaxed.atoms[~moved], structures.atoms[~moved])
    assert torch.equal(relaxed.ca, structures.ca)
    for one, two in zip(vars(relaxed.internal).values(), vars(structures.internal).values(), strict=True):
        assert torch.equal(one[~moved], two[~moved])


def test_a_region_does_not_depend_on_another() -> None:
    structures = long_chain()
    both, one = (Regions.around(structures, seeds(structures, rows)) for rows in ([3, 60], [60]))
    together, alone = (relief._descend(found.cut(structures), 14)[0] for found in (both, one))
    assert len(both.sizes) == 2
    assert together.select([1]).cells is alone.cells is None
    assert torch.equal(together.select([1]).atoms, alone.atoms)
    assert torch.equal(together.select([1]).internal.torsions, alone.internal.torsions)


def test_residues_that_could_touch_move_in_one_region() -> None:
    structures = long_chain()
    near = Regions.around(structures, seeds(structures, [50, 58]))
    assert len(near.sizes) == 1
    assert set(near.rows[near.movable].tolist()) >= {50, 58}


def test_each_region_is_accepted_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first gets worse, the second better."""
    structures = long_chain()
    found = Regions.around(structures, seeds(structures, [3, 60]))
    depth = seeds(structures, [3, 60])[found.rows].float()
    change = torch.tensor([1.5, 0.5])[found.region]

    def descend(
        trial: TorsionStructures, n_steps: int
    ) -> tuple[TorsionStructures, torch.Tensor, torch.Tensor]:
        return replace(trial, atoms=trial.atoms + 1.0), depth, depth * change

    monkeypatch.setattr(relief, "_descend", descend)
    monkeypatch.setattr(relief, "_MAX_ROUNDS", 1)
    parts, new_depth = relief._reselect_rounds(found.cut(structures), depth)
    moved = (parts.atoms != structures.atoms[found.rows]).flatten(1).any(1)
    assert torch.equal(moved, found.region == 1)
    assert new_depth[depth > 0].tolist() == [1.0, 0.5]


def test_small_structures_and_narrow_boxes_are_one_region(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = crowded(0, "AWKRG"), crowded(1, CROWD), crowded(2, "GPWK")
    cells = torch.stack([torch.eye(3, dtype=torch.float64) * size for size in (0.0, 30.0, 0.0)])
    structures = torsion_structures(*parts, cells=cells)
    found = Regions.around(structures, seeds(structures, [6, 33]))
    assert found.rows.tolist() == list(range(5, 36))
    assert found.movable.all()
    assert not found.have_obstacles
    cut, selected = found.cut(structures), structures.select([1, 2])
    assert not cut.is_cut.any()
    for name in ("sizes", "order", "beads"):
        assert getattr(cut, name) == getattr(selected, name)
    for name in ("atoms", "types", "linked", "cells", "ca"):
        assert torch.equal(getattr(cut, name), getattr(selected, name))
    assert not Regions.around(structures, seeds(structures, [])).sizes


def test_overlaps_of_divided_structures_are_relieved_and_counted() -> None:
    divided, whole = OverlapCounts(), OverlapCounts()
    for seed in (2, 3):
        structures = torsion_structures(crowded(seed, 3 * CROWD))
        counts = OverlapCounts()
        relaxed = relieve_overlaps(structures, counts)
        assert torch.equal(relaxed.atoms[:, 1], structures.atoms[:, 1])
        atoms = relaxed.atoms.permute(2, 1, 0)
        found = OverlapPairs.find(atoms, relaxed, 0.0)
        assert counts.reselected == int((found.overlap_depth(atoms, 1.2) > 0).sum())
        divided.add(counts)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(regions, "_MAX_WHOLE", 300)
            relieve_overlaps(structures, whole)
    assert divided.built == whole.built > 20
    assert divided.relieved == whole.relieved > divided.reselected
    assert divided.reselected <= whole.reselected + 2


def test_no_atom_is_farther_from_its_ca_than_its_extent() -> None:
    n_samples, types = 500, torch.arange(len(NAMES))
    generator = torch.Generator().manual_seed(0)
    types = types.repeat(n_samples)
    angles = 2 * math.pi * torch.rand(len(types), 8, generator=generator)
    internal = InternalCoordinates(
        torch.stack([torch.cos(angles), torch.sin(angles)], dim=-1),
        torch.zeros(len(types)),
        torch.zeros(len(types), 4),
    )
    ca = torch.zeros(len(types), 3)
    atoms = decode(internal, ca, types, torch.zeros(len(types), dtype=torch.bool))
    distance = torch.where(torch.from_numpy(slot_mask())[types], atoms.norm(dim=-1), 0.0).amax(1)
    largest = distance.view(n_samples, -1).amax(0).numpy()
    assert (largest < regions._EXTENT).all()
    assert (largest > regions._EXTENT - 0.7).all()
