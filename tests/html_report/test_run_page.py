"""The page of a run: figures of the report beside the atoms."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from latcpb_cli.chem.residues import CA_SLOT
from latcpb_cli.errors import OutputError
from latcpb_cli.evaluation.evaluate import MethodInput, evaluate, from_memory
from latcpb_cli.html_report.run_page import RunReport, run_page

NAMES = (
    "contact12_percent", "overlap04_per_1000", "worst_overlap", "pierced_rings", "d_residues", "omega",
)  # fmt: skip


@pytest.fixture
def report(native):
    """The report of a run with three frames, whose second one has an overlap of residues 1 and 2."""
    frames = [{"frame": 10 * k, "sample": 0, **dict.fromkeys(NAMES, 2.0 * (k == 1))} for k in range(3)]
    mean_max = {name: {"mean": 2 / 3, "max": 2.0} for name in NAMES}
    peaks = {name: {"value": 2.0, "frame": 10, "sample": 0} for name in NAMES}
    content = {
        "provenance": {
            "command": ["/bin/latcpb", "backmap", "x.pdb"],
            "inputs": [{"file": "in/x.pdb", "sha256": "ab12"}],
            "weights": {"name": "tiny", "sha256": "cd"}, "residues": 16, "mode": "best", "seed": 7,
            "warnings": ["a <b> warning"], "seconds": 1.5, "ca_moved": {"max": 0.25},
        },
        "summary": {"frames": 3, "samples": 1, **mean_max, "peaks": peaks},
        "frames": frames,
    }  # fmt: skip
    return RunReport(content, [f"res{k}" for k in range(16)], {"res1": 3.0, "res2": 3.0})


@pytest.fixture
def alone(native):
    return evaluate(None, [MethodInput("backmapped", (from_memory(native, "x"),))])


def test_residues_have_the_labels_and_counts_of_the_run(report, alone):
    data = run_page(report, alone).data
    assert data["residues"]["labels"][:2] == ["res0", "res1"]
    assert data["perResidue"][0]["overlap04"][:4] == [0.0, 1.0, 1.0, 0.0]
    assert "confidence" not in data["perResidue"][0]


def test_frames_have_the_numbers_of_the_input(report, alone):
    data = run_page(report, alone).data
    assert data["perFrame"][0]["frame"] == [0, 10, 20]
    assert data["perFrame"][0]["values"]["validity.overlap04_per_1000"] == [0.0, 2.0, 0.0]
    assert data["scenes"][0]["models"][0]["frames"] == [0, 10, 20]


def test_spacing_is_unusual_where_beads_are_too_far_apart(report, alone, native):
    assert max(run_page(report, alone).data["perResidue"][0]["spacing"]) == 0.0
    atoms = native.atoms.copy()
    atoms[:, 5:] += 0.1 * (atoms[:1, 5:6, CA_SLOT] - atoms[:1, 4:5, CA_SLOT])[:, :, None]
    stretched = evaluate(None, [MethodInput("x", (from_memory(replace(native, atoms=atoms), "x"),))])
    spacing = run_page(report, stretched).data["perResidue"][0]["spacing"]
    assert spacing[4] == spacing[5] == 1.0
    assert spacing[3] == spacing[6] == 0.0


def test_confidence_is_shown_where_the_report_has_it(report, alone):
    rows = [{"residue": f"res{k}", "chi1": 0.5, "side_chain_error": None} for k in range(16)]
    report.content["confidence"] = rows
    page = run_page(report, alone)
    assert page.data["perResidue"][0]["confidence"] == [0.5] * 16
    assert any(tile.label == "confidence in χ1" and tile.value == "50 %" for tile in page.tiles[0])


def test_origin_and_warnings(report, alone):
    html = run_page(report, alone).html()
    assert "<dd>a &lt;b&gt; warning</dd>" in html
    for name, value in (
        ("command", "latcpb backmap x.pdb"),
        ("inputs", "in/x.pdb ab12"),
        ("ca moved, max", "0.25"),
    ):
        assert f"<dt>{name}</dt><dd>{value}</dd>" in html
    assert re.search(
        r"largest overlap, Å</th><td class=\"number\">0.67</td><td class=\"number\">2</td>", html
    )


def test_reports_are_read(tmp_path, report):
    (tmp_path / "r.json").write_text(json.dumps(report.content), encoding="utf-8")
    lines = [
        "frame,sample,time_ps,residue,contact12,overlap04,pierced",
        "0,0,0.0,res1,0,2,0",
        "1,0,0.0,res1,0,1,0",
    ]
    (tmp_path / "r.csv").write_text("\n".join(lines) + "\n")
    read = RunReport.read(tmp_path / "r.json", tmp_path / "r.csv", report.labels)
    assert read.overlaps == {"res1": 3.0}
    assert read.content == report.content


def test_a_page_that_cannot_be_written(report, alone, tmp_path):
    page = run_page(report, alone)
    page.write(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text("utf-8").startswith("<!doctype html>")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    with pytest.raises(OutputError, match="No such file"):
        page.write(tmp_path / "none" / "page.html")
