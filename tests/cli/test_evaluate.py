"""``latcpb evaluate`` as a user calls it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from cg_files import write_trajectory
from peptides import pdb_text, structure
from typer.testing import CliRunner

from latcpb_cli.cli.evaluate import evaluate
from latcpb_cli.errors import ExitCode, InputError, OutputExistsError

SEQUENCE = "MKTAYIAPQRDFEWGV"


@pytest.fixture
def app():
    application = typer.Typer()
    application.command()(evaluate)
    return application


@pytest.fixture
def files(tmp_path):
    """A reference of two frames, and two noisy samples of each."""
    rng = np.random.default_rng(0)
    one = structure(SEQUENCE).atoms
    reference = np.concatenate([one, one + 1.0])
    noise = rng.normal(0, 0.1, (4, *one.shape[1:])).astype(np.float32)
    for name, frames in (("ref", reference), ("gen", np.repeat(reference, 2, axis=0) + noise)):
        (tmp_path / f"{name}.pdb").write_text(pdb_text(structure(SEQUENCE, frames=frames)))
    return str(tmp_path / "ref.pdb"), str(tmp_path / "gen.pdb")


def run(app, *arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "100"})


def test_a_file_against_itself(app, files):
    result = run(app, files[0], files[0])
    assert result.exit_code == 0, result.output
    assert "residues 16, frames 2" in result.output
    assert "RMSD all heavy atoms" in result.output
    assert "Ramachandran favoured" in result.output
    assert "diversity" not in result.output


def test_json_of_several_samples(app, files, tmp_path):
    out = tmp_path / "metrics.json"
    result = run(app, *files, "--samples", 2, "--json", out)
    assert result.exit_code == 0, result.output
    assert "DIV" in result.output
    content = json.loads(out.read_text())
    (method,) = content["methods"]
    assert (method["frames"], method["samples"]) == (2, 2)
    assert 0.1 < method["inner"]["rmsd"]["all_heavy"] < 0.25
    assert 0.2 < method["diversity"]["pairwise_side_chain_rmsd"] < 0.3
    assert [path.name for path in tmp_path.glob("*.part")] == []


def test_existing_json_is_refused_before_anything_is_read(app, files, tmp_path):
    out = tmp_path / "metrics.json"
    out.write_text("mine")
    result = run(app, "missing.pdb", files[1], "--json", out)
    assert isinstance(result.exception, OutputExistsError)
    assert out.read_text() == "mine"
    assert run(app, files[0], files[0], "--json", out, "--overwrite").exit_code == 0
    assert json.loads(out.read_text())["reference"]["frames"] == 2


def test_samples_that_do_not_match(app, files, tmp_path):
    out = tmp_path / "metrics.json"
    result = run(app, *files, "--samples", 3, "--json", out)
    assert isinstance(result.exception, InputError)
    assert result.exception.exit_code == ExitCode.BAD_INPUT
    assert "--samples 2" in result.exception.hint
    assert not out.exists()


def test_residues_that_do_not_match(app, files, tmp_path):
    other = tmp_path / "other.pdb"
    other.write_text(pdb_text(structure(SEQUENCE[:3] + "W" + SEQUENCE[4:])))
    result = run(app, files[0], other)
    assert isinstance(result.exception, InputError)
    assert "A:ALA4" in result.exception.message
    assert "other.pdb" in result.exception.message


def test_missing_file(app, files):
    result = run(app, files[0], "missing.pdb")
    assert isinstance(result.exception, InputError)
    assert "missing.pdb" in result.exception.message


def test_missing_atoms_are_reported(app, files, tmp_path):
    short = tmp_path / "short.pdb"
    lines = [line for line in pdb_text(structure(SEQUENCE)).splitlines() if line[12:16].strip() != "CG"]
    short.write_text("\n".join(lines))
    whole = tmp_path / "whole.pdb"
    whole.write_text(pdb_text(structure(SEQUENCE)))
    result = run(app, whole, short)
    assert result.exit_code == 0, result.output
    assert "10 atoms are missing in short" in result.output


def test_a_page(app, files, tmp_path):
    out = tmp_path / "page.html"
    result = run(app, *files, "--samples", 2, "--name", "noisy", "--report", out)
    assert result.exit_code == 0, result.output
    text = out.read_text("utf-8")
    assert "<title>Evaluation of noisy</title>" in text
    assert isinstance(run(app, *files, "--samples", 2, "--report", out).exception, OutputExistsError)
    assert out.read_text("utf-8") == text


@pytest.mark.parametrize(("place", "option"), [(0, "--ref-top"), (1, "--gen-top")])
def test_a_trajectory_alone_is_told_the_options_of_evaluate(app, files, tmp_path, place, option):
    given = list(files)
    given[place] = str(write_trajectory(tmp_path / "t.xtc", np.zeros((2, 4, 3))))
    error = run(app, *given).exception
    assert isinstance(error, InputError)
    assert error.hint == f"give a structure of the same atoms with {option}"


@pytest.mark.parametrize("name", ["noname", "a.docx", "a.pdb1"])
def test_hints_name_no_options_that_evaluate_lacks(app, files, tmp_path, name):
    text = Path(files[0]).read_text()
    (tmp_path / name).write_text(text)
    error = run(app, str(tmp_path / name)).exception
    assert isinstance(error, InputError)
    assert "--" not in error.hint
