"""Head-to-tail cyclic peptides as a user meets them: closed, reported, evaluated, ready for OpenMM."""

from __future__ import annotations

import json

import numpy as np
import pytest
from rings import SEQUENCES, ca_ring, pulled_ring, write_chains
from tiny import tiny_weights

from latcpb_cli.cli.app import main
from latcpb_cli.evaluation.evaluate import evaluate_pair
from latcpb_cli.io.all_atom import read_all_atom

NOTE = "closed head to tail: peptides join A:GLY1 and A:PHE6"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with a ring and the weights of a small model."""
    monkeypatch.chdir(tmp_path)
    tiny_weights(tmp_path / "tiny")
    write_chains(tmp_path / "ring.pdb", (SEQUENCES[6], ca_ring(6)))
    return tmp_path


def call(*arguments) -> int:
    with pytest.raises(SystemExit) as caught:
        main([*map(str, arguments)])
    return int(caught.value.code or 0)


def test_what_is_closed_is_said_and_reported(folder, capsys):
    assert call("backmap", "ring.pdb", "-o", "o.pdb", "--cyclic", "--weights", "tiny") == 0
    assert NOTE in capsys.readouterr().err
    assert json.loads((folder / "o.report.json").read_text())["provenance"]["notes"] == [NOTE]
    assert call("inspect", "ring.pdb", "--cyclic") == 0
    assert f"note       {NOTE}" in capsys.readouterr().out


def test_every_file_of_a_folder_is_closed_or_named(folder, capsys):
    write_chains(folder / "line.pdb", (SEQUENCES[6], np.cumsum(np.full((6, 3), 2.19), axis=0)))
    arguments = "backmap", "ring.pdb", "line.pdb", "-o", "out/", "--cyclic", "--weights", "tiny"
    assert call(*arguments, "--workers", 0) == 3
    assert "line.pdb: --cyclic: no chain has its ends at bonding distance" in capsys.readouterr().err
    rows = {row["file"]: row for row in json.loads((folder / "out/backmap.report.json").read_text())["files"]}
    assert rows["ring.pdb"]["notes"] == [NOTE]


def test_evaluation_measures_the_closing_peptide_and_counts_no_clash_across_it(folder):
    for name, options in (("ring", ["--cyclic"]), ("line", [])):
        assert call("backmap", "ring.pdb", "-o", f"{name}_all.pdb", *options, "--weights", "tiny", "-q") == 0
    closed, opened = (read_all_atom(folder / f"{name}_all.pdb") for name in ("ring", "line"))
    assert closed.trace.cyclic_chains == (0,) and opened.trace.cyclic_chains == ()
    evaluation = evaluate_pair(opened, closed)
    result = evaluation.methods[0].summary["validity"]
    assert evaluation.reference.summary["validity"]["peptide_bonds"]["of"] == 5
    assert (result["peptide_bonds"]["count"], result["peptide_bonds"]["of"]) == (0, 6)
    report = json.loads((folder / "ring_all.report.json").read_text())["summary"]
    assert result["overlap04_per_1000"]["mean"] == pytest.approx(
        report["overlap04_per_1000"]["mean"], abs=0.01
    )


def n_closing_bonds(path) -> int:
    """Bonds between first and last residue that OpenMM finds in a file; all residues have parameters."""
    app = pytest.importorskip("openmm.app")
    file = (app.PDBFile if path.suffix == ".pdb" else app.PDBxFile)(str(path))
    app.ForceField("amber14-all.xml").createSystem(file.topology)
    last = file.topology.getNumResidues() - 1
    return sum({one.residue.index, two.residue.index} == {0, last} for one, two in file.topology.bonds())


@pytest.mark.slow
@pytest.mark.parametrize("length", [6, 14])
@pytest.mark.parametrize("suffix", ["pdb", "cif"])
def test_hydrogens_and_minimisation_with_the_real_model(folder, length, suffix):
    pytest.importorskip("openmm")
    points = pulled_ring(14, 2, 10, 5.5) if length == 14 else ca_ring(length)
    write_chains(folder / "ring.pdb", (SEQUENCES[length], points))
    md = "--hydrogens", "--minimize", 50
    assert call("backmap", "ring.pdb", "-o", f"o.{suffix}", "--cyclic", *md, "-q") == 0
    built = read_all_atom(folder / f"o.{suffix}")
    assert built.trace.cyclic_chains == (0,)
    assert n_closing_bonds(folder / f"o.{suffix}") == 1
    validity = evaluate_pair(built, built).methods[0].summary["validity"]
    for name in ("peptide_bonds", "omega", "cis_non_proline", "d_residues", "pierced_rings"):
        assert validity[name]["count"] == 0
    (row,) = json.loads((folder / "o.report.json").read_text())["frames"]
    assert row["not_minimized"] == 0 and row["energy_after_kj_mol"] < row["energy_before_kj_mol"]
    assert row["disulfides"] == ([["A:CYS3", "A:CYS11"]] if length == 14 else [])
