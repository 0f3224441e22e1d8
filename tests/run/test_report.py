"""The clash report: its two files, its summary, and no trace of a run that failed."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from peptides import structure

from latcpb_cli.confidence.record import QUANTITIES
from latcpb_cli.io.writers.frame_writer import FrameInfo
from latcpb_cli.metrics.clashes import FrameClashes
from latcpb_cli.run import report as report_module
from latcpb_cli.run.report import CSV_COLUMNS, ReportWriter

TRACE = structure("AKF").trace


def clashes(contact, overlap, worst=0.5, pierced=(0, 0, 0)):
    return FrameClashes(
        n_atoms=100,
        contact12=np.array(contact, dtype=bool),
        overlap04=np.array(overlap),
        n_overlaps=max(overlap),
        worst_overlap=worst if max(overlap) else 0.0,
        worst_pair=(0, 2) if max(overlap) else (-1, -1),
        pierced=np.array(pierced, dtype=bool),
    )


def info(frame, sample, time, bridges=()):
    return FrameInfo(frame, sample, time, np.zeros(6, dtype=np.float32), bridges)


FRAMES = [
    (info(10, 0, 5.0), clashes([0, 0, 0], [0, 0, 0]), {"bonds": 2, "energy": -4.5}),
    (info(10, 1, 5.0, ((0, 2),)), clashes([0, 0, 0], [2, 0, 2], worst=0.8), {"bonds": 3, "energy": -9.0}),
    (info(11, 0, 7.5), clashes([1, 0, 1], [1, 0, 1]), {"bonds": 0, "energy": -7.0}),
    (info(11, 1, 7.5), clashes([0, 0, 0], [0, 1, 1], pierced=(0, 0, 1)), {"bonds": 3, "energy": -8.0}),
]


@pytest.fixture
def paths(tmp_path):
    return tmp_path / "run.report.json", tmp_path / "run.report.csv"


def write(paths, frames=FRAMES):
    with ReportWriter(*paths, TRACE) as report:
        for frame in frames:
            report.add(*frame)
        summary = report.finish({"version": "1", "command": "latcpb backmap"})
        report.commit()
        return summary


def test_summary(paths):
    summary = write(paths)
    assert (summary["frames"], summary["samples"]) == (2, 2)
    assert summary["contact12_percent"] == {
        "mean": pytest.approx(66.6667 / 4),
        "max": pytest.approx(66.6667, abs=1e-3),
    }
    assert summary["overlap04_per_1000"] == {"mean": pytest.approx(10.0), "max": 20.0}
    assert summary["pierced_rings"] == {"mean": 0.25, "max": 1.0}
    assert (summary["worst_frame"]["frame"], summary["worst_frame"]["sample"]) == (11, 0)
    worst = summary["worst_residues"]
    assert [row["residue"] for row in worst] == ["A:PHE3", "A:ALA1", "A:LYS2"]
    assert worst[0] == {"residue": "A:PHE3", "contact12_percent": 25.0, "overlap04_per_frame": 1.0}


def test_confidence_is_a_row_for_each_residue_whatever_its_chain_is_called(paths, monkeypatch):
    trace = replace(TRACE, chain_ids=np.array(['"', "\\", ", "]))
    monkeypatch.setattr(report_module, "_ROWS_PER_WRITE", 2)
    values = np.array([[0.123456, 0.5, np.nan, np.nan, 1.0, 2.0, 3.0], 7 * [0.25], 7 * [np.nan]])
    with ReportWriter(*paths, trace, confident=True) as report:
        report.add(*FRAMES[0])
        report._confidence.add(values)
        report.finish({})
        report.commit()
    rows = json.loads(paths[0].read_text())["confidence"]
    assert [row.pop("residue") for row in rows] == trace.labels
    assert list(rows[0].values()) == [0.1235, 0.5, None, None, 1.0, 2.0, 3.0]
    assert [list(row) for row in rows] == 3 * [list(QUANTITIES)]
    assert rows[2] == dict.fromkeys(QUANTITIES)


def test_peaks_name_the_first_structure_with_the_largest_value(paths):
    peaks = write(paths)["peaks"]
    assert peaks["bonds"] == {"value": 3, "frame": 10, "sample": 1}
    assert peaks["energy"] == {"value": -4.5, "frame": 10, "sample": 0}
    assert peaks["pierced_rings"] == {"value": 1, "frame": 11, "sample": 1}
    assert peaks["worst_overlap"] == {"value": 0.8, "frame": 10, "sample": 1}


def test_json_holds_provenance_summary_and_every_frame(paths):
    summary = write(paths)
    content = json.loads(paths[0].read_text())
    assert content["provenance"] == {"version": "1", "command": "latcpb backmap"}
    assert content["summary"] == summary
    assert [(row["frame"], row["sample"], row["time_ps"]) for row in content["frames"]] == [
        (entry.frame, entry.sample, entry.time) for entry, _, _ in FRAMES
    ]
    assert [row["energy"] for row in content["frames"]] == [-4.5, -9.0, -7.0, -8.0]
    assert content["frames"][1]["disulfides"] == [["A:ALA1", "A:PHE3"]]
    assert content["frames"][1]["worst_pair"] == ["A:ALA1", "A:PHE3"]
    assert content["frames"][1]["worst_overlap"] == 0.8
    assert content["frames"][0]["worst_pair"] == []


def test_json_has_one_row_a_line_whatever_its_strings_are(paths, monkeypatch):
    monkeypatch.setattr(report_module, "_ROWS_PER_WRITE", 3)
    frames = [(*frame, {**row, "note": '}, {"', "next": 1}) for *frame, row in FRAMES]
    write(paths, frames)
    text = paths[0].read_text()
    rows = json.loads(text)["frames"]
    assert [row["note"] for row in rows] == ['}, {"'] * len(FRAMES)
    lines = [line.removesuffix(",") for line in text.splitlines() if line.startswith('  {"frame"')]
    assert [json.loads(line) for line in lines] == rows


def test_csv_has_one_row_per_residue_with_a_clash(paths):
    write(paths)
    rows = list(csv.reader(paths[1].open()))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert rows[1:] == [
        ["10", "1", "5.0", "A:ALA1", "0", "2", "0"],
        ["10", "1", "5.0", "A:PHE3", "0", "2", "0"],
        ["11", "0", "7.5", "A:ALA1", "1", "1", "0"],
        ["11", "0", "7.5", "A:PHE3", "1", "1", "0"],
        ["11", "1", "7.5", "A:LYS2", "0", "1", "0"],
        ["11", "1", "7.5", "A:PHE3", "0", "1", "1"],
    ]


def test_only_the_two_files_are_left(paths):
    write(paths)
    assert {path.name for path in paths[0].parent.iterdir()} == {path.name for path in paths}


def test_no_frames_still_makes_a_report(paths):
    summary = write(paths, frames=[])
    assert summary["frames"] == 0
    assert json.loads(paths[0].read_text())["frames"] == []


def test_nothing_is_left_of_a_run_that_failed(paths):
    with pytest.raises(RuntimeError), ReportWriter(*paths, TRACE) as report:
        report.add(*FRAMES[1])
        raise RuntimeError
    assert list(paths[0].parent.iterdir()) == []


def test_a_report_goes_on_where_it_was_interrupted(paths):
    """Its totals come from the file, which may hold more than was safe."""
    expected = write(paths)
    contents = [path.read_bytes() for path in paths]
    with pytest.raises(KeyboardInterrupt), ReportWriter(*paths, TRACE) as report:
        for frame in FRAMES[:2]:
            report.add(*frame)
        sizes = report.sync()
        report.add(*FRAMES[3])
        raise KeyboardInterrupt
    with ReportWriter(*paths, TRACE, sizes) as report:
        for frame in FRAMES[2:]:
            report.add(*frame)
        assert report.finish({"version": "1", "command": "latcpb backmap"}) == expected
        report.commit()
    assert [path.read_bytes() for path in paths] == contents


def test_an_older_report_stays_until_the_new_one_is_complete(paths):
    write(paths)
    before = paths[0].read_bytes()
    with pytest.raises(RuntimeError), ReportWriter(*paths, TRACE):
        raise RuntimeError
    assert paths[0].read_bytes() == before
