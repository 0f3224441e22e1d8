"""Cα are placed from centres of mass, and refined by structures built on them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from rotations import random_rotation
from tiny import perturb
from written import make_trace

from latcpb_cli.backbone.place_ca import place_ca
from latcpb_cli.backbone.refine_ca import refine_ca
from latcpb_cli.com_beads.definition import centers_of_mass
from latcpb_cli.com_beads.encoder import BeadEncoder, Beads, Placement
from latcpb_cli.errors import WeightsError
from latcpb_cli.io.all_atom import read_all_atom
from latcpb_cli.structure import CGTrace, FrameChunk

NATIVE = read_all_atom(Path(__file__).parents[2] / "examples" / "tnc_allatom.pdb")
CENTERS = centers_of_mass(
    torch.from_numpy(NATIVE.atoms), torch.from_numpy(NATIVE.trace.residue_types)
).numpy()
IS_COM = (np.arange(89) // 20) % 2 == 0
TRACE: CGTrace = replace(NATIVE.trace, com_beads=IS_COM)


@pytest.fixture(scope="module")
def encoder() -> BeadEncoder:
    torch.manual_seed(0)
    module = BeadEncoder().eval().requires_grad_(False)
    perturb(module, seed=1, scale=0.01)
    return module


def chunk(positions: np.ndarray | None = None, missing: np.ndarray | None = None) -> FrameChunk:
    beads = np.where(IS_COM[:, None], CENTERS, NATIVE.atoms[:, :, 1]) if positions is None else positions
    count = len(beads)
    return FrameChunk(
        beads.astype(np.float32), np.zeros(count), np.zeros((count, 6), np.float32), np.arange(count), missing
    )


def test_ca_beads_stay_to_the_bit_and_neighbours_fit(encoder: BeadEncoder) -> None:
    given = chunk()
    placed = place_ca(encoder, TRACE, given)
    np.testing.assert_array_equal(placed.positions[:, ~IS_COM], given.positions[:, ~IS_COM])
    np.testing.assert_array_equal(placed.beads, given.positions)
    steps = np.linalg.norm(np.diff(placed.positions, axis=1), axis=-1)
    inside = IS_COM[1:] & IS_COM[:-1]
    assert np.abs(np.median(steps[:, inside]) - 3.8) < 0.1
    assert (placed.positions[:, IS_COM] != given.positions[:, IS_COM]).any(-1).all()


def test_a_frame_does_not_depend_on_the_others(encoder: BeadEncoder) -> None:
    together = place_ca(encoder, TRACE, chunk())
    for frame in (0, len(together) - 1):
        alone = place_ca(encoder, TRACE, chunk().select(frame))
        np.testing.assert_array_equal(alone.positions[0], together.positions[frame])
        assert together.bead_noise is not None and alone.bead_noise == together.bead_noise[frame] > 0.0


def test_the_answer_turns_with_the_beads(encoder: BeadEncoder) -> None:
    turn = random_rotation(2).numpy().astype(np.float64)
    center = chunk().positions.mean(axis=(0, 1), dtype=np.float64)
    turned = place_ca(encoder, TRACE, chunk((chunk().positions - center) @ turn.T)).positions
    plain = place_ca(encoder, TRACE, chunk()).positions
    np.testing.assert_allclose(turned, (plain - center) @ turn.T, atol=0.05)


class _UnsureEncoder(BeadEncoder):
    """Predicts each Cα at its bead, within half an Å."""

    def forward(self, beads: Beads) -> list[Placement]:
        log_std = torch.full(beads.positions.shape[:1], np.log(0.5))
        return [Placement(beads.positions, beads.positions, log_std, log_std)]


def test_near_ca_are_cis_before_proline_alone_however_unsure() -> None:
    near, rows = {4: 3.3, 9: 3.3, 14: 3.4}, np.arange(20)
    sequence = "".join("P" if row in (5, 15) else "A" for row in rows)
    side = 1.2 * (rows % 2)
    along = np.cumsum([np.sqrt(near.get(row - 1, 3.8) ** 2 - 1.2**2) for row in rows])
    positions = np.stack([along, side, np.zeros(20)], axis=-1)[None]
    trace = replace(make_trace(sequence, ["A"] * 20), com_beads=np.ones(20, dtype=bool))
    ca = place_ca(_UnsureEncoder(), trace, chunk(positions)).positions[0]
    is_cis = np.linalg.norm(np.diff(ca, axis=0), axis=-1) < 3.4
    assert np.flatnonzero(is_cis).tolist() == [4]


def test_missing_beads_stay_where_they_are(encoder: BeadEncoder) -> None:
    missing = np.zeros((5, 89), dtype=bool)
    missing[2, 5:8] = True
    far = chunk().positions.copy()
    far[2, 5:8] += 500.0
    placed = place_ca(encoder, TRACE, chunk(far, missing))
    np.testing.assert_array_equal(placed.positions[2, 5:8], far[2, 5:8])
    assert np.isfinite(placed.positions).all()


def test_beads_that_are_no_centres_are_a_problem_of_the_frame(encoder: BeadEncoder) -> None:
    scattered = chunk().positions.copy()
    scattered[1] += 2.5 * np.random.default_rng(0).normal(size=(89, 3))
    trace = replace(TRACE, com_beads=np.ones(89, dtype=bool))
    assert "no centres of mass" in place_ca(encoder, trace, chunk(scattered)).problems[1]


def test_weights_without_an_encoder_are_refused() -> None:
    with pytest.raises(WeightsError, match="no encoder of centres of mass"):
        place_ca(None, TRACE, chunk())


def test_refinement_moves_ca_towards_the_beads() -> None:
    """Structures whose residues are off as a whole come nearer; Cα that are beads stay."""
    rng = np.random.default_rng(1)
    shift = 0.2 * np.repeat(rng.normal(size=(5, 89, 1, 3)), 15, axis=2) * IS_COM[:, None, None]
    atoms = (NATIVE.atoms + shift).astype(np.float32)
    given = replace(chunk(), positions=atoms[:, :, 1].copy(), beads=chunk().positions)
    refined = refine_ca(TRACE, given, atoms)
    before, after = (
        np.linalg.norm(x.positions - NATIVE.atoms[:, :, 1], axis=-1)[:, IS_COM] for x in (given, refined)
    )
    assert np.sqrt((after**2).mean()) < 0.8 * np.sqrt((before**2).mean())
    np.testing.assert_array_equal(refined.positions[:, ~IS_COM], given.positions[:, ~IS_COM])
    noisy = refine_ca(TRACE, replace(given, bead_noise=np.full(5, 0.3)), atoms)
    weaker = np.linalg.norm(noisy.positions - NATIVE.atoms[:, :, 1], axis=-1)[:, IS_COM]
    assert np.sqrt((after**2).mean()) < np.sqrt((weaker**2).mean()) < np.sqrt((before**2).mean())
