"""Relaxation of Cα traces."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from traces import TYPES, chain_links, helix, noisy_coils

from latcpb_cli.backbone.peptide_chain import PeptideChain
from latcpb_cli.backbone.relax_trace import relax_trace, residue_energies
from latcpb_cli.backbone.viterbi import best_rotations
from latcpb_cli.chem.residues import letter_index

NOISE = 0.3


def least_energy(positions: np.ndarray) -> float:
    """Energy of the best rotations on given Cα."""
    total = 0.0
    for frame, linked in zip(positions, chain_links(positions), strict=True):
        ca = torch.from_numpy(frame.astype(np.float64))
        chain = PeptideChain.from_trace(ca, TYPES, linked)
        planar = torch.stack([best_rotations(ca, chain), torch.zeros(len(ca)).double()], dim=1)
        total += float(residue_energies(ca, planar, chain).sum())
    return total


@pytest.mark.parametrize("tolerance", [0.1, 0.3])
def test_the_energy_falls_and_no_bead_moves_further_than_the_tolerance(tolerance: float) -> None:
    positions = noisy_coils(2, NOISE)
    relaxed = relax_trace(positions, TYPES, chain_links(positions), tolerance).positions
    assert np.linalg.norm(relaxed - positions, axis=-1).max() <= tolerance + 1e-5
    assert least_energy(relaxed) < (1 - tolerance) * least_energy(positions)


def test_beads_without_violation_are_unchanged_to_the_bit() -> None:
    positions = helix(12)
    relaxed = relax_trace(positions, letter_index("A" * 12), chain_links(positions), 0.3).positions
    assert np.array_equal(relaxed, positions)


def test_only_beads_near_a_violation_move() -> None:
    positions = helix(20)
    positions[0, 10] += [0.6, 0.0, 0.0]
    relaxed = relax_trace(positions, letter_index("A" * 20), chain_links(positions), 0.5).positions
    unmoved = (relaxed == positions).all(-1)[0]
    assert unmoved[:4].all() and unmoved[17:].all() and not unmoved[10]


@pytest.mark.parametrize("max_gap", [0, 12])
def test_beads_between_violations_move_with_them(max_gap: int) -> None:
    positions = helix(40)
    positions[0, [10, 21]] += [1.5, 0.0, 0.0]
    links = chain_links(positions)
    relaxed = relax_trace(positions, letter_index("A" * 40), links, 0.5, max_gap=max_gap).positions
    moved = (relaxed != positions).any(-1)[0]
    assert moved[9:12].all() and moved[20:23].all() and not moved[:5].any() and not moved[27:].any()
    assert moved[14:18].all() if max_gap else not moved[14:18].any()


def test_a_frame_does_not_depend_on_the_others() -> None:
    positions = noisy_coils(2, NOISE)
    together = relax_trace(positions, TYPES, chain_links(positions), 0.3).positions
    second = positions[1:]
    assert np.array_equal(relax_trace(second, TYPES, chain_links(second), 0.3).positions[0], together[1])


def test_a_rotated_chain_moves_the_same_way() -> None:
    positions = noisy_coils(1, NOISE)
    matrix = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    matrix *= np.sign(np.linalg.det(matrix))
    rotated = (positions.astype(np.float64) @ matrix).astype(np.float32)
    expected, turned = (relax_trace(ca, TYPES, chain_links(ca), 0.3) for ca in (positions, rotated))
    # Rounding errors grow in the descents, most where beads hardly matter.
    difference = np.abs(turned.positions - expected.positions.astype(np.float64) @ matrix)
    assert difference.max() < 5e-2 and np.median(difference) < 1e-3
    difference = np.abs(np.exp(1j * turned.peptides) - np.exp(1j * expected.peptides))
    assert np.nanmax(difference) < 5e-2


def test_peptides_fit_the_relaxed_chain() -> None:
    positions = noisy_coils(2, NOISE)
    linked = chain_links(positions)
    relaxed = relax_trace(positions, TYPES, linked, 0.3)
    assert np.isnan(relaxed.peptides[:, -1]).all()
    assert np.nanmax(np.abs(relaxed.peptides[..., 1])) <= np.radians(25.0) + 1e-6
    total = 0.0
    for ca, peptides, links in zip(relaxed.positions, relaxed.peptides, linked, strict=True):
        points = torch.from_numpy(ca.astype(np.float64))
        chain = PeptideChain.from_trace(points, TYPES, links)
        planar = torch.stack([best_rotations(points, chain), torch.zeros(len(ca)).double()], dim=1)
        known = torch.from_numpy(peptides.astype(np.float64))
        total += float(residue_energies(points, torch.where(known.isnan(), planar, known), chain).sum())
    assert total < 1.2 * least_energy(relaxed.positions)


def test_peptides_without_violation_are_not_relaxed() -> None:
    positions = helix(12)
    relaxed = relax_trace(positions, letter_index("A" * 12), chain_links(positions), 0.3)
    assert np.isnan(relaxed.peptides).all()


def test_breaks_stay_open() -> None:
    positions = noisy_coils(1, NOISE)
    positions[0, 12:] += 9.0
    linked = chain_links(positions)
    linked[0, 11] = False
    relaxed = relax_trace(positions, TYPES, linked, 0.3).positions
    assert np.linalg.norm(relaxed[0, 12] - relaxed[0, 11]) > 10.0


@pytest.mark.parametrize("length", [1, 2, 3])
def test_short_chains_are_unchanged(length: int) -> None:
    positions = helix(length)
    relaxed = relax_trace(positions, letter_index("A" * length), chain_links(positions), 0.3).positions
    assert np.array_equal(relaxed, positions)


def test_coincident_beads_stay_finite() -> None:
    positions = np.zeros((1, 6, 3), dtype=np.float32)
    relaxed = relax_trace(positions, letter_index("APGAPA"), chain_links(positions), 0.3).positions
    assert np.isfinite(relaxed).all()
    assert np.linalg.norm(relaxed, axis=-1).max() <= 0.3 + 1e-5


def test_relaxed_peptides_span_usual_distances() -> None:
    positions = noisy_coils(4, NOISE)
    relaxed = relax_trace(positions, TYPES, chain_links(positions), 0.6)
    known = ~np.isnan(relaxed.peptides[..., 0])
    between = known[:, :-2] & known[:, 1:-1] & known[:, 2:]  # peptides whose neighbours were relaxed, too
    distance = np.linalg.norm(np.diff(relaxed.positions, axis=1), axis=-1)[:, 1:][between]
    deviation = np.abs(distance[distance > 3.4] - 3.805)
    assert len(deviation) > 10
    assert np.median(deviation) < 0.04


def test_relaxation_twists_peptides() -> None:
    positions = noisy_coils(2, NOISE)
    relaxed = relax_trace(positions, TYPES, chain_links(positions), 0.3)
    assert 0.02 < np.nanstd(relaxed.peptides[..., 1]) < np.radians(25.0)
