"""Scores of structures do not depend on their batch, and collecting them does not change the atoms."""

from __future__ import annotations

import numpy as np
import pytest
from tiny import SEQUENCE, coil, perturb, tiny_predictor

from latcpb_cli.confidence.collector import PredictionCollector
from latcpb_cli.confidence.scores import Scores, has_chi
from latcpb_cli.errors import UsageError
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.options import BackmapOptions
from latcpb_cli.structure import CGTrace, FrameChunk
from latcpb_cli.weights import MODEL_FILE

LENGTH = len(SEQUENCE)
TRACE = CGTrace(
    SEQUENCE, np.full(LENGTH, "A"), np.zeros(LENGTH, np.int64), np.arange(LENGTH), np.full(LENGTH, "")
)


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    predictor = tiny_predictor()
    perturb(predictor, seed=1)
    return LoadedModel(predictor, weights_name="tiny", checksums={MODEL_FILE: "0" * 64}, device="cpu")


def chunk(frames: list[int]) -> FrameChunk:
    shapes = [coil(LENGTH).numpy() * (1 + 0.004 * frame) for frame in frames]
    boxes = np.zeros((len(frames), 6), np.float32)
    return FrameChunk(np.array(shapes, np.float32), np.array(frames, float), boxes, np.array(frames))


def run(model: LoadedModel, frames: list[int], **options) -> tuple[np.ndarray, Scores]:
    predictions = PredictionCollector()
    atoms = model.sample(TRACE, chunk(frames), BackmapOptions(**options), predictions=predictions)
    return atoms, predictions.scores(TRACE, atoms)


@pytest.mark.parametrize("options", [{}, {"samples": 2}])
def test_scores_do_not_depend_on_the_batch(model, options):
    frames = [0, 1, 2, 3, 4]
    atoms, together = run(model, frames, **options)
    assert np.array_equal(atoms, model.sample(TRACE, chunk(frames), BackmapOptions(**options)))
    alone = [run(model, [frame], **options)[1] for frame in frames]
    assert np.array_equal(together.chi, np.concatenate([each.chi for each in alone]), equal_nan=True)
    assert np.array_equal(together.backbone, np.concatenate([each.backbone for each in alone]))


def test_scores_are_probabilities_of_the_chi_angles_that_residues_have(model):
    chi = run(model, [0], samples=3)[1].chi[0]
    known = has_chi(TRACE.residue_types)
    assert np.isnan(chi[:, ~known]).all()
    assert ((chi[:, known] >= 0) & (chi[:, known] <= 1 + 1e-6)).all()
    later = known[:, 1:]
    assert (chi[:, :, 1:] <= chi[:, :, :-1])[:, later].all()
    assert len(np.unique(chi[:, :, 0][:, known[:, 0]], axis=0)) == 3  # samples have states of their own


def test_other_chi_angles_have_other_scores(model):
    predictions = PredictionCollector()
    atoms = model.sample(TRACE, chunk([0]), BackmapOptions(), predictions=predictions)
    before = predictions.scores(TRACE, atoms).chi
    moved, residue = atoms.copy(), SEQUENCE.index("C")
    n, ca, cb, sg = moved[0, 0, residue, [0, 1, 4, 5]]
    axis = (cb - ca) / np.linalg.norm(cb - ca)
    along = (sg - cb) @ axis * axis
    moved[0, 0, residue, 5] = cb + 2 * along - (sg - cb)  # chi 1 after half a turn
    after = predictions.scores(TRACE, moved).chi
    changed = ~np.isclose(before, after, equal_nan=True).all(-1)[0, 0]
    assert np.flatnonzero(changed).tolist() == [residue]


@pytest.mark.parametrize("options", [{"mode": "exact"}, {"without": ("packing", "rescoring")}])
def test_other_runs_have_no_scores(model, options):
    with pytest.raises(UsageError, match="modes best and ensemble"):
        run(model, [0], **options)
