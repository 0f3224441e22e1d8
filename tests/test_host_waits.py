"""How often the host waits for a GPU: not more often for more frames, and with the atoms of a CPU."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
from simulated_gpu import SIMULATED_GPU, HostWaits, simulated_gpu
from tiny import SEQUENCE, perturb, tiny_predictor
from traces import noisy_coils

from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.options import BackmapOptions
from latcpb_cli.predictor import Predictor
from latcpb_cli.relax import relief
from latcpb_cli.structure import CGTrace, FrameChunk

BEST, ENSEMBLE = BackmapOptions(), BackmapOptions(mode="ensemble", seed=3)
SHORT_RELIEF = {"_N_STEPS": 3, "_STEPS_PER_PAIR_LIST": 2, "_N_STEPS_AFTER_RESELECTION": 2, "_MAX_ROUNDS": 1}
"""A descent in which pairs are listed twice, and one round of reselection; the host waits once in each step."""
MAX_WAITS = {"best": 130, "ensemble": 130}
"""Of a block, with a few to spare."""

LENGTH = len(SEQUENCE)
TRACE = CGTrace(
    SEQUENCE, np.full(LENGTH, "A"), np.zeros(LENGTH, np.int64), np.arange(LENGTH), np.full(LENGTH, "")
)


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    predictor = tiny_predictor()
    perturb(predictor, 1)
    return predictor


@pytest.fixture(autouse=True)
def _short_relief(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SHORT_RELIEF.items():
        monkeypatch.setattr(relief, name, value)


def make_chunk(n_frames: int) -> FrameChunk:
    frames = np.arange(n_frames)
    return FrameChunk(noisy_coils(n_frames, 0.15), frames * 1.0, np.zeros((n_frames, 6), np.float32), frames)


def load(predictor: Predictor, device: str) -> LoadedModel:
    predictor = deepcopy(predictor).to(device)
    return LoadedModel(predictor, weights_name="tiny", weights_sha256="0" * 64, device=device)


def sample_on_gpu(
    predictor: Predictor, chunk: FrameChunk, options: BackmapOptions, monkeypatch: pytest.MonkeyPatch
) -> tuple[np.ndarray, HostWaits]:
    """Build all frames of a chunk in one block on the simulated GPU."""
    monkeypatch.setattr(LoadedModel, "frames_per_block", lambda self, residues: len(chunk))
    with simulated_gpu() as waits:
        model = load(predictor, SIMULATED_GPU)
        waits.counts.clear()
        return model.sample(TRACE, chunk, options), waits


@pytest.mark.parametrize("options", [BEST, ENSEMBLE], ids=["best", "ensemble"])
def test_waits_do_not_grow_with_frames(
    predictor: Predictor, options: BackmapOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, first = sample_on_gpu(predictor, make_chunk(2), options, monkeypatch)  # and tables are copied
    atoms, waits = sample_on_gpu(predictor, make_chunk(6), options, monkeypatch)
    print(waits.counts.total(), waits.counts)
    assert waits.counts.total() <= min(first.counts.total(), MAX_WAITS[options.mode]), waits.counts
    expected = load(predictor, "cpu").sample(TRACE, make_chunk(6), options)
    assert np.abs(atoms - expected).max() < 0.01


def test_periodic_images_on_a_gpu(predictor: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    chunk = make_chunk(2)
    chunk.boxes[0] = [30.0, 32.0, 60.0, 80.0, 90.0, 100.0]
    atoms, _ = sample_on_gpu(predictor, chunk, BEST, monkeypatch)
    assert np.abs(atoms - load(predictor, "cpu").sample(TRACE, chunk, BEST)).max() < 0.01
