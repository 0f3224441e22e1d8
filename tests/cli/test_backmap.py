"""``latcpb backmap`` as a user meets it: files, messages, exit codes."""

from __future__ import annotations

import json
import os
import signal

import gemmi
import numpy as np
import pytest
from cg_files import FakeModel, walk, write_ca_pdb, write_trajectory
from tiny import SEQUENCE, coil, tiny_weights

from latcpb_cli.choices import PARTS
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.options import BackmapOptions


def names(folder) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


def test_trajectory(folder, backmap, ca_pdb, positions):
    write_trajectory(folder / "traj.xtc", positions)
    before = names(folder)
    code, messages = backmap("traj.xtc", "--top", "cg.pdb")
    assert code == 0
    assert names(folder) - before == {
        "traj.backmapped.xtc",
        "traj.backmapped.top.pdb",
        "traj.backmapped.report.json",
        "traj.backmapped.report.csv",
    }
    assert "6 frames of 13 residues in 1 chain" in messages
    assert "1.2 Å" in messages
    assert "Traceback" not in messages


def test_every_input_file_is_named(folder, backmap, ca_pdb, positions):
    for number in range(3):
        write_trajectory(folder / f"part{number}.xtc", positions)
    code, messages = backmap("part0.xtc", "part1.xtc", "part2.xtc", "--top", "cg.pdb", "-o", "o.xtc")
    assert code == 0
    assert "cg.pdb part0.xtc part1.xtc part2.xtc: 18 frames" in messages
    assert "warning: times repeat or fall: part1.xtc has 0 ps after 50 ps" in messages
    options = ("--top", "cg.pdb", "-o", "once.xtc", "--drop-repeated-times")
    code, messages = backmap("part0.xtc", "part1.xtc", "part2.xtc", *options)
    assert code == 0
    assert "part2.xtc: 6 frames" in messages


def test_a_trajectory_without_suffix(folder, backmap, ca_pdb, positions):
    write_trajectory(folder / "t.xtc", positions).rename(folder / "traj")
    code, messages = backmap("traj", "--top", "cg.pdb")
    assert code == 3 and "hint: name it with --format" in messages
    assert backmap("traj", "--top", "cg.pdb", "--format", "docx")[0] == 2
    assert backmap("traj", "--top", "cg.pdb", "--format", "xtc")[0] == 0
    assert (folder / "traj.backmapped.xtc").is_file()


def test_a_file_name_that_is_not_utf8(folder, backmap, ca_pdb):
    name = os.fsdecode(b"caf\xe9.pdb")
    ca_pdb.rename(folder / name)
    code, messages = backmap(name, "-o", "o.pdb")
    assert code == 0
    assert "caf\\udce9.pdb: 1 frame" in messages
    report = json.loads((folder / "o.report.json").read_text())
    assert report["provenance"]["inputs"][0]["file"].startswith("caf")
    code, messages = backmap(os.fsdecode(b"caf\xe8.pdb"))
    assert code == 3 and "no such file" in messages


@pytest.mark.parametrize(
    ("trajectory", "output"), [("t.dcd", "t.backmapped.dcd"), ("cg.pdb", "cg.backmapped.pdb")]
)
def test_default_names(folder, backmap, ca_pdb, positions, trajectory, output):
    if trajectory != "cg.pdb":
        write_trajectory(folder / trajectory, positions)
    assert backmap(trajectory, "-s", "cg.pdb", "--no-report", "-q") == (0, "")
    assert output in names(folder)
    assert not [name for name in names(folder) if "report" in name]


def test_frames_samples_and_selection(folder, backmap, ca_pdb, positions):
    write_trajectory(folder / "t.dcd", positions)
    code, _ = backmap(
        "t.dcd", "-s", "cg.pdb", "-o", "o.pdb", "-b", 10, "-e", 40, "--stride", 3, "--samples", 2,
        "--selection", "resid 1:5",
    )  # fmt: skip
    assert code == 0
    structure = gemmi.read_pdb("o.pdb")
    assert len(structure) == 4
    assert len(structure[0][0]) == 5
    alpha = [site.atom.pos.tolist() for site in structure[2].all() if site.atom.name == "CA"]
    np.testing.assert_allclose(alpha, positions[4, :5], atol=1e-3)


def test_random_seed_is_shown(backmap, ca_pdb):
    code, messages = backmap("cg.pdb", "--seed", "random")
    assert code == 0
    assert any(line.startswith("seed ") for line in messages.splitlines())


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], {}),
        (["-n", 3, "--seed", 5], {"samples": 3, "seed": 5, "mode": "ensemble"}),
        (["--mode", "exact", "--coherence", 2], {"mode": "exact", "coherence": 2.0}),
        (["--ca-tolerance", 0.3], {"ca_tolerance": 0.3}),
        (["--disulfides", "none", "--naming", "amber"], {"disulfides": "none", "naming": "amber"}),
        (["--without", "all"], {"without": PARTS}),
        (["--without", "rescoring, packing"], {"without": ("packing", "rescoring")}),
        (["--without", "relief"], {"without": ("relief",)}),
        (["--no-report"], {"report": False}),
        (["--resume"], {"resume": True}),
    ],
)
def test_options_of_the_model(backmap, ca_pdb, monkeypatch, arguments, expected):
    received = []
    sample = FakeModel.sample

    def spy(self, trace, chunk, options, references=None, counts=None, predictions=None):
        received.append(options)
        return sample(self, trace, chunk, options, references, counts, predictions)

    monkeypatch.setattr(FakeModel, "sample", spy)
    assert backmap("cg.pdb", "-o", "o.pdb", *arguments)[0] == 0
    assert received == [BackmapOptions(**expected)]


def test_renamed_residues_are_listed(folder, backmap):
    write_ca_pdb(folder / "a.pdb", "HC", walk(2), resnames=["HSD", "CYX"])
    _, messages = backmap("a.pdb")
    assert "HSD as HIS (1), CYX as CYS (1)" in messages


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nothing.pdb"], 3, "nothing.pdb: no such file"),
        (["empty.pdb"], 3, "empty.pdb: the file is empty"),
        (["cut.xtc", "-s", "cg.pdb"], 3, "cut.xtc: truncated after 5 whole frames"),
        (["a.docx"], 3, "a.docx: unknown format '.docx'"),
        (["other.xtc", "-s", "cg.pdb"], 3, "other.xtc: 20 atoms, but cg.pdb has 13"),
        (
            ["nan.dcd", "-s", "cg.pdb", "--strict"],
            3,
            "nan.dcd: frame 2, residue A:GLY2: position is not a number",
        ),
        (["unknown.pdb"], 3, "unknown.pdb: Cα beads of residues that are not known: XYZ (1)"),
        (["cg.pdb", "-o", "o.docx"], 2, "o.docx: cannot write format '.docx'"),
        (["cg.pdb", "--device", "tpu"], 2, "--device tpu is not known"),
        (["cg.pdb", "-n", "3", "--mode", "best"], 2, "mode best gives one structure per frame, not 3"),
        (["cg.pdb", "--seed", "-1"], 2, "--seed '-1' is not possible"),
        (["cg.pdb", "--frames", "x"], 2, "--frames 'x' is not understood"),
        (["cg.pdb", "--frames", "0", "--stride", "2"], 2, "--frames excludes"),
        (["cg.pdb", "-o", "cg.pdb", "--overwrite"], 2, "cg.pdb: is an input of this run"),
        (["cg.pdb", "--without", "relief,charm"], 2, "--without 'charm' is not known"),
        (["cg.pdb", "--without", "packing"], 2, "rescoring corrects what packing computes"),
        (["cg.pdb", "--without", "all", "--coherence", "1"], 2, "--coherence in best mode averages"),
        (["cg.pdb", "--workers", "2", "--scheduler", "tcp://a:1"], 2, "--workers and --scheduler exclude"),
        (["cg.pdb", "-o", "exists.pdb"], 4, "exists.pdb: exists already"),
    ],
)
def test_errors(folder, backmap, ca_pdb, positions, arguments, code, message):
    for name in ("empty.pdb", "exists.pdb"):
        (folder / name).touch()
    (folder / "a.docx").write_text("x")
    cut = write_trajectory(folder / "cut.xtc", positions)
    os.truncate(cut, cut.stat().st_size - 20)
    write_trajectory(folder / "other.xtc", walk(20))
    broken = positions.copy()
    broken[2, 1] = np.nan
    write_trajectory(folder / "nan.dcd", broken)
    write_ca_pdb(folder / "unknown.pdb", "AA", walk(2), resnames=["ALA", "XYZ"])
    before = names(folder)
    exit_code, messages = backmap(*arguments)
    assert exit_code == code
    assert names(folder) == before
    error, hint = messages.splitlines()[-2:]
    assert error.startswith(f"error: {message}")
    assert hint.startswith("hint: ")
    assert "Traceback" not in messages


def test_output_is_checked_before_the_model_loads(folder, backmap, ca_pdb, monkeypatch):
    def never(*_, **__):
        raise AssertionError("the model was loaded")

    monkeypatch.setattr(FakeModel, "from_pretrained", never)
    for name in ("cg.backmapped.pdb", "cg.backmapped.report.csv"):
        (folder / name).touch()
        assert backmap("cg.pdb")[0] == 4
        (folder / name).unlink()


def test_overwrite(folder, backmap, ca_pdb):
    assert backmap("cg.pdb")[0] == 0
    assert backmap("cg.pdb")[0] == 4
    assert backmap("cg.pdb", "--overwrite")[0] == 0


def test_interrupted(folder, backmap, ca_pdb, monkeypatch):
    monkeypatch.setattr(FakeModel, "fail_at", 0)
    before = names(folder)
    assert backmap("cg.pdb")[0] == 130
    assert names(folder) == before


def test_time_limit_of_a_batch_system(folder, backmap, ca_pdb, monkeypatch):
    monkeypatch.setattr(FakeModel, "sample", lambda *_, **__: os.kill(os.getpid(), signal.SIGTERM))
    before = names(folder)
    assert backmap("cg.pdb")[0] == 130
    assert names(folder) == before


def test_hints_for_parts(backmap, ca_pdb):
    _, messages = backmap("cg.pdb", "--without", "charm")
    assert "hint: choose from peptides, packing, rescoring, relief" in messages
    _, messages = backmap("cg.pdb", "--without", "packing,peptides")
    assert "hint: leave out both: --without packing,rescoring" in messages


def test_the_paper_alone(folder, backmap, monkeypatch):
    """The model itself builds atoms without any part beyond the paper, and the report records it."""
    monkeypatch.setattr("latcpb_cli.loaded_model.LoadedModel", LoadedModel)
    tiny_weights(folder / "weights")
    write_ca_pdb(folder / "coil.pdb", SEQUENCE, coil(len(SEQUENCE)).numpy()[None])
    atoms = {}
    for parts in ("all", "peptides,relief", None):
        without = [] if parts is None else ["--without", parts]
        output = folder / f"{parts}.pdb"
        assert backmap("coil.pdb", "--weights", "weights", "-o", output, "-q", *without) == (0, "")
        atoms[parts] = [site.atom.pos.tolist() for site in gemmi.read_pdb(str(output))[0].all()]
        report = json.loads(output.with_suffix(".report.json").read_text())
        expected = {"all": list(PARTS), "peptides,relief": ["peptides", "relief"], None: []}[parts]
        assert report["provenance"]["without"] == expected
    assert atoms["all"] != atoms["peptides,relief"] != atoms[None]
    assert len(atoms["all"]) == len(atoms[None])


def test_a_page_of_the_run(folder, backmap, ca_pdb, positions):
    write_trajectory(folder / "traj.xtc", positions)
    code, messages = backmap("traj.xtc", "--top", "cg.pdb", "-o", "all.xtc", "--report-html", "page.html")
    assert code == 0 and "wrote page.html" in messages
    text = (folder / "page.html").read_text("utf-8")
    assert "<title>Backmapping of cg.pdb, traj.xtc</title>" in text
    assert '"frame":[0,1,2,3,4,5]' in text


@pytest.mark.parametrize(
    ("options", "expected", "message"),
    [
        (["--report-html", "page.html", "--no-report"], 2, "needs the report"),
        (["--report-html", "none/page.html"], 2, "no such folder"),
        (["--report-html", "cg.pdb"], 4, "exists already"),
        (["--report-html", "page.html", "-o", "results"], 2, "single output"),
    ],
)
def test_a_page_that_is_not_possible(folder, backmap, ca_pdb, options, expected, message):
    before = names(folder)
    code, messages = backmap("cg.pdb", *options)
    assert code == expected and message in messages
    assert names(folder) == before
