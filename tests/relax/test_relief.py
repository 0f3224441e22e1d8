"""Relief: overlaps and bent angles go, what is exact stays exact."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from crowds import crowded, draft, overlaps, present, turned

from latcpb_cli.chem.bonds import intra_bonds
from latcpb_cli.geometry.vectors import cosine
from latcpb_cli.metrics.clashes import frame_clashes
from latcpb_cli.metrics.stereo import StereoChecker
from latcpb_cli.relax.relief import OverlapCounts, relieve
from latcpb_cli.relax.structures import TorsionStructures
from latcpb_cli.structure import box_vectors

SEEDS = range(6)


def relieved(built) -> torch.Tensor:
    return relieve(draft(built)).atoms


def bond_lengths(atoms: torch.Tensor, graph) -> torch.Tensor:
    """Every bond of the chain."""
    there = present(graph)
    pairs = [
        atoms[row, a] - atoms[row, b]
        for row, kind in enumerate(graph.types.tolist())
        for a, b in intra_bonds()[kind]
        if there[row, a] and there[row, b]
    ]
    return torch.cat([torch.stack(pairs), atoms[:-1, 2] - atoms[1:, 0]]).norm(dim=-1)


def test_overlaps_go() -> None:
    before, after = np.zeros(2), np.zeros(2)
    for seed in SEEDS:
        built = crowded(seed)
        before += overlaps(built[1], built[2])
        after += overlaps(relieved(built), built[2])
    assert before[0] > 100
    assert before[1] > 10
    assert after[0] < 0.2 * before[0]
    assert after[1] <= 2


def test_peptides_are_held_where_nothing_draws_them() -> None:
    far = np.zeros(2)
    for seed in SEEDS:
        built = crowded(seed)
        whole = draft(built)
        for number, drawn in enumerate((None, torch.zeros(len(whole)))):
            moved = relieve(replace(whole, drawn=drawn)).atoms - whole.atoms
            far[number] += float(moved[:, 3].norm(dim=-1).mean())
    assert far[1] < 0.8 * far[0]


def test_the_surer_a_peptide_the_less_it_turns() -> None:
    far = np.zeros(2)
    for seed in SEEDS:
        whole = draft(crowded(seed))
        sure = torch.arange(len(whole)) % 2 == 0
        judged = replace(whole, drawn=torch.zeros(len(whole)), concentration=torch.where(sure, 50.0, 2.0))
        moved = (relieve(judged).atoms - whole.atoms)[:, 3].norm(dim=-1)
        far += [float(moved[~sure].mean()), float(moved[sure].mean())]
    assert far[1] < 0.6 * far[0]


def test_judged_structures_do_not_depend_on_their_batch() -> None:
    built = [crowded(seed) for seed in SEEDS]
    sure = [
        torch.rand(len(x[1]), generator=torch.Generator().manual_seed(n)) * 50 for n, x in enumerate(built)
    ]
    drafts = [replace(draft(x), concentration=k) for x, k in zip(built, sure, strict=True)]
    together = relieve(TorsionStructures.join(drafts)).atoms.split([len(x) for x in drafts])
    for alone, part in zip(drafts, together, strict=True):
        assert torch.equal(relieve(alone).atoms, part)


@pytest.mark.parametrize("seed", SEEDS)
def test_lengths_hands_and_alpha_carbons_stay(seed: int) -> None:
    internal, atoms, graph = crowded(seed)
    moved = relieved((internal, atoms, graph))
    assert torch.equal(moved[:, 1], atoms[:, 1])
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


def bent(atoms: torch.Tensor) -> torch.Tensor:
    """How far (degrees) N-CA-C of inner residues is from 111."""
    angle = torch.acos(cosine(*atoms[1:-1, :3].unbind(1)))
    return (torch.rad2deg(angle) - 111.0).abs()


def test_backbones_are_unbent() -> None:
    """N-CA-C comes back, where peptides turned the wrong way have bent it."""
    parts = [crowded(seed, "AAGAVAAGTAAASAAVAAGAA") for seed in SEEDS]
    before = torch.cat([bent(part[1]) for part in parts])
    after = torch.cat([bent(relieved(part)) for part in parts])
    assert (before > 10.0).sum() > 20
    assert after.max() < 12.0


def test_a_structure_does_not_depend_on_its_batch() -> None:
    parts = [crowded(0), crowded(1, "WPAKYLD"), crowded(2), crowded(3, "G"), crowded(4, "PW")]
    whole = relieve(draft(*parts)).atoms.split([len(part[1]) for part in parts])
    for together, part in zip(whole, parts, strict=True):
        assert torch.equal(together, relieved(part))
    backwards = relieve(draft(*parts[::-1])).atoms.split([len(part[1]) for part in parts[::-1]])
    assert all(torch.equal(one, two) for one, two in zip(whole, backwards[::-1], strict=True))


def test_a_turned_input_gives_the_turned_output() -> None:
    """But for side chains so crowded that rounding decides which way they go."""
    matrix = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(9)))[0]
    matrix = matrix * torch.linalg.det(matrix)
    errors = []
    for built in map(crowded, SEEDS):
        error = (relieved(turned(built, matrix)) - relieved(built) @ matrix.T).norm(dim=-1)
        errors.append(error[present(built[2])])
    assert torch.quantile(torch.cat(errors), 0.95) < 1e-3


def test_what_has_nothing_to_relieve_stays_to_the_bit() -> None:
    """A lone residue has no neighbours, peptides or angles that could be wrong."""
    built = crowded(0, "A")
    assert torch.equal(relieved(built), built[1])


def test_gradients_leave_no_trace() -> None:
    assert not relieved(crowded(0)).requires_grad


BOXES = [[40, 44, 48, 90, 90, 90], [46, 50, 48, 75, 100, 80]]


def neighbors_across(
    box: list[float], images: tuple[int, int, int]
) -> tuple[TorsionStructures, torch.Tensor]:
    """Two chains side by side, one of them in another image; the box and that image's place."""
    cell = torch.from_numpy(box_vectors(np.array([box], dtype=float)))
    away = (torch.tensor(images, dtype=torch.float64) @ cell[0]).float()
    internal, atoms, graph = crowded(0)
    step = torch.tensor([10.0, 1.0, 1.0])
    other = internal, atoms + step + away, replace(graph, ca=graph.ca + step + away)
    both = draft(crowded(0), other)
    return replace(both, sizes=[len(both)], cells=cell), away


@pytest.mark.parametrize("box", BOXES)
def test_images_across_the_box_are_relieved(box: list[float]) -> None:
    """A chain in another image is relieved as if it stood beside the first; without a box it is not seen."""
    there, away = neighbors_across(box, (1, 0, -2))
    here, _ = neighbors_across(box, (0, 0, 0))
    half = len(there) // 2

    def count(atoms: torch.Tensor) -> int:
        types, linked = there.types.numpy(), there.linked[None].numpy()
        found = frame_clashes(types, atoms[None].numpy(), present(there).numpy(), linked, np.array([box]))
        return found[0].n_overlaps

    moved = relieve(there).atoms
    assert count(moved) < 0.3 * count(relieve(replace(there, cells=None)).atoms)
    beside = relieve(here).atoms
    apart = torch.cat([moved[:half], moved[half:] - away]) - beside
    error = apart.norm(dim=-1)[present(here)]
    assert torch.quantile(error, 0.95) < 1e-3


def test_a_box_that_nothing_reaches_across_changes_nothing() -> None:
    """To the bit where there is none, whatever the others have."""
    parts = crowded(0), crowded(1, "WPAKYLD")
    cells = torch.stack([torch.zeros(3, 3, dtype=torch.float64), 200.0 * torch.eye(3, dtype=torch.float64)])
    boxed, free = (relieve(draft(*parts, cells=lattice)).atoms for lattice in (cells, None))
    length = len(parts[0][1])
    assert torch.equal(boxed[:length], free[:length])
    error = (boxed - free)[present(draft(*parts))].norm(dim=-1)
    assert torch.quantile(error, 0.95) < 1e-3


def test_the_tally_tells_before_and_after() -> None:
    tally = OverlapCounts()
    for seed in SEEDS:
        relieve(draft(crowded(seed)), tally)
    assert tally.built > 20
    assert tally.built > 5 * tally.relieved
    assert tally.relieved >= tally.reselected
