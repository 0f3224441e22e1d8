"""Backbones of the input on their way through the model: modes, parts, batches, coherence, confidence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from cg_files import linear_calibration
from peptides import structure
from tiny import SEQUENCE, perturb, tiny_predictor

from latcpb_cli.chem.residues import CA_SLOT, CB_SLOT, GAMMA_SLOT, GIVEN_SLOTS, N_SLOT, PRO, slot_mask
from latcpb_cli.choices import PARTS
from latcpb_cli.errors import UsageError
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.metrics.clashes import frame_clashes
from latcpb_cli.metrics.stereo import StereoChecker
from latcpb_cli.options import BackmapOptions, MdOptions
from latcpb_cli.run.chunk_job import ChunkJob
from latcpb_cli.sidechains.references import References
from latcpb_cli.structure import FrameChunk
from latcpb_cli.weights import MODEL_FILE

SLOTS = list(GIVEN_SLOTS)
PEPTIDES = structure(SEQUENCE, phi=-70.0, psi=-35.0), structure(SEQUENCE, phi=-120.0, psi=130.0)
TRACE = PEPTIDES[0].trace
BEST = BackmapOptions(keep_backbone=True)
ENSEMBLE = BackmapOptions(keep_backbone=True, samples=2, seed=3)
LIMITS = (-np.inf, np.inf)


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    predictor = tiny_predictor()
    for seed, module in enumerate((predictor.latcpb.decoder, predictor.packing, predictor.rescoring)):
        perturb(module, seed, 0.2)
    identity = {"weights_name": "tiny", "checksums": {MODEL_FILE: "0" * 64}, "device": "cpu"}
    return LoadedModel(predictor, **identity, calibration=linear_calibration())


def make_chunk(frames: list[int], noise: float = 0.03) -> FrameChunk:
    """A helix and a strand by turns, with a little noise in each atom, and without some CB and O."""
    atoms = [PEPTIDES[frame % 2].atoms[0] for frame in frames]
    shaken = [
        each + noise * np.random.default_rng(frame).normal(size=each.shape) + 20.0
        for frame, each in zip(frames, atoms, strict=True)
    ]
    positions = np.array(shaken, dtype=np.float32)
    backbone = np.where(slot_mask()[TRACE.residue_types][:, SLOTS, None], positions[:, :, SLOTS], np.nan)
    backbone[:, 3, 2:] = backbone[:, 7, 3] = np.nan
    numbers, boxes = np.array(frames), np.zeros((len(frames), 6), np.float32)
    kept = backbone.astype(np.float32)
    return FrameChunk(positions[:, :, CA_SLOT], numbers * 1.0, boxes, numbers, backbone=kept)


def assert_kept(atoms: np.ndarray, chunk: FrameChunk) -> None:
    """Every atom that is given is there to the bit, in all samples."""
    assert chunk.backbone is not None
    given = ~np.isnan(chunk.backbone)
    for sample in range(atoms.shape[1]):
        assert np.array_equal(atoms[:, sample][:, :, SLOTS][given], chunk.backbone[given])
        assert np.array_equal(atoms[:, sample, :, CA_SLOT], chunk.positions)
    assert np.isfinite(atoms).all()


@pytest.mark.parametrize(
    "options",
    [
        BEST,
        ENSEMBLE,
        replace(ENSEMBLE, mode="exact"),
        replace(ENSEMBLE, coherence=1.0),
        replace(BEST, without=("relief",)),
        replace(BEST, without=("peptides", "packing", "rescoring")),
        replace(BEST, without=PARTS),
    ],
    ids=["best", "ensemble", "exact", "coherent", "no relief", "no heads", "paper"],
)
def test_atoms_of_the_input_are_those_of_the_output(model: LoadedModel, options: BackmapOptions) -> None:
    chunk = make_chunk([0, 1, 2])
    atoms = model.sample(TRACE, chunk, options)
    assert_kept(atoms, chunk)
    present, linked = slot_mask()[TRACE.residue_types], TRACE.linked(chunk.positions)
    checker = StereoChecker(TRACE.residue_types, present, TRACE.chain_index)
    for structures in np.moveaxis(atoms, 1, 0):
        counts = checker.count(structures, linked)
        assert counts["d_residues"].hits == counts["inverted_cb"].hits == counts["peptide_bonds"].hits == 0
        bond = np.linalg.norm(structures[:, :, GAMMA_SLOT] - structures[:, :, CB_SLOT], axis=-1)
        assert (np.abs(bond[:, present[:, GAMMA_SLOT]] - 1.55) < 0.3).all()


def test_relief_turns_side_chains_alone(model: LoadedModel) -> None:
    chunk, overlaps = make_chunk([0, 2, 4, 6]), []
    for without in (("relief",), ()):
        atoms = model.sample(TRACE, chunk, replace(BEST, without=without))[:, 0]
        assert_kept(atoms[:, None], chunk)
        present, linked = slot_mask()[TRACE.residue_types], TRACE.linked(chunk.positions)
        clashes = frame_clashes(TRACE.residue_kinds, atoms, present, linked, chunk.boxes)
        overlaps.append(sum(frame.overlap04_per_1000 for frame in clashes))
    assert overlaps[1] < 0.5 * overlaps[0]


def test_a_frame_does_not_depend_on_its_batch(model: LoadedModel) -> None:
    frames = list(range(22))
    whole = model.sample(TRACE, make_chunk(frames), ENSEMBLE)
    parts = [model.sample(TRACE, make_chunk(frames[i : i + 9]), ENSEMBLE) for i in range(0, 22, 9)]
    assert np.array_equal(whole, np.concatenate(parts))
    alone = make_chunk(frames).select(7)
    assert np.array_equal(whole[7:8], model.sample(TRACE, alone, ENSEMBLE))


def test_reference_frames_have_their_own_backbones(model: LoadedModel) -> None:
    chunk, coherent = make_chunk(list(range(8))), replace(BEST, coherence=2.0)
    consensus = model.rotamer_consensus(TRACE, chunk, coherent)
    np.testing.assert_allclose(consensus.probabilities.astype(float).sum(-1), 1.0, atol=0.01)
    on_predicted = model.rotamer_consensus(TRACE, chunk, BackmapOptions(coherence=2.0))
    assert not np.allclose(consensus.probabilities, on_predicted.probabilities, atol=0.01)
    smooth, plain = (model.sample(TRACE, chunk, coherent, each) for each in (References(consensus), None))
    assert_kept(smooth, chunk)
    assert np.array_equal(plain, model.sample(TRACE, chunk, BEST))
    assert not np.array_equal(smooth, plain)


@pytest.mark.parametrize("has_cb", [True, False])
def test_the_hand_of_the_input_is_counted(model: LoadedModel, has_cb: bool) -> None:
    """A mirrored backbone has D residues where it has CB; without them, CB is that of an L-amino acid."""
    chunk = make_chunk([0])
    assert chunk.backbone is not None
    mirror = np.array([1.0, 1.0, -1.0], dtype=np.float32)
    mirrored = replace(chunk, positions=chunk.positions * mirror, backbone=chunk.backbone * mirror)
    if not has_cb:
        mirrored.backbone[:, :, GIVEN_SLOTS.index(CB_SLOT)] = np.nan
    atoms = model.sample(TRACE, mirrored, BEST)
    assert_kept(atoms, mirrored)
    checker = StereoChecker(TRACE.residue_types, slot_mask()[TRACE.residue_types], TRACE.chain_index)
    d_residues = checker.count(atoms[:, 0], TRACE.linked(mirrored.positions))["d_residues"].hits
    given = ~np.isnan(mirrored.backbone[0, :, GIVEN_SLOTS.index(CB_SLOT), 0])
    assert d_residues == given.sum() and (d_residues > 15) == has_cb


def test_residues_without_a_backbone_are_built(model: LoadedModel) -> None:
    chunk = make_chunk([0, 1])
    assert chunk.backbone is not None
    chunk.backbone[1, 5] = np.nan
    atoms = model.sample(TRACE, chunk, BEST)
    assert_kept(atoms, chunk)
    assert 1.3 < np.linalg.norm(atoms[1, 0, 5, N_SLOT] - atoms[1, 0, 5, CA_SLOT]) < 1.6


def test_a_backbone_is_kept_on_request_only(model: LoadedModel) -> None:
    chunk = make_chunk([0])
    without = replace(chunk, backbone=None)
    plain = model.sample(TRACE, chunk, BackmapOptions())
    assert np.array_equal(plain, model.sample(TRACE, without, BackmapOptions()))
    with pytest.raises(UsageError, match="--keep-backbone on frames without one"):
        model.sample(TRACE, without, BEST)


@pytest.mark.parametrize("samples", [1, 2])
def test_backbones_that_are_given_are_certain(model: LoadedModel, samples: int) -> None:
    chunk = make_chunk([0, 1])
    options = BackmapOptions(keep_backbone=True, samples=samples)
    built = ChunkJob(TRACE, options, LIMITS, has_confidence=True).build(model, chunk)
    assert built.confidence is not None
    assert (built.confidence.backbone == 1).all() and (built.confidence.backbone_error == 0).all()
    chi1 = built.confidence.chi[..., 0]
    known = np.isfinite(chi1[0, 0])
    assert known.any() and not known[TRACE.residue_types == PRO].any()
    assert (chi1[:, :, known] < 1).all()


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"ca_tolerance": 0.3}, "--ca-tolerance moves Cα"),
        ({"md": MdOptions(minimize=10)}, "--minimize moves all atoms"),
    ],
)
def test_nothing_may_move_what_is_kept(other, message) -> None:
    with pytest.raises(UsageError, match=message):
        BackmapOptions(keep_backbone=True, **other)
    assert BackmapOptions(keep_backbone=True, md=MdOptions(hydrogens=True)).keep_backbone
