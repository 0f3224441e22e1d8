"""What ``latcpb evaluate`` accepts, and what it says about it."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import typer
from peptides import pdb_text, structure
from typer.testing import CliRunner

from latcpb_cli.cli.evaluate import evaluate
from latcpb_cli.errors import InputError, OutputExistsError, QualityGateError, UsageError
from latcpb_cli.evaluation.json_file import json_schema

SEQUENCE = "MKTAYIAPQRDFEWGV"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the command in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    application = typer.Typer()
    application.command()(evaluate)

    def call(*arguments):
        return CliRunner().invoke(application, [str(word) for word in arguments], env={"COLUMNS": "120"})

    return call


def write(name, sequence=SEQUENCE, frames=1, noise=0.0, shift=0.0, first=1, chain="A"):
    """A peptide with noise on its atoms, written to a file; residues are numbered from ``first``."""
    sample = structure(sequence, chain=chain)
    rng = np.random.default_rng(0)
    moved = sample.atoms + rng.normal(0, noise, (frames, *sample.atoms.shape[1:])) + shift
    sample = structure(sequence, frames=moved.astype(np.float32), chain=chain)
    sample.trace.resids[:] += first - 1
    with open(name, "w") as file:
        file.write(pdb_text(sample))


def trimmed(name, source="ref.pdb", resids=range(2, 16), chain="A", renumber=0):
    """Some residues of a file, under another chain and other numbers."""
    lines = []
    for line in open(source):
        if line.startswith("ATOM") and int(line[22:26]) in resids:
            lines.append(f"{line[:21]}{chain}{int(line[22:26]) + renumber:4d}{line[26:]}")
    with open(name, "w") as file:
        file.writelines(lines)


def methods(path="out.json"):
    content = json.load(open(path))
    pytest.importorskip("jsonschema").validate(content, json_schema())
    return content["methods"]


def test_one_structure_alone(run):
    write("gen.pdb", frames=2, noise=0.02)
    result = run("gen.pdb", "--json", "out.json", "--checks")
    assert result.exit_code == 0, result.output
    assert "against the reference" not in result.output
    assert "no D residue" in result.output and "pass" in result.output
    (method,) = methods()
    assert method["validity"]["d_residues"] == {"count": 0, "of": 30, "percent": 0.0}
    assert "inner" not in method and json.load(open("out.json"))["reference"] is None


def test_methods_side_by_side_in_every_output(run):
    write("ref.pdb", frames=2)
    for name, noise in (("a", 0.1), ("b", 0.3)):
        write(f"{name}.pdb", frames=2, noise=noise)
    result = run(
        "ref.pdb", "a.pdb", "b.pdb", "--name", "one", "--name", "two", "--json", "out.json", "--csv", "out"
    )
    assert result.exit_code == 0, result.output
    assert "one" in result.output and "two" in result.output
    first, second = methods()
    assert [first["name"], second["name"]] == ["one", "two"]
    assert 0.1 < first["inner"]["rmsd"]["all_heavy"] < second["inner"]["rmsd"]["all_heavy"]
    low, high = first["intervals"]["inner.rmsd.all_heavy"]
    assert low <= first["inner"]["rmsd"]["all_heavy"] <= high
    frames = list(csv.DictReader(open("out.frames.csv")))
    assert [(row["method"], row["frame"]) for row in frames[2:4]] == [("one", "0"), ("one", "1")]
    assert float(frames[2]["all.rmsd.all_heavy"]) > 0 and frames[0]["all.rmsd.all_heavy"] == ""
    residues = list(csv.DictReader(open("out.residues.csv")))
    assert len(residues) == 3 * len(SEQUENCE)
    assert (residues[-1]["chain"], residues[-1]["resid"], residues[-1]["resname"]) == ("A", "16", "VAL")
    types = {(row["method"], row["resname"]): row for row in csv.DictReader(open("out.residue_types.csv"))}
    assert float(types["two", "ALA"]["residues"]) == 2
    assert [row["chain"] for row in csv.DictReader(open("out.chains.csv"))] == ["A"] * 3


def test_output_without_termini_under_other_labels(run):
    """As GenZProt and CODLAD write it: residues at the ends are missing, numbers and chains are new."""
    write("ref.pdb")
    trimmed("genzprot.pdb")
    trimmed("codlad.pdb", chain=" ", renumber=-1)
    result = run("ref.pdb", "genzprot.pdb", "codlad.pdb", "--json", "out.json")
    assert result.exit_code == 0, result.output
    assert "not in genzprot.pdb: 2 residues (A:MET1, A:VAL16) of ref.pdb" in result.output
    assert "its residue numbers are 1 lower than in ref.pdb" in result.output
    for method in methods():
        assert method["inner"]["rmsd"]["all_heavy"] == method["torsions"]["kl"]["mean"] == 0.0
        assert method["inner"]["chi"]["chi1"]["percent"] == 100.0


def test_an_ensemble_of_another_length(run):
    write("ref.pdb", frames=2)
    write("gen.pdb", frames=3, noise=0.1)
    result = run("ref.pdb", "gen.pdb", "--json", "out.json")
    assert result.exit_code == 0, result.output
    assert "ref.pdb has 2 frames, gen.pdb 3: only distributions are compared" in result.output
    (method,) = methods()
    assert "inner" not in method and method["torsions"]["kl"]["mean"] > 0
    assert 0 < method["shape_distance"]["radius_of_gyration"] < 0.1


def test_a_multiple_of_the_frames_may_be_samples(run):
    write("ref.pdb")
    write("gen.pdb", frames=3)
    assert "if these are 3 samples of each frame: --samples 3" in run("ref.pdb", "gen.pdb").output


def test_a_shifted_file_says_so(run):
    write("ref.pdb")
    write("gen.pdb", shift=5.0, noise=0.05)
    result = run("ref.pdb", "gen.pdb")
    assert "gen.pdb is shifted or rotated: its Cα are 8.6" in result.output
    result = run("ref.pdb", "gen.pdb", "--superpose", "frame", "--json", "out.json")
    assert "shifted" not in result.output
    assert methods()[0]["all"]["rmsd"]["backbone"] < 0.2


def test_windows_and_selections(run):
    write("ref.pdb", frames=4)
    result = run("ref.pdb", "ref.pdb", "--frames", "1:3", "--select", "resid 3:9", "--json", "out.json")
    assert result.exit_code == 0, result.output
    assert (methods()[0]["frames"], methods()[0]["residues"]) == (2, 7)


def test_folders_are_matched_by_name(run, tmp_path):
    for folder, names in (("ref", "abc"), ("one", "abd"), ("two", "abc")):
        (tmp_path / folder).mkdir()
        for name in names:
            write(f"{folder}/{name}.pdb", noise=0.1 * (folder != "ref"))
    result = run("ref", "one", "two", "--json", "out.json")
    assert result.exit_code == 0, result.output
    assert "one: no reference for d" in result.output
    assert "one: nothing for 1 of 3 references: c" in result.output
    assert "different numbers of structures" in result.output
    assert [method["structures"] for method in methods()] == [2, 3]


def test_a_file_of_a_folder_that_does_not_fit_is_left_out_and_the_exit_code_says_so(run, tmp_path):
    for folder in ("ref", "one"):
        (tmp_path / folder).mkdir()
        write(f"{folder}/a.pdb")
        write(f"{folder}/b.pdb", sequence=SEQUENCE if folder == "ref" else "GGGGGGG")
        write(f"{folder}/c.pdb")
    (tmp_path / "one" / "c.pdb").write_text("ATOM")
    result = run("ref", "one", "--json", "out.json")
    assert isinstance(result.exception, InputError)
    assert "not evaluated" in result.output
    assert (methods()[0]["structures"], len(methods()[0]["failures"])) == (1, 2)


def test_limits(run):
    write("ref.pdb")
    write("gen.pdb", noise=0.3)
    assert (
        run("ref.pdb", "ref.pdb", "--fail-on", "rmsd.all_heavy=0.1,d_residues=0,chi.chi1=100").exit_code == 0
    )
    result = run("ref.pdb", "gen.pdb", "--fail-on", "rmsd.all_heavy=0.1,failed_checks=0,chi.chi1=100")
    assert isinstance(result.exception, QualityGateError)
    for name in ("rmsd.all_heavy", "failed_checks", "chi.chi1"):
        assert f"gen: {name}" in result.exception.message


def test_explanations_need_no_file(run):
    result = run("--explain")
    assert result.exit_code == 0
    assert "clashscore" in result.output and "doi:10.1107/S0907444909042073" in result.output


def test_quiet(run):
    write("gen.pdb")
    result = run("gen.pdb", "--quiet", "--checks")
    assert (result.exit_code, result.output) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((), UsageError),
        (("ref.pdb", "gen.pdb", "--name", "a", "--name", "b"), UsageError),
        (("ref.pdb", "gen.pdb", "--gen-top", "a", "--gen-top", "b"), UsageError),
        (("ref.pdb", "."), UsageError),
        (("ref.pdb", "gen.pdb", "--samples", "2", "--frames", ":2"), UsageError),
        (("gen.pdb", "--fail-on", "nonsense=1"), UsageError),
        (("gen.pdb", "--select", "resname LIG"), InputError),
        (("gen.pdb", "--csv", "taken"), OutputExistsError),
    ],
)
def test_refusals(run, arguments, error):
    write("ref.pdb")
    write("gen.pdb")
    open("taken.residues.csv", "w").close()
    assert isinstance(run(*arguments).exception, error)
