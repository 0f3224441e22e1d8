"""What goes into `Backmapper.backmap`, and what comes out."""

from __future__ import annotations

import json
import logging
import tracemalloc

import MDAnalysis
import mdtraj
import numpy as np
import pytest
from cg_files import walk

import latcpb_cli as latcpb
from latcpb_cli.diffusion.step_counter import Steps


@pytest.fixture
def universe(files):
    return MDAnalysis.Universe(str(files.top), str(files.trajectory), to_guess=())


def test_all_inputs_give_the_same_atoms(model, files, universe):
    expected = model.backmap(str(files.trajectory), top=str(files.top)).coordinates
    loaded = mdtraj.load(str(files.trajectory), top=str(files.top))
    for x in (universe, universe.atoms, loaded):
        coordinates = model.backmap(x).coordinates
        sound = coordinates[:2]
        np.testing.assert_allclose(sound, expected[:2], atol=1e-4)


def test_an_array_needs_no_file(model):
    positions = walk(9, 4)
    result = model.backmap(positions, sequence="GASC/WYHKR", samples=2)
    assert result.coordinates.shape == (4, 2, len(result.topology), 3)
    assert result.run.source.trace.chain_ids.tolist() == ["A"] * 4 + ["B"] * 5
    alphas = result.coordinates[:, 0, result.topology.names == "CA"]
    np.testing.assert_array_equal(alphas, positions)
    assert len(model.backmap(positions[0], sequence="GASCWYHKR")) == 1


def test_a_group_is_a_part_of_its_universe(model, universe):
    group = universe.select_atoms("chainID B")
    assert len(model.backmap(group).run.source.trace) == len(group)
    by_setting = model.backmap(universe, selection="chainID B")
    np.testing.assert_array_equal(model.backmap(group).coordinates, by_setting.coordinates)


@pytest.mark.parametrize(
    ("frames", "expected"), [(slice(1, None), [1, 2]), ("::2", [0, 2]), (None, [0, 1, 2])]
)
def test_frames(model, universe, frames, expected):
    result = model.backmap(universe, frames=frames)
    assert result.frames.tolist() == expected
    assert result.times.tolist() == [10.0 * number for number in expected]


def test_the_universe_has_what_a_topology_needs(model, universe):
    result = model.backmap(universe, samples=2)
    built = result.universe
    assert built.trajectory.n_frames == 6
    assert [step.time for step in built.trajectory] == [0.0, 0.0, 10.0, 10.0, 20.0, 20.0]
    np.testing.assert_allclose(built.trajectory[0].dimensions, [60, 60, 70, 90, 90, 90])
    np.testing.assert_array_equal(built.trajectory[3].positions, result.coordinates[1, 1])
    assert built.select_atoms("chainID B and name CA").resids.tolist() == list(range(1, 9))
    assert set(built.residues.resnames) == {"GLY", "ALA", "SEP", "CYS", "SER"}
    assert set(built.atoms.elements) == set("CNOSP")
    assert built.residues[0].atoms.total_mass() == pytest.approx(54.03, abs=0.02)  # Gly without hydrogens
    bonded = built.select_atoms("resid 1 and chainID A and name C")[0].bonded_atoms
    assert sorted(bonded.names) == ["CA", "N", "O"]
    copied = built.copy()
    assert [step.time for step in copied.trajectory][-1] == 20.0


def test_beads_without_a_position_are_marked(model):
    positions = walk(8, 2)
    positions[1, 4] = np.nan
    result = model.backmap(positions, sequence="G" * 8)
    assert np.argwhere(result.missing).tolist() == [[1, 0, 4]]
    assert result.report.problems.keys() == {1}


def test_the_report_is_tables(model, universe):
    report = model.backmap(universe, samples=2).report
    assert [(row["frame"], row["sample"]) for row in report.frames] == [
        (f, s) for f in range(3) for s in range(2)
    ]
    assert set(report.summary) >= {"frames", "samples", "overlap04_per_1000", "peaks", "worst_frame"}
    assert all(row["contact12"] or row["overlap04"] or row["pierced"] for row in report.residues)
    assert report.as_dict().keys() == {"summary", "frames", "residues", "problems"}


def test_files_are_not_replaced(model, universe, tmp_path):
    result = model.backmap(universe)
    result.write(tmp_path / "a.pdb")
    with pytest.raises(latcpb.OutputError, match="exists already"):
        result.write(tmp_path / "a.pdb")
    result.write(tmp_path / "a.pdb", overwrite=True)
    with pytest.raises(latcpb.UsageError, match="cannot write format"):
        result.write(tmp_path / "a.docx")
    assert [path.name for path in tmp_path.iterdir()] == ["a.pdb"]


def test_a_frame_of_a_stream_is_a_file_of_its_own(model, universe, tmp_path):
    """With one structure and a remark of its own, however many frames the input has."""
    first = next(model.stream(universe, frames=slice(0, 2)))
    first.write(tmp_path / "one.pdb", report=True)
    model.backmap(universe, frames=slice(0, 2)).write(tmp_path / "two.pdb")
    one, two = ((tmp_path / f"{name}.pdb").read_text() for name in ("one", "two"))
    assert "MODEL " not in one and two.count("MODEL ") == 2
    runs = [[line for line in text.splitlines() if " RUN " in line] for text in (one, two)]
    assert len(runs[0]) == 1 and runs[0] != runs[1]
    assert json.loads((tmp_path / "one.report.json").read_text())["provenance"]["frames"] == 1


def test_a_stream_refuses_at_the_call(model):
    with pytest.raises(latcpb.InputError, match="no such file"):
        model.stream("nothing.pdb")


@pytest.mark.slow
def test_memory_of_a_stream_is_flat(model):
    positions = walk(12, 5000)
    streamed = model.stream(positions, sequence="G" * 12)
    peaks = []
    tracemalloc.start()
    for number, one in enumerate(streamed):
        assert one.coordinates.shape[0] == 1
        if number % 1000 == 999:
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.reset_peak()
    tracemalloc.stop()
    assert len(peaks) == 5
    assert max(peaks[1:]) < min(peaks[1:]) + 100_000


@pytest.mark.parametrize(
    ("x", "settings", "kind", "message"),
    [
        (3, {}, latcpb.UsageError, "int is nothing that holds a trajectory"),
        ([], {}, latcpb.UsageError, "empty list"),
        (["a.pdb", 3], {}, latcpb.UsageError, "list is nothing"),
        (np.zeros((3, 4)), {"sequence": "GGG"}, latcpb.InputError, r"shape \(3, 4\)"),
        (np.zeros((0, 3)), {"sequence": "GGG"}, latcpb.InputError, r"shape \(0, 3\)"),
        (np.array([["a"] * 3]), {"sequence": "G"}, latcpb.UsageError, "<U1"),
        (walk(3)[0], {}, latcpb.UsageError, "needs the residues"),
        (walk(3)[0], {"sequence": "GG"}, latcpb.InputError, "3 beads, but --sequence has 2"),
        (walk(3)[0], {"sequence": "GGG", "top": "a.pdb"}, latcpb.UsageError, "names the atoms of files"),
        (walk(3)[0], {"sequence": "GGG", "smaples": 2}, latcpb.UsageError, "no setting 'smaples'"),
        (walk(3)[0], {"sequence": "GGG", "samples": 0}, latcpb.UsageError, "samples 0"),
        (walk(3)[0], {"sequence": "GGG", "frames": 3.5}, latcpb.UsageError, "no slice"),
        (walk(3)[0] / 10, {"sequence": "GGG"}, latcpb.InputError, "nm"),
        (MDAnalysis.Universe.empty(2), {}, latcpb.InputError, "no coordinates"),
    ],
)  # fmt: skip
def test_refused(model, x, settings, kind, message):
    with pytest.raises(kind, match=message) as caught:
        model.backmap(x, **settings)
    assert caught.value.hint


def test_nothing_is_printed(model, universe, capsys, caplog):
    universe.add_TopologyAttr("resnames", ["HOH"] + list(universe.residues.resnames[1:]))
    with caplog.at_level(logging.INFO, logger="latcpb_cli"):
        result = model.backmap(universe)
        result.report  # noqa: B018
    assert capsys.readouterr() == ("", "")
    assert all(record.name.startswith("latcpb_cli") for record in caplog.records)


def test_inspect_gives_what_was_understood(files, universe):
    for x, top in ((universe, None), (files.trajectory, files.top)):
        summary = latcpb.inspect(x, top=top)
        assert summary.source.trace.sequence == "GASACASG" * 2
        assert summary.measured.n_frames == 3
        assert str(summary).startswith(
            "3 frames of 16 residues in 2 chains: A:GLY1 to A:GLY8; B:GLY1 to B:GLY8"
        )
        assert "frame 2" in str(summary)


@pytest.mark.parametrize("progress", [True, False])
def test_a_bar_shows_the_steps_of_frames_that_take_long(model, monkeypatch, capsys, progress):
    sample = type(model).sample

    def reporting(self, *arguments):
        if self._on_steps is not None:
            self._on_steps(Steps(340, 1000, 0.34))
        return sample(self, *arguments)

    monkeypatch.setattr(type(model), "sample", reporting)
    model.backmap(walk(9), sequence="GASCWYHKR", progress=progress)
    shown = capsys.readouterr().err
    assert ("0/1" in shown and "step 340 of 1,000" in shown) is progress
    assert "step" not in shown.rpartition("1/1")[2]
