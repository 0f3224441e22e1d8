"""The data flow, with a stand-in for the model."""

from __future__ import annotations

import csv
import hashlib
import json

import gemmi
import numpy as np
import pytest
from cg_files import walk, write_ca_pdb, write_trajectory

from latcpb_cli import pipeline
from latcpb_cli.errors import OutputExistsError, UsageError
from latcpb_cli.io.open_source import open_source
from latcpb_cli.run.pipeline import _frames_per_chunk, backmap_trajectory


@pytest.fixture
def source(tmp_path, ca_pdb, positions):
    return open_source([write_trajectory(tmp_path / "t.dcd", positions)], ca_pdb)


def test_all_frames_and_samples_in_order(tmp_path, source, backmapper, positions):
    done = []
    summary = backmap_trajectory(
        backmapper, source, tmp_path / "out.pdb", samples=3, mode="ensemble", on_progress=done.append
    )
    assert (summary.n_frames, summary.n_samples, summary.n_residues) == (6, 3, 13)
    assert summary.outputs == (tmp_path / "out.pdb",)
    assert done[-1] == 6
    structure = gemmi.read_pdb(str(tmp_path / "out.pdb"))
    assert len(structure) == 18
    for number, model in enumerate(structure):
        frame, sample = divmod(number, 3)
        alpha = [site.atom.pos.tolist() for site in model.all() if site.atom.name == "CA"]
        np.testing.assert_allclose(alpha, positions[frame], atol=1e-3)
        beta = next(site.atom.pos.x for site in model.all() if site.atom.name == "CB")
        assert beta == pytest.approx(positions[frame, 0, 0] + np.cos(3.6) + 0.01 * sample, abs=2e-3)


@pytest.mark.parametrize("suffix", [".pdb", ".xtc", ".dcd", ".trr"])
def test_chunks_do_not_change_the_output(tmp_path, source, backmapper, monkeypatch, suffix):
    made = []
    for residues in (1, 40, 10_000):
        monkeypatch.setattr(pipeline, "RESIDUES_PER_CHUNK", residues)
        output = tmp_path / f"{residues}{suffix}"
        backmap_trajectory(backmapper, source, output, samples=2)
        made.append(output.read_bytes())
    assert made[0] == made[1] == made[2]


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        ({"coherence": 2.0}, True),
        ({}, False),
        ({"coherence": 2.0, "mode": "ensemble"}, False),
    ],
)
def test_frames_are_asked_before_the_first_is_built(
    tmp_path, source, backmapper, monkeypatch, options, asked
):
    """All six, by a best mode that is to be coherent only; what they say goes with every chunk."""
    surveys, heard = [], []
    sample = type(backmapper).sample

    def survey(self, trace, chunk, *, ca_tolerance):
        assert not heard
        surveys.append(chunk.indices.tolist())
        return "what they say"

    def listening(self, trace, chunk, **options):
        heard.append(options["survey"])
        return sample(self, trace, chunk, **options)

    monkeypatch.setattr(type(backmapper), "survey", survey)
    monkeypatch.setattr(type(backmapper), "sample", listening)
    monkeypatch.setattr(pipeline, "RESIDUES_PER_CHUNK", 1)
    backmap_trajectory(backmapper, source, tmp_path / "out.pdb", **options)
    assert surveys == ([[0, 1, 2, 3, 4, 5]] if asked else [])
    assert set(heard) == {"what they say" if asked else None}
    assert len(heard) == 6


def test_report_and_provenance(tmp_path, source, backmapper, ca_pdb):
    report = tmp_path / "out.report.json"
    summary = backmap_trajectory(
        backmapper, source, tmp_path / "out.xtc", samples=2, seed=7, mode="ensemble", report=report
    )
    assert [path.name for path in summary.outputs] == [
        "out.xtc",
        "out.top.pdb",
        "out.report.json",
        "out.report.csv",
    ]
    content = json.loads(report.read_text())
    made_by = content["provenance"]
    assert made_by["seed"] == 7
    assert made_by["mode"] == "ensemble"
    assert made_by["weights"] == {"name": "fake", "sha256": "0" * 64}
    assert made_by["inputs"][0] == {
        "file": str(ca_pdb),
        "sha256": hashlib.sha256(ca_pdb.read_bytes()).hexdigest(),
    }
    assert len(content["frames"]) == 12
    assert content["summary"] == json.loads(json.dumps(summary.clashes))
    with (tmp_path / "out.report.csv").open() as handle:
        assert "residue" in next(csv.reader(handle))


@pytest.mark.parametrize("name", ["out.pdb", "out.xtc"])
def test_interrupted_run_leaves_no_final_name(tmp_path, source, backmapper, monkeypatch, name):
    """Nothing at all where nothing was done; else what `resume` needs."""
    before = sorted(entry.name for entry in tmp_path.iterdir())
    for fail_at in (0, 3):
        monkeypatch.setattr(pipeline, "RESIDUES_PER_CHUNK", 1)
        backmapper.fail_at = fail_at
        with pytest.raises(KeyboardInterrupt):
            backmap_trajectory(
                backmapper, source, tmp_path / name, report=tmp_path / "out.report.json", overwrite=True
            )
        left = {entry.name for entry in tmp_path.iterdir()} - set(before)
        assert {entry.rpartition(".")[2] for entry in left} == ({"part", "journal"} if fail_at else set())


def test_interrupted_overwrite_keeps_the_old_file(tmp_path, source, backmapper):
    output = tmp_path / "out.pdb"
    output.write_text("precious")
    backmapper.fail_at = 5
    with pytest.raises(KeyboardInterrupt):
        backmap_trajectory(backmapper, source, output, overwrite=True)
    assert output.read_text() == "precious"
    backmapper.fail_at = None
    backmap_trajectory(backmapper, source, output, overwrite=True)
    assert "0" * 64 in output.read_text().splitlines()[2]


def test_outputs_are_checked(tmp_path, source, backmapper, ca_pdb):
    (tmp_path / "out.report.csv").touch()
    with pytest.raises(OutputExistsError, match="out.report.csv"):
        backmap_trajectory(backmapper, source, tmp_path / "out.pdb", report=tmp_path / "out.report.json")
    with pytest.raises(UsageError, match="is an input"):
        backmap_trajectory(backmapper, source, ca_pdb, overwrite=True)


def test_single_residue(tmp_path, backmapper):
    source = open_source([write_ca_pdb(tmp_path / "a.pdb", "W", walk(1))])
    backmap_trajectory(backmapper, source, tmp_path / "out.pdb", report=tmp_path / "out.report.json")
    assert gemmi.read_pdb(str(tmp_path / "out.pdb"))[0].count_atom_sites() == 15


def test_report_says_how_far_alpha_carbons_moved(tmp_path, source, backmapper):
    facts = []
    for tolerance in (0.0, 0.4):
        report = tmp_path / f"{tolerance}.report.json"
        backmap_trajectory(
            backmapper, source, tmp_path / f"{tolerance}.pdb", ca_tolerance=tolerance, report=report
        )
        facts.append(json.loads(report.read_text())["provenance"])
    assert [entry["ca_tolerance"] for entry in facts] == [0.0, 0.4]
    assert facts[0]["ca_moved"] == {"percent": 0.0, "mean": 0.0, "max": 0.0}
    assert facts[0]["deep_overlaps"] == {"built": 0, "relieved": 0, "reselected": 0}
    # The stand-in moves every atom by half of the tolerance along each axis.
    assert facts[1]["ca_moved"]["percent"] == 100.0
    assert facts[1]["ca_moved"]["max"] == pytest.approx(0.2 * 3**0.5, abs=1e-3)


@pytest.mark.parametrize(
    ("block", "residues", "frames", "builders", "expected"),
    [
        (5, 100, 1000, 1, 80),
        (5, 100, 1000, 2, 50),
        (5, 100, 1000, 4, 50),
        (5, 100, 3, 4, 80),
        (1, 40000, 7, 2, 1),
        (5, 100, 0, 2, 80),
    ],
)
def test_chunks_keep_every_builder_busy(block, residues, frames, builders, expected):
    assert _frames_per_chunk(block, residues, frames, builders) == expected
