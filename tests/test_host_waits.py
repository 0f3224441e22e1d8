"""How often the host waits for a GPU: not more often for more frames, and with the atoms of a CPU."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from simulated_gpu import SIMULATED_GPU, HostWaits, simulated_gpu
from tiny import SEQUENCE, perturb, tiny_predictor
from traces import noisy_coils

from latcpb_cli.block_size import BlockSize
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.options import BackmapOptions
from latcpb_cli.relax import regions, relief
from latcpb_cli.structure import CGTrace, FrameChunk
from latcpb_cli.weights import MODEL_FILE

BEST, ENSEMBLE = BackmapOptions(), BackmapOptions(mode="ensemble", seed=3)
SHORT_RELIEF = {"_STEPS_PER_PAIR_LIST": 2, "_N_STEPS_AFTER_RESELECTION": 2, "_MAX_ROUNDS": 1}
"""Pairs are listed twice in a descent, and there is one round of reselection."""
MAX_WAITS = {"best": 184, "ensemble": 124}
"""Of a block, with two or three to spare; the images in the box of best mode cost some more."""

LENGTH = len(SEQUENCE)
TRACE = CGTrace(
    SEQUENCE, np.full(LENGTH, "A"), np.zeros(LENGTH, np.int64), np.arange(LENGTH), np.full(LENGTH, "")
)


@pytest.fixture(autouse=True)
def _short_relief(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SHORT_RELIEF.items():
        monkeypatch.setattr(relief, name, value)


def make_chunk(n_frames: int) -> FrameChunk:
    frames = np.arange(n_frames)
    return FrameChunk(noisy_coils(n_frames, 0.15), frames * 1.0, np.zeros((n_frames, 6), np.float32), frames)


def load(device: str) -> LoadedModel:
    predictor = tiny_predictor()
    perturb(predictor, 1)
    predictor.config = replace(predictor.config, relief_steps=3)
    return LoadedModel(
        predictor.to(device), weights_name="tiny", checksums={MODEL_FILE: "0" * 64}, device=device
    )


def sample_on_gpu(
    chunk: FrameChunk, options: BackmapOptions, monkeypatch: pytest.MonkeyPatch
) -> tuple[np.ndarray, HostWaits]:
    """Build all frames of a chunk in one block on the simulated GPU."""
    for bound in ("most", "least"):
        monkeypatch.setattr(BlockSize, bound, lambda self, residues: len(chunk))
    with simulated_gpu() as waits:
        model = load(SIMULATED_GPU)
        waits.counts.clear()
        return model.sample(TRACE, chunk, options), waits


def test_more_frames_cost_no_more_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    sample_on_gpu(make_chunk(1), ENSEMBLE, monkeypatch)  # tables are copied once
    few, many = (sample_on_gpu(make_chunk(count), ENSEMBLE, monkeypatch)[1].counts for count in (2, 6))
    assert many.total() <= few.total() + 2, (few, many)


def test_waits_and_atoms(monkeypatch: pytest.MonkeyPatch) -> None:
    sample_on_gpu(make_chunk(1), ENSEMBLE, monkeypatch)  # tables are copied once
    for options in (ENSEMBLE, BEST):
        chunk = make_chunk(6)
        if options is BEST:
            chunk.boxes[0] = [30.0, 32.0, 60.0, 80.0, 90.0, 100.0]
        atoms, waits = sample_on_gpu(chunk, options, monkeypatch)
        assert waits.counts.total() <= MAX_WAITS[options.mode], waits.counts
        assert np.abs(atoms - load("cpu").sample(TRACE, chunk, options)).max() < 0.01


def test_waits_and_atoms_of_large_structures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose overlaps are relaxed in regions."""
    divided: list[int] = []
    divide = regions._divide

    def recorded(*arguments: Any) -> Any:
        parts = divide(*arguments)
        divided.append(len(parts))
        return parts

    monkeypatch.setattr(regions, "_divide", recorded)
    monkeypatch.setattr(regions, "_MAX_WHOLE", LENGTH - 1)
    monkeypatch.setattr(regions, "_MOVABLE_DISTANCE", 4.0)
    sample_on_gpu(make_chunk(1), ENSEMBLE, monkeypatch)  # tables are copied once
    few, many = (sample_on_gpu(make_chunk(count), ENSEMBLE, monkeypatch) for count in (2, 6))
    assert many[1].counts.total() <= few[1].counts.total() + 2, (few[1].counts, many[1].counts)
    assert np.abs(many[0] - load("cpu").sample(TRACE, make_chunk(6), ENSEMBLE)).max() < 0.01
    assert sum(divided) > 6
