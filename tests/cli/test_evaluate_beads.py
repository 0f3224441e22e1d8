"""``latcpb evaluate --beads``: beads recomputed from atoms against those of the input."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import typer
from cg_files import pdb_line, write_trajectory
from peptides import pdb_text, structure
from typer.testing import CliRunner

from latcpb_cli.chem.masses import atom_masses
from latcpb_cli.chem.residues import CA_SLOT
from latcpb_cli.cli.evaluate import evaluate
from latcpb_cli.errors import InputError, QualityGateError, UsageError
from latcpb_cli.evaluation.json_file import json_schema

SEQUENCE = "MKTAYIAGQRDFEWGV"
PEPTIDE = structure(SEQUENCE)
CA = PEPTIDE.atoms[0, :, CA_SLOT].astype(float)


def centers(first_slot: int) -> np.ndarray:
    """Centres of mass of the atoms from a slot on; Cα where there is none."""
    mass = np.where(PEPTIDE.present, atom_masses()[PEPTIDE.trace.residue_types], 0.0)
    mass[:, :first_slot] = mass[:, -1] = 0.0
    total = mass.sum(axis=1, keepdims=True)
    center = (mass[..., None] * PEPTIDE.atoms[0]).sum(axis=1) / np.maximum(total, 1e-9)
    return np.where(total > 0, center, CA)


def write(name: str, ca: np.ndarray, side_chains: np.ndarray | None = None, box: float = 0.0) -> None:
    lines = [f"CRYST1{3 * f'{box:9.3f}'}{3 * '  90.00'} P 1           1"] if box else []
    for row, point in enumerate(ca):
        label = PEPTIDE.trace.names[row]
        lines.append(pdb_line(row + 1, label, row + 1, point))
        if side_chains is not None and label != "GLY":
            lines.append(pdb_line(row + 1, label, row + 1, side_chains[row], name="SC"))
    Path(name).write_text("\n".join([*lines, "END", ""]))


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the command in a folder with the atoms of a peptide, twice as two frames."""
    monkeypatch.chdir(tmp_path)
    Path("one.pdb").write_text(pdb_text(PEPTIDE))
    both = np.concatenate([PEPTIDE.atoms, PEPTIDE.atoms + 1.0])
    Path("two.pdb").write_text(pdb_text(structure(SEQUENCE, frames=both)))
    application = typer.Typer()
    application.command()(evaluate)

    def call(*arguments):
        return CliRunner().invoke(application, [str(word) for word in arguments], env={"COLUMNS": "120"})

    return call


def beads() -> dict:
    content = json.load(open("out.json"))
    pytest.importorskip("jsonschema").validate(content, json_schema())
    return content["methods"][-1]["beads"]


def test_side_chains_and_ca_are_compared_residue_by_residue(run) -> None:
    shifted = centers(4)
    shifted[2] += [0.0, 0.6, 0.8]
    write("cg.pdb", CA, shifted)
    result = run(
        "one.pdb", "--beads", "cg.pdb", "--bead-kinds", "ca+sc", "--json", "out.json", "--csv", "out"
    )
    assert result.exit_code == 0, result.exception
    found = beads()
    assert found["ca"] == found["ca_max"]["max"] == 0
    assert found["sc"] == pytest.approx(1.0 / 14, abs=2e-3)
    assert found["sc_max"] == {"mean": pytest.approx(1.0, abs=2e-3), "max": pytest.approx(1.0, abs=2e-3)}
    assert "centres of side chains, Å" in result.stdout and "A:THR3 of structure 0: 1.00 Å" in result.stdout
    rows = list(csv.DictReader(open("out.residues.csv")))
    assert float(rows[2]["sc_bead"]) == pytest.approx(1.0, abs=2e-3) and rows[7]["sc_bead"] == ""
    assert float(next(csv.DictReader(open("out.frames.csv")))["beads.sc_max"]) == pytest.approx(1.0, abs=2e-3)


def test_centres_of_mass_beside_a_reference_across_a_box(run) -> None:
    mixed = centers(0)
    mixed[:4] = CA[:4]
    write("cg.pdb", mixed + [60.0, 0.0, -60.0], box=60.0)
    options = ("--beads", "cg.pdb", "--com-residues", "5-16", "--json", "out.json")
    result = run("one.pdb", "one.pdb", *options)
    assert result.exit_code == 0, result.exception
    found = beads()
    assert found["com_max"]["max"] < 2e-3 and found["ca_max"]["max"] < 2e-3


def test_frames_and_samples_of_a_trajectory(run) -> None:
    write("cg.pdb", CA)
    write_trajectory(Path("cg.xtc"), np.stack([CA, CA + 1.0]))
    trajectory = ("--beads", "cg.xtc", "--beads-top", "cg.pdb", "--json", "out.json", "--overwrite")
    assert run("two.pdb", *trajectory).exit_code == 0
    assert beads()["ca_max"]["max"] < 0.02
    assert run("two.pdb", *trajectory, "--frames", "1").exit_code == 0
    assert beads()["ca_max"]["max"] < 0.02
    samples = ("--beads", "cg.pdb", "--samples", "2", "--json", "out.json", "--overwrite")
    assert run("two.pdb", *samples).exit_code == 0
    assert beads()["ca"] == pytest.approx(3**0.5 / 2, abs=1e-3)
    result = run("two.pdb", *samples, "--fail-on", "beads.ca_max=0.5")
    assert isinstance(result.exception, QualityGateError)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("two.pdb", "--beads", "cg.pdb"), InputError, "cg.pdb has 1 frame, so two.pdb should have 1, not 2"),
        (("other.pdb", "--beads", "cg.pdb"), InputError, "residue 3: A:THR3 in cg.pdb, A:SER3 in other.pdb"),
        (("short.pdb", "--beads", "cg.pdb"), InputError, "cg.pdb has 16 residues, short.pdb 15"),
        (("one.pdb", "--beads", "none.pdb"), InputError, "none.pdb"),
        (("one.pdb", "--bead-kinds", "com"), UsageError, "without --beads"),
        (
            ("one.pdb", "--beads", "cg.pdb", "--bead-kinds", "ca+sc"),
            InputError,
            "no residue has a bead of its",
        ),
        ((".", "--beads", "cg.pdb"), UsageError, "--beads is for files"),
    ],
)
def test_what_does_not_fit_is_refused(run, arguments, error, message) -> None:
    write("cg.pdb", CA)
    Path("other.pdb").write_text(pdb_text(structure(SEQUENCE.replace("T", "S"))))
    Path("short.pdb").write_text(pdb_text(structure(SEQUENCE[:-1])))
    result = run(*arguments)
    assert isinstance(result.exception, error) and message in str(result.exception)
