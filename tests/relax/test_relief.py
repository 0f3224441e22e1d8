"""Relaxation: overlaps and bent angles vanish, and what must stay exact stays exact."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from crowds import Built, count_overlaps, crowded, present, rotated, torsion_structures

from latcpb_cli.chem.bonds import intra_bonds
from latcpb_cli.chem.residues import C_SLOT, CA_SLOT, GAMMA_SLOT, N_SLOT, O_SLOT
from latcpb_cli.geometry.box import box_vectors
from latcpb_cli.geometry.codec import FIRST_CHI, decode
from latcpb_cli.geometry.vectors import cosine
from latcpb_cli.metrics.clashes import frame_clashes
from latcpb_cli.metrics.stereo import StereoChecker
from latcpb_cli.relax.relief import OverlapCounts, relieve_overlaps
from latcpb_cli.relax.structures import TorsionStructures

SEEDS = range(6)


def relaxed_atoms(built: Built) -> torch.Tensor:
    return relieve_overlaps(torsion_structures(built)).atoms


def bond_lengths(atoms: torch.Tensor, graph) -> torch.Tensor:
    """Every bond of the chain."""
    mask = present(graph)
    bonds = [
        atoms[row, a] - atoms[row, b]
        for row, residue_type in enumerate(graph.types.tolist())
        for a, b in intra_bonds()[residue_type]
        if mask[row, a] and mask[row, b]
    ]
    peptide_bonds = atoms[:-1, C_SLOT] - atoms[1:, N_SLOT]
    return torch.cat([torch.stack(bonds), peptide_bonds]).norm(dim=-1)


def test_overlaps_vanish() -> None:
    before, after = np.zeros(2), np.zeros(2)
    for seed in SEEDS:
        built = crowded(seed)
        before += count_overlaps(built[1], built[2])
        after += count_overlaps(relaxed_atoms(built), built[2])
    assert before[0] > 100
    assert before[1] > 10
    assert after[0] < 0.2 * before[0]
    assert after[1] <= 2


def test_peptides_without_ramachandran_weight_turn_less() -> None:
    displacement = np.zeros(2)
    for seed in SEEDS:
        structures = torsion_structures(crowded(seed))
        for index, weight in enumerate((None, torch.zeros(len(structures)))):
            moved = relieve_overlaps(replace(structures, ramachandran_weight=weight)).atoms
            displacement[index] += float((moved - structures.atoms)[:, O_SLOT].norm(dim=-1).mean())
    assert displacement[1] < 0.8 * displacement[0]


def test_peptides_of_high_concentration_turn_less() -> None:
    displacement = np.zeros(2)
    for seed in SEEDS:
        structures = torsion_structures(crowded(seed))
        is_high = torch.arange(len(structures)) % 2 == 0
        restrained = replace(
            structures,
            ramachandran_weight=torch.zeros(len(structures)),
            concentration=torch.where(is_high, 50.0, 2.0),
        )
        moved = (relieve_overlaps(restrained).atoms - structures.atoms)[:, O_SLOT].norm(dim=-1)
        displacement += [float(moved[~is_high].mean()), float(moved[is_high].mean())]
    assert displacement[1] < 0.6 * displacement[0]


def test_a_fixed_backbone_stays() -> None:
    """Also one that no peptides of ideal geometry give; its side chains make room."""
    generator = torch.Generator().manual_seed(0)
    overlaps = np.zeros(2)
    for seed in SEEDS:
        internal, atoms, graph = crowded(seed)
        atoms = atoms + 0.05 * torch.randn(len(atoms), 1, 3, generator=generator)
        atoms = torch.cat([atoms[:, :1], graph.ca[:, None], atoms[:, 2:]], dim=1)
        structures = replace(torsion_structures((internal, atoms, graph)), fixed_backbone=True)
        relaxed = relieve_overlaps(structures)
        overlaps += [count_overlaps(each, graph)[0] for each in (atoms, relaxed.atoms)]
        assert torch.allclose(relaxed.atoms[:, :GAMMA_SLOT], atoms[:, :GAMMA_SLOT], atol=2e-5)
        assert torch.equal(relaxed.internal.torsions[:, :FIRST_CHI], internal.torsions[:, :FIRST_CHI])
        assert torch.equal(relaxed.internal.twist, internal.twist)
    assert overlaps[1] < 0.7 * overlaps[0]


def test_internal_coordinates_follow_the_atoms() -> None:
    """Decoding them gives the backbone; side chains differ by how much N-CA-C is unbent."""
    structures = torsion_structures(crowded(0))
    relaxed = relieve_overlaps(structures)
    assert (relaxed.internal.torsions - structures.internal.torsions).abs().max() > 0.1
    decoded = decode(relaxed.internal, relaxed.ca, relaxed.types, relaxed.linked)
    error = (decoded - relaxed.atoms).norm(dim=-1)[1:-1]
    assert error[:, [N_SLOT, C_SLOT, O_SLOT]].max() < 1e-3
    assert error[present(relaxed)[1:-1]].max() < 0.6


@pytest.mark.parametrize("seed", SEEDS)
def test_bond_lengths_chirality_and_ca_are_kept(seed: int) -> None:
    internal, atoms, graph = crowded(seed)
    moved = relaxed_atoms((internal, atoms, graph))
    assert torch.equal(moved[:, CA_SLOT], atoms[:, CA_SLOT])
    assert (moved - atoms).norm(dim=-1)[present(graph)].max() > 0.5
    assert (bond_lengths(moved, graph) - bond_lengths(atoms, graph)).abs().max() < 2e-3
    types, linked = graph.types.numpy(), graph.linked[None].numpy()
    checker = StereoChecker(types, present(graph).numpy(), np.zeros(len(types), dtype=np.int64))
    before, after = (checker.count(x[None].numpy(), linked) for x in (atoms, moved))
    for name in ("bonds", "d_residues", "inverted_cb", "omega"):
        assert after[name].hits == before[name].hits, name
    for name in ("d_residues", "inverted_cb", "omega"):
        assert after[name].hits == 0, name
    assert after["angles"].hits < before["angles"].hits


def bends(atoms: torch.Tensor) -> torch.Tensor:
    """Deviation (degrees) of N-CA-C of inner residues from 111°."""
    angle = torch.acos(cosine(*atoms[1:-1, :3].unbind(1)))
    return (torch.rad2deg(angle) - 111.0).abs()


def test_bent_backbones_are_straightened() -> None:
    """Random rotations of peptides bend N-CA-C."""
    parts = [crowded(seed, "AAGAVAAGTAAASAAVAAGAA") for seed in SEEDS]
    before = torch.cat([bends(part[1]) for part in parts])
    after = torch.cat([bends(relaxed_atoms(part)) for part in parts])
    assert (before > 10.0).sum() > 20
    assert after.max() < 12.0


def test_a_structure_does_not_depend_on_its_batch() -> None:
    parts = [crowded(0), crowded(1, "WPAKYLD"), crowded(2), crowded(3, "G"), crowded(4, "PW")]
    sizes = [len(part[1]) for part in parts]
    together = relieve_overlaps(torsion_structures(*parts)).atoms.split(sizes)
    for atoms, part in zip(together, parts, strict=True):
        assert torch.equal(atoms, relaxed_atoms(part))
    backwards = relieve_overlaps(torsion_structures(*parts[::-1])).atoms.split(sizes[::-1])
    assert all(torch.equal(one, two) for one, two in zip(together, backwards[::-1], strict=True))


def test_a_structure_with_concentrations_does_not_depend_on_its_batch() -> None:
    parts = []
    for seed in SEEDS:
        structures, generator = torsion_structures(crowded(seed)), torch.Generator().manual_seed(seed)
        concentration = 50.0 * torch.rand(len(structures), generator=generator)
        parts.append(replace(structures, concentration=concentration))
    together = relieve_overlaps(TorsionStructures.concatenate(parts)).atoms.split([len(x) for x in parts])
    for part, atoms in zip(parts, together, strict=True):
        assert torch.equal(relieve_overlaps(part).atoms, atoms)


def test_a_rotated_input_gives_the_rotated_output() -> None:
    """But for a few crowded side chains, where rounding decides between two directions."""
    matrix = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(9)))[0]
    matrix = matrix * torch.linalg.det(matrix)
    errors = []
    for built in map(crowded, SEEDS):
        error = (relaxed_atoms(rotated(built, matrix)) - relaxed_atoms(built) @ matrix.T).norm(dim=-1)
        errors.append(error[present(built[2])])
    assert torch.quantile(torch.cat(errors), 0.95) < 1e-3


def test_a_lone_residue_is_unchanged_to_the_bit() -> None:
    """It has no neighbours, peptides or angles that could be wrong."""
    built = crowded(0, "A")
    assert torch.equal(relaxed_atoms(built), built[1])


def test_the_result_requires_no_gradient() -> None:
    assert not relaxed_atoms(crowded(0)).requires_grad


BOXES = [[40, 44, 48, 90, 90, 90], [46, 50, 48, 75, 100, 80]]


def neighbors_across(
    box: list[float], images: tuple[int, int, int]
) -> tuple[TorsionStructures, torch.Tensor]:
    """Two chains side by side, the second in another image, and the translation to that image."""
    cell = torch.from_numpy(box_vectors(np.array([box], dtype=float)))
    translation = (torch.tensor(images, dtype=torch.float64) @ cell[0]).float()
    internal, atoms, graph = crowded(0)
    step = torch.tensor([10.0, 1.0, 1.0]) + translation
    other = internal, atoms + step, replace(graph, ca=graph.ca + step)
    both = torsion_structures(crowded(0), other)
    return replace(both, sizes=[len(both)], cells=cell), translation


@pytest.mark.parametrize("box", BOXES)
def test_overlaps_with_periodic_images_vanish(box: list[float]) -> None:
    """A chain in another image is relaxed as if it were beside the first; without a box it is far away."""
    across, translation = neighbors_across(box, (1, 0, -2))
    beside, _ = neighbors_across(box, (0, 0, 0))
    half = len(across) // 2

    def n_overlaps(atoms: torch.Tensor) -> int:
        types, linked = across.types.numpy(), across.linked[None].numpy()
        mask = present(across).numpy()
        return frame_clashes(types, atoms[None].numpy(), mask, linked, np.array([box]))[0].n_overlaps

    moved = relieve_overlaps(across).atoms
    assert n_overlaps(moved) < 0.3 * n_overlaps(relieve_overlaps(replace(across, cells=None)).atoms)
    back = torch.cat([moved[:half], moved[half:] - translation])
    error = (back - relieve_overlaps(beside).atoms).norm(dim=-1)[present(beside)]
    assert torch.quantile(error, 0.95) < 1e-3


def test_a_box_without_contacts_across_it_changes_nothing() -> None:
    """To the bit for a structure without a box in the same batch."""
    parts = crowded(0), crowded(1, "WPAKYLD")
    cells = torch.stack([torch.zeros(3, 3, dtype=torch.float64), 200.0 * torch.eye(3, dtype=torch.float64)])
    structures = torsion_structures(*parts, cells=cells)
    boxed, free = (relieve_overlaps(replace(structures, cells=x)).atoms for x in (cells, None))
    length = len(parts[0][1])
    assert torch.equal(boxed[:length], free[:length])
    error = (boxed - free)[present(structures)].norm(dim=-1)
    assert torch.quantile(error, 0.95) < 1e-3


def test_overlapping_residues_are_counted_before_and_after() -> None:
    counts = OverlapCounts()
    for seed in SEEDS:
        relieve_overlaps(torsion_structures(crowded(seed)), counts)
    assert counts.built > 20
    assert counts.built > 5 * counts.relieved
    assert counts.relieved >= counts.reselected
