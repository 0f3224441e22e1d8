"""``latcpb backmap --hydrogens --minimize --fail-on`` as a user calls them."""

from __future__ import annotations

import json

import gemmi
import pytest
from cg_files import FakeModel, walk, write_ca_pdb, write_trajectory
from peptides import build, structure

SEQUENCE = "GAHKG"


class HelixModel(FakeModel):
    """Builds an ideal helix, whatever the beads."""

    def sample(self, trace, chunk, options, references=None, counts=None, predictions=None):
        atoms = build(SEQUENCE)[0]
        return atoms[None, None].repeat(len(chunk), axis=0).repeat(options.samples, axis=1)


@pytest.fixture
def run(folder, backmap, monkeypatch):
    """Run ``latcpb backmap`` in a folder with a helix as ``cg.pdb``; returns exit code and stderr."""
    monkeypatch.setattr("latcpb_cli.loaded_model.LoadedModel", HelixModel)
    write_ca_pdb(folder / "cg.pdb", SEQUENCE, structure(SEQUENCE).atoms[:, :, 1])
    return backmap


def hydrogens(path):
    return [
        [site.atom.name for site in model.all() if site.atom.is_hydrogen()]
        for model in gemmi.read_pdb(str(path))
    ]


def test_hydrogens_are_written_and_recorded(run, tmp_path):
    pytest.importorskip("openmm")
    code, _ = run("cg.pdb", "-o", "o.pdb", "--hydrogens")
    assert code == 0
    (names,) = hydrogens(tmp_path / "o.pdb")
    assert {"H1", "H2", "H3", "HE2", "HZ3"} <= set(names) and "HD1" not in names
    settings = json.loads((tmp_path / "o.report.json").read_text())["provenance"]["md"]
    assert (settings["ph"], settings["states"]) == (7.0, {"HIE": 1, "LYS": 1})


def test_trajectories_get_hydrogens_in_their_topology(run, tmp_path):
    pytest.importorskip("openmm")
    mda = pytest.importorskip("MDAnalysis")
    write_trajectory(tmp_path / "t.xtc", structure(SEQUENCE).atoms[:, :, 1].repeat(2, axis=0))
    assert run("t.xtc", "-s", "cg.pdb", "-o", "o.xtc", "--hydrogens", "--ph", 4)[0] == 0
    universe = mda.Universe(tmp_path / "o.top.pdb", tmp_path / "o.xtc", to_guess=())
    assert len(universe.trajectory) == 2
    assert "HD1" in universe.select_atoms("resname HIS").names
    one, other = universe.select_atoms("resid 2 and name CA HA").positions
    assert ((one - other) ** 2).sum() ** 0.5 == pytest.approx(1.09, abs=0.05)


def test_minimised_output_has_no_hydrogens_unless_wanted(run, tmp_path):
    pytest.importorskip("openmm")
    assert run("cg.pdb", "-o", "o.pdb", "--minimize", 20)[0] == 0
    assert hydrogens(tmp_path / "o.pdb") == [[]]
    report = json.loads((tmp_path / "o.report.json").read_text())
    assert report["frames"][0]["energy_after_kj_mol"] < report["frames"][0]["energy_before_kj_mol"]
    assert report["provenance"]["md"]["minimize"] == 20
    assert report["provenance"]["ca_moved"]["max"] > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--ph", 5), "--ph has no effect without --hydrogens or --minimize"),
        (("--force-field", "amber19"), "--force-field has no effect"),
        (("--hydrogens", "--solvent", "gbn2"), "--solvent has no effect without --minimize"),
        (("--hydrogens", "--restraint", 10), "--restraint has no effect without --minimize"),
        (("--hydrogens", "--naming", "charmm"), "not those of CHARMM"),
        (("--fail-on", "bonds=0", "--no-report"), "--fail-on needs the report"),
        (("--fail-on", "knots=0"), "'knots' is not known"),
        (("--fail-on", "hands_changed=0"), "'hands_changed' is not known"),
    ],
)
def test_options_without_effect_are_refused(run, tmp_path, arguments, message):
    code, messages = run("cg.pdb", "-o", "o.pdb", *arguments)
    assert code == 2 and message in messages
    assert not (tmp_path / "o.pdb").exists()


@pytest.mark.parametrize("option", [("--hydrogens",), ("--minimize", 10)])
def test_without_openmm_the_extra_is_named(run, monkeypatch, option):
    monkeypatch.setattr("latcpb_cli.md.force_fields.find_spec", lambda name: None)
    code, messages = run("cg.pdb", *option)
    assert code == 2
    assert "openmm" in messages and "latcpb-cli[md]" in messages and "Traceback" not in messages


def test_a_run_within_the_limits_ends_well(run):
    assert run("cg.pdb", "--fail-on", "contact12=0,overlap04=1000,d_residues=0,pierced=0")[0] == 0


def test_a_run_over_a_limit_keeps_its_output(run, tmp_path, monkeypatch):
    monkeypatch.setattr("latcpb_cli.loaded_model.LoadedModel", FakeModel)
    write_ca_pdb(tmp_path / "walk.pdb", SEQUENCE, walk(len(SEQUENCE), 2))
    code, messages = run("walk.pdb", "-o", "o.pdb", "--fail-on", "bonds=0,d_residues=100")
    assert code == 6
    assert (tmp_path / "o.pdb").exists() and (tmp_path / "o.report.json").exists()
    assert (
        "bonds" in messages
        and "> 0 (frame " in messages
        and "d_residues" not in messages.rpartition("error:")[2]
    )
