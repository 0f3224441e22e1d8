"""The model behind the pipeline: seeds, batches, samples, ends, breaks, parts, devices."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tiny import SEQUENCE, TINY, coil, tiny_predictor

from latcpb_cli.backbone import ramachandran_energy
from latcpb_cli.backbone.ca_geometry import spacing_anomaly
from latcpb_cli.backbone.canonical_chunk import CanonicalFrames
from latcpb_cli.chem.residues import C_SLOT, CA_SLOT, GAMMA_SLOT, N_SLOT, slot_mask
from latcpb_cli.choices import PARTS, Part
from latcpb_cli.config import to_json
from latcpb_cli.errors import InputError, UsageError, WeightsError
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.metrics.stereo import StereoChecker
from latcpb_cli.options import BackmapOptions
from latcpb_cli.predictor import Predictor
from latcpb_cli.relax.batch import RelaxationBatch
from latcpb_cli.sidechains.references import References
from latcpb_cli.structure import AtomTopology, CGTrace, FrameChunk
from latcpb_cli.weights import MODEL_FILE, write_checksums

BEST = BackmapOptions()
ENSEMBLE = BackmapOptions(samples=2, seed=3)


def load(predictor: Predictor | None = None, device: str = "cpu") -> LoadedModel:
    predictor = (predictor or tiny_predictor()).to(device)
    return LoadedModel(predictor, weights_name="tiny", checksums={MODEL_FILE: "0" * 64}, device=device)


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    return load()


def make_trace(sequence: str = SEQUENCE, chains: tuple[int, ...] = ()) -> CGTrace:
    length = len(sequence)
    index = np.zeros(length, dtype=np.int64) if not chains else np.repeat(np.arange(len(chains)), chains)
    ids = np.array([chr(65 + i) for i in index])
    return CGTrace(sequence, ids, index, np.arange(1, length + 1), np.full(length, ""))


TRACE = make_trace()


def make_chunk(frames: list[int], length: int = len(SEQUENCE)) -> FrameChunk:
    """Frames of one coil, slightly stretched and shifted by frame number."""
    shapes = [coil(length).numpy() * (1 + 0.002 * frame) + frame for frame in frames]
    return FrameChunk(
        np.array(shapes, dtype=np.float32),
        np.array(frames, float),
        np.zeros((len(frames), 6), np.float32),
        np.array(frames),
    )


def in_motion(frames: list[int]) -> FrameChunk:
    """Frames of one coil in thermal motion."""
    chunk = make_chunk(frames)
    noise = [np.random.default_rng(frame).normal(size=(len(SEQUENCE), 3)) for frame in frames]
    chunk.positions[:] = coil(len(SEQUENCE)).numpy() + 0.15 * np.array(noise)
    return chunk


def run(model: LoadedModel, frames: list[int], options: BackmapOptions = ENSEMBLE) -> np.ndarray:
    return model.sample(TRACE, make_chunk(frames), options)


def test_shape_and_alpha_carbons(model: LoadedModel) -> None:
    atoms = run(model, [0, 1, 2])
    assert atoms.shape == (3, 2, len(SEQUENCE), 15, 3)
    assert atoms.dtype == np.float32
    assert (atoms[:, :, :, CA_SLOT] == make_chunk([0, 1, 2]).positions[:, None]).all()
    assert np.isfinite(atoms[:, :, slot_mask()[TRACE.residue_types]]).all()


def test_a_frame_does_not_depend_on_its_batch(model: LoadedModel) -> None:
    frames = list(range(32))
    whole = run(model, frames)
    for start, end in ((0, 1), (13, 14), (31, 32), (7, 14), (28, 32)):
        assert np.array_equal(whole[start:end], run(model, frames[start:end]))


def test_samples_depend_on_seed_and_number_only(model: LoadedModel) -> None:
    first = run(model, [4])
    assert np.array_equal(first, run(model, [4]))
    assert not np.allclose(first[:, 0], first[:, 1])
    assert not np.allclose(first, run(model, [4], replace(ENSEMBLE, seed=4)))
    assert np.array_equal(run(model, [4], replace(ENSEMBLE, samples=3))[:, :2], first)


def test_best_mode_does_not_depend_on_the_seed(model: LoadedModel) -> None:
    assert np.array_equal(run(model, [4], BEST), run(model, [4], BackmapOptions(seed=9)))


def test_coherent_samples_are_similar_for_similar_frames(model: LoadedModel) -> None:
    chunk = make_chunk([4, 5, 6])
    noise = np.random.default_rng(2).normal(size=(len(SEQUENCE), 3))
    chunk.positions[1:] = chunk.positions[0] + [0.0 * noise, 0.02 * noise]
    fraction_moved = {}
    for coherence in (0.0, 1.5):
        atoms = model.sample(TRACE, chunk, replace(ENSEMBLE, coherence=coherence))[..., :14, :]
        first, equal, similar = atoms
        assert np.array_equal(first, equal) == (coherence > 0)
        assert not np.array_equal(first, similar)
        assert not np.allclose(first[0], first[1], atol=0.1, equal_nan=True)
        fraction_moved[coherence] = (np.linalg.norm(similar - first, axis=-1) > 1.0).any(-1).mean()
    assert fraction_moved[1.5] < 0.2 * fraction_moved[0.0]


def test_best_mode_smooths_with_a_consensus_frame_by_frame() -> None:
    """The result depends on the reference frames, not on the frames of the same batch; Cα stay."""
    predictor = tiny_predictor()
    torch.manual_seed(1)
    torch.nn.init.normal_(predictor.latcpb.decoder.rotamer_head.weight, std=1.0)
    model, frames = load(predictor), list(range(24))
    coherent = BackmapOptions(coherence=2.0)
    consensus = model.rotamer_consensus(TRACE, in_motion(frames[::3]), coherent)
    assert consensus.frames.tolist() == frames[::3]
    np.testing.assert_allclose(consensus.probabilities.astype(float).sum(-1), 1.0, atol=0.01)
    plain = model.sample(TRACE, in_motion(frames), coherent)
    smooth = model.sample(TRACE, in_motion(frames), coherent, References(consensus))
    assert np.array_equal(plain, model.sample(TRACE, in_motion(frames), BEST))
    assert (np.linalg.norm(smooth - plain, axis=-1) > 0.5).any()
    assert np.array_equal(smooth[:, 0, :, CA_SLOT], in_motion(frames).positions)
    for frame in (0, 10, 23):
        alone = model.sample(TRACE, in_motion([frame]), coherent, References(consensus))
        assert np.array_equal(smooth[frame], alone[0])


def test_blocks_are_halved_where_memory_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The result is that of whole blocks; a single frame that does not fit is an error."""
    expected, frames = load(), list(range(5))
    capacity, sizes = 3, []
    encode = LoadedModel._encode

    def limited(self, trace: CGTrace, frames: CanonicalFrames) -> object:
        sizes.append(len(frames))
        if len(frames) > capacity:
            raise torch.OutOfMemoryError
        return encode(self, trace, frames)

    with monkeypatch.context() as patch:
        patch.setattr(LoadedModel, "_encode", limited)
        model = load()
        atoms = run(model, frames)
        assert sizes == [40, 20, 10, 5, 2, 2, 2]
        assert model.frames_per_block(len(SEQUENCE)) == 2
        consensus = load().rotamer_consensus(TRACE, make_chunk(frames), BEST)
        capacity = 0
        with pytest.raises(InputError, match="a frame of 25 residues does not fit into the memory of cpu"):
            run(model, [0])
        with pytest.raises(InputError):
            model.rotamer_consensus(TRACE, make_chunk([0]), BEST)
    np.testing.assert_allclose(atoms, run(expected, frames), atol=2e-3)
    whole = expected.rotamer_consensus(TRACE, make_chunk(frames), BEST)
    np.testing.assert_allclose(
        consensus.probabilities.astype(float), whole.probabilities.astype(float), atol=2e-3
    )


@pytest.mark.parametrize("sequence, chains", [("G", ()), ("PW", ()), ("AKW", (1, 2)), (SEQUENCE, (12, 13))])
def test_single_residues_short_chains_and_several_chains(
    model: LoadedModel, sequence: str, chains: tuple[int, ...]
) -> None:
    trace = make_trace(sequence, chains)
    atoms = model.sample(trace, make_chunk([0], len(sequence)), BEST)[0, 0]
    mask = slot_mask()[trace.residue_types]
    assert np.isfinite(atoms[mask]).all()
    distance = np.linalg.norm(atoms - atoms[:, CA_SLOT, None], axis=-1)
    assert distance[mask].max() < 9.0


def test_a_gap_in_one_frame_cuts_the_peptide_in_that_frame_only(model: LoadedModel) -> None:
    chunk = make_chunk([0, 1])
    chunk.positions[1, 10:] += 40.0
    atoms = model.sample(TRACE, chunk, BEST)[:, 0]
    bond = np.linalg.norm(atoms[:, 9, C_SLOT] - atoms[:, 10, N_SLOT], axis=-1)
    assert bond[0] == pytest.approx(1.33, abs=0.02)
    assert bond[1] > 20.0


def decisive_predictor() -> Predictor:
    """A predictor whose heads all have an effect."""
    predictor = tiny_predictor()
    generator = torch.Generator().manual_seed(5)
    for head in (predictor.peptide_rotations, predictor.packing, predictor.rescoring):
        for parameter in head.parameters():
            parameter.data += 0.3 * torch.randn(parameter.shape, generator=generator)
    return predictor


def test_every_part_beyond_the_paper_can_be_left_out() -> None:
    """Each part changes what it is about; without all of them, the atoms are those of the decoder."""
    model, chunk = load(decisive_predictor()), in_motion([0, 1])
    chunk.positions[:] *= np.float32(0.95)
    atoms = {
        parts: model.sample(TRACE, chunk, BackmapOptions(without=parts))[:, 0]
        for parts in ((), ("relief",), ("rescoring", "relief"), PARTS[1:], PARTS)
    }
    ladder = list(atoms.values())
    difference = [np.linalg.norm(one - two, axis=-1) for one, two in zip(ladder, ladder[1:], strict=False)]
    backbone = [(step[..., :GAMMA_SLOT] > 1e-3).any() for step in difference]
    assert backbone == [True, False, False, True]
    assert all((step[..., GAMMA_SLOT:14] > 0.1).any() for step in difference)
    latcpb = model.predictor.latcpb
    ca, links = torch.from_numpy(chunk.positions[0]), torch.from_numpy(TRACE.linked(chunk.positions)[0])
    graph = latcpb.build_graph(ca, torch.from_numpy(TRACE.residue_types), links, [len(TRACE)])
    condition = latcpb.cg_encoder(graph)
    latent = latcpb.expected_latent(condition, graph, model.schedule)
    decoded = latcpb.decoder(latent, condition, graph).atoms.numpy()
    mask = AtomTopology.heavy_atoms(TRACE).present
    np.testing.assert_allclose(atoms[PARTS][0][mask], decoded[mask], atol=5e-3)


def test_devices_that_do_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match="no CUDA device"):
        LoadedModel.from_pretrained(device="cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(UsageError, match="there are 2 devices"):
        LoadedModel.from_pretrained(device="cuda:2")


def test_weights_that_do_not_fit_their_configuration(tmp_path: Path) -> None:
    save_file(tiny_predictor().state_dict(), tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(to_json(replace(TINY, dim=48)))
    write_checksums(tmp_path)
    with pytest.raises(WeightsError, match="more parameters than the file"):
        LoadedModel.from_pretrained(tmp_path, device="cpu")
    (tmp_path / "config.json").write_text('{"dim": 24, "colour": "red"}')
    write_checksums(tmp_path)
    with pytest.raises(WeightsError, match="unknown settings: colour"):
        LoadedModel.from_pretrained(tmp_path, device="cpu")


@pytest.mark.gpu
def test_cuda_agrees_with_the_cpu(model: LoadedModel) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    on_gpu = load(device="cuda")
    assert np.abs(run(on_gpu, [0, 1]) - run(model, [0, 1])).max() < 0.05


def test_alpha_carbons_move_within_the_tolerance(model: LoadedModel) -> None:
    chunk = make_chunk([0, 1])
    chunk.positions[0] *= 1.05
    atoms = model.sample(TRACE, chunk, replace(ENSEMBLE, ca_tolerance=0.2))
    moved = np.linalg.norm(atoms[:, :, :, CA_SLOT] - chunk.positions[:, None], axis=-1)
    assert (atoms[:, 0, :, CA_SLOT] == atoms[:, 1, :, CA_SLOT]).all()
    assert 0.05 < moved.max() <= 0.2 + 1e-5
    bond = np.linalg.norm(atoms[:, 0, :-1, C_SLOT] - atoms[:, 0, 1:, N_SLOT], axis=-1)
    assert np.abs(bond - 1.33).max() < 0.05


@pytest.mark.parametrize(
    ("mode", "tolerance", "least"),
    [("best", 0.0, 0.3), ("best", 0.3, 1.0), ("ensemble", 0.0, 0.0), ("ensemble", 0.3, 0.0)],
)
def test_weight_of_the_ramachandran_energy(
    model: LoadedModel, monkeypatch: pytest.MonkeyPatch, mode: str, tolerance: float, least: float
) -> None:
    """It is the anomaly of the input's spacing, and in best mode at least 0.3, or 1 where Cα may move."""
    chunk, weights = make_chunk([0, 1]), []
    add = RelaxationBatch.add

    def spy(self, decoded, graph, cells, ramachandran_weight, *others) -> None:
        weights.append(ramachandran_weight)
        add(self, decoded, graph, cells, ramachandran_weight, *others)

    monkeypatch.setattr(RelaxationBatch, "add", spy)
    model.sample(TRACE, chunk, BackmapOptions(mode=mode, ca_tolerance=tolerance))
    anomaly = spacing_anomaly(chunk.positions, TRACE.residue_types, TRACE.linked(chunk.positions))
    assert (anomaly == 0.0).any() and (anomaly > 0.3).any()
    np.testing.assert_array_equal(weights, [np.maximum(anomaly, least)])


def test_best_mode_has_more_favoured_residues_the_higher_the_weight(
    model: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunk = in_motion(list(range(40)))
    linked, mask = TRACE.linked(chunk.positions), AtomTopology.heavy_atoms(TRACE).present
    checker, favoured = StereoChecker(TRACE.residue_types, mask, TRACE.chain_index), []
    for weight in (0.0, 0.3, 1.0):
        monkeypatch.setattr(ramachandran_energy, "_BEST_MODE_WEIGHT", weight)
        atoms = model.sample(TRACE, chunk, BEST)[:, 0]
        favoured.append(checker.count(atoms, linked)["ramachandran_favoured"].hits)
    assert favoured[0] < favoured[1] < favoured[2]


@pytest.mark.parametrize(
    ("parts", "setting"), [({"packing", "rescoring"}, "max_candidates"), ({"relief"}, "relief_steps")]
)
def test_parts_take_their_limits_from_the_configuration(parts: set[Part], setting: str) -> None:
    limited = tiny_predictor()
    limited.config = replace(limited.config, **{setting: 1})
    plain, changed = (run(load(each), [0], BEST) for each in (tiny_predictor(), limited))
    assert not np.array_equal(plain, changed, equal_nan=True)
    without = BackmapOptions(without=frozenset(parts))
    plain, changed = (run(load(each), [0], without) for each in (tiny_predictor(), limited))
    assert np.array_equal(plain, changed, equal_nan=True)
