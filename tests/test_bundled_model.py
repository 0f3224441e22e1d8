"""The shipped model on coarse-grained trajectories: invariants of any weights, and what is packaged."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from latcpb_cli.chem.residues import ALA, CA_SLOT, CB_SLOT, GAMMA_SLOT, GIVEN_SLOTS, GLY, PRO
from latcpb_cli.confidence.collector import PredictionCollector
from latcpb_cli.geometry.angles import angle_difference
from latcpb_cli.io.all_atom import read_all_atom
from latcpb_cli.io.open_source import open_source
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.metrics.accuracy import CHI_TOLERANCE, squared_deviation
from latcpb_cli.metrics.jumps import RotamerJumps
from latcpb_cli.metrics.stereo import StereoChecker
from latcpb_cli.metrics.torsions import TORSION_NAMES, measure_torsions
from latcpb_cli.options import BackmapOptions
from latcpb_cli.read_options import ReadOptions
from latcpb_cli.run.bead_distances import bead_distances
from latcpb_cli.run.place_centers import place_centers
from latcpb_cli.sidechains.references import References
from latcpb_cli.structure import AtomTopology, FrameChunk
from latcpb_cli.weights import bundled_directory, load_manifest

ROOT = Path(__file__).parents[1]
FRAMES = 9
BEST = BackmapOptions()
CHI1 = TORSION_NAMES.index("chi1")


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    return LoadedModel.from_pretrained(device="cpu")


@pytest.fixture(scope="module")
def source():
    return open_source([ROOT / "examples" / "4ebp2.xtc"], ROOT / "examples" / "4ebp2.pdb")


@pytest.fixture(scope="module")
def chunk(source) -> FrameChunk:
    return next(source.chunks(FRAMES))


@pytest.fixture(scope="module")
def built(model, source, chunk) -> np.ndarray:
    return model.sample(source.trace, chunk, BEST)[:, 0]


def rotation() -> np.ndarray:
    matrix = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    return matrix * np.linalg.det(matrix)


def test_alpha_carbons_are_those_of_the_input(built, chunk) -> None:
    assert (built[:, :, CA_SLOT] == chunk.positions).all()


def test_a_frame_does_not_depend_on_its_batch(model) -> None:
    example = ROOT / "examples" / "4ebp2"
    short = open_source(
        [example.with_suffix(".xtc")], example.with_suffix(".pdb"), ReadOptions(selection="resid 1-24")
    )
    frames = next(short.chunks(33))

    def run(rows: slice) -> np.ndarray:
        part = FrameChunk(
            *(getattr(frames, name)[rows] for name in ("positions", "times", "boxes", "indices"))
        )
        return model.sample(short.trace, part, BackmapOptions(samples=2, seed=1))

    whole = run(slice(None))
    for start, end in ((0, 1), (13, 14), (32, 33), (7, 14), (28, 33), (0, 32)):
        assert np.array_equal(whole[start:end], run(slice(start, end)))


def test_a_consensus_of_frames_makes_rotamers_change_less_often(model) -> None:
    folded = open_source(
        [ROOT / "examples" / "tnc.dcd"], ROOT / "examples" / "tnc.pdb", ReadOptions(selection="resid 1-45")
    )
    frames, trace = next(folded.chunks(20)), folded.trace
    present, linked = AtomTopology.heavy_atoms(trace).present, trace.linked(frames.positions)
    percent = {}
    for coherence in (0.0, 1.5):
        options = BackmapOptions(coherence=coherence)
        consensus = model.rotamer_consensus(trace, frames, options) if coherence else None
        atoms = model.sample(trace, frames, options, References(consensus))[:, 0]
        assert np.array_equal(atoms[:, :, CA_SLOT], frames.positions)
        jumps, torsions = RotamerJumps(), measure_torsions(trace.residue_types, atoms, present, linked)
        jumps.add(torsions[:, None, :, CHI1])
        percent[coherence] = jumps.count.percent
    assert percent[1.5] < 0.7 * percent[0.0]


def deviation_after_rotation(model, source, chunk, precision: type) -> np.ndarray:
    """Distance (Å) of each atom built on a rotated input from the rotated atom."""
    matrix = rotation()
    center = chunk.positions.mean(axis=(0, 1), dtype=np.float64)
    rotated = replace(chunk, positions=((chunk.positions - center) @ matrix.T).astype(precision))
    original, result = (model.sample(source.trace, each, BEST)[:, 0] for each in (chunk, rotated))
    expected = (original - center) @ matrix.T
    distance = np.linalg.norm(result - expected, axis=-1)
    return distance[:, AtomTopology.heavy_atoms(source.trace).present]


def test_rotating_the_input_rotates_every_atom(model, source, chunk) -> None:
    assert deviation_after_rotation(model, source, chunk, np.float64).max() <= 1e-3


def test_rotating_an_input_of_32_bits_rotates_nearly_every_atom(model, source, chunk) -> None:
    # The rounding of the rotated input itself decides between equally good side chains.
    deviation = deviation_after_rotation(model, source, chunk, np.float32)
    assert np.quantile(deviation, 0.98) <= 1e-3
    assert np.quantile(deviation, 0.995) <= 0.02


@pytest.mark.parametrize("mirrored", [False, True])
def test_residues_are_l_and_bonds_hold(model, source, chunk, mirrored: bool) -> None:
    positions = chunk.positions * np.array([1, 1, -1 if mirrored else 1], dtype=np.float32)
    atoms = model.sample(source.trace, replace(chunk, positions=positions), BEST)[:, 0]
    trace, mask = source.trace, AtomTopology.heavy_atoms(source.trace).present
    counts = StereoChecker(trace.residue_types, mask, trace.chain_index).count(atoms, trace.linked(positions))
    assert counts["d_residues"].hits == 0
    assert counts["d_residues"].total > 500
    assert counts["inverted_cb"].hits == 0
    assert counts["peptide_bonds"].hits == 0


@pytest.mark.parametrize("options", [BEST, BackmapOptions(samples=2)])
def test_residues_of_high_confidence_are_right_more_often(model, options) -> None:
    native = read_all_atom(ROOT / "examples" / "tnc_allatom.pdb")
    count, types = len(native), native.trace.residue_types
    numbers, boxes = np.arange(count), np.zeros((count, 6), np.float32)
    chunk = FrameChunk(native.atoms[:, :, CA_SLOT], numbers * 1.0, boxes, numbers)
    predictions = PredictionCollector()
    atoms = model.sample(native.trace, chunk, options, predictions=predictions)
    assert model.calibration is not None, "run benchmarks/calibrate_confidence.py for these weights"
    scores = predictions.scores(native.trace, atoms)
    confidence = model.calibration.confidence(options.settled_mode, types, scores)
    known = native.present, native.linked()
    chi1 = [measure_torsions(types, x, *known)[..., CHI1] for x in (native.atoms, atoms[:, 0])]
    right, predicted = angle_difference(*chi1) <= CHI_TOLERANCE, confidence.chi[:, 0, :, 0]
    assert right[predicted >= 0.9].mean() > right[predicted < 0.7].mean() + 0.15
    squares = squared_deviation(types, native.atoms, atoms[:, 0], native.present)
    error = np.sqrt(squares[..., GAMMA_SLOT:].sum(-1))
    likely_small = confidence.side_chain_error[:, 0] < np.nanmedian(confidence.side_chain_error)
    assert error[likely_small].mean() < 0.7 * error[~likely_small].mean()
    table = confidence.table()
    assert np.nanmin(table) >= 0 and np.nanmax(table[..., :5]) <= 1
    assert np.isnan(confidence.chi[:, :, np.isin(types, (ALA, GLY, PRO))]).all()


def test_side_chains_are_nearer_on_the_backbone_of_the_input(model) -> None:
    path = ROOT / "examples" / "tnc_allatom.pdb"
    native, source = read_all_atom(path), open_source([path]).keeping_backbone()
    chunk, types = source.read_frames(np.arange(source.n_frames)), native.trace.residue_types
    present, deviation = native.present.copy(), {}
    present[:, : CB_SLOT + 1] = False
    for kept in (True, False):
        atoms = model.sample(source.trace, chunk, BackmapOptions(keep_backbone=kept))[:, 0]
        squares = squared_deviation(types, native.atoms, atoms, native.present)
        deviation[kept] = np.sqrt(squares[:, present].mean())
        given, slots = ~np.isnan(chunk.backbone), list(GIVEN_SLOTS)
        assert np.array_equal(atoms[:, :, slots][given], chunk.backbone[given]) == kept
    assert deviation[True] < 0.995 * deviation[False]


def test_the_calibration_is_monotone(model) -> None:
    for mode in model.calibration.modes.values():
        rising = [*mode.chi, mode.backbone_error]
        assert all((np.diff(knots.values) >= 0).all() for knots in rising)
        assert (np.diff(mode.backbone.values) <= 0).all()
        for knots in (*mode.chi, mode.backbone):
            assert len(knots.values) <= 20 and 0 <= min(knots.values) <= max(knots.values) <= 1
            assert (np.diff(knots.scores) > 0).all()


def test_the_default_model_is_in_the_manifest_and_bundled() -> None:
    manifest = load_manifest()
    assert manifest.default in manifest.models
    assert bundled_directory(manifest.default) is not None


def test_the_wheel_carries_the_weights(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    names = zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist()
    default = load_manifest().default
    for file in ("config.json", "confidence.json", "model.safetensors", "SHA256", "README.md"):
        assert f"latcpb_cli/_weights/{default}/{file}" in names
    for file in ("chem/reference.json", "chem/ideal.json", "chem/ramachandran.txt", "weights_manifest.json"):
        assert f"latcpb_cli/{file}" in names


def test_centres_of_mass_become_the_structure_they_come_from(model) -> None:
    native = read_all_atom(ROOT / "examples" / "tnc_allatom.pdb")
    source = open_source([ROOT / "examples" / "tnc_com.pdb"], options=ReadOptions(com_residues="A:5-85"))
    chunk, trace = next(source.chunks(1)), source.trace
    placed = place_centers(model, trace, chunk)
    atoms = model.sample(trace, placed, BEST)
    distances = bead_distances(trace, placed, atoms, np.zeros((1, 1, len(trace)), dtype=bool))["com"]
    squares = squared_deviation(trace.residue_types, native.atoms[:1], atoms[:, 0], native.present)[0]
    backbone = squares[5:85, [0, 2, 3]].mean()
    assert np.sqrt(np.nanmean(distances**2)) < 0.3
    assert np.sqrt(backbone) < 0.5
    assert np.sqrt(squares[5:85][native.present[5:85]].mean()) < 1.0
    assert trace.com_beads is not None
    is_ca = ~trace.com_beads
    np.testing.assert_array_equal(atoms[0, 0, is_ca, CA_SLOT], chunk.positions[0, is_ca])


def test_side_chains_follow_their_beads(model) -> None:
    native = read_all_atom(ROOT / "examples" / "tnc_allatom.pdb")
    source = open_source([ROOT / "examples" / "tnc_sc.pdb"], options=ReadOptions(beads="ca+sc"))
    chunk, trace = next(source.chunks(1)), source.trace
    built = {}
    for name, one in (("ca+sc", trace), ("ca", replace(trace, side_chain_center=None))):
        atoms = model.sample(one, chunk, BEST)
        np.testing.assert_array_equal(atoms[0, 0, :, CA_SLOT], chunk.positions[0])
        distances = bead_distances(trace, chunk, atoms, np.zeros((1, 1, len(trace)), dtype=bool))
        squares = squared_deviation(trace.residue_types, native.atoms[:1], atoms[:, 0], native.present)[0]
        rms = float(np.sqrt(squares[native.present].mean()))
        built[name] = rms, float(np.sqrt(np.nanmean(distances["sc"] ** 2)))
    assert built["ca+sc"][0] < 0.65 < 0.9 < built["ca"][0]
    assert built["ca+sc"][1] < 0.25 < 0.7 < built["ca"][1]
