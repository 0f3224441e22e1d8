"""The CPU time of relief inside a model."""

import numpy as np
from relief_timer import relief_timer
from tiny import SEQUENCE, tiny_predictor
from traces import noisy_coils

from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.options import BackmapOptions
from latcpb_cli.structure import CGTrace, FrameChunk
from latcpb_cli.weights import MODEL_FILE


def test_residues_and_time_of_relief_are_counted_and_atoms_unchanged():
    length, frames = len(SEQUENCE), np.arange(3)
    numbers, labels = np.arange(length), np.full(length, "")
    trace = CGTrace(SEQUENCE, np.full(length, "A"), np.zeros(length, np.int64), numbers, labels)
    chunk = FrameChunk(noisy_coils(3, 0.15), frames * 1.0, np.zeros((3, 6), np.float32), frames)
    model = LoadedModel(tiny_predictor(), weights_name="tiny", checksums={MODEL_FILE: "0" * 64}, device="cpu")
    expected = model.sample(trace, chunk, BackmapOptions())
    with relief_timer() as cost:
        assert np.array_equal(model.sample(trace, chunk, BackmapOptions()), expected)
    assert cost.residues == 3 * length
    assert cost.seconds > 0
    assert np.array_equal(model.sample(trace, chunk, BackmapOptions()), expected)
    assert cost.residues == 3 * length  # of the context alone
