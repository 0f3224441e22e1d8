"""Disulfides, modified residues and names of force fields as a user meets them."""

from __future__ import annotations

import json

import gemmi
import numpy as np
import pytest
from bridges import facing
from cg_files import NAME_OF, FakeModel, walk, write_ca_pdb, write_trajectory

from latcpb_cli.cli.app import main
from latcpb_cli.run import measure

NEAR, FAR = facing(3.9), facing(5.6)


class Strands(FakeModel):
    """Builds two strands with a disulfide between them, and without one in frame 1."""

    def sample(self, trace, chunk, options, references=None, counts=None, predictions=None):
        frames = [(FAR if index == 1 else NEAR)[1] for index in chunk.indices]
        return np.repeat(np.stack(frames)[:, None], options.samples, axis=1)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with two strands in three frames."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("latcpb_cli.loaded_model.LoadedModel", Strands)
    alphas = np.stack([NEAR[1][:, 1], FAR[1][:, 1], NEAR[1][:, 1]])
    write_ca_pdb(tmp_path / "cg.pdb", NEAR[0].sequence, alphas[:1], chains="AAABBB", resids=[1, 2, 3] * 2)
    write_trajectory(tmp_path / "t.dcd", alphas)
    return tmp_path


def call(*arguments) -> int:
    with pytest.raises(SystemExit) as caught:
        main([*map(str, arguments)])
    return int(caught.value.code or 0)


@pytest.mark.parametrize(("options", "n_bridges"), [([], 1), (["--disulfides", "none"], 0)])
@pytest.mark.parametrize("suffix", ["pdb", "xtc"])
def test_disulfides_are_made_frame_by_frame(folder, options, n_bridges, suffix, monkeypatch):
    monkeypatch.setattr(measure, "find_lassos", lambda ca, linked, bridges, cell: list(bridges))
    assert call("backmap", "t.dcd", "-s", "cg.pdb", "-o", f"o.{suffix}", *options, "-q") == 0
    report = json.loads((folder / "o.report.json").read_text())
    bridged = [["A:CYS2", "B:CYS2"]] if n_bridges else []
    assert [row["disulfides"] for row in report["frames"]] == [bridged, [], bridged]
    assert [row["lassos"] for row in report["frames"]] == [n_bridges, 0, n_bridges]
    assert report["provenance"]["disulfides"] == ("none" if options else "auto")
    text = (folder / ("o.pdb" if suffix == "pdb" else "o.top.pdb")).read_text()
    assert text.count("SSBOND") == n_bridges
    assert text.count("CONECT") == 2 * n_bridges
    structure = gemmi.read_pdb_string(text)
    sulphurs = [[model[name][1]["SG"][0].pos for name in "AB"] for model in structure]
    lengths = [one.dist(two) for one, two in sulphurs]
    assert (abs(lengths[0] - 2.05) < 0.03) == bool(n_bridges)
    assert suffix == "xtc" or abs(lengths[1] - 2.05) > 0.5


@pytest.mark.parametrize(
    ("naming", "cysteine", "end"), [("pdb", "CYS", "OXT"), ("charmm", "CYS", "OT2"), ("amber", "CYX", "OXT")]
)
def test_naming(folder, naming, cysteine, end):
    assert call("backmap", "cg.pdb", "-o", "o.pdb", "--naming", naming, "-q") == 0
    model = gemmi.read_pdb("o.pdb")[0]
    assert [[residue.name for residue in chain] for chain in model] == [["ALA", cysteine, "ALA"]] * 2
    assert all(chain[-1].find_atom(end, "*") for chain in model)
    assert json.loads((folder / "o.report.json").read_text())["provenance"]["naming"] == naming


@pytest.mark.parametrize("option", ["--naming", "--disulfides"])
def test_other_values_are_refused(folder, capsys, option):
    before = {entry.name for entry in folder.iterdir()}
    assert call("backmap", "cg.pdb", "-o", "o.pdb", option, "gromos") == 2
    assert "gromos" in capsys.readouterr().err
    assert {entry.name for entry in folder.iterdir()} == before


def test_modified_residues_are_listed_and_built(folder, monkeypatch, capsys):
    monkeypatch.setattr("latcpb_cli.loaded_model.LoadedModel", FakeModel)
    names = [NAME_OF["A"], "SEP", "SP2", "SME"]
    write_ca_pdb(folder / "m.pdb", "ASSM", walk(4), resnames=names)
    assert call("backmap", "m.pdb", "-o", "o.pdb") == 0
    messages = capsys.readouterr().err
    assert "modified: SEP on SER (2), SME on MET (1)" in messages
    assert "read as: SP2 as SEP (1)" in messages
    (chain,) = gemmi.read_pdb("o.pdb")[0]
    assert [residue.name for residue in chain] == ["ALA", "SEP", "SEP", "SME"]
    assert [len(residue) for residue in chain] == [5, 10, 10, 10]
    assert call("inspect", "m.pdb") == 0
    assert "modified   SEP on SER (2)" in capsys.readouterr().out.splitlines()


def test_modified_output_can_be_evaluated(folder, monkeypatch):
    """Phosphates are left out of the comparison, and force-field names are read."""
    monkeypatch.setattr("latcpb_cli.loaded_model.LoadedModel", FakeModel)
    write_ca_pdb(folder / "m.pdb", "AYHI", walk(4), resnames=["ALA", "PTR", "HSE", "ILE"])
    for naming in ("pdb", "charmm", "amber"):
        assert call("backmap", "m.pdb", "-o", f"{naming}.pdb", "--naming", naming, "-q") == 0
    for naming in ("charmm", "amber"):
        assert call("evaluate", "pdb.pdb", f"{naming}.pdb", "--json", "e.json") == 0
        metrics = json.loads((folder / "e.json").read_text())["methods"][0]
        assert metrics["all"]["rmsd"]["all_heavy"] == 0.0
        assert metrics["atoms"] == {"compared": 36, "missing_in_reference": 0, "missing_in_generated": 0}
        (folder / "e.json").unlink()
