"""The model that ships, on a real coarse-grained trajectory: what must hold whatever it has learnt."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from latcpb_cli.backmapper import Backmapper
from latcpb_cli.io.open_source import open_source
from latcpb_cli.metrics.jumps import Jumps
from latcpb_cli.metrics.stereo import StereoChecker
from latcpb_cli.metrics.torsions import TORSION_NAMES, torsions
from latcpb_cli.options import ReadOptions
from latcpb_cli.structure import AtomTopology, FrameChunk
from latcpb_cli.weights import bundled_directory, load_manifest

ROOT = Path(__file__).parents[1]
FRAMES = 9
CHI1 = TORSION_NAMES.index("chi1")


@pytest.fixture(scope="module")
def model() -> Backmapper:
    return Backmapper.from_pretrained(device="cpu")


@pytest.fixture(scope="module")
def source():
    return open_source([ROOT / "examples" / "4ebp2.xtc"], ROOT / "examples" / "4ebp2.pdb")


@pytest.fixture(scope="module")
def chunk(source) -> FrameChunk:
    return next(source.chunks(FRAMES))


@pytest.fixture(scope="module")
def built(model, source, chunk) -> np.ndarray:
    return model.sample(source.trace, chunk, samples=1, seed=0, mode="best")[:, 0]


def rotation() -> np.ndarray:
    matrix = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    return matrix * np.linalg.det(matrix)


def present(trace) -> np.ndarray:
    topology = AtomTopology.heavy_atoms(trace)
    mask = np.zeros((len(trace), 15), dtype=bool)
    mask[topology.residue, topology.slot] = True
    return mask


def test_alpha_carbons_are_those_of_the_input(built, chunk) -> None:
    assert (built[:, :, 1] == chunk.positions).all()


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
        return model.sample(short.trace, part, samples=2, seed=1, mode="ensemble")

    whole = run(slice(None))
    for size in (1, 7, 32):
        parts = [run(slice(start, start + size)) for start in range(0, len(frames), size)]
        assert np.array_equal(whole, np.concatenate(parts))


def test_frames_that_are_alike_steady_the_best_answer(model) -> None:
    folded = open_source(
        [ROOT / "examples" / "tnc.dcd"], ROOT / "examples" / "tnc.pdb", ReadOptions(selection="resid 1-45")
    )
    frames, trace = next(folded.chunks(20)), folded.trace
    survey = model.survey(trace, frames)
    jumped = {}
    for coherence in (0.0, 1.5):
        atoms = model.sample(
            trace, frames, samples=1, seed=0, mode="best", coherence=coherence, survey=survey
        )[:, 0]
        assert np.array_equal(atoms[:, :, 1], frames.positions)
        found = Jumps()
        found.add(
            torsions(trace.residue_types, atoms, present(trace), trace.linked(frames.positions))[
                :, None, :, CHI1
            ]
        )
        jumped[coherence] = found.count.percent
    assert jumped[1.5] < 0.7 * jumped[0.0]


def off_when_turned(model, source, chunk, precision: type) -> np.ndarray:
    """How far (Å) the answer to a turned input is from the turned answer, per atom."""
    turn = rotation()
    middle = chunk.positions.mean(axis=(0, 1), dtype=np.float64)
    moved = replace(chunk, positions=((chunk.positions - middle) @ turn.T).astype(precision))
    still, turned = (
        model.sample(source.trace, each, samples=1, seed=0, mode="best")[:, 0] for each in (chunk, moved)
    )
    expected = (still - middle) @ turn.T
    return np.linalg.norm(turned - expected, axis=-1)[:, present(source.trace)]


def test_rotating_the_input_rotates_every_atom(model, source, chunk) -> None:
    assert off_when_turned(model, source, chunk, np.float64).max() <= 1e-3


def test_rotating_an_input_of_32_bits_rotates_nearly_every_atom(model, source, chunk) -> None:
    # The rounding of the turned input itself decides between equally good side chains.
    off = off_when_turned(model, source, chunk, np.float32)
    assert np.quantile(off, 0.98) <= 1e-3
    assert np.quantile(off, 0.995) <= 0.02


@pytest.mark.parametrize("mirrored", [False, True])
def test_residues_are_l_and_bonds_hold(model, source, chunk, mirrored: bool) -> None:
    positions = chunk.positions * np.array([1, 1, -1 if mirrored else 1], dtype=np.float32)
    atoms = model.sample(source.trace, replace(chunk, positions=positions), samples=1, seed=0, mode="best")[
        :, 0
    ]
    trace, mask = source.trace, present(source.trace)
    counts = StereoChecker(trace.residue_types, mask, trace.chain_index).count(atoms, trace.linked(positions))
    assert counts["d_residues"].hits == 0
    assert counts["d_residues"].total > 500
    assert counts["inverted_cb"].hits == 0
    assert counts["peptide_bonds"].hits == 0


def test_the_default_model_is_in_the_manifest_and_bundled() -> None:
    manifest = load_manifest()
    assert manifest.default in manifest.models
    assert bundled_directory(manifest.default) is not None


def test_the_wheel_carries_the_weights(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    names = zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist()
    default = load_manifest().default
    for file in ("config.json", "model.safetensors", "SHA256", "README.md"):
        assert f"latcpb_cli/_weights/{default}/{file}" in names
    for file in ("chem/reference.json", "chem/ideal.json", "chem/ramachandran.txt", "weights_manifest.json"):
        assert f"latcpb_cli/{file}" in names
