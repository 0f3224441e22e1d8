"""``latcpb backmap`` as a user meets it: files, messages, exit codes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import gemmi
import numpy as np
import pytest
from cg_files import FakeBackmapper, walk, write_ca_pdb, write_trajectory

from latcpb_cli.cli.app import main


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder of a user whose model is a stand-in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("latcpb_cli.backmapper.Backmapper", FakeBackmapper)
    return tmp_path


@pytest.fixture
def run(folder, capsys):
    """Run the command line; gives exit code and stderr."""

    def call(*arguments) -> tuple[int, str]:
        with pytest.raises(SystemExit) as caught:
            main(["backmap", *map(str, arguments)])
        captured = capsys.readouterr()
        assert captured.out == ""
        return int(caught.value.code or 0), captured.err

    return call


def names(folder) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


def test_trajectory(folder, run, ca_pdb, positions):
    write_trajectory(folder / "traj.xtc", positions)
    before = names(folder)
    code, said = run("traj.xtc", "--top", "cg.pdb")
    assert code == 0
    assert names(folder) - before == {
        "traj.backmapped.xtc",
        "traj.backmapped.top.pdb",
        "traj.backmapped.report.json",
        "traj.backmapped.report.csv",
    }
    assert "6 frames of 13 residues in 1 chain" in said
    assert "1.2 Å" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(("given", "made"), [("t.dcd", "t.backmapped.dcd"), ("cg.pdb", "cg.backmapped.pdb")])
def test_default_names(folder, run, ca_pdb, positions, given, made):
    if given != "cg.pdb":
        write_trajectory(folder / given, positions)
    assert run(given, "-s", "cg.pdb", "--no-report", "-q") == (0, "")
    assert made in names(folder)
    assert not [name for name in names(folder) if "report" in name]


def test_frames_samples_and_selection(folder, run, ca_pdb, positions):
    write_trajectory(folder / "t.dcd", positions)
    code, _ = run(
        "t.dcd", "-s", "cg.pdb", "-o", "o.pdb", "-b", 10, "-e", 40, "--stride", 3, "--samples", 2,
        "--selection", "resid 1:5",
    )  # fmt: skip
    assert code == 0
    structure = gemmi.read_pdb("o.pdb")
    assert len(structure) == 4
    assert len(structure[0][0]) == 5
    alpha = [site.atom.pos.tolist() for site in structure[2].all() if site.atom.name == "CA"]
    np.testing.assert_allclose(alpha, positions[4, :5], atol=1e-3)


def test_random_seed_is_shown(run, ca_pdb):
    code, said = run("cg.pdb", "--seed", "random")
    assert code == 0
    assert any(line.startswith("seed ") for line in said.splitlines())


def test_what_the_model_is_asked_for(folder, run, ca_pdb, monkeypatch):
    seen = []
    sample = FakeBackmapper.sample

    def spy(self, trace, chunk, *, samples, seed, mode, coherence, ca_tolerance, survey, tally):
        seen.append((samples, seed, mode, coherence, ca_tolerance))
        return sample(self, trace, chunk, samples=samples, seed=seed, mode=mode)

    monkeypatch.setattr(FakeBackmapper, "sample", spy)
    for options in (
        [],
        ["-n", 3, "--seed", 5],
        ["--mode", "exact", "--coherence", 2],
        ["--ca-tolerance", 0.3],
    ):
        assert run("cg.pdb", "--overwrite", *options)[0] == 0
    assert seen == [
        (1, 0, "best", 0.0, 0.0),
        (3, 5, "ensemble", 0.0, 0.0),
        (1, 0, "exact", 2.0, 0.0),
        (1, 0, "best", 0.0, 0.3),
    ]


def test_renamed_and_left_out_residues_are_told(folder, run):
    write_ca_pdb(folder / "a.pdb", "HC", walk(2), resnames=["HSD", "CYX"])
    _, said = run("a.pdb")
    assert "HSD as HIS (1), CYX as CYS (1)" in said


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
        (["cg.pdb", "-o", "there.pdb"], 4, "there.pdb: exists already"),
    ],
)
def test_errors(folder, run, ca_pdb, positions, arguments, code, message):
    for name in ("empty.pdb", "there.pdb"):
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
    left_with, said = run(*arguments)
    assert left_with == code
    assert names(folder) == before
    error, hint = said.splitlines()[-2:]
    assert error.startswith(f"error: {message}")
    assert hint.startswith("hint: ")
    assert "Traceback" not in said


def test_output_is_checked_before_the_model_loads(folder, run, ca_pdb, monkeypatch):
    def never(*_, **__):
        raise AssertionError("the model was loaded")

    monkeypatch.setattr(FakeBackmapper, "from_pretrained", never)
    for there in ("cg.backmapped.pdb", "cg.backmapped.report.csv"):
        (folder / there).touch()
        assert run("cg.pdb")[0] == 4
        (folder / there).unlink()


def test_overwrite(folder, run, ca_pdb):
    assert run("cg.pdb")[0] == 0
    assert run("cg.pdb")[0] == 4
    assert run("cg.pdb", "--overwrite")[0] == 0


def test_interrupted(folder, run, ca_pdb, monkeypatch):
    monkeypatch.setattr(FakeBackmapper, "fail_at", 0)
    before = names(folder)
    assert run("cg.pdb")[0] == 130
    assert names(folder) == before


def test_time_limit_of_a_batch_system(folder, run, ca_pdb, monkeypatch):
    monkeypatch.setattr(FakeBackmapper, "sample", lambda *_, **__: os.kill(os.getpid(), signal.SIGTERM))
    before = names(folder)
    assert run("cg.pdb")[0] == 130
    assert names(folder) == before


def test_bugs_are_one_line_unless_debugged(folder, run, ca_pdb, monkeypatch):
    monkeypatch.setattr(FakeBackmapper, "sample", lambda *_, **__: 1 / 0)
    code, said = run("cg.pdb")
    assert code == 1
    assert "error: this is a bug in latcpb (ZeroDivisionError: division by zero)" in said
    assert "Traceback" not in said
    with pytest.raises(ZeroDivisionError):
        main(["backmap", "cg.pdb", "--debug"])


def test_usage_errors_of_the_parser(run):
    assert run()[0] == 2
    assert run("a.pdb", "--samples", "0")[0] == 2
    assert run("a.pdb", "--no-such-option")[0] == 2


@pytest.mark.parametrize("arguments", [["--help"], ["backmap", "--help"], ["--version"]])
def test_help_is_light(arguments):
    """Help answers at once because nothing heavy is loaded for it."""
    code = (
        "import sys\n"
        "from latcpb_cli.cli.app import main\n"
        "try:\n    main(sys.argv[1:])\n"
        "finally:\n    print(sorted(m for m in sys.modules if '.' not in m), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = set(eval(done.stderr.splitlines()[-1]))
    assert not loaded & {"torch", "MDAnalysis", "numpy", "e3nn", "scipy", "gemmi", "huggingface_hub"}


def test_closed_pipe_is_no_traceback():
    done = subprocess.run(
        f"{sys.executable} -c 'from latcpb_cli.cli.app import main; main()' backmap --help | head -1",
        shell=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "Traceback" not in done.stderr
