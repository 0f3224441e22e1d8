"""The small model of the package: complete, small, and near the structures that it rebuilds."""

from __future__ import annotations

import numpy as np
import pytest
from golden import OPTIONS, build_atoms, references

from latcpb_cli.evaluation.evaluate import evaluate_pair
from latcpb_cli.hub import resolve_weights
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.predictor import Predictor
from latcpb_cli.structure import AtomStructure, AtomTopology

REFERENCES = references()
MAX_BYTES = 15_000_000


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    return LoadedModel.from_pretrained("latcpb-fast", device="cpu")


def parameters(predictor: Predictor) -> int:
    return sum(parameter.numel() for parameter in predictor.parameters())


def test_it_is_smaller_than_the_default_model_and_has_all_other_parts(model):
    default = LoadedModel.from_pretrained(device="cpu")
    assert resolve_weights("latcpb-fast").model.stat().st_size < MAX_BYTES
    assert parameters(model.predictor) < 0.6 * parameters(default.predictor)
    parts, all_parts = ({name for name, _ in each.predictor.named_children()} for each in (model, default))
    assert all_parts - parts == {"rescoring"}
    assert model.calibration is not None


@pytest.mark.parametrize(
    ("kind", "name", "all_heavy", "backbone", "chi1"),
    [
        ("best", "tnc", 1.32, 0.31, 62.0),
        ("best", "coil", 1.84, 0.23, 54.0),
        ("ensemble", "tnc", 1.50, 0.37, 56.0),
    ],
)
def test_accuracy_is_within_bounds(model, kind, name, all_heavy, backbone, chi1):
    reference = REFERENCES[name]
    atoms = build_atoms(model, reference, OPTIONS[kind])
    present = AtomTopology.heavy_atoms(reference.trace).present
    metrics = evaluate_pair(reference, AtomStructure(reference.trace, atoms, present, {})).methods[0].summary
    assert metrics["inner"]["rmsd"]["all_heavy"] <= all_heavy
    assert metrics["inner"]["rmsd"]["backbone"] <= backbone
    assert metrics["inner"]["chi"]["chi1"]["percent"] >= chi1
    assert metrics["validity"]["contact12_percent"]["max"] == 0
    assert metrics["validity"]["d_residues"]["count"] == 0
    assert np.isfinite(atoms).all()
