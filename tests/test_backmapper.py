"""The model behind the pipeline: seeds, batches, samples, ends, breaks, devices."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny import SEQUENCE, coil, tiny_model

from latcpb_cli.backbone.ca_geometry import odd_spacing
from latcpb_cli.backmapper import Backmapper
from latcpb_cli.chem.residues import slot_mask
from latcpb_cli.errors import InputError, UsageError, WeightsError
from latcpb_cli.model.decoder import Decoded
from latcpb_cli.relax.batch import RelaxationBatch
from latcpb_cli.structure import CGTrace, FrameChunk


@pytest.fixture(scope="module")
def model() -> Backmapper:
    return Backmapper(tiny_model(), weights_name="tiny", weights_sha256="0" * 64, device="cpu")


def trace(sequence: str = SEQUENCE, chains: tuple[int, ...] = ()) -> CGTrace:
    length = len(sequence)
    index = np.zeros(length, dtype=np.int64) if not chains else np.repeat(np.arange(len(chains)), chains)
    ids = np.array([chr(65 + i) for i in index])
    return CGTrace(sequence, ids, index, np.arange(1, length + 1), np.full(length, ""))


def chunk(frames: list[int], length: int = len(SEQUENCE)) -> FrameChunk:
    shapes = [coil(length).numpy() * (1 + 0.002 * frame) + frame for frame in frames]
    return FrameChunk(
        np.array(shapes, dtype=np.float32),
        np.array(frames, float),
        np.zeros((len(frames), 6), np.float32),
        np.array(frames),
    )


def run(model: Backmapper, frames: list[int], **changes) -> np.ndarray:
    options = {"samples": 2, "seed": 3, "mode": "ensemble", **changes}
    return model.sample(trace(), chunk(frames), **options)


def test_shape_and_alpha_carbons(model: Backmapper) -> None:
    atoms = run(model, [0, 1, 2])
    assert atoms.shape == (3, 2, len(SEQUENCE), 15, 3)
    assert atoms.dtype == np.float32
    assert (atoms[:, :, :, 1] == chunk([0, 1, 2]).positions[:, None]).all()
    assert np.isfinite(atoms[:, :, slot_mask()[trace().residue_types]]).all()


def test_a_frame_does_not_depend_on_the_batch_it_came_in(model: Backmapper) -> None:
    frames = list(range(32))
    whole = run(model, frames)
    sevens = np.concatenate([run(model, frames[i : i + 7]) for i in range(0, 32, 7)])
    ones = np.concatenate([run(model, [frame]) for frame in frames])
    assert np.array_equal(whole, sevens)
    assert np.array_equal(whole, ones)


def test_seed_and_sample_change_an_ensemble_and_repeat(model: Backmapper) -> None:
    first = run(model, [4])
    assert np.array_equal(first, run(model, [4]))
    assert not np.allclose(first[:, 0], first[:, 1])
    assert not np.allclose(first, run(model, [4], seed=4))
    more = run(model, [4], samples=3)
    assert np.array_equal(more[:, :2], first)


def test_frames_that_are_alike_get_samples_that_are_alike(model: Backmapper) -> None:
    frames = chunk([4, 5, 6])
    jolt = np.random.default_rng(2).normal(size=(len(SEQUENCE), 3))
    frames.positions[1:] = frames.positions[0] + [0.0 * jolt, 0.02 * jolt]
    drawn = {
        coherence: model.sample(trace(), frames, samples=2, seed=3, mode="ensemble", coherence=coherence)[
            ..., :14, :
        ]
        for coherence in (0.0, 1.5)
    }
    for coherence, (one, same, near) in drawn.items():
        assert np.array_equal(one, same) == (coherence > 0)
        assert not np.array_equal(one, near)
        assert not np.allclose(one[0], one[1], atol=0.1, equal_nan=True)
    jumped = {
        coherence: (np.linalg.norm(atoms[2] - atoms[0], axis=-1) > 1.0).any(-1).mean()
        for coherence, atoms in drawn.items()
    }
    assert jumped[1.5] < 0.2 * jumped[0.0]


def shaken(frames: list[int]) -> FrameChunk:
    """Frames of one structure in thermal motion."""
    given = chunk(frames)
    jolts = [np.random.default_rng(frame).normal(size=(len(SEQUENCE), 3)) for frame in frames]
    given.positions[:] = coil(len(SEQUENCE)).numpy() + 0.15 * np.array(jolts)
    return given


def test_best_mode_asks_a_survey_frame_by_frame() -> None:
    """Whichever frames come together; Cα stay, and without a coherence nobody is asked."""
    decided = tiny_model()
    torch.nn.init.normal_(decided.decoder.odds.weight, std=1.0)  # what is probable depends on the trace
    model = Backmapper(decided, weights_name="tiny", weights_sha256="0" * 64, device="cpu")
    frames = list(range(24))
    survey = model.survey(trace(), shaken(frames[::3]))
    assert survey.frames.tolist() == frames[::3]
    assert np.allclose(survey.shares.astype(float).sum(-1), 1.0, atol=0.01)
    options = {"samples": 1, "seed": 0, "mode": "best", "survey": survey}
    plain, steady = (
        model.sample(trace(), shaken(frames), **options, coherence=coherence) for coherence in (0.0, 2.0)
    )
    assert np.array_equal(plain, model.sample(trace(), shaken(frames), **{**options, "survey": None}))
    assert (np.linalg.norm(steady - plain, axis=-1) > 0.5).any(), "somebody was heard"
    assert np.array_equal(steady[:, 0, :, 1], shaken(frames).positions)
    alone = [model.sample(trace(), shaken([frame]), **options, coherence=2.0) for frame in frames]
    assert np.array_equal(steady, np.concatenate(alone))


def test_frames_that_cannot_be_built_have_no_vote(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Backmapper(tiny_model(), weights_name="tiny", weights_sha256="0" * 64, device="cpu")
    monkeypatch.setattr(model, "frames_per_block", lambda residues: 1)
    encode, asked = model._encode, iter(range(5))

    def failing(*given: object) -> object:
        if next(asked) == 2:
            raise ZeroDivisionError
        return encode(*given)

    monkeypatch.setattr(model, "_encode", failing)
    shares = model.survey(trace(), chunk([0, 1, 2, 3, 4])).shares.astype(float).sum(-1)
    assert np.allclose(shares, np.array([1, 1, 0, 1, 1])[:, None], atol=0.01)


def test_blocks_are_halved_where_memory_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every frame is built all the same; a single frame that does not fit is told."""
    model = Backmapper(tiny_model(), weights_name="tiny", weights_sha256="0" * 64, device="cpu")
    sizes, room = [], 3

    def small(trace: CGTrace, positions: np.ndarray, *_: object) -> list[tuple[Decoded, None]]:
        """Puts all atoms of a residue at its Cα."""
        sizes.append(len(positions))
        if len(positions) > room:
            raise torch.OutOfMemoryError
        atoms = torch.from_numpy(positions).flatten(0, 1)[:, None].expand(-1, 15, -1)
        return [(Decoded(atoms, None, None), None)] * 2

    monkeypatch.setattr(model, "_block", small)
    frames = list(range(5))
    expected = np.broadcast_to(chunk(frames).positions[:, None, :, None], (5, 2, len(SEQUENCE), 15, 3))
    np.testing.assert_allclose(run(model, frames), expected, atol=1e-4)
    assert sizes == [20, 10, 5, 2, 2, 2]
    room = 0
    with pytest.raises(InputError, match="a frame of 25 residues does not fit into the memory of cpu"):
        run(model, [0])


def test_best_mode_has_one_answer_for_any_seed(model: Backmapper) -> None:
    assert np.array_equal(run(model, [4], mode="best"), run(model, [4], mode="best", seed=9))


@pytest.mark.parametrize("sequence, chains", [("G", ()), ("PW", ()), ("AKW", (1, 2)), (SEQUENCE, (12, 13))])
def test_single_residues_short_chains_and_several_chains(
    model: Backmapper, sequence: str, chains: tuple[int, ...]
) -> None:
    system = trace(sequence, chains)
    atoms = model.sample(system, chunk([0], len(sequence)), samples=1, seed=0, mode="best")[0, 0]
    mask = slot_mask()[system.residue_types]
    assert np.isfinite(atoms[mask]).all()
    own = np.linalg.norm(atoms - atoms[:, 1:2], axis=-1)
    assert own[mask].max() < 9.0


def test_a_gap_in_one_frame_cuts_the_peptide_in_that_frame_only(model: Backmapper) -> None:
    frames = chunk([0, 1])
    frames.positions[1, 10:] += 40.0
    atoms = model.sample(trace(), frames, samples=1, seed=0, mode="best")[:, 0]
    bond = np.linalg.norm(atoms[:, 9, 2] - atoms[:, 10, 0], axis=-1)
    assert bond[0] == pytest.approx(1.33, abs=0.02)
    assert bond[1] > 20.0


def test_devices_that_are_not_there() -> None:
    if not torch.cuda.is_available():
        with pytest.raises(UsageError, match="no CUDA device"):
            Backmapper.from_pretrained(device="cuda")


def test_weights_that_do_not_fit_their_configuration(tmp_path) -> None:
    from dataclasses import replace

    from safetensors.torch import save_file
    from tiny import TINY

    from latcpb_cli.config import to_json
    from latcpb_cli.weights import write_checksums

    save_file(tiny_model().state_dict(), tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(to_json(replace(TINY, dim=48)))
    write_checksums(tmp_path)
    with pytest.raises(WeightsError, match="does not fit"):
        Backmapper.from_pretrained(tmp_path, device="cpu")
    (tmp_path / "config.json").write_text('{"dim": 24, "colour": "red"}')
    write_checksums(tmp_path)
    with pytest.raises(WeightsError, match="unknown settings: colour"):
        Backmapper.from_pretrained(tmp_path, device="cpu")


@pytest.mark.gpu
def test_cuda_gives_what_the_cpu_gives(model: Backmapper) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    there = Backmapper(tiny_model().to("cuda"), weights_name="tiny", weights_sha256="0" * 64, device="cuda")
    assert np.abs(run(there, [0, 1]) - run(model, [0, 1])).max() < 0.05


def test_alpha_carbons_move_within_the_tolerance(model: Backmapper) -> None:
    frames = chunk([0, 1])
    frames.positions[0] *= 1.05
    atoms = model.sample(trace(), frames, samples=2, seed=0, mode="ensemble", ca_tolerance=0.2)
    moved = np.linalg.norm(atoms[:, :, :, 1] - frames.positions[:, None], axis=-1)
    assert (atoms[:, 0, :, 1] == atoms[:, 1, :, 1]).all()
    assert 0.05 < moved.max() <= 0.2 + 1e-5
    bond = np.linalg.norm(atoms[:, 0, :-1, 2] - atoms[:, 0, 1:, 0], axis=-1)
    assert np.abs(bond - 1.33).max() < 0.05


def test_answers_are_drawn_to_favoured_regions_by_how_odd_the_input_is(
    model: Backmapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Samples whatever Cα may move; the best answer a little everywhere, and altogether where they may."""
    frames, seen = chunk([0, 1]), []
    add = RelaxationBatch.add

    def spy(self, decoded, graph, cells, drawn, into) -> None:
        seen.append(drawn)
        add(self, decoded, graph, cells, drawn, into)

    monkeypatch.setattr(RelaxationBatch, "add", spy)
    for mode, tolerance in (("best", 0.0), ("best", 0.3), ("ensemble", 0.0), ("ensemble", 0.3)):
        model.sample(trace(), frames, samples=1, seed=0, mode=mode, ca_tolerance=tolerance)
    best, free, still, moved = seen
    system = trace()
    odd = odd_spacing(frames.positions, system.residue_types, system.linked(frames.positions))
    assert 0.0 < odd.mean() < 1.0
    assert (best >= odd).all()
    assert 0.0 < best.min() < 1.0
    assert (free == 1.0).all()
    assert np.array_equal(still, odd)
    assert np.array_equal(moved, odd)
