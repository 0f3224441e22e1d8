"""Reference frames: which are chosen, and with which weight they count in other frames."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from latcpb_cli.chem.rotamers import N_ROTAMERS
from latcpb_cli.sidechains.consensus import RotamerConsensus, choose_reference_frames

N_FRAMES, N_RESIDUES = 4, 6
LENGTH = 1.5


@pytest.fixture
def consensus() -> RotamerConsensus:
    rng = np.random.default_rng(1)
    probabilities = rng.dirichlet(np.ones(N_ROTAMERS), (N_FRAMES, N_RESIDUES)).astype(np.float16)
    descriptors = rng.normal(5.0, 1.0, (N_FRAMES, N_RESIDUES, 8))
    return RotamerConsensus(np.array([0, 10, 20, 30]), descriptors, probabilities)


def select(consensus: RotamerConsensus, *frames: int) -> RotamerConsensus:
    """The consensus of some reference frames alone."""
    return RotamerConsensus(*(column[list(frames)] for column in vars(consensus).values()))


def weights(consensus: RotamerConsensus, descriptors: np.ndarray, frame: int = 7) -> np.ndarray:
    """Weights in one frame: (L, R)."""
    return consensus.weights(np.array([frame]), descriptors[None], LENGTH).numpy()


@given(st.integers(1, 10_000), st.integers(1, 50_000))
def test_reference_frames_are_few_and_evenly_spread(n_frames: int, n_residues: int) -> None:
    frames = choose_reference_frames(n_frames, n_residues)
    assert frames[0] == 0
    assert frames[-1] < n_frames
    assert len(frames) == 1 or len(frames) * n_residues <= 32768
    assert len(frames) <= min(n_frames, 32)
    if len(frames) > 1:
        gaps = np.diff(frames)
        assert frames[-1] == n_frames - 1
        assert gaps.min() > 0
        assert gaps.max() - gaps.min() <= 1


@pytest.mark.parametrize(
    ("distance", "weight"), [(0.0, 1.0), (0.5, 0.946), (1.5, 0.607), (3.0, 0.135), (100.0, 0.0)]
)
def test_weights_fall_with_the_distance_of_descriptors(
    consensus: RotamerConsensus, distance: float, weight: float
) -> None:
    """The distance is Euclidean, here along two descriptors of one residue."""
    reference = select(consensus, 1)
    descriptors = reference.descriptors[0].copy()
    descriptors[2, [3, 5]] += np.array([0.6, 0.8]) * distance
    result, expected = weights(reference, descriptors), reference.probabilities[0].astype(np.float32)
    assert result[2] == pytest.approx(weight * expected[2], abs=1e-4)
    others = [0, 1, 3, 4, 5]
    assert result[others] == pytest.approx(expected[others], abs=1e-6)


def test_weights_of_reference_frames_are_added(consensus: RotamerConsensus) -> None:
    descriptors = consensus.descriptors[1] + 0.2
    alone = [weights(select(consensus, frame), descriptors) for frame in range(N_FRAMES)]
    assert weights(consensus, descriptors) == pytest.approx(sum(alone), abs=1e-6)
    assert min(part.sum() for part in alone) > 0


def test_a_reference_frame_has_no_weight_in_itself(consensus: RotamerConsensus) -> None:
    itself = weights(consensus, consensus.descriptors[2], frame=20)
    assert np.array_equal(itself, weights(select(consensus, 0, 1, 3), consensus.descriptors[2], frame=20))


def test_weights_do_not_depend_on_the_batch(consensus: RotamerConsensus) -> None:
    descriptors, frames = np.random.default_rng(2).normal(5.0, 1.0, (9, N_RESIDUES, 8)), np.arange(9)
    together = consensus.weights(frames, descriptors, LENGTH).view(9, N_RESIDUES, -1)
    for frame in frames:
        alone = consensus.weights(frames[[frame]], descriptors[[frame]], LENGTH)
        assert torch.equal(together[frame], alone)


def test_concatenated_parts_equal_the_whole(consensus: RotamerConsensus) -> None:
    joined = RotamerConsensus.concatenate([select(consensus, 0, 1), select(consensus, 2, 3)])
    for name, column in vars(consensus).items():
        assert np.array_equal(getattr(joined, name), column)
