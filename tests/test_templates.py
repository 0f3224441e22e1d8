"""Templates in the model: Cα stay, batches and axes do not matter, all modes use them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rotations import random_rotation
from tiny import tiny_predictor

from latcpb_cli.chem.residues import CA_SLOT
from latcpb_cli.io.all_atom import read_all_atom
from latcpb_cli.io.open_source import open_source
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.metrics.accuracy import squared_deviation
from latcpb_cli.metrics.defects import frame_defects
from latcpb_cli.options import BackmapOptions
from latcpb_cli.read_options import ReadOptions
from latcpb_cli.sidechains.references import References
from latcpb_cli.structure import AtomTopology, FrameChunk
from latcpb_cli.templates.template_set import read_templates
from latcpb_cli.weights import MODEL_FILE

ROOT = Path(__file__).parents[1]
NATIVE = ROOT / "examples" / "tnc_allatom.pdb"
SOURCE = open_source([NATIVE], None, ReadOptions(selection="resid 1-40"))
TRACE, N_RESIDUES = SOURCE.trace, 40
REFERENCES = References(templates=read_templates([NATIVE], TRACE).templates)
BEST = BackmapOptions()


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    return LoadedModel(tiny_predictor(), weights_name="tiny", checksums={MODEL_FILE: "0" * 64}, device="cpu")


def frames(numbers: list[int] | None = None) -> FrameChunk:
    chunk = next(SOURCE.chunks(5))
    if numbers is None:
        return chunk
    return FrameChunk(*(getattr(chunk, name)[numbers] for name in ("positions", "times", "boxes", "indices")))


def error(atoms: np.ndarray, frame: int) -> float:
    """RMSD (Å) of the heavy atoms of one frame."""
    native = read_all_atom(NATIVE)
    rows = slice(N_RESIDUES)
    present = native.present[rows].copy()
    present[-1] = False
    squares = squared_deviation(
        TRACE.residue_types, native.atoms[[frame], rows], atoms[[frame], rows], present
    )
    return float(np.sqrt(np.nansum(squares * present) / present.sum()))


@pytest.mark.parametrize(
    "options",
    [BEST, BackmapOptions(samples=2), BackmapOptions(mode="exact"), BackmapOptions(samples=2, coherence=1.0)],
    ids=["best", "ensemble", "exact", "coherent"],
)
def test_all_modes_come_near_the_template(model: LoadedModel, options: BackmapOptions) -> None:
    """The untrained model is wrong nearly everywhere; the first frame is the template itself."""
    chunk = frames([0])
    plain, built = (model.sample(TRACE, chunk, options, each)[:, 0] for each in (None, REFERENCES))
    assert error(built, 0) < 0.6 * error(plain, 0)
    assert np.array_equal(built[:, :, CA_SLOT], chunk.positions)
    present, linked = AtomTopology.heavy_atoms(TRACE).present, TRACE.linked(chunk.positions)
    (defects,) = frame_defects(TRACE, np.where(present[:, :, None], built, 0.0), present, linked)
    assert defects["d_residues"] == defects["peptide_bonds"] == 0


def test_a_frame_does_not_depend_on_its_batch(model: LoadedModel) -> None:
    for options in (BEST, BackmapOptions(samples=2)):
        whole = model.sample(TRACE, frames(), options, REFERENCES)
        alone = [model.sample(TRACE, frames([number]), options, REFERENCES) for number in range(5)]
        assert np.array_equal(whole, np.concatenate(alone))


def test_a_rotated_input_gives_the_rotated_atoms(model: LoadedModel) -> None:
    chunk, matrix = frames(), random_rotation(3).numpy().astype(np.float64)
    center = chunk.positions.mean(axis=(0, 1), dtype=np.float64)
    rotated = replace(chunk, positions=(chunk.positions - center) @ matrix.T)
    one, other = (model.sample(TRACE, each, BEST, REFERENCES)[:, 0] for each in (chunk, rotated))
    assert np.abs(other - (one - center) @ matrix.T).max() < 0.02


def test_reference_frames_of_coherence_have_the_template(model: LoadedModel) -> None:
    options = BackmapOptions(coherence=1.5)
    consensus = model.rotamer_consensus(TRACE, frames(), options, REFERENCES.templates)
    plain = model.rotamer_consensus(TRACE, frames(), options)
    rotamer = REFERENCES.templates[0].rotamer
    known = np.flatnonzero(rotamer >= 0)
    with_template, without = (each.probabilities[0, known, rotamer[known]] for each in (consensus, plain))
    assert with_template.mean() > 0.7 > without.mean()
    built = model.sample(TRACE, frames(), options, replace(REFERENCES, consensus=consensus))
    assert np.array_equal(built[:, 0, :, CA_SLOT], frames().positions)


def test_rigid_parts_are_copies(model: LoadedModel) -> None:
    """On its own trace, turned and moved, the template comes back, but for relief and the ends."""
    chunk, matrix = frames([0]), random_rotation(4).numpy().astype(np.float64)
    moved = replace(chunk, positions=chunk.positions @ matrix.T + 30.0)
    options = BackmapOptions(without=("relief",))
    atoms = model.sample(TRACE, moved, options, REFERENCES)[0, 0]
    back = ((atoms - 30.0) @ matrix).astype(np.float32)
    native = read_all_atom(NATIVE)
    inner = slice(2, N_RESIDUES - 2)
    squares = squared_deviation(
        TRACE.residue_types[inner], native.atoms[:1, inner], back[None, inner], native.present[inner]
    )
    known = squares[0][native.present[inner]]
    assert np.quantile(known, 0.9) < 0.005**2 and known.max() < 0.3**2
    relieved = model.sample(TRACE, moved, BEST, REFERENCES)[0, 0]
    backbone = [slot for slot in range(4) if slot != CA_SLOT]
    assert np.quantile(np.linalg.norm(relieved - atoms, axis=-1)[inner, backbone], 0.9) < 0.05
