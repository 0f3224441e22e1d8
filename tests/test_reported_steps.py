"""A model that reports its steps builds the same atoms as one that does not."""

from __future__ import annotations

import numpy as np
import pytest
from tiny import SEQUENCE, TINY, coil, tiny_predictor

from latcpb_cli.block_size import BlockSize
from latcpb_cli.diffusion import step_counter
from latcpb_cli.diffusion.step_counter import Steps
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.options import BackmapOptions
from latcpb_cli.structure import CGTrace, FrameChunk
from latcpb_cli.weights import MODEL_FILE

LENGTH, STEPS = len(SEQUENCE), TINY.schedule.steps
TRACE = CGTrace(
    SEQUENCE, np.full(LENGTH, "A"), np.zeros(LENGTH, np.int64), np.arange(LENGTH) + 1, np.full(LENGTH, "")
)
EXACT = BackmapOptions(mode="exact", samples=2)


def chunk(n_frames: int) -> FrameChunk:
    positions = np.stack([coil(LENGTH).numpy() + frame for frame in range(n_frames)])
    return FrameChunk(
        positions, np.arange(n_frames) * 1.0, np.zeros((n_frames, 6), np.float32), np.arange(n_frames)
    )


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> LoadedModel:
    """A model of 20 steps that computes two frames at once, and reports at every step."""
    monkeypatch.setattr(step_counter, "_SECONDS_WITHOUT_STEPS", 0.0)
    monkeypatch.setattr(step_counter, "_SECONDS_BETWEEN_STEPS", 0.0)
    monkeypatch.setattr(BlockSize, "most", lambda self, residues: 2)
    checksums = {MODEL_FILE: "0" * 64}
    return LoadedModel(tiny_predictor(), weights_name="tiny", checksums=checksums, device="cpu")


def test_steps_of_all_blocks_and_samples_are_counted(model: LoadedModel) -> None:
    """Three frames are two blocks, with two samples each."""
    reported: list[Steps] = []
    atoms = model.reporting(reported.append).sample(TRACE, chunk(3), EXACT)
    total = 2 * 2 * STEPS
    assert reported == [Steps(done, total, 3 * done / total) for done in range(1, total + 1)]
    assert np.array_equal(atoms, model.sample(TRACE, chunk(3), EXACT))
    assert len(reported) == total, "the model itself does not report"


@pytest.mark.parametrize("mode", ["best", "ensemble"])
def test_other_modes_report_nothing(model: LoadedModel, mode) -> None:
    reported: list[Steps] = []
    model.reporting(reported.append).sample(TRACE, chunk(3), BackmapOptions(mode=mode))
    assert reported == []
