"""Cyclic peptides in the model: closed by a peptide, and the same from wherever they are counted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from rings import SEQUENCES, ca_ring, pulled_ring
from tiny import coil, tiny_predictor

from latcpb_cli.chem.residue_names import standard_name
from latcpb_cli.chem.residues import LETTERS, N_SLOTS, NAMES, OXT_SLOT
from latcpb_cli.complete.completion import complete
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.metrics.clashes import frame_clashes
from latcpb_cli.metrics.stereo import StereoChecker
from latcpb_cli.options import BackmapOptions
from latcpb_cli.structure import AtomTopology, CGTrace, FrameChunk
from latcpb_cli.weights import MODEL_FILE

SIZES = sorted(SEQUENCES)
BRIDGED = pulled_ring(14, 2, 10, 5.5)
TAIL = "ACDEFGHI"


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    return LoadedModel(tiny_predictor(), weights_name="tiny", checksums={MODEL_FILE: "0" * 64}, device="cpu")


def letters(length: int) -> str:
    return "".join(LETTERS[NAMES.index(str(standard_name(name)))] for name in SEQUENCES[length].split())


def make_trace(*sequences: str, cyclic: tuple[int, ...]) -> CGTrace:
    index = np.repeat(np.arange(len(sequences)), [len(sequence) for sequence in sequences])
    ids, resids = np.array([chr(65 + i) for i in index]), np.arange(1, len(index) + 1)
    return CGTrace("".join(sequences), ids, index, resids, np.full(len(index), ""), cyclic_chains=cyclic)


def make_chunk(*frames: np.ndarray, edge: float = 0.0) -> FrameChunk:
    boxes = np.tile(np.array([edge] * 3 + [90.0 * (edge > 0)] * 3, dtype=np.float32), (len(frames), 1))
    numbers = np.arange(len(frames))
    return FrameChunk(np.array(frames, dtype=np.float32), numbers * 1.0, boxes, numbers)


def closing_values(trace: CGTrace, atoms: np.ndarray) -> dict[str, int]:
    """Defects of peptides that close a ring, over all structures (S, L, 15, 3)."""
    present = AtomTopology.heavy_atoms(trace).present[:, :N_SLOTS]
    linked = np.zeros(atoms.shape[:2], dtype=bool)
    linked[:, [last for _, last in trace.rings]] = True
    checker = StereoChecker(trace.residue_types, present, trace.chain_index, trace.next_residue)
    checks = checker.check(atoms, linked)
    kept = {}
    for name, terms in (("peptide_bonds", checker.bonds), ("angles", checker.angles)):
        kept[name] = checks[name].hit & checks[name].mask & (terms.link >= 0)
    kept["omega"] = checks["omega"].hit & checks["omega"].mask
    assert checks["omega"].mask.sum() == len(trace.rings) * len(atoms)
    return {name: int(hits.sum()) for name, hits in kept.items()}


@pytest.mark.parametrize("length", SIZES)
def test_the_ends_of_a_ring_are_joined_as_other_residues_are(model: LoadedModel, length: int) -> None:
    trace = make_trace(letters(length), cyclic=(0,))
    atoms = model.sample(trace, make_chunk(ca_ring(length)), BackmapOptions())[0]
    assert closing_values(trace, atoms) == {"peptide_bonds": 0, "angles": 0, "omega": 0}
    assert abs(np.linalg.norm(atoms[0, -1, 2] - atoms[0, 0, 0]) - 1.33) < 0.03
    assert not AtomTopology.heavy_atoms(trace).present[:, OXT_SLOT].any()


@pytest.mark.parametrize(("start", "ca_tolerance"), [(1, 0.0), (7, 0.0), (5, 0.5)])
def test_the_structure_does_not_depend_on_where_a_ring_is_counted_from(
    model: LoadedModel, start: int, ca_tolerance: float
) -> None:
    sequence, options = letters(14), BackmapOptions(ca_tolerance=ca_tolerance)
    bent = BRIDGED + 0.25 * np.random.default_rng(0).normal(size=BRIDGED.shape)
    points = np.concatenate([bent, coil(len(TAIL)).numpy() + [0.0, 0.0, 12.0]])
    whole = make_trace(sequence, TAIL, cyclic=(0,))
    moved = make_trace(sequence[start:] + sequence[:start], TAIL, cyclic=(0,))
    order = np.r_[np.roll(np.arange(14), -start), np.arange(14, len(points))]
    expected = model.sample(whole, make_chunk(points), options)[0, 0]
    atoms = model.sample(moved, make_chunk(points[order]), options)[0, 0]
    present = AtomTopology.heavy_atoms(moved).present
    assert np.abs(atoms - expected[order])[present].max() < 0.01


def test_a_ring_and_a_linear_chain_have_their_own_ends_in_any_order(model: LoadedModel) -> None:
    tail = coil(len(TAIL)).numpy() + [0.0, 0.0, 12.0]
    first = make_trace(letters(10), TAIL, cyclic=(0,)), np.concatenate([ca_ring(10), tail])
    last = make_trace(TAIL, letters(10), cyclic=(1,)), np.concatenate([tail, ca_ring(10)])
    built = [
        model.sample(trace, make_chunk(points), BackmapOptions())[0, 0] for trace, points in (first, last)
    ]
    order = np.r_[8:18, 0:8]
    present = AtomTopology.heavy_atoms(first[0]).present
    assert present[:, OXT_SLOT].nonzero()[0].tolist() == [17]
    assert np.abs(built[0] - built[1][order])[present].max() < 0.01


def test_frames_of_a_box_are_closed_whatever_the_batch(model: LoadedModel) -> None:
    trace = make_trace(letters(14), TAIL, cyclic=(0,))
    points = np.concatenate([BRIDGED, coil(len(TAIL)).numpy() + [0.0, 0.0, 12.0]])
    frames = [points + 0.05 * np.random.default_rng(seed).normal(size=points.shape) for seed in range(40)]
    chunk, options = make_chunk(*frames, edge=60.0), BackmapOptions(samples=2, coherence=1.0)
    atoms = model.sample(trace, chunk, options)
    assert np.array_equal(model.sample(trace, chunk.select(23), options)[0], atoms[23])
    assert set(closing_values(trace, atoms.reshape(-1, *atoms.shape[2:])).values()) == {0}


def test_an_open_frame_is_built_as_a_break(model: LoadedModel) -> None:
    trace, arc = make_trace(letters(10), cyclic=(0,)), ca_ring(12)[:10]
    atoms = model.sample(trace, make_chunk(ca_ring(10), arc), BackmapOptions())[:, 0]
    bonds = np.linalg.norm(atoms[:, -1, 2] - atoms[:, 0, 0], axis=-1)
    assert bonds[0] < 1.4 and bonds[1] > 3.0
    assert np.isfinite(atoms).all()


def test_a_disulfide_within_a_ring_and_the_closing_bond_are_no_clashes(model: LoadedModel) -> None:
    trace, chunk = make_trace(letters(14), cyclic=(0,)), make_chunk(BRIDGED)
    atoms, bridges = complete(trace, model.sample(trace, chunk, BackmapOptions()), chunk.boxes)
    present = AtomTopology.heavy_atoms(trace).present
    columns = trace.residue_kinds, atoms[0], present
    (closed,) = frame_clashes(*columns, trace.linked(chunk.positions), next_residue=trace.next_residue)
    linear = replace(trace, cyclic_chains=())
    (opened,) = frame_clashes(*columns, linear.linked(chunk.positions))
    assert opened.n_overlaps - closed.n_overlaps >= 5  # C-N, and the pairs of two and three bonds across it
    assert bridges[0][0] in ((), ((2, 10),))


def test_cysteines_at_the_ends_of_a_ring_are_neighbors(model: LoadedModel) -> None:
    trace, chunk = make_trace("CAGSLTVKAC", cyclic=(0,)), make_chunk(ca_ring(10))
    atoms = model.sample(trace, chunk, BackmapOptions())
    assert complete(trace, atoms, chunk.boxes)[1] == [[()]]
